"""The whole document, and the command that prints it."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("SALib")
from metachron.cli import run
from metachron.errors import InputError
from metachron.optimise.understand.make import Asked, make_understanding, parse_parts
from metachron.optimise.understand.results import Understanding
from metachron.optimise.understand.sensitivity import Effort
from metachron.patient.examples import read_example

SMALL = Effort(
    screen_twins=120, tornado_twins=200, bars=3, factors=2, sobol_twins=60, sobol_rows=4, heat_twins=200,
    curve_twins=120, curves=2,
)  # fmt: skip
CELLS = ["adjuvant_mfolfox6", "adjuvant_mfolfox6_cik"]


def asked(**more) -> Asked:
    return Asked(twins=500, draws=40, effort=SMALL, prior=True, jobs=more.pop("jobs", 1), **more)


@pytest.fixture(scope="module")
def whole() -> Understanding:
    return make_understanding(read_example("stage3_adjuvant"), CELLS, asked())


@pytest.mark.slow
def test_every_part_is_made(whole: Understanding) -> None:
    assert None not in (whole.heatmap, whole.sensitivity, whole.counterfactuals, whole.information)
    assert whole.skipped == []
    again = Understanding.model_validate_json(whole.model_dump_json())
    assert again == whole
    assert "not a medical device" in whole.disclaimer
    assert whole.lives > 50_000
    assert whole.contrast.words == whole.words[0]


@pytest.mark.slow
def test_what_is_unproven_is_never_put_first(whole: Understanding) -> None:
    assert whole.second.evidence_grade in ("investigational", "not supported")
    assert not whole.contrast.ranked
    assert "never ranked above" in whole.contrast.not_ranked_because
    assert whole.contrast.not_ranked_because in whole.words
    assert whole.contrast.basis == "prior-driven"


@pytest.mark.slow
def test_the_same_whatever_the_threads(whole: Understanding) -> None:
    again = make_understanding(read_example("stage3_adjuvant"), CELLS, asked(jobs=2))
    assert again == whole


@pytest.mark.slow
def test_progress_goes_forward() -> None:
    seen: list[tuple[str, float]] = []
    patient = read_example("small_unfit")
    what = ("counterfactual", "information")
    found = make_understanding(
        patient, ["microwave", "radiofrequency"], asked(what=what), lambda *a: seen.append(a)
    )
    shares = [share for _, share in seen]
    assert shares == sorted(shares)
    assert shares[-1] <= 1.0
    assert found.sensitivity is None
    assert found.heatmap is None
    assert found.skipped == []


@pytest.mark.slow
def test_without_salib_only_the_indices_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metachron.optimise.understand.make.has_salib", lambda: False)
    found = make_understanding(read_example("small_unfit"), ["microwave", "radiofrequency"], asked())
    assert found.sensitivity is not None
    assert found.sensitivity.tornado
    assert found.sensitivity.sobol is None
    assert [s.part for s in found.skipped] == ["heatmap", "Sobol indices"]


def test_sensitivity_asked_for_by_name_needs_salib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metachron.optimise.understand.sobol.has_salib", lambda: False)
    with pytest.raises(InputError, match=r"--what: sensitivity needs the package SALib"):
        make_understanding(read_example("small_unfit"), ["microwave", "radiofrequency"],
                           asked(what=("sensitivity",)))  # fmt: skip


def test_parts_are_read_in_any_form() -> None:
    assert parse_parts(None) is None
    assert parse_parts("information, heatmap") == ("heatmap", "information")
    assert parse_parts("Counterfactuals") == ("counterfactual",)
    with pytest.raises(InputError, match="Did you mean sensitivity"):
        parse_parts("sensitivty")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--strategy", "hepatectomy"], "only one was given"),
        ([], "two strategies are compared; none was given"),
        (["--strategy", "hepatectomy", "--strategy", "hepatectomy"], "hepatectomy was given twice"),
        (["--strategy", "hepatectmy", "--strategy", "microwave"], "hepatectomy"),
        (
            ["--strategy", "hepatectomy", "--strategy", "microwave", "--what", "heatmp"],
            "Did you mean heatmap?",
        ),
        (["--strategy", "hepatectomy", "--strategy", "microwave", "--what", "heatmap"], "of infused cells"),
        (
            ["--strategy", "hepatectomy", "--strategy", "microwave", "--objective", "rmst,burden"],
            "one objective",
        ),
        (["--strategy", "hepatectomy", "--strategy", "microwave", "--objective", "rmts"], "rmst"),
        (["--strategy", "hepatectomy", "--strategy", "microwave", "--twins", "100"], "500 to 1,000,000"),
        (["--strategy", "hepatectomy", "--strategy", "microwave", "--draws", "1"], "--draws"),
        (["--strategy", "hepatectomy", "--strategy", "pembrolizumab"], "may not be given"),
        (["--strategy", "hepatectomy", "--strategy", "microwave", "--out", "/dev/null/x"], "--out"),
    ],
)
def test_wrong_input_is_one_clear_error(arguments, said, capsys) -> None:
    assert run(["understand", "metachronous_solitary", *arguments]) == 2
    captured = capsys.readouterr()
    errors = [line for line in captured.err.splitlines() if line.startswith("error")]
    assert len(errors) == 1
    assert said in errors[0]
    assert captured.out == ""
    assert "Traceback" not in captured.err


@pytest.mark.slow
def test_the_command_prints_json_and_writes_files(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(Effort, "__init__", lambda self: self.__dict__.update(SMALL.__dict__))
    arguments = ["understand", "small_unfit", "--strategy", "microwave", "--strategy", "radiofrequency",
                 "--twins", "500", "--draws", "40", "--jobs", "1", "--what", "information"]  # fmt: skip
    assert run([*arguments, "--json", "--out", str(tmp_path / "u")]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["schema_name"] == "metachron-understand/1"
    assert json.loads((tmp_path / "u" / "understanding.json").read_text()) == document
    assert "<html" in (tmp_path / "u" / "report.html").read_text()
    assert run(arguments) == 0
    text = capsys.readouterr().out
    assert "What is worth knowing" in text
    assert "not a medical device" in text
