"""From a fitted mechanism to survival of each patient: recurrence, disease-free survival, survival.

Recurrence follows S = E exp(-m G). Deaths of other causes follow age and sex. After recurrence a patient
lives as the engine's lives of the same growth rate and number of lesions did; one factor on the hazard of
death is fitted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from metachron.calibrate.individual_data import COVARIATES, Cohort, Floats
from metachron.calibrate.individual_model import (
    LAWS,
    NODES,
    ON_GROWTH,
    WEIGHTS,
    Fit,
    Recurrence,
    normal_weights,
)
from metachron.calibrate.individual_table import (
    GRID,
    LN_GROWTH,
    LN_HAZARD,
    LN_LOAD,
    STEP_DAYS,
    Tables,
    share_found,
)
from metachron.model.compiled import jit
from metachron.model.death import DAYS_PER_YEAR

UNTIL = 61  # of GRID: five years
TIMES = GRID[: UNTIL + 1]
COARSE = 3  # survival is worked out every 90 days
SD_LN_BACKGROUND, SD_LN_HAZARD = 0.5, 0.5


@dataclass(frozen=True)
class Predictor:
    """A fitted mechanism: recurrence, ln factors of deaths of other causes and of death after recurrence."""

    fit: Fit
    tables: Tables
    draws: NDArray[np.void]
    ln_background: float = 0.0
    ln_hazard: float = 0.0

    def survival(self, cohort: Cohort) -> dict[str, Floats]:
        """Survival on TIMES by endpoint, each (n, len(TIMES))."""
        free = self.recurrence_free(cohort)
        other = background(cohort, self.draws, TIMES, self.ln_background)
        return {"recurrence": free, "DFS": free * other, "OS": other * self.not_dead_of_cancer(cohort)}

    def recurrence_free(self, cohort: Cohort) -> Floats:
        """S(t) on TIMES, other deaths left out."""
        model = Recurrence(cohort, self.tables, self.draws)
        rows = np.zeros(cohort.size, np.int64)
        return np.column_stack([model.survival(self.fit.values, rows + k)[0] for k in range(TIMES.size)])

    def not_dead_of_cancer(self, cohort: Cohort) -> Floats:
        """Survival on TIMES when nobody dies of other causes, at the fitted hazard after recurrence."""
        return _between(overall(cohort, self.fit, self.tables, self.draws), self.ln_hazard)


def fit_predictor(
    cohort: Cohort, tables: Tables, draws: NDArray[np.void], *, errors: bool = False
) -> Predictor:
    """Fit recurrence, then the two factors of death, to these patients."""
    fit = Recurrence(cohort, tables, draws).fit(errors=errors)
    ln_background = _fit_background(cohort, draws)
    ln_hazard = _fit_hazard(cohort, overall(cohort, fit, tables, draws), draws, ln_background)
    return Predictor(fit, tables, draws, ln_background, ln_hazard)


# --- deaths of other causes ------------------------------------------------------------------------------


def cumulative_background(cohort: Cohort, draws: NDArray[np.void], days: Floats) -> Floats:
    """Cumulative hazard of death of other causes, shape of `days` (n,) or (n, times); Gompertz in age."""
    d = draws[0]
    b = np.log(2.0) / d["background_doubling_years"]
    female = d["background_female_factor"]
    factor = cohort.male * (2.0 - female) + (1 - cohort.male) * female
    start = d["background_65"] * factor * np.exp(b * (cohort.age - 65.0))
    start = start.reshape(-1, *([1] * (days.ndim - 1)))
    return np.asarray(start * np.expm1(b * days / DAYS_PER_YEAR) / b)


def background(cohort: Cohort, draws: NDArray[np.void], times: Floats, ln_factor: float) -> Floats:
    """Survival of other causes, shape (n, times)."""
    days = np.tile(times, (cohort.size, 1))
    return np.asarray(np.exp(-np.exp(ln_factor) * cumulative_background(cohort, draws, days)))


def _fit_background(cohort: Cohort, draws: NDArray[np.void]) -> float:
    """ln factor at the posterior mode, from deaths without recurrence (a Poisson count)."""
    deaths = float((cohort.event["OS"] & ~cohort.event["recurrence"]).sum())
    expected = float(cumulative_background(cohort, draws, cohort.days["recurrence"]).sum())

    def objective(x: float) -> float:
        return expected * float(np.exp(x)) - deaths * x + 0.5 * (x / SD_LN_BACKGROUND) ** 2

    return float(minimize_scalar(objective, bounds=(-3, 3), method="bounded").x)


# --- after recurrence ------------------------------------------------------------------------------------


@jit  # type: ignore[untyped-decorator]
def alive_with_cancer(
    eta: Floats, dispersion: float, on_growth: Floats, on_rest: Floats, found: NDArray[np.float32],
    after: Floats, ln_load: Floats, nodes: Floats, weights: Floats,
) -> Floats:  # fmt: skip
    """Survival (n, time) when only cancer kills: free of recurrence, or recurred and still alive.

    `found` (g, r, time); `after` (g, load, time) survival since recurrence on the same even times.
    """
    n, g, r, times = eta.size, found.shape[0], found.shape[1], found.shape[2]
    alive = np.zeros((n, times))
    free = np.empty(times)
    step = ln_load[1] - ln_load[0]
    for i in range(n):
        for q in range(nodes.size):
            ln_m = eta[i] + dispersion * nodes[q] - 0.5 * dispersion * dispersion
            m = np.exp(ln_m)
            place = min(max((ln_m - ln_load[0]) / step, 0.0), ln_load.size - 1.0)
            low = min(int(place), ln_load.size - 2)
            part = place - low
            for a in range(g):
                w = weights[q] * on_growth[i, a]
                if w < 1e-9:
                    continue
                for t in range(times):
                    free[t] = 0.0
                    for b in range(r):
                        free[t] += on_rest[b] * np.exp(-m * found[a, b, t])
                for t in range(times):
                    total = free[t]
                    for k in range(1, t + 1):
                        lived = (1.0 - part) * after[a, low, t - k] + part * after[a, low + 1, t - k]
                        total += (free[k - 1] - free[k]) * lived
                    alive[i, t] += w * total
    return alive


def overall(cohort: Cohort, fit: Fit, tables: Tables, draws: NDArray[np.void]) -> Floats:
    """Survival when only cancer kills, for each of LN_HAZARD: shape (hazard, n, len(TIMES))."""
    k = len(COVARIATES)
    theta, x = fit.values, cohort.x
    model = Recurrence(cohort, tables, draws)
    eta = theta[0] + x @ theta[1 : k + 1]
    size_slope, mu, ln_sd, ln_spread, ln_kill = theta[-LAWS:]
    shift = mu + x[:, ON_GROWTH] @ theta[k + 1 : -LAWS]
    coarse = np.arange(0, UNTIL + COARSE, COARSE)
    result = np.zeros((LN_HAZARD.size, cohort.size, TIMES.size))
    for rows, found, deficit in model.groups:
        table = np.ascontiguousarray(share_found(found, deficit, size_slope)[0][..., coarse])
        w = normal_weights(LN_GROWTH, shift[rows], float(np.exp(ln_sd)))[0]
        rest = model.rest_weights(table.shape[1], ln_kill)[0]
        for h in range(LN_HAZARD.size):
            after = np.ascontiguousarray(tables.after[:, :, h, coarse])
            alive = alive_with_cancer(
                eta[rows], float(np.exp(ln_spread)), w, rest, table, after, LN_LOAD, NODES, WEIGHTS
            )
            result[h, rows] = [np.interp(TIMES, GRID[coarse], line) for line in alive]
    return result


def _between(survival: Floats, ln_hazard: float) -> Floats:
    """Survival at a ln factor between those of LN_HAZARD."""
    place = float(np.interp(ln_hazard, LN_HAZARD, np.arange(LN_HAZARD.size)))
    low = min(int(place), LN_HAZARD.size - 2)
    return np.asarray((1 - (place - low)) * survival[low] + (place - low) * survival[low + 1])


def _fit_hazard(cohort: Cohort, survival: Floats, draws: NDArray[np.void], ln_background: float) -> float:
    """ln factor of the hazard after recurrence at the posterior mode, from deaths within five years."""
    other = background(cohort, draws, TIMES, ln_background)
    days = np.minimum(cohort.days["OS"], TIMES[-1] - 1.0)
    event = cohort.event["OS"] & (cohort.days["OS"] < TIMES[-1])
    at, rows = (days // STEP_DAYS).astype(np.int64), np.arange(cohort.size)

    def objective(x: float) -> float:
        s = _between(survival, x) * other
        p = np.where(event, s[rows, at] - s[rows, at + 1], s[rows, at])
        return 0.5 * (x / SD_LN_HAZARD) ** 2 - float(np.log(np.maximum(p, 1e-12)).sum())

    bounds = (float(LN_HAZARD[0]), float(LN_HAZARD[-1]))
    return float(minimize_scalar(objective, bounds=bounds, method="bounded").x)
