"""`metachron timetable`: the calendar of one strategy of a plan or a search, as .ics and .csv."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metachron.commands import files, terminal
from metachron.errors import InputError, Problem

if TYPE_CHECKING:
    from metachron.interop.calendar_file import Document

ICS, CSV = "timetable.ics", "timetable.csv"
KNOWN = ("metachron-plan/1", "metachron-optimise/1", "metachron-update/1")
MOST_BYTES = 200_000_000


@dataclass(frozen=True)
class TimetableOptions:
    """The options of `metachron timetable`; `start` as it was typed."""

    document: Path
    strategy: str | None
    start: str | None
    out: Path | None


def run_timetable(options: TimetableOptions) -> None:
    """Write both files beside the document, or in the folder asked for, and say where they are.

    Raises InputError: not a document of metachron, no such strategy, a wrong date, no folder to write to.
    """
    from metachron.interop.calendar_file import (
        csv_text,
        ics_bytes,
        parse_date,
        timetable_of,
    )

    start = parse_date(options.start) if options.start is not None else None
    folder = options.out or options.document.parent
    files.check_folder(folder, "--out")
    table = timetable_of(read_document(options.document), options.strategy, start)
    calendar = ics_bytes(table)
    files.write_all(
        {
            folder / ICS: lambda path: path.write_bytes(calendar),
            folder / CSV: files.text_writer(csv_text(table)),
        }
    )
    first, last = table.date_of(table.events[0].day), table.date_of(table.events[-1].day)
    print(
        terminal.clean(
            f"{table.title}: {len(table.events)} events, {first} to {last} (day 0 is {table.start})"
        )
    )
    print(f"Calendar: {folder / ICS}")
    print(f"Table:    {folder / CSV}")
    terminal.say(table.disclaimer)


def read_document(path: Path) -> Document:
    """The plan, the document of a search, or the plan of an update in a JSON file.

    Raises InputError, OSError.
    """
    found = read_json(path)
    name = found.get("schema_name")
    if name == KNOWN[0]:
        from metachron.plan.results import Plan

        plan: Plan = validated(Plan, found, path)
        return plan
    if name == KNOWN[1]:
        from metachron.optimise.results import Optimisation

        search: Optimisation = validated(Optimisation, found, path)
        return search
    if name == KNOWN[2]:
        from metachron.optimise.update.results import Update

        update: Update = validated(Update, found, path)
        return update.plan
    what = f"'{terminal.clean(str(name))[:80]}'" if name else "missing"
    raise InputError(
        Problem(
            "schema_name", f"is {what}", ", ".join(KNOWN), "Give a plan.json, optimise.json or update.json"
        ),
        str(path),
    )


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises InputError."""
    if not path.exists():
        raise InputError(Problem("", "there is no such file", "", "`metachron plan` writes one"), str(path))
    if path.is_dir():
        raise InputError(Problem("", "is a folder, not a file", "", f"Try {path / 'plan.json'}"), str(path))
    if path.stat().st_size > MOST_BYTES:
        raise InputError(Problem("", "is too large", f"up to {MOST_BYTES // 1_000_000} MB"), str(path))
    hint = "Give a plan.json, optimise.json or update.json"
    try:
        text = path.read_text(encoding="utf-8")
        if not text.strip():
            raise InputError(Problem("", "the file is empty", "", hint), str(path))
        found = json.loads(text)
    except UnicodeDecodeError:
        raise InputError(Problem("", "is binary data, not text", "UTF-8 JSON", hint), str(path)) from None
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(Problem("", f"is not JSON: {str(error)[:120]}", "", hint), str(path)) from None
    if not isinstance(found, dict):
        raise InputError(Problem("", "is not a document of metachron", "a JSON object"), str(path))
    return found


def validated(model: Any, found: dict[str, Any], path: Path) -> Any:
    """The document as its model. Raises InputError with the first faults."""
    from pydantic import ValidationError

    try:
        return model.model_validate(found)
    except ValidationError as error:
        problems = [
            Problem(".".join(str(part) for part in fault["loc"]), fault["msg"])
            for fault in error.errors(include_url=False, include_input=False)[:8]
        ]
        raise InputError(problems, str(path)) from None
