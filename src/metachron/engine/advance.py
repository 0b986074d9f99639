"""One step of a life: lesions, body and hazards from st.t to a later time, nothing else happening.

Growth without drugs is exact (closed form); with drugs the growth fraction is averaged over the step
(predictor-corrector, second order), drug integrals are exact. Steps end at every event, so nothing
that matters is stepped over.
"""

from __future__ import annotations

import math

from metachron.engine.records import LIVER
from metachron.model.antivascular import growth_days
from metachron.model.compiled import jit
from metachron.model.death import cancer_hazard, liver_hazard
from metachron.model.growth import CELLS_PER_ML, diameter_mm, grow, growth_fraction
from metachron.model.host import STEP_DAYS, C, E, L, host_step, start_host
from metachron.model.immune import cell_kill_rate, effector_ratio
from metachron.model.kill import CLASSES, EGFR, effect_integral, log_survival
from metachron.model.liver import regrow
from metachron.model.nerve import nerve_step

LN_MICRO = math.log(1.0e7)
LN_VASCULAR = math.log(1.0e7)  # about 2.7 mm; smaller lesions feed by diffusion (assumed)
LN_NADIR = math.log(1.0e4)


@jit
def lesion_ml(life, i):
    """Volume (mL) of lesion i as a scan would see it: living cells and dead tissue not yet cleared."""
    volume = life.debris[i]
    if life.alive[i]:
        volume += math.exp(life.x[i]) / CELLS_PER_ML
    return volume


@jit
def host_to(st, life, twin, par, days):
    """Step neutrophils, lymphocytes and infused cells over `days`; closed form when nothing acts.

    Returns the mean number of infused cells over the days.
    """
    host, k_l = life.host, math.log(2.0) / par.lymphocyte_recovery_days
    base = twin.neutrophils
    ktr = 4.0 / par.marrow_transit_h * 24.0
    kc = par.neutrophil_loss
    if st.t >= st.host_until and host[E] < 1.0e5:
        lymph = 1.0 - (1.0 - host[L]) * math.exp(-k_l * days)
        start_host(host, base, ktr, kc)
        host[L] = lymph
        life.amounts[:] = 0.0
        return 0.0
    steps = max(1, math.ceil(days / STEP_DAYS - 1e-9))
    h = days / steps
    decay_m = math.log(2.0) / par.marrow_effect_half_life_days
    decay_l = math.log(2.0) / par.lymphocyte_effect_half_life_days
    area = 0.0
    for _ in range(steps):
        area += host_step(
            host, life.work, h, life.amounts, decay_m, decay_l, base, ktr, kc, par.marrow_feedback, k_l,
            par.cell_expansion, st.cell_decay, par.cell_chemo_toxicity, par.cell_capacity,
        )  # fmt: skip
        st.nadir = min(st.nadir, host[C])
    return area / steps


@jit
def ln_burden(life):
    """ln of all living tumour cells."""
    top = -1.0e300
    for i in range(life.x.size):
        if life.alive[i] and life.x[i] > top:
            top = life.x[i]
    if top < -1.0e299:
        return top
    total = 0.0
    for i in range(life.x.size):
        if life.alive[i]:
            total += math.exp(life.x[i] - top)
    return top + math.log(total)


@jit
def drug_kill(life, i, k, gf, par):
    """Cumulative kill of class k in lesion i after the step's drug integral at growth fraction gf."""
    micro = par.egfr_micro_factor if (k == EGFR and life.x[i] < LN_MICRO) else 1.0
    return life.kill[i, k] + life.rate[k] * gf * life.integral[k] * micro


@jit
def drug_change(life, i, gf, par, commit):
    """Change of ln cells of lesion i by the step's drugs at growth fraction gf; `commit` keeps the kill."""
    change = 0.0
    for k in range(CLASSES):
        if life.integral[k] > 0.0 and life.rate[k] > 0.0:
            kill = drug_kill(life, i, k, gf, par)
            left = log_survival(kill, life.phi[i, k], par.rho_resistant)
            change += left - life.left[i, k]
            if commit:
                life.kill[i, k] = kill
                life.left[i, k] = left
    return change


@jit
def lesion_step(life, lesions, twin, par, i, days, full, slowed, immune, drugs):
    """Move lesion i over the step; extinction is decided at its nadir by the lesion's own coin.

    `full` and `slowed` are growth days without and with anti-VEGF drugs, which hold back lesions that
    live on vessels. Growth held back is not kill: it does not count towards extinction.
    """
    ln_k = math.log(par.capacity_cells)
    rate = twin.growth * lesions[i].growth
    x0 = life.x[i]
    growing = slowed if x0 > LN_VASCULAR else full
    if not drugs and immune <= 0.0:
        life.x[i] = grow(x0, growing, rate, ln_k)
        return
    gf = growth_fraction(x0, ln_k)
    change = drug_change(life, i, gf, par, False) - immune
    trial = max(grow(x0, growing, rate, ln_k) + change, -50.0)
    gf = 0.5 * (gf + growth_fraction(trial, ln_k))
    change = drug_change(life, i, gf, par, True) - immune
    grown = x0 + rate * gf * growing
    life.x[i] = grown + change
    life.held[i] += rate * gf * (full - growing)
    lost = (math.exp(grown) - math.exp(life.x[i])) / CELLS_PER_ML
    if lost > 0.0:  # killed at mid-step on average, cleared since
        life.debris[i] += lost * math.exp(-0.5 * par.dead_tissue_clearance * days)
    clonogens = life.x[i] + life.held[i]
    if clonogens < LN_NADIR and math.exp(-math.exp(clonogens) * (1.0 - par.death_over_birth)) > life.coin[i]:
        life.alive[i] = 0


