"""Lines after progression: by markers, without repeating what failed."""

from __future__ import annotations

import pytest

from metachron.patient.load import parse_patient
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.lines import (
    MAX_LINES,
    exposure,
    failed_exposure,
    load_line_rules,
    next_line_rules,
    next_lines,
)

CATALOGUE = load_catalogue()


def person(markers=None, prior=(), **fields):
    """A patient with one liver metastasis."""
    return parse_patient(
        {
            "id": "P1",
            "assessed_on": "2025-06-01",
            "age_years": 60,
            "ecog": 0,
            "primary": {"site": "sigmoid colon", "resected": True, "resected_on": "2024-01-10"},
            "metastases": [
                {"id": "L1", "organ": "liver", "measurements": [{"date": "2025-05-20", "diameter_mm": 30}]}
            ],
            "markers": markers or {},
            "prior_treatments": list(prior),
            **fields,
        }
    )


WILD = {"ras": "wild type", "braf": "wild type", "msi": "MSS"}
MUTANT = {"ras": "mutant", "braf": "wild type", "msi": "MSS"}


def test_ras_mutant_after_oxaliplatin():
    assert next_lines(person(MUTANT), {"mfolfox6", "bevacizumab"}) == [
        ["folfiri", "bevacizumab"],
        ["trifluridine_tipiracil", "bevacizumab"],
        ["regorafenib"],
    ]


def test_ras_mutant_after_irinotecan():
    assert next_lines(person(MUTANT), {"folfiri"})[0] == ["mfolfox6", "bevacizumab"]


def test_wild_type_on_the_left_gets_anti_egfr_once():
    lines = next_lines(person(WILD), {"mfolfox6", "bevacizumab"})
    assert lines[0] == ["folfiri", "panitumumab"]
    assert sum("panitumumab" in line for line in lines) == 1
    lines = next_lines(person(WILD), {"mfolfox6", "panitumumab"})
    assert lines[0] == ["folfiri", "bevacizumab"]
    assert not any("panitumumab" in line or "cetuximab" in line for line in lines)


def test_wild_type_on_the_right_gets_anti_egfr_late():
    lines = next_lines(person(WILD, primary={"site": "caecum"}), {"mfolfox6"})
    assert lines[0] == ["folfiri", "bevacizumab"]
    assert lines[1] == ["panitumumab"]


def test_anti_egfr_needs_known_wild_type():
    for markers in ({}, {"ras": "wild type"}, MUTANT):
        lines = next_lines(person(markers), {"mfolfox6"})
        assert not any("panitumumab" in line for line in lines)


def test_braf_v600e():
    braf = {"ras": "wild type", "braf": "V600E", "msi": "MSS"}
    assert next_lines(person(braf))[0] == ["mfolfox6", "encorafenib_cetuximab"]
    assert next_lines(person(braf), {"mfolfox6", "bevacizumab"})[0] == ["encorafenib_cetuximab"]
    later = next_lines(person(braf), {"mfolfox6", "encorafenib_cetuximab"})
    assert later[0] == ["folfiri", "bevacizumab"]
    assert ["encorafenib_cetuximab"] not in later


def test_msi_high_gets_a_checkpoint_inhibitor_once():
    msi = {**MUTANT, "msi": "MSI-high"}
    assert next_lines(person(msi), {"mfolfox6"})[0] == ["pembrolizumab"]
    assert ["pembrolizumab"] not in next_lines(person(msi), {"nivolumab_ipilimumab"})
    assert ["pembrolizumab"] not in next_lines(person(MUTANT))


def test_her2_and_g12c_after_both_doublets():
    used = {"mfolfox6", "folfiri"}
    assert next_lines(person({**WILD, "her2": "amplified"}), used)[:2] == [
        ["trastuzumab_tucatinib"],
        ["trastuzumab_deruxtecan"],
    ]
    assert next_lines(person({**MUTANT, "her2": "amplified"}), used)[0] == ["trastuzumab_deruxtecan"]
    assert next_lines(person({**MUTANT, "kras_g12c": True}), used)[0] == ["sotorasib_panitumumab"]


def test_untreated_patient_starts_with_a_doublet():
    assert next_lines(person(MUTANT))[:2] == [["mfolfox6", "bevacizumab"], ["folfiri", "bevacizumab"]]
    assert next_lines(person(WILD))[0] == ["mfolfox6", "panitumumab"]
    assert next_lines(person(MUTANT, ecog=2))[0] == ["capecitabine", "bevacizumab"]


def test_neuropathy_keeps_oxaliplatin_away():
    lines = next_lines(person(MUTANT, neuropathy_grade=2))
    assert lines[0] == ["folfiri", "bevacizumab"]
    assert not any("mfolfox6" in line for line in lines)


def test_poor_dpyd_keeps_fluoropyrimidines_away():
    for markers in (WILD, MUTANT, {"braf": "V600E"}):
        for line in next_lines(person({**markers, "dpyd": "poor"})):
            assert not exposure(line, CATALOGUE) & {"fluoropyrimidine"}


def test_no_line_for_the_bedridden_and_few_for_those_who_decline():
    assert next_lines(person(MUTANT, ecog=3)) == []
    lines = next_lines(person(MUTANT, preferences={"declines_chemotherapy": True}))
    assert all(CATALOGUE.regimens[name].kind != "cytotoxic" for line in lines for name in line)


FOLFOX = {"name": "mfolfox6", "start": "2024-02-01", "end": "2024-07-20", "cycles": 12}


@pytest.mark.parametrize(
    ("treatment", "failed"),
    [
        ({**FOLFOX, "setting": "adjuvant"}, False),
        ({**FOLFOX, "setting": "adjuvant", "end": "2025-02-20"}, True),
        ({**FOLFOX, "setting": "neoadjuvant", "response": "PD"}, True),
        ({**FOLFOX, "setting": "metastatic"}, True),
        ({"name": "mfolfox6 + bevacizumab", "setting": "metastatic"}, True),
        ({"name": "folfiri", "setting": "metastatic"}, False),
        ({"name": "perioperative_mfolfox6", "setting": "neoadjuvant", "response": "PD"}, True),
    ],
)
def test_what_counts_as_failed(treatment, failed):
    patient = person(MUTANT, [treatment])
    assert ("oxaliplatin" in failed_exposure(patient, CATALOGUE)) == failed
    assert any("mfolfox6" in line for line in next_lines(patient)) != failed


def test_used_may_name_classes_drugs_strategies_or_expressions():
    expected = next_lines(person(MUTANT), {"mfolfox6"})
    for used in ({"oxaliplatin", "fluoropyrimidine"}, {"hepatectomy_mfolfox6"}, {"mfolfox6*6 > hepatectomy"}):
        assert next_lines(person(MUTANT), used) == expected
    assert "anti-EGFR" in exposure({"anti-EGFR"}, CATALOGUE)


def test_at_most_four_lines_each_cited_and_none_twice():
    for markers in (WILD, MUTANT, {**WILD, "her2": "amplified"}, {"braf": "V600E", "msi": "MSI-high"}):
        rules = next_line_rules(person(markers))
        assert len(rules) <= MAX_LINES
        assert len({tuple(r.regimens) for r in rules}) == len(rules)
        assert all(rule.citations for rule in rules)


def test_every_line_is_a_valid_combination():
    for rule in load_line_rules():
        days = CATALOGUE.regimens[rule.regimens[0]].cycle_days
        for name in rule.regimens:
            assert CATALOGUE.drugs_of(name, days)
