"""Scans: what is seen, RECIST 1.1 on the sum of diameters, recurrence after a disease-free state."""

from __future__ import annotations

import math

from metachron.engine.advance import hazard
from metachron.engine.lesions import lesion_ml
from metachron.engine.records import CR, LIVER, PD, PR, PROGRESSED, SD
from metachron.model.compiled import jit
from metachron.model.growth import diameter_mm

MEASURABLE_MM = 4.0
RECIST_GROWTH, RECIST_MM, RECIST_RESPONSE = 1.2, 5.0, 0.7


@jit
def sums(st):
    """Sums of the diameters (mm) of the day of the target lesions: (all, in the liver)."""
    total, liver = 0.0, 0.0
    for i in range(st.n):
        if st.target[i] > 0.0:
            d = st.mm[i]
            if d >= MEASURABLE_MM:
                total += d
                if st.organ[i] == LIVER:
                    liver += d
    return total, liver


@jit
def set_baseline(st):
    """Every visible lesion becomes a target; response is judged from here."""
    for i in range(st.n):
        st.target[i] = st.visible[i]
    st.base_sum, st.nadir_liver = sums(st)
    st.nadir_sum = st.base_sum


@jit
def look(st, sharper):
    """Mark lesions shown for the first time; returns (new, new in liver, local regrowth).

    A scan of the programme sees lesion i above seen_above[i] mL; `sharper` scales that volume.
    """
    new, new_liver, local = 0, 0, 0
    for i in range(st.n):
        if st.visible[i] > 0.0 or lesion_ml(st, i) <= sharper * st.seen_above[i]:
            continue
        st.visible[i] = 1.0
        st.mm[i] = diameter_mm(lesion_ml(st, i))
        new += 1
        if st.organ[i] == LIVER:
            new_liver += 1
        if st.treated[i] > 0.0:
            local = 1
            st.treated[i] = 0.0
    return new, new_liver, local


@jit
def note_event(st, out, liver):
    """Write the first progression or recurrence: of all, of each step begun before, and in the liver."""
    for s in range(st.progressions.size):
        if st.progressions[s] == math.inf:
            st.progressions[s] = st.t
    if out.pfs_event == 0:
        out.pfs = st.t
        out.pfs_event = PROGRESSED
    if liver:
        note_liver(st, out)


@jit
def note_liver(st, out):
    """Liver progression that the whole sum does not show yet."""
    if out.hepatic_event == 0:
        out.hepatic = st.t
        out.hepatic_event = PROGRESSED


@jit
def judge(st, new, new_liver):
    """RECIST on a measurable patient: returns (progressed, progressed in the liver)."""
    total, liver = sums(st)
    grown = total >= RECIST_GROWTH * st.nadir_sum and total - st.nadir_sum >= RECIST_MM
    grown_liver = liver >= RECIST_GROWTH * st.nadir_liver and liver - st.nadir_liver >= RECIST_MM
    rank = SD
    if total <= 0.0 and new == 0:
        rank = CR
    elif total <= RECIST_RESPONSE * st.base_sum:
        rank = PR
    if grown or new > 0:
        rank = PD
    st.last_response = rank
    if st.done == 0 and (st.best == 0 or rank < st.best):
        st.best = rank
    st.nadir_sum = min(st.nadir_sum, total)
    st.nadir_liver = min(st.nadir_liver, liver)
    return grown or new > 0, grown_liver or new_liver > 0


@jit
def recur(st, twin, par, out, in_liver):
    """Disease has come back after a disease-free state."""
    st.ned = 0
    st.new_lesion = 0  # the hazard of new lesions was fitted from the start of a metastatic course
    st.course += 1
    st.done = 1
    st.last_response = PD
    note_event(st, out, in_liver)
    set_baseline(st)
    st.hazard_now = hazard(st, twin, par)


@jit
def scan(st, twin, par, out):
    """Look, judge, record. Returns True when the disease has progressed or come back."""
    new, new_liver, local = look(st, 1.0)
    if local:
        out.local_failure = 1
    if st.ned:
        if new > 0:
            recur(st, twin, par, out, new_liver > 0)
        return new > 0
    progressed, in_liver = judge(st, new, new_liver)
    if new > 0:
        st.new_lesion = 1
        st.hazard_now = hazard(st, twin, par)
    if progressed:
        st.done = 1
        note_event(st, out, in_liver)
        set_baseline(st)
    elif in_liver:
        note_liver(st, out)
    return progressed


@jit
def next_scan_day(st, programme):
    """Day of the next scan: on-treatment interval with disease, surveillance schedule without."""
    if not st.ned or (st.segment >= 0 and st.course > 0):
        return st.t + programme.on_treatment_days
    since = st.t - st.scan_origin
    if since < programme.first_scan - 1e-9:
        return st.scan_origin + programme.first_scan
    for j in range(programme.n_scans):
        if since < programme.scans[j, 0] - 1e-9:
            return st.t + programme.scans[j, 1]
    return math.inf
