"""The answer in brief: numbers as in the plan, headings by standing, warnings where they belong."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from sample import sample_plan

from metachron.plan.results import Difference, Estimate, Plan
from metachron.report import brief, rules_view, tables, words
from metachron.report.arms import Arm, compared, heading
from metachron.report.build import render
from metachron.report.calendar import short_label

ROOT = Path(__file__).resolve().parents[2]


def with_medians(upper: float | None) -> Plan:
    raw = sample_plan().model_dump()
    for strategy in raw["strategies"]:
        if strategy["outcomes"]:
            strategy["outcomes"]["rfs_or_pfs"]["median_months"] = {
                "value": 20.0,
                "lower": 9.0,
                "upper": upper,
            }
    return Plan.model_validate(raw)


def rows(html: str, marker: str) -> list[list[str]]:
    """Cells of the first table from `marker` on, as text."""
    table = re.search(r"<table.*?</table>", html[html.index(marker) :], flags=re.S)
    assert table is not None
    found = []
    for row in re.findall(r"<tr\b.*?</tr>", table.group(), flags=re.S):
        cells = re.findall(r"<t[dh]\b.*?</t[dh]>", row, flags=re.S)
        found.append([" ".join(unescape(re.sub(r"<[^>]+>", " ", c)).split()) for c in cells])
    return found


def per_cent(text: str) -> list[float]:
    return [float(n) for n in re.findall(r"\d+", text)]


def test_the_table_shows_the_numbers_of_the_plan() -> None:
    plan = sample_plan()
    by_title = {s.title: s for s in plan.strategies if s.outcomes}
    checked = 0
    for cells in rows(render(plan), '<table class="answers"')[1:]:
        title = re.sub(r"^[A-Z] | (?:· )?reference$", "", cells[0])
        if title not in by_title:
            continue
        outcomes = by_title[title].outcomes
        assert outcomes is not None
        landmark = outcomes.os.landmarks["5"]
        for shown, value in zip(
            per_cent(cells[2]), (landmark.value, landmark.lower, landmark.upper), strict=False
        ):
            assert value is not None
            assert shown == pytest.approx(100 * value, abs=0.51)
        total = next(t for t in outcomes.toxicity if t.kind == "any" and t.grade == "3+").probability.value
        assert per_cent(cells[4])[0] == pytest.approx(100 * (total or 0.0), abs=0.51)
        checked += 1
    assert checked == len(by_title)


def test_a_median_that_is_not_reached_gives_way_to_three_years() -> None:
    reached, open_ended = compared(with_medians(41.0)), compared(with_medians(None))
    assert brief.second(reached).head == "Median RFS, months"
    assert brief.second(reached).short(reached[0]) == "20"
    assert brief.second(open_ended).head == "RFS at 3 years"
    assert brief.second(open_ended).short(open_ended[0]).endswith("%")


def test_key_points_leave_out_what_is_not_ranked() -> None:
    plan = sample_plan()
    arms = compared(plan)
    text = " ".join(brief.key_points(plan, arms))
    assert "Overall survival against A" in text
    for arm in arms:
        if not arm.ranked:
            assert not re.search(rf"\b{arm.letter}\b", text)


def test_a_weaker_grade_above_the_standard_is_warned_of() -> None:
    raw = sample_plan().model_dump()
    arms = compared(sample_plan())
    option = next(a for a in arms if a.ranked and a.strategy.evidence_grade == "option")
    for difference in raw["comparison"]:
        if difference["strategy"] == option.strategy.name and difference["endpoint"] == "os":
            difference.update(difference=6.0, lower=2.0, upper=9.0, detectable=True)
    plan = Plan.model_validate(raw)
    assert any("weaker evidence" in p and option.letter in p for p in brief.key_points(plan, compared(plan)))
    for difference in raw["comparison"]:
        difference["basis"] = "calibrated"
    pinned = Plan.model_validate(raw)
    assert not any("weaker evidence" in p for p in brief.key_points(pinned, compared(pinned)))


def arms_with_grades(grades: dict[str, str]) -> list[Arm]:
    raw = sample_plan().model_dump()
    for strategy in raw["strategies"]:
        strategy["evidence_grade"] = grades.get(strategy["name"], strategy["evidence_grade"])
    return compared(Plan.model_validate(raw))


def test_investigational_and_not_supported_stand_apart() -> None:
    arms = arms_with_grades({"best_supportive_care": "not supported"})
    assert [a.standing for a in arms[-3:]] == ["investigational", "investigational", "not supported"]
    assert heading(arms[-1], arms) == "Not supported in this setting"
    assert heading(arms[-2], arms) == "Investigational, not ranked"


def test_a_reference_of_lower_grade_is_headed_as_the_reference() -> None:
    arms = arms_with_grades({"perioperative_mfolfox6": "option"})
    assert heading(arms[0], arms) == "Reference (option)"
    assert heading(arms[1], arms) == "Standard"


def test_each_rule_is_told_once_with_those_it_concerns() -> None:
    plan = sample_plan()
    arms = compared(plan)
    groups = rules_view.groups(plan, arms)
    assert [g.key for g in groups] == ["not eligible", "needs information", "eligible"]
    met = groups[-1].rules
    assert len(met) == 1
    assert [a.letter for a in met[0].arms] == [a.letter for a in arms]
    assert any("Pembrolizumab" in rule.others for rule in groups[0].rules)


def test_wide_tables_are_split_evenly() -> None:
    arms = compared(sample_plan())
    assert [len(p) for p in tables.parts(arms)] == [4, 4]
    assert [len(p) for p in tables.parts(arms[:7])] == [7]
    captions = [t.caption for t in tables.toxicity(arms, "3+")]
    assert captions[0].endswith("A to D")
    assert captions[1].endswith("E to H")


def test_an_interval_narrower_than_its_rounding_is_not_printed() -> None:
    assert words.percent_interval(Estimate(value=0.912, lower=0.911, upper=0.913)) == "91%"
    assert words.percent_interval(Estimate(value=0.912, lower=0.90, upper=0.92)) == "91% (90 to 92)"


def test_twins_are_told_so_that_the_effective_number_cannot_mislead() -> None:
    plan = sample_plan()
    assert brief.twins_in_words(plan) == (
        "2,000, drawn from 60,000 virtual patients that count as 1,312 once weighed against the findings"
    )
    plan.twins.effective_sample_size = 60000.0
    assert brief.twins_in_words(plan).endswith("virtual patients, all of which fit the findings equally")


def test_calendar_labels_keep_the_count_of_cycles() -> None:
    long = "5-fluorouracil, leucovorin and oxaliplatin (mFOLFOX6), 6 cycles"
    assert short_label(long) == "mFOLFOX6, 6 cycles"
    assert short_label("nivolumab and ipilimumab (four doses), 4 cycles").startswith("nivolumab")
    assert short_label("6 infusions of killer cells (CIK), day 8").startswith("6 infusions")


def test_the_sample_in_the_readme_has_the_form_of_the_table() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    sample = re.search(r"<!-- sample: written by scripts/readme -->\n```\n(.*?)\n```\n<!-- end", text, re.S)
    assert sample is not None
    lines = sample.group(1).splitlines()
    assert lines[0] == "$ make plan"
    assert any(re.search(r"seed \d+$", line) for line in lines)
    assert any(re.fullmatch(r"    Standard", line) for line in lines)
    assert any(re.match(r"A   .* \d+% +\S+ +.*reference$", line) for line in lines)
    assert max(map(len, lines)) <= 100
    assert "more, left out here" in sample.group(1)
    picture = ROOT / "docs" / "images" / "report.png"
    assert picture.stat().st_size < 400_000


def test_a_difference_printed_as_nought_is_not_called_longer() -> None:
    raw = sample_plan().comparison[0].model_dump()
    raw |= {"difference": 0.04, "lower": 0.01, "upper": 0.12, "detectable": True, "unit": "months"}
    assert words.difference_words(Difference.model_validate(raw)) == words.NO_DIFFERENCE
