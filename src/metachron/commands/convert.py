"""`metachron convert`: a table of patients becomes patient files and a separate table of outcomes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from metachron.commands import files, terminal
from metachron.errors import InputError, Problem

if TYPE_CHECKING:
    from metachron.patient.schema import Patient

OUTCOMES = "outcomes.csv"


def run_convert(table: Path, out: Path, column_map: Path | None, *, force: bool) -> None:
    """Write `out`/ID.json for every row and `out`/outcomes.csv: all of them, or nothing.

    Raises InputError for a bad table or map, or when `out` holds files and `force` is false.
    """
    files.check_folder(out, "--out")
    if out.is_dir() and any(out.iterdir()) and not force:
        hint = "Choose a new folder, so that no old patient stays among them, or give --force"
        raise InputError(Problem("--out", f"{out} is not empty", "an empty or new folder", hint))
    from metachron.interop.column_map import read_map
    from metachron.interop.crlm_table import convert_table
    from metachron.interop.outcomes import outcomes_csv

    converted = convert_table(table, read_map(column_map))
    content = {
        out / name: files.text_writer(patient_json(p)) for name, p in names(converted.patients).items()
    }
    if converted.outcomes:
        content[out / OUTCOMES] = files.text_writer(outcomes_csv(converted.outcomes))
    files.write_all(content)
    for note in converted.notes:
        terminal.say(f"note: {note}")
    print(f"Wrote {len(converted.patients)} patients to {out}.")
    if converted.outcomes:
        print(f"What happened to them is apart, in {out / OUTCOMES}. Next: metachron cohort {out}")


def names(patients: list[Patient]) -> dict[str, Patient]:
    """File name of each patient. Raises InputError when two identifiers give one name."""
    found: dict[str, Patient] = {}
    for patient in patients:
        name = f"{files.folder_name(patient.id)}.json"
        if name.casefold() in {known.casefold() for known in found}:
            raise InputError(Problem("id", f"{patient.id!r} and another give the one file name {name}"))
        found[name] = patient
    return found


def patient_json(patient: Patient) -> str:
    """A patient file with only what is recorded."""
    record = patient.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    record = {"schema_version": patient.schema_version, **record}
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"
