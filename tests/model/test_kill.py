"""Kill by drugs, resistance, anti-VEGF growth slowing and immune kill: limits, order and integrals."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from metachron.model.antivascular import growth_days, vascular
from metachron.model.immune import cell_kill_rate, effector_share
from metachron.model.kill import effect_integral, logistic, resistance_off_drug, resistant_fraction, survive


def log_survival(kill: float, phi: float, rho: float) -> float:
    """ln of the share that survives a cumulative kill."""
    return math.log(survive(phi, kill, rho)[0])


kills = st.floats(0.0, 200.0)
shares = st.floats(1e-12, 1.0 - 1e-12)


def test_no_kill_spares_all() -> None:
    assert log_survival(0.0, 0.3, 0.2) == 0.0


@pytest.mark.parametrize(("phi", "expected"), [(0.0, -5.0), (1.0, -1.0)])
def test_all_sensitive_and_all_resistant(phi: float, expected: float) -> None:
    assert log_survival(5.0, phi, 0.2) == pytest.approx(expected)


def test_long_kill_leaves_the_resistant() -> None:
    """ln[(1 - phi) e^-D + phi e^-(rho D)] tends to ln phi - rho D."""
    assert log_survival(100.0, 0.01, 0.2) == pytest.approx(math.log(0.01) - 20.0, abs=1e-12)


@given(a=kills, b=kills, phi=shares, rho=st.floats(0.01, 1.0))
@settings(max_examples=300, deadline=None)
def test_more_kill_leaves_fewer(a: float, b: float, phi: float, rho: float) -> None:
    low, high = min(a, b), max(a, b)
    assert log_survival(high, phi, rho) <= log_survival(low, phi, rho) + 1e-12
    assert -high - 1e-9 <= log_survival(high, phi, rho) <= -rho * high + 1e-9


@given(a=shares, b=shares, kill=kills)
@settings(max_examples=200, deadline=None)
def test_more_resistance_leaves_more(a: float, b: float, kill: float) -> None:
    assert log_survival(kill, max(a, b), 0.2) >= log_survival(kill, min(a, b), 0.2) - 1e-12


@given(kill=st.lists(st.floats(0.0, 3.0), min_size=1, max_size=60), phi=shares, rho=st.floats(0.01, 1.0))
@settings(max_examples=300, deadline=None)
def test_kill_in_pieces_is_kill_at_once(kill: list[float], phi: float, rho: float) -> None:
    """Step by step with the resistant share of the moment: (1 - phi) e^-D + phi e^(-rho D) of the whole."""
    share, total = phi, 0.0
    for d in kill:
        left, share = survive(share, d, rho)
        total += math.log(left)
    at_once, end = survive(phi, sum(kill), rho)
    assert total == pytest.approx(math.log(at_once), rel=1e-9, abs=1e-12)
    assert share == pytest.approx(end, rel=1e-9)
    assert phi * (1 - 1e-12) <= share <= 1.0 + 1e-12


def test_resistance_wanes_off_the_drug() -> None:
    """Half of the gained odds after a half-life, all but nothing after many, nothing below the start."""
    start, now = 0.02, 0.8
    odds = lambda p: p / (1 - p)  # noqa: E731
    half = resistance_off_drug(now, start, 134.0, 134.0)
    assert odds(half) - odds(start) == pytest.approx(0.5 * (odds(now) - odds(start)))
    assert resistance_off_drug(now, start, 0.0, 134.0) == pytest.approx(now)
    assert resistance_off_drug(now, start, 1e5, 134.0) == pytest.approx(start)


@pytest.mark.parametrize("days", [0.1, 3.5, 14.0, 200.0])
def test_effect_integral(days: float) -> None:
    decay = math.log(2.0) / 4.0
    expected = quad(lambda t: 1.7 * math.exp(-decay * t), 0.0, days, epsabs=1e-12)[0]
    assert effect_integral(1.7, decay, days) == pytest.approx(expected, rel=1e-9)


def test_resistant_fraction_by_size() -> None:
    """Functional above 1e8 cells, genetic below 1e7, half way on the logit scale in between."""
    assert resistant_fraction(math.log(1e9), -3.0, -14.0) == pytest.approx(logistic(-3.0))
    assert resistant_fraction(math.log(1e5), -3.0, -14.0) == pytest.approx(logistic(-14.0))
    assert resistant_fraction(0.5 * (math.log(1e7) + math.log(1e8)), -3.0, -14.0) == pytest.approx(
        logistic(-8.5)
    )


@given(x=st.floats(0.0, 30.0), y=st.floats(0.0, 30.0))
@settings(max_examples=100, deadline=None)
def test_resistant_fraction_rises_with_size(x: float, y: float) -> None:
    assert resistant_fraction(max(x, y), -3.0, -14.0) >= resistant_fraction(min(x, y), -3.0, -14.0)


@pytest.mark.parametrize(("z", "expected"), [(-1000.0, 0.0), (0.0, 0.5), (1000.0, 1.0)])
def test_logistic_ends(z: float, expected: float) -> None:
    assert logistic(z) == expected


@pytest.mark.parametrize("level", [0.5, 10.0, 300.0])
@pytest.mark.parametrize("days", [0.5, 14.0, 365.0])
def test_growth_days_under_anti_vegf(level: float, days: float) -> None:
    decay, imax, ic50 = math.log(2.0) / 19.0, 0.45, 10.0

    def slowed(t: float) -> float:
        c = level * math.exp(-decay * t)
        return 1.0 - imax * c / (c + ic50)

    assert growth_days(level, decay, imax, ic50, days) == pytest.approx(
        quad(slowed, 0.0, days, epsabs=1e-11)[0], rel=1e-9
    )


def test_anti_vegf_slows_and_never_reverses() -> None:
    decay = math.log(2.0) / 19.0
    assert growth_days(0.0, decay, 0.45, 10.0, 30.0) == 30.0
    assert 0.55 * 30.0 < growth_days(1e6, decay, 0.45, 10.0, 30.0) < 0.5501 * 30.0


def test_cells_matter_only_at_low_burden() -> None:
    """1e10 cells, 2 % homing, 0.05 /d: 2e-4 /d on 60 mL, nearly all of it on 1e6 cells."""

    def rate(cells: float) -> float:
        return float(cell_kill_rate(effector_share(1e10, 0.02, math.log(cells)) * cells ** (-1 / 3), 0.05))

    assert rate(6e10) == pytest.approx(2e-4, rel=0.2)
    assert rate(1e6) == pytest.approx(0.05, rel=0.01)


def test_effectors_share_out_by_surface() -> None:
    """A lesion of half the tumour gets (1/2)^(2/3) of the effectors that reach tumour."""

    def at(cells: float) -> float:
        return float(effector_share(1e8, 0.02, math.log(2e9)) * cells ** (2 / 3))

    assert at(1e9) == pytest.approx(0.02 * 1e8 * 0.5 ** (2.0 / 3.0))
    assert effector_share(0.0, 0.02, 10.0) == 0.0
    # fewer reach a smaller lesion, but more for each of its cells
    assert at(1e7) < at(1e9)
    assert at(1e7) / 1e7 > at(1e9) / 1e9


def test_small_lesions_do_not_live_on_vessels() -> None:
    assert vascular(math.log(3.0e6)) == 0.0
    assert vascular(math.log(3.0e7)) == pytest.approx(1.0)
    assert 0.0 < vascular(math.log(1.0e7)) < 1.0
