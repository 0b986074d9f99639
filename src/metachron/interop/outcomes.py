"""What happened to patients, kept apart from what was known before: times from the operation and events."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from metachron.errors import InputError, Problem
from metachron.interop.column_map import Endpoint, read_text

ENDPOINTS: tuple[Endpoint, ...] = ("os", "rfs", "hepatic_rfs")
COLUMNS = ("id", *(f"{e}_{part}" for e in ENDPOINTS for part in ("months", "event")))
MAX_MONTHS = 1200.0
ROUNDING_MONTHS = 0.11  # tables give one decimal
EVENTS = {"0": False, "1": True, "false": False, "true": True}


@dataclass(frozen=True)
class Observed:
    """Time from the operation (months) to an event, or to the end of follow-up when `event` is false."""

    months: float
    event: bool


@dataclass
class Outcome:
    """What happened to one patient; an endpoint that was not recorded is missing."""

    id: str
    observed: dict[Endpoint, Observed] = field(default_factory=dict)


def parse_observed(
    months: str | None, event: str | None, where: tuple[str, str], factor: float, problems: list[Problem]
) -> Observed | None:
    """One endpoint from two cells (None: not recorded); faults go to `problems` under the names `where`."""
    if months is None and event is None:
        return None
    if months is None or event is None:
        place = where[0] if months is None else where[1]
        hint = "Fill in both time and event, or leave both empty"
        problems.append(Problem(place, "empty, but its other half is given", "", hint))
        return None
    time = _number(months)
    if time is None or not 0 <= time * factor <= MAX_MONTHS:
        unit = MAX_MONTHS / factor
        problems.append(Problem(where[0], f"{months!r} is not a time", f"0 to {unit:g}", "Times are numbers"))
        return None
    known = EVENTS.get(event.casefold().removesuffix(".0"))
    if known is None:
        problems.append(Problem(where[1], f"{event!r} is not an event", "1 event, 0 censored"))
        return None
    return Observed(time * factor, known)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


def check_order(outcome: Outcome, row: str) -> list[Problem]:
    """Times that cannot be: recurrence-free survival is never longer than survival without liver recurrence
    or death, and that is never longer than survival."""
    problems = []
    for shorter, longer in (("rfs", "hepatic_rfs"), ("rfs", "os"), ("hepatic_rfs", "os")):
        a, b = outcome.observed.get(shorter), outcome.observed.get(longer)  # type: ignore[call-overload]
        if a is not None and b is not None and a.months > b.months + ROUNDING_MONTHS:
            message = f"{shorter} lasts {a.months:g} months, longer than {longer} with {b.months:g}"
            problems.append(Problem(row, message, f"{shorter} up to {longer}", "Check both times"))
    return problems


def outcomes_csv(outcomes: list[Outcome]) -> str:
    """The outcomes file: one row a patient, months and 1 (event) or 0 (censored), empty when not recorded."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for outcome in outcomes:
        cells: list[str] = [outcome.id]
        for endpoint in ENDPOINTS:
            seen = outcome.observed.get(endpoint)
            cells += [f"{seen.months:g}", str(int(seen.event))] if seen else ["", ""]
        writer.writerow(cells)
    return stream.getvalue()


def read_outcomes(path: Path) -> dict[str, Outcome]:
    """Outcomes by patient id from a file as `outcomes_csv` writes it. Raises InputError with every fault."""
    reader = csv.reader(io.StringIO(read_text(path, "an outcomes table (CSV)")), strict=True)
    try:
        rows = [row for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InputError(Problem("", f"the table cannot be read: {error}"), source=str(path)) from None
    if tuple(cell.strip() for cell in rows[0]) != COLUMNS:
        raise InputError(Problem("row 1", "wrong columns", ",".join(COLUMNS)), source=str(path))
    found: dict[str, Outcome] = {}
    problems: list[Problem] = []
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(COLUMNS):
            problems.append(Problem(f"row {number}", f"{len(row)} cells", f"{len(COLUMNS)} cells"))
            continue
        cells = dict(zip(COLUMNS, (cell.strip() or None for cell in row), strict=True))
        outcome = _outcome(cells, number, problems)
        if outcome.id in found:
            problems.append(Problem(f"row {number}", f"the id {outcome.id!r} is there twice"))
        found[outcome.id] = outcome
    if problems:
        raise InputError(problems, source=str(path))
    return found


def _outcome(cells: Mapping[str, str | None], number: int, problems: list[Problem]) -> Outcome:
    outcome = Outcome(cells["id"] or "")
    if not outcome.id:
        problems.append(Problem(f"row {number}, column id", "the id is missing"))
    for endpoint in ENDPOINTS:
        names = (f"{endpoint}_months", f"{endpoint}_event")
        where = (f"row {number}, column {names[0]}", f"row {number}, column {names[1]}")
        seen = parse_observed(cells[names[0]], cells[names[1]], where, 1.0, problems)
        if seen is not None:
            outcome.observed[endpoint] = seen
    problems += check_order(outcome, f"row {number}")
    return outcome
