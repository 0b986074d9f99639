"""What a better value of one objective costs in another, for every candidate of a search."""

from __future__ import annotations

import textwrap

from markupsafe import Markup

from metachron.optimise.results import ObjectiveDescription, Optimisation
from metachron.report import svg, words
from metachron.report.figures import WIDTH
from metachron.report.optimise_figures import SMALL, padded
from metachron.report.optimise_view import ALIKE, Candidate, nice_ticks, objective_head, tick_text

PALE, PALE_UNRANKED = "#b8b8b8", "#d8b38f"
SPOTS = (  # where a letter may stand beside its mark, points
    (8.5, -5.5), (-8.5, -5.5), (8.5, 6.0), (-8.5, 6.0), (0.0, -10.0), (0.0, 10.5), (11.0, 0.0), (-11.0, 0.0),
    (9.0, -14.0), (-9.0, -14.0), (9.0, 14.5), (-9.0, 14.5), (19.0, -6.0), (19.0, 6.0), (-19.0, -6.0),
)  # fmt: skip

Points = list[tuple[str, float, float]]


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


def _points(document: Optimisation, other: ObjectiveDescription) -> Points:
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
    points: Points,
) -> None:
    across, (low, high) = _limits(document, points)
    up = document.objective.direction == "maximise"
    panel = svg.Panel(sheet, *frame, across, (low, high) if up else (high, low))
    points = [q for q in points if across[0] <= q[1] <= across[1] and low <= q[2] <= high]
    x_ticks, y_ticks = nice_ticks(*panel.xlim, most=5), nice_ticks(low, high, most=5)
    panel.grid(xs=x_ticks, ys=y_ticks)
    lettered = {c.evaluation.id: c for c in candidates}
    ranked = {e.id for e in document.evaluations if e.rank is not None}
    for id, x, y in points:
        if id not in lettered:
            colour = ALIKE if id in document.front else PALE if id in ranked else PALE_UNRANKED
            panel.mark("o", x, y, 3.2, colour, opacity=0.8)
    known = [(lettered[id], x, y) for id, x, y in points if id in lettered]
    _lettered(panel, known, filled=not document.front)
    panel.x_axis(x_ticks, [tick_text(t) for t in x_ticks], title=_axis_title(other), size=SMALL)
    panel.y_axis(y_ticks, [tick_text(t) for t in y_ticks])
    panel.title("\n".join(textwrap.wrap(objective_head(document.objective), 52)), pad=6, size=SMALL)


def _limits(document: Optimisation, points: Points) -> tuple[tuple[float, float], tuple[float, float]]:
    """Limits of both axes that hold the ranked candidates but for those far from the rest."""
    ranked = {e.id for e in document.evaluations if e.rank is not None}
    shown = [q for q in points if q[0] in ranked] or points
    return padded(_near([q[1] for q in shown])), padded(_near([q[2] for q in shown]))


def _near(values: list[float]) -> list[float]:
    """The values no further beyond the middle nine tenths than one and a half times their width."""
    ordered = sorted(values)
    low, high = ordered[int(0.05 * len(ordered))], ordered[-1 - int(0.05 * len(ordered))]
    room = 1.5 * (high - low)
    return [v for v in values if low - room <= v <= high + room]


def far_off(
    document: Optimisation, candidates: list[Candidate], others: list[ObjectiveDescription]
) -> list[str]:
    """Letters of the candidates that lie beyond the limits of a panel."""
    found: set[str] = set()
    for other in others:
        points = _points(document, other)
        if len(points) > 1:
            (a, b), (low, high) = _limits(document, points)
            found |= {id for id, x, y in points if not (a <= x <= b and low <= y <= high)}
    return [c.letter for c in candidates if c.evaluation.id in found]


def _axis_title(objective: ObjectiveDescription) -> str:
    better = "better →" if objective.direction == "maximise" else "← better"
    return f"{objective_head(objective)}\n{better}"


def _lettered(panel: svg.Panel, points: list[tuple[Candidate, float, float]], *, filled: bool) -> None:
    """Marks first, then letters where they stand on no other letter and no mark."""
    taken = [(panel.x(x), panel.y(y)) for _, x, y in points]
    for c, x, y in points:
        fill = c.colour if c.on_front or (filled and c.standing != "unranked") else "white"
        panel.mark("D" if c.standing == "best" else "o", x, y, 5.5, c.colour, fill=fill, edge=1.2)
    for c, x, y in points:
        px, py = panel.x(x), panel.y(y)
        spots = (s for s in SPOTS if _inside(panel, py + s[1]))
        spot = next((s for s in spots if _free(px + s[0], py + s[1], taken)), None)
        if spot is None:
            continue  # too crowded: the table names it
        taken.append((px + spot[0], py + spot[1]))
        panel.sheet.middle_text(*taken[-1], c.letter, size=SMALL, bold=True, colour=c.colour, anchor="middle")


def _inside(panel: svg.Panel, y: float) -> bool:
    """A letter stands neither in the title of a panel nor in its axis."""
    return panel.top + 3 < y < panel.bottom - 3


def _free(x: float, y: float, taken: list[tuple[float, float]]) -> bool:
    return all(abs(x - a) > 7 or abs(y - b) > 8 for a, b in taken)


def _trade_text(document: Optimisation) -> str:
    count = len(document.front)
    if not count:
        return "Every timetable by what is sought and by what else counts. The table holds the numbers."
    named = words.plural(count, "timetable is", "timetables are")
    return f"{named} on the front: no other is better in every objective. The table names them."
