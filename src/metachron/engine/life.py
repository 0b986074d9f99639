"""One life: a twin under a programme, from day 0 to death or the horizon.

Order at one day: treatment that is due (procedure, cycle, administration), then the scan. Steps are at
most a week while drugs act, two days while infused cells do, four weeks otherwise.
"""

from __future__ import annotations

import math

import numpy as np

from metachron.engine import random as keyed
from metachron.engine.advance import advance, hazard, lesion_ml
from metachron.engine.imaging import RECIST_RESPONSE, next_scan_day, scan, set_baseline, sums
from metachron.engine.procedures import confined, operate
from metachron.engine.records import (
    CAUSE_BACKGROUND,
    CAUSE_CANCER,
    DIED,
    LIVER,
    OCCULT,
    PROCEDURE,
    STATE,
    VISIBLE,
    Life,
)
from metachron.engine.treatment import begin_systemic, close_nerve, cycle_boundary, give
from metachron.model.compiled import first_record, jit
from metachron.model.death import background_day
from metachron.model.growth import diameter_mm
from metachron.model.host import STATES, E, start_host
from metachron.model.kill import CLASSES

STEP_DRUGS, STEP_CELLS, STEP_DISEASE, STEP_QUIET = 7.0, 2.0, 28.0, 91.0
SYMPTOM_MM = 60.0
MOST_REPEATS, REPEAT_MAX_MM, REPEAT_MAX_LESIONS = 2, 50.0, 3
REPEAT_WAIT, LINE_WAIT = 28.0, 14.0


@jit
def new_life(lesions, twin, par, kinds, seed):
    """Working arrays at day 0."""
    n = lesions.size
    life = Life(
        np.zeros(n), np.zeros(CLASSES), np.zeros((n, CLASSES)), np.zeros((n, CLASSES)),
        np.zeros((n, CLASSES)), np.zeros(n), np.zeros(n), np.zeros(n, np.int64), np.zeros(n, np.int64),
        np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(STATES), np.zeros((5, STATES)),
        np.zeros(3), np.zeros(CLASSES), np.zeros(CLASSES), np.zeros(n), np.zeros(CLASSES),
        np.zeros(CLASSES), np.zeros(kinds),
    )  # fmt: skip
    for i in range(n):
        life.x[i] = lesions[i].x
        life.alive[i] = 1 if (lesions[i].status == VISIBLE or lesions[i].status == OCCULT) else 0
        life.visible[i] = 1 if lesions[i].status == VISIBLE else 0
        life.coin[i] = keyed.uniform(seed, twin.key, keyed.EXTINCTION, i)
    life.dose[:] = 1.0
    start_host(life.host, twin.neutrophils, 4.0 / par.marrow_transit_h * 24.0, par.neutrophil_loss)
    ln2 = math.log(2.0)
    life.decay[0] = ln2 / par.half_life_fp_days
    life.decay[1] = ln2 / par.half_life_ox_days
    life.decay[2] = ln2 / par.half_life_iri_days
    life.decay[3] = ln2 / par.half_life_ftd_days
    life.decay[4] = ln2 / par.half_life_egfr_days
    life.decay[5] = ln2 / par.half_life_target_days
    return life


@jit
def begin(st, life, lesions, twin, par, programme, seed):
    """State at day 0."""
    st.segment, st.queued, st.cycle = -1, -1, -1
    st.queue_day = math.inf
    st.line = twin.start_line
    st.liver = twin.liver_share
    st.nerve_n = twin.nerve_burden
    st.nadir = twin.neutrophils
    st.cell_decay = 0.1
    target = keyed.exponential(seed, twin.key, keyed.DEATH_BACKGROUND, 0)
    st.death_background = background_day(
        target, twin.age, par.background_65, par.background_doubling_years, twin.background_factor
    )
    st.death_set = math.inf
    st.limit_cancer = keyed.exponential(seed, twin.key, keyed.DEATH_CANCER, 0)
    visible = 0
    for i in range(life.x.size):
        visible += life.visible[i]
    st.ned = 1 if visible == 0 else 0
    st.course = 0 if visible == 0 else 1
    set_baseline(st, life, lesions)
    st.hazard_now = hazard(st, life, lesions, twin, par)
    st.next_scan = next_scan_day(st, programme.scans, programme.on_treatment_days, programme.first_scan)
    plan_next(st, programme)


@jit
def plan_next(st, programme):
    """Queue the next planned step, its gap counted from now."""
    st.queued = -1
    st.queue_day = math.inf
    if st.planned_next < programme.n_planned:
        st.queued = st.planned_next
        st.queue_day = st.t + programme.segments[st.queued].gap
        st.planned_next += 1


