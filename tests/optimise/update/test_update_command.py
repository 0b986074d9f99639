"""`metachron update` from the command line: files, JSON, and the record that `plan` can go on from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from metachron.cli import run
from metachron.optimise.update.results import Update
from metachron.patient.load import read_patient

FOLDER = Path(__file__).resolve().parents[3] / "examples" / "findings"
SCAN = FOLDER / "metachronous_solitary_response.json"
QUICK = ["--twins", "200", "--draws", "10", "--horizon", "5"]


@pytest.fixture
def done(small: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[Path, str]:
    """(folder written, stdout) of an update of the bundled example."""
    arguments = ["update", "metachronous_solitary", "--finding", str(SCAN), "--strategy", "hepatectomy"]
    code = run([*arguments, *QUICK, "--out", str(tmp_path / "up")])
    out, err = capsys.readouterr()
    assert code == 0, err
    return tmp_path / "up", out


def test_report_document_and_patient_are_written(done: tuple[Path, str]) -> None:
    folder, out = done
    assert sorted(p.name for p in folder.iterdir()) == ["report.html", "update.json", "updated_patient.json"]
    update = Update.model_validate_json((folder / "update.json").read_text(encoding="utf-8"))
    assert update.schema_name == "metachron-update/1"
    assert update.plan.patient["assessed_on"] == update.today
    assert {s.name for s in update.strategies} >= {"hepatectomy"}
    assert all(o.used for o in update.observations if o.kind == "size")
    assert "not a medical device" in out
    patient = read_patient(folder / "updated_patient.json")
    assert patient.assessed_on.isoformat() == update.today
    assert run(["check", str(folder / "updated_patient.json")]) == 0


def test_json_alone_is_one_document(
    small: None, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = [
        "update",
        "metachronous_solitary",
        "--finding",
        str(SCAN),
        "--strategy",
        "microwave",
        "--json",
    ]
    assert run([*arguments, *QUICK]) == 0
    assert json.loads(capsys.readouterr().out)["schema_name"] == "metachron-update/1"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--finding"),
        (["--finding", "nowhere.json"], "there is no such file"),
        (["--finding", str(SCAN), "--twins", "50000"], "100 to 20,000"),
        (["--finding", str(SCAN), "--strategy", "folfirii"], "Did you mean"),
        (["--finding", str(FOLDER / "unresectable_ras_mutant_response.json")], "belongs to"),
    ],
)
def test_wrong_arguments_are_said_in_a_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["update", "metachronous_solitary", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error


@pytest.mark.parametrize("document", ["finding", "update"])
def test_schemas_are_printed(document: str, capsys: pytest.CaptureFixture[str]) -> None:
    import jsonschema

    assert run(["schema", document]) == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(capsys.readouterr().out))
