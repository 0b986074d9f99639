"""Rules that change treatment when a state of the patient crosses a limit."""

from __future__ import annotations

import difflib
from typing import Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from metachron.evidence.quantity import Status
from metachron.strategies.base import EffectClass, Entry

# The kinds of severe toxicity, as in `metachron.model.toxicity.KINDS`. Of the reported ones only grades 3 and
# 4 happen in a life, at the frequency of the regimen; the others are grades of simulated states.
SIMULATED_TOXICITIES = (
    "neutropenia", "febrile neutropenia", "sensory neuropathy", "surgical complication", "liver failure",
)  # fmt: skip
REPORTED_TOXICITIES = (
    "diarrhoea", "mucositis", "nausea or vomiting", "hand-foot syndrome", "rash", "hypertension",
    "hypomagnesaemia", "thromboembolism", "perforation or bleeding", "immune-related event",
    "liver enzymes", "fatigue", "fever or chills", "cytokine release", "pneumonitis", "thrombocytopenia",
    "other",
)  # fmt: skip

When = Literal["cycle_start", "cycle_end", "scan"]
# State a rule may read: when it is read unless the rule says, lowest and highest limit, unit
STATES: dict[str, tuple[When, float, float, str]] = {
    "neutrophils": ("cycle_start", 0.1, 20.0, "1e9/L"),
    "neutrophil_nadir": ("cycle_end", 0.1, 20.0, "1e9/L, lowest of the cycle"),
    "neutropenia_grade": ("cycle_end", 2.0, 4.0, "CTCAE grade of the nadir"),
    "febrile_neutropenia": ("cycle_end", 1.0, 1.0, "1 when it happened in the cycle"),
    "lymphocytes": ("cycle_start", 0.01, 2.0, "share of normal"),
    "neuropathy_grade": ("cycle_end", 1.0, 4.0, "CTCAE grade at the end of the cycle"),
    "toxicity_grade": ("cycle_end", 1.0, 4.0, "CTCAE grade in the cycle"),
    "response": ("scan", 0.0, 0.0, "RECIST of the last scan"),
    "cumulative_oxaliplatin": ("cycle_end", 1.0, 5000.0, "mg/m2, earlier treatment included"),
    "liver_volume": ("cycle_start", 0.05, 1.5, "share of the original liver"),
    "cycles": ("cycle_end", 1.0, 200.0, "cycles of this course since it began or went on after a pause"),
    "days_off": ("cycle_start", 1.0, 2000.0, "days since the last cycle of this course began"),
}
StateName = Literal[
    "neutrophils", "neutrophil_nadir", "neutropenia_grade", "febrile_neutropenia", "lymphocytes",
    "neuropathy_grade", "toxicity_grade", "response", "cumulative_oxaliplatin", "liver_volume", "cycles",
    "days_off",
]  # fmt: skip
MANY = ("all cytotoxics", "cells", "everything")
Action = Literal["delay", "hold", "reduce", "stop", "resume", "gcsf", "pause", "end", "switch"]
ResponseName = Literal["complete response", "partial response", "stable disease", "progressive disease"]
TARGETS = (*(c.value for c in EffectClass if c is not EffectClass.NONE), *MANY)
WHOLE_COURSE: tuple[Action, ...] = ("pause", "end", "switch")


class Limit(Entry):
    """A state and its limit."""

    state: StateName
    at_least: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.state in ("response", "toxicity_grade"):
            raise ValueError(f"{self.state} cannot be a second limit")
        _check_range(self.state, self.at_least, self.below)
        return self