@jit
def end_course(st, ends):
    """The running course, if any, is over."""
    if st.segment >= 0:
        ends[st.segment] = st.t
        st.segment = -1


@jit
def next_line(st, programme, twin, par, seed):
    """Start the next line of treatment, if there is one and the patient is fit for it."""
    st.queued, st.queue_day = -1, math.inf
    first = st.course > 0 and st.line == 0
    share = math.sqrt(par.next_line_share) if first else par.next_line_share
    if st.line_index >= programme.n_lines:
        st.line = max(st.line, 1) + 1
        return
    if keyed.uniform(seed, twin.key, keyed.NEXT_LINE, st.line_index) >= share:
        st.line_index = programme.n_lines
        return
    st.queued = programme.n_planned + st.line_index
    st.queue_day = st.t + LINE_WAIT
    st.line_index += 1


@jit
def extrahepatic_visible(life, lesions):
    """Is any visible lesion outside the liver?"""
    for i in range(life.x.size):
        if life.visible[i] and lesions[i].organ != LIVER:
            return True
    return False


@jit
def on_progression(st, life, lesions, twin, par, programme, ends, seed, relapse):
    """What follows progression or recurrence: planned surgery, local treatment again, or the next line."""
    if st.queued >= programme.n_planned and st.queued != programme.continue_segment:
        return  # what follows an earlier progression is about to start
    end_course(st, ends)
    upcoming = st.queued if st.queued >= 0 and st.queued < programme.n_planned else st.planned_next
    if upcoming < programme.n_planned and not relapse:
        operation = programme.segments[upcoming].kind == PROCEDURE
        if operation and not extrahepatic_visible(life, lesions):
            if st.queued < 0:
                plan_next(st, programme)
            return
    st.planned_next = programme.n_planned
    if relapse and programme.repeat_segment >= 0 and st.repeats < MOST_REPEATS:
        organ = confined(life, lesions, REPEAT_MAX_MM, REPEAT_MAX_LESIONS)
        if (
            organ >= 0
            and keyed.uniform(seed, twin.key, keyed.REPEAT_LOCAL, st.repeats) < par.repeat_local_share
        ):
            st.queued = programme.repeat_segment
            st.queue_day = st.t + REPEAT_WAIT
            return
    next_line(st, programme, twin, par, seed)


@jit
def shrunk(st, life, lesions):
    """Has the disease shrunk by 30 % since the start, so that unresectable lesions may be taken out?"""
    return sums(life, lesions, False) <= RECIST_RESPONSE * st.base_sum


@jit
def may_operate(st, life, lesions, twin, par, programme, index, seed):
    """Organ to operate on, or -1 when the plan has changed: disease elsewhere, or too little shrinkage."""
    if index == programme.repeat_segment:
        organ = confined(life, lesions, 1.0e9, 1000)
        if organ < 0:
            next_line(st, programme, twin, par, seed)
        return organ
    if extrahepatic_visible(life, lesions):
        st.planned_next = programme.n_planned
        next_line(st, programme, twin, par, seed)
        return -1
    if programme.segments[index].needs_response and not st.ned and not shrunk(st, life, lesions):
        st.planned_next = programme.n_planned
        st.queued, st.queue_day = programme.continue_segment, st.t
        return -1
    return LIVER


@jit
def start_operation(st, life, lesions, twin, par, programme, out, grades, starts, ends, seed, index):
    """Operate if it still makes sense, then follow the plan or the next line."""
    organ = may_operate(st, life, lesions, twin, par, programme, index, seed)
    if organ < 0:
        return
    segment = programme.segments[index]
    planned = index < programme.n_planned
    starts[index] = st.t
    operate(st, life, lesions, segment, twin, par, out, grades, seed, organ, st.repeats, planned)
    st.repeats += 1
    ends[index] = st.t + segment.recovery
    if planned:
        plan_next(st, programme)
    elif not st.ned:
        next_line(st, programme, twin, par, seed)
    st.next_scan = next_scan_day(st, programme.scans, programme.on_treatment_days, programme.first_scan)


@jit
def start_queued(st, life, lesions, twin, par, programme, out, grades, starts, ends, seed):
    """The queued step is due: operate, or begin a course."""
    index = st.queued
    st.queued, st.queue_day = -1, math.inf
    if programme.segments[index].kind == PROCEDURE:
        start_operation(st, life, lesions, twin, par, programme, out, grades, starts, ends, seed, index)
        return
    starts[index] = st.t
    begin_systemic(st, life, twin, par, programme, grades, index)
    if not st.ned:
        st.next_scan = min(st.next_scan, st.t + programme.on_treatment_days)


