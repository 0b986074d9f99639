"""Figures of a search: how sure the choice is, what objectives cost each other, how far timing may move."""

from __future__ import annotations

import textwrap

from markupsafe import Markup

from metachron.optimise.results import ObjectiveDescription, Optimisation, Plateau
from metachron.report import svg, words
from metachron.report.figures import WIDTH
from metachron.report.optimise_view import (
    Candidate,
    nice_ticks,
    objective_head,
    quantity,
    tick_text,
)

ROW = 0.3  # inches
SMALL = svg.FONT - 1
LABEL = 2.55  # inches left of the panels
PALE = "#b8b8b8"
SPOTS = (  # where a letter may stand beside its mark, points
    (8.5, -5.5), (-8.5, -5.5), (8.5, 6.0), (-8.5, 6.0), (0.0, -10.0), (0.0, 10.5), (11.0, 0.0), (-11.0, 0.0),
    (9.0, -14.0), (-9.0, -14.0), (9.0, 14.5), (-9.0, 14.5), (19.0, -6.0), (19.0, 6.0), (-19.0, -6.0),
)  # fmt: skip


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
        text = (c.evaluation.expression or c.evaluation.title) + (" (standard)" if c.is_reference else "")
        lines = textwrap.wrap(text, 39, max_lines=2, placeholder=" …")
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
        fill = "white" if c.standing == "alike" else c.colour
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


# --- trade-off -----------------------------------------------------------------------------------------


