"""Survival figures: an overview of all strategies, and small multiples that carry the bands.

Input arrays are the monthly grids of `Curve` (months, fractions). Every group of a strategy carries the
class `st st-<index>`, which the page toggles.
"""

from __future__ import annotations

import textwrap

from markupsafe import Markup

from metachron.plan.results import Curve
from metachron.report import svg, words
from metachron.report.arms import Arm

WIDTH = 7.6  # inches; the text width of a printed page, so that 8 pt print as 8 pt
COLUMNS = 4
ROW = 0.165 * svg.INCH  # of the table of twins at risk
QUARTERS = [0, 0.25, 0.5, 0.75, 1.0]
PANEL_STEPS = (6, 12, 18, 24, 36, 60, 120)
ENDPOINTS = ("os", "rfs_or_pfs", "hepatic_rfs")


def curve_of(arm: Arm, endpoint: str) -> Curve:
    curve: Curve = getattr(arm.outcomes, endpoint)
    return curve


def month_ticks(last: float) -> list[int]:
    """At most eleven ticks at whole half-years or years."""
    step = next(s for s in (3, 6, 12, 24, 60, 120) if last / s <= 10)
    return list(range(0, int(last) + 1, step))


def describe(arms: list[Arm], endpoint: str) -> str:
    """The figure in a few sentences, for those who do not see it."""
    curve = curve_of(arms[0], endpoint)
    year = words.landmark_year(curve)
    parts = []
    for arm in arms:
        value = curve_of(arm, endpoint).landmarks.get(year or "")
        if value is not None and value.value is not None:
            parts.append(f"{arm.letter} {arm.strategy.title}: {words.percent_interval(value)}")
    name = words.endpoint_name(curve)
    head = f"{name} by month for {words.plural(len(arms), 'strategy', 'strategies')}."
    return f"{head} At {year} years: {'; '.join(parts)}." if parts else head


def survival_overview(arms: list[Arm], endpoint: str, name: str) -> Markup:
    """All curves on one axis, letters at their ends, twins at risk below."""
    first = curve_of(arms[0], endpoint)
    last = max(curve_of(a, endpoint).times_months[-1] for a in arms)
    ticks = month_ticks(last)
    below, above, plot = 0.62 * svg.INCH + ROW * len(arms), 0.12 * svg.INCH, 2.7 * svg.INCH
    sheet = svg.Drawing(WIDTH, (below + plot + above) / svg.INCH)
    left, right = 0.75 * svg.INCH, 0.35 * svg.INCH
    panel = svg.Panel(sheet, left, above, sheet.width - left - right, plot, (0, last), (0, 1.005))
    panel.grid(ys=QUARTERS)
    for arm in arms:
        _band(panel, arm, curve_of(arm, endpoint), 0.13)
    for arm in reversed(arms):
        _line(panel, arm, curve_of(arm, endpoint))
    long = words.endpoint_name(first)
    panel.x_axis(ticks, [f"{t}" for t in ticks], title="Months from day 0")
    panel.y_axis(
        QUARTERS, [f"{100 * q:.0f}%" for q in QUARTERS], title=long if len(long) < 32 else "Survival"
    )
    _end_letters(panel, arms, endpoint, last)
    _at_risk(panel, arms, endpoint, ticks)
    return sheet.to_svg(name, f"{long}: all strategies", describe(arms, endpoint))


def classes(arm: Arm, *more: str) -> tuple[str, ...]:
    """What the page finds the parts of a strategy by."""
    return ("st", f"st-{arm.index}", *more)


def _line(panel: svg.Panel, arm: Arm, curve: Curve, width: float = 1.5) -> None:
    panel.line(
        curve.times_months,
        curve.survival,
        arm.colour,
        width + (0.6 if arm.is_reference else 0),
        dash=arm.dash,
        classes=classes(arm, "st-line"),
    )


def _band(panel: svg.Panel, arm: Arm, curve: Curve, opacity: float) -> None:
    extra = ("st-band-ref",) if arm.is_reference else ()
    panel.band(
        curve.times_months, curve.lower, curve.upper, arm.colour, opacity, classes(arm, "st-band", *extra)
    )


