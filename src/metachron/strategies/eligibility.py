"""May this patient have this strategy? Rules are data (`rules/eligibility/*.yaml`); this is their engine.

Every rule is judged with three truth values. A refusal that applies makes the strategy ineligible; one that
cannot be decided makes it unknown and names the fields to fill in. Reasons include why a rule is passed.
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from metachron.errors import InputError, Problem
from metachron.patient.schema import Patient
from metachron.strategies import course, reactions
from metachron.strategies.logic import Condition, Verdict, parse, unique
from metachron.strategies.predicates import FACTS, CatalogueLike, View, look, regimen_effects
from metachron.strategies.schema import EffectClass, Starts, Strategy

FOLDER = Path(__file__).parent / "rules" / "eligibility"
Eligible = Literal["yes", "no", "unknown"]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Reason(Strict):
    """Why a strategy is or is not eligible, or what must be known first (fields as in the plan document)."""

    rule: str
    verdict: Literal["eligible", "not eligible", "needs information"]
    text: str
    needs: list[str] = Field(default_factory=list)
    citations: list[str] = Field(default_factory=list)
    date: str = ""


class Selector(Strict):
    """Items a rule applies to; it applies when any of the lists names the item."""

    procedures: list[str] = []
    procedure_kinds: list[str] = []
    energies: list[str] = []
    regimens: list[str] = []
    regimen_kinds: list[str] = []
    drugs: list[str] = []
    effects: list[EffectClass] = []
    cells: list[str] = []
    any_cells: bool = False
    intents: list[str] = []


class Rule(Strict):
    """One rule. `given` says for whom it is meant; `when` is what refuses or cautions."""

    name: str
    applies_to: Selector
    given: Condition | None = None
    when: Condition
    effect: Literal["refuse", "caution"]
    missing: Literal["indication", "safety"] = Field(
        "indication",
        description="What an unknown fact leaves open: the indication, or a check before starting.",
    )
    downgrade: bool = Field(False, description="A standard becomes an option when the caution applies.")
    quiet: bool = Field(False, description="Silent when unknown, because another rule asks the same.")
    dose: dict[EffectClass, float] = {}
    text: str
    otherwise: str = ""
    ask: str = ""
    citations: list[str] = Field(min_length=1)
    date: str = Field(pattern=r"^\d{4}$")


@dataclass(frozen=True)
class Eligibility:
    """The verdict on one strategy.

    `dose_factors`: starting dose by effect class where a rule lowers it (fractions of the full dose;
    independent causes multiply, an assumption). `pending`: whether what is missing decides the indication,
    or is only a safety check before starting. `cautions`: rules that lower the grade of evidence.
    """

    eligible: Eligible
    reasons: list[Reason]
    dose_factors: dict[EffectClass, float] = field(default_factory=dict)
    needs: list[str] = field(default_factory=list)
    pending: Literal["", "safety", "indication"] = ""
    downgraded: list[str] = field(default_factory=list)


@cache
def load_rules(folder: Path = FOLDER) -> tuple[Rule, ...]:
    """All rules, in file order. Raises InputError naming file, rule and word that is wrong."""
    rules: list[Rule] = []
    for path in sorted(folder.glob("*.yaml")):
        records = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        rules.extend(_rule(record, path.name) for record in records)
    names = [rule.name for rule in rules]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(Problem(", ".join(twice), "rule defined twice"), source="rules")
    return tuple(rules)


def _rule(record: dict[str, Any], source: str) -> Rule:
    where = f"{source}: {record.get('name', '?')}"
    conditions = {w: parse(record[w], FACTS, f"{where}.{w}") for w in ("given", "when") if w in record}
    try:
        return Rule.model_validate({**record, **conditions})
    except ValidationError as error:
        fault = error.errors()[0]
        raise InputError(Problem(f"{where}.{'.'.join(map(str, fault['loc']))}", fault["msg"])) from error


@dataclass(frozen=True)
class Item:
    """One thing given at one place of a strategy, as selectors see it."""

    view: View
    procedure: str = ""
    procedure_kind: str = ""
    energy: str = ""
    regimen: str = ""
    regimen_kind: str = ""
    drugs: frozenset[str] = frozenset()
    effects: frozenset[EffectClass] = frozenset()
    cells: str = ""
    intent: str = ""

    def matches(self, chosen: Selector) -> bool:
        return (
            self.procedure in chosen.procedures
            or self.procedure_kind in chosen.procedure_kinds
            or self.energy in chosen.energies
            or self.regimen in chosen.regimens
            or self.regimen_kind in chosen.regimen_kinds
            or self.cells in chosen.cells
            or self.intent in chosen.intents
            or bool(self.drugs & set(chosen.drugs) or self.effects & set(chosen.effects))
            or (chosen.any_cells and bool(self.cells))
        )


def items(view: View) -> Iterator[Item]:
    """The strategy itself, then everything given in each of its steps."""
    yield Item(view, intent=view.strategy.intent.value)
    for index, step in enumerate(view.strategy.steps):
        here = View(view.patient, view.catalogue, view.strategy, index, situation=view.situation)
        for name in step.procedures:
            procedure = view.catalogue.procedures[name]
            yield Item(here, procedure=name, procedure_kind=procedure.kind, energy=procedure.energy or "")
        regimens = unique(
            [*step.regimens, *([course.LYMPHODEPLETION] if course.depletes(here, step) else [])]
        )
        for name in regimens:
            yield _regimen_item(here, name)
        if step.cells:
            yield Item(here, cells=step.cells)


def _regimen_item(view: View, name: str) -> Item:
    regimen = view.catalogue.regimens[name]
    if name == course.LYMPHODEPLETION:
        return Item(view, regimen=name, regimen_kind="conditioning")
    drugs = frozenset(dose.drug for dose in regimen.drugs)
    effects = frozenset(regimen_effects(view, name))
    return Item(view, regimen=name, regimen_kind=regimen.kind, drugs=drugs, effects=effects)


def judge(patient: Patient, strategy: Strategy, catalogue: CatalogueLike) -> Eligibility:
    """Judge every item of every step against every rule that names it.

    Reasons come refusals first, then what must be known, then why the strategy is allowed.
    """
    findings: dict[tuple[str, str], _Finding] = {}
    for item in items(View(patient, catalogue, strategy)):
        for rule in load_rules():
            if item.matches(rule.applies_to) and not _too_early(rule, item):
                found = _apply(rule, item.view)
                if found:
                    findings.setdefault((rule.name, found.reason.text), found)
    return _conclude(list(findings.values()), strategy)


def _too_early(rule: Rule, item: Item) -> bool:
    """Does the rule ask about today, where the step waits for progression or recurrence?"""
    waits = not item.intent and item.view.step.starts is not Starts.PLANNED
    return waits and reactions.reads_today(rule.given, rule.when)


@dataclass(frozen=True)
class _Finding:
    rule: Rule
    reason: Reason
    fired: bool


def _apply(rule: Rule, view: View) -> _Finding | None:
    """The rule at one place; None when it has nothing to say there."""

    def ask(name: str) -> Any:
        return look(view, name)

    given = rule.given.evaluate(ask) if rule.given else Verdict(True)
    if given.truth is False:
        return None
    when = rule.when.evaluate(ask)
    if when.truth is False:
        return _finding(rule, view, "eligible", rule.otherwise) if given.truth and rule.otherwise else None
    if given.truth and when.truth:
        verdict = "not eligible" if rule.effect == "refuse" else "eligible"
        return _finding(rule, view, verdict, rule.text, fired=True)
    if rule.quiet or (rule.effect == "caution" and not rule.dose):
        return None
    needs = unique([*given.needs, *when.needs])
    return _finding(rule, view, "needs information", rule.ask or _ask(needs), needs)


def _finding(
    rule: Rule, view: View, verdict: Any, text: str, needs: tuple[str, ...] = (), fired: bool = False
) -> _Finding:
    caution = "Caution. " if fired and rule.effect == "caution" else ""
    reason = Reason(
        rule=rule.name,
        verdict=verdict,
        text=caution + fill(text, view),
        needs=list(needs),
        citations=rule.citations,
        date=rule.date,
    )
    return _Finding(rule, reason, fired)


def _ask(needs: tuple[str, ...]) -> str:
    return f"Not known: {', '.join(needs)}."


def _conclude(findings: list[_Finding], strategy: Strategy) -> Eligibility:
    refused = [f for f in findings if f.reason.verdict == "not eligible"]
    unknown = [f for f in findings if f.reason.verdict == "needs information"]
    blocking = [f for f in unknown if f.rule.effect == "refuse"]
    allowed = [f for f in findings if f.reason.verdict == "eligible"]
    eligible: Eligible = "no" if refused else "unknown" if blocking else "yes"
    pending: Literal["", "safety", "indication"] = ""
    if eligible == "unknown":
        pending = "indication" if any(f.rule.missing == "indication" for f in blocking) else "safety"
    reasons = [f.reason for f in [*refused, *unknown, *allowed]]
    if not reasons:
        text = "No rule speaks against it."
        reasons = [Reason(rule="none", verdict="eligible", text=text, citations=list(strategy.citations))]
    return Eligibility(
        eligible,
        reasons,
        _dose_factors(findings),
        list(unique(path for f in unknown for path in f.reason.needs)),
        pending,
        [f.rule.name for f in findings if f.fired and f.rule.downgrade],
    )


def _dose_factors(findings: list[_Finding]) -> dict[EffectClass, float]:
    factors: dict[EffectClass, float] = {}
    for rule in {f.rule.name: f.rule for f in findings if f.fired}.values():
        for effect, factor in rule.dose.items():
            factors[effect] = round(factors.get(effect, 1.0) * factor, 4)
    return factors


class _Filler(string.Formatter):
    """Fills `{fact}` in a text; what is not known reads 'unknown', whatever its format."""

    def __init__(self, view: View) -> None:
        self.view = view

    def get_value(self, key: int | str, args: Any, kwargs: Any) -> Any:  # noqa: ARG002
        return look(self.view, str(key)).value

    def format_field(self, value: Any, format_spec: str) -> str:
        if value is None:
            return "unknown"
        if isinstance(value, float) and not format_spec:
            format_spec = "g"
        return str(super().format_field(value, format_spec))


def fill(text: str, view: View) -> str:
    """A text with the facts of this view written into it."""
    return _Filler(view).vformat(text, (), {})
