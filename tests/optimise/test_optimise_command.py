"""`metachron optimise` from the command line: documents, files, faults, width, help."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import jsonschema
import pytest

from metachron.cli import run
from metachron.commands.optimise import read_budget
from metachron.errors import InputError
from metachron.optimise.results import Optimisation

SMALL = [
    "optimise", "metachronous_solitary", "--strategy", "hepatectomy > [42d] mfolfox6*{6,12}",
    "--objective", "rmst", "--twins", "200", "--draws", "20", "--jobs", "2",
]  # fmt: skip


def test_json_holds_the_answer_and_fits_its_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*SMALL, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert run(["schema", "optimise"]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema)
    for field in ("best", "probability_best", "cannot_be_told_apart", "front", "evaluations", "disclaimer"):
        assert field in document
    found = Optimisation.model_validate(document)
    best = found.evaluation(str(found.best))
    assert best.rank == 1
    assert best.timetable
    assert best.basis in ("calibrated", "prior-driven", "outside")


def test_files_and_a_table_of_eighty_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run([*SMALL, "--out", str(tmp_path / "o")]) == 0
    shown = capsys.readouterr()
    folder = tmp_path / "o"
    assert {p.name for p in folder.iterdir()} >= {
        "optimise.json",
        "report.html",
        "timetable.ics",
        "timetable.csv",
    }
    assert (folder / "timetable.ics").read_text("utf-8").startswith("BEGIN:VCALENDAR")
    assert len(list(csv.reader((folder / "timetable.csv").read_text("utf-8").splitlines()))) > 1
    assert "not a medical device" in (folder / "report.html").read_text("utf-8")
    table = shown.out[shown.out.index("Strategy") :].splitlines()
    assert all(len(line) <= 80 for line in table if not line.startswith(("Report", "Data", "Timetable")))
    assert "…" not in shown.out
    assert "not a medical device" in shown.out
    joined = "".join("".join(line.split()) for line in table)
    assert "P(best)" in joined
    assert "regret" in joined
    assert "rests" not in joined
    assert "calibrated)" in joined or "prior-driven)" in joined
    assert "[  4 %] judging" in shown.err


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--objective", "rmts"], "Did you mean rmst?"),
        (["--constraint", "cycels<=3"], "Did you mean cycles?"),
        (["--budget", "soon"], "150s, 3min or 0.5h"),
        (["--matters", "-1"], "--matters"),
        (["--twins", "3"], "--twins"),
        (["--strategy", "mfolfox6*{4..6"], "a brace has no partner"),
        (["--strategy", "folfri*{4..6}"], "Did you mean folfiri?"),
        (["--strategy", "hepatectomy | scans=standard"], "surveillance=NAME"),
        (["--strategy", "hepatectomy | surveillance={intensiv,standard}"], "Did you mean intensive?"),
        (["--constraint", "start_chemo<=8weeks"], "start_chemo<=56 d"),
        (["--constraint", "oxaliplatin<=1020mg"], "counted in mg/m2"),
        (["--resume"], "nothing to go on from"),
        (["--resume", "--json"], "Give the folder with --out"),
    ],
)
def test_faults_are_one_line(
    arguments: list[str],
    part: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["optimise", "metachronous_solitary", *arguments]) == 2
    error = capsys.readouterr().err
    lines = [line for line in error.splitlines() if not line.startswith("[")]
    assert len(lines) == 1
    assert part in lines[0]
    assert "Traceback" not in error


@pytest.mark.parametrize(("text", "seconds"), [("150", 150), ("150s", 150), ("3min", 180), ("0.5h", 1800)])
def test_budgets(text: str, seconds: float) -> None:
    assert read_budget(text) == seconds


@pytest.mark.parametrize("text", ["", "-3", "5", "3 weeks", "100h", "nan"])
def test_budgets_out_of_range(text: str) -> None:
    with pytest.raises(InputError, match="--budget"):
        read_budget(text)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["metachronous_solitary", "synchronous_bilobar", "stage3_adjuvant"])
def test_examples_end_within_three_minutes(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By the time the search itself counts; the report of the command line is not in it."""
    import time

    began = time.monotonic()
    assert run(["optimise", name, "--json", "--jobs", "2"]) == 0
    assert time.monotonic() - began < 180
    document = json.loads(capsys.readouterr().out)
    assert "budget" not in document["search"]["stopped_because"]  # it may end with some that are alike
    assert document["words"]


def test_the_standard_alone_is_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    asked = [
        "optimise",
        "metachronous_solitary",
        "--strategy",
        "hepatectomy",
        "--twins",
        "100",
        "--draws",
        "10",
    ]
    assert run(asked) == 0
    assert "One candidate, nothing to compare it with" in capsys.readouterr().out
