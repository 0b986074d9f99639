"""Scores of survival predicted for single patients: rank, squared error, calibration.

Times are in any one unit; `event` is true for an event and false for the end of follow-up. Predictions are
survival probabilities, shape (patients, times).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEAST, MOST = 1e-4, 1 - 1e-4  # predicted survival is kept inside, where ln(-ln S) is finite
LEAST_WEIGHT = 1e-2  # of being uncensored


def area(survival: Floats, times: Floats) -> Floats:
    """Mean time lived up to the last of `times`, which ranks patients: longer is better; shape (n,)."""
    return np.asarray(np.trapezoid(survival, times, axis=1))


def concordance(days: Floats, event: Bools, score: Floats) -> float:
    """Harrell's C of `score`, higher for a longer predicted time; nan when no pair can be compared."""
    earlier = days[:, None] < days[None, :]
    tied = (days[:, None] == days[None, :]) & ~event[None, :]
    comparable = event[:, None] & (earlier | tied)
    agrees = (score[:, None] < score[None, :]) + 0.5 * (score[:, None] == score[None, :])
    pairs = comparable.sum()
    return float((comparable * agrees).sum() / pairs) if pairs else float("nan")


def censoring_survival(days: Floats, event: Bools) -> tuple[Floats, Floats]:
    """Kaplan-Meier estimate of not yet being censored: times of its steps and the value after each."""
    times = np.unique(days[~event])
    # an event comes before a censoring of the same time, so it is no longer at risk of being censored
    at_risk = np.array([np.sum(days > t) + np.sum((days == t) & ~event) for t in times], dtype=np.float64)
    censored = np.array([np.sum((days == t) & ~event) for t in times], dtype=np.float64)
    return times, np.asarray(np.cumprod(1 - censored / np.maximum(at_risk, 1.0)), dtype=np.float64)


def step_at(times: Floats, values: Floats, at: Floats, *, before: bool = False) -> Floats:
    """A step function that is 1 before its first step; `before`: just before `at`."""
    place = np.searchsorted(times, at, side="left" if before else "right")
    return np.concatenate([[1.0], values])[place]


def brier(days: Floats, event: Bools, survival: Floats, times: Floats) -> Floats:
    """Brier score at each time, weighted by the inverse probability of censoring (Graf 1999)."""
    steps, values = censoring_survival(days, event)
    own = np.maximum(step_at(steps, values, days, before=True), LEAST_WEIGHT)
    later = np.maximum(step_at(steps, values, times), LEAST_WEIGHT)
    gone = (days[:, None] <= times) & event[:, None]
    there = days[:, None] > times
    error = gone * survival**2 / own[:, None] + there * (1 - survival) ** 2 / later
    return np.asarray(error.mean(axis=0))


def integrated_brier(days: Floats, event: Bools, survival: Floats, times: Floats) -> float:
    """Mean Brier score from the first to the last of `times`."""
    return float(np.trapezoid(brier(days, event, survival, times), times) / (times[-1] - times[0]))


def calibration_slope(days: Floats, event: Bools, survival: Floats) -> tuple[float, float]:
    """Slope of a Cox model on ln(-ln S) at one time, and its standard error; 1 when predictions are right.

    `survival` (n,): predicted at the end of the period looked at. Below 1 they are too extreme. nan when all
    predictions are alike or there is no event.
    """
    z = np.log(-np.log(np.clip(survival, LEAST, MOST)))
    if not event.any() or np.ptp(z) < 1e-9:
        return float("nan"), float("nan")
    z = z - z.mean()
    slope, information = 0.0, 1.0
    for _ in range(50):
        score, information = _partial_score(days, event, z, slope)
        move = float(np.clip(score / information, -1.0, 1.0))
        slope += move
        if abs(move) < 1e-9:
            break
    return slope, float(1 / np.sqrt(information))


def _partial_score(days: Floats, event: Bools, z: Floats, slope: float) -> tuple[float, float]:
    """First derivative and minus the second of the partial log likelihood (Breslow's ties)."""
    order = np.argsort(-days, kind="stable")
    t, e, x = days[order], event[order], z[order]
    w = np.exp(slope * x)
    sums = [np.cumsum(w * x**k) for k in range(3)]
    last = np.searchsorted(-t, -t[e], side="right") - 1  # everyone with at least this time is at risk
    s0, s1, s2 = (s[last] for s in sums)
    return float((x[e] - s1 / s0).sum()), float((s2 / s0 - (s1 / s0) ** 2).sum())


def paired_difference(a: Floats, b: Floats, test_share: float) -> tuple[float, float]:
    """Mean of a - b over folds and its standard error, corrected for folds that share training patients.

    Nadeau and Bengio 2003: the variance is multiplied by 1 / folds + test / training.
    """
    d = a - b
    spread = float(d.var(ddof=1)) if d.size > 1 else float("nan")
    return float(d.mean()), float(np.sqrt(spread * (1 / d.size + test_share / (1 - test_share))))
