"""`metachron strategies`, `example`, `schema`, `check`, `--version` and help."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import metachron as package
from metachron.patient.examples import example_names
from metachron.plan.results import Plan


def test_version(metachron) -> None:
    result = metachron("--version")
    assert (result.code, result.out) == (0, f"metachron {package.__version__}\n")


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_names_every_command_and_says_what_this_is_not(metachron, arguments: list[str]) -> None:
    result = metachron(*arguments)
    assert result.code == 0
    for word in ("plan", "check", "strategies", "example", "schema", "not a medical device"):
        assert word in " ".join(result.out.split())


def test_every_section_of_the_catalogue_is_listed(metachron) -> None:
    result = metachron("strategies")
    assert result.code == 0
    for name in ("oxaliplatin", "mfolfox6", "two_stage_hepatectomy", "cryoablation", "dc_cik", "intensive"):
        assert name in result.out


@pytest.mark.parametrize("name", ["oxaliplatin", "mfolfox6", "cryoablation", "til", "standard"])
def test_an_entry_is_shown_with_its_sources(metachron, name: str) -> None:
    result = metachron("strategies", name)
    assert result.code == 0
    assert name in result.out
    assert "citations" in result.out


def test_a_name_with_two_meanings_shows_both(metachron) -> None:
    result = metachron("strategies", "hepatectomy")
    assert "# strategies" in result.out
    assert "# procedures" in result.out


def test_a_composed_strategy_is_shown_as_steps(metachron) -> None:
    result = metachron("strategies", "mfolfox6*6 > hepatectomy")
    assert result.code == 0
    assert "hepatectomy" in result.out
    assert "cycles: 6" in result.out


def test_examples_are_listed_with_titles(metachron) -> None:
    result = metachron("example")
    assert result.code == 0
    assert [line.split()[0] for line in result.out.splitlines()[:-1]] == list(example_names())


@pytest.mark.parametrize("name", example_names())
def test_every_example_written_is_valid(metachron, tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.json"
    assert metachron("example", name, "--out", path).code == 0
    result = metachron("check", path)
    assert result.code == 0, result.err
    assert "valid" in result.out


def test_an_existing_file_is_kept_unless_forced(metachron, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text("precious", encoding="utf-8")
    result = metachron("example", "metachronous_solitary", "--out", path)
    assert result.code == 2
    assert "--force" in result.err
    assert path.read_text("utf-8") == "precious"
    assert metachron("example", "metachronous_solitary", "--out", path, "--force").code == 0
    assert json.loads(path.read_text("utf-8"))["schema_version"] == "1"


def test_an_example_goes_to_the_current_folder_by_default(
    metachron, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert metachron("example", "metachronous_solitary").code == 0
    assert (tmp_path / "metachronous_solitary.json").exists()


def test_an_example_can_be_printed(metachron) -> None:
    result = metachron("example", "metachronous_solitary", "--out", "-")
    assert json.loads(result.out)["id"]


def test_check_says_what_is_not_known(metachron, patient_file) -> None:
    result = metachron("check", patient_file)
    assert result.code == 0
    assert "markers.ras" in result.out


@pytest.mark.parametrize(("document", "key"), [("patient", "assessed_on"), ("plan", "strategies")])
def test_schemas_are_json_schemas(metachron, document: str, key: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    result = metachron("schema", document)
    schema = json.loads(result.out)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert key in schema["properties"]


def test_a_plan_fits_its_schema(metachron, fakes, patient_file) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(metachron("schema", "plan").out)
    document = json.loads(metachron("plan", patient_file, "--json").out)
    jsonschema.validate(document, schema)
    assert Plan.model_validate(document).model_dump(mode="json") == document


def test_check_and_plan_accept_the_name_of_an_example(metachron, fakes, patient_file) -> None:
    assert metachron("check", "metachronous_solitary").code == 0
    assert metachron("plan", "metachronous_solitary", "--json").code == 0
