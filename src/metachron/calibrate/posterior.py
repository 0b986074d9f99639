"""The posterior of scores, trial effects and their spread, sampled with NUTS (numpyro).

    z ~ N(0, 1)                     scores of the free parameters
    tau_e ~ HalfNormal(0.2)         spread of trial effect e: growth, kill, death, load
    effects[trial, e] = tau_e * raw[trial, e],  raw ~ N(0, 1)
    counts ~ Binomial(at risk, emulated hazard(z, effects[trial]))

Extra terms (individual-level data) are functions of z and of their own trial's effects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax.flatten_util import ravel_pytree
from numpy.typing import NDArray
from numpyro.infer import MCMC, NUTS, init_to_value
from numpyro.infer.util import potential_energy
from scipy.optimize import minimize

from metachron.calibrate.design import EFFECTS
from metachron.calibrate.emulator import Emulator, all_logits
from metachron.calibrate.likelihood import Data

Floats = NDArray[np.float64]
TAU_SCALE = 0.2
EFFECT_UNIT = 0.35  # of the emulator's inputs
LARGEST_DEPTH = 8


class Term(Protocol):
    """A log-likelihood of other data: of scores z (p,) and of the effects (4,) of its own trial."""

    @property
    def trial(self) -> str: ...
    def __call__(self, z: Any, effects: Any) -> Any: ...


@dataclass(frozen=True)
class Model:
    """What the posterior is made of. `trials`: those of the data, then those of the terms."""

    emulator: Emulator
    data: Data
    terms: tuple[Term, ...] = ()

    @property
    def trials(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*self.data.trials, *(term.trial for term in self.terms)]))

    @property
    def size(self) -> int:
        """Number of scores."""
        return len(self.emulator.names)


def log_survivals(model: Model) -> Callable[[Any, Any], Any]:
    """Function (z (p,), effects (trials, 4)) -> ln share without event since the start of the arm's row,
    shape (arms, outputs + 1); only differences within one head mean anything."""
    weights = {name: jnp.asarray(w, jnp.float64) for name, w in model.emulator.weights.items()}
    arm_trial = jnp.asarray(np.maximum(model.data.arm_trial, 0))
    known = jnp.asarray((model.data.arm_trial >= 0)[:, None].astype(float))

    def function(z: Any, effects: Any) -> Any:
        mine = known * effects[arm_trial] / EFFECT_UNIT
        x = jnp.concatenate([jnp.broadcast_to(z, (mine.shape[0], z.shape[0])), mine], axis=1)
        logs = -jax.nn.softplus(all_logits(weights, x))
        return jnp.pad(jnp.cumsum(logs, axis=1), ((0, 0), (1, 0)))

    return function


def _binomial(events: Any, at_risk: Any, ln_survival: Any) -> Any:
    """Binomial log-likelihood less its largest possible value, so that nought is a perfect fit."""
    ln_survival = jnp.minimum(ln_survival, -1e-9)
    got = events * jnp.log(-jnp.expm1(ln_survival)) + (at_risk - events) * ln_survival
    share = jnp.clip(events / at_risk, 1e-12, 1 - 1e-12)
    return got - (events * jnp.log(share) + (at_risk - events) * jnp.log1p(-share))


def count_terms(model: Model) -> Callable[[Any, Any], Any]:
    """Function (z, effects) -> log-likelihood of each count, shape (counts,)."""
    data, logs_of = model.data, log_survivals(model)
    first, last, also = (jnp.asarray(a) for a in (data.first, data.last, data.also))
    arm = jnp.asarray(data.arm)
    events, at_risk = jnp.asarray(data.events), jnp.asarray(data.at_risk)

    def function(z: Any, effects: Any) -> Any:
        logs = logs_of(z, effects)
        through = (logs[arm, last] - logs[arm, first], logs[arm, also] - logs[arm, first])
        return _binomial(events, at_risk, jnp.logaddexp(*through) - jnp.log(2.0))

    return function


def ratio_terms(model: Model) -> Callable[[Any, Any], Any]:
    """Function (z, effects) -> log-likelihood of each fitted hazard ratio, shape (ratios,).

    The ratio is that of the cumulative hazards over the grid.
    """
    data, logs_of = model.data, log_survivals(model)
    rows = [(data.padded.row(r.trial, r.arm), data.padded.row(r.trial, r.reference)) for r in data.ratios]

    def function(z: Any, effects: Any) -> Any:
        if not rows:
            return jnp.zeros(0)
        logs, found = logs_of(z, effects), []
        for ratio, (arm, reference) in zip(data.ratios, rows, strict=True):
            (a, b), (c, d) = ratio.spans
            mine, other = logs[arm, a] - logs[arm, b], logs[reference, c] - logs[reference, d]
            predicted = jnp.log(jnp.maximum(mine, 1e-9)) - jnp.log(jnp.maximum(other, 1e-9))
            found.append(-0.5 * ((predicted - ratio.ln_ratio) / ratio.error) ** 2)
        return jnp.stack(found)

    return function


def trial_terms(model: Model) -> Callable[[Any, Any], Any]:
    """Function (z, effects (trials, 4)) -> log-likelihood of each trial, shape (trials,)."""
    counts, ratios, trials = count_terms(model), ratio_terms(model), model.trials
    place = jnp.asarray(model.data.trial)
    ratio_place = jnp.asarray(np.array([trials.index(r.trial) for r in model.data.ratios], dtype=np.int64))

    def function(z: Any, effects: Any) -> Any:
        total = jnp.zeros(len(trials)).at[place].add(counts(z, effects))
        if model.data.ratios:
            total = total.at[ratio_place].add(ratios(z, effects))
        for term in model.terms:
            i = trials.index(term.trial)
            total = total.at[i].add(term(z, effects[i]))
        return total

    return function


def tau_of(spread: Any) -> Any:
    """Half-normal spreads of scale TAU_SCALE from standard-normal scores (their quantile function).

    So that all coordinates of the sampler have the same prior, and none runs off to minus infinity.
    """
    return TAU_SCALE * jax.scipy.special.ndtri(0.5 + 0.5 * jax.scipy.special.ndtr(spread))


def numpyro_model(model: Model) -> Callable[[Any], None]:
    """The model as numpyro sees it; its argument (trials,) weighs the log-likelihood of each trial."""
    terms, n = trial_terms(model), len(model.trials)

    def function(weights: Any) -> None:
        z = numpyro.sample("z", dist.Normal(jnp.zeros(model.size), 1.0).to_event(1))
        spread = numpyro.sample("spread", dist.Normal(jnp.zeros(EFFECTS), 1.0).to_event(1))
        raw = numpyro.sample("raw", dist.Normal(jnp.zeros((n, EFFECTS)), 1.0).to_event(2))
        tau = numpyro.deterministic("tau", tau_of(spread))
        numpyro.factor("data", jnp.sum(weights * terms(z, tau * raw)))

    return function


@dataclass(frozen=True)
class Mode:
    """The posterior mode in unconstrained coordinates (raw, spread, z in this order) and a covariance."""

    point: Floats
    covariance: Floats
    potential: float


def find_mode(model: Model, weights: Floats | None = None, start: Floats | None = None) -> Mode:
    """Mode by L-BFGS and the inverse of the Hessian there (eigenvalues below 0.5 raised to it)."""
    w = jnp.asarray(np.ones(len(model.trials)) if weights is None else weights)
    template = unconstrained(model)
    flat, unravel = ravel_pytree(template)
    function = numpyro_model(model)

    def potential(vector: Any) -> Any:
        return potential_energy(function, (w,), {}, unravel(vector))

    gradient = jax.jit(jax.value_and_grad(potential))

    def evaluate(vector: Floats) -> tuple[float, Floats]:
        value, slope = gradient(jnp.asarray(vector))
        return float(value), np.asarray(slope)

    first = np.asarray(flat) if start is None else start
    found = minimize(evaluate, first, jac=True, method="L-BFGS-B", options={"maxiter": 400, "maxfun": 600})
    hessian = np.asarray(jax.jit(jax.hessian(potential))(jnp.asarray(found.x)))
    values, vectors = np.linalg.eigh((hessian + hessian.T) / 2)
    covariance = (vectors / np.maximum(values, 0.5)) @ vectors.T
    return Mode(np.asarray(found.x), covariance, float(found.fun))


def unconstrained(model: Model) -> dict[str, Any]:
    """Starting point: scores and effects at nought, spreads at their prior median."""
    return {
        "z": jnp.zeros(model.size),
        "spread": jnp.zeros(EFFECTS),
        "raw": jnp.zeros((len(model.trials), EFFECTS)),
    }


@dataclass(frozen=True)
class Sampling:
    """How NUTS runs: chains at once, steps to adapt, samples a chain, samples between two reports."""

    chains: int = 4
    warmup: int = 400
    samples: int = 500
    block: int = 50


@dataclass(frozen=True)
class Posterior:
    """Samples by chain: z (chains, n, p), tau (chains, n, 4), raw (chains, n, trials, 4), diverging."""

    names: tuple[str, ...]
    trials: tuple[str, ...]
    z: Floats
    tau: Floats
    raw: Floats
    diverging: NDArray[np.bool_]
    steps: NDArray[np.int64]
    spread: Floats

    @property
    def unconstrained(self) -> Floats:
        """Coordinates of the sampler (n, size): raw, spread, z."""
        chains, n = self.z.shape[:2]
        parts = [self.raw.reshape(chains, n, -1), self.spread, self.z]
        return np.concatenate(parts, -1).reshape(chains * n, -1)

    @property
    def flat_z(self) -> Floats:
        return self.z.reshape(-1, self.z.shape[-1])

    @property
    def flat_tau(self) -> Floats:
        return self.tau.reshape(-1, EFFECTS)

    @property
    def flat_effects(self) -> Floats:
        """Effects of each trial, shape (n, trials, 4)."""
        return (self.raw * self.tau[:, :, None, :]).reshape(-1, len(self.trials), EFFECTS)


class Sampler:
    """NUTS for one model and metric, compiled once and used for any weights of the trials."""

    def __init__(self, model: Model, metric: Mode, sampling: Sampling) -> None:
        self.model, self.metric, self.sampling = model, metric, sampling
        kernel = NUTS(
            numpyro_model(model), dense_mass=True, adapt_mass_matrix=False, max_tree_depth=LARGEST_DEPTH,
            inverse_mass_matrix=jnp.asarray(metric.covariance), target_accept_prob=0.85,
            init_strategy=init_to_value(values={"z": jnp.zeros(model.size)}),
        )  # fmt: skip
        self.mcmc = MCMC(
            kernel, num_warmup=sampling.warmup, num_samples=sampling.block, num_chains=sampling.chains,
            chain_method="vectorized", progress_bar=False, jit_model_args=True,
        )  # fmt: skip

    def starts(self, seed: int) -> Floats:
        """Points around the metric's centre, half as wide, shape (chains, size)."""
        rng = np.random.default_rng([seed, 0x27])
        root = np.linalg.cholesky(self.metric.covariance)
        size = self.metric.point.size
        return self.metric.point + 0.5 * rng.standard_normal((self.sampling.chains, size)) @ root.T

    def run(
        self, seed: int, *, weights: Floats | None = None, starts: Floats | None = None,
        tell: Callable[[float], None] = lambda _share: None,
    ) -> Posterior:  # fmt: skip
        """Samples; `weights` (trials,) of the log-likelihoods (None: 1), `starts` (chains, size) in the
        coordinates of the sampler, `tell` is called with the share done."""
        w = jnp.asarray(np.ones(len(self.model.trials)) if weights is None else weights)
        _, unravel = ravel_pytree(unconstrained(self.model))
        points = self.starts(seed) if starts is None else starts
        extra = ("diverging", "num_steps")
        self.mcmc.post_warmup_state = None
        init = jax.vmap(unravel)(jnp.asarray(points))
        self.mcmc.warmup(jax.random.PRNGKey(seed), w, init_params=init, extra_fields=extra)
        total = self.sampling.warmup + self.sampling.samples
        tell(self.sampling.warmup / total)
        parts: list[tuple[dict[str, Any], dict[str, Any]]] = []
        for done in range(0, self.sampling.samples, self.sampling.block):
            self.mcmc.run(self.mcmc.post_warmup_state.rng_key, w, extra_fields=extra)
            found = (self.mcmc.get_samples(True), self.mcmc.get_extra_fields(True))
            parts.append(jax.tree.map(np.asarray, found))
            self.mcmc.post_warmup_state = self.mcmc.last_state
            tell((self.sampling.warmup + done + self.sampling.block) / total)
        return _gather(self.model, parts)


def metric_from(posterior: Posterior, mode: Mode) -> Mode:
    """Mean and covariance of a pilot run, shrunk towards that at the mode as if by as many samples as
    coordinates; a better metric than the curvature at one point."""
    points = posterior.unconstrained
    n, size = points.shape
    shrunk = (n * np.cov(points, rowvar=False) + size * mode.covariance) / (n + size)
    return Mode(points.mean(0), shrunk, mode.potential)


def _gather(model: Model, parts: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> Posterior:
    def over(place: int, name: str) -> Any:
        return np.concatenate([part[place][name] for part in parts], axis=1)

    return Posterior(
        model.emulator.names, model.trials, over(0, "z"), over(0, "tau"), over(0, "raw"),
        over(1, "diverging"), over(1, "num_steps"), over(0, "spread"),
    )  # fmt: skip
