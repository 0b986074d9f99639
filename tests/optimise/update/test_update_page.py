"""The page on updates is current, and its example is a valid finding."""

from __future__ import annotations

from pathlib import Path

import yaml

from metachron.optimise.update.docs import MODELS, update
from metachron.optimise.update.read import parse_finding

PAGE = Path(__file__).resolve().parents[3] / "docs" / "update.md"


def test_page_is_current() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert update(text) == text, "renew with: python -m metachron.optimise.update.docs docs/update.md"


def test_every_field_says_what_it_is() -> None:
    assert not [f"{m.__name__}.{n}" for m in MODELS for n, f in m.model_fields.items() if not f.description]


def test_the_example_of_the_page_is_a_finding() -> None:
    text = PAGE.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    assert parse_finding(yaml.safe_load(text)).toxicity[0].grade == 4
