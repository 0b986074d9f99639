"""A smooth surface through simulated log likelihoods, for a sampler that needs gradients.

The simulated log likelihood of FFCD 2000-05 is known at some hundred points of the scores z and of the
effects of the trial, with noise of some units. The surface is the mean of a Gaussian process: a quadratic
form and a local part, each input with a relevance of its own. It is fitted to the drop below the best point
on a scale that is linear near the best and logarithmic far below it, where only the direction matters. It is
to be used near its points: refit it around the posterior, and check draws by simulation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from metachron.calibrate.ffcd import TRIAL
from metachron.calibrate.posterior import EFFECT_UNIT
from metachron.errors import InputError, Problem

jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]

Floats = NDArray[np.float64]
DEPTH = 50.0  # drops are linear well below it, logarithmic above
EXCESS, BEND = 10.0, 2.0  # the surface never rises further than EXCESS above the best point
FEWEST, MOST_TO_LEARN = 30, 600  # points: fewest of all, most to learn the relevances from
MEAN_LN_RELEVANCE, SD_LN_RELEVANCE = -4.0, 1.0  # prior: most inputs matter little
CONSTANT = 25.0  # variance of the level, in units of the variance of the drops
JITTER = 1e-8


@dataclass(frozen=True)
class HeldOut:
    """Errors at points left out, one by one, in log-likelihood units: by drop below the best point.

    `rms` holds the noise of the point itself; `noise` is that (measured, or what the surface takes for it).
    """

    within: float
    points: int
    rms: float
    noise: float

    @property
    def own(self) -> float:
        """Error of the surface itself."""
        return float(np.sqrt(max(self.rms**2 - self.noise**2, 0.0)))


@dataclass(frozen=True)
class Surface:
    """Log likelihood as a function of scores z (p,) and effects (4,), in jax or numpy.

    `columns` (d,) of the p + 4 inputs that it reads. `points` (m, d), `weights` (m,) of the points, `ln`
    relevances (d,) and the ln variances of the linear, quadratic and local part and the noise; drops are
    `unit` times the process, plus `level`.
    """

    names: tuple[str, ...]
    columns: NDArray[np.int64]
    points: Floats
    weights: Floats
    ln: Floats
    best: float
    level: float
    unit: float
    errors: tuple[HeldOut, ...] = ()

    @property
    def trial(self) -> str:
        return TRIAL

    def __call__(self, z: Any, effects: Any) -> Any:
        x = jnp.concatenate([jnp.asarray(z), jnp.asarray(effects) / EFFECT_UNIT])[self.columns]
        squeezed = self.level + self.unit * (kernel(x[None, :], self.points, self.ln)[0] @ self.weights)
        held = BEND * jax.nn.softplus((squeezed + EXCESS) / BEND) - EXCESS
        return self.best - DEPTH * jnp.expm1(held / DEPTH)

    def save(self, path: Path) -> None:
        """Write as npz."""
        with path.open("wb") as file:
            np.savez(
                file, names=np.array(self.names), columns=self.columns, points=self.points,
                weights=self.weights, ln=self.ln,
                numbers=np.array([self.best, self.level, self.unit]),
                errors=np.array([(e.within, e.points, e.rms, e.noise) for e in self.errors]),
            )  # fmt: skip


def load_surface(path: Path) -> Surface:
    """A surface written by `save`. Raises InputError when the file is none."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            best, level, unit = (float(v) for v in kept["numbers"])
            errors = tuple(HeldOut(float(a), int(b), float(c), float(d)) for a, b, c, d in kept["errors"])
            names = tuple(str(name) for name in kept["names"])
            return Surface(
                names, kept["columns"], kept["points"], kept["weights"], kept["ln"], best, level, unit, errors
            )
    except (OSError, KeyError, ValueError, EOFError) as error:
        raise InputError(Problem(str(path), f"is no surface of a log likelihood ({error})")) from None


def kernel(x: Any, y: Any, ln: Any) -> Any:
    """Covariance of the process between points x (a, d) and y (b, d); `ln` (d + 4,) as in Surface."""
    relevance, variance = jnp.exp(ln[: x.shape[1]]), jnp.exp(ln[x.shape[1] :])
    both = (x * relevance) @ y.T
    apart = ((x**2) @ relevance)[:, None] + ((y**2) @ relevance)[None, :] - 2.0 * both
    return CONSTANT + variance[0] * both + variance[1] * both**2 + variance[2] * jnp.exp(-0.5 * apart)


