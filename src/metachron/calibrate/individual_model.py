"""The mechanism as a predictor of one patient's recurrence, and its fit to patients by posterior mode.

A patient has Poisson unseen lesions with mean exp(eta + frailty), eta linear in the covariates, and one
growth rate, sensitivity and resistant fraction for all of them. With G(t) the share of lesions found by day t
under these (tables of the real engine), recurrence-free survival is E exp(-m G(t)) over what differs between
patients.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray
from scipy.optimize import minimize

from metachron.calibrate.individual_data import COVARIATES, Cohort, Floats
from metachron.calibrate.individual_table import (
    GRID,
    LN_GROWTH,
    LN_SENSITIVITY,
    STEP_DAYS,
    Tables,
    share_found,
)
from metachron.model.compiled import jit
from metachron.parameters import load_parameters

NODES, WEIGHTS = hermegauss(12)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
Z_975 = 1.96
Objective = Callable[[Floats], tuple[float, Floats]]
FAR = 5.0  # from the prior, in standard deviations


@dataclass(frozen=True)
class Term:
    """One number to estimate, with its normal prior."""

    name: str
    mean: float
    sd: float


def terms(draws: NDArray[np.void]) -> list[Term]:
    """What is estimated, priors from the parameter files where there is one; `draws` (1,) are the medians.

    The first are coefficients of ln mean number, then those of ln growth rate, then the laws of what differs
    between patients: ln of the median growth rate over that of `draws`, ln spreads, ln factor of kill.
    """
    d = draws[0]
    on_load = {
        "ln_nodes": (d["occult_nodes"], 0.5),
        "t4": (d["occult_t4"], 0.5),
        "t12": (d["occult_t12"], 1.0),
        "levamisole": (0.0, 0.2),
        "levamisole_5fu": (0.0, 0.2),  # besides the kill by 5-FU
        "age_decades": (0.0, 0.1),
        "male": (0.0, 0.2),
    }
    found = [Term("intercept", float(d["occult_intercept"]), 1.0)]
    found += [Term(name, *(float(v) for v in on_load.get(name, (0.0, 0.5)))) for name in COVARIATES]
    found += [Term(f"growth_{name}", 0.0, 0.3) for name in GROWTH_COVARIATES]
    return [
        *found,
        Term("size_slope", float(d["occult_size_slope"]), 0.3),  # wide: it was once fitted without frailty
        Term("ln_growth", 0.0, _sd_ln("vdt_ref_days")),
        Term("ln_sd_growth", float(np.log(d["sd_ln_growth"])), _sd_ln("sd_ln_growth")),
        Term("ln_dispersion", float(np.log(d["occult_dispersion"])), _sd_ln("occult_dispersion")),
        Term("ln_kill", 0.0, 0.5),  # kappa_fp, and weekly boluses for infusions
    ]


def _sd_ln(name: str) -> float:
    """SD of ln of a log-normal parameter, from its 95 % interval."""
    low, high = load_parameters()[name].interval()
    return float(np.log(high / low)) / (2 * Z_975)


GROWTH_COVARIATES = ("poor_grade", "obstruction", "ln_nodes")
LAWS = 5
ON_GROWTH = np.array([COVARIATES.index(name) for name in GROWTH_COVARIATES])


@dataclass(frozen=True)
class Fit:
    """Estimates by name, with standard errors where asked for, and the penalised log likelihood."""

    names: list[str]
    values: Floats
    objective: float
    log_likelihood: float
    covariance: Floats | None = None
    fixed: dict[str, float] = field(default_factory=dict)

    def __getitem__(self, name: str) -> float:
        return float(self.values[self.names.index(name)])

    def interval(self, name: str) -> tuple[float, float]:
        """95 % interval from the curvature at the mode."""
        assert self.covariance is not None
        k = self.names.index(name)
        half = Z_975 * float(np.sqrt(self.covariance[k, k]))
        return self[name] - half, self[name] + half


@jit  # type: ignore[untyped-decorator]
def survival_and_slopes(
    eta: Floats, dispersion: float, on_growth: Floats, on_rest: Floats, found: NDArray[np.float32],
    by_size: NDArray[np.float32], at: NDArray[np.int64], nodes: Floats, weights: Floats,
) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats]:  # fmt: skip
    """E exp(-m G) of each patient, and its derivatives.

    `eta` (n,), `on_growth` (n, g) and `on_rest` (r,) weights of the cells, `found` (g, r, time) and its
    derivative `by_size` by the slope of sizes, `at` (n,) the index of the day. Returns S (n,), dS/deta (n,),
    dS/ddispersion (n,), dS/dslope (n,), dS/d on_growth (n, g), dS/d on_rest (n, r).
    """
    n, g, r = eta.size, found.shape[0], found.shape[1]
    s, d_eta, d_spread, d_size = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    d_growth, d_rest = np.zeros((n, g)), np.zeros((n, r))
    mean = np.empty(nodes.size)
    for i in range(n):
        for q in range(nodes.size):
            mean[q] = np.exp(eta[i] + dispersion * nodes[q] - 0.5 * dispersion * dispersion)
        for a in range(g):
            for b in range(r):
                share = found[a, b, at[i]]
                cell, by_share, by_spread = 0.0, 0.0, 0.0
                for q in range(nodes.size):
                    x = mean[q] * share
                    e = weights[q] * np.exp(-x)
                    cell += e
                    by_share -= e * mean[q]
                    by_spread -= e * x * (nodes[q] - dispersion)
                w = on_growth[i, a] * on_rest[b]
                s[i] += w * cell
                d_eta[i] += w * by_share * share
                d_size[i] += w * by_share * by_size[a, b, at[i]]
                d_spread[i] += w * by_spread
                d_growth[i, a] += on_rest[b] * cell
                d_rest[i, b] += on_growth[i, a] * cell
    return s, d_eta, d_spread, d_size, d_growth, d_rest


def normal_weights(grid: Floats, mean: Floats, sd: float) -> tuple[Floats, Floats, Floats]:
    """Weights of a normal law on a grid, (n, grid), and their derivatives by the mean and by ln sd."""
    z = (grid - mean[:, None]) / sd
    w = np.exp(-0.5 * z**2)
    w /= w.sum(1, keepdims=True)
    by_mean, by_sd = z / sd, z**2
    return (
        w,
        w * (by_mean - (w * by_mean).sum(1, keepdims=True)),
        w * (by_sd - (w * by_sd).sum(1, keepdims=True)),
    )


class Recurrence:
    """Likelihood of recurrence in a cohort, by 30-day intervals."""

    def __init__(self, cohort: Cohort, tables: Tables, draws: NDArray[np.void]) -> None:
        self.cohort, self.tables = cohort, tables
        self.terms = terms(draws)
        self.sd_sensitivity = float(draws[0]["sd_ln_sensitivity"])
        self.last = GRID.size - 1
        self.groups: list[tuple[NDArray[np.int64], NDArray[np.float32], Floats]] = []
        for treated, found, deficit in (
            (False, tables.untreated, tables.deficit_untreated),
            (True, tables.treated, tables.deficit_treated),
        ):
            rows = np.flatnonzero(cohort.treated == treated)
            if rows.size:
                self.groups.append((rows, found, deficit))

    def rest_weights(self, cells: int, ln_kill: float) -> tuple[Floats, Floats]:
        """Weights of the cells of one growth rate, and their derivative by the ln factor of kill."""
        if cells == 1:
            return np.ones(1), np.zeros(1)
        w, by_mean, _ = normal_weights(LN_SENSITIVITY, np.array([ln_kill]), self.sd_sensitivity)
        each = cells // LN_SENSITIVITY.size
        return np.repeat(w[0], each) / each, np.repeat(by_mean[0], each) / each

    def survival(self, theta: Floats, at: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Probability of no recurrence by GRID[at], (n,), and its derivatives by theta (n, terms)."""
        x, k = self.cohort.x, len(COVARIATES)
        eta = theta[0] + x @ theta[1 : k + 1]
        size_slope, mu, ln_sd, ln_spread, ln_kill = theta[-LAWS:]
        shift = mu + x[:, ON_GROWTH] @ theta[k + 1 : -LAWS]
        sd, spread = float(np.exp(ln_sd)), float(np.exp(ln_spread))
        s, slopes = np.zeros(eta.size), np.zeros((eta.size, theta.size))
        for rows, found, deficit in self.groups:
            table, by_size = share_found(found, deficit, size_slope)
            w, by_mean, by_sd = normal_weights(LN_GROWTH, shift[rows], sd)
            rest, by_kill = self.rest_weights(table.shape[1], ln_kill)
            values, d_eta, d_spread, d_size, d_growth, d_rest = survival_and_slopes(
                eta[rows], spread, w, rest, table, by_size, at[rows], NODES, WEIGHTS
            )
            s[rows] = values
            slopes[rows, 0] = d_eta
            slopes[rows, 1 : k + 1] = d_eta[:, None] * x[rows]
            by_shift = (d_growth * by_mean).sum(1)
            slopes[rows, k + 1 : -LAWS] = by_shift[:, None] * x[np.ix_(rows, ON_GROWTH)]
            slopes[rows, -5] = d_size
            slopes[rows, -4] = by_shift
            slopes[rows, -3] = (d_growth * by_sd).sum(1)
            slopes[rows, -2] = d_spread * spread
            slopes[rows, -1] = d_rest @ by_kill
        return s, slopes

    def log_likelihood(self, theta: Floats) -> tuple[float, Floats]:
        """ln L and its gradient: a recurrence falls within its interval, censored is free until its start."""
        days, event = self.cohort.days["recurrence"], self.cohort.event["recurrence"]
        at = np.minimum((days // STEP_DAYS).astype(np.int64), self.last - 1)
        first, slopes = self.survival(theta, at)
        second, later = self.survival(theta, at + 1)
        p = np.where(event, first - second, first)
        slope = np.where(event[:, None], slopes - later, slopes)
        p = np.maximum(p, 1e-12)
        return float(np.log(p).sum()), (slope / p[:, None]).sum(0)

    def fit(self, fixed: dict[str, float] | None = None, *, errors: bool = False) -> Fit:
        """Posterior mode; `fixed` holds some terms at a value. `errors`: covariance from the curvature."""
        names = [t.name for t in self.terms]
        mean, sd = (np.array([getattr(t, a) for t in self.terms]) for a in ("mean", "sd"))
        start = mean.copy()
        for name, value in (fixed or {}).items():
            start[names.index(name)] = value
        free = np.array([n not in (fixed or {}) for n in names])

        def objective(z: Floats) -> tuple[float, Floats]:
            theta = start.copy()
            theta[free] = mean[free] + sd[free] * z
            value, gradient = self.log_likelihood(theta)
            return 0.5 * float(z @ z) - value, z - gradient[free] * sd[free]

        z0 = (start - mean)[free] / sd[free]
        result = minimize(objective, z0, jac=True, method="L-BFGS-B", bounds=[(-FAR, FAR)] * z0.size)
        theta = start.copy()
        theta[free] = mean[free] + sd[free] * result.x
        covariance = None
        if errors:
            covariance = np.zeros((theta.size, theta.size))
            covariance[np.ix_(free, free)] = (
                np.linalg.inv(_curvature(objective, result.x)) * np.outer(sd[free], sd[free])
            )  # fmt: skip
        value = self.log_likelihood(theta)[0]
        return Fit(names, theta, float(result.fun), value, covariance, dict(fixed or {}))


def _curvature(objective: Objective, at: Floats, step: float = 1e-3) -> Floats:
    """Second derivatives by central differences of the gradient, made symmetric."""
    rows = []
    for k in range(at.size):
        move = np.zeros(at.size)
        move[k] = step
        rows.append((objective(at + move)[1] - objective(at - move)[1]) / (2 * step))
    matrix = np.array(rows)
    return np.asarray((matrix + matrix.T) / 2)
