"""The deterministic core in SciPy: LSODA between administrations, right-hand side compiled by Numba.

The right-hand side is compiled because a Python one would be timed instead of the solver. `odeint` is the
thinnest of SciPy's doors to LSODA; `reference` uses `solve_ivp` with DOP853 at tight tolerance.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
from scipy.integrate import odeint, solve_ivp

from metachron.bench.solvers.system import (
    Floats,
    Layout,
    give,
    layout,
    ln_cells,
    per_class,
    per_lesion,
    start,
    stretches,
    weaker,
)
from metachron.interop.core import (
    AVASCULAR_CELLS,
    CELLS_PER_ML,
    EGFR,
    GROWTH_FRACTION,
    REFERENCE_CELLS,
    VASCULAR_CELLS,
    Core,
)

NAME, PACKAGE = "SciPy LSODA", "scipy"
jit = numba.njit(error_model="numpy")
SINGLE = (
    "V", "checkpoint", "stress", "m", "l", "a", "P", "C", "L", "E", "X", "N", "H", "hazard_cancer",
)  # fmt: skip
CONSTANTS = (
    "rho_resistant", "egfr_micro_factor", "dead_tissue_clearance", "vegf_imax", "vegf_ic50_mg_l",
    "decay_vegf", "decay_checkpoint", "decay_stress", "decay_marrow", "decay_lymph", "chemo_sensitising",
    "marrow_transit", "neutrophil_loss", "marrow_feedback", "neutrophils_start", "marrow_factor",
    "lymphocyte_recovery", "marrow_support", "support_half_cells", "cell_expansion", "cell_chemo_toxicity",
    "cell_capacity", "cell_homing", "cell_kill", "checkpoint_kill", "nerve_onset", "nerve_recovery",
    "liver_regrowth", "liver_plateau", "liver_start", "liver_ml", "death_intercept", "death_burden",
    "death_liver_max", "death_liver_mid", "death_liver_width", "ln_capacity", "kill_micro_factor",
    "death_full_cm",
)  # fmt: skip
LN_REFERENCE, LN_AVASCULAR = math.log(REFERENCE_CELLS), math.log(AVASCULAR_CELLS)
LN_DECADE = math.log(VASCULAR_CELLS / AVASCULAR_CELLS)
LEAST, MOST = GROWTH_FRACTION
MAX_STEP = 0.5  # days; longer steps leave an error of 1e-5 between their ends


@jit
def body(s, out, at, c, cell_loss):
    """Drug amounts, marrow, lymphocytes, infused cells, nerve and liver."""
    v, checkpoint, stress, m, kill_l, a, p, n, lymph, cells, waiting, nerve, liver, _ = at
    for i, decay in ((v, c[5]), (checkpoint, c[6]), (stress, c[7]), (m, c[8]), (kill_l, c[9]), (a, c[9])):
        if i >= 0:
            out[i] = -decay * s[i]
    ktr, kc = c[11], c[12]
    feedback = (c[14] / s[n]) ** c[13]
    out[p] = ktr * s[p] * ((1.0 - c[15] * s[m]) * feedback - 1.0)
    for j in range(p + 1, p + 4):
        out[j] = ktr * (s[j - 1] - s[j])
    out[n] = ktr * s[p + 3] - kc * s[n]
    if lymph >= 0:
        kill = s[kill_l] if kill_l >= 0 else 0.0
        out[lymph] = c[16] * (1.0 - s[lymph]) - kill * s[lymph]
    if cells >= 0:
        out[lymph] += c[17] * s[cells] / (s[cells] + c[18]) * (1.0 - s[lymph])
        room = max(0.0, 1.0 - s[lymph] - s[cells] / c[21])
        out[cells] = (c[19] * room - cell_loss - c[20] * s[a]) * s[cells]
    if nerve >= 0:
        out[waiting] = -c[25] * s[waiting]
        out[nerve] = c[25] * s[waiting] - c[26] * s[nerve]
    if liver >= 0:
        out[liver] = c[27] * s[liver] * (1.0 - s[liver] / c[28])


@jit
def hazard(sum_cm, liver_ml, liver, c):
    """Hazard of death per day by detected cancer and by replacement of the liver."""
    h = 0.0
    if sum_cm > 0.0:
        h = -math.expm1(-sum_cm / c[38]) * math.exp(c[31] + c[32] * math.log(1.0 + sum_cm))
    if liver_ml > 0.0:
        z = (liver_ml / (liver * c[30] + liver_ml) - c[34]) / c[35]
        none = 1.0 / (1.0 + math.exp(min(c[34] / c[35], 30.0)))
        h += max(0.0, c[33] * (1.0 / (1.0 + math.exp(-min(max(z, -30.0), 30.0))) - none))
    return h


@jit
def sizes(s, x, first, phi, rho):
    """ln living cells of every lesion, into x (lesions,)."""
    classes, count = phi.shape
    y, _, _, immune_at, d = first
    for i in range(count):
        x[i] = s[y + i] - (s[immune_at + i] if immune_at >= 0 else 0.0)
        for k in range(classes):
            gone = s[d + k * count + i]
            x[i] += math.log((1.0 - phi[k, i]) * math.exp(-gone) + phi[k, i] * math.exp(-rho * gone))


@jit
def by_drugs(s, out, i, at_kill, gf, vessels, c, phi, drug, potency):
    """Rates of cumulative kill of lesion i, into `out` from `at_kill`; returns its loss of ln cells a day."""
    kill, _, loses, micro = drug
    classes, count = phi.shape
    rate = 0.0
    for k in range(classes):
        step = kill[k] * gf * s[k] * (potency if loses[k] else 1.0)
        if micro[k] >= 0:
            step *= c[micro[k]] + (1.0 - c[micro[k]]) * vessels
        gone = s[at_kill + k * count + i]
        weak, strong = (1.0 - phi[k, i]) * math.exp(-gone), phi[k, i] * math.exp(-c[0] * gone)
        out[at_kill + k * count + i] = step
        rate += step * (weak + c[0] * strong) / (weak + strong)
    return rate


@jit
def by_immunity(s, at, c, gf, n, total):
    """Immune kill a day of a lesion of n cells among `total`."""
    checkpoint, stress, cells = at[1], at[2], at[9]
    immune = c[24] * gf * s[checkpoint] if checkpoint >= 0 else 0.0
    if cells >= 0:
        ratio = c[22] * s[cells] * (n / total) ** (2.0 / 3.0) / n
        immune += c[23] * ratio / (1.0 + ratio)
    return (1.0 + c[10] * s[stress]) * immune


@jit
def lesions(s, out, at, c, first, phi, drug, fixed, line_growth, potency):
    """Growth, kill, dead tissue and the hazard of death. `drug` and `fixed` hold what lesions differ in."""
    growth, in_liver, visible = fixed
    classes, count = phi.shape
    y, held, dead, immune_at, at_kill = first
    for k in range(classes):
        out[k] = -drug[1][k] * s[k]
    slowing = 1.0 - c[3] * s[at[0]] / (s[at[0]] + c[4]) if at[0] >= 0 else 1.0
    x = np.empty(count)
    sizes(s, x, first, phi, c[0])
    total = np.exp(x).sum()
    sum_cm, liver_ml = 0.0, 0.0
    for i in range(count):
        n = math.exp(x[i])
        gf = min(max((c[36] - x[i]) / (c[36] - LN_REFERENCE), LEAST), MOST)
        vessels = min(max((x[i] - LN_AVASCULAR) / LN_DECADE, 0.0), 1.0)
        grow, factor = growth[i] * gf * line_growth, 1.0 - vessels * (1.0 - slowing)
        out[y + i] = grow * factor
        if held >= 0:
            out[held + i] = grow * (1.0 - factor)
        rate = by_drugs(s, out, i, at_kill, gf, vessels, c, phi, drug, potency)
        if immune_at >= 0:
            out[immune_at + i] = by_immunity(s, at, c, gf, n, total)
            rate += out[immune_at + i]
        out[dead + i] = n / CELLS_PER_ML * rate - c[2] * s[dead + i]
        volume = n / CELLS_PER_ML + s[dead + i]
        if visible[i]:
            sum_cm += (6.0 / math.pi * volume) ** (1.0 / 3.0)
        if in_liver[i]:
            liver_ml += volume
    liver = s[at[12]] if at[12] >= 0 else c[29]
    out[at[13]] = hazard(sum_cm, liver_ml, liver, c)


@jit
def rhs(s, _t, at, c, first, phi, drug, fixed, now):
    """The right-hand side; `now` is (growth in this line, potency, loss of infused cells)."""
    out = np.zeros_like(s)
    body(s, out, at, c, now[2])
    if phi.shape[1] > 0:
        lesions(s, out, at, c, first, phi, drug, fixed, now[0], now[1])
    return out


def _micro(k: int) -> int:
    """Index of the constant that scales the kill of microscopic lesions by class k; -1: none."""
    if k > EGFR:
        return -1
    return CONSTANTS.index("egfr_micro_factor" if k == EGFR else "kill_micro_factor")


def arguments(core: Core, where: Layout) -> tuple[Any, ...]:
    """What the right-hand side needs of a core: indices, constants, drugs, lesions."""
    at = np.array([where.at(name) for name in SINGLE])
    c = np.array([core.constants[name] for name in CONSTANTS])
    blocks = ("y", "held", "W", "I")
    first = [where.block(b).start if b in where.blocks else -1 for b in blocks]
    first.append(where.block("W").stop + core.immune * core.lesions if core.lesions else -1)
    micro = np.array([_micro(k) for k in core.classes], dtype=np.int64)
    drug = (per_class(core, "kill"), per_class(core, "decay"), weaker(core), micro)
    fixed = (per_lesion(core, "growth"), np.array(core.in_liver, bool), np.array(core.visible, bool))
    return at, c, np.array(first), drug, fixed


def integrate(core: Core, times: Floats, step: Any) -> tuple[Floats, Layout]:
    """States at `times` (sorted, within the core's days), shape (times, states); x_1, x_2, ... appended.

    `step(s, t0, ts, args)` returns the states at `ts`, the last of which ends the stretch.
    """
    where = layout(core)
    s, now = start(core, where)
    at, c, first, drug, fixed = arguments(core, where)
    rows, sizes = np.empty((len(times), where.size)), np.empty((len(times), core.lesions))
    for t0, t1, given in stretches(core):
        if given is not None:
            give(core, where, s, now, given)
        last = t1 >= core.days
        inside = (times >= t0) & ((times < t1) | last)
        ts = np.unique(np.append(times[inside], t1))
        args = (at, c, first, now.phi, drug, fixed, (now.line_growth, now.potency, now.cell_loss))
        found = step(s, t0, ts, args)
        wanted = int(inside.sum())
        rows[inside], s = found[:wanted], found[-1].copy()
        if core.lesions:
            sizes[inside] = ln_cells(core, where, found[:wanted], now.phi)
    return np.hstack([rows, sizes]), where


def names(core: Core) -> list[str]:
    """Names of the columns of `integrate`."""
    return layout(core).state_names() + [f"x_{i}" for i in range(1, core.lesions + 1)]


def with_lsoda(tolerance: float) -> Any:
    def step(s: Floats, t0: float, ts: Floats, args: tuple[Any, ...]) -> Floats:
        grid = ts if ts[0] == t0 else np.concatenate([[t0], ts])
        atol = tolerance * 1e-3
        return np.asarray(
            odeint(rhs, s, grid, args=args, rtol=tolerance, atol=atol, mxstep=10000)[-ts.size :]
        )

    return step


def with_dop853(s: Floats, t0: float, ts: Floats, args: tuple[Any, ...]) -> Floats:
    def f(t: float, y: Floats) -> Floats:
        return np.asarray(rhs(y, t, *args))

    found = solve_ivp(
        f, (t0, ts[-1]), s, method="DOP853", t_eval=ts, rtol=1e-11, atol=1e-18, max_step=MAX_STEP
    )
    return np.asarray(found.y.T)


def reference(core: Core, times: Floats) -> Floats:
    """Tight solution, shape (times, columns of `names`)."""
    return integrate(core, times, with_dop853)[0]


def run(
    core: Core, patients: Sequence[Core], tolerance: float, times: Floats, columns: Sequence[str]
) -> tuple[float, Floats]:
    """(seconds, states (patients, times, columns)); compiling the right-hand side is not timed."""
    step, all_names = with_lsoda(tolerance), names(core)
    pick = [all_names.index(name) for name in columns]
    integrate(core, times, step)
    began = time.perf_counter()
    states = [integrate(p, times, step)[0][:, pick] for p in patients]
    return time.perf_counter() - began, np.array(states)
