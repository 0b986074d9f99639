"""No strategy without evidence stands above a standard, in the plan, the report or the terminal."""

from __future__ import annotations

from functools import cache
from io import StringIO

import pytest
from rich.console import Console

from metachron.patient.examples import example_names, read_example
from metachron.plan.make import make_plan
from metachron.plan.results import Plan
from metachron.report.arms import compared
from metachron.report.console import strategy_table

UNPROVEN = {"investigational", "not supported"}


@cache
def plan(example: str) -> Plan:
    return make_plan(read_example(example), twins=100, draws=4, horizon_years=5.0)


@pytest.mark.parametrize("example", example_names())
def test_the_unproven_are_never_ranked(example: str) -> None:
    unproven = {s.name for s in plan(example).strategies if s.evidence_grade in UNPROVEN}
    outside = {s.name for s in plan(example).strategies if s.basis == "outside"}
    assert unproven | outside == set(plan(example).not_ranked)
    cells = {s.name for s in plan(example).strategies if any(w in s.expression for w in ("cik", "til"))}
    assert cells <= unproven, "infused cells are unproven in every situation"
    assert plan(example).reference not in unproven


@pytest.mark.parametrize("example", example_names())
def test_the_report_puts_the_unproven_last(example: str) -> None:
    arms = compared(plan(example))
    grades = [a.strategy.evidence_grade for a in arms]
    assert not any(a.ranked for a in arms if a.strategy.evidence_grade in UNPROVEN)
    last_proven = max(i for i, g in enumerate(grades) if g not in UNPROVEN)
    assert all(i > last_proven for i, g in enumerate(grades) if g in UNPROVEN)
    proven = grades[1 : last_proven + 1]  # the reference comes first
    assert proven == sorted(proven, key=["standard", "option"].index)


@pytest.mark.parametrize("example", example_names())
def test_the_terminal_sets_the_unproven_apart(example: str) -> None:
    """Under headings of their own, below every strategy that has evidence."""
    out = StringIO()
    Console(file=out, width=250, force_terminal=False).print(strategy_table(plan(example)))
    lines = out.getvalue().splitlines()
    arms = compared(plan(example))

    def row(text: str) -> int:
        return next(i for i, line in enumerate(lines) if text in line)

    rows = {a.letter: row(f"{a.letter}   {a.strategy.title} ") for a in arms}
    assert list(rows.values()) == sorted(rows.values())
    headings = {
        "outside": "Outside the data, not ranked",
        "investigational": "Investigational, not ranked",
        "not supported": "Not supported",
    }
    for a in arms:
        if not a.ranked:
            assert max(rows[b.letter] for b in arms if b.ranked) < row(headings[a.standing])
            assert row(headings[a.standing]) < rows[a.letter]


def test_some_example_compares_unproven_strategies() -> None:
    """Otherwise the tests above would prove nothing."""
    assert sum(not a.ranked for name in example_names() for a in compared(plan(name))) >= 3
