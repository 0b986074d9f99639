"""Wording of schema errors: what is wrong, what is allowed with its unit, what to write instead."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from metachron.errors import Problem
from metachron.patient import schema_tree as tree
from metachron.patient import vocabulary as words
from metachron.patient.schema_tree import Node, Path, write_path

MAX_PROBLEMS = 20
_RANKS = {"extra_forbidden": 0, "missing": 1}
_QUANTITY = re.compile(r"\s*([<>~≈]?)\s*([-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?)\s*(.*?)\s*", re.DOTALL)
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8}


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


def shorten(value: object, width: int = 40) -> str:
    """The value as it would stand in JSON, cut to `width` characters."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= width else text[: width - 4] + "..." + ('"' if text[0] == '"' else "")


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
    if write_organ(at, value):
        return f"metastases in {shown} are not modelled"
    quotes = isinstance(value, str) and at.kind in ("number", "integer", "boolean")
    return f"{shown} is {'text, not' if quotes else 'not'} {_noun(at)}"


def write_organ(at: Node, value: object) -> bool:
    """Is this an organ, given as text, that the format does not know by another word?"""
    if "liver" not in at.choices or not isinstance(value, str):
        return False
    return words.VALUES.get(words.plain(value)) not in at.choices and not closest(value, at.choices)


# --- suggestions -----------------------------------------------------------------------------------------


def closest(text: str, options: Iterable[str], cutoff: float = 0.6) -> str:
    """The option most like `text`, or "" when none is near."""
    text = text[:60]
    by_plain = {words.plain(option): option for option in reversed(list(options))}
    hit = difflib.get_close_matches(words.plain(text), list(by_plain), 1, cutoff)
    return by_plain[hit[0]] if hit else ""


def suggest(value: object, path: Path, at: Node) -> str:
    """What to write instead of `value`; "" when there is no good guess."""
    if at.choices:
        return _suggest_choice(value, at)
    if at.kind in ("number", "integer"):
        return _suggest_number(value, at, str(path[-1]) if path else "")
    if at.kind == "boolean":
        return _suggest_boolean(value)
    if at.kind == "date":
        return _suggest_date(value)
    if at.kind == "array" and isinstance(value, dict):
        return "Put it in square brackets, even when there is only one"
    if at.kind == "object":
        more = ", ..." if len(at.fields) > 8 else ""
        return f"Write it in braces, with the fields {', '.join(at.fields[:8])}{more}" if at.fields else ""
    if at.kind == "string" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return f'Write "{value}" in double quotes'
    return ""


def _suggest_choice(value: object, at: Node) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    text = str(value)
    known = words.VALUES.get(words.plain(text))
    if known in at.choices:
        return f'Write "{known}"'
    for prefix in ("p", "yp", "c", "T", "N"):
        for option in at.choices:
            if words.plain(option) in (words.plain(text).removeprefix(prefix), words.plain(prefix + text)):
                return f'Write "{option}"'
    hit = closest(text, at.choices)
    if hit:
        return f'Did you mean "{hit}"?'
    if "liver" in at.choices:
        return "A patient with metastases elsewhere is outside what metachron can plan for"
    return ""


def _suggest_boolean(value: object) -> str:
    text = words.plain(str(value))
    if text in ("yes", "y", "true", "1", "on", "positive", "present", "mutant", "mutated"):
        return "Write true, without quotes"
    if text in ("no", "n", "false", "0", "off", "negative", "absent", "wildtype", "wt"):
        return "Write false, without quotes"
    return ""


