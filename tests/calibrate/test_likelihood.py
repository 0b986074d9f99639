"""From published figures to counts of events among those at risk."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from metachron.calibrate.layout import RESPONSE, lay_out, pad
from metachron.calibrate.likelihood import (
    Count,
    collect,
    counts_of,
    effective_at_risk,
    ratios_of,
    successive,
    temper,
)
from metachron.calibrate.targets import Target, load_targets
from metachron.calibrate.targets_data import CurveData

CURVE = {
    "endpoint": "OS", "arm": "a", "months": [6.0, 12.0, 24.0], "at_risk": [100, 80, 50],
    "events": [10, 20, 15], "survival": [0.895, 0.66, 0.45], "remaining": 20,
}  # fmt: skip


def target(**findings: Any) -> Target:
    body = {
        "trial": "T", "citation": {"text": "made up"}, "setting": "first_line", "horizon_months": 30,
        "arms": [{"name": n, "strategy": "mfolfox6", "n": 100} for n in "ab"],
    }  # fmt: skip
    return Target.model_validate({**body, **findings})


def counts(one: Target) -> list[Count]:
    return counts_of(one, pad(lay_out(one)))


def test_the_counts_of_a_curve_give_back_its_survival() -> None:
    found = counts(target(curves=[{**CURVE, "origin": "individual"}]))
    survival = np.cumprod([1 - c.events / c.at_risk for c in found])
    assert survival == pytest.approx(CURVE["survival"], abs=0.002)
    assert [c.events for c in found] == CURVE["events"]
    assert [(c.first, c.last) for c in found] == [(0, 1), (1, 2), (2, 3)]


def test_an_interval_without_events_counts_half_of_the_censored() -> None:
    curve = CurveData.model_validate({**CURVE, "events": [0, 20, 15], "survival": [1.0, 0.7, 0.5]})
    assert effective_at_risk(curve)[0] == pytest.approx(90.0)  # 100, of whom 20 are censored


def test_curves_read_off_a_figure_weigh_less_the_larger_the_arm() -> None:
    exact, read = (counts(target(curves=[{**CURVE, "origin": o}])) for o in ("individual", "reconstructed"))
    ratio = read[0].events / exact[0].events
    assert ratio == pytest.approx(temper(100, float(np.mean([s * (1 - s) for s in CURVE["survival"]]))))
    assert temper(1000, 0.2) < temper(100, 0.2) < 1
    # the variance of survival with both errors is that of the tempered number
    assert 0.2 / (temper(500, 0.2) * 500) == pytest.approx(0.2 / 500 + 0.015**2)


def test_figures_weigh_less_the_rougher_the_emulator() -> None:
    point = {"endpoint": "OS", "arm": "b", "months": 12, "survival": 0.8, "n": 100}
    one = target(curves=[{**CURVE, "origin": "individual"}], landmarks=[point])
    padded = pad(lay_out(one))
    exact, rough = counts_of(one, padded), counts_of(one, padded, 0.04)
    weights = [b.at_risk / a.at_risk for a, b in zip(exact, rough, strict=True)]
    assert max(weights) < 1
    assert weights[-1] == pytest.approx(1 / (1 + 100 * 0.04**2 / 0.16))
    assert [b.events / b.at_risk for b in rough] == pytest.approx([a.events / a.at_risk for a in exact])


def test_points_of_one_endpoint_are_successive_not_repeated() -> None:
    one = target(landmarks=[
        {"endpoint": "OS", "arm": "a", "months": 12, "survival": 0.8, "n": 100},
        {"endpoint": "OS", "arm": "a", "months": 36, "survival": 0.4, "n": 100},
    ])  # fmt: skip
    first, second = counts(one)
    assert (first.first, first.last, second.first, second.last) == (0, 1, 1, 2)
    assert first.events == pytest.approx(20)
    assert (second.events, second.at_risk) == (pytest.approx(40), pytest.approx(80))


def test_a_published_interval_sets_the_number_of_patients() -> None:
    point = {"endpoint": "OS", "arm": "a", "months": 12, "survival": 0.5, "n": 400}
    (wide,) = counts(target(landmarks=[{**point, "low": 0.4, "high": 0.6}]))
    assert wide.at_risk == pytest.approx(0.25 / (0.2 / 3.92) ** 2)
    (narrow,) = counts(target(landmarks=[{**point, "low": 0.49, "high": 0.51}]))
    assert narrow.at_risk == 400


def test_progression_is_counted_over_a_scan_interval_at_least() -> None:
    curve = {
        "endpoint": "PFS", "arm": "a", "months": [1.0, 2.0, 3.0, 4.0, 6.0, 6.5], "origin": "individual",
        "at_risk": [100, 90, 60, 50, 40, 20], "events": [10, 30, 10, 10, 18, 2],
        "survival": [0.9, 0.6, 0.5, 0.4, 0.21, 0.189], "remaining": 18,
    }  # fmt: skip
    found = counts(target(curves=[curve], scans={"every_days": 56}))
    assert [c.events for c in found] == [40, 20, 20]  # two months each; the last half month joins
    assert np.cumprod([1 - c.events / c.at_risk for c in found]) == pytest.approx(
        [0.6, 0.4, 0.189], abs=0.003
    )
    assert len(counts(target(curves=[{**curve, "endpoint": "OS"}], scans={"every_days": 56}))) == 6


def test_a_median_of_progression_counts_around_its_day() -> None:
    median = {"arm": "a", "months": 4, "n": 100}
    one = target(
        medians=[{"endpoint": "PFS", **median}, {"endpoint": "OS", **median}], scans={"every_days": 56}
    )
    pfs, os = counts(one)
    layout = lay_out(one)[0]
    assert layout.head("PFS").ends.tolist() == pytest.approx([121.75 - 14, 121.75 + 14])
    assert (pfs.first, pfs.last, pfs.later) == (
        layout.start("PFS"),
        layout.start("PFS") + 1,
        layout.start("PFS") + 2,
    )
    assert os.last == os.later


def test_a_median_counts_as_a_point_of_half() -> None:
    (count,) = counts(target(medians=[{"endpoint": "PFS", "arm": "a", "months": 8, "n": 200}]))
    assert count.events == pytest.approx(0.5 * count.at_risk)
    assert count.at_risk == pytest.approx(140)


def test_a_response_rate_is_an_interval_of_its_own() -> None:
    one = target(responses=[{"arm": "a", "orr": 0.4, "n": 50}], medians=[
        {"endpoint": "PFS", "arm": "a", "months": 8, "n": 50}])  # fmt: skip
    found = counts(one)
    layout = lay_out(one)[0]
    assert layout.heads[-1].endpoint == RESPONSE
    assert found[-1].first == layout.size - 1
    assert found[-1].events == pytest.approx(20)


def test_nothing_counts_twice() -> None:
    one = target(
        curves=[CURVE], landmarks=[{"endpoint": "OS", "arm": "a", "months": 12, "survival": 0.7, "n": 100}],
        medians=[{"endpoint": "OS", "arm": "a", "months": 20, "n": 100}],
    )  # fmt: skip
    assert len(counts(one)) == 3  # the curve only


def test_what_is_only_shown_is_not_counted() -> None:
    shown = {**CURVE, "arm": "b", "use": "shown", "reason": "another drug"}
    one = target(curves=[CURVE, shown])
    assert {c.arm for c in counts(one)} == {"a"}
    assert [layout.arm for layout in lay_out(one)] == ["a"]


def test_a_hazard_ratio_counts_only_where_it_is_to_be_fitted() -> None:
    ratio = {"endpoint": "OS", "arm": "a", "reference": "b", "hazard_ratio": 0.8, "low": 0.6, "high": 1.07}
    assert lay_out(target(contrasts=[ratio])) == []
    one = target(contrasts=[{**ratio, "use": "fit"}])
    (found,) = ratios_of(one, pad(lay_out(one)))
    assert found.ln_ratio == pytest.approx(np.log(0.8))
    assert found.error == pytest.approx(np.log(1.07 / 0.6) / 3.92)


def test_successive_keeps_the_events_of_the_last_point() -> None:
    at = [Count("T", "a", 0, k, e, 100, "T OS a") for k, e in ((1, 30.0), (3, 60.0), (2, 45.0))]
    found = successive(at)
    assert sum(c.events for c in found) == pytest.approx(60.0)


def test_the_registry_is_collected_whole() -> None:
    targets = list(load_targets().values())
    padded = pad([layout for one in targets for layout in lay_out(one)])
    data = collect(targets, padded)
    assert (data.events >= 0).all()
    assert (data.events <= data.at_risk + 1e-9).all()
    assert (data.last > data.first).all()
    sizes = np.array([layout.size for layout in padded.arms])
    assert (data.last <= sizes[data.arm]).all()
    assert (padded.head[data.arm, data.first] == padded.head[data.arm, data.last - 1]).all()
