"""Two strategies on the same twins, draws and coins, under parameters and findings that can be changed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from metachron.engine.batch import simulate
from metachron.engine.compile import compile_strategy, start_line
from metachron.engine.records import LESION, TWIN, Programme
from metachron.optimise.burden import Scene
from metachron.optimise.objectives import Objective, window_days
from metachron.optimise.results import Measured
from metachron.patient.schema import Patient
from metachron.plan.arms import Arm
from metachron.plan.bands import Paired, difference
from metachron.plan.findings import Findings
from metachron.plan.twins import Twins, make_twins
from metachron.strategies.after import following
from metachron.strategies.catalogue import Catalogue
from metachron.strategies.eligibility import judge
from metachron.strategies.schema import Strategy

Floats = NDArray[np.float64]
Draws = NDArray[np.void]


@dataclass
class Counter:
    """Lives simulated so far."""

    lives: int = 0


@dataclass(frozen=True)
class Pair:
    """The two strategies for one patient; `sets` (k,): the parameter draws.

    Differences are first minus second, times the sign of the objective: positive, the first is better.
    `counter` is shared by every pair made from this one.
    """

    patient: Patient
    found: Findings
    catalogue: Catalogue
    first: Arm
    second: Arm
    objective: Objective
    sets: Draws
    seed: int
    horizon_days: float
    jobs: int | None = None
    counter: Counter = field(default_factory=Counter)

    @property
    def lives(self) -> int:
        return self.counter.lives

    def with_sets(self, sets: Draws) -> Pair:
        return replace(self, sets=sets)

    def twins(self, n: int, *, strict: bool = False) -> Twins:
        """`n` twins under these draws: the same random numbers whatever the draws and findings.

        `strict`: raises TwinError when too few candidates agree with the findings.
        """
        before = None if strict else _nobody(self.sets)
        return make_twins(
            self.patient, self.found, self.sets, n, self.seed, start_line(self.patient), before=before
        )

    def programme(self, strategy: Strategy) -> Programme:
        """The strategy compiled for this patient, doses lowered as the eligibility rules say."""
        doses = judge(self.patient, strategy, self.catalogue).dose_factors
        visible = not self.found.nothing_visible
        return compile_strategy(self.patient, strategy, self.catalogue, doses=doses, metastatic=visible)

    def values(self, strategy: Strategy, twins: Twins, programme: Programme | None = None) -> Floats:
        """The objective of each twin (n,) under the strategy, in its unit."""
        programme = programme or self.programme(strategy)
        lives = simulate(
            twins.lesions,
            twins.twins,
            twins.draws,
            programme,
            seed=self.seed,
            horizon_days=self.horizon_days,
            jobs=self.jobs,
        )
        self.counter.lives += twins.size
        scene = Scene(
            strategy,
            programme,
            self.catalogue,
            following(strategy, self.patient, self.catalogue),
            not self.found.nothing_visible,
            window_days(self.horizon_days),
        )
        return np.asarray(self.objective.of(lives, scene), dtype=float)

    def signed(self, twins: Twins) -> Floats:
        """First minus second for each twin (n,); positive: the first is better."""
        both = (self.values(arm.strategy, twins, arm.programme) for arm in (self.first, self.second))
        a, b = both
        return self.objective.sign * (a - b)


def _nobody(sets: Draws) -> Twins:
    """No twins: what is added to them is the first batch, however few candidates agree."""
    return Twins(np.zeros(0, TWIN), np.zeros((0, 1), LESION), sets, np.zeros(0, np.int64), 0, 0.0, [], 0)


def set_parameters(sets: Draws, values: dict[str, float]) -> Draws:
    """A copy of the draws (k,) in which some parameters have one value in all of them."""
    changed = sets.copy()
    for name, value in values.items():
        changed[name] = value
    return changed


def paired(values: Floats, twins: Twins) -> Paired:
    """The expected paired difference of values (n,) over the draws of the twins."""
    return difference(values, twins.twins["draw"], twins.source)


def measured(found: Paired) -> Measured:
    return Measured(value=found.mean, lower=found.lower, upper=found.upper, mc_error=found.mc_error)


def of_difference(values: Floats, twins: Twins) -> Measured:
    """Mean, 90 % interval and Monte Carlo error of values (n,)."""
    return measured(paired(values, twins))
