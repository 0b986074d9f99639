"""What follows from a patient record: small pure functions, each None when the record does not say.

A metastasis counts as in place unless `treated` says that it was resected or ablated. A list of metastases
is taken to be complete; with an empty list, `metastasis_summary` or `last_imaging_on` speaks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from metachron.patient.schema import Measurement, Metastasis, Modality, Organ, Patient, PrimarySite

DAYS_PER_MONTH = 365.25 / 12
# "detected at the time of presentation of the primary" (Siriwardena 2023) leaves staging scans a few weeks;
# 90 days is an assumption of this project
PRESENTATION_DAYS = 90

Timing = Literal["synchronous", "early metachronous", "late metachronous"]

_RIGHT = {PrimarySite.CAECUM, PrimarySite.ASCENDING, PrimarySite.HEPATIC_FLEXURE, PrimarySite.TRANSVERSE}
_LEFT = {
    PrimarySite.SPLENIC_FLEXURE,
    PrimarySite.DESCENDING,
    PrimarySite.SIGMOID,
    PrimarySite.RECTOSIGMOID,
}
# of two sizes of the same day, the one nearer the truth
_PRECISION = (
    Modality.PATHOLOGY,
    Modality.INTRAOPERATIVE_ULTRASOUND,
    Modality.MRI,
    Modality.CT,
    Modality.PET_CT,
    Modality.ULTRASOUND,
    None,
)


@dataclass(frozen=True)
class VisibleLesion:
    """A metastasis in place, as last measured."""

    id: str
    organ: Organ
    segment: int | None
    diameter_mm: float
    measured_on: date
    modality: Modality | None
    near_vessel: bool | None


def side(patient: Patient) -> Literal["right", "left", "rectum"] | None:
    """Side of the primary: as given, else from the site (right: caecum to transverse colon)."""
    return patient.primary.side or side_of_site(patient.primary.site)


def side_of_site(site: PrimarySite | None) -> Literal["right", "left", "rectum"] | None:
    """Side of a site; the rectosigmoid counts as left colon."""
    if site in _RIGHT:
        return "right"
    if site in _LEFT:
        return "left"
    return "rectum" if site == PrimarySite.RECTUM else None


def node_count(patient: Patient) -> int | None:
    """Regional lymph nodes with tumour; N0 without a count means none."""
    if patient.primary.nodes_positive is not None:
        return patient.primary.nodes_positive
    return 0 if patient.primary.n == "N0" else None


def node_positive(patient: Patient) -> bool | None:
    """Regional nodal disease, from the count or the N category."""
    if patient.primary.n is not None:
        return patient.primary.n != "N0"
    count = node_count(patient)
    return None if count is None else count > 0


def in_place(patient: Patient) -> list[Metastasis]:
    """Metastases neither resected nor ablated."""
    return [m for m in patient.metastases if m.treated is None]


def latest(metastasis: Metastasis) -> Measurement:
    """The last measurement; of two on one day, the more precise modality."""
    return max(metastasis.measurements, key=lambda m: (m.date, -_PRECISION.index(m.modality), m.diameter_mm))


def visible_lesions(patient: Patient) -> list[VisibleLesion]:
    """Metastases in place with their latest size, in the order of the record."""
    return [_visible(m, latest(m)) for m in in_place(patient)]


def _visible(lesion: Metastasis, size: Measurement) -> VisibleLesion:
    return VisibleLesion(
        id=lesion.id,
        organ=lesion.organ,
        segment=lesion.segment,
        diameter_mm=size.diameter_mm,
        measured_on=size.date,
        modality=size.modality,
        near_vessel=lesion.near_vessel,
    )


def nothing_visible(patient: Patient) -> bool | None:
    """True when a scan found no metastasis in place, None when nobody looked or it is not recorded."""
    if in_place(patient):
        return False
    summary = patient.metastasis_summary
    if summary is not None and not patient.metastases:
        seen = summary.liver_lesions or summary.extrahepatic or summary.tumour_share_of_liver
        if seen or summary.largest_liver_mm or summary.bilobar:
            return False
        if summary.liver_lesions == 0 and summary.extrahepatic is False:
            return True
        if summary.liver_lesions is None:
            return None
    return True if patient.last_imaging_on is not None else None


def liver_lesion_count(patient: Patient) -> int | None:
    """Liver metastases in place."""
    if patient.metastases:
        return sum(m.organ == Organ.LIVER for m in in_place(patient))
    summary = patient.metastasis_summary
    if summary is not None and summary.liver_lesions is not None:
        return summary.liver_lesions
    return 0 if nothing_visible(patient) else None


def largest_liver_mm(patient: Patient) -> float | None:
    """Largest liver metastasis in place, mm; None when there is none or it is unknown."""
    sizes = [v.diameter_mm for v in visible_lesions(patient) if v.organ == Organ.LIVER]
    if patient.metastases:
        return max(sizes, default=None)
    return patient.metastasis_summary.largest_liver_mm if patient.metastasis_summary else None


def extrahepatic(patient: Patient) -> bool | None:
    """Any metastasis in place outside the liver."""
    if patient.metastases:
        return any(m.organ != Organ.LIVER for m in in_place(patient))
    summary = patient.metastasis_summary
    if summary is not None and summary.extrahepatic is not None:
        return summary.extrahepatic
    return False if nothing_visible(patient) else None


def bilobar(patient: Patient) -> bool | None:
    """Liver metastases in place on both sides: segments 2-4 and 5-8 (the caudate, 1, decides nothing)."""
    liver = [m for m in in_place(patient) if m.organ == Organ.LIVER]
    if not patient.metastases:
        summary = patient.metastasis_summary
        if summary is not None and summary.bilobar is not None:
            return summary.bilobar
        count = liver_lesion_count(patient)
        return False if count is not None and count <= 1 else None
    segments = [m.segment for m in liver]
    if any(s in (2, 3, 4) for s in segments) and any(s is not None and s >= 5 for s in segments):
        return True
    return None if len(liver) > 1 and None in segments else False


def first_detected_on(patient: Patient) -> date | None:
    """First date on which a metastasis was seen, treated ones included."""
    dates = [m.date for lesion in patient.metastases for m in lesion.measurements]
    if patient.metastasis_summary and patient.metastasis_summary.detected_on:
        dates.append(patient.metastasis_summary.detected_on)
    return min(dates, default=None)


def metastasis_timing(patient: Patient) -> Timing | None:
    """Synchronous, early or late metachronous, as agreed by E-AHPBA (Siriwardena 2023, PMID 37442562).

    Synchronous: detected at presentation of the primary (here: before it, or up to 90 days after its
    diagnosis); early metachronous: within 12 months of diagnosis; late: after 12 months.
    """
    found, diagnosed = first_detected_on(patient), patient.primary.diagnosed_on
    diagnosed = diagnosed or patient.primary.resected_on
    if found is None or diagnosed is None:
        return None
    days = (found - diagnosed).days
    if days <= PRESENTATION_DAYS:
        return "synchronous"
    return "early metachronous" if days <= 12 * DAYS_PER_MONTH else "late metachronous"


def synchronous(patient: Patient) -> bool | None:
    """Were the metastases there at presentation of the primary? See `metastasis_timing`."""
    timing = metastasis_timing(patient)
    return None if timing is None else timing == "synchronous"


def disease_free_interval_months(patient: Patient) -> float | None:
    """Months from the operation on the primary (else its diagnosis) to the first metastasis, 0 at least.

    The interval of the Fong score; the metastases may have been seen before the operation.
    """
    found = first_detected_on(patient)
    start = patient.primary.resected_on or patient.primary.diagnosed_on
    if found is None or start is None:
        return None
    if synchronous(patient):
        return 0.0
    return max(0.0, (found - start).days / DAYS_PER_MONTH)


def body_surface_area_m2(patient: Patient) -> float | None:
    """Body surface area, m2: sqrt(height cm x weight kg / 3600), Mosteller, N Engl J Med 1987;317:1098."""
    if patient.height_cm is None or patient.weight_kg is None:
        return None
    return float((patient.height_cm * patient.weight_kg / 3600) ** 0.5)
