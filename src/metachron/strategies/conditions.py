"""Conditions on a patient, written as data: used by the rules of later lines and of candidate strategies.

when:
  is: {ras: [wild type]}          # the value is one of these; null stands for unknown
  not: {dpyd: [poor]}             # the value is none of these; unknown passes
  at_most: {ecog: 1}              # unknown passes
  at_least: {neuropathy: 2}       # unknown does not pass
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from metachron.patient.derive import (
    bilobar,
    extrahepatic,
    largest_liver_mm,
    liver_lesion_count,
    node_positive,
    side,
)
from metachron.patient.schema import Patient
from metachron.strategies.schema import Entry

Value = str | bool | float | None

FACTS = {
    "ras": "RAS",
    "braf": "BRAF",
    "msi": "microsatellite state",
    "her2": "HER2",
    "kras_g12c": "KRAS G12C",
    "dpyd": "DPYD phenotype",
    "side": "side of the primary tumour",
    "ecog": "ECOG performance status",
    "neuropathy": "neuropathy grade",
    "node_positive": "regional nodal disease",
    "liver_lesions": "number of liver metastases",
    "largest_liver_mm": "largest liver metastasis (mm)",
    "extrahepatic": "metastasis outside the liver",
    "bilobar": "metastases in both halves of the liver",
    "declines_chemotherapy": "declines chemotherapy",
    "failed_oxaliplatin": "progressed on or soon after oxaliplatin",
    "failed_irinotecan": "progressed on or soon after irinotecan",
    "failed_checkpoint": "progressed on a checkpoint inhibitor",
}


class Condition(Entry):
    """A conjunction of tests on the facts of a patient; empty holds always."""

    is_: dict[str, list[Value]] = Field(default_factory=dict, alias="is")
    not_: dict[str, list[Value]] = Field(default_factory=dict, alias="not")
    at_most: dict[str, float] = Field(default_factory=dict)
    at_least: dict[str, float] = Field(default_factory=dict)

    def holds(self, facts: Mapping[str, Value]) -> bool:
        """Does the condition hold? A fact that is absent counts as unknown."""
        return (
            all(facts.get(k) in allowed for k, allowed in self.is_.items())
            and all(facts.get(k) is None or facts.get(k) not in bad for k, bad in self.not_.items())
            and all(_number(facts.get(k), low=limit) <= limit for k, limit in self.at_most.items())
            and all(_number(facts.get(k), low=-1.0) >= limit for k, limit in self.at_least.items())
        )

    def names(self) -> set[str]:
        """The facts it reads."""
        return {*self.is_, *self.not_, *self.at_most, *self.at_least}


def _number(value: Value, low: float) -> float:
    return float(value) if isinstance(value, int | float) else low


def facts_of(patient: Patient) -> dict[str, Value]:
    """What the conditions may ask of a patient record; None is unknown. What was tried and failed is added by
    `metachron.strategies.lines.history_facts`."""
    markers, count = patient.markers, liver_lesion_count(patient)
    return {
        "ras": markers.ras,
        "braf": markers.braf,
        "msi": markers.msi,
        "her2": markers.her2,
        "kras_g12c": markers.kras_g12c,
        "dpyd": markers.dpyd,
        "side": side(patient),
        "ecog": patient.ecog,
        "neuropathy": patient.neuropathy_grade,
        "node_positive": node_positive(patient),
        "liver_lesions": count,
        "largest_liver_mm": largest_liver_mm(patient),
        "extrahepatic": extrahepatic(patient),
        "bilobar": bilobar(patient),
        "declines_chemotherapy": patient.preferences.declines_chemotherapy,
    }
