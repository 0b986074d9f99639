"""Pairs of arms that differ in timing only: same twins, same draws, same coins.

Two laws of the parameters: the prior and the ensemble that ships. A sign is asked of the mean difference per twin
and of its standard error over parameter draws, which is what the twins of one draw share.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import trial
from numpy.typing import NDArray

from metachron.engine.batch import Lives, simulate
from metachron.engine.compile import start_line
from metachron.engine.records import Programme
from metachron.parameters import draw_parameters
from metachron.plan.findings import read_findings
from metachron.plan.twins import Twins, make_twins
from metachron.strategies.catalogue import load_catalogue

SEED = 11
YEAR = 365.25
PRIOR, ENSEMBLE = "prior", "ensemble"
LAWS = (PRIOR, ENSEMBLE)
Floats = NDArray[np.float64]


@cache
def twins_of(example: str, law: str, n: int = 800, draws: int = 40, ras: str | None = None) -> Twins:
    """`n` twins of an example on `draws` draws of a law of the parameters."""
    who = trial.patient(example, ras=ras)
    found = read_findings(who, load_catalogue())
    return make_twins(
        who, found, draw_parameters(draws, SEED, prior=law == PRIOR), n, SEED, start_line(who)
    )  # fmt: skip


def programme(example: str, text: str, ras: str | None = None, **changes: Any) -> Programme:
    """A strategy compiled for an example; `changes` are fields of the strategy, or `gaps` of its steps."""
    gaps = changes.pop("gaps", {})
    plan = trial.strategy(text, **changes)
    steps = [s.model_copy(update={"gap_days": gaps[i]}) if i in gaps else s for i, s in enumerate(plan.steps)]
    return trial.programme_of(example, plan.model_copy(update={"steps": steps}), ras=ras)


def live(
    twins: Twins,
    plan: Programme,
    *,
    years: float = 10.0,
    growth: float = 1.0,
    parameters: dict[str, float] | None = None,
) -> Lives:
    """Lives of the twins; `growth` multiplies the growth rate of all, `parameters` replace those of every draw."""
    draws, people = twins.draws.copy(), twins.twins.copy()
    for name, value in (parameters or {}).items():
        draws[name] = value
    people["growth"] *= growth
    return simulate(twins.lesions, people, draws, plan, seed=SEED, horizon_days=years * YEAR)


@dataclass(frozen=True)
class Gain:
    """Mean of a difference per twin and its standard error over parameter draws."""

    mean: float
    error: float

    @property
    def sure(self) -> bool:
        """Above nought by more than two standard errors."""
        return self.mean > 2.0 * self.error

    def __str__(self) -> str:
        return f"{self.mean:+.2f} ({self.error:.2f})"


def gain(twins: Twins, values: Floats) -> Gain:
    """Mean of `values` (n,) and its error from the means of the draws, which are the independent units."""
    draw = twins.twins["draw"]
    found = np.unique(draw)
    means = np.array([values[draw == d].mean() for d in found])
    weights = np.array([(draw == d).sum() for d in found], dtype=float)
    weights /= weights.sum()
    mean = float(values.mean())
    error = float(np.sqrt(np.sum(weights**2 * (means - mean) ** 2) * found.size / (found.size - 1)))
    return Gain(mean, error)


def months(lives: Lives, field: str, years: float) -> Floats:
    """Event-free months of each twin (n,), cut at `years`."""
    return np.minimum(lives.outcomes[field], years * YEAR) / trial.MONTH
