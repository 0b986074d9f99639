"""Systemic treatment: courses, cycles, doses and toxicity."""

from __future__ import annotations

import math
from types import SimpleNamespace

from metachron.reference.case import (
    FEBRILE,
    FIRST_REPORTED,
    GIVEN,
    LIVER_FAILURE,
    NEUROPATHY,
    NEUTROPENIA,
    PLANNED,
    SURGICAL,
    TOXICITY,
    Case,
    Course,
)
from metachron.reference.philox import Stream
from metachron.reference.rules import (
    CYCLE_END,
    CYCLE_START,
    LAST_GIVEN,
    Decision,
    apply_rules,
    days_to_wait,
    level_of,
    nerve_grade,
    neutropenia_grade,
)
from metachron.reference.state import CLASSES, EGFR, NO_CELLS, OX, Lesion

# Codes of administrations beyond the kill classes
GIVE_VEGF, GIVE_CHECKPOINT, GIVE_CELLS = 6, 7, 8
LN_CELLS_MICRO, LN_CELLS_MACRO = math.log(1.0e7), math.log(1.0e8)
AFTER_TREATMENT_DAYS = 200.0
MOST_MARROW = 30.0  # effect on the marrow; more changes nothing


def begin_course(case: Case, index: int) -> None:
    """Start a course: line, dose levels, and the resistant share of each lesion for classes not met yet."""
    segment = case.plan.segments[index]
    if index >= case.plan.source.n_planned:
        grade_nerves(case)
    case.course = Course(index, segment, next_cycle=case.day)
    case.left_out = [False] * GIVEN
    if segment.line > 0:
        case.line = segment.line
        case.progressed = max(case.progressed, segment.line - 1)  # a plan may begin with a later line
    case.kill_rate = kill_rates(case)
    for k in range(CLASSES):
        case.dose[k] = min(case.dose[k], segment.dose[k])  # what has been reduced or stopped stays so
    for k in sorted({a.what for a in case.plan.given_in(segment) if a.what < CLASSES}):
        last = case.last_given[k]
        for i, lesion in enumerate(case.lesions):
            if last is None:
                case.first_logit[k, i] = lesion.logit[k] = first_resistance(case, lesion, k)
                lesion.met[k] = True
            elif k == EGFR:
                half_lives = (case.day - last) / case.par.resistance_half_life_egfr_days
                lesion.logit[k] = fallen_back(lesion.logit[k], case.first_logit[k, i], half_lives)
        case.last_given[k] = case.day


def first_resistance(case: Case, lesion: Lesion, k: int) -> float:
    """Logit of the resistant share when a class is first given: by size, linear between 1e7 and 1e8 cells."""
    share = (lesion.x - LN_CELLS_MICRO) / (LN_CELLS_MACRO - LN_CELLS_MICRO)
    low, high = case.twin.logit_micro[k], case.twin.logit_macro[k]
    return float(lesion.resistance + low + min(max(share, 0.0), 1.0) * (high - low))


def fallen_back(logit: float, first: float, half_lives: float) -> float:
    """Logit of the resistant share whose odds have gone back towards those at the start."""
    if half_lives <= 0.0:
        return logit
    odds = math.exp(first) + (math.exp(logit) - math.exp(first)) * 2.0**-half_lives
    return math.log(odds)


def kill_rates(case: Case) -> list[float]:
    """Kill per day and class at full effect and the reference size, for this patient and line."""
    par, twin = case.par, case.twin
    cytotoxic = twin.sensitivity * (par.later_line_potency if case.line >= 2 else 1.0)
    return [
        par.kappa_fp * cytotoxic,
        par.kappa_ox * cytotoxic,
        par.kappa_iri * cytotoxic,
        par.kappa_ftd * twin.sensitivity,
        par.kappa_egfr * twin.sensitivity * twin.egfr_active,
        par.kappa_target * twin.sensitivity,
    ]


def half_lives(par: SimpleNamespace) -> list[float]:
    """Half-life (days) of the effect of each class."""
    names = ("fp", "ox", "iri", "ftd", "egfr", "target")
    return [getattr(par, f"half_life_{name}_days") for name in names]


