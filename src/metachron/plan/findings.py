"""What a patient's record says to the twins: numbers, flags and intervals, unknown kept as None."""

from __future__ import annotations

from dataclasses import dataclass, field

from metachron.patient import derive
from metachron.patient.schema import Metastasis, Organ, Patient, PriorTreatment
from metachron.strategies.catalogue import Catalogue, plain_name

ORGAN_INDEX = {Organ.LIVER: 0, Organ.LUNG: 1, Organ.PERITONEUM: 2, Organ.DISTANT_NODES: 3}
RECIST_BOUNDS = {"CR": (0.0, 0.7), "PR": (0.0, 0.7), "SD": (0.7, 1.2), "PD": (1.2, 1e9)}
NODES_OF_CATEGORY = {"N0": 0, "N1": 2, "N1a": 1, "N1b": 2, "N1c": 1, "N2": 6, "N2a": 5, "N2b": 8}


@dataclass(frozen=True)
class Seen:
    """One visible lesion: last size, days since it was measured, and its growth between dated scans."""

    id: str
    organ: int
    diameter_mm: float
    days_ago: float
    near_vessel: int
    growth_days: float | None = None
    earlier_mm: float | None = None


@dataclass(frozen=True)
class Exposure:
    """A prior systemic treatment: its effect classes, how long, and how the disease responded."""

    classes: tuple[int, ...]
    days: float
    metastatic: bool
    response: str | None
    failed: bool


@dataclass(frozen=True)
class Findings:
    lesions: list[Seen]
    nothing_visible: bool
    days_since_primary: float | None
    days_since_surgery: float | None  # of the primary or of metastases, whichever came last
    synchronous: bool | None
    exposures: list[Exposure]
    quiet_days: float = field(default=0.0)


def _days_ago(patient: Patient, day: object) -> float:
    return float((patient.assessed_on - day).days)  # type: ignore[operator]


def _treated_between(patient: Patient, start: object, end: object) -> bool:
    for t in patient.prior_treatments:
        first, last = t.start or t.end, t.end or t.start
        if first is not None and last is not None and first < end and last > start:  # type: ignore[operator]
            return True
    return False


def _seen(patient: Patient, lesion: Metastasis) -> Seen:
    sizes = sorted(lesion.measurements, key=lambda m: m.date)
    last, first = sizes[-1], sizes[0]
    span = (last.date - first.date).days
    grows = span >= 14 and not _treated_between(patient, first.date, last.date)
    return Seen(
        id=lesion.id,
        organ=ORGAN_INDEX[lesion.organ],
        diameter_mm=last.diameter_mm,
        days_ago=max(0.0, _days_ago(patient, last.date)),
        near_vessel=int(bool(lesion.near_vessel)),
        growth_days=float(span) if grows else None,
        earlier_mm=first.diameter_mm if grows else None,
    )


def _exposure(patient: Patient, treatment: PriorTreatment, catalogue: Catalogue) -> Exposure | None:
    from metachron.engine.compile import KILL_CLASS
    from metachron.model.kill import CLASSES

    name = plain_name(treatment.name)
    if name not in catalogue.regimens:
        return None
    regimen = catalogue.regimens[name]
    classes = sorted({KILL_CLASS[e] for e in catalogue.effects_of(name) if KILL_CLASS[e] < CLASSES})
    days = 0.0
    if treatment.cycles:
        days = float(treatment.cycles * regimen.cycle_days)
    elif treatment.start and treatment.end:
        days = float((treatment.end - treatment.start).days)
    ago = _days_ago(patient, treatment.end) if treatment.end else None
    metastatic = treatment.setting in ("metastatic", "neoadjuvant")
    response = treatment.response.value if treatment.response else None
    recent = ago is not None and ago < 183 and treatment.setting == "adjuvant" and bool(patient.metastases)
    return Exposure(tuple(classes), days, metastatic, response, response == "PD" or recent)


def _quiet_days(exposures: list[Exposure]) -> float:
    """Days on adjuvant drugs between the primary operation and detection, when growth is held."""
    return sum(e.days for e in exposures if not e.metastatic)


def _last_surgery(patient: Patient, catalogue: Catalogue) -> float | None:
    days = [t.end or t.start for t in patient.prior_treatments if plain_name(t.name) in catalogue.procedures]
    known = [d for d in (*days, patient.primary.resected_on) if d is not None]
    return _days_ago(patient, max(known)) if known else None


def read_findings(patient: Patient, catalogue: Catalogue) -> Findings:
    """Everything the twins must agree with."""
    lesions = [_seen(patient, m) for m in derive.in_place(patient)]
    exposures = [e for t in patient.prior_treatments if (e := _exposure(patient, t, catalogue)) is not None]
    nothing = derive.nothing_visible(patient)
    if nothing is None:
        nothing = not lesions and patient.metastasis_summary is None
    since = _days_ago(patient, patient.primary.resected_on) if patient.primary.resected_on else None
    last = _last_surgery(patient, catalogue)
    seen_early = derive.synchronous(patient)
    return Findings(lesions, nothing, since, last, seen_early, exposures, _quiet_days(exposures))


def node_state(patient: Patient) -> tuple[float | None, float | None]:
    """(positive nodes, node-positive flag), None when unknown."""
    count = derive.node_count(patient)
    if count is None and patient.primary.n is not None:
        count = NODES_OF_CATEGORY[patient.primary.n]
    positive = derive.node_positive(patient)
    return (None if count is None else float(count)), (None if positive is None else float(positive))
