"""Figures of a search: how sure the choice is, what objectives cost each other, how far timing may move."""

from __future__ import annotations

import textwrap

from markupsafe import Markup

from metachron.optimise.results import Optimisation, Plateau
from metachron.optimise.said import said
from metachron.report import svg, words
from metachron.report.figures import WIDTH
from metachron.report.optimise_view import (
    ALIKE,
    APART,
    AS_GOOD,
    BEST,
    Candidate,
    nice_ticks,
    quantity,
    tick_text,
)

ROW = 0.3  # inches
SMALL = svg.FONT - 1
LABEL = 2.55  # inches left of the panels


def sure(document: Optimisation, candidates: list[Candidate], name: str) -> Markup | None:
    """Three panels, a row for each ranked candidate: difference, probability of being best, regret."""
    if not candidates:
        return None
    rows = len(candidates)
    sheet = svg.Drawing(WIDTH, ROW * rows + 1.0)
    frames = svg.grid_of(sheet, 1, 3, (LABEL, 0.36, 0.12, 0.64), (0.24, 0.0))
    limits = (rows - 0.5, -0.5)
    unit = document.objective.unit
    panels = [
        _difference_panel(
            svg.Panel(sheet, *frames[0], _difference_limits(candidates), limits), candidates, unit
        ),
        _probability_panel(svg.Panel(sheet, *frames[1], (0, 1), limits), candidates),
        _regret_panel(svg.Panel(sheet, *frames[2], (0, _regret_limit(candidates)), limits), candidates, unit),
    ]
    heads = ("Against the best", "Probability of being best", "Expected regret")
    for panel, head in zip(panels, heads, strict=True):
        panel.title(head, pad=6, size=svg.FONT - 0.5, bold=True)
    _row_labels(panels[0], candidates)
    return sheet.to_svg(name, "How sure the choice is", _sure_text(document, candidates))


def _row_labels(panel: svg.Panel, candidates: list[Candidate]) -> None:
    for row, c in enumerate(candidates):
        y = panel.y(row)
        panel.sheet.middle_text(2, y, c.letter, bold=True, colour=c.colour)
        text = c.title + (" (standard)" if c.is_reference else "")
        lines = textwrap.wrap(text, 42, max_lines=2, placeholder=" …")
        panel.sheet.middle_text(18, y, "\n".join(lines), size=SMALL)


def _difference_limits(candidates: list[Candidate]) -> tuple[float, float]:
    ends = [v for c in candidates if (d := c.evaluation.difference) for v in (d.value, d.lower, d.upper)
            if v is not None]  # fmt: skip
    low, high = min([*ends, 0.0]), max([*ends, 0.0])
    room = 0.08 * (high - low) or 1.0
    return low - room, high + room


def _difference_panel(panel: svg.Panel, candidates: list[Candidate], unit: str) -> svg.Panel:
    ticks = nice_ticks(*panel.xlim, most=4)
    panel.grid(xs=ticks)
    panel.line([0, 0], list(panel.ylim), svg.INK, 0.9)
    for row, c in enumerate(candidates):
        found = c.evaluation.difference
        if c.standing == "best" or found is None or found.value is None:
            panel.mark("D", 0, row, 5.5, c.colour)
            continue
        if found.lower is not None and found.upper is not None:
            panel.line([found.lower, found.upper], [row, row], c.colour, 1.6)
        fill = "white" if c.standing in AS_GOOD else c.colour
        panel.mark("o", found.value, row, 5, c.colour, fill=fill, edge=1.2)
    panel.x_axis(ticks, [tick_text(t) for t in ticks], title=unit, size=SMALL)
    return panel


def _probability_panel(panel: svg.Panel, candidates: list[Candidate]) -> svg.Panel:
    ticks = [0.0, 0.5, 1.0]
    panel.grid(xs=ticks)
    for row, c in enumerate(candidates):
        share = c.probability or 0.0
        panel.bar(0, share, row, 0.5, c.colour)
        inside = share > 0.72
        at = panel.x(share) + (-4 if inside else 4)
        panel.sheet.middle_text(
            at, panel.y(row), words.percent(share), size=SMALL, anchor="end" if inside else "start",
            colour="#FFFFFF" if inside else svg.INK,
        )  # fmt: skip
    panel.x_axis(ticks, ["0%", "50%", "100%"], title="of parameter draws", size=SMALL)
    return panel


def _regret_limit(candidates: list[Candidate]) -> float:
    return 1.12 * max((c.regret or 0.0 for c in candidates), default=0.0) or 1.0


