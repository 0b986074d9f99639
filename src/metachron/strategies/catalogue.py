"""The catalogue: every drug, regimen, procedure, cell product, surveillance schedule and named strategy.

It is read from `catalogue/*.yaml` and `rules/dose_modification.yaml` once, and checked as a whole: every name
that an entry uses exists, every citation key is in the bibliography, every figure has a source.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from metachron.errors import InputError, Problem
from metachron.evidence.quantity import Quantity
from metachron.evidence.references import load_references
from metachron.strategies.schema import (
    CellProduct,
    Drug,
    DrugDose,
    EffectClass,
    Entry,
    Procedure,
    Regimen,
    Rule,
    RuleSet,
    Strategy,
    Surveillance,
)

FOLDER = Path(__file__).parent
Kind = Literal["strategies", "regimens", "procedures", "cells", "surveillance", "drugs"]
KINDS: tuple[Kind, ...] = ("strategies", "regimens", "procedures", "cells", "surveillance", "drugs")

E = TypeVar("E", bound=Entry)


@dataclass(frozen=True)
class Catalogue:
    """Everything that may be given, by name. The mappings cannot be changed."""

    drugs: Mapping[str, Drug]
    regimens: Mapping[str, Regimen]
    procedures: Mapping[str, Procedure]
    cells: Mapping[str, CellProduct]
    surveillance: Mapping[str, Surveillance]
    strategies: Mapping[str, Strategy]
    rule_sets: Mapping[str, RuleSet]
    aliases: Mapping[str, str]

    def rules_of(self, strategy: Strategy) -> tuple[Rule, ...]:
        """The rules of a strategy: its sets in order, then its own."""
        sets = [rule for name in strategy.rule_sets for rule in self.rule_sets[name].rules]
        return (*sets, *strategy.rules)

    def names(self, kind: Kind | None = None) -> list[str]:
        """All names of one kind (or of all kinds), sorted."""
        kinds = KINDS if kind is None else (kind,)
        return sorted({name for k in kinds for name in self.of_kind(k)})

    def of_kind(self, kind: Kind) -> Mapping[str, Any]:
        """The entries of one kind, by name."""
        found: Mapping[str, Any] = getattr(self, kind)
        return found

    def get(self, name: str, kind: Kind | None = None) -> Entry:
        """One entry; without `kind`, strategies are looked up before regimens, procedures, cells,
        schedules and drugs. Raises InputError with the nearest name."""
        for k in KINDS if kind is None else (kind,):
            entry = self.of_kind(k).get(plain_name(name))
            if entry is not None:
                return entry  # type: ignore[no-any-return]
        what = {"cells": "cell product"}.get(kind or "", (kind or "name").rstrip("s"))
        raise InputError(self.unknown(name, what, names=self.names(kind)))

    def unknown(
        self, name: str, what: str = "name", names: list[str] | None = None, path: str = ""
    ) -> Problem:
        """The problem of a name that does not exist, with a suggestion where one is near."""
        known = names if names is not None else self.names()
        guess = self.suggest(name, known)
        hint = f"Did you mean {guess}?" if guess else "`metachron strategies` lists all names."
        return Problem(path, f"{name!r} is not a {what} of the catalogue", suggestion=hint)

    def suggest(self, name: str, names: list[str]) -> str | None:
        """The nearest of `names`, by other names in use first, by spelling then."""
        plain = plain_name(name)
        alias = self.aliases.get(plain)
        if alias in names:
            return alias
        return next(iter(difflib.get_close_matches(plain, names, n=1, cutoff=0.6)), None)

    def drugs_of(self, regimen: str, cycle_days: int | None = None) -> list[DrugDose]:
        """Doses of a regimen in a cycle of `cycle_days` (its own when None).
        Raises InputError when it has no doses for that cycle length."""
        entry = self.regimens[regimen]
        if cycle_days is None or cycle_days == entry.cycle_days:
            return entry.drugs
        if cycle_days not in entry.other_cycles:
            lengths = sorted({entry.cycle_days, *entry.other_cycles})
            raise InputError(
                Problem(
                    regimen,
                    f"has no doses for a cycle of {cycle_days} days",
                    allowed=" or ".join(str(n) for n in lengths) + " days",
                )
            )
        return entry.other_cycles[cycle_days]

    def effects_of(self, regimen: str) -> set[EffectClass]:
        """Effect classes of a regimen, modulators left out."""
        return {self.drugs[d.drug].effect for d in self.regimens[regimen].drugs} - {EffectClass.NONE}


def plain_name(text: str) -> str:
    """The form in which names are compared: lower case, underscores for hyphens and spaces."""
    return text.strip().lower().replace("-", "_").replace(" ", "_")


def read_yaml(path: Path) -> Any:
    """One YAML file of the package (the C reader is eight times faster)."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


