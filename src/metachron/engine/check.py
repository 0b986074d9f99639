"""Refuse arrays that the kernel cannot simulate, naming the first bad index."""

from __future__ import annotations

import numpy as np
from numpy.lib import recfunctions as rfn
from numpy.typing import NDArray

from metachron.engine.records import (
    ACT_SWITCH,
    AT_SCAN,
    EVERYTHING,
    GIVE_CELLS,
    GIVE_NOTHING,
    N_ADMINS,
    N_GIVEN,
    N_KINDS,
    N_RULES,
    N_SCANS,
    N_SEGMENTS,
    ROOM,
    RULE_DAYS_OFF,
    SYSTEMIC,
    Programme,
)
from metachron.errors import EngineError

# Allowed ranges of twin fields; what is not named here must only be finite
LIMITS = {
    "growth": (0.0, 1.0),
    "sensitivity": (0.0, 1e3),
    "immune": (0.0, 1e4),
    "checkpoint": (0.0, 1e6),
    "egfr_active": (0.0, 1.0),
    "age": (0.0, 130.0),
    "background_factor": (0.0, 1e3),
    "neutrophils": (0.01, 100.0),
    "marrow_factor": (0.0, 1e3),
    "nerve_factor": (0.0, 1e3),
    "liver_ml": (1.0, 1e4),
    "liver_share": (0.01, 2.0),
    "nerve_burden": (0.0, 1e5),
    "start_line": (0.0, 50.0),
}


SEGMENT_LIMITS = (
    ("kind", 0, 1), ("cycles", 0, 1e4), ("gap", 0, 5000), ("recovery", 0, 5000), ("hazard_factor", 0, 100),
    ("margin", -50, 100), ("mortality", 0, 1), ("morbidity", 0, 1), ("marrow", 0, 100),
    ("lymph", 0, 1), ("dose", 0, 2), ("line", 0, 100), ("max_lesions", 0, 1000), ("max_mm", 0, 1e4),
)  # fmt: skip
ADMIN_LIMITS = (
    ("what", 0, GIVE_NOTHING), ("day", 0, 1000), ("amount", 0, 1e13), ("chemo", 0, 10), ("ox_mg", 0, 1000),
    ("until_cycle", 0, 1e4),
)  # fmt: skip


def _first_bad(name: str, values: NDArray[np.float64], low: float, high: float) -> None:
    bad = ~((values >= low) & (values <= high))
    if bad.any():
        index = np.argwhere(bad)[0].tolist()
        raise EngineError(f"{name}{index} is {values[tuple(index)]}, outside {low:g} to {high:g}")


def _whole_days(name: str, values: NDArray[np.float64]) -> None:
    """Events are on whole days; only death is not."""
    bad = np.asarray(values) != np.floor(values)
    if bad.any():
        index = np.argwhere(bad)[0].tolist()
        raise EngineError(f"{name}{index} is {np.asarray(values)[tuple(index)]} days, not a whole number")


def check_scale(scale: float) -> None:
    """Raise EngineError for a step scale that is nought, negative, NaN or above 4."""
    if not 0.01 <= scale <= 4.0:
        raise EngineError(f"step_scale is {scale}, outside 0.01 to 4")


def check_batch(
    lesions: NDArray[np.void],
    twins: NDArray[np.void],
    draws: NDArray[np.void],
    programme: Programme,
    horizon_days: float,
) -> None:
    """Raise EngineError for an empty batch, NaN, too many lesions, unsorted doses, horizon zero."""
    if not 0 < horizon_days <= 50 * 365.25:
        raise EngineError(f"horizon is {horizon_days} days, outside 0 to 50 years")
    if twins.size == 0 or draws.size == 0:
        raise EngineError("no twins or no parameter draws")
    if lesions.ndim != 2:
        raise EngineError(f"lesions have shape {lesions.shape}, not (twins, room)")
    if lesions.shape[0] != twins.size:
        raise EngineError(f"{lesions.shape[0]} rows of lesions for {twins.size} twins")
    used = np.arange(lesions.shape[1])[None, :] < twins["n_lesions"][:, None]
    present = (used & (lesions["status"] != 0)).sum(1)
    if present.max(initial=0) > ROOM:
        index = int(np.argmax(present))
        raise EngineError(
            f"twins[{index}] has {present[index]} lesions, more than the {ROOM} there is room for"
        )
    _first_bad("twins.draw", twins["draw"].astype(float), 0, draws.size - 1)
    _first_bad("twins.n_lesions", twins["n_lesions"].astype(float), 0, lesions.shape[1])
    for field in twins.dtype.names or ():
        low, high = LIMITS.get(field, (-1e9, 1e9))
        _first_bad(f"twins.{field}", twins[field].astype(float), low, high)
    _first_bad("lesions.x", np.where(used, lesions["x"], 0.0), -50, 33)
    _first_bad("lesions.offset", np.where(used, lesions["offset"], 0.0), -50, 50)
    _first_bad("lesions.resistance", np.where(used, lesions["resistance"], 0.0), -100, 100)
    _first_bad("lesions.growth", np.where(used, lesions["growth"], 1.0), 0, 100)
    _first_bad("lesions.organ", np.where(used, lesions["organ"], 0).astype(float), 0, 3)
    _first_bad("lesions.status", np.where(used, lesions["status"], 0).astype(float), 0, 2)
    if not np.isfinite(rfn.structured_to_unstructured(draws)).all():
        for name in draws.dtype.names or ():
            _first_bad(f"draws.{name}", draws[name], -1e30, 1e30)
    _check_programme(programme)


