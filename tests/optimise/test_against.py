"""A gain in survival that registered trials did not see is said, and only that."""

from __future__ import annotations

import json

import pytest

from metachron.cli import run
from metachron.optimise.against import with_trials_against
from metachron.optimise.field import Entrant
from metachron.optimise.results import Evaluation, Measured, Optimisation
from metachron.optimise.sentences import sentences
from metachron.optimise.space import Candidate
from metachron.patient.examples import read_example
from metachron.plan.arms import judged
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.language import resolve

CATALOGUE = load_catalogue()
REST = "mfolfox6*6 + bevacizumab > [progression] mfolfox6 + bevacizumab"
USUAL = "mfolfox6 + bevacizumab"


def entrant(key: str, text: str) -> Entrant:
    strategy = resolve(text, CATALOGUE)
    (arm,) = judged(read_example("unresectable_ras_mutant"), [strategy], CATALOGUE)
    return Entrant(Candidate(key, strategy), arm, None, False, "")  # type: ignore[arg-type]


def evaluation(key: str, text: str, months: float | None) -> Evaluation:
    known = {} if months is None else {"rmst": Measured(value=months, lower=0.0, upper=60.0)}
    return Evaluation(
        id=key, name=text, expression=text, title=text, evidence_grade="option", basis="prior-driven",
        eligible="yes", objectives=known, rank=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "months", "noted"),
    [
        (REST, 22.0, True),
        (REST, 19.0, False),  # the model agrees with the trials
        (REST, None, False),
        ("folfiri + bevacizumab", 22.0, False),  # no trial of it is registered
    ],
)
def test_only_a_gain_against_trials_is_noted(text: str, months: float | None, noted: bool) -> None:
    found = [evaluation("c1", USUAL, 20.0), evaluation("c2", text, months)]
    entrants = {"c1": entrant("c1", USUAL), "c2": entrant("c2", text)}
    usual, other = with_trials_against(found, "c1", entrants)
    assert not usual.trials_against
    assert bool(other.trials_against) is noted
    if noted:
        assert "2.0 months longer" in other.trials_against
        assert "COIN" in other.trials_against


@pytest.mark.slow  # three strategies of a sick patient
def test_intermittent_treatment_that_comes_first_is_contradicted(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["optimise", "unresectable_ras_mutant", "--strategy", REST, "--strategy", USUAL,
                 "--objective", "rmst", "--twins", "400", "--draws", "20", "--json"]  # fmt: skip
    assert run(arguments) == 0
    document = Optimisation.model_validate(json.loads(capsys.readouterr().out))
    for e in document.evaluations:
        standard = document.evaluation(document.reference).objectives["rmst"].value
        assert standard is not None
        longer = e.name == REST and (e.objectives["rmst"].value or 0.0) > standard
        assert bool(e.trials_against) is longer
    best = document.evaluation(str(document.best))
    assert any("Contradicted by trials" in s for s in sentences(document)) is bool(best.trials_against)
    if best.trials_against:
        assert any(b.get("key") == "Adams2011" for b in document.model_dump()["bibliography"])
