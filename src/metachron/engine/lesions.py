"""One lesion of a life over one step.

Growth without drugs is exact (closed form). With drugs or immune kill, drug integrals are exact, and growth
and kill each take the growth fraction at their own mean time, predicted with the resistant shares of the
start; classes then kill exactly. A lesion that changes much, or comes near a size at which a law changes,
takes the step in pieces. Extinction is judged at the nadir inside the step.
"""

from __future__ import annotations

import math

from metachron.model.antivascular import vascular
from metachron.model.compiled import jit
from metachron.model.growth import (
    CELLS_PER_ML,
    GROWTH_FRACTION_MAX,
    GROWTH_FRACTION_MIN,
    grow,
    growth_fraction,
)
from metachron.model.immune import cell_kill_rate
from metachron.model.kill import CLASSES, EGFR, survive

LN_NADIR = math.log(1.0e4)
ML_PER_CELL = 1.0 / CELLS_PER_ML
LN_LEAST = -50.0
NEGLIGIBLE_ML = 1.0e-12
# A change of ln cells above this is taken in pieces; sizes at which a law changes count within NEAR
LARGEST_CHANGE, NEAR, MOST_PIECES = 0.5, 0.05, 8.0


@jit
def lesion_ml(st, i):
    """Volume (mL) of lesion i as a scan would see it: living cells and dead tissue not yet cleared."""
    return st.debris[i] + st.cells_now[i] * ML_PER_CELL


@jit
def set_size(st, i, x):
    """Give lesion i exp(x) living cells."""
    st.x[i] = x
    st.cells_now[i] = math.exp(x)


@jit
def clear_cells(st, i):
    """Lesion i has no living cell any more."""
    st.alive[i] = 0.0
    st.cells_now[i] = 0.0


@jit
def size_factor(par, k, vessels):
    """Factor on the kill by class k of a lesion of which a share lives on vessels: 1 for visible ones."""
    if k < EGFR:
        return par.kill_micro_factor + (1.0 - par.kill_micro_factor) * vessels
    return par.egfr_micro_factor + (1.0 - par.egfr_micro_factor) * vessels if k == EGFR else 1.0


@jit
def held_fraction(u, z):
    """Growth fraction that was u and has changed by exp(-z), z small, within its limits."""
    u *= 1.0 - z * (1.0 - 0.5 * z * (1.0 - z / 3.0))
    return min(max(u, GROWTH_FRACTION_MIN), GROWTH_FRACTION_MAX)


@jit
def drug_survival(st, par, i, x, gf, part):
    """Share of the cells of lesion i, of ln size x, that survives a `part` (6,) of the drugs."""
    share, vessels = 1.0, vascular(x)
    for k in range(CLASSES):
        if st.integral[k] > 0.0:
            kill = st.integral[k] * part[k] * gf * size_factor(par, k, vessels)
            left, st.resistant[k, i] = survive(st.resistant[k, i], kill, par.rho_resistant)
            share *= left
    return share


@jit
def lowest_inside(x0, growing, kill, fade, days):
    """Lowest ln clonogens inside a step of days that starts at x0, grows by `growing` and loses `kill`.

    Growth is even, kill fades at `fade` per day: first kill wins, then growth; the balance is closed form.
    """
    if growing <= 0.0 or kill <= 0.0:
        return min(x0, x0 + growing - kill)
    whole = 1.0 - math.exp(-fade * days)
    ratio = kill * fade * days / (whole * growing)  # of kill to growth at the start
    if ratio <= 1.0:
        return x0
    s = min(math.log(ratio) / fade, days)
    return x0 + growing * s / days - kill * (1.0 - math.exp(-fade * s)) / whole


@jit
def undisturbed(st, gear, i, full, slowed, keep):
    """Growth of lesion i alone, held back by what is left of anti-VEGF drugs; dead tissue is cleared."""
    x, rate = st.x[i], st.growth[i]
    if slowed < full:
        early = full - (full - slowed) * vascular(x)
        middle = x + 0.5 * rate * early * growth_fraction(x, gear.ln_k)
        held = (full - slowed) * vascular(middle)
        st.x[i] = grow(x, full - held, rate, gear.ln_k)
        st.held_back[i] += rate * growth_fraction(0.5 * (x + st.x[i]), gear.ln_k) * held
    else:
        st.x[i] = grow(x, full, rate, gear.ln_k)
    st.cells_now[i] = math.exp(st.x[i])
    if st.debris[i] > NEGLIGIBLE_ML:
        st.debris[i] *= keep


@jit
def pieces(x, growing, kill, fast):
    """In how many pieces a lesion takes the step, by the most it may grow and lose.

    Below `fast`, the size of fastest growth, one piece is exact.
    """
    if x + growing < fast - NEAR:
        return 1
    many = max(growing, kill) / LARGEST_CHANGE
    if x - kill < fast + NEAR:
        many = max(many, 4.0)
    return int(min(max(math.ceil(many), 1.0), MOST_PIECES))


@jit
def kill_time(st, gear, days):
    """Mean time of the drugs' kill within a piece of `days`, as a share of it; st.shrink is the piece's."""
    moment, total = 0.0, 0.0
    for k in range(CLASSES):
        if st.integral[k] > 0.0:
            kill = st.integral[k] * st.part[k]
            total += kill
            moment += kill * (1.0 / gear.decay[k] - days * st.shrink[k] / (1.0 - st.shrink[k]))
    return moment / (total * days) if total > 0.0 else 0.5


