"""The report of an update: what was found, how belief moved, and what it means from today."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from metachron.optimise.said import said
from metachron.optimise.update.results import Observation, StrategyBelief, Update
from metachron.plan.results import Plan
from metachron.report import calendar, optimise_page, update_figures, words
from metachron.report.optimise_page import Section
from metachron.report.optimise_tables import Grid, Row
from metachron.report.understand_figures import figure_text
from metachron.report.update_figures import belief_words, spread_words, table_unit

GRADES = ("standard", "option", "investigational", "not supported")
MOVED = {"up": "up", "down": "down", "unchanged": "unchanged"}


def write_update_report(document: Update, path: Path) -> Path:
    """Write the report on its own and return its path. Raises OSError when it cannot be written."""
    return optimise_page.write(render(document), path)


def render(document: Update) -> str:
    """The report as HTML text; the same document gives the same text."""
    bibliography = document.plan.bibliography
    context = {
        "d": update_context(document),
        "who": optimise_page.who(document.updated_patient),
        "head": {
            "kind": "Update",
            "kicker": "What the new findings say, and the plan from today",
            "disclaimer": document.disclaimer,
            "outside": document.outside,
            "status": document.parameters_status,
            "facts": [
                ("Assessed before", words.day(document.assessed_on)),
                ("Today", f"{words.day(document.today)} ({words.plural(document.days, 'day')} later)"),
                ("Situation", document.plan.situation),
            ],
        },
        "sections": [
            *update_sections(document),
            *([("sources-of-run", "Sources of this run")] if bibliography else []),
            ("limits", "Limits and repeat"),
        ],
        "bibliography": bibliography,
        "limits": list(dict.fromkeys([*document.limits, *document.plan.limits])),
        "command": command(document),
        "provenance": optimise_page.provenance_facts(document),
    }
    return optimise_page.environment(bibliography).get_template("update.html.j2").render(**context)


def by_grade(document: Update) -> list[tuple[StrategyBelief, str]]:
    """The strategies with their titles, proven ones first; the title says it of those that are not ranked."""
    grades = {s.name: s.evidence_grade for s in document.plan.strategies}
    order = {grade: i for i, grade in enumerate(GRADES)}
    found = sorted(document.strategies, key=lambda s: order.get(grades.get(s.name, ""), 1))
    unproven = {name: grade for name, grade in grades.items() if grade in GRADES[2:]}
    return [(s, s.title + (f" ({unproven[s.name]})" if s.name in unproven else "")) for s in found]


def update_sections(document: Update) -> list[Section]:
    """Ids and titles of the sections that the document fills."""
    listed = [
        ("news", "What the new findings say", True),
        ("found", "Found beside expected", bool(document.observations)),
        ("moved", "How belief moved", bool(document.beliefs)),
        ("choice", "What it means from today", bool(document.strategies)),
        ("how", "How twins were conditioned", True),
    ]
    return [(id, title) for id, title, there in listed if there]


def update_context(document: Update) -> dict[str, Any]:
    """What the sections are made from."""
    plan = document.plan
    next_step = next((s for s in plan.strategies if s.name == plan.reference and s.timetable), None)
    weeks = calendar.last_week([next_step.timetable]) if next_step else 0
    return {
        "document": document,
        "lived": [said(line) for line in document.lived],
        "tiles": tiles(document),
        "found": update_figures.observations(document.observations, "f-found"),
        "found_table": found_table(document),
        "beliefs": update_figures.beliefs(document.beliefs, "f-beliefs"),
        "beliefs_table": beliefs_table(document),
        "strategies": update_figures.strategies(by_grade(document), document.years, "f-choice"),
        "strategies_table": strategies_table(document),
        "plan_table": plan_table(document.plan),
        "next": next_step,
        "calendar": calendar.draw(next_step.timetable, "R", next_step.title, "f-next", weeks)
                    if next_step else None,
    }  # fmt: skip


def tiles(document: Update) -> list[tuple[str, str]]:
    """The update in numbers."""
    used = [o for o in document.observations if o.used]
    unexpected = [o for o in used if o.probability is not None and o.probability < 0.1]
    moved = [b for b in document.beliefs if b.moved != "unchanged"]
    made = [
        (f"{len(used)} of {len(document.observations)}", "findings moved belief"),
        (f"{len(unexpected)}", "of them had a probability under 10% before"),
        (f"{len(moved)} of {len(document.beliefs)}", "beliefs moved"),
        (
            f"{document.sampling.effective_sample_size:,.0f}",
            "virtual patients fit all findings (effective number)",
        ),
    ]
    return made if document.observations else made[2:]


def found_table(document: Update) -> Grid:
    rows = [
        Row(
            [
                words.day(o.date),
                _found(o),
                spread_words(o.expected, o.unit),
                words.percent(o.probability) if o.probability is not None else words.DASH,
                "yes" if o.used else "no",
                words.sentence(o.note) or words.DASH,
            ],
            header=o.what,
        )
        for o in document.observations
    ]
    head = ["What", "Day", "Found", "Expected (5 to 95%)", "Probability of that", "Moved belief", "Note"]
    return Grid("What was found, beside what the twins of the old assessment expected", head, rows)


def _found(o: Observation) -> str:
    if isinstance(o.found, str):
        return o.found
    return (
        words.percent(o.found)
        if o.unit == "fraction"
        else f"{figure_text(o.found)} {table_unit(o.unit)}".strip()
    )


def beliefs_table(document: Update) -> Grid:
    rows = [
        Row(
            [
                belief_words(b, b.prior),
                belief_words(b, b.updated),
                MOVED[b.moved] + (f", {words.signed(b.shift, 1)} SD" if b.moved != "unchanged" else ""),
                words.percent(1.0 - b.narrowed) if b.narrowed < 0.995 else "none",
                words.sentence(b.text),
                b.basis,
            ],
            header=b.words,
            code=b.group,
        )
        for b in document.beliefs
    ]
    head = ["What is believed", "Before (5 to 95%)", "After", "Moved", "Spread lost", "In words", "Basis"]
    return Grid("Belief before and after the findings, over twins", head, rows)


def strategies_table(document: Update) -> Grid:
    years = sorted({y for s in document.strategies for y in s.updated_survival}, key=float)
    rows = [
        Row(
            [
                words.months(s.prior_months),
                words.months(s.updated_months),
                f"{words.signed(s.change_months, 1)} months",
                *(_survival(s.prior_survival.get(y), s.updated_survival.get(y)) for y in years),
                words.sentence(s.text),
                s.basis,
            ],
            header=title,
        )
        for s, title in by_grade(document)
    ]
    columns = (f"Alive at {y} year{'' if y == '1' else 's'}, before and after" for y in years)
    head = ["Strategy from today", "Months before", "Months after", "Change", *columns, "In words", "Basis"]
    return Grid(f"Mean months alive within {document.years:g} years from today (90% interval)", head, rows)


def plan_table(plan: Plan) -> Grid | None:
    """Differences in overall survival from the reference of the plan from today."""
    titles = {s.name: s for s in plan.strategies}
    rows = [
        Row(
            [
                words.difference_words(d) if d.strategy not in plan.not_ranked else words.NOT_RANKED,
                words.difference_numbers(d),
                words.percent(d.probability_better),
                titles[d.strategy].evidence_grade,
                d.basis,
            ],
            header=titles[d.strategy].title,
        )
        for d in plan.comparison
        if d.endpoint == "os" and d.strategy in titles
    ]
    reference = titles[plan.reference].title if plan.reference in titles else plan.reference
    head = [
        "Strategy",
        "In words",
        "Difference (90% interval)",
        "Probability of doing better",
        "Grade",
        "Basis",
    ]
    return Grid(f"From today: overall survival against {reference}", head, rows) if rows else None


def _survival(before: float | None, after: float | None) -> str:
    pair = (words.percent(x) if x is not None else words.DASH for x in (before, after))
    return ", ".join(pair)


def command(document: Update) -> str:
    """The command that makes this document again from the same files."""
    parts = ["metachron update PATIENT.json --finding FINDING.json", f"--seed {document.seed}"]
    for key, flag in (("twins", "--twins"), ("draws", "--draws"), ("horizon_years", "--horizon")):
        if document.settings.get(key) is not None:
            parts.append(f"{flag} {document.settings[key]}")
    return " ".join(parts + (["--prior"] if document.settings.get("prior") else []))