def fit_surface(
    z: Floats,
    loglik: Floats,
    *,
    effects: Floats | None = None,
    names: Sequence[str] = (),
    used: Sequence[str] | None = None,
    noise: float | None = None,
    iterations: int = 150,
) -> Surface:
    """The surface through log likelihoods (m,) at scores z (m, p) and effects (m, 4) (None: nought).

    `names` of the scores; `used`: those that can matter at all (`ffcd.moved_by`), None for all. `noise`: SD
    of the simulated values near the best (`ffcd.noise_of`), None to let the points tell. Raises InputError
    for fewer than FEWEST points or values that are not finite.
    """
    x, values = _checked(z, loglik, effects)
    columns = _columns(x.shape[1], names, used)
    x = x[:, columns]
    best = float(values.max())
    squeezed = DEPTH * np.log1p((best - values) / DEPTH)
    level, unit = float(squeezed.mean()), max(float(squeezed.std()), 1e-6)
    y = (squeezed - level) / unit
    near = np.argsort(squeezed, kind="stable")[:MOST_TO_LEARN]
    ln = _learn(x[near], y[near], None if noise is None else 2.0 * float(np.log(noise / unit)), iterations)
    whole = np.asarray(kernel(x, x, ln)) + (np.exp(ln[-1]) + JITTER) * np.eye(y.size)
    inverse = np.linalg.inv(whole)
    weights = inverse @ y
    left_out = y - weights / np.diag(inverse)
    errors = _errors(values, best, level + unit * left_out, float(np.exp(0.5 * ln[-1])) * unit)
    return Surface(tuple(names), columns, x, weights, ln, best, level, unit, errors)


def _columns(inputs: int, names: Sequence[str], used: Sequence[str] | None) -> NDArray[np.int64]:
    """Inputs that may matter: the scores named in `used`, and the four effects."""
    if used is None:
        return np.arange(inputs)
    if len(names) != inputs - 4 or not set(used) <= set(names):
        raise InputError(Problem("surface", f"{len(names)} names, {len(set(used) - set(names))} unknown"))
    return np.array([j for j in range(inputs) if j >= len(names) or names[j] in set(used)])


def _checked(z: Floats, loglik: Floats, effects: Floats | None) -> tuple[Floats, Floats]:
    z, values = np.atleast_2d(np.asarray(z, np.float64)), np.asarray(loglik, np.float64).ravel()
    added = np.zeros((z.shape[0], 4)) if effects is None else np.asarray(effects, np.float64)
    if values.size != z.shape[0] or added.shape != (values.size, 4):
        allowed = f"z ({values.size}, p), effects ({values.size}, 4)"
        raise InputError(Problem("surface", f"z {z.shape} and effects {added.shape}", allowed))
    if values.size < FEWEST:
        raise InputError(Problem("surface", f"{values.size} points", f"{FEWEST} or more"))
    x = np.hstack([z, added / EFFECT_UNIT])
    if not (np.isfinite(x).all() and np.isfinite(values).all()):
        raise InputError(Problem("surface", "holds a value that is not finite"))
    return x, values


def _learn(x: Floats, y: Floats, ln_noise: float | None, iterations: int) -> Floats:
    """Relevances and variances by the largest posterior density, from one start; the noise may be known."""
    dims = x.shape[1]
    points, target, unit = jnp.asarray(x), jnp.asarray(y), jnp.eye(y.size)

    def cost(ln: Any) -> Any:
        root = jnp.linalg.cholesky(kernel(points, points, ln) + (jnp.exp(ln[-1]) + JITTER) * unit)
        white = jax.scipy.linalg.solve_triangular(root, target, lower=True)
        prior = ((ln[:dims] - MEAN_LN_RELEVANCE) / SD_LN_RELEVANCE) ** 2
        spread = (ln[dims:] + 1.0) ** 2 / 9.0
        return 0.5 * (white @ white + prior.sum() + spread.sum()) + jnp.log(jnp.diag(root)).sum()

    value = jax.jit(jax.value_and_grad(cost))

    def both(ln: Floats) -> tuple[float, Floats]:
        found, slope = value(jnp.asarray(ln))
        good = bool(jnp.isfinite(found)) and bool(jnp.isfinite(slope).all())
        return (float(found), np.asarray(slope)) if good else (1e9, np.zeros_like(ln))

    start = np.concatenate([np.full(dims, MEAN_LN_RELEVANCE), [0.0, -1.0, -1.0, -3.0]])
    limits = [(-9.0, 3.0)] * dims + [(-9.0, 5.0)] * 3 + [(-12.0, 1.0)]
    if ln_noise is not None:
        start[-1], limits[-1] = ln_noise, (ln_noise, ln_noise)
    found = minimize(both, start, jac=True, method="L-BFGS-B", bounds=limits, options={"maxiter": iterations})
    return np.asarray(found.x, np.float64)


def _errors(values: Floats, best: float, left_out: Floats, noise: float) -> tuple[HeldOut, ...]:
    """Held-out errors of points within 30, within 100 and within any drop of the best."""
    predicted = best - DEPTH * np.expm1(left_out / DEPTH)
    found, drop = [], best - values
    for within in (30.0, 100.0, np.inf):
        mine = drop <= within
        if mine.any():
            stretch = float(np.mean(1.0 + drop[mine] / DEPTH))  # of noise on the squeezed scale
            rms = float(np.sqrt(np.mean((predicted - values)[mine] ** 2)))
            found.append(HeldOut(within, int(mine.sum()), rms, noise * stretch))
    return tuple(found)
