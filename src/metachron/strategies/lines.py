"""Later lines: what is given after progression, by the markers of the tumour and what was used before.

The rules are data (`catalogue/lines.yaml`); this module only applies them in order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from pydantic import Field, ValidationError

from metachron.errors import InputError, Problem
from metachron.evidence.references import load_references
from metachron.patient.schema import Patient, PriorTreatment, Response
from metachron.strategies.catalogue import FOLDER, Catalogue, load_catalogue, plain_name, read_yaml
from metachron.strategies.conditions import FACTS, Condition, Value, facts_of
from metachron.strategies.schema import EffectClass, Entry

MAX_LINES = 4
# progression within six months of adjuvant treatment counts as failure of its drugs (the definition used by
# second-line trials, e.g. ML18147; recalled)
FAILED_WITHIN_DAYS = 183
MAX_ECOG = 2


class LineRule(Entry):
    """One line of treatment and when it is the next one."""

    name: str
    regimens: list[str] = Field(min_length=1)
    when: Condition = Condition()
    after: list[str] = Field(default_factory=list, description="All of these were used.")
    after_any: list[str] = Field(default_factory=list, description="At least one of these was used.")
    unless_used: list[str] = Field(min_length=1, description="None of these was used.")
    citations: list[str] = Field(min_length=1)

    def fits(self, facts: dict[str, Value], used: set[str]) -> bool:
        """Is this the next line, given the facts of the patient and the drugs and classes used?"""
        return (
            set(self.after) <= used
            and (not self.after_any or bool(used & set(self.after_any)))
            and not used & set(self.unless_used)
            and self.when.holds(facts)
        )


@cache
def load_line_rules() -> tuple[LineRule, ...]:
    """The rules in order of preference. Raises InputError when one names what does not exist."""
    catalogue, references = load_catalogue(), load_references()
    try:
        rules = tuple(LineRule.model_validate(r) for r in read_yaml(FOLDER / "catalogue" / "lines.yaml"))
    except ValidationError as error:
        raise InputError(Problem("lines.yaml", str(error))) from None
    known = {*(c.value for c in EffectClass), *catalogue.drugs, *catalogue.regimens}
    problems = [
        Problem(rule.name, f"{word!r} is unknown")
        for rule in rules
        for word in (
            *(r for r in rule.regimens if r not in catalogue.regimens),
            *(n for n in (*rule.after, *rule.after_any, *rule.unless_used) if n not in known),
            *(f for f in rule.when.names() if f not in FACTS),
            *(k for k in rule.citations if k not in references),
        )
    ]
    if problems:
        raise InputError(problems, source="lines.yaml")
    return rules


def next_line_rules(
    patient: Patient, used: Iterable[str] = (), catalogue: Catalogue | None = None
) -> list[LineRule]:
    """The rules that make up the lines after progression, best first, four at most; none from ECOG 3.

    `used`: names of effect classes, drugs, regimens or strategies given so far, beyond those that
    `patient.prior_treatments` shows to have failed.
    """
    catalogue = catalogue or load_catalogue()
    if patient.ecog is not None and patient.ecog > MAX_ECOG:
        return []
    facts = facts_of(patient)
    seen = exposure(used, catalogue) | failed_exposure(patient, catalogue)
    rules = [r for r in load_line_rules() if not _declined(r, patient, catalogue)]
    chosen: list[LineRule] = []
    while len(chosen) < MAX_LINES:
        rule = next((r for r in rules if r not in chosen and r.fits(facts, seen)), None)
        if rule is None:
            break
        chosen.append(rule)
        seen |= exposure(rule.regimens, catalogue)
    return chosen


def next_lines(
    patient: Patient, used: Iterable[str] = (), catalogue: Catalogue | None = None
) -> list[list[str]]:
    """Regimens of each line after progression, best first; see `next_line_rules`."""
    return [list(rule.regimens) for rule in next_line_rules(patient, used, catalogue)]


def exposure(names: Iterable[str], catalogue: Catalogue) -> set[str]:
    """Effect classes, drugs and regimens behind names of any of these, of strategies, or expressions."""
    found: set[str] = set()
    for text in names:
        found.add(str(text))
        for word in re.findall(r"[A-Za-z][A-Za-z0-9_\-]*", str(text)):
            found |= _exposure_of(plain_name(word), catalogue)
    return found


def _exposure_of(name: str, catalogue: Catalogue) -> set[str]:
    if name in catalogue.regimens:
        drugs = [d.drug for d in catalogue.regimens[name].drugs]
        return {name, *drugs, *(c.value for c in catalogue.effects_of(name))}
    if name in catalogue.strategies:
        parts = [r for step in catalogue.strategies[name].steps for r in step.regimens]
        return set().union(*(_exposure_of(part, catalogue) for part in parts))
    if name in catalogue.drugs:
        return {name, catalogue.drugs[name].effect.value}
    return set()


def failed_exposure(patient: Patient, catalogue: Catalogue) -> set[str]:
    """What prior treatments used and failed: any line for metastatic disease, and adjuvant or neoadjuvant
    treatment with progression as response or that ended less than six months before assessment."""
    failed = [t.name for t in patient.prior_treatments if _failed(t, patient)]
    return exposure(failed, catalogue)


def _failed(treatment: PriorTreatment, patient: Patient) -> bool:
    if treatment.response == Response.PD:
        return True
    if treatment.setting in ("adjuvant", "neoadjuvant"):
        return (
            treatment.end is not None and 0 <= (patient.assessed_on - treatment.end).days < FAILED_WITHIN_DAYS
        )
    return True


def history_facts(patient: Patient, catalogue: Catalogue) -> dict[str, Value]:
    """Facts of a patient with what has failed added."""
    failed = failed_exposure(patient, catalogue)
    return {
        **facts_of(patient),
        "failed_oxaliplatin": EffectClass.OX.value in failed,
        "failed_irinotecan": EffectClass.IRI.value in failed,
        "failed_checkpoint": EffectClass.CHECKPOINT.value in failed,
    }


def _declined(rule: LineRule, patient: Patient, catalogue: Catalogue) -> bool:
    kinds = {catalogue.regimens[name].kind for name in rule.regimens}
    return patient.preferences.declines_chemotherapy and "cytotoxic" in kinds
