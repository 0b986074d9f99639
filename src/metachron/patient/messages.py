"""Wording of schema errors: what is wrong, what is allowed with its unit, what to write instead."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from metachron.errors import Problem
from metachron.patient import schema_tree as tree
from metachron.patient import vocabulary as words
from metachron.patient.field_names import unknown_field
from metachron.patient.schema_tree import Node, Path, write_path
from metachron.patient.suggest import closest, shorten, suggest

MAX_PROBLEMS = 20
_RANKS = {"extra_forbidden": 0, "missing": 1}


def problems_of(error: ValidationError) -> list[Problem]:
    """Problems from a pydantic error, the most telling first, at most `MAX_PROBLEMS`."""
    errors = sorted(error.errors(include_url=False), key=lambda e: _RANKS.get(e["type"], 2))
    # a file of noise may have thousands of errors: word only those that can be shown
    found = [(e["type"], _problem(e)) for e in errors[: 2 * MAX_PROBLEMS]]
    hints = " ".join(p.suggestion for kind, p in found if kind == "extra_forbidden")
    # "there is no field age: did you mean age_years" already says that age_years is missing
    kept = [p for kind, p in found if not (kind == "missing" and f"`{p.path}`" in hints)]
    return limit(_once(kept), len(errors) - len(found))


def _once(problems: list[Problem]) -> list[Problem]:
    """The list of all fields of an object is long: say it once."""
    seen: set[str] = set()
    shown = []
    for p in problems:
        long = len(p.allowed) > 100
        shown.append(Problem(p.path, p.message, "", p.suggestion) if long and p.allowed in seen else p)
        seen.add(p.allowed)
    return shown


def limit(problems: list[Problem], more: int = 0) -> list[Problem]:
    """At most `MAX_PROBLEMS`; the last one says how many are left (`more` were not even worded)."""
    left = len(problems) + more - MAX_PROBLEMS
    if left <= 0:
        return problems
    return [*problems[: MAX_PROBLEMS - 1], Problem("", f"and {left + 1} more problems")]


def _problem(error: Any) -> Problem:
    path: Path = tuple(error["loc"])
    kind, value = error["type"], error["input"]
    where = write_path(path)
    if kind == "extra_forbidden":
        return unknown_field(path, value)
    at = tree.node(path)
    if kind == "missing":
        allowed = at.allowed if at else ""
        return Problem(where, "this field is required and missing", allowed, _purpose(at))
    if at is None:
        return Problem(where, f"{shorten(value)} cannot stand here")
    if _means_unknown(value) and not _is_choice(value, at):
        fault = (
            f"is not {_noun(at)}" if isinstance(value, str) or value is None else "is not a possible value"
        )
        return Problem(where, f"{shorten(value)} {fault}", at.allowed, _leave_out(path, at))
    return Problem(
        where, _what(kind, value, at, error.get("ctx") or {}), at.allowed, suggest(value, path, at)
    )


def _purpose(at: Node | None) -> str:
    return f"It says: {at.description.rstrip('.')}" if at and at.description else ""


def _leave_out(path: Path, at: Node) -> str:
    if at.nullable:
        return "If it is unknown, write null or leave the field out"
    parent = tree.node(path[:-1])
    required = parent is not None and bool(path) and path[-1] in parent.required
    return "This one must be known" if required else "Leave the field out"


def _means_unknown(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().casefold() in words.UNKNOWN_WORDS
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value is None
    return value in words.UNKNOWN_NUMBERS


def _is_choice(value: object, at: Node) -> bool:
    return isinstance(value, str) and words.plain(value) in {words.plain(c) for c in at.choices}


def _noun(at: Node) -> str:
    if at.choices:
        return "one of the values allowed"
    nouns = {
        "number": "a number",
        "integer": "a whole number",
        "boolean": "true or false",
        "date": "a date",
        "array": "a list",
        "object": "an object",
    }
    return nouns.get(at.kind, "text")


def _what(kind: str, value: object, at: Node, context: dict[str, Any]) -> str:
    """The fault in words, with the value given."""
    shown = shorten(value)
    if kind in ("greater_than", "greater_than_equal", "less_than", "less_than_equal"):
        side = "too small" if kind.startswith("greater") else "too large"
        return f"{shown}{f' {at.unit}' if at.unit not in ('', 'fraction') else ''} is {side}"
    if kind in ("too_short", "string_too_short"):
        return f"{'the list' if at.kind == 'array' else 'the text'} is empty"
    if kind == "too_long":
        count = context.get("actual_length", "too many")
        return f"the list has {count} entries; at most {at.length[1]} are allowed"
    if kind == "string_too_long":
        return f"the text is longer than {at.length[1]} characters: {shown}"
    if kind.startswith("date") and isinstance(value, str):
        return f"{shown} is not a date"
    if at.kind == "string" and not at.choices:
        return f"{shown} is not text"
    if _unknown_organ(at, value):
        return f"metastases in {shown} are not modelled"
    quotes = isinstance(value, str) and at.kind in ("number", "integer", "boolean")
    return f"{shown} is {'text, not' if quotes else 'not'} {_noun(at)}"


def _unknown_organ(at: Node, value: object) -> bool:
    """Is this an organ, given as text, that the format does not know by another word?"""
    if "liver" not in at.choices or not isinstance(value, str):
        return False
    return words.VALUES.get(words.plain(value)) not in at.choices and not closest(value, at.choices)
