"""The updated record: valid, complete, and honest about what it cannot say."""

from __future__ import annotations

from typing import Any

import pytest
from what_happened import day, finding_of, folfox, sized

from metachron.engine.compile import compile_strategy, start_line
from metachron.optimise.update.course import given_courses
from metachron.optimise.update.make import Case, read_case
from metachron.optimise.update.today import going_on
from metachron.patient import derive
from metachron.patient.examples import read_example
from metachron.patient.schema import Patient
from metachron.strategies.catalogue import load_catalogue

CATALOGUE = load_catalogue()


def case_of(patient: Patient, **fields: Any) -> Case:
    return read_case(patient, [finding_of(patient, **fields)], CATALOGUE)


def test_everything_found_is_in_the_record(patient: Patient) -> None:
    new = [{"id": "N1", "organ": "lung", "diameter_mm": 9}]
    case = case_of(
        patient,
        treatments=folfox(patient),
        scan=sized(20, new_lesions=new, modality="MRI"),
        labs={"cea_ng_ml": 44, "neutrophils_e9_l": 2.2},
        neuropathy_grade=1,
        ecog=1,
        remnant_share=0.5,
    )
    p = case.updated
    assert p.assessed_on.isoformat() == day(patient, 70)
    assert derive.visible_lesions(p)[0].diameter_mm == 20
    assert [m.id for m in p.metastases] == ["L1", "N1"]
    assert (p.labs.cea_ng_ml, p.labs.neutrophils_e9_l, p.labs.albumin_g_l) == (
        44,
        2.2,
        patient.labs.albumin_g_l,
    )
    assert (p.neuropathy_grade, p.ecog, p.liver.remnant_share) == (1, 1, 0.5)
    last = p.prior_treatments[-1]
    assert (last.name, last.cycles, last.setting, last.response) == ("mfolfox6", 4, "metastatic", "PD")
    assert last.oxaliplatin_mg_m2 == 4 * 85


@pytest.mark.parametrize(("mm", "answer"), [(10, "PR"), (26, "SD"), (40, "PD"), (0, "CR")])
def test_the_response_follows_from_the_sizes(patient: Patient, mm: float, answer: str) -> None:
    assert case_of(patient, treatments=folfox(patient), scan=sized(mm)).answer == answer


def test_a_lesion_no_longer_seen_gets_a_size_and_a_note(patient: Patient) -> None:
    case = case_of(patient, scan=sized(0))
    assert derive.visible_lesions(case.updated)[0].diameter_mm == 5
    assert "no longer seen" in case.notes[0]


def test_an_operation_removes_the_lesion_and_makes_the_drugs_neoadjuvant(patient: Patient) -> None:
    given = [{"name": "mfolfox6", "start": day(patient, 7), "end": day(patient, 40), "cycles": 3}]
    case = case_of(
        patient, treatments=given, local_therapy=[{"name": "hepatectomy", "date": day(patient, 60)}]
    )
    assert derive.in_place(case.updated) == []
    assert case.updated.metastases[0].treated == "resected"
    assert case.updated.prior_treatments[-1].setting == "neoadjuvant"
    assert [c.line for c in case.courses] == [0, 0]


def test_what_a_later_finding_says_of_the_same_treatment_counts(patient: Patient) -> None:
    first = finding_of(patient, 35, treatments=folfox(patient, 2))
    second = finding_of(patient, 70, treatments=folfox(patient, 4))
    courses = given_courses(patient, [first, second], CATALOGUE)
    assert [c.cycles for c in courses] == [4]


def test_partners_are_one_course_and_one_line(patient: Patient) -> None:
    start, end = day(patient, 7), day(patient, 40)
    given = [
        {"name": n, "start": start, "end": end, "setting": "metastatic"} for n in ("bevacizumab", "mfolfox6")
    ]
    given += [
        {"name": n, "start": day(patient, 45), "setting": "metastatic"} for n in ("folfiri", "cetuximab")
    ]
    case = case_of(patient, treatments=given)
    assert [c.expression for c in case.courses] == ["mfolfox6*3 + bevacizumab", "folfiri*2 + cetuximab"]
    assert [c.line for c in case.courses] == [1, 2]


def test_the_course_that_goes_on_is_offered_unless_it_failed() -> None:
    patient = read_example("unresectable_ras_mutant")
    case = case_of(patient, treatments=folfox(patient), scan={"response": "SD"})
    assert going_on(case.courses, case.findings, case.answer, CATALOGUE) == "mfolfox6"
    failed = case_of(patient, treatments=folfox(patient), scan={"response": "PD"})
    assert going_on(failed.courses, failed.findings, failed.answer, CATALOGUE) is None


def test_adjuvant_treatment_goes_on_for_the_rest_of_six_months() -> None:
    patient = read_example("stage3_adjuvant")
    given = [{"name": "capox", "start": day(patient, 7), "cycles": 3}]
    case = case_of(patient, treatments=given, scan={"new_lesions": []})
    assert case.updated.prior_treatments[-1].setting == "adjuvant"
    assert going_on(case.courses, case.findings, case.answer, CATALOGUE) == "capox*5"


def test_the_updated_record_can_be_planned_for(patient: Patient) -> None:
    case = case_of(patient, treatments=folfox(patient), scan=sized(20))
    from metachron.strategies.language import resolve

    programme = compile_strategy(case.updated, resolve("folfiri", CATALOGUE), CATALOGUE)
    assert programme.ox_before == 340 + sum(t.oxaliplatin_mg_m2 or 0 for t in patient.prior_treatments)
    assert start_line(case.updated) == 1
