"""Constraints: figures worked out by hand, faults, and which two conflict."""

from __future__ import annotations

import pytest

from metachron.engine.compile import compile_strategy
from metachron.errors import InputError
from metachron.optimise.constraints import (
    Constraint,
    check_limits,
    clinical_constraints,
    judge_figures,
    parse_constraint,
    refuse_empty,
)
from metachron.optimise.planned import figures
from metachron.optimise.space import Candidate
from metachron.patient.examples import read_example
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.language import resolve

CATALOGUE = load_catalogue()
PATIENT = read_example("metachronous_solitary")


def planned(text: str) -> dict[str, float]:
    strategy = resolve(text)
    return figures(strategy, compile_strategy(PATIENT, strategy, CATALOGUE), CATALOGUE)


def test_figures_by_hand() -> None:
    found = planned("[10d] mfolfox6*4 > [30d] hepatectomy > [42d] mfolfox6*6 > [28d] cik*8")
    before = sum(t.oxaliplatin_mg_m2 or 0 for t in PATIENT.prior_treatments)
    expected = {
        "oxaliplatin_planned": 10 * 85.0,
        "oxaliplatin": 10 * 85.0 + before,
        "cycles": 10,
        "infusions": 8,
        "procedures": 1,
        "hospital_days": 7,
        "start_treatment": 10,
        "start_chemo": 10,
        "start_local": 10 + 4 * 14 + 30,
        "start_cells": 96 + 42 + 6 * 14 + 28,
        "treatment_days": 250 + 8 * 11,
        "chemo_to_surgery": 30,
        "surgery_to_chemo": 42,
        "longest_surgery_to_chemo": 42,
        "chemo_to_cells": 28,
    }
    assert {k: found[k] for k in expected} == pytest.approx(expected)


def test_the_washout_of_bevacizumab_counts_cycles_without_it() -> None:
    # 2 cycles without it, of 14 days each, the last dose on day 1 of the cycle before, then 14 days
    strategy = resolve("mfolfox6*6 + bevacizumab > hepatectomy")
    stop = strategy.steps[0].stop_partner_before_surgery_cycles
    assert planned("mfolfox6*6 + bevacizumab > hepatectomy")["bevacizumab_to_surgery"] == 14 * (stop + 1) + 14
    assert planned("mfolfox6*6 + bevacizumab > [56d] hepatectomy")["bevacizumab_to_surgery"] == 70


def test_a_course_without_an_end_counts_no_dose() -> None:
    found = planned("mfolfox6 + bevacizumab")
    assert found["oxaliplatin_planned"] == 0
    assert "treatment_days" not in found
    assert found["visits_per_month"] == pytest.approx(30.4375 / 14)


@pytest.mark.parametrize(
    ("text", "name", "limit"),
    [
        ("oxaliplatin<=850", "oxaliplatin", 850),
        ("start_chemo <= 56d", "start_chemo", 56),
        ("start-chemo<=56 days", "start_chemo", 56),
        ("cycles < 12", "cycles", 12),
        ("burden<=60", "burden", 60),
    ],
)
def test_reads_what_people_write(text: str, name: str, limit: float) -> None:
    found = parse_constraint(text)
    assert (found.name, found.limit, found.on_outcome) == (name, limit, name == "burden")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("oxaliplatn<=850", "Did you mean oxaliplatin?"),
        ("oxaliplatin<=850kg", "counted in mg/m2, not in kg"),
        ("oxaliplatin 850", "NAME<=NUMBER"),
        ("cycles<=-3", "0 cycles or more"),
    ],
)
def test_faults_name_what_is_allowed(text: str, part: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_constraint(text)
    assert part in str(caught.value)


def judged(texts: list[str], constraints: list[Constraint]) -> list:
    found = []
    for i, text in enumerate(texts):
        strategy = resolve(text)
        programme = compile_strategy(PATIENT, strategy, CATALOGUE)
        found.append(judge_figures(Candidate(f"c{i}", strategy), programme, constraints, CATALOGUE))
    return found


SHORT_LATE = [f"mfolfox6*{n} > [{d}d] hepatectomy" for n in (4, 6) for d in (28, 56)]


def test_two_that_conflict_are_named() -> None:
    limits = [parse_constraint("start_local<=100"), parse_constraint("cycles>=6")]
    found = judged(SHORT_LATE, limits)
    assert [len(j.broken) for j in found] == [1, 2, 1, 1]
    with pytest.raises(InputError, match="start_local <= 100 d' and 'cycles >= 6 cycles' conflict"):
        refuse_empty(found, {}, limits)


def test_two_limits_on_one_figure_that_no_value_meets() -> None:
    """Candidates without that figure would meet both: no answer to what was asked."""
    early, late = parse_constraint("start_local<=100"), parse_constraint("start_local>=200")
    with pytest.raises(InputError, match=r"'start_local <= 100 d' and 'start_local >= 200 d' conflict"):
        check_limits([early, late])
    for texts in (["cycles=3", "cycles=4"], ["cycles>5", "cycles<4"], ["rmst>=40", "rmst<=39"]):
        with pytest.raises(InputError, match="no value meets both"):
            check_limits([parse_constraint(t) for t in texts])
    for texts in (["cycles>=4", "cycles<=4"], ["cycles<=3", "cycles<=5"], ["cycles>=3", "infusions<=0"]):
        check_limits([parse_constraint(t) for t in texts])


def test_one_that_nothing_meets_is_named_with_what_there_is() -> None:
    limits = [parse_constraint("cycles<=3")]
    with pytest.raises(InputError, match=r"no candidate meets cycles <= 3 cycles .*4 to 6 cycles"):
        refuse_empty(judged(SHORT_LATE, limits), {}, limits)


def test_a_limit_against_the_eligibility_rules() -> None:
    limits = [parse_constraint("cycles<=4")]
    found = judged(SHORT_LATE, limits)
    with pytest.raises(InputError, match="'cycles <= 4 cycles' and 'eligibility rules' conflict"):
        refuse_empty(found, {"c0": "not fit", "c1": "not fit"}, limits)


def test_three_that_conflict_are_all_named() -> None:
    limits = [parse_constraint(t) for t in ("start_local<=110", "cycles>=6", "chemo_to_surgery>=56")]
    texts = [f"mfolfox6*{n} > [{d}d] hepatectomy" for n, d in ((6, 28), (4, 28), (4, 56), (6, 56), (5, 56))]
    with pytest.raises(InputError) as caught:
        refuse_empty(judged(texts, [*limits]), {}, limits)
    message = str(caught.value)
    assert "conflict" in message or "together leave none" in message


def test_something_left_is_no_error() -> None:
    limits = [parse_constraint("cycles<=4")]
    refuse_empty(judged(SHORT_LATE, limits), {}, limits)


def test_recovery_after_procedures_is_hard() -> None:
    soon, late = judged(["hepatectomy > [14d] mfolfox6*6", "hepatectomy > [28d] mfolfox6*6"], [])
    assert "at least 28 are needed" in soon.recovery
    assert not late.recovery
    assert soon.reasons[0].verdict == "not eligible"


def test_the_clinic_s_limit_lets_every_usual_course_through() -> None:
    usual = ["adjuvant_mfolfox6", "adjuvant_capox", "perioperative_mfolfox6", "hepatectomy_mfolfox6"]
    assert not any(j.broken for j in judged(usual, clinical_constraints()))
    (much,) = judged(["mfolfox6*8 > [28d] hepatectomy > [42d] mfolfox6*8"], clinical_constraints())
    assert much.broken
    assert clinical_constraints()[0].citations