def trade_offs(
    document: Optimisation, candidates: list[Candidate], others: list[ObjectiveDescription], name: str
) -> Markup | None:
    """The ranked objective against each other one, for every evaluated candidate; the front filled."""
    with_points = [(o, found) for o in others if len(found := _points(document, o)) > 1]
    if not with_points:
        return None
    columns = min(2, len(with_points))
    rows = -(-len(with_points) // columns)
    sheet = svg.Drawing(WIDTH if columns == 2 else 0.62 * WIDTH, 2.85 * rows + 0.1)
    frames = svg.grid_of(sheet, rows, columns, (0.6, 0.38, 0.15, 0.5), (0.22, 0.5))
    for (other, points), frame in zip(with_points, frames, strict=False):
        _trade_off(sheet, frame, document, candidates, other, points)
    names = words.listed([o.words for o, _ in with_points])
    return sheet.to_svg(name, f"{document.objective.words} against {names}", _trade_text(document))


def _points(document: Optimisation, other: ObjectiveDescription) -> list[tuple[str, float, float]]:
    """(id, other objective, ranked objective) of every candidate with both."""
    return [
        (e.id, x.value, y.value)
        for e in document.evaluations
        if (x := e.objectives.get(other.name)) and (y := e.objectives.get(document.objective.name))
        if x.value is not None and y.value is not None
    ]


def _trade_off(
    sheet: svg.Drawing,
    frame: tuple[float, float, float, float],
    document: Optimisation,
    candidates: list[Candidate],
    other: ObjectiveDescription,
    points: list[tuple[str, float, float]],
) -> None:
    low, high = _padded([p[2] for p in points])
    up = document.objective.direction == "maximise"
    panel = svg.Panel(sheet, *frame, _padded([p[1] for p in points]), (low, high) if up else (high, low))
    x_ticks, y_ticks = nice_ticks(*panel.xlim, most=5), nice_ticks(low, high, most=5)
    panel.grid(xs=x_ticks, ys=y_ticks)
    lettered = {c.evaluation.id: c for c in candidates}
    for id, x, y in points:
        if id not in lettered:
            panel.mark("o", x, y, 3.2, PALE, opacity=0.8)
    _lettered(panel, [(lettered[id], x, y) for id, x, y in points if id in lettered])
    panel.x_axis(x_ticks, [tick_text(t) for t in x_ticks], title=_axis_title(other), size=SMALL)
    panel.y_axis(y_ticks, [tick_text(t) for t in y_ticks])
    panel.title("\n".join(textwrap.wrap(objective_head(document.objective), 52)), pad=6, size=SMALL)


def _padded(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = 0.12 * (high - low) or max(0.05 * abs(high), 0.5)
    return low - room, high + room


def _axis_title(objective: ObjectiveDescription) -> str:
    better = "better →" if objective.direction == "maximise" else "← better"
    return f"{objective_head(objective)}\n{better}"


def _lettered(panel: svg.Panel, points: list[tuple[Candidate, float, float]]) -> None:
    """Marks first, then letters where they stand on no other letter and no mark."""
    taken = [(panel.x(x), panel.y(y)) for _, x, y in points]
    for c, x, y in points:
        fill = c.colour if c.on_front else "white"
        panel.mark("D" if c.standing == "best" else "o", x, y, 5.5, c.colour, fill=fill, edge=1.2)
    for c, x, y in points:
        px, py = panel.x(x), panel.y(y)
        spot = next((s for s in SPOTS if _free(px + s[0], py + s[1], taken)), None)
        if spot is None:
            continue  # too crowded: the table names it
        taken.append((px + spot[0], py + spot[1]))
        panel.sheet.middle_text(*taken[-1], c.letter, size=SMALL, bold=True, colour=c.colour, anchor="middle")


def _free(x: float, y: float, taken: list[tuple[float, float]]) -> bool:
    return all(abs(x - a) > 7 or abs(y - b) > 8 for a, b in taken)


def _trade_text(document: Optimisation) -> str:
    count = len(document.front)
    named = words.plural(count, "timetable is", "timetables are")
    return f"{named} on the front: no other is better in every objective. The table names them."


# --- plateaus ------------------------------------------------------------------------------------------


def plateaus(found: list[Plateau], name: str) -> Markup | None:
    """A line for each variable: values that cannot be told apart from the best one, and those that can."""
    rows = [p for p in found if len(p.alike) + len(p.different) > 1]
    if not rows:
        return None
    tall = 0.62
    sheet = svg.Drawing(WIDTH, tall * len(rows) + 0.3)
    for i, plateau in enumerate(rows):
        frame = (LABEL * svg.INCH, (0.1 + tall * i) * svg.INCH, 4.7 * svg.INCH, 0.26 * svg.INCH)
        _plateau(sheet, frame, plateau)
    return sheet.to_svg(name, "How far timing may move", " ".join(words.sentence(p.words) for p in rows))


def _plateau(sheet: svg.Drawing, frame: tuple[float, float, float, float], plateau: Plateau) -> None:
    values = list(dict.fromkeys([*plateau.alike, *plateau.different, plateau.value]))
    numbers = all(isinstance(v, int | float) for v in values)
    if numbers:
        values.sort(key=float)
        at = {v: float(v) for v in values}
    else:
        at = {v: float(i) for i, v in enumerate(values)}
    limits = _padded(list(at.values()))
    panel = svg.Panel(sheet, *frame, limits, (0, 1))
    alike = [at[v] for v in (*plateau.alike, plateau.value)]
    if numbers and len(alike) > 1:
        panel.bar(min(alike), max(alike), 0.5, 0.8, "#2f6f9f", 0.18)
    panel.line(list(limits), [0, 0], svg.MUTED, svg.THIN)
    for v in values:
        same = v in plateau.alike or v == plateau.value
        if v == plateau.value:
            panel.mark("D", at[v], 0.5, 6.5, "#0b4f79")
        else:
            panel.mark(
                "o",
                at[v],
                0.5,
                6,
                "#2f6f9f" if same else "#5c5c5c",
                fill="#2f6f9f" if same else "white",
                edge=1.2,
            )
    _plateau_ticks(panel, values, at, plateau.unit if numbers else "")
    head = textwrap.wrap(plateau.variable, 34, max_lines=2, placeholder=" …")
    sheet.middle_text(2, frame[1] + 0.5 * frame[3], "\n".join(head), size=svg.FONT - 0.5)


def _plateau_ticks(
    panel: svg.Panel, values: list[float | str], at: dict[float | str, float], unit: str
) -> None:
    """Labels below as far as they fit beside each other; the last says the unit."""
    right = -1e9
    base = panel.bottom + svg.TICK + 2 + svg.ASCENT * SMALL
    for i, v in enumerate(values):
        text = quantity(v, unit) if unit == "day of cycle" or i == len(values) - 1 else quantity(v, "")
        text = text if len(text) <= 24 else text[:23] + "…"
        half = 0.28 * SMALL * len(text)
        x = panel.x(at[v])
        if x - half > right + 4:
            panel.sheet.text(x, base, text, size=SMALL, anchor="middle")
            right = x + half
