"""Estimates over three layers: parameter draws, twins, chance.

Each draw carries only a share of the twins, so the spread between draws holds Monte Carlo noise. It
is taken out by shrinking the deviations of the draws by the square root of the share of their
variance that noise does not explain (empirical Bayes); the band is then that of the parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from metachron.plan.results import Estimate

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
LOW, HIGH = 0.05, 0.95


@dataclass(frozen=True)
class Paired:
    """An expected paired difference: mean, 90 % interval, probability above nought, Monte Carlo error.

    `mc_error` is the standard error of the mean given the parameter draws: what more twins would take away.
    """

    mean: float
    lower: float
    upper: float
    probability: float
    mc_error: float

    @property
    def half_width(self) -> float:
        return (self.upper - self.lower) / 2.0


def by_draw(values: Floats, draw: Integers, source: Integers | None = None) -> tuple[Floats, Floats, Floats]:
    """Means per draw (k, ...) of values (n, ...), number of twins per draw (k,), variance of each mean.

    `source` (n,): twins with the same number share their patient (values (n,) only), so that deviations are
    summed within it before they are squared.
    """
    order = np.argsort(draw, kind="stable")
    values, sorted_draw = values[order], draw[order]
    starts = np.flatnonzero(np.diff(sorted_draw, prepend=sorted_draw[0] - 1))
    counts = np.diff(np.append(starts, draw.size)).astype(float)
    n = counts.reshape(-1, *([1] * (values.ndim - 1)))
    means = np.add.reduceat(values, starts, axis=0) / n
    deviation = values - np.repeat(means, counts.astype(int), axis=0)
    if source is not None:
        _, group = np.unique(source[order], return_inverse=True)
        together = np.bincount(group, weights=deviation)
        # each group is counted once, at its first twin; a candidate carries one draw
        first = np.unique(group, return_index=True)[1]
        deviation = np.zeros(draw.size)
        deviation[first] = together
    square = np.add.reduceat(deviation**2, starts, axis=0)
    return means, counts, _variance_of_means(square, n, means)


def by_draw_above(values: Floats, grid: Floats, draw: Integers) -> tuple[Floats, Floats, Floats]:
    """`by_draw` of the indicators values (n,) > grid (m,), by counting: shapes (k, m), (k,), (k, m)."""
    ids, which = np.unique(draw, return_inverse=True)
    passed = np.searchsorted(grid, values, side="left")  # points of the ascending grid below the value
    width = grid.size + 1
    table = np.bincount(which * width + passed, minlength=ids.size * width).reshape(ids.size, width)
    n = table.sum(1, keepdims=True).astype(float)
    means = table[:, :0:-1].cumsum(1)[:, ::-1] / n
    return means, n[:, 0], _variance_of_means(n * means * (1.0 - means), n, means)


def _variance_of_means(square: Floats, n: Floats, means: Floats) -> Floats:
    """Variance of each mean (k, ...) from the sums of squares within draws; a lone twin gets the pooled one.

    When every twin is alone chance cannot be told from parameters, and all of the variance counts as chance.
    """
    found = square / (n * np.maximum(n - 1, 1))
    lone = n < 2
    if not lone.any():
        return np.asarray(found)
    within, freedom = square.sum(0), np.maximum(n - 1, 0).sum(0)
    if lone.all():
        overall = (n * means).sum(0) / n.sum()
        within, freedom = ((means - overall) ** 2).sum(0), max(n.size - 1, 1)
    return np.asarray(np.where(lone, within / freedom, found))


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


def band(values: Floats, draw: Integers) -> tuple[Floats, Floats, Floats]:
    """(mean, lower, upper) of values (n, ...) with the 90 % band over parameter draws."""
    return band_of(*by_draw(values, draw))


def band_of(means: Floats, counts: Floats, noise: Floats) -> tuple[Floats, Floats, Floats]:
    """`band` from what `by_draw` returns."""
    overall, deviation = shrink(means, counts, noise)
    low = overall + weighted_quantile(deviation, counts, LOW)
    high = overall + weighted_quantile(deviation, counts, HIGH)
    return overall, np.minimum(low, overall), np.maximum(high, overall)


def estimate(
    values: Floats | NDArray[np.bool_], draw: Integers, low: float = -np.inf, high: float = np.inf
) -> Estimate:
    """Mean of values (n,) with its 90 % band, held between `low` and `high`."""
    m, a, b = (float(v) for v in band(values.astype(float), draw))
    return Estimate(value=m, lower=max(a, low), upper=min(b, high))


def difference(values: Floats, draw: Integers, source: Integers | None = None) -> Paired:
    """The expected paired difference of values (n,).

    Parameter spread and the Monte Carlo error of the mean are both in the interval. `source`: see `by_draw`.
    """
    if not np.any(values):
        return Paired(0.0, 0.0, 0.0, 0.5, 0.0)
    means, counts, noise = by_draw(values, draw, source)
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
    return Paired(float(overall), low, high, positive, error)
