"""Named facts of a patient, as the rules see them: a value, or unknown with the fields that would tell.

Facts about the strategy and the place within it are in `metachron.strategies.course`. `FACTS` holds all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import Any, Protocol

from metachron.patient import derive
from metachron.patient.schema import Organ, Patient, PriorTreatment, Response
from metachron.patient.scores import fong
from metachron.strategies.logic import Answer
from metachron.strategies.schema import (
    CellProduct,
    Drug,
    EffectClass,
    Procedure,
    Regimen,
    Rule,
    Starts,
    Step,
    Strategy,
)

CYTOTOXIC_CLASSES = {EffectClass.FP, EffectClass.OX, EffectClass.IRI, EffectClass.FTD}
BILIRUBIN_UPPER_LIMIT_UMOL_L = 21.0  # 1.2 mg/dL, a usual upper limit of normal


class CatalogueLike(Protocol):
    """What the rules read of a catalogue: entries by name."""

    @property
    def drugs(self) -> Mapping[str, Drug]: ...
    @property
    def regimens(self) -> Mapping[str, Regimen]: ...
    @property
    def procedures(self) -> Mapping[str, Procedure]: ...
    @property
    def cells(self) -> Mapping[str, CellProduct]: ...
    def rules_of(self, strategy: Strategy) -> tuple[Rule, ...]: ...


@dataclass(frozen=True)
class View:
    """What a rule looks at: the patient, and one place (step, item) of a strategy."""

    patient: Patient
    catalogue: CatalogueLike
    strategy: Strategy
    index: int = 0
    item: str = ""
    situation: str = ""

    @property
    def step(self) -> Step:
        """The step looked at; an empty one for a strategy of observation."""
        return self.strategy.steps[self.index] if self.strategy.steps else Step()


@dataclass(frozen=True)
class FactDef:
    """A named fact: how it is read, which patient fields it needs, and what it means."""

    name: str
    read: Callable[[View], Any]
    needs: tuple[str, ...]
    meaning: str


FACTS: dict[str, FactDef] = {}


def fact(name: str, meaning: str, *needs: str) -> Callable[[Callable[[View], Any]], Callable[[View], Any]]:
    """Register a function of a View as a fact; it returns None when the record does not say."""

    def register(read: Callable[[View], Any]) -> Callable[[View], Any]:
        FACTS[name] = FactDef(name, read, needs, meaning)
        return read

    return register


def look(view: View, name: str) -> Answer:
    """The fact of this view; a reader that returns an Answer names the missing fields itself."""
    definition = FACTS[name]
    value = definition.read(view)
    if isinstance(value, Answer):
        return value
    return Answer(value, definition.needs if value is None else ())


_FIELDS = {
    "age_years": ("age_years", "age (years)"),
    "ecog": ("ecog", "ECOG performance status"),
    "fit_for_major_surgery": ("fit_for_major_surgery", "judged fit for major surgery"),
    "declines_surgery": ("preferences.declines_surgery", "declines any operation"),
    "declines_chemotherapy": ("preferences.declines_chemotherapy", "declines cytotoxic chemotherapy"),
    "ras": ("markers.ras", "KRAS and NRAS"),
    "braf": ("markers.braf", "BRAF"),
    "msi": ("markers.msi", "microsatellite state"),
    "her2": ("markers.her2", "HER2"),
    "kras_g12c": ("markers.kras_g12c", "KRAS G12C"),
    "dpyd": ("markers.dpyd", "DPYD metaboliser phenotype"),
    "ugt1a1": ("markers.ugt1a1", "UGT1A1 genotype"),
    "remnant_share": ("liver.remnant_share", "future liver remnant (fraction)"),
    "cirrhosis": ("liver.cirrhosis", "cirrhosis, Child-Pugh class"),
    "all_lesions_resectable": ("liver.all_lesions_resectable", "every metastasis can be removed"),
    "creatinine_clearance": ("labs.creatinine_clearance_ml_min", "creatinine clearance (mL/min)"),
    "neutrophils": ("labs.neutrophils_e9_l", "neutrophils (1e9/L)"),
    "platelets": ("labs.platelets_e9_l", "platelets (1e9/L)"),
    "neuropathy_grade": ("neuropathy_grade", "sensory neuropathy (CTCAE grade)"),
    "t_category": ("primary.t", "T category of the primary"),
}


def _field_reader(path: str) -> Callable[[View], Any]:
    return lambda view: reduce(getattr, path.split("."), view.patient)


for _name, (_path, _meaning) in _FIELDS.items():
    fact(_name, _meaning, _path)(_field_reader(_path))


@fact("side", "side of the primary", "primary.site")
def _side(view: View) -> str | None:
    return derive.side(view.patient)


@fact("node_positive", "regional nodes with tumour", "primary.n", "primary.nodes_positive")
def _node_positive(view: View) -> bool | None:
    return derive.node_positive(view.patient)


@fact("nothing_visible", "no metastasis in place on the last scan", "last_imaging_on")
def _nothing_visible(view: View) -> bool | None:
    return derive.nothing_visible(view.patient)


@fact("had_metastases", "a metastasis was treated before", "metastases")
def _had_metastases(view: View) -> bool:
    treated = any(m.treated is not None for m in view.patient.metastases)
    return treated or bool(prior_procedures(view))


@fact("liver_lesions", "liver metastases in place (count)", "metastasis_summary.liver_lesions")
def _liver_lesions(view: View) -> int | None:
    return derive.liver_lesion_count(view.patient)


@fact("largest_liver_mm", "largest liver metastasis (mm)", "metastasis_summary.largest_liver_mm")
def _largest(view: View) -> float | None:
    if derive.liver_lesion_count(view.patient) == 0:
        return 0.0
    return derive.largest_liver_mm(view.patient)


@fact("extrahepatic", "metastasis in place outside the liver", "metastasis_summary.extrahepatic")
def _extrahepatic(view: View) -> bool | None:
    return derive.extrahepatic(view.patient)


@fact("near_vessel", "a liver metastasis touches a vessel wider than 3 mm", "metastases[].near_vessel")
def _near_vessel(view: View) -> bool | None:
    marks = [v.near_vessel for v in derive.visible_lesions(view.patient) if v.organ == Organ.LIVER]
    if any(marks):
        return True
    return None if None in marks or not view.patient.metastases else False


@fact("interval_months", "months from primary to first metastasis", "primary.diagnosed_on")
def _interval(view: View) -> float | None:
    months = derive.disease_free_interval_months(view.patient)
    return None if months is None else round(months, 1)


@fact("fong_score", "Fong clinical risk score (points)")
def _fong(view: View) -> float | Answer:
    score = fong(view.patient)
    if not score.applicable:
        return 0.0
    return Answer(score.value, tuple(score.missing)) if score.value is None else score.value


@fact("bilirubin_ratio", "bilirubin over the upper limit of 21 umol/L", "labs.bilirubin_umol_l")
def _bilirubin(view: View) -> float | None:
    value = view.patient.labs.bilirubin_umol_l
    return None if value is None else value / BILIRUBIN_UPPER_LIMIT_UMOL_L


@fact("days_since_primary_surgery", "days since the primary was removed", "primary.resected_on")
def _since_surgery(view: View) -> int | None:
    return days_since(view.patient, view.patient.primary.resected_on)


def days_since(patient: Patient, day: date | None) -> int | None:
    """Days from `day` to the assessment."""
    return None if day is None else (patient.assessed_on - day).days


def prior_entries(treatment: PriorTreatment) -> list[str]:
    """Catalogue names of a prior treatment, which may be written 'mfolfox6 + bevacizumab'."""
    return [part.split("*")[0].strip() for part in treatment.name.split("+")]


def regimen_effects(view: View, name: str) -> set[EffectClass]:
    """Effect classes of a regimen; empty for a name that is no regimen."""
    regimen = view.catalogue.regimens.get(name)
    if regimen is None:
        return set()
    effects = {view.catalogue.drugs[dose.drug].effect for dose in regimen.drugs}
    return effects - {EffectClass.NONE}


def treatment_effects(view: View, treatment: PriorTreatment) -> set[EffectClass]:
    """Effect classes of a prior treatment."""
    return set().union(*(regimen_effects(view, name) for name in prior_entries(treatment)))


def systemic_treatments(view: View, cytotoxic: bool = False) -> list[tuple[str, PriorTreatment]]:
    """Prior systemic treatments with their field path; only cytotoxic ones on request."""
    found = []
    for i, treatment in enumerate(view.patient.prior_treatments):
        effects = treatment_effects(view, treatment)
        if effects & CYTOTOXIC_CLASSES or (effects and not cytotoxic):
            found.append((f"prior_treatments[{i}]", treatment))
    return found


def prior_procedures(view: View) -> list[Procedure]:
    """Procedures on metastases already done."""
    procedures = view.catalogue.procedures
    names = [name for t in view.patient.prior_treatments for name in prior_entries(t)]
    return [procedures[name] for name in names if name in procedures]


def length_days(view: View, treatment: PriorTreatment) -> float | None:
    """Length of a prior treatment: cycles given, else dates (to assessment while it goes on)."""
    if treatment.cycles is not None:
        names = [n for n in prior_entries(treatment) if n in view.catalogue.regimens]
        return treatment.cycles * view.catalogue.regimens[names[0]].cycle_days
    if treatment.start is None:
        return None
    return ((treatment.end or view.patient.assessed_on) - treatment.start).days


@fact("prior_hepatectomy", "the liver was resected before", "prior_treatments")
def _prior_hepatectomy(view: View) -> bool:
    resected = any(m.treated == "resected" and m.organ == Organ.LIVER for m in view.patient.metastases)
    if view.step.starts is Starts.RECURRENCE:  # the strategy itself may have resected by then
        earlier = [name for step in view.strategy.steps[: view.index] for name in step.procedures]
        resected |= any(view.catalogue.procedures[name].kind == "resection" for name in earlier)
    return resected or any(p.kind == "resection" for p in prior_procedures(view))


@fact(
    "progressed_on_last", "disease progressed on the last systemic treatment", "prior_treatments[].response"
)
def _progressed_on_last(view: View) -> bool | Answer:
    # of treatments for metastases only: relapse after adjuvant treatment is judged by the interval
    given = [(f, t) for f, t in systemic_treatments(view) if t.setting != "adjuvant"]
    if not given:
        return False
    last_start = max((t.start or date.min) for _, t in given)
    last = [(f, t) for f, t in given if (t.start or date.min) == last_start]
    if any(t.response == Response.PD for _, t in last):
        return True
    if all(t.response is None for _, t in last):
        return Answer(None, tuple(f"{f}.response" for f, _ in last))
    return False


def progressed_on(effect: EffectClass) -> Callable[[View], bool | Answer]:
    """Did disease progress on this class, given for metastases? Unknown when the response is not recorded."""

    def read(view: View) -> bool | Answer:
        given = [
            (f, t)
            for f, t in systemic_treatments(view)
            if effect in treatment_effects(view, t) and t.setting != "adjuvant"
        ]
        if any(t.response == Response.PD for _, t in given):
            return True
        silent = tuple(f"{f}.response" for f, t in given if t.response is None)
        return Answer(None, silent) if silent else False

    return read


for _effect in (EffectClass.OX, EffectClass.IRI, EffectClass.EGFR, EffectClass.FTD, EffectClass.CHECKPOINT):
    fact(
        f"progressed_on_{_effect.name.lower()}",
        f"progressed on {_effect.value}",
        "prior_treatments[].response",
    )(progressed_on(_effect))


def last_end(view: View, effects: set[EffectClass]) -> date | Answer | None:
    """Last day of prior treatment with any of these classes; None when never given.

    A treatment without an end goes on, so that it ends on the day of assessment at the earliest.
    """
    ends: list[date] = []
    for field, treatment in systemic_treatments(view):
        if not treatment_effects(view, treatment) & effects:
            continue
        if treatment.end is None and treatment.start is None:
            return Answer(None, (f"{field}.end",))
        ends.append(treatment.end or view.patient.assessed_on)
    return max(ends, default=None)


def interval_days(view: View, effects: set[EffectClass]) -> float | Answer:
    """Days from the last prior treatment with these classes to assessment; infinite when never given."""
    end = last_end(view, effects)
    if isinstance(end, Answer):
        return end
    return math.inf if end is None else (view.patient.assessed_on - end).days
