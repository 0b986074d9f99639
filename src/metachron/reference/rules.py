"""Rules of a strategy: a state is read, compared with a limit, and what is given changes."""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import IntEnum
from types import SimpleNamespace

from metachron.reference.case import FIRST_REPORTED, Case, Course
from metachron.reference.state import CLASSES, EGFR, TARGET

(COUNT, NADIR, NERVE, FEVER, TOXIC, LYMPHOCYTES, NEUTROPENIA_GRADE, RESPONSE, OXALIPLATIN, LIVER, CYCLES,
 DAYS_OFF) = range(12)  # fmt: skip
CYCLE_END, CYCLE_START, SCAN = range(3)
DELAY, REDUCE, STOP, HOLD, RESUME, GCSF, PAUSE, END, SWITCH = range(9)
ALL_CYTOTOXICS, EVERYTHING = -1, -2
ADJUVANT, ADVANCED = 1, 2
LAST_GIVEN = 8  # what stands above this number no rule can change


class Decision(IntEnum):
    """What the rules of one moment decide about the course; the greatest counts."""

    GO_ON = 0
    GO_ON_ANYWAY = 1
    PAUSE = 2
    END = 3
    SWITCH = 4


def neutropenia_grade(count: float) -> int:
    """CTCAE grade of a neutrophil count (1e9/L); 0 from 1.5 on."""
    return sum(step for step, limit in ((2, 1.5), (1, 1.0), (1, 0.5)) if count < limit)


def nerve_grade(case: Case, burden: float, floor: int) -> int:
    """CTCAE grade of a nerve burden (mg/m2), not below `floor`."""
    felt = burden * case.twin.nerve_factor
    if felt >= case.par.neuropathy_grade3_mg_m2:
        return max(3, floor)
    return max(2, floor) if felt >= case.par.neuropathy_grade2_mg_m2 else floor


def _worst_toxicity(case: Case, mask: int) -> int:
    kinds = [k for k in case.last_grades if (mask >> k & 1 if mask else k >= FIRST_REPORTED)]
    return max((case.last_grades[k] for k in kinds), default=0)


def read(case: Case, course: Course, state: int, mask: int) -> float:
    """The state that a rule reads."""
    readings: dict[int, Callable[[], float]] = {
        COUNT: lambda: case.body.neutrophils,
        NADIR: lambda: case.nadir,
        NERVE: lambda: nerve_grade(case, case.body.nerve_n, case.twin.nerve_grade),
        FEVER: lambda: case.febrile,
        TOXIC: lambda: _worst_toxicity(case, mask),
        LYMPHOCYTES: lambda: case.body.lymphocytes,
        NEUTROPENIA_GRADE: lambda: neutropenia_grade(case.nadir),
        OXALIPLATIN: lambda: case.oxaliplatin,
        LIVER: lambda: case.body.liver,
        CYCLES: lambda: course.cycle + 1 - course.cycle_from,
        DAYS_OFF: lambda: case.day - course.cycle_start if course.cycle >= 0 else 0.0,
    }
    return float(readings[state]())


def _beyond(value: float, limit: float, below: int) -> bool:
    return bool(value < limit if below else value >= limit)


def _met(case: Case, course: Course, rule: SimpleNamespace) -> bool:
    """Do both limits of the rule hold?"""
    if rule.state == RESPONSE:
        first = case.last_response > 0 and bool(int(rule.limit) >> case.last_response & 1)
    else:
        first = _beyond(read(case, course, rule.state, rule.kind), rule.limit, rule.below)
    if not first or rule.also == 0:
        return first
    return _beyond(read(case, course, rule.also - 1, 0), rule.also_limit, rule.also_below)


def _often_enough(case: Case, course: Course, r: int) -> bool:
    """Is the limit met, for at least the nth time, by a rule that has not been used up?"""
    if case.used_up[r] or not _met(case, course, case.plan.rules[r]):
        return False
    case.times_met[r] += 1
    return bool(case.times_met[r] >= case.plan.rules[r].occurrence)


