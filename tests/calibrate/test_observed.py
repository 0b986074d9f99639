"""Observed curves, from a grid and from individual times."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines import KaplanMeierFitter

from metachron.calibrate.observed import Key, from_grid, from_times, spread
from metachron.calibrate.targets import CurveData

KEY = Key("T", "1", "OS", "a")
GRID = CurveData(
    endpoint="OS", arm="a", months=[6, 12, 24, 36], at_risk=[100, 80, 50, 20], events=[15, 20, 20, 4],
    survival=[0.85, 0.63, 0.37, 0.28], remaining=12,
)  # fmt: skip


def test_a_grid_is_met_at_its_points_and_straight_between() -> None:
    curve = from_grid(KEY, GRID)
    assert curve.survival([0, 6, 12, 24, 36]) == pytest.approx([1, 0.85, 0.63, 0.37, 0.28])
    assert curve.survival([9.0])[0] == pytest.approx(0.74)
    assert curve.n == 100
    assert curve.reach == 36
    assert curve.median() == pytest.approx(18.0)


def test_spread_patients_keep_the_counts_of_the_grid() -> None:
    times, event = spread(GRID)
    edges = [0, *GRID.months]
    for k in range(len(GRID.months)):
        inside = (times > edges[k]) & (times <= edges[k + 1])
        assert np.sum(inside & event) == GRID.events[k]
        assert np.sum(times > edges[k]) == GRID.at_risk[k]
    assert np.sum(~event & (times == 36)) == 12


def test_reach_is_the_last_month_with_ten_at_risk() -> None:
    times = np.arange(1.0, 31.0)
    curve = from_times(KEY, times, np.ones(30, bool))
    assert curve.reach == 21.0
    assert curve.at_risk([21.0, 21.5]).tolist() == [10, 9]
    assert from_times(KEY, times[:9], np.ones(9, bool)).reach is None


def test_the_standard_error_is_greenwoods() -> None:
    rng = np.random.default_rng(1)
    times, end = rng.exponential(20.0, 200), rng.uniform(5.0, 40.0, 200)
    months, event = np.minimum(times, end), times <= end
    curve = from_times(KEY, months, event)
    fitted = KaplanMeierFitter().fit(months, event)
    for month in (3.0, 12.0, 24.0):
        s = float(fitted.predict(month))
        place = fitted.event_table.index <= month
        d, n = fitted.event_table["observed"][place], fitted.event_table["at_risk"][place]
        variance = s**2 * float((d / (n * (n - d))).sum())
        assert curve.standard_error([month])[0] == pytest.approx(np.sqrt(variance), rel=1e-6)
        assert curve.survival([month])[0] == pytest.approx(s)


def test_without_censoring_everybody_counts() -> None:
    curve = from_times(KEY, np.linspace(1, 50, 80), np.ones(80, bool))
    assert curve.effective_n([10.0, 30.0]) == pytest.approx([80.0, 80.0])


def test_before_the_first_event_those_at_risk_count() -> None:
    curve = from_times(KEY, np.array([5.0] * 20 + [10.0] * 20), np.array([False] * 20 + [True] * 20))
    assert curve.effective_n([7.0])[0] == 20


def test_a_grid_reads_other_curves_at_its_points_only() -> None:
    curve = from_grid(KEY, GRID)
    steps = np.array([0, 6, 12, 24, 36])

    def staircase(at: np.ndarray) -> np.ndarray:
        return curve.survival(steps[np.searchsorted(steps, at, side="right") - 1])

    at = np.linspace(0, 36, 200)
    assert curve.read_off(staircase, at) == pytest.approx(curve.survival(at))
    assert np.abs(staircase(at) - curve.survival(at)).mean() > 0.05
