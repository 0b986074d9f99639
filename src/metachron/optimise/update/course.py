"""The treatment really given since the assessment, as a programme that twins can live."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from metachron.engine.compile import KILL_CLASS, compile_strategy, start_line
from metachron.engine.records import GIVE_CELLS, GIVE_VEGF, RULE, Programme
from metachron.errors import InputError, Problem
from metachron.optimise.update.finding import Finding, GivenTreatment, LocalTherapy
from metachron.optimise.update.walk import Past
from metachron.patient import derive
from metachron.patient.schema import Patient
from metachron.strategies.catalogue import Catalogue, plain_name
from metachron.strategies.language import parse_plan
from metachron.strategies.schema import EffectClass, Intent, Strategy

OVERLAP = 0.5  # regimens of one kind that share more of the shorter one's time are given together


@dataclass(frozen=True)
class Given:
    """One stretch of treatment: its expression, first day, and what the record says of it.

    `cycle_days`: the interval really kept; `until`: by effect class, cycles of a partner given for fewer.
    """

    expression: str
    start: int
    words: str
    line: int = 0
    cycles: int = 0
    cycle_days: int = 0
    dose_share: float = 1.0
    until: dict[EffectClass, int] = field(default_factory=dict)
    lesions: tuple[str, ...] | None = None


def merged_treatments(findings: list[Finding]) -> list[GivenTreatment]:
    """Every treatment once, by start: what a later finding says of the same one counts."""
    found: dict[tuple[str, date], GivenTreatment] = {}
    for finding in sorted(findings, key=lambda f: f.date):
        for t in finding.treatments:
            found[plain_name(t.name), t.start] = t
    return sorted(found.values(), key=lambda t: (t.start, t.name))


def local_therapies(findings: list[Finding]) -> list[LocalTherapy]:
    """Operations and ablations by date, each once."""
    unique = {(plain_name(t.name), t.date): t for f in findings for t in f.local_therapy}
    return sorted(unique.values(), key=lambda t: t.date)


def setting_of(treatment: GivenTreatment, patient: Patient, findings: list[Finding]) -> str:
    """adjuvant, neoadjuvant or metastatic: as given, else from what was visible and what was done after."""
    if treatment.setting is not None:
        return treatment.setting
    if not derive.in_place(patient) and patient.metastasis_summary is None:
        return "adjuvant"
    procedures = local_therapies(findings)
    if any(p.date >= treatment.start for p in procedures):
        return "neoadjuvant"
    return "adjuvant" if procedures and _all_gone(patient, findings) else "metastatic"


def _all_gone(patient: Patient, findings: list[Finding]) -> bool:
    gone = {name for t in local_therapies(findings) for name in t.lesions or ()}
    return {m.id for m in derive.in_place(patient)} <= gone


def cycles_given(treatment: GivenTreatment, cycle_days: int, today: date) -> int:
    """Cycles as recorded, else as many as began between the dates."""
    if treatment.cycles is not None:
        return treatment.cycles
    return ((treatment.end or today) - treatment.start).days // cycle_days + 1


def _interval(treatment: GivenTreatment, cycles: int, nominal: int, today: date) -> int:
    """Days between cycles: those of the regimen, more when the dates say that cycles were put off."""
    span = ((treatment.end or today) - treatment.start).days
    if treatment.end is None or cycles < 2:
        return nominal
    return max(nominal, round(span / cycles))


def given_courses(patient: Patient, findings: list[Finding], catalogue: Catalogue) -> list[Given]:
    """What was given, in order of its first day. Raises InputError for drugs that do not go together."""
    drugs = merged_treatments(findings)
    kinds = {t.name: _kind(t, catalogue) for t in drugs}
    bases = [t for t in drugs if kinds[t.name] == "cytotoxic"]
    groups = [[t] for t in bases]
    for t in (t for t in drugs if kinds[t.name] != "cytotoxic"):
        homes = [
            g for g in groups if kinds[g[0].name] == "cytotoxic" and _together(g[0], t, findings[-1].date)
        ]
        for group in homes:
            group.append(t)
        if not homes:
            groups.append([t])
    courses = [_course(g, patient, findings, catalogue) for g in sorted(groups, key=lambda g: g[0].start)]
    courses += [_procedure(p, patient) for p in local_therapies(findings)]
    return _lines(sorted(courses, key=lambda c: c.start), patient)


def _kind(treatment: GivenTreatment, catalogue: Catalogue) -> str:
    name = plain_name(treatment.name)
    return catalogue.regimens[name].kind if name in catalogue.regimens else "cells"


def _together(base: GivenTreatment, partner: GivenTreatment, today: date) -> bool:
    first, last = max(base.start, partner.start), min(base.end or today, partner.end or today)
    shorter = min(((t.end or today) - t.start).days for t in (base, partner))
    return (last - first).days >= OVERLAP * max(shorter, 1)


def _course(
    group: list[GivenTreatment], patient: Patient, findings: list[Finding], catalogue: Catalogue
) -> Given:
    """Drugs given together; the first sets the cycle, partners given for fewer cycles stop earlier."""
    base, today = group[0], findings[-1].date
    name = plain_name(base.name)
    cell = name in catalogue.cells
    nominal = catalogue.cells[name].interval_days if cell else catalogue.regimens[name].cycle_days
    cycles = cycles_given(base, nominal, today)
    parts = [f"{name}*{cycles}"]
    until: dict[EffectClass, int] = {}
    for partner in group[1:]:
        other = plain_name(partner.name)
        if other in catalogue.cells:
            parts.append(f"{other}*{min(partner.cycles or cycles, cycles)}")
            continue
        parts.append(other)
        count = min(cycles_given(partner, nominal, today), cycles)
        if count < cycles:
            until |= dict.fromkeys(catalogue.effects_of(other), count)
    metastatic = setting_of(base, patient, findings) == "metastatic"
    words = f"{' + '.join(parts)} from {base.start}"
    return Given(
        expression=" + ".join(parts),
        start=(base.start - patient.assessed_on).days,
        words=words + (f" to {base.end}" if base.end else ", going on"),
        line=1 if metastatic and not cell else 0,
        cycles=cycles,
        cycle_days=_interval(base, cycles, nominal, today),
        dose_share=base.dose_share,
        until=until,
    )


def _procedure(entry: LocalTherapy, patient: Patient) -> Given:
    name = plain_name(entry.name)
    what = f" of {', '.join(entry.lesions)}" if entry.lesions else ""
    lesions = None if entry.lesions is None else tuple(entry.lesions)
    words = f"{name}{what} on {entry.date}"
    return Given(name, (entry.date - patient.assessed_on).days, words, lesions=lesions)


def _lines(courses: list[Given], patient: Patient) -> list[Given]:
    """The courses with their line of treatment counted on from the record."""
    line = start_line(patient)
    found = []
    for course in courses:
        line += course.line
        found.append(Given(**{**vars(course), "line": line if course.line else 0}))
    return found


def compile_past(
    patient: Patient,
    courses: list[Given],
    catalogue: Catalogue,
    columns: int,
    names: list[str],
    stops: list[int],
) -> Past:
    """The programme of what was given, for twins with `columns` lesions, the first of them called `names`.

    `stops`: days at which the state is noted, the last of them today. Raises InputError.
    """
    steps = [_step(course, catalogue) for course in courses]
    strategy = Strategy(
        name="given", title="Given", summary="", intent=Intent.DISEASE_CONTROL, steps=steps, dose_rules="none"
    )
    whole = compile_strategy(patient, strategy, catalogue, metastatic=True)
    n = len(courses)
    programme = whole._replace(
        segments=whole.segments[:n].copy(),
        admins=whole.admins.copy(),
        rules=np.zeros(0, RULE),
        toxicity=whole.toxicity[:n],
        grade4=whole.grade4[:n],
        n_planned=n,
        n_lines=0,
        repeat_segment=-1,
        continue_segment=-1,
    )
    touched = np.ones((n, columns))
    for s, course in enumerate(courses):
        _as_given(programme, s, course)
        if course.lesions is not None:
            touched[s] = [i >= len(names) or names[i] in course.lesions for i in range(columns)]
    starts = np.array([c.start for c in courses], dtype=np.float64)
    return Past(programme, starts, touched, np.array(stops, dtype=np.float64))


def _step(course: Given, catalogue: Catalogue) -> object:
    try:
        return parse_plan(course.expression, catalogue)[0]
    except InputError as error:
        problem = error.problems[0]
        message = f"what was given together ({course.words}) cannot be: {problem.message}"
        raise InputError(Problem("treatments", message, problem.allowed, problem.suggestion)) from None


def _as_given(programme: Programme, s: int, course: Given) -> None:
    """Write into segment `s` what the record says: interval, doses, line; the patient has survived it."""
    segment: NDArray[np.void] = programme.segments[s : s + 1]
    segment["mortality"] = 0.0
    segment["line"] = course.line
    if not course.cycle_days:
        return
    nominal = int(segment["cycle_days"][0])
    interval = max(nominal, course.cycle_days)
    segment["cycle_days"] = interval
    segment["dose"][0, [KILL_CLASS[e] for e in CYTOTOXIC]] *= course.dose_share
    rows = slice(int(segment["admin_from"][0]), int(segment["admin_to"][0]))
    admins = programme.admins[rows]
    # the kernel spreads a dose over its cycle: the same dose over a longer cycle is a smaller mean effect
    admins["amount"] *= np.where(admins["what"] <= GIVE_VEGF, nominal / interval, 1.0)
    for effect, count in course.until.items():
        admins["until_cycle"][(admins["what"] == KILL_CLASS[effect]) & (admins["what"] < GIVE_CELLS)] = count


CYTOTOXIC = (EffectClass.FP, EffectClass.OX, EffectClass.IRI, EffectClass.FTD)