@jit
def treatment_day(st, programme):
    """Day of the next treatment event of the running course or the queue."""
    day = st.queue_day
    if st.segment >= 0:
        segment = programme.segments[st.segment]
        due = st.next_cycle
        if st.admin < segment.admin_to:
            due = min(due, st.cycle_start + programme.admins[st.admin].day)
        day = min(day, due)
    return day


@jit
def treat(st, life, lesions, twin, par, programme, out, grades, starts, ends, seed):
    """Everything of treatment that is due today."""
    if st.queue_day <= st.t + 1e-9:
        start_queued(st, life, lesions, twin, par, programme, out, grades, starts, ends, seed)
    if st.segment < 0:
        return
    if st.next_cycle <= st.t + 1e-9 and not cycle_boundary(st, life, twin, par, programme, out, grades, seed):
        finished = st.segment
        end_course(st, ends)
        if finished < programme.n_planned:
            plan_next(st, programme)
        return
    segment = programme.segments[st.segment]
    while st.admin < segment.admin_to:
        admin = programme.admins[st.admin]
        if st.cycle_start + admin.day > st.t + 1e-9:
            break
        if admin.until_cycle == 0 or st.cycle < admin.until_cycle:
            give(st, life, twin, par, segment, admin)
        st.admin += 1


@jit
def step_limit(st, life):
    """Longest step that keeps the lesion solution accurate."""
    if life.host[E] > 1.0e5:
        return STEP_CELLS
    for k in range(CLASSES):
        if life.effect[k] > 1.0e-4:
            return STEP_DRUGS
    if st.segment >= 0:
        return STEP_DRUGS
    return STEP_QUIET if st.ned else STEP_DISEASE


@jit
def any_lesion(life):
    """Is any lesion alive?"""
    for i in range(life.x.size):
        if life.alive[i]:
            return True
    return False


@jit
def symptomatic(life):
    """Has an unseen lesion grown large enough to be felt?"""
    for i in range(life.x.size):
        if life.alive[i] and not life.visible[i] and diameter_mm(lesion_ml(life, i)) > SYMPTOM_MM:
            return True
    return False


@jit
def finish(st, life, out, day, cause, horizon):
    """Write death, events and what is left."""
    if day < horizon:
        out.death, out.cause = day, cause
        if out.pfs_event == 0:
            out.pfs, out.pfs_event = day, DIED
        if out.hepatic_event == 0:
            out.hepatic, out.hepatic_event = day, DIED
    out.no_cells = 0 if any_lesion(life) else 1
    out.response = st.best
    out.lines = st.line_index


@jit
def live(lesions, twin, par, programme, seed, horizon, out, grades, starts, ends):
    """Simulate one life. Writes `out`, `grades`, `starts` and `ends`; stops at `horizon`."""
    life = new_life(lesions[: twin.n_lesions], twin, par, grades.size, seed)
    st = first_record(np.zeros(1, STATE))
    begin(st, life, lesions, twin, par, programme, seed)
    ln_limit = math.log(programme.ct_limit)
    death, cause = st.death_background, CAUSE_BACKGROUND
    while True:
        if not any_lesion(life) and st.queued < 0 and st.segment < 0 and st.ned:
            break
        until = min(horizon, st.t + step_limit(st, life), treatment_day(st, programme), st.next_scan)
        fatal = advance(st, life, lesions, twin, par, max(until, st.t))
        first = min(fatal, st.death_background, st.death_set)
        if first <= st.t or st.t >= horizon:
            if fatal <= first:
                death, cause = fatal, CAUSE_CANCER
            elif st.death_set <= first:
                death, cause = st.death_set, st.set_cause
            break
        treat(st, life, lesions, twin, par, programme, out, grades, starts, ends, seed)
        if st.t >= st.next_scan - 1e-9 or symptomatic(life):
            relapse = st.ned == 1
            if scan(st, life, lesions, twin, par, out, ln_limit):
                on_progression(st, life, lesions, twin, par, programme, ends, seed, relapse)
            st.next_scan = next_scan_day(
                st, programme.scans, programme.on_treatment_days, programme.first_scan
            )
    if st.death_set < death:
        death, cause = st.death_set, st.set_cause
    if st.segment >= 0:
        ends[st.segment] = min(death, horizon)
    close_nerve(st, twin, par, grades)
    finish(st, life, out, death, cause, horizon)
    return 0
