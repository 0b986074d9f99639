"""The page says what the document holds."""

from __future__ import annotations

from pathlib import Path

from metachron.optimise.understand.docs import renewed
from metachron.optimise.understand.make import PARTS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "understand.md"


def test_the_tables_are_up_to_date() -> None:
    text = PAGE.read_text("utf-8")
    assert renewed(text) == text, "run python -m metachron.optimise.understand.docs docs/understand.md"


def test_every_part_is_explained() -> None:
    text = PAGE.read_text("utf-8")
    for part in PARTS:
        assert f"| `{part}` |" in text
