"""Neuropathy, regrowth of the liver, grades of toxicity and detection."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.stats import logistic

from metachron.model.detection import seen
from metachron.model.growth import diameter_mm, ln_cells
from metachron.model.liver import regrow
from metachron.model.nerve import nerve_grade, nerve_step
from metachron.model.toxicity import KINDS, cycle_hazard, neutropenia_grade
from metachron.parameters import load_parameters

K1, K2 = math.log(2.0) / 45.0, math.log(2.0) / 250.0


@pytest.mark.parametrize("days", [0.5, 14.0, 180.0])
def test_nerve_step_solves_the_equations(days: float) -> None:
    exact = solve_ivp(
        lambda _, y: [-K1 * y[0], K1 * y[0] - K2 * y[1]], (0.0, days), [85.0, 300.0], rtol=1e-11, atol=1e-11
    )
    assert nerve_step(85.0, 300.0, days, K1, K2) == pytest.approx(exact.y[:, -1], rel=1e-8)


def course(cycles: int, follow_up: int) -> list[float]:
    """Burden at the end of each day of `cycles` of 85 mg/m2 every 14 days, and after."""
    x, n, burden = 0.0, 0.0, []
    for day in range(14 * cycles + follow_up):
        if day % 14 == 0 and day < 14 * cycles:
            x += 85.0
        x, n = nerve_step(x, n, 1.0, K1, K2)
        burden.append(n)
    return burden


def test_neuropathy_worsens_for_about_three_months_after_the_last_dose() -> None:
    """N08CB: worst about three months after stopping, then slow recovery."""
    burden = course(12, 700)
    last_dose = 14 * 11
    worst = int(np.argmax(burden))
    assert 45 <= worst - last_dose <= 120
    assert burden[worst] > 1.1 * burden[last_dose]
    assert 0.25 < burden[worst + 365] / burden[worst] < 0.65


def test_stop_and_go_lowers_the_peak() -> None:
    assert max(course(6, 200)) < 0.6 * max(course(12, 200))


def test_nerve_grade_keeps_what_was_there() -> None:
    assert nerve_grade(100.0, 1.0, 0, 500.0, 900.0) == 0
    assert nerve_grade(600.0, 1.0, 0, 500.0, 900.0) == 2
    assert nerve_grade(600.0, 1.6, 1, 500.0, 900.0) == 3
    assert nerve_grade(0.0, 1.0, 2, 500.0, 900.0) == 2


def test_the_thresholds_are_those_derived(repository: Path) -> None:
    spec = importlib.util.spec_from_file_location("derive", repository / "scripts" / "derive_neuropathy.py")
    assert spec is not None
    assert spec.loader is not None
    derive = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(derive)
    parameters = load_parameters()
    peak = derive.peak_burden(
        parameters["neuropathy_onset_days"].value, parameters["neuropathy_recovery_days"].value
    )
    sd = parameters["neuropathy_sd"].value
    for share, name in ((0.477, "neuropathy_grade2_mg_m2"), (0.124, "neuropathy_grade3_mg_m2")):
        assert derive.threshold(peak, share, sd) == pytest.approx(parameters[name].value, abs=0.6)


@pytest.mark.parametrize("days", [1.0, 30.0, 365.0])
def test_regrow_solves_the_equation(days: float) -> None:
    exact = solve_ivp(lambda _, h: 0.03 * h * (1.0 - h / 0.81), (0.0, days), [0.3], rtol=1e-11, atol=1e-12).y[
        0, -1
    ]
    assert regrow(0.3, days, 0.03, 0.81) == pytest.approx(exact, rel=1e-8)


def test_a_whole_liver_does_not_shrink_to_the_plateau() -> None:
    assert regrow(1.0, 100.0, 0.03, 0.81) == 1.0
    assert regrow(0.81, 100.0, 0.03, 0.81) == 0.81


@pytest.mark.parametrize(("count", "grade"), [(5.0, 0), (1.5, 0), (1.49, 2), (0.99, 3), (0.5, 3), (0.49, 4)])
def test_neutropenia_grades(count: float, grade: int) -> None:
    assert neutropenia_grade(count) == grade


def test_cycle_hazard_adds_up_to_the_published_frequency() -> None:
    h = cycle_hazard(0.11, 12)
    assert 1.0 - math.exp(-12 * h) == pytest.approx(0.11)
    assert cycle_hazard(0.0, 8) == 0.0
    assert math.isfinite(cycle_hazard(1.0, 0))


def test_kinds_are_named_once() -> None:
    assert len(set(KINDS)) == len(KINDS)


def test_detection_is_logistic_in_ln_cells() -> None:
    """With a logistic offset of its own per lesion, the share seen is the logistic curve."""
    ln_limit, scale = math.log(5.0e8), 0.5
    offsets = scale * logistic.ppf((np.arange(4000) + 0.5) / 4000)
    for cells in (1e8, 5e8, 1e9):
        share = np.mean([seen(cells / 1e9, ln_limit, o) for o in offsets])
        assert share == pytest.approx(logistic.cdf((math.log(cells) - ln_limit) / scale), abs=1e-3)
    assert not seen(0.0, ln_limit, -100.0)


def test_ct_sees_half_of_lesions_at_its_limit() -> None:
    limit = load_parameters()["detect_ct_cells"].value
    d = diameter_mm(limit / 1e9)
    assert seen(limit / 1e9, ln_cells(d), -1e-9)
    assert not seen(limit / 1e9, ln_cells(d), 1e-9)
    assert 6.0 < d < 11.0


@pytest.mark.xfail(reason="limit and width of CT are not those of the series they cite; see docs/model.md")
def test_ct_sees_what_ko_2017_saw() -> None:
    """Per-nodule sensitivity of classes of 5 mm, at their middle."""
    parameters = load_parameters()
    mm = (3.0, 8.0, 13.0, 18.0)
    z = [math.log(parameters["detect_ct_cells"].value) - ln_cells(d) for d in mm]
    shares = logistic.sf(np.array(z) / parameters["detect_scale"].value)
    assert shares == pytest.approx([0.08, 0.55, 0.91, 0.95], abs=0.06)
