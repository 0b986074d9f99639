"""Tables of the report of a search; each stands behind a figure or carries what no figure shows."""

from __future__ import annotations

from dataclasses import dataclass, field

from metachron.optimise.results import Evaluation, Optimisation
from metachron.optimise.said import limit, said, title_of
from metachron.report import calendar, words
from metachron.report.optimise_cells import Group
from metachron.report.optimise_view import (
    Candidate,
    Shown,
    difference_words,
    not_rankable,
    objective_head,
    quantity,
    regret_words,
    value_words,
)


@dataclass(frozen=True)
class Row:
    """`candidate` puts its letter and title in the row header; else `header` is shown."""

    cells: list[str]
    candidate: Candidate | None = None
    header: str = ""
    code: str = ""
    cited: tuple[str, ...] = ()
    strong: bool = False


@dataclass(frozen=True)
class Grid:
    """A table with a caption and one row header a row."""

    caption: str
    head: list[str]
    rows: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class Refusals:
    """Candidates taken out for one reason: how many, and some of them."""

    text: str
    count: int
    examples: list[str]
    citations: list[str]


def units_of(document: Optimisation) -> dict[str, str]:
    return {v.name: v.unit for v in document.variables}


def objectives_table(document: Optimisation, shown: Shown) -> Grid | None:
    """Every objective of every candidate with a letter."""
    listed = document.objectives or [document.objective]
    rows = [
        Row(
            [value_words(c.evaluation.objectives.get(o.name)) for o in listed] + [_severe(c.evaluation)],
            c,
            strong=c.standing == "best",
        )
        for c in shown.all
        if c.evaluation.objectives
    ]
    head = ["Timetable", *(objective_head(o) for o in listed), "Severe toxicity (grade 3+)"]
    return Grid("Objectives of each timetable (90% interval)", head, rows) if rows else None


def expressions_table(shown: Shown) -> Grid:
    """What goes into `metachron plan --strategy`."""
    rows = [Row([c.evaluation.expression, c.evaluation.surveillance or words.DASH], c) for c in shown.all]
    return Grid("For `metachron plan --strategy`", ["Timetable", "Expression", "Scans"], rows)


def _severe(e: Evaluation) -> str:
    found = next((t for t in e.toxicity if t.grade == "3+" and words.is_any(t)), None)
    return words.percent_interval(found.probability) if found else "not available"


def sure_table(document: Optimisation, candidates: list[Candidate]) -> Grid:
    """Behind the figure of how sure the choice is."""
    unit = document.objective.unit
    rows = [
        Row(
            [
                c.words,
                words.DASH if c.standing == "best" else difference_words(c.evaluation.difference, unit),
                words.percent(c.probability) if c.probability is not None else words.DASH,
                regret_words(c.regret, unit),
            ],
            c,
            strong=c.standing == "best",
        )
        for c in candidates
    ]
    head = [
        "Timetable",
        "In words",
        "Difference (90% interval)",
        "Probability of being best",
        "Expected regret",
    ]
    return Grid(f"Against the best: {document.objective.words}", head, rows)


def variables_table(document: Optimisation) -> Grid:
    """What was free, and the values tried."""
    best = document.evaluation(document.best).variables if document.best else {}
    rows = [
        Row(
            [
                ", ".join(quantity(x, "") for x in v.values),
                v.unit or words.DASH,
                quantity(best.get(v.name), v.unit) if best else words.DASH,
            ],
            header=v.name,
        )
        for v in document.variables
    ]
    return Grid("What was free", ["Variable", "Values tried", "Unit", "At the best"], rows)


def plateau_table(document: Optimisation) -> Grid | None:
    rows = [
        Row(
            [
                said(quantity(p.value, p.unit)),
                said("; ".join(quantity(v, "") for v in p.alike)) or words.DASH,
                said("; ".join(quantity(v, "") for v in p.different)) or "none",
                words.sentence(said(p.words)),
            ],
            header=p.variable,
        )
        for p in document.plateau
    ]
    head = ["Variable", "At the best", "Cannot be told apart", "Told apart", "In words"]
    return Grid("Where timing matters, and where it does not", head, rows) if rows else None


