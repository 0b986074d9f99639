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
from metachron.reference.case import BACKGROUND, CANCER, DIED, PROCEDURE, Case, new_case
from metachron.reference.ode import surroundings_of
from metachron.reference.philox import Stream
from metachron.reference.procedures import operate, organ_of_all
from metachron.reference.scans import SHRINKAGE, felt, new_baseline, next_scan_day, scan, sum_of_diameters
from metachron.reference.solve import Extremes, Solver
from metachron.reference.state import LIVER, Body, Lesion, pack, unpack
from metachron.reference.treatment import begin_course, cycle_due, give_due, grade_nerves, kill_rates

YEAR = 365.25
VISIT_DAYS = 28.0
MOST_REPEATS, REPEAT_MM, REPEAT_LESIONS, REPEAT_WAIT, LINE_WAIT = 2, 50.0, 3, 28.0, 14.0


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
    dose: list[float]

    @classmethod
    def of(cls, case: Case) -> Snapshot:
        """A copy of what `case` is now."""
        course = case.course
        return cls(
            case.day, copy.deepcopy(case.body), copy.deepcopy(case.lesions), case.nadir,
            -1 if course is None else course.index, -1 if course is None else course.cycle, case.line,
            list(case.dose),
        )  # fmt: skip


@dataclass
class ReferenceLife:
    """What became of the twin.

    `outcome` by the names of OUTCOME, worst grades (kinds,), first and last days of segments (segments,), day
    on which each lesion died out, states on the days asked for. `resting`: the neutrophil chain at rest.
    """

    outcome: dict[str, float]
    grades: NDArray[np.int64]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
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


def queue_planned(case: Case) -> None:
    """Queue the next planned step; its gap counts from today."""
    case.queued, case.queue_day = None, math.inf
    if case.next_planned < case.plan.source.n_planned:
        case.queued = case.next_planned
        case.queue_day = case.day + case.plan.segments[case.queued].gap
        case.next_planned += 1


def end_course(case: Case) -> None:
    """The running course, if any, is over."""
    if case.course is not None:
        case.ends[case.course.index] = case.day
        case.course = None


def next_line(case: Case) -> None:
    """Queue the next line of treatment, if there is one and the person is fit for it."""
    case.queued, case.queue_day = None, math.inf
    plan = case.plan.source
    if case.lines_tried >= plan.n_lines:
        case.line = max(case.line, 1) + 1
        return
    share = case.par.next_line_share
    if case.metastatic and case.line == 0:  # more are fit for a first line than for later ones
        share = math.sqrt(share)
    if case.coins.uniform(Stream.NEXT_LINE, case.lines_tried) >= share:
        case.lines_tried = plan.n_lines
        return
    case.queued, case.queue_day = plan.n_planned + case.lines_tried, case.day + LINE_WAIT
    case.lines_tried += 1


def seen_outside_liver(case: Case) -> bool:
    """Is any visible lesion outside the liver?"""
    return any(s.visible and s.organ != LIVER for s in case.lesions)


def after_progression(case: Case, relapse: bool) -> None:
    """Planned surgery goes on, local treatment is repeated, or the next line starts."""
    plan = case.plan.source
    if case.queued is not None and case.queued >= plan.n_planned and case.queued != plan.continue_segment:
        return  # the answer to an earlier progression is on its way
    end_course(case)
    waiting = case.queued is not None and case.queued < plan.n_planned
    upcoming = case.queued if waiting and case.queued is not None else case.next_planned
    if upcoming < plan.n_planned and not relapse:
        surgery = case.plan.segments[upcoming].kind == PROCEDURE
        if surgery and not seen_outside_liver(case):
            if case.queued is None:
                queue_planned(case)
            return
    case.next_planned = plan.n_planned
    if relapse and plan.repeat_segment >= 0 and case.procedures < MOST_REPEATS:
        local = organ_of_all(case, REPEAT_MM, REPEAT_LESIONS) is not None
        if local and case.coins.uniform(Stream.REPEAT_LOCAL, case.procedures) < case.par.repeat_local_share:
            case.queued, case.queue_day = plan.repeat_segment, case.day + REPEAT_WAIT
            return
    next_line(case)


