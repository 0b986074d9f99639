# ruff: noqa: E501 - one case a line
"""Every wrong field is named with its path, the allowed range and what to write instead."""

from __future__ import annotations

from typing import Any

import pytest

from metachron.errors import InputError, Problem
from metachron.patient import parse_patient
from metachron.patient import schema_tree as tree
from metachron.patient.messages import MAX_PROBLEMS

BASE: dict[str, Any] = {"id": "a", "assessed_on": "2024-01-01", "age_years": 62}
SIZE: dict[str, Any] = {"date": "2023-12-01", "diameter_mm": 10}


def lesion(**fields: Any) -> dict[str, Any]:
    return {"id": "x", "organ": "liver", "measurements": [SIZE], **fields}


def sized(**fields: Any) -> dict[str, Any]:
    merged = {k: v for k, v in {**SIZE, **fields}.items() if v is not ...}
    return {"metastases": [lesion(), lesion(id="y", measurements=[merged])]}


def problems(fields: dict[str, Any], known: list[str] | None = None) -> list[Problem]:
    with pytest.raises(InputError) as caught:
        parse_patient({**BASE, **fields}, known_treatments=known)
    return caught.value.problems


DIAMETER = "metastases[1].measurements[0].diameter_mm"
MM = "above 0, up to 400 mm"
CASES: list[tuple[dict[str, Any], str, str, str]] = [
    # strings where numbers belong, with unit guesses
    (sized(diameter_mm="3 cm"), DIAMETER, MM, "Write 30"),
    (sized(diameter_mm="3cm"), DIAMETER, MM, "Write 30"),
    (sized(diameter_mm="30 mm"), DIAMETER, MM, "Write 30"),
    (sized(diameter_mm="2,5 cm"), DIAMETER, MM, "Write 25"),
    (sized(diameter_mm="30"), DIAMETER, MM, "Write 30"),
    (sized(diameter_mm="3 furlongs"), DIAMETER, MM, "Write the number alone, in mm"),
    ({"age_years": "62 years"}, "age_years", "18 to 105 years", "Write 62"),
    ({"weight_kg": "154 lb"}, "weight_kg", "30 to 300 kg", "Write 69.85"),
    ({"labs": {"haemoglobin_g_l": "13 g/dL"}}, "labs.haemoglobin_g_l", "20 to 250 g/L", "Write 130"),
    ({"labs": {"bilirubin_umol_l": "1 mg/dL"}}, "labs.bilirubin_umol_l", "0 to 1000 umol/L", "Write 17.1"),
    ({"liver": {"remnant_share": "35 %"}}, "liver.remnant_share", "as a fraction", "Write 0.35"),
    # numbers out of range, likely in another unit
    (sized(diameter_mm=-3), DIAMETER, MM, "cannot be negative"),
    (sized(diameter_mm=0), DIAMETER, MM, "Check the value and its unit (mm)"),
    (sized(diameter_mm=4000), DIAMETER, MM, "Check the value and its unit (mm)"),
    ({"height_cm": 1.75}, "height_cm", "120 to 230 cm", "If it is in m, write 175"),
    ({"labs": {"albumin_g_l": 4.1}}, "labs.albumin_g_l", "5 to 70 g/L", "If it is in g/dL, write 41"),
    ({"labs": {"platelets_e9_l": 250000}}, "labs.platelets_e9_l", "0 to 3000 1e9/L", "in /uL, write 250"),
    ({"liver": {"remnant_share": 35}}, "liver.remnant_share", "up to 1", "If it is in %, write 0.35"),
    ({"liver": {"volume_ml": 1.5}}, "liver.volume_ml", "500 to 5000 mL", "If it is in L, write 1500"),
    ({"age_years": 1961}, "age_years", "18 to 105 years", "year of birth"),
    ({"ecog": 80}, "ecog", "whole number, 0 to 4", "Karnofsky"),
    ({"ecog": 1.0}, "ecog", "whole number, 0 to 4", "Write 1"),
    ({"ecog": 3.7}, "ecog", "whole number, 0 to 4", "3 or 4"),
    ({"ecog": "2"}, "ecog", "whole number, 0 to 4", "Write 2"),
    ({"age_years": True}, "age_years", "18 to 105 years", "Write the number"),
    ({"metastases": [lesion(segment="IVa")]}, "metastases[0].segment", "1 to 8", "Write 4"),
    ({"metastases": [lesion(segment="S7")]}, "metastases[0].segment", "1 to 8", "Write 7"),
    ({"metastases": [lesion(segment=9)]}, "metastases[0].segment", "1 to 8", "Check"),
    # words
    ({"sex": "M"}, "sex", '"female", "male"', 'Write "male"'),
    ({"sex": "Female"}, "sex", '"female"', 'Write "female"'),
    ({"primary": {"site": "cecum"}}, "primary.site", '"caecum"', 'Write "caecum"'),
    ({"primary": {"site": "sigmod colon"}}, "primary.site", '"caecum"', 'Did you mean "sigmoid colon"?'),
    ({"primary": {"t": 3}}, "primary.t", '"T3"', 'Write "T3"'),
    ({"primary": {"t": "pT4a"}}, "primary.t", '"T4a"', 'Write "T4a"'),
    ({"primary": {"n": "2b"}}, "primary.n", '"N2b"', 'Write "N2b"'),
    ({"markers": {"ras": "WT"}}, "markers.ras", '"wild type"', 'Write "wild type"'),
    ({"markers": {"braf": "v600e"}}, "markers.braf", '"V600E"', 'Write "V600E"'),
    ({"markers": {"msi": "dMMR"}}, "markers.msi", '"MSI-high"', 'Write "MSI-high"'),
    ({"metastases": [lesion(organ="hepatic")]}, "metastases[0].organ", '"liver"', 'Write "liver"'),
    ({"metastases": [lesion(organ="brain")]}, "metastases[0].organ", '"liver"', "outside what metachron"),
    (sized(modality="mri"), "metastases[1].measurements[0].modality", '"MRI"', 'Write "MRI"'),
    ({"preferences": {"declines_surgery": "yes"}}, "preferences.declines_surgery", "true or false", "Write true"),
    ({"primary": {"resected": 0}}, "primary.resected", "true, false, or null", "Write false"),
    ({"title": 5}, "title", "text of 0 to 200", 'Write "5"'),
    # unknown
    ({"ecog": "unknown"}, "ecog", "0 to 4", "write null"),
    ({"labs": {"cea_ng_ml": -999}}, "labs.cea_ng_ml", "0 to 100000 ng/mL", "write null"),
    ({"age_years": None}, "age_years", "18 to 105 years", "must be known"),
    ({"preferences": {"declines_surgery": None}}, "preferences.declines_surgery", "true or false", "Leave"),
    # dates
    (sized(date="12/03/2023"), "metastases[1].measurements[0].date", "YYYY-MM-DD", '"2023-03-12" or "2023-12-03"'),
    (sized(date="2023-2-3"), "metastases[1].measurements[0].date", "YYYY-MM-DD", 'Write "2023-02-03"'),
    (sized(date="2023-02-30"), "metastases[1].measurements[0].date", "YYYY-MM-DD", "no day 30 in month 2"),
    (sized(date="2023-02-03T10:00:00"), "metastases[1].measurements[0].date", "YYYY-MM-DD", '"2023-02-03"'),
    (sized(date="20230203"), "metastases[1].measurements[0].date", "YYYY-MM-DD", '"2023-02-03"'),
    (sized(date="1704067200"), "metastases[1].measurements[0].date", "YYYY-MM-DD", "year-month-day"),
    (sized(date=20230203), "metastases[1].measurements[0].date", "YYYY-MM-DD", '"2023-02-03"'),
    (sized(date="2023-05"), "metastases[1].measurements[0].date", "YYYY-MM-DD", '"2023-05-15"'),
    # names of fields
    ({"diamter": 3}, "diamter", "", "diameter_mm"),
    ({"age": 62}, "age", "", "`age_years`, in years"),
    ({"cea": 5}, "cea", "", "`labs.cea_ng_ml`"),
    ({"ras": "mutant"}, "ras", "", "`markers.ras`"),
    ({"markers": {"kras": "mutant"}}, "markers.kras", "", "`markers.ras`"),
    ({"labs": {"haemoglobin_g_dl": 12}}, "labs.haemoglobin_g_dl", "", "in g/L: 120"),
    ({"labs": {"hemoglobin": 120}}, "labs.hemoglobin", "", "`labs.haemoglobin_g_l`"),
    (sized(diameter=3), "metastases[1].measurements[0].diameter", "", f"`{DIAMETER}`, in mm"),
    (sized(diameter_cm=3), "metastases[1].measurements[0].diameter_cm", "", f"`{DIAMETER}`, in mm: 30"),
    ({"zzz": 3}, "zzz", "assessed_on", "Remove it"),
    # shapes
    ({"metastases": lesion()}, "metastases", "square brackets", "square brackets"),
    ({"metastases": [lesion(measurements=[])]}, "metastases[0].measurements", "list", ""),
    ({"liver": []}, "liver", "named fields", "volume_ml"),
    ({"primary": None}, "primary", "named fields", "Leave the field out"),
    ({"id": ""}, "id", "text of 1 to 80", ""),
    ({"id": "x" * 90}, "id", "text of 1 to 80", ""),
    ({"metastases": [lesion(id=str(i)) for i in range(41)]}, "metastases", "list", ""),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "path", "allowed", "suggestion"), CASES)
