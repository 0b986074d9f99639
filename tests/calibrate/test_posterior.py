"""The posterior: pieces by themselves, and a truth that is recovered."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numpyro")
pytest.importorskip("optax")

import jax.numpy as jnp
from synthetic import NAMES, TRUTH, hazards, make_targets

from metachron.calibrate.emulator import Emulator
from metachron.calibrate.layout import lay_out, pad
from metachron.calibrate.likelihood import collect
from metachron.calibrate.posterior import (
    Model,
    Sampler,
    Sampling,
    _binomial,
    count_terms,
    find_mode,
    log_survivals,
    metric_from,
    tau_of,
    trial_terms,
)
from metachron.calibrate.space import draws_from_z

TARGETS = make_targets(draws_from_z(NAMES, TRUTH[None, :]), trials=3, tau=0.05)


def exact_emulator() -> Model:
    """A log-linear emulator of the synthetic arms, from exact hazards near the truth."""
    padded = pad([layout for one in TARGETS for layout in lay_out(one)])
    factors = np.concatenate([np.eye(9), np.zeros((0, 9))])
    linear, bias = [], []
    for row, layout in enumerate(padded.arms):
        widths = [np.diff(np.concatenate([[0.0], h.ends])) for h in layout.heads]

        def logits(x: np.ndarray, layout=layout, widths=widths) -> np.ndarray:  # type: ignore[no-untyped-def]
            worse, dead = hazards(layout.arm, draws_from_z(NAMES, x[None, :5]), 0.35 * x[None, 5:])
            rate = {"PFS": worse + dead, "OS": dead}
            found = [
                np.log(np.expm1(rate[h.endpoint] * w)) for h, w in zip(layout.heads, widths, strict=True)
            ]
            return np.concatenate(found)

        centre = np.concatenate([TRUTH, np.zeros(4)])
        slopes = np.stack([(logits(centre + d) - logits(centre - d)) / 0.2 for d in 0.1 * factors])
        pads = padded.outputs - layout.size
        linear.append(np.pad(slopes, ((0, 0), (0, pads))))
        bias.append(np.pad(logits(centre) - centre @ slopes, (0, pads), constant_values=-5.0))
        del row
    arms, h = len(padded.arms), 2
    weights = {
        "active": np.ones((arms, 9)), "bias": np.stack(bias), "basis": np.stack(linear),
        "linear": np.tile(np.eye(9), (arms, 1, 1)), "w1": np.zeros((arms, 9, h)), "b1": np.zeros((arms, h)),
        "w2": np.zeros((arms, h, h)), "b2": np.zeros((arms, h)), "w3": np.zeros((arms, h, 9)),
    }  # fmt: skip
    emulator = Emulator(padded, NAMES, {k: v.astype(np.float32) for k, v in weights.items()})
    return Model(emulator, collect(TARGETS, padded))


MODEL = exact_emulator()


def test_a_perfect_prediction_scores_nought_and_any_other_less() -> None:
    score = [float(_binomial(20.0, 100.0, np.log(1 - p))) for p in (0.1, 0.2, 0.3)]
    assert score[1] == pytest.approx(0.0, abs=1e-9)
    assert max(score[0], score[2]) < -1
    assert float(_binomial(0.0, 10.0, np.log(0.9))) == pytest.approx(10 * np.log(0.9), rel=1e-6)
    assert np.isfinite(float(_binomial(5.0, 10.0, 0.0)))


def test_spreads_have_the_half_normal_prior() -> None:
    tau = np.asarray(tau_of(jnp.asarray(np.random.default_rng(1).standard_normal(40_000))))
    assert (tau > 0).all()
    assert np.sqrt(np.mean(tau**2)) == pytest.approx(0.2, rel=0.02)


def test_survival_follows_the_exact_hazards() -> None:
    logs = np.asarray(log_survivals(MODEL)(jnp.asarray(TRUTH), jnp.zeros((3, 4))))
    layout = MODEL.data.padded.arms[1]
    begin, end = layout.until("OS", 365.25)
    _, dead = hazards("drug", draws_from_z(NAMES, TRUTH[None, :]), np.zeros((1, 4)))
    assert logs[1, end] - logs[1, begin] == pytest.approx(-dead[0] * 365.25, rel=1e-3)


def test_only_its_own_effects_move_a_trial() -> None:
    effects = np.zeros((3, 4))
    before = np.asarray(trial_terms(MODEL)(jnp.asarray(TRUTH), effects))
    effects[1, 0] = 0.3
    after = np.asarray(trial_terms(MODEL)(jnp.asarray(TRUTH), effects))
    assert (before != after).tolist() == [False, True, False]
    assert np.asarray(count_terms(MODEL)(jnp.asarray(TRUTH), effects)).sum() == pytest.approx(after.sum())


@pytest.mark.slow
def test_a_term_of_other_data_brings_its_own_trial() -> None:
    class Near:
        trial = "other"

        def __call__(self, z: object, effects: object) -> object:
            return -0.5 * jnp.sum((jnp.asarray(z) - 2.0) ** 2) + 0.0 * jnp.sum(jnp.asarray(effects))

    model = Model(MODEL.emulator, MODEL.data, (Near(),))
    assert model.trials == (*MODEL.trials, "other")
    found = np.asarray(trial_terms(model)(jnp.full(5, 2.0), jnp.zeros((4, 4))))
    assert found[-1] == 0.0
    mode = find_mode(model, weights=np.array([0.0, 0.0, 0.0, 1.0]))
    assert mode.point[-5:] == pytest.approx(np.ones(5), abs=1e-3)  # half way between the prior and the term


@pytest.mark.slow
def test_the_mode_is_near_the_truth() -> None:
    mode = find_mode(MODEL)
    assert mode.point[-5:-2] == pytest.approx(TRUTH[:3], abs=0.6)
    assert mode.point[-2:] == pytest.approx(np.zeros(2), abs=0.05)
    assert (np.linalg.eigvalsh(mode.covariance) > 0).all()


@pytest.mark.slow
def test_the_truth_is_recovered_with_honest_intervals() -> None:
    mode = find_mode(MODEL)
    pilot = Sampler(MODEL, mode, Sampling(chains=2, warmup=200, samples=200, block=100)).run(1)
    found = Sampler(MODEL, metric_from(pilot, mode), Sampling(chains=2, warmup=150, samples=400)).run(2)
    assert found.diverging.sum() <= 2
    z, sd = found.flat_z.mean(0), found.flat_z.std(0)
    assert (np.abs(z[:3] - TRUTH[:3]) < 3 * sd[:3]).all()
    assert (sd[:3] < 0.6).all()  # learnt
    assert sd[3:] == pytest.approx(np.ones(2), abs=0.15)  # nothing to learn: the prior
    without = Sampler(MODEL, metric_from(pilot, mode), Sampling(chains=2, warmup=150, samples=400)).run(
        3, weights=np.array([1.0, 0.0, 0.0])
    )
    assert without.flat_z[:, :3].std(0).mean() > sd[:3].mean()  # fewer trials, wider
