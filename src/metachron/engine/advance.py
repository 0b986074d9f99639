"""One step of a life: body, lesions and hazards from st.t to a later whole day, nothing else happening.

Steps end at every event, so nothing that matters is stepped over.
"""

from __future__ import annotations

import math

from metachron.engine.body import body_to
from metachron.engine.lesions import (
    NEGLIGIBLE_ML,
    lesion_ml,
    total_cells,
    treated_step,
    undisturbed,
)
from metachron.engine.records import LIVER
from metachron.model.antivascular import growth_days
from metachron.model.compiled import jit
from metachron.model.death import cancer_hazard, liver_hazard
from metachron.model.growth import diameter_mm
from metachron.model.immune import effector_share
from metachron.model.kill import CLASSES, effect_integral
from metachron.model.liver import regeneration_days

SPENT = 1.0e-5  # drug effects, checkpoint and stress below this are nought
SPENT_VEGF = 0.005  # mg/L


@jit
def time_spread(decay, days, fade, mean):
    """Covariance of the time of a fading kill with its share done by then, in days."""
    z = decay * days
    first = 1.0 - fade * (1.0 + z)
    second = 0.25 * (1.0 - fade * fade * (1.0 + 2.0 * z))
    return (first - second) / (decay * (1.0 - fade) ** 2) - 0.5 * mean


@jit
def drugs_to(st, gear, days):
    """Kill of each class over the step at growth fraction 1, and what is left of the effect. Any at all?

    Also notes the mean time of the kill as a share of the step.
    """
    total, moment, spread = 0.0, 0.0, 0.0
    for k in range(CLASSES):
        st.integral[k] = 0.0
        if st.effect[k] > SPENT:
            fade = math.exp(-gear.decay[k] * days)
            kill = st.rate[k] * st.effect[k] * (1.0 - fade) / gear.decay[k]
            st.integral[k] = kill
            st.effect[k] *= fade
            total += kill
            mean = 1.0 / gear.decay[k] - days * fade / (1.0 - fade)
            moment += kill * mean
            spread += kill * time_spread(gear.decay[k], days, fade, mean)
        else:
            st.effect[k] = 0.0
    st.kill, st.kill_time = total, moment / (total * days) if total > 0.0 else 0.5
    st.kill_spread = spread / (total * days) if total > 0.0 else 1.0 / 12.0
    return total > 0.0


@jit
def growing_days(st, par, gear, days):
    """(days of growth without and with anti-VEGF drugs): progressions so far, regrowth of the liver."""
    full = days
    if st.failed == 1:
        full *= math.sqrt(par.line_growth_factor)
    elif st.failed > 1:
        full *= par.line_growth_factor
    if st.removed > 0.0 and par.regeneration_growth > 0.0:
        strength = par.regeneration_growth * st.removed
        full *= 1.0 + regeneration_days(st.t - st.removed_on, days, strength, par.regeneration_days) / days
    if st.vegf <= 0.0:
        return full, full
    slowed = growth_days(st.vegf, gear.decay_v, par.vegf_imax, par.vegf_ic50_mg_l, days)
    st.vegf *= math.exp(-gear.decay_v * days)
    if st.vegf < SPENT_VEGF:
        st.vegf = 0.0
    return full, full * slowed / days


@jit
def immune_boost(st, par, gear, days):
    """Factor on immune kill over the step: chemotherapy stress, antigen set free by freezing."""
    stress, pulse = 0.0, 0.0
    if st.stress > SPENT:
        stress = par.chemo_sensitising * effect_integral(st.stress, gear.decay_s, days) / days
        st.stress *= math.exp(-gear.decay_s * days)
    if st.pulse > SPENT:
        fade = 1.0 / par.antigen_pulse_days
        pulse = effect_integral(st.pulse, fade, days) / days
        st.pulse *= math.exp(-fade * days)
    return (1.0 + stress) * (1.0 + pulse)


@jit
def checkpoint_kill(st, twin, par, gear, days):
    """Kill by checkpoint inhibitors over the step at growth fraction 1."""
    if st.checkpoint <= 10.0 * SPENT:
        st.checkpoint = 0.0
        return 0.0
    state = 1.0 if twin.msi_high else par.checkpoint_mss_factor
    dose = effect_integral(st.checkpoint, gear.decay_c, days)
    st.checkpoint *= math.exp(-gear.decay_c * days)
    return twin.checkpoint * par.checkpoint_kill * state * dose


