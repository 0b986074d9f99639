"""Reading findings: file or plain data in; a checked `Finding` or one `InputError` out."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from metachron.errors import InputError, Problem
from metachron.optimise.update.finding import Finding
from metachron.patient.messages import MAX_PROBLEMS
from metachron.patient.schema_tree import Node, write_path
from metachron.patient.schema_tree import Path as FieldPath
from metachron.patient.suggest import closest, shorten, suggest
from metachron.patient.text import decode, parse_text, read_bytes
from metachron.patient.vocabulary import plain

_UNITS = {"mm": "mm", "e9_l": "1e9/L", "ng_ml": "ng/mL", "umol_l": "umol/L", "g_l": "g/L", "ml_min": "mL/min",
          "share": "fraction"}  # fmt: skip
# what people write -> field of the form
_NAMES = {
    "size": "diameter_mm",
    "diameter": "diameter_mm",
    "newlesion": "new_lesions",
    "drugs": "treatments",
    "treatment": "treatments",
    "priortreatments": "treatments",
    "procedure": "local_therapy",
    "surgery": "local_therapy",
    "localtherapies": "local_therapy",
    "toxicities": "toxicity",
    "sideeffects": "toxicity",
    "bloodvalues": "labs",
    "assessedon": "date",
    "patient": "patient_id",
    "id": "patient_id",
    "dose": "dose_share",
    "metastases": "lesions",
}


@cache
def finding_json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a finding."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Finding.model_json_schema()}


def read_finding(path: str | Path) -> Finding:
    """Read one finding from a JSON or YAML file (UTF-8, at most 1 MB).

    Raises InputError with every problem found, and nothing else, whatever the file holds.
    """
    file = Path(path)
    try:
        data = parse_text(decode(read_bytes(file, [])), file.suffix.casefold())
    except InputError as error:
        raise InputError([_of_finding(p) for p in error.problems], str(path)) from None
    return parse_finding(data, str(path))


def _of_finding(problem: Problem) -> Problem:
    """The words of the patient reader, said of a finding."""
    hint = problem.suggestion.replace("the patient", "the finding").replace("a patient", "a finding")
    if "metachron example" in hint:
        hint = "`metachron schema finding` prints the form"
    return replace(problem, message=problem.message.replace("a patient", "a finding"), suggestion=hint)


def parse_finding(data: object, source: str = "") -> Finding:
    """A finding from plain data, as `json.loads` gives it. Raises InputError with every problem found."""
    if not isinstance(data, dict):
        message = f"a finding is one object with named fields, not {shorten(data)}"
        hint = "Write one file for each finding; `metachron schema finding` prints the form"
        raise InputError(Problem("", message, "", hint), source)
    if "schema_name" in data or "assessed_on" in data:
        kind = "a document that metachron wrote" if "schema_name" in data else "a patient file"
        hint = "`metachron schema finding` prints the form"
        raise InputError(Problem("", f"this is {kind}, not a finding", "", hint), source)
    if unreal := [_no_number(path) for path in _not_finite(data, ())]:
        raise InputError(unreal[:MAX_PROBLEMS], source)
    try:
        text = json.dumps(data, default=_text, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(Problem("", f"the finding is not plain data: {error}"), source) from None
    try:
        return Finding.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise InputError(_problems(error), source) from None


def _not_finite(data: object, path: FieldPath) -> Iterator[FieldPath]:
    """Where NaN or an infinity stands."""
    if isinstance(data, float) and not math.isfinite(data):
        yield path
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _not_finite(value, (*path, str(key)))
    elif isinstance(data, list):
        for place, value in enumerate(data):
            yield from _not_finite(value, (*path, place))


def _no_number(path: FieldPath) -> Problem:
    at = node(path)
    hint = "Leave the field out when it is not known"
    return Problem(write_path(path), "NaN and infinities are no values", at.allowed if at else "", hint)


def _text(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{value!r:.40} cannot stand in a finding")


# --- the schema as nodes, for the wording of errors -------------------------------------------------------


def _resolve(raw: dict[str, Any]) -> dict[str, Any]:
    """Follow references and drop the null branch."""
    found = dict(raw)
    for option in raw.get("anyOf", []):
        if option.get("type") != "null":
            found = {**option, **{k: v for k, v in raw.items() if k != "anyOf"}}
    if "$ref" in found:
        target = _resolve(finding_json_schema()["$defs"][found["$ref"].rsplit("/", 1)[1]])
        found = {**target, **{k: v for k, v in found.items() if k != "$ref"}}
    return found


def node(path: FieldPath) -> Node | None:
    """What the schema says about a path; None when the path is not in it."""
    raw, nullable, name = _resolve(finding_json_schema()), False, ""
    for part in path:
        if isinstance(part, int):
            raw = raw.get("items", {})
        else:
            raw, name = raw.get("properties", {}).get(part, {}), part
        if not raw:
            return None
        nullable = any(option.get("type") == "null" for option in raw.get("anyOf", []))
        raw = _resolve(raw)
    return _node(raw, nullable, name)


def _node(raw: dict[str, Any], nullable: bool, name: str) -> Node:
    kind = "date" if raw.get("format") == "date" else raw.get("type", "string")
    choices = raw.get("enum") or ([raw["const"]] if "const" in raw else [])
    numeric = kind in ("number", "integer")
    unit = next((u for s, u in _UNITS.items() if numeric and name.endswith("_" + s)), "")
    return Node(
        kind=kind,
        unit=unit,
        description=raw.get("description", ""),
        choices=tuple(str(c) for c in choices),
        limits=(raw.get("minimum", raw.get("exclusiveMinimum")), raw.get("maximum")),
        open_below="exclusiveMinimum" in raw,
        length=(raw.get("minLength", raw.get("minItems")), raw.get("maxLength", raw.get("maxItems"))),
        nullable=nullable,
        fields=tuple(raw.get("properties", {})),
        required=tuple(raw.get("required", ())),
    )


def _problems(error: ValidationError) -> list[Problem]:
    found = [_problem(e) for e in error.errors(include_url=False)[: 2 * MAX_PROBLEMS]]
    # a misspelt field is said once: as the unknown one that is there, not as the missing one as well
    meant = " ".join(p.suggestion for p in found if "there is no field" in p.message)
    kept = [p for p in found if not ("is missing" in p.message and f"`{p.path}`" in meant)]
    return sorted(kept, key=lambda p: "there is no field" not in p.message)[:MAX_PROBLEMS]


def _problem(error: Any) -> Problem:
    path: FieldPath = tuple(error["loc"])
    kind, value, where = error["type"], error["input"], write_path(tuple(error["loc"]))
    if kind == "json_invalid":
        return Problem("", "the finding is not plain data")
    if kind == "extra_forbidden":
        return _unknown_field(path)
    at = node(path)
    if kind == "missing":
        return Problem(where, "this field is required and is missing", at.allowed if at else "")
    if at is None:
        return Problem(where, f"{shorten(value)} cannot stand here")
    unit = f" {at.unit}" if at.unit not in ("", "fraction") else ""
    if kind in ("greater_than", "greater_than_equal", "less_than", "less_than_equal"):
        side = "too small" if kind.startswith("greater") else "too large"
        return Problem(where, f"{shorten(value)}{unit} is {side}", at.allowed, suggest(value, path, at))
    return Problem(where, f"{shorten(value)} cannot stand here", at.allowed, suggest(value, path, at))


def _unknown_field(path: FieldPath) -> Problem:
    name, parent = str(path[-1])[:60], node(path[:-1])
    siblings = parent.fields if parent else ()
    called = _NAMES.get(plain(name), "")
    near = called if called in siblings else closest(name, siblings)
    place = write_path(path[:-1]) or "the finding"
    inside = next(
        (p for p in _all_paths(()) if plain(str(p[-1])) in (plain(name), plain(called or name))), None
    )
    hint = f"Did you mean `{write_path((*path[:-1], near))}`?" if near else ""
    if not hint and inside is not None:
        hint = f"It belongs to `{write_path(inside)}`"
    return Problem(
        write_path(path),
        f"there is no field {shorten(name)} in {place}",
        "" if hint else ", ".join(siblings),
        hint,
    )


def _all_paths(path: FieldPath) -> Iterator[FieldPath]:
    at = node(path)
    for name in at.fields if at else ():
        yield (*path, name)
        yield from _all_paths((*path, name))
        yield from _all_paths((*path, name, 0))
