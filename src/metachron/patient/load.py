"""Reading a patient: file, text or plain data in; a checked `Patient` or one `InputError` out."""

from __future__ import annotations

import copy
import json
import math
import re
from collections.abc import Collection
from dataclasses import astuple
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from metachron.errors import InputError, Problem
from metachron.patient import schema_tree as tree
from metachron.patient.checks import check
from metachron.patient.messages import limit, problems_of
from metachron.patient.schema import Patient
from metachron.patient.suggest import shorten, suggest_date
from metachron.patient.text import MAX_DEPTH, decode, fail, parse_text, read_bytes

_DIGITS = re.compile(r"\s*[-+]?\d+(\.\d*)?\s*")


def read_patient(path: str | Path, known_treatments: Collection[str] | None = None) -> Patient:
    """Read one patient from a JSON or YAML file (UTF-8, at most 1 MB).

    `known_treatments`: names that `prior_treatments[*].name` may have; any name is accepted without it.
    Raises InputError with every problem found, and nothing else, whatever the file holds.
    """
    from metachron.patient.examples import example_names  # the examples are read with this module

    file = Path(path)
    try:
        text = decode(read_bytes(file, example_names()))
        data = parse_text(text, file.suffix.casefold())
    except InputError as error:
        raise _refusal(error.problems, str(path)) from None
    return parse_patient(data, str(path), known_treatments)


def parse_patient(data: object, source: str = "", known_treatments: Collection[str] | None = None) -> Patient:
    """A checked patient from plain data, as `json.loads` gives it (dates may be `datetime.date`).

    `source` names the origin in messages. Raises InputError with every problem found.
    """
    try:
        clean = _clean(data)
        problems = _timestamps(clean)
        patient = _validate(clean, problems)
    except InputError as error:
        raise _refusal(error.problems, source) from None
    if problems := check(patient, known_treatments):
        raise _refusal(limit(problems), source)
    return patient


def _refusal(problems: list[Problem], source: str) -> InputError:
    """The error to raise, with control characters of the input made visible."""
    return InputError([Problem(*(_printable(text) for text in astuple(p))) for p in problems], source)


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def patient_json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a patient file."""
    return copy.deepcopy(tree.schema())


def _validate(data: dict[str, Any], problems: list[Problem]) -> Patient:
    # validated as JSON so that nothing is coerced: "62" is not 62, 1 is not true
    try:
        patient = Patient.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        dated = {p.path for p in problems}
        others = [p for p in problems_of(error) if p.path not in dated]
        raise InputError(limit(problems + others)) from None
    if problems:
        raise InputError(limit(problems))
    return patient


def _clean(data: object) -> dict[str, Any]:
    """Plain JSON data, with dates as text; raises InputError for what JSON cannot hold."""
    if data is None:
        fail("the file says nothing", "`metachron example NAME` writes a file to start from")
    if isinstance(data, list):
        fail("the file holds a list; a patient file is one object", "Write one file for each patient")
    if not isinstance(data, dict):
        fail(f"the file holds only {shorten(data)}; a patient file is one object with named fields")
    cleaned = _clean_value(data, ())
    assert isinstance(cleaned, dict)
    return cleaned


def _clean_value(value: object, path: tree.Path) -> object:
    where = tree.write_path(path)
    if len(path) > MAX_DEPTH:
        fail("the data are nested too deeply", allowed=f"at most {MAX_DEPTH} levels", path=where[:80])
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                fail(f"{key!r:.40} is not a field name", "Field names are text", path=where)
            _check_text(key, where)
        return {str(key): _clean_value(item, (*path, str(key))) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean_value(item, (*path, index)) for index, item in enumerate(value)]
    if isinstance(value, str):
        _check_text(value, where)
        return str(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        name = "NaN" if math.isnan(value) else "Infinity (or a number too large)"
        fail(f"{name} is not a number", "Write null, or leave the field out, when unknown", path=where)
    if isinstance(value, int) and abs(value) > 10**40:
        fail("a number this long cannot be right", "Check the value", path=where)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return fail(f"{value!r:.40} is not plain data", allowed="text, number, true, false, null", path=where)


def _check_text(text: str, where: str) -> None:
    if any("\ud800" <= char <= "\udfff" for char in text):
        fail("the text holds half a character (a lone surrogate)", "Save the file again as UTF-8", path=where)


def _timestamps(data: dict[str, Any]) -> list[Problem]:
    """Bare digits where a date belongs: they would be read as seconds since 1970."""
    found: list[Problem] = []

    def look(value: object, path: tree.Path) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                look(item, (*path, key))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                look(item, (*path, index))
        elif isinstance(value, str) and _DIGITS.fullmatch(value):
            at = tree.node(path)
            if at is not None and at.kind == "date":
                message = f"{shorten(value)} is not a date"
                found.append(Problem(tree.write_path(path), message, at.allowed, suggest_date(value)))

    look(data, ())
    return found
