# ruff: noqa: E501 - one case a line
"""Contradictions between fields."""

from __future__ import annotations

from typing import Any

import pytest

from metachron.errors import InputError, Problem
from metachron.patient import parse_patient

BASE: dict[str, Any] = {"id": "a", "assessed_on": "2024-06-01", "age_years": 62}
KNOWN = ["mfolfox6", "capox", "bevacizumab", "hepatectomy", "microwave", "folfiri"]


def lesion(name: str = "x", day: str = "2024-05-01", mm: float = 10, **fields: Any) -> dict[str, Any]:
    return {"id": name, "organ": "liver", "measurements": [{"date": day, "diameter_mm": mm}], **fields}


def prior(**fields: Any) -> dict[str, Any]:
    return {"prior_treatments": [{"name": "mfolfox6", **fields}]}


def problems(fields: dict[str, Any]) -> list[Problem]:
    with pytest.raises(InputError) as caught:
        parse_patient({**BASE, **fields}, known_treatments=KNOWN)
    return caught.value.problems


CASES: list[tuple[dict[str, Any], str, str, str, str]] = [
    # dates
    ({"primary": {"diagnosed_on": "2023-05-01", "resected_on": "2023-04-01"}}, "primary.resected_on", "before the diagnosis", "2023-05-01 or later", "found at the operation"),
    ({"metastases": [lesion(day="2024-06-02")]}, "metastases[0].measurements[0].date", "after the assessment", "to 2024-06-01", "assessed_on"),
    ({"labs": {"measured_on": "2204-01-01"}}, "labs.measured_on", "after the assessment", "to 2024-06-01", "year"),
    ({"primary": {"diagnosed_on": "1969-12-31"}, "age_years": 90}, "primary.diagnosed_on", "before 1970", "1970-01-01 to", "year"),
    ({"primary": {"diagnosed_on": "1990-01-01"}, "age_years": 20}, "primary.diagnosed_on", "before the birth", "to 2024", "year"),
    ({"assessed_on": "1024-06-01"}, "assessed_on", "cannot be the day", "1990-01-01", "year"),
    ({"primary": {"diagnosed_on": "2024-01-01"}, "metastases": [lesion(day="2022-05-01")]}, "metastases[0].measurements[0].date", "more than a year before", "2022-12-31 or later", "at most a year"),
    ({"primary": {"diagnosed_on": "2024-01-01"}, "metastasis_summary": {"detected_on": "2022-05-01"}}, "metastasis_summary.detected_on", "more than a year", "or later", "both dates"),
    ({"metastases": [lesion()], "last_imaging_on": "2024-04-01"}, "last_imaging_on", "before the scan", "2024-05-01 or later", "metastases[0]"),
    (prior(start="2024-03-01", end="2024-02-01"), "prior_treatments[0].end", "before the start", "2024-03-01 to", "swapped"),
    (prior(start="2024-07-01"), "prior_treatments[0].start", "after the assessment", "to 2024-06-01", "Only what has happened"),
    (prior(start="2024-03-01", end="2024-03-15", cycles=12), "prior_treatments[0].cycles", "do not fit", "at most 3", "count"),
    ({**prior(start="2024-03-01", setting="adjuvant"), "primary": {"resected_on": "2024-04-01"}}, "prior_treatments[0].start", "before the operation", "2024-04-01 or later", "setting"),
    ({**prior(setting="adjuvant"), "primary": {"resected": False}}, "prior_treatments[0].setting", "primary.resected is false", "neoadjuvant", "one of the two"),
    # primary
    ({"primary": {"nodes_positive": 5, "nodes_examined": 3}}, "primary.nodes_positive", "5 positive nodes of 3", "0 to 3", "swapped"),
    ({"primary": {"n": "N0", "nodes_positive": 2}}, "primary.n", "contradicts 2", "N0 has 0", "N1 or N1b"),
    ({"primary": {"n": "N1", "nodes_positive": 4}}, "primary.n", "contradicts 4", "1 to 3", "N2 or N2a"),
    ({"primary": {"n": "N2", "nodes_positive": 3}}, "primary.n", "contradicts 3", "4 or more", "N1 or N1b"),
    ({"primary": {"n": "N2b", "nodes_positive": 5}}, "primary.n", "contradicts 5", "7 or more", "N2a"),
    ({"primary": {"site": "caecum", "side": "left"}}, "primary.side", "contradicts the site caecum", '"right"', "leave side out"),
    ({"primary": {"resected": False, "resected_on": "2024-01-01"}}, "primary.resected_on", "resected is false", "absent", "true"),
    ({"primary": {"resected": False, "margin": "R0"}}, "primary.margin", "resected is false", "absent", "true"),
    # markers
    ({"markers": {"ras": "wild type", "kras_g12c": True}}, "markers.ras", "G12C is a KRAS mutation", '"mutant"', "kras_g12c to false"),
    ({"markers": {"ras": "mutant", "braf": "V600E"}}, "markers.braf", "1 of 2,000", "one of the two", "If both are confirmed"),
    ({"markers": {"kras_g12c": True, "braf": "V600E"}}, "markers.braf", "1 of 2,000", "one of the two", "Check the report"),
    # lesions
    ({"metastases": [lesion("a"), lesion("A ")]}, "metastases[1].id", "used by metastases[0]", "different name", "measurements"),
    ({"metastases": [lesion(organ="lung", segment=4)]}, "metastases[0].segment", "lung lesion has no liver segment", "liver lesions only", "organ"),
    ({"metastases": [lesion(measurements=[{"date": "2024-05-01", "diameter_mm": 10}, {"date": "2024-05-01", "diameter_mm": 20}])]}, "metastases[0].measurements[1]", "two sizes", "one size", "right one"),
    ({"metastases": [lesion(mm=350)]}, "metastases[0].measurements[0].diameter_mm", "more than any liver", "at most 212 mm", "mm"),
    ({"metastases": [lesion(mm=150)], "liver": {"volume_ml": 1500}}, "metastases[0].measurements[0].diameter_mm", "more than the liver (1500 mL)", "at most 142 mm", "mm"),
    ({"metastasis_summary": {"largest_liver_mm": 300}}, "metastasis_summary.largest_liver_mm", "more than any liver", "212 mm", "mm"),
    # summary
    ({"metastasis_summary": {"liver_lesions": 0, "largest_liver_mm": 20}}, "metastasis_summary.largest_liver_mm", "liver_lesions is 0", "absent", "count"),
    ({"metastases": [lesion()], "metastasis_summary": {"liver_lesions": 3}}, "metastasis_summary.liver_lesions", "1 are listed", "1", "listed one by one"),
    ({"metastases": [lesion()], "metastasis_summary": {"extrahepatic": True}}, "metastasis_summary.extrahepatic", "says otherwise", "false", "one by one"),
    ({"metastases": [lesion()], "metastasis_summary": {"largest_liver_mm": 40}}, "metastasis_summary.largest_liver_mm", "largest listed measures 10", "10 mm", "one by one"),
    ({"metastases": [lesion()], "metastasis_summary": {"detected_on": "2024-05-09"}}, "metastasis_summary.detected_on", "after the first", "2024-05-01 or earlier", "one by one"),
    ({"metastases": [lesion(segment=2), lesion("y", segment=3)], "metastasis_summary": {"bilobar": True}}, "metastasis_summary.bilobar", "segments", "false", "one by one"),
    # body and preferences
    ({"height_cm": 200, "weight_kg": 31}, "weight_kg", "body-mass index of 8", "40 to", "units"),
    ({"height_cm": 120, "weight_kg": 290}, "weight_kg", "body-mass index", "30 to", "units"),
    ({"fit_for_major_surgery": True, "ecog": 4}, "fit_for_major_surgery", "contradicts ECOG 4", "false", "one of the two"),
    ({"preferences": {"weight_survival": 0}}, "preferences.weight_survival", "all three weights", "above 0", "Leave"),
    # catalogue
    ({"prior_treatments": [{"name": "FOLFOX"}]}, "prior_treatments[0].name", "not a treatment", "metachron strategies", '"mfolfox6"'),
    ({"prior_treatments": [{"name": "folfri"}]}, "prior_treatments[0].name", "not a treatment", "metachron strategies", '"folfiri"'),
    ({"prior_treatments": [{"name": "XELOX + Avastin"}]}, "prior_treatments[0].name", "not a treatment", "metachron", "capox, bevacizumab"),
    ({"prior_treatments": [{"name": "snake oil"}]}, "prior_treatments[0].name", "not a treatment", "metachron", "See `metachron strategies`"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "path", "message", "allowed", "suggestion"), CASES)
