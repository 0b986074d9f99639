"""Draws from the joint prior: Latin hypercube through the quantile function of each parameter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtri

from metachron.parameters.load import Parameter, load_parameters

_Z_975 = 1.959963984540054


def quantile(parameter: Parameter, u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of the parameter at probabilities `u` (shape kept)."""
    value = parameter.value
    match parameter.distribution:
        case "fixed":
            return np.full_like(u, value)
        case "lognormal":
            low, high = parameter.interval()
            return np.asarray(value * np.exp(_two_piece(u, np.log(value / low), np.log(high / value))))
        case "normal":
            low, high = parameter.interval()
            return np.asarray(value + _two_piece(u, value - low, high - value))
        case "uniform":
            low, high = parameter.interval()
            return np.asarray(low + u * (high - low))
        case "beta":
            return np.asarray(betaincinv(*parameter.shape(), u))
        case "halfnormal":
            # symmetric about 0: the upper half of the normal distribution
            return np.asarray(parameter.spread() * ndtri(0.5 + 0.5 * u))
        case "bernoulli":
            return (u < value).astype(np.float64)


def _two_piece(u: NDArray[np.float64], below: float, above: float) -> NDArray[np.float64]:
    """Normal deviates with one width on each side, so that the median and both ends are as stated."""
    z = np.asarray(ndtri(u))
    return z * np.where(z < 0.0, below, above) / _Z_975


def latin_hypercube(n: int, columns: int, seed: int) -> NDArray[np.float64]:
    """Numbers in (0, 1), shape (n, columns): each column has one in each of n equal intervals, in any order.

    The same numbers as `scipy.stats.qmc.LatinHypercube`, whose import takes half a second.
    """
    rng = np.random.default_rng([seed, 0x5EED]).spawn(1)[0]
    inside = rng.uniform(size=(n, columns))
    interval = np.tile(np.arange(1, n + 1), (columns, 1))
    for row in interval:
        rng.shuffle(row)
    return np.asarray((interval.T - inside) / n)


def draw_parameters(n: int, seed: int) -> NDArray[np.void]:
    """`n` parameter sets as a structured array, shape (n,), one float64 field per parameter.

    Latin hypercube, so that a few dozen draws cover every marginal evenly. Same (n, seed), same draws.
    """
    parameters = load_parameters()
    free = [p for p in parameters.values() if p.distribution != "fixed"]
    sample = latin_hypercube(n, len(free), seed)
    draws = np.zeros(n, dtype=[(name, np.float64) for name in parameters])
    for p in parameters.values():
        if p.distribution == "fixed":
            draws[p.name] = p.value
    for column, p in enumerate(free):
        draws[p.name] = quantile(p, sample[:, column])
    return draws


def median_parameters() -> NDArray[np.void]:
    """One parameter set with every parameter at its median, shape (1,)."""
    parameters = load_parameters()
    draws = np.zeros(1, dtype=[(name, np.float64) for name in parameters])
    for p in parameters.values():
        draws[p.name] = quantile(p, np.array([0.5])) if p.distribution != "bernoulli" else 1.0
    return draws
