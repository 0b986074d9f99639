"""Parameter sets: from the shipped ensemble, and from the prior where it is silent.

The prior is drawn by Latin hypercube through the quantile function of each parameter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtri

from metachron.parameters.load import Parameter, load_parameters
from metachron.parameters.posterior import EFFECTS, Ensemble, load_ensemble

Floats = NDArray[np.float64]
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


def draw_parameters(n: int, seed: int, *, prior: bool = False, transport: bool = True) -> NDArray[np.void]:
    """`n` parameter sets as a structured array, shape (n,), one float64 field per parameter.

    From the shipped ensemble: its rows in a random order, each once before any comes again (a repeated row
    differs from the first in all that follows). What the ensemble does not hold is drawn from its prior,
    independently. With `transport` each draw also carries an effect of its own on growth, kill, death and
    load, with the spread found between trials: a new patient stands in no registered trial.
    `prior`: everything from the prior, as without an ensemble. Same arguments, same draws.
    """
    draws = _prior_draws(n, seed)
    ensemble = None if prior else load_ensemble()
    if ensemble is None:
        return draws
    rows = _rows(ensemble.size, n, seed)
    for column, name in enumerate(ensemble.names):
        draws[name] = ensemble.values[rows, column]
    if transport:
        apply_effects(draws, new_trial_effects(ensemble.tau[rows], seed))
    return draws


def _prior_draws(n: int, seed: int) -> NDArray[np.void]:
    """Latin hypercube, so that a few dozen draws cover every marginal evenly."""
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


def _rows(size: int, n: int, seed: int) -> NDArray[np.int64]:
    """Rows of an ensemble, shape (n,): permutations of all of them, one after the other."""
    rng = np.random.default_rng([seed, 0xE25E])
    passes = [rng.permutation(size) for _ in range(-(-n // size))]
    return np.concatenate(passes)[:n].astype(np.int64)


def new_trial_effects(tau: Floats, seed: int) -> Floats:
    """Effects of trials not seen, shape (n, 4) as `tau` (SD on the natural-log scale), about nought."""
    n, columns = tau.shape
    sample = latin_hypercube(n, columns, seed + 0x7A0) if n else np.zeros((0, columns))
    return np.asarray(tau * ndtri(np.clip(sample, 1e-12, 1 - 1e-12)))


def apply_effects(draws: NDArray[np.void], effects: Floats) -> None:
    """Add effects (n, 4), in the order of EFFECTS, to draws (n,) in place.

    growth: ln factor on the growth rate, so the doubling time shrinks; kill: ln factor on every kill rate
    of drugs; death: added to the ln hazard; load: added to the ln mean number of unseen lesions.
    """
    growth, kill, death, load = (effects[:, EFFECTS.index(e)] for e in ("growth", "kill", "death", "load"))
    draws["vdt_ref_days"] *= np.exp(-growth)
    for name in draws.dtype.names or ():
        if name.startswith("kappa_"):
            draws[name] *= np.exp(kill)
    draws["death_intercept"] += death
    draws["occult_intercept"] += load
    draws["occult_unresectable"] *= np.exp(load)


def median_parameters(*, prior: bool = False) -> NDArray[np.void]:
    """One parameter set, shape (1,): medians of the ensemble, of the prior where it is silent (or `prior`).

    A bernoulli is 1; no effect of a trial.
    """
    parameters = load_parameters()
    median = np.zeros(1, dtype=[(name, np.float64) for name in parameters])
    for p in parameters.values():
        median[p.name] = quantile(p, np.array([0.5])) if p.distribution != "bernoulli" else 1.0
    ensemble: Ensemble | None = None if prior else load_ensemble()
    if ensemble is not None:
        for name, value in zip(ensemble.names, np.median(ensemble.values, axis=0), strict=True):
            median[name] = value
    return median
