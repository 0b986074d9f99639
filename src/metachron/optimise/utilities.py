"""Utilities of quality-adjusted time and durations of side effects (`utilities.yaml`), with their sources."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import ValidationError

from metachron.errors import InputError, Problem
from metachron.evidence.quantity import Quantity
from metachron.evidence.references import load_references
from metachron.model.toxicity import KINDS
from metachron.strategies.base import Entry
from metachron.strategies.catalogue import read_yaml

FILE = Path(__file__).parent / "utilities.yaml"
STATES = ("free", "on_treatment", "visible", "after_progression")
OTHER = "every other"


class Episode(Entry):
    """A severe side effect: utility lost while it lasts, and days it lasts."""

    loss: Quantity
    days: Quantity


class Utilities(Entry):
    """All utilities. `states`: STATES; `toxicity` and `hospital_days` by kind."""

    states: dict[str, Quantity]
    toxicity: dict[str, Episode]
    recovery_loss: Quantity
    hospital_days: dict[str, Quantity]

    def episode(self, kind: str) -> Episode:
        """The episode of one kind of toxicity."""
        return self.toxicity.get(kind, self.toxicity[OTHER])

    def quantities(self) -> list[Quantity]:
        """Every figure."""
        parts = [q for e in self.toxicity.values() for q in (e.loss, e.days)]
        return [*self.states.values(), *parts, self.recovery_loss, *self.hospital_days.values()]

    def citations(self) -> list[str]:
        """Keys of the sources, without repeats."""
        return sorted({q.source for q in self.quantities() if q.source != "assumption"})


@cache
def load_utilities() -> Utilities:
    """The utilities. Raises InputError when the file names what does not exist."""
    try:
        found = Utilities.model_validate(read_yaml(FILE))
    except ValidationError as error:
        raise InputError(Problem("utilities.yaml", str(error))) from None
    unknown = [k for k in found.toxicity if k not in (*KINDS, OTHER)]
    unknown += [k for k in found.citations() if k not in load_references()]
    unknown += [s for s in STATES if s not in found.states]
    if unknown:
        raise InputError([Problem(k, "is unknown") for k in unknown], source="utilities.yaml")
    return found