def give(case: Case, segment: SimpleNamespace, admin: SimpleNamespace) -> None:
    """One administration, at the dose level that the rules have left."""
    body, par, what = case.body, case.par, admin.what
    level = level_of(case, what)
    if what < CLASSES:
        body.effect[what] += admin.amount * level * segment.cycle_days * math.log(2.0) / half_lives(par)[what]
        if level > 0.0:
            case.last_given[what] = case.day
        if what == OX:
            body.nerve_x += admin.ox_mg * level
            case.oxaliplatin += admin.ox_mg * level
    elif what == GIVE_VEGF:
        body.vegf += level * admin.amount * par.vegf_level_mg_l * segment.cycle_days / 14.0
    elif what == GIVE_CHECKPOINT:
        body.checkpoint = max(body.checkpoint, min(1.0, level * admin.amount))
    elif what == GIVE_CELLS:
        there = math.exp(body.ln_cells) if body.ln_cells > NO_CELLS else 0.0
        if level * admin.amount > 0.0:
            body.ln_cells = math.log(there + level * admin.amount)
        case.cell_decay = math.log(2.0) / (admin.half_life * par.cell_half_life_factor)
    if admin.chemo > 0.0:
        hit = admin.chemo * level
        more = hit * segment.marrow * case.twin.marrow_factor
        body.marrow_effect = min(body.marrow_effect + more, MOST_MARROW)
        gone = -math.log(1.0 - min(segment.lymph, 0.99)) * hit
        body.lymph_effect += gone * math.log(2.0) / par.lymphocyte_effect_half_life_days
        body.chemo += hit
        body.stress = min(1.0, body.stress + hit)


def grade_nerves(case: Case) -> None:
    """Worst neuropathy of planned treatment, with what is still on its way to the nerve."""
    if case.nerve_graded:
        return
    case.nerve_graded = True
    k1 = math.log(2.0) / case.par.neuropathy_onset_days
    k2 = math.log(2.0) / case.par.neuropathy_recovery_days
    x, n = case.body.nerve_x, case.body.nerve_n
    if k1 * x > k2 * n:  # it still rises; the peak is where inflow and outflow meet
        share = k1 * x / (k1 - k2)  # N(t) = (n + share) e^(-k2 t) - share e^(-k1 t)
        peak_day = min(math.log(share * k1 / ((n + share) * k2)) / (k1 - k2), AFTER_TREATMENT_DAYS)
        peak = (n + share) * math.exp(-k2 * peak_day) - share * math.exp(-k1 * peak_day)
        case.nerve_peak = max(case.nerve_peak, peak)
    case.worst(NEUROPATHY, nerve_grade(case, case.nerve_peak, 0))


def _grade_cycle(case: Case, course: Course) -> None:
    """Toxicity of the cycle that ends; that of planned treatment is recorded."""
    operations = {k: g for k, g in case.last_grades.items() if k in (SURGICAL, LIVER_FAILURE)}
    now = {
        NEUTROPENIA: neutropenia_grade(case.nadir),
        NEUROPATHY: nerve_grade(case, case.body.nerve_n, case.twin.nerve_grade),
    }
    case.febrile = False
    if case.nadir < 0.5:
        case.febrile_count += 1
        case.febrile = case.coins.uniform(Stream.FEBRILE, case.febrile_count) < case.par.febrile_given_grade4
    if case.febrile:
        fatal = case.coins.uniform(Stream.FEBRILE_DEATH, case.febrile_count) < case.par.febrile_mortality
        if fatal:
            case.die_on(case.day, TOXICITY)
        now[FEBRILE] = 5 if fatal else 3
    case.last_grades = operations | now | _other_toxicity(case, course)
    if course.index < case.plan.source.n_planned:
        for kind, grade in case.last_grades.items():
            if kind != NEUROPATHY:  # followed to its peak by grade_nerves
                case.worst(kind, grade)


