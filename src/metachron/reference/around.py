"""What a case has around it today: what the solver needs until the next event, and how near death is."""

from __future__ import annotations

import math

import numpy as np

from metachron.reference.case import Case
from metachron.reference.ode import Surroundings, hazard


def gcsf_days(case: Case) -> tuple[float, float]:
    """First day with G-CSF of the running cycle and first day without; none in other courses."""
    course, par = case.course, case.par
    if not case.gcsf or course is None or course.cycle < 0 or not course.segment.cytotoxic:
        return math.inf, math.inf
    first = course.cycle_start + par.gcsf_start_day
    return first, first + par.gcsf_days


def surroundings(case: Case) -> Surroundings:
    """All that stays the same until the next event. Growth gains half of its factor (in ln) at each of the
    first two progressions."""
    lesions = case.lesions
    first, without = gcsf_days(case)
    return Surroundings(
        par=case.par,
        twin=case.twin,
        organ=np.array([s.organ for s in lesions], dtype=np.int64),
        growth=np.array([s.growth for s in lesions]),
        alive=np.array([s.alive for s in lesions], dtype=bool),
        awake=np.array([s.wakes <= case.day for s in lesions], dtype=bool),
        visible=np.array([s.visible for s in lesions], dtype=bool),
        kill_rate=np.array(case.kill_rate),
        line_factor=case.par.line_growth_factor ** (0.5 * min(case.progressed, 2)),
        progressed=case.progressed,
        new_lesion=case.new_lesion,
        cell_decay=case.cell_decay,
        gcsf=first <= case.day < without,
        removed=case.removed,
        pulse_day=case.pulse_day,
    )


def chance_to_be_fit(case: Case) -> float:
    """Chance to be fit for the next treatment: the nearer death by cancer is, the smaller."""
    volume = np.array([s.volume_ml for s in case.lesions])
    rate = hazard(volume, case.body.liver, surroundings(case))
    return math.exp(-float(case.par.fitness_days) * rate)