def test_wrong_field(fields: dict[str, Any], path: str, allowed: str, suggestion: str) -> None:
    found = [p for p in problems(fields) if p.path == path]
    assert len(found) == 1, problems(fields)
    assert found[0].message
    assert allowed in found[0].allowed
    assert suggestion in found[0].suggestion


def test_the_value_is_shown_shortened() -> None:
    assert "1961 years is too large" in problems({"age_years": 1961})[0].message
    assert '"62 years" is text, not a number' in problems({"age_years": "62 years"})[0].message
    long = problems({"sex": "x" * 5000})[0].message
    assert len(long) < 100
    assert "..." in long


def test_missing_field_says_what_it_is_for() -> None:
    with pytest.raises(InputError) as caught:
        parse_patient({"id": "a", "age_years": 62})
    (problem,) = caught.value.problems
    assert problem.path == "assessed_on"
    assert problem.allowed == "a date, YYYY-MM-DD"
    assert "Day 0" in problem.suggestion


def test_a_renamed_field_is_not_reported_missing_as_well() -> None:
    with pytest.raises(InputError) as caught:
        parse_patient({"id": "a", "assessed_on": "2024-01-01", "age": 62})
    assert [p.path for p in caught.value.problems] == ["age"]


def test_everything_is_reported_the_most_telling_first() -> None:
    found = problems({"ecog": 9, "sex": "M", "agee_years": 3, "labs": {"albumin_g_l": 1}})
    assert found[0].path == "agee_years"
    assert {p.path for p in found} == {"agee_years", "ecog", "sex", "labs.albumin_g_l"}


def test_at_most_twenty_problems() -> None:
    found = problems({f"x{i}": i for i in range(50)})
    assert len(found) == MAX_PROBLEMS
    assert found[-1].message == "and 31 more problems"


def test_a_small_lesion_is_legal() -> None:
    assert parse_patient({**BASE, **sized(diameter_mm=0.5)}).metastases[1].measurements[0].diameter_mm == 0.5


def test_a_whole_number_may_stand_for_a_float() -> None:
    assert parse_patient(BASE).age_years == 62.0


def test_every_field_is_described() -> None:
    undescribed = [tree.write_path(path) for path, at in tree.all_fields() if not at.description]
    assert not undescribed


def test_every_number_with_a_unit_has_limits() -> None:
    for path, at in tree.all_fields():
        if at.kind in ("number", "integer"):
            assert None not in at.limits, tree.write_path(path)
