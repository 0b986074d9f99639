"""Wrong commands, options and files end in one clear message, exit code 2 and no trace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from metachron.cli import report_error
from metachron.commands.files import check_folder
from metachron.errors import InputError, Problem


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["plna"], "Did you mean 'plan'?"),
        (["plan", "x", "--twin", "3"], "Did you mean --twins?"),
        (["plan"], "PATIENT"),
        (["check", "a", "b"], "b"),
        (["schema", "plans"], "Did you mean plan?"),
        (["example", "metachronous"], "Did you mean metachronous_solitary"),
        (["check", "metachronous_solitry"], "metachronous_solitary"),
        (["check", "no/such/file.json"], "no such file"),
        (["strategies", "mfolfox"], "Did you mean mfolfox6"),
        (["plan", "small_unfit", "--device", "gpu"], "allowed: cpu, cuda"),
    ],
)
def test_wrong_words_get_a_hint(metachron, arguments: list[str], expected: str) -> None:
    result = metachron(*arguments)
    assert result.code == 2
    assert expected in result.err
    assert result.out == ""
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"date": "2025-09-01", "scan": {}}, "this is a finding, not a patient"),
        ({"schema_name": "metachron-plan/1"}, "a document that metachron wrote (metachron-plan/1)"),
    ],
)
def test_a_file_of_another_kind_is_named(metachron, tmp_path: Path, content: object, expected: str) -> None:
    path = tmp_path / "p.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    result = metachron("check", path)
    assert result.code == 2
    assert expected in result.err
    assert len(result.err.splitlines()) == 1


def test_a_folder_that_cannot_be_made_is_refused_before_any_work(tmp_path: Path) -> None:
    """access() lets a superuser pass on a file system that takes no files."""
    with pytest.raises(InputError, match=r"--out: .* cannot be written to"):
        check_folder(tmp_path / ("x" * 300), "--out")
    check_folder(tmp_path / "a" / "b", "--out")
    assert list(tmp_path.iterdir()) == []


def test_every_problem_has_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    problems = [
        Problem("labs.cea_ng_ml", "-3 is too small", "0 to 100000", "Give ng/mL"),
        Problem("age_years", "7 is too small", "18 to 105"),
    ]
    report_error(InputError(problems, "p.json"))
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "error: p.json: 2 problems",
        "  labs.cea_ng_ml: -3 is too small (allowed: 0 to 100000). Give ng/mL",
        "  age_years: 7 is too small (allowed: 18 to 105)",
    ]


def test_a_flood_of_problems_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    report_error(InputError([Problem(f"p{i}", "wrong") for i in range(500)]))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 22
    assert lines[-1] == "  and 480 more"


def test_hostile_text_cannot_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    report_error(InputError(Problem("id", "bad \x1b[2J\x07 value " + "x" * 10_000)))
    err = capsys.readouterr().err
    assert "\x1b" not in err
    assert len(err) < 700


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe\x00\x01", b"[1, 2", os.urandom(1000), b"null", b"[]", b'"text"'],
    ids=["empty", "truncated", "not utf-8", "half a list", "noise", "null", "list", "string"],
)
@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_bad_files_are_refused(metachron, tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"patient{suffix}"
    path.write_bytes(content)
    result = metachron("check", path)
    assert result.code == 2
    assert result.err.startswith("error: ")
    assert "Traceback" not in result.err


def test_a_folder_is_not_a_patient(metachron, tmp_path: Path) -> None:
    result = metachron("check", tmp_path)
    assert result.code == 2
    assert "Traceback" not in result.err


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """The command as a user runs it, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "metachron", *arguments],
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("arguments", [["--help"], ["plan", "--help"], ["strategies"], ["example"]])
def test_plain_terminals_do_not_crash(arguments: list[str]) -> None:
    result = command(*arguments, PYTHONIOENCODING="ascii", NO_COLOR="1", TERM="dumb")
    assert result.returncode == 0, result.stderr
    result.stdout.decode("ascii")
    assert b"\x1b" not in result.stdout


def test_a_reader_that_goes_away_is_no_error() -> None:
    script = f"{sys.executable} -m metachron schema plan | head -c 10"
    result = subprocess.run(["bash", "-c", script], capture_output=True, check=False, timeout=60)
    assert len(result.stdout) == 10
    assert result.stderr == b""


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    code = (
        "import sys, json\nfrom metachron.cli import run\n"
        "assert run(['--help']) == 0\n"
        "heavy = ['numpy', 'numba', 'scipy', 'matplotlib', 'pydantic', 'yaml', 'jinja2']\n"
        "print(json.dumps([m for m in heavy if m in sys.modules]))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60)
    assert json.loads(result.stdout.splitlines()[-1]) == []
