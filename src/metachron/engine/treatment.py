"""Systemic treatment of one life: cycles, doses, the rules that hold, reduce and stop, and toxicity."""

from __future__ import annotations

import math

from metachron.engine import random as keyed
from metachron.engine.records import (
    AT_CYCLE_END,
    AT_CYCLE_START,
    CAUSE_TOXICITY,
    GIVE_CELLS,
    GIVE_CHECKPOINT,
    GIVE_VEGF,
    NOT_PAUSED,
    START_PLANNED,
)
from metachron.engine.rules import (
    ENDS,
    GO_ON,
    PAUSES,
    apply_rules,
    days_to_wait,
    given_level,
    neuropathy,
)
from metachron.model.compiled import jit
from metachron.model.host import C
from metachron.model.kill import CLASSES, EGFR, OX, resistance_off_drug, resistant_fraction
from metachron.model.nerve import nerve_grade, nerve_step
from metachron.model.toxicity import (
    FEBRILE,
    FIRST_REPORTED,
    LIVER_FAILURE,
    NEUROPATHY,
    NEUTROPENIA,
    SURGICAL,
    neutropenia_grade,
)

HOST_DAYS = 90.0
MOST_MARROW = 30.0  # effect on marrow; more changes nothing, all precursors die


@jit
def set_rates(st, twin, par):
    """Kill per day of each class for this patient and line."""
    potency = par.later_line_potency if st.line >= 2 else 1.0
    s = twin.sensitivity * potency
    st.rate[0] = par.kappa_fp * s
    st.rate[1] = par.kappa_ox * s
    st.rate[2] = par.kappa_iri * s
    st.rate[3] = par.kappa_ftd * twin.sensitivity
    st.rate[4] = par.kappa_egfr * twin.sensitivity * twin.egfr_active
    st.rate[5] = par.kappa_target * twin.sensitivity


@jit
def set_resistance(st, twin, par, k):
    """Resistant share of each lesion for a class about to be given: by size first, later what is left."""
    if st.given[k] < 0.0:
        for i in range(st.n):
            more = st.resistance[i]
            st.phi[k, i] = resistant_fraction(st.x[i], twin.logit_macro[k] + more, twin.logit_micro[k] + more)
            st.resistant[k, i] = st.phi[k, i]
    elif k == EGFR and st.t > st.given[k]:
        half_life = par.resistance_half_life_egfr_days
        for i in range(st.n):
            if st.resistant[k, i] < 1.0 and st.phi[k, i] < 1.0:
                st.resistant[k, i] = resistance_off_drug(
                    st.resistant[k, i], st.phi[k, i], st.t - st.given[k], half_life
                )
    st.given[k] = st.t


@jit
def begin_systemic(st, twin, par, programme, index):
    """Start a course: doses, line, and the resistant share of each lesion for each class."""
    segment = programme.segments[index]
    if index >= programme.n_planned:
        close_nerve(st, twin, par)
    st.segment = index
    st.cycle = -1
    st.next_cycle = st.t
    st.admin = segment.admin_to
    st.delayed = 0.0
    st.paused, st.cycle_from = NOT_PAUSED, 0
    st.held[:] = 0.0
    if segment.line > 0:
        st.line = segment.line
        st.failed = max(st.failed, segment.line - 1)
    set_rates(st, twin, par)
    for k in range(CLASSES):
        st.dose[k] = min(st.dose[k], segment.dose[k])  # what was reduced or stopped stays so
    for a in range(segment.admin_from, segment.admin_to):
        what = programme.admins[a].what
        if what < CLASSES:
            set_resistance(st, twin, par, what)


