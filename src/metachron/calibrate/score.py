"""How far a predicted curve is from an observed one. Pure functions of curves on months.

A prediction is survival by parameter draw, shape (draws, months). Each draw is simulated with a limited
number of lives, so the spread between draws holds Monte Carlo noise besides what the draws say; `calm` takes
it out. What remains is the uncertainty of the prediction; for a landmark observed in a trial the trial's own
sampling error comes on top (`landmark_draws`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metachron.calibrate.observed import Floats, Observed

LANDMARKS = (6.0, 12.0, 24.0, 36.0, 60.0)  # months
LEVEL = 0.90
TAILS = ((1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0)
POINTS = 1001  # of the integrals over follow-up
REPEATS = 25  # trials imagined for each draw, for the sampling error of a landmark


@dataclass(frozen=True)
class Predicted:
    """Survival by draw, shape (draws, months), at `months` (from 0, increasing)."""

    months: Floats
    by_draw: Floats

    @property
    def mean(self) -> Floats:
        """The prediction: mean over draws, shape (months,)."""
        return np.asarray(self.by_draw.mean(axis=0))

    def at(self, months: Floats | Sequence[float]) -> Floats:
        """Survival by draw at other months, by straight lines between those known: (draws, len(months))."""
        at = np.asarray(months, dtype=np.float64)
        right = np.clip(np.searchsorted(self.months, at), 1, len(self.months) - 1)
        left = right - 1
        share = np.clip((at - self.months[left]) / (self.months[right] - self.months[left]), 0.0, 1.0)
        return np.asarray(self.by_draw[:, left] * (1 - share) + self.by_draw[:, right] * share)

    def mean_at(self, months: Floats | Sequence[float]) -> Floats:
        """The prediction at other months."""
        return np.interp(np.asarray(months, dtype=np.float64), self.months, self.mean)

    def band(self) -> tuple[Floats, Floats]:
        """5th and 95th percentile over draws at `months`."""
        low, high = np.quantile(self.by_draw, TAILS, axis=0)
        return np.asarray(low), np.asarray(high)


def calm(by_draw: Floats, lives: NDArray[np.int64]) -> Floats:
    """Survival by draw (draws, months) with the noise of `lives` (draws,) simulated lives taken out.

    The variance between draws is that of the draws plus that of chance, S (1 - S) / (lives - 1) on average;
    deviations from the mean are drawn together so that the former remains. The mean does not change, and
    curves keep to 0..1. Draws with fewer than two lives, or none at risk, are left out.
    """
    kept = (lives >= 2) & np.isfinite(by_draw).all(axis=1)
    s, n = by_draw[kept], lives[kept].astype(np.float64)
    if len(s) < 2:
        return s
    mean = s.mean(axis=0)
    total = s.var(axis=0, ddof=1)
    noise = (s * (1.0 - s) / (n[:, None] - 1.0)).mean(axis=0)
    keep = np.sqrt(np.clip(1.0 - noise / np.where(total > 0, total, 1.0), 0.0, 1.0))
    return np.asarray(np.clip(mean + (s - mean) * keep, 0.0, 1.0))


def integrated_error(predicted: Predicted, observed: Observed, until: float) -> float:
    """Mean of |predicted - observed| survival over follow-up to month `until` (0..1)."""
    return curve_error(predicted.mean_at, observed, until)


def curve_error(curve: Callable[[Floats], Floats], observed: Observed, until: float) -> float:
    """Mean absolute distance of any survival curve from the observed one to month `until`."""
    at = np.linspace(0.0, until, POINTS)
    return mean_distance(observed.read_off(curve, at), observed.survival(at))


def mean_distance(one: Floats, other: Floats) -> float:
    """Mean absolute distance of two curves on one even grid, by the trapezium rule."""
    gap = np.abs(one - other)
    return float((gap[1:] + gap[:-1]).mean() / 2.0)


def sampling_error(observed: Observed, until: float) -> float:
    """The integrated error that the true curve would have: mean of SE sqrt(2 / pi) over follow-up."""
    at = np.linspace(0.0, until, POINTS)
    return float(observed.standard_error(at).mean() * np.sqrt(2.0 / np.pi))


def rmst(survival: Floats, months: Floats) -> Floats:
    """Area under curves (..., months): restricted mean time, months."""
    return np.asarray(np.trapezoid(survival, months, axis=-1))


def rmst_draws(predicted: Predicted, until: float, observed: Observed | None = None) -> Floats:
    """Restricted mean time to month `until` by draw, read off as the observed curve is."""
    at = np.linspace(0.0, until, POINTS)
    if observed is None or not observed.linear:
        return rmst(predicted.at(at), at)
    points = observed.points[0]
    by_draw = predicted.at(points)
    return np.array([rmst(np.interp(at, points, row), at) for row in by_draw])


def observed_rmst(observed: Observed, until: float) -> float:
    """Restricted mean time of the observed curve to month `until`."""
    at = np.linspace(0.0, until, POINTS)
    return float(rmst(observed.survival(at), at))


def median_month(months: Floats, survival: Floats) -> float | None:
    """Month at which a curve crosses one half; None when it stays above."""
    below = np.flatnonzero(survival <= 0.5)
    if not len(below):
        return None
    k = int(below[0])
    if k == 0:
        return float(months[0])
    share = (survival[k - 1] - 0.5) / (survival[k - 1] - survival[k])
    return float(months[k - 1] + share * (months[k] - months[k - 1]))


def landmark_draws(survival: Floats, n: float, rng: np.random.Generator) -> Floats:
    """What a trial of effective size `n` would show at a landmark: survival by draw plus sampling, (many,).

    Counts are binomial; a size between whole numbers takes the nearest.
    """
    size = max(1, round(n))
    chance = np.clip(np.repeat(survival, REPEATS), 0.0, 1.0)
    return np.asarray(rng.binomial(size, chance) / size)


def landmark_survival(predicted: Predicted, observed: Observed, months: Sequence[float]) -> Floats:
    """Survival by draw at landmarks, read off as the observed curve is, shape (draws, landmarks)."""
    if not observed.linear:
        return predicted.at(months)
    points = observed.points[0]
    return np.array([np.interp(months, points, row) for row in predicted.at(points)])


@dataclass(frozen=True)
class Mark:
    """One landmark: predicted with the 90 % interval of what the trial would show, and observed."""

    months: float
    predicted: float
    low: float
    high: float
    observed: float
    at_risk: int

    @property
    def error(self) -> float:
        """Predicted minus observed survival."""
        return self.predicted - self.observed

    @property
    def covered(self) -> bool:
        """Whether the interval holds what was observed (to rounding of one patient in a thousand)."""
        return self.low - 1e-3 <= self.observed <= self.high + 1e-3


def landmarks(
    predicted: Predicted, observed: Observed, rng: np.random.Generator, months: Sequence[float] = LANDMARKS
) -> list[Mark]:
    """The landmarks at which at least ten patients are still at risk."""
    reach = observed.reach
    within = [m for m in months if reach is not None and m <= reach + 1e-9 and m <= predicted.months[-1]]
    if not within:
        return []
    survival, n = landmark_survival(predicted, observed, within), observed.effective_n(within)
    seen, at_risk = observed.survival(within), observed.at_risk(within)
    marks = []
    for k, month in enumerate(within):
        low, high = np.quantile(landmark_draws(survival[:, k], float(n[k]), rng), TAILS)
        middle = float(survival[:, k].mean())
        marks.append(Mark(month, middle, float(low), float(high), float(seen[k]), int(at_risk[k])))
    return marks