def meant(target: int, what: int) -> bool:
    """Does a target include what is given under this number?"""
    if target == ALL_CYTOTOXICS:
        return what < CLASSES and what not in (EGFR, TARGET)
    return target in (EVERYTHING, what)


def _concerns(case: Case, segment: SimpleNamespace, rule: SimpleNamespace) -> bool:
    """Is a rule read in this course?"""
    if (rule.setting == ADJUVANT and segment.line > 0) or (rule.setting == ADVANCED and segment.line == 0):
        return False
    if rule.target == EVERYTHING:
        return True
    if rule.target == ALL_CYTOTOXICS or meant(ALL_CYTOTOXICS, rule.target):
        return bool(segment.cytotoxic)
    return any(a.what == rule.target for a in case.plan.given_in(segment))


def _change_levels(case: Case, segment: SimpleNamespace, rule: SimpleNamespace) -> bool:
    """Reduce, stop, hold or resume; True when something has changed."""
    before = (list(case.dose), list(case.left_out))
    for what in range(LAST_GIVEN + 1):
        if not meant(rule.target, what):
            continue
        level = case.dose[what]
        if rule.action == REDUCE:
            base = 1.0 if rule.of_full else level
            case.dose[what] = min(level, max(rule.floor, base * rule.value))
        elif rule.action == STOP:
            case.dose[what] = 0.0
        elif rule.action == HOLD:
            case.left_out[what] = True
        elif rule.action == RESUME:
            case.left_out[what] = False
            full = segment.dose[what] if what < CLASSES else 1.0
            if level == 0.0:
                case.dose[what] = min(rule.value, full)
    return before != (case.dose, case.left_out)


def _carry_out(case: Case, course: Course, rule: SimpleNamespace) -> tuple[bool, Decision]:
    """(whether anything changed, what it means for the course)."""
    if rule.action in (END, SWITCH):
        return True, Decision.END if rule.action == END else Decision.SWITCH
    if rule.action == GCSF:
        new, case.gcsf = not case.gcsf, True
        return new, Decision.GO_ON
    if rule.action == PAUSE:
        if course.paused:
            return False, Decision.GO_ON
        course.paused, course.until_progression = True, bool(rule.until)
        course.next_cycle = math.inf if rule.until else case.day + rule.value
        course.still_to_give = []
        return True, Decision.PAUSE
    changed = _change_levels(case, course.segment, rule)
    if rule.action != RESUME:
        return changed, Decision.GO_ON
    if rule.target == EVERYTHING and course.paused:
        course.next_cycle = case.day
        changed = True
    return changed, Decision.GO_ON_ANYWAY if changed else Decision.GO_ON


def apply_rules(case: Case, course: Course, moment: int) -> Decision:
    """All rules of one moment in their order, but delays."""
    decision = Decision.GO_ON
    for r, rule in enumerate(case.plan.rules):
        if rule.action == DELAY or rule.at != moment or not _concerns(case, course.segment, rule):
            continue
        if _often_enough(case, course, r):
            changed, verdict = _carry_out(case, course, rule)
            decision = max(decision, verdict)
            case.used_up[r] = bool(changed and rule.once)
    return decision


def days_to_wait(case: Case, course: Course) -> float:
    """Days by which the cycle that is due is put off; infinite when the wait has been too long."""
    for r, rule in enumerate(case.plan.rules):
        if rule.action != DELAY or rule.at != CYCLE_START or not _concerns(case, course.segment, rule):
            continue
        if _often_enough(case, course, r):
            case.used_up[r] = bool(rule.once)
            return float(rule.value) if course.delayed + rule.value <= rule.max_delay else math.inf
    return 0.0


def level_of(case: Case, what: int) -> float:
    """Level of what is given today."""
    if what > LAST_GIVEN:
        return 1.0
    return 0.0 if case.left_out[what] else case.dose[what]
