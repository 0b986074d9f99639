"""Who is offered what, and what it is compared with."""

from __future__ import annotations

from pathlib import Path

import pytest

from metachron.errors import InputError
from metachron.patient.load import parse_patient, read_patient
from metachron.strategies.candidates import (
    Situation,
    candidates,
    load_situations,
    reference_for,
    situation,
    situation_citations,
)
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.schema import Intent

EXAMPLES = Path(__file__).parents[2] / "examples"
CATALOGUE = load_catalogue()

EXPECTED = {
    "stage3_adjuvant": (Situation.RESECTED_PRIMARY, "adjuvant_mfolfox6"),
    "metachronous_solitary": (Situation.RESECTABLE, "hepatectomy"),
    "synchronous_bilobar": (Situation.UNRESECTABLE, "mfolfox6_panitumumab"),
    "small_unfit": (Situation.SMALL_UNFIT, "microwave"),
    "recurrence_after_hepatectomy": (Situation.RECURRENT, "repeat_hepatectomy"),
    "unresectable_ras_mutant": (Situation.EXTRAHEPATIC, "mfolfox6_bevacizumab"),
    "msi_high": (Situation.EXTRAHEPATIC, "pembrolizumab"),
}


def person(lesions=(), **fields):
    """A patient with liver metastases of the given sizes, mm."""
    return parse_patient(
        {
            "id": "P1",
            "assessed_on": "2025-06-01",
            "age_years": 60,
            "ecog": 0,
            "primary": {"site": "sigmoid colon", "n": "N1a", "resected": True, "resected_on": "2024-01-10"},
            "last_imaging_on": "2025-05-20",
            "metastases": [
                {
                    "id": f"L{i}",
                    "organ": "liver",
                    "measurements": [{"date": "2025-05-20", "diameter_mm": size}],
                }
                for i, size in enumerate(lesions)
            ],
            **fields,
        }
    )


def listed(patient):
    return [s.name for s in candidates(patient)]


@pytest.mark.parametrize("name", EXPECTED)
def test_examples(name):
    patient = read_patient(EXAMPLES / f"{name}.json")
    where, reference = EXPECTED[name]
    assert situation(patient) == where
    assert reference_for(where, patient) == reference
    names = listed(patient)
    assert 10 <= len(names) <= 16
    assert len(set(names)) == len(names)
    assert reference in names


def test_every_example_is_covered():
    assert {p.stem for p in EXAMPLES.glob("*.json")} == set(EXPECTED)


@pytest.mark.parametrize("where", list(Situation))
def test_every_situation_has_an_arm_without_treatment_and_a_reference(where):
    entry = load_situations()[where]
    names = [c.name for c in entry.candidates]
    assert any(CATALOGUE.strategies[n].intent == Intent.OBSERVATION for n in names)
    assert all(c.name in CATALOGUE.strategies for c in entry.reference)
    assert entry.reference[-1].when.names() == set()
    assert reference_for(where) in names
    assert situation_citations(where)


def test_situations():
    whole = {"liver": {"all_lesions_resectable": True}}
    assert situation(person()) == Situation.RESECTED_PRIMARY
    assert situation(person([20])) == Situation.RESECTABILITY_UNKNOWN
    assert situation(person([20], **whole)) == Situation.RESECTABLE
    assert situation(person([20], liver={"all_lesions_resectable": False})) == Situation.UNRESECTABLE
    declines = {"preferences": {"declines_surgery": True}}
    assert situation(person([20, 25], **declines)) == Situation.SMALL_UNFIT
    assert situation(person([60], **declines)) == Situation.UNRESECTABLE
    assert situation(person([20] * 6, fit_for_major_surgery=False)) == Situation.UNRESECTABLE
    hepatectomy = {"name": "hepatectomy", "start": "2024-06-01", "end": "2024-06-01"}
    assert situation(person([20], prior_treatments=[hepatectomy])) == Situation.RECURRENT
    assert situation(person(prior_treatments=[hepatectomy])) == Situation.RESECTED_METASTASES


