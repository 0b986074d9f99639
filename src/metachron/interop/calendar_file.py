"""Calendar files: the timetable of one strategy as iCalendar (RFC 5545) and as CSV.

`write_ics` and `write_csv` take a plan or the document of a search. Days become whole days from a start date;
what is planned is tentative, and its window over virtual twins stands in the description. The same document
and date give the same bytes.
"""

from __future__ import annotations

import csv
import difflib
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from icalendar import Calendar, vText
from icalendar import Event as CalendarEvent

from metachron.errors import InputError, Problem
from metachron.interop.calendar_events import Event, events_of
from metachron.optimise.results import Evaluation, Optimisation
from metachron.optimise.said import said
from metachron.plan.results import Plan, StrategyResult

Document = Plan | Optimisation
CSV_HEAD = (
    "lane", "label", "cycle", "planned_day", "planned_date", "earliest_date", "latest_date", "share", "basis",
)  # fmt: skip
FIRST_DATE, LAST_DATE = date(1900, 1, 1), date(2200, 1, 1)
PRODUCT = "-//metachron//timetable//EN"
LIKELY = 0.95  # a share of twins below this is said
SHORT_WINDOW = 3  # days: a window up to this long is not repeated in the title of an event
BASIS_WORDS = {
    "calibrated": "calibrated (pinned by trial data)",
    "prior-driven": "prior-driven (literature values or assumption)",
    "outside": "outside the data (do not rely on it)",
}
LANE_NAMES = {"surgery": "Surgery", "ablation": "Ablation", "cells": "Cell infusion", "scans": "Scan"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would take for a formula


@dataclass(frozen=True)
class Timetable:
    """The events of one strategy of one document, from `start` on."""

    patient: str
    strategy: str
    title: str
    expression: str
    grade: str
    events: list[Event]
    start: date
    disclaimer: str
    version: str

    def date_of(self, day: float) -> date:
        return self.start + timedelta(days=round(day))


def write_ics(
    document: Document, path: Path, *, strategy: str | None = None, start: date | None = None
) -> Path:
    """Write the calendar file. Arguments and errors: see `timetable_of`. Raises OSError."""
    path = Path(path)
    path.write_bytes(ics_bytes(timetable_of(document, strategy, start)))
    return path


def write_csv(
    document: Document, path: Path, *, strategy: str | None = None, start: date | None = None
) -> Path:
    """Write the table. Arguments and errors: see `timetable_of`. Raises OSError."""
    path = Path(path)
    path.write_text(csv_text(timetable_of(document, strategy, start)), encoding="utf-8", newline="")
    return path


def timetable_of(document: Document, strategy: str | None = None, start: date | None = None) -> Timetable:
    """The events of one strategy.

    `strategy`: name, expression or id of a candidate; None takes the best candidate of a search, else the
    reference. `start`: the date of day 0; None: the patient's `assessed_on`.
    Raises InputError: no such strategy, nothing on its calendar, no date known, or a date out of range.
    """
    chosen = choose(document, strategy)
    first = _start_date(document, start)
    events = events_of(chosen.timetable, chosen.expression or chosen.name, chosen.basis)
    if not events:
        raise InputError(
            Problem("--strategy", f"'{chosen.name}' has no timetable: nothing is scheduled in it")
        )
    return Timetable(
        patient=str(document.patient.get("id") or "patient"),
        strategy=chosen.name,
        title=said(chosen.title),
        expression=chosen.expression,
        grade=chosen.evidence_grade,
        events=events,
        start=first,
        disclaimer=document.disclaimer,
        version=document.version,
    )


# --- which strategy, from when -------------------------------------------------------------------------


def choose(document: Document, wanted: str | None) -> StrategyResult | Evaluation:
    """The strategy asked for, or the best, or the reference. Raises InputError with the nearest name."""
    if isinstance(document, Plan):
        found: Sequence[StrategyResult | Evaluation] = document.strategies
        default = document.reference
    else:
        found, default = document.evaluations, document.best or document.reference
    name = (wanted if wanted is not None else default).strip()
    for one in found:
        if name.lower() in (n.lower() for n in names_of(one)):
            return one
    every = list(dict.fromkeys(n for one in found if one.timetable for n in names_of(one)))
    near = difflib.get_close_matches(name, every, 1, 0.5)
    raise InputError(
        Problem(
            "--strategy",
            f"'{name}' is not in this document",
            ", ".join(every[:3]) + (f" and {len(every) - 3} more" if len(every) > 3 else ""),
            f"Did you mean {near[0]}?" if near else "",
        )
    )


def names_of(one: StrategyResult | Evaluation) -> list[str]:
    """What a strategy may be called by."""
    identity = [one.id] if isinstance(one, Evaluation) else []
    return [n for n in dict.fromkeys([*identity, one.name, one.expression]) if n]


def _start_date(document: Document, start: date | None) -> date:
    if start is None:
        known = document.patient.get("assessed_on")
        if not known:
            raise InputError(
                Problem("--start", "the patient has no assessed_on, so day 0 has no date", "YYYY-MM-DD")
            )
        start = parse_date(str(known), "patient.assessed_on")
    if not FIRST_DATE <= start <= LAST_DATE:
        raise InputError(Problem("--start", f"{start} is out of range", f"{FIRST_DATE} to {LAST_DATE}"))
    return start


def parse_date(text: str, where: str = "--start") -> date:
    """A date written YYYY-MM-DD. Raises InputError."""
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").date()
    except ValueError:
        raise InputError(Problem(where, f"'{text}' is not a date", "YYYY-MM-DD, e.g. 2026-03-02")) from None


# --- iCalendar -----------------------------------------------------------------------------------------


def ics_bytes(timetable: Timetable) -> bytes:
    """The calendar as RFC 5545 wants it: CRLF, lines of at most 75 octets.

    Without METHOD: PUBLISH would ask for an ORGANIZER (RFC 5546), and no METHOD is read as PUBLISH.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("x-wr-calname", vText(f"{timetable.patient}: {timetable.title} (simulated)"))
    calendar.add("x-wr-caldesc", vText(timetable.disclaimer))
    seen: Counter[tuple[object, ...]] = Counter()
    for event in timetable.events:
        key = (event.lane, event.label, event.cycle)
        calendar.add_component(_calendar_event(timetable, event, seen[key]))
        seen[key] += 1
    return bytes(calendar.to_ical())


def _calendar_event(timetable: Timetable, event: Event, occurrence: int) -> CalendarEvent:
    """One all-day event. DTSTAMP is the start date, so that the same document gives the same file."""
    entry = CalendarEvent()
    first, last = timetable.date_of(event.day), timetable.date_of(event.end_day)
    entry.add("uid", uid(timetable, event, occurrence))
    entry.add("dtstamp", datetime.combine(timetable.start, time(), UTC))
    entry.add("dtstart", first)
    entry.add("dtend", max(last, first + timedelta(days=1)))  # the day after the last one
    entry.add("summary", summary(timetable, event))
    entry.add("description", description(timetable, event))
    entry.add("categories", [event.lane])
    entry.add("status", "TENTATIVE")
    entry.add("transp", "TRANSPARENT")
    entry.add("class", "PRIVATE")
    return entry


def uid(timetable: Timetable, event: Event, occurrence: int) -> str:
    """The same for the same event of the same strategy and patient, whenever it is written.

    A later file then moves the events of an earlier one instead of doubling them.
    """
    parts = (timetable.patient, timetable.expression or timetable.strategy, event.lane, event.label)
    key = "|".join((*parts, f"{event.cycle}", f"{occurrence}"))
    return str(uuid5(NAMESPACE_URL, f"metachron:timetable:{key}"))


def summary(timetable: Timetable, event: Event) -> str:
    """What a calendar shows: `mFOLFOX6, cycle 3 of 12 (13 to 25 Oct)`, `Surgery: ... (in 21% of twins)`."""
    said = []
    if event.latest is not None and event.latest - event.earliest > SHORT_WINDOW:
        said.append(_short_window(timetable.date_of(event.earliest), timetable.date_of(event.latest)))
    if event.share < LIKELY:
        said.append(f"in {100 * event.share:.0f}% of twins")
    return _head(event) + (f" ({'; '.join(said)})" if said else "")


def _head(event: Event) -> str:
    if event.cycle is not None:
        word = "infusion" if event.lane == "cells" else "cycle"
        return f"{event.label}, {word} {event.cycle}" + (f" of {event.of}" if event.of else "")
    if event.lane == "recovery":
        return "Recovery after the procedure"
    head = LANE_NAMES.get(event.lane)
    return f"{head}: {event.label}" if head else event.label


def _short_window(early: date, late: date) -> str:
    """`13 to 25 Oct`, `29 Sep to 5 Oct`; the year only where it changes."""
    last = f"{late.day} {late:%b}" + (f" {late.year}" if late.year != early.year else "")
    if (early.year, early.month) == (late.year, late.month):
        return f"{early.day} to {last}"
    return f"{early.day} {early:%b} to {last}"


def description(timetable: Timetable, event: Event) -> str:
    """Window, share, what it rests on, and that this is research software."""
    lines = [window_words(timetable, event)]
    if event.share < LIKELY:
        lines.append(f"Took place in {100 * event.share:.0f}% of the virtual twins.")
    if event.note:
        lines.append(event.note)
    lines.append(f"Strategy: {timetable.title} ({timetable.grade}).")
    lines.append(f"Rests on: {BASIS_WORDS[event.basis]}.")
    lines.append(f"Simulated timetable, metachron {timetable.version}. {timetable.disclaimer}")
    return "\n".join(lines)


def window_words(timetable: Timetable, event: Event) -> str:
    """The window in words, and that the date is no appointment."""
    early, day = timetable.date_of(event.earliest).isoformat(), round(event.day)
    if event.lane == "scans":
        return f"By the schedule of scans: {early} (day {day})."
    if event.latest is None:
        return f"Not before {early} (day {day}). Doses may be held or delayed, so later cycles drift."
    late = timetable.date_of(event.latest).isoformat()
    if early == late:
        return f"Planned: {early} (day {day}); the same day in 80% of the virtual twins or more."
    return (
        f"Window: {early} to {late} (10 to 90% of the virtual twins). The date shown (day {day}) is"
        " a typical one, not an appointment."
    )


# --- CSV -----------------------------------------------------------------------------------------------


def csv_text(timetable: Timetable) -> str:
    """The events, one row each."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_HEAD)
    for e in timetable.events:
        days = (e.day, e.earliest, e.latest)
        dates = ["" if d is None else timetable.date_of(d).isoformat() for d in days]
        cycle = "" if e.cycle is None else e.cycle
        writer.writerow(
            (e.lane, _cell(e.label), cycle, round(e.day), *dates, f"{e.share:.3f}", e.basis),
        )
    return out.getvalue()


def _cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula: a document may come from anywhere."""
    return f"'{text}" if text.startswith(_FORMULA) else text
