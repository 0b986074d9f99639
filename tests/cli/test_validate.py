"""`metachron validate` as a user runs it: a trial of one's own, the template, and wrong input."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from metachron.commands.inputs import cores

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "trial"
QUICK = ("--draws", "8", "--per-draw", "25", "--prior")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The example trial in a folder of its own."""
    for name in ("protocol.yaml", "times.csv"):
        shutil.copy(EXAMPLE / name, tmp_path / name)
    return tmp_path


@pytest.mark.slow
def test_a_trial_of_ones_own_from_protocol_and_times(metachron, own: Path) -> None:
    out = own / "out"
    result = metachron(
        "validate",
        "--targets",
        own / "protocol.yaml",
        "--ipd",
        own / "times.csv",
        "--json",
        "--out",
        out,
        *QUICK,
    )
    assert result.code == 0, result.err
    document = json.loads(result.out)
    assert document["summary"]["curves"] == 4
    assert document["summary"]["contrasts"] == 2
    assert {c["observed_from"] for c in document["curves"]} == {"individual times"}
    assert all(0 <= c["integrated_absolute_error"] <= 0.5 for c in document["curves"])
    assert all(c["in_sample"] is False for c in document["curves"])
    assert document["calibrated"] is False
    assert json.loads((out / "validation.json").read_text("utf-8")) == document
    assert (out / "curves.csv").read_text("utf-8").count("\n") == 1 + 4 * 61
    page = (out / "validation.html").read_text("utf-8")
    assert "SYNTHETIC-1" in page
    assert "prior, not calibrated" in page


@pytest.mark.slow
def test_the_table_names_every_curve_and_is_the_same_on_any_number_of_threads(
    metachron, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")  # names are cut where there is less room
    asked = ("validate", "--targets", own / "protocol.yaml", "--ipd", own / "times.csv", *QUICK, "--jobs")
    one, all_ = metachron(*asked, "1"), metachron(*asked, str(cores()))
    assert one.code == 0, one.err
    assert one.out == all_.out
    assert "Mean absolute error over follow-up" in one.out
    assert one.out.count("folfiri_bevacizumab") >= 4
    assert "simulating SYNTHETIC-1" in one.err


def test_the_template_is_a_trial_file(metachron, tmp_path: Path) -> None:
    result = metachron("validate", "--template")
    assert result.code == 0
    assert "trial:" in result.out
    from metachron.calibrate.targets import read_target

    path = tmp_path / "mine.yaml"
    path.write_text(result.out, encoding="utf-8")
    assert read_target(path).arms


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("times.csv", "folfiri_bevacizumab", "folfiri_bevacizumap"), "Did you mean folfiri_bevacizumab?"),
        (("times.csv", "PFS", "XFS"), "'XFS' is not an endpoint"),
        (("times.csv", "time_months", "time_days"), "time_months is missing"),
        (("times.csv", "SYNTHETIC-1", "ANOTHER"), "no row belongs to a trial"),
        (("protocol.yaml", "strategy: folfiri,", "strategy: folfirri,"), "folfirri"),
        (("protocol.yaml", "ras_mutant: 0.5", "ras_mutant: 50"), "ras_mutant"),
        (("protocol.yaml", "setting: second_line", "setting: secondline"), "setting"),
    ],
)
def test_wrong_input_is_named(metachron, own: Path, change: tuple[str, str, str], expected: str) -> None:
    name, old, new = change
    text = (own / name).read_text("utf-8")
    assert old in text
    (own / name).write_text(text.replace(old, new), encoding="utf-8")
    result = metachron("validate", "--targets", own / "protocol.yaml", "--ipd", own / "times.csv", *QUICK)
    assert result.code == 2
    assert expected in result.err
    assert "Traceback" not in result.err
    assert result.out == ""


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--targets", "nowhere.yaml"), "nowhere.yaml"),
        (("--targets", "protocol.yaml"), "Give the event times with --ipd"),
        (("--ipd", "nowhere.csv"), "nowhere.csv"),
        (("--draws", "1"), "--draws"),
        (("--per-draw", "3"), "--per-draw"),
        (("--leave-one-out", "--prior"), "cannot be combined with --prior"),
        (("--out", "protocol.yaml"), "is a file, not a folder"),
    ],
)
def test_wrong_options_are_named(
    metachron, own: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], expected: str
) -> None:
    monkeypatch.chdir(own)
    result = metachron("validate", *options)
    assert result.code == 2
    assert expected in result.err
    assert "Traceback" not in result.err


def test_single_patients_and_cohorts_are_handed_on(metachron, tmp_path: Path) -> None:
    for option in ("--individual", "--cohort"):
        result = metachron("validate", option, tmp_path / "nowhere.csv")
        assert result.code == 2
        assert "nowhere.csv" in result.err
        assert "Traceback" not in result.err
