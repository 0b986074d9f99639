"""Hazards of death."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from metachron.model.death import background_day, cancer_hazard, cancer_hazards, liver_hazard

INTERCEPT, BURDEN, NEW, FULL = -8.09, 0.5, 1.2, 1.5


@pytest.mark.parametrize("age", [40.0, 65.0, 88.0])
@pytest.mark.parametrize("days", [30.0, 1826.0])
def test_background_is_the_integral_of_its_hazard(age: float, days: float) -> None:
    def hazard(t: float) -> float:
        return 0.8 * 0.013 * 2.0 ** ((age + t - 65.0) / 8.0)

    target = quad(hazard, 0.0, days / 365.25, epsabs=1e-13)[0]
    assert background_day(target, age, 0.013, 8.0, 0.8) == pytest.approx(days, rel=1e-9)


def test_background_goes_on_from_where_it_stands() -> None:
    whole = background_day(0.05, 70.0, 0.013, 8.0, 1.0)
    half = background_day(0.02, 70.0, 0.013, 8.0, 1.0)
    assert whole == pytest.approx(half + background_day(0.03, 70.0 + half / 365.25, 0.013, 8.0, 1.0))


def test_nothing_detected_nothing_to_die_of() -> None:
    assert cancer_hazard(0.0, 1, INTERCEPT, BURDEN, NEW, FULL) == 0.0


@pytest.mark.parametrize("full", [0.4, 1.5, 6.0])
def test_hazard_rises_with_the_sum_to_its_law(full: float) -> None:
    """In proportion to a small sum, 63 % of the law at `full` cm, all of it far above."""

    def of_law(cm: float) -> float:
        whole = math.exp(INTERCEPT) * (1.0 + cm) ** BURDEN
        return float(cancer_hazard(cm, 0, INTERCEPT, BURDEN, NEW, full)) / whole

    sums = np.linspace(0.01, 40.0, 400)
    found = np.array([cancer_hazard(cm, 0, INTERCEPT, BURDEN, NEW, full) for cm in sums])
    assert (np.diff(found) > 0.0).all()
    assert of_law(full) == pytest.approx(1.0 - math.exp(-1.0))
    assert of_law(1e-4 * full) == pytest.approx(1e-4, rel=1e-3)
    assert of_law(40.0 * full) == pytest.approx(1.0)


def test_hazards_of_many_are_those_of_each() -> None:
    sums, start = np.array([0.0, 0.3, 2.0, 30.0]), np.array([-9.0, -8.0, -8.5, -7.0])
    slope, full = np.linspace(0.1, 0.9, 4), np.linspace(0.5, 5.0, 4)
    each = [cancer_hazard(sums[i], 0.0, start[i], slope[i], NEW, full[i]) for i in range(4)]
    assert cancer_hazards(sums, start, slope, full).tolist() == each


def test_a_new_lesion_multiplies_the_hazard() -> None:
    ratio = cancer_hazard(10.7, 1, INTERCEPT, BURDEN, NEW, FULL) / cancer_hazard(
        10.7, 0, INTERCEPT, BURDEN, NEW, FULL
    )
    assert ratio == pytest.approx(math.exp(1.2))


def test_the_median_survival_of_ffcd_lies_between_its_extremes() -> None:
    """Constant 10.7 cm: longer than 1.23 years without any new lesion, shorter with one from the start."""
    years = [
        math.log(2.0) / cancer_hazard(10.7, new, INTERCEPT, BURDEN, NEW, FULL) / 365.25 for new in (1, 0)
    ]
    assert years[0] < 1.23 < years[1]


@given(a=st.floats(0.1, 60.0), b=st.floats(0.1, 60.0))
@settings(max_examples=100, deadline=None)
def test_more_cancer_more_hazard(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    assert cancer_hazard(low, 0, INTERCEPT, BURDEN, NEW, FULL) <= cancer_hazard(
        high, 0, INTERCEPT, BURDEN, NEW, FULL
    )
    assert liver_hazard(low * 30, 1800.0, 0.05, 0.6, 0.08) <= liver_hazard(high * 30, 1800.0, 0.05, 0.6, 0.08)


def test_liver_hazard_limits() -> None:
    none = 0.05 / (1.0 + np.exp(0.6 / 0.08))  # the logistic without tumour is taken off
    assert liver_hazard(0.6 * 1500.0, 1500.0, 0.05, 0.6, 0.08) == pytest.approx(0.025 - none)
    assert liver_hazard(0.0, 1500.0, 0.05, 0.6, 0.08) == 0.0
    assert liver_hazard(15.0, 1500.0, 0.05, 0.6, 0.08) < 5e-5
    assert liver_hazard(1e6, 1500.0, 0.05, 0.6, 0.08) == pytest.approx(0.05 - none)
    assert liver_hazard(1.0, 1500.0, 0.05, 0.6, 0.01) < 1e-12
