"""Survival figures: an overview of all strategies, and small multiples that carry the bands.

Input arrays are the monthly grids of `Curve` (months, fractions). matplotlib is imported inside the
functions only. Every group of a strategy carries the class `st st-<index>`, which the page toggles.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from metachron.plan.results import Curve
from metachron.report import svg, words
from metachron.report.arms import Arm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 7.6  # inches; the text width of a printed page, so that 8 pt print as 8 pt
COLUMNS = 4
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
    rows = 0.165 * len(arms)
    below, above, plot = 0.62 + rows, 0.12, 2.7
    height = below + plot + above
    with svg.style():
        figure = svg.new_figure(WIDTH, height)
        left, right = 0.75, 0.35
        axes = figure.add_axes((left / WIDTH, below / height, 1 - (left + right) / WIDTH, plot / height))
        _survival_axes(axes, last, ticks)
        axes.set_xlabel("Months from day 0", labelpad=2)
        axes.set_ylabel(words.endpoint_name(first) if len(words.endpoint_name(first)) < 32 else "Survival")
        for arm in arms:
            _band(axes, arm, curve_of(arm, endpoint), 0.13)
        for arm in reversed(arms):
            _line(axes, arm, curve_of(arm, endpoint))
        _end_letters(axes, arms, endpoint, last)
        _at_risk(axes, arms, endpoint, ticks, plot)
        title = f"{words.endpoint_name(first)}: all strategies"
        return svg.to_svg(figure, name, title, describe(arms, endpoint))


def _survival_axes(axes: Axes, last: float, ticks: list[int]) -> None:
    axes.set_xlim(0, last)
    axes.set_ylim(0, 1.005)
    axes.set_xticks(ticks)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1.0], ["0%", "25%", "50%", "75%", "100%"])
    axes.grid(axis="y", color=svg.GRID, linewidth=0.6)
    axes.set_axisbelow(True)


def _line(axes: Axes, arm: Arm, curve: Curve, width: float = 1.5) -> None:
    (line,) = axes.plot(
        curve.times_months,
        curve.survival,
        color=arm.colour,
        linewidth=width + (0.6 if arm.is_reference else 0),
        dashes=arm.dash or (None, None),
        solid_capstyle="butt",
    )
    line.set_gid(svg.mark("st", f"st-{arm.index}", "st-line"))


def _band(axes: Axes, arm: Arm, curve: Curve, alpha: float) -> None:
    band = axes.fill_between(
        curve.times_months, curve.lower, curve.upper, color=arm.colour, alpha=alpha, linewidth=0
    )
    extra = ("st-band-ref",) if arm.is_reference else ()
    band.set_gid(svg.mark("st", f"st-{arm.index}", "st-band", *extra))


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


def _end_letters(axes: Axes, arms: list[Arm], endpoint: str, last: float) -> None:
    ends = [curve_of(arm, endpoint).survival[-1] for arm in arms]
    for arm, end, y in zip(arms, ends, spread(ends, 0.045, bottom=0.015), strict=True):
        (leader,) = axes.plot([last, last * 1.012], [end, y], color=arm.colour, linewidth=0.6, clip_on=False)
        leader.set_gid(svg.mark("st", f"st-{arm.index}"))
        label = axes.text(
            last * 1.017, y, arm.letter, color=arm.colour, va="center_baseline", weight="bold", clip_on=False
        )
        label.set_gid(svg.mark("st", f"st-{arm.index}"))


def _at_risk(axes: Axes, arms: list[Arm], endpoint: str, ticks: list[int], plot: float) -> None:
    """Twins at risk under the ticks, one row for each strategy; `plot` is the height of the axes (in)."""
    top = -0.56 / plot
    frame = axes.get_xaxis_transform()
    axes.text(0, top + 0.02, "Twins still at risk", transform=frame, ha="left", va="bottom", color=svg.INK)
    for row, arm in enumerate(arms):
        y = top - (0.165 / plot) * (row + 0.35)
        style: dict[str, Any] = {
            "transform": frame,
            "va": "center",
            "fontsize": svg.FONT - 0.8,
            "clip_on": False,
        }
        gid = svg.mark("st", f"st-{arm.index}")
        axes.annotate(
            arm.letter, (0, y), xycoords=frame, xytext=(-30, 0), textcoords="offset points", va="center",
            color=arm.colour, weight="bold", annotation_clip=False,
        ).set_gid(gid)  # fmt: skip
        for tick in ticks:
            count = curve_of(arm, endpoint).at_risk.get(str(tick))
            if count is not None:
                axes.text(tick, y, f"{count}", ha="center", color=svg.INK, gid=gid, **style)


def survival_panels(arms: list[Arm], endpoint: str, name: str) -> Markup:
    """One panel for each strategy with its 90 % band; the reference in grey behind each."""
    reference = next((a for a in arms if a.is_reference), arms[0])
    last = max(curve_of(a, endpoint).times_months[-1] for a in arms)
    columns = min(COLUMNS, max(2, len(arms)))
    rows = -(-len(arms) // columns)
    height = 1.72 * rows + 0.25
    with svg.style():
        figure = svg.new_figure(WIDTH, height)
        grid = figure.subplots(rows, columns, squeeze=False)
        figure.subplots_adjust(
            left=0.42 / WIDTH, right=1 - 0.12 / WIDTH, top=1 - 0.42 / height, bottom=0.42 / height,
            wspace=0.13, hspace=0.52,
        )  # fmt: skip
        for position, axes in enumerate(grid.flat):
            if position >= len(arms):
                axes.set_visible(False)
                continue
            _panel(axes, arms[position], reference, endpoint, last)
            if position % columns:
                axes.set_yticklabels([])
            if position + columns >= len(arms):
                axes.set_xlabel("Months", labelpad=1)
        title = f"{words.endpoint_name(curve_of(arms[0], endpoint))}: one panel for each strategy"
        return svg.to_svg(figure, name, title, describe(arms, endpoint))


def _panel(axes: Axes, arm: Arm, reference: Arm, endpoint: str, last: float) -> None:
    step = next(s for s in (6, 12, 18, 24, 36, 60, 120) if last / s <= 4)
    _survival_axes(axes, last, list(range(0, int(last) + 1, step)))
    axes.set_yticks([0, 0.5, 1.0], ["0%", "50%", "100%"])
    if arm is not reference:
        behind = curve_of(reference, endpoint)
        axes.plot(behind.times_months, behind.survival, color=svg.REFERENCE_GREY, linewidth=1.3)
    curve = curve_of(arm, endpoint)
    band = axes.fill_between(curve.times_months, curve.lower, curve.upper, color=arm.colour, alpha=0.2, lw=0)
    band.set_gid(svg.mark("st-panel-band"))
    axes.plot(curve.times_months, curve.survival, color=arm.colour, linewidth=1.6)
    axes.set_title(
        shorten(arm), loc="left", color=arm.colour, pad=3, fontsize=svg.FONT - 0.8, linespacing=1.1
    )


def shorten(arm: Arm, width: int = 27, lines: int = 2) -> str:
    """The letter and the title in at most two lines; the key holds the whole name."""
    text = f"{arm.letter}  {svg.plain_text(arm.strategy.title)}"
    return "\n".join(textwrap.wrap(text, width, max_lines=lines, placeholder=" …"))
