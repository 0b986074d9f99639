"""The calendar of a strategy: lanes on a scale of weeks, windows instead of single dates."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from metachron.plan.results import Bar
from metachron.report import svg, words
from metachron.report.arms import Arm
from metachron.report.figures import WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LANES = ("surgery", "ablation", "chemotherapy", "targeted", "immunotherapy", "cells", "recovery", "scans")
LANE_COLOURS = {
    "surgery": "#882255",
    "ablation": "#C2500A",
    "chemotherapy": "#0072B2",
    "targeted": "#332288",
    "immunotherapy": "#8A6D00",
    "cells": "#007A5A",
    "recovery": "#767676",
    "scans": "#1A1A1A",
}
SHORTEST_WEEKS, LONGEST_WEEKS = 26, 78
_NUMBER = re.compile(r"[\s,(]*#?\b(?:cycle|infusion|dose|session|scan)?\s*\d+\)?$", re.IGNORECASE)


@dataclass(frozen=True)
class Row:
    """Bars of one lane that share a label (cycles, scans) on one row."""

    lane: str
    label: str
    bars: list[Bar]


def stem(label: str) -> str:
    """`mFOLFOX6 cycle 3` and `CT 2` belong to the rows `mFOLFOX6` and `CT`."""
    return _NUMBER.sub("", label).strip() or label


def rows_of(timetable: list[Bar]) -> list[Row]:
    """Rows in the order of the lanes, then of time."""
    groups: dict[tuple[str, str], list[Bar]] = {}
    for bar in sorted(timetable, key=lambda b: (LANES.index(b.lane), b.start_day)):
        groups.setdefault((bar.lane, _row_label(bar, timetable)), []).append(bar)
    return [Row(lane, label, bars) for (lane, label), bars in groups.items()]


def _row_label(bar: Bar, timetable: list[Bar]) -> str:
    """A number at the end is a count only when a sister bar has the same stem (mFOLFOX6 is a name)."""
    short = stem(bar.label)
    sisters = [b for b in timetable if b.lane == bar.lane and b.label != bar.label and stem(b.label) == short]
    return short if sisters else bar.label


_SHORT = re.compile(r"[^()]*\((m?[A-Z][A-Z0-9]+)[^()]*\)(, .*)")


def short_label(label: str) -> str:
    """`5-fluorouracil, leucovorin and oxaliplatin (mFOLFOX6), 6 cycles` as `mFOLFOX6, 6 cycles`."""
    found = _SHORT.fullmatch(label)
    return f"{found[1]}{found[2]}" if found and "infusion" not in label else label


def last_week(timetables: list[list[Bar]]) -> int:
    """The same scale for every strategy: to the end of planned treatment, 26 to 78 weeks."""
    ends = [b.end_window[1] / 7 for bars in timetables for b in bars if b.lane != "scans"]
    needed = max(ends, default=0.0)
    return int(min(LONGEST_WEEKS, max(SHORTEST_WEEKS, -(-needed // 13) * 13)))


def describe(arm: Arm, rows: list[Row]) -> str:
    """The calendar in words, one clause for each row."""
    parts = []
    for row in rows:
        first, last = row.bars[0], row.bars[-1]
        when = f"week {week(first.start_day)}"
        if week(last.end_day) != week(first.start_day):
            when = f"weeks {week(first.start_day)} to {week(last.end_day)}"
        parts.append(f"{row.lane}, {row.label}: {when}")
    return f"Strategy {arm.letter}. " + "; ".join(parts) + "."


def week(day: float) -> int:
    """Week of treatment, counted from 0."""
    return round(day / 7)


def window(limits: tuple[float, float]) -> str:
    low, high = week(limits[0]), week(limits[1])
    return f"{low}" if low == high else f"{low} to {high}"


def gantt(arm: Arm, name: str, weeks: int) -> Markup:
    """The calendar of one strategy over `weeks` weeks."""
    rows = [r for r in rows_of(arm.strategy.timetable) if r.bars[0].start_day / 7 < weeks]
    labels = [
        textwrap.wrap(svg.plain_text(short_label(r.label)), 27, max_lines=3, placeholder=" …") or [r.lane]
        for r in rows
    ]
    heights = [(0.27, 0.34, 0.45)[len(label) - 1] for label in labels]
    height = sum(heights) + 0.52
    with svg.style():
        figure = svg.new_figure(WIDTH, height)
        left, right = 2.45, 0.55
        axes = figure.add_axes((left / WIDTH, 0.42 / height, 1 - (left + right) / WIDTH, 1 - 0.5 / height))
        y, middles = 0.0, []
        for row, tall in zip(rows, heights, strict=True):
            middles.append(y + tall / 2)
            _row(axes, row, middles[-1], weeks)
            y += tall
        _frame(axes, rows, labels, middles, y, weeks)
        title = f"Calendar of strategy {arm.letter}: {arm.strategy.title}"
        return svg.to_svg(figure, name, title, describe(arm, rows))


def _row(axes: Axes, row: Row, y: float, weeks: int) -> None:
    colour = LANE_COLOURS[row.lane]
    tall = 0.15
    single = 0.5  # a day is drawn as half a week, or it could not be seen
    for early, late in merged([(b.start_window[0] / 7, b.end_window[1] / 7) for b in row.bars]):
        axes.barh(y, late - early, left=early, height=tall * 0.55, color=colour, alpha=0.25, linewidth=0)
    for bar in row.bars:
        start, end = bar.start_day / 7, bar.end_day / 7
        if start >= weeks:
            continue
        opacity = 1.0 if bar.share >= 0.5 else 0.55
        if row.lane == "scans":
            axes.plot([start], [y], "D", markersize=3.6, color=colour, alpha=opacity)
        else:
            wide = max(end - start, single)
            axes.barh(y, wide, left=start, height=tall, color=colour, alpha=opacity, linewidth=0)
        if bar.end_day / 7 > weeks:
            axes.plot([weeks], [y], ">", markersize=4.5, color=colour, clip_on=False)
    shares = [b.share for b in row.bars]
    if min(shares) < 0.95:
        text = _share_range(shares)
        axes.annotate(
            text, (1, y), xycoords=axes.get_yaxis_transform(), xytext=(6, 0), textcoords="offset points",
            va="center", fontsize=svg.FONT - 1.2, color=svg.MUTED, annotation_clip=False,
        )  # fmt: skip


def merged(windows: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The union of windows, so that pale bars do not add up to dark ones."""
    joined: list[tuple[float, float]] = []
    for early, late in sorted(windows):
        if joined and early <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], late))
        else:
            joined.append((early, late))
    return joined