def _regret_panel(panel: svg.Panel, candidates: list[Candidate], unit: str) -> svg.Panel:
    ticks = nice_ticks(*panel.xlim, most=4)
    panel.grid(xs=ticks)
    for row, c in enumerate(candidates):
        if c.regret is not None:
            panel.line([0, c.regret], [row, row], c.colour, 1.2)
            panel.mark("o", c.regret, row, 4.5, c.colour)
    panel.x_axis(ticks, [tick_text(t) for t in ticks], title=f"{unit} lost on average", size=SMALL)
    return panel


def _sure_text(document: Optimisation, candidates: list[Candidate]) -> str:
    parts = [
        f"{c.letter} {c.words}, probability of being best {words.percent(c.probability or 0.0)}"
        for c in candidates
    ]
    return f"{words.sentence(document.objective.words)} " + "; ".join(parts) + "."


# --- plateaus ------------------------------------------------------------------------------------------


def plateaus(found: list[Plateau], name: str) -> Markup | None:
    """A line for each variable: values that are as good as the best one, and those that are not."""
    rows = [p for p in found if len(p.alike) + len(p.different) > 1]
    if not rows:
        return None
    heights = [0.62 if numeric(p) else 0.2 * len(values_of(p)) + 0.22 for p in rows]
    sheet = svg.Drawing(WIDTH, sum(heights) + 0.15)
    top = 0.1
    for plateau, tall in zip(rows, heights, strict=True):
        if numeric(plateau):
            frame = (LABEL * svg.INCH, top * svg.INCH, 4.7 * svg.INCH, 0.26 * svg.INCH)
            _plateau(sheet, frame, plateau)
        else:
            _named(sheet, top, plateau)
        top += tall
    return sheet.to_svg(
        name, "How far timing may move", " ".join(words.sentence(said(p.words)) for p in rows)
    )


def values_of(plateau: Plateau) -> list[float | str]:
    """Every value tried: numbers in order, names with the best and those as good first."""
    values = list(dict.fromkeys([plateau.value, *plateau.alike, *plateau.different]))
    return sorted(values, key=float) if numeric(plateau) else values


def numeric(plateau: Plateau) -> bool:
    return all(isinstance(v, int | float) for v in (plateau.value, *plateau.alike, *plateau.different))


def _named(sheet: svg.Drawing, top: float, plateau: Plateau) -> None:
    """Values that are names: one below the other."""
    _variable(sheet, (top + 0.1) * svg.INCH, plateau)
    left = LABEL * svg.INCH
    for i, v in enumerate(values_of(plateau)):
        y = (top + 0.1 + 0.2 * i) * svg.INCH
        _value_mark(svg.Panel(sheet, left, y - 5, 10, 10, (0, 10), (0, 10)), 5, 5, v, plateau)
        text = said(str(v))
        sheet.middle_text(left + 16, y, text if len(text) < 84 else text[:83] + "…", size=SMALL)


def _variable(sheet: svg.Drawing, y: float, plateau: Plateau) -> None:
    head = textwrap.wrap(said(plateau.variable), 34, max_lines=2, placeholder=" …")
    sheet.middle_text(2, y, "\n".join(head), size=svg.FONT - 0.5)


def _value_mark(panel: svg.Panel, x: float, y: float, value: float | str, plateau: Plateau) -> None:
    if value == plateau.value:
        panel.mark("D", x, y, 6.5, BEST)
        return
    same = value in plateau.alike
    panel.mark("o", x, y, 6, ALIKE if same else APART, fill=ALIKE if same else "white", edge=1.2)


def padded(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = 0.12 * (high - low) or max(0.05 * abs(high), 0.5)
    return low - room, high + room


def _plateau(sheet: svg.Drawing, frame: tuple[float, float, float, float], plateau: Plateau) -> None:
    values = values_of(plateau)
    limits = padded([float(v) for v in values])
    panel = svg.Panel(sheet, *frame, limits, (0, 1))
    alike = [float(v) for v in (*plateau.alike, plateau.value)]
    if len(alike) > 1:
        panel.bar(min(alike), max(alike), 0.5, 0.8, ALIKE, 0.18)
    panel.line(list(limits), [0, 0], svg.MUTED, svg.THIN)
    for v in values:
        _value_mark(panel, float(v), 0.5, v, plateau)
    _plateau_ticks(panel, values, plateau.unit)
    _variable(sheet, frame[1] + 0.5 * frame[3], plateau)


def _plateau_ticks(panel: svg.Panel, values: list[float | str], unit: str) -> None:
    """Labels below as far as they fit beside each other; the last says the unit."""
    right = -1e9
    base = panel.bottom + svg.TICK + 2 + svg.ASCENT * SMALL
    for i, v in enumerate(values):
        text = quantity(v, unit if unit == "day of cycle" or i == len(values) - 1 else "")
        half = 0.28 * SMALL * len(text)
        x = panel.x(float(v))
        if x - half > right + 4:
            panel.sheet.text(x, base, text, size=SMALL, anchor="middle")
            right = x + half
