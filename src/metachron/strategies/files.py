"""Strategies as records and in files: the fields of Strategy, `plan` (an expression) in place of `steps`."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from metachron.errors import InputError, Problem
from metachron.strategies.brackets import Fault
from metachron.strategies.catalogue import Catalogue, load_catalogue, plain_name
from metachron.strategies.language import (
    completed,
    default_surveillance,
    format_steps,
    parse_plan,
    parse_steps,
)
from metachron.strategies.schema import (
    After,
    Entry,
    Intent,
    Limit,
    OnlyIf,
    RepeatLocal,
    Rule,
    Step,
    Strategy,
)

MAX_FILE_BYTES = 1_000_000
ENDINGS = (".yaml", ".yml")
# The record behind a field of this name, for messages
RECORDS: dict[str, type[Entry]] = {
    "steps": Step,
    "only_if": OnlyIf,
    "rules": Rule,
    "also": Limit,
    "after": After,
    "repeat_local": RepeatLocal,
}


def strategy_from_record(record: Any, catalogue: Catalogue) -> Strategy:
    """A strategy from a mapping: the fields of Strategy, with `plan` (an expression) in place of `steps`.
    Raises InputError; the faults of fields carry their path."""
    if not isinstance(record, dict):
        raise InputError(Problem("", "a strategy is a mapping with name, title, summary, intent and plan"))
    data = dict(record)
    plan = data.pop("plan", None)
    if plan is not None:
        if "steps" in data:
            raise InputError(Problem("plan", "give either plan or steps, not both"))
        data["steps"] = parse_plan(str(plan), catalogue)
    _read_lines(data, catalogue)
    if "surveillance" not in data and data.get("intent") in [i.value for i in Intent]:
        data["surveillance"] = default_surveillance(Intent(data["intent"]))
    try:
        strategy = Strategy.model_validate(data)
    except ValidationError as error:
        raise InputError(field_problems(error)) from None
    return _checked(strategy, catalogue)


def _checked(strategy: Strategy, catalogue: Catalogue) -> Strategy:
    if strategy.surveillance not in catalogue.surveillance:
        names = catalogue.names("surveillance")
        raise InputError(
            catalogue.unknown(strategy.surveillance, "surveillance schedule", names, "surveillance")
        )
    for name in strategy.rule_sets:
        if name not in catalogue.rule_sets:
            names = list(catalogue.rule_sets)
            near = catalogue.suggest(name, names)
            hint = f"Did you mean {near}?" if near else ""
            raise InputError(Problem("dose_rules", f"{name!r} is unknown", ", ".join(names), hint))
    _check_after(strategy, catalogue)
    try:
        if strategy.steps:
            parse_steps(format_steps(strategy.steps), catalogue)
    except Fault as fault:
        raise InputError(Problem("steps", fault.message, fault.allowed, fault.suggestion)) from None
    return strategy.model_copy(update={"steps": completed(strategy.steps, catalogue)})


def _read_lines(data: dict[str, Any], catalogue: Catalogue) -> None:
    """Turn lines written as expressions (`folfiri + bevacizumab`) into lists of regimens, in place."""
    after = data.get("after")
    if not isinstance(after, dict) or not isinstance(after.get("lines"), list):
        return
    lines: list[object] = []
    for index, text in enumerate(after["lines"]):
        path = f"after.lines.{index}"
        try:
            steps = parse_steps(text, catalogue) if isinstance(text, str) else None
        except Fault as fault:
            raise InputError(Problem(path, fault.message, fault.allowed, fault.suggestion)) from None
        if steps is None:
            lines.append(text)
        elif len(steps) == 1 and steps[0] == Step(regimens=steps[0].regimens) and steps[0].regimens:
            lines.append(steps[0].regimens)
        else:
            raise InputError(Problem(path, "a line is regimens given together until progression", "a + b"))
    data["after"] = {**after, "lines": lines}


def _check_after(strategy: Strategy, catalogue: Catalogue) -> None:
    for index, regimens in enumerate(strategy.after.lines or []):
        try:
            parse_steps(" + ".join(regimens), catalogue)
        except Fault as fault:
            problem = Problem(f"after.lines.{index}", fault.message, fault.allowed, fault.suggestion)
            raise InputError(problem) from None
    repeat = strategy.after.repeat_local
    if repeat and repeat.procedure is not None and repeat.procedure not in catalogue.procedures:
        names = catalogue.names("procedures")
        where = "after.repeat_local.procedure"
        raise InputError(catalogue.unknown(repeat.procedure, "procedure", names, where))


def field_problems(error: ValidationError) -> list[Problem]:
    """The faults of a record as problems: path, what is wrong, what is allowed, the nearest word."""
    return [_field_problem(e) for e in error.errors()]


def _field_problem(fault: Any) -> Problem:
    loc, kind, message = fault["loc"], fault["type"], str(fault["msg"]).removeprefix("Value error, ")
    path = ".".join(map(str, loc))
    words: list[str] = []
    wrong = str(fault.get("input"))
    if kind in ("literal_error", "enum"):
        words = re.findall(r"'([^']*)'", fault["ctx"]["expected"])
        message = f"{wrong!r} is unknown"
    elif kind == "extra_forbidden":
        wrong = str(loc[-1])
        model = next((RECORDS[n] for n in reversed(loc[:-1]) if n in RECORDS), Strategy)
        words = [f.alias or name for name, f in model.model_fields.items()]
        message = "there is no such field"
    near = difflib.get_close_matches(wrong, words, n=1)
    return Problem(path, message, ", ".join(words), f"Did you mean {near[0]}?" if near else "")


def is_file(text: str) -> bool:
    """Does the text name a strategy file, with or without `#name`?"""
    return text.partition("#")[0].strip().endswith(ENDINGS)


def strategy_of_file(text: str, catalogue: Catalogue | None = None) -> Strategy:
    """The strategy of `mine.yaml`, or of `mine.yaml#name` when the file holds several. Raises InputError."""
    path, _, name = text.strip().partition("#")
    found = {plain_name(s.name): s for s in load_strategy_file(path, catalogue)}
    if not name and len(found) == 1:
        return next(iter(found.values()))
    if plain_name(name) not in found:
        message = f"holds no strategy {name!r}" if name else "holds several strategies"
        hint = f"Write {path}#{next(iter(found))}"
        raise InputError(Problem("", message, ", ".join(found), hint), source=path)
    return found[plain_name(name)]


def load_strategy_file(path: Path | str, catalogue: Catalogue | None = None) -> list[Strategy]:
    """The strategies of a YAML file: one mapping, or a list of them. Raises InputError."""
    catalogue, path = catalogue or load_catalogue(), Path(path)
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputError(
                Problem("", "the file is too large", f"{MAX_FILE_BYTES} bytes"), source=str(path)
            )
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except OSError as error:
        raise InputError(Problem("", f"cannot be read ({error.strerror})"), source=str(path)) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            Problem("", f"is not readable YAML ({_first_line(error)})"), source=str(path)
        ) from None
    records = content if isinstance(content, list) else [content]
    if not records:
        raise InputError(Problem("", "holds no strategy"), source=str(path))
    try:
        return [strategy_from_record(record, catalogue) for record in records]
    except InputError as error:
        raise InputError(error.problems, source=str(path)) from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
