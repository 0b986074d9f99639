"""The likelihood of a trial with its own effects integrated out, against plain Monte Carlo."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numpyro")
pytest.importorskip("optax")
pytest.importorskip("arviz_stats")

import jax
import jax.numpy as jnp
from synthetic import TRUTH
from test_posterior import exact_emulator

from metachron.calibrate.integrated import log_likelihoods
from metachron.calibrate.posterior import Posterior, trial_terms


def test_effects_are_integrated_out() -> None:
    """Proposals three times too wide and off the centre change nothing but the noise."""
    model, tau = exact_emulator(), np.full(4, 0.05)
    rng = np.random.default_rng(0)
    n, trials = 4, len(model.trials)
    raw = 0.8 * rng.standard_normal((1, n * 50, trials, 4)) + 0.3
    posterior = Posterior(
        model.emulator.names, model.trials, np.tile(TRUTH, (1, n * 50, 1)), np.tile(tau, (1, n * 50, 1)), raw,
        np.zeros((1, n * 50), bool), np.zeros((1, n * 50), np.int64), np.zeros((1, n * 50, 4)),
    )  # fmt: skip
    found = log_likelihoods(model, posterior, seed=3)
    assert (found == found[0]).all(), "one parameter set, one likelihood"

    effects = jnp.asarray(tau * rng.standard_normal((20_000, trials, 4)))
    terms = jax.jit(jax.vmap(trial_terms(model), in_axes=(None, 0)))(jnp.asarray(TRUTH), effects)
    plain = jax.nn.logsumexp(terms, axis=0) - np.log(20_000)
    assert found[0] == pytest.approx(np.asarray(plain), abs=0.2)
