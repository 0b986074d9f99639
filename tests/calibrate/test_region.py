"""The region written from the registry: one row an arm, current, and true to the trial files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from metachron.calibrate.domain import region, text
from metachron.calibrate.domain_docs import tables, update
from metachron.calibrate.targets import Target, load_targets, parse_target
from metachron.population.domain import PATH, load_region

TRIAL = {
    "trial": "T",
    "citation": {"text": "A trial made up for a test."},
    "setting": "first_line",
    "population": {
        "age_years": {"median": 60, "low": 30, "high": 80},
        "ecog": [0.5, 0.4, 0.1],
        "lesions": {"1": 0.2, "2-4": 0.5, "5+": 0.3},
        "sld_cm": {"median": 10, "sd_ln": 0.5},
        "liver_only": 0.25,
    },
    "arms": [
        {"name": "a", "strategy": "mfolfox6 + bevacizumab", "n": 100},
        {"name": "none", "strategy": "observation", "n": 50},
        {"name": "extra", "strategy": "mfolfox6", "n": 60, "not_modelled": ["erlotinib"]},
    ],
    "landmarks": [
        {"endpoint": "OS", "arm": "a", "months": 24, "survival": 0.4, "n": 100},
        {"endpoint": "PFS", "arm": "a", "months": 12, "survival": 0.4, "n": 100, "use": "shown",
         "reason": "read off a figure"},
        {"endpoint": "OS", "arm": "a", "months": 12, "survival": 0.8, "n": 100, "use": "shown",
         "reason": "twice"},
    ],
    "medians": [{"endpoint": "OS", "arm": "none", "months": 8, "n": 50}],
}  # fmt: skip


def trial(**changes: object) -> Target:
    return parse_target({**TRIAL, **changes})


def test_a_row_says_who_was_treated_with_what() -> None:
    a, none = region([trial()])
    assert (a["trial"], a["arm"], a["n"]) == ("T", "a", 100)
    assert a["given"] == ["anti-VEGF", "fluoropyrimidine", "oxaliplatin"]
    assert none["given"] == ["no treatment"]
    assert a["fitted"] == ["OS"]
    assert a["shown"] == ["PFS"]
    assert none["fitted"] == ["OS"]
    assert a["age"] == [30, 80]
    assert a["shares"]["ecog_2"] == pytest.approx(0.1)
    assert a["shares"]["extrahepatic"] == pytest.approx(0.75)
    assert a["lesions"] == 12  # an open bin: twice its start, twelve at least
    assert a["sum_mm"] == pytest.approx(100 * 2.718281828 ** (0.5 * 2.3263), abs=1)


def test_an_arm_with_a_drug_that_is_not_modelled_covers_nothing_unless_fitted() -> None:
    assert "extra" not in {r["arm"] for r in region([trial()])}
    fitted = [*TRIAL["medians"], {"endpoint": "OS", "arm": "extra", "months": 20, "n": 60}]  # type: ignore[misc]
    assert "extra" in {r["arm"] for r in region([trial(medians=fitted)])}


def test_operations_count_those_before_the_trial() -> None:
    arms = [{"name": "a", "strategy": "hepatectomy", "n": 9}, {"name": "b", "strategy": "mfolfox6*6", "n": 9},
            {"name": "c", "strategy": "repeat_hepatectomy", "n": 9}]  # fmt: skip
    bare = {"population": {}, "arms": arms, "landmarks": [], "medians": []}
    found = {r["arm"]: r["operations"] for r in region([trial(setting="liver_local", **bare)])}
    assert found == {"a": 1, "b": 0, "c": 2}
    after = {r["arm"]: r["operations"] for r in region([trial(setting="resected_metastases", **bare)])}
    assert after["b"] == 1


def test_the_adjuvant_setting_has_stages_and_no_visible_lesions() -> None:
    population = {"stage_2": 0.3, "t4": 0.1}
    row = region([trial(setting="adjuvant", population=population)])[0]
    assert row["lesions"] is row["sum_mm"] is row["largest_mm"] is None
    assert row["shares"]["stage_2"] == pytest.approx(0.3)
    assert row["shares"]["stage_1"] == 0


def test_the_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "domain.json"
    rows = region([trial()])
    path.write_text(text(rows), encoding="utf-8")
    found = load_region(path)
    assert [r.arm for r in found] == ["a", "none"]
    assert found[0].given == {"anti-VEGF", "fluoropyrimidine", "oxaliplatin"}
    assert json.loads(text([]))["arms"] == []


def test_the_file_of_the_package_is_current() -> None:
    rows = region(load_targets().values())
    assert PATH.read_text("utf-8") == text(rows), "run python -m metachron.calibrate.domain docs/domain.md"


def test_the_page_is_current(repository: Path) -> None:
    page = (repository / "docs" / "domain.md").read_text(encoding="utf-8")
    assert update(page, load_region()) == page, "run python -m metachron.calibrate.domain docs/domain.md"


def test_the_page_tells_fitted_from_shown(tmp_path: Path) -> None:
    path = tmp_path / "domain.json"
    path.write_text(text(region([trial()])), encoding="utf-8")
    found = tables(load_region(path))
    first_line = next(line for line in found.splitlines() if line.startswith("| first line | 1 |"))
    assert "| 2 | 150 | 30 to 80 | 15 |" in first_line
    shares = [line for line in found.splitlines() if line.startswith("| first line |")][1]
    assert shares.split("|")[2].strip() == "anti-VEGF, fluoropyrimidine, no treatment, oxaliplatin"
    assert shares.split("|")[3].strip() == "none"
    with pytest.raises(ValueError, match="needs the lines"):
        update("a page without marks", [])
