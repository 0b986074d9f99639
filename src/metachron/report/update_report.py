"""The report of how belief moved (stub)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from metachron.optimise.update.results import Update


def update_context(document: Update) -> dict[str, Any]:
    return {"document": document}


def update_sections(document: Update) -> list[tuple[str, str]]:
    return []


def write_update_report(document: Update, path: Path) -> Path:
    raise NotImplementedError
