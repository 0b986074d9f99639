"""Stages on disk: what a killed run had finished is read back, and nothing half-written is ever read."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np

from metachron.errors import InputError, Problem

Arrays = dict[str, np.ndarray[Any, Any]]
# What decides what a life is: a run is not continued after any of it has changed
SIMULATION = ("engine", "model", "patient", "population", "strategies", "parameters")
CALIBRATION = (
    "simulate", "courses", "space", "design", "layout", "likelihood", "emulator", "posterior", "terms",
    "ffcd", "ffcd_data", "ffcd_match", "ffcd_paths", "ffcd_surface",
)  # fmt: skip


def save(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write arrays as .npz, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("wb") as file:
        np.savez_compressed(file, **dict(arrays))
    os.replace(temporary, path)


def load(path: Path) -> Arrays:
    with np.load(path, allow_pickle=False) as found:
        return {name: found[name] for name in found.files}


def stage(path: Path, make: Callable[[], Mapping[str, Any]]) -> Arrays:
    """The arrays of a finished stage; otherwise make them and write them down."""
    if not path.exists():
        save(path, make())
    return load(path)  # also after making: a resumed run must see the very same numbers


def digest(text: str | bytes) -> str:
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def code_digest() -> str:
    """Hash of the sources and data files that decide what is simulated and how it is fitted."""
    total = hashlib.sha256()
    root = files("metachron")
    folders = [root / name for name in SIMULATION]
    found = [item for folder in folders for item in _walk(folder)]
    found += [root / "calibrate" / f"{name}.py" for name in CALIBRATION]
    for item in sorted(found, key=str):
        total.update(item.name.encode() + b"\0" + item.read_bytes() + b"\0")
    return total.hexdigest()


def _walk(folder: Traversable) -> list[Traversable]:
    found: list[Traversable] = []
    for item in folder.iterdir():
        if item.is_dir() and item.name not in ("__pycache__", "ensemble"):
            found += _walk(item)
        elif item.name.endswith((".py", ".yaml")):
            found.append(item)
    return found


def open_run(folder: Path, fingerprint: Mapping[str, Any], *, resume: bool) -> None:
    """Begin or continue a run in `folder`.

    Raises InputError when it holds a run and `resume` is not given, and when that run was made with other
    targets, settings or code.
    """
    path = folder / "run.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(dict(fingerprint), indent=2) + "\n", encoding="utf-8")
        return
    if not resume:
        message = f"{folder} holds a run already"
        raise InputError(Problem("--out", message, "", "Add --resume, or choose another folder"))
    before = json.loads(path.read_text(encoding="utf-8"))
    changed = [name for name, value in fingerprint.items() if before.get(name) != value]
    if changed:
        message = f"the run in {folder} was made with other {', '.join(changed)}"
        raise InputError(Problem("--resume", message, "", "Choose another folder"))
