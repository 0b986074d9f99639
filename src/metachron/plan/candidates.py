"""Candidate twins: virtual patients drawn from the prior, before they are weighed against the findings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metachron.engine.records import LESION, TWIN, VISIBLE
from metachron.errors import TwinError
from metachron.model.growth import grow_many
from metachron.model.occult import (
    SHARE_MSI,
    SHARE_RECTAL,
    growth_by_findings,
    load_after_primary,
    load_by_findings,
    load_with_metastases,
)
from metachron.parameters import load_parameters
from metachron.patient import derive
from metachron.patient.schema import Patient
from metachron.plan.findings import Findings, node_state
from metachron.population.lesions import (
    COUNT_PROBABILITIES,
    MEDIAN_LARGEST_MM,
    ROOM_OCCULT,
    SD_LN_LARGEST,
    diameters_of_largest,
    draw_occult,
    draw_shares,
    draw_variety,
)
from metachron.population.nature import (
    MEAN_ECOG,
    draw_body,
    draw_frailty,
    draw_resistance,
    draw_tumour,
    set_markers,
)
from metachron.population.streams import Streams as Streams

Floats = NDArray[np.float64]
# Prevalence when a marker is unknown: epidemiology-037 (KRAS 38 %), -031 (BRAF 8-12 %), -030 (MSI 4-7 %)
PREVALENCE_RAS, PREVALENCE_BRAF, PREVALENCE_MSI = 0.45, 0.10, 0.05
PREVALENCE_NODE_POSITIVE, PREVALENCE_SYNCHRONOUS = 0.6, 0.5


@dataclass
class Candidates:
    """Arrays over candidates: twins (n,), lesions (n, room), ln size of visible lesions when last seen."""

    twins: NDArray[np.void]
    lesions: NDArray[np.void]
    x_seen: Floats
    size_offset: Floats
    draws: NDArray[np.void]


def _flag(rng: np.random.Generator, n: int, known: bool | None, prevalence: float) -> Floats:
    u = rng.random(n)
    return (u < prevalence).astype(float) if known is None else np.full(n, float(known))


def _failures(twins: NDArray[np.void], d: NDArray[np.void], found: Findings) -> None:
    """Resistance left by earlier treatment that failed."""
    for exposure in found.exposures:
        if exposure.failed:
            for k in exposure.classes:
                twins["logit_macro"][:, k] += d["resistance_after_failure"]
                twins["logit_micro"][:, k] += d["resistance_after_failure"]


def _body(twins: NDArray[np.void], d: NDArray[np.void], streams: Streams, patient: Patient) -> None:
    """The body as drawn, with what is known of the patient in its place."""
    draw_body(twins, d, streams)
    n = twins.size
    twins["age"] = patient.age_years
    female = d["background_female_factor"]
    sex = {"female": female, "male": 2.0 - female}.get(str(patient.sex or ""), 1.0)
    comorbid = d["background_comorbid_factor"] if patient.major_comorbidity else 1.0
    twins["background_factor"] = sex * comorbid
    known = patient.labs.neutrophils_e9_l
    if known:
        z = streams["neutrophils"].standard_normal(n)
        twins["neutrophils"] = np.clip(known * np.exp(0.15 * z), 1.0, 15.0)
    twins["nerve_grade"] = patient.neuropathy_grade or 0
    twins["nerve_burden"] = _nerve_burden(patient, d)
    if patient.liver.volume_ml:
        twins["liver_ml"] = patient.liver.volume_ml


def _nerve_burden(patient: Patient, d: NDArray[np.void]) -> Floats:
    total = np.zeros(d.size)
    for t in patient.prior_treatments:
        if t.oxaliplatin_mg_m2 and t.end:
            ago = (patient.assessed_on - t.end).days
            total += t.oxaliplatin_mg_m2 * np.exp(-np.log(2) * ago / d["neuropathy_recovery_days"])
    return total


def _sizes_seen(c: Candidates, streams: Streams, patient: Patient, found: Findings) -> tuple[Floats, Floats]:
    """(diameters (n, m) with nought for no lesion, organ per column); from lesions or from the summary."""
    n = c.twins.size
    if found.lesions:
        d = np.tile(np.array([s.diameter_mm for s in found.lesions]), (n, 1))
        return d, np.array([s.organ for s in found.lesions], dtype=float)
    summary = patient.metastasis_summary
    if found.nothing_visible or (
        summary is not None and summary.liver_lesions == 0 and not summary.extrahepatic
    ):
        return np.zeros((n, 0)), np.zeros(0)
    room = COUNT_PROBABILITIES.size
    known = summary.liver_lesions if summary else None
    count = streams["count"].choice(room, n, p=COUNT_PROBABILITIES / COUNT_PROBABILITIES.sum()) + 1
    if known is not None:
        count, room = np.full(n, known), max(known, 1)
    share = draw_shares(streams, count, room)
    if summary is not None and summary.tumour_share_of_liver is not None:
        volume = np.maximum(summary.tumour_share_of_liver * c.twins["liver_ml"], 0.05)[:, None] * share
        diameters = 10.0 * np.cbrt(6 / np.pi * volume)
    else:
        largest = MEDIAN_LARGEST_MM * np.exp(SD_LN_LARGEST * streams["largest"].standard_normal(n))
        if summary is not None and summary.largest_liver_mm is not None:
            largest = np.full(n, summary.largest_liver_mm)
        diameters = diameters_of_largest(share, largest)
    organs = np.zeros(room)
    if summary is not None and summary.extrahepatic:
        diameters, organs = np.column_stack([diameters, np.full(n, 15.0)]), np.append(organs, 1.0)
    return diameters, organs


def _place_visible(c: Candidates, streams: Streams, patient: Patient, found: Findings) -> int:
    diameters, organs = _sizes_seen(c, streams, patient, found)
    n, m = int(diameters.shape[0]), int(diameters.shape[1])
    offset = streams["measurement"].standard_normal((n, m)) * c.draws["measurement_cv"][:, None]
    shown = diameters > 0
    size = np.clip(np.where(shown, diameters, 1.0) * np.exp(offset), 1.0, 300.0)
    x = np.log(np.pi / 6 * (size / 10) ** 3 * 1e9)
    c.x_seen, c.size_offset = np.where(shown, x, np.nan), offset
    rate = c.twins["growth"][:, None] * c.lesions["growth"][:, :m]
    days = np.array([s.days_ago for s in found.lesions]) if found.lesions else np.zeros(m)
    k = float(np.log(load_parameters()["capacity_cells"].value))
    now = grow_many(x.ravel(), np.tile(days, n), rate.ravel(), k).reshape(n, m)
    c.lesions["x"][:, :m] = now
    c.lesions["status"][:, :m] = np.where(shown, VISIBLE, 0)
    c.lesions["organ"][:, :m] = organs
    if found.lesions:
        c.lesions["near_vessel"][:, :m] = [s.near_vessel for s in found.lesions]
    return m


def _poor(patient: Patient) -> bool | None:
    return None if patient.primary.grade is None else patient.primary.grade == "poor"


def _rectal(patient: Patient) -> float:
    side = derive.side(patient)
    return SHARE_RECTAL if side is None else float(side == "rectum")


def _msi(patient: Patient) -> float:
    return SHARE_MSI if not patient.markers.msi else float(patient.markers.msi == "MSI-high")


def _growth_after_primary(c: Candidates, patient: Patient, found: Findings) -> None:
    """Growth by findings of the primary, where it is all that is known: nothing has been seen elsewhere."""
    if found.nothing_visible and not patient.metastases:
        nodes, _ = node_state(patient)
        ln_factor = growth_by_findings(c.draws, nodes, patient.primary.obstruction, _poor(patient))
        c.twins["growth"] *= np.exp(ln_factor)


def mean_load(c: Candidates, streams: Streams, patient: Patient, found: Findings, m: int) -> Floats:
    """Mean number of unseen lesions of each candidate, before its own frailty."""
    n, d = c.twins.size, c.draws
    nodes, positive = node_state(patient)
    flag = _flag(streams["nodes"], n, None if positive is None else positive > 0.5, PREVALENCE_NODE_POSITIVE)
    if found.nothing_visible and not patient.metastases:
        count = np.full(n, nodes if nodes is not None else 3.0)
        t = patient.primary.t or ""
        t4, t12 = float(t.startswith("T4")), float(t in ("T0", "T1", "T2"))
        ln_m = load_after_primary(d, count, flag, t4, t12, _rectal(patient), _msi(patient))
        p = patient.primary
        ln_m = ln_m + load_by_findings(d, p.obstruction, p.perforation, p.adherent, _poor(patient))
        return np.asarray(np.exp(ln_m))
    if patient.liver.all_lesions_resectable is False or derive.extrahepatic(patient):
        return np.asarray(d["occult_unresectable"])
    ras = _flag(streams["ras"], n, None if not patient.markers.ras else patient.markers.ras == "mutant",
                PREVALENCE_RAS)  # fmt: skip
    braf = _flag(streams["braf"], n, None if not patient.markers.braf else patient.markers.braf == "V600E",
                 PREVALENCE_BRAF)  # fmt: skip
    synchronous = _flag(streams["synchronous"], n, found.synchronous, PREVALENCE_SYNCHRONOUS)
    seen = (c.lesions["status"][:, :m] == VISIBLE).sum(1).astype(float)
    points = None if positive is not None and found.lesions else patient.clinical_risk_score
    return np.asarray(
        np.exp(load_with_metastases(d, np.maximum(seen, 1.0), synchronous, ras, braf, flag, points))
    )


def _place_occult(c: Candidates, streams: Streams, patient: Patient, found: Findings, m: int) -> None:
    mean = mean_load(c, streams, patient, found, m)
    metastatic = bool(patient.metastases) or not found.nothing_visible
    draw_occult(c.lesions[:, m:], mean, c.draws, streams, metastatic=metastatic)
    x = np.ascontiguousarray(c.lesions["x"][:, m:])
    since = found.days_since_surgery if found.nothing_visible and found.days_since_surgery else 0.0
    held = min(since, found.quiet_days)
    rate = c.twins["growth"][:, None] * c.lesions["growth"][:, m:]
    k = float(np.log(load_parameters()["capacity_cells"].value))
    days = np.full(x.size, since - held)
    c.lesions["x"][:, m:] = grow_many(x.ravel(), days, np.ascontiguousarray(rate).ravel(), k).reshape(x.shape)


def draw_candidates(
    patient: Patient, found: Findings, draws: NDArray[np.void], n: int, streams: Streams, line: int
) -> Candidates:
    """`n` virtual patients from the prior; candidate i carries parameter draw i mod k. Raises TwinError."""
    which = np.arange(n) % draws.size
    d = draws[which]
    visible = max(len(found.lesions), _summary_room(patient))
    twins, lesions = np.zeros(n, TWIN), np.zeros((n, visible + ROOM_OCCULT), LESION)
    if visible > 60:
        raise TwinError(f"{visible} visible lesions; at most 60 can be simulated one by one")
    twins["draw"] = which
    twins["start_line"] = line
    draw_tumour(twins, d, streams)
    ras = _flag(streams["ras"], n, None if not patient.markers.ras else patient.markers.ras == "mutant",
                PREVALENCE_RAS)  # fmt: skip
    braf = _flag(streams["braf"], n, None if not patient.markers.braf else patient.markers.braf == "V600E",
                 PREVALENCE_BRAF)  # fmt: skip
    msi = _flag(streams["msi"], n, None if not patient.markers.msi else patient.markers.msi == "MSI-high",
                PREVALENCE_MSI)  # fmt: skip
    set_markers(twins, d, ras, braf, msi)
    draw_frailty(twins, d, np.full(n, MEAN_ECOG if patient.ecog is None else float(patient.ecog)), streams)
    draw_resistance(twins, d, streams)
    _failures(twins, d, found)
    _body(twins, d, streams, patient)
    draw_variety(lesions, d, streams)
    c = Candidates(twins, lesions, np.zeros((n, 0)), np.zeros((n, 0)), d)
    _growth_after_primary(c, patient, found)
    twins["growth"] = np.minimum(twins["growth"], 1.0)  # a bound of the engine, which far tails pass
    m = _place_visible(c, streams, patient, found)
    _place_occult(c, streams, patient, found, m)
    used = np.where(lesions["status"] > 0, np.arange(lesions.shape[1])[None, :] + 1, 0).max(1)
    twins["n_lesions"] = used
    return c


def _summary_room(patient: Patient) -> int:
    summary = patient.metastasis_summary
    if summary is None:
        return 0
    liver = summary.liver_lesions if summary.liver_lesions is not None else COUNT_PROBABILITIES.size
    return max(liver, 1) + int(bool(summary.extrahepatic))
