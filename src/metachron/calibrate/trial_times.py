"""Individual event times of trials from CSV: columns trial, figure, endpoint, arm, time_months, event.

Other columns are ignored. Names are matched whatever their case, spaces and hyphens. Every fault is named
with its line; what cannot be scored (a trial without a protocol, an endpoint that is not simulated) is a
warning.
"""

from __future__ import annotations

import csv
import difflib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from metachron.calibrate.observed import Key, Observed, from_times
from metachron.calibrate.targets import ENDPOINTS, SIMULATED, Target
from metachron.calibrate.targets_data import LONGEST_MONTHS, plain_endpoint
from metachron.errors import InputError, Problem

NEEDED = ("trial", "endpoint", "arm", "time_months", "event")
COLUMNS = ("trial", "figure", *NEEDED[1:])
MAX_BYTES = 50_000_000
MOST_PROBLEMS = 20
FEWEST_MONTHS = 16  # an adjuvant trial followed for less has its times in years, as likely as not
EVENTS = {"1": True, "0": False, "1.0": True, "0.0": False, "true": True, "false": False}
OTHER_NAMES = {
    "overallsurvival": "OS",
    "progressionfreesurvival": "PFS",
    "diseasefreesurvival": "DFS",
    "recurrencefreesurvival": "RFS",
    "relapsefreesurvival": "RFS",
    "timetoprogression": "TTP",
    "timetotreatmentfailure": "TTF",
    "timetorecurrence": "recurrence",
    "ttr": "recurrence",
}


@dataclass(frozen=True)
class Row:
    """One patient of one curve, names as written in the file."""

    line: int
    curve: tuple[str, str, str, str]  # trial, figure, endpoint, arm
    months: float
    event: bool


@dataclass
class Individuals:
    """The curves of a file that can be scored, and what was left out and why."""

    curves: list[Observed] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def plain(name: str) -> str:
    """A name without case, spaces, hyphens and other signs."""
    return "".join(c for c in name.lower() if c.isalnum())


def read_individuals(paths: Sequence[Path], targets: Mapping[str, Target]) -> Individuals:
    """The curves of CSV files, matched with `targets`.

    Raises InputError for a file that cannot be read, wrong cells, unknown endpoints and arms, times that look
    like days, and when no row belongs to any trial given.
    """
    rows = [row for path in paths for row in read_rows(path)]
    source = ", ".join(map(str, paths))
    found = match(rows, targets, source)
    if not found.curves:
        given = ", ".join(list(targets)[:8])
        hint = f"The protocols given are of: {given}" + (", ..." if len(targets) > 8 else "")
        raise InputError(Problem("trial", "no row belongs to a trial that can be scored", "", hint), source)
    return found


