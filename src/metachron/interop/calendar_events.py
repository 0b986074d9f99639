"""From the bars of a timetable to single events: operations, cycles, infusions, scans, with their windows.

Days count from day 0. A bar is a course (`mFOLFOX6, 6 cycles`); its cycles are laid between the windows of
its start and of its end, so the window of a cycle is as wide as the course has drifted by then. How far a
course without an end drifts is not in a document: its cycles have no latest day.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from metachron.errors import InputError
from metachron.optimise.said import short
from metachron.plan.results import Bar, Basis
from metachron.strategies.catalogue import Catalogue, load_catalogue
from metachron.strategies.language import resolve
from metachron.strategies.schema import EffectClass, Step

DRUG_LANES = ("chemotherapy", "targeted", "immunotherapy")
LONGEST_DAYS = 550  # of an endless course: as far as scans are laid out
_COURSE = re.compile(r"(?P<title>.*), (?:(?P<count>\d+) cycles|until progression)")
_CELLS = re.compile(r"(?P<count>\d+) infusions of (?P<title>.*?)(?:, day (?P<day>\d+))?")


@dataclass(frozen=True)
class Event:
    """Something planned on a day, or from a day to another.

    `cycle` counts from 1 (None: not part of a series of `of`); `earliest` and `latest` are the 10th and 90th
    percentile of the start over twins (`latest` None: not known); `share` of twins in whom the course took
    place; `note` in words.
    """

    lane: str
    label: str
    cycle: int | None
    of: int | None
    day: float
    end_day: float
    earliest: float
    latest: float | None
    share: float
    basis: Basis
    note: str = ""


@dataclass(frozen=True)
class Series:
    """How a course repeats: `count` times (None: no end) every `every` days, from `offset` days on."""

    label: str
    count: int | None
    every: float
    offset: float = 0.0


def events_of(
    timetable: Sequence[Bar], expression: str, basis: Basis, catalogue: Catalogue | None = None
) -> list[Event]:
    """The events of a timetable in order of time.

    `expression`: the strategy in the composition language, from which the length of cycles is taken; where it
    cannot be read, that of the catalogue entry of the same title counts.
    """
    catalogue = catalogue or load_catalogue()
    known = _series_of_steps(expression, catalogue)
    events: list[Event] = []
    for bar in timetable:
        waiting = known.get((bar.lane, bar.label))
        series = waiting.pop(0) if waiting else _series_of_label(bar, catalogue)
        events += _course(bar, series, basis) if series else [_single(bar, basis)]
    return sorted(events, key=lambda e: (e.day, e.lane, e.label))


def _series_of_steps(expression: str, catalogue: Catalogue) -> dict[tuple[str, str], list[Series]]:
    """Lane and label of a bar, as `plan.timetable` writes them -> its series, in the order of the steps."""
    try:
        steps = resolve(expression, catalogue).steps
    except InputError:
        return {}
    found: dict[tuple[str, str], list[Series]] = {}
    for step in steps:
        for key, series in _series_of_step(step, catalogue):
            found.setdefault(key, []).append(series)
    return found


def _series_of_step(step: Step, catalogue: Catalogue) -> list[tuple[tuple[str, str], Series]]:
    lanes = {"cytotoxic": "chemotherapy", "targeted": "targeted", "checkpoint": "immunotherapy"}
    found = []
    every = catalogue.regimens[step.regimens[0]].cycle_days if step.regimens else 0
    for name in step.regimens:
        regimen = catalogue.regimens[name]
        count = step.cycles
        if count and catalogue.effects_of(name) == {EffectClass.VEGF}:
            count = max(1, count - step.stop_partner_before_surgery_cycles)
        label = regimen.title + (f", {step.cycles} cycles" if step.cycles else ", until progression")
        series = Series(short(regimen.title), count, every)
        found.append(((lanes[regimen.kind], label), series))
    if step.cells:
        product = catalogue.cells[step.cells]
        count, day = step.infusions or product.infusions, step.infusion_day or product.day_in_cycle
        label = f"{count} infusions of {product.title}" + (f", day {day}" if step.regimens else "")
        series = Series(product.title, count, every or product.interval_days, day - 1 if step.regimens else 0)
        found.append((("cells", label), series))
    return found


def _series_of_label(bar: Bar, catalogue: Catalogue) -> Series | None:
    """The series that a label alone tells, by the catalogue entry of its title; None for a single event."""
    if bar.lane in DRUG_LANES and (found := _COURSE.fullmatch(bar.label)):
        regimen = next((r for r in catalogue.regimens.values() if r.title == found["title"]), None)
        count = int(found["count"]) if found["count"] else None
        return Series(short(regimen.title), count, regimen.cycle_days) if regimen else None
    if bar.lane == "cells" and (found := _CELLS.fullmatch(bar.label)):
        product = next((c for c in catalogue.cells.values() if c.title == found["title"]), None)
        if product is None:
            return None
        count = int(found["count"])
        every = product.interval_days
        if found["day"]:  # interleaved: the cycle is not in the label, the length of the bar tells it
            every = max(1, round((bar.end_day - bar.start_day) / count))
        return Series(product.title, count, every, int(found["day"] or 1) - 1)
    return None


def _course(bar: Bar, series: Series, basis: Basis) -> list[Event]:
    """One event for each cycle or infusion.

    The median twin is delayed when its course is longer than planned: the delay is spread over the cycles.
    A course that ends early does not come faster: its later cycles are marked.
    """
    every = series.every
    length = bar.end_day - bar.start_day
    count = series.count or max(1, int(min(length, LONGEST_DAYS) / every + 1e-9))
    pace = max(every, length / count) if series.count else every
    slowest = max(pace, (bar.end_window[1] - bar.start_window[1]) / count)
    events = []
    for k in range(count):
        day = bar.start_day + series.offset + k * pace
        latest = max(day, bar.start_window[1] + series.offset + k * slowest)
        events.append(
            Event(
                lane=bar.lane,
                label=series.label,
                cycle=k + 1,
                of=series.count,
                day=day,
                end_day=day,
                earliest=min(day, bar.start_window[0] + series.offset + k * every),
                latest=latest if series.count or not k else None,
                share=bar.share,
                basis=basis,
                note=_note(bar, series, day, last=k == count - 1),
            )
        )
    return events


def _note(bar: Bar, series: Series, day: float, *, last: bool) -> str:
    """How many had stopped by then, as far as the windows of the bar tell."""
    if series.count is None and last:
        return "Treatment goes on until progression: in half of the virtual twins it ended about here."
    ends = ((bar.end_window[1], "nine in ten"), (bar.end_day, "half"), (bar.end_window[0], "one in ten"))
    for end, share in ends:
        if day >= end + series.offset and day > bar.start_day + series.offset:
            return f"By then treatment had ended in {share} of the virtual twins or more."
    return ""


def _single(bar: Bar, basis: Basis) -> Event:
    """A bar that is one event: an operation with its stay, the recovery after it, a scan."""
    return Event(
        lane=bar.lane,
        label=bar.label,
        cycle=None,
        of=None,
        day=bar.start_day,
        end_day=bar.end_day,
        earliest=bar.start_window[0],
        latest=bar.start_window[1],
        share=bar.share,
        basis=basis,
    )