def _check_counts(programme: Programme) -> None:
    n = programme.segments.size
    if programme.n_planned < 0 or programme.n_lines < 0 or programme.n_planned + programme.n_lines > n:
        raise EngineError(
            f"{programme.n_planned} planned steps and {programme.n_lines} lines in {n} segments"
        )
    for name in ("repeat", "continue", "secondary"):
        index = getattr(programme, f"{name}_segment")
        if not -1 <= index < n:
            raise EngineError(f"{name}_segment is {index}, outside -1 to {n - 1}")
    for name, value in (
        ("on_treatment_days", programme.on_treatment_days),
        ("first_scan", programme.first_scan),
    ):
        if not 1 <= value <= 1e6 or value != int(value):
            raise EngineError(f"{name} is {value}, not a whole number of days from 1 to 1e6")
    if not 1.0 <= programme.ct_limit <= 1e15:
        raise EngineError(f"ct_limit is {programme.ct_limit} cells, outside 1 to 1e15")
    if not 0 <= programme.ox_before <= 1e5:
        raise EngineError(f"ox_before is {programme.ox_before} mg/m2, outside 0 to 1e5")
    rooms = {"segments": N_SEGMENTS, "admins": N_ADMINS, "rules": N_RULES, "scans": N_SCANS}
    for name, room in rooms.items():
        if len(getattr(programme, name)) > room:
            count = len(getattr(programme, name))
            raise EngineError(f"{count} {name}, more than the {room} there is room for")
    shape = (n, N_KINDS)
    for name, table in (("toxicity", programme.toxicity), ("grade4", programme.grade4)):
        if table.shape != shape:
            raise EngineError(f"{name} has shape {table.shape}, not {shape}")


def _check_segments(programme: Programme) -> None:
    segments = programme.segments
    for field, low, high in SEGMENT_LIMITS:
        _first_bad(f"segments.{field}", segments[field].astype(float), low, high)
    for field in ("admin_from", "admin_to"):
        _first_bad(f"segments.{field}", segments[field].astype(float), 0, programme.admins.size)
    _first_bad("segments.remnant", np.where(segments["resect"] == 1, segments["remnant"], 1.0), 0.01, 1)
    for field in ("gap", "recovery"):
        _whole_days(f"segments.{field}", segments[field])
    for s, segment in enumerate(segments):
        days = programme.admins["day"][segment["admin_from"] : segment["admin_to"]]
        if (np.diff(days) < 0).any():
            raise EngineError(f"administrations of segment {s} are not in order of day")
        if segment["kind"] == SYSTEMIC and segment["cycle_days"] < 1:
            raise EngineError(f"segment {s} has cycles of {segment['cycle_days']} days")
        if segment["kind"] == SYSTEMIC and days.size and days[-1] >= segment["cycle_days"]:
            last, length = days[-1] + 1, segment["cycle_days"]
            raise EngineError(f"segment {s} gives something on day {last} of a cycle of {length} days")


def _check_programme(programme: Programme) -> None:
    _check_counts(programme)
    _check_segments(programme)
    _first_bad("scans", programme.scans, 1, 1e6)
    _whole_days("scans", programme.scans)
    admins, rules = programme.admins, programme.rules
    for field, low, high in ADMIN_LIMITS:
        _first_bad(f"admins.{field}", admins[field].astype(float), low, high)
    cells = admins["what"] == GIVE_CELLS
    _first_bad("admins.half_life", np.where(cells, admins["half_life"], 1.0), 1e-3, 1e5)
    _first_bad("rules.limit", rules["limit"], -1e9, 1e9)
    _first_bad("rules.value", rules["value"], 0, 1e4)
    _first_bad("rules.max_delay", rules["max_delay"], 0, 1e4)
    _first_bad("rules.target", rules["target"].astype(float), EVERYTHING, N_GIVEN - 1)
    for field, last in (("state", RULE_DAYS_OFF), ("at", AT_SCAN), ("action", ACT_SWITCH)):
        _first_bad(f"rules.{field}", rules[field].astype(float), 0, last)
    _first_bad("toxicity", programme.toxicity, 0, 50)
    _first_bad("grade4", programme.grade4, 0, 1)
