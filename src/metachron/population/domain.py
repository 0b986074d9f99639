"""The region that the registered trials cover, and where one patient and one strategy stand in it.

The region is data: `evidence/domain.json` holds a row for each arm of each registered trial (who was in it,
what was given, which outcomes are fitted), written by `python -m metachron.calibrate.domain`. A patient is
outside when nobody, or hardly anybody, like him was in a fitted arm of his setting; a strategy, when
something it gives was in no registered arm at all. What the record does not say takes nobody outside, and a
registry without arms judges nobody.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from metachron.engine.compile import start_line
from metachron.evidence import facts
from metachron.patient import derive
from metachron.patient.schema import Patient
from metachron.strategies.candidates import Situation, situation
from metachron.strategies.catalogue import Catalogue, load_catalogue, plain_name
from metachron.strategies.schema import EffectClass, Starts, Step, Strategy

PATH = Path(facts.__file__).parent / "domain.json"
NO_TREATMENT, CELLS = "no treatment", "infused cells"
LEAST_PATIENTS = 30  # fewer patients alike than this say nothing of a person (assumed)
LINES = ("first_line", "second_line", "later_line")
# Registered settings that speak of a patient's setting
SPEAKING = {
    "adjuvant": ("adjuvant",),
    "resected_metastases": ("resected_metastases", "liver_local"),
    "liver_local": ("liver_local", "resected_metastases"),
    "first_line": ("first_line", "maintenance"),
    "second_line": ("second_line",),
    "later_line": ("later_line",),
}
IN_WORDS = {
    "adjuvant": "after removal of the primary tumour",
    "resected_metastases": "after removal of metastases",
    "liver_local": "of operation or ablation of liver metastases",
    "first_line": "of first-line treatment",
    "second_line": "of second-line treatment",
    "later_line": "of later lines",
}
FAMILIES = {
    "os": ("OS",),
    "rfs_or_pfs": ("PFS", "DFS", "RFS", "recurrence", "TTP", "TTF"),
    "hepatic_rfs": ("hepatic_DFS",),
}


@dataclass(frozen=True)
class Row:
    """One arm of a registered trial.

    `fitted` and `shown`: endpoints; `given`: treatments (`treatments_of`) of the arm; `operations`: liver
    operations in a life, the arm's included. Of `n` patients: range of age; number, largest size and sum of
    diameters (mm) of visible lesions, each the 99th percentile of the population that stands for the arm
    (None: not said of it); shares with the markers and features named.
    """

    trial: str
    arm: str
    setting: str
    n: int
    fitted: tuple[str, ...]
    shown: tuple[str, ...]
    given: frozenset[str]
    operations: int
    age: tuple[float, float] | None
    lesions: float | None
    largest_mm: float | None
    sum_mm: float | None
    shares: dict[str, float]


@dataclass(frozen=True)
class Behind:
    """How many trials and patients."""

    trials: int
    patients: int


@dataclass(frozen=True)
class Domain:
    """Where a strategy for a patient stands.

    `patient` and `strategy`: reasons why each is outside, in words; `gaps`: by outcome, what no fitted arm
    of that setting covers. `same`: registered arms of the same treatments in the same setting; `parts`:
    those that share at least one.
    """

    patient: tuple[str, ...]
    strategy: tuple[str, ...]
    gaps: dict[str, tuple[str, ...]]
    settings: tuple[str, ...]
    treatments: tuple[str, ...]
    same: Behind
    parts: Behind

    @property
    def outside(self) -> bool:
        return bool(self.patient or self.strategy)

    @property
    def reasons(self) -> list[str]:
        return [*self.patient, *self.strategy]


@cache
def load_region(path: Path = PATH) -> tuple[Row, ...]:
    """The rows of the region, in the order of the file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return tuple(_row(raw) for raw in content["arms"])


def _row(raw: dict[str, Any]) -> Row:
    return Row(
        **{
            **raw,
            "fitted": tuple(raw["fitted"]),
            "shown": tuple(raw["shown"]),
            "given": frozenset(raw["given"]),
            "age": tuple(raw["age"]) if raw["age"] else None,
        }
    )


# --- settings and treatments ---------------------------------------------------------------------------


def treatments_of(step: Step, catalogue: Catalogue) -> set[str]:
    """What a step gives: effect classes of its drugs, names of its procedures, infused cells.

    Matched targeted drugs stand for themselves, by name: one for BRAF says nothing of one for HER2.
    """
    found = set(step.procedures)
    for regimen in step.regimens:
        for drug in (catalogue.drugs[d.drug] for d in catalogue.regimens[regimen].drugs):
            if drug.effect == EffectClass.TARGET:
                found.add(drug.name)
            elif drug.effect != EffectClass.NONE:
                found.add(drug.effect.value)
    return found | ({CELLS} if step.cells else set())


