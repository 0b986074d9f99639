"""What the findings say to the twins: observations at the stops of the past."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from metachron.model.toxicity import FEBRILE, KINDS, NEUROPATHY, NEUTROPENIA
from metachron.optimise.update.finding import Finding
from metachron.parameters import load_parameters
from metachron.patient import derive
from metachron.patient.schema import Modality, Patient
from metachron.plan.findings import ORGAN_INDEX

WINDOW_DAYS = 7  # about the day of a dated grade: the nadir of a twin need not fall on the day of the count
ELEVATED_NG_ML = 5.0  # CEA above the usual upper limit of normal, below which it says nothing of burden
SCAN_LIMITS = {
    Modality.MRI: "detect_mri_cells",
    Modality.ULTRASOUND: "detect_us_cells",
    Modality.INTRAOPERATIVE_ULTRASOUND: "detect_ious_cells",
}


@dataclass(frozen=True)
class SizeSeen:
    """A known lesion (by column) on a scan; 0 mm: no longer seen. `ln_limit`: ln cells half seen."""

    column: int
    day: int
    mm: float
    ln_limit: float
    label: str


@dataclass(frozen=True)
class NewSeen:
    """A lesion first seen on `day`, with its sizes by day."""

    id: str
    organ: int
    day: int
    sizes: dict[int, float]
    label: str


@dataclass(frozen=True)
class Looked:
    """A scan that says all it saw: what is new is listed."""

    day: int
    ln_limit: float
    label: str


@dataclass(frozen=True)
class Count:
    """Neutrophils (1e9/L) of one day."""

    day: int
    value: float
    label: str


@dataclass(frozen=True)
class Graded:
    """CTCAE grade of a simulated kind between two days."""

    kind: int
    grade: int
    first: int
    last: int
    label: str


@dataclass(frozen=True)
class Answered:
    """RECIST response of a scan without sizes."""

    day: int
    response: str
    label: str


@dataclass(frozen=True)
class Marker:
    """CEA (ng/mL) on a day, and before."""

    day: int
    value: float
    before: float
    label: str


@dataclass
class Evidence:
    """All observations; `silent`: (label, what, why it says nothing)."""

    sizes: list[SizeSeen] = field(default_factory=list)
    new: list[NewSeen] = field(default_factory=list)
    looked: list[Looked] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    grades: list[Graded] = field(default_factory=list)
    responses: list[Answered] = field(default_factory=list)
    markers: list[Marker] = field(default_factory=list)
    silent: list[tuple[str, str, int, str]] = field(default_factory=list)
    today: int = 0

    @property
    def speaks(self) -> bool:
        """Does anything found bear on the twins?"""
        return bool(
            self.sizes
            or self.new
            or self.looked
            or self.counts
            or self.grades
            or self.responses
            or self.markers
        )

    def stops(self) -> list[int]:
        """Days at which the twins must be looked at, 0 and today among them."""
        days = {0, self.today}
        days |= {seen.day for seen in self.sizes} | {seen.day for seen in self.looked}
        days |= {seen.day for seen in self.counts} | {seen.day for seen in self.responses}
        days |= {seen.day for seen in self.markers}
        days |= {day for n in self.new for day in n.sizes}
        days |= {d for g in self.grades for d in (g.first, g.last)}
        return sorted(days)


def gather(patient: Patient, findings: list[Finding]) -> Evidence:
    """The observations of findings that have been checked and are in order of date."""
    evidence = Evidence(today=(findings[-1].date - patient.assessed_on).days)
    columns = {m.id: j for j, m in enumerate(derive.in_place(patient))}
    for finding in findings:
        _scan(evidence, finding, patient, columns)
        _toxicity(evidence, finding, patient)
        _labs(evidence, finding, patient)
    return evidence


def _day(patient: Patient, day: date) -> int:
    return (day - patient.assessed_on).days


def _ln_limit(modality: Modality | None) -> float:
    from math import log

    name = SCAN_LIMITS.get(modality or Modality.CT, "detect_ct_cells")
    return log(load_parameters()[name].value)


def _scan(evidence: Evidence, finding: Finding, patient: Patient, columns: dict[str, int]) -> None:
    scan = finding.scan
    if scan is None:
        return
    on = scan.date or finding.date
    day, limit = _day(patient, on), _ln_limit(scan.modality)
    for size in scan.lesions:
        if size.id in columns:
            evidence.sizes.append(
                SizeSeen(columns[size.id], day, size.diameter_mm, limit, f"{size.id} on {on}")
            )
        else:
            known = next(n for n in evidence.new if n.id == size.id)
            if size.diameter_mm > 0:
                known.sizes[day] = size.diameter_mm
            else:
                why = "a new lesion that disappears again is recorded only"
                evidence.silent.append((f"{size.id} on {on}", "not seen", day, why))
    for new in scan.new_lesions or ():
        label = f"new lesion {new.id} on {on}"
        evidence.new.append(NewSeen(new.id, ORGAN_INDEX[new.organ], day, {day: new.diameter_mm}, label))
    if scan.new_lesions is not None:
        evidence.looked.append(Looked(day, limit, f"new lesions on {on}"))
    if scan.response is not None:
        label = f"response on {on}"
        if scan.lesions:
            why = "the sizes say it better"
        elif scan.response == "PD" and scan.new_lesions:
            why = "the new lesions say it better"
        elif not columns:
            why = "no lesion is listed one by one"
        else:
            evidence.responses.append(Answered(day, scan.response.value, label))
            return
        evidence.silent.append((label, scan.response.value, day, why))


def _toxicity(evidence: Evidence, finding: Finding, patient: Patient) -> None:
    today = _day(patient, finding.date)
    for t in finding.toxicity:
        kind = KINDS.index(t.kind)
        first, last = 0, today
        if t.date is not None:
            on = _day(patient, t.date)
            first, last = max(0, on - WINDOW_DAYS), min(today, on + WINDOW_DAYS)
        label = t.kind if t.date is None else f"{t.kind} on {t.date}"
        if kind == NEUROPATHY:
            first = last = last if t.date is None else _day(patient, t.date)
        if kind in (NEUTROPENIA, FEBRILE, NEUROPATHY):
            evidence.grades.append(Graded(kind, t.grade, first, last, label))
        else:
            why = "the model knows only how often it happens, not who is prone to it"
            evidence.silent.append((label, f"grade {t.grade}", today, why))
    if finding.neuropathy_grade is not None and not any(
        g.kind == NEUROPATHY and g.last == today for g in evidence.grades
    ):
        label = f"neuropathy on {finding.date}"
        evidence.grades.append(Graded(NEUROPATHY, finding.neuropathy_grade, today, today, label))


def _labs(evidence: Evidence, finding: Finding, patient: Patient) -> None:
    labs = finding.labs
    if labs is None:
        return
    on = labs.measured_on or finding.date
    day = _day(patient, on)
    if labs.neutrophils_e9_l:
        evidence.counts.append(Count(day, labs.neutrophils_e9_l, f"neutrophils on {on}"))
    if labs.cea_ng_ml is None:
        return
    before = patient.labs.cea_ng_ml
    if before is None or min(before, labs.cea_ng_ml) <= ELEVATED_NG_ML:
        why = "CEA says something of burden only when raised before and now"
        evidence.silent.append((f"CEA on {on}", f"{labs.cea_ng_ml:g}", day, why))
    else:
        evidence.markers.append(Marker(day, labs.cea_ng_ml, before, f"CEA on {on}"))
