"""Scans, recurrence and local treatment of hand-made twins, day by day."""

from __future__ import annotations

import math

import handmade as hm
import numpy as np
import pytest

from metachron.engine import random as keyed
from metachron.engine.records import CAUSE_OPERATION, DIED, GIVE_NOTHING, LIVER, LUNG, PD, PROGRESSED, SD
from metachron.model.growth import grow, ln_cells
from metachron.model.local_therapy import residual_probability


def diameter(start_mm: float, days: float) -> float:
    x = grow(ln_cells(start_mm), days, hm.RATE, hm.LN_K)
    return 10.0 * (6.0 / math.pi * math.exp(x) / 1e9) ** (1 / 3)


@pytest.mark.parametrize("start", [10.0, 20.0, 30.0, 60.0])
def test_progression_needs_a_fifth_more_and_five_millimetres(start: float) -> None:
    """The first daily scan at which both hold: small lesions wait for 5 mm, large ones for 20 %."""
    found = hm.lives(hm.lesions(1, hm.visible(start)), hm.people(1), hm.programme(every=1.0), days=900.0)
    day = found.outcomes["pfs"][0]
    need = max(1.2 * start, start + 5.0)
    assert diameter(start, day - 1.0) < need <= diameter(start, day) + 1e-9
    assert found.outcomes["pfs_event"][0] == PROGRESSED


def test_progression_is_measured_on_the_sum() -> None:
    """Three lesions of 10 mm progress when their sum does, long before one would alone."""
    alone = hm.lives(hm.lesions(1, hm.visible(10.0)), hm.people(1), hm.programme(every=1.0), days=900.0)
    three = hm.lives(
        hm.lesions(1, *[hm.visible(10.0)] * 3), hm.people(1, n_lesions=3), hm.programme(every=1.0), days=900.0
    )
    day = three.outcomes["pfs"][0]
    assert day < alone.outcomes["pfs"][0]
    assert 3 * diameter(10.0, day) >= 36.0 > 3 * diameter(10.0, day - 1.0)


def test_a_new_lesion_is_progression() -> None:
    """The visible lesion stands still; progression is the first scan that shows the other."""
    start = math.log(1e8)
    rows = [hm.visible(30.0, growth=0.0), {"x": start}]
    found = hm.lives(
        hm.lesions(1, *rows), hm.people(1, n_lesions=2), hm.programme(every=7.0), days=5 * hm.YEAR
    )
    day = found.outcomes["pfs"][0]
    assert grow(start, day, hm.RATE, hm.LN_K) > hm.LN_LIMIT >= grow(start, day - 7.0, hm.RATE, hm.LN_K)
    assert found.outcomes["response"][0] == SD, "stable until then"
    still = hm.lives(hm.lesions(1, rows[0]), hm.people(1), hm.programme(every=7.0), days=5 * hm.YEAR)
    assert np.isinf(still.outcomes["pfs"][0])


def test_fast_growth_is_progression_as_best_response() -> None:
    found = hm.lives(hm.lesions(1, hm.visible(30.0)), hm.people(1), hm.programme(every=365.0), days=400.0)
    assert found.outcomes["response"][0] == PD


def test_a_hard_lesion_is_seen_later() -> None:
    """The offset moves the limit of detection of its own lesion in ln cells."""
    days = [
        hm.lives(
            hm.lesions(1, {"x": 15.0, "offset": o}), hm.people(1), hm.programme(every=1.0)
        ).outcomes["pfs"][0]
        for o in (-1.0, 0.0, 1.0)
    ]  # fmt: skip
    assert days == sorted(days)
    assert grow(15.0, days[2], hm.RATE, hm.LN_K) == pytest.approx(hm.LN_LIMIT + 1.0, abs=0.02)


def test_hepatic_progression_is_told_from_any() -> None:
    """The lung lesion is seen first; the liver's own time is that of its own lesion."""
    rows = [{"x": 19.0, "organ": LUNG}, {"x": 16.0, "organ": LIVER}]
    found = hm.lives(
        hm.lesions(1, *rows), hm.people(1, n_lesions=2), hm.programme(every=7.0), days=9 * hm.YEAR
    )
    assert found.outcomes["pfs"][0] < found.outcomes["hepatic"][0] < np.inf
    lung = hm.lives(hm.lesions(1, rows[0]), hm.people(1), hm.programme(every=7.0), days=9 * hm.YEAR)
    assert lung.outcomes["pfs"][0] == found.outcomes["pfs"][0]
    assert lung.outcomes["hepatic_event"][0] in (0, DIED)


