"""Patients of the trial FFCD 2000-05, one by one: tumour sizes, first new lesion, death.

The tables are the data sets `colorectalLongi` and `colorectal` of the R package frailtypack (150 of 410
patients). The files themselves are not part of metachron.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from metachron.calibrate.ffcd_match import LEAST, NEVER
from metachron.calibrate.ffcd_paths import GRID_DAYS
from metachron.errors import InputError, Problem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SIZES, EVENTS = "ffcd2000_05_tumour_size.csv", "ffcd2000_05_events.csv"
ARMS = {"S": "sequential", "C": "combination"}  # as in the registry of trials
DAYS = 365.25
SAME_VISIT = 0.02  # years
MAX_BYTES = 20_000_000
# Middle of the classes of age (assumed); they only enter through death of other causes
AGES = {"<60 years": 53.0, "60-69 years": 65.0, ">69 years": 75.0}
# A course that no path explains (metastases taken out, treatment off protocol, an error of record): what its
# sizes and times are like. Rounded from the data, so that it is no part of the model.
STRAY_START, STRAY_START_SD, STRAY_STEP_SD = 3.3, 1.4, 1.5
STRAY_NEW, STRAY_DEATH = 0.9 / DAYS, 0.6 / DAYS


@dataclass(frozen=True)
class FfcdArm:
    """n patients of one arm, with m sizes in all.

    `first`, `last` (n,): their sizes; `row`, `weight`, `size` (m,): place on the grid of days and Box-Cox sum
    of diameters in cm. `when` (n, 3): days of the last visit without new disease, of the visit with it (NEVER
    if none), of death or last news. `died`, `ecog`, `age` (n,) at the start; `stray` (n,): log likelihood if
    no path explains the patient.
    """

    name: str
    ids: tuple[str, ...]
    first: Ints
    last: Ints
    row: Ints
    weight: Floats
    size: Floats
    when: Floats
    died: NDArray[np.bool_]
    ecog: Floats
    age: Floats
    stray: Floats


@dataclass(frozen=True)
class FfcdData:
    """Both arms; `horizon_days` holds every event; `key` names the files by their content."""

    arms: tuple[FfcdArm, ...]
    horizon_days: float
    key: str

    @property
    def n(self) -> int:
        """Number of patients."""
        return sum(arm.died.size for arm in self.arms)


@dataclass
class _Patient:
    """One patient as read: years, Box-Cox sums, years of new lesions."""

    arm: str
    age: float
    ecog: float
    years: list[float]
    sizes: list[float]
    new: list[float]
    end: float = 0.0
    died: bool = False


def prepare(data_dir: str | Path) -> FfcdData:
    """Read both tables in `data_dir`. Raises InputError that names the file, the row and what is allowed."""
    folder = Path(data_dir)
    texts = {name: _text(folder / name) for name in (SIZES, EVENTS)}
    people: dict[str, _Patient] = {}
    problems: list[Problem] = []
    _read(texts[SIZES], SIZES, people, problems, _add_size, ("year", "tumor.size"))
    _read(texts[EVENTS], EVENTS, people, problems, _add_event, ("time1", "new.lesions", "state"))
    problems += [
        Problem(f"{EVENTS}: id {key}", "has sizes but no follow-up")
        for key, p in people.items()
        if p.end <= 0.0
    ]
    problems += [
        Problem(f"{SIZES}: id {key}", "has no size on day 0")
        for key, p in people.items()
        if not p.years or min(p.years) > SAME_VISIT
    ]
    if problems:
        raise InputError(problems[:10], source=str(folder))
    horizon = DAYS * max(max(p.end, *p.years) for p in people.values())
    arms = tuple(
        _arm(name, {k: p for k, p in people.items() if p.arm == letter}) for letter, name in ARMS.items()
    )
    key = hashlib.sha256("".join(texts.values()).encode()).hexdigest()[:16]
    return FfcdData(arms, math.ceil(horizon / GRID_DAYS) * GRID_DAYS, key)


def _text(path: Path) -> str:
    if not path.is_file():
        raise InputError(Problem("data", f"there is no file {path.name} in {path.parent}"))
    if path.stat().st_size > MAX_BYTES:
        raise InputError(Problem(path.name, "is too large", f"up to {MAX_BYTES // 10**6} MB"))
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(Problem(path.name, "is not text", "UTF-8")) from None


Row = dict[str, str]


def _read(
    text: str,
    name: str,
    people: dict[str, _Patient],
    problems: list[Problem],
    add: Callable[[_Patient, Row, Floats], None],
    columns: tuple[str, ...],
) -> None:
    """Give every row of a table to its patient."""
    table = csv.DictReader(io.StringIO(text))
    missing = {"id", "treatment", "age", "who.PS", *columns} - set(table.fieldnames or ())
    if missing:
        raise InputError(Problem(name, f"lacks the columns {', '.join(sorted(missing))}"))
    for number, row in enumerate(table, start=2):
        try:
            values = np.array([float(row[c]) for c in columns])
            known = _known(row)
        except (ValueError, TypeError, KeyError):
            allowed = f"numbers in {', '.join(columns)}; S or C; who.PS 0 to 4; age {', '.join(AGES)}"
            problems.append(Problem(f"{name}: line {number}", "cannot be read", allowed))
            continue
        if not np.isfinite(values).all() or values[0] < 0 or values[0] > 20:
            problems.append(Problem(f"{name}: line {number}", f"{columns[0]} {values[0]:g}", "0 to 20 years"))
            continue
        add(people.setdefault(row["id"], known), row, values)


def _known(row: Row) -> _Patient:
    """What a row says of the patient. Raises ValueError or KeyError."""
    ecog = float(row["who.PS"])
    if row["treatment"] not in ARMS or not 0 <= ecog <= 4:
        raise ValueError
    return _Patient(row["treatment"], AGES[row["age"].strip()], ecog, [], [], [])


def _add_size(patient: _Patient, _row: Row, values: Floats) -> None:
    patient.years.append(float(values[0]))
    patient.sizes.append(max(float(values[1]), LEAST))


def _add_event(patient: _Patient, _row: Row, values: Floats) -> None:
    if values[1] > 0:
        patient.new.append(float(values[0]))
    if values[0] > patient.end:
        patient.end, patient.died = float(values[0]), bool(values[2] > 0)


def _arm(name: str, people: dict[str, _Patient]) -> FfcdArm:
    row, weight, size, last = [], [], [], []
    when, stray = [], []
    for p in people.values():
        order = np.argsort(p.years, kind="stable")
        days, sizes = np.array(p.years)[order] * DAYS, np.array(p.sizes)[order]
        place = days / GRID_DAYS
        row += [int(x) for x in place]
        weight += [float(x - int(x)) for x in place]
        size += sizes.tolist()
        last.append(len(row))
        when.append(_when(p, days))
        stray.append(_stray(sizes, *when[-1], p.died))
    ends = np.array(last, np.int64)
    return FfcdArm(
        name,
        tuple(people),
        np.concatenate([[0], ends[:-1]]).astype(np.int64),
        ends,
        np.array(row, np.int64),
        np.array(weight),
        np.array(size),
        np.array(when),
        np.array([p.died for p in people.values()]),
        np.array([p.ecog for p in people.values()]),
        np.array([p.age for p in people.values()]),
        np.array(stray),
    )


def _when(p: _Patient, visits: Floats) -> tuple[float, float, float]:
    """Days (last visit without new disease, first with it or NEVER, end).

    No new lesion is on record after the last size, so that this is where looking for them ended.
    """
    if not p.new:
        return float(visits[-1]), NEVER, p.end * DAYS
    seen = min(p.new) * DAYS
    before = visits[visits < seen - SAME_VISIT * DAYS]
    return float(before[-1]) if before.size else 0.0, seen, p.end * DAYS


def _stray(sizes: Floats, none: float, new: float, end: float, died: bool) -> float:
    """Log likelihood of a patient whom no path explains: a random walk, constant hazards."""
    z = np.concatenate([[(sizes[0] - STRAY_START) / STRAY_START_SD], np.diff(sizes) / STRAY_STEP_SD])
    value = -0.5 * float((z**2).sum()) - 0.5 * math.log(2 * math.pi) * z.size
    value -= math.log(STRAY_START_SD) + (z.size - 1) * math.log(STRAY_STEP_SD)
    value -= STRAY_NEW * none
    if new < NEVER:
        value += math.log(-math.expm1(-STRAY_NEW * max(new - none, 1.0)))
    return value - STRAY_DEATH * end + (math.log(STRAY_DEATH) if died else 0.0)
