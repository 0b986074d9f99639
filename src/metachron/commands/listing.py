"""`metachron strategies`, `example` and `schema`: what there is to choose from and to fill in."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metachron.commands import files, terminal
from metachron.commands.inputs import did_you_mean, one_of
from metachron.errors import InputError, Problem

SECTIONS = ("strategies", "drugs", "regimens", "procedures", "cells", "surveillance")


def sections() -> dict[str, Mapping[str, Any]]:
    """The catalogue by kind: name -> entry, in the order of its files."""
    from metachron.strategies.catalogue import load_catalogue

    catalogue = load_catalogue()
    return {kind: getattr(catalogue, kind) for kind in SECTIONS}


def list_catalogue() -> None:
    """One table for each kind of entry."""
    from rich.table import Table

    console = terminal.output_console()
    for kind, entries in sections().items():
        table = Table("name", "title", title=kind.capitalize(), title_justify="left", box=None)
        for name, entry in entries.items():
            table.add_row(name, entry.title)
        console.print(table)
        console.print()
    print(
        "`metachron strategies NAME` shows one; combine them as in 'mfolfox6*6 + bevacizumab > hepatectomy'."
    )


def show_entry(name: str) -> None:
    """One entry, or a composed strategy laid out in steps, as YAML without its empty fields.

    Raises InputError when `name` is neither in the catalogue nor in the composition language.
    """
    import yaml

    everything = {key: entry for part in sections().values() for key, entry in part.items()}
    entry = everything.get(name) or resolve_expression(name, everything)
    content = without_nothing(entry.model_dump(mode="json"))
    print(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100), end="")


def resolve_expression(expression: str, names: Mapping[str, Any]) -> Any:
    """The strategy an expression stands for; a single unknown word gets a hint instead."""
    from metachron.strategies.catalogue import load_catalogue
    from metachron.strategies.language import resolve

    if expression.replace("_", "").replace("-", "").isalnum():
        hint = did_you_mean(expression, names) or "`metachron strategies` lists them"
        raise InputError(Problem("", f"no entry of the catalogue is named {expression!r}", "", hint))
    return resolve(expression, load_catalogue())


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
    from metachron.patient.examples import example_names, example_path

    source = Path(example_path(one_of(name, example_names(), "example", "metachron example")))
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
    """JSON Schema (draft 2020-12) of the patient or the plan document on stdout."""
    one_of(document, ("patient", "plan"), "schema", "metachron schema --help")
    if document == "patient":
        from metachron.patient.load import patient_json_schema

        schema = patient_json_schema()
    else:
        from metachron.plan.results import Plan

        schema = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **Plan.model_json_schema(mode="serialization"),
        }
    print(json.dumps(schema, indent=2, ensure_ascii=True))
