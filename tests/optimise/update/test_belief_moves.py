"""Findings move belief in the direction that a clinician would expect, and only as far as they speak."""

from __future__ import annotations

import numpy as np
import pytest
from what_happened import DAYS, conditioned, day, finding_of, folfox, sized

from metachron.engine.records import OCCULT, VISIBLE
from metachron.errors import TwinError
from metachron.optimise.update.beliefs import beliefs
from metachron.optimise.update.results import Belief
from metachron.patient.schema import Patient

pytestmark = pytest.mark.usefixtures("small")


def moved(patient: Patient, *findings: object) -> dict[str, Belief]:
    before, after = conditioned(patient, *findings)  # type: ignore[arg-type]
    return {b.name: b for b in beliefs(before, after, None, False)}


def test_a_finding_that_says_nothing_leaves_belief_as_it_was(patient: Patient) -> None:
    found = moved(patient, finding_of(patient, treatments=folfox(patient), ecog=0))
    assert {b.moved for b in found.values()} == {"unchanged"}
    assert all(b.shift == 0 and b.narrowed == 1 and b.prior == b.updated for b in found.values())


def test_growth_on_treatment_raises_resistance_and_response_lowers_it(patient: Patient) -> None:
    grown = moved(patient, finding_of(patient, treatments=folfox(patient), scan=sized(36)))
    shrunk = moved(patient, finding_of(patient, treatments=folfox(patient), scan=sized(13)))
    for drug in ("fluoropyrimidines", "oxaliplatin"):
        assert grown[f"resistant_{drug}"].moved == "up"
        assert shrunk[f"resistant_{drug}"].updated.mean < grown[f"resistant_{drug}"].updated.mean - 0.1
    assert shrunk["resistant_fluoropyrimidines"].moved == "down"
    assert grown["sensitivity"].updated.median < 1 < shrunk["sensitivity"].updated.median


def test_growth_without_treatment_speaks_of_growth_alone(patient: Patient) -> None:
    fast = moved(patient, finding_of(patient, scan=sized(38)))
    slow = moved(patient, finding_of(patient, scan=sized(28)))
    assert fast["doubling_time_days"].moved == "down"
    assert slow["doubling_time_days"].moved == "up"
    assert fast["doubling_time_days"].narrowed < 0.9
    assert abs(fast["sensitivity"].shift) < 0.25


def test_response_alone_moves_belief_less_far_than_sizes_but_the_same_way(patient: Patient) -> None:
    scan = {"response": "PD"}
    found = moved(patient, finding_of(patient, treatments=folfox(patient), scan=scan))
    assert found["sensitivity"].moved == "down"


def test_neutropenia_speaks_of_the_marrow(patient: Patient) -> None:
    grade = {g: [{"kind": "neutropenia", "grade": g}] for g in (0, 4)}
    deep = moved(patient, finding_of(patient, treatments=folfox(patient), toxicity=grade[4]))
    mild = moved(patient, finding_of(patient, treatments=folfox(patient), toxicity=grade[0]))
    assert deep["marrow_sensitivity"].updated.median > 1.3
    assert mild["marrow_sensitivity"].updated.median < 0.9
    assert abs(deep["sensitivity"].shift) < 0.3


def test_a_count_in_a_window_before_any_treatment_says_nothing_of_the_marrow(patient: Patient) -> None:
    toxicity = [{"kind": "neutropenia", "grade": 0, "date": day(patient, 0)}]
    found = moved(patient, finding_of(patient, treatments=folfox(patient), toxicity=toxicity))
    assert abs(found["marrow_sensitivity"].shift) < 0.3


def test_a_new_lesion_is_there_and_there_may_be_more(patient: Patient) -> None:
    new = [{"id": "N1", "organ": "lung", "diameter_mm": 9}]
    before, after = conditioned(patient, finding_of(patient, scan={"new_lesions": new}))
    _, none = conditioned(patient, finding_of(patient, scan={"new_lesions": []}), twins=1600)
    assert ((after.twins.lesions["status"] == VISIBLE).sum(1) == 2).all()
    assert ((none.twins.lesions["status"] == VISIBLE).sum(1) == 1).all()
    lung = (after.twins.lesions["organ"] == 1) & (after.twins.lesions["status"] == VISIBLE)
    assert (lung.sum(1) == 1).all()
    unseen = [(g.twins.lesions["status"] == OCCULT).sum(1).mean() for g in (before, after, none)]
    assert unseen[1] > unseen[0]
    assert unseen[2] <= unseen[0] + 0.15  # two standard errors of the difference


def test_a_lesion_no_longer_seen_was_sensitive(patient: Patient) -> None:
    found = moved(patient, finding_of(patient, treatments=folfox(patient), scan=sized(0)))
    assert found["resistant_fluoropyrimidines"].moved == "down"


def test_the_order_of_findings_does_not_matter(patient: Patient) -> None:
    first = finding_of(patient, 35, treatments=folfox(patient, 2), scan=sized(27))
    second = finding_of(patient, DAYS, treatments=folfox(patient, 4), scan=sized(25))
    a, b = conditioned(patient, first, second)[1], conditioned(patient, second, first)[1]
    assert (a.twins.twins == b.twins.twins).all()


def test_threads_do_not_matter(patient: Patient) -> None:
    finding = finding_of(patient, treatments=folfox(patient), scan=sized(24, new_lesions=[]))
    one, two = (conditioned(patient, finding, jobs=jobs)[1] for jobs in (1, 2))
    assert (one.twins.twins == two.twins.twins).all()
    np.testing.assert_array_equal(one.people.walked.sizes, two.people.walked.sizes)


def test_cea_pulls_where_the_sizes_do(patient: Patient) -> None:
    raised = patient.model_copy(update={"labs": patient.labs.model_copy(update={"cea_ng_ml": 60.0})})
    rise = moved(raised, finding_of(raised, treatments=folfox(raised), labs={"cea_ng_ml": 150}))
    fall = moved(raised, finding_of(raised, treatments=folfox(raised), labs={"cea_ng_ml": 12}))
    assert rise["sensitivity"].updated.mean < fall["sensitivity"].updated.mean


def test_what_no_twin_can_do_is_refused_and_named(patient: Patient) -> None:
    with pytest.raises(TwinError, match=r"fits worst is: L1 on .*Check its size, date and unit"):
        conditioned(patient, finding_of(patient, 14, scan=sized(120)))
