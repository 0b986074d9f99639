"""The region that the registered trials cover, and where one patient and one strategy stand in it.

The region is data: `evidence/domain.json` holds a row for each arm of each registered trial (who was in it,
what was given, which outcomes are fitted), written by `python -m metachron.calibrate.domain`. A patient is
outside when hardly anybody like him was in a fitted arm of any setting; a strategy, when something it gives
was in no registered arm of any. What is found only in trials of another setting is a gap: it takes nobody
outside, and nothing is called calibrated over it. Nor does what the record does not say take anybody
outside, and a registry without arms judges nobody.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
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
    age: tuple[float, float]
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

    `patient` and `strategy`: reasons why each is outside, in words; `gaps`: by family of outcomes, what
    fitted arms of its settings do not cover. `same`: registered arms of the same treatments in the same
    setting; `parts`: those that share at least one.
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
            "age": tuple(raw["age"]),
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
    return patient_limits(patient, own_setting(patient, catalogue or load_catalogue()))[0]


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
    given = frozenset(given for _, given in pairs)
    patient_gaps = [gap for setting in settings for gap in patient_limits(patient, setting)[1]]
    return Domain(
        patient=tuple(patient_limits(patient, own_setting(patient, catalogue))[0]),
        strategy=tuple(_never_registered(patient, strategy, pairs, catalogue)),
        gaps={
            family: tuple(dict.fromkeys([*_not_fitted(pairs, family, fitted), *patient_gaps]))
            for family in FAMILIES
        },
        settings=settings,
        treatments=tuple(dict.fromkeys(given for _, given in pairs)),
        same=_behind(r for r in _rows(settings[0]) if r.given == given),
        parts=_behind(r for r in _rows(settings[0]) if r.given & given),
    )


def _rows(setting: str) -> list[Row]:
    return [row for row in load_region() if row.setting in SPEAKING[setting]]


def _behind(rows: Iterable[Row]) -> Behind:
    found = list(rows)
    return Behind(len({r.trial for r in found}), sum(r.n for r in found))


def _not_fitted(pairs: list[tuple[str, str]], family: str, fitted: frozenset[str] | None) -> list[str]:
    """What too few patients in fitted arms of its setting were given, for one family of outcomes."""
    found = []
    for setting, given in pairs:
        patients = sum(
            row.n
            for row in _rows(setting)
            if given in row.given
            and set(row.fitted) & set(FAMILIES[family])
            and (fitted is None or row.trial in fitted)
        )
        if given == CELLS:
            found.append("infused cells are never fitted")
        elif patients < LEAST_PATIENTS:
            what = "an untreated arm" if given == NO_TREATMENT else plain(given)
            found.append(f"no fitted trial {IN_WORDS[setting]} has {what}")
    return found


def plain(given: str) -> str:
    """A treatment as people read it."""
    return given.replace("_", " ")


def _never_registered(
    patient: Patient, strategy: Strategy, pairs: list[tuple[str, str]], catalogue: Catalogue
) -> list[str]:
    """What is in no registered arm at all, and more operations than any arm holds."""
    rows = load_region()
    if not rows:
        return []
    registered = {given for row in rows for given in row.given}
    missing = dict.fromkeys(given for _, given in pairs if given not in registered)
    reasons = [f"no registered trial has {plain(given)}" for given in missing]
    most = max(row.operations for row in rows)
    names = [name for step in strategy.steps for name in step.procedures]
    planned = sum(catalogue.procedures[name].kind == "resection" for name in names)
    total = planned + operations_before(patient, catalogue)
    if planned and total > most:
        reasons.append(f"{total} liver resections in a life; registered trials hold {most} at most")
    return reasons


def operations_before(patient: Patient, catalogue: Catalogue) -> int:
    """Liver resections already done: as listed among the treatments, at least one if a metastasis was."""
    names = [plain_name(t.name) for t in patient.prior_treatments]
    listed = sum(n in catalogue.procedures and catalogue.procedures[n].kind == "resection" for n in names)
    return max(listed, int(any(m.treated == "resected" for m in patient.metastases)))


# --- patients ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Check:
    """One thing known of a patient: in words, whether arms hold such patients, and what they hold."""

    said: str
    holds: Callable[[list[Row]], bool]
    limit: Callable[[list[Row]], str]


def patient_limits(patient: Patient, setting: str) -> tuple[list[str], list[str]]:
    """(why a patient is outside all fitted trials, what only trials of other settings hold), in words."""
    everywhere = [row for row in load_region() if row.fitted]
    rows = [row for row in _rows(setting) if row.fitted]
    outside, gaps = [], []
    for check in _checks(patient, setting) if everywhere else []:
        if not check.holds(everywhere):
            outside.append(f"{check.said}; registered trials hold {check.limit(everywhere)}")
        elif rows and not check.holds(rows):
            gaps.append(f"{check.said}; fitted trials {IN_WORDS[setting]} hold {check.limit(rows)}")
    return outside, gaps


def _checks(patient: Patient, setting: str) -> Iterator[Check]:
    age = patient.age_years
    yield Check(f"age {age:g} years", lambda rows: _ages(rows)[0] <= age <= _ages(rows)[1], _ages_in_words)
    ecog = patient.ecog
    if ecog is not None and ecog > 2:
        yield Check(f"ECOG {ecog}", lambda _: False, lambda _: "ECOG 0 to 2 only")
    seen = [lesion.diameter_mm for lesion in derive.visible_lesions(patient)]
    count = len(seen) or derive.liver_lesion_count(patient) or 0
    largest = max(seen, default=derive.largest_liver_mm(patient) or 0.0)
    yield _most("lesions", count, f"{count} visible metastases", "")
    yield _most("largest_mm", largest, f"a metastasis of {largest:g} mm", " mm")
    yield _most("sum_mm", sum(seen), f"metastases of {sum(seen):g} mm together", " mm")
    yield from (_enough(feature, name) for feature, name in _features(patient, setting).items())


def _ages(rows: list[Row]) -> tuple[float, float]:
    return min(row.age[0] for row in rows), max(row.age[1] for row in rows)


def _ages_in_words(rows: list[Row]) -> str:
    low, high = _ages(rows)
    return f"{low:g} to {high:g} years ({sum(row.n for row in rows):,} patients)"


def _most(field: str, value: float, said: str, unit: str) -> Check:
    """A value not above the largest of a field; arms that do not say it are no limit."""

    def most(rows: list[Row]) -> float | None:
        return max((m for row in rows if (m := getattr(row, field)) is not None), default=None)

    def holds(rows: list[Row]) -> bool:
        limit = most(rows)
        return limit is None or value <= limit

    return Check(said, holds, lambda rows: f"{most(rows) or 0:g}{unit} at most")


def _enough(feature: str, name: str) -> Check:
    def holds(rows: list[Row]) -> bool:
        return sum(row.n * row.shares.get(feature, 0.0) for row in rows) >= LEAST_PATIENTS

    return Check(name, holds, lambda _: f"fewer than {LEAST_PATIENTS} such patients")


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
    if setting == "adjuvant" and derive.node_positive(patient) is False and primary.t is not None:
        early = primary.t in ("T0", "T1", "T2")
        found["stage_1" if early else "stage_2"] = "stage I" if early else "stage II"
    if setting == "liver_local" and derive.extrahepatic(patient):
        found["extrahepatic"] = "metastases outside the liver"
    return found
