"""Scores against their published definitions and the published survival in the fact table."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from metachron.evidence import load_facts, load_references
from metachron.patient.schema import Patient
from metachron.patient.scores import (
    FONG,
    GAME,
    NORDLINGER,
    TUMOUR_BURDEN,
    Band,
    fong,
    game,
    nordlinger,
    scores,
    tumour_burden,
    tumour_burden_score,
)

# nothing counts: node-negative T3, four years' interval, one lesion of 2 cm, CEA 5, RAS wild type
LOWEST: dict[str, Any] = {
    "id": "test",
    "assessed_on": "2025-06-01",
    "age_years": 55,
    "primary": {"t": "T3", "n": "N0", "diagnosed_on": "2021-01-01", "resected_on": "2021-02-01"},
    "metastasis_summary": {
        "liver_lesions": 1,
        "largest_liver_mm": 20,
        "extrahepatic": False,
        "detected_on": "2025-05-01",
    },
    "last_imaging_on": "2025-05-20",
    "markers": {"ras": "wild type"},
    "labs": {"cea_ng_ml": 5},
}


def patient(changes: dict[str, Any]) -> Patient:
    record = {k: dict(v) if isinstance(v, dict) else v for k, v in LOWEST.items()}
    for path, value in changes.items():
        head, _, last = path.rpartition(".")
        (record[head] if head else record)[last] = value
    return Patient.model_validate(record)


FONG_ITEMS: list[tuple[str, Any]] = [
    ("primary.n", "N1"),
    ("metastasis_summary.detected_on", "2022-01-30"),
    ("metastasis_summary.liver_lesions", 2),
    ("metastasis_summary.largest_liver_mm", 51),
    ("labs.cea_ng_ml", 201),
]


@pytest.mark.parametrize("present", list(itertools.product([False, True], repeat=5)))
def test_fong_adds_one_point_for_each_of_five(present: tuple[bool, ...]) -> None:
    changes = dict(item for item, here in zip(FONG_ITEMS, present, strict=True) if here)
    score = fong(patient(changes))
    assert score.value == sum(present)
    assert score.group == ("low risk" if sum(present) <= 2 else "high risk")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metastasis_summary.detected_on", "2022-02-01"),  # 12 months
        ("metastasis_summary.largest_liver_mm", 50),
        ("labs.cea_ng_ml", 200),
        ("metastasis_summary.liver_lesions", 1),
    ],
)
def test_fong_limits_are_strict(path: str, value: Any) -> None:
    assert fong(patient({path: value})).value == 0


def test_fong_synchronous_counts_as_a_short_interval() -> None:
    assert (
        fong(patient({"metastasis_summary.detected_on": "2021-01-05"})).items["interval under 12 months"]
        is True
    )


def test_reported_fong_score_stands_in_for_missing_components_only() -> None:
    unknown = fong(patient({"labs.cea_ng_ml": None}))
    assert unknown.value is None
    assert unknown.missing == ["labs.cea_ng_ml"]
    assert fong(patient({"labs.cea_ng_ml": None, "clinical_risk_score": 3})).value == 3
    assert fong(patient({"clinical_risk_score": 3})).value == 0


@pytest.mark.parametrize(
    ("largest_mm", "number", "expected"), [(30, 4, 5.0), (40, 3, 5.0), (50, 12, 13.0), (20, 1, 5**0.5)]
)
def test_tumour_burden_is_the_hypotenuse(largest_mm: float, number: int, expected: float) -> None:
    assert tumour_burden_score(largest_mm, number) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("largest_mm", "number", "zone", "points"),
    [(28, 1, "zone 1", 0), (30, 1, "zone 2", 1), (89, 1, "zone 2", 1), (90, 1, "zone 3", 2)],
)
def test_tumour_burden_zones_and_game_points(largest_mm: float, number: int, zone: str, points: int) -> None:
    one = patient(
        {"metastasis_summary.largest_liver_mm": largest_mm, "metastasis_summary.liver_lesions": number}
    )
    assert tumour_burden(one).group.startswith(zone)
    assert game(one).value == points


def test_game_runs_from_0_to_7() -> None:
    worst = {
        "markers.ras": "mutant",
        "labs.cea_ng_ml": 20,
        "primary.n": "N2",
        "metastasis_summary.largest_liver_mm": 100,
        "metastasis_summary.extrahepatic": True,
    }
    assert game(patient({})).value == 0
    assert game(patient(worst)).value == 7
    assert game(patient({"metastasis_summary.extrahepatic": True})).value == 2
    assert game(patient({"labs.cea_ng_ml": 19.9})).value == 0
    assert game(patient({"markers.ras": None})).missing == ["markers.ras"]
    assert [game(patient(dict(list(worst.items())[:n]))).group for n in (0, 2, 4)] == [
        "low risk",
        "medium risk",
        "high risk",
    ]


def test_nordlinger_items() -> None:
    worst = {
        "age_years": 61,
        "primary.t": "T4a",
        "primary.n": "N1",
        "metastasis_summary.detected_on": "2023-01-15",
        "metastasis_summary.liver_lesions": 4,
        "metastasis_summary.largest_liver_mm": 51,
    }
    assert nordlinger(patient({})).value == 0
    assert nordlinger(patient(worst)).value == 6
    assert nordlinger(patient({"metastasis_summary.liver_lesions": 3, "age_years": 60})).value == 0
    assert nordlinger(patient({"primary.t": None})).missing == ["primary.t"]


def test_scores_do_not_apply_without_liver_metastases() -> None:
    for score in scores(patient({"metastasis_summary": None})):
        assert not score.applicable
        assert score.value is None
    for score in scores(patient({"metastasis_summary": None, "last_imaging_on": None})):
        assert score.applicable
        assert score.missing


def percent(fact_id: str) -> list[float]:
    return [value / 100 for value in load_facts()[fact_id].values]


def test_published_survival_is_that_of_the_fact_table() -> None:
    assert [band.survival["5-year OS"] for band in FONG] == percent("risk_score-003")
    assert [band.survival["5-year OS"] for band in TUMOUR_BURDEN] == pytest.approx(percent("risk_score-015"))
    medians = load_facts()["risk_score-013"].values  # high, moderate, low
    assert [
        f"{median} months" in band.published for median, band in zip(medians, GAME[::-1], strict=True)
    ] == [True] * 3
    assert "79 / 60 / 43%" in load_facts()["risk_score-017"].note
    assert [band.survival["2-year OS"] for band in NORDLINGER] == [0.79, 0.60, 0.43]


@pytest.mark.parametrize(
    ("bands", "facts"),
    [
        ([FONG[0], FONG[2], FONG[3], FONG[4]], [24, 24, 25, 25]),
        (GAME, [27, 28, 29]),
        (NORDLINGER, [30, 31, 32]),
    ],
)
def test_published_relapse_is_that_of_karoliver(bands: list[Band], facts: list[int]) -> None:
    for band, number in zip(bands, facts, strict=True):
        one, two, three = percent(f"resection_recurrence-{number:03d}")[:3]
        assert band.relapse["1-year relapse"] == pytest.approx(one, abs=1e-3)
        assert band.relapse["2-year relapse"] == pytest.approx(one + two, abs=1e-3)
        assert band.relapse["3-year relapse"] == pytest.approx(one + two + three, abs=1e-3)
    assert FONG[5].relapse == {}  # five patients


def test_recalled_survival_says_so_and_citations_exist() -> None:
    known = load_references()
    for score in scores(patient({})):
        assert set(score.citations) <= set(known)
        assert (score.status == "recalled") == ("recalled" in score.published)
