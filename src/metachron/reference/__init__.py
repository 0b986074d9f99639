"""A second, slow and separate implementation of one life, to check the engine against.

It shares no code with `model` and `engine` except the array layouts of programmes, twins and outcomes. The
equations of docs/model.md are solved by an adaptive solver with tight tolerances; what the state decides
(death, extinction, thresholds of size) is found by root finding. Nothing but tests and benchmarks uses it.
"""

from metachron.reference.life import ReferenceLife, live

__all__ = ["ReferenceLife", "live"]
