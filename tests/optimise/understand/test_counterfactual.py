"""Where the sign of a difference changes, and when nothing plausible changes it."""

from __future__ import annotations

import numpy as np
import pytest
from pairs import pair_of

from metachron.optimise.understand.changed import (
    findings_of,
    largest_mm,
    set_largest,
    set_marker,
    set_nodes,
    set_number,
)
from metachron.optimise.understand.counterfactual import counterfactuals, crossing, for_patient
from metachron.patient import derive
from metachron.patient.checks import check
from metachron.patient.examples import read_example

X = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
SURE = np.full(5, 0.1)


def test_a_straight_line_crosses_where_it_should() -> None:
    found = crossing(X, 5.0 - 2.0 * X, SURE, 1.0)
    assert found is not None
    assert found[0] == pytest.approx(2.5)
    low, high = found[1]
    assert low == pytest.approx(2.5 - 1.645 * 0.05, abs=0.01)
    assert high == pytest.approx(2.5 + 1.645 * 0.05, abs=0.01)


def test_the_sign_now_decides_which_side_is_sought() -> None:
    assert crossing(X, 5.0 - 2.0 * X, SURE, -1.0) is not None  # the first would win below 2.5
    assert crossing(X, 1.0 + X, SURE, 1.0) is None
    assert crossing(X, 1.0 + X, SURE, -1.0) is None  # everywhere on the other side: nothing to cross


def test_a_change_of_sign_within_the_error_does_not_count() -> None:
    assert crossing(X, 0.3 - 0.1 * X, np.full(5, 0.2), 1.0) is None
    assert crossing(X, 0.3 - 0.1 * X, np.full(5, 0.01), 1.0) is not None


def test_the_curve_may_turn_twice() -> None:
    found = crossing(X, np.array([1.0, -1.0, -2.0, -1.0, 1.0]), SURE, 1.0)
    assert found is not None
    assert found[0] == pytest.approx(0.5) or found[0] == pytest.approx(3.5)


def test_findings_are_changed_as_said() -> None:
    patient = read_example("synchronous_bilobar")
    assert largest_mm(set_largest(patient, 80.0)) == pytest.approx(80.0)
    for count in (1, 3, 10):
        assert derive.liver_lesion_count(set_number(patient, count)) == count
    ids = [m.id for m in set_number(patient, 10).metastases]
    assert len(ids) == len(set(ids))
    mutant = set_marker(patient, "ras", "mutant")
    assert mutant.markers.ras == "mutant"
    assert patient.markers.ras == "wild type"
    names = [f.name for f in findings_of(patient, resects=True)]
    assert names == [
        "diameter_mm",
        "liver_lesions",
        "markers.ras",
        "markers.braf",
        "markers.msi",
        "liver.remnant_share",
    ]


def test_more_positive_nodes_make_adjuvant_chemotherapy_worth_more() -> None:
    pair = pair_of("stage3_adjuvant", "adjuvant_mfolfox6", "observation", objective="rfs")
    names = [f.name for f in findings_of(pair.patient, resects=False)]
    assert names == ["primary.nodes_positive"]
    gains = []
    for count in (1.0, 10.0):
        there = for_patient(pair, set_nodes(pair.patient, count))
        assert check(there.patient) == []
        gains.append(there.signed(there.twins(400)).mean())
    assert gains[1] > gains[0] > 0


def test_ras_mutation_takes_the_benefit_of_an_egfr_antibody() -> None:
    pair = pair_of("synchronous_bilobar", "mfolfox6_panitumumab", "mfolfox6")
    wild = pair.signed(pair.twins(300)).mean()
    there = for_patient(pair, set_marker(pair.patient, "ras", "mutant"))
    mutant = there.signed(there.twins(300)).mean()
    assert wild > 1.0
    assert abs(mutant) < 0.5 * wild


@pytest.mark.slow
def test_the_document_says_what_would_flip() -> None:
    pair = pair_of("metachronous_solitary", "hepatectomy", "perioperative_mfolfox6")
    twins = pair.twins(2000)
    base = (twins, pair.signed(twins))
    found = counterfactuals(pair, ["occult_metastatic"], base, None, "prior-driven", 300, lambda *_: None)
    by_name = {c.name: c for c in found.items}
    assert {"occult_metastatic", "diameter_mm", "unseen lesions", "doubling time"} <= set(by_name)
    assert by_name["occult_metastatic"].kind == "parameter"
    for item in found.items:
        assert item.words
        if item.flips_at is None:
            assert "nothing plausible" in item.words
        else:
            assert item.low <= item.flips_at <= item.high
    order = [c.flips_at is None for c in found.items]
    assert order == sorted(order)
