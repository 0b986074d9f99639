"""Tests and scans of the twins, and what they are worth."""

from __future__ import annotations

import numpy as np
import pytest
from pairs import pair_for, pair_of

from metachron.engine.records import LIVER, OCCULT
from metachron.optimise.understand.information import information
from metachron.optimise.understand.scans import flag, signals
from metachron.patient.examples import read_example
from metachron.plan.candidates import PREVALENCE_BRAF, PREVALENCE_RAS
from metachron.plan.twins import unseen_counts


def unknown(example: str, **markers: None):
    patient = read_example(example)
    return patient.model_copy(update={"markers": patient.markers.model_copy(update=markers)})


UNTESTED = {"ras": None, "braf": None, "kras_g12c": None}


def test_flags_are_those_the_twins_were_drawn_with() -> None:
    pair = pair_for(unknown("synchronous_bilobar", **UNTESTED), "mfolfox6", "folfiri")
    twins = pair.twins(800)
    ras, braf = flag(twins, 1, "ras", PREVALENCE_RAS), flag(twins, 1, "braf", PREVALENCE_BRAF)
    assert np.array_equal(twins.twins["egfr_active"], (1 - ras) * (1 - braf))
    assert 0.3 < ras.mean() < 0.6


def test_only_what_is_not_known_is_asked() -> None:
    known = pair_of("synchronous_bilobar", "mfolfox6", "folfiri")
    names = {s.name for s in signals(known.patient, known.found, known.twins(300), 1)}
    assert not any(name.startswith("markers.") for name in names)
    asked = pair_for(unknown("synchronous_bilobar", **UNTESTED), "mfolfox6", "folfiri")
    names = {s.name for s in signals(asked.patient, asked.found, asked.twins(300), 1)}
    assert {"markers.ras", "markers.braf"} <= names


def test_a_scan_sees_no_more_than_there_is() -> None:
    pair = pair_of("msi_high", "pembrolizumab", "mfolfox6_bevacizumab")
    twins = pair.twins(600)
    listed = {s.name: s for s in signals(pair.patient, pair.found, twins, 1)}
    seen = listed["liver MRI"].shown
    in_liver = ((twins.lesions["status"] == OCCULT) & (twins.lesions["organ"] == LIVER)).sum(1)
    assert (seen <= np.minimum(in_liver, 3)).all()
    assert 0 < seen.mean() < unseen_counts(twins).mean()


def test_a_scan_that_was_made_is_not_asked_for() -> None:
    pair = pair_of("small_unfit", "radiofrequency", "microwave")  # measured on MRI
    assert "liver MRI" not in {s.name for s in signals(pair.patient, pair.found, pair.twins(300), 1)}


@pytest.mark.slow
def test_a_ras_test_decides_on_an_egfr_antibody() -> None:
    """With RAS unknown the antibody helps about half of the patients; the test says which."""
    pair = pair_for(
        unknown("synchronous_bilobar", **UNTESTED), "mfolfox6_panitumumab", "mfolfox6_bevacizumab"
    )
    twins = pair.twins(4000)
    d = pair.signed(twins)
    found = information(pair, [], (twins, d), None, "prior-driven", lambda *_: None)
    ras = next(i for i in found.items if i.name == "markers.ras")
    mean = {o.label: o.difference for o in ras.outcomes}
    assert mean["wild type"] > mean["mutant"]
    assert ras.fields == ["markers.ras"]
    assert sum(o.probability for o in ras.outcomes) == pytest.approx(1.0)
    tests = [i for i in found.items if i.kind == "test" and i.distinct]
    if tests:
        assert tests[0].name == "markers.ras"
    for item in found.items:
        assert 0.0 <= (item.value.value or 0.0) <= found.ceiling
        assert 0.0 <= item.probability_changes <= 1.0


@pytest.mark.slow
def test_what_cannot_be_valued_says_why() -> None:
    patient = unknown("metachronous_solitary", dpyd=None)
    patient = patient.model_copy(update={"labs": patient.labs.model_copy(update={"cea_ng_ml": None})})
    pair = pair_for(patient, "hepatectomy", "perioperative_mfolfox6")
    twins = pair.twins(600)
    found = information(pair, [], (twins, pair.signed(twins)), None, "prior-driven", lambda *_: None)
    why = {n.field: n.why for n in found.not_valued}
    assert "harm avoided" in why["markers.dpyd"]
    assert "scores" in why["labs.cea_ng_ml"]


@pytest.mark.slow
def test_an_unknown_remnant_is_simulated_anew() -> None:
    patient = read_example("metachronous_solitary")
    patient = patient.model_copy(update={"liver": patient.liver.model_copy(update={"remnant_share": None})})
    pair = pair_for(patient, "hepatectomy", "microwave")
    twins = pair.twins(600)
    found = information(pair, [], (twins, pair.signed(twins)), None, "calibrated", lambda *_: None)
    remnant = next(i for i in found.items if i.name == "liver.remnant_share")
    assert remnant.basis == "prior-driven"
    assert [o.probability for o in remnant.outcomes] == pytest.approx([0.2] * 5)
    assert np.ptp([o.difference for o in remnant.outcomes]) > 0.2
    other = pair_for(patient, "microwave", "radiofrequency")
    base = (other.twins(600), np.zeros(600))
    nothing_removed = information(other, [], base, None, "calibrated", lambda *_: None)
    assert "liver.remnant_share" not in {i.name for i in nothing_removed.items}
