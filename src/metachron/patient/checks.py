"""Checks that need more than one field: dates in order, counts and markers that agree, lesions that fit.

Each check is a generator of problems; `check` runs them all on a patient whose fields are valid one by one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from datetime import date, timedelta

from metachron.errors import Problem
from metachron.patient import derive
from metachron.patient.check_treatments import check_treatments
from metachron.patient.schema import Metastasis, Modality, Organ, Patient

EARLIEST = date(1970, 1, 1)
LATEST = date(2100, 12, 31)
# a metastasis may lead to the diagnosis of its primary, within about a year (assumed)
SCAN_BEFORE_PRIMARY_DAYS = 366
_SUMMARY_TOLERANCE_MM = 2.0
_LARGEST_LIVER_ML = 5000.0

# N category -> (fewest, most) positive regional nodes, TNM 8th edition
_NODES: dict[str, tuple[int, int]] = {
    "N0": (0, 0),
    "N1": (1, 3),
    "N1a": (1, 1),
    "N1b": (2, 3),
    "N1c": (0, 0),
    "N2": (4, 100),
    "N2a": (4, 6),
    "N2b": (7, 100),
}


def check(patient: Patient, known_treatments: Collection[str] | None = None) -> list[Problem]:
    """Every contradiction in the record; an empty list when there is none."""
    found = [problem for rule in _RULES for problem in rule(patient)]
    return found + list(check_treatments(patient, known_treatments))


# --- dates -----------------------------------------------------------------------------------------------


def _dates(patient: Patient) -> Iterator[tuple[str, date]]:
    """Every date of the record with its path, except `assessed_on` and those of prior treatments."""
    summary = patient.metastasis_summary
    single = {
        "primary.diagnosed_on": patient.primary.diagnosed_on,
        "primary.resected_on": patient.primary.resected_on,
        "metastasis_summary.detected_on": summary.detected_on if summary else None,
        "last_imaging_on": patient.last_imaging_on,
        "labs.measured_on": patient.labs.measured_on,
    }
    yield from ((path, day) for path, day in single.items() if day is not None)
    for i, lesion in enumerate(patient.metastases):
        for j, size in enumerate(lesion.measurements):
            yield f"metastases[{i}].measurements[{j}].date", size.date
    for i, treatment in enumerate(patient.prior_treatments):
        for name in ("start", "end"):
            day = getattr(treatment, name)
            if day is not None:
                yield f"prior_treatments[{i}].{name}", day


def _date_range(patient: Patient) -> Iterator[Problem]:
    today = patient.assessed_on
    if not date(1990, 1, 1) <= today <= LATEST:
        allowed = f"1990-01-01 to {LATEST}"
        yield Problem("assessed_on", f"{today} cannot be the day of a plan", allowed, "Check the year")
        return
    birth = today - timedelta(days=math.floor(patient.age_years * 365.25) + 366)
    earliest = max(EARLIEST, birth)
    for path, day in _dates(patient):
        if day > today:
            message = f"{day} is after the assessment on {today}"
            hint = "Only what has happened belongs here; check the year, or move assessed_on"
            yield Problem(path, message, f"{earliest} to {today}", hint)
        elif day < earliest:
            why = (
                "before 1970"
                if earliest == EARLIEST
                else f"before the birth of someone aged {patient.age_years:g}"
            )
            yield Problem(path, f"{day} is {why}", f"{earliest} to {today}", "Check the year")


def _primary_dates(patient: Patient) -> Iterator[Problem]:
    found, removed = patient.primary.diagnosed_on, patient.primary.resected_on
    if found and removed and removed < found:
        yield Problem(
            "primary.resected_on",
            f"{removed} is before the diagnosis on {found}",
            f"{found} or later",
            "If the tumour was found at the operation, the diagnosis has the day of the operation",
        )
    known = found or removed
    if not known:
        return
    earliest = known - timedelta(days=SCAN_BEFORE_PRIMARY_DAYS)
    for path, day in _dates(patient):
        if path.startswith(("metastases[", "metastasis_summary")) and EARLIEST <= day < earliest:
            message = f"{day} is more than a year before the primary was found, on {known}"
            hint = "Check both dates; a metastasis may come to light at most a year before its primary"
            yield Problem(path, message, f"{earliest} or later", hint)


def _imaging_dates(patient: Patient) -> Iterator[Problem]:
    last = patient.last_imaging_on
    if last is None:
        return
    for i, lesion in enumerate(patient.metastases):
        for j, size in enumerate(lesion.measurements):
            scan = size.modality not in (Modality.PATHOLOGY, Modality.INTRAOPERATIVE_ULTRASOUND)
            if scan and last < size.date <= patient.assessed_on:
                message = f"{last} is before the scan of {lesion.id} on {size.date}"
                path = f"metastases[{i}].measurements[{j}].date"
                yield Problem("last_imaging_on", message, f"{size.date} or later", f"See `{path}`")
                return


# --- primary ---------------------------------------------------------------------------------------------


def _nodes(patient: Patient) -> Iterator[Problem]:
    p = patient.primary
    if p.nodes_positive is None:
        return
    if p.nodes_examined is not None and p.nodes_positive > p.nodes_examined:
        message = f"{p.nodes_positive} positive nodes of {p.nodes_examined} examined"
        hint = "Perhaps the two counts are swapped"
        yield Problem("primary.nodes_positive", message, f"0 to {p.nodes_examined}", hint)
    if p.n is None:
        return
    low, high = _NODES[p.n]
    if not low <= p.nodes_positive <= high:
        allowed = f"{low}" if low == high else f"{low} or more" if high == 100 else f"{low} to {high}"
        fitting = [n for n, (a, b) in _NODES.items() if a <= p.nodes_positive <= b and n != "N1c"]
        message = f"{p.n} contradicts {p.nodes_positive} positive nodes"
        hint = f"With {p.nodes_positive} positive nodes the category is {' or '.join(fitting)}"
        yield Problem("primary.n", message, f"{p.n} has {allowed} positive nodes", hint)


def _primary_surgery(patient: Patient) -> Iterator[Problem]:
    p = patient.primary
    if p.resected is False:
        for name, value in (("resected_on", p.resected_on), ("margin", p.margin)):
            if value is not None:
                message = f"{value} is given, but primary.resected is false"
                hint = "Set primary.resected to true, or remove this field"
                yield Problem(f"primary.{name}", message, "absent while the primary is in place", hint)
    expected = derive.side_of_site(p.site)
    if p.side is not None and expected is not None and p.side != expected:
        message = f"side {p.side} contradicts the site {p.site}"
        hint = f'Write "{expected}", or leave side out: it follows from the site'
        yield Problem("primary.side", message, f'"{expected}" for {p.site}', hint)


# --- metastases ------------------------------------------------------------------------------------------


def _lesions(patient: Patient) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for i, lesion in enumerate(patient.metastases):
        first = seen.setdefault(lesion.id.strip().casefold(), i)
        if first != i:
            message = f"the name {lesion.id} is used by metastases[{first}] too"
            hint = "Put scans of one lesion in its measurements; name other lesions differently"
            yield Problem(f"metastases[{i}].id", message, "a different name for each lesion", hint)
        if lesion.segment is not None and lesion.organ != Organ.LIVER:
            message = f"a {lesion.organ} lesion has no liver segment"
            hint = f"Remove segment, or correct the organ ({lesion.organ})"
            yield Problem(f"metastases[{i}].segment", message, "liver lesions only", hint)
        yield from _same_day(i, lesion)


def _same_day(i: int, lesion: Metastasis) -> Iterator[Problem]:
    sizes: dict[tuple[date, Modality | None], float] = {}
    for j, size in enumerate(lesion.measurements):
        before = sizes.setdefault((size.date, size.modality), size.diameter_mm)
        if before != size.diameter_mm:
            message = f"{size.date} has two sizes by the same method: {before:g} and {size.diameter_mm:g} mm"
            yield Problem(
                f"metastases[{i}].measurements[{j}]",
                message,
                "one size a day and method",
                "Keep the right one",
            )


def _volumes(patient: Patient) -> Iterator[Problem]:
    liver = patient.liver.volume_ml
    room = liver or _LARGEST_LIVER_ML
    name = f"the liver ({liver:g} mL)" if liver else f"any liver ({_LARGEST_LIVER_ML:g} mL)"
    largest = 10 * (6 * room / math.pi) ** (1 / 3)
    total, worst, worst_mm = 0.0, "", 0.0
    for i, lesion in enumerate(patient.metastases):
        size = derive.latest(lesion)
        if lesion.organ == Organ.LIVER and lesion.treated is None:
            total += math.pi / 6 * (size.diameter_mm / 10) ** 3
            if size.diameter_mm > worst_mm:
                j = lesion.measurements.index(size)
                worst, worst_mm = f"metastases[{i}].measurements[{j}].diameter_mm", size.diameter_mm
    summary = patient.metastasis_summary
    if not patient.metastases and summary and summary.largest_liver_mm:
        worst, worst_mm = "metastasis_summary.largest_liver_mm", summary.largest_liver_mm
        total = math.pi / 6 * (worst_mm / 10) ** 3
    if worst and total > room:
        message = f"the liver lesions hold {total:.0f} mL as spheres, more than {name}"
        hint = "Check the unit: diameters are in mm"
        yield Problem(worst, message, f"at most {largest:.0f} mm for one lesion", hint)


def _summary(patient: Patient) -> Iterator[Problem]:
    s = patient.metastasis_summary
    if s is None:
        return
    if s.liver_lesions == 0:
        for name in ("largest_liver_mm", "tumour_share_of_liver", "bilobar"):
            if getattr(s, name):
                message = f"{name} is given, but liver_lesions is 0"
                hint = "Correct the count, or remove this field"
                yield Problem(f"metastasis_summary.{name}", message, "absent with no liver lesion", hint)
    if patient.metastases:
        yield from _summary_against_list(patient)


def _summary_against_list(patient: Patient) -> Iterator[Problem]:
    s = patient.metastasis_summary
    assert s is not None
    listed = [m for m in patient.metastases if m.organ == Organ.LIVER]
    present = [m for m in listed if m.treated is None]
    hint = "Leave metastasis_summary out: the lesions are listed one by one"
    if s.liver_lesions is not None and s.liver_lesions not in (len(present), len(listed)):
        message = f"{s.liver_lesions} liver lesions, but {len(present)} are listed in place"
        yield Problem("metastasis_summary.liver_lesions", message, f"{len(present)}", hint)
    outside = any(m.organ != Organ.LIVER for m in patient.metastases)
    if s.extrahepatic is not None and s.extrahepatic != outside:
        message = f"extrahepatic is {str(s.extrahepatic).lower()}, but the list says otherwise"
        yield Problem("metastasis_summary.extrahepatic", message, str(outside).lower(), hint)
    sizes = [size.diameter_mm for m in listed for size in m.measurements]
    if s.largest_liver_mm is not None and sizes:
        last = max((derive.latest(m).diameter_mm for m in present or listed), default=0.0)
        if min(abs(s.largest_liver_mm - size) for size in (last, max(sizes))) > _SUMMARY_TOLERANCE_MM:
            message = f"{s.largest_liver_mm:g} mm, but the largest listed measures {last:g} mm"
            yield Problem("metastasis_summary.largest_liver_mm", message, f"{last:g} mm", hint)
    first = min(size.date for m in patient.metastases for size in m.measurements)
    if s.detected_on is not None and s.detected_on > first:
        message = f"{s.detected_on} is after the first measurement, on {first}"
        yield Problem("metastasis_summary.detected_on", message, f"{first} or earlier", hint)
    sides = derive.bilobar(patient)
    if s.bilobar is not None and sides is not None and s.bilobar != sides:
        message = f"bilobar is {str(s.bilobar).lower()}, but the segments listed say otherwise"
        yield Problem("metastasis_summary.bilobar", message, str(sides).lower(), hint)


# --- markers, body, preferences --------------------------------------------------------------------------


def _markers(patient: Patient) -> Iterator[Problem]:
    m = patient.markers
    if m.kras_g12c and m.ras == "wild type":
        yield Problem(
            "markers.ras",
            "wild type contradicts kras_g12c: G12C is a KRAS mutation",
            '"mutant" when kras_g12c is true',
            'Write "mutant", or set kras_g12c to false',
        )
    ras_mutant = m.ras == "mutant" or (bool(m.kras_g12c) and m.ras is None)
    if ras_mutant and m.braf == "V600E":
        # about 0.05 % of metastatic colorectal cancers: J Gastrointestin Liver Dis 2020;29:251
        yield Problem(
            "markers.braf",
            "a RAS mutation and BRAF V600E together are found in about 1 of 2,000 patients",
            "one of the two",
            "Check the report. If both are confirmed, keep RAS mutant (it rules out anti-EGFR), write "
            '"other" for braf and say so in the title; the plan then leaves out BRAF inhibitors',
        )


def _body(patient: Patient) -> Iterator[Problem]:
    area = derive.body_surface_area_m2(patient)
    if area is not None and patient.height_cm and patient.weight_kg:
        index = patient.weight_kg / (patient.height_cm / 100) ** 2
        if not (10 <= index <= 80 and 0.9 <= area <= 3.5):
            low, high = _weights(patient.height_cm)
            yield Problem(
                "weight_kg",
                f"{patient.weight_kg:g} kg at {patient.height_cm:g} cm gives a body-mass index "
                f"of {index:.0f} and {area:.1f} m2",
                f"{low:.0f} to {high:.0f} kg at that height",
                "Check the units: height in cm, weight in kg",
            )
    if patient.fit_for_major_surgery and patient.ecog == 4:
        yield Problem(
            "fit_for_major_surgery",
            "true contradicts ECOG 4 (completely disabled, confined to bed or chair)",
            "false or absent with ecog 4",
            "Correct one of the two; ECOG runs from 0 (fully active) to 4",
        )


def _weights(height_cm: float) -> tuple[float, float]:
    """Weights (kg) that pass `_body` at this height."""
    square = (height_cm / 100) ** 2
    low = max(30.0, 10 * square, 3600 * 0.9**2 / height_cm)
    return low, min(300.0, 80 * square, 3600 * 3.5**2 / height_cm)


def _preferences(patient: Patient) -> Iterator[Problem]:
    p = patient.preferences
    if p.weight_survival == p.weight_toxicity == p.weight_burden == 0:
        message = "all three weights are 0, so nothing would be preferred"
        hint = "Leave the weights out, or give at least one"
        yield Problem("preferences.weight_survival", message, "one weight above 0", hint)


_RULES: tuple[Callable[[Patient], Iterator[Problem]], ...] = (
    _date_range,
    _primary_dates,
    _imaging_dates,
    _nodes,
    _primary_surgery,
    _lesions,
    _volumes,
    _summary,
    _markers,
    _body,
    _preferences,
)
