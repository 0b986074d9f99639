"""Draws from the joint prior: Latin hypercube through the quantile function of each parameter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.stats import qmc

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
            return np.asarray(stats.beta.ppf(u, *parameter.shape()))
        case "halfnormal":
            # symmetric about 0: the upper half of the normal distribution
            return np.asarray(parameter.spread() * stats.norm.ppf(0.5 + 0.5 * u))
        case "bernoulli":
            return (u < value).astype(np.float64)


def _two_piece(u: NDArray[np.float64], below: float, above: float) -> NDArray[np.float64]:
    """Normal deviates with one width on each side, so that the median and both ends are as stated."""
    z = np.asarray(stats.norm.ppf(u))
    return z * np.where(z < 0.0, below, above) / _Z_975


def draw_parameters(n: int, seed: int) -> NDArray[np.void]:
    """`n` parameter sets as a structured array, shape (n,), one float64 field per parameter.

    Latin hypercube, so that a few dozen draws cover every marginal evenly. Same (n, seed), same draws.
    """
    parameters = load_parameters()
    free = [p for p in parameters.values() if p.distribution != "fixed"]
    sample = qmc.LatinHypercube(d=len(free), rng=np.random.default_rng([seed, 0x5EED])).random(n)
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