class Rule(Entry):
    """When a state crosses a limit, what is given changes. docs/strategies.md says what each word does."""

    model_config = ConfigDict(populate_by_name=True)

    name: str
    state: StateName
    kind: list[str] = Field(
        default_factory=list, description="Of toxicity_grade: which kinds; none: any that is reported."
    )
    at_least: float | None = None
    below: float | None = None
    is_: list[ResponseName] | None = Field(None, alias="is", description="Of response: one of these.")
    at: When | None = Field(None, description="When the state is read; None: as the state says.")
    action: Action
    target: str | None = Field(
        None, description="What it acts on; the rule is read in courses that give some of it."
    )
    value: float | None = Field(
        None, description="delay, pause: days; reduce: factor; resume: share of the full dose."
    )
    of: Literal["current", "full"] = Field("current", description="reduce: factor on which dose.")
    floor: float = Field(0.5, ge=0, le=1, description="reduce: never below this share of the full dose.")
    max_delay_days: int | None = Field(None, ge=1, le=365, description="delay: after this the course ends.")
    until: Literal["progression"] | None = Field(None, description="pause: in place of a number of days.")
    once: bool = Field(False, description="Acts once in a life.")
    occurrence: int = Field(
        1, ge=1, le=20, description="Acts from the n-th time on that the limit is crossed."
    )
    setting: Literal["adjuvant", "advanced"] | None = Field(
        None, description="adjuvant: courses around surgery or without visible disease; advanced: lines."
    )
    also: Limit | None = Field(None, description="A second limit that must hold as well.")
    status: Status = Field("assumed", description="Of the limit and the change together.")
    note: str = ""
    citations: list[str] = Field(default_factory=list)

    @field_validator("is_", "kind", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("target")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and value not in TARGETS:
            near = difflib.get_close_matches(value, TARGETS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(TARGETS)}"
            raise ValueError(f"{value!r} is unknown; {hint}")
        return value

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        _check_limit(self)
        _check_kind(self)
        _check_value(self)
        return self

    @property
    def read_at(self) -> When:
        """When the state is read."""
        return self.at or STATES[self.state][0]

    @property
    def acts_on(self) -> str:
        """The target, or the usual one of the action."""
        return self.target or ("everything" if self.action in WHOLE_COURSE else "all cytotoxics")


def _check_range(state: str, at_least: float | None, below: float | None) -> None:
    if (at_least is None) == (below is None):
        raise ValueError(f"{'no' if below is None else 'two'} limits: give either at_least or below")
    limit = at_least if at_least is not None else below
    _, low, high, unit = STATES[state]
    if limit is None or not low <= limit <= high:
        raise ValueError(f"the limit {limit} of {state} is outside {low:g} to {high:g} ({unit})")


def _check_limit(rule: Rule) -> None:
    if rule.state == "response":
        if not rule.is_ or rule.at_least is not None or rule.below is not None:
            raise ValueError("response is compared with `is: [...]`, not with at_least or below")
        return
    if rule.is_ is not None:
        raise ValueError(f"`is` is for response; give at_least or below with {rule.state}")
    _check_range(rule.state, rule.at_least, rule.below)


def _check_kind(rule: Rule) -> None:
    if rule.state != "toxicity_grade":
        if rule.kind:
            raise ValueError("kind is for toxicity_grade")
        return
    known = [*SIMULATED_TOXICITIES, *REPORTED_TOXICITIES]
    for kind in rule.kind:
        if kind not in known:
            near = difflib.get_close_matches(kind, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(known)}"
            raise ValueError(f"kind {kind!r} is unknown; {hint}")
    simulated = bool(rule.kind) and set(rule.kind) <= set(SIMULATED_TOXICITIES)
    if not simulated and (rule.at_least is None or rule.at_least < 3):
        raise ValueError("grades 1 and 2 of reported toxicity are not simulated; give at_least: 3 or 4")


def _check_value(rule: Rule) -> None:
    if rule.action in ("delay", "pause"):
        _check_days(rule)
    elif rule.action in ("reduce", "resume"):
        _check_share(rule)
    elif rule.value is not None:
        raise ValueError(f"{rule.action} takes no value")
    if rule.until is not None and rule.action != "pause":
        raise ValueError("until is for pause")
    if (rule.max_delay_days is None) == (rule.action == "delay"):
        raise ValueError("max_delay_days belongs to delay, and delay needs it")


def _check_days(rule: Rule) -> None:
    if rule.action == "delay" and rule.value is None:
        raise ValueError("delay needs value, whole days from 1 to 730")
    if rule.action == "pause" and (rule.value is None) == (rule.until is None):
        raise ValueError("pause needs either value (whole days from 1 to 730) or until: progression")
    if rule.value is not None and (rule.value != int(rule.value) or not 1 <= rule.value <= 730):
        raise ValueError(f"value of {rule.action} is {rule.value:g}, allowed are whole days from 1 to 730")
    if rule.action == "delay" and rule.read_at != "cycle_start":
        raise ValueError("delay is decided at the start of a cycle; give at: cycle_start")
    if rule.max_delay_days is not None and (rule.value or 0) > rule.max_delay_days:
        raise ValueError("value is above max_delay_days")


def _check_share(rule: Rule) -> None:
    reduces = rule.action == "reduce"
    if reduces and rule.value is None:
        raise ValueError("reduce needs value, a factor above 0 and below 1")
    if rule.value is None:
        return
    if not 0 < rule.value <= 1 or (reduces and rule.value == 1):
        raise ValueError(f"value of {rule.action} is {rule.value:g}, allowed are shares between 0 and 1")
    if reduces and rule.of == "full" and rule.value < rule.floor:
        raise ValueError(f"value {rule.value:g} is under the floor {rule.floor:g}")


class RuleSet(Entry):
    """A named set of rules."""

    name: str
    title: str
    note: str = Field("", description="What it is, and what of its source it leaves out.")
    citations: list[str] = Field(default_factory=list)
    rules: list[Rule] = Field(default_factory=list)
