"""The likelihood of each trial under each sample of the posterior, its own trial effects integrated out.

By importance sampling: effects are proposed from a normal law with the mean and twice the covariance that
they have in the posterior, the same proposals for every sample, and weighed by their law N(0, tau) over the
proposal.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import logsumexp
from numpy.typing import NDArray

from metachron.calibrate.design import EFFECTS
from metachron.calibrate.posterior import Model, Posterior, trial_terms

Floats = NDArray[np.float64]
PROPOSALS = 256
WIDER = 2.0  # covariance of the proposals over that of the posterior
LEAST_VARIANCE = 1e-4


def log_likelihoods(
    model: Model, posterior: Posterior, seed: int, *, tell: Callable[[float], None] = lambda _share: None
) -> Floats:
    """ln p(data of each trial | z, tau) for each sample, shape (samples, trials)."""
    proposals, ln_proposal = _proposals(posterior.flat_effects, seed)
    terms = jax.vmap(trial_terms(model), in_axes=(None, 0))
    effects, ln_q = jnp.asarray(proposals), jnp.asarray(ln_proposal)

    @jax.jit
    def one(z: jax.Array, tau: jax.Array) -> jax.Array:
        ln_law = -0.5 * jnp.sum((effects / tau) ** 2, -1) - jnp.sum(jnp.log(tau))
        return logsumexp(terms(z, effects) + ln_law - ln_q, axis=0) - jnp.log(PROPOSALS)

    z, tau = posterior.flat_z, posterior.flat_tau
    found = np.empty((z.shape[0], len(model.trials)))
    for row in range(z.shape[0]):
        found[row] = one(jnp.asarray(z[row]), jnp.asarray(tau[row]))
        if row % 20 == 0:
            tell(row / z.shape[0])
    return found


def _proposals(effects: Floats, seed: int) -> tuple[Floats, Floats]:
    """Effects (PROPOSALS, trials, 4) around those of the posterior (samples, trials, 4), and their ln density
    without the constant that all normal laws of four dimensions share."""
    rng = np.random.default_rng([seed, 0x1A])
    trials = effects.shape[1]
    found, density = np.empty((PROPOSALS, trials, EFFECTS)), np.empty((PROPOSALS, trials))
    for trial in range(trials):
        covariance = WIDER * np.cov(effects[:, trial], rowvar=False) + LEAST_VARIANCE * np.eye(EFFECTS)
        root = np.linalg.cholesky(covariance)
        z = rng.standard_normal((PROPOSALS, EFFECTS))
        found[:, trial] = effects[:, trial].mean(0) + z @ root.T
        density[:, trial] = -0.5 * (z**2).sum(1) - np.log(np.diag(root)).sum()
    return found, density
