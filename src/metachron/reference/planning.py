"""What comes next: the plan, the steps that wait, local treatment again, later lines."""

from __future__ import annotations

import math
from types import SimpleNamespace

from metachron.reference.around import chance_to_be_fit
from metachron.reference.case import (
    COMPLETE,
    LOCAL_THEN_SYSTEMIC,
    NOTHING_MORE,
    ON_RECURRENCE,
    PARTIAL,
    PLANNED,
    PROCEDURE,
    Case,
)
from metachron.reference.philox import Stream
from metachron.reference.procedures import organ_of_all
from metachron.reference.rules import LAST_GIVEN, Decision
from metachron.reference.state import LIVER


def _queue(case: Case, index: int) -> None:
    """A segment begins after its gap."""
    case.queued, case.queue_day = index, case.day + case.plan.segments[index].gap


def _empty_queue(case: Case) -> None:
    case.queued, case.queue_day = None, math.inf


def queue_planned(case: Case) -> None:
    """Queue the next planned step; a step that waits for a trigger goes on waiting."""
    _empty_queue(case)
    step = case.next_planned
    if step < case.plan.source.n_planned and case.plan.segments[step].trigger == PLANNED:
        _queue(case, step)
        case.next_planned += 1


def give_up_plan(case: Case) -> None:
    """Nothing more of the plan, but the next line."""
    case.next_planned = case.plan.source.n_planned
    next_line(case)


def end_course(case: Case) -> None:
    """The running course, if any, is over."""
    if case.course is not None:
        case.ends[case.course.index] = case.day
        case.course = None


def next_line(case: Case) -> None:
    """Queue the next line of treatment, if there is one and the person is fit for it."""
    _empty_queue(case)
    plan = case.plan.source
    if case.lines_tried >= plan.n_lines:
        case.line += 1  # goes untreated through what would have been a line
        return
    share = case.par.next_line_share
    if case.metastatic and case.line == 0:  # more are fit for a first line than for later ones
        share = math.sqrt(share)
    if case.coins.uniform(Stream.NEXT_LINE, case.lines_tried) >= share * chance_to_be_fit(case):
        case.line += 1
        case.lines_tried = plan.n_lines
        return
    _queue(case, plan.n_planned + case.lines_tried)
    case.lines_tried += 1


def seen_outside_liver(case: Case) -> bool:
    """Is any visible lesion outside the liver?"""
    return any(s.visible and s.organ != LIVER for s in case.lesions)


def _only_more_of_the_same(case: Case, running: SimpleNamespace, next_one: SimpleNamespace) -> bool:
    """Does a course give nothing but what the disease has just progressed under?"""
    given_now = {a.what for a in case.plan.given_in(running) if a.what <= LAST_GIVEN}
    still = {what for what in given_now if case.dose[what] > 0.0}
    return {a.what for a in case.plan.given_in(next_one) if a.what <= LAST_GIVEN} <= still


def _waiting_step(case: Case, running: SimpleNamespace | None, relapse: bool) -> int | None:
    """The next planned step that this progression or recurrence starts."""
    for index in range(case.next_planned, case.plan.source.n_planned):
        segment = case.plan.segments[index]
        if segment.trigger == PLANNED or (segment.trigger == ON_RECURRENCE and not relapse):
            continue
        if segment.kind == PROCEDURE:
            if organ_of_all(case, segment.max_mm or math.inf, segment.max_lesions or 10**6) is None:
                continue
        elif running is not None and _only_more_of_the_same(case, running, segment):
            continue
        return index
    return None


def _local_again(case: Case) -> bool:
    """Queue local treatment of what has come back, if it suits and the person gets it."""
    plan = case.plan.source
    if plan.repeat_segment < 0 or case.procedures >= plan.most_repeats:
        return False
    segment = case.plan.segments[plan.repeat_segment]
    if organ_of_all(case, segment.max_mm, segment.max_lesions) is None:
        return False
    if case.coins.uniform(Stream.REPEAT_LOCAL, case.procedures) >= case.par.repeat_local_share:
        return False
    _queue(case, plan.repeat_segment)
    return True


def _fit_for(case: Case, step: int) -> bool:
    """Is the person fit for drugs that have waited for this? Who is operated on is judged on the day."""
    if case.plan.segments[step].kind == PROCEDURE:
        return True
    return case.coins.uniform(Stream.FITNESS, step) < chance_to_be_fit(case)


def can_be_removed(case: Case) -> bool:
    """Has what is in the liver responded, so that it is taken out? One coin for all scans of a life."""
    index = case.plan.source.secondary_segment
    if index < 0 or case.course is None or case.free_of_disease:
        return False
    if case.procedures > 0 or case.queued is not None or case.last_response not in (COMPLETE, PARTIAL):
        return False
    segment = case.plan.segments[index]
    if organ_of_all(case, segment.max_mm, segment.max_lesions) != LIVER:
        return False
    return case.coins.uniform(Stream.SECONDARY, 0) < float(case.par.secondary_resection_share)


def take_out_responded(case: Case) -> None:
    """The course ends, and with it the plan; the operation follows after its gap."""
    end_course(case)
    case.next_planned = case.plan.source.n_planned
    _queue(case, case.plan.source.secondary_segment)


def change_treatment(case: Case, relapse: bool) -> None:
    """End what runs; then the step that waits for this, else local treatment again, else the next line."""
    plan = case.plan.source
    running = None if case.course is None or case.course.paused else case.course.segment
    end_course(case)
    step = _waiting_step(case, running, relapse)
    if step is not None and _fit_for(case, step):
        _queue(case, step)
        case.next_planned = step + 1
        return
    case.next_planned = plan.n_planned
    _empty_queue(case)
    if step is not None:
        case.lines_tried = plan.n_lines  # too ill for what was planned, and so for anything else
    elif relapse and plan.on_recurrence == NOTHING_MORE:
        case.line, case.lines_tried = max(case.line, 1), plan.n_lines
    elif not (relapse and plan.on_recurrence == LOCAL_THEN_SYSTEMIC and _local_again(case)):
        next_line(case)


def answer_on_its_way(case: Case) -> bool:
    """Is what follows an earlier progression about to start?"""
    plan = case.plan.source
    if case.queued is None or case.queued == plan.continue_segment:
        return False
    return case.queued >= plan.n_planned or case.plan.segments[case.queued].trigger != PLANNED


def _operation_next(case: Case) -> bool:
    """Is an operation the next planned step, and still to the point?"""
    n = case.plan.source.n_planned
    waiting = case.queued is not None and case.queued < n
    upcoming = case.queued if waiting and case.queued is not None else case.next_planned
    if upcoming >= n:
        return False
    segment = case.plan.segments[upcoming]
    return segment.kind == PROCEDURE and segment.trigger == PLANNED and not seen_outside_liver(case)


def after_progression(case: Case, relapse: bool) -> None:
    """Planned surgery goes on, an interval ends, or treatment changes."""
    if answer_on_its_way(case):
        return
    if case.course is not None and case.course.paused and (not relapse or case.line > 0):
        case.course.next_cycle = case.day
    elif not relapse and _operation_next(case):
        end_course(case)
        if case.queued is None:
            queue_planned(case)
    else:
        change_treatment(case, relapse)


def leave_course(case: Case, decision: Decision) -> None:
    """A course has come to its end or a rule has ended it: on with the plan, or to something else."""
    if decision == Decision.SWITCH:
        change_treatment(case, False)
        return
    planned = case.course is not None and case.course.index < case.plan.source.n_planned
    end_course(case)
    if planned:
        queue_planned(case)
