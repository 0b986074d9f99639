"""Sentences of a search: what is said when another candidate comes first more often than the best."""

from __future__ import annotations

from metachron.optimise.results import Evaluation, Optimisation
from metachron.optimise.sentences import _overtaken


def document(**probability: float) -> Optimisation:
    rests = {"a": "calibrated", "b": "prior-driven", "c": "calibrated"}
    found = [Evaluation.model_construct(id=key, title=key.upper(), basis=rests[key]) for key in probability]
    return Optimisation.model_construct(evaluations=found, probability_best=probability)


def said(**probability: float) -> list[str]:
    made = document(**probability)
    return _overtaken(made, made.evaluation("a"))


def test_the_best_that_comes_first_most_often_needs_no_word() -> None:
    assert said(a=0.6, b=0.4) == []


def test_another_that_comes_first_more_often_is_named_with_what_it_rests_on() -> None:
    (sentence,) = said(a=0.38, b=0.6)
    assert sentence.startswith("On the fresh twins B comes first more often (probability 0.60)")
    assert "it is prior-driven" in sentence
    assert "prior-driven" not in said(a=0.38, c=0.6)[0]


def test_a_leader_by_luck_is_called_one() -> None:
    assert said(a=0.01, b=0.9)[0].startswith("It led the search, but on the fresh twins B comes first")
