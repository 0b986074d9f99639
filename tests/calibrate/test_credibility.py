"""The credibility file and the tables of the docs come from the figures, failures included."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_trials import curve, exponential_arm, trial

from metachron.calibrate import predict, validate
from metachron.calibrate.validate import Settings
from metachron.calibrate.validation import Validation
from metachron.report.credibility import credibility, goals
from metachron.report.validation_docs import accuracy_table, main, update

DOCS = Path(__file__).resolve().parents[2] / "docs"
HEADINGS = (
    "## Question of interest", "## Context of use", "## Model risk", "## Credibility goals",
    "## Verification", "## Calibration", "## Validation", "## Applicability",
)  # fmt: skip


def document(
    monkeypatch: pytest.MonkeyPatch, control: float, bev: float, others: tuple[float, float] = (0.2, 0.15)
) -> Validation:
    monkeypatch.setattr(predict, "simulate_arm", exponential_arm)
    other = trial("OTHER", curves=[curve("control", others[0]), curve("bev", others[1])])
    monkeypatch.setattr(validate, "load_targets", lambda: {"OTHER": other})
    mine = trial(curves=[curve("control", control), curve("bev", bev)])
    return validate.validate({"MINE": mine}, settings=Settings(draws=40, per_draw=100))


def test_goals_that_are_missed_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = document(monkeypatch, 0.03, 0.05, others=(0.035, 0.045))
    assert [g.met for g in goals(wrong)] == [False, False, False, False, False]
    text = credibility(wrong)
    assert "**no**" in text
    assert "MINE 1 PFS bev" in text
    assert "### Directions that were wrong" in text


def test_goals_that_are_met_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    right = document(monkeypatch, 0.10, 0.07)
    met = {g.name: g.met for g in goals(right)}
    assert met["Mean absolute error over follow-up"] is True
    assert met["Better than the nearest registered trial"] is True
    assert met["Direction of the effect"] is True
    assert "### Directions that were wrong" not in credibility(right)


def test_every_heading_is_there_and_the_basis_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    text = credibility(document(monkeypatch, 0.10, 0.07), accuracy="| State | 1 |")
    assert [h for h in HEADINGS if h not in text] == []
    assert "Judged on the" in text
    assert "| State | 1 |" in text


def test_the_docs_are_renewed_between_their_marks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = document(monkeypatch, 0.10, 0.07)
    (tmp_path / "validation.json").write_text(found.model_dump_json(), encoding="utf-8")
    for name in ("validation.md", "benchmarks.md"):
        (tmp_path / name).write_text((DOCS / name).read_text("utf-8"), encoding="utf-8")
    main(tmp_path, tmp_path / "validation.json")
    page = (tmp_path / "validation.md").read_text("utf-8")
    assert "| MINE" in page
    assert page.startswith("# Validation")
    assert "neutrophil nadir" in (tmp_path / "credibility.md").read_text("utf-8")
    with pytest.raises(ValueError, match="not found"):
        update("no marks", "validate", "x")


def test_no_accuracy_no_table() -> None:
    assert accuracy_table("nothing") == ""
