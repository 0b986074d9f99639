"""The report of why one timetable comes out before another, on its own or as sections of a search."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

from metachron.optimise.results import ObjectiveDescription
from metachron.optimise.said import said
from metachron.optimise.understand.results import (
    Compared,
    Counterfactuals,
    Information,
    Sensitivity,
    Understanding,
)
from metachron.report import optimise_page, understand_figures, words
from metachron.report.optimise_page import Section, provenance_facts
from metachron.report.optimise_tables import Grid, Row
from metachron.report.optimise_view import difference_words, objective_name, regret_words, value_words
from metachron.report.understand_figures import FIRST, SECOND, figure_text, span_text

KINDS = {
    "test": "test of this patient",
    "scan": "scan of this patient",
    "parameter": "research, no test of this patient",
    "hidden": "nothing that a test gives",
}
MINUS = "\N{MINUS SIGN}"
PARTS = {
    "heatmap": "Day of infusion and half-life",
    "sensitivity": "What the difference turns on",
    "counterfactual": "What would have to be true",
    "counterfactuals": "What would have to be true",
    "information": "What would be worth knowing",
}


def write_understand_report(document: Understanding, path: Path) -> Path:
    """Write the report on its own and return its path. Raises OSError when it cannot be written."""
    return optimise_page.write(render(document), path)


def render(document: Understanding) -> str:
    """The report as HTML text; the same document gives the same text."""
    context = {
        "u": understand_context(document),
        "who": optimise_page.who(document.patient),
        "head": {
            "kind": "Why",
            "kicker": "Two timetables compared: why one comes out before the other, and what could change it",
            "disclaimer": document.disclaimer,
            "outside": document.outside,
            "status": document.parameters_status,
            "facts": [
                ("Situation", document.situation),
                ("Compared by", objective_name(document.objective)),
                ("Lives simulated", f"{document.lives:,}"),
            ],
        },
        "sections": [
            *understand_sections(document),
            *([("sources-of-run", "Sources of this run")] if document.bibliography else []),
            ("limits", "Limits and repeat"),
        ],
        "bibliography": document.bibliography,
        "limits": document.limits,
        "command": command(document),
        "provenance": provenance_facts(document),
    }
    environment = optimise_page.environment(document.bibliography)
    return environment.get_template("understand.html.j2").render(**context)


def understand_sections(document: Understanding) -> list[Section]:
    """Ids and titles of the sections that the document fills."""
    listed = [
        ("why", "Why one before the other", True),
        ("heat", "Day of infusion and half-life", document.heatmap is not None),
        ("turns", "What the difference turns on", document.sensitivity is not None),
        ("true", "What would have to be true", document.counterfactuals is not None),
        ("know", "What would be worth knowing", document.information is not None),
    ]
    return [(id, title) for id, title, there in listed if there]


def understand_context(document: Understanding) -> dict[str, Any]:
    """What the sections are made from."""
    unit = document.objective.unit
    s, c, i = document.sensitivity, document.counterfactuals, document.information
    return {
        "document": document,
        "pair": [(document.first, FIRST, "A", value_words(document.first.value), title(document.first)),
                 (document.second, SECOND, "B", value_words(document.second.value), title(document.second))],
        "say": partial(lettered, document),
        "lead": lead(document),
        "counted": counted(document.objective),
        "heat_words": [w for w in document.heatmap.words if not w.lower().startswith("half-life")]
                      if document.heatmap else [],
        "tiles": tiles(document),
        "contrast": understand_figures.contrast_figure(document, "f-contrast"),
        "heat": understand_figures.heat_map(document.heatmap, "f-heat") if document.heatmap else None,
        "heat_table": heat_table(document),
        "heat_rows": heat_rows(document),
        "tornado": understand_figures.tornado(
            s.tornado, document.contrast.difference.value, unit, "f-tornado") if s else None,
        "tornado_table": tornado_table(s, unit) if s else None,
        "sobol": understand_figures.sobol(s.sobol.difference, s.sobol.ranking, "f-sobol")
                 if s and s.sobol else None,
        "sobol_table": sobol_table(s) if s and s.sobol else None,
        "curves": understand_figures.counterfactuals(c.items, "f-true") if c else None,
        "curves_table": counterfactual_table(c) if c else None,
        "worth": understand_figures.information(i, "f-know") if i else None,
        "worth_table": information_table(i) if i else None,
        "outcomes_table": outcomes_table(i) if i else None,
        "kinds": KINDS,
        "skipped": [(PARTS.get(x.part, x.part), x.why) for x in document.skipped],
    }  # fmt: skip


def counted(objective: ObjectiveDescription) -> str:
    """The unit of a value: `months by the patient's own weights`, `months (mean months alive ...)`."""
    name = objective_name(objective)
    return name if name.startswith(objective.unit) else f"{objective.unit} ({name})"


def title(one: Compared) -> str:
    """The title as a clinician would say it."""
    text = said(one.title)
    return text if text[1:2].isupper() else text[:1].upper() + text[1:]


def lettered(document: Understanding, text: str) -> str:
    """A sentence with A and B for the two strategies, true minus signs, and no full stop."""
    names = [
        (n, k)
        for k, one in (("A", document.first), ("B", document.second))
        for n in (one.expression, one.name)
    ]
    for name, letter in sorted(names, key=lambda x: -len(x[0])):
        if name:
            text = re.sub(rf"(?<![\w>*+])(?<![>+] ){re.escape(name)}(?![\w*]| [>+])", letter, text)
    return re.sub(r"(?<![\w.)])-(?=\d)", MINUS, text).rstrip(".")


def lead(document: Understanding) -> list[str]:
    """The sentences of the document, of those that a section repeats the first only."""
    parts = (document.sensitivity, document.counterfactuals, document.information, document.heatmap)
    repeated = {w for part in parts if part is not None for w in part.words[1:]}
    skipped = {f"No {s.part}: {s.why}." for s in document.skipped}  # said under the figure
    return [lettered(document, w) for w in document.words if w not in repeated | skipped]


def tiles(document: Understanding) -> list[tuple[str, str]]:
    """The contrast in numbers."""
    c = document.contrast
    head, _, interval = difference_words(c.difference, document.objective.unit).partition(" (")
    between = f" ({interval}" if interval else ""
    made = [(head, f"A minus B, {objective_name(document.objective)}{between}")]
    made.append((words.percent(c.probability_first), "probability that A is the better one"))
    if document.information is not None:
        worth = document.information.evpi_parameters.value
        if worth is not None:
            unit = document.information.unit
            made.append((regret_words(worth, unit), "would be gained if every parameter were known"))
    return made


def heat_rows(document: Understanding) -> list[str]:
    """What each half-life says of the day, those that say the same together."""
    same: dict[str, list[str]] = {}
    for row in document.heatmap.rows if document.heatmap else []:
        told = re.sub(r"^half-life [^:]*: ", "", row.words, flags=re.IGNORECASE)
        same.setdefault(told, []).append(f"{row.half_life_days:g}")
    return [f"Half-life {words.listed(found)} d: {told}" for told, found in same.items()]


def heat_table(document: Understanding) -> Grid | None:
    found = document.heatmap
    if found is None:
        return None
    rows = [
        Row(
            [
                f"{words.signed(c.mean, 1)} ({words.signed(c.lower, 1)} to {words.signed(c.upper, 1)})"
                for c in row
            ],
            header=f"{half_life:g} d",
        )
        for half_life, row in zip(found.half_lives, found.cells, strict=True)
    ]
    head = ["Half-life", *(f"day {d}" for d in found.days)]
    return Grid(f"Gain from infused cells, {found.unit} (90% over their prior)", head, rows)


def tornado_table(found: Sensitivity, unit: str) -> Grid:
    rows = [
        Row(
            [
                span_text(b),
                difference_words(b.at_low, unit),
                difference_words(b.at_high, unit),
                difference_words(b.swing, unit),
                "yes" if b.flips else "no",
                b.basis,
            ],
            header=b.title,
        )
        for b in found.tornado
    ]
    head = ["Parameter", "Low to high end", "Difference at low", "Difference at high", "Swing",
            "Better one changes", "Basis"]  # fmt: skip
    return Grid("One parameter at a time, at 5 and 95% of its distribution", head, rows)


def sobol_table(found: Sensitivity) -> Grid | None:
    if found.sobol is None:
        return None
    ranking = {i.name: i for i in found.sobol.ranking}
    rows = []
    for index in sorted(found.sobol.difference, key=lambda i: -(i.total.value or 0.0)):
        other = ranking.get(index.name)
        cells = [index.first, index.total, *((other.first, other.total) if other else (None, None))]
        rows.append(Row([words.percent_interval(c) for c in cells], header=index.title))
    head = ["Parameter", "Difference: alone", "Difference: in all", "Ranking: alone", "Ranking: in all"]
    return Grid("Sobol indices: share of the variance (90% interval)", head, rows)


def counterfactual_table(found: Counterfactuals) -> Grid:
    rows = []
    for item in found.items:
        flips = item.flips_label or (figure_text(item.flips_at) if item.flips_at is not None else "")
        between = ""
        if item.flips_between is not None:
            between = f" ({figure_text(item.flips_between[0])} to {figure_text(item.flips_between[1])})"
        rows.append(
            Row(
                [
                    figure_text(item.now) if item.now is not None else words.DASH,
                    f"{figure_text(item.low)} to {figure_text(item.high)}",
                    f"{flips}{between}" if flips else "nowhere plausible",
                    item.unit or words.DASH,
                    item.basis,
                ],
                header=item.title,
            )
        )
    head = ["Parameter or finding", "Now", "Tried", "The other is better from", "Unit", "Basis"]
    return Grid("Where the one behind would be the better one", head, rows)


def information_table(found: Information) -> Grid:
    rows = [
        Row(
            [
                KINDS[i.kind],
                value_words(i.value)
                if i.distinct
                else f"{value_words(i.value)}; cannot be told from nothing",
                words.percent(i.probability_changes),
                words.sentence(" ".join(x for x in (i.words, i.note) if x)),
            ],
            header=i.title,
            cited=tuple(i.citations),
        )
        for i in found.items
    ]
    head = ["What", "Kind", f"Worth ({found.unit}, 90% interval)", "Would change the choice", "In words"]
    return Grid("What knowing it is worth for this choice", head, rows)


def outcomes_table(found: Information) -> Grid | None:
    rows = [
        Row([o.label, words.percent(o.probability), words.signed(o.difference, 1), o.choice], header=i.title)
        for i in found.items
        for o in i.outcomes
    ]
    head = ["What", "May show", "Probability", f"A minus B then ({found.unit})", "Better then"]
    return Grid("What each test may show, and the choice then", head, rows) if rows else None


def command(document: Understanding) -> str:
    """The command that makes this document again from the same patient file."""
    parts = [
        "metachron understand PATIENT.json",
        f"--strategy '{document.first.expression or document.first.name}'",
        f"--strategy '{document.second.expression or document.second.name}'",
        f"--objective {document.objective.name}",
        f"--seed {document.seed}",
    ]
    for key, flag in (("twins", "--twins"), ("draws", "--draws")):
        if document.settings.get(key) is not None:
            parts.append(f"{flag} {document.settings[key]}")
    return " ".join(parts + (["--prior"] if document.settings.get("prior") else []))
