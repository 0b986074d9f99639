"""What follows when the steps have come to their end: the strategy's own word, else the catalogue's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from metachron.evidence.quantity import Quantity
from metachron.patient.schema import Patient
from metachron.strategies.catalogue import FOLDER, Catalogue, load_catalogue, read_yaml
from metachron.strategies.lines import next_lines
from metachron.strategies.schema import Entry, RepeatLocal, Strategy

OnRecurrence = Literal["local then systemic", "systemic", "none"]


class Defaults(Entry):
    """The catalogue's word (`catalogue/after.yaml`)."""

    on_recurrence: OnRecurrence
    repeat_procedure: str
    repeat_procedure_without_surgery: str
    secondary_procedure: str
    secondary_max_mm: Quantity
    secondary_max_lesions: Quantity
    most: Quantity
    max_mm: Quantity
    max_lesions: Quantity
    wait_days: Quantity
    line_wait_days: Quantity


@dataclass(frozen=True)
class Following:
    """What follows for one patient; days, mm."""

    lines: list[list[str]]
    line_wait_days: int
    on_recurrence: OnRecurrence
    procedure: str
    secondary: str | None
    secondary_max_mm: int
    secondary_max_lesions: int
    most: int
    max_mm: int
    max_lesions: int
    wait_days: int


@cache
def load_defaults() -> Defaults:
    """The defaults, read once."""
    return Defaults.model_validate(read_yaml(FOLDER / "catalogue" / "after.yaml"))


def following(strategy: Strategy, patient: Patient, catalogue: Catalogue | None = None) -> Following:
    """Later lines, and what happens on recurrence. Lines declared by the strategy are not asked whether they
    suit the patient; those of the catalogue are."""
    catalogue, usual, own = catalogue or load_catalogue(), load_defaults(), strategy.after
    repeat = own.repeat_local or RepeatLocal()
    knife = not patient.preferences.declines_surgery and patient.fit_for_major_surgery is not False
    procedure = usual.repeat_procedure if knife else usual.repeat_procedure_without_surgery
    used = [name for step in strategy.steps for name in step.regimens]
    lines = own.lines if own.lines is not None else next_lines(patient, used, catalogue)

    def either(declared: int | None, default: Quantity) -> int:
        return round(default.value) if declared is None else declared

    return Following(
        lines=lines,
        line_wait_days=either(own.line_wait_days, usual.line_wait_days),
        on_recurrence=own.on_recurrence or usual.on_recurrence,
        procedure=repeat.procedure or procedure,
        secondary=usual.secondary_procedure if own.secondary_resection else None,
        secondary_max_mm=round(usual.secondary_max_mm.value),
        secondary_max_lesions=round(usual.secondary_max_lesions.value),
        most=either(repeat.most, usual.most),
        max_mm=either(repeat.max_mm, usual.max_mm),
        max_lesions=either(repeat.max_lesions, usual.max_lesions),
        wait_days=either(repeat.wait_days, usual.wait_days),
    )
