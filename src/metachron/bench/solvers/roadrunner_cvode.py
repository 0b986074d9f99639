"""The deterministic core in RoadRunner: CVODE on the SBML file that metachron writes.

Its best setting here: Adams method (the core is not stiff; BDF takes a third longer), variable steps, the
model compiled once and reused with `reset`, all constants and starting values of a patient set in one call,
only the columns asked for recorded.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from metachron.bench.solvers.system import Floats
from metachron.interop.core import Core
from metachron.interop.equations import write_equations
from metachron.interop.sbml.write import sbml_text

NAME, PACKAGE = "RoadRunner CVODE", "libroadrunner"
MOST_STEPS = 100_000


@lru_cache(maxsize=4)
def load(text: str) -> Any:
    """The compiled model of an SBML text."""
    import roadrunner

    model = roadrunner.RoadRunner(text)
    model.integrator.stiff = False
    model.integrator.variable_step_size = False  # rows at the times asked for; steps within adapt anyway
    model.integrator.maximum_num_steps = MOST_STEPS
    return model


def values(core: Core) -> dict[str, float]:
    """Value at day 0 of every constant and every state; starts are products of constants."""
    eq = write_equations(core)
    found = {c.name: c.value for c in eq.constants}
    for variable in eq.variables:
        found[variable.name] = _product(variable.start, core)
    return found


def _product(start: str, core: Core) -> float:
    """A starting formula: a number or constants joined by * and /."""
    total, divide = 1.0, False
    for token in start.split():
        if token in "*/":
            divide = token == "/"
            continue
        value = core.constants[token] if token in core.constants else float(token)
        total = total / value if divide else total * value
        divide = False
    return total


def run(
    core: Core, patients: Sequence[Core], tolerance: float, times: Floats, columns: Sequence[str]
) -> tuple[float, Floats]:
    """(seconds, states (patients, times, columns)); compiling the model is not timed."""
    model = load(sbml_text(core))
    model.integrator.relative_tolerance = tolerance
    model.integrator.absolute_tolerance = tolerance * 1e-3
    model.timeCourseSelections = list(columns)
    known = {name: i for i, name in enumerate(model.model.getGlobalParameterIds())}
    sets = [values(p) for p in patients]
    index = [known[name] for name in sets[0]]
    rows = [[s[name] for name in sets[0]] for s in sets]
    grid = times if times[0] == 0.0 else np.concatenate([[0.0], times])
    skip = grid.size - times.size
    states = np.empty((len(patients), times.size, len(columns)))
    began = time.perf_counter()
    for i, row in enumerate(rows):
        model.reset()
        model.model.setGlobalParameterValues(index, row)
        states[i] = np.asarray(model.simulate(times=grid.tolist()))[skip:]
    return time.perf_counter() - began, states
