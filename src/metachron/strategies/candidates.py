"""Which strategies are worth comparing for a patient, and which of them is the standard to compare with.

The lists are data (`catalogue/situations.yaml`); whether a listed strategy is eligible is decided elsewhere.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from types import MappingProxyType

from pydantic import Field, ValidationError, field_validator

from metachron.errors import InputError, Problem
from metachron.evidence.references import load_references
from metachron.patient.derive import (
    extrahepatic,
    largest_liver_mm,
    liver_lesion_count,
    nothing_visible,
)
from metachron.patient.schema import Organ, Patient
from metachron.strategies.catalogue import FOLDER, Catalogue, load_catalogue, plain_name, read_yaml
from metachron.strategies.conditions import FACTS, Condition
from metachron.strategies.lines import history_facts
from metachron.strategies.schema import Entry, Strategy


class Situation(StrEnum):
    """Where a patient stands. The member name in lower case is the key in situations.yaml."""

    RESECTED_PRIMARY = "resected primary, nothing visible"
    RESECTED_METASTASES = "metastases removed, nothing visible"
    RESECTABLE = "resectable liver metastases"
    RESECTABILITY_UNKNOWN = "liver metastases, resectability unknown"
    SMALL_UNFIT = "few small liver metastases, unfit for or declining surgery"
    RECURRENT = "recurrent liver metastases after hepatectomy"
    UNRESECTABLE = "unresectable liver metastases"
    EXTRAHEPATIC = "metastases outside the liver"
    REFRACTORY = "metastases progressing after oxaliplatin and irinotecan"


class Choice(Entry):
    """A strategy and when it is chosen; written as a bare name when always."""

    name: str
    when: Condition = Condition()


class SituationList(Entry):
    """The strategies of one situation."""

    reference: list[Choice] = Field(min_length=1, description="The first that holds is the standard.")
    candidates: list[Choice] = Field(min_length=1)
    citations: list[str] = Field(min_length=1)

    @field_validator("candidates", mode="before")
    @classmethod
    def _names(cls, value: list[object]) -> list[object]:
        return [{"name": v} if isinstance(v, str) else v for v in value]


@cache
def load_situations() -> MappingProxyType[Situation, SituationList]:
    """The lists of all situations. Raises InputError when one names what does not exist."""
    catalogue, references = load_catalogue(), load_references()
    content = read_yaml(FOLDER / "catalogue" / "situations.yaml")
    try:
        lists = {s: SituationList.model_validate(content[s.name.lower()]) for s in Situation}
    except (ValidationError, KeyError) as error:
        raise InputError(Problem("situations.yaml", str(error))) from None
    problems = [
        Problem(situation.name.lower(), f"{word!r} is unknown")
        for situation, entry in lists.items()
        for word in (
            *(c.name for c in (*entry.reference, *entry.candidates) if c.name not in catalogue.strategies),
            *(f for c in (*entry.reference, *entry.candidates) for f in c.when.names() if f not in FACTS),
            *(k for k in entry.citations if k not in references),
        )
    ]
    if problems:
        raise InputError(problems, source="situations.yaml")
    return MappingProxyType(lists)


def situation(patient: Patient, catalogue: Catalogue | None = None) -> Situation:
    """The situation of a patient; with no metastasis on record, free of visible disease.

    Raises InputError when there is neither a metastasis nor a removed primary tumour to plan for.
    """
    catalogue = catalogue or load_catalogue()
    if not _metastases_present(patient):
        if patient.primary.resected is False and not patient.metastases:
            hint = "A plan begins when the primary tumour is removed or a metastasis is known."
            message = "the primary tumour is in place and no metastasis is recorded"
            raise InputError(Problem("primary.resected", message, suggestion=hint))
        removed = patient.metastases or _had(patient, catalogue, {"resection", "ablation"})
        return Situation.RESECTED_METASTASES if removed else Situation.RESECTED_PRIMARY
    facts = history_facts(patient, catalogue)
    resectable = patient.liver.all_lesions_resectable
    if facts["failed_oxaliplatin"] and facts["failed_irinotecan"] and not resectable:
        return Situation.REFRACTORY
    if extrahepatic(patient):
        return Situation.EXTRAHEPATIC
    if patient.preferences.declines_surgery or patient.fit_for_major_surgery is False:
        return Situation.SMALL_UNFIT if _few_and_small(patient, catalogue) else Situation.UNRESECTABLE
    if resectable is False:
        return Situation.UNRESECTABLE
    if _had_hepatectomy(patient, catalogue):
        return Situation.RECURRENT
    return Situation.RESECTABLE if resectable else Situation.RESECTABILITY_UNKNOWN


def candidates(patient: Patient, catalogue: Catalogue | None = None) -> list[Strategy]:
    """The strategies worth listing, in order; always one without treatment. The reference is among them."""
    catalogue = catalogue or load_catalogue()
    where = situation(patient, catalogue)
    facts = history_facts(patient, catalogue)
    names = [c.name for c in load_situations()[where].candidates if c.when.holds(facts)]
    standard = reference_for(where, patient, catalogue)
    if standard not in names:
        names.append(standard)
    return [catalogue.strategies[name] for name in names]


def reference_for(
    where: Situation, patient: Patient | None = None, catalogue: Catalogue | None = None
) -> str:
    """Name of the strategy to compare with; without a patient, that of a patient of whom nothing is known."""
    catalogue = catalogue or load_catalogue()
    facts = history_facts(patient, catalogue) if patient is not None else {}
    return next(c.name for c in load_situations()[where].reference if c.when.holds(facts))


def situation_citations(where: Situation) -> list[str]:
    """Citation keys behind the reference of a situation."""
    return list(load_situations()[where].citations)


def _metastases_present(patient: Patient) -> bool:
    seen = nothing_visible(patient)
    summary = patient.metastasis_summary
    # a date of detection without anything else still says that there are metastases
    dated = summary is not None and summary.detected_on is not None and not patient.metastases
    return seen is False or (seen is None and dated)


def _had(patient: Patient, catalogue: Catalogue, kinds: set[str]) -> bool:
    names = [plain_name(t.name) for t in patient.prior_treatments]
    return any(n in catalogue.procedures and catalogue.procedures[n].kind in kinds for n in names)


def _had_hepatectomy(patient: Patient, catalogue: Catalogue) -> bool:
    removed = any(m.organ == Organ.LIVER and m.treated == "resected" for m in patient.metastases)
    return removed or _had(patient, catalogue, {"resection"})


def _few_and_small(patient: Patient, catalogue: Catalogue) -> bool:
    limits = catalogue.procedures["microwave"]
    count, largest = liver_lesion_count(patient), largest_liver_mm(patient)
    if count is None or largest is None or limits.max_lesions is None or limits.max_diameter_mm is None:
        return False
    return 0 < count <= limits.max_lesions.value and largest <= limits.max_diameter_mm.value