def operable(case: Case, index: int) -> int | None:
    """Organ to operate on; None when the plan has changed (and then what follows is queued)."""
    plan = case.plan.source
    if index == plan.repeat_segment:
        organ = organ_of_all(case)
        if organ is None:
            next_line(case)
        return organ
    if seen_outside_liver(case):
        case.next_planned = plan.n_planned
        next_line(case)
        return None
    shrunk = sum_of_diameters(case.lesions) <= SHRINKAGE * case.baseline
    if case.plan.segments[index].needs_response and not case.free_of_disease and not shrunk:
        case.next_planned = plan.n_planned
        going_on = plan.continue_segment
        case.queued, case.queue_day = (going_on if going_on >= 0 else None), case.day
        return None
    return LIVER


def start_queued(case: Case) -> None:
    """The queued step is due: a procedure, or a course."""
    assert case.queued is not None
    index, segment = case.queued, case.plan.segments[case.queued]
    case.queued, case.queue_day = None, math.inf
    if segment.kind != PROCEDURE:
        case.starts[index] = case.day
        begin_course(case, index)
        if not case.free_of_disease:
            case.next_scan = min(case.next_scan, case.day + case.plan.source.on_treatment_days)
        return
    organ = operable(case, index)
    if organ is None:
        return
    planned = index < case.plan.source.n_planned
    case.starts[index], case.ends[index] = case.day, case.day + segment.recovery
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
    if course.next_cycle <= case.day and not cycle_due(case, course):
        end_course(case)
        if course.index < case.plan.source.n_planned:
            queue_planned(case)
        return
    give_due(case, course)


def next_treatment(case: Case) -> float:
    """Day of the next treatment."""
    days = [case.queue_day]
    if case.course is not None:
        days.append(case.course.next_cycle)
        days += [case.course.cycle_start + a.day for a in case.course.still_to_give[:1]]
    return min(days)


def advance(case: Case, limit: float, until: float, extinct: dict[int, float]) -> float:
    """Let body and lesions move to `until`; returns the day of death by cancer, or infinity."""
    factor = case.par.line_growth_factor
    at = surroundings_of(
        case.lesions, case.day, par=case.par, twin=case.twin, kill_rate=np.array(kill_rates(case)),
        line_factor=1.0 if case.line < 2 else math.sqrt(factor) if case.line == 2 else factor,
        new_lesion=case.new_lesion, cell_decay=case.cell_decay, removed=case.removed,
        pulse_day=case.pulse_day,
    )  # fmt: skip
    extremes = Extremes(case.nadir, case.nerve_peak)
    solver = Solver(at, limit, np.array([s.ln_last for s in case.lesions]), extremes)
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
    wanted = sorted(set(map(float, () if at is None else at)))
    life = ReferenceLife({}, case.grades, case.starts, case.ends, list(case.body.chain))
    old_age = background_death(case)
    limit = case.coins.exponential(Stream.DEATH_CANCER, 0)
    new_baseline(case)
    case.next_scan = next_scan_day(case)
    queue_planned(case)
    death, cause = math.inf, 0
    while True:
        certain = min(old_age, case.set_day)
        idle = case.queued is None and case.course is None and case.free_of_disease
        pending = [day for day in wanted if day > case.day or (day == case.day == 0.0 and not life.states)]
        if certain <= case.day or case.day >= horizon_days or (idle and not case.any_alive() and not pending):
            break
        visit = VISIT_DAYS * (math.floor(case.day / VISIT_DAYS) + 1.0)
        event = max(case.day, min(next_treatment(case), case.next_scan))
        waking = [s.wakes for s in case.lesions if s.wakes > case.day]
        until = min([horizon_days, certain, event, visit, *pending[:1], *waking])
        died = advance(case, limit, until, life.extinct)
        if died < math.inf:
            death, cause = died, CANCER
            break
        if certain <= case.day or case.day >= horizon_days:
            continue
        if pending and case.day == pending[0]:
            life.states[case.day] = Snapshot.of(case)
        if next_treatment(case) <= case.day:
            treat(case)
        if case.next_scan <= case.day or ((case.day in (event, visit)) and felt(case)):
            relapse = case.free_of_disease
            if scan(case):
                after_progression(case, relapse)
            case.next_scan = next_scan_day(case)
    if death == math.inf:
        death, cause = (old_age, BACKGROUND) if old_age <= case.set_day else (case.set_day, case.set_cause)
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
