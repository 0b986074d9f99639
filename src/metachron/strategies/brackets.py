"""What stands in brackets before a stage: what it waits for, how long, and limits of an operation.

bracket := "[" word ("," word)* "]"
word    := days "d" | "progression" | "recurrence" | number "lesions" | number "mm"
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from metachron.strategies.schema import OnlyIf, Starts, Step

MOST_DAYS, MOST_LESIONS, MOST_MM = 730, 64, 300
TRIGGERS = (Starts.PROGRESSION.value, Starts.RECURRENCE.value)
ALLOWED = "[28d], [progression], [recurrence], [recurrence, 3 lesions, 50 mm]"

_NUMBER = re.compile(r"(\d{1,6})\s*(d|days?|lesions?|mm)")


class Fault(Exception):  # noqa: N818 - it is caught and reworded as InputError
    """A fault at a column (first is 1) of an expression."""

    def __init__(self, column: int, message: str, allowed: str = "", suggestion: str = "") -> None:
        super().__init__(message)
        self.column, self.message, self.allowed, self.suggestion = column, message, allowed, suggestion


@dataclass(frozen=True)
class Wait:
    """What a stage waits for; `column` is that of the bracket, 0 without one."""

    days: int | None = None
    starts: Starts = Starts.PLANNED
    only_if: OnlyIf | None = None
    column: int = 0


def read_bracket(text: str, column: int) -> Wait:
    """The wait of a bracket, its signs left away; `column` is that of "[". Raises Fault."""
    found: dict[str, int | str] = {}
    offset = column + 1
    for part in text.split(","):
        word = part.strip().lower()
        where = offset + len(part) - len(part.lstrip())
        offset += len(part) + 1
        kind, value = _word(word, where if len(text) > len(part) else column)
        if kind in found:
            raise Fault(where, f"{'a trigger' if kind == 'starts' else kind} is written twice")
        found[kind] = value
    lesions, mm = found.get("lesions"), found.get("mm")
    limits = None if lesions is None and mm is None else OnlyIf.model_validate(
        {"max_lesions": lesions, "max_mm": mm}
    )  # fmt: skip
    days = found.get("days")
    return Wait(
        None if days is None else int(days),
        Starts(str(found.get("starts", Starts.PLANNED.value))),
        limits,
        column,
    )


def _word(word: str, column: int) -> tuple[str, int | str]:
    if word in TRIGGERS:
        return "starts", word
    match = _NUMBER.fullmatch(word)
    if match is None:
        number, spelt = re.match(r"(\d*\s*)(.*)", word, re.DOTALL).groups()  # type: ignore[union-attr]
        near = difflib.get_close_matches(spelt, ["lesions", "mm", "d"] if number else TRIGGERS, n=1)
        hint = f"Did you mean {number}{near[0]}?" if near else ""
        message = f"{word!r} has no meaning in brackets" if word else "nothing stands in the brackets"
        raise Fault(column, message, ALLOWED, hint)
    number, unit = int(match[1]), match[2]
    if unit.startswith("d"):
        return "days", _within(number, 0, MOST_DAYS, "days to wait", column)
    if unit.startswith("l"):
        return "lesions", _within(number, 1, MOST_LESIONS, "lesions", column)
    return "mm", _within(number, 1, MOST_MM, "size in mm", column)


def _within(number: int, low: int, high: int, what: str, column: int) -> int:
    if not low <= number <= high:
        raise Fault(column, f"a whole number is needed here ({what})", f"{low} to {high}")
    return number


def format_bracket(step: Step) -> str:
    """The bracket of a step with a space after it; nothing when it waits for nothing."""
    words = [] if step.starts is Starts.PLANNED else [step.starts.value]
    if step.gap_days is not None:
        words.append(f"{step.gap_days}d")
    if step.only_if and step.only_if.max_lesions is not None:
        words.append(f"{step.only_if.max_lesions} lesion{'s' if step.only_if.max_lesions > 1 else ''}")
    if step.only_if and step.only_if.max_mm is not None:
        words.append(f"{step.only_if.max_mm} mm")
    return f"[{', '.join(words)}] " if words else ""
