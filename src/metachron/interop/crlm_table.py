"""From a table of patients to patient files: one row a patient, read with a column map.

What is not recorded stays unknown. What happened afterwards goes to a separate list and never into a patient.
Rows are counted as in a spreadsheet: the header is row 1.
"""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from metachron.errors import InputError, Problem
from metachron.interop.column_map import INTERVAL, MONTHS, Column, ColumnMap, read_map, read_text
from metachron.interop.outcomes import Outcome, check_order, parse_observed
from metachron.patient import derive
from metachron.patient import schema_tree as tree
from metachron.patient.derive import DAYS_PER_MONTH
from metachron.patient.load import parse_patient
from metachron.patient.schema import Patient
from metachron.patient.suggest import closest

BOOLEANS = {"0": False, "1": True, "false": False, "true": True, "no": False, "yes": True}
UNKNOWN_HINT = "If it is unknown, leave the cell empty or list its code under `missing` in the map"
MAX_ROWS = 20_000
MOST_INTERVAL_MONTHS = 240.0


@dataclass(frozen=True)
class Row:
    """One row of the table: its number as in a spreadsheet, and its cells without blanks around them."""

    number: int
    cells: dict[str, str]

    def place(self, column: str) -> str:
        return f"row {self.number}, column {column}"


@dataclass(frozen=True)
class Converted:
    """Patients in the order of the table, what happened to them, and remarks for the user."""

    patients: list[Patient]
    outcomes: list[Outcome]
    notes: list[str]


def convert_table(path: Path, column_map: ColumnMap | None = None) -> Converted:
    """Read a table with a column map (the built-in one when None).

    Raises InputError with every bad cell: row, column, value, what is allowed.
    """
    column_map = column_map or read_map()
    try:
        rows, notes = read_rows(read_text(path, "a table (CSV)"), column_map)
        problems: list[Problem] = []
        patients = [patient_of(row, column_map, problems) for row in rows]
        outcomes = [outcome_of(row, column_map, problems) for row in rows] if column_map.outcomes else []
        problems += _repeated(rows, column_map)
    except InputError as error:
        raise InputError(error.problems, source=error.source or str(path)) from None
    if problems:
        raise InputError(problems, source=str(path))
    made = [patient for patient in patients if patient is not None]
    return Converted(made, outcomes, notes + _remarks(made))


# --- the table -------------------------------------------------------------------------------------------


def read_rows(text: str, column_map: ColumnMap) -> tuple[list[Row], list[str]]:
    """Rows of the table and remarks on its columns. Raises InputError when its shape is wrong."""
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=column_map.delimiter, strict=True)
        lines = [[cell.strip() for cell in line] for line in reader]
    except csv.Error as error:
        raise InputError(Problem("", f"the table cannot be read: {error}", "CSV text")) from None
    header = lines[0]
    notes = _check_header(header, column_map)
    problems: list[Problem] = []
    rows: list[Row] = []
    for number, line in enumerate(lines[1:], start=2):
        if not any(line):
            continue
        if len(line) != len(header):
            hint = "Put text that holds the separator in double quotes"
            problems.append(Problem(f"row {number}", f"{len(line)} cells", f"{len(header)} cells", hint))
        else:
            rows.append(Row(number, dict(zip(header, line, strict=True))))
    if problems:
        raise InputError(problems)
    if not 1 <= len(rows) <= MAX_ROWS:
        raise InputError(Problem("", f"{len(rows)} patients", f"1 to {MAX_ROWS:,} rows below the header"))
    return rows, notes


def _check_header(header: list[str], column_map: ColumnMap) -> list[str]:
    twice = sorted({name for name in header if name and header.count(name) > 1})
    problems = [Problem("row 1", f"the column {name} is there twice", "each once") for name in twice]
    absent = [n for n in sorted(column_map.used() - set(header)) if not _optional(n, column_map)]
    for name in absent:
        near = closest(name, [h for h in header if h and h not in column_map.used()])
        hint = f"Is it {near}? Name it in a map (--map)" if near else "Name your columns in a map (--map)"
        problems.append(Problem("row 1", f"there is no column {name}", "", hint))
    if problems and len(header) == 1:
        found = next((mark for mark in (";", "\t", ",", "|") if mark in header[0]), "")
        hint = f"Set `delimiter: {found!r}` in the map" if found else "Is this a table?"
        problems = [Problem("row 1", "there is only one column", "", hint)]
    if problems:
        raise InputError(problems)
    unread = [h for h in header if h and h not in column_map.used() and h not in column_map.ignored]
    notes = [f"not read, unknown to the map: {', '.join(unread)}"] if unread else []
    left = [f"{name} ({why})" for name, why in column_map.ignored.items() if name in header]
    return notes + ([f"left out on purpose: {'; '.join(left)}"] if left else [])


def _optional(name: str, column_map: ColumnMap) -> bool:
    if name in column_map.columns:
        return column_map.columns[name].optional
    return any(name in (o.time, o.event) and o.optional for o in column_map.outcomes.values())


def _repeated(rows: list[Row], column_map: ColumnMap) -> list[Problem]:
    """One name for two patients; names that differ in case only would share a file on some systems."""
    column = column_map.column_of("id")
    seen: dict[str, int] = {}
    problems = []
    for row in rows:
        name = row.cells[column]
        first = seen.setdefault(name.casefold(), row.number)
        if name and first != row.number:
            message = f"{name!r} is the name of row {first} too"
            problems.append(Problem(row.place(column), message, "a different name for each patient"))
    return problems


# --- one row ---------------------------------------------------------------------------------------------