def _other_toxicity(case: Case, course: Course) -> dict[int, int]:
    """A kind known by its frequency happens once, when its hazard so far passes its coin."""
    found = {}
    for kind in range(FIRST_REPORTED, len(case.grades)):
        h = float(case.plan.source.toxicity[course.index, kind])
        so_far = case.toxicity_so_far.get(kind, 0.0)
        if h <= 0.0 or so_far == math.inf:
            continue
        happens = so_far + h >= case.coins.exponential(Stream.TOXICITY, kind)
        case.toxicity_so_far[kind] = math.inf if happens else so_far + h
        if happens:
            severe = case.coins.uniform(Stream.TOXICITY_GRADE4, kind)
            found[kind] = 4 if severe < case.plan.source.grade4[course.index, kind] else 3
    return found


def _mean_dose(case: Case, segment: SimpleNamespace) -> float:
    """Mean level of the cytotoxic classes of a course, relative to its starting doses."""
    given = {a.what for a in case.plan.given_in(segment) if a.chemo > 0.0 and a.what < CLASSES}
    levels = [level_of(case, k) / max(segment.dose[k], 1e-9) for k in sorted(given)]
    return sum(levels) / len(levels) if levels else 1.0


def _gives_up(case: Case, course: Course) -> bool:
    """Does the person stop a course of fixed length for a reason no rule knows?"""
    segment = course.segment
    if not segment.cytotoxic or segment.cycles == 0 or course.cycle < 0 or course.delayed > 0.0:
        return False
    case.stop_coins += 1
    return bool(case.coins.uniform(Stream.STOP_EARLY, case.stop_coins) < case.par.stop_per_cycle)


def _close_cycle(case: Case, course: Course) -> Decision:
    """Toxicity and rules of the cycle that ends; a cycle before a pause has been closed already."""
    if course.paused:
        course.paused = course.until_progression = False
        course.cycle_from, course.delayed = course.cycle + 1, 0.0
        case.left_out = [False] * GIVEN
        return Decision.GO_ON
    if course.cycle < 0 or course.delayed > 0.0:
        return Decision.GO_ON
    _grade_cycle(case, course)
    case.left_out = [False] * GIVEN
    return apply_rules(case, course, CYCLE_END)


def _open_cycle(case: Case, course: Course) -> None:
    """The next cycle begins today."""
    segment = course.segment
    course.delayed = 0.0
    course.cycle += 1
    course.cycle_start, course.next_cycle = case.day, case.day + segment.cycle_days
    course.still_to_give = list(case.plan.given_in(segment))
    case.nadir = case.body.neutrophils
    planned = course.index < case.plan.source.n_planned and segment.trigger == PLANNED
    if planned and segment.cytotoxic:
        case.outcome.cycles_given += 1
        case.outcome.dose_given += _mean_dose(case, segment)


def cycle_due(case: Case, course: Course) -> Decision:
    """End a cycle and start the next one, unless it waits, pauses or the course is over."""
    segment = course.segment
    decision = _close_cycle(case, course)
    if case.set_day <= case.day or 0 < segment.cycles <= course.cycle + 1:
        return max(Decision.END, decision)
    if decision >= Decision.PAUSE:
        return decision
    given = [a.what for a in case.plan.given_in(segment)]
    something = any(what > LAST_GIVEN or case.dose[what] > 0.0 for what in given)
    if not something or _gives_up(case, course):
        return Decision.END
    wait = days_to_wait(case, course)
    if wait == math.inf:
        return Decision.END
    if wait > 0.0:
        course.delayed += wait
        course.next_cycle = case.day + wait
        return Decision.GO_ON
    decision = apply_rules(case, course, CYCLE_START)
    if decision < Decision.PAUSE:
        _open_cycle(case, course)
        decision = Decision.GO_ON
    return decision


def give_due(case: Case, course: Course) -> None:
    """Everything of the cycle that is due today."""
    while course.still_to_give and course.cycle_start + course.still_to_give[0].day <= case.day:
        admin = course.still_to_give.pop(0)
        if admin.until_cycle == 0 or course.cycle < admin.until_cycle:
            give(case, course.segment, admin)
