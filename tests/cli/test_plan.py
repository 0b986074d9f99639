"""`metachron plan`: options, files, what goes to stdout and what to stderr."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from metachron.commands.files import folder_name, write_all
from metachron.errors import EngineError, InputError, Problem, TwinError
from metachron.plan.results import Plan


def files_below(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_plan_writes_report_and_data_and_says_where(metachron, fakes, patient_file) -> None:
    result = metachron("plan", patient_file)
    assert result.code == 0
    folder = Path("plans") / "case-one-2"
    assert f"Report: {folder / 'report.html'}" in result.out
    assert files_below(Path("plans")) == {"case-one-2/report.html", "case-one-2/plan.json"}
    assert "not fitted" in result.out
    written = json.loads((folder / "plan.json").read_text("utf-8"))
    assert Plan.model_validate(written).reference == "hepatectomy"


def test_defaults_reach_the_library(metachron, fakes, patient_file) -> None:
    metachron("plan", patient_file, "--jobs", "1")
    call = fakes.calls[0]
    call.pop("patient")
    assert call == {
        "strategies": None,
        "twins": None,
        "mc_error": None,
        "draws": 40,
        "seed": 1,
        "horizon_years": 10.0,
        "jobs": 1,
        "device": "cpu",
        "prior": False,
    }


def test_options_reach_the_library(metachron, fakes, patient_file, tmp_path) -> None:
    options = ["--twins", "500", "--draws", "7", "--seed", str(2**63 - 1), "--horizon", "5"]
    names = ["--strategy", "mfolfox6*6 > hepatectomy", "--strategy", "observation"]
    result = metachron("plan", patient_file, *options, *names, "--out", tmp_path / "a" / "b")
    assert result.code == 0
    call = fakes.calls[0]
    assert call["strategies"] == ["mfolfox6*6 > hepatectomy", "observation"]
    assert (call["twins"], call["draws"], call["seed"]) == (500, 7, 2**63 - 1)
    assert call["horizon_years"] == 5.0
    assert files_below(tmp_path / "a") == {"b/report.html", "b/plan.json"}


def test_the_allowed_error_reaches_the_library(metachron, fakes, patient_file) -> None:
    assert metachron("plan", patient_file, "--mc-error", "0.25").code == 0
    assert (fakes.calls[0]["twins"], fakes.calls[0]["mc_error"]) == (None, 0.25)


@pytest.mark.parametrize("value", ["0", "-0.1", "nan", "inf", "1.01", "little"])
def test_an_allowed_error_out_of_range_is_refused_in_one_line(metachron, fakes, patient_file, value) -> None:
    result = metachron("plan", patient_file, "--mc-error", value)
    assert result.code == 2
    assert "--mc-error" in result.err
    if value != "little":  # the option parser has a line of its own on where the help is
        assert "above 0, at most 1" in result.err
        assert len(result.err.splitlines()) == 1
    assert not fakes.calls


def test_a_number_of_twins_and_an_allowed_error_are_not_both_taken(metachron, fakes, patient_file) -> None:
    result = metachron("plan", patient_file, "--twins", "500", "--mc-error", "0.1")
    assert result.code == 2
    assert "--mc-error: it decides the number of twins" in result.err
    assert not fakes.calls


def test_json_is_one_document_and_nothing_is_written(metachron, fakes, patient_file, tmp_path) -> None:
    result = metachron("plan", patient_file, "--json")
    document = json.loads(result.out)
    assert list(document) == list(Plan.model_fields)
    assert files_below(tmp_path) == {"patient.json"}
    assert "matching twins" in result.err


def test_json_with_out_prints_what_it_writes(metachron, fakes, patient_file, tmp_path) -> None:
    result = metachron("plan", patient_file, "--json", "--out", tmp_path / "here")
    assert (tmp_path / "here" / "plan.json").read_text("utf-8") == result.out


def test_each_stage_is_said_once_when_stderr_is_no_terminal(metachron, fakes, patient_file) -> None:
    result = metachron("plan", patient_file)
    assert result.err.count("matching twins") == 1
    assert "simulating strategy 1 of 1" in result.err
    assert "writing the report" in result.err
    assert "\x1b" not in result.err


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--twins", "99"),
        ("--twins", "1000001"),
        ("--draws", "1"),
        ("--draws", "2001"),
        ("--seed", "-1"),
        ("--seed", str(2**63)),
        ("--horizon", "0.4"),
        ("--horizon", "nan"),
        ("--horizon", "inf"),
        ("--jobs", "0"),
        ("--jobs", "100000"),
        ("--twins", "many"),
        ("--twins", "100.5"),
    ],
)
def test_values_out_of_range_are_refused(metachron, fakes, patient_file, tmp_path, option, value) -> None:
    result = metachron("plan", patient_file, option, value)
    assert result.code == 2
    assert option in result.err
    assert result.out == ""
    assert not fakes.calls
    assert files_below(tmp_path) == {"patient.json"}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError(Problem("--strategy", "no strategy named 'x'")), 2),
        (TwinError("too few twins"), 3),
        (EngineError("bad arrays"), 1),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("oops"), 1),
        (MemoryError(), 1),
        (OSError(28, "No space left on device", "report.html"), 1),
    ],
)
def test_failures_leave_no_file_and_no_trace(metachron, fakes, patient_file, tmp_path, error, code) -> None:
    fakes.error = error
    result = metachron("plan", patient_file)
    assert result.code == code
    assert "Traceback" not in result.err
    assert result.out == ""
    assert files_below(tmp_path) == {"patient.json"}


def test_a_bug_is_named_as_such_and_traced_only_on_request(
    metachron, fakes, patient_file, monkeypatch: pytest.MonkeyPatch
) -> None:
    fakes.error = ZeroDivisionError("oops")
    assert "internal error: ZeroDivisionError: oops" in metachron("plan", patient_file).err
    monkeypatch.setenv("METACHRON_DEBUG", "1")
    assert "Traceback" in metachron("plan", patient_file).err


def test_a_report_that_fails_leaves_nothing_half_written(metachron, fakes, patient_file, tmp_path) -> None:
    fakes.report_error = RuntimeError("no figure")
    assert metachron("plan", patient_file).code == 1
    assert list(tmp_path.iterdir()) == [patient_file]


def test_a_failed_second_run_keeps_the_first(metachron, fakes, patient_file, tmp_path) -> None:
    metachron("plan", patient_file, "--out", tmp_path / "p", "--seed", "5")
    fakes.report_error = RuntimeError("no figure")
    metachron("plan", patient_file, "--out", tmp_path / "p", "--seed", "6")
    assert (tmp_path / "p" / "report.html").read_text("utf-8") == "<html>5</html>"
    assert files_below(tmp_path / "p") == {"report.html", "plan.json"}


def test_a_folder_that_is_a_file_is_refused_before_any_work(metachron, fakes, patient_file) -> None:
    result = metachron("plan", patient_file, "--out", patient_file)
    assert result.code == 2
    assert "--out" in result.err
    assert not fakes.calls


@pytest.mark.parametrize(
    ("identifier", "name"),
    [("a b", "a-b"), ("../../etc", "etc"), ("...", "patient"), ("é 1", "é-1"), ("x" * 200, "x" * 80)],
)
def test_folder_names_stay_within_the_folder(identifier: str, name: str) -> None:
    assert folder_name(identifier) == name


def test_files_appear_together_or_not_at_all(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_all({tmp_path / "one": lambda p: p.write_text("1"), tmp_path / "two": fail})
    assert not list(tmp_path.iterdir())