def own_setting(patient: Patient, catalogue: Catalogue) -> str:
    """The setting of a patient before any strategy is chosen."""
    where = situation(patient, catalogue)
    if where is Situation.RESECTED_PRIMARY:
        return "adjuvant"
    if where is Situation.RESECTED_METASTASES:
        return "resected_metastases"
    if where in (Situation.UNRESECTABLE, Situation.EXTRAHEPATIC, Situation.REFRACTORY):
        return _line(patient, where)
    return "liver_local"


def _line(patient: Patient, where: Situation) -> str:
    least = 2 if where is Situation.REFRACTORY else 0
    return LINES[min(max(start_line(patient), least), 2)]


def needs(patient: Patient, strategy: Strategy, catalogue: Catalogue) -> list[tuple[str, str]]:
    """(setting, treatment) pairs that a strategy rests on for a patient, without repeats, in order."""
    own = own_setting(patient, catalogue)
    free = own in ("adjuvant", "resected_metastases")
    local = any(step.procedures and step.starts is not Starts.RECURRENCE for step in strategy.steps)
    line = LINES.index(_line(patient, situation(patient, catalogue)))
    setting = own if free else "liver_local" if local else LINES[line]
    pairs: list[tuple[str, str]] = []
    for step in strategy.steps:
        if step.starts is Starts.PROGRESSION:
            line = min(line + 1, 2)
            setting = LINES[line]
        where = "liver_local" if step.starts is Starts.RECURRENCE else setting
        pairs += [(where, given) for given in sorted(treatments_of(step, catalogue))]
    return list(dict.fromkeys(pairs)) or [(setting, NO_TREATMENT)]


# --- judgement -----------------------------------------------------------------------------------------


def judge_patient(patient: Patient, catalogue: Catalogue | None = None) -> list[str]:
    """Why a patient is outside the region whatever the strategy; empty when he is inside."""
    catalogue = catalogue or load_catalogue()
    return _patient_reasons(patient, own_setting(patient, catalogue))


def judge_domain(
    patient: Patient,
    strategy: Strategy,
    catalogue: Catalogue | None = None,
    trials: Iterable[str] | None = None,
) -> Domain:
    """Where a strategy stands for a patient. `trials`: those whose data were fitted (None: all registered).

    Raises InputError when there is nothing to plan for.
    """
    catalogue = catalogue or load_catalogue()
    pairs = needs(patient, strategy, catalogue)
    fitted = None if trials is None else frozenset(trials)
    settings = tuple(dict.fromkeys(setting for setting, _ in pairs))
    own = own_setting(patient, catalogue)
    # what takes the patient outside in any setting on the way takes the strategy outside
    on_the_way = [r for s in settings if s != own for r in _patient_reasons(patient, s)]
    given = tuple(dict.fromkeys(given for _, given in pairs))
    return Domain(
        patient=tuple(_patient_reasons(patient, own)),
        strategy=tuple(dict.fromkeys([*_strategy_reasons(patient, strategy, pairs, catalogue), *on_the_way])),
        gaps={family: _gaps(pairs, family, fitted) for family in FAMILIES},
        settings=settings,
        treatments=given,
        same=_behind(r for r in _rows(settings[0]) if r.given == set(given)),
        parts=_behind(r for r in _rows(settings[0]) if r.given & set(given)),
    )


def _rows(setting: str) -> list[Row]:
    return [row for row in load_region() if row.setting in SPEAKING[setting]]


def _behind(rows: Iterable[Row]) -> Behind:
    found = list(rows)
    return Behind(len({r.trial for r in found}), sum(r.n for r in found))


def _gaps(pairs: list[tuple[str, str]], family: str, fitted: frozenset[str] | None) -> tuple[str, ...]:
    """What no fitted arm of its setting covers for one family of outcomes, in words."""
    found = []
    for setting, given in pairs:
        arms = [
            row
            for row in _rows(setting)
            if given in (row.given or {NO_TREATMENT})
            and set(row.fitted) & set(FAMILIES[family])
            and (fitted is None or row.trial in fitted)
        ]
        if not arms or given == CELLS:
            found.append(f"no trial {IN_WORDS[setting]} with {plain(given)} was fitted")
    return tuple(found)


def plain(given: str) -> str:
    """A treatment as people read it."""
    return given.replace("_", " ")


