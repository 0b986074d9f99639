"""One life from day 0 to death or the horizon: what happens on which day, and the solver in between.

Events fall on whole days: what is due of treatment comes first, then the scan. Only death falls between days.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metachron.engine.records import N_KINDS, Programme
from metachron.reference.around import gcsf_days, surroundings
from metachron.reference.case import BACKGROUND, CANCER, DIED, PLANNED, PROCEDURE, Case, new_case
from metachron.reference.philox import Stream
from metachron.reference.planning import (
    after_progression,
    answer_on_its_way,
    can_be_removed,
    give_up_plan,
    leave_course,
    next_line,
    queue_planned,
    seen_outside_liver,
    take_out_responded,
)
from metachron.reference.procedures import operate, organ_of_all
from metachron.reference.rules import SCAN as AT_SCAN
from metachron.reference.rules import Decision, apply_rules
from metachron.reference.scans import SHRINKAGE, felt, new_baseline, next_scan_day, scan, sum_of_diameters
from metachron.reference.solve import Extremes, Solver
from metachron.reference.state import LIVER, Body, Lesion, pack, unpack
from metachron.reference.treatment import begin_course, cycle_due, give_due, grade_nerves

YEAR = 365.25
VISIT_DAYS = 28.0


@dataclass(frozen=True)
class Snapshot:
    """Body, lesions and where treatment stands on a day, before anything happens on it."""

    day: float
    body: Body
    lesions: list[Lesion]
    nadir: float
    segment: int
    cycle: int
    line: int
    progressed: int
    dose: list[float]

    @classmethod
    def of(cls, case: Case) -> Snapshot:
        """A copy of what `case` is now."""
        course = case.course
        return cls(
            case.day, copy.deepcopy(case.body), copy.deepcopy(case.lesions), case.nadir,
            -1 if course is None else course.index, -1 if course is None else course.cycle, case.line,
            case.progressed, list(case.dose),
        )  # fmt: skip


@dataclass
class ReferenceLife:
    """What became of the twin.

    `outcome` by the names of OUTCOME, worst grades (kinds,), first and last days of segments (segments,), day
    of the first progression after the start of each, day on which each lesion died out, states on the days
    asked for. `resting`: the neutrophil chain at rest.
    """

    outcome: dict[str, float]
    grades: NDArray[np.int64]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    progressions: NDArray[np.float64]
    resting: list[float]
    extinct: dict[int, float] = field(default_factory=dict)
    states: dict[float, Snapshot] = field(default_factory=dict)


def background_death(case: Case) -> float:
    """Day on which the integrated Gompertz hazard passes its coin."""
    par, slope = case.par, math.log(2.0) / case.par.background_doubling_years
    now = (
        par.background_65
        * case.twin.background_factor
        * 2.0 ** ((case.twin.age - 65.0) / par.background_doubling_years)
    )
    target = case.coins.exponential(Stream.DEATH_BACKGROUND, 0)
    return float(math.log1p(target * slope / now) / slope * YEAR)


def operable(case: Case, index: int) -> int | None:
    """Organ to operate on; None when the plan has changed (and then what follows is queued)."""
    plan = case.plan.source
    unplanned = index in (plan.repeat_segment, plan.secondary_segment)
    if unplanned or case.plan.segments[index].trigger != PLANNED:
        organ = organ_of_all(case)
        if organ is None:
            give_up_plan(case)
        return organ
    if seen_outside_liver(case):
        give_up_plan(case)
        return None
    shrunk = sum_of_diameters(case.lesions) <= SHRINKAGE * case.baseline
    if case.plan.segments[index].needs_response and not case.free_of_disease and not shrunk:
        if plan.continue_segment < 0:
            give_up_plan(case)
        else:
            case.next_planned = plan.n_planned
            case.queued, case.queue_day = plan.continue_segment, case.day
        return None
    return LIVER


def start_queued(case: Case) -> None:
    """The queued step is due: a procedure, or a course."""
    assert case.queued is not None
    index, segment = case.queued, case.plan.segments[case.queued]
    case.queued, case.queue_day = None, math.inf
    if segment.kind != PROCEDURE:
        case.starts[index], case.progressions[index] = case.day, math.inf
        begin_course(case, index)
        if not case.free_of_disease:
            case.next_scan = case.day + case.plan.source.on_treatment_days
        return
    organ = operable(case, index)
    if organ is None:
        return
    planned = index < case.plan.source.n_planned
    case.starts[index], case.ends[index] = case.day, case.day + segment.recovery
    case.progressions[index] = math.inf
    operate(case, segment, organ, planned=planned)
    if planned:
        queue_planned(case)
    elif not case.free_of_disease:
        next_line(case)
    case.next_scan = next_scan_day(case)


def treat(case: Case) -> None:
    """All of treatment that is due today."""
    if case.queue_day <= case.day:
        start_queued(case)
    course = case.course
    if course is None:
        return
    if course.next_cycle <= case.day:
        decision = cycle_due(case, course)
        if decision >= Decision.END:
            leave_course(case, decision)
            return
    give_due(case, course)


def scan_day(case: Case) -> None:
    """A scan, the rules that read it, and what else follows progression or response."""
    relapse = case.free_of_disease
    progressed = scan(case)
    if progressed and not relapse and not answer_on_its_way(case):
        case.progressed += 1
    decision = Decision.GO_ON if case.course is None else apply_rules(case, case.course, AT_SCAN)
    if decision >= Decision.END:
        leave_course(case, decision)
    elif progressed and decision == Decision.GO_ON:
        after_progression(case, relapse)
    elif decision == Decision.GO_ON and can_be_removed(case):
        take_out_responded(case)
    case.next_scan = next_scan_day(case)


def next_treatment(case: Case) -> float:
    """Day of the next treatment."""
    days = [case.queue_day]
    if case.course is not None:
        days.append(case.course.next_cycle)
        days += [case.course.cycle_start + a.day for a in case.course.still_to_give[:1]]
    return min(days)


def next_event(case: Case) -> float:
    """Day of the next treatment or scan, today at the earliest."""
    return max(case.day, min(next_treatment(case), case.next_scan))


def next_visit(case: Case) -> float:
    """Day of the next visit, at which symptoms are heard of."""
    return VISIT_DAYS * (math.floor(case.day / VISIT_DAYS) + 1.0)


def changes(case: Case) -> list[float]:
    """Days on which a law changes: a dormant lesion wakes, G-CSF begins or ends."""
    waking = [s.wakes for s in case.lesions if s.wakes > case.day]
    return waking + [day for day in gcsf_days(case) if day > case.day]


def nothing_left(case: Case) -> bool:
    """Can only death by age or by what is already set still happen?"""
    running = case.course is not None and not case.course.until_progression
    return case.queued is None and not running and case.free_of_disease and not case.any_alive()


def advance(case: Case, limit: float, until: float, extinct: dict[int, float]) -> float:
    """Let body and lesions move to `until`; returns the day of death by cancer, or infinity."""
    extremes = Extremes(case.nadir, case.nerve_peak)
    solver = Solver(surroundings(case), limit, np.array([s.ln_last for s in case.lesions]), extremes)
    y = solver.move(case.day, pack(case.body, case.lesions), until)
    unpack(y, case.body, case.lesions)
    for day, i in solver.extinct:
        case.lesions[i].alive = False
        extinct[i] = day
    case.nadir, case.nerve_peak = extremes.neutrophils, extremes.nerve
    case.day = min(until, solver.died)
    return solver.died


def live(
    lesions_row: NDArray[np.void],
    twin: Any,
    draw: Any,
    programme: Programme,
    *,
    seed: int,
    horizon_days: float,
    at: Iterable[float] | None = None,
) -> ReferenceLife:
    """Simulate one life.

    `lesions_row` (room,) of LESION, `twin` one TWIN, `draw` one parameter set. `at`: whole days on which the
    state is wanted. Raises ArithmeticError when the solver fails.
    """
    case = new_case(lesions_row, twin, draw, programme, seed, N_KINDS)
    life = ReferenceLife({}, case.grades, case.starts, case.ends, case.progressions, list(case.body.chain))
    old_age = background_death(case)
    limit = case.coins.exponential(Stream.DEATH_CANCER, 0)
    new_baseline(case)
    case.next_scan = next_scan_day(case)
    queue_planned(case)
    wanted = sorted(set(map(float, () if at is None else at)))
    died = math.inf
    while case.day < min(horizon_days, old_age, case.set_day) and (wanted or not nothing_left(case)):
        event, visit = next_event(case), next_visit(case)
        stops = [horizon_days, old_age, case.set_day, event, visit, *wanted[:1], *changes(case)]
        died = advance(case, limit, min(stops), life.extinct)
        if died < math.inf or case.day >= min(horizon_days, old_age, case.set_day):
            break
        if wanted and case.day == wanted[0]:
            life.states[wanted.pop(0)] = Snapshot.of(case)
        heard = case.day in (event, visit)
        if next_treatment(case) <= case.day:
            treat(case)
        if case.next_scan <= case.day or (heard and felt(case)):
            scan_day(case)
    causes = ((died, CANCER), (old_age, BACKGROUND), (case.set_day, case.set_cause))
    death, cause = min(causes, key=lambda pair: pair[0])
    _finish(case, death, cause, horizon_days)
    life.outcome = asdict(case.outcome)
    return life


def _finish(case: Case, death: float, cause: int, horizon: float) -> None:
    """Write death and what is left."""
    out = case.outcome
    if case.course is not None:
        case.ends[case.course.index] = min(death, horizon)
    grade_nerves(case)
    if death < horizon:
        out.death, out.cause = death, cause
        if not out.pfs_event:
            out.pfs, out.pfs_event = death, DIED
        if not out.hepatic_event:
            out.hepatic, out.hepatic_event = death, DIED
    out.no_cells = int(not case.any_alive())
    out.response, out.lines = case.best, case.lines_tried
