"""docs/optimise.md: names that exist, and figures that its commands print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from metachron.cli import run
from metachron.optimise.objectives import OBJECTIVES
from metachron.optimise.planned import FIGURES
from metachron.optimise.utilities import load_utilities


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "optimise.md").read_text("utf-8")


def block(page: str, name: str) -> list[str]:
    inside = page.partition(f"<!-- begin: {name} -->")[2].partition(f"<!-- end: {name} -->")[0]
    return [line for line in inside.splitlines() if line.strip() and not line.startswith("```")]


def test_names_are_those_of_the_program(page: str) -> None:
    for name in (*OBJECTIVES, *FIGURES):
        assert f"`{name}`" in page, name


def test_utilities_are_those_of_the_data(page: str) -> None:
    data = load_utilities()
    for q in data.states.values():
        assert f"{q.value:g}" in page
    for kind in ("febrile neutropenia", "diarrhoea", "hand-foot syndrome"):
        assert f"{data.episode(kind).loss.value:g}" in page


def commands(page: str) -> dict[str, list[str]]:
    """Arguments of the two documented runs, by block."""
    flat = " ".join(page.split())
    first = re.search(r"From `metachron (optimise metachronous_solitary .*?)`:", flat)
    second = re.search(r"the same patient with `(--objective rmst,burden .*?)`:", flat)
    assert first is not None
    assert second is not None
    front = ["optimise", "metachronous_solitary", *shlex.split(second[1])]
    return {"table": shlex.split(first[1]), "sentences": shlex.split(first[1]), "front": front}


@pytest.mark.slow
def test_figures_are_printed_by_the_commands(
    page: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    printed: dict[str, set[str]] = {}
    for name, arguments in commands(page).items():
        if str(arguments) not in printed:
            assert run([*arguments, "--out", str(tmp_path / name)]) == 0
            out = capsys.readouterr().out
            printed[str(arguments)] = {line.rstrip() for line in out.splitlines()}
        missing = [line for line in block(page, name) if line.rstrip() not in printed[str(arguments)]]
        assert not missing
