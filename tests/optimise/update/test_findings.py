"""Wrong findings: one clear problem each, with the field, what is allowed and the nearest right word."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from what_happened import day

from metachron.errors import InputError
from metachron.optimise.update.make import read_case
from metachron.optimise.update.read import finding_json_schema, parse_finding, read_finding
from metachron.patient.examples import read_example
from metachron.patient.schema import Patient
from metachron.strategies.catalogue import load_catalogue

FOLDER = Path(__file__).resolve().parents[3] / "examples" / "findings"
NEW = {"id": "N1", "organ": "lung", "diameter_mm": 9}


def refusal(patient: Patient, *fields: dict[str, Any]) -> str:
    try:
        findings = [parse_finding({"date": day(patient, 70), **f}) for f in fields]
        read_case(patient, findings, load_catalogue())
    except InputError as error:
        return str(error)
    pytest.fail("nothing was refused")


FORM: list[tuple[dict[str, Any], list[str]]] = [
    ({"scans": {}}, ["scans", "there is no field", "Did you mean `scan`?"]),
    ({"surgery": []}, ["Did you mean `local_therapy`?"]),
    ({"diameter_mm": 3}, ["It belongs to `scan.lesions[0].diameter_mm`"]),
    ({"scan": {"lesions": [{"id": "L1", "size": 22}]}}, ["scan.lesions[0].size", "diameter_mm"]),
    ({"scan": {"lesions": [{"id": "L1", "diameter_mm": 900}]}}, ["900 mm is too large", "0 to 400 mm"]),
    ({"scan": {"lesions": [{"id": "L1", "diameter_mm": "2.4 cm"}]}}, ["Write 24"]),
    ({"scan": {"new_lesions": [{"id": "N", "organ": "brain", "diameter_mm": 9}]}}, ["organ", "liver"]),
    ({"scan": {"response": "partial"}}, ['Write "PR"']),
    ({"toxicity": [{"kind": "neutropenia", "grade": 7}]}, ["toxicity[0].grade", "0 to 4"]),
    ({"labs": {"neutrophils_e9_l": -1}}, ["labs.neutrophils_e9_l", "1e9/L"]),
    ({"labs": {"cea": 9}}, ["Did you mean `labs.cea_ng_ml`?"]),
    ({"treatments": [{"name": "mfolfox6"}]}, ["treatments[0].start", "required"]),
    ({"date": "24.12.2025"}, ["date", "YYYY-MM-DD", '"2025-12-24"']),
    ({"ecog": 80}, ["ecog"]),
    ({"scan": {"lesions": [{"id": "L1", "diameter_mm": math.nan}]}}, ["scan.lesions[0].diameter_mm", "mm)"]),
    ({"remnant_share": -math.inf}, ["remnant_share", "infinities"]),
    ({"assessed_on": "2025-06-02", "age_years": 60}, ["this is a patient file, not a finding"]),
    ({"schema_name": "metachron-plan/1"}, ["a document that metachron wrote, not a finding"]),
]


@pytest.mark.parametrize(("fields", "words"), FORM, ids=[json.dumps(f)[:50] for f, _ in FORM])
def test_the_form_is_explained(patient: Patient, fields: dict[str, Any], words: list[str]) -> None:
    text = refusal(patient, fields)
    assert all(word in text for word in words), text


def record_cases(patient: Patient) -> list[tuple[dict[str, Any], list[str]]]:
    start = day(patient, 7)
    scan = {"lesions": [{"id": "L1", "diameter_mm": 20}]}
    return [
        ({"patient_id": "somebody"}, ["patient_id", "belongs to", patient.id]),
        (
            {"date": day(patient, -3), "scan": {"date": day(patient, -3)}},
            ["date: ", "before the assessment", "or later). What happened"],
        ),
        ({"date": day(patient, 5000)}, ["more than ten years", f"to {day(patient, 3650)}"]),
        ({"scan": {"date": day(patient, 90)}}, ["scan.date", "after the finding"]),
        ({"scan": {"lesions": [{"id": "L2", "diameter_mm": 9}]}}, ["no lesion 'L2'", "Did you mean L1?"]),
        ({"scan": {"lesions": [scan["lesions"][0]] * 2}}, ["L1 is listed twice"]),
        ({"scan": {"new_lesions": [{**NEW, "id": "L1"}]}}, ["the name L1 is used already"]),
        ({"scan": {"new_lesions": [{**NEW, "segment": 4}]}}, ["no liver segment"]),
        ({"treatments": [{"name": "mfolfox", "start": start}]}, ['Did you mean "mfolfox6"?']),
        ({"treatments": [{"name": "hepatectomy", "start": start}]}, ["It belongs to `local_therapy`"]),
        ({"local_therapy": [{"name": "capox", "date": start}]}, ["It belongs to `treatments`"]),
        (
            {"treatments": [{"name": "mfolfox6 + bevacizumab", "start": start}]},
            ["one entry for each: mfolfox6, bevacizumab"],
        ),
        (
            {"treatments": [{"name": "capox", "start": start, "cycles": 30}]},
            ["30 cycles do not fit in 63 days"],
        ),
        ({"treatments": [{"name": "capox", "start": day(patient, 9), "end": start}]}, ["swapped"]),
        ({"local_therapy": [{"name": "microwave", "date": start, "lesions": ["X"]}]}, ["no lesion 'X'"]),
        ({"toxicity": [{"kind": "neutropaenia", "grade": 3}]}, ['Did you mean "neutropenia"?']),
        (
            {
                "local_therapy": [{"name": "microwave", "date": start}],
                "scan": {**scan, "date": day(patient, 60)},
            },
            ["L1 was removed or ablated", "give it another name in new_lesions"],
        ),
    ]


@pytest.mark.parametrize("number", range(17))
def test_what_contradicts_the_record_is_refused(patient: Patient, number: int) -> None:
    cases = record_cases(patient)
    assert len(cases) == 17
    fields, words = cases[number]
    text = refusal(patient, fields)
    assert all(word in text for word in words), text


def test_two_scans_of_one_day_are_refused(patient: Patient) -> None:
    scan = {"scan": {"lesions": []}}
    assert "two findings have a scan on" in refusal(patient, scan, scan)


@pytest.mark.parametrize("data", [[], "text", 3, None])
def test_what_is_no_object_is_refused(data: object) -> None:
    with pytest.raises(InputError, match="one object with named fields"):
        parse_finding(data)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        read_finding(tmp_path / "nothing.json")
    broken = tmp_path / "broken.json"
    broken.write_text('{"date": ', encoding="utf-8")
    with pytest.raises(InputError):
        read_finding(broken)


def test_the_schema_is_valid_and_accepts_the_examples() -> None:
    import jsonschema

    schema = finding_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    paths = sorted(FOLDER.glob("*.json"))
    assert len(paths) >= 2
    for path in paths:
        data = json.loads(path.read_text(encoding="utf-8"))
        jsonschema.validate(data, schema)
        patient = next(p for p in map(read_example, _examples()) if p.id == data["patient_id"])
        read_case(patient, [read_finding(path)], load_catalogue())


def _examples() -> list[str]:
    from metachron.patient.examples import example_names

    return example_names()
