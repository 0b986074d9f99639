"""Figures of why one timetable comes out first: heat map, tornado, Sobol bars, curves, information."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from markupsafe import Markup

from metachron.optimise.numbers import figures
from metachron.optimise.results import Measured
from metachron.optimise.understand.results import (
    Counterfactual,
    HeatMap,
    Information,
    InformationItem,
    SobolIndex,
    TornadoBar,
    Understanding,
)
from metachron.optimise.understand.text import unit_of
from metachron.report import svg, words
from metachron.report.figures import WIDTH
from metachron.report.optimise_scale import Scale
from metachron.report.optimise_view import nice_ticks, tick_text

FIRST, SECOND = "#0b4f79", "#a14a12"  # ahead: the first strategy, the second
LOW, HIGH = "#6b4f9a", "#00705a"  # a parameter at its low and its high end
SMALL = svg.FONT - 1
LABEL = 2.95  # inches
CURVES = 9
MOST_BARS = 12
WIDE = 20.0  # parameters over a wider range are drawn on a logarithmic scale


def wrapped(text: str, width: int = 40, lines: int = 2) -> str:
    """A name in a few lines, its first letter large."""
    text = words.sentence(text).rstrip(".")
    return "\n".join(textwrap.wrap(text, width, max_lines=lines, placeholder=" …"))


def figure_text(value: float) -> str:
    """Three figures, without an exponent where people can do without."""
    if value == 0:
        return "0"
    if 0.001 <= abs(value) < 100_000:
        digits = max(0, 2 - int(f"{abs(value):e}".split("e")[1]))
        text = f"{value:.{digits}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return text.replace("-", "\N{MINUS SIGN}")
    return f"{value:.1e}".replace("-", "\N{MINUS SIGN}")


def span_text(bar: TornadoBar) -> str:
    """The ends of a parameter, to two figures, with its unit."""
    ends = f"{figures(bar.low_value)} to {figures(bar.high_value)}{unit_of(bar.unit)}"
    return ends.replace("-", "\N{MINUS SIGN}")


def spread_of(found: Sequence[Measured], *, room: float = 0.08) -> tuple[float, float]:
    """Limits that hold nought and every interval."""
    ends = [v for m in found for v in (m.value, m.lower, m.upper) if v is not None]
    low, high = min([*ends, 0.0]), max([*ends, 0.0])
    more = room * (high - low) or 1.0
    return low - more, high + more


def whisker(panel: svg.Panel, low: float, high: float, row: float) -> None:
    """An interval that can be seen on a dark bar too."""
    ends = [panel.within(low), panel.within(high)]
    panel.line(ends, [row, row], "#FFFFFF", 1.9)
    panel.line(ends, [row, row], svg.INK, 1.0)


# --- heat map ------------------------------------------------------------------------------------------


def heat_map(found: HeatMap, name: str) -> Markup | None:
    """Gain from infused cells: days across, half-lives down; the outlined days cannot be told apart."""
    if not found.days or not found.cells:
        return None
    rows, columns = len(found.half_lives), len(found.days)
    sheet = svg.Drawing(WIDTH, 0.36 * rows + 0.85)
    left, top = 0.95 * svg.INCH, 0.32 * svg.INCH
    panel = svg.Panel(sheet, left, top, sheet.width - left - 0.15 * svg.INCH, 0.36 * svg.INCH * rows,
                      (0, columns), (rows, 0))  # fmt: skip
    strongest = max((abs(c.mean) for row in found.cells for c in row), default=0.0) or 1.0
    for i, row in enumerate(found.cells):
        for j, cell in enumerate(row):
            _heat_cell(panel, i, j, cell.mean, cell.mean / strongest)
        alike = {r.half_life_days: r for r in found.rows}.get(found.half_lives[i])
        if alike is not None:
            _outline(panel, i, [found.days.index(d) for d in alike.alike if d in found.days])
            if alike.best_day in found.days:
                x = found.days.index(alike.best_day) + 0.5
                panel.mark("D", x, i + 0.83, 3.8, "#FFFFFF", fill=svg.INK, edge=0.8)
        label = f"{found.half_lives[i]:g} d"
        sheet.middle_text(left - 6, panel.y(i + 0.5), label, anchor="end", size=SMALL)
    sheet.text(left - 6, top - 6, "half-life", anchor="end", size=SMALL, colour=svg.MUTED)
    ticks = [j + 0.5 for j in range(columns)]
    panel.x_axis(
        ticks, [f"{d}" for d in found.days], title=words.sentence(found.axis).rstrip("."), size=SMALL
    )
    sheet.text(left, top - 6, f"Mean gain, {found.unit}", size=SMALL)
    return sheet.to_svg(name, f"Gain from infused cells by {found.axis} and half-life", " ".join(found.words))


def _heat_cell(panel: svg.Panel, row: int, column: int, mean: float, strength: float) -> None:
    """A square in blue (gain) or brown (loss), its number on it."""
    ink = FIRST if mean > 0 else SECOND
    opacity = 0.06 + 0.86 * min(abs(strength), 1.0)
    panel.bar(column + 0.02, column + 0.98, row + 0.5, 0.94, ink, opacity)
    text = words.signed(mean, 1 if abs(mean) < 9.95 else 0)
    colour = "#FFFFFF" if opacity > 0.62 else svg.INK
    panel.sheet.middle_text(
        panel.x(column + 0.5), panel.y(row + 0.44), text, anchor="middle", size=SMALL, colour=colour
    )


def _outline(panel: svg.Panel, row: int, columns: list[int]) -> None:
    """A frame round each run of columns."""
    for start in (c for c in columns if c - 1 not in columns):
        end = start
        while end + 1 in columns:
            end += 1
        corners = ((start, row), (end + 1, row), (end + 1, row + 1), (start, row + 1), (start, row))
        x = [a + (0.02 if a == start else -0.02) for a, _ in corners]
        y = [b + (0.04 if b == row else -0.04) for _, b in corners]
        panel.line(x, y, svg.INK, 1.1)


# --- tornado -------------------------------------------------------------------------------------------


def tornado(bars: Sequence[TornadoBar], now: float | None, unit: str, name: str) -> Markup | None:
    """The difference with one parameter at its low and high end, the largest swing on top."""
    shown = [b for b in bars if b.at_low.value is not None and b.at_high.value is not None][:MOST_BARS]
    if not shown:
        return None
    sheet = svg.Drawing(WIDTH, 0.31 * len(shown) + 0.95)
    left = LABEL * svg.INCH
    limits = spread_of([m for b in shown for m in (b.at_low, b.at_high)])
    panel = svg.Panel(sheet, left, 0.14 * svg.INCH, sheet.width - left - 0.15 * svg.INCH,
                      0.31 * svg.INCH * len(shown), limits, (len(shown) - 0.5, -0.5))  # fmt: skip
    ticks = nice_ticks(*limits, most=7)
    panel.grid(xs=ticks)
    for row, bar in enumerate(shown):
        _tornado_row(panel, row, bar)
    panel.line([0, 0], list(panel.ylim), svg.INK, 0.9)
    if now is not None:
        panel.line([now, now], list(panel.ylim), svg.MUTED, 0.8, dash=(3, 2))
    title = f"{unit}\n← B is better{4 * chr(160)}A is better →"
    panel.x_axis(ticks, [tick_text(t) for t in ticks], title=title, size=SMALL)
    return sheet.to_svg(name, "What the difference turns on, one parameter at a time", _tornado_text(shown))


def _tornado_row(panel: svg.Panel, row: int, bar: TornadoBar) -> None:
    low, high = bar.at_low.value or 0.0, bar.at_high.value or 0.0
    panel.bar(min(low, high), max(low, high), row, 0.36, svg.REFERENCE_GREY, 0.45)
    for found, shift, colour in ((bar.at_low, -0.09, LOW), (bar.at_high, 0.09, HIGH)):
        if found.lower is not None and found.upper is not None:
            panel.line([found.lower, found.upper], [row + shift, row + shift], colour, 0.9)
    panel.mark("<", low, row - 0.09, 5, LOW)
    panel.mark(">", high, row + 0.09, 5, HIGH)
    y = panel.y(row)
    mark = " *" if bar.flips else ""
    panel.sheet.middle_text(2, y, wrapped(bar.title + mark, 35), size=SMALL)
    panel.sheet.middle_text(
        panel.left - 8, y, span_text(bar), size=SMALL - 0.4, colour=svg.MUTED, anchor="end"
    )


def _tornado_text(bars: Sequence[TornadoBar]) -> str:
    told = [
        f"{b.title}: {words.signed(b.at_low.value or 0.0, 1)} to {words.signed(b.at_high.value or 0.0, 1)}"
        + (" (the better one changes)" if b.flips else "")
        for b in bars
    ]
    return "Difference at the low and the high end. " + "; ".join(told) + "."


# --- Sobol ---------------------------------------------------------------------------------------------


def sobol(difference: Sequence[SobolIndex], ranking: Sequence[SobolIndex], name: str) -> Markup | None:
    """Share of the variance by parameter: on its own (dark), with its interactions (pale)."""
    listed = sorted(difference, key=lambda i: -(i.total.value or 0.0))[:MOST_BARS]
    if not listed:
        return None
    by_name = {i.name: i for i in ranking}
    sheet = svg.Drawing(WIDTH, 0.29 * len(listed) + 0.95)
    frames = svg.grid_of(sheet, 1, 2, (LABEL, 0.3, 0.2, 0.62), (0.2, 0.0))
    heads = ("Of the difference", *(["Of which one is ahead"] if ranking else []))  # else none to explain
    for k, (frame, head) in enumerate(zip(frames, heads, strict=False)):
        panel = svg.Panel(sheet, *frame, (0, 1.0), (len(listed) - 0.5, -0.5))
        panel.grid(xs=[0, 0.25, 0.5, 0.75, 1.0])
        for row, index in enumerate(listed):
            mine = index if k == 0 else by_name.get(index.name)
            if mine is not None:
                _sobol_row(panel, row, mine)
            if k == 0:
                sheet.middle_text(2, panel.y(row), wrapped(index.title, 42), size=SMALL)
        panel.x_axis([0, 0.5, 1.0], ["0%", "50%", "100%"], title="share of the variance", size=SMALL)
        panel.title(head, pad=5, size=svg.FONT - 0.5, bold=True)
    return sheet.to_svg(name, "Which parameters the choice turns on (Sobol indices)", _sobol_text(listed))


def _sobol_row(panel: svg.Panel, row: int, index: SobolIndex) -> None:
    panel.bar(0, max(index.total.value or 0.0, 0.0), row, 0.5, FIRST, 0.3)
    panel.bar(0, max(index.first.value or 0.0, 0.0), row, 0.5, FIRST)
    if index.total.lower is not None and index.total.upper is not None:
        whisker(panel, index.total.lower, index.total.upper, row)


def _sobol_text(listed: Sequence[SobolIndex]) -> str:
    told = [f"{i.title} {words.percent(max(i.total.value or 0.0, 0.0))}" for i in listed[:6]]
    return "Total share of the variance of the difference: " + "; ".join(told) + "."


# --- counterfactuals -----------------------------------------------------------------------------------


def counterfactuals(items: Sequence[Counterfactual], name: str) -> Markup | None:
    """A panel for each: the difference along the range, the value now, and where the sign changes."""
    shown = [i for i in items if len(i.curve) > 1][:CURVES]
    if not shown:
        return None
    columns = min(3, max(2, len(shown)))
    rows = -(-len(shown) // columns)
    sheet = svg.Drawing(WIDTH, 1.95 * rows + 0.05)
    frames = svg.grid_of(sheet, rows, columns, (0.5, 0.46, 0.12, 0.42), (0.3, 0.78))
    for item, frame in zip(shown, frames, strict=False):
        _counterfactual(sheet, frame, item)
    return sheet.to_svg(name, "What would have to be true", " ".join(words.sentence(i.words) for i in shown))


def _counterfactual(
    sheet: svg.Drawing, frame: tuple[float, float, float, float], item: Counterfactual
) -> None:
    names = any(p.label for p in item.curve)
    values = [float(k) if names else p.value for k, p in enumerate(item.curve)]
    scale = Scale(values, share=names, wide=WIDE)
    panel = svg.Panel(sheet, *frame, scale.limits, spread_of([p.difference for p in item.curve]))
    ticks = nice_ticks(*panel.ylim, most=4)
    panel.grid(ys=ticks)
    if item.flips_between is not None and not names:
        low, high = (panel.within(scale(v)) for v in item.flips_between)
        panel.band([low, high], [panel.ylim[0]] * 2, [panel.ylim[1]] * 2, svg.REFERENCE_GREY, 0.2)
    panel.line(list(panel.xlim), [0, 0], svg.INK, 0.8)
    _curve(panel, item, [scale(v) for v in values], line=not names)
    if not names:
        _now_and_flip(panel, item, scale)
    panel.y_axis(ticks, [tick_text(t) for t in ticks])
    if names:
        panel.x_axis(values, [p.label[:13] for p in item.curve], size=SMALL)
    else:
        marks = scale.ticks()
        unit = "" if item.unit == "1" else item.unit
        panel.x_axis([scale(t) for t in marks], [figure_text(t) for t in marks], title=unit, size=SMALL)
    panel.title(wrapped(item.title, 32), pad=4, size=SMALL, bold=True)


def _curve(panel: svg.Panel, item: Counterfactual, xs: list[float], *, line: bool) -> None:
    """The differences with their intervals; a band where the values are numbers."""
    found = [p.difference for p in item.curve]
    ys = [d.value or 0.0 for d in found]
    lows = [d.lower if d.lower is not None else y for d, y in zip(found, ys, strict=True)]
    highs = [d.upper if d.upper is not None else y for d, y in zip(found, ys, strict=True)]
    if line:
        panel.band(xs, lows, highs, FIRST, 0.16)
        panel.line(xs, ys, FIRST, 1.5)
    for x, y, low, high, p in zip(xs, ys, lows, highs, item.curve, strict=True):
        colour = FIRST if y >= 0 else SECOND
        if not line:
            panel.line([x, x], [low, high], colour, 1.2)
        panel.mark("o", x, y, 3.6, colour, fill=colour if p.eligible else "white")


def _now_and_flip(panel: svg.Panel, item: Counterfactual, scale: Scale) -> None:
    if item.now is not None and panel.xlim[0] <= scale(item.now) <= panel.xlim[1]:
        panel.line([scale(item.now)] * 2, list(panel.ylim), svg.MUTED, 0.8, dash=(3, 2))
    if item.flips_at is not None:
        panel.mark("D", panel.within(scale(item.flips_at)), 0, 5, svg.INK)


# --- value of information ------------------------------------------------------------------------------


def information(found: Information, name: str) -> Markup | None:
    """What knowing each thing is worth, and how often it would change the choice."""
    items = found.items[:MOST_BARS]
    if not any(i.distinct for i in items):
        return None
    sheet = svg.Drawing(WIDTH, 0.31 * len(items) + 0.95)
    frames = svg.grid_of(sheet, 1, 2, (LABEL, 0.3, 0.25, 0.62), (0.16, 0.0))
    limits = (0.0, spread_of([i.value for i in items if i.distinct])[1])
    rows = (len(items) - 0.5, -0.5)
    worth = svg.Panel(sheet, *frames[0], limits, rows)
    changes = svg.Panel(sheet, *frames[1], (0, 1), rows)
    ticks = nice_ticks(*limits, most=4)
    worth.grid(xs=ticks)
    changes.grid(xs=[0, 0.5, 1.0])
    for row, item in enumerate(items):
        _information_row(worth, changes, row, item)
    worth.x_axis(ticks, [tick_text(t) for t in ticks], title=f"{found.unit} gained on average", size=SMALL)
    changes.x_axis([0, 0.5, 1.0], ["0%", "50%", "100%"], title="probability", size=SMALL)
    worth.title("Worth of knowing", pad=5, size=svg.FONT - 0.5, bold=True)
    changes.title("Would change the choice", pad=5, size=svg.FONT - 0.5, bold=True)
    told = "; ".join(f"{i.title}: {figure_text(i.value.value or 0.0)} {found.unit}" for i in items)
    return sheet.to_svg(name, "What would be worth knowing", f"{told}.")


def _information_row(worth: svg.Panel, changes: svg.Panel, row: int, item: InformationItem) -> None:
    research = item.kind in ("parameter", "hidden")
    colour = svg.REFERENCE_GREY if research or not item.distinct else FIRST
    value = max(item.value.value or 0.0, 0.0)
    if item.distinct:
        worth.bar(0, value, row, 0.56, colour)
        if item.value.lower is not None and item.value.upper is not None:
            whisker(worth, item.value.lower, item.value.upper, row)
    else:
        worth.sheet.middle_text(
            worth.x(0) + 4, worth.y(row), "no more than chance", size=SMALL, colour=svg.MUTED
        )
    changes.bar(0, item.probability_changes, row, 0.56, colour)
    inside = item.probability_changes > 0.7
    x = changes.x(item.probability_changes) + (-4 if inside else 4)
    changes.sheet.middle_text(
        x, changes.y(row), words.percent(item.probability_changes), size=SMALL,
        anchor="end" if inside else "start", colour="#FFFFFF" if inside and colour == FIRST else svg.INK,
    )  # fmt: skip
    worth.sheet.middle_text(2, worth.y(row), wrapped(item.title, 42), size=SMALL)


def contrast_figure(document: Understanding, name: str) -> Markup:
    """The difference with its 90 % interval on one line."""
    found = document.contrast.difference
    limits = spread_of([found], room=0.25)
    sheet = svg.Drawing(WIDTH, 0.95)
    panel = svg.Panel(sheet, 0.3 * svg.INCH, 0.1 * svg.INCH, sheet.width - 0.6 * svg.INCH, 0.3 * svg.INCH,
                      limits, (0, 1))  # fmt: skip
    ticks = nice_ticks(*limits, most=7)
    panel.grid(xs=ticks)
    panel.line([0, 0], [0, 1], svg.INK, 1.0)
    value = found.value or 0.0
    colour = FIRST if value >= 0 else SECOND
    if found.lower is not None and found.upper is not None:
        panel.line([found.lower, found.upper], [0.5, 0.5], colour, 2.2)
    clear = document.contrast.detectable
    panel.mark("D" if clear else "o", value, 0.5, 7, colour, fill=colour if clear else "white", edge=1.4)
    title = f"{document.objective.unit}: ← B is better{4 * chr(160)}A is better →"
    panel.x_axis(ticks, [tick_text(t) for t in ticks], title=title, size=SMALL)
    return sheet.to_svg(name, "The first strategy minus the second", words.sentence(document.contrast.words))
