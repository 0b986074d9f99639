"""The treated body over one step: neutrophils, lymphocytes, infused cells, nerves and liver."""

from __future__ import annotations

import math

from metachron.engine.gear import COARSE, FINE, FINEST
from metachron.model.compiled import jit
from metachron.model.host import C, cells_step, chain_step, lymphocyte_step, mean_between, start_chain
from metachron.model.liver import regrow
from metachron.model.nerve import nerve_step

FEW_CELLS = 100.0  # infused cells below this number do nothing
# Marrow effects above which the chain takes the finest and fine steps, and below which coarse ones
VIOLENT, STRONG, WEAK = 4.5, 2.0, 0.25
# Drug effect that is gone, and share of the count within which the marrow is at rest
GONE, CLOSE = 1.0e-4, 5.0e-4
TOXIC = 0.6  # kill of infused cells per day above which they take quarters of a step


@jit
def under_gcsf(st, par):
    """Does G-CSF act today?"""
    day = st.t - st.cycle_start - par.gcsf_start_day
    return 0.0 <= day < par.gcsf_days


@jit
def marrow_step(st, twin, par, gear, size):
    """One step of the neutrophil chain of a size (0 normal, 1 fine, 2 coarse, 3 finest)."""
    j = 1 if st.gcsf_on > 0 and under_gcsf(st, par) else 0
    low = chain_step(
        st.chain, st.amounts[0], gear.fade[size], twin.neutrophils, par.marrow_feedback, gear.ktr[j],
        par.neutrophil_loss, gear.step[size], gear.per_step[size], gear.carry[size, j], gear.moment[size],
    )  # fmt: skip
    st.amounts[0] *= gear.fade[size]
    st.nadir = min(st.nadir, low)


@jit
def marrow_to(st, twin, par, gear, steps):
    """Step the chain, finely while the drug effect is strong, coarsely when it has gone."""
    t, left = st.t, steps
    while left > 0:
        if st.amounts[0] > VIOLENT:
            for _ in range(FINEST):
                marrow_step(st, twin, par, gear, 3)
        elif st.amounts[0] > STRONG:
            for _ in range(FINE):
                marrow_step(st, twin, par, gear, 1)
        elif st.amounts[0] < WEAK and left >= COARSE and st.gcsf_on == 0:
            marrow_step(st, twin, par, gear, 2)
            left -= COARSE - 1
        else:
            marrow_step(st, twin, par, gear, 0)
        left -= 1
        st.t = t + (steps - left) * gear.step[0]
    st.t = t


@jit
def cells_step_of(st, par, gear, h, fade, early):
    """One step of lymphocytes and infused cells; returns cells x days.

    Their drugs fade by `fade`, and do the share `early` of their work in the first half of the step.
    """
    cells, lymph, area = st.cells, st.lymphocytes, 0.0
    back = gear.k_l
    if par.marrow_support > 0.0:
        back += par.marrow_support * cells / (cells + par.support_half_cells)
    work = (1.0 - fade) / gear.decay_l
    lost = st.amounts[1] * work
    st.lymphocytes = lymphocyte_step(lymph, lost * early, lost, back * h)
    if cells > 0.0:
        room = 0.5 * (lymph + st.lymphocytes)
        st.cells = cells_step(
            cells, room, st.amounts[2] * work, h, par.cell_expansion, st.cell_decay,
            par.cell_chemo_toxicity, par.cell_capacity,
        )  # fmt: skip
        area = h * mean_between(cells, st.cells)
    st.amounts[1] *= fade
    st.amounts[2] *= fade
    return area


@jit
def cells_to(st, par, gear, steps):
    """Step lymphocytes and infused cells, finely while drugs kill them; returns their mean number."""
    area, parts, fade, early, h = 0.0, 0, 1.0, 0.5, gear.step[0]
    for _ in range(steps):
        toxic = par.cell_chemo_toxicity * st.amounts[2] if st.cells > 0.0 else 0.0
        wanted = 4 if toxic > TOXIC else (2 if toxic > 0.4 * TOXIC else 1)
        if wanted != parts:
            parts = wanted
            fade = math.exp(-gear.decay_l * h / parts)
            early = 1.0 / (1.0 + math.sqrt(fade))
        for _part in range(parts):
            area += cells_step_of(st, par, gear, h / parts, fade, early)
    return area / (steps * h)


@jit
def rested(st, twin, par, gear):
    """Has the marrow come to rest, no drug acting on it and none on lymphocytes or infused cells?"""
    if st.amounts[0] > GONE or st.gcsf_on > 0 or (st.lymph > 0 and max(st.amounts[1], st.amounts[2]) > GONE):
        return False
    level = twin.neutrophils * par.neutrophil_loss / gear.ktr[0]
    for j in range(C):
        if abs(st.chain[j] - level) > CLOSE * level:
            return False
    return abs(st.chain[C] - twin.neutrophils) <= CLOSE * twin.neutrophils


@jit
def body_to(st, twin, par, gear, days):
    """Move the body over whole days. Returns the mean number of infused cells meanwhile."""
    mean = 0.0
    steps = math.ceil(days * gear.host_steps - 1e-9)
    if st.t < st.host_until and rested(st, twin, par, gear):
        st.host_until = st.t
    marrow = st.t < st.host_until
    if marrow:
        marrow_to(st, twin, par, gear, steps)
    elif st.chain[C] != twin.neutrophils:
        start_chain(st.chain, twin.neutrophils, gear.ktr[0], par.neutrophil_loss)
        st.amounts[0] = 0.0
    if st.lymph > 0:
        if marrow or st.cells > FEW_CELLS:
            mean = cells_to(st, par, gear, steps)
        else:
            st.cells, st.amounts[1], st.amounts[2] = 0.0, 0.0, 0.0
            st.lymphocytes = lymphocyte_step(st.lymphocytes, 0.0, 0.0, gear.k_l * days)
    if st.nerve_x > 0.0 or st.nerve_n > 0.0:
        st.nerve_x, st.nerve_n = nerve_step(st.nerve_x, st.nerve_n, days, gear.nerve_k1, gear.nerve_k2)
        st.nerve_peak = max(st.nerve_peak, st.nerve_n)
    if st.liver < par.liver_plateau:
        st.liver = regrow(st.liver, days, par.liver_regrowth, par.liver_plateau)
    return mean
