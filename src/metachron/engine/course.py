"""What comes next in a life: the plan, the steps that wait, local treatment again, later lines."""

from __future__ import annotations

import math

from metachron.engine import random as keyed
from metachron.engine.procedures import confined
from metachron.engine.records import (
    CR,
    LIVER,
    LOCAL_THEN_SYSTEMIC,
    NOT_PAUSED,
    NOTHING_MORE,
    PR,
    PROCEDURE,
    START_PLANNED,
    START_RECURRENCE,
)
from metachron.engine.rules import SWITCHES, same_drugs, wake
from metachron.model.compiled import jit


@jit
def queue(st, programme, index):
    """Let a segment begin after its gap."""
    st.queued = index
    st.queue_day = st.t + programme.segments[index].gap


@jit
def plan_next(st, programme):
    """Queue the next planned step, its gap counted from now; what waits for a trigger goes on waiting."""
    st.queued, st.queue_day = -1, math.inf
    step = st.planned_next
    if step < programme.n_planned and programme.segments[step].trigger == START_PLANNED:
        queue(st, programme, step)
        st.planned_next += 1


@jit
def end_course(st):
    """The running course, if any, is over."""
    if st.segment >= 0:
        st.ends[st.segment] = st.t
        st.segment = -1


@jit
def fitness(st, par):
    """Chance to be fit for what progression calls for: who is near death gets no more treatment."""
    return math.exp(-par.fitness_days * st.hazard_now)


@jit
def next_line(st, programme, twin, par, seed):
    """Start the next line of treatment, if there is one and the patient is fit for it."""
    st.queued, st.queue_day = -1, math.inf
    first = st.course > 0 and st.line == 0
    share = math.sqrt(par.next_line_share) if first else par.next_line_share
    if st.line_index >= programme.n_lines:
        st.line += 1  # goes untreated through what would have been a line
        return
    if keyed.uniform(seed, twin.key, keyed.NEXT_LINE, st.line_index) >= share * fitness(st, par):
        st.line += 1
        st.line_index = programme.n_lines
        return
    queue(st, programme, programme.n_planned + st.line_index)
    st.line_index += 1


@jit
def extrahepatic_visible(st):
    """Is any visible lesion outside the liver?"""
    for i in range(st.n):
        if st.visible[i] > 0.0 and st.organ[i] != LIVER:
            return True
    return False


@jit
def waiting_step(st, programme, running, relapse):
    """The next planned step that begins now: on recurrence or progression, within its limits; -1 if none.

    Steps before it are passed over, and so is one that only goes on with the drugs under which the disease
    has just progressed (`running` is the course, or -1).
    """
    for index in range(st.planned_next, programme.n_planned):
        segment = programme.segments[index]
        if segment.trigger == START_PLANNED or (segment.trigger == START_RECURRENCE and not relapse):
            continue
        if segment.kind == PROCEDURE:
            largest = segment.max_mm if segment.max_mm > 0.0 else 1.0e9
            most = segment.max_lesions if segment.max_lesions > 0 else st.n
            if confined(st, largest, most) < 0:
                continue
        elif running >= 0 and same_drugs(st, programme, programme.segments[running], segment):
            continue
        return index
    return -1


@jit
def repeat_local(st, programme, twin, par, seed):
    """Queue removal or ablation of what has come back, if it suits and the patient gets it."""
    if programme.repeat_segment < 0 or st.repeats >= programme.most_repeats:
        return False
    segment = programme.segments[programme.repeat_segment]
    if confined(st, segment.max_mm, segment.max_lesions) < 0:
        return False
    if keyed.uniform(seed, twin.key, keyed.REPEAT_LOCAL, st.repeats) >= par.repeat_local_share:
        return False
    queue(st, programme, programme.repeat_segment)
    return True


@jit
def fit_for(st, programme, twin, par, seed, step):
    """Is the patient fit for a planned step that has waited for this? Operations are judged by themselves."""
    if programme.segments[step].kind == PROCEDURE:
        return True
    return keyed.uniform(seed, twin.key, keyed.FITNESS, step) < fitness(st, par)


@jit
def removable_now(st, programme, twin, par, seed):
    """Have metastases confined to the liver responded so that they are taken out? One coin for a life."""
    if programme.secondary_segment < 0 or st.segment < 0 or st.ned or st.repeats > 0 or st.queued >= 0:
        return False
    if st.last_response != CR and st.last_response != PR:
        return False
    segment = programme.segments[programme.secondary_segment]
    if confined(st, segment.max_mm, segment.max_lesions) != LIVER:
        return False
    return keyed.uniform(seed, twin.key, keyed.SECONDARY, 0) < par.secondary_resection_share


@jit
def planned_operation(st, programme):
    """Is an operation the next planned step, and still to the point? Then progression does not stop it."""
    upcoming = st.queued if st.queued >= 0 and st.queued < programme.n_planned else st.planned_next
    if upcoming >= programme.n_planned or programme.segments[upcoming].kind != PROCEDURE:
        return False
    return programme.segments[upcoming].trigger == START_PLANNED and not extrahepatic_visible(st)


@jit
def change_treatment(st, programme, twin, par, seed, relapse):
    """End what runs; begin the step that waits for this, else local treatment again, else the next line."""
    running = st.segment if st.paused == NOT_PAUSED else -1
    end_course(st)
    step = waiting_step(st, programme, running, relapse)
    if step >= 0 and fit_for(st, programme, twin, par, seed, step):
        queue(st, programme, step)
        st.planned_next = step + 1
        return
    st.planned_next = programme.n_planned
    if step >= 0:
        st.queued, st.queue_day = -1, math.inf
        st.line_index = programme.n_lines
        return
    st.queued, st.queue_day = -1, math.inf
    if relapse and programme.on_recurrence == NOTHING_MORE:
        st.line, st.line_index = max(st.line, 1), programme.n_lines
        return
    local = relapse and programme.on_recurrence == LOCAL_THEN_SYSTEMIC
    if local and repeat_local(st, programme, twin, par, seed):
        return
    next_line(st, programme, twin, par, seed)


@jit
def answers_progression(st, programme):
    """Is what follows an earlier progression about to start?"""
    if st.queued < 0 or st.queued == programme.continue_segment:
        return False
    return st.queued >= programme.n_planned or programme.segments[st.queued].trigger != START_PLANNED


@jit
def on_progression(st, programme, twin, par, seed, relapse):
    """What follows progression or recurrence."""
    if answers_progression(st, programme):
        return
    if st.paused != NOT_PAUSED and (not relapse or st.line > 0):
        wake(st)  # progression ends an interval, and the course goes on
        return
    if not relapse and planned_operation(st, programme):
        end_course(st)
        if st.queued < 0:
            plan_next(st, programme)
        return
    change_treatment(st, programme, twin, par, seed, relapse)


@jit
def leave_course(st, programme, twin, par, seed, decision):
    """A course has come to its end, or a rule has ended it: go on with the plan, or switch."""
    finished = st.segment
    if decision == SWITCHES:
        change_treatment(st, programme, twin, par, seed, False)
        return
    end_course(st)
    if finished < programme.n_planned:
        plan_next(st, programme)
