"""Scans: what is seen, response by RECIST 1.1, recurrence after a disease-free state, the next date."""

from __future__ import annotations

import math

import numpy as np

from metachron.reference.case import COMPLETE, PARTIAL, PROGRESSED, PROGRESSION, STABLE, Case
from metachron.reference.state import LIVER, Lesion

LEAST_MM = 4.0
GROWTH, GROWTH_MM, SHRINKAGE = 1.2, 5.0, 0.7
FELT_MM = 60.0


def sum_of_diameters(lesions: list[Lesion], *, liver_only: bool = False) -> float:
    """RECIST sum (mm) of the target lesions; what is under 4 mm counts as gone."""
    sizes = [s.diameter_mm for s in lesions if s.target and (s.organ == LIVER or not liver_only)]
    return sum(d for d in sizes if d >= LEAST_MM)


def new_baseline(case: Case) -> None:
    """All that is visible becomes target; response is judged from here."""
    for lesion in case.lesions:
        lesion.target = lesion.visible
    case.baseline = case.smallest = sum_of_diameters(case.lesions)
    case.smallest_in_liver = sum_of_diameters(case.lesions, liver_only=True)


def look(case: Case, cells_seen: float) -> list[Lesion]:
    """Lesions that come to light now, at a modality that sees half of those of `cells_seen` cells."""
    found = []
    for lesion in case.lesions:
        cells = lesion.volume_ml * 1.0e9
        if not lesion.visible and cells > 0.0 and math.log(cells) > math.log(cells_seen) + lesion.offset:
            lesion.visible = True
            found.append(lesion)
    return found


def note(case: Case, *, anywhere: bool, liver: bool) -> None:
    """Write the day of the first progression or recurrence, and of the first in the liver."""
    out = case.outcome
    if anywhere:
        case.progressions[np.isinf(case.progressions)] = case.day
    if anywhere and not out.pfs_event:
        out.pfs, out.pfs_event = case.day, PROGRESSED
    if liver and not out.hepatic_event:
        out.hepatic, out.hepatic_event = case.day, PROGRESSED


def scan(case: Case) -> bool:
    """One scan. True when the disease has come back or progressed."""
    found = look(case, case.plan.source.ct_limit)
    for lesion in found:
        if lesion.treated:
            case.outcome.local_failure = 1
            lesion.treated = False
    new_in_liver = any(s.organ == LIVER for s in found)
    if case.free_of_disease:
        if found:
            _recur(case, new_in_liver)
        return bool(found)
    grown, grown_liver = _judge(case, bool(found))
    if found:
        case.new_lesion = True
    progressed = grown or bool(found)
    note(case, anywhere=progressed, liver=grown_liver or new_in_liver)
    if progressed:
        case.first_episode_over = True
        new_baseline(case)
    return progressed


def _recur(case: Case, in_liver: bool) -> None:
    """The end of a disease-free state. A recurrence is not a `new lesion` of metastatic disease."""
    case.free_of_disease, case.new_lesion = False, False
    case.metastatic = case.first_episode_over = True
    case.last_response = PROGRESSION
    note(case, anywhere=True, liver=in_liver)
    new_baseline(case)


def _judge(case: Case, new: bool) -> tuple[bool, bool]:
    """Has the sum grown by 20 % and 5 mm over its least value, everywhere and in the liver?"""
    total = sum_of_diameters(case.lesions)
    liver = sum_of_diameters(case.lesions, liver_only=True)
    grown = _larger(total, case.smallest)
    grown_liver = _larger(liver, case.smallest_in_liver)
    if grown or new:
        response = PROGRESSION
    elif total <= 0.0:
        response = COMPLETE
    elif total <= SHRINKAGE * case.baseline:
        response = PARTIAL
    else:
        response = STABLE
    case.last_response = response
    if not case.first_episode_over:
        case.best = min(case.best, response) if case.best else response
    case.smallest = min(case.smallest, total)
    case.smallest_in_liver = min(case.smallest_in_liver, liver)
    return grown, grown_liver


def _larger(now: float, least: float) -> bool:
    return now >= GROWTH * least and now - least >= GROWTH_MM


def next_scan_day(case: Case) -> float:
    """With disease or under treatment of it, at the interval on treatment; else by surveillance."""
    plan = case.plan.source
    if not case.free_of_disease or (case.course is not None and case.metastatic):
        return case.day + plan.on_treatment_days
    since = case.day - case.scan_origin
    if since < plan.first_scan:
        return case.scan_origin + plan.first_scan
    for until, every in plan.scans.tolist():
        if since < until:
            return float(case.day + every)
    return math.inf


def felt(case: Case) -> bool:
    """Is an unseen lesion so large that it makes itself known?"""
    return any(s.alive and not s.visible and s.diameter_mm > FELT_MM for s in case.lesions)
