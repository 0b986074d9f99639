"""What common random numbers save: Monte Carlo variance of a contrast with and without them.

For a contrast of two strategies, one twin's part of the variance of the expected difference, given the
parameter draws, when both strategies meet

- the same twins and the same coins (as in a plan),
- the same twins with coins of their own (another seed),
- twins and coins of their own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metachron.engine.batch import Lives
from metachron.plan.bands import difference
from metachron.plan.compare import FIELDS, WINDOW_YEARS
from metachron.plan.outcomes import DAYS_PER_MONTH
from metachron.plan.twins import Twins

Floats = NDArray[np.float64]
ENDPOINTS = ("os", "rfs_or_pfs", "toxicity_grade3plus")
UNITS = {"os": "months", "rfs_or_pfs": "months", "toxicity_grade3plus": "fraction"}
STANDARD_ERROR = {"months": 0.25, "fraction": 0.01}  # what the numbers of twins are worked out for
SHARE = 0.1  # of the difference, the other standard error


@dataclass(frozen=True)
class Arm:
    """One strategy: on the twins of the plan, on the same with other coins, and on other twins."""

    same: Lives
    other_coins: Lives
    other_twins: Lives


@dataclass(frozen=True)
class Saving:
    """One contrast and endpoint: the difference, and the variance of one twin's part under each scheme."""

    endpoint: str
    unit: str
    difference: float
    mc_error: float
    common: float
    coins: float
    independent: float

    def twins(self, scheme: str, error: float | None = None) -> float:
        """Twins needed for a standard error: the fixed one of the unit when None."""
        allowed = STANDARD_ERROR[self.unit] if error is None else error
        return float(getattr(self, scheme)) / allowed**2

    @property
    def tenth(self) -> float | None:
        """A tenth of the difference; None when the difference is not clear of chance (twice its error)."""
        clear = abs(self.difference) > 2.0 * self.mc_error
        return SHARE * abs(self.difference) if clear else None


def values(lives: Lives, endpoint: str) -> Floats:
    """What is compared, twin by twin (n,): months within five years, or 1 with any side effect of grade 3."""
    if endpoint == "toxicity_grade3plus":
        return np.asarray((lives.grades >= 3).any(1), dtype=float)
    cut = min(WINDOW_YEARS * 365.25, lives.horizon)
    return np.asarray(np.minimum(lives.outcomes[FIELDS[endpoint][0]], cut) / DAYS_PER_MONTH)


def per_twin(found: Floats, twins: Twins) -> float:
    """Variance of one twin's part of the mean of values (n,), given the parameter draws."""
    return float(twins.size * difference(found, twins.twins["draw"], twins.source).mc_error ** 2)


def saving(a: Arm, b: Arm, endpoint: str, twins: Twins, others: Twins) -> Saving:
    """The contrast `a` minus `b` on `twins`; `others`: the twins of the third scheme."""
    first, second = values(a.same, endpoint), values(b.same, endpoint)
    common = per_twin(first - second, twins)
    paired = difference(first - second, twins.twins["draw"], twins.source)
    return Saving(
        endpoint=endpoint,
        unit=UNITS[endpoint],
        difference=paired.mean,
        mc_error=math.sqrt(common / twins.size),
        common=common,
        coins=per_twin(first - values(b.other_coins, endpoint), twins),
        independent=per_twin(first, twins) + per_twin(values(b.other_twins, endpoint), others),
    )
