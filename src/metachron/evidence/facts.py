"""The fact table: published figures, one row each, with source and whether it was read or recalled."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from metachron.errors import InputError, Problem

TABLE = Path(__file__).parent / "facts.csv"


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of `facts.csv`; texts as printed, because many cells hold several figures ('60 / 44')."""

    id: str
    topic: str
    population: str
    quantity: str
    arm: str
    value: str
    unit: str
    ci_low: str
    ci_high: str
    n: str
    timepoint: str
    source: str
    pmid_or_doi: str
    verified: str
    note: str

    @property
    def values(self) -> list[float]:
        """Figures of the value cell, in order. Raises ValueError when the cell is not made of numbers."""
        return [float(part) for part in self.value.replace(" vs ", "/").replace(";", "/").split("/")]


@cache
def load_facts(table: Path = TABLE) -> dict[str, Fact]:
    """All facts by id. Raises InputError when an id occurs twice."""
    facts: dict[str, Fact] = {}
    with table.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["id"] in facts:
                raise InputError(Problem(row["id"], "occurs twice"), source=table.name)
            facts[row["id"]] = Fact(**row)
    return facts
