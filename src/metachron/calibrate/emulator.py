"""The emulator: for each arm a small network from scores and trial effects to interval hazards.

It learns from individual lives, each simulated with its own parameter set: the loss is the Bernoulli
log-likelihood of the intervals at risk, so that censoring needs no imputation and no curve has to be
estimated anywhere.

What is learnt must not be noise, or the fit would exploit it. So: inputs that do not move an arm (score test
on the lives themselves) are left out of its network; logit hazard = bias + factors(x) @ basis, a few smooth
factors over time instead of every interval by itself; factors(x) is linear plus a hidden part, with a
quadratic penalty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray
from scipy.stats import chi2

from metachron.calibrate.layout import ArmLayout, Padded

jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]

Floats32 = NDArray[np.float32]
Weights = dict[str, Any]  # arrays by name: of one arm, or of all with a leading axis
HELD_OUT = 0.1
FACTORS = 4  # of the change of hazard over time, for each head


@dataclass(frozen=True)
class Training:
    """How a network is trained: units of both hidden layers, batch, passes, learning
    rate, strength of the penalty, level of the test for inputs, patience in passes."""

    hidden: int = 32
    batch: int = 2048
    most_passes: int = 24
    rate: float = 3e-3
    ridge: float = 10.0
    level: float = 0.001
    patience: int = 6


@dataclass(frozen=True)
class Sample:
    """Training data of an arm: inputs (n, d), end interval (n, heads), event (n, heads), on a padded row."""

    x: Floats32
    stop: NDArray[np.int16]
    event: NDArray[np.bool_]

    @property
    def size(self) -> int:
        return int(self.x.shape[0])

    def take(self, rows: NDArray[Any]) -> Sample:
        return Sample(self.x[rows], self.stop[rows], self.event[rows])


def join(parts: list[Sample], heads: int) -> Sample:
    """Lives of all waves together; columns up to `heads` are padded."""
    width = heads - parts[0].stop.shape[1]
    return Sample(
        np.concatenate([s.x for s in parts]),
        np.pad(np.concatenate([s.stop for s in parts]), ((0, 0), (0, width))),
        np.pad(np.concatenate([s.event for s in parts]), ((0, 0), (0, width))),
    )


def initial_weights(
    inputs: int, hidden: int, bias: Floats32, basis: Floats32, active: NDArray[Any], seed: int
) -> Weights:
    """Small random hidden weights; what leads to the factors starts at nought."""
    rng = np.random.default_rng([seed, 0xE1])

    def normal(n: int, m: int) -> Floats32:
        return np.asarray(rng.standard_normal((n, m)) / np.sqrt(n), np.float32)

    factors = basis.shape[0]
    return {
        "active": active.astype(np.float32), "bias": bias.astype(np.float32), "basis": basis,
        "w1": normal(inputs, hidden), "b1": np.zeros(hidden, np.float32),
        "w2": normal(hidden, hidden), "b2": np.zeros(hidden, np.float32),
        "w3": np.zeros((hidden, factors), np.float32), "linear": np.zeros((inputs, factors), np.float32),
    }  # fmt: skip


def time_basis(head: NDArray[Any], step: NDArray[Any], heads: int) -> Floats32:
    """Starting factors, shape (heads * FACTORS, outputs): polynomials in the interval number of each head."""
    basis = np.zeros((heads * FACTORS, head.size), np.float32)
    for h in range(heads):
        mine = np.flatnonzero(head == h)
        if mine.size == 0:
            continue
        t = 2.0 * step[mine] / max(int(step[mine].max()), 1) - 1.0
        for degree in range(FACTORS):
            basis[h * FACTORS + degree, mine] = np.polynomial.legendre.legval(t, np.eye(FACTORS)[degree])
    return basis


def logits(w: Weights, x: Any) -> Any:
    """Logits of the interval hazards, shape (..., outputs), of inputs (..., d), of one arm."""
    x = x * jax.lax.stop_gradient(w["active"])
    h = jax.nn.swish(x @ w["w1"] + w["b1"])
    h = jax.nn.swish(h @ w["w2"] + w["b2"])
    return w["bias"] + (x @ w["linear"] + h @ w["w3"]) @ w["basis"]


def all_logits(w: Weights, x: Any) -> Any:
    """Logits (arms, outputs) of inputs (arms, d), with the weights of all arms stacked."""
    return jax.vmap(logits)(w, x)


def exposures(stop: Any, event: Any, head: Any, step: Any) -> tuple[Any, Any]:
    """(at risk, events), each (n, outputs), of lives that end in interval `stop` of each head.

    One censored within an interval counts half in it.
    """
    ends = stop[:, head]
    happened = event[:, head] & (ends == step)
    at_risk = jnp.where(ends > step, 1.0, jnp.where(ends == step, jnp.where(happened, 1.0, 0.5), 0.0))
    used = head >= 0
    return jnp.where(used, at_risk, 0.0), jnp.where(used, happened, False).astype(jnp.float32)


def deviance(w: Weights, x: Any, stop: Any, event: Any, head: Any, step: Any) -> Any:
    """Negative log-likelihood of the lives, mean over lives."""
    at_risk, events = exposures(stop, event, head, step)
    eta = logits(w, x)
    return jnp.sum(at_risk.astype(jnp.float32) * jax.nn.softplus(eta) - events * eta) / x.shape[0]


def penalty(w: Weights) -> Any:
    """Quadratic penalty on what depends on the inputs: normal priors of SD 0.3 on what leads to factors."""
    outer = jnp.sum(w["linear"] ** 2) + jnp.sum(w["w3"] ** 2)
    return 5.0 * outer + 0.5 * (jnp.sum(w["w1"] ** 2) + jnp.sum(w["w2"] ** 2))


def _optimiser(rate: float, steps: int) -> optax.GradientTransformation:
    return optax.adam(optax.cosine_decay_schedule(rate, max(steps, 1)))


@partial(jax.jit, static_argnames=("rate", "steps"))
def _step(
    w: Weights, state: Any, x: Any, stop: Any, event: Any, head: Any, step: Any, ridge: Any,
    rate: float, steps: int,
) -> tuple[Weights, Any]:  # fmt: skip
    def loss(w: Weights) -> Any:
        return deviance(w, x, stop, event, head, step) + ridge * penalty(w)

    updates, state = _optimiser(rate, steps).update(jax.grad(loss)(w), state, w)
    return optax.apply_updates(w, updates), state


_deviance = jax.jit(deviance)


def empirical_bias(sample: Sample, head: NDArray[Any], step: NDArray[Any]) -> Floats32:
    """Logit of the mean hazard of each output, 0.5 events added."""
    at_risk, events = (np.zeros(head.size), np.zeros(head.size))
    for j in np.flatnonzero(head >= 0):
        ends, happened = sample.stop[:, head[j]], sample.event[:, head[j]]
        here = ends == step[j]
        at_risk[j] = (ends > step[j]).sum() + here.sum()
        events[j] = (here & happened).sum()
    rate = (events + 0.5) / (at_risk + 2.0)
    return np.where(head >= 0, np.log(rate / (1 - rate)), -5.0).astype(np.float32)


def active_inputs(
    sample: Sample, head: NDArray[Any], step: NDArray[Any], bias: Floats32, basis: Floats32, level: float
) -> NDArray[np.bool_]:
    """Which inputs move the hazards, shape (d,): score tests of x and x^2 - 1 against constant hazards.

    Each is tested on all factors together and on each by itself, at `level` shared between them.
    """
    hazard = 1.0 / (1.0 + np.exp(-bias.astype(np.float64)))
    at_risk, events = (np.asarray(a, np.float64) for a in _exposures(sample.stop, sample.event, head, step))
    residual = (events - at_risk * hazard) @ basis.T
    spread = residual.T @ residual / sample.size  # of the score of one life, under no effect
    used = np.diag(spread) > 1e-12
    inverse = np.linalg.pinv(spread[np.ix_(used, used)])
    x = (sample.x - sample.x.mean(0)) / np.maximum(sample.x.std(0), 1e-9)
    found = np.zeros(x.shape[1], np.bool_)
    for moment in (x, (x**2 - 1) / np.sqrt(2.0)):
        score = moment.T.astype(np.float64) @ residual[:, used] / np.sqrt(sample.size)
        joint = np.einsum("ij,jk,ik->i", score, inverse, score)
        single = (score**2 / np.diag(spread)[used]).max(1)
        tests = 2.0 * (1 + used.sum())
        found |= chi2.sf(joint, used.sum()) < level / 4
        found |= chi2.sf(single, 1) < level / tests
    return found


_exposures = jax.jit(exposures)


@dataclass(frozen=True)
class Fit:
    """Weights of one arm, held-out deviance a life, passes made."""

    weights: Weights
    held_out: float
    passes: int


def batch_size(n: int, largest: int) -> int:
    """A power of two, so that a pass has 16 steps or more where there are lives enough; at most `largest`."""
    return int(min(largest, max(64, 2.0 ** np.floor(np.log2(max(n / 16, 1)))), n))


def train_arm(
    sample: Sample, head: NDArray[Any], step: NDArray[Any], training: Training, seed: int,
    start: Weights | None = None,
) -> Fit:  # fmt: skip
    """Train the network of one arm; keeps the weights of the pass that predicts held-out lives best."""
    rng = np.random.default_rng([seed, 0x7A])
    order = rng.permutation(sample.size)
    cut = max(1, round(HELD_OUT * sample.size))
    held, kept = sample.take(order[:cut]), sample.take(order[cut:])
    batch = batch_size(kept.size, training.batch)
    batches = kept.size // batch
    bias, basis = empirical_bias(kept, head, step), time_basis(head, step, sample.stop.shape[1])
    active = active_inputs(sample, head, step, bias, basis, training.level)
    w = start or initial_weights(sample.x.shape[1], training.hidden, bias, basis, active, seed)
    w = {name: jnp.asarray(value, jnp.float32) for name, value in w.items()}
    # one schedule length for all arms, in steps rounded up to hundreds: one compiled step serves many arms
    steps = 100 * -(-batches * training.most_passes // 100)
    state = _optimiser(training.rate, steps).init(w)
    ridge = jnp.float32(training.ridge / kept.size)
    best = Fit(w, float(_deviance(w, held.x, held.stop, held.event, head, step)), 0)
    for count in range(1, training.most_passes + 1):
        mixed = rng.permutation(kept.size)
        for b in range(batches):
            part = kept.take(mixed[b * batch : (b + 1) * batch])
            w, state = _step(w, state, part.x, part.stop, part.event, head, step, ridge, training.rate, steps)
        now = float(_deviance(w, held.x, held.stop, held.event, head, step))
        if now < best.held_out:
            best = Fit(w, now, count)
        elif count - best.passes >= training.patience:
            break
    return replace(best, weights={name: np.asarray(value) for name, value in best.weights.items()})


@dataclass(frozen=True)
class Emulator:
    """Networks of all arms: `weights` with a leading axis over the arms of `padded`; `names` of scores."""

    padded: Padded
    names: tuple[str, ...]
    weights: Weights

    def survival(self, row: int, x: Any) -> NDArray[np.float64]:
        """Share without event at every output of its own head, shape (n, outputs of the arm), at x (n, d)."""
        layout = self.padded.arms[row]
        one = {name: value[row] for name, value in self.weights.items()}
        eta = np.asarray(_logits(one, jnp.asarray(x, jnp.float32)), np.float64)[:, : layout.size]
        logs = -np.logaddexp(0.0, eta)
        parts = [logs[:, self.padded.head[row, : layout.size] == h] for h in range(len(layout.heads))]
        return np.asarray(np.exp(np.hstack([np.cumsum(part, axis=1) for part in parts])))


_logits = jax.jit(logits)


def stack(fits: Mapping[str, Weights], padded: Padded, names: tuple[str, ...]) -> Emulator:
    """One emulator of the networks of all arms, by key of the layout."""
    keys = [arm.key for arm in padded.arms]
    weights = {name: np.stack([fits[key][name] for key in keys]) for name in fits[keys[0]]}
    return Emulator(padded, names, weights)


def simulated_survival(sample: Sample, layout: ArmLayout) -> NDArray[np.float64]:
    """Product-limit share without event at every output of its own head, from lives of one parameter set."""
    result = []
    for h, head in enumerate(layout.heads):
        ends, happened = sample.stop[:, h], sample.event[:, h]
        steps = np.arange(head.size)[:, None]
        here = ends[None, :] == steps
        at_risk = (ends[None, :] > steps).sum(1) + np.where(happened, 1.0, 0.5) @ here.T
        events = (here & happened[None, :]).sum(1)
        with np.errstate(divide="ignore", invalid="ignore"):
            result.append(np.cumprod(1 - np.where(at_risk > 0, events / at_risk, np.nan)))
    return np.concatenate(result)


Progress = Callable[[str, float], None]