def test_a_speck_in_the_liver_kills_nobody() -> None:
    """Three cells that never grow, ten years, liver replacement the only cause of death."""
    twins = hm.people(4000, growth=1e-9)
    draws = hm.parameters(death_liver_max=0.05)
    found = hm.lives(hm.lesions(4000, {"x": 1.0, "organ": LIVER}), twins, hm.programme(every=91.0), draws)
    assert np.isfinite(found.outcomes["death"]).mean() < 0.005


def resected(*rows: dict[str, object], n: int = 1, draws: object = None, **segment: float) -> hm.Lives:
    plan = hm.programme([hm.operation(gap=21.0, **segment)], every=28.0)
    chosen = hm.parameters(resection_success=1.0) if draws is None else draws
    tumours, twins = hm.lesions(n, *rows), hm.people(n, n_lesions=len(rows))
    return hm.lives(tumours, twins, plan, chosen, days=8 * hm.YEAR)  # type: ignore[arg-type]


def test_resection_of_everything_is_for_good() -> None:
    found = resected(hm.visible(40.0, organ=LIVER))
    assert found.outcomes["no_cells"][0] == 1
    assert np.isinf(found.outcomes["pfs"][0])
    assert found.outcomes["resected"][0] == 1
    assert found.starts[0, 0] == 21.0


def test_recurrence_after_a_disease_free_state() -> None:
    """The occult lung lesion comes back on the first scan, counted from the operation, that shows it."""
    start = 17.0
    found = resected(hm.visible(40.0, organ=LIVER), {"x": start})
    day = found.outcomes["pfs"][0]
    assert (day - 21.0) % 28.0 == pytest.approx(0.0)
    assert grow(start, day, hm.RATE, hm.LN_K) > hm.LN_LIMIT >= grow(start, day - 28.0, hm.RATE, hm.LN_K)
    assert found.outcomes["no_cells"][0] == 0


def test_disease_outside_the_liver_prevents_the_operation() -> None:
    found = resected(hm.visible(40.0, organ=LIVER), hm.visible(20.0, organ=LUNG))
    assert found.outcomes["resected"][0] == 0
    assert found.outcomes["no_cells"][0] == 0


def test_occult_lesions_in_the_removed_part_go_with_it() -> None:
    """Exactly those whose place, by their own coin, is outside the remnant; never one in the lung."""
    n, remnant = 2000, 0.6
    draws = hm.parameters(resection_success=1.0)
    found = resected(
        hm.visible(40.0, organ=LIVER), {"x": 8.0, "organ": LIVER}, n=n, draws=draws, remnant=remnant
    )
    coin = np.array([keyed.uniform(11, key, keyed.IN_REMNANT, 1) for key in range(n)])
    np.testing.assert_array_equal(found.outcomes["no_cells"], coin > remnant)
    share = np.mean(coin > remnant)
    assert share == pytest.approx(1 - remnant, abs=4 * math.sqrt(remnant * (1 - remnant) / n))
    lung = resected(hm.visible(40.0, organ=LIVER), {"x": 8.0}, n=200, draws=draws, remnant=remnant)
    assert not lung.outcomes["no_cells"].any()


def test_the_surgeon_finds_what_the_scan_did_not() -> None:
    """Between the limits of intraoperative ultrasound and CT a liver lesion is found and removed."""
    limit = math.log(float(hm.parameters()["detect_ious_cells"][0]))
    found = [
        resected(hm.visible(40.0, organ=LIVER), {"x": limit + d, "organ": LIVER}).outcomes["no_cells"][0]
        for d in (-1.0, 0.1, 1.0)
    ]
    assert found == [0, 1, 1]


def test_failed_margins_have_their_frequency_and_come_back() -> None:
    n, success = 3000, 0.8
    found = resected(hm.visible(40.0, organ=LIVER), n=n, draws=hm.parameters(resection_success=success))
    failed = found.outcomes["no_cells"] == 0
    assert failed.mean() == pytest.approx(1 - success, abs=4 * math.sqrt(success * (1 - success) / n))
    np.testing.assert_array_equal(found.outcomes["local_failure"] == 1, failed)
    assert np.isinf(found.outcomes["pfs"][~failed]).all()


def test_deaths_and_complications_of_an_operation_have_their_frequency() -> None:
    n = 4000
    twins = hm.people(n, background_factor=1.0)  # operative risk follows the background risk
    plan = hm.programme([hm.operation(gap=21.0, mortality=0.05, morbidity=0.3)], every=28.0)
    found = hm.lives(hm.lesions(n, hm.visible(40.0, organ=LIVER)), twins, plan, days=60.0)
    dead = found.outcomes["cause"] == CAUSE_OPERATION
    assert dead.mean() == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / n))
    assert (found.outcomes["death"][dead] == 51.0).all()
    assert (found.grades[:, 3] >= 3).mean() == pytest.approx(0.3 + 0.7 * 0.05, abs=0.03)


