"""Twins, lesions and programmes made by hand, so that what a life must be is known beforehand."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metachron.engine.batch import Lives, simulate
from metachron.engine.compile import compile_strategy
from metachron.engine.records import (
    ADMIN,
    LESION,
    LUNG,
    N_KINDS,
    OCCULT,
    PROCEDURE,
    RULE,
    SEGMENT,
    SYSTEMIC,
    TWIN,
    VISIBLE,
    Programme,
)
from metachron.parameters import load_parameters
from metachron.parameters.draws import median_parameters
from metachron.patient.examples import read_example
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.language import resolve

RATE = math.log(2.0) / 155.0
LN_K = math.log(load_parameters()["capacity_cells"].value)
LN_LIMIT = math.log(load_parameters()["detect_ct_cells"].value)
SENSITIVE = -60.0  # logit of a resistant fraction that is nought for every purpose
YEAR = 365.25


def ln_size(diameter_mm: float) -> float:
    """ln cells of a ball of living tumour."""
    return math.log(math.pi / 6.0 * (diameter_mm / 10.0) ** 3 * 1.0e9)


def parameters(**changes: float) -> NDArray[np.void]:
    """One parameter set at the medians, shape (1,); nobody dies of cancer or gives up unless told."""
    draws = median_parameters(prior=True)
    draws["stop_per_cycle"] = 0.0
    draws["death_intercept"] = -200.0
    draws["death_liver_max"] = 0.0
    for name, value in changes.items():
        draws[name] = value
    return draws


def people(n: int, **changes: Any) -> NDArray[np.void]:
    """`n` young twins who die of nothing else, with keys 0 to n - 1."""
    twins = np.zeros(n, TWIN)
    values = {
        "growth": RATE, "sensitivity": 1.0, "immune": 1.0, "checkpoint": 1.0, "age": 18.0,
        "background_factor": 1e-9, "neutrophils": 5.0, "marrow_factor": 1.0, "nerve_factor": 1.0,
        "liver_ml": 1500.0, "liver_share": 1.0, "logit_macro": SENSITIVE, "logit_micro": SENSITIVE,
        "n_lesions": 1,
    }  # fmt: skip
    for name, value in (values | changes).items():
        twins[name] = value
    twins["key"] = np.arange(n)
    return twins


def lesions(n: int, *rows: dict[str, Any]) -> NDArray[np.void]:
    """The same lesions for each of `n` twins; values may be arrays (n,). Occult, in the lung, unless told."""
    found = np.zeros((n, max(1, len(rows))), LESION)
    for j, row in enumerate(rows):
        for name, value in ({"growth": 1.0, "status": OCCULT, "organ": LUNG} | row).items():
            found[name][:, j] = value
    return found


def visible(diameter_mm: Any, **changes: Any) -> dict[str, Any]:
    """A visible lesion of a size."""
    return {
        "x": np.log(np.pi / 6.0 * (np.asarray(diameter_mm) / 10.0) ** 3 * 1.0e9),
        "status": VISIBLE,
    } | changes


@cache
def _nothing() -> Programme:
    return compile_strategy(
        read_example("stage3_adjuvant"), resolve("observation"), load_catalogue(), metastatic=True
    )


def _pack(rows: list[dict[str, Any]], dtype: np.dtype[np.void]) -> NDArray[np.void]:
    packed = np.zeros(len(rows), dtype)
    for i, row in enumerate(rows):
        for name, value in row.items():
            packed[name][i] = value
    return packed


def programme(
    segments: list[dict[str, Any]] | None = None,
    admins: list[dict[str, Any]] | None = None,
    rules: list[dict[str, Any]] | None = None,
    *,
    every: float = 7.0,
    **changes: Any,
) -> Programme:
    """A programme without later lines or repeat local treatment; a scan every `every` days, to the end."""
    segments = segments or []
    plain = {
        "segments": _pack(segments, SEGMENT),
        "admins": _pack(admins or [], ADMIN),
        "rules": _pack(rules or [], RULE),
        "toxicity": np.zeros((len(segments), N_KINDS)),
        "grade4": np.zeros((len(segments), N_KINDS)),
        "scans": np.array([[1.0e6, every]]),
        "n_planned": len(segments), "n_lines": 0, "repeat_segment": -1,
        "on_treatment_days": every, "first_scan": every,
    }  # fmt: skip
    return _nothing()._replace(**(plain | changes))


def course(cycles: int, *, admins: int = 1, days: int = 14, **changes: Any) -> dict[str, Any]:
    """A course whose administrations are the first `admins` of the programme."""
    return {
        "kind": SYSTEMIC, "cycle_days": days, "cycles": cycles, "admin_from": 0, "admin_to": admins,
        "cytotoxic": 1, "line": 1, "dose": 1.0,
    } | changes  # fmt: skip


def operation(**changes: Any) -> dict[str, Any]:
    """A resection without risk."""
    return {"kind": PROCEDURE, "resect": 1, "remnant": 1.0, "recovery": 28.0, "hazard_factor": 1.0} | changes


def drug(
    what: int = 0, amount: float = 1.0, chemo: float = 1.0, day: int = 0, **changes: Any
) -> dict[str, Any]:
    return {"day": day, "what": what, "amount": amount, "chemo": chemo} | changes


def lives(
    tumours: NDArray[np.void],
    twins: NDArray[np.void],
    plan: Programme,
    draws: NDArray[np.void] | None = None,
    *,
    days: float = 10 * YEAR,
    seed: int = 11,
    jobs: int | None = None,
) -> Lives:
    chosen = parameters() if draws is None else draws
    return simulate(tumours, twins, chosen, plan, seed=seed, horizon_days=days, jobs=jobs)
