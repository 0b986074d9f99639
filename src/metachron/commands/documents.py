"""The documents commands make (plan, search, update, explanation): as JSON text, and where they go."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from metachron.commands import files

if TYPE_CHECKING:
    from pydantic import BaseModel


def json_text(document: BaseModel, *, escape: bool = False) -> str:
    """The document as text, keys in the order of the model; `escape` keeps it within ASCII."""
    content = document.model_dump(mode="json")
    return json.dumps(content, indent=2, ensure_ascii=escape, allow_nan=False) + "\n"


def json_writer(document: BaseModel) -> files.Writer:
    """Writes the document to a file."""
    return files.text_writer(json_text(document))


def print_json(document: BaseModel) -> None:
    """The document on stdout, in ASCII where stdout is not UTF-8."""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    sys.stdout.write(json_text(document, escape=not encoding.startswith("utf8")))


def folder_for(given: Path | None, usual: Path, *, as_json: bool) -> Path | None:
    """The folder to write to: `given`, else `usual` unless JSON is printed instead.

    Raises InputError when it cannot be written to.
    """
    folder = usual if given is None and not as_json else given
    if folder is not None:
        files.check_folder(folder, "--out")
    return folder
