"""Predictions beside what happened: figures checked against lifelines, and the command end to end."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import concordance_index

from metachron.commands.inputs import cores
from metachron.errors import InputError
from metachron.interop.compare import Predicted, summarise
from metachron.interop.outcomes import Observed, Outcome, check_order, outcomes_csv, read_outcomes
from metachron.interop.survival import events_interval, expected_events, harrell_c, kaplan_meier
from metachron.plan.results import Outcomes

from .conftest import TWIN_ERROR, Planner, curve  # type: ignore[import-not-found]


def sample(seed: int) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    months = rng.integers(1, 15, 30).astype(float)  # many ties
    return months, rng.random(30) < 0.6, rng.integers(0, 6, 30).astype(float)


@pytest.mark.parametrize("seed", range(5))
def test_kaplan_meier_agrees_with_lifelines(seed: int) -> None:
    months, event, _ = sample(seed)
    theirs = KaplanMeierFitter(alpha=0.1).fit(months, event)
    ours = kaplan_meier(months, event)
    for time, low, high in zip(ours.times, ours.lower, ours.upper, strict=True):
        assert ours.at(time)[0] == pytest.approx(theirs.predict(time))
        if theirs.predict(time) > 0:
            assert theirs.confidence_interval_.loc[time].to_list() == pytest.approx([low, high])
    # nobody of 30 lost: the exact 90 % lower limit is 0.05 to the power 1/30
    assert ours.at(0.5) == pytest.approx((1.0, 0.05 ** (1 / 30), 1.0))
    assert ours.at(months.max() + 1) is None


@pytest.mark.parametrize("seed", range(5))
def test_concordance_agrees_with_lifelines(seed: int) -> None:
    months, event, score = sample(seed)
    found = harrell_c(months, event, score)
    assert found is not None
    assert found[0] == pytest.approx(concordance_index(months, score, event))
    assert found[1] < found[0] < found[2]


def test_concordance_of_nobody_comparable_is_unknown() -> None:
    nobody = np.zeros(3, dtype=bool)
    assert harrell_c(np.array([1.0, 2.0, 3.0]), nobody, np.arange(3.0)) is None


def test_perfect_ranks_are_one() -> None:
    found = harrell_c(np.arange(1.0, 9), np.ones(8, dtype=bool), np.arange(1.0, 9))
    assert found is not None
    assert found[0] == 1


def test_expected_events_agree_with_a_known_hazard() -> None:
    rng = np.random.default_rng(5)
    lives, ends = rng.exponential(20, 20_000), rng.uniform(0, 60, 20_000)
    times, events = np.minimum(lives, ends), np.sum(lives <= ends)
    assert expected_events(np.exp(-times / 20)) == pytest.approx(events, rel=0.02)


def test_poisson_interval_of_counts() -> None:
    # exact 90 % limits of a Poisson mean: 0 to 3.00 for none, 5.43 to 16.96 for ten
    assert events_interval(0) == pytest.approx((0.0, 2.996), abs=1e-3)
    assert events_interval(10) == pytest.approx((5.425, 16.962), abs=1e-3)


def outcomes_of(median: float) -> Outcomes:
    return Outcomes(
        os=curve("OS", median),
        rfs_or_pfs=curve("RFS", median),
        hepatic_rfs=curve("hepatic RFS", median),
        toxicity=[],
        chemotherapy_completed=None,
    )


@pytest.mark.parametrize("day", [None, 0.0, 20.0, 130.0])
def test_predictions_count_from_the_operation(day: float | None) -> None:
    predicted = Predicted(outcomes_of(30.0), day)
    value, lower, upper = predicted.on("os", np.array([0.0, 30.0]))
    # a constant hazard has no memory, so waiting months change nothing
    assert value == pytest.approx([1.0, 0.5], abs=1e-6)
    assert np.all(lower <= value + 1e-12)
    assert np.all(value <= upper + 1e-12)
    assert predicted.months("os")[-1] == (116 if day == 130.0 else 120)


def test_right_predictions_show_no_difference() -> None:
    rng = np.random.default_rng(7)
    pairs = []
    for index in range(400):
        median = float(rng.uniform(10, 60))
        life, end = rng.exponential(median / math.log(2)), rng.uniform(20, 110)
        seen = Observed(min(life, end), bool(life <= end))
        pairs.append((Predicted(outcomes_of(median), 10.0), Outcome(str(index), {"os": seen})))
    summary = summarise("os", pairs)
    assert summary is not None
    assert [m.month for m in summary.landmarks] == [12, 36, 60]
    assert all(abs(m.difference) < 0.06 for m in summary.landmarks if m.difference is not None)
    assert summary.ratio is not None
    assert summary.ratio.lower < 1 < summary.ratio.upper
    assert summary.concordance is not None
    assert 0.55 < summary.concordance.value < 0.8
    assert summarise("rfs", pairs) is None


# --- the outcomes file -----------------------------------------------------------------------------------


def test_outcomes_are_read_as_written(tmp_path: Path) -> None:
    written = [
        Outcome(
            "a", {"os": Observed(12.5, True), "rfs": Observed(3, True), "hepatic_rfs": Observed(4, False)}
        ),
        Outcome("b, with a comma", {"os": Observed(1 / 3, False)}),
        Outcome("c"),
    ]
    path = tmp_path / "o.csv"
    path.write_text(outcomes_csv(written), encoding="utf-8")
    read = read_outcomes(path)
    assert list(read) == [o.id for o in written]
    assert read["a"] == written[0]
    assert read["c"].observed == {}


def test_bad_outcomes_are_told_by_row_and_column(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    head = outcomes_csv([])
    path.write_text(head + "a,12,1,,,,\na,x,1,,,,\nb,3,,,,,\n,1,1,,,,\nc,1\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_outcomes(path)
    text = str(caught.value)
    for words in (
        "row 3, column os_months",
        "'a' is there twice",
        "row 4, column os_event",
        "row 5",
        "2 cells",
    ):
        assert words in text
    path.write_text("id,time\n", encoding="utf-8")
    with pytest.raises(InputError, match="os_months"):
        read_outcomes(path)


def test_recurrence_is_never_after_death() -> None:
    wrong = Outcome("a", {"os": Observed(5, True), "rfs": Observed(9, True)})
    assert len(check_order(wrong, "row 2")) == 1


# --- the command -----------------------------------------------------------------------------------------


@pytest.fixture
def folder(table: Path, tmp_path: Path, metachron: Callable[..., Any]) -> Path:
    out = tmp_path / "cohort"
    assert metachron("convert", table, "--out", out).code == 0
    return out


def test_cohort_as_json(folder: Path, planner: Planner, metachron: Callable[..., Any]) -> None:
    result = metachron("cohort", folder, "--json", "--twins", 100, "--draws", 2, "--seed", 5)
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert found["schema_name"] == "metachron-cohort/1"
    assert [row["id"] for row in found["patients"]] == [f"made-up-{i}" for i in range(1, 5)]
    assert found["strategies"] == {"hepatectomy": 4}
    os = found["summaries"][0]
    assert (os["endpoint"], os["patients"], os["events"]) == ("os", 4, 2)
    assert os["landmarks"][2]["observed"]["value"] == pytest.approx(0.5)
    predicted = np.mean([math.exp(-math.log(2) * 12 * age / 2000) for age in (61, 47, 75, 55)])
    assert os["landmarks"][0]["predicted"]["value"] == pytest.approx(predicted)
    assert os["landmarks"][0]["difference"] == pytest.approx(predicted - 0.75)
    assert planner.calls[0]["seed"] == 5
    assert planner.calls[0]["strategies"] == ["hepatectomy"]
    assert "planning patient 4 of 4" in result.err


def test_the_planner_is_told_nothing_of_what_happened(
    folder: Path, planner: Planner, metachron: Callable[..., Any]
) -> None:
    def seen_by_planner() -> list[Any]:
        planner.calls.clear()
        assert metachron("cohort", folder).code == 0
        return [call["patient"] for call in planner.calls]

    before = seen_by_planner()
    path = folder / "outcomes.csv"
    head, *lines = path.read_text(encoding="utf-8").splitlines()
    other = [f"{line.split(',')[0]},99,1,99,1,99,1" for line in lines]
    path.write_text("\n".join([head, *other]), encoding="utf-8")
    assert seen_by_planner() == before


def test_cohort_tables_and_files(
    folder: Path,
    tmp_path: Path,
    planner: Planner,
    metachron: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "140")  # the tables are wide
    result = metachron("cohort", folder, "--out", tmp_path / "figures")
    assert result.code == 0, result.err
    for words in ("Overall survival", "70.5+", "Harrell's C", "at risk", "made-up-3"):
        assert words in result.out
    names = sorted(p.name for p in (tmp_path / "figures").iterdir())
    assert names == ["cohort.json", "cohort.md", "cohort.svg"]
    published = (tmp_path / "figures" / "cohort.md").read_text(encoding="utf-8")
    assert "made-up" not in published
    assert "| overall survival | 5 |" in published
    assert (tmp_path / "figures" / "cohort.svg").read_text(encoding="utf-8").count("made-up") == 0


def test_the_real_planner_plans_all_but_the_refused(
    folder: Path, tmp_path: Path, metachron: Callable[..., Any]
) -> None:
    options = ["--twins", 100, "--draws", 2, "--horizon", 6, "--json"]
    result = metachron("cohort", folder, *options, "--jobs", 1)
    found = json.loads(result.out)
    # unknown facts stop nobody; a remnant of 25 % of a steatotic liver is refused
    assert (result.code, list(found["not_planned"])) == (1, ["made-up-2"])
    assert "30 %" in found["not_planned"]["made-up-2"]
    assert len(found["patients"]) == 3
    for summary in found["summaries"]:
        assert all(0 <= s <= 1 for s in summary["predicted"])
        assert [m["month"] for m in summary["landmarks"]] == [12, 36, 60]
    if cores() > 1:
        assert metachron("cohort", folder, *options, "--jobs", 2).out == result.out


def test_another_strategy_after_chemotherapy(
    folder: Path, planner: Planner, metachron: Callable[..., Any]
) -> None:
    planner.operation_day = 112.0
    periop = "mfolfox6*6 > hepatectomy"
    result = metachron("cohort", folder, "--strategy-pretreated", periop, "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["strategies"] == {periop: 1, "hepatectomy": 3}
    assert planner.calls[0]["strategies"] == [periop]


def test_a_patient_who_cannot_be_planned_is_named(
    folder: Path, planner: Planner, metachron: Callable[..., Any]
) -> None:
    planner.fail["made-up-2"] = TWIN_ERROR
    planner.not_simulated.add("made-up-4")
    result = metachron("cohort", folder)
    assert result.code == 1
    assert "not planned: made-up-2: too few twins" in result.out
    assert "not planned: made-up-4: hepatectomy was not simulated" in result.out
    assert "2 of 4 patients could not be planned" in result.err


def test_nobody_planned_is_an_error(folder: Path, planner: Planner, metachron: Callable[..., Any]) -> None:
    planner.fail.update({f"made-up-{i}": TWIN_ERROR for i in range(1, 5)})
    result = metachron("cohort", folder)
    assert (result.code, result.out) == (1, "")
    assert "no patient could be planned" in result.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--strategy", "hepatectomi"], ["hepatectomy"]),
        (["--twins", "3"], ["--twins"]),
        (["--outcomes", "none.csv"], ["no such file"]),
    ],
)
def test_wrong_options(
    folder: Path, planner: Planner, metachron: Callable[..., Any], options: list[str], words: list[str]
) -> None:
    result = metachron("cohort", folder, *options)
    assert result.code == 2
    assert all(word in result.err for word in words)
    assert planner.calls == []


def test_bad_files_of_a_folder_are_all_named(
    folder: Path, planner: Planner, metachron: Callable[..., Any]
) -> None:
    (folder / "made-up-1.json").write_text("{", encoding="utf-8")
    text = (folder / "made-up-2.json").read_text(encoding="utf-8")
    (folder / "made-up-2.json").write_text(text.replace("47", "470"), encoding="utf-8")
    result = metachron("cohort", folder)
    assert result.code == 2
    assert "made-up-1.json" in result.err
    assert "made-up-2.json: age_years" in result.err
    assert metachron("cohort", folder / "nowhere").code == 2


def test_outcomes_of_others_are_noted(folder: Path, planner: Planner, metachron: Callable[..., Any]) -> None:
    (folder / "made-up-4.json").unlink()
    path = folder / "outcomes.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], *lines[2:]]), encoding="utf-8")
    result = metachron("cohort", folder)
    assert result.code == 0
    assert "without an outcome, left out (1): made-up-1" in result.out
    assert "outcomes without a patient file (1): made-up-4" in result.out
