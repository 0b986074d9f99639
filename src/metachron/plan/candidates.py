"""Candidate twins: virtual patients drawn from the prior, before they are weighed against the findings."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metachron.engine.records import LESION, OCCULT, TWIN, VISIBLE
from metachron.errors import TwinError
from metachron.model.growth import grow_many
from metachron.model.kill import CLASSES, EGFR
from metachron.model.occult import load_after_primary, load_with_metastases, size_deficit
from metachron.parameters import load_parameters
from metachron.patient import derive
from metachron.patient.schema import Patient
from metachron.plan.findings import Findings, node_state

Floats = NDArray[np.float64]
ROOM_OCCULT = 14
# Prevalence when a marker is unknown: epidemiology-037 (KRAS 38 %), -031 (BRAF 8-12 %), -030 (MSI 4-7 %)
PREVALENCE_RAS, PREVALENCE_BRAF, PREVALENCE_MSI = 0.45, 0.10, 0.05
PREVALENCE_NODE_POSITIVE, PREVALENCE_SYNCHRONOUS = 0.6, 0.5
# Resected series, lesion_number-009: 34 % solitary, 39 % two to four, 27 % five or more
COUNT_PROBABILITIES = np.array([0.342, 0.17, 0.12, 0.097, 0.07, 0.05, 0.05, 0.04, 0.03, 0.031])
MEDIAN_LARGEST_MM, SD_LN_LARGEST = 36.0, 0.6  # lesion_size-001


@dataclass
class Candidates:
    """Arrays over candidates: twins (n,), lesions (n, room), ln size of visible lesions when last seen."""

    twins: NDArray[np.void]
    lesions: NDArray[np.void]
    x_seen: Floats
    size_offset: Floats
    draws: NDArray[np.void]


class Streams:
    """Named generators: what drives one thing never disturbs another. Batches of twins have their own."""

    def __init__(self, seed: int, batch: int = 0) -> None:
        self.key = (batch,) if batch else ()
        self.seed = seed

    def __getitem__(self, name: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, zlib.crc32(name.encode()), *self.key])


def _flag(rng: np.random.Generator, n: int, known: bool | None, prevalence: float) -> Floats:
    u = rng.random(n)
    return (u < prevalence).astype(float) if known is None else np.full(n, float(known))


def _resistance(twins: NDArray[np.void], d: NDArray[np.void], streams: Streams, found: Findings) -> None:
    n = twins.size
    shared = streams["resistance shared"].standard_normal(n)[:, None]
    own = streams["resistance own"].standard_normal((n, CLASSES))
    rho = d["phi_correlation"][:, None]
    z = np.sqrt(rho) * shared + np.sqrt(1 - rho) * own
    macro = d["phi_macro_mean"][:, None] + d["phi_macro_sd"][:, None] * z
    macro[:, EGFR] = d["phi_egfr_mean"] + d["phi_egfr_sd"] * z[:, EGFR]
    micro = d["phi_micro_mean"][:, None] + d["phi_micro_sd"][:, None] * z
    for exposure in found.exposures:
        if exposure.failed:
            for k in exposure.classes:
                macro[:, k] += d["resistance_after_failure"]
                micro[:, k] += d["resistance_after_failure"]
    twins["logit_macro"], twins["logit_micro"] = macro, micro


def _body(twins: NDArray[np.void], d: NDArray[np.void], streams: Streams, patient: Patient) -> None:
    n = twins.size
    twins["age"] = patient.age_years
    female = d["background_female_factor"]
    sex = {"female": female, "male": 2.0 - female}.get(str(patient.sex or ""), 1.0)
    comorbid = d["background_comorbid_factor"] if patient.major_comorbidity else 1.0
    twins["background_factor"] = sex * comorbid
    z = streams["neutrophils"].standard_normal(n)
    known = patient.labs.neutrophils_e9_l
    base = d["neutrophil_base_e9_l"] * np.exp(d["neutrophil_base_cv"] * z)
    twins["neutrophils"] = base if not known else np.clip(known * np.exp(0.15 * z), 1.0, 15.0)
    twins["marrow_factor"] = d["marrow_slope_factor"] * np.exp(
        d["marrow_slope_cv"] * streams["marrow"].standard_normal(n)
    )
    twins["nerve_factor"] = np.exp(d["neuropathy_sd"] * streams["nerve"].standard_normal(n))
    twins["nerve_grade"] = patient.neuropathy_grade or 0
    twins["nerve_burden"] = _nerve_burden(patient, d)
    volume = patient.liver.volume_ml
    spread = np.exp(0.15 * streams["liver"].standard_normal(n))
    twins["liver_ml"] = np.full(n, volume) if volume else d["liver_volume_ml"] * spread
    twins["liver_share"] = 1.0


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
    share = streams["sizes"].gamma(0.7, size=(n, room)) + 1e-3
    share[np.arange(room)[None, :] >= count[:, None]] = 0.0
    share /= np.maximum(share.sum(1, keepdims=True), 1e-12)
    if summary is not None and summary.tumour_share_of_liver is not None:
        volume = np.maximum(summary.tumour_share_of_liver * c.twins["liver_ml"], 0.05)[:, None] * share
        diameters = 10.0 * np.cbrt(6 / np.pi * volume)
    else:
        largest = MEDIAN_LARGEST_MM * np.exp(SD_LN_LARGEST * streams["largest"].standard_normal(n))
        if summary is not None and summary.largest_liver_mm is not None:
            largest = np.full(n, summary.largest_liver_mm)
        diameters = largest[:, None] * np.cbrt(share / np.maximum(share.max(1, keepdims=True), 1e-12))
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


def mean_load(c: Candidates, streams: Streams, patient: Patient, found: Findings, m: int) -> Floats:
    """Mean number of unseen lesions of each candidate, before its own frailty."""
    n, d = c.twins.size, c.draws
    nodes, positive = node_state(patient)
    flag = _flag(streams["nodes"], n, None if positive is None else positive > 0.5, PREVALENCE_NODE_POSITIVE)
    if found.nothing_visible and not patient.metastases:
        count = np.full(n, nodes if nodes is not None else 3.0)
        t = patient.primary.t or ""
        ln_m = load_after_primary(d, count, flag, float(t.startswith("T4")), float(t in ("T0", "T1", "T2")))
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
    n, d = c.twins.size, c.draws
    frailty = d["occult_dispersion"] * streams["frailty"].standard_normal(n) - d["occult_dispersion"] ** 2 / 2
    count = streams["occult count"].poisson(mean_load(c, streams, patient, found, m) * np.exp(frailty))
    count = np.minimum(count, ROOM_OCCULT)
    limit = float(np.log(load_parameters()["detect_ct_cells"].value))
    u = streams["occult size"].random((n, ROOM_OCCULT))
    x = limit - size_deficit(u, d["occult_size_slope"][:, None], limit)
    kind = streams["tropism"].random(n)
    liver_only = kind < d["share_liver_only"]
    outside = (kind >= d["share_liver_only"]) & (kind < d["share_liver_only"] + d["share_outside_only"])
    pick = streams["organ"].random((n, ROOM_OCCULT))
    away = np.where(
        pick < 0.3, 1, np.where(pick < 0.4, 2, 3)
    )  # lung, peritoneum, nodes: epidemiology-020..023
    mixed = np.where(streams["organ mixed"].random((n, ROOM_OCCULT)) < 0.5, 0, away)
    organ = np.where(liver_only[:, None], 0, np.where(outside[:, None], away, mixed))
    present = np.arange(ROOM_OCCULT)[None, :] < count[:, None]
    c.lesions["status"][:, m:] = np.where(present, OCCULT, 0)
    c.lesions["organ"][:, m:] = organ
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
    twins["growth"] = np.log(2) / d["vdt_ref_days"] * np.exp(
        d["sd_ln_growth"] * streams["growth"].standard_normal(n)
    )  # fmt: skip
    twins["sensitivity"] = np.exp(d["sd_ln_sensitivity"] * streams["sensitivity"].standard_normal(n))
    z = streams["immune"].standard_normal(n)
    twins["immune"], twins["checkpoint"] = np.exp(d["sd_ln_immune"] * z), np.exp(d["sd_ln_checkpoint"] * z)
    ras = _flag(streams["ras"], n, None if not patient.markers.ras else patient.markers.ras == "mutant",
                PREVALENCE_RAS)  # fmt: skip
    braf = _flag(streams["braf"], n, None if not patient.markers.braf else patient.markers.braf == "V600E",
                 PREVALENCE_BRAF)  # fmt: skip
    msi = _flag(streams["msi"], n, None if not patient.markers.msi else patient.markers.msi == "MSI-high",
                PREVALENCE_MSI)  # fmt: skip
    twins["egfr_active"] = (1 - ras) * (1 - braf)  # matched inhibitors act through their own class
    twins["msi_high"] = msi
    _resistance(twins, d, streams, found)
    _body(twins, d, streams, patient)
    lesions["growth"] = np.exp(
        d["sd_ln_growth_lesion"][:, None] * streams["lesion growth"].standard_normal(lesions.shape)
    )
    u = streams["visibility"].random(lesions.shape)
    lesions["offset"] = d["detect_scale"][:, None] * np.log(u / (1 - u))
    c = Candidates(twins, lesions, np.zeros((n, 0)), np.zeros((n, 0)), d)
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
