"""The space of a search: candidates made from templates, from the catalogue, or both."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from metachron.errors import InputError, Problem
from metachron.evidence.references import load_references
from metachron.optimise.evaluate import strategy_key
from metachron.optimise.expression import expression_of
from metachron.optimise.results import Value
from metachron.optimise.template import Template, parse_template
from metachron.patient.schema import Patient
from metachron.strategies.base import Entry
from metachron.strategies.candidates import Situation, candidates, situation
from metachron.strategies.catalogue import Catalogue, load_catalogue, plain_name, read_yaml
from metachron.strategies.language import resolve
from metachron.strategies.scans import SURVEILLANCE, with_schedule
from metachron.strategies.schema import Strategy

FILE = Path(__file__).parent / "spaces.yaml"
MOST_CANDIDATES = 5000


class NamedSpace(Entry):
    """One default template with its name and sources."""

    name: str
    title: str
    template: str
    citations: list[str]


@dataclass(frozen=True)
class Candidate:
    """One strategy of the space. `template`: number of the one it comes from, -1 for the catalogue."""

    id: str
    strategy: Strategy
    values: dict[str, Value] = field(default_factory=dict)
    template: int = -1

    @property
    def expression(self) -> str:
        """As `metachron plan --strategy` takes it, to simulate the same lives."""
        return expression_of(self.strategy, load_catalogue())

    @property
    def key(self) -> str:
        """Digest of what is simulated."""
        return strategy_key(self.strategy)


@dataclass(frozen=True)
class Space:
    """Templates and the candidates they make."""

    templates: tuple[Template, ...]
    candidates: tuple[Candidate, ...]


@cache
def load_spaces() -> MappingProxyType[Situation, tuple[NamedSpace, ...]]:
    """The default spaces. Raises InputError when one cannot be read."""
    content = read_yaml(FILE)
    catalogue, references = load_catalogue(), load_references()
    try:
        found = {s: tuple(NamedSpace.model_validate(r) for r in content[s.name.lower()]) for s in Situation}
    except (ValidationError, KeyError) as error:
        raise InputError(Problem("spaces.yaml", str(error))) from None
    for spaces in found.values():
        for space in spaces:
            parse_template(space.template, catalogue)
            unknown = [k for k in space.citations if k not in references]
            if unknown:
                raise InputError(Problem(space.name, f"{unknown[0]!r} is no reference"), source="spaces.yaml")
    return MappingProxyType(found)


def default_templates(patient: Patient, catalogue: Catalogue) -> list[Template]:
    """The templates of the patient's situation."""
    spaces = load_spaces()[situation(patient, catalogue)]
    return [parse_template(s.template, catalogue, s.title, tuple(s.citations)) for s in spaces]


def asked_templates(texts: Sequence[str], patient: Patient, catalogue: Catalogue) -> list[Template]:
    """Templates asked for: a text with braces, a strategy, or the name of a default space.

    Raises InputError with the nearest name.
    """
    named = {s.name: s for s in load_spaces()[situation(patient, catalogue)]}
    elsewhere = {s.name: s for spaces in load_spaces().values() for s in spaces}
    found = []
    for text in texts:
        space = named.get(plain_name(text)) or elsewhere.get(plain_name(text))
        if space is not None and plain_name(text) not in catalogue.strategies:
            found.append(parse_template(space.template, catalogue, space.title, tuple(space.citations)))
        else:
            _refuse_typo(text, list(elsewhere), catalogue)
            found.append(parse_template(text, catalogue))
    return found


def _refuse_typo(text: str, spaces: list[str], catalogue: Catalogue) -> None:
    plain = plain_name(text)
    if not plain.isidentifier() or plain == "observation":
        return
    known = [*catalogue.strategies, *catalogue.names(), *spaces]
    if plain in known:
        return
    near = difflib.get_close_matches(plain, known, n=1)
    hint = f"Did you mean {near[0]}?" if near else "`metachron strategies` lists all names."
    message = f"{text!r} is no strategy, no template and no named space"
    raise InputError(Problem("--strategy", message, suggestion=hint))


def make_space(
    templates: Sequence[Template], catalogue: Catalogue, *, usual: Iterable[Strategy] = ()
) -> Space:
    """The candidates of templates, after the `usual` ones; what says the same twice is taken once.

    Raises InputError when there is none, or more than 5,000.
    """
    total = sum(t.size for t in templates)
    if total > MOST_CANDIDATES:
        hint = "Narrow the ranges, widen the steps, or search in two rounds."
        raise InputError(
            Problem("--strategy", f"{total:,} candidates are too many", f"{MOST_CANDIDATES:,}", hint)
        )
    found: dict[str, Candidate] = {}

    def add(strategy: Strategy, values: dict[str, Value], template: int) -> None:
        key = strategy_key(strategy)
        known = found.get(key)
        if known is None:
            found[key] = Candidate(f"c{len(found) + 1}", strategy, values, template)
        elif known.template < 0 <= template:
            # a usual strategy that a template makes too keeps its name
            found[key] = Candidate(known.id, known.strategy, values, template)

    for strategy in usual:
        add(strategy, {}, -1)
    for number, template in enumerate(templates):
        for values in template.combinations():
            add(build(template, values, catalogue), values, number)
    if not found:
        message = "the search space is empty"
        raise InputError(Problem("--strategy", message, "", "Give a template with at least one value."))
    return Space(tuple(templates), tuple(found.values()))


def build(template: Template, values: dict[str, Value], catalogue: Catalogue) -> Strategy:
    """The strategy of one combination of values. Raises InputError naming the combination."""
    expression, schedule = template.fill(values)
    try:
        strategy = resolve(expression, catalogue)
    except InputError as error:
        shown = ", ".join(f"{k} = {_shown(v)}" for k, v in values.items())
        raise InputError(
            error.problems, source=f"{error.source} ({shown})" if shown else error.source
        ) from None
    made = with_schedule(strategy, schedule, catalogue)
    if any(v.name == SURVEILLANCE for v in template.variables):
        return made
    return made.model_copy(update={"title": strategy.title})  # all of the template are scanned alike


def _shown(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) else repr(value)


def default_space(patient: Patient, catalogue: Catalogue) -> Space:
    """The space of the patient's situation: its usual strategies and the default templates."""
    usual = candidates(patient, catalogue)
    return make_space(default_templates(patient, catalogue), catalogue, usual=usual)
