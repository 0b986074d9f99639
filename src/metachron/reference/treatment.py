"""Systemic treatment: courses, cycles, doses, the rules that delay, reduce and stop, and toxicity."""

from __future__ import annotations

import math
from types import SimpleNamespace

from metachron.reference.case import (
    FEBRILE,
    FIRST_REPORTED,
    NEUROPATHY,
    NEUTROPENIA,
    TOXICITY,
    Case,
    Course,
)
from metachron.reference.philox import Stream
from metachron.reference.state import CLASSES, EGFR, NO_CELLS, OX, TARGET, Lesion

# Codes of administrations beyond the kill classes, of rule states and of actions
GIVE_VEGF, GIVE_CHECKPOINT, GIVE_CELLS = 6, 7, 8
COUNT, NADIR, NERVE_GRADE, FEVER, TOXIC = range(5)
DELAY, REDUCE, STOP = range(3)
LEAST_DOSE = 0.5
LN_CELLS_MICRO, LN_CELLS_MACRO = math.log(1.0e7), math.log(1.0e8)
AFTER_TREATMENT_DAYS = 200.0


def begin_course(case: Case, index: int) -> None:
    """Start a course: line, dose levels, and the resistant share of each lesion for classes not met yet."""
    segment = case.plan.segments[index]
    if index >= case.plan.source.n_planned:
        grade_nerves(case)
    case.course = Course(index, segment, next_cycle=case.day)
    if segment.line > 0:
        case.line = segment.line
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
    return float(low + min(max(share, 0.0), 1.0) * (high - low))


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
    level = case.dose[what] if what < CLASSES else 1.0
    if what < CLASSES:
        body.effect[what] += admin.amount * level * segment.cycle_days * math.log(2.0) / half_lives(par)[what]
        if level > 0.0:
            case.last_given[what] = case.day
        if what == OX:
            body.nerve_x += admin.ox_mg * level
    elif what == GIVE_VEGF:
        body.vegf += admin.amount * par.vegf_level_mg_l * segment.cycle_days / 14.0
    elif what == GIVE_CHECKPOINT:
        body.checkpoint = max(body.checkpoint, min(1.0, admin.amount))
    elif what == GIVE_CELLS:
        there = math.exp(body.ln_cells) if body.ln_cells > NO_CELLS else 0.0
        body.ln_cells = math.log(there + admin.amount)
        case.cell_decay = math.log(2.0) / (admin.half_life * par.cell_half_life_factor)
    if admin.chemo > 0.0:
        hit = admin.chemo * level
        body.marrow_effect += hit * segment.marrow * case.twin.marrow_factor
        gone = -math.log(1.0 - min(segment.lymph * hit, 0.99))
        body.lymph_effect += gone * math.log(2.0) / par.lymphocyte_effect_half_life_days
        body.chemo += hit
        body.stress = min(1.0, body.stress + hit)


def neutropenia_grade(count: float) -> int:
    """CTCAE grade of a neutrophil count (1e9/L); 0 from 1.5 on."""
    return sum(g for g, limit in ((2, 1.5), (1, 1.0), (1, 0.5)) if count < limit)


def nerve_grade(case: Case, burden: float, floor: int) -> int:
    """CTCAE grade of a nerve burden (mg/m2), not below `floor`."""
    felt = burden * case.twin.nerve_factor
    if felt >= case.par.neuropathy_grade3_mg_m2:
        return max(3, floor)
    return max(2, floor) if felt >= case.par.neuropathy_grade2_mg_m2 else floor


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


def _grade_cycle(case: Case, course: Course) -> int:
    """Toxicity of the cycle that ends; returns the grade of the nerves."""
    planned = course.index < case.plan.source.n_planned
    case.febrile = case.toxic = False
    if planned:
        case.worst(NEUTROPENIA, neutropenia_grade(case.nadir))
    if case.nadir < 0.5:
        case.febrile_count += 1
        case.febrile = case.coins.uniform(Stream.FEBRILE, case.febrile_count) < case.par.febrile_given_grade4
    if case.febrile:
        fatal = case.coins.uniform(Stream.FEBRILE_DEATH, case.febrile_count) < case.par.febrile_mortality
        if fatal:
            case.die_on(case.day, TOXICITY)
        if planned:
            case.worst(FEBRILE, 5 if fatal else 3)
    _other_toxicity(case, course, planned)
    return nerve_grade(case, case.body.nerve_n, case.twin.nerve_grade)