def _suggest_date(value: object) -> str:
    text = str(value).strip()
    if match := re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})([T ].*)?", text):
        year, month, day = (int(part) for part in match.groups()[:3])
        if _is_day(year, month, day):
            return f'Write "{year:04d}-{month:02d}-{day:02d}"'
        return f"There is no day {day} in month {month}: check it"
    if match := re.fullmatch(r"(\d{4})(\d\d)(\d\d)", text):
        return f'Write "{match[1]}-{match[2]}-{match[3]}"'
    if match := re.fullmatch(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})", text):
        first, second, year = (int(part) for part in match.groups())
        days = [(a, b) for a, b in ((first, second), (second, first)) if _is_day(year, b, a)]
        options = sorted({f'"{year:04d}-{b:02d}-{a:02d}"' for a, b in days})
        return f"Write {' or '.join(options)}" if options else ""
    if match := re.fullmatch(r"(\d{4})(?:[-/.](\d{1,2}))?", text):
        month = int(match[2]) if match[2] else 7
        example = f"{match[1]}-{month:02d}-{15 if match[2] else 1:02d}"
        return f'Give the day too, for example "{example}"'
    return 'Write it as year-month-day, for example "2025-03-28"'


def _is_day(year: int, month: int, day: int) -> bool:
    last = [
        31,
        29 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 28,
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
    ]
    return 1 <= month <= 12 and 1 <= day <= [*last, 30, 31][month - 1]


def _suggest_number(value: object, at: Node, name: str) -> str:
    if isinstance(value, bool):
        return "Write the number itself" if at.unit or at.kind == "number" else "Write the count or grade"
    if isinstance(value, (int, float)):
        return _suggest_other_unit(float(value), at, name)
    if not isinstance(value, str):
        return ""
    if name == "segment":
        bare = re.sub(r"^(s|seg|segment)", "", words.plain(value)).rstrip("ab")
        number = _ROMAN.get(bare) or (int(bare) if bare.isascii() and bare.isdigit() and len(bare) < 3 else 0)
        return f"Write {number}" if 1 <= number <= 8 else ""
    match = _QUANTITY.fullmatch(value)
    if not match:
        return ""
    number, unit = float(match[2].replace(",", ".")), match[3].casefold().replace(" ", "")
    factor = unit_factor(unit, at.unit)
    if unit and factor is None:
        return f"Write the number alone, in {at.unit}" if at.unit else "Write the number alone"
    converted = number * (factor if factor is not None else 1.0)
    return f"Write {_figure(converted, at)}" if _inside(converted, at) else ""


def unit_factor(unit: str, into: str) -> float | None:
    """What to multiply by to go from one unit to the field's own; None when not known."""
    unit, into = unit.casefold(), into.casefold()
    return 1.0 if not unit or unit == into else words.FACTORS.get((unit, into))


def _suggest_other_unit(value: float, at: Node, name: str) -> str:
    if at.kind == "integer" and not float(value).is_integer():
        return f"Write a whole number, {math.floor(value)} or {math.ceil(value)}" if abs(value) < 1e6 else ""
    if at.kind == "integer" and _inside(value, at):
        return f"Write {int(value)}"
    if value < 0 and at.limits[0] is not None and at.limits[0] >= 0:
        return "It cannot be negative: check the sign"
    if name == "age_years" and 1900 <= value <= 2020:
        return "This looks like a year of birth; write the age at assessment"
    if name == "ecog" and value in range(10, 101, 10):
        return "This looks like a Karnofsky score; write the ECOG status, 0 to 4"
    for unit in words.LIKELY_UNITS.get(at.unit, ()):
        converted = value * (unit_factor(unit, at.unit) or 1.0)
        if _inside(converted, at):
            return f"If it is in {unit}, write {_figure(converted, at)}"
    return f"Check the value and its unit ({at.unit})" if at.unit else "Check the value"


def _inside(value: float, at: Node) -> bool:
    low, high = at.limits
    above = low is None or value > low or (value == low and not at.open_below)
    return above and (high is None or value <= high)


def _figure(value: float, at: Node) -> str:
    return f"{round(value)}" if at.kind == "integer" else f"{float(f'{value:.4g}'):g}"


# --- unknown fields --------------------------------------------------------------------------------------