def scans_words(e: Evaluation) -> str:
    """How closely a timetable is scanned in its first year: part of what is compared."""
    count = sum(bar.lane == "scans" and bar.start_day <= 365 for bar in e.timetable)
    return f"{words.plural(count, 'scan')} in the first year"


def front_table(document: Optimisation, shown: Shown) -> Grid | None:
    """Members of the front, the ranked objective first."""
    lettered = {c.evaluation.id: c for c in shown.all}
    listed = document.sought
    members = [document.evaluation(id) for id in document.front]
    rows = [
        Row(
            [*(value_words(e.objectives.get(o.name)) for o in listed), scans_words(e).split(" ")[0]],
            lettered.get(e.id),
            header=title_of(e),
            code=e.expression,
        )
        for e in members
    ]
    head = ["Timetable", *(objective_head(o) for o in listed), "Scans in the first year"]
    return Grid("On the front: no other timetable is better in every objective", head, rows) if rows else None


def cells_table(document: Optimisation, found: list[Group]) -> Grid | None:
    rows = [
        Row(
            [
                f"{r.half_life_days:g}",
                f"{r.lymphotoxicity:g}",
                f"{r.effect:g}",
                difference_words(r.difference, document.objective.unit),
            ],
            header=f"{g.letter}  {g.title}",
        )
        for g in found
        for r in g.rows
    ]
    head = [
        "Timetable",
        "Half-life (d)",
        "Kill by chemotherapy (1/d)",
        "Effect (1/d)",
        "Difference (90% interval)",
    ]
    return Grid("Infused cells over the prior of their kinetics (prior-driven)", head, rows) if rows else None


def constraints_table(document: Optimisation) -> Grid | None:
    rows = [
        Row([c.origin, str(c.refused), c.status], header=limit(c.text), cited=tuple(c.citations))
        for c in document.constraints
    ]
    head = ["Constraint", "Origin", "Candidates taken out", "Where the limit comes from"]
    return Grid("Hard constraints", head, rows) if rows else None


def refusals(document: Optimisation) -> list[Refusals]:
    """Why candidates were not evaluated, the most frequent reason first."""
    groups: dict[str, list[Evaluation]] = {}
    for e in document.evaluations:
        if e.objectives or e.rank is not None:
            continue
        reason = e.reasons[0].text if e.reasons else e.not_ranked_because or "no reason given"
        groups.setdefault(reason, []).append(e)
    made = [
        Refusals(
            words.sentence(limit(text)),
            len(found),
            [e.expression or e.title for e in found[:3]],
            list(found[0].reasons[0].citations) if found[0].reasons else [],
        )
        for text, found in groups.items()
    ]
    return sorted(made, key=lambda r: -r.count)


def unranked_reasons(shown: Shown) -> list[tuple[Candidate, str]]:
    """Why a candidate with a letter has no rank."""
    found = []
    for c in shown.unranked:
        e = c.evaluation
        why = e.not_ranked_because
        if not why and e.basis == "outside":
            why = "outside the region of the data"
        if not why and not_rankable(e):
            why = f"{e.evidence_grade}: no evidence beyond the prior"
        found.append((c, words.sentence(why or "not ranked")))
    return found


def timetable_table(candidate: Candidate) -> Grid:
    """The calendar as weeks, windows from the 10th to the 90th percentile."""
    rows = [
        Row(
            [
                bar.label,
                f"{calendar.week(bar.start_day)} ({calendar.window(bar.start_window)})",
                f"{calendar.week(bar.end_day)} ({calendar.window(bar.end_window)})",
                words.percent(bar.share),
            ],
            header=bar.lane,
        )
        for row in calendar.rows_of(candidate.evaluation.timetable)
        for bar in row.bars
    ]
    head = ["Lane", "What", "Starts, week (10 to 90%)", "Ends, week (10 to 90%)", "Share of twins"]
    return Grid(f"Calendar of {candidate.letter}: {candidate.title}", head, rows)
