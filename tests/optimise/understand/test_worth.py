"""Value of information against closed forms: with normal differences, by the unit normal loss integral."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from metachron.optimise.understand.worth import by_group, by_spline, changes, gain, of_parameters, worth


def loss(mean: float, sd: float) -> float:
    """E[max(Z, 0)] - max(mean, 0) of Z normal: the closed form of EVPI and EVPPI of two strategies."""
    return float(sd * norm.pdf(mean / sd) + mean * norm.cdf(mean / sd) - max(mean, 0.0))


def sample(n: int, seed: int, mean: float, sd_x: float, sd_rest: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n)
    return mean + sd_x * x + sd_rest * rng.standard_normal(n), x


@pytest.mark.parametrize(("mean", "sd"), [(0.5, 2.0), (-1.0, 1.5), (0.0, 1.0)])
def test_partial_information_matches_the_closed_form(mean: float, sd: float) -> None:
    d, x = sample(8000, 2, mean, sd, 5.0)
    found = worth(d, x, by_spline, 1)
    assert found.value == pytest.approx(loss(mean, sd), abs=0.15)
    assert found.distinct
    assert found.changes == pytest.approx(norm.cdf(-abs(mean) / sd), abs=0.06)
    assert found.lower <= found.value <= found.upper


def test_a_curved_effect_is_found() -> None:
    """d = x^2 - 1 with x normal: E[max(x^2 - 1, 0)] = 2 phi(1), the mean being nought."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal(10_000)
    d = x**2 - 1 + 2.0 * rng.standard_normal(x.size)
    assert worth(d, x, by_spline, 1).value == pytest.approx(2 * norm.pdf(1.0), abs=0.08)


def test_a_marker_matches_the_closed_form() -> None:
    """p = 0.3 with d = -4, else +2: choosing after the test gains 0.3 * 4 on a mean of 0.2."""
    rng = np.random.default_rng(5)
    x = (rng.random(9000) < 0.3).astype(float)
    d = np.where(x > 0, -4.0, 2.0) + 10 * rng.standard_normal(x.size)
    found = worth(d, x, by_group, 1)
    assert found.value == pytest.approx(0.7 * 2 - 0.2, abs=0.3)
    assert found.distinct
    assert found.changes == pytest.approx(0.3, abs=0.02)


@pytest.mark.parametrize("estimator", [by_group, by_spline])
def test_what_tells_nothing_is_worth_nothing(estimator) -> None:
    rng = np.random.default_rng(7)
    wrong = 0
    for k in range(6):
        d = 0.3 + 10 * rng.standard_normal(2000)
        x = rng.integers(0, 3, 2000).astype(float) if estimator is by_group else rng.standard_normal(2000)
        found = worth(d, x, estimator, k)
        wrong += found.distinct
        assert found.value < 0.35
    assert wrong <= 2


def test_perfect_information_over_draws_matches_the_closed_form() -> None:
    """400 draws of 20 twins: parameters spread the mean by 2 about 0.5, chance by 10 within a draw."""
    rng = np.random.default_rng(9)
    draw = np.repeat(np.arange(400), 20)
    d = 0.5 + 2.0 * rng.standard_normal(400)[draw] + 10.0 * rng.standard_normal(draw.size)
    value, error, wrong = of_parameters(d, draw)
    assert value == pytest.approx(loss(0.5, 2.0), abs=3 * error + 0.1)
    assert wrong == pytest.approx(norm.cdf(-0.25), abs=0.06)
    raw = gain(d.reshape(400, 20).mean(1))
    assert raw > value + 0.2  # chance counted as knowledge would promise more


def test_no_information_can_be_worth_more_than_all_of_it() -> None:
    d, x = sample(4000, 11, 0.4, 1.0, 3.0)
    assert worth(d, x, by_spline, 1).value <= gain(d)


def test_gain_and_changes_of_known_means() -> None:
    assert gain(np.array([3.0, -1.0])) == pytest.approx(0.5)
    assert gain(np.array([3.0, -1.0]), np.array([1.0, 3.0])) == pytest.approx(0.75)
    assert gain(np.array([3.0, 1.0])) == 0.0
    assert changes(np.array([3.0, -1.0])) == 0.5
    assert changes(np.array([1.0, 2.0])) == 0.0