def read_rows(path: Path) -> list[Row]:
    """Every row of one file. Raises InputError with up to twenty faults."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(Problem("", "the file is too large", "at most 50 MB"), str(path))
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(Problem("--ipd", f"cannot be read ({error.strerror})"), str(path)) from None
    except UnicodeDecodeError:
        raise InputError(Problem("--ipd", "is not text in UTF-8"), str(path)) from None
    reader = csv.DictReader(text.splitlines(), skipinitialspace=True)
    names = {plain(name): name for name in reader.fieldnames or () if name}
    missing = [name for name in NEEDED if plain(name) not in names]
    if missing:
        message = f"column {', '.join(missing)} is missing"
        raise InputError(Problem("header", message, ", ".join(COLUMNS), _days_hint(names)), str(path))
    rows: list[Row] = []
    problems: list[Problem] = []
    for record in reader:
        cells = {name: (record.get(names.get(plain(name), "")) or "").strip() for name in COLUMNS}
        try:
            rows.append(_row(cells, reader.line_num))
        except InputError as error:
            problems += error.problems
        if len(problems) >= MOST_PROBLEMS:
            break
    if not rows and not problems:
        problems.append(Problem("", "the file has no rows"))
    problems += _not_months(rows)
    if problems:
        raise InputError(problems, str(path))
    return rows


def _days_hint(names: Mapping[str, str]) -> str:
    other = next((names[n] for n in ("timedays", "days", "timeyears", "years", "time") if n in names), "")
    return f"Convert {other} to months and name it time_months" if other else ""


def _row(cells: Mapping[str, str], line: int) -> Row:
    """Raises InputError naming the line and the column."""
    for name in ("trial", "endpoint", "arm"):
        if not cells[name]:
            raise InputError(Problem(f"line {line}, {name}", "is empty"))
    try:
        months = float(cells["time_months"])
    except ValueError:
        months = math.nan
    if not math.isfinite(months) or months < 0:
        where, allowed = f"line {line}, time_months", f"months, 0 to {LONGEST_MONTHS}"
        raise InputError(Problem(where, f"{cells['time_months']!r} is not a time", allowed))
    if cells["event"].lower() not in EVENTS:
        where, allowed = f"line {line}, event", "1 event, 0 censored"
        raise InputError(Problem(where, f"{cells['event']!r} is not known", allowed))
    curve = (cells["trial"], cells["figure"], cells["endpoint"], cells["arm"])
    return Row(line, curve, months, EVENTS[cells["event"].lower()])


def _not_months(rows: Sequence[Row]) -> list[Problem]:
    longest = max((row.months for row in rows), default=0.0)
    if longest <= LONGEST_MONTHS:
        return []
    line = next(row.line for row in rows if row.months == longest)
    return [
        Problem(
            f"line {line}, time_months",
            f"{longest:g} months is beyond any follow-up; these look like days",
            f"0 to {LONGEST_MONTHS}",
            "Divide days by 30.4375",
        )
    ]


def match(rows: Iterable[Row], targets: Mapping[str, Target], source: str) -> Individuals:
    """Curves of the rows whose trial is among `targets`. Raises InputError with every name not matched."""
    groups: dict[tuple[str, str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.curve].append(row)
    by_name = {plain(name): target for name, target in targets.items()}
    found = Individuals()
    problems: list[Problem] = []
    strangers: Counter[str] = Counter()
    merged: dict[Key, list[Row]] = defaultdict(list)
    for (trial, figure, endpoint, arm), members in groups.items():
        target = by_name.get(plain(trial))
        if target is None:
            strangers[trial] += len(members)
            continue
        try:
            known, name = curve_of(target, figure, endpoint, arm, members[0].line)
        except InputError as error:
            problems += error.problems
            continue
        if known not in SIMULATED:
            found.warnings.append(f"{trial}: {endpoint} is not simulated; {len(members)} rows left out")
            continue
        if plain(known) != plain(endpoint) and known != OTHER_NAMES.get(plain(endpoint)):
            found.warnings.append(f"{trial} figure {figure}: {endpoint} of {arm} is registered as {known}")
        merged[Key(target.trial, figure, known, name)] += members
    if problems:
        raise InputError(problems, source)
    for stranger, count in sorted(strangers.items()):
        found.warnings.append(f"{stranger}: no protocol of that trial was given; {count} rows left out")
    for key, members in merged.items():
        months = np.array([row.months for row in members])
        event = np.array([row.event for row in members])
        if by_name[plain(key.trial)].setting == "adjuvant" and months.max() < FEWEST_MONTHS:
            look = f"{key.trial} {key.arm}: the longest time is {months.max():g}"
            found.warnings.append(f"{look}; if these are years, give months")
        found.curves.append(from_times(key, months, event))
    return found


def endpoint_of(name: str, line: int) -> str:
    """The endpoint in its usual spelling. Raises InputError for one that is not known."""
    known = str(plain_endpoint(name))
    known = OTHER_NAMES.get(plain(name), known)
    if known not in ENDPOINTS:
        message = f"{name!r} is not an endpoint"
        raise InputError(Problem(f"line {line}, endpoint", message, ", ".join(SIMULATED)))
    return known


def curve_of(target: Target, figure: str, endpoint: str, name: str, line: int) -> tuple[str, str]:
    """Endpoint and arm of a curve of the data: as a registered curve of that figure says, else by name.

    Where a figure is registered under one other endpoint (progression that is really time to progression),
    that one counts. Raises InputError.
    """
    known = endpoint_of(endpoint, line)
    here = [
        c
        for c in target.curves
        if figure and plain(c.figure) == plain(figure) and plain(c.data_arm or c.arm) == plain(name)
    ]
    endpoints = {c.endpoint for c in here}
    if here and (known in endpoints or len(endpoints) == 1):
        found = next((c for c in here if c.endpoint == known), here[0])
        return found.endpoint, found.arm
    return known, arm_of(target, name, line)


def arm_of(target: Target, name: str, line: int) -> str:
    """The arm of a target by its name or title. Raises InputError listing the arms."""
    for arm in target.arms:
        if plain(name) in (plain(arm.name), plain(arm.title)):
            return arm.name
    names = [arm.name for arm in target.arms]
    near = difflib.get_close_matches(name.lower(), names, n=1)
    hint = f"Did you mean {near[0]}?" if near else "Name the arms as the protocol does"
    message = f"{name!r} is not an arm of {target.trial}"
    raise InputError(Problem(f"line {line}, arm", message, ", ".join(names), hint))
