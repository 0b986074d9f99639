"""Goals: one objective, a sum, the patient's own weights, a front."""

from __future__ import annotations

import numpy as np
import pytest

from metachron.errors import InputError
from metachron.optimise.goal import Goal, describe, parse_goal
from metachron.optimise.objectives import OBJECTIVES
from metachron.optimise.utilities import load_utilities
from metachron.patient.examples import read_example
from metachron.patient.schema import Patient, Preferences

PATIENT = read_example("metachronous_solitary")


def wanting(**weights: float) -> Patient:
    return PATIENT.model_copy(update={"preferences": Preferences(**weights)})


def test_without_a_word_the_patient_s_weights_or_survival() -> None:
    assert parse_goal(None, wanting()) == Goal(("rmst",))
    weighted = parse_goal(None, wanting(weight_survival=3, weight_toxicity=1))
    assert weighted == Goal(("rmst", "toxic_time"), (0.75, 0.25), from_patient=True)


def test_weights_of_the_patient_file_are_those_of_survival_toxicity_and_hospital() -> None:
    goal = parse_goal("weighted", wanting(weight_survival=2, weight_toxicity=1, weight_burden=1))
    assert goal.names == ("rmst", "toxic_time", "hospital")
    values = {"rmst": np.array([40.0]), "toxic_time": np.array([2.0]), "hospital": np.array([30.4375])}
    assert goal.columns(values)[0, 0] == pytest.approx(0.5 * 40 - 0.25 * 2 - 0.25 * 1)
    assert goal.description(1826.25).weights == {"rmst": 0.5, "toxic_time": 0.25, "hospital": 0.25}


def test_a_sum_and_a_front() -> None:
    assert parse_goal("3*rmst + burden", PATIENT) == Goal(("rmst", "burden"), (0.75, 0.25))
    front = parse_goal("os, burden", PATIENT)
    assert front == Goal(("rmst", "burden"))
    assert front.several
    values = {"rmst": np.array([40.0]), "burden": np.array([30.0])}
    assert front.columns(values).tolist() == [[40.0, -30.0]]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("rmts", "Did you mean rmst?"),
        ("rmst,brden", "Did you mean burden?"),
        ("0*rmst+0*burden", "every weight is nought"),
        ("2*rmst*3+burden", "cannot be read"),
        ("rmst,os", "'rmst' is named twice"),
    ],
)
def test_faults(text: str, part: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_goal(text, PATIENT)
    assert part in str(caught.value)


def test_no_weight_at_all_is_refused() -> None:
    with pytest.raises(InputError, match="every weight of the patient file is nought"):
        parse_goal("weighted", wanting(weight_survival=0))


def test_every_objective_is_described() -> None:
    for name in OBJECTIVES:
        found = describe(name, 5 * 365.25)
        assert "within 5 years" in found.words
        assert found.unit in ("months", "days")
    quality = describe("qaly", 5 * 365.25)
    assert set(quality.citations) == {"NICE131Utilities", "RAXOQuality2022", "Stein2014"}


def test_utilities_are_shares_and_what_is_assumed_has_a_range() -> None:
    data = load_utilities()
    for q in data.quantities():
        if q.unit == "1":
            assert 0.0 <= q.value <= 1.0
        if q.status == "assumed":
            assert q.low is not None
            assert q.high is not None
            assert q.low < q.high
    assert data.states["free"].value > data.states["visible"].value > data.states["after_progression"].value
