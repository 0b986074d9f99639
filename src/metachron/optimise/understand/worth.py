"""What knowing something is worth: expected gain of choosing after it is known.

All from the paired difference d of each twin, first minus second: without knowledge the first is chosen when
its mean is positive. Knowing x one chooses by E[d | x], so that the gain is E[max(E[d|x], 0)] - max(E[d], 0).
E[d | x] is estimated from the twins: group means shrunk by their noise, or a smoothing spline (scipy's, by
generalised cross-validation) through means of bins. What the same estimate gives for a shuffled x is chance,
and is subtracted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metachron.plan.bands import by_draw, shrink

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Estimator = Callable[[Floats, Floats], Floats]
BINS = 24
LEAST_IN_BIN = 25
SHUFFLES, RESAMPLES = 20, 30


@dataclass(frozen=True)
class Worth:
    """Gain from knowing something, 90 % interval, and probability that the choice changes.

    `floor`: what a shuffled x gave, already subtracted. `distinct`: beyond 95 % of the shuffled, and the
    interval clear of nought. `expected` (n,): E[d | x] of each twin.
    """

    value: float
    lower: float
    upper: float
    mc_error: float
    changes: float
    floor: float
    distinct: bool
    expected: Floats


def gain(expected: Floats, weights: Floats | None = None) -> float:
    """E[max(g, 0)] - max(E[g], 0) of expected differences g (k,) with weights (k,)."""
    w = np.full(expected.size, 1.0 / expected.size) if weights is None else weights / weights.sum()
    return max(0.0, float((w * np.maximum(expected, 0.0)).sum()) - max(0.0, float((w * expected).sum())))


def changes(expected: Floats, weights: Floats | None = None) -> float:
    """Probability that the choice made on E[d | x] is not the one made on E[d]."""
    w = np.full(expected.size, 1.0 / expected.size) if weights is None else weights / weights.sum()
    first = (w * expected).sum() > 0
    return float((w * ((expected > 0) != first)).sum())


def by_group(d: Floats, x: Floats) -> Floats:
    """E[d | x] of each twin (n,) for groups x (n,): group means with their noise taken out."""
    ids, which = np.unique(x, return_inverse=True)
    if ids.size == 1:
        return np.full(d.size, d.mean())
    overall, deviation = shrink(*by_draw(d, which.astype(np.int64)))
    return np.asarray((overall + deviation)[which])


def by_spline(d: Floats, x: Floats) -> Floats:
    """E[d | x] of each twin (n,) for a number x (n,)."""
    from scipy.interpolate import make_smoothing_spline

    ids, which = np.unique(x, return_inverse=True)
    if ids.size <= BINS:
        which, centre = which.astype(np.int64), ids.astype(float)
    else:
        rank = np.argsort(np.argsort(x, kind="stable"), kind="stable")
        which = rank * min(BINS, max(5, x.size // LEAST_IN_BIN)) // x.size
        centre = np.bincount(which, weights=x) / np.bincount(which)
    count = np.bincount(which)
    if count.size < 5:
        return by_group(d, x)
    mean = np.bincount(which, weights=d) / count
    position = (centre - centre.mean()) / max(float(centre.std()), 1e-12)
    if (np.diff(position) <= 0).any():
        return by_group(d, which.astype(float))
    spline = make_smoothing_spline(position, mean, w=count / count.mean())
    fitted = np.asarray(spline(position))
    fitted = fitted + (d.mean() - (fitted * count).sum() / count.sum())
    return np.asarray(fitted[which])


def worth(d: Floats, x: Floats, estimator: Estimator, seed: int) -> Worth:
    """What knowing x (n,) is worth for the choice by d (n,)."""
    rng = np.random.default_rng([seed, 0xE7])
    expected = estimator(d, x)
    raw = gain(expected)
    shuffled = np.array([gain(estimator(d, rng.permutation(x))) for _ in range(SHUFFLES)])
    floor = float(shuffled.mean())
    again = np.zeros(RESAMPLES)
    for k in range(RESAMPLES):
        pick = rng.integers(0, d.size, d.size)
        again[k] = gain(estimator(d[pick], x[pick])) - floor
    # the bootstrap repeats the noise once more on top of that of the sample: its centre is moved back
    again = np.maximum(again - again.mean() + (raw - floor), 0.0)
    distinct = raw > float(np.quantile(shuffled, 0.95)) and raw > 1e-9
    value = max(0.0, raw - floor)
    low, high = np.quantile(again, [0.05, 0.95])
    distinct = distinct and float(low) > 0.0
    return Worth(
        value=value,
        lower=min(float(low), value),
        upper=max(float(high), value),
        mc_error=float(again.std(ddof=1)),
        changes=changes(expected) if distinct else 0.0,
        floor=floor,
        distinct=distinct,
        expected=expected,
    )


def of_parameters(d: Floats, draw: Integers, source: Integers | None = None) -> tuple[float, float, float]:
    """(gain if all parameters were known, its standard error, share of draws that choose otherwise)."""
    means, counts, noise = by_draw(d, draw, source)
    overall, deviation = shrink(means, counts, noise)
    expected = float(overall) + deviation
    w = counts / counts.sum()
    part = np.maximum(expected, 0.0) if overall <= 0 else np.maximum(-expected, 0.0)
    error = float(np.sqrt((w**2 * (part - (w * part).sum()) ** 2).sum()))
    return gain(expected, counts), error, changes(expected, counts)
