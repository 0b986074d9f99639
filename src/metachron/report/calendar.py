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
BAR = 0.15  # height, inches
SINGLE = 0.5  # weeks: a day is drawn as half a week, or it could not be seen
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


def describe(letter: str, rows: list[Row]) -> str:
    """The calendar in words, one clause for each row."""
    parts = []
    for row in rows:
        first, last = row.bars[0], row.bars[-1]
        when = f"week {week(first.start_day)}"
        if week(last.end_day) != week(first.start_day):
            when = f"weeks {week(first.start_day)} to {week(last.end_day)}"
        early, late = first.start_window[0], last.end_window[1]
        if (week(early), week(late)) != (week(first.start_day), week(last.end_day)):
            when += f" (window {week(early)} to {week(late)})"
        parts.append(f"{row.lane}, {row.label}: {when}")
    return f"Strategy {letter}. " + "; ".join(parts) + "."


def week(day: float) -> int:
    """Week of treatment, counted from 0."""
    return round(day / 7)


def window(limits: tuple[float, float]) -> str:
    low, high = week(limits[0]), week(limits[1])
    return f"{low}" if low == high else f"{low} to {high}"


def gantt(arm: Arm, name: str, weeks: int) -> Markup:
    """The calendar of one strategy over `weeks` weeks."""
    return draw(arm.strategy.timetable, arm.letter, arm.strategy.title, name, weeks)


def draw(timetable: list[Bar], letter: str, title: str, name: str, weeks: int) -> Markup:
    """The calendar of one timetable over `weeks` weeks."""
    rows = [r for r in rows_of(timetable) if r.bars[0].start_day / 7 < weeks]
    labels = [
        textwrap.wrap(short_label(r.label), 27, max_lines=3, placeholder=" …") or [r.lane] for r in rows
    ]
    heights = [(0.27, 0.34, 0.45)[len(label) - 1] for label in labels]
    head = 0.2 if any(_share_text(r) for r in rows) else 0.08
    sheet = svg.Drawing(WIDTH, sum(heights) + head + 0.44)
    left, right = 2.45 * svg.INCH, 0.55 * svg.INCH
    wide, tall = sheet.width - left - right, sum(heights) * svg.INCH
    panel = svg.Panel(sheet, left, head * svg.INCH, wide, tall, (0, weeks), (sum(heights), 0))
    ticks = range(0, weeks + 1, 4 if weeks <= 52 else 6 if weeks <= 60 else 8)
    panel.grid(xs=ticks)
    if head > 0.1:
        size = svg.FONT - 1.2
        sheet.middle_text(left + wide + 6, 0.1 * svg.INCH, "of twins", size=size, colour=svg.MUTED)
    y = 0.0
    for row, label, high in zip(rows, labels, heights, strict=True):
        _row(panel, row, "\n".join(label), y + high / 2, weeks)
        y += high
    panel.x_axis(ticks, [f"{t}" for t in ticks], title="Weeks from day 0")
    return sheet.to_svg(name, f"Calendar of strategy {letter}: {title}", describe(letter, rows))


def _row(panel: svg.Panel, row: Row, label: str, y: float, weeks: int) -> None:
    colour = LANE_COLOURS[row.lane]
    for early, late in merged([(b.start_window[0] / 7, b.end_window[1] / 7) for b in row.bars]):
        panel.bar(early, late, y, BAR, colour, 0.22)
    for bar in row.bars:
        if bar.start_day / 7 >= weeks:
            continue
        if row.lane == "scans":
            panel.mark("D", bar.start_day / 7, y, 3.6, colour)
        else:
            _bar(panel, bar, y, colour)
        if bar.end_day / 7 > weeks:
            panel.mark(">", weeks, y, 4.5, colour)
    sheet, height = panel.sheet, panel.y(y)
    sheet.middle_text(panel.left - 176, height, row.lane, colour=colour, size=svg.FONT - 0.8)
    sheet.middle_text(panel.left - 112, height, label, size=svg.FONT - 1)
    if shares := _share_text(row):
        right = panel.left + panel.width + 6
        sheet.middle_text(right, height, shares, size=svg.FONT - 1.2, colour=svg.MUTED)


def _bar(panel: svg.Panel, bar: Bar, y: float, colour: str) -> None:
    """Median in a middle tone; dark where it is under way in nearly all twins who have it."""
    start, end = bar.start_day / 7, bar.end_day / 7
    panel.bar(start, max(end, start + SINGLE), y, BAR, colour, 0.5)
    latest, earliest = bar.start_window[1] / 7, bar.end_window[0] / 7
    if latest < earliest:
        panel.bar(latest, max(earliest, latest + SINGLE), y, BAR, colour)


def merged(windows: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The union of windows, so that pale bars do not add up to dark ones."""
    joined: list[tuple[float, float]] = []
    for early, late in sorted(windows):
        if joined and early <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], late))
        else:
            joined.append((early, late))
    return joined


def _share_text(row: Row) -> str:
    """Shares of twins in the order of time, a range when there are many; nothing when nearly all."""
    shares = [b.share for b in row.bars]
    if min(shares) >= 0.95:
        return ""
    low, high = words.percent(min(shares)), words.percent(max(shares))
    if low == high:
        return low
    if len(shares) == 2:
        return ", ".join(words.percent(s).rstrip("%") for s in shares) + "%"
    return f"{low.strip('<>%')}{words.DASH}{high.strip('<>')}"
