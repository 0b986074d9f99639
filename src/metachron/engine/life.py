"""One life: a twin under a programme, from day 0 to death or the horizon.

Everything happens on whole days but death. Order at one day: treatment that is due (procedure, cycle,
administration), then the scan. Steps are at most two weeks while drugs act, four days while infused
cells do, four weeks with disease otherwise; without disease the next step is the next event.
"""

from __future__ import annotations

import math

from metachron.engine.advance import advance, hazard
from metachron.engine.begin import begin
from metachron.engine.body import FEW_CELLS
from metachron.engine.course import (
    answers_progression,
    end_course,
    extrahepatic_visible,
    leave_course,
    next_line,
    on_progression,
    plan_next,
    queue,
    removable_now,
)
from metachron.engine.imaging import RECIST_RESPONSE, next_scan_day, scan, sums
from metachron.engine.lesions import lesion_ml
from metachron.engine.procedures import confined, operate
from metachron.engine.records import (
    AT_SCAN,
    CAUSE_BACKGROUND,
    CAUSE_CANCER,
    DIED,
    LIVER,
    NOT_PAUSED,
    PROCEDURE,
    START_PLANNED,
)
from metachron.engine.rules import ENDS, GO_ON, apply_rules
from metachron.engine.treatment import begin_systemic, close_nerve, cycle_boundary, give
from metachron.model.compiled import jit
from metachron.model.growth import CELLS_PER_ML, GROWTH_FRACTION_MAX
from metachron.model.kill import CLASSES

STEP_DRUGS, STEP_CELLS, STEP_DISEASE = 14.0, 4.0, 28.0
VISIT = 28.0
FELT_DEBRIS_ML = 1.0  # of an unseen lesion; less does not make it felt
MANY_CELLS = 1.0e6  # infused cells above this ask for short steps
ACTING = 1.0e-4  # drug effects above this ask for short steps


@jit
def shrunk(st):
    """Has the disease shrunk by 30 % since the start, so that unresectable lesions may be taken out?"""
    return sums(st)[0] <= RECIST_RESPONSE * st.base_sum


@jit
def may_operate(st, twin, par, programme, index, seed):
    """Organ to operate on, or -1 when the plan has changed: disease elsewhere, or too little shrinkage."""
    chance = index == programme.repeat_segment or index == programme.secondary_segment
    if chance or programme.segments[index].trigger != START_PLANNED:
        organ = confined(st, 1.0e9, st.n)
        if organ < 0:
            st.planned_next = programme.n_planned
            next_line(st, programme, twin, par, seed)
        return organ
    if extrahepatic_visible(st):
        st.planned_next = programme.n_planned
        next_line(st, programme, twin, par, seed)
        return -1
    if programme.segments[index].needs_response and not st.ned and not shrunk(st):
        st.planned_next = programme.n_planned
        if programme.continue_segment < 0:
            next_line(st, programme, twin, par, seed)
        else:
            st.queued, st.queue_day = programme.continue_segment, st.t
        return -1
    return LIVER


@jit
def start_operation(st, twin, par, programme, out, seed, index):
    """Operate if it still makes sense, then follow the plan or the next line."""
    organ = may_operate(st, twin, par, programme, index, seed)
    if organ < 0:
        return
    segment = programme.segments[index]
    planned = index < programme.n_planned
    st.starts[index], st.progressions[index] = st.t, math.inf
    operate(st, segment, twin, par, out, seed, organ, st.repeats, planned)
    st.repeats += 1
    st.ends[index] = st.t + segment.recovery
    if planned:
        plan_next(st, programme)
    elif not st.ned:
        next_line(st, programme, twin, par, seed)
    st.next_scan = next_scan_day(st, programme)


@jit
def start_queued(st, twin, par, programme, out, seed):
    """The queued step is due: operate, or begin a course."""
    index = st.queued
    st.queued, st.queue_day = -1, math.inf
    if programme.segments[index].kind == PROCEDURE:
        start_operation(st, twin, par, programme, out, seed, index)
        return
    st.starts[index], st.progressions[index] = st.t, math.inf
    begin_systemic(st, twin, par, programme, index)
    if not st.ned:
        st.next_scan = st.t + programme.on_treatment_days  # from the first dose, as trials count


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
def treat(st, twin, par, gear, programme, out, seed):
    """Everything of treatment that is due today."""
    if st.queue_day <= st.t + 1e-9:
        start_queued(st, twin, par, programme, out, seed)
    if st.segment < 0:
        return
    if st.next_cycle <= st.t + 1e-9:
        decision = cycle_boundary(st, twin, par, programme, out, seed)
        if decision >= ENDS:
            leave_course(st, programme, twin, par, seed, decision)
            return
    segment = programme.segments[st.segment]
    while st.admin < segment.admin_to:
        admin = programme.admins[st.admin]
        if st.cycle_start + admin.day > st.t + 1e-9:
            break
        if admin.until_cycle == 0 or st.cycle < admin.until_cycle:
            give(st, twin, par, gear, segment, admin)
        st.admin += 1


@jit
def quiet(st):
    """Does nothing act on lesions or body that would ask for short steps?"""
    if (st.segment >= 0 and st.paused == NOT_PAUSED) or st.cells > FEW_CELLS:
        return False
    for k in range(CLASSES):
        if st.effect[k] > ACTING:
            return False
    return True


@jit
def step_limit(st):
    """Longest step (days) that keeps the solution accurate."""
    if st.cells > MANY_CELLS:
        return STEP_CELLS
    if not quiet(st):
        return STEP_DRUGS
    return math.inf if st.ned and st.checkpoint <= 0.0 else STEP_DISEASE


