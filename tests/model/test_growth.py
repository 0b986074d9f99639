"""Growth: the closed form against the differential equation, and the published doubling times."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from metachron.model.growth import diameter_mm, grow, grow_back, grow_many, growth_fraction, ln_cells

LN_K = math.log(2.0e12)
RATE = math.log(2.0) / 155.0  # per day at 5e10 cells

sizes = st.floats(0.0, 30.0)
spans = st.floats(0.0, 3000.0)
rates = st.floats(0.0005, 0.03)


def solve(x: float, days: float, rate: float) -> float:
    """Reference: dx/dt = g gf(x), to 1e-10, in pieces so that the kinks of gf are met exactly."""
    span = LN_K - math.log(5.0e10)
    t = 0.0
    for kink in (LN_K - 4.0 * span, LN_K - 0.2 * span, math.inf):
        if t >= days or x > kink:
            continue

        def reach(_: float, y: list[float], kink: float = kink) -> float:
            return y[0] - kink if math.isfinite(kink) else -1.0

        reach.terminal = True  # type: ignore[attr-defined]
        reach.direction = 1.0  # type: ignore[attr-defined]
        end = solve_ivp(
            lambda _, y: [rate * growth_fraction(y[0], LN_K)],
            (t, days),
            [x],
            events=reach,
            rtol=1e-10,
            atol=1e-12,
            max_step=50.0,
        )
        t, x = end.t[-1], end.y[0][-1]
    return x


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        (1.0, 200.0),  # all in the fast zone
        (1.0e4, 2000.0),  # fast into the middle
        (1.0e8, 900.0),  # all in the middle
        (2.0e11, 4000.0),  # middle into the slow zone
        (1.5e12, 500.0),  # all in the slow zone
        (1.0, 40000.0),  # through all three
    ],
)
def test_the_closed_form_solves_the_equation(cells: float, days: float) -> None:
    assert grow(math.log(cells), days, RATE, LN_K) == pytest.approx(
        solve(math.log(cells), days, RATE), abs=1e-6
    )


@pytest.mark.parametrize(("cells", "days"), [(5.0e10, 155.0), (2.0e10, 124.2), (5.0e8, 68.9)])
def test_doubling_time_at_a_size(cells: float, days: float) -> None:
    """One Gompertz curve gives Finlay's overt 155 d, and 124 d and 69 d at smaller sizes (docs/model.md)."""
    assert math.log(2.0) / (RATE * growth_fraction(math.log(cells), LN_K)) == pytest.approx(days, abs=0.2)


def test_the_time_to_double_exceeds_the_doubling_time_of_its_start() -> None:
    """Growth slows on the way: from 5e10 cells two-fold takes longer than 155 days, to 5e10 less."""
    x = math.log(5.0e10)
    there = brentq(lambda t: grow(x, t, RATE, LN_K) - x - math.log(2.0), 10.0, 1000.0)
    back = brentq(lambda t: grow(x - math.log(2.0), t, RATE, LN_K) - x, 10.0, 1000.0)
    assert back < 155.0 < there < 190.0


@given(x=sizes, a=spans, b=spans, rate=rates)
@settings(max_examples=300, deadline=None)
def test_two_spans_are_one_span(x: float, a: float, b: float, rate: float) -> None:
    assert grow(x, a + b, rate, LN_K) == pytest.approx(grow(grow(x, a, rate, LN_K), b, rate, LN_K), abs=1e-8)


@given(x=sizes, y=sizes, days=spans, rate=rates)
@settings(max_examples=200, deadline=None)
def test_growth_never_shrinks_and_keeps_the_order(x: float, y: float, days: float, rate: float) -> None:
    a, b = grow(x, days, rate, LN_K), grow(y, days, rate, LN_K)
    assert a >= x
    assert b >= y
    assert (a - b) * (x - y) >= -1e-9


@pytest.mark.parametrize(("days", "rate"), [(0.0, RATE), (-5.0, RATE), (100.0, 0.0)])
def test_no_time_or_no_rate_is_no_growth(days: float, rate: float) -> None:
    assert grow(20.0, days, rate, LN_K) == 20.0


def test_growth_fraction_is_held_between_its_limits() -> None:
    assert growth_fraction(0.0, LN_K) == 4.0
    assert growth_fraction(math.log(5.0e10), LN_K) == pytest.approx(1.0)
    assert growth_fraction(LN_K, LN_K) == 0.2


@given(st.floats(1.0, 200.0))
@settings(max_examples=100, deadline=None)
def test_cells_and_diameter_are_inverse(mm: float) -> None:
    assert diameter_mm(math.exp(ln_cells(mm)) / 1.0e9) == pytest.approx(mm, rel=1e-12)


def test_a_one_centimetre_ball_holds_half_a_billion_cells() -> None:
    assert math.exp(ln_cells(10.0)) == pytest.approx(5.24e8, rel=1e-3)


@given(x=sizes, days=spans, rate=rates)
@settings(max_examples=300, deadline=None)
def test_looking_back_undoes_growth(x: float, days: float, rate: float) -> None:
    assert grow_back(grow(x, days, rate, LN_K), days, rate, LN_K) == pytest.approx(x, abs=1e-6)


def test_many_lesions_at_once() -> None:
    x, days, rate = np.array([20.0, 22.0]), np.array([100.0, -100.0]), np.array([RATE, 2 * RATE])
    expected = [grow(20.0, 100.0, RATE, LN_K), grow_back(22.0, 100.0, 2 * RATE, LN_K)]
    assert grow_many(x, days, rate, LN_K) == pytest.approx(expected)
