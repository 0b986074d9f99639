"""A second, slow and separate implementation of one life, to check the engine against.

`live` shares no code with `model` and `engine` but the array layouts of programmes, twins and outcomes. The
equations of docs/model.md are solved by an adaptive solver with tight tolerances; what the state decides
(death, extinction, thresholds of size) is found by root finding. `scenarios`, `accuracy`, `compare` and
`outcomes` hold the engine against it. Nothing but tests and benchmarks uses any of it.
"""

from metachron.reference.life import ReferenceLife, live

__all__ = ["ReferenceLife", "live"]