def _share_range(shares: list[float]) -> str:
    if words.percent(min(shares)) == words.percent(max(shares)):
        return words.percent(min(shares))
    return (
        words.percent_range(min(shares), max(shares))
        .replace(" to ", words.DASH)
        .replace("<", "")
        .replace(">", "")
        + "%"
    )


def _frame(
    axes: Axes, rows: list[Row], labels: list[list[str]], middles: list[float], bottom: float, weeks: int
) -> None:
    axes.set_xlim(0, weeks)
    axes.set_ylim(bottom, 0)
    axes.set_xticks(range(0, weeks + 1, 4 if weeks <= 52 else 6 if weeks <= 60 else 8))
    axes.set_xlabel("Weeks from day 0", labelpad=1)
    axes.grid(axis="x", color=svg.GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    frame = axes.get_yaxis_transform()
    for row, label, y in zip(rows, labels, middles, strict=True):
        style: dict[str, Any] = {
            "xycoords": frame,
            "textcoords": "offset points",
            "va": "center",
            "annotation_clip": False,
        }
        colour = LANE_COLOURS[row.lane]
        axes.annotate(row.lane, (0, y), xytext=(-176, 0), color=colour, fontsize=svg.FONT - 0.8, **style)
        axes.annotate("\n".join(label), (0, y), xytext=(-112, 0), fontsize=svg.FONT - 1, **style)
