"""Scans: what is seen, RECIST 1.1 on the sum of diameters, recurrence after a disease-free state."""

from __future__ import annotations

import math

from metachron.engine.advance import hazard, lesion_ml
from metachron.engine.records import CR, LIVER, PD, PR, PROGRESSED, SD
from metachron.model.compiled import jit
from metachron.model.detection import seen
from metachron.model.growth import diameter_mm

MEASURABLE_MM = 4.0
RECIST_GROWTH, RECIST_MM, RECIST_RESPONSE = 1.2, 5.0, 0.7


@jit
def sums(life, lesions, liver_only):
    """Sum of diameters (mm) of the target lesions, all or in the liver."""
    total = 0.0
    for i in range(life.x.size):
        if life.target[i] and (not liver_only or lesions[i].organ == LIVER):
            d = diameter_mm(lesion_ml(life, i))
            if d >= MEASURABLE_MM:
                total += d
    return total


@jit
def set_baseline(st, life, lesions):
    """Every visible lesion becomes a target; response is judged from here."""
    for i in range(life.x.size):
        life.target[i] = life.visible[i]
    st.base_sum = sums(life, lesions, False)
    st.nadir_sum = st.base_sum
    st.nadir_liver = sums(life, lesions, True)


@jit
def look(life, lesions, ln_limit):
    """Mark lesions that this scan shows for the first time; returns (new, new in liver, local regrowth)."""
    new, new_liver, local = 0, 0, 0
    for i in range(life.x.size):
        if life.visible[i]:
            continue
        if seen(lesion_ml(life, i), ln_limit, lesions[i].offset):
            life.visible[i] = 1
            new += 1
            if lesions[i].organ == LIVER:
                new_liver += 1
            if life.treated[i]:
                local = 1
                life.treated[i] = 0
    return new, new_liver, local


@jit
def note_event(st, out, liver):
    """Write the first progression or recurrence, and the first one in the liver."""
    if out.pfs_event == 0:
        out.pfs = st.t
        out.pfs_event = PROGRESSED
    if liver and out.hepatic_event == 0:
        out.hepatic = st.t
        out.hepatic_event = PROGRESSED


@jit
def judge(st, life, lesions, new, new_liver):
    """RECIST on a measurable patient: returns (progressed, progressed in the liver)."""
    total, liver = sums(life, lesions, False), sums(life, lesions, True)
    grown = total >= RECIST_GROWTH * st.nadir_sum and total - st.nadir_sum >= RECIST_MM
    grown_liver = liver >= RECIST_GROWTH * st.nadir_liver and liver - st.nadir_liver >= RECIST_MM
    if st.done == 0:
        rank = SD
        if total <= 0.0 and new == 0:
            rank = CR
        elif total <= RECIST_RESPONSE * st.base_sum:
            rank = PR
        if grown or new > 0:
            rank = PD
        if st.best == 0 or rank < st.best:
            st.best = rank
    st.nadir_sum = min(st.nadir_sum, total)
    st.nadir_liver = min(st.nadir_liver, liver)
    return grown or new > 0, grown_liver or new_liver > 0


@jit
def scan(st, life, lesions, twin, par, out, ln_limit):
    """Look, judge, record. Returns True when the disease has progressed or come back."""
    new, new_liver, local = look(life, lesions, ln_limit)
    if local:
        out.local_failure = 1
    if st.ned:
        if new == 0:
            return False
        st.ned = 0
        st.new_lesion = 0  # the hazard of new lesions was fitted from the start of a metastatic course
        st.course += 1
        st.done = 1
        note_event(st, out, new_liver > 0)
        set_baseline(st, life, lesions)
        st.hazard_now = hazard(st, life, lesions, twin, par)
        return True
    progressed, in_liver = judge(st, life, lesions, new, new_liver)
    if new > 0:
        st.new_lesion = 1
        st.hazard_now = hazard(st, life, lesions, twin, par)
    if progressed:
        st.done = 1
        note_event(st, out, in_liver)
        set_baseline(st, life, lesions)
    elif in_liver:
        note_liver(st, out)
    return progressed


@jit
def note_liver(st, out):
    """Liver progression that the whole sum does not show yet."""
    if out.hepatic_event == 0:
        out.hepatic = st.t
        out.hepatic_event = PROGRESSED


@jit
def next_scan_day(st, scans, on_treatment, first):
    """Day of the next scan: on-treatment interval with disease, surveillance schedule without."""
    if not st.ned or (st.segment >= 0 and st.course > 0):
        return st.t + on_treatment
    since = st.t - st.scan_origin
    if since < first - 1e-9:
        return st.scan_origin + first
    for j in range(scans.shape[0]):
        if since < scans[j, 0] - 1e-9:
            return st.t + scans[j, 1]
    return math.inf
