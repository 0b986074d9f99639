"""Estimates over three layers: parameter draws, twins, chance.

Each draw carries only a share of the twins, so the spread between draws holds Monte Carlo noise. It
is taken out by shrinking the deviations of the draws by the square root of the share of their
variance that noise does not explain (empirical Bayes); the band is then that of the parameters.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from metachron.plan.results import Estimate

Floats = NDArray[np.float64]
LOW, HIGH = 0.05, 0.95


def by_draw(values: Floats, draw: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """Means per draw (k, ...) of values (n, ...), number of twins per draw (k,), variance of each mean."""
    ids, inverse, counts = np.unique(draw, return_inverse=True, return_counts=True)
    shape = (ids.size, *values.shape[1:])
    total, square = np.zeros(shape), np.zeros(shape)
    np.add.at(total, inverse, values)
    np.add.at(square, inverse, values**2)
    n = counts.reshape(-1, *([1] * (values.ndim - 1))).astype(float)
    means = total / n
    within = np.maximum(square / n - means**2, 0.0) * n / np.maximum(n - 1, 1)
    return means, counts.astype(float), within / n


def shrink(means: Floats, counts: Floats, noise: Floats) -> tuple[Floats, Floats]:
    """(overall mean (...), deviations of the draws (k, ...) free of Monte Carlo noise)."""
    w = counts / counts.sum()
    shape = (-1, *([1] * (means.ndim - 1)))
    overall = (w.reshape(shape) * means).sum(0)
    deviation = means - overall
    spread = (w.reshape(shape) * deviation**2).sum()
    chance = (w.reshape(shape) * noise).sum() * (1 - 1 / max(counts.size, 1))
    factor = np.sqrt(max(0.0, 1.0 - chance / spread)) if spread > 0 else 0.0
    return overall, factor * deviation


def weighted_quantile(values: Floats, weights: Floats, q: float) -> Floats:
    """Quantile over the first axis of values (k, ...) with weights (k,)."""
    order = np.argsort(values, axis=0)
    sorted_values = np.take_along_axis(values, order, axis=0)
    w = weights[order]
    position = (np.cumsum(w, axis=0) - 0.5 * w) / weights.sum()
    flat_v, flat_p = sorted_values.reshape(values.shape[0], -1), position.reshape(values.shape[0], -1)
    found = [np.interp(q, flat_p[:, j], flat_v[:, j]) for j in range(flat_v.shape[1])]
    return np.asarray(found).reshape(values.shape[1:])


def band(values: Floats, draw: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """(mean, lower, upper) of values (n, ...) with the 90 % band over parameter draws."""
    means, counts, noise = by_draw(values, draw)
    overall, deviation = shrink(means, counts, noise)
    low = overall + weighted_quantile(deviation, counts, LOW)
    high = overall + weighted_quantile(deviation, counts, HIGH)
    return overall, np.minimum(low, overall), np.maximum(high, overall)


def estimate(
    values: Floats | NDArray[np.bool_], draw: NDArray[np.int64], low: float = -np.inf, high: float = np.inf
) -> Estimate:
    """Mean of values (n,) with its 90 % band, held between `low` and `high`."""
    m, a, b = (float(v) for v in band(values.astype(float), draw))
    return Estimate(value=m, lower=max(a, low), upper=min(b, high))


def difference(values: Floats, draw: NDArray[np.int64]) -> tuple[float, float, float, float]:
    """(mean, lower, upper, probability above nought) of the expected paired difference.

    Parameter spread and the Monte Carlo error of the mean are both in the interval.
    """
    if not np.any(values):
        return 0.0, 0.0, 0.0, 0.5
    means, counts, noise = by_draw(values, draw)
    overall, deviation = shrink(means, counts, noise)
    w = counts / counts.sum()
    error = float(np.sqrt((w**2 * noise).sum()))
    centre = float(overall) + deviation
    if error <= 0.0:
        positive = float((w * (centre > 0)).sum() + 0.5 * (w * (centre == 0)).sum())
        grid, weights = centre, counts
    else:
        positive = float((w * ndtr(centre / error)).sum())
        z = ndtri((np.arange(41) + 0.5) / 41)
        grid = (centre[:, None] + error * z[None, :]).ravel()
        weights = np.repeat(counts, z.size)
    low = float(weighted_quantile(grid, weights, LOW))
    high = float(weighted_quantile(grid, weights, HIGH))
    return float(overall), low, high, positive
