"""The report of a search over order and timing: one document in, one HTML file out that opens offline.

`write_optimise_report` is the interface; the reports of why and of an update are written by
`write_understand_report` and `write_update_report`, and may be put into the same page.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from metachron.optimise.results import ObjectiveDescription, Optimisation, Plateau
from metachron.optimise.said import composed, said
from metachron.optimise.understand.results import Understanding
from metachron.optimise.update.results import Update
from metachron.report import calendar, optimise_cells, optimise_figures, optimise_page, optimise_trade, words
from metachron.report import optimise_tables as tables
from metachron.report.optimise_view import (
    AS_GOOD,
    Candidate,
    Shown,
    difference_words,
    objective_head,
    objective_name,
    regret_words,
    shown,
    value_words,
    variables_words,
)
from metachron.report.understand_report import (
    understand_context,
    understand_sections,
)
from metachron.report.update_report import update_context, update_sections

RIVALS = 4  # calendars beside that of the best
TRADES = 3  # figures of one objective against another


@dataclass(frozen=True)
class RowOfAnswer:
    """One row of the table of timetables."""

    c: Candidate
    value: str
    difference: str
    words: str
    probability: str
    severe: str
    variables: str


@dataclass(frozen=True)
class Calendar:
    candidate: Candidate
    figure: Markup
    table: tables.Grid


def write_optimise_report(
    document: Optimisation,
    path: Path,
    *,
    understanding: Understanding | None = None,
    update: Update | None = None,
) -> Path:
    """Write the report and return its path; `understanding` and `update` become sections of it.

    Raises OSError when it cannot be written.
    """
    return optimise_page.write(render(document, understanding, update), path)


def render(
    document: Optimisation, understanding: Understanding | None = None, update: Update | None = None
) -> str:
    """The report as HTML text; the same documents give the same text."""
    bibliography = optimise_page.merged_bibliography(
        document.bibliography,
        understanding.bibliography if understanding else [],
        update.plan.bibliography if update else [],
    )
    found = shown(document)
    o = optimise_context(document, found)
    context = {
        "o": o,
        "u": understand_context(understanding) if understanding else None,
        "d": update_context(update) if update else None,
        "who": optimise_page.who(document.patient),
        "head": _head(document),
        "sections": _sections(o, understanding, update, bool(bibliography)),
        "bibliography": bibliography,
        "limits": list(dict.fromkeys([*document.limits, *(understanding.limits if understanding else []),
                                      *(update.limits if update else [])])),
        "command": command(document),
        "provenance": optimise_page.provenance_facts(document),
    }  # fmt: skip
    return optimise_page.environment(bibliography).get_template("optimise.html.j2").render(**context)


def _head(document: Optimisation) -> dict[str, Any]:
    search = document.search
    return {
        "kind": "Order and timing",
        "kicker": "Treatments of colorectal cancer metastasis: order and timing, searched by simulation",
        "disclaimer": document.disclaimer,
        "outside": document.outside,
        "status": document.parameters_status,
        "facts": [
            ("Situation", document.situation),
            ("Assessed", _day0(document.patient)),
            ("Sought", "; ".join(objective_name(o) for o in document.sought)),
            ("Timetables tried", f"{search.evaluated} of {search.space_size}"),
            ("Virtual twins", f"{search.evaluation_twins:,}"),
        ],
    }


def _day0(patient: dict[str, Any]) -> str:
    day = patient.get("assessed_on")
    return f"{words.day(day)} (day 0)" if day else "date not known"


def _sections(
    o: dict[str, Any], understanding: Understanding | None, update: Update | None, sources: bool
) -> list[optimise_page.Section]:
    listed = [
        ("answer", "Answer", True),
        ("candidates", "The timetables compared", True),
        ("sure", "How sure the choice is", bool(o["sure"])),
        ("plateau", "How far timing may move", bool(o["plateaus"] or o["plateau_table"])),
        ("trade", "What is gained, and what it costs", bool(o["trades"])),
        ("calendars", "Calendars", bool(o["calendars"])),
        ("cells", "Shown, not ranked", bool(o["cells"] or o["unranked"])),
        ("constraints", "Constraints and search", True),
    ]
    found = [(id, title) for id, title, there in listed if there]
    found += understand_sections(understanding) if understanding else []
    found += update_sections(update) if update else []
    found += [("sources-of-run", "Sources of this run")] if sources else []
    return [*found, ("limits", "Limits and repeat")]


def optimise_context(document: Optimisation, found: Shown) -> dict[str, Any]:
    """What the sections of a search are made from."""
    cells = optimise_cells.groups(document, found.all)
    strengths = optimise_cells.effects(cells)
    others = traded(document)
    return {
        "document": document,
        "lead": lead(document, found),
        "tiles": tiles(document, found),
        "plateau_lines": [(said(p.words), freedom(p)) for p in document.plateau],
        "objective_head": objective_head(document.objective),
        "groups": _groups(document, found),
        "more": _more(found),
        "objectives": tables.objectives_table(document, found),
        "expressions": tables.expressions_table(found),
        "variables": tables.variables_table(document),
        "sure": optimise_figures.sure(document, found.ranked, "f-sure"),
        "sure_table": tables.sure_table(document, found.ranked),
        "plateaus": optimise_figures.plateaus(document.plateau, "f-plateau"),
        "plateau_table": tables.plateau_table(document),
        "trades": optimise_trade.trade_offs(document, found.all, others, "f-trade"),
        "far_off": optimise_trade.far_off(document, found.all, others),
        "front": tables.front_table(document, found),
        "calendars": _calendars(found),
        "cells": optimise_cells.figure(document, cells, "f-cells"),
        "cells_table": tables.cells_table(document, cells),
        "effects": list(zip(strengths, optimise_cells.COLOURS, strict=False)),
        "unranked": tables.unranked_reasons(found),
        "constraints": tables.constraints_table(document),
        "refusals": tables.refusals(document),
        "search": _search_facts(document),
    }


def traded(document: Optimisation) -> list[ObjectiveDescription]:
    """Objectives set against the one that is ranked: those of the front when one was asked for."""
    others = [x for x in document.objectives if x.name != document.objective.name]
    front = [x for x in document.sought if x in others] if document.front else []
    return (front or others)[:TRADES]


# --- the answer ----------------------------------------------------------------------------------------


def lead(document: Optimisation, found: Shown) -> list[str]:
    """The answer in sentences: those of the document without its plateaus, which stand below."""
    plateaus = {p.words for p in document.plateau}
    given = [said(w) for w in document.words if w not in plateaus]
    if given:
        return given
    best = next((c for c in found.ranked if c.standing == "best"), None)
    if best is None:
        return ["Nothing is ranked: the figures are shown, and no timetable is called better"]
    value = value_words(best.evaluation.objectives.get(document.objective.name))
    return [f"{best.title}: {value} {document.objective.words}"]


def freedom(plateau: Plateau) -> str:
    """How much room a variable leaves: free, partly, or none."""
    if not plateau.matters:
        return "free"
    return "partly" if len(plateau.alike) > 1 else "none"


def tiles(document: Optimisation, found: Shown) -> list[tuple[str, str]]:
    """The numbers of the answer, each with what it is."""
    best = next((c for c in found.ranked if c.standing == "best"), None)
    if best is None:
        return []
    objective = document.objective
    value = best.evaluation.objectives.get(objective.name)
    made = []
    if value is not None and value.value is not None:
        head, _, interval = value_words(value).partition(" (")
        between = f" ({interval}" if interval else ""
        made.append((f"{head} {objective.unit}", f"{objective_name(objective)} with {best.letter}{between}"))
    if best.probability is not None:
        made.append(
            (words.percent(best.probability), f"probability that {best.letter} is the best of the ranked")
        )
    made.append(_as_good(document, found, best))
    if best.regret is not None:
        regret = regret_words(best.regret, objective.unit)
        made.append((regret, f"lost on average by choosing {best.letter}, had another been the better one"))
    return made


def _as_good(document: Optimisation, found: Shown, best: Candidate) -> tuple[str, str]:
    """How many of those compared with the best are as good, and their letters."""
    good = {*document.cannot_be_told_apart, *document.as_good} - {best.evaluation.id}
    compared = max(len(document.probability_best), len(good) + 1) - 1
    letters = [c.letter for c in found.ranked if c.standing in AS_GOOD]
    said_as = f"others cannot be told apart from {best.letter}"
    if document.as_good and document.least_that_matters:
        small = f"{document.least_that_matters:g} {document.objective.unit}"
        said_as = f"others are as good as {best.letter}: not told apart, or within {small}"
    rest = " and others" if 0 < len(letters) < len(good) else ""
    which = f" ({words.listed(letters) if not rest else ', '.join(letters)}{rest})" if letters else ""
    return f"{len(good)} of {compared}", said_as + which


def _groups(document: Optimisation, found: Shown) -> list[tuple[str, list[RowOfAnswer]]]:
    groups = [("", found.ranked), ("Shown, not ranked: unproven, or outside the data", found.unranked)]
    usual = tables.scans_words(document.evaluation(document.reference))
    return [(title, [_row(document, c, usual) for c in members]) for title, members in groups if members]


def _row(document: Optimisation, c: Candidate, usual: str) -> RowOfAnswer:
    """`usual`: how closely the standard is scanned; another schedule is said."""
    e = c.evaluation
    severe = next((t for t in e.toxicity if t.grade == "3+" and words.is_any(t)), None)
    best = c.standing == "best"
    scans = tables.scans_words(e)
    return RowOfAnswer(
        c=c,
        value=value_words(e.objectives.get(document.objective.name)),
        difference="the best" if best else difference_words(e.difference, document.objective.unit),
        words="" if best else c.words,
        probability=words.percent(c.probability) if c.probability is not None else "not ranked",
        severe=words.percent_interval(severe.probability) if severe else "not available",
        variables="; ".join(
            x
            for x in (
                "" if composed(e) else said(variables_words(e.variables, tables.units_of(document))),
                scans if scans != usual else "",
            )
            if x
        ),
    )


def _more(found: Shown) -> str:
    hidden = found.ranked_in_all - len(found.ranked)
    parts = []
    if hidden > 0:
        parts.append(
            f"{words.plural(hidden, 'more ranked timetable')} in the document; most left the race early."
        )
    unranked = found.unranked_in_all - len(found.unranked)
    if unranked > 0:
        parts.append(f"{words.plural(unranked, 'more')} that may not be ranked.".replace("mores", "more"))
    if found.left_race:
        parts.append(
            f"{words.plural(found.left_race, 'timetable')} left the race early: clearly worse than others."
        )
    return " ".join(parts)


# --- calendars, search, provenance ---------------------------------------------------------------------


def _calendars(found: Shown) -> list[Calendar]:
    """The best, its nearest rivals and the standard; others when nothing is ranked."""
    first = [c for c in found.ranked if c.standing in ("best", *AS_GOOD)][: RIVALS + 1]
    first += [c for c in found.ranked if c.is_reference and c not in first]
    chosen = [c for c in first or found.all[:RIVALS] if c.evaluation.timetable]
    weeks = calendar.last_week([c.evaluation.timetable for c in chosen])
    return [
        Calendar(
            c,
            calendar.draw(c.evaluation.timetable, c.letter, c.title, f"g-{c.index}", weeks),
            tables.timetable_table(c),
        )
        for c in chosen
    ]


def _search_facts(document: Optimisation) -> list[tuple[str, str]]:
    s = document.search
    return [
        ("Timetables in the space", f"{s.space_size:,}"),
        ("Taken out by constraints", f"{s.refused:,}"),
        ("Simulated", f"{s.evaluated:,}"),
        ("Rounds", f"{s.rounds}"),
        ("Twins in the race", f"{s.search_twins:,}"),
        ("Fresh twins for the survivors", f"{s.evaluation_twins:,}"),
        ("Parameter draws", f"{s.draws}"),
    ]


def command(document: Optimisation) -> str:
    """The command that makes this document again from the same patient file, as far as the settings tell."""
    settings = document.settings
    asked = str(settings.get("objective") or document.objective.name)
    parts = [
        "metachron optimise PATIENT.json",
        f"--objective '{asked}'" if "*" in asked else f"--objective {asked}",
        f"--seed {document.seed}",
    ]
    flags = {"twins": "--twins", "draws": "--draws", "horizon_years": "--horizon"}
    parts += [f"{flag} {settings[key]}" for key, flag in flags.items() if settings.get(key) is not None]
    if settings.get("budget_seconds") is not None:
        parts.append(f"--budget {settings['budget_seconds']:g}s")
    parts += [f"--matters {settings['matters']:g}"] if settings.get("matters") is not None else []
    for key, flag in (("templates", "--strategy"), ("constraints", "--constraint")):
        found = settings.get(key)
        if isinstance(found, list | tuple):
            parts += [f"{flag} '{one}'" for one in found]
    parts += ["--prior"] if settings.get("prior") else []
    return " ".join(parts)
