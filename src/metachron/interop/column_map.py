"""How the columns of a table are read: a column map, built in or from a YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from metachron.errors import InputError, Problem
from metachron.patient import schema_tree as tree
from metachron.patient.suggest import closest
from metachron.patient.text import parse_text

MAPS = Path(__file__).parent / "maps"
BUILT_IN = MAPS / "colorectal_liver_metastases.yaml"
PLAIN = MAPS / "resected_liver_metastases.yaml"
# Months from the operation on the primary to the first metastasis: no field of the record, which has dates
INTERVAL = "interval_months"
MAX_BYTES = 20_000_000
Endpoint = Literal["os", "rfs", "hepatic_rfs"]
SCALARS = {"number", "integer", "boolean", "string", "date"}
MUST_BE_KNOWN = ("id", "age_years", "assessed_on")
MONTHS = {"months": 1.0, "days": 12 / 365.25, "years": 12.0}


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(Strict):
    """One column that fills one field of the patient."""

    field: str
    values: dict[str, bool | int | float | str | None] = Field(
        default_factory=dict, description="Code in the table -> value of the field; null means unknown."
    )
    factor: float | None = Field(None, gt=0, description="Number in the table times this is the field's.")
    optional: bool = Field(False, description="The table may lack the column.")


class Outcome(Strict):
    """Two columns that say what happened: time from the operation, and 1 event or 0 censored."""

    time: str
    event: str
    optional: bool = Field(False, description="The table may lack both columns.")


class ColumnMap(Strict):
    """A whole map. `ignored` names columns left out on purpose, with the reason."""

    name: str
    missing: list[str] = ["", "-999"]
    delimiter: str = Field(",", min_length=1, max_length=1)
    decimal: Literal[".", ","] = "."
    constants: dict[str, Any] = {}
    columns: dict[str, Column]
    outcomes: dict[Endpoint, Outcome] = {}
    outcome_unit: Literal["months", "days", "years"] = "months"
    ignored: dict[str, str] = {}

    def column_of(self, field: str) -> str:
        """Name of the column that fills a field; empty when none does."""
        return next((name for name, column in self.columns.items() if column.field == field), "")

    def used(self) -> set[str]:
        """Every column the map reads, outcomes included."""
        pairs = [(o.time, o.event) for o in self.outcomes.values()]
        return {*self.columns, *(name for pair in pairs for name in pair)}


def read_text(path: Path, what: str) -> str:
    """UTF-8 text of a file of at most 20 MB. Raises InputError naming `what` it should have been."""
    try:
        if not path.is_file():
            fault = "this is a folder" if path.is_dir() else "there is no such file"
            raise InputError(Problem("", fault, "", f"Name {what}"), source=str(path))
        raw = path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
    except OSError as error:
        message = f"the file cannot be read: {error.strerror or error}"
        raise InputError(Problem("", message), source=str(path)) from None
    if raw is None:
        raise InputError(Problem("", "the file is too large", "at most 20 MB", f"Name {what}"), str(path))
    if not raw.strip(b" \t\r\n\xef\xbb\xbf"):
        raise InputError(Problem("", "the file is empty", "", f"Name {what}"), source=str(path))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise InputError(
            Problem("", f"this is not {what} in UTF-8 text", "UTF-8 text", "Save it again as UTF-8"),
            str(path),
        )
    return text


def read_map(path: Path | None = None) -> ColumnMap:
    """The map of a YAML file, or the built-in one of Colorectal-Liver-Metastases.

    Raises InputError with everything wrong in it: form, fields that do not exist, columns used twice.
    """
    file = path or BUILT_IN
    text = read_text(file, "a column map (YAML)")
    try:
        found = ColumnMap.model_validate(parse_text(text, ".yaml"))
    except ValidationError as error:
        faults = [Problem(".".join(map(str, e["loc"])), e["msg"]) for e in error.errors()]
        raise InputError(faults, source=str(file)) from None
    except InputError as error:
        raise InputError(error.problems, source=str(file)) from None
    if problems := check_map(found):
        raise InputError(problems, source=str(file))
    return found


def map_of_table(path: Path) -> ColumnMap:
    """The built-in map whose columns the table has: that of the public collection, else the plain one."""
    public = read_map(BUILT_IN)
    header = {
        cell.strip().strip('"') for cell in read_text(path, "a table (CSV)").split("\n", 1)[0].split(",")
    }
    needed = {name for name, column in public.columns.items() if not column.optional}
    return public if needed <= header else read_map(PLAIN)


def check_map(found: ColumnMap) -> list[Problem]:
    """What is wrong with a map of the right form."""
    places = [(f"columns.{name}.field", column.field) for name, column in found.columns.items()]
    places += [(f"constants.{name}", name) for name in found.constants]
    problems = [problem for where, field in places if (problem := _field_problem(where, field))]
    fields = [field for _, field in places]
    problems += [
        Problem(where, f"{field} is filled twice", "one column or constant for each field")
        for i, (where, field) in enumerate(places)
        if field in fields[:i]
    ]
    problems += [
        Problem(
            "columns", f"nothing fills {field}, which must be known", "", "Map a column or add a constant"
        )
        for field in MUST_BE_KNOWN
        if field not in fields
    ]
    if "id" in found.constants:
        problems.append(Problem("constants.id", "patients need different names", "", "Map a column to id"))
    results = [name for o in found.outcomes.values() for name in (o.time, o.event)]
    problems += [
        Problem(f"columns.{name}", "what happened afterwards may not be told to the model", "", "Remove it")
        for name in found.columns
        if name in results
    ]
    return problems


def _field_problem(where: str, field: str) -> Problem | None:
    if field == INTERVAL and where.startswith("columns."):
        return None
    at = tree.node(tuple(field.split(".")))
    if at is None:
        known = [tree.write_path(path) for path, _ in tree.all_fields()]
        near = closest(field, known)
        return Problem(
            where, f"there is no field {field!r}", "a field of docs/patient.md", _did_you_mean(near)
        )
    listed = at.kind == "array" and where.startswith("constants.")
    if at.kind not in SCALARS and not listed:
        return Problem(where, f"{field} is {at.kind}, not one value", "a field with one value")
    return None


def _did_you_mean(near: str) -> str:
    return f"Did you mean {near}?" if near else ""