@jit
def give(st, twin, par, gear, segment, admin):
    """One administration, scaled by the level the rules have left."""
    what = admin.what
    level = given_level(st, what)
    if what < CLASSES:
        st.effect[what] += admin.amount * level * segment.cycle_days * gear.decay[what]
        if level > 0.0:
            st.given[what] = st.t
        if what == OX:
            st.nerve_x += admin.ox_mg * level
            st.ox_total += admin.ox_mg * level
    elif what == GIVE_VEGF:
        st.vegf += level * admin.amount * par.vegf_level_mg_l * segment.cycle_days / 14.0
    elif what == GIVE_CHECKPOINT:
        st.checkpoint = max(st.checkpoint, min(1.0, level * admin.amount))
    elif what == GIVE_CELLS:
        st.cells += level * admin.amount
        st.cell_decay = math.log(2.0) / (admin.half_life * par.cell_half_life_factor)
        st.host_until = max(st.host_until, st.t + HOST_DAYS)
    if admin.chemo > 0.0:
        hit = admin.chemo * level
        st.amounts[0] = min(st.amounts[0] + hit * segment.marrow * twin.marrow_factor, MOST_MARROW)
        if st.lymph:
            st.amounts[1] += -math.log(1.0 - min(segment.lymph, 0.99)) * hit * gear.decay_l
            st.amounts[2] += hit
        st.stress = min(1.0, st.stress + hit)
        st.host_until = max(st.host_until, st.t + HOST_DAYS)


@jit
def grade_cycle(st, twin, par, programme, seed):
    """Toxicity of the cycle that has just ended; only that of planned treatment is recorded."""
    planned = st.segment < programme.n_planned
    for kind in range(st.grades.size):
        if kind != SURGICAL and kind != LIVER_FAILURE:
            st.tox_grade[kind] = 0.0
    st.febrile = 0
    st.tox_grade[NEUTROPENIA] = neutropenia_grade(st.nadir)
    st.tox_grade[NEUROPATHY] = neuropathy(st, twin, par)
    if st.nadir < 0.5:
        st.febrile_count += 1
        if keyed.uniform(seed, twin.key, keyed.FEBRILE, st.febrile_count) < par.febrile_given_grade4:
            st.febrile = 1
            fatal = keyed.uniform(seed, twin.key, keyed.FEBRILE_DEATH, st.febrile_count)
            if fatal < par.febrile_mortality:
                st.death_set, st.set_cause = min(st.death_set, st.t), CAUSE_TOXICITY
            st.tox_grade[FEBRILE] = 5.0 if fatal < par.febrile_mortality else 3.0
    other_toxicity(st, twin, programme, seed)
    if planned:
        for kind in range(st.grades.size):
            if kind != NEUROPATHY:  # followed to its peak by close_nerve
                st.grades[kind] = max(st.grades[kind], int(st.tox_grade[kind]))


@jit
def close_nerve(st, twin, par):
    """Worst neuropathy of planned treatment: the burden still rises for about three months after it."""
    if not st.nerve_closed:
        st.nerve_closed = 1
        x, n = st.nerve_x, st.nerve_n
        k1, k2 = math.log(2.0) / par.neuropathy_onset_days, math.log(2.0) / par.neuropathy_recovery_days
        for _ in range(20):  # what is still on its way to the nerve
            x, n = nerve_step(x, n, 10.0, k1, k2)
            st.nerve_peak = max(st.nerve_peak, n)
        grade2, grade3 = par.neuropathy_grade2_mg_m2, par.neuropathy_grade3_mg_m2
        worst = nerve_grade(st.nerve_peak, twin.nerve_factor, 0, grade2, grade3)
        st.grades[NEUROPATHY] = max(st.grades[NEUROPATHY], worst)