@jit
def may_be_felt(st, gear, days):
    """May an unseen lesion reach the size at which it is felt within some days?"""
    days *= 2.0 if st.failed < 1 else 4.0  # growth after progression
    for i in range(st.n):
        if st.alive[i] > 0.0 and st.visible[i] == 0.0:
            most = GROWTH_FRACTION_MAX * st.growth[i] * days
            if st.x[i] + most > gear.ln_symptom or st.debris[i] > FELT_DEBRIS_ML:
                return True
    return False


@jit
def next_visit(st):
    """Day of the next visit, at which symptoms are heard of."""
    return VISIT * (math.floor(st.t / VISIT + 1e-9) + 1.0)


@jit
def any_lesion(st):
    """Is any lesion alive?"""
    for i in range(st.n):
        if st.alive[i] > 0.0:
            return True
    return False


@jit
def symptomatic(st, gear):
    """Has an unseen lesion grown large enough to be felt?"""
    if not st.felt:
        return False
    limit = math.exp(gear.ln_symptom) / CELLS_PER_ML
    for i in range(st.n):
        if st.alive[i] > 0.0 and st.visible[i] == 0.0 and lesion_ml(st, i) > limit:
            return True
    return False


@jit
def finish(st, out, day, cause, horizon):
    """Write death, events and what is left."""
    if day < horizon:
        out.death, out.cause = day, cause
        if out.pfs_event == 0:
            out.pfs, out.pfs_event = day, DIED
        if out.hepatic_event == 0:
            out.hepatic, out.hepatic_event = day, DIED
    out.no_cells = 0 if any_lesion(st) else 1
    out.response = st.best
    out.lines = st.line_index


@jit
def after_scan(st, programme, twin, par, seed, progressed, relapse):
    """Rules that read the scan, then what follows progression or response unless a rule has seen to it."""
    if progressed and not relapse and not answers_progression(st, programme):
        st.failed += 1
        st.hazard_now = hazard(st, twin, par)
    decision = GO_ON
    if st.segment >= 0:
        decision = apply_rules(st, twin, par, programme, AT_SCAN)
    if decision >= ENDS:
        leave_course(st, programme, twin, par, seed, decision)
    elif progressed and decision == GO_ON:
        on_progression(st, programme, twin, par, seed, relapse)
    elif decision == GO_ON and removable_now(st, programme, twin, par, seed):
        end_course(st)
        st.planned_next = programme.n_planned
        queue(st, programme, programme.secondary_segment)


@jit
def event_day(st, twin, par, gear, programme, out, seed):
    """What happens at the end of a step: treatment, then the scan if one is due or something is felt.

    Symptoms are heard of on days of treatment and at visits.
    """
    heard = treatment_day(st, programme) <= st.t + 1e-9 or st.t == VISIT * math.floor(st.t / VISIT + 1e-9)
    failed = st.failed
    treat(st, twin, par, gear, programme, out, seed)
    if st.t >= st.next_scan - 1e-9 or (heard and symptomatic(st, gear)):
        relapse = st.ned == 1
        progressed = scan(st, twin, par, out)
        after_scan(st, programme, twin, par, seed, progressed, relapse)
        st.next_scan = next_scan_day(st, programme)
    if st.failed != failed:
        st.hazard_now = hazard(st, twin, par)


@jit
def next_step(st, gear, programme, horizon, scale):
    """Day on which the next step ends."""
    until = min(treatment_day(st, programme), st.next_scan)
    longest = scale * min(step_limit(st), 1.0e6)  # whole marrow steps
    until = min(until, st.t + max(gear.step[0], math.floor(longest * gear.host_steps) / gear.host_steps))
    until = min(until, horizon)
    st.felt = 1 if may_be_felt(st, gear, until - st.t) else 0
    if st.felt:
        until = min(until, next_visit(st))
    return max(until, st.t)


@jit
def live_on(st, twin, par, gear, programme, seed, horizon, scale, out, trace):
    """Follow the programme from the state in `st` to death or the day `horizon`; returns the steps taken."""
    plan_next(st, programme)
    death, cause = st.death_background, CAUSE_BACKGROUND
    steps = 0
    while True:
        if not any_lesion(st) and st.queued < 0 and st.segment < 0 and st.ned:
            break
        until = next_step(st, gear, programme, horizon, scale)
        fatal = advance(st, twin, par, gear, until)
        if steps < trace.size:
            trace[steps] = st
        steps += 1
        first = min(fatal, st.death_background, st.death_set)
        if first <= st.t or st.t >= horizon:
            if fatal <= first:
                death, cause = fatal, CAUSE_CANCER
            elif st.death_set <= first:
                death, cause = st.death_set, st.set_cause
            break
        event_day(st, twin, par, gear, programme, out, seed)
    if st.death_set < death:
        death, cause = st.death_set, st.set_cause
    if st.segment >= 0:
        st.ends[st.segment] = min(death, horizon)
    close_nerve(st, twin, par)
    finish(st, out, death, cause, horizon)
    return steps


@jit
def live(
    st, lesions, twin, par, gear, programme, seed, horizon, scale, out, grades, starts, ends, progressions,
    trace,
):  # fmt: skip
    """Simulate one life in the record `st`, which must be all noughts.

    Writes `out`, `grades`, `starts`, `ends`, `progressions` and a copy of the record after each step into
    `trace` while it has room; `scale` shortens or lengthens steps. Stops at `horizon`. Returns the number
    of steps.
    """
    begin(st, lesions, twin, par, gear, programme, seed)
    steps = live_on(st, twin, par, gear, programme, seed, horizon, scale, out, trace)
    for kind in range(grades.size):
        grades[kind] = int(st.grades[kind])
    for s in range(starts.size):
        starts[s], ends[s], progressions[s] = st.starts[s], st.ends[s], st.progressions[s]
    return steps
