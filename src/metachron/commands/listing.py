"""`metachron strategies`, `example` and `schema`: what there is to choose from and to fill in."""

from __future__ import annotations

import difflib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metachron.commands import files, terminal
from metachron.errors import InputError, Problem

if TYPE_CHECKING:
    from pydantic import BaseModel

DOCUMENTS = ("patient", "plan", "optimise", "finding", "update", "understand")


def list_catalogue() -> None:
    """One table for each kind of entry."""
    from rich.table import Table

    from metachron.strategies.catalogue import KINDS, load_catalogue

    console = terminal.output_console()
    for kind in KINDS:
        entries = load_catalogue().of_kind(kind)
        table = Table("name", "title", title=kind.capitalize(), title_justify="left", box=None)
        for name, entry in entries.items():
            table.add_row(name, entry.title)
        console.print(table)
        console.print()
    print(
        "`metachron strategies NAME` shows one; combine them as in 'mfolfox6*6 + bevacizumab > hepatectomy'."
    )


def show_entry(name: str) -> None:
    """Every entry of that name (hepatectomy is a procedure and a strategy), or a composed strategy laid
    out in steps, as YAML without its empty fields.

    Raises InputError when `name` is neither in the catalogue nor in the composition language.
    """
    import yaml

    for position, (kind, entry) in enumerate(find_entries(name)):
        content = without_nothing(entry.model_dump(mode="json"))
        print(("---\n" if position else "") + f"# {kind}")
        print(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100), end="")


def find_entries(name: str) -> list[tuple[str, BaseModel]]:
    """Kind and entry of everything that has this name, strategies first; at least one."""
    from metachron.strategies.catalogue import KINDS, load_catalogue, plain_name
    from metachron.strategies.language import resolve

    catalogue = load_catalogue()
    if any(sign in name for sign in ">+*@"):
        return [("composed strategy", resolve(name, catalogue))]
    catalogue.get(name)  # refuses an unknown name, with a hint
    plain = plain_name(name)
    return [(kind, catalogue.of_kind(kind)[plain]) for kind in KINDS if plain in catalogue.of_kind(kind)]


def without_nothing(value: Any) -> Any:
    """Drop empty fields, which say nothing to a reader."""
    if isinstance(value, dict):
        kept = {key: without_nothing(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in (None, "", [], {})}
    if isinstance(value, list):
        return [without_nothing(item) for item in value]
    return value


def list_examples() -> None:
    from metachron.patient.examples import example_names, read_example

    names = list(example_names())
    width = max(map(len, names), default=0)
    for name in names:
        print(f"{name:{width}}  {read_example(name).title or ''}".rstrip())
    print("`metachron example NAME` writes one to edit; `metachron plan NAME` plans for it.")


def write_example(name: str, out: Path | None, *, force: bool) -> None:
    """Copy an example to `out` ('-': stdout; None: NAME in the current folder).

    Raises InputError when the example does not exist, or the file does and `force` is false.
    """
    from metachron.patient.examples import example_path

    source = example_path(name)
    text = source.read_text(encoding="utf-8")
    if out == Path("-"):
        sys.stdout.write(text)
        return
    target = out or Path(source.name)
    if target.is_dir():
        target = target / source.name
    if target.exists() and not force:
        raise InputError(Problem("--out", f"{target} exists", "", "Give --force to overwrite it"))
    files.check_folder(target.parent, "--out")
    files.write_all({target: files.text_writer(text)})
    print(f"Wrote {target}. Edit it, then: metachron plan {target}")


def print_schema(document: str) -> None:
    """JSON Schema (draft 2020-12) of what is read or printed with --json on stdout."""
    if document not in DOCUMENTS:
        near = difflib.get_close_matches(document.lower(), DOCUMENTS, 1) or ["patient"]
        problem = f"there is no schema of {document!r}"
        raise InputError(Problem("", problem, " or ".join(DOCUMENTS), f"Did you mean {near[0]}?"))
    if document == "patient":
        from metachron.patient.load import patient_json_schema

        schema = patient_json_schema()
    elif document == "finding":
        from metachron.optimise.update.read import finding_json_schema

        schema = finding_json_schema()
    else:
        model = _model_of(document)
        schema = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **model.model_json_schema(mode="serialization"),
        }
    print(json.dumps(schema, indent=2, ensure_ascii=True))


def _model_of(document: str) -> type[BaseModel]:
    if document == "update":
        from metachron.optimise.update.results import Update

        return Update
    if document == "understand":
        from metachron.optimise.understand.results import Understanding

        return Understanding
    if document == "optimise":
        from metachron.optimise.results import Optimisation

        return Optimisation
    from metachron.plan.results import Plan

    return Plan
