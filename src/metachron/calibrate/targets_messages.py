"""Wording of faults in a trial file: field, what is wrong, what is allowed with its unit, nearest word."""

from __future__ import annotations

import difflib
import re
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from metachron.errors import Problem

MAX_PROBLEMS = 20
_SIDES = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}
# Beginning of a pydantic fault, and what was wanted
_NOUNS = {
    "model_": "an object with named fields",
    "dict_": "an object with named fields",
    "list_": "a list",
    "tuple_": "a list",
    "string_type": "text",
    "float_": "a number",
    "int_": "a whole number",
    "finite_": "a number",
}


def field_problems(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """The faults as problems, at most `MAX_PROBLEMS`; the last says how many are left."""
    faults = error.errors(include_url=False)
    found = [_problem(fault, model) for fault in faults[:MAX_PROBLEMS]]
    left = len(faults) - MAX_PROBLEMS
    return [*found, Problem("", f"and {left} more problems")] if left > 0 else found


def _problem(fault: Any, model: type[BaseModel]) -> Problem:
    loc, kind, value = fault["loc"], fault["type"], fault.get("input")
    path = _write(loc)
    if kind == "missing":
        return Problem(path, "this field is required and missing", "", _purpose(model, loc))
    if kind == "extra_forbidden":
        owner, _ = _field(model, loc[:-1])
        return _near(path, "there is no such field", str(loc[-1]), list((owner or model).model_fields))
    if kind in ("literal_error", "enum"):
        words = re.findall(r"'([^']*)'", fault["ctx"]["expected"])
        return _near(path, f"{_short(value)} is unknown", str(value), words)
    _, field = _field(model, loc)
    if kind in _SIDES:
        message = f"{_short(value)}{_unit(field)} is too {'small' if kind.startswith('greater') else 'large'}"
        percent = _is_share(field) and isinstance(value, int | float) and 1 < value <= 100
        return Problem(path, message, _range(field, fault), "Write a share, not a percentage" * percent)
    message = str(fault["msg"]).removeprefix("Value error, ")
    if noun := next((_NOUNS[word] for word in _NOUNS if kind.startswith(word)), ""):
        message = f"{_short(value)} is not {noun}"
    elif kind.endswith(("_type", "_parsing", "_from_float")):
        message = f"{_short(value)} is not allowed here: {message[0].lower()}{message[1:]}"
    return Problem(path, message, _range(field, fault) if field else "")


def _near(path: str, message: str, wrong: str, words: list[str]) -> Problem:
    near = difflib.get_close_matches(wrong.lower(), {w.lower(): w for w in words}, n=1)
    guess = next((w for w in words if near and w.lower() == near[0]), None)
    return Problem(path, message, ", ".join(words), f"Did you mean {guess}?" if guess else "")


def _write(loc: tuple[int | str, ...]) -> str:
    """`arms[0].subgroup.female` of a location."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _field(model: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[type[BaseModel] | None, Any]:
    """The record and the field at a location: for a list or mapping, the record of its items."""
    owner: type[BaseModel] | None = model
    field: FieldInfo | None = None
    for part in loc:
        if isinstance(part, int) or owner is None:
            continue
        found = owner.model_fields.get(part)
        if found is None:
            continue
        field, owner = found, _record_in(found.annotation) or owner
    return owner, field


def _record_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (list, dict, Union, UnionType, tuple):
        return next((r for a in get_args(annotation) if (r := _record_in(a))), None)
    return None


def _extra(field: FieldInfo | None) -> Any:
    """Unit of a field, also when it stands on the items of a list."""
    if field is None:
        return None
    own = field.json_schema_extra
    if isinstance(own, dict) and "unit" in own:
        return own["unit"]
    for argument in get_args(field.annotation):
        for mark in getattr(argument, "__metadata__", ()):
            extra = getattr(mark, "json_schema_extra", None)
            if isinstance(extra, dict) and "unit" in extra:
                return extra["unit"]
    return None


def _unit(field: FieldInfo | None) -> str:
    text = _extra(field)
    return f" {text}" if text and text != "share" else ""


def _is_share(field: FieldInfo | None) -> bool:
    return bool(_extra(field) == "share")


def _range(field: FieldInfo | None, fault: Any) -> str:
    """Limits with the unit: from the field, else from the fault."""
    marks: list[Any] = [*(field.metadata if field else ())]
    for argument in get_args(field.annotation) if field else ():
        marks += getattr(argument, "__metadata__", ())
        marks += [m for part in getattr(argument, "__metadata__", ()) for m in getattr(part, "metadata", ())]
    limits = {side: getattr(m, side) for m in marks for side in ("gt", "ge", "lt", "le") if hasattr(m, side)}
    limits |= {side: v for side, v in (fault.get("ctx") or {}).items() if side in ("gt", "ge", "lt", "le")}
    words = {"gt": "above", "ge": "from", "lt": "below", "le": "to"}
    text = " ".join(f"{words[s]} {limits[s]:g}" for s in ("gt", "ge", "lt", "le") if s in limits)
    return text + (_unit(field) if text else "")


def _purpose(model: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    _, field = _field(model, loc)
    return f"It says: {field.description.rstrip('.')}" if field and field.description else ""
