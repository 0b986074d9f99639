"""When one unseen lesion is found, and how long patients live after that: tables from the real engine.

A cell of the first table is a growth rate, a sensitivity to drugs and a resistant fraction; many lesions are
simulated in it, one a life, and the table holds the day on which each is found. What differs between patients
thus becomes a weight on cells, and S(t) = E exp(-m G(t)) needs no further simulation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from metachron.engine.batch import simulate
from metachron.engine.compile import compile_strategy
from metachron.engine.records import LESION, OCCULT, PROGRESSED, TWIN, Programme
from metachron.model.kill import FP
from metachron.model.occult import size_deficit
from metachron.parameters import load_parameters
from metachron.patient.schema import Patient
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.language import resolve
from metachron.strategies.schema import After

Floats = NDArray[np.float64]
Progress = Callable[[str, float], None]

STEP_DAYS = 30.0  # recurrences of the trial do not cluster at visits, so lesions are looked for monthly
GRID = np.arange(0.0, 3330.0 + STEP_DAYS, STEP_DAYS)
LN_GROWTH = np.arange(-2.4, 3.21, 0.2)  # ln growth rate over that of the median doubling time
LN_SENSITIVITY = np.arange(-1.8, 1.81, 0.6)  # ln kill rate over that of the median patient
RESISTANCE = ndtri((np.arange(4) + 0.5) / 4)  # quantiles of the logit of the resistant fraction
# 5-FU for a year after the operation; the trial gave boluses weekly, the ln factor of kill is estimated
COURSE = "lv5fu2*26"
COURSE_STARTS_DAY = 7
# Kinds of lives after recurrence: intensity of unseen lesions, and ln factor of the hazard of death
LN_LOAD = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
LN_HAZARD = np.array([-0.8, 0.0, 0.8])
# what the trial's years had (assumed): 5-FU on recurrence, an operation for hardly anyone
LATER = After(lines=[["lv5fu2"]], on_recurrence="systemic")
HORIZON_AFTER = 9131.0
# Slope of ln number on ln size deficit by which sizes are laid out; another slope is a weight on them
DRAWN_SLOPE = 0.15


@dataclass(frozen=True)
class Tables:
    """Which lesions have been found by GRID, 0 or 1: `untreated` (growth, 1, time, lesions), `treated`
    (growth, rest, time, lesions), rest: sensitivity by resistance. `deficit_*` (lesions,): ln size deficits.

    `after` (growth, load, hazard, time): survival since recurrence on GRID, deaths of other causes left out.
    """

    untreated: NDArray[np.float32]
    treated: NDArray[np.float32]
    deficit_untreated: Floats
    deficit_treated: Floats
    after: Floats


def share_found(
    found: NDArray[np.float32], deficit: Floats, slope: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Share of lesions found (growth, rest, time) when sizes have this slope, and its derivative by it."""
    w = np.exp((slope - DRAWN_SLOPE) * (deficit - deficit.mean()))
    w /= w.sum()
    both = found @ np.column_stack([w, w * (deficit - w @ deficit)]).astype(np.float32)
    return np.ascontiguousarray(both[..., 0]), np.ascontiguousarray(both[..., 1])


def make_tables(
    draws: NDArray[np.void], *, lesions: int = 64, seed: int = 1, progress: Progress | None = None
) -> Tables:
    """Tables for one parameter set, `draws` (1,); `lesions` lives a cell, eight times as many untreated.

    Growth rate, sensitivity and resistance are laid out on the grids, whatever their spread in `draws`.
    """
    tell = progress or (lambda _stage, _share: None)
    tell("tables of recurrence: untreated", 0.0)
    shape = (LN_GROWTH.size, LN_SENSITIVITY.size, RESISTANCE.size)
    untreated, few = _found((LN_GROWTH.size, 1, 1), _programme("observation"), draws, 8 * lesions, seed)
    tell("tables of recurrence: 5-FU", 0.1)
    treated, many = _found(shape, _programme(COURSE), draws, lesions, seed)
    tell("tables of survival after recurrence", 0.6)
    after = _after(draws, 3 * lesions, seed)
    return Tables(untreated, treated, few, many, after)


def _programme(expression: str) -> Programme:
    """A strategy for a patient without visible disease, with monthly scans."""
    patient = Patient(id="trial", assessed_on=date(1987, 1, 1), age_years=60.0)
    strategy = resolve(expression).model_copy(update={"after": LATER})
    if strategy.steps:
        first = strategy.steps[0].model_copy(update={"gap_days": COURSE_STARTS_DAY})
        strategy = strategy.model_copy(update={"steps": [first, *strategy.steps[1:]]})
    programme = compile_strategy(patient, strategy, load_catalogue(), metastatic=False)
    scans = np.array([[HORIZON_AFTER, STEP_DAYS]])
    return programme._replace(scans=scans, first_scan=STEP_DAYS)


