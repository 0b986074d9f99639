"""The same patient with one finding changed: what the record would say, and what it may say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from metachron.patient import derive
from metachron.patient.schema import Metastasis, Organ, Patient
from metachron.population.lesions import COUNT_PROBABILITIES, MEDIAN_LARGEST_MM, SD_LN_LARGEST

Z_995 = 2.5758293035489004  # ends of a 99 % range
STEPS = 5
NODES = (0.0, 1.0, 3.0, 6.0, 10.0, 15.0)  # assumed range
CATEGORIES = ((7, "N2b"), (4, "N2a"), (2, "N1b"), (1, "N1a"), (0, "N0"))  # TNM, 8th edition
REMNANT = (0.2, 0.9)  # share of the liver left by an operation (assumed range)


@dataclass(frozen=True)
class Finding:
    """A finding that may be changed: `values` (with labels when they are no numbers) and how to change it.

    `now`: its value in the record, None when it is not known.
    """

    name: str
    title: str
    unit: str
    now: float | None
    values: tuple[float, ...]
    change: Callable[[Patient, float], Patient]
    labels: tuple[str, ...] = ()


def findings_of(patient: Patient, *, resects: bool) -> list[Finding]:
    """The findings of this patient that may be changed. `resects`: one of the strategies removes liver."""
    found = [f for f in (_size(patient), _number(patient), _nodes(patient)) if f is not None]
    if patient.metastases or patient.metastasis_summary is not None:
        found += _markers(patient)
    if resects:
        low, high = REMNANT
        found.append(
            Finding(
                "liver.remnant_share",
                "share of the liver left by the operation",
                "1",
                patient.liver.remnant_share,
                tuple(np.linspace(low, high, STEPS).round(3).tolist()),
                set_remnant,
            )
        )
    return found


def _markers(patient: Patient) -> list[Finding]:
    titles = {"ras": "RAS", "braf": "BRAF", "msi": "microsatellite state"}
    words = {"ras": ("wild type", "mutant"), "braf": ("wild type", "V600E"), "msi": ("MSS", "MSI-high")}
    found = []
    for name, labels in words.items():
        known = getattr(patient.markers, name)
        now = float(labels.index(known)) if known in labels else None
        found.append(
            Finding(
                f"markers.{name}", titles[name], "", now, (0.0, 1.0), _marker_setter(name, labels), labels
            )
        )
    return found


def _marker_setter(name: str, labels: tuple[str, str]) -> Callable[[Patient, float], Patient]:
    return lambda patient, value: set_marker(patient, name, labels[int(value)])


def set_marker(patient: Patient, name: str, value: str) -> Patient:
    """The patient with one marker known; without RAS mutation there is no KRAS G12C."""
    update: dict[str, object] = {name: value}
    if name == "ras" and value == "wild type":
        update["kras_g12c"] = False
    return patient.model_copy(update={"markers": patient.markers.model_copy(update=update)})


def set_remnant(patient: Patient, value: float) -> Patient:
    return patient.model_copy(update={"liver": patient.liver.model_copy(update={"remnant_share": value})})


# --- size -------------------------------------------------------------------------------------------------


def _size(patient: Patient) -> Finding | None:
    now = largest_mm(patient)
    if now is None:
        return None
    low, high = (MEDIAN_LARGEST_MM * np.exp(s * Z_995 * SD_LN_LARGEST) for s in (-1.0, 1.0))
    values = np.geomspace(low, high, STEPS)
    return Finding(
        "diameter_mm",
        "diameter of the largest metastasis",
        "mm",
        now,
        tuple(values.round(1).tolist()),
        set_largest,
    )


def largest_mm(patient: Patient) -> float | None:
    """Largest lesion in place by its last measurement (mm), or what the summary says."""
    lesions = derive.in_place(patient)
    if lesions:
        return max(derive.latest(m).diameter_mm for m in lesions)
    summary = patient.metastasis_summary
    return summary.largest_liver_mm if summary is not None else None


def set_largest(patient: Patient, mm: float) -> Patient:
    """All lesions in place scaled together, on every date, so that the largest has this diameter (mm)."""
    now = largest_mm(patient)
    if now is None:
        return patient
    here = {m.id for m in derive.in_place(patient)}
    if here:
        lesions = [_scaled(m, mm / now) if m.id in here else m for m in patient.metastases]
        return patient.model_copy(update={"metastases": lesions})
    assert patient.metastasis_summary is not None
    summary = patient.metastasis_summary.model_copy(
        update={"largest_liver_mm": mm, "tumour_share_of_liver": None}
    )
    return patient.model_copy(update={"metastasis_summary": summary})


def _scaled(lesion: Metastasis, factor: float) -> Metastasis:
    sizes = [
        m.model_copy(update={"diameter_mm": min(400.0, m.diameter_mm * factor)}) for m in lesion.measurements
    ]
    return lesion.model_copy(update={"measurements": sizes})


# --- number -----------------------------------------------------------------------------------------------


def _number(patient: Patient) -> Finding | None:
    now = derive.liver_lesion_count(patient)
    if not now:
        return None
    values = tuple(float(k) for k in (1, 2, 3, 5, 7, COUNT_PROBABILITIES.size))
    return Finding("liver_lesions", "number of liver metastases", "lesions", float(now), values, set_number)


def set_number(patient: Patient, count: float) -> Patient:
    """The patient with this many liver lesions: the largest are kept, or the smallest is repeated."""
    k = int(count)
    liver = [m for m in derive.in_place(patient) if m.organ == Organ.LIVER]
    if not liver:
        assert patient.metastasis_summary is not None
        changed = {"liver_lesions": k, "tumour_share_of_liver": None}
        summary = patient.metastasis_summary.model_copy(update=changed)
        return patient.model_copy(update={"metastasis_summary": summary})
    liver.sort(key=lambda m: -derive.latest(m).diameter_mm)
    more = [
        liver[-1].model_copy(update={"id": f"{liver[-1].id} ({i})"}) for i in range(2, k - len(liver) + 2)
    ]
    kept = {m.id for m in liver[:k]}
    gone = {m.id for m in liver} - kept
    lesions = [m for m in patient.metastases if m.id not in gone] + more
    update: dict[str, object] = {"metastases": lesions}
    if patient.metastasis_summary is not None:
        update["metastasis_summary"] = patient.metastasis_summary.model_copy(update={"liver_lesions": k})
    return patient.model_copy(update=update)


# --- nodes ------------------------------------------------------------------------------------------------


def _nodes(patient: Patient) -> Finding | None:
    """Positive nodes set the unseen load where nothing has been seen elsewhere."""
    if patient.metastases or patient.metastasis_summary is not None or patient.primary.t is None:
        return None
    now = derive.node_count(patient)
    title, unit = "number of positive regional nodes", "nodes"
    return Finding(
        "primary.nodes_positive", title, unit, None if now is None else float(now), NODES, set_nodes
    )


def set_nodes(patient: Patient, count: float) -> Patient:
    """The patient with this many positive nodes, and the N category that goes with them."""
    k = int(count)
    category = next(name for least, name in CATEGORIES if k >= least)
    examined = patient.primary.nodes_examined
    update = {"nodes_positive": k, "n": category, "nodes_examined": examined and max(examined, k)}
    return patient.model_copy(update={"primary": patient.primary.model_copy(update=update)})
