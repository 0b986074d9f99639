"""The calendar of a strategy: lanes on a scale of weeks, windows instead of single dates."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from markupsafe import Markup

from metachron.plan.results import Bar
from metachron.report import svg, words
from metachron.report.arms import Arm
from metachron.report.figures import WIDTH

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
        textwrap.wrap(short_label(r.label), 27, max_lines=3, placeholder=" …") or [r.lane] for r in rows
    ]
    heights = [(0.27, 0.34, 0.45)[len(label) - 1] for label in labels]
    sheet = svg.Drawing(WIDTH, sum(heights) + 0.52)
    left, right = 2.45 * svg.INCH, 0.55 * svg.INCH
    wide, tall = sheet.width - left - right, sheet.height - 0.5 * svg.INCH
    panel = svg.Panel(sheet, left, 0.08 * svg.INCH, wide, tall, (0, weeks), (sum(heights), 0))
    ticks = range(0, weeks + 1, 4 if weeks <= 52 else 6 if weeks <= 60 else 8)
    panel.grid(xs=ticks)
    y = 0.0
    for row, label, high in zip(rows, labels, heights, strict=True):
        _row(panel, row, "\n".join(label), y + high / 2, weeks)
        y += high
    panel.x_axis(ticks, [f"{t}" for t in ticks], title="Weeks from day 0")
    title = f"Calendar of strategy {arm.letter}: {arm.strategy.title}"
    return sheet.to_svg(name, title, describe(arm, rows))


def _row(panel: svg.Panel, row: Row, label: str, y: float, weeks: int) -> None:
    colour = LANE_COLOURS[row.lane]
    tall = 0.15
    single = 0.5  # a day is drawn as half a week, or it could not be seen
    for early, late in merged([(b.start_window[0] / 7, b.end_window[1] / 7) for b in row.bars]):
        panel.bar(early, late, y, tall * 0.55, colour, 0.25)
    for bar in row.bars:
        start, end = bar.start_day / 7, bar.end_day / 7
        if start >= weeks:
            continue
        opacity = 1.0 if bar.share >= 0.5 else 0.55
        if row.lane == "scans":
            panel.mark("D", start, y, 3.6, colour, opacity=opacity)
        else:
            panel.bar(start, max(end, start + single), y, tall, colour, opacity)
        if end > weeks:
            panel.mark(">", weeks, y, 4.5, colour)
    sheet, height = panel.sheet, panel.y(y)
    sheet.middle_text(panel.left - 176, height, row.lane, colour=colour, size=svg.FONT - 0.8)
    sheet.middle_text(panel.left - 112, height, label, size=svg.FONT - 1)
    shares = [b.share for b in row.bars]
    if min(shares) < 0.95:
        right = panel.left + panel.width + 6
        sheet.middle_text(right, height, _share_range(shares), size=svg.FONT - 1.2, colour=svg.MUTED)


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
