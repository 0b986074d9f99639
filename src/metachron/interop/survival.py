"""Three figures of observed survival times: Kaplan-Meier, Harrell's C, and events expected under predictions.

Times are months; `event` is true for an event and false for the end of follow-up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, norm

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEVEL = 0.90  # as the bands of a plan
RESAMPLES = 2000
LEAST_SURVIVAL = 1e-3  # a predicted survival of 0 would expect infinitely many events


@dataclass(frozen=True)
class KaplanMeier:
    """The product-limit estimate: a step function with its 90 % interval (log-log, Greenwood)."""

    times: Floats
    survival: Floats
    lower: Floats
    upper: Floats
    at_risk: NDArray[np.int64]
    follow_up: Floats

    @property
    def last(self) -> float:
        """End of the longest follow-up."""
        return float(self.follow_up.max(initial=0.0))

    def at(self, month: float) -> tuple[float, float, float] | None:
        """Survival, lower and upper at a month; None after the last follow-up, where nothing is known.

        Before the first event the lower limit is the exact binomial one of those still followed.
        """
        if month > self.last:
            return None
        place = int(np.searchsorted(self.times, month, side="right")) - 1
        if place < 0:
            followed = int(np.sum(self.follow_up >= month))
            return 1.0, float(((1 - LEVEL) / 2) ** (1 / followed)), 1.0
        return float(self.survival[place]), float(self.lower[place]), float(self.upper[place])


def kaplan_meier(months: Floats, event: Bools) -> KaplanMeier:
    """Product-limit estimate (Kaplan and Meier 1958); an event comes before a censoring of the same time."""
    times = np.unique(months[event])
    deaths = np.array([np.sum(event & (months == t)) for t in times], dtype=np.int64)
    at_risk = np.array([np.sum(months >= t) for t in times], dtype=np.int64)
    survival: Floats = np.cumprod(1 - deaths / at_risk, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(deaths / (at_risk * (at_risk - deaths)))
        width = norm.ppf(0.5 + LEVEL / 2) * np.sqrt(variance) / np.log(survival)
        lower = np.nan_to_num(survival ** np.exp(-width), nan=0.0)
        upper = np.nan_to_num(survival ** np.exp(width), nan=1.0)
    # nobody left: the estimate is 0 and has no interval of this form
    lower, upper = np.where(survival > 0, lower, 0.0), np.where(survival > 0, upper, 1.0)
    return KaplanMeier(times, survival, lower, upper, at_risk, months)


def harrell_c(months: Floats, event: Bools, score: Floats) -> tuple[float, float, float, int] | None:
    """Concordance of `score`, higher for a longer predicted time, with a 90 % bootstrap interval.

    Returns C, lower, upper and the number of comparable pairs; None when no pair can be compared.
    """
    earlier = months[:, None] < months[None, :]
    tied = (months[:, None] == months[None, :]) & ~event[None, :]
    comparable = (event[:, None] & (earlier | tied)).astype(float)
    agrees = (score[:, None] < score[None, :]) + 0.5 * (score[:, None] == score[None, :])
    concordant = comparable * agrees
    if not comparable.any():
        return None
    rng = np.random.default_rng(0)  # the resampling is a numerical device, not a part of the model
    size = len(months)
    weights = rng.multinomial(size, np.full(size, 1 / size), size=RESAMPLES).astype(float)
    pairs = np.einsum("bi,ij,bj->b", weights, comparable, weights, optimize=True)
    agreeing = np.einsum("bi,ij,bj->b", weights, concordant, weights, optimize=True)
    draws = agreeing[pairs > 0] / pairs[pairs > 0]
    low, high = np.quantile(draws, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    value = float(concordant.sum() / comparable.sum())
    return value, float(low), float(high), int(comparable.sum())


def expected_events(survival_at_end: Floats) -> float:
    """Events expected by predictions: the sum of -log S(t) at the end of follow-up of each patient.

    On average it equals the number of events observed, when the predictions are right: a patient followed
    to t has had a cumulative hazard of -log S(t).
    """
    return float(-np.log(np.clip(survival_at_end, LEAST_SURVIVAL, 1.0)).sum())


def events_interval(observed: int) -> tuple[float, float]:
    """Exact 90 % interval of a Poisson mean, given the count."""
    tail = (1 - LEVEL) / 2
    low = 0.0 if observed == 0 else float(chi2.ppf(tail, 2 * observed) / 2)
    return low, float(chi2.ppf(1 - tail, 2 * observed + 2) / 2)
