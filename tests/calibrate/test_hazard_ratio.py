"""Hazard ratios: predicted ones agree with Cox regression and carry no noise of simulation."""

from __future__ import annotations

import numpy as np
import pytest

from metachron.calibrate import hazard_ratio as hr
from metachron.calibrate.observed import Key, from_times

KEY = Key("T", "1", "OS", "a")


def lives(rate: np.ndarray, each: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Times (n,) and draw of exponential lives, `each` for every rate."""
    draw = np.repeat(np.arange(rate.size), each)
    return np.random.default_rng(seed).exponential(1.0 / rate[draw]), draw


def counts(rate: np.ndarray, each: int, seed: int, half: int | None = None) -> hr.Counts:
    months, draw = lives(rate, each, seed)
    if half is not None:
        months, draw = months[half::2], draw[half::2]
    return hr.count(months, np.ones(months.size, bool), draw, rate.size, 36.0)


def predicted(arm: np.ndarray, reference: np.ndarray, each: int = 100) -> hr.Ratio:
    both = [(counts(arm, each, 1, h), counts(reference, each, 2, h)) for h in (None, 0, 1)]
    found = hr.predicted_ratio(both[0], both[1:])
    assert found is not None
    return found


def test_one_ratio_for_all_draws_is_found_with_a_narrow_interval() -> None:
    base = 0.05 * np.exp(np.random.default_rng(0).normal(0, 0.4, 200))
    found = predicted(0.7 * base, base)
    assert found.value == pytest.approx(0.7, rel=0.03)
    assert found.low > 0.6
    assert found.high < 0.8


def test_draws_that_disagree_widen_the_interval_by_as_much() -> None:
    rng = np.random.default_rng(1)
    base = np.full(300, 0.05)
    found = predicted(base * 0.8 * np.exp(rng.normal(0, 0.2, 300)), base, each=200)
    assert np.log(found.high / found.low) / (2 * hr.Z_90) == pytest.approx(0.2, rel=0.25)


def test_it_agrees_with_cox_regression() -> None:
    (one, _), (other, _) = lives(np.array([0.04]), 3000, 3), lives(np.array([0.06]), 3000, 4)
    ends = 36.0
    curves = [from_times(KEY, np.minimum(t, ends), t <= ends) for t in (one, other)]
    seen = hr.observed_ratio(*curves)
    assert seen is not None
    made = [hr.count(c.months, c.event, np.zeros(c.n, np.int64), 1, ends) for c in curves]
    assert hr.stratified_ln(*made) == pytest.approx(np.log(seen[0].value), abs=0.01)
    assert seen[1] < 0.001


def test_heavy_ties_do_not_pull_the_ratio_to_one() -> None:
    (one, _), (other, _) = lives(np.array([0.08]), 20_000, 5), lives(np.array([0.16]), 20_000, 6)
    made = [
        hr.count(np.ceil(t / 2.0) * 2.0, np.ones(t.size, bool), np.zeros(t.size, np.int64), 1, 24.0)
        for t in (one, other)
    ]
    assert hr.stratified_ln(*made) == pytest.approx(np.log(0.5), abs=0.03)


def test_followed_is_the_share_not_censored() -> None:
    months = np.concatenate([np.full(50, 6.0), np.full(50, 12.0)])
    observed = from_times(KEY, months, np.zeros(100, bool))
    share = hr.followed(observed, 48)
    assert share[:23] == pytest.approx(1.0)
    assert share[25:47] == pytest.approx(0.5)


def test_no_event_no_ratio() -> None:
    nobody = hr.count(np.full(50, 99.0), np.zeros(50, bool), np.zeros(50, np.int64), 1, 36.0)
    assert hr.predicted_ratio((nobody, nobody), [(nobody, nobody)] * 2) is None
    quiet = from_times(KEY, np.full(50, 36.0), np.zeros(50, bool))
    assert hr.observed_ratio(quiet, quiet) is None


def test_direction() -> None:
    assert hr.same_direction(0.8, 0.99) is True
    assert hr.same_direction(0.8, 1.2) is False
    assert hr.same_direction(1.0, 1.2) is None