def patient_of(row: Row, column_map: ColumnMap, problems: list[Problem]) -> Patient | None:
    """The patient of a row, or None with what is wrong added to `problems`."""
    data: dict[str, Any] = {}
    for field, value in column_map.constants.items():
        _put(data, field, value)
    bad = len(problems)
    for name, column in column_map.columns.items():
        cell = row.cells.get(name, "")
        if _missing(cell, column_map):
            continue
        if column.field == INTERVAL:
            _put_interval(data, cell, row.place(name), column, column_map, problems)
            continue
        value = _value(cell, name, column, column_map, row, problems)
        if value is not None:
            _put(data, column.field, value)
    try:
        patient = parse_patient(data)
    except InputError as error:
        named = {problem.path for problem in problems[bad:]}
        found = [_in_table(problem, row, column_map) for problem in error.problems]
        problems += [problem for problem in found if problem.path not in named]
        return None
    return patient if len(problems) == bad else None


def outcome_of(row: Row, column_map: ColumnMap, problems: list[Problem]) -> Outcome:
    """What happened to the patient of a row."""
    outcome = Outcome(row.cells[column_map.column_of("id")])
    factor = MONTHS[column_map.outcome_unit]
    for endpoint, columns in column_map.outcomes.items():
        cells = [row.cells.get(name, "") for name in (columns.time, columns.event)]
        time, event = (None if _missing(cell, column_map) else cell for cell in cells)
        if time is not None and column_map.decimal == "," and "." not in time:
            time = time.replace(",", ".")
        where = (row.place(columns.time), row.place(columns.event))
        seen = parse_observed(time, event, where, factor, problems)
        if seen is not None:
            outcome.observed[endpoint] = seen
    problems += check_order(outcome, f"row {row.number}")
    return outcome


def _put_interval(
    data: dict[str, Any],
    cell: str,
    place: str,
    column: Column,
    column_map: ColumnMap,
    problems: list[Problem],
) -> None:
    """Months from the operation on the primary to the first metastasis, as dates before the assessment."""
    number = _number(cell, column_map.decimal)
    months = None if number is None else number * (column.factor or 1.0)
    if months is None or not 0 <= months <= MOST_INTERVAL_MONTHS:
        allowed = f"0 to {MOST_INTERVAL_MONTHS:g} months"
        problems.append(Problem(place, f"{cell!r} is no interval", allowed, UNKNOWN_HINT))
        return
    found = date.fromisoformat(str(data["assessed_on"]))
    _put(data, "metastasis_summary.detected_on", found.isoformat())
    _put(data, "primary.resected_on", (found - timedelta(days=round(months * DAYS_PER_MONTH))).isoformat())


def _put(data: dict[str, Any], field: str, value: Any) -> None:
    *groups, last = field.split(".")
    for group in groups:
        data = data.setdefault(group, {})
    data[last] = value


def _value(
    cell: str, name: str, column: Column, column_map: ColumnMap, row: Row, problems: list[Problem]
) -> Any:
    """The value of a cell; None when it means unknown or is wrong, and then `problems` has grown."""
    at = tree.node(tuple(column.field.split(".")))
    assert at is not None
    if column.values:
        code = cell if cell in column.values else _plain_number(cell)
        if code in column.values:
            return column.values[code]
        allowed = ", ".join(f"{code} ({_word(value)})" for code, value in column.values.items())
        problems.append(Problem(row.place(name), f"{cell!r} is not a code of the map", allowed, UNKNOWN_HINT))
        return None
    if at.kind in ("string", "date"):
        return cell
    if at.kind == "boolean":
        if cell.casefold() in BOOLEANS:
            return BOOLEANS[cell.casefold()]
        allowed = "0, 1, no, yes, false, true"
        problems.append(Problem(row.place(name), f"{cell!r} is not yes or no", allowed, UNKNOWN_HINT))
        return None
    number = _number(cell, column_map.decimal)
    if number is None or (at.kind == "integer" and not (number * (column.factor or 1)).is_integer()):
        fault = "is not a number" if number is None else "is not a whole number"
        problems.append(Problem(row.place(name), f"{cell!r} {fault}", at.allowed, UNKNOWN_HINT))
        return None
    number = float(f"{number * (column.factor or 1.0):.12g}")  # 35 % is 0.35 and not 0.35000000000000003
    return int(number) if float(number).is_integer() else number


def _missing(cell: str, column_map: ColumnMap) -> bool:
    return not cell or cell in column_map.missing or _plain_number(cell) in column_map.missing


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "unknown" if value is None else str(value)


def _plain_number(cell: str) -> str:
    """`1.0` as `1`, as spreadsheets sometimes write codes."""
    number = _number(cell, ".")
    return cell if number is None else f"{number:g}"


def _number(cell: str, decimal: str) -> float | None:
    if decimal == ",":  # a point would be read as a separator of thousands by some and not by others
        cell = "" if "." in cell else cell.replace(",", ".")
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in cell else None


def _in_table(problem: Problem, row: Row, column_map: ColumnMap) -> Problem:
    """A problem of the patient record, told in terms of the table."""
    column = column_map.column_of(problem.path)
    if not column:
        name = f"row {row.number}"
        message = f"{problem.path}: {problem.message}" if problem.path else problem.message
        return Problem(name, message, problem.allowed, problem.suggestion)
    cell = row.cells.get(column, "")
    message = problem.message if cell in problem.message and cell else f"{cell!r}: {problem.message}"
    hint = UNKNOWN_HINT if "null" in problem.suggestion else problem.suggestion
    return Problem(row.place(column), message, problem.allowed, hint)


def _remarks(patients: list[Patient]) -> list[str]:
    silent = [
        patient.id
        for patient in patients
        if derive.nothing_visible(patient) is not False and derive.first_detected_on(patient) is None
    ]
    if not silent:
        return []
    return [f"the record does not say that a metastasis is in place: {', '.join(silent)}"]
