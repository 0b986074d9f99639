"""The kernel on the deterministic core: `simulate` on lives from which chance is taken out.

What is timed is the whole of `simulate`: checks of the arrays, coins, cycles, grades, hazards and outcomes
of every life, and nothing left out for this comparison; no states are recorded, as in any run. States come
from `trace`, which is the same life with every step kept. The setting is `step_scale`, the factor on the
largest steps.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import numpy as np

from metachron import __version__
from metachron.bench.solvers.problems import Problem
from metachron.bench.solvers.scipy_lsoda import names, reference
from metachron.bench.solvers.system import Floats
from metachron.engine.batch import simulate
from metachron.engine.records import STATE
from metachron.engine.trace import trace
from metachron.interop.core import CLASS_NAMES

NAME, PACKAGE = "kernel", "metachron"
SEED = 1
LADDER = [1.0, 0.75, 0.5, 0.375, 0.25, 0.1875, 0.125, 0.0625, 0.03125]
JUST_BEFORE, NADIR_STEPS = 1e-6, 8  # days; steps a day
CHAIN = {"P": 0, "T1": 1, "T2": 2, "T3": 3, "C": 4}
BODY = {
    "V": "vegf", "checkpoint": "checkpoint", "stress": "stress", "L": "lymphocytes", "E": "cells",
    "X": "nerve_x", "N": "nerve_n", "H": "liver", "hazard_cancer": "hazard_cancer",
}  # fmt: skip
AMOUNTS = {"m": 0, "l": 1, "a": 2}
LESIONS = {"x": "x", "held": "held_back", "W": "debris"}


def version() -> str:
    return __version__


def column(rows: np.ndarray, name: str, marrow_factor: float) -> Floats | None:
    """One state of the core from rows of STATE, or None for one that the kernel does not keep."""
    if name in BODY:
        return np.asarray(rows[BODY[name]])
    if name in CHAIN:
        return np.asarray(rows["chain"][:, CHAIN[name]])
    if name in AMOUNTS:  # the kernel's marrow amount includes the patient's own factor
        amount = rows["amounts"][:, AMOUNTS[name]]
        return np.asarray(amount / marrow_factor if name == "m" else amount)
    stem, _, last = name.rpartition("_")
    if stem == "A":
        return np.asarray(rows["effect"][:, CLASS_NAMES.index(last)])
    if stem in LESIONS:
        return np.asarray(rows[LESIONS[stem]][:, int(last) - 1])
    return None


def steps(problem: Problem, scale: float, patient: int = 0) -> np.ndarray:
    """Every step of one patient, shape (steps,) of STATE; the last of rows of one day only."""
    rows = trace(
        problem.lesions, problem.twins, problem.draws, problem.programme, seed=SEED,
        horizon_days=problem.core.days, twin=patient, step_scale=scale,
    )  # fmt: skip
    assert rows.dtype == STATE
    last = np.append(np.diff(rows["t"]) > 0.0, True)
    return np.asarray(rows[last])


def kept(problem: Problem, rows: np.ndarray, patient: int, columns: Sequence[str]) -> dict[str, Floats]:
    """Those of the columns that the kernel keeps; lymphocytes only where cells are infused."""
    factor = float(problem.twins["marrow_factor"][patient])
    found = {name: column(rows, name, factor) for name in columns}
    if not problem.core.cells:
        found.pop("L", None)
        found.pop("l", None)
    return {name: values for name, values in found.items() if values is not None}


def against(problem: Problem, scale: float, patient: int, columns: Sequence[str]) -> tuple[Floats, ...]:
    """(states, truth, days, nadirs (n, 2)) at the kernel's own steps, without columns that it does not keep.

    A step ends before what is given on its day, so the truth is taken just before. A lesion that has died
    out is as the truth has it. Nadirs are the lowest neutrophil counts within each cycle, the kernel's and
    the true ones.
    """
    rows, core = steps(problem, scale, patient), problem.patients[patient]
    mine, known = kept(problem, rows, patient, columns), names(core)
    fine = np.arange(0.0, core.days + 1e-9, 1.0 / NADIR_STEPS)
    days = np.maximum(rows["t"] - JUST_BEFORE, 0.0)
    every = np.concatenate([fine, days])
    order = np.argsort(every, kind="stable")
    truth = np.empty((every.size, len(known)))
    truth[order] = reference(core, every[order])
    counts, truth = truth[: fine.size, known.index("C")], truth[fine.size :]
    starts = [a.day for a in core.given if a.marrow > 0.0]
    nadirs = []
    for begin, end in pairwise(starts):
        lowest = counts[(fine >= begin) & (fine <= end)].min()
        nadirs.append((rows["nadir"][np.searchsorted(rows["t"], end)], lowest))
    truth = truth[:, [known.index(name) for name in mine]]
    states = np.stack(list(mine.values()), axis=1)
    for j, name in enumerate(mine):
        if name[:2] in ("x_", "W_"):
            dead = rows["alive"][:, int(name[2:]) - 1] == 0
            states[dead, j] = truth[dead, j]
    return states, truth, rows["t"], np.array(nadirs)


def error(problem: Problem, scale: float, patients: int) -> float:
    """Largest error of the first patients in what is compared, and in the nadirs."""
    worst = 0.0
    for i in range(patients):
        states, truth, _, nadirs = against(problem, scale, i, problem.columns)
        worst = max(worst, problem.error(states[None], truth[None]))
        worst = max(worst, float(np.abs(nadirs[:, 0] / nadirs[:, 1] - 1.0).max()))
    return worst


def seconds(problem: Problem, scale: float, threads: int) -> float:
    """Seconds of one batch; compiled before."""
    live = partial(
        simulate, problem.lesions, problem.twins, problem.draws, problem.programme, seed=SEED,
        horizon_days=problem.core.days, jobs=threads, step_scale=scale,
    )  # fmt: skip
    live()
    began = time.perf_counter()
    live()
    return time.perf_counter() - began