def _people(cells: tuple[Floats, Floats, Floats], draws: NDArray[np.void], seed: int) -> NDArray[np.void]:
    """Twins (n,) of given ln growth, ln sensitivity and resistance score, who die of nothing but cancer."""
    ln_growth, ln_sensitivity, score = cells
    d, rng = draws[0], np.random.default_rng([seed, 1])
    twins = np.zeros(ln_growth.size, TWIN)
    twins["key"] = np.arange(twins.size)
    twins["growth"] = np.log(2) / d["vdt_ref_days"] * np.exp(ln_growth)
    twins["sensitivity"] = np.exp(ln_sensitivity)
    twins["logit_macro"] = d["phi_macro_mean"]
    twins["logit_micro"] = d["phi_micro_mean"]
    twins["logit_macro"][:, FP] = d["phi_macro_mean"] + d["phi_macro_sd"] * score
    twins["logit_micro"][:, FP] = d["phi_micro_mean"] + d["phi_micro_sd"] * score
    twins["age"], twins["background_factor"] = 60.0, 1e-9
    twins["neutrophils"] = d["neutrophil_base_e9_l"]
    twins["marrow_factor"] = d["marrow_slope_factor"] * np.exp(
        d["marrow_slope_cv"] * rng.standard_normal(twins.size)
    )
    twins["immune"] = twins["checkpoint"] = twins["nerve_factor"] = twins["liver_share"] = 1.0
    twins["liver_ml"] = d["liver_volume_ml"]
    twins["egfr_active"] = 1.0
    sd = d["death_frailty_sd"]
    twins["ln_frailty"] = sd * rng.standard_normal(twins.size) - 0.5 * sd**2
    return twins


def _unseen(n: int, room: int, draws: NDArray[np.void], u: Floats, seed: int) -> NDArray[np.void]:
    """Unseen lesions (n, room) in the liver, sizes at probabilities `u` (n, room)."""
    d, rng = draws[0], np.random.default_rng([seed, 2])
    limit = float(np.log(load_parameters()["detect_ct_cells"].value))
    lesions = np.zeros((n, room), LESION)
    lesions["status"] = OCCULT
    lesions["x"] = limit - size_deficit(u, np.full(u.shape, d["occult_size_slope"]), limit)
    lesions["growth"] = np.exp(d["sd_ln_growth_lesion"] * rng.standard_normal((n, room)))
    lesions["resistance"] = rng.standard_normal((n, room))
    coin = rng.random((n, room))
    lesions["offset"] = d["detect_scale"] * np.log(coin / (1 - coin))
    return lesions


def _found(
    shape: tuple[int, int, int], programme: Programme, draws: NDArray[np.void], repeats: int, seed: int
) -> tuple[NDArray[np.float32], Floats]:
    """Which lesions are found by GRID, shape (growth, cells of a growth rate, time, lesions); ln deficits."""
    grids = (LN_GROWTH, LN_SENSITIVITY if shape[1] > 1 else np.zeros(1), RESISTANCE if shape[2] > 1
             else np.zeros(1))  # fmt: skip
    cells = np.meshgrid(*grids, indexing="ij")
    ln_growth, ln_sensitivity, score = (np.repeat(axis.ravel(), repeats) for axis in cells)
    twins = _people((ln_growth, ln_sensitivity, score), draws, seed)
    twins["n_lesions"] = 1
    # every cell gets the same even spread of ln sizes
    u = (np.arange(repeats) + 0.5) / repeats
    flat = draws.copy()
    flat["occult_size_slope"] = DRAWN_SLOPE
    lesions = _unseen(twins.size, 1, flat, np.tile(u, ln_growth.size // repeats)[:, None], seed)
    out = simulate(lesions, twins, draws, programme, seed=seed, horizon_days=GRID[-1] + 1.0).outcomes
    day = np.where(out["pfs_event"] == PROGRESSED, out["pfs"], np.inf)
    found = day.reshape(shape[0], -1, 1, repeats) <= GRID[:, None] + 1e-6
    limit = float(np.log(load_parameters()["detect_ct_cells"].value))
    return found.astype(np.float32), size_deficit(u, np.full(repeats, DRAWN_SLOPE), limit)


def _after(draws: NDArray[np.void], repeats: int, seed: int) -> Floats:
    """Survival from recurrence on, shape (growth, load, hazard, time)."""
    sizes = (LN_GROWTH.size, LN_LOAD.size, LN_HAZARD.size)
    rng = np.random.default_rng([seed, 3])
    room = 14
    growth, load, _ = (np.repeat(a.ravel(), repeats) for a in np.meshgrid(LN_GROWTH, LN_LOAD, [0.0],
                                                                          indexing="ij"))  # fmt: skip
    sd_sensitivity = draws[0]["sd_ln_sensitivity"]
    z = rng.standard_normal((2, growth.size))
    twins = _people((growth, sd_sensitivity * z[0], z[1]), draws, seed)
    mean = np.exp(load)
    # Poisson, given that there is at least one
    u = np.exp(-mean) + rng.random(growth.size) * (1 - np.exp(-mean))
    twins["n_lesions"] = np.clip(_poisson_quantile(u, mean), 1, room)
    lesions = _unseen(twins.size, room, draws, rng.random((twins.size, room)), seed)
    lesions["status"][np.arange(room)[None, :] >= twins["n_lesions"][:, None]] = 0
    programme = _programme("observation")
    survival = np.zeros((*sizes, GRID.size))
    for h, shift in enumerate(LN_HAZARD):
        shifted = draws.copy()
        shifted["death_intercept"] += shift
        out = simulate(lesions, twins, shifted, programme, seed=seed, horizon_days=HORIZON_AFTER).outcomes
        recurred = out["pfs_event"] == PROGRESSED
        since = np.where(recurred, out["death"], 0.0) - np.where(recurred, out["pfs"], 0.0)
        alive = (recurred & (since > GRID[:, None])).reshape(GRID.size, *sizes[:2], repeats).sum(axis=3)
        alive = np.moveaxis(alive, 0, 2)
        known = recurred.reshape(*sizes[:2], repeats).sum(axis=2)
        survival[:, :, h] = np.where(known[..., None] > 0, alive / np.maximum(known, 1)[..., None], 1.0)
    return survival


def _poisson_quantile(u: Floats, mean: Floats) -> NDArray[np.int64]:
    from scipy.stats import poisson

    return np.asarray(poisson.ppf(u, mean), dtype=np.int64)
