"""Findings of the primary reach the twins: unseen lesions and their growth, by the stated ratios."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from metachron.parameters.draws import median_parameters
from metachron.patient.examples import read_example
from metachron.patient.field_names import unknown_field
from metachron.patient.schema import Patient
from metachron.plan.candidates import Candidates, Streams, draw_candidates, mean_load
from metachron.plan.findings import read_findings
from metachron.strategies.catalogue import load_catalogue

DRAWS = median_parameters(prior=True)


def with_primary(example: str = "stage3_adjuvant", **known: Any) -> Patient:
    patient = read_example(example)
    unknown = {"obstruction": None, "perforation": None, "adherent": None, "grade": None}
    return patient.model_copy(update={"primary": patient.primary.model_copy(update=unknown | known)})


def candidates(patient: Patient) -> tuple[Candidates, NDArray[np.float64]]:
    """Candidates and their mean numbers of unseen lesions."""
    found = read_findings(patient, load_catalogue())
    c = draw_candidates(patient, found, DRAWS, 50, Streams(1), 0)
    return c, mean_load(c, Streams(1), patient, found, 0)


@pytest.mark.parametrize(
    ("yes", "no", "on_load", "on_growth"),
    [
        ({"obstruction": True}, {"obstruction": False}, "occult_obstruction", "growth_obstruction"),
        ({"perforation": True}, {"perforation": False}, "occult_perforation", None),
        ({"adherent": True}, {"adherent": False}, "occult_adherent", None),
        ({"grade": "poor"}, {"grade": "moderate"}, "occult_poor_grade", "growth_poor_grade"),
        ({"grade": "moderate"}, {"grade": "well"}, None, None),
    ],
)
def test_each_finding_acts_by_its_parameter(
    yes: dict[str, Any], no: dict[str, Any], on_load: str | None, on_growth: str | None
) -> None:
    (with_it, load), (without, less) = (candidates(with_primary(**known)) for known in (yes, no))
    load_effect = float(DRAWS[on_load][0]) if on_load else 0.0
    growth_effect = float(DRAWS[on_growth][0]) if on_growth else 0.0
    assert np.log(load / less) == pytest.approx(load_effect)
    assert np.log(with_it.twins["growth"] / without.twins["growth"]) == pytest.approx(growth_effect)


def test_unknown_lies_between() -> None:
    known = [candidates(with_primary(grade=g))[0].twins["growth"] for g in ("moderate", None, "poor")]
    assert (known[0] < known[1]).all()
    assert (known[1] < known[2]).all()


def test_more_nodes_grow_faster() -> None:
    few, many = (
        candidates(with_primary(nodes_positive=k, n=n))[0].twins for k, n in ((1, "N1a"), (6, "N2a"))
    )
    assert np.log(many["growth"] / few["growth"]) == pytest.approx(
        float(DRAWS["growth_nodes"][0]) * np.log(6)
    )


def test_visible_metastases_speak_for_themselves() -> None:
    """Scans have shown how this disease grows; the trial's patients had none that could be seen."""
    poor, moderate = (
        candidates(with_primary("synchronous_bilobar", grade=g))[0] for g in ("poor", "moderate")
    )
    assert (poor.twins["growth"] == moderate.twins["growth"]).all()


@pytest.mark.parametrize(
    ("wrong", "right"), [("ileus", "obstruction"), ("perforated", "perforation"), ("adherence", "adherent")]
)
def test_other_names_lead_to_the_fields(wrong: str, right: str) -> None:
    assert right in unknown_field(("primary", wrong), True).suggestion
