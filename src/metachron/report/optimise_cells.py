"""What rests on the kinetics of infused cells: a band over its stated prior, never a rank."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from metachron.optimise.results import CellsBand, Optimisation
from metachron.optimise.said import title_of
from metachron.report import svg, words
from metachron.report.figures import WIDTH
from metachron.report.optimise_view import Candidate, nice_ticks, tick_text

COLOURS = ("#1A1A1A", "#0072B2", "#C2500A", "#882255")
SMALL = svg.FONT - 1


@dataclass(frozen=True)
class Group:
    """All rows of one candidate, in the order of half-life."""

    id: str
    letter: str
    title: str
    rows: list[CellsBand]

    @property
    def half_lives(self) -> list[float]:
        return sorted({r.half_life_days for r in self.rows})


def groups(document: Optimisation, candidates: list[Candidate]) -> list[Group]:
    letters = {c.evaluation.id: c.letter for c in candidates}
    found = []
    for id in dict.fromkeys(row.id for row in document.cells_band):
        rows = [row for row in document.cells_band if row.id == id and row.difference.value is not None]
        if rows:
            rows.sort(key=lambda r: (r.half_life_days, r.lymphotoxicity, r.effect))
            found.append(Group(id, letters.get(id, id), title_of(document.evaluation(id)), rows))
    return found


def effects(found: list[Group]) -> list[float]:
    """The kill rates tried, from the smallest."""
    return sorted({r.effect for g in found for r in g.rows})


def figure(document: Optimisation, found: list[Group], name: str) -> Markup | None:
    """A panel for each candidate: difference by half-life, one mark for each setting of the prior."""
    if not found:
        return None
    lines = sum(len(g.half_lives) for g in found)
    sheet = svg.Drawing(WIDTH, 0.26 * lines + 0.34 * len(found) + 0.55)
    limits = _limits(found)
    ticks = nice_ticks(*limits, most=7)
    top = 0.0
    for group in found:
        top += 0.34 * svg.INCH
        tall = 0.26 * svg.INCH * len(group.half_lives)
        panel = svg.Panel(
            sheet, 1.3 * svg.INCH, top, 6.1 * svg.INCH, tall, limits, (len(group.half_lives) - 0.5, -0.5)
        )
        panel.grid(xs=ticks)
        panel.line([0, 0], list(panel.ylim), svg.INK, 0.9)
        _group(panel, group, effects(found))
        title = f"{group.letter}  {group.title}"
        panel.title(title if len(title) < 95 else title[:94] + "…", pad=3, size=SMALL, bold=True)
        top += tall
        last = group is found[-1]
        unit = document.objective.unit
        panel.x_axis(
            ticks if last else [],
            [tick_text(t) for t in ticks] if last else None,
            title=f"{unit}, against the same timetable without cells" if last else "",
        )
    return sheet.to_svg(name, "Infused cells over the prior of their kinetics", describe(found))


def _limits(found: list[Group]) -> tuple[float, float]:
    differences = [r.difference for g in found for r in g.rows]
    ends = [v for d in differences for v in (d.lower, d.upper, d.value) if v is not None]
    low, high = min([*ends, 0.0]), max([*ends, 0.0])
    room = 0.06 * (high - low) or 1.0
    return low - room, high + room


def _group(panel: svg.Panel, group: Group, strengths: list[float]) -> None:
    for line, half_life in enumerate(group.half_lives):
        rows = [r for r in group.rows if r.half_life_days == half_life]
        lows = [r.difference.lower if r.difference.lower is not None else r.difference.value for r in rows]
        highs = [r.difference.upper if r.difference.upper is not None else r.difference.value for r in rows]
        panel.bar(min(x for x in lows if x is not None), max(x for x in highs if x is not None), line, 0.6,
                  svg.REFERENCE_GREY, 0.25)  # fmt: skip
        toxic = sorted({r.lymphotoxicity for r in rows})
        for r in rows:
            place = toxic.index(r.lymphotoxicity) - (len(toxic) - 1) / 2
            colour = COLOURS[min(strengths.index(r.effect), len(COLOURS) - 1)]
            panel.mark("o", r.difference.value or 0.0, line + 0.2 * place, 3.6, colour, opacity=0.9)
        text = f"{half_life:g} d"
        panel.sheet.middle_text(panel.left - 6, panel.y(line), text, size=SMALL, anchor="end")
        if line == 0:
            panel.sheet.middle_text(2, panel.y(line), "half-life", size=SMALL, colour=svg.MUTED)


def describe(found: list[Group]) -> str:
    """From the worst to the best of each candidate over the prior."""
    parts = []
    for group in found:
        values = [r.difference.value or 0.0 for r in group.rows]
        parts.append(f"{group.letter}: {words.signed(min(values), 1)} to {words.signed(max(values), 1)}")
    return "Difference over the prior of the cells' kinetics. " + "; ".join(parts) + "."
