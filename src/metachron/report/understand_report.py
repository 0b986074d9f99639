"""The report of why one timetable comes out before another (stub)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from metachron.optimise.understand.results import Understanding


def understand_context(document: Understanding) -> dict[str, Any]:
    return {"document": document}


def understand_sections(document: Understanding) -> list[tuple[str, str]]:
    return []


def write_understand_report(document: Understanding, path: Path) -> Path:
    raise NotImplementedError
