"""What lies outside the data: flagged everywhere, ranked nowhere, and never called better or worse."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from rich.console import Console
from sample import sample_plan
from test_report_html import Page
from test_report_plain import GRADE, flesch_kincaid, plain_text

from metachron.plan.results import DomainResult, Plan, Provenance
from metachron.report import brief, data_behind, tables
from metachron.report.arms import compared
from metachron.report.build import command, render
from metachron.report.console import strategy_table, summary_lines

WHY = "age 101 years; registered trials hold 18 to 93 years (38,703 patients)"
NEVER = "no registered trial has two stage hepatectomy"


def with_outside(*names: str, why: str = NEVER, patient: bool = False) -> Plan:
    """The sample with some strategies (none named: all of them) outside the data."""
    plan = sample_plan()
    chosen = set(names) or {s.name for s in plan.strategies}
    for s in plan.strategies:
        s.domain = DomainResult(
            outside=False, trials=2, patients=400, trials_of_parts=5, patients_of_parts=2000
        )
        if s.name not in chosen:
            continue
        s.basis = "outside"
        s.domain = DomainResult(outside=True, reasons=[why])
        if s.outcomes is not None:
            for t in s.outcomes.toxicity:
                t.basis = "outside"
    plan.comparison = [d for d in plan.comparison if not patient and d.strategy not in chosen]
    plan.not_ranked = sorted({*plan.not_ranked, *chosen})
    plan.outside = [why] if patient else []
    return plan


PATIENT = with_outside(why=WHY, patient=True)
ONE = with_outside("two_stage_mfolfox6")


def table_of(plan: Plan) -> str:
    out = StringIO()
    Console(file=out, width=200, force_terminal=False).print(strategy_table(plan))
    return out.getvalue()


def test_a_patient_outside_is_told_at_the_head_and_nothing_is_compared() -> None:
    html = render(PATIENT)
    text = " ".join(Page(html).text)
    head = html[: html.index('id="brief"')]
    assert "Outside the data." in head
    assert "38,703 patients" in head
    assert "none is compared with another" in text
    answers = html[html.index('<table class="answers"') : html.index('id="patient"')]
    assert not re.search(r"longer|shorter|better|worse|· reference", re.sub(r"<[^>]+>", " ", answers), re.I)
    assert "There is nothing to compare with the reference." in text


def test_the_terminal_says_so_too() -> None:
    assert any(line.startswith("OUTSIDE THE DATA") and WHY in line for line in summary_lines(PATIENT))
    rows = table_of(PATIENT)
    assert "not ranked" in rows
    assert "reference" not in rows
    assert not re.search(r"[+\N{MINUS SIGN}]\d", rows)


def test_key_points_of_a_patient_outside_claim_nothing() -> None:
    (point,) = brief.key_points(PATIENT, compared(PATIENT))
    assert "nothing is ranked" in point
    assert WHY in point


def test_a_strategy_outside_stands_apart_with_its_reason() -> None:
    arms = compared(ONE)
    arm = next(a for a in arms if a.outside)
    assert not arm.ranked
    assert arm.standing == "outside"
    assert all(arm.index > a.index for a in arms if a.ranked)
    assert brief.key_points(ONE, arms)[0] == f"{arm.letter} lies outside the data and is not ranked: {NEVER}."
    html = render(ONE)
    assert "Outside the data, not ranked" in html
    assert "not compared: outside the data" in html
    assert any(NEVER in line and line.startswith("Outside the data") for line in summary_lines(ONE))
    assert "Outside the data, not ranked" in table_of(ONE)


def test_groups_stand_together() -> None:
    """An investigational strategy outside the data is listed with those outside, once."""
    plan = with_outside("two_stage_mfolfox6", "til")
    standing = [a.standing for a in compared(plan)]
    assert standing == sorted(standing, key=["ranked", "outside", "investigational", "not supported"].index)
    assert table_of(plan).count("Outside the data, not ranked") == 1


def test_the_page_for_the_patient_does_not_compare_either() -> None:
    text = plain_text(render(PATIENT))
    assert "People like you were not in them." in text
    assert "had a severe side effect" not in text
    assert "lived longer" not in text
    assert "people like you were alive" not in text
    assert flesch_kincaid(text) <= GRADE
    one = plain_text(render(ONE))
    letter = next(a.letter for a in compared(ONE) if a.outside)
    assert f"It knows no trial of choice {letter}. So it does not compare it." in one
    assert flesch_kincaid(one) <= GRADE


def test_a_row_of_toxicity_is_not_called_outside_for_one_strategy() -> None:
    for table in tables.toxicity(compared(ONE), "3+"):
        assert table.rows[0].header == "any kind"
        assert table.rows[0].basis == "prior-driven"
    for table in tables.toxicity(compared(PATIENT), "3+"):
        assert all(r.basis == "outside" for r in table.rows)


def test_trials_behind_each_strategy_are_drawn_and_told() -> None:
    arms = compared(ONE)
    figure = str(data_behind.behind(arms, "x"))
    for arm in arms:
        assert f">{arm.letter}</text>" in figure
    assert figure.count("2 trials (400 patients); 3 more share a part</text>") == len(arms) - 1
    assert "outside the data</text>" in figure
    assert data_behind.behind(compared(sample_plan()), "x") is None, (
        "a plan of an older version has no region"
    )


@pytest.mark.parametrize(
    ("alike", "share", "said"),
    [
        ((1, 60), (1, 60), "1 trial (60 patients)"),
        ((0, 0), (1, 60), "none alike; 1 more shares a part"),
        ((0, 0), (0, 0), "no registered trial in this setting"),
    ],
)
def test_how_much_stands_behind_in_words(alike: tuple[int, int], share: tuple[int, int], said: str) -> None:
    found = DomainResult(
        outside=False,
        trials=alike[0],
        patients=alike[1],
        trials_of_parts=share[0],
        patients_of_parts=share[1],
    )
    assert data_behind.said(found) == said


def test_fitted_numbers_are_not_called_unchecked() -> None:
    plan = sample_plan(provenance=Provenance(source="ensemble", id="0123456789ab", trials=["A"]))
    text = plain_text(render(plan))
    assert "No one has checked" not in text
    assert "You may do better or worse than the people in them." in text
    assert flesch_kincaid(text) <= GRADE
    assert "No one has checked" in plain_text(render(sample_plan()))


def test_the_command_repeats_a_plan_from_the_prior() -> None:
    settings = {"twins": 2000, "draws": 50, "horizon_years": 10}
    assert command(sample_plan(settings={**settings, "prior": 1})).endswith("--prior")
    assert "--prior" not in command(sample_plan())
