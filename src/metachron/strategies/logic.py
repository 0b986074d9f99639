"""A small language for conditions over named facts, with three truth values.

    cond := {all: [cond, ...]} | {any: [cond, ...]} | {not: cond} | {fact: NAME, OPERATOR: VALUE}

Operators: `is`, `in`, `at_least`, `above`, `at_most`, `below`, and `contains` (the fact is a set; true when
it holds any of the values given). A fact that is not known makes its test unknown, and Kleene's logic
carries that upwards: unknown is neither true nor false, and learning a fact never turns a decided answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from metachron.errors import InputError, Problem

Truth = bool | None


@dataclass(frozen=True)
class Answer:
    """A fact of one patient; `value` None means not known, and `needs` the fields that would tell."""

    value: Any
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """Truth of a condition, and the fields to fill in when it is not known."""

    truth: Truth
    needs: tuple[str, ...] = ()


Look = Callable[[str], Answer]
_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "is": lambda value, other: bool(value == other),
    "in": lambda value, others: value in others,
    "at_least": lambda value, limit: bool(value >= limit),
    "above": lambda value, limit: bool(value > limit),
    "at_most": lambda value, limit: bool(value <= limit),
    "below": lambda value, limit: bool(value < limit),
    "contains": lambda value, wanted: bool(set(value) & set(_listed(wanted))),
}


@dataclass(frozen=True)
class Test:
    """One fact against one value."""

    fact: str
    operator: str
    operand: Any

    def evaluate(self, look: Look) -> Verdict:
        answer = look(self.fact)
        if answer.value is None:
            return Verdict(None, answer.needs)
        return Verdict(_TESTS[self.operator](answer.value, self.operand))


@dataclass(frozen=True)
class Not:
    """The opposite; unknown stays unknown."""

    part: Condition

    def evaluate(self, look: Look) -> Verdict:
        inner = self.part.evaluate(look)
        return Verdict(None if inner.truth is None else not inner.truth, inner.needs)


@dataclass(frozen=True)
class Group:
    """`all` (settled by one false part) or `any` (settled by one true part)."""

    settles: bool
    parts: tuple[Condition, ...]

    def evaluate(self, look: Look) -> Verdict:
        inner = [part.evaluate(look) for part in self.parts]
        if any(v.truth is self.settles for v in inner):
            return Verdict(self.settles)
        open_parts = [v for v in inner if v.truth is None]
        if open_parts:
            return Verdict(None, unique(field for v in open_parts for field in v.needs))
        return Verdict(not self.settles)


Condition = Test | Not | Group


def unique(items: Iterable[str]) -> tuple[str, ...]:
    """Each item once, in order of first appearance."""
    return tuple(dict.fromkeys(items))


def parse(tree: Any, known: Collection[str], where: str) -> Condition:
    """A condition from its YAML form. Raises InputError naming the place and the word that is wrong."""
    if not isinstance(tree, dict) or not tree:
        raise InputError(Problem(where, f"not a condition: {tree!r}", "all, any, not, or fact"))
    if "fact" in tree:
        return _parse_test(tree, known, where)
    if len(tree) != 1 or next(iter(tree)) not in ("all", "any", "not"):
        raise InputError(Problem(where, f"unknown words {sorted(tree)}", "all, any, not, or fact"))
    ((word, inner),) = tree.items()
    if word == "not":
        return Not(parse(inner, known, f"{where}.not"))
    if not isinstance(inner, list) or not inner:
        raise InputError(Problem(where, f"'{word}' needs a list of conditions"))
    parts = tuple(parse(part, known, f"{where}.{word}[{i}]") for i, part in enumerate(inner))
    return Group(word == "any", parts)


def _parse_test(tree: dict[str, Any], known: Collection[str], where: str) -> Test:
    operators = [word for word in tree if word != "fact"]
    if tree["fact"] not in known:
        raise InputError(Problem(where, f"unknown fact {tree['fact']!r}", ", ".join(sorted(known))))
    if len(operators) != 1 or operators[0] not in _TESTS:
        raise InputError(Problem(where, f"needs one operator, has {operators}", ", ".join(_TESTS)))
    operand = tree[operators[0]]
    return Test(tree["fact"], operators[0], tuple(operand) if isinstance(operand, list) else operand)


def _listed(value: Any) -> Collection[Any]:
    return value if isinstance(value, list | tuple | set | frozenset) else (value,)