@jit
def treated_step(
    st, par, gear, i, days, full, slowed, checkpoint, cells, share, thin, keep, keep_kill
):  # fmt: skip
    """Move lesion i over a step under drugs or immune kill.

    `full` and `slowed` are growth days without and with anti-VEGF drugs, which hold back lesions that live
    on vessels; growth held back is not kill and does not count towards extinction. `checkpoint` is kill per
    growth fraction, `cells` the largest kill by infused cells; effectors per cell are share exp(-x / 3)
    and thin out by exp(-thin) as all tumour grows. Dead tissue keeps `keep`, what dies `keep_kill`.
    """
    gf = growth_fraction(st.x[i], gear.ln_k)
    most = (st.kill + checkpoint) * gf + cells
    m = pieces(st.x[i], st.growth[i] * full * gf, most, gear.ln_k - GROWTH_FRACTION_MAX * gear.span)
    if m == 1:
        piece(
            st, par, gear, i, days, full, slowed, checkpoint, cells, share, thin, st.whole, st.kill_time,
            st.kill_spread, keep, keep_kill,
        )  # fmt: skip
        return
    h = 1.0 / m
    for k in range(CLASSES):
        st.shrink[k] = math.exp(-gear.decay[k] * days * h)
        st.part[k] = (1.0 - st.shrink[k]) / (1.0 - st.shrink[k] ** m)
    tau = kill_time(st, gear, days * h)
    clear = par.dead_tissue_clearance * days * h
    keep, keep_kill = math.exp(-clear), math.exp(-clear * (1.0 - tau))
    for _ in range(m):
        if st.alive[i] == 0.0:
            st.debris[i] *= keep
        else:
            piece(
                st, par, gear, i, days * h, full * h, slowed * h, checkpoint * h, cells * h, share, thin * h,
                st.part, tau, 1.0 / 12.0, keep, keep_kill,
            )  # fmt: skip
            share *= math.exp(-thin * h) if cells > 0.0 else 1.0
        for k in range(CLASSES):
            st.part[k] *= st.shrink[k]


@jit
def piece(
    st, par, gear, i, days, full, slowed, checkpoint, cells, share, thin, part, tau, spread, keep, keep_kill
):  # fmt: skip
    """Move lesion i over a piece of a step; `part` (6,) of the drugs act, at its share `tau` on average."""
    x0, rate = st.x[i], st.growth[i]
    u = (gear.ln_k - x0) * gear.per_span
    gf = min(max(u, GROWTH_FRACTION_MIN), GROWTH_FRACTION_MAX)
    by_cells = cell_kill_rate(share * math.exp(-x0 / 3.0), cells) if cells > 0.0 else 0.0
    drugs, vessels = 0.0, vascular(x0)
    for k in range(CLASSES):
        if st.integral[k] > 0.0:
            p = st.resistant[k, i]
            drugs += (
                st.integral[k] * part[k] * size_factor(par, k, vessels) * (1.0 - p + par.rho_resistant * p)
            )
    g, middle = full, x0
    if slowed < full or drugs > 0.0:
        early = full - (full - slowed) * vessels
        middle += gf * (0.5 * rate * early - (1.0 - tau) * (drugs + checkpoint)) - 0.5 * by_cells
        g -= (full - slowed) * vascular(middle)
    z_grow = rate * g * gear.per_span
    z_kill = (drugs + checkpoint + by_cells / gf) * gear.per_span
    gf_grow = held_fraction(u, 0.5 * z_grow - (1.0 - tau) * z_kill)
    gf_kill = held_fraction(u, tau * z_grow - 0.5 * z_kill)
    if cells > 0.0:
        x1 = max(x0 + (rate * g - drugs - checkpoint) * gf - by_cells, LN_LEAST)
        ratio = share * math.exp(-thin - min(x1, gear.ln_k) / 3.0)
        by_cells = 0.5 * (by_cells + cell_kill_rate(ratio, cells))
    immune = checkpoint * gf_grow + by_cells
    left = drug_survival(st, par, i, middle, gf_kill, part)
    killed = immune - math.log(left)
    if immune > 0.0:
        left *= math.exp(-immune)
    x1 = x0 + rate * gf_grow * g - killed
    clonogens = x0 + st.held_back[i]
    st.held_back[i] += rate * gf_grow * (full - g)
    limit = st.extinct_below[i]
    if clonogens - killed < limit:  # else out of reach even without growth
        fade = (1.0 - 2.0 * tau) * 6.0 / days  # of a kill with this mean time, to first order
        low = lowest_inside(clonogens, rate * gf_grow * full, killed, max(fade, 1.0e-3), days)
        if min(low, x1 + st.held_back[i]) < limit:
            bury(st, i, keep)
            return
    early = killed * spread  # what dies early dies of more cells
    grown = rate * gf_grow * g * (tau - early)  # by the time of the kill
    keep_kill *= 1.0 - par.dead_tissue_clearance * days * early
    died = st.cells_now[i] * (1.0 + grown * (1.0 + 0.5 * grown)) * (1.0 - left)
    st.x[i], st.cells_now[i] = x1, math.exp(x1)
    st.debris[i] = st.debris[i] * keep + died * ML_PER_CELL * keep_kill


@jit
def bury(st, i, keep):
    """Lesion i dies out; what it had is dead tissue."""
    st.debris[i] = (st.debris[i] + st.cells_now[i] * ML_PER_CELL) * keep
    clear_cells(st, i)


@jit
def total_cells(st):
    """All living tumour cells."""
    total = 0.0
    for i in range(st.n):
        total += st.cells_now[i]
    return total