@jit
def effectors_now(st, par, days, effectors):
    """(share of the effectors for lesions, how it thins out over the step as all tumour grows).

    The change of all tumour is predicted from that since the last look.
    """
    ln_total = math.log(max(total_cells(st), 1.0))
    since = st.t - st.total_on
    pace = (ln_total - st.ln_total) / since if 0.0 < since < 30.0 else 0.0
    st.ln_total, st.total_on = ln_total, st.t
    return effector_share(effectors, par.cell_homing, ln_total), 2.0 / 3.0 * pace * days


@jit
def awake_days(st, i, days):
    """Days of the step in which lesion i is no longer dormant."""
    return min(days, max(0.0, st.t + days - st.wakes[i]))


@jit
def lesions_to(st, twin, par, gear, days, effectors):
    """Move all lesions over `days`; `effectors` is the mean number of infused cells meanwhile."""
    drugs = drugs_to(st, gear, days)
    full, slowed = growing_days(st, par, gear, days)
    boost = immune_boost(st, par, gear, days)
    checkpoint = boost * checkpoint_kill(st, twin, par, gear, days)
    cells = 0.0
    if effectors > 1.0 and gear.cell_kill > 0.0:
        cells = boost * twin.immune * gear.cell_kill * days
    share, thin = 0.0, 0.0
    if cells > 0.0:
        share, thin = effectors_now(st, par, days, effectors)
    keep = math.exp(-par.dead_tissue_clearance * days)
    keep_kill = math.exp(-par.dead_tissue_clearance * days * (1.0 - st.kill_time))
    for i in range(st.n):
        if st.alive[i] == 0.0:
            if st.debris[i] > NEGLIGIBLE_ML:
                st.debris[i] *= keep
            continue
        awake = 1.0 if st.wakes[i] <= st.t else awake_days(st, i, days) / days
        if drugs or checkpoint > 0.0 or cells > 0.0:
            treated_step(
                st, par, gear, i, days, awake * full, awake * slowed, checkpoint, cells, share, thin, keep,
                keep_kill,
            )  # fmt: skip
        else:
            undisturbed(st, gear, i, awake * full, awake * slowed, keep)


@jit
def hazard(st, twin, par):
    """Hazard of death per day by detected cancer and by replacement of the liver.

    Measures every visible lesion: st.mm holds the diameters of the day.
    """
    total_cm, liver_ml = 0.0, 0.0
    for i in range(st.n):
        volume = lesion_ml(st, i)
        if st.visible[i] > 0.0:
            st.mm[i] = diameter_mm(volume) if volume > NEGLIGIBLE_ML else 0.0
            total_cm += 0.1 * st.mm[i]
        if st.organ[i] == LIVER:
            liver_ml += volume
    start = par.death_intercept + twin.ln_frailty + par.death_line * math.log(1.0 + st.failed)
    if st.failed > 0:
        start += par.death_progressed
    h = cancer_hazard(
        total_cm, st.new_lesion, start, par.death_burden, par.death_new_lesion, par.death_full_cm
    )
    if liver_ml > 0.0:
        size = st.liver * twin.liver_ml + liver_ml
        h += liver_hazard(liver_ml, size, par.death_liver_max, par.death_liver_mid, par.death_liver_width)
    return h


@jit
def advance(st, twin, par, gear, until):
    """Move everything to `until`. Returns the day of death by cancer within the step, or infinity."""
    days = until - st.t
    if days <= 0.0:
        return math.inf
    effectors = body_to(st, twin, par, gear, days)
    lesions_to(st, twin, par, gear, days, effectors)
    start = st.hazard_now
    st.hazard_now = hazard(st, twin, par)
    gained = 0.5 * (start + st.hazard_now) * days
    t0 = st.t
    st.t = until
    if st.hazard_cancer + gained >= st.limit_cancer:
        return t0 + days * (st.limit_cancer - st.hazard_cancer) / gained
    st.hazard_cancer += gained
    return math.inf
