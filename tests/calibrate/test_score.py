"""Scores of curves: areas, medians, noise taken out, and intervals that cover as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from metachron.calibrate import score
from metachron.calibrate.observed import Key, Observed, from_times
from metachron.calibrate.score import Predicted

MONTHS = np.arange(0.0, 60.25, 0.25)
KEY = Key("T", "1", "OS", "a")


def exponential(*rates: float) -> Predicted:
    return Predicted(MONTHS, np.exp(-np.outer(rates, MONTHS)))


def trial(rate: float, n: int, seed: int, last: float = 80.0) -> Observed:
    rng = np.random.default_rng(seed)
    times = rng.exponential(1.0 / rate, n)
    end = rng.uniform(40.0, last, n)
    return from_times(KEY, np.minimum(times, end), times <= end)


def test_integrated_error_is_the_mean_gap_between_exponentials() -> None:
    observed = Observed(
        KEY, np.full(50, 60.0), np.zeros(50, bool), (MONTHS, np.exp(-0.05 * MONTHS)), True, "registered grid"
    )
    gap = (1 - np.exp(-3.0)) / 0.05 - (1 - np.exp(-6.0)) / 0.1
    assert score.integrated_error(exponential(0.1), observed, 60.0) == pytest.approx(gap / 60.0, abs=1e-4)
    assert score.integrated_error(exponential(0.05), observed, 60.0) == pytest.approx(0.0, abs=1e-12)


def test_restricted_mean_and_median_of_an_exponential() -> None:
    predicted = exponential(0.05, 0.05)
    assert score.rmst_draws(predicted, 40.0) == pytest.approx([(1 - np.exp(-2.0)) / 0.05] * 2, rel=1e-4)
    assert score.median_month(MONTHS, predicted.mean) == pytest.approx(np.log(2) / 0.05, abs=0.01)
    assert score.median_month(MONTHS, np.full(MONTHS.size, 0.6)) is None


def test_noise_of_simulation_is_taken_out_and_the_spread_of_draws_stays() -> None:
    rng = np.random.default_rng(1)
    lives = np.full(400, 60)
    same = rng.binomial(60, 0.5, (400, 1)) / 60
    assert same.std() > 0.05
    calm = score.calm(same, lives)
    assert calm.std() < 0.02
    assert calm.mean() == pytest.approx(same.mean())
    truth = np.clip(rng.normal(0.5, 0.1, 400), 0, 1)
    noisy = rng.binomial(60, truth)[:, None] / 60
    assert noisy.std() > 1.1 * truth.std()
    assert score.calm(noisy, lives).std() == pytest.approx(truth.std(), rel=0.1)


def test_draws_nobody_reached_the_trial_with_are_left_out() -> None:
    by_draw = np.array([[1.0, 0.5], [np.nan, np.nan], [1.0, 0.7]])
    assert score.calm(by_draw, np.array([50, 0, 50])).shape == (2, 2)


def test_intervals_of_landmarks_cover_nine_in_ten_when_the_prediction_is_right() -> None:
    rng = np.random.default_rng(2)
    rates = 0.03 * np.exp(rng.normal(0.0, 0.2, 300))
    predicted = exponential(*rates)
    covered = [
        mark.covered
        for seed in range(60)
        for mark in score.landmarks(predicted, trial(rates[seed], 120, seed), rng)
    ]
    assert len(covered) > 200
    assert 0.85 <= np.mean(covered) <= 0.96


def test_intervals_miss_when_the_prediction_is_wrong() -> None:
    rng = np.random.default_rng(3)
    marks = score.landmarks(exponential(0.03, 0.031), trial(0.06, 500, 4), rng)
    assert not any(m.covered for m in marks)
    assert all(m.error > 0 for m in marks)


def test_landmarks_end_where_fewer_than_ten_are_followed() -> None:
    observed = trial(0.15, 60, 5)
    marks = score.landmarks(exponential(0.15), observed, np.random.default_rng(0))
    assert [m.months for m in marks] == [m for m in score.LANDMARKS if m <= observed.reach]
    assert all(m.at_risk >= 10 for m in marks)
    assert marks[-1].months < 24


def test_sampling_error_is_what_the_truth_scores() -> None:
    trials = [trial(0.04, 200, seed) for seed in range(15)]
    truth = exponential(0.04)
    scored = np.mean([score.integrated_error(truth, t, 36.0) for t in trials])
    expected = np.mean([score.sampling_error(t, 36.0) for t in trials])
    assert scored == pytest.approx(expected, rel=0.3)
