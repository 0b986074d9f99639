"""Operations and ablations: what is taken out, what stays, what they cost."""

from __future__ import annotations

import math
from types import SimpleNamespace

from metachron.reference.case import LIVER_FAILURE, OPERATION, SURGICAL, Case
from metachron.reference.philox import Stream
from metachron.reference.scans import look, new_baseline
from metachron.reference.state import LIVER, LUNG, Lesion

ROOM = 128  # coins per procedure: the coin of lesion i at procedure r has index 128 r + i
RESIDUE_CELLS = 1.0e6
OPERATIVE_DAYS = 30.0


def take_away(lesion: Lesion) -> None:
    """The lesion is gone with all its tissue."""
    lesion.alive = lesion.visible = lesion.target = False
    lesion.dead_ml = 0.0


def leave(lesion: Lesion, ln_cells: float) -> None:
    """Only a residue that no scan shows stays."""
    lesion.x = min(lesion.x, ln_cells)
    lesion.visible = lesion.target = False
    lesion.treated = True
    lesion.dead_ml = 0.0


def _resect(case: Case, i: int, coin: int) -> None:
    lesion = case.lesions[i]
    if lesion.alive and case.coins.uniform(Stream.RESECTION, coin) >= case.par.resection_success:
        leave(lesion, math.log(RESIDUE_CELLS))
    else:
        take_away(lesion)


def residue_probability(lesion: Lesion, margin: float, device: float, par: SimpleNamespace) -> float:
    """Probability that ablation with this margin (mm) leaves living tumour."""
    h = par.ablation_hazard * device * math.exp(-par.ablation_margin_slope * max(0.0, margin))
    h *= math.exp(math.log(par.ablation_size_factor) * (lesion.diameter_mm - 20.0) / 5.0)
    if lesion.near_vessel:
        h *= par.ablation_sink_factor
    return -math.expm1(-h)


def _ablate(case: Case, i: int, coin: int, segment: SimpleNamespace) -> None:
    lesion = case.lesions[i]
    if segment.cryo:
        case.pulse_day = case.day
    margin = segment.margin + case.par.margin_sd_mm * case.coins.normal(Stream.MARGIN, coin)
    p = residue_probability(lesion, margin, segment.hazard_factor, case.par)
    if lesion.alive and case.coins.uniform(Stream.ABLATION, coin) < p:
        leave(lesion, lesion.x + math.log(case.par.residual_share))
    else:
        take_away(lesion)


def _treat_visible(case: Case, segment: SimpleNamespace, organ: int) -> None:
    """Resect or ablate all that is visible in the organ; with both, resect the largest and the large."""
    seen = [i for i, s in enumerate(case.lesions) if s.visible and s.organ == organ]
    in_liver = [i for i, s in enumerate(case.lesions) if s.visible and s.organ == LIVER]
    largest = max(in_liver, key=lambda i: case.lesions[i].volume_ml, default=-1)
    for i in seen:
        large = i == largest or case.lesions[i].diameter_mm > segment.ablate_max
        coin = ROOM * case.procedures + i
        if segment.resect and (not segment.ablate or large):
            _resect(case, i, coin)
        else:
            _ablate(case, i, coin, segment)


def _remove_liver(case: Case, segment: SimpleNamespace, planned: bool) -> None:
    """Unseen lesions in the removed part go with it."""
    for i, lesion in enumerate(case.lesions):
        hidden = lesion.alive and lesion.organ == LIVER and not lesion.visible and not lesion.treated
        coin = ROOM * case.procedures + i
        if hidden and case.coins.uniform(Stream.IN_REMNANT, coin) > segment.remnant:
            take_away(lesion)
    case.body.liver *= segment.remnant
    case.removed = (case.day, 1.0 - segment.remnant)
    _liver_failure(case, planned)


def _liver_failure(case: Case, planned: bool) -> None:
    """Liver failure after hepatectomy, by what is left of the original liver."""
    par = case.par
    p = par.phlf_max / (1.0 + math.exp(min((case.body.liver - par.phlf_mid) / par.phlf_width, 700.0)))
    if case.coins.uniform(Stream.LIVER_FAILURE, case.procedures) < p:
        case.after_operation(LIVER_FAILURE, 3, planned)


def operate(case: Case, segment: SimpleNamespace, organ: int, *, planned: bool) -> None:
    """Carry out a procedure; with nothing visible left the person counts as free of disease."""
    if organ == LIVER:
        look(case, case.par.detect_ious_cells)  # ultrasound on the liver itself sees more
    _treat_visible(case, segment, organ)
    if segment.resect and organ == LIVER:
        _remove_liver(case, segment, planned)
    index = case.procedures
    if case.coins.uniform(Stream.OPERATIVE_COMPLICATION, index) < segment.morbidity:
        case.after_operation(SURGICAL, 3, planned)
    survival = (1.0 - segment.mortality) ** math.sqrt(case.twin.background_factor)
    if case.coins.uniform(Stream.OPERATIVE_DEATH, index) < 1.0 - survival:
        case.die_on(case.day + OPERATIVE_DAYS, OPERATION)
        case.after_operation(SURGICAL, 5, planned)
    case.procedures += 1
    case.first_episode_over = True
    case.outcome.resected = 1
    if not any(s.visible for s in case.lesions):
        case.free_of_disease, case.new_lesion = True, False
        case.scan_origin = case.day
    new_baseline(case)


def organ_of_all(case: Case, largest_mm: float = math.inf, most: int = 1000) -> int | None:
    """The organ (liver or lung) that holds all visible disease, if that is small and few enough."""
    seen = [s for s in case.lesions if s.visible]
    organs = {s.organ for s in seen}
    if not 0 < len(seen) <= most or len(organs) != 1 or not organs <= {LIVER, LUNG}:
        return None
    if any(s.diameter_mm > largest_mm for s in seen):
        return None
    return organs.pop()