def test_contradiction(
    fields: dict[str, Any], path: str, message: str, allowed: str, suggestion: str
) -> None:
    found = problems(fields)
    assert [p.path for p in found] == [path], found
    assert message in found[0].message
    assert allowed in found[0].allowed
    assert suggestion in found[0].suggestion


@pytest.mark.parametrize(
    "fields",
    [
        {"prior_treatments": [{"name": "capox", "start": "2024-01-01", "end": "2024-01-01", "cycles": 1}]},
        {"primary": {"n": "N1c", "nodes_positive": 0, "nodes_examined": 20}},
        {"primary": {"diagnosed_on": "2024-05-01"}, "metastases": [lesion(day="2024-03-01")]},
        {"preferences": {"declines_surgery": True, "declines_chemotherapy": True}},
        {"metastases": [lesion()], "metastasis_summary": {"liver_lesions": 1, "extrahepatic": False}},
        {"markers": {"ras": "mutant", "braf": "other"}},
        {"primary": {"margin": "R0"}},
        {"fit_for_major_surgery": False, "ecog": 4},
        {"metastases": [lesion(organ="lung"), lesion("y", organ="peritoneum")]},
        {"age_years": 62.4, "primary": {"diagnosed_on": "1999-01-01"}},
    ],
)
def test_unusual_but_possible(fields: dict[str, Any]) -> None:
    parse_patient({**BASE, **fields}, known_treatments=KNOWN)


def test_names_of_treatments_are_free_without_a_catalogue() -> None:
    assert parse_patient({**BASE, "prior_treatments": [{"name": "snake oil"}]}).prior_treatments