def _strategy_reasons(
    patient: Patient, strategy: Strategy, pairs: list[tuple[str, str]], catalogue: Catalogue
) -> list[str]:
    """What was in no registered arm at all, and more operations than any arm holds."""
    if not load_region():
        return []
    registered = {given for row in load_region() for given in (row.given or {NO_TREATMENT})}
    missing = list(dict.fromkeys(given for _, given in pairs if given not in registered))
    reasons = [f"no registered trial gives {plain(given)}" for given in missing]
    most = max((row.operations for row in load_region()), default=0)
    planned = sum(
        catalogue.procedures[name].kind == "resection" for step in strategy.steps for name in step.procedures
    )
    total = planned + operations_before(patient, catalogue)
    if planned and total > most:
        reasons.append(f"{total} liver resections in a life; registered trials hold {most} at most")
    return reasons


def operations_before(patient: Patient, catalogue: Catalogue) -> int:
    """Liver resections already done: as listed among the treatments, at least one if a metastasis was."""
    names = [plain_name(t.name) for t in patient.prior_treatments]
    listed = sum(n in catalogue.procedures and catalogue.procedures[n].kind == "resection" for n in names)
    return max(listed, int(any(m.treated == "resected" for m in patient.metastases)))


def _patient_reasons(patient: Patient, setting: str) -> list[str]:
    """Why nobody like the patient was in a fitted arm of a setting, in words."""
    if not load_region():
        return []
    rows = [row for row in _rows(setting) if row.fitted]
    where = f"trials {IN_WORDS[setting]}"
    if not rows:
        return [f"no registered trial {IN_WORDS[setting]} was fitted"]
    reasons = [*_ages(patient, rows, where), *_extent(patient, rows, where)]
    if patient.ecog is not None and patient.ecog > 2:
        reasons.append(f"ECOG {patient.ecog}; no registered trial holds patients of ECOG 3 or 4")
    for feature, name in _features(patient, setting).items():
        if _patients(rows, feature) < LEAST_PATIENTS:
            reasons.append(f"{name}; hardly any such patient in registered {where}")
    return reasons


def _ages(patient: Patient, rows: list[Row], where: str) -> list[str]:
    known = [(row.age, row.n) for row in rows if row.age is not None]
    if not known:
        return []
    low, high = min(age[0] for age, _ in known), max(age[1] for age, _ in known)
    if low <= patient.age_years <= high:
        return []
    count = sum(n for _, n in known)
    return [
        f"age {patient.age_years:g} years; registered {where} hold {low:g} to {high:g} ({count:,} patients)"
    ]


def _extent(patient: Patient, rows: list[Row], where: str) -> list[str]:
    """More or larger metastases than in registered trials."""
    seen = [lesion.diameter_mm for lesion in derive.visible_lesions(patient)]
    count = len(seen) or derive.liver_lesion_count(patient) or 0
    largest = max(seen, default=derive.largest_liver_mm(patient) or 0.0)
    found = (
        ("lesions", count, f"{count} visible metastases", ""),
        ("largest_mm", largest, f"a metastasis of {largest:g} mm", " mm"),
        ("sum_mm", sum(seen), f"metastases of {sum(seen):g} mm together", " mm"),
    )
    reasons = []
    for field, value, said, unit in found:
        most = max((m for row in rows if (m := getattr(row, field)) is not None), default=None)
        if most is not None and value > most:
            reasons.append(f"{said}; registered {where} hold {most:g}{unit} at most")
    return reasons


def _features(patient: Patient, setting: str) -> dict[str, str]:
    """Known features that trials must hold, with their words; the key is a share of `Row.shares`."""
    primary, markers = patient.primary, patient.markers
    found = {}
    if patient.ecog == 2:
        found["ecog_2"] = "ECOG 2"
    if markers.ras == "mutant":
        found["ras_mutant"] = "RAS mutant"
    if markers.braf == "V600E":
        found["braf_mutant"] = "BRAF V600E"
    if markers.msi == "MSI-high":
        found["msi_high"] = "MSI-high"
    if setting == "adjuvant" and derive.node_positive(patient) is False:
        early = (primary.t or "").startswith(("T0", "T1", "T2", "Tis"))
        found["stage_1" if early else "stage_2"] = "stage I" if early else "stage II"
    if setting == "liver_local" and derive.extrahepatic(patient):
        found["extrahepatic"] = "metastases outside the liver"
    return found


def _patients(rows: list[Row], feature: str) -> float:
    return sum(row.n * row.shares.get(feature, 0.0) for row in rows)
