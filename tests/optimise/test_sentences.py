"""Sentences of a search: what is said when another candidate comes first more often than the best."""

from __future__ import annotations

import pytest

from metachron.optimise.goal import describe
from metachron.optimise.numbers import figures, percent
from metachron.optimise.results import Evaluation, Measured, Optimisation
from metachron.optimise.sentences import _best, _front, _overtaken


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


def measured(value: float) -> Measured:
    return Measured(value=value, lower=value - 1.0, upper=value + 1.0, mc_error=0.1)


def front_of(best: str) -> Optimisation:
    rmst = describe("rmst", 1826.25)
    burden = describe("burden", 1826.25)
    values = {"a": (49.0, 41.9), "b": (49.1, 39.5), "c": (46.6, 31.3)}
    found = [
        Evaluation.model_construct(
            id=key, title=key.upper(), basis="calibrated", rank=1, trials_against="",
            objectives={"rmst": measured(months), "burden": measured(days)},
        )
        for key, (months, days) in values.items()
    ]  # fmt: skip
    return Optimisation.model_construct(
        evaluations=found, probability_best={"a": 0.42, "b": 0.56, "c": 0.02}, best=best, front=["b", "c"],
        objective=rmst, objectives=[rmst, burden], cannot_be_told_apart=["a", "b"],
        settings={"objective": "rmst,burden"},
    )  # fmt: skip


def test_a_front_is_told_from_end_to_end_and_who_is_not_on_it() -> None:
    made = front_of("a")
    assert [o.name for o in made.sought] == ["rmst", "burden"]
    (sentence,) = _front(made)
    assert "B (49.1 months, 39.5 days) to C (46.6 months, 31.3 days)" in sentence
    assert sentence.endswith("Not on it, since another is better in all of them: A.")
    assert "Not on it" not in _front(front_of("b"))[0]


def test_no_single_best_is_claimed_where_none_can_be_told() -> None:
    made = front_of("a")
    sentence = _best(made, made.evaluation("a"))
    assert sentence.startswith(
        "No single best of 3 compared on fresh twins. First in the search: A, 49.0 months"
    )
    made.cannot_be_told_apart = ["a"]
    assert _best(made, made.evaluation("a")).startswith("Best of 3 compared on fresh twins: A, ")


def test_months_by_weights_are_not_called_months() -> None:
    made = front_of("a")
    made.objective = made.objective.model_copy(update={"name": "weighted", "weights": {"rmst": 1.0}})
    made.evaluation("a").objectives["weighted"] = measured(37.5)
    assert "37.5 weighted months" in _best(made, made.evaluation("a"))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1, "1"), (27, "27"), (81.24, "81"), (0.302, "0.30"), (-9.27, "-9.3"), (1712, "1,700"),
     (0.00436, "0.0044"), (2e-6, "2.0e-06"), (999.7, "1,000")],
)  # fmt: skip
def test_two_figures_are_enough(value: float, text: str) -> None:
    assert figures(value) == text


def test_no_share_is_certain() -> None:
    shares = (0.0, 0.004, 0.38, 0.997, 1.0)
    assert [percent(x) for x in shares] == ["under 1 %", "under 1 %", "38 %", "over 99 %", "over 99 %"]
