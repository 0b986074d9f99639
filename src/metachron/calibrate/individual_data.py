"""Patients of the Moertel trial, one by one: covariates before treatment, recurrence and death in days.

The table is the data set `colon` of the R package survival, as exported from R (columns `time` and `etype`)
or with the words `time_days` and `endpoint`. The file itself is not part of metachron.
"""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from metachron.errors import InputError, Problem

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

ARMS = ("Obs", "Lev", "Lev+5FU")
EVENTS = {"1": "recurrence", "2": "death", "recurrence": "recurrence", "death": "death"}
FLAGS = ("obstruct", "perfor", "adhere")
UNKNOWN = ("", "NA")
MAX_BYTES = 20_000_000
# column -> (lowest, highest); unknown allowed where the last entry is true
LIMITS: dict[str, tuple[float, float, bool]] = {
    "sex": (0, 1, True),
    "age": (18, 105, True),
    "obstruct": (0, 1, True),
    "perfor": (0, 1, True),
    "adhere": (0, 1, True),
    "nodes": (0, 100, True),
    "differ": (1, 3, True),
    "extent": (1, 4, True),
    "status": (0, 1, False),
}
# What the predictors see, in this order. The number of nodes is centred at e = 2.7 (as occult_nodes is), age
# at 60 years; unknown values stand at the mean of those known.
COVARIATES = (
    "ln_nodes", "t4", "t12", "obstruction", "perforation", "adherence", "poor_grade", "levamisole",
    "levamisole_5fu", "male", "age_decades",
)  # fmt: skip


@dataclass(frozen=True)
class Cohort:
    """n patients. `x` (n, len(COVARIATES)); `treated`: levamisole with 5-FU; days and events by endpoint.

    Endpoints: recurrence (deaths censored), DFS (recurrence or death) and OS.
    """

    ids: list[str]
    x: Floats
    treated: Bools
    age: Floats
    male: Floats
    days: dict[str, Floats]
    event: dict[str, Bools]

    @property
    def size(self) -> int:
        return len(self.ids)

    def take(self, rows: NDArray[np.int64]) -> Cohort:
        """The patients of these rows."""
        return Cohort(
            [self.ids[i] for i in rows],
            self.x[rows],
            self.treated[rows],
            self.age[rows],
            self.male[rows],
            {name: values[rows] for name, values in self.days.items()},
            {name: values[rows] for name, values in self.event.items()},
        )


def read_moertel(path: Path) -> Cohort:
    """The trial's patients in the order of their numbers. Raises InputError naming row and column."""
    rows = _read(path)
    problems: list[Problem] = []
    patients: dict[str, dict[str, dict[str, float | str]]] = {}
    for number, row in enumerate(rows, start=2):
        values = _row(row, number, problems)
        endpoint = EVENTS.get(row.get("endpoint", row.get("etype", "")).strip())
        if endpoint is None:
            problems.append(Problem(f"row {number}", "no endpoint", "recurrence or death; etype 1 or 2"))
            continue
        found = patients.setdefault(row["id"].strip(), {})
        if endpoint in found:
            problems.append(Problem(f"row {number}", f"{endpoint} of patient {row['id']} is there twice"))
        found[endpoint] = values
    for name, found in patients.items():
        if len(found) < 2:
            problems.append(Problem(f"id {name}", "recurrence or death is missing", "two rows a patient"))
    if problems:
        raise InputError(problems[:20], source=str(path))
    return _cohort(patients)


def _read(path: Path) -> list[dict[str, str]]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(Problem("", "the file is too large", "at most 20 MB"), source=str(path))
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        hint = "Name the data set colon of the R package survival, written by write.csv"
        raise InputError(Problem("", f"the table cannot be read: {error}", "CSV", hint), str(path)) from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    columns = set(reader.fieldnames or [])
    needed = {"id", "rx", *LIMITS}
    absent = sorted(needed - columns)
    absent += [f"{a} or {b}" for a, b in (("time_days", "time"), ("endpoint", "etype"))
               if not {a, b} & columns]  # fmt: skip
    if absent:
        message = f"no column {', '.join(absent)}"
        raise InputError(Problem("row 1", message, "the columns of survival::colon"), source=str(path))
    rows = list(reader)
    if not rows:
        raise InputError(Problem("", "the table has no patient"), source=str(path))
    return rows


def _row(row: dict[str, str], number: int, problems: list[Problem]) -> dict[str, float | str]:
    """Values of one row, unknown as NaN; faults go to `problems`."""
    values: dict[str, float | str] = {"rx": (row["rx"] or "").strip()}
    if values["rx"] not in ARMS:
        problems.append(Problem(f"row {number}, column rx", f"{row['rx']!r} is no arm", ", ".join(ARMS)))
    time = "time_days" if "time_days" in row else "time"
    limits = {**LIMITS, time: (0.0, 20_000.0, False)}
    for name, (low, high, may_miss) in limits.items():
        cell = (row[name] or "").strip()
        value = math.nan if cell in UNKNOWN else _number(cell)
        if value is None or (math.isnan(value) and not may_miss) or value < low or value > high:
            place = f"row {number}, column {name}"
            allowed = f"{low:g} to {high:g}" + (", NA" if may_miss else "")
            problems.append(Problem(place, f"{cell!r}", allowed))
            value = math.nan
        values["days" if name == time else name] = value
    return values


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _cohort(patients: dict[str, dict[str, dict[str, float | str]]]) -> Cohort:
    ids = list(patients)

    def column(name: str, endpoint: str = "recurrence") -> Floats:
        return np.array([float(patients[i][endpoint][name]) for i in ids])

    arm = np.array([str(patients[i]["recurrence"]["rx"]) for i in ids])
    recurrence, death = column("days"), column("days", "death")
    recurred, died = column("status") > 0.5, column("status", "death") > 0.5
    return Cohort(
        ids=ids,
        x=covariates({name: column(name) for name in LIMITS}, arm),
        treated=np.asarray(arm == "Lev+5FU"),
        age=_filled(column("age")),
        male=_filled(column("sex")),
        days={"recurrence": recurrence, "DFS": np.minimum(recurrence, death), "OS": death},
        event={"recurrence": recurred, "DFS": recurred | died, "OS": died},
    )


def covariates(raw: dict[str, Floats], arm: NDArray[np.str_]) -> Floats:
    """Columns of COVARIATES, shape (n, len(COVARIATES)), from those of the table."""

    def flag(values: Floats, test: Bools) -> Floats:
        return np.where(np.isnan(values), np.nan, test)

    extent, differ = raw["extent"], raw["differ"]
    columns = [
        np.log(np.maximum(raw["nodes"], 1.0)) - 1.0,
        flag(extent, extent > 3.5),
        flag(extent, extent < 2.5),
        *(raw[name] for name in FLAGS),
        flag(differ, differ > 2.5),
        (arm == "Lev").astype(float),
        (arm == "Lev+5FU").astype(float),
        raw["sex"],
        (raw["age"] - 60.0) / 10.0,
    ]
    return np.column_stack([_filled(np.asarray(c, dtype=np.float64)) for c in columns])


def _filled(values: Floats) -> Floats:
    known = ~np.isnan(values)
    mean = float(values[known].mean()) if known.any() else 0.0
    return np.where(known, values, mean)