def local_failure(size: float, margin: float, *, near: int = 0, device: float = 1.0, n: int = 600) -> float:
    plan = hm.programme(
        [hm.operation(gap=0.0, resect=0, ablate=1, margin=margin, hazard_factor=device)], every=91.0
    )
    rows = hm.visible(size, organ=LIVER, near_vessel=near)
    found = hm.lives(hm.lesions(n, rows), hm.people(n), plan, days=6 * hm.YEAR)
    np.testing.assert_array_equal(found.outcomes["local_failure"] == 1, found.outcomes["no_cells"] == 0)
    return float(found.outcomes["local_failure"].mean())


def test_local_failure_of_ablation_is_the_margin_curve() -> None:
    """Share of residual tumour averaged over the scatter of the margin reached."""
    par = hm.parameters()[0]
    z = np.random.default_rng(1).standard_normal(20000)
    scatter, n = par["margin_sd_mm"] * z, 3000
    hazard = [par[f"ablation_{name}"] for name in ("hazard", "margin_slope", "size_factor", "sink_factor")]
    for size, margin in ((15.0, 5.0), (30.0, 5.0), (30.0, 0.0)):
        law = np.mean([residual_probability(size, margin + v, *hazard, 0, 1.0) for v in scatter])
        error = math.sqrt(law * (1 - law) / n)
        assert local_failure(size, margin, n=n) == pytest.approx(law, abs=4 * error + 0.01)


def test_ablation_fails_more_with_size_vessel_and_device_and_less_with_margin() -> None:
    sizes = [local_failure(s, 5.0) for s in (10.0, 20.0, 30.0, 40.0)]
    assert sizes == sorted(sizes)
    assert sizes[-1] > 1.3 * sizes[0]
    margins = [local_failure(25.0, m) for m in (0.0, 3.0, 5.0, 10.0)]
    assert margins == sorted(margins, reverse=True)
    assert margins[0] > 2 * margins[-1], "two to three times from 10 mm to none"
    assert local_failure(25.0, 5.0, near=1) > local_failure(25.0, 5.0)
    assert local_failure(25.0, 5.0, device=0.5) < local_failure(25.0, 5.0)


def test_resection_and_ablation_at_once_take_the_largest_by_knife() -> None:
    """Only the small lesion can be left behind by heat."""
    rows = [hm.visible(40.0, organ=LIVER), hm.visible(12.0, organ=LIVER)]
    plan = hm.programme([hm.operation(ablate=1, margin=0.0, ablate_max=30.0)], every=91.0)
    n = 500
    found = hm.lives(
        hm.lesions(n, *rows),
        hm.people(n, n_lesions=2),
        plan,
        hm.parameters(resection_success=1.0),
        days=8 * hm.YEAR,
    )
    alone = local_failure(12.0, 0.0, n=n)
    assert 0.0 < found.outcomes["local_failure"].mean() == pytest.approx(alone, abs=0.12)


def test_progressions_count_from_the_start_of_each_step() -> None:
    """A course begun after the first progression has a day of its own; one that did not begin has none."""
    late = hm.course(2) | {"gap": 400.0, "trigger": 0}
    admins = [{"day": 0.0, "what": GIVE_NOTHING}]
    plan = hm.programme([hm.course(2), late], admins, every=28.0)
    found = hm.lives(hm.lesions(1, hm.visible(30.0)), hm.people(1), plan, days=3000.0)
    starts, days = found.starts[0], found.progressions[0]
    first = found.outcomes["pfs"][0]
    assert days[0] == first
    assert np.isnan(days[1]) == np.isnan(starts[1])
    assert np.isnan(starts[1]) or days[1] >= starts[1] > first


@pytest.mark.parametrize("frailty", [-1.0, 1.0])
def test_frailty_multiplies_the_hazard_of_cancer(frailty: float) -> None:
    """A constant hazard: the day of death by one coin moves by the factor."""
    par = hm.parameters(death_intercept=-6.0, death_burden=0.0)
    rows = hm.lesions(1, hm.visible(30.0, growth=0.0))
    found = [
        hm.lives(rows, hm.people(1, ln_frailty=f), hm.programme(), draws=par, days=18000.0)
        for f in (0.0, frailty)
    ]
    plain, frail = (float(lives.outcomes["death"][0]) for lives in found)
    assert frail == pytest.approx(plain * math.exp(-frailty), rel=1e-6)
