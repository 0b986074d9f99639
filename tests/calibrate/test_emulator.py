"""The emulator against a simulator whose survival is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("optax")

from synthetic import NAMES, TRUTH, SyntheticLives, hazards, make_targets, simulate

from metachron.calibrate.design import (
    Outcomes,
    first_wave,
    inputs,
    lives_wanted,
    on_grid,
    rows_of,
    simulate_layout,
    wave_around,
)
from metachron.calibrate.emulator import (
    Sample,
    Training,
    active_inputs,
    empirical_bias,
    exposures,
    join,
    simulated_survival,
    stack,
    time_basis,
    train_arm,
)
from metachron.calibrate.layout import ArmLayout, Head, lay_out, pad
from metachron.calibrate.space import draws_from_z

TARGET = make_targets(draws_from_z(NAMES, TRUTH[None, :]), trials=1)[0]
PADDED = pad(lay_out(TARGET))


def lives(n: int, arm: int = 1, seed: int = 1) -> Sample:
    layout, wave = PADDED.arms[arm], first_wave(len(NAMES))
    found = simulate_layout(TARGET, layout, wave, NAMES, n, seed, simulate, 1000.0)
    x = inputs(*rows_of(wave, layout.trial, lives_wanted(layout, n), seed))
    return join([Sample(x[found.row], found.stop, found.event)], PADDED.heads)


def truth(z: np.ndarray, effects: np.ndarray, arm: int = 1) -> np.ndarray:
    layout = PADDED.arms[arm]
    worse, dead = hazards(layout.arm, draws_from_z(NAMES, z), effects)
    rate = {"PFS": worse + dead, "OS": dead}
    return np.concatenate([np.exp(-rate[h.endpoint] * h.ends) for h in layout.heads])


def test_ends_of_lives_fall_into_the_right_interval() -> None:
    days = {"OS": np.array([10.0, 20.0, 20.0, 25.0, 90.0])}
    event = {"OS": np.array([True, True, False, False, True])}
    some = SyntheticLives(np.arange(5), days, event, np.zeros(5, bool))
    layout = ArmLayout("T", "a", (Head("OS", np.array([20.0, 40.0])),), 5)
    found = on_grid(some, layout)
    # event on a grid day belongs to the interval it ends; censored on it, the interval has been survived
    assert found.stop[:, 0].tolist() == [0, 0, 1, 1, 2]
    assert found.event[:, 0].tolist() == [True, True, False, False, False]
    at_risk, events = exposures(found.stop, found.event, np.array([0, 0]), np.array([0, 1]))
    assert np.asarray(at_risk).sum(0).tolist() == [5.0, 2.0]  # two censored in the second: half each, and one
    assert np.asarray(events).sum(0).tolist() == [2.0, 0.0]
    days["OS"] = np.full(5, np.nan)
    with pytest.raises(ValueError, match="not numbers"):
        on_grid(some, layout)


def test_product_limit_of_lives_is_the_true_survival() -> None:
    z, effects = np.zeros((20_000, 5)), np.zeros((20_000, 4))
    found = on_grid(
        simulate(TARGET, "drug", draws_from_z(NAMES, z), effects, per_draw=1, seed=2, horizon_days=1000.0),
        PADDED.arms[1],
    )
    sample = Sample(inputs(z, effects), found.stop, found.event)
    assert simulated_survival(sample, PADDED.arms[1]) == pytest.approx(truth(z[:1], effects[:1]), abs=0.015)


def test_rows_do_not_depend_on_how_many_there_are_and_are_shared_by_arms() -> None:
    wave = first_wave(5)
    few, many = rows_of(wave, "T0", 10, 1), rows_of(wave, "T0", 1000, 1)
    assert (few[0] == many[0][:10]).all()
    assert (few[1] == many[1][:10]).all()
    assert (rows_of(wave, "T1", 10, 1)[0] != few[0]).any()


def test_a_wave_around_samples_has_their_centre_and_twice_their_variance() -> None:
    samples = np.random.default_rng(3).normal([1.0, -1.0], [0.2, 0.5], size=(500, 2))
    tau = np.tile([0.1, 0.2, 0.4, 2.0], (500, 1))
    z, effects = rows_of(wave_around(2, samples, tau), "T0", 60_000, 1)
    assert effects.std(0) == pytest.approx([0.2, 0.3, 0.6, 1.0], rel=0.02)
    assert np.median(z[:, 0]) == pytest.approx(samples[:, 0].mean(), abs=0.03)
    middle = np.quantile(z[:, 0], [0.25, 0.75])  # the wide tenth hardly moves the quartiles
    assert np.ptp(middle) / 1.349 == pytest.approx(np.sqrt(2) * samples[:, 0].std(), rel=0.15)
    assert (np.abs(z[:, 0] - 1.0) > 1.5).mean() == pytest.approx(0.03, abs=0.02)


def test_only_inputs_that_move_the_arm_are_used() -> None:
    sample = lives(12_000)
    head, step = PADDED.head[1], PADDED.step[1]
    found = active_inputs(
        sample, head, step, empirical_bias(sample, head, step), time_basis(head, step, PADDED.heads), 0.01
    )
    assert found[:3].all()  # growth, kill, death
    assert found[5:8].all()  # and their trial effects
    assert not found[3:5].any()
    assert not found[8]


@pytest.mark.slow
def test_the_emulator_knows_survival_within_a_point_or_two() -> None:
    head, step = PADDED.head[1], PADDED.step[1]
    fit = train_arm(lives(12_000), head, step, Training(most_passes=16), 1)
    emulator = stack({arm.key: fit.weights for arm in PADDED.arms}, PADDED, NAMES)
    rng = np.random.default_rng(4)
    errors = []
    for _ in range(40):
        z, effects = 0.6 * rng.standard_normal((1, 5)), 0.1 * rng.standard_normal((1, 4))
        errors.append(emulator.survival(1, inputs(z, effects))[0] - truth(z, effects))
    assert np.sqrt(np.mean(np.square(errors))) < 0.02


def test_training_ends_with_the_same_weights() -> None:
    sample, head, step = lives(2000), PADDED.head[1], PADDED.step[1]
    one, two = (train_arm(sample, head, step, Training(most_passes=3), 1).weights for _ in range(2))
    assert all((one[name] == two[name]).all() for name in one)


def test_lives_of_waves_are_joined() -> None:
    a, b = lives(1000), lives(1000, seed=2)
    both = join([a, b], PADDED.heads + 1)
    assert both.size == a.size + b.size
    assert both.stop.shape[1] == PADDED.heads + 1


def test_small_arms_get_fewer_lives() -> None:
    def arm(n: float) -> ArmLayout:
        return ArmLayout("T", "a", (), n)

    assert [lives_wanted(arm(n), 1000) for n in (20, 200, 5000)] == [300, 500, 1000]


def test_outcomes_keep_the_row_of_each_life() -> None:
    found = simulate_layout(TARGET, PADDED.arms[0], first_wave(5), NAMES, 1000, 1, simulate, 1000.0)
    assert isinstance(found, Outcomes)
    assert found.row.tolist() == list(range(1000))
