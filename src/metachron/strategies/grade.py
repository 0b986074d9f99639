"""How good is the evidence for a strategy in the patient's situation? A table decides, first row first."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import Field, ValidationError

from metachron.errors import InputError, Problem
from metachron.patient import derive
from metachron.patient.schema import Patient
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.eligibility import Eligibility, Strict, judge
from metachron.strategies.logic import Condition, parse, unique
from metachron.strategies.predicates import FACTS, CatalogueLike, View, look
from metachron.strategies.schema import Evidence, Strategy

TABLE = Path(__file__).parent / "rules" / "evidence_grade.yaml"

Situation = Literal[
    "stage I-II after surgery",
    "stage III after surgery",
    "after surgery, stage not known",
    "after liver surgery",
    "resectable metastases",
    "unresectable metastases",
    "metastases, resectability not judged",
    "findings not known",
]
SITUATIONS: tuple[str, ...] = get_args(Situation)


class TrialOfDeath(Strict):
    """Hazard ratio of death of what the row describes against the usual way of giving it."""

    name: str
    hazard_ratio: float = Field(gt=0)
    low: float = Field(gt=0)
    high: float = Field(gt=0)
    level: float = Field(0.95, gt=0, lt=1, description="Of the interval.")
    status: Literal["read", "derived", "recalled"]
    citation: str

    @property
    def words(self) -> str:
        """`COIN: hazard ratio of death 1.08 (80 % interval 1.01 to 1.17; recalled)`."""
        checked = "; recalled" if self.status == "recalled" else ""
        return (
            f"{self.name}: hazard ratio of death {self.hazard_ratio:.2f}"
            f" ({100 * self.level:.0f} % interval {self.low:.2f} to {self.high:.2f}{checked})"
        )


class Row(Strict):
    """One row of the table. `trials`: randomised comparisons of survival, where they are registered."""

    name: str
    when: Condition
    grade: Evidence
    text: str
    citations: list[str]
    trials: list[TrialOfDeath] = Field(default_factory=list)


@dataclass(frozen=True)
class Grade:
    """Grade of a strategy, the row that gave it, and why. `needs`: fields that could change it."""

    grade: Evidence
    row: str
    text: str
    citations: list[str] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)
    trials: list[TrialOfDeath] = field(default_factory=list)

    @property
    def no_gain(self) -> bool:
        """Did none of its registered trials see a lower hazard of death? False without any."""
        return bool(self.trials) and all(t.hazard_ratio >= 1.0 for t in self.trials)


@cache
def load_grades(table: Path = TABLE) -> tuple[Row, ...]:
    """Rows of the table, in order. Raises InputError naming the row that is wrong."""
    return tuple(_row(r) for r in yaml.load(table.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))


def _row(record: dict[str, Any]) -> Row:
    where = f"evidence_grade.yaml: {record.get('name', '?')}"
    try:
        return Row.model_validate({**record, "when": parse(record.get("when"), FACTS, where)})
    except ValidationError as error:
        raise InputError(Problem(where, error.errors()[0]["msg"])) from error


def situation_of(patient: Patient) -> Situation:
    """Where the patient stands: what has been removed, what is in place, whether it can be removed."""
    nothing = derive.nothing_visible(patient)
    if nothing is None:
        return "findings not known"
    if nothing:
        if any(m.treated for m in patient.metastases) or _had_liver_procedure(patient):
            return "after liver surgery"
        positive = derive.node_positive(patient)
        if positive is None:
            return "after surgery, stage not known"
        return "stage III after surgery" if positive else "stage I-II after surgery"
    resectable = patient.liver.all_lesions_resectable
    if resectable is None:
        return "metastases, resectability not judged"
    return "resectable metastases" if resectable else "unresectable metastases"


def _had_liver_procedure(patient: Patient) -> bool:
    procedures = load_catalogue().procedures
    names = [part for t in patient.prior_treatments for part in t.name.replace("+", " ").split()]
    return any(name in procedures for name in names)


def evidence_grade(
    strategy: Strategy,
    patient: Patient,
    situation: str | None = None,
    catalogue: CatalogueLike | None = None,
    eligibility: Eligibility | None = None,
) -> Grade:
    """The first row that is true; a standard becomes an option when a caution of the rules downgrades it.

    Main arguments: the strategy and the patient. Others: `situation` (one of SITUATIONS, from the patient
    when None), `catalogue` and `eligibility` (worked out when None).
    """
    if situation is not None and situation not in SITUATIONS:
        raise InputError(Problem("situation", f"{situation!r} is not known", ", ".join(SITUATIONS)))
    chosen: CatalogueLike = catalogue or load_catalogue()
    view = View(patient, chosen, strategy, situation=situation or situation_of(patient))
    needs: list[str] = []
    for row in load_grades():
        verdict = row.when.evaluate(lambda name: look(view, name))
        if verdict.truth:
            found = Grade(row.grade, row.name, row.text, row.citations, list(unique(needs)), row.trials)
            return _downgraded(found, eligibility or judge(patient, strategy, chosen))
        needs.extend(verdict.needs if verdict.truth is None else ())
    text = "No evidence for this combination in this situation is recorded."
    return Grade(Evidence.NOT_SUPPORTED, "none", text, needs=list(unique(needs)))


def _downgraded(grade: Grade, eligibility: Eligibility) -> Grade:
    reasons = [r for r in eligibility.reasons if r.rule in eligibility.downgraded]
    if grade.grade != Evidence.STANDARD or not reasons:
        return grade
    text = f"{grade.text} An option here: {reasons[0].text.removeprefix('Caution. ')}"
    citations = [*grade.citations, *(c for r in reasons for c in r.citations)]
    return Grade(Evidence.OPTION, grade.row, text, list(unique(citations)), grade.needs, grade.trials)
