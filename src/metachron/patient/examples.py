"""The example patients that come with metachron, one for each situation it was made for."""

from __future__ import annotations

import difflib
from importlib.resources import files
from pathlib import Path

from metachron.errors import InputError, Problem
from metachron.patient.load import read_patient
from metachron.patient.schema import Patient


def _folder() -> Path:
    return Path(str(files("metachron.patient") / "examples"))


def example_names() -> list[str]:
    """Names of the example patients, sorted."""
    return sorted(path.stem for path in _folder().glob("*.json"))


def example_path(name: str) -> Path:
    """The file of one example; raises InputError for an unknown name."""
    names = example_names()
    known = name.removesuffix(".json")
    if known not in names:
        close = difflib.get_close_matches(known.casefold().replace("-", "_"), names, 1, 0.4)
        hint = f"Did you mean {close[0]}?" if close else "Choose one of these"
        raise InputError(Problem("", f'there is no example "{name[:60]}"', ", ".join(names), hint))
    return _folder() / f"{known}.json"


def read_example(name: str) -> Patient:
    """One example patient; raises InputError for an unknown name."""
    return read_patient(example_path(name))
