"""Grades of evidence: the standards, what is not supported, and how cautions lower a standard."""

from __future__ import annotations

from typing import Any

import pytest
from rule_cases import NOTHING_VISIBLE, PAST, SUMMARY, patient, strategy

from metachron.errors import InputError
from metachron.strategies.grade import evidence_grade, load_grades, situation_of
from metachron.strategies.schema import Intent

CURE, CONTROL, ADJUVANT, OBSERVE = (
    Intent.CURATIVE,
    Intent.DISEASE_CONTROL,
    Intent.ADJUVANT,
    Intent.OBSERVATION,
)
UNRESECTABLE = {"liver.all_lesions_resectable": False}
STAGE_II = {**NOTHING_VISIBLE, "primary.n": "N0"}
STAGE_I = {**STAGE_II, "primary.t": "T1"}
LINE = {"setting": "metastatic", "response": "SD", "cycles": 6}
REFRACTORY = {
    PAST: [
        {"name": "capox", "start": "2024-01-01", **LINE},
        {"name": "folfiri", "start": "2024-08-01", **LINE},
    ],
    **UNRESECTABLE,
}


@pytest.mark.parametrize(
    ("plan", "intent", "changes", "grade"),
    [
        # after removal of the primary
        ("mfolfox6*12", ADJUVANT, NOTHING_VISIBLE, "standard"),
        ("capox*4", ADJUVANT, NOTHING_VISIBLE, "standard"),
        ("capecitabine*8", ADJUVANT, NOTHING_VISIBLE, "option"),
        ("folfiri*12", ADJUVANT, NOTHING_VISIBLE, "not supported"),
        ("mfolfox6*12 + bevacizumab", ADJUVANT, NOTHING_VISIBLE, "not supported"),
        ("observation", OBSERVE, NOTHING_VISIBLE, "not supported"),
        ("observation", OBSERVE, {**NOTHING_VISIBLE, "preferences.declines_chemotherapy": True}, "option"),
        ("observation", OBSERVE, {**NOTHING_VISIBLE, "ecog": 3}, "option"),
        ("observation", OBSERVE, STAGE_II, "standard"),
        ("mfolfox6*12", ADJUVANT, STAGE_II, "not supported"),
        ("mfolfox6*12", ADJUVANT, {**STAGE_II, "primary.t": "T4a"}, "option"),
        ("capecitabine*8", ADJUVANT, STAGE_I, "not supported"),
        ("mfolfox6*12 > cik*8", ADJUVANT, NOTHING_VISIBLE, "investigational"),
        # metastases that can be removed
        ("hepatectomy", CURE, {}, "standard"),
        ("mfolfox6*6 > hepatectomy > mfolfox6*6", CURE, {}, "standard"),
        ("hepatectomy > mfolfox6*12", CURE, {}, "option"),
        ("hepatectomy + microwave", CURE, {}, "option"),
        ("two_stage_hepatectomy", CURE, {"liver.remnant_share": 0.25}, "option"),
        ("repeat_hepatectomy", CURE, {PAST: [{"name": "hepatectomy"}]}, "standard"),
        ("mfolfox6*6 + panitumumab > hepatectomy", CURE, {}, "not supported"),
        ("mfolfox6*6 + bevacizumab > hepatectomy", CURE, {}, "not supported"),
        ("microwave", CURE, {}, "standard"),
        ("radiofrequency", CURE, {}, "standard"),
        ("microwave", CURE, {"metastasis_summary.largest_liver_mm": 40}, "option"),
        ("cryoablation", CURE, {}, "option"),
        ("mfolfox6", CONTROL, {}, "option"),
        ("hepatectomy > cik*8", CURE, {}, "investigational"),
        # metastases that cannot be removed
        ("hepatectomy", CURE, UNRESECTABLE, "not supported"),
        ("microwave", CURE, {**UNRESECTABLE, "metastasis_summary.extrahepatic": True}, "not supported"),
        ("mfolfox6*6 + bevacizumab > hepatectomy", CURE, UNRESECTABLE, "standard"),
        ("mfolfox6 + bevacizumab", CONTROL, UNRESECTABLE, "standard"),
        ("capecitabine + bevacizumab", CONTROL, UNRESECTABLE, "option"),
        ("mfolfox6 + panitumumab", CONTROL, UNRESECTABLE, "standard"),
        ("mfolfox6 + panitumumab", CONTROL, {**UNRESECTABLE, "markers.ras": "mutant"}, "not supported"),
        ("mfolfox6 + panitumumab", CONTROL, {**UNRESECTABLE, "primary.site": "caecum"}, "not supported"),
        ("pembrolizumab", CONTROL, {**UNRESECTABLE, "markers.msi": "MSI-high"}, "standard"),
        ("mfolfox6", CONTROL, {**UNRESECTABLE, "markers.msi": "MSI-high"}, "option"),
        ("pembrolizumab", CONTROL, UNRESECTABLE, "not supported"),
        ("mfolfox6 + encorafenib_cetuximab", CONTROL, {**UNRESECTABLE, "markers.braf": "V600E"}, "standard"),
        ("mfolfox6*12 + cik*6@8", CONTROL, UNRESECTABLE, "investigational"),
        ("mfolfox6*12 + cik*6@1", CONTROL, UNRESECTABLE, "not supported"),
        ("observation", OBSERVE, UNRESECTABLE, "not supported"),
        ("observation", OBSERVE, REFRACTORY, "option"),
        ("trifluridine_tipiracil + bevacizumab", CONTROL, REFRACTORY, "standard"),
        ("regorafenib", CONTROL, REFRACTORY, "option"),
        ("regorafenib", CONTROL, UNRESECTABLE, "not supported"),
        ("panitumumab", CONTROL, REFRACTORY, "option"),
        ("til", CONTROL, REFRACTORY, "investigational"),
    ],
)
def test_grade(plan: str, intent: Intent, changes: dict[str, Any], grade: str) -> None:
    found = evidence_grade(strategy(plan, intent), patient(changes))
    assert found.grade.value == grade, found
    assert found.citations
    assert found.text


