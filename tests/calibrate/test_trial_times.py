"""Individual times from CSV: names are matched with patience, faults are named with their line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_trials import curve, trial, write_times

from metachron.calibrate.trial_times import read_individuals
from metachron.errors import InputError

TARGETS = {"MINE": trial()}


def rows(arm: str = "control", trial: str = "MINE", endpoint: str = "PFS", n: int = 12) -> list:
    return [(trial, "1", endpoint, arm, float(i + 1), i % 3 > 0) for i in range(n)]


def read(tmp_path: Path, given: list):
    return read_individuals([write_times(tmp_path / "t.csv", [(*r[:5], int(r[5])) for r in given])], TARGETS)


def test_names_are_matched_whatever_their_case_and_signs(tmp_path: Path) -> None:
    given = [*rows("Control", "mine", "pfs"), *rows("BEV", "Mine", "Overall survival")]
    found = read(tmp_path, given)
    assert {(c.key.endpoint, c.key.arm, c.n) for c in found.curves} == {
        ("PFS", "control", 12),
        ("OS", "bev", 12),
    }
    assert found.warnings == []
    assert found.curves[0].event.sum() == 8


def test_an_arm_may_be_called_by_its_title(tmp_path: Path) -> None:
    assert read(tmp_path, rows("FOLFIRI")).curves[0].key.arm == "control"


def test_what_cannot_be_scored_is_a_warning(tmp_path: Path) -> None:
    found = read(tmp_path, [*rows(), *rows(trial="OTHER"), *rows(endpoint="LRR")])
    assert len(found.curves) == 1
    assert any("OTHER: no protocol of that trial was given; 12 rows" in w for w in found.warnings)
    assert any("LRR is not simulated" in w for w in found.warnings)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (rows("contrl"), "Did you mean control?"),
        (rows(endpoint="XFS"), "'XFS' is not an endpoint (allowed: OS, PFS"),
        (rows(trial="OTHER"), "no row belongs to a trial"),
        ([("MINE", "1", "OS", "bev", 1234.0, 1)], "these look like days"),
        ([("MINE", "1", "OS", "bev", -1.0, 1)], "line 2, time_months"),
        ([("MINE", "1", "OS", "bev", "soon", 1)], "'soon' is not a time"),
        ([("MINE", "1", "OS", "bev", 3.0, 7)], "line 2, event"),
        ([("MINE", "1", "OS", "", 3.0, 1)], "line 2, arm: is empty"),
        ([], "no rows"),
    ],
)
def test_faults_are_named(tmp_path: Path, given: list, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, given)
    assert expected in str(caught.value)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("trial,endpoint,arm,time_days,event\nMINE,OS,bev,300,1\n")
    with pytest.raises(InputError) as caught:
        read_individuals([path], TARGETS)
    assert "time_months is missing" in str(caught.value)
    assert "Convert time_days to months" in str(caught.value)


def test_years_in_an_adjuvant_trial_are_suspected(tmp_path: Path) -> None:
    adjuvant = trial(setting="adjuvant", earlier=[])
    path = write_times(tmp_path / "t.csv", [("MINE", "1", "DFS", "bev", 0.5 * i, 1) for i in range(1, 15)])
    found = read_individuals([path], {"MINE": adjuvant})
    assert "if these are years" in found.warnings[0]


def test_times_are_those_of_the_file(tmp_path: Path) -> None:
    assert np.array_equal(read(tmp_path, rows()).curves[0].months, np.arange(1.0, 13.0))


def test_a_figure_registered_under_another_endpoint_keeps_that_one(tmp_path: Path) -> None:
    target = trial(curves=[curve("control", 0.1, endpoint="TTP"), curve("bev", 0.1, endpoint="TTP")])
    path = write_times(tmp_path / "t.csv", [("MINE", "1", "PFS", "bev", float(i), 1) for i in range(1, 15)])
    found = read_individuals([path], {"MINE": target})
    assert found.curves[0].key.endpoint == "TTP"
    assert "registered as TTP" in found.warnings[0]


def test_the_registered_name_of_an_arm_in_the_data_is_known(tmp_path: Path) -> None:
    target = trial(curves=[curve("bev", 0.1, data_arm="novel")])
    path = write_times(tmp_path / "t.csv", [("MINE", "1", "PFS", "novel", float(i), 1) for i in range(1, 15)])
    assert read_individuals([path], {"MINE": target}).curves[0].key.arm == "bev"
