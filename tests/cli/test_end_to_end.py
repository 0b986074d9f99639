"""The whole way with nothing replaced, as a user runs it, small enough for every test run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from metachron.plan.results import Plan

ARGUMENTS = ["plan", "metachronous_solitary", "--twins", "200", "--draws", "4", "--horizon", "5"]
STRATEGIES = [
    "--strategy",
    "hepatectomy",
    "--strategy",
    "observation",
    "--strategy",
    "mfolfox6*6 > hepatectomy",
]


def planned(folder: Path, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the plan of a bundled example in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "metachron", *ARGUMENTS, *STRATEGIES, *more],
        capture_output=True,
        check=False,
        cwd=folder,
        encoding="utf-8",
        timeout=300,
        env={**os.environ, **environment},
    )


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("plan")
    return folder, planned(folder, "--out", "here", "--jobs", "1", PYTHONIOENCODING="utf-8")


def test_table_and_report(first: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, result = first
    assert result.returncode == 0, result.stderr
    assert "Report: here/report.html" in result.stdout
    assert "fitted" in result.stdout
    assert "Traceback" not in result.stderr
    report = (folder / "here" / "report.html").read_text("utf-8")
    assert report.rstrip().endswith("</html>")
    assert {p.name for p in (folder / "here").iterdir()} == {"report.html", "plan.json"}


def test_document_fits_the_model(first: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, _ = first
    plan = Plan.model_validate_json((folder / "here" / "plan.json").read_text("utf-8"))
    assert len(plan.strategies) == 3
    assert plan.seed == 1
    for strategy in plan.strategies:
        assert (strategy.outcomes is not None) == (strategy.eligible == "yes") or strategy.reasons


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core")
def test_threads_do_not_change_the_numbers(first: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, _ = first
    again = planned(folder, "--json", "--jobs", "2", PYTHONIOENCODING="utf-8")
    assert again.returncode == 0, again.stderr
    assert again.stdout == (folder / "here" / "plan.json").read_text("utf-8")


def test_plain_terminal_gets_a_plain_table(tmp_path: Path) -> None:
    result = planned(tmp_path, PYTHONIOENCODING="ascii", NO_COLOR="1", TERM="dumb")
    assert result.returncode == 0, result.stderr
    assert (result.stdout + result.stderr).isascii()
    assert "\x1b" not in result.stdout + result.stderr


def test_an_unknown_strategy_is_refused_before_anything_is_simulated(tmp_path: Path) -> None:
    result = planned(tmp_path, "--strategy", "mfolfx6*6 > hepatectomy")
    assert result.returncode == 2
    assert "mfolfox6" in result.stderr
    assert not list(tmp_path.iterdir())
    assert result.stdout == ""