def _other_toxicity(case: Case, course: Course, planned: bool) -> None:
    """A kind known by its frequency happens once, when its hazard so far passes its coin."""
    for kind in range(FIRST_REPORTED, len(case.grades)):
        h = float(case.plan.source.toxicity[course.index, kind])
        so_far = case.toxicity_so_far.get(kind, 0.0)
        if h <= 0.0 or so_far == math.inf:
            continue
        happens = so_far + h >= case.coins.exponential(Stream.TOXICITY, kind)
        case.toxicity_so_far[kind] = math.inf if happens else so_far + h
        if happens:
            case.toxic = True
            if planned:
                severe = case.coins.uniform(Stream.TOXICITY_GRADE4, kind)
                case.grades[kind] = 4 if severe < case.plan.source.grade4[course.index, kind] else 3


def _change_dose(case: Case, rule: SimpleNamespace) -> None:
    """Reduce or stop a class, or all cytotoxics."""
    for k in range(CLASSES):
        meant = k == rule.target or (rule.target < 0 and k not in (EGFR, TARGET))
        if meant and case.dose[k] > 0.0:
            case.dose[k] = 0.0 if rule.action == STOP else max(LEAST_DOSE, case.dose[k] * rule.value)


def _apply_rules(case: Case, grade: int) -> None:
    """Dose rules at the end of a cycle; a grade of the nerves acts once."""
    for rule in case.plan.rules:
        hit = False
        if rule.state == NADIR:
            hit = case.nadir < rule.limit
        elif rule.state == FEVER:
            hit = case.febrile
        elif rule.state == TOXIC:
            hit = case.toxic
        elif rule.state == NERVE_GRADE and grade >= rule.limit > case.nerve_rule:
            hit, case.nerve_rule = True, int(rule.limit)
        if hit and rule.action != DELAY:
            _change_dose(case, rule)


def _wait(case: Case, course: Course) -> float:
    """Days to wait for the counts; infinite when the wait has been too long."""
    for rule in case.plan.rules if course.segment.cytotoxic else []:
        if rule.state == COUNT and rule.action == DELAY and case.body.neutrophils < rule.limit:
            return rule.value if course.delayed + rule.value <= rule.max_delay else math.inf
    return 0.0


def _mean_dose(case: Case, segment: SimpleNamespace) -> float:
    """Mean level of the cytotoxic classes of a course, relative to its starting doses."""
    given = {a.what for a in case.plan.given_in(segment) if a.chemo > 0.0 and a.what < CLASSES}
    levels = [case.dose[k] / max(segment.dose[k], 1e-9) for k in sorted(given)]
    return sum(levels) / len(levels) if levels else 1.0


def _gives_up(case: Case, course: Course) -> bool:
    """Does the person stop a course of fixed length for a reason no rule knows?"""
    segment = course.segment
    if not segment.cytotoxic or segment.cycles == 0 or course.cycle < 0 or course.delayed > 0.0:
        return False
    case.stop_coins += 1
    return bool(case.coins.uniform(Stream.STOP_EARLY, case.stop_coins) < case.par.stop_per_cycle)


def cycle_due(case: Case, course: Course) -> bool:
    """End a cycle and start the next one. False when the course is over."""
    segment = course.segment
    if course.cycle >= 0 and course.delayed == 0.0:
        grade = _grade_cycle(case, course)
        if segment.cytotoxic:
            _apply_rules(case, grade)
        if case.set_day <= case.day:
            return False
    if 0 < segment.cycles <= course.cycle + 1:
        return False
    something = any(a.what >= CLASSES or case.dose[a.what] > 0.0 for a in case.plan.given_in(segment))
    if not something or _gives_up(case, course):
        return False
    wait = _wait(case, course)
    if wait == math.inf:
        return False
    if wait > 0.0:
        course.delayed += wait
        course.next_cycle = case.day + wait
        return True
    course.delayed = 0.0
    course.cycle += 1
    course.cycle_start, course.next_cycle = case.day, case.day + segment.cycle_days
    course.still_to_give = list(case.plan.given_in(segment))
    case.nadir = case.body.neutrophils
    if course.index < case.plan.source.n_planned and segment.cytotoxic:
        case.outcome.cycles_given += 1
        case.outcome.dose_given += _mean_dose(case, segment)
    return True


def give_due(case: Case, course: Course) -> None:
    """Everything of the cycle that is due today."""
    while course.still_to_give and course.cycle_start + course.still_to_give[0].day <= case.day:
        admin = course.still_to_give.pop(0)
        if admin.until_cycle == 0 or course.cycle < admin.until_cycle:
            give(case, course.segment, admin)
