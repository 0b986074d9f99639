"""Figures of a validation: predicted bands over observed curves, landmarks, hazard ratios."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from markupsafe import Markup

from metachron.calibrate.score import LANDMARKS
from metachron.calibrate.validation import CurveScore, RatioScore
from metachron.report import svg
from metachron.report.validation_text import SETTING_NAMES, points

BLUE, OCHRE = "#0b4f79", "#b5541c"
WIDTH = 7.6  # inches, the text width of a printed page
COLUMNS = 4
STEPS = (1, 2, 3, 6, 12, 18, 24, 36, 48, 60)
SETTING_COLOURS = {
    "adjuvant": "#0b4f79", "resected_metastases": "#00664a", "liver_local": "#5b8c2a",
    "first_line": "#b5541c", "maintenance": "#8a6d00", "second_line": "#7d2e68", "later_line": "#4d4d4d",
}  # fmt: skip


def curves_figure(curves: Sequence[CurveScore], name: str) -> Markup:
    """Small multiples: prediction with its 90 % band, observed curve as a line of the other colour."""
    columns = min(COLUMNS, max(2, len(curves)))
    rows = -(-len(curves) // columns)
    sheet = svg.Drawing(WIDTH, 1.78 * rows + 0.3)
    frames = svg.grid_of(sheet, rows, columns, (0.42, 0.45, 0.12, 0.42), (0.13, 0.56))
    for place, (curve, frame) in enumerate(zip(curves, frames, strict=False)):
        last = max(curve.until_months, 1.0)
        panel = svg.Panel(sheet, *frame, (0, last), (0, 1.005))
        _panel(panel, curve)
        panel.y_axis([0, 0.5, 1.0], None if place % columns else ["0%", "50%", "100%"])
        step = next((s for s in STEPS if last / s <= 4.5), 120)
        ticks = list(range(0, int(last) + 1, step))
        lowest = place + columns >= len(curves)
        panel.x_axis(ticks, [f"{t}" for t in ticks], title="Months" if lowest else "")
    title = "Predicted band and observed Kaplan-Meier curve"
    return sheet.to_svg(name, title, describe(curves))


def _panel(panel: svg.Panel, c: CurveScore) -> None:
    panel.grid(ys=[0, 0.5, 1.0])
    at = c.curve.months
    panel.band(at, c.curve.low, c.curve.high, BLUE, 0.18)
    panel.line(at, c.curve.predicted, BLUE, 1.5)
    panel.line(at, c.curve.observed, OCHRE, 1.3, dash=(4, 1.6))
    head = f"{c.trial} {c.endpoint}"[:30]
    tail = f"{c.arm[:21]} ({points(c.integrated_absolute_error)})"
    panel.title(f"{head}\n{tail}", pad=3, size=svg.FONT - 1.0)


def describe(curves: Sequence[CurveScore]) -> str:
    """The figure in words."""
    told = [
        f"{c.trial} {c.endpoint} {c.arm}: {points(c.integrated_absolute_error)} points" for c in curves[:40]
    ]
    return "Mean absolute error over follow-up. " + "; ".join(told) + "."


def calibration_figure(curves: Sequence[CurveScore], name: str) -> Markup:
    """Every landmark: predicted against observed survival, filled where inside its 90 % interval."""
    marks = [(c, m) for c in curves for m in c.landmarks]
    sheet = svg.Drawing(WIDTH, 4.6)
    side = 3.75 * svg.INCH
    panel = svg.Panel(sheet, 0.75 * svg.INCH, 0.2 * svg.INCH, side, side, (0, 1), (0, 1))
    ticks = [0, 0.25, 0.5, 0.75, 1.0]
    labels = [f"{100 * t:.0f}%" for t in ticks]
    panel.grid(xs=ticks, ys=ticks)
    panel.line([0, 1], [0, 1], svg.REFERENCE_GREY, 0.9)
    for offset in (-0.1, 0.1):
        low, high = max(0.0, -offset), min(1.0, 1.0 - offset)
        panel.line([low, high], [low + offset, high + offset], svg.REFERENCE_GREY, 0.6, dash=(2, 3))
    for c, m in marks:
        colour = SETTING_COLOURS.get(c.setting, svg.INK)
        panel.mark(
            "o", m.predicted, m.observed, 4.2, colour, fill=colour if m.covered else "#ffffff", opacity=0.85
        )
    panel.x_axis(ticks, labels, title="Predicted survival")
    panel.y_axis(ticks, labels, title="Observed survival")
    _key(sheet, panel, sorted({c.setting for c in curves}, key=list(SETTING_COLOURS).index))
    inside = sum(m.covered for _, m in marks)
    text = f"{inside} of {len(marks)} landmarks lie inside their 90 % interval."
    at = ", ".join(f"{m:g}" for m in LANDMARKS)
    return sheet.to_svg(name, f"Survival at {at} months, predicted against observed", text)


def _key(sheet: svg.Drawing, panel: svg.Panel, settings: Sequence[str]) -> None:
    left, top = panel.left + panel.width + 0.35 * svg.INCH, panel.top + 10
    scale = svg.Panel(sheet, left, top, 100, 100, (0, 100), (100, 0))
    for row, setting in enumerate(settings):
        scale.mark("o", 0, 14 * row, 5, SETTING_COLOURS[setting])
        sheet.middle_text(left + 9, top + 14 * row, SETTING_NAMES[setting])
    below = 14 * len(settings) + 6
    scale.mark("o", 0, below, 5, svg.INK, fill="#ffffff")
    sheet.middle_text(left + 9, top + below, "outside its 90 % interval")
    sheet.middle_text(left - 3, top + below + 18, "dotted: 10 points off")


def forest_figure(contrasts: Sequence[RatioScore], name: str) -> Markup:
    """Hazard ratios: predicted with 90 %, observed with 95 % intervals, one row a contrast."""
    rows = [r for r in contrasts if r.predicted is not None and r.observed is not None]
    sheet = svg.Drawing(WIDTH, 0.24 * len(rows) + 0.95)
    left, top = 3.35 * svg.INCH, 0.3 * svg.INCH
    width, height = sheet.width - left - 0.2 * svg.INCH, 0.24 * svg.INCH * len(rows)
    ticks = [0.4, 0.5, 0.7, 1.0, 1.4, 2.0, 2.5]
    limits = (log(0.36), log(2.8))
    panel = svg.Panel(sheet, left, top, width, height, limits, (len(rows) - 0.5, -0.5))
    panel.grid(xs=[log(t) for t in ticks])
    panel.line([0, 0], [len(rows) - 0.5, -0.5], svg.INK, 0.9)
    for row, r in enumerate(rows):
        right = {True: "✓", False: "✕", None: ""}[r.direction_right]
        label = f"{r.trial} {r.endpoint}: {r.arm} / {r.reference}"
        text = label if len(label) <= 52 else label[:51] + "…"
        sheet.middle_text(left - 16, panel.y(row), text, anchor="end", size=svg.FONT - 1)
        sheet.middle_text(left - 5, panel.y(row), right, anchor="end")
        _interval(panel, row - 0.16, (r.predicted, r.predicted_low, r.predicted_high), BLUE, "o")
        _interval(panel, row + 0.18, (r.observed, r.observed_low, r.observed_high), OCHRE, "D")
    panel.x_axis([log(t) for t in ticks], [f"{t:g}" for t in ticks], title="Hazard ratio (log scale)")
    text = f"{sum(bool(r.direction_right) for r in rows)} of {len(rows)} directions are right."
    return sheet.to_svg(name, "Hazard ratios, predicted and observed", text)


def _interval(
    panel: svg.Panel,
    y: float,
    values: tuple[float | None, float | None, float | None],
    colour: str,
    shape: str,
) -> None:
    middle, low, high = values
    if middle is None:
        return
    if low is not None and high is not None and high > 0 and low > 0:
        ends = [panel.within(log(low)), panel.within(log(high))]
        panel.line(ends, [y, y], colour, 1.2)
    panel.mark(shape, panel.within(log(middle)), y, 4.0, colour)
