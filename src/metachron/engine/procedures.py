"""Operations and ablations on the lesions of one life, and what they cost."""

from __future__ import annotations

import math

from metachron.engine import random as keyed
from metachron.engine.advance import hazard
from metachron.engine.imaging import look, set_baseline
from metachron.engine.lesions import clear_cells, lesion_ml, set_size
from metachron.engine.records import CAUSE_OPERATION, LIVER, LUNG
from metachron.model.compiled import jit
from metachron.model.growth import diameter_mm
from metachron.model.liver import failure_probability
from metachron.model.local_therapy import RESIDUAL_CELLS_AFTER_RESECTION, residual_probability
from metachron.model.toxicity import LIVER_FAILURE, SURGICAL

# A lesion is reached once per procedure; the coin of lesion i at the r-th procedure has index 128 r + i.
COINS_PER_PROCEDURE = 128


@jit
def clear(st, i):
    """Lesion i is gone with all its cells."""
    clear_cells(st, i)
    st.visible[i] = 0.0
    st.target[i] = 0.0
    st.debris[i] = 0.0


@jit
def leave_residue(st, i, x):
    """Lesion i keeps exp(x) cells that no scan shows."""
    set_size(st, i, min(st.x[i], x))
    st.visible[i] = 0.0
    st.target[i] = 0.0
    st.treated[i] = 1.0
    st.debris[i] = 0.0


@jit
def resect_lesion(st, par, seed, key, i, coin):
    """Take out lesion i; seldom a few cells stay at the margin."""
    if st.alive[i] > 0.0 and keyed.uniform(seed, key, keyed.RESECTION, coin) >= par.resection_success:
        leave_residue(st, i, math.log(RESIDUAL_CELLS_AFTER_RESECTION))
    else:
        clear(st, i)


@jit
def ablate_lesion(st, segment, par, seed, key, i, coin):
    """Ablate lesion i; what stays depends on size, margin reached, vessel and device."""
    d = diameter_mm(lesion_ml(st, i))
    margin = segment.margin + par.margin_sd_mm * keyed.normal(seed, key, keyed.MARGIN, coin)
    p = residual_probability(
        d, margin, par.ablation_hazard, par.ablation_margin_slope, par.ablation_size_factor,
        par.ablation_sink_factor, st.near_vessel[i] > 0.0, segment.hazard_factor,
    )  # fmt: skip
    if segment.cryo:
        st.pulse = par.antigen_pulse
    if st.alive[i] > 0.0 and keyed.uniform(seed, key, keyed.ABLATION, coin) < p:
        leave_residue(st, i, st.x[i] + math.log(par.residual_share))
    else:
        clear(st, i)


@jit
def largest_visible(st):
    """Index of the largest visible liver lesion, or -1."""
    best, index = -1.0, -1
    for i in range(st.n):
        if st.visible[i] > 0.0 and st.organ[i] == LIVER:
            volume = lesion_ml(st, i)
            if volume > best:
                best, index = volume, i
    return index


@jit
def treat_lesions(st, segment, par, seed, key, organ, procedure):
    """Resect or ablate every visible lesion of the organ; with both, the largest and large are resected."""
    first = largest_visible(st)
    for i in range(st.n):
        if st.visible[i] == 0.0 or st.organ[i] != organ:
            continue
        coin = COINS_PER_PROCEDURE * procedure + int(st.slot[i])
        by_knife = segment.resect == 1
        if segment.resect == 1 and segment.ablate == 1:
            by_knife = i == first or diameter_mm(lesion_ml(st, i)) > segment.ablate_max
        if by_knife:
            resect_lesion(st, par, seed, key, i, coin)
        else:
            ablate_lesion(st, segment, par, seed, key, i, coin)


@jit
def take_liver(st, segment, par, seed, key, procedure, planned):
    """Unseen lesions in the part of the liver removed go with it; the remnant may fail, or grows back."""
    for i in range(st.n):
        if st.alive[i] > 0.0 and st.organ[i] == LIVER and st.visible[i] == 0.0 and st.treated[i] == 0.0:
            u = keyed.uniform(seed, key, keyed.IN_REMNANT, COINS_PER_PROCEDURE * procedure + int(st.slot[i]))
            if u > segment.remnant:
                clear(st, i)
    st.liver *= segment.remnant
    st.removed, st.removed_on = 1.0 - segment.remnant, st.t
    risk = failure_probability(st.liver, par.phlf_max, par.phlf_mid, par.phlf_width)
    if keyed.uniform(seed, key, keyed.LIVER_FAILURE, procedure) < risk:
        note_grade(st, LIVER_FAILURE, 3, planned)


@jit
def note_grade(st, kind, grade, planned):
    """Toxicity of an operation: the rules read it, and that of planned treatment is recorded."""
    st.tox_grade[kind] = max(st.tox_grade[kind], float(grade))
    if planned:
        st.grades[kind] = max(st.grades[kind], float(grade))


@jit
def operate(st, segment, twin, par, out, seed, organ, procedure, planned):
    """Carry out a procedure; with nothing visible left the patient counts as disease-free."""
    if organ == LIVER:
        look(st, par.detect_ious_cells / st.scan_limit)  # the surgeon's ultrasound sees more
    treat_lesions(st, segment, par, seed, twin.key, organ, procedure)
    if segment.resect and organ == LIVER:
        take_liver(st, segment, par, seed, twin.key, procedure, planned)
    if keyed.uniform(seed, twin.key, keyed.OPERATIVE_COMPLICATION, procedure) < segment.morbidity:
        note_grade(st, SURGICAL, 3, planned)
    risk = 1.0 - (1.0 - segment.mortality) ** twin.background_factor**0.5
    if keyed.uniform(seed, twin.key, keyed.OPERATIVE_DEATH, procedure) < risk:
        day = st.t + 30.0
        if day < st.death_set:
            st.death_set = day
            st.set_cause = CAUSE_OPERATION
        note_grade(st, SURGICAL, 5, planned)
    left = 0.0
    for i in range(st.n):
        left += st.visible[i]
    st.done = 1
    out.resected = 1
    if left == 0.0:
        st.ned = 1
        st.scan_origin = st.t
        st.new_lesion = 0
    set_baseline(st)
    st.hazard_now = hazard(st, twin, par)


@jit
def confined(st, largest_mm, most):
    """Organ that holds all visible disease if it is small and few enough to treat locally, else -1."""
    organ, count = -1, 0
    for i in range(st.n):
        if st.visible[i] > 0.0:
            count += 1
            if organ >= 0 and int(st.organ[i]) != organ:
                return -1
            organ = int(st.organ[i])
            if diameter_mm(lesion_ml(st, i)) > largest_mm:
                return -1
    if count == 0 or count > most or (organ != LIVER and organ != LUNG):
        return -1
    return organ
