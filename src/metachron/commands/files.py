"""Files are written whole or not at all."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from metachron.errors import InputError, Problem

Writer = Callable[[Path], object]


def folder_name(patient_id: str) -> str:
    """A folder name made from an identifier: no separators, no hidden or special names."""
    name = re.sub(r"[^\w.-]+", "-", patient_id).strip(".-")
    return name[:80] or "patient"


def check_folder(folder: Path, option: str) -> None:
    """Refuse, before any work is done, a folder that cannot be written to.

    Raises InputError when the path, or what stands in its way, is a file or is not writable.
    """
    made: list[Path] = []
    try:
        nearest = next((f for f in (folder, *folder.parents) if f.exists()), folder)
        if nearest.exists() and not nearest.is_dir():
            message = f"{nearest} is a file, not a folder"
            raise InputError(Problem(option, message, "", "Choose another folder"))
        made = make_folders(folder)
        reserve(folder / "x").unlink()  # access() says nothing of a read-only or virtual file system
    except OSError as error:
        message = f"{folder} cannot be written to ({(error.strerror or 'refused').lower()})"
        raise InputError(Problem(option, message, "", "Choose another folder")) from None
    finally:
        for empty in reversed(made):
            empty.rmdir()


def write_all(files: dict[Path, Writer]) -> None:
    """Write every file beside its place under a temporary name, then move all into place.

    A writer gets the temporary path. If any fails, none of the files appears, nor a folder made for them.
    """
    staged: list[tuple[Path, Path]] = []
    made: list[Path] = []
    try:
        for path, writer in files.items():
            made += make_folders(path.parent)
            temporary = reserve(path)
            staged.append((temporary, path))
            writer(temporary)
        for temporary, path in staged:
            os.replace(temporary, path)
    finally:
        for temporary, _ in staged:
            temporary.unlink(missing_ok=True)
        for folder in reversed(made):
            if not any(folder.iterdir()):
                folder.rmdir()


def make_folders(folder: Path) -> list[Path]:
    """Make a folder and what is missing above it; returns those made, outermost first."""
    missing = [f for f in (folder, *folder.parents) if not f.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing[::-1]


def reserve(path: Path) -> Path:
    """An empty file beside `path`, on the same file system, with the permissions of a usual file."""
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    mask = os.umask(0)
    os.umask(mask)
    os.chmod(name, 0o666 & ~mask)
    return Path(name)


def text_writer(text: str) -> Writer:
    return lambda path: path.write_text(text, encoding="utf-8", newline="\n")