def test_a_caution_lowers_a_standard_to_an_option() -> None:
    found = evidence_grade(strategy("hepatectomy"), patient({"labs.cea_ng_ml": 300}))  # Fong score 3
    assert found.grade.value == "option"
    assert "Fong" in found.text
    assert "Fong1999" in found.citations


def test_an_unknown_marker_is_named() -> None:
    unknown = patient({"markers.ras": None, **UNRESECTABLE})
    found = evidence_grade(strategy("mfolfox6 + panitumumab", CONTROL), unknown)
    assert found.grade.value == "not supported"
    assert "markers.ras" in found.needs


@pytest.mark.parametrize(
    ("changes", "situation"),
    [
        ({}, "resectable metastases"),
        (UNRESECTABLE, "unresectable metastases"),
        ({"liver.all_lesions_resectable": None}, "metastases, resectability not judged"),
        (NOTHING_VISIBLE, "stage III after surgery"),
        (STAGE_II, "stage I-II after surgery"),
        ({**NOTHING_VISIBLE, "primary.n": None}, "after surgery, stage not known"),
        ({**NOTHING_VISIBLE, PAST: [{"name": "hepatectomy"}]}, "after liver surgery"),
        ({SUMMARY: None, "last_imaging_on": None}, "findings not known"),
    ],
)
def test_situation(changes: dict[str, Any], situation: str) -> None:
    assert situation_of(patient(changes)) == situation


def test_an_unknown_situation_is_an_error() -> None:
    with pytest.raises(InputError, match="situation"):
        evidence_grade(strategy("hepatectomy"), patient(), "on the moon")


def test_rows_have_different_names() -> None:
    names = [row.name for row in load_grades()]
    assert len(names) == len(set(names))
