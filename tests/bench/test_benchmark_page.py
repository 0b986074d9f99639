"""The page of benchmarks belongs to the scripts that are there."""

from __future__ import annotations

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def maker(repository: Path) -> ModuleType:
    path = str(repository / "scripts" / "benchmarks")
    spec = importlib.util.spec_from_loader("benchmarks_script", SourceFileLoader("benchmarks_script", path))
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    assert spec.loader is not None
    spec.loader.exec_module(module)
    return module


def test_every_script_has_its_block_and_every_block_its_script(maker: ModuleType) -> None:
    page = maker.PAGE.read_text(encoding="utf-8")
    assert sorted(maker.blocks(page)) == sorted(maker.names()), "renew with: make bench"


def test_pictures_of_the_page_are_there(maker: ModuleType) -> None:
    page = maker.PAGE.read_text(encoding="utf-8")
    for line in page.splitlines():
        if line.startswith("!["):
            target = line[line.index("](") + 2 : -1]
            assert (maker.PAGE.parent / target).is_file(), target


def test_update_replaces_adds_and_drops(maker: ModuleType) -> None:
    page = f"text\n{maker.BEGIN}\n{maker.END}\nmore\n"
    page = maker.update(page, {"a": "1", "b": "2", "c": "3"}, ["a", "b", "c"], "this one")
    page = maker.update(page, {"b": "two"}, ["b", "a"], "that one")
    assert maker.blocks(page) == {"b": "two", "a": "1"}
    assert page.startswith("text\n")
    assert page.endswith("more\n")
    assert page.index("two") < page.index("\n1\n")
    assert "Machine: that one." in page
    assert "this one" not in page


def test_unknown_names_are_refused(maker: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert maker.main(["nonsense"]) == 2
    assert "nonsense" in capsys.readouterr().err


def test_every_section_has_one_heading_of_the_second_level_first(maker: ModuleType) -> None:
    assert maker.section("x", "# A\n\ntext\n\n## B") == "## A\n\ntext\n\n### B"
    assert maker.section("cost", "## A\n\n### B") == "## A\n\n### B"
    assert maker.section("accuracy", "| a |") == "## Accuracy\n\n| a |"