@cache
def load_catalogue(folder: Path = FOLDER) -> Catalogue:
    """The catalogue, read and checked once. `folder` holds `catalogue/` and `rules/`.
    Raises InputError naming the file and entry of every fault."""
    from metachron.strategies.files import strategy_from_record

    data = folder / "catalogue"
    sets = read_yaml(folder / "rules" / "dose_modification.yaml")
    parts: dict[str, Any] = {
        "drugs": _entries(data / "drugs.yaml", Drug),
        "regimens": _entries(data / "regimens.yaml", Regimen),
        "procedures": _entries(data / "procedures.yaml", Procedure),
        "cells": _entries(data / "cells.yaml", CellProduct),
        "surveillance": _entries(data / "surveillance.yaml", Surveillance),
        "rule_sets": MappingProxyType(
            {name: RuleSet.model_validate({"name": name, **record}) for name, record in sets.items()}
        ),
        "aliases": MappingProxyType(read_yaml(data / "aliases.yaml")),
    }
    without = Catalogue(**parts, strategies=MappingProxyType({}))
    _check(without)
    strategies = _entries(
        data / "strategies.yaml", Strategy, lambda record: strategy_from_record(record, without)
    )
    full = Catalogue(**parts, strategies=strategies)
    _check_citations(full)
    return full


def _entries(path: Path, model: type[E], make: Callable[[Any], E] | None = None) -> Mapping[str, E]:
    found: dict[str, E] = {}
    problems: list[Problem] = []
    for record in read_yaml(path):
        name = str(record.get("name", "?"))
        try:
            entry = make(record) if make else model.model_validate(record)
        except ValidationError as error:
            problems += [Problem(f"{name}.{'.'.join(map(str, e['loc']))}", e["msg"]) for e in error.errors()]
            continue
        except InputError as error:
            problems += [
                Problem(f"{name}: {p.path}", p.message, p.allowed, p.suggestion) for p in error.problems
            ]
            continue
        if name in found:
            problems.append(Problem(name, "is defined twice"))
        found[name] = entry
    if problems:
        raise InputError(problems, source=path.name)
    return MappingProxyType(found)


def _check(catalogue: Catalogue) -> None:
    problems: list[Problem] = []
    for regimen in catalogue.regimens.values():
        for days, doses in [(regimen.cycle_days, regimen.drugs), *regimen.other_cycles.items()]:
            problems += [p for dose in doses for p in _dose_problems(catalogue, regimen, days, dose)]
    for name, entry in _all_entries(catalogue):
        problems += [Problem(name, f"toxicity {r} is not a fraction") for r in _wrong_rates(entry)]
    if problems:
        raise InputError(problems, source="catalogue")


def _dose_problems(catalogue: Catalogue, regimen: Regimen, days: int, dose: DrugDose) -> Iterator[Problem]:
    where = f"{regimen.name}.{dose.drug}"
    if dose.drug not in catalogue.drugs:
        yield catalogue.unknown(dose.drug, "drug", catalogue.names("drugs"), where)
    if not dose.source:
        yield Problem(where, "the dose has no source")
    if min(dose.days) < 1 or max(dose.days) > days:
        yield Problem(where, f"days must lie within the cycle of {days} days")


def _wrong_rates(entry: Entry) -> list[str]:
    rates = getattr(entry, "toxicity", [])
    return [r.kind for r in rates if r.grade3plus.unit != "1" or not 0 <= r.grade3plus.value <= 1]


def _all_entries(catalogue: Catalogue) -> Iterator[tuple[str, Entry]]:
    for kind in KINDS:
        yield from catalogue.of_kind(kind).items()
    for name, rule_set in catalogue.rule_sets.items():
        yield from ((f"{name}.{rule.name}", rule) for rule in rule_set.rules)


def _check_citations(catalogue: Catalogue) -> None:
    known = load_references()
    problems = [
        Problem(name, f"cites {key}, which is not in the bibliography")
        for name, entry in _all_entries(catalogue)
        for key in sorted(citations_of(entry))
        if key not in known
    ]
    problems += [Problem(n, "cites nothing") for n, e in _all_entries(catalogue) if not citations_of(e)]
    if problems:
        raise InputError(problems, source="catalogue")


def quantities_of(entry: BaseModel, path: str = "") -> Iterator[tuple[str, Quantity]]:
    """Every Quantity inside an entry with its path."""
    for field in type(entry).model_fields:
        value = getattr(entry, field)
        where = f"{path}.{field}" if path else field
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, Quantity):
                yield where, item
            elif isinstance(item, BaseModel):
                yield from quantities_of(item, where)


def citations_of(entry: Entry) -> set[str]:
    """All citation keys of an entry: its own, and those of its doses and figures."""
    keys = set(getattr(entry, "citations", []))
    keys |= {q.source for _, q in quantities_of(entry)}
    if isinstance(entry, Regimen):
        doses = [*entry.drugs, *(d for other in entry.other_cycles.values() for d in other)]
        keys |= {d.source for d in doses}
    return keys - {"assumption", ""}