@jit
def other_toxicity(st, twin, programme, seed):
    """Kinds known by their frequency: a kind happens once, when its summed hazard passes its own coin."""
    for kind in range(FIRST_REPORTED, st.tox_grade.size):
        h = programme.toxicity[st.segment, kind]
        if h <= 0.0 or st.tox_hazard[kind] < 0.0:
            continue
        if st.tox_limit[kind] == 0.0:
            st.tox_limit[kind] = keyed.exponential(seed, twin.key, keyed.TOXICITY, kind)
        st.tox_hazard[kind] += h
        if st.tox_hazard[kind] >= st.tox_limit[kind]:
            st.tox_hazard[kind] = -1.0
            severe = keyed.uniform(seed, twin.key, keyed.TOXICITY_GRADE4, kind)
            st.tox_grade[kind] = 4.0 if severe < programme.grade4[st.segment, kind] else 3.0


@jit
def any_dose_left(st, programme, segment):
    """Is anything still given in this course?"""
    for a in range(segment.admin_from, segment.admin_to):
        what = programme.admins[a].what
        if what > GIVE_CELLS or st.dose[what] > 0.0:
            return True
    return False


@jit
def mean_dose(st, programme, segment):
    """Mean dose level over the cytotoxic classes of the course."""
    total, count = 0.0, 0
    for k in range(CLASSES):
        for a in range(segment.admin_from, segment.admin_to):
            if programme.admins[a].what == k and programme.admins[a].chemo > 0.0:
                total += given_level(st, k) / max(segment.dose[k], 1e-9)
                count += 1
                break
    return total / count if count > 0 else 1.0


@jit
def stops_early(st, twin, par, segment, seed):
    """Does the patient stop a course of fixed length for a reason that no rule knows?"""
    if not segment.cytotoxic or segment.cycles == 0 or st.cycle < 0 or st.delayed > 0.0:
        return False
    st.stop_count += 1
    return keyed.uniform(seed, twin.key, keyed.STOP_EARLY, st.stop_count) < par.stop_per_cycle


@jit
def close_cycle(st, twin, par, programme, seed):
    """The cycle that ran is over: its toxicity, then the rules. Returns what they decide."""
    if st.paused != NOT_PAUSED:  # an interval ends; the cycle before it was closed when it began
        st.paused = NOT_PAUSED
        st.cycle_from = st.cycle + 1
        st.delayed = 0.0
        st.held[:] = 0.0
        return GO_ON
    if st.cycle < 0 or st.delayed > 0.0:
        return GO_ON
    grade_cycle(st, twin, par, programme, seed)
    st.held[:] = 0.0
    return apply_rules(st, twin, par, programme, AT_CYCLE_END)


@jit
def open_cycle(st, programme, out):
    """Begin the next cycle today."""
    segment = programme.segments[st.segment]
    st.delayed = 0.0
    st.cycle += 1
    st.cycle_start = st.t
    st.gcsf_on = 1 if st.gcsf and segment.cytotoxic else 0
    st.next_cycle = st.t + segment.cycle_days
    st.admin = segment.admin_from
    st.nadir = st.chain[C]
    if st.segment < programme.n_planned and segment.cytotoxic and segment.trigger == START_PLANNED:
        out.cycles_given += 1
        out.dose_given += mean_dose(st, programme, segment)


@jit
def cycle_boundary(st, twin, par, programme, out, seed):
    """End of one cycle and start of the next. Returns GO_ON or PAUSES; ENDS or SWITCHES when it is over."""
    segment = programme.segments[st.segment]
    decision = close_cycle(st, twin, par, programme, seed)
    if st.death_set <= st.t or (segment.cycles > 0 and st.cycle + 1 >= segment.cycles):
        return max(ENDS, decision)
    if decision >= PAUSES:
        return decision
    if not any_dose_left(st, programme, segment) or stops_early(st, twin, par, segment, seed):
        return ENDS
    wait = days_to_wait(st, twin, par, programme)
    if wait == math.inf:
        return ENDS
    if wait > 0.0:
        st.delayed += wait
        st.next_cycle = st.t + wait
        return GO_ON
    decision = apply_rules(st, twin, par, programme, AT_CYCLE_START)
    if decision >= PAUSES:
        return decision
    open_cycle(st, programme, out)
    return GO_ON
