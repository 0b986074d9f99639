"""Who is in a population: shares and sizes, each from the trial or from a default of its setting."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from metachron.errors import InputError, Problem

SETTINGS = (
    "adjuvant",
    "resected_metastases",
    "liver_local",
    "first_line",
    "maintenance",
    "second_line",
    "later_line",
)
LOCAL = ("resected_metastases", "liver_local")
MOST_NODES = 25


@dataclass(frozen=True)
class Spread:
    """Median and range of a population."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Size:
    """A log-normal size."""

    median: float
    sd_ln: float = 0.6


@dataclass(frozen=True)
class PopulationSpec:
    """Every field known. Shares from 0 to 1; `ecog`: shares of 0, 1, 2 or more; `nodes`: shares of bins of
    positive nodes in stage III; `lesions`: shares of bins of visible lesions, or their median. One of
    `sld_cm` (sum of diameters) and `largest_mm` is None, both in the adjuvant setting."""

    age_years: Spread
    female: float
    ecog: tuple[float, float, float]
    stage_2: float
    nodes: dict[str, float]
    t4: float
    t12: float
    rectal: float
    ras_mutant: float
    braf_mutant: float
    msi_high: float
    liver_only: float
    synchronous: float
    primary_node_positive: float
    lesions: dict[str, float] | float
    sld_cm: Size | None
    largest_mm: Size | None
    months_since_surgery: float
    status: dict[str, str]


FIELDS = tuple(f.name for f in fields(PopulationSpec) if f.name != "status")


@cache
def load_defaults() -> dict[str, list[dict[str, Any]]]:
    """Default values by field, with their settings, source and status."""
    text = files("metachron.population").joinpath("defaults.yaml").read_text(encoding="utf-8")
    defaults: dict[str, list[dict[str, Any]]] = yaml.safe_load(text)
    return defaults


def default_of(name: str, setting: str) -> dict[str, Any] | None:
    """The entry that holds for a field in a setting: value, source, status, note; None if there is none."""
    entries = load_defaults().get(name, [])
    return next((e for e in entries if setting in e.get("settings", SETTINGS)), None)


def population_spec(given: Any, setting: str) -> PopulationSpec:
    """The population of a setting with what is given in the place of defaults.

    `given`: a mapping or an object with (some of) the fields of PopulationSpec, None where unknown.
    Raises InputError for an unknown setting, a share outside 0 to 1, shares that do not fit each other.
    """
    if setting not in SETTINGS:
        raise InputError(Problem("setting", f"{setting!r} is not a setting", ", ".join(SETTINGS)))
    values: dict[str, Any] = {}
    status: dict[str, str] = {}
    stated = _get(given, "status") or {}
    for name in FIELDS:
        value = _get(given, name)
        if value is not None:
            values[name], status[name] = value, str(stated.get(name, "assumed"))
    sizes = {"sld_cm", "largest_mm"}
    known = set(values) | (sizes if sizes & values.keys() else set())
    for name in FIELDS:
        entry = None if name in known else default_of(name, setting)
        if entry is not None:
            values[name], status[name] = entry["value"], str(entry["status"])
        values.setdefault(name, None)
    return _checked(values, status)


def _get(given: Any, name: str) -> Any:
    return given.get(name) if isinstance(given, Mapping) else getattr(given, name, None)


def _checked(values: dict[str, Any], status: dict[str, str]) -> PopulationSpec:
    problems = [
        Problem(f"population.{name}", f"{values[name]} is not a share", "0 to 1")
        for name in FIELDS
        if isinstance(values[name], int | float)
        and name not in ("lesions", "months_since_surgery")
        and not 0 <= values[name] <= 1
    ]
    for pair in (("t4", "t12"), ("ras_mutant", "braf_mutant")):
        total = sum(values[name] for name in pair)
        if total > 1 + 1e-9:
            problems.append(
                Problem(f"population.{pair[0]}", f"{' and '.join(pair)} sum to {total:g}", "to 1")
            )
    if problems:
        raise InputError(problems)
    age, lesions = values["age_years"], values["lesions"]
    return PopulationSpec(
        **{
            **values,
            "age_years": _spread(age),
            "ecog": tuple(float(v) for v in values["ecog"]),
            "nodes": {str(k): float(v) for k, v in values["nodes"].items()},
            "lesions": _lesions(lesions),
            "sld_cm": _size(values["sld_cm"]),
            "largest_mm": _size(values["largest_mm"]),
            "status": status,
        }
    )


def _spread(value: Any) -> Spread:
    """Median and range; a missing bound is 25 years from the median (assumed)."""
    median = float(_get(value, "median"))
    low, high = _get(value, "low"), _get(value, "high")
    return Spread(
        median,
        max(18.0, median - 25.0) if low is None else float(low),
        min(95.0, median + 25.0) if high is None else float(high),
    )


def _size(value: Any) -> Size | None:
    if value is None:
        return None
    return Size(float(_get(value, "median")), float(_get(value, "sd_ln") or 0.6))


def _lesions(value: Any) -> dict[str, float] | float:
    if isinstance(value, int | float):
        return float(value)
    if (shares := _get(value, "shares")) is not None:
        return {str(k): float(v) for k, v in shares.items()}
    if (median := _get(value, "median")) is not None:
        return float(median)
    return {str(k): float(v) for k, v in dict(value).items()}


def bounds(label: str, most: int) -> tuple[int, int]:
    """(lowest, highest) of a bin "2", "1-3" or "4+"; an open one ends at `most`. Raises InputError."""
    text = label.strip()
    low, _, high = text.removesuffix("+").partition("-")
    if not low.isdigit() or (high and not high.isdigit()):
        raise InputError(Problem("population", f"{label!r} is not a bin", '"2", "1-3" or "4+"'))
    last = most if text.endswith("+") else int(high or low)
    return int(low), max(int(low), min(last, most) if math.isfinite(last) else most)
