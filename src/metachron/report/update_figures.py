"""Figures of an update: what was found beside what was expected, and how belief moved."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from metachron.optimise.update.results import Belief, Observation, Spread, StrategyBelief
from metachron.plan.results import Estimate
from metachron.report import svg, words
from metachron.report.figures import WIDTH
from metachron.report.optimise_scale import Scale
from metachron.report.optimise_view import nice_ticks, tick_text
from metachron.report.understand_figures import figure_text, wrapped

PRIOR, UPDATED, FOUND = "#8C8C8C", "#0b4f79", "#a14a12"
SMALL = svg.FONT - 1
LABEL = 2.65  # inches
MOST = 16
YES_NO = "any_unseen"
ARROWS = {"up": "▲", "down": "▼", "unchanged": "="}


def _row_panel(sheet: svg.Drawing, top: float, scale: Scale, unit: str) -> svg.Panel:
    """One row with an axis of its own below it."""
    left = LABEL * svg.INCH
    panel = svg.Panel(
        sheet, left, top, sheet.width - left - 0.75 * svg.INCH, 0.24 * svg.INCH, scale.limits, (1, 0)
    )
    ticks = scale.ticks()
    panel.line(list(scale.limits), [1, 1], svg.MUTED, svg.THIN)
    base = panel.bottom + svg.TICK + 1 + svg.ASCENT * SMALL
    for i, tick in enumerate(ticks):
        x = panel.x(scale(tick))
        sheet.line(((x, panel.bottom), (x, panel.bottom + 2.5)), svg.MUTED, svg.THIN)
        shown = f"{100 * tick:.0f}%" if unit == "fraction" else figure_text(tick)
        if i == len(ticks) - 1 and unit not in ("fraction", ""):
            shown += f"\N{NO-BREAK SPACE}{'lesion' if unit == 'lesions' and tick == 1 else short_unit(unit)}"
        sheet.text(x, base, shown, size=SMALL - 0.3, anchor="middle", colour=svg.MUTED)
    return panel


def short_unit(unit: str) -> str:
    """A unit as it stands beside a number on an axis."""
    known = {
        "days": "d",
        "times average": "\N{MULTIPLICATION SIGN}",
        "1e9/L": "\N{MULTIPLICATION SIGN}\N{NO-BREAK SPACE}10\N{SUPERSCRIPT NINE}/L",
        "ug/L": "\N{MICRO SIGN}g/L",
    }
    return known.get(unit, unit)


def _spread(panel: svg.Panel, scale: Scale, found: Spread, y: float, colour: str) -> None:
    ends = [panel.within(scale(found.lower)), panel.within(scale(found.upper))]
    panel.line(ends, [y, y], colour, 2.6)
    panel.mark("o", panel.within(scale(found.median)), y, 4.6, colour, fill="white", edge=1.4)


def _mean(panel: svg.Panel, scale: Scale, found: Spread, y: float, colour: str) -> None:
    """Of a yes-or-no there is no interval over twins, only the share of them."""
    panel.mark("o", panel.within(scale(found.mean)), y, 4.6, colour, fill="white", edge=1.4)


def observations(found: Sequence[Observation], name: str) -> Markup | None:
    """A row for each number that was found: the interval that was expected, and the number."""
    shown = [o for o in found if o.expected is not None and isinstance(o.found, int | float)][:MOST]
    if not shown:
        return None
    tall = 0.53 * svg.INCH
    sheet = svg.Drawing(WIDTH, 0.53 * len(shown) + 0.1)
    for row, o in enumerate(shown):
        assert o.expected is not None
        value = float(o.found)
        ends = [o.expected.lower, o.expected.upper, value]
        scale = Scale(ends, share=o.unit == "fraction", whole=o.unit == "lesions")
        panel = _row_panel(sheet, 4 + tall * row, scale, o.unit)
        _spread(panel, scale, o.expected, 0.45, PRIOR)
        panel.mark("D", scale(value), 0.45, 6, FOUND, fill=FOUND if o.used else "white", edge=1.3)
        text = wrapped(o.what, 42)
        sheet.middle_text(2, panel.y(0.5), text, size=SMALL)
        if o.probability is not None:
            at = panel.left + panel.width + 8
            sheet.middle_text(at, panel.y(0.5), words.percent(o.probability), size=SMALL, colour=svg.MUTED)
    told = [f"{o.what}: {figure_text(float(o.found))} {o.unit}, expected {spread_words(o.expected, o.unit)}"
            for o in shown]  # fmt: skip
    return sheet.to_svg(name, "What was found, beside what was expected", "; ".join(told) + ".")


def table_unit(unit: str) -> str:
    return unit if unit in ("days", "times average") else short_unit(unit)


def spread_words(found: Spread | None, unit: str) -> str:
    """`120 (80 to 190)` days; per cent for fractions."""
    if found is None:
        return words.DASH
    if unit == "fraction":
        return f"{words.percent(found.median)} ({words.percent_range(found.lower, found.upper)})"
    ends = f"{figure_text(found.lower)} to {figure_text(found.upper)}"
    return f"{figure_text(found.median)} ({ends})" + (f" {table_unit(unit)}" if unit else "")


def belief_words(b: Belief, found: Spread) -> str:
    """The interval over twins; of a yes-or-no the share of twins, of a count its mean and interval."""
    if b.name == YES_NO:
        return words.percent(found.mean)
    if b.unit == "lesions":
        ends = f"{figure_text(found.lower)} to {figure_text(found.upper)}"
        return f"{found.mean:.1f} on average ({ends})"
    return spread_words(found, b.unit)


def beliefs(found: Sequence[Belief], name: str) -> Markup | None:
    """A row for each thing believed: before in grey, after in blue, and where it went."""
    shown = list(found)[:MOST]
    if not shown:
        return None
    tall = 0.57 * svg.INCH
    sheet = svg.Drawing(WIDTH, 0.57 * len(shown) + 0.1)
    for row, b in enumerate(shown):
        ends = [v for s in (b.prior, b.updated) for v in (s.lower, s.median, s.upper)]
        scale = Scale(ends, share=b.unit == "fraction", whole=b.unit == "lesions")
        panel = _row_panel(sheet, 4 + tall * row, scale, b.unit)
        draw = _mean if b.name == YES_NO else _spread
        draw(panel, scale, b.prior, 0.2, PRIOR)
        draw(panel, scale, b.updated, 0.72, UPDATED)
        text = wrapped(b.words, 42)
        sheet.middle_text(2, panel.y(0.5), text, size=SMALL)
        _moved(panel, b)
    told = " ".join(words.sentence(b.text) for b in shown)
    return sheet.to_svg(name, "How belief moved", told)


def _moved(panel: svg.Panel, b: Belief) -> None:
    x, y = panel.left + panel.width + 8, panel.y(0.5)
    colour = svg.MUTED if b.moved == "unchanged" else UPDATED
    panel.sheet.middle_text(x, y, ARROWS[b.moved], size=SMALL, colour=colour)
    if b.moved != "unchanged":
        panel.sheet.middle_text(x + 10, y, f"{abs(b.shift):.1f} SD", size=SMALL, colour=svg.MUTED)


def strategies(found: Sequence[tuple[StrategyBelief, str]], years: float, name: str) -> Markup | None:
    """Months alive under each strategy (with its title) from today on: before in grey, after in blue."""
    titled = [(s, title) for s, title in found if s.updated_months.value is not None][:MOST]
    shown = [s for s, _ in titled]
    if not shown:
        return None
    sheet = svg.Drawing(WIDTH, 0.33 * len(shown) + 0.75)
    left = LABEL * svg.INCH
    both = [e for s in shown for e in (s.prior_months, s.updated_months)]
    ends = [v for e in both for v in (e.value, e.lower, e.upper) if v is not None]
    low, high = min(ends), max(ends)
    room = 0.07 * (high - low) or 1.0
    panel = svg.Panel(sheet, left, 0.1 * svg.INCH, sheet.width - left - 0.75 * svg.INCH,
                      0.33 * svg.INCH * len(shown), (low - room, high + room),
                      (len(shown) - 0.5, -0.5))  # fmt: skip
    ticks = nice_ticks(*panel.xlim, most=7)
    panel.grid(xs=ticks)
    for row, (s, title) in enumerate(titled):
        _estimate(panel, s.prior_months, row - 0.17, PRIOR)
        _estimate(panel, s.updated_months, row + 0.17, UPDATED)
        text = wrapped(title, 42)
        sheet.middle_text(2, panel.y(row), text, size=SMALL)
        at = panel.left + panel.width + 8
        sheet.middle_text(at, panel.y(row), words.signed(s.change_months, 1), size=SMALL)
    head = f"Mean months alive within {years:g} years from today"
    panel.x_axis(ticks, [tick_text(t) for t in ticks], title=head, size=SMALL)
    return sheet.to_svg(name, head, " ".join(words.sentence(s.text) for s in shown))


def _estimate(panel: svg.Panel, found: Estimate, y: float, colour: str) -> None:
    if found.value is None:
        return
    if found.lower is not None and found.upper is not None:
        panel.line([found.lower, found.upper], [y, y], colour, 2.2)
    panel.mark("o", found.value, y, 4.4, colour, fill="white", edge=1.4)