@jit
def lesions_to(st, life, lesions, twin, par, days, cells):
    """Move all lesions over `days`; `cells` is the mean number of infused cells meanwhile."""
    any_drug = False
    for k in range(CLASSES):
        life.integral[k] = 0.0
        if life.effect[k] > 1.0e-5:
            life.integral[k] = effect_integral(life.effect[k], life.decay[k], days)
            life.effect[k] *= math.exp(-life.decay[k] * days)
            any_drug = any_drug or life.rate[k] > 0.0
    decay_v = math.log(2.0) / par.vegf_half_life_days
    growing = growth_days(st.vegf, decay_v, par.vegf_imax, par.vegf_ic50_mg_l, days)
    st.vegf *= math.exp(-decay_v * days)
    if st.vegf < 0.05:
        st.vegf = 0.0
    full = days
    if st.line == 2:
        full *= math.sqrt(par.line_growth_factor)
    elif st.line > 2:
        full *= par.line_growth_factor
    slowed = full * growing / days
    boost = 1.0 + par.chemo_sensitising * min(st.stress, 1.0)
    checkpoint = 0.0
    if st.checkpoint > 1.0e-4:
        decay_c = math.log(2.0) / par.checkpoint_memory_days
        state = 1.0 if twin.msi_high else par.checkpoint_mss_factor
        checkpoint = par.checkpoint_kill * state * effect_integral(st.checkpoint, decay_c, days)
        st.checkpoint *= math.exp(-decay_c * days)
    kill_cells = par.cell_kill * par.cell_effect_real
    active = cells > 1.0 and kill_cells > 0.0
    total = ln_burden(life) if active else 0.0
    ln_k = math.log(par.capacity_cells)
    clear = math.exp(-par.dead_tissue_clearance * days)
    for i in range(life.x.size):
        life.debris[i] *= clear
        if life.alive[i]:
            # like drug kill it follows the growth fraction: a constant rate would stall at small sizes,
            # where growth is fastest, and no response would last
            immune = checkpoint * twin.checkpoint * growth_fraction(life.x[i], ln_k)
            if active:
                ratio = effector_ratio(cells, par.cell_homing, life.x[i], total)
                immune += twin.immune * cell_kill_rate(ratio, kill_cells) * days
            lesion_step(life, lesions, twin, par, i, days, full, slowed, boost * immune, any_drug)
    st.stress *= math.exp(-math.log(2.0) / par.chemo_stress_half_life_days * days)


@jit
def hazard(st, life, lesions, twin, par):
    """Hazard of death per day by detected cancer and by replacement of the liver."""
    total_cm, liver_ml = 0.0, 0.0
    for i in range(life.x.size):
        volume = lesion_ml(life, i)
        if volume <= 0.0:
            continue
        if life.visible[i]:
            total_cm += diameter_mm(volume) / 10.0
        if lesions[i].organ == LIVER:
            liver_ml += volume
    h = cancer_hazard(total_cm, st.new_lesion, par.death_intercept, par.death_burden, par.death_new_lesion)
    if liver_ml > 0.0:
        size = st.liver * twin.liver_ml + liver_ml
        h += liver_hazard(liver_ml, size, par.death_liver_max, par.death_liver_mid, par.death_liver_width)
    return h


@jit
def advance(st, life, lesions, twin, par, until):
    """Move everything to `until`. Returns the day of death by cancer within the step, or infinity."""
    days = until - st.t
    if days <= 0.0:
        return math.inf
    cells = host_to(st, life, twin, par, days)
    lesions_to(st, life, lesions, twin, par, days, cells)
    if st.nerve_x > 0.0 or st.nerve_n > 0.0:
        k1, k2 = math.log(2.0) / par.neuropathy_onset_days, math.log(2.0) / par.neuropathy_recovery_days
        st.nerve_x, st.nerve_n = nerve_step(st.nerve_x, st.nerve_n, days, k1, k2)
        st.nerve_peak = max(st.nerve_peak, st.nerve_n)
    st.liver = regrow(st.liver, days, par.liver_regrowth, par.liver_plateau)
    start = st.hazard_now
    st.hazard_now = hazard(st, life, lesions, twin, par)
    gained = 0.5 * (start + st.hazard_now) * days
    t0 = st.t
    st.t = until
    if st.hazard_cancer + gained >= st.limit_cancer:
        return t0 + days * (st.limit_cancer - st.hazard_cancer) / gained
    st.hazard_cancer += gained
    return math.inf