def unknown_field(path: Path, value: object) -> Problem:
    """An unknown field: say where its content belongs."""
    name = str(path[-1])[:60]  # matching a very long name would be slow
    parent = tree.node(path[:-1])
    siblings = parent.fields if parent else ()
    message = f"there is no field {shorten(name)} in {write_path(path[:-1]) or 'the patient'}"
    suggestion = (
        _other_unit(name, path, value)
        or _called(name, path, siblings)
        or _sibling(name, path, siblings)
        or _elsewhere(name, path, siblings)
    )
    allowed = "" if suggestion else ", ".join(siblings)
    where = write_path((*path[:-1], name))
    return Problem(where, message, allowed, suggestion or "Remove it, or use one of the fields listed")


def _other_unit(name: str, path: Path, value: object) -> str:
    """`diameter_cm` where `diameter_mm` is meant, also in another part of the record."""
    match = re.fullmatch(
        r"(.+?)_(cm|mm|m|in|lb|lbs|l|months|g_dl|mg_dl|ng_dl|ug_l|per_ul|ul|percent|pct)", name.casefold()
    )
    if not match:
        return ""
    unit = {"per_ul": "/ul", "ul": "/ul", "pct": "%"}.get(match[2], match[2].replace("_", "/"))
    for other, at in _candidates(path):
        factor = unit_factor(unit, at.unit)
        same = words.plain(tree.stem(str(other[-1]))) == words.plain(match[1])
        if not (same or words.FIELD_NAMES.get(words.plain(match[1])) == write_path(other)) or factor is None:
            continue
        number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
        example = f": {_figure(number * factor, at)}" if number is not None and abs(number) < 1e9 else ""
        return f"Write `{_show(other, path)}`, in {at.unit}{example}"
    return ""


def _candidates(path: Path) -> list[tuple[Path, Node]]:
    """All fields, those of the same object first."""
    parent = tuple(0 if isinstance(part, int) else part for part in path[:-1])
    return sorted(tree.all_fields(), key=lambda item: item[0][:-1] != parent)


def _show(found: Path, path: Path) -> str:
    """A path for the reader, with the index in use where the list is the same."""
    shared = tuple(0 if isinstance(part, int) else part for part in path[:-1])
    if found[:-1] == shared:
        return write_path((*path[:-1], found[-1]))
    return write_path(found)


def _called(name: str, path: Path, siblings: tuple[str, ...]) -> str:
    """Another name in use for a field of the same object."""
    known = words.FIELD_NAMES.get(words.plain(name), "").rsplit(".", 1)[-1]
    parent = write_path(tuple(0 if isinstance(part, int) else part for part in path[:-1]))
    target = f"{parent}.{known}" if parent else known
    if known in siblings and words.FIELD_NAMES[words.plain(name)] == target:
        return f"Did you mean `{write_path((*path[:-1], known))}`?"
    return ""


def _sibling(name: str, path: Path, siblings: tuple[str, ...]) -> str:
    bare = words.plain(name)
    same = [s for s in siblings if words.plain(tree.stem(s)) == bare or words.plain(s) == bare]
    starts = [s for s in siblings if len(bare) > 3 and words.plain(s).startswith(bare)]
    hit = (same or starts or [closest(name, siblings, 0.72)])[0]
    if not hit:
        return ""
    full = (*path[:-1], hit)
    at = tree.node(full)
    unit = f", in {at.unit}" if at and at.unit and tree.stem(hit) != hit else ""
    return f"Did you mean `{write_path(full)}`{unit}?"


def _elsewhere(name: str, path: Path, siblings: tuple[str, ...]) -> str:
    known = words.FIELD_NAMES.get(words.plain(name))
    options = {write_path(p): p for p, _ in tree.all_fields() if p[-1] not in siblings or len(p) == len(path)}
    if known and (found := options.get(known)):
        return f"Did you mean `{_show(found, path)}`?"
    exact = [p for p in options.values() if words.plain(str(p[-1])) == words.plain(name)]
    if exact:
        return f"It belongs to `{_show(exact[0], path)}`"
    hit = closest(name, siblings, 0.6) or closest(name, [str(p[-1]) for p in options.values()], 0.8)
    if not hit:
        return ""
    full = next((p for p in options.values() if p[-1] == hit), (*path[:-1], hit))
    return f"Did you mean `{_show(full, path) if hit not in siblings else write_path((*path[:-1], hit))}`?"
