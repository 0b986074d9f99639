"""Twins agree with what was found: growth between scans, what was not seen, earlier response."""

from __future__ import annotations

import copy
import json
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from metachron.engine.records import OCCULT, VISIBLE
from metachron.errors import TwinError
from metachron.parameters import draw_parameters
from metachron.patient import parse_patient
from metachron.patient.examples import example_names, example_path, read_example
from metachron.patient.schema import Patient
from metachron.plan.findings import read_findings
from metachron.plan.twins import Twins, doubling_times, effective_size, make_twins, unseen_counts
from metachron.strategies.catalogue import load_catalogue

FIRST, SECOND = date(2025, 3, 18), date(2025, 5, 20)
DAYS = (SECOND - FIRST).days


def record(name: str = "metachronous_solitary") -> dict[str, Any]:
    found = json.loads(example_path(name).read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def with_growth(before_mm: float, after_mm: float, days: int = DAYS) -> Patient:
    """The metachronous example with its lesion measured twice, the last time as in the example."""
    data = record()
    data["metastases"][0]["measurements"] = [
        {"date": (SECOND - timedelta(days=days)).isoformat(), "diameter_mm": before_mm, "modality": "CT"},
        {"date": SECOND.isoformat(), "diameter_mm": after_mm, "modality": "CT"},
    ]
    return parse_patient(data)


def doubling(days: float, after_mm: float = 30.0, span: int = 180) -> Patient:
    """A volume doubling time between two scans half a year apart, 30 doublings or so after the primary."""
    data = record()
    year = 2025 - (3 if days < 100 else 8)
    data["primary"] |= {"diagnosed_on": f"{year}-09-25", "resected_on": f"{year}-10-16"}
    before = after_mm * 2.0 ** (-span / days / 3.0)
    data["metastases"][0]["measurements"] = [
        {
            "date": (SECOND - timedelta(days=span)).isoformat(),
            "diameter_mm": round(before, 1),
            "modality": "CT",
        },
        {"date": SECOND.isoformat(), "diameter_mm": after_mm, "modality": "CT"},
    ]
    return parse_patient(data)


def twins_of(patient: Patient, n: int = 400, draws: int = 10, seed: int = 3) -> Twins:
    return make_twins(
        patient, read_findings(patient, load_catalogue()), draw_parameters(draws, seed), n, seed, 0
    )  # fmt: skip


@pytest.mark.parametrize(("days", "low", "high"), [(60.0, 48.0, 85.0), (300.0, 200.0, 420.0)])
def test_growth_between_scans_sets_the_doubling_time(days: float, low: float, high: float) -> None:
    """Without the earlier scan both patients would be alike."""
    found = twins_of(doubling(days))
    assert low < np.median(doubling_times(found)) < high
    assert "growth between dated scans" in found.matched_on


def test_fast_and_slow_growth_are_told_apart() -> None:
    fast, slow = doubling_times(twins_of(doubling(60.0))), doubling_times(twins_of(doubling(300.0)))
    assert np.quantile(fast, 0.95) < np.quantile(slow, 0.05)


def test_growth_that_no_tumour_has_is_refused_by_name() -> None:
    """10 to 90 mm in 20 days."""
    with pytest.raises(TwinError, match="growth between dated scans"):
        twins_of(with_growth(10.0, 90.0, days=20))


def test_shrinkage_without_treatment_is_refused_by_name() -> None:
    with pytest.raises(TwinError, match="growth between dated scans"):
        twins_of(with_growth(90.0, 20.0))


def test_the_message_says_how_many_agree_and_what_to_do() -> None:
    with pytest.raises(TwinError, match=r"only \d+ of \d+ virtual patients agree.*Check the sizes and dates"):
        twins_of(with_growth(10.0, 90.0, days=20))


@pytest.mark.parametrize("example", example_names())
def test_every_example_has_enough_twins(example: str) -> None:
    found = twins_of(read_example(example))
    assert found.twins.size == 400
    assert 100 <= found.ess <= found.candidates
    assert (found.twins["n_lesions"] <= found.lesions.shape[1]).all()
    np.testing.assert_array_equal(found.twins["key"], np.arange(400))
    assert set(np.unique(found.twins["draw"])) <= set(range(10))
    assert len(np.unique(found.twins["draw"])) >= 8, (
        "every parameter set keeps twins, save a very unlikely one"
    )


def test_visible_lesions_have_their_measured_sizes() -> None:
    patient = read_example("synchronous_bilobar")
    found = twins_of(patient)
    shown = found.lesions["status"] == VISIBLE
    assert (shown.sum(1) == len(patient.metastases)).all()
    last = [max(m.measurements, key=lambda s: s.date).diameter_mm for m in patient.metastases]
    x = np.median(found.lesions["x"][:, : len(last)], axis=0)
    size = 10 * np.cbrt(6 / np.pi * np.exp(x) / 1e9)
    np.testing.assert_allclose(size, last, rtol=0.25)


def test_unseen_lesions_are_those_no_scan_shows() -> None:
    found = twins_of(read_example("stage3_adjuvant"))
    assert (found.lesions["status"] != VISIBLE).all()
    np.testing.assert_array_equal(unseen_counts(found), (found.lesions["status"] == OCCULT).sum(1))
    assert 0.2 < (unseen_counts(found) > 0).mean() < 0.9


def test_more_positive_nodes_mean_more_unseen_disease() -> None:
    few, many = record("stage3_adjuvant"), record("stage3_adjuvant")
    few["primary"] |= {"nodes_positive": 1, "n": "N1a"}
    many["primary"] |= {"nodes_positive": 10, "n": "N2b", "nodes_examined": 20}
    shares = [(unseen_counts(twins_of(parse_patient(d))) > 0).mean() for d in (few, many)]
    assert shares[0] < shares[1]


def test_progression_on_a_drug_leaves_resistant_twins() -> None:
    data = record("unresectable_ras_mutant")
    naive = twins_of(parse_patient(copy.deepcopy(data)))
    data["prior_treatments"] = [
        {
            "name": "mfolfox6",
            "setting": "metastatic",
            "start": "2024-09-01",
            "end": "2024-10-06",
            "response": "PD",
        }
    ]
    for lesion in data["metastases"]:
        lesion["measurements"] = lesion["measurements"][-1:]
    failed = twins_of(parse_patient(data))
    for k in (0, 1):
        assert np.median(failed.twins["logit_macro"][:, k]) > np.median(naive.twins["logit_macro"][:, k]) + 2


def test_same_seed_same_twins() -> None:
    a, b = (twins_of(read_example("synchronous_bilobar"), n=200) for _ in range(2))
    np.testing.assert_array_equal(a.twins, b.twins)
    np.testing.assert_array_equal(a.lesions, b.lesions)
    other = twins_of(read_example("synchronous_bilobar"), n=200, seed=4)
    assert (a.lesions["x"][:, 0] != other.lesions["x"][:, 0]).all()


def test_effective_size() -> None:
    assert effective_size(np.zeros(50)) == pytest.approx(50.0)
    assert effective_size(np.array([0.0, -800.0, -800.0])) == pytest.approx(1.0)
    assert effective_size(np.log(np.array([1.0, 1.0, 2.0]))) == pytest.approx(16 / 6)


def test_no_parameter_draw_takes_over() -> None:
    """The density of sizes at the first operation is normalised: findings move the draws only a little."""
    found = twins_of(read_example("small_unfit"))
    share = np.bincount(found.twins["draw"]) / found.twins.size
    assert 1.0 / np.sum(share**2) > found.draws.size / 3


def test_no_twin_grows_faster_than_the_engine_takes() -> None:
    patient, draws = read_example("stage3_adjuvant"), draw_parameters(400, 11, prior=True)
    draws["sd_ln_growth"] = 3.0
    twins = make_twins(patient, read_findings(patient, load_catalogue()), draws, 2000, 11, 0).twins
    assert 0.9 < twins["growth"].max() <= 1.0
