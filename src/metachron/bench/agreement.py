"""How far the SBML file in RoadRunner, and the kernel, are from a tight SciPy solution of the same core.

Scenarios cover what acts in the equations: anti-VEGF drugs, microscopic lesions, second-line drugs with
anti-EGFR, checkpoint inhibitors, infused cells, a liver that grows back, and a body without lesions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metachron.bench.solvers.problems import Problem, people, quiet_parameters, quiet_programme
from metachron.bench.solvers.scipy_lsoda import names, reference
from metachron.engine.records import LIVER, LUNG, OCCULT, VISIBLE
from metachron.interop.core import Core
from metachron.interop.lay_out import lay_out

YEAR = 365.0
TOLERANCE = 1e-10


@dataclass(frozen=True)
class Case:
    """One twin: a strategy, sizes of visible lesions (mm) and of unseen ones (cells), and what differs."""

    name: str
    expression: str
    visible_mm: tuple[float, ...] = ()
    unseen: tuple[float, ...] = ()
    twin: tuple[tuple[str, float], ...] = ()
    draw: tuple[tuple[str, float], ...] = ()
    days: float = YEAR
    line: int = 1

    def problem(self) -> Problem:
        """The twin as arrays of the kernel and laid out as a core."""
        count = len(self.visible_mm) + len(self.unseen)
        twins, rows = people(1, count)
        draws, programme = quiet_parameters(), quiet_programme(self.expression)
        programme.segments["line"] = self.line
        twins["logit_macro"], twins["logit_micro"] = -2.0, -14.0
        for name, value in self.twin:
            twins[name] = value
        for name, value in self.draw:
            draws[name] = value
        seen = [math.log(math.pi / 6.0 * (mm / 10.0) ** 3 * 1e9) for mm in self.visible_mm]
        rows["x"][0, :count] = seen + [math.log(cells) for cells in self.unseen]
        rows["status"][0, :count] = [VISIBLE] * len(seen) + [OCCULT] * len(self.unseen)
        rows["organ"][0, :count] = [LUNG if i % 3 == 2 else LIVER for i in range(count)]
        core = lay_out(programme, twins[0], rows[0], draws[0], self.days)
        return Problem(self.name, core, [core], names(core), rows, twins, draws, programme)


SIX = (60.0, 45.0, 30.0, 20.0, 12.0, 8.0)
CASES = (
    Case("mFOLFOX6 and bevacizumab, six visible lesions", "mfolfox6+bevacizumab*12", SIX),
    Case("mFOLFOX6 after surgery, unseen lesions", "mfolfox6*12", (), (1e9, 1e8, 2e7, 1e6, 1e5)),
    Case(
        "mFOLFOX6 with CIK cells between cycles",
        "mfolfox6_cik_midcycle",
        (30.0, 15.0),
        (1e8, 1e6),
        (("immune", 2.0),),
        (("cell_effect_real", 1.0),),
    ),
    Case(
        "FOLFIRI and cetuximab in second line",
        "folfiri+cetuximab*12",
        (40.0, 25.0),
        (1e8, 1e6),
        (("egfr_active", 1.0), ("start_line", 1.0)),
        line=2,
    ),
    Case("pembrolizumab, MSI-high", "pembrolizumab", (50.0, 20.0), (1e7,), (("msi_high", 1.0),)),
    Case("half of a liver growing back", "capecitabine*8", (25.0,), (1e7,), (("liver_share", 0.5),)),
    Case("no lesion", "mfolfox6*12", days=175.0),
)


def case(name: str) -> Case:
    """The case whose name contains this. Raises LookupError when there is not exactly one."""
    found = [c for c in CASES if name in c.name]
    if len(found) != 1:
        raise LookupError(f"{len(found)} cases are named {name!r}")
    return found[0]


def shares(found: NDArray[np.float64], truth: NDArray[np.float64], columns: list[str]) -> dict[str, float]:
    """Largest error of each column (times, columns): absolute for x and y, else over its largest value."""
    scale = np.maximum(np.abs(truth).max(axis=0), 1e-300)
    scale[[name[:2] in ("x_", "y_") for name in columns]] = 1.0
    worst = (np.abs(found - truth) / scale).max(axis=0)
    return dict(zip(columns, worst.tolist(), strict=True))


def roadrunner_errors(core: Core, every_days: float = 1.0) -> dict[str, float]:
    """Error of every state of the SBML file in RoadRunner; needs the extras `sbml` and `peers`."""
    from metachron.bench.solvers import roadrunner_cvode

    times = np.arange(0.0, core.days + 1e-9, every_days)
    columns = names(core)
    _, found = roadrunner_cvode.run(core, [core], TOLERANCE, times, columns)
    return shares(found[0], reference(core, times), columns)


def kernel_errors(problem: Problem, scale: float = 1.0) -> dict[str, float]:
    """Error of every state that the kernel keeps, at the ends of its steps of `scale` times the usual length.

    Lesions are compared while they live, the growth held back not at all (the kernel counts it only while
    drugs act).
    """
    from metachron.bench.solvers import kernel

    columns = [name for name in names(problem.core) if not name.startswith("held")]
    kept = list(kernel.kept(problem, kernel.steps(problem, scale), 0, columns))
    states, truth, _, _ = kernel.against(problem, scale, 0, columns)
    return shares(states, truth, kept)
