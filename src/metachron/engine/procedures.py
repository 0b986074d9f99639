"""Operations and ablations on the lesions of one life, and what they cost."""

from __future__ import annotations

import math

from metachron.engine import random as keyed
from metachron.engine.advance import hazard, lesion_ml
from metachron.engine.imaging import look, set_baseline
from metachron.engine.records import CAUSE_OPERATION, LIVER, LUNG
from metachron.model.compiled import jit
from metachron.model.growth import diameter_mm
from metachron.model.local_therapy import RESIDUAL_CELLS_AFTER_RESECTION, residual_probability
from metachron.model.toxicity import SURGICAL

# A lesion is reached once per procedure; the coin of lesion i at the r-th procedure has index 64 r + i.
COINS_PER_PROCEDURE = 64


@jit
def clear(life, i):
    """Lesion i is gone with all its cells."""
    life.alive[i] = 0
    life.visible[i] = 0
    life.target[i] = 0
    life.debris[i] = 0.0


@jit
def leave_residue(life, i, x):
    """Lesion i keeps exp(x) cells that no scan shows."""
    life.x[i] = min(life.x[i], x)
    life.visible[i] = 0
    life.target[i] = 0
    life.treated[i] = 1
    life.debris[i] = 0.0


@jit
def resect_lesion(life, par, seed, key, i, coin):
    """Take out lesion i; seldom a few cells stay at the margin."""
    if life.alive[i] and keyed.uniform(seed, key, keyed.RESECTION, coin) >= par.resection_success:
        leave_residue(life, i, math.log(RESIDUAL_CELLS_AFTER_RESECTION))
    else:
        clear(life, i)


@jit
def ablate_lesion(life, lesions, segment, par, seed, key, i, coin):
    """Ablate lesion i; what stays depends on size, margin reached, vessel and device."""
    d = diameter_mm(lesion_ml(life, i))
    margin = segment.margin + par.margin_sd_mm * keyed.normal(seed, key, keyed.MARGIN, coin)
    p = residual_probability(
        d, margin, par.ablation_hazard, par.ablation_margin_slope, par.ablation_size_factor,
        par.ablation_sink_factor, lesions[i].near_vessel, segment.device,
    )  # fmt: skip
    if life.alive[i] and keyed.uniform(seed, key, keyed.ABLATION, coin) < p:
        leave_residue(life, i, life.x[i] + math.log(par.residual_share))
    else:
        clear(life, i)


@jit
def largest_visible(life, lesions):
    """Index of the largest visible liver lesion, or -1."""
    best, index = -1.0, -1
    for i in range(life.x.size):
        if life.visible[i] and lesions[i].organ == LIVER:
            volume = lesion_ml(life, i)
            if volume > best:
                best, index = volume, i
    return index


@jit
def treat_lesions(life, lesions, segment, par, seed, key, organ, procedure):
    """Resect or ablate every visible lesion of the organ; with both, the largest and large are resected."""
    first = largest_visible(life, lesions)
    for i in range(life.x.size):
        if not life.visible[i] or lesions[i].organ != organ:
            continue
        coin = COINS_PER_PROCEDURE * procedure + i
        by_knife = segment.resect == 1
        if segment.resect == 1 and segment.ablate == 1:
            by_knife = i == first or diameter_mm(lesion_ml(life, i)) > segment.ablate_max
        if by_knife:
            resect_lesion(life, par, seed, key, i, coin)
        else:
            ablate_lesion(life, lesions, segment, par, seed, key, i, coin)


@jit
def take_liver(st, life, lesions, segment, seed, key, procedure):
    """Unseen lesions in the part of the liver removed go with it; the remnant starts to grow back."""
    for i in range(life.x.size):
        if life.alive[i] and lesions[i].organ == LIVER and not life.visible[i] and not life.treated[i]:
            u = keyed.uniform(seed, key, keyed.IN_REMNANT, COINS_PER_PROCEDURE * procedure + i)
            if u > segment.remnant:
                clear(life, i)
    st.liver *= segment.remnant


@jit
def operate(st, life, lesions, segment, twin, par, out, grades, seed, organ, procedure, planned):
    """Carry out a procedure; with nothing visible left the patient counts as disease-free."""
    if organ == LIVER:
        look(life, lesions, math.log(par.detect_ious_cells))  # the surgeon's ultrasound sees more
    treat_lesions(life, lesions, segment, par, seed, twin.key, organ, procedure)
    if segment.resect and organ == LIVER:
        take_liver(st, life, lesions, segment, seed, twin.key, procedure)
    if planned and keyed.uniform(seed, twin.key, keyed.OPERATIVE_COMPLICATION, procedure) < segment.morbidity:
        grades[SURGICAL] = max(grades[SURGICAL], 3)
    risk = 1.0 - (1.0 - segment.mortality) ** twin.background_factor**0.5
    if keyed.uniform(seed, twin.key, keyed.OPERATIVE_DEATH, procedure) < risk:
        day = st.t + 30.0
        if day < st.death_set:
            st.death_set = day
            st.set_cause = CAUSE_OPERATION
        if planned:
            grades[SURGICAL] = 5
    left = 0
    for i in range(life.x.size):
        left += life.visible[i]
    st.done = 1
    out.resected = 1
    if left == 0:
        st.ned = 1
        st.scan_origin = st.t
        st.new_lesion = 0
    set_baseline(st, life, lesions)
    st.hazard_now = hazard(st, life, lesions, twin, par)


@jit
def confined(life, lesions, largest_mm, most):
    """Organ that holds all visible disease if it is small and few enough to treat locally, else -1."""
    organ, count = -1, 0
    for i in range(life.x.size):
        if life.visible[i]:
            count += 1
            if organ >= 0 and lesions[i].organ != organ:
                return -1
            organ = lesions[i].organ
            if diameter_mm(lesion_ml(life, i)) > largest_mm:
                return -1
    if count == 0 or count > most or (organ != LIVER and organ != LUNG):
        return -1
    return organ
