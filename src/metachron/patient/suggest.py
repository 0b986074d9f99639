"""What to write instead of a wrong value: units, spellings, dates, segments."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Iterable

from metachron.patient import vocabulary as words
from metachron.patient.schema_tree import Node, Path

_QUANTITY = re.compile(r"\s*([<>~≈]?)\s*([-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?)\s*(.*?)\s*", re.DOTALL)
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8}


def shorten(value: object, width: int = 40) -> str:
    """The value as it would stand in JSON, cut to `width` characters."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= width else text[: width - 4] + "..." + ('"' if text[0] == '"' else "")


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
        return suggest_date(value)
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


def suggest_date(value: object) -> str:
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
    amount, unit = float(match[2].replace(",", ".")), match[3].casefold().replace(" ", "")
    factor = unit_factor(unit, at.unit)
    if unit and factor is None:
        return f"Write the number alone, in {at.unit}" if at.unit else "Write the number alone"
    converted = amount * (factor if factor is not None else 1.0)
    return f"Write {figure(converted, at)}" if inside(converted, at) else ""


def unit_factor(unit: str, into: str) -> float | None:
    """What to multiply by to go from one unit to the field's own; None when not known."""
    unit, into = unit.casefold(), into.casefold()
    return 1.0 if not unit or unit == into else words.FACTORS.get((unit, into))


def _suggest_other_unit(value: float, at: Node, name: str) -> str:
    if at.kind == "integer" and not float(value).is_integer():
        return f"Write a whole number, {math.floor(value)} or {math.ceil(value)}" if abs(value) < 1e6 else ""
    if at.kind == "integer" and inside(value, at):
        return f"Write {int(value)}"
    if value < 0 and at.limits[0] is not None and at.limits[0] >= 0:
        return "It cannot be negative: check the sign"
    if name == "age_years" and 1900 <= value <= 2020:
        return "This looks like a year of birth; write the age at assessment"
    if name == "ecog" and value in range(10, 101, 10):
        return "This looks like a Karnofsky score; write the ECOG status, 0 to 4"
    for unit in words.LIKELY_UNITS.get(at.unit, ()):
        converted = value * (unit_factor(unit, at.unit) or 1.0)
        if inside(converted, at):
            return f"If it is in {unit}, write {figure(converted, at)}"
    return f"Check the value and its unit ({at.unit})" if at.unit else "Check the value"


def inside(value: float, at: Node) -> bool:
    low, high = at.limits
    above = low is None or value > low or (value == low and not at.open_below)
    return above and (high is None or value <= high)


def figure(value: float, at: Node) -> str:
    return f"{round(value)}" if at.kind == "integer" else f"{float(f'{value:.4g}'):g}"