def test_failure_of_both_doublets_is_refractory():
    prior = [
        {"name": "mfolfox6", "setting": "metastatic", "start": "2024-03-01", "end": "2024-09-01"},
        {"name": "folfiri", "setting": "metastatic", "start": "2024-10-01", "end": "2025-04-01"},
    ]
    patient = person([40] * 8, prior_treatments=prior, markers={"kras_g12c": True, "ras": "mutant"})
    assert situation(patient) == Situation.REFRACTORY
    assert reference_for(Situation.REFRACTORY, patient) == "trifluridine_tipiracil_bevacizumab"
    assert {"sotorasib_panitumumab", "til", "best_supportive_care"} <= set(listed(patient))


def test_summaries_count_as_metastases():
    patient = person(metastasis_summary={"liver_lesions": 3, "largest_liver_mm": 40, "extrahepatic": False})
    assert situation(patient) == Situation.RESECTABILITY_UNKNOWN
    patient = person(last_imaging_on=None, metastasis_summary={"detected_on": "2025-05-01"})
    assert situation(patient) == Situation.RESECTABILITY_UNKNOWN


def test_a_primary_in_place_without_metastases_is_no_case_for_a_plan():
    with pytest.raises(InputError, match=r"primary\.resected"):
        situation(person(primary={"site": "caecum", "resected": False}))


def test_markers_choose_what_is_listed():
    unresectable = {"liver": {"all_lesions_resectable": False}}
    names = listed(person([40, 60], markers={"ras": "mutant", "msi": "MSS"}, **unresectable))
    assert "pembrolizumab" not in names
    assert "mfolfox6_encorafenib_cetuximab" not in names
    assert "mfolfox6_panitumumab" in names  # shown with the reason why not
    names = listed(person([40, 60], markers={"braf": "V600E", "msi": "MSI-high"}, **unresectable))
    assert {"pembrolizumab", "nivolumab_ipilimumab", "mfolfox6_encorafenib_cetuximab"} <= set(names)
    assert "pembrolizumab" in listed(person([40, 60], **unresectable))  # unknown: to be tested


def test_the_wrong_day_is_shown_for_contrast_next_to_the_right_one():
    names = listed(person([40, 60], liver={"all_lesions_resectable": False}))
    assert {"mfolfox6_cik_midcycle", "mfolfox6_cik_day1"} <= set(names)
    assert "contrast" in CATALOGUE.strategies["mfolfox6_cik_day1"].title


@pytest.mark.parametrize(
    ("fields", "reference"),
    [
        ({"ecog": 3}, "best_supportive_care"),
        ({"ecog": 2}, "capecitabine_bevacizumab"),
        ({"markers": {"dpyd": "poor"}}, "best_supportive_care"),
        ({"neuropathy_grade": 3}, "folfiri_bevacizumab"),
        ({"markers": {"braf": "V600E"}}, "mfolfox6_encorafenib_cetuximab"),
        ({"markers": {"ras": "mutant"}}, "mfolfox6_bevacizumab"),
        ({"markers": {"msi": "MSI-high"}}, "pembrolizumab"),
        ({"preferences": {"declines_chemotherapy": True}}, "best_supportive_care"),
        (
            {"prior_treatments": [{"name": "mfolfox6", "setting": "metastatic", "start": "2025-01-01"}]},
            "folfiri_bevacizumab",
        ),
    ],
)
def test_reference_in_unresectable_disease(fields, reference):
    patient = person([40, 60], liver={"all_lesions_resectable": False}, **fields)
    assert reference_for(situation(patient), patient) == reference
    assert reference in listed(patient)
    assert 10 <= len(listed(patient)) <= 17


def test_node_negative_disease_is_compared_with_observation():
    patient = person(primary={"site": "sigmoid colon", "n": "N0", "resected": True})
    assert reference_for(situation(patient), patient) == "observation"