def spread(values: list[float], gap: float, top: float = 1.0, bottom: float = 0.0) -> list[float]:
    """Positions near `values` that are at least `gap` apart and, room allowing, within the limits."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    placed = list(values)
    floor = bottom
    for i in order:
        placed[i] = floor = max(values[i], floor)
        floor += gap
    ceiling = top
    for i in reversed(order):
        placed[i] = ceiling = min(placed[i], ceiling)
        ceiling -= gap
    return placed


def _end_letters(panel: svg.Panel, arms: list[Arm], endpoint: str, last: float) -> None:
    ends = [curve_of(arm, endpoint).survival[-1] for arm in arms]
    for arm, end, y in zip(arms, ends, spread(ends, 0.045, bottom=0.015), strict=True):
        panel.line([last, last * 1.012], [end, y], arm.colour, 0.6, classes=classes(arm))
        panel.sheet.middle_text(
            panel.x(last * 1.017), panel.y(y), arm.letter, colour=arm.colour, bold=True, classes=classes(arm)
        )


def _at_risk(panel: svg.Panel, arms: list[Arm], endpoint: str, ticks: list[int]) -> None:
    """Twins at risk under the ticks, one row for each strategy."""
    sheet, top = panel.sheet, panel.bottom + 0.56 * svg.INCH
    sheet.text(panel.left, top - 5.5, "Twins still at risk")
    for row, arm in enumerate(arms):
        y = top + ROW * (row + 0.35)
        sheet.middle_text(panel.left - 30, y, arm.letter, colour=arm.colour, bold=True, classes=classes(arm))
        for tick in ticks:
            count = curve_of(arm, endpoint).at_risk.get(str(tick))
            if count is not None:
                sheet.middle_text(
                    panel.x(tick), y, f"{count}", anchor="middle", size=svg.FONT - 0.8, classes=classes(arm)
                )


def survival_panels(arms: list[Arm], endpoint: str, name: str) -> Markup:
    """One panel for each strategy with its 90 % band; the reference in grey behind each."""
    reference = next((a for a in arms if a.is_reference), arms[0])
    last = max(curve_of(a, endpoint).times_months[-1] for a in arms)
    columns = min(COLUMNS, max(2, len(arms)))
    rows = -(-len(arms) // columns)
    sheet = svg.Drawing(WIDTH, 1.72 * rows + 0.25)
    frames = svg.grid_of(sheet, rows, columns, (0.42, 0.42, 0.12, 0.42), (0.13, 0.52))
    for position, (arm, frame) in enumerate(zip(arms, frames, strict=False)):
        panel = svg.Panel(sheet, *frame, (0, last), (0, 1.005))
        _panel(panel, arm, reference, endpoint)
        panel.y_axis([0, 0.5, 1.0], None if position % columns else ["0%", "50%", "100%"])
        ticks = list(range(0, int(last) + 1, next(s for s in PANEL_STEPS if last / s <= 4)))
        lowest = position + columns >= len(arms)
        panel.x_axis(ticks, [f"{t}" for t in ticks], title="Months" if lowest else "")
    title = f"{words.endpoint_name(curve_of(arms[0], endpoint))}: one panel for each strategy"
    return sheet.to_svg(name, title, describe(arms, endpoint))


def _panel(panel: svg.Panel, arm: Arm, reference: Arm, endpoint: str) -> None:
    panel.grid(ys=[0, 0.5, 1.0])
    curve = curve_of(arm, endpoint)
    panel.band(curve.times_months, curve.lower, curve.upper, arm.colour, 0.2, ("st-panel-band",))
    if arm is not reference:
        behind = curve_of(reference, endpoint)
        panel.line(behind.times_months, behind.survival, svg.REFERENCE_GREY, 1.3)
    panel.line(curve.times_months, curve.survival, arm.colour, 1.6)
    panel.title(shorten(arm), pad=3, size=svg.FONT - 0.8, colour=arm.colour)


def shorten(arm: Arm, width: int = 27, lines: int = 2) -> str:
    """The letter and the title in at most two lines; the key holds the whole name."""
    text = f"{arm.letter}  {arm.strategy.title}"
    return "\n".join(textwrap.wrap(text, width, max_lines=lines, placeholder=" …"))
