"""What the fit has learnt, and whether the sampler can be believed.

R-hat, effective sample size and divergences; prior against posterior of every parameter; correlations; and
which trials pin what, from the Fisher information of each trial at the posterior mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from numpyro.diagnostics import effective_sample_size, split_gelman_rubin

from metachron.calibrate.design import EFFECTS
from metachron.calibrate.posterior import Model, Posterior, log_survivals
from metachron.calibrate.space import natural

Floats = NDArray[np.float64]
LEAST_CONTRACTION = 0.20  # below it a parameter is called prior-driven


@dataclass(frozen=True)
class ParameterRow:
    """One parameter: score and value after the fit, contraction of its SD, convergence, what pins it.

    `pinned_by`: (trial, share by which the SD would grow without it), largest first.
    """

    name: str
    mean_z: float
    sd_z: float
    median: float
    low: float
    high: float
    r_hat: float
    ess: float
    pinned_by: tuple[tuple[str, float], ...]

    @property
    def contraction(self) -> float:
        """1 - posterior SD over prior SD of the score."""
        return 1.0 - self.sd_z

    @property
    def calibrated(self) -> bool:
        return self.contraction >= LEAST_CONTRACTION


def parameter_rows(posterior: Posterior, pins: dict[str, list[tuple[str, float]]]) -> list[ParameterRow]:
    """One row a parameter, in the order of the names."""
    values = natural(posterior.names, posterior.flat_z)
    r_hat, ess = split_gelman_rubin(posterior.z), effective_sample_size(posterior.z)
    found = []
    for j, name in enumerate(posterior.names):
        z = posterior.flat_z[:, j]
        low, median, high = np.quantile(values[:, j], [0.025, 0.5, 0.975])
        found.append(
            ParameterRow(
                name, float(z.mean()), float(z.std()), float(median), float(low), float(high),
                float(r_hat[j]), float(ess[j]), tuple(pins.get(name, [])[:3]),
            )
        )  # fmt: skip
    return found


def sampler_summary(posterior: Posterior) -> dict[str, Any]:
    """Worst R-hat and effective size over scores, spreads and effects; divergences; mean steps."""
    groups = {"z": posterior.z, "tau": posterior.tau, "raw": posterior.raw}
    r_hat = {k: float(np.max(split_gelman_rubin(v))) for k, v in groups.items()}
    ess = {k: float(np.min(effective_sample_size(v))) for k, v in groups.items()}
    return {
        "chains": int(posterior.z.shape[0]), "samples": int(posterior.z.shape[0] * posterior.z.shape[1]),
        "largest_r_hat": r_hat, "smallest_ess": ess, "divergences": int(posterior.diverging.sum()),
        "mean_steps": float(posterior.steps.mean()),
    }  # fmt: skip


def strongest_correlations(posterior: Posterior, count: int = 15) -> list[tuple[str, str, float]]:
    """Pairs of parameters with the largest correlation of scores."""
    r = np.atleast_2d(np.corrcoef(posterior.flat_z, rowvar=False))
    a, b = np.triu_indices_from(r, k=1)
    order = np.argsort(-np.abs(r[a, b]))[:count]
    return [(posterior.names[a[i]], posterior.names[b[i]], float(r[a[i], b[i]])) for i in order]


def _hazards(model: Model) -> Callable[[Any, Any], Any]:
    """Function (z, effects) -> probability of an event in each count, shape (counts,)."""
    data, logs_of = model.data, log_survivals(model)

    def function(z: Any, effects: Any) -> Any:
        logs = logs_of(z, effects)
        begin = logs[data.arm, data.first]
        through = (logs[data.arm, data.last] - begin, logs[data.arm, data.also] - begin)
        return -jnp.expm1(jnp.minimum(jnp.logaddexp(*through) - jnp.log(2.0), -1e-9))

    return function


def information_by_trial(model: Model, posterior: Posterior) -> dict[str, Floats]:
    """Fisher information (p, p) of each trial on the scores at the posterior mean, its own effects
    integrated out with the posterior mean spreads."""
    z = jnp.asarray(posterior.flat_z.mean(0))
    effects = jnp.asarray(posterior.flat_effects.mean(0))
    tau = posterior.flat_tau.mean(0)
    function = _hazards(model)
    share = np.asarray(function(z, effects))
    by_z, by_effect = jax.jit(jax.jacfwd(function, argnums=(0, 1)))(z, effects)
    weight = model.data.at_risk / np.maximum(share * (1 - share), 1e-9)
    found = {}
    for t, trial in enumerate(model.trials):
        mine = model.data.trial == t
        jacobian = np.hstack([np.asarray(by_z)[mine], np.asarray(by_effect)[mine, t]])
        joint = (jacobian.T * weight[mine]) @ jacobian
        for term in model.terms:
            if term.trial == trial:
                joint = joint + _curvature(term, z, effects[t])
        found[trial] = _integrated(joint, np.diag(1.0 / tau**2))
    return found


def _curvature(term: Callable[[Any, Any], Any], z: Any, effects: Any) -> Floats:
    """Minus the Hessian of a term in (z, effects), negative eigenvalues set to nought."""
    size = z.shape[0]

    def function(both: Any) -> Any:
        return term(both[:size], both[size:])

    hessian = -np.asarray(jax.hessian(function)(jnp.concatenate([z, effects])))
    values, vectors = np.linalg.eigh((hessian + hessian.T) / 2)
    return np.asarray((vectors * np.maximum(values, 0.0)) @ vectors.T)


def _integrated(joint: Floats, prior: Floats) -> Floats:
    """Information on the scores when the last rows (effects) are unknown but for their prior precision."""
    size = joint.shape[0] - EFFECTS
    cross = joint[:size, size:]
    return np.asarray(joint[:size, :size] - cross @ np.linalg.solve(joint[size:, size:] + prior, cross.T))


def what_pins_what(
    names: tuple[str, ...], information: dict[str, Floats]
) -> dict[str, list[tuple[str, float]]]:
    """For each parameter, the trials by how much its SD would grow without them (first-order), largest
    first; those under 1 % are left out."""
    size = len(names)
    whole = np.eye(size) + np.sum(list(information.values()), axis=0)
    sd = np.sqrt(np.diag(np.linalg.inv(whole)))
    growth = {
        trial: np.sqrt(np.maximum(np.diag(np.linalg.inv(whole - one)), 0.0)) / sd - 1.0
        for trial, one in information.items()
    }
    found: dict[str, list[tuple[str, float]]] = {}
    for j, name in enumerate(names):
        ranked = sorted(((t, float(g[j])) for t, g in growth.items()), key=lambda pair: -pair[1])
        found[name] = [(t, g) for t, g in ranked if g > 0.01]
    return found
