"""The page on the plan document is current."""

from __future__ import annotations

from pathlib import Path

from metachron.plan.docs import MODELS, update

PAGE = Path(__file__).resolve().parents[2] / "docs" / "plan.md"


def test_page_is_current() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert update(text) == text, "renew with: python -m metachron.plan.docs docs/plan.md"


def test_every_field_says_what_it_is() -> None:
    silent = [f"{m.__name__}.{n}" for m in MODELS for n, f in m.model_fields.items() if not f.description]
    assert not silent
