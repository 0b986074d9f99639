"""The reports of a search, of why and of an update: what they say, in words, figures and tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from optimise_sample import sample_search
from understand_sample import SKIPPED, sample_understanding
from update_sample import sample_update

from metachron import DISCLAIMER
from metachron.optimise.said import said
from metachron.plan.results import Estimate
from metachron.report import optimise_report, understand_report, update_report
from metachron.report.optimise_report import write_optimise_report
from metachron.report.optimise_scale import Scale
from metachron.report.optimise_view import (
    Candidate,
    letter,
    nice_ticks,
    quantity,
    regret_words,
    shown,
)
from metachron.report.understand_figures import figure_text
from metachron.report.understand_report import write_understand_report
from metachron.report.update_report import write_update_report

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Outline(HTMLParser):
    """Tags balanced, ids, links inside the page, and everything that would be loaded."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.loaded: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if id := given.get("id"):
            self.ids.append(id)
        if tag == "a" and (href := given.get("href") or "").startswith("#"):
            self.targets.append(href[1:])
        if tag in ("script", "img", "link", "iframe") and (at := given.get("src") or given.get("href")):
            self.loaded.append(at)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if id := dict(attrs).get("id"):
            self.ids.append(id)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def text_of(page: str) -> str:
    page = re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


PAGES: dict[str, Callable[[], str]] = {
    "search": lambda: optimise_report.render(sample_search()),
    "understand": lambda: understand_report.render(sample_understanding()),
    "update": lambda: update_report.render(sample_update()),
    "all": lambda: optimise_report.render(sample_search(), sample_understanding(), sample_update()),
}


@pytest.mark.parametrize("kind", PAGES)
def test_page_is_whole_and_loads_nothing(kind: str) -> None:
    page = PAGES[kind]()
    outline = Outline(page)
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    assert set(outline.targets) <= set(outline.ids)
    assert outline.loaded == []
    assert "url(" not in page
    assert page.count(DISCLAIMER) >= 2
    assert PAGES[kind]() == page  # the same document, the same bytes
    assert "None" not in text_of(page)


@pytest.mark.parametrize("kind", PAGES)
def test_every_figure_has_words_and_a_table_behind(kind: str) -> None:
    page = PAGES[kind]()
    figures = re.findall(r"<figure.*?</figure>", page, flags=re.S)
    assert len(figures) >= 3
    for figure in figures:
        assert re.search(r"<desc [^>]*>[^<]{20,}</desc>", figure)
        assert "<figcaption" in figure
    behind = [f for f in figures if "<details>" in f or "<table" in f]
    assert (
        len(behind) >= len(figures) - 2
    )  # the contrast and the calendar of an update stand beside their numbers


def test_what_a_file_holds_is_escaped() -> None:
    evil = "<script>alert(1)</script>"
    search = sample_search(words=[evil], situation=evil, patient={"id": evil, "title": evil})
    search.evaluations[0].title = evil
    search.plateau[0].words = evil
    why = sample_understanding(words=[evil])
    why.first.title = evil
    found = sample_update(summary=[evil])
    found.beliefs[0].words = evil
    page = optimise_report.render(search, why, found)
    assert evil not in page
    assert page.count("<script>") == 1


# --- the search ----------------------------------------------------------------------------------------


def test_answer_says_best_probability_and_what_cannot_be_told_apart() -> None:
    text = text_of(optimise_report.render(sample_search()))
    assert "Best: mFOLFOX6 6 cycles before and 6 after liver resection" in text
    assert "22% probability that A is the best of the ranked" in text
    assert "6 of 16 others cannot be told apart from A (B, C, D, E, F and G)" in text
    assert "Timing does not matter here from 28 to 56 days" in text
    assert "How often scans are taken does not matter here" in text


def test_unproven_is_never_ranked_however_well_it_does() -> None:
    search = sample_search()
    cells = next(e for e in search.evaluations if "cik" in e.expression)
    cells.objectives["rmst"].value = 59.0
    found = shown(search)
    assert cells.id not in {c.evaluation.id for c in found.ranked}
    mine = next(c for c in found.unranked if c.evaluation.id == cells.id)
    assert mine.standing == "unranked"
    assert mine.probability is None
    text = text_of(optimise_report.render(search))
    assert "Shown, not ranked: unproven, or outside the data" in text
    assert "never a ground for a rank" in text


def test_nothing_is_called_best_when_nothing_may_be_ranked() -> None:
    search = sample_search(
        best=None,
        probability_best={},
        expected_regret={},
        cannot_be_told_apart=[],
        front=[],
        plateau=[],
        words=[],
        outside=["no trial holds such patients"],
    )
    for e in search.evaluations:
        e.rank = None
    page = optimise_report.render(search)
    text = text_of(page)
    assert "Nothing is ranked" in text
    assert "Outside the data." in text
    assert "probability that" not in text
    assert 'id="sure"' not in page
    assert "not ranked" in text
    assert 'class="gantt"' in page  # shown all the same


def test_reference_is_shown_even_far_down() -> None:
    search = sample_search(reference="c17")
    found = shown(search)
    assert found.ranked[-1].evaluation.id == "c17"
    assert found.ranked[-1].is_reference
    assert [c.letter for c in found.all] == [letter(i) for i in range(len(found.all))]


def test_refusals_are_grouped_by_reason_and_constraints_cited() -> None:
    page = optimise_report.render(sample_search())
    text = text_of(page)
    assert "10 28 days must pass from chemotherapy to the operation" in text
    assert "3 Cumulative oxaliplatin over 850 mg/m2" in text
    assert page.count("mfolfox6*5 &gt; [14d] hepatectomy") == 1
    assert 'href="#ref-1"' in page


def test_calendars_are_those_of_the_best_its_rivals_and_the_standard() -> None:
    page = optimise_report.render(sample_search(reference="c17"))
    titles = re.findall(r'<figure class="gantt"><h3>.*?>(\w+)</span>', page)
    assert titles[0] == "A"
    assert titles[-1] == "K"  # the standard, told apart
    assert len(titles) == optimise_report.RIVALS + 2


def test_little_is_enough() -> None:
    """Documents without plateau, front, cells, constraints or words are whole pages too."""
    search = sample_search(
        plateau=[],
        front=[],
        cells_band=[],
        constraints=[],
        variables=[],
        words=[],
        limits=[],
        bibliography=[],
        objectives=[],
    )
    page = optimise_report.render(search)
    assert Outline(page).open == []
    assert "44.6" in text_of(page) or "45 (41 to 48) mean months alive" in text_of(page)


def test_sections_of_why_and_update_join_the_page() -> None:
    alone = optimise_report.render(sample_search())
    page = PAGES["all"]()
    assert 'id="moved"' not in alone
    for id in ("answer", "calendars", "heat", "turns", "true", "know", "news", "moved", "choice"):
        assert f'id="{id}"' in page
        assert f'href="#{id}"' in page


# --- why -----------------------------------------------------------------------------------------------


def test_why_holds_every_part() -> None:
    text = text_of(understand_report.render(sample_understanding()))
    for expected in (
        "81% probability that A is the better one",
        "No detectable difference",
        "Half-life 5, 10 and 21 d",
        "18% of the raw variance was chance",
        "nowhere plausible",
        "cannot be told from nothing",
        "markers.ugt1a1",
        "perioperative mFOLFOX6",
    ):
        assert expected in text


def test_why_says_what_was_not_made_and_that_no_choice_is_made() -> None:
    why = sample_understanding(heatmap=None, sensitivity=None, skipped=[SKIPPED])
    why.contrast.ranked, why.contrast.not_ranked_because = False, "one of them is investigational"
    page = understand_report.render(why)
    text = text_of(page)
    assert "Not made: day of infusion and half-life (neither strategy infuses cells)" in text
    assert "No choice is made: one of them is investigational" in text
    assert 'id="turns"' not in page


def test_what_is_worth_nothing_has_no_figure_and_an_unproven_strategy_is_not_chosen() -> None:
    why = sample_understanding()
    assert 'id="f-know' in understand_report.render(why)
    for item in why.information.items:  # type: ignore[union-attr]
        item.distinct = False
    why.contrast.ranked = False
    page = understand_report.render(why)
    assert 'id="f-know' not in page
    assert "Chosen on what is known" not in text_of(page)
    assert "No choice is made here" in text_of(page)
    assert Outline(page).open == []


def test_no_ranking_to_explain_leaves_its_panel_out() -> None:
    why = sample_understanding()
    assert "Of which one is ahead" in understand_report.render(why)
    why.sensitivity.sobol.ranking = []  # type: ignore[union-attr]
    page = understand_report.render(why)
    assert "Of which one is ahead" not in page
    assert "there is nothing of it to explain" in text_of(page)


# --- update --------------------------------------------------------------------------------------------


def test_update_says_how_belief_moved() -> None:
    text = text_of(update_report.render(sample_update()))
    assert "4 of 5 findings moved belief" in text
    assert "8 December 2025 (97 days later)" in text
    assert "stable disease" in text  # no number, so only in the table
    assert "not a rank" in text
    assert "mFOLFOX6, 6 cycles from 9 September 2025" in text  # a name keeps its small letter


def test_update_without_findings_or_months() -> None:
    found = sample_update(observations=[], notes=[])
    found.strategies[0].updated_months = Estimate(value=None)
    assert Outline(update_report.render(found)).open == []


# --- files and helpers ---------------------------------------------------------------------------------


def test_files_are_written(tmp_path: Path) -> None:
    for write, document in (
        (write_optimise_report, sample_search()),
        (write_understand_report, sample_understanding()),
        (write_update_report, sample_update()),
    ):
        path = write(document, tmp_path / "r.html")  # type: ignore[operator]
        assert path.read_text("utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (-1.3, 0.2), (26.1, 28.9), (0, 0.004), (-250, 3000), (41, 41.5)]
)
def test_ticks_are_few_round_and_inside(low: float, high: float) -> None:
    ticks = nice_ticks(low, high)
    assert 2 <= len(ticks) <= 5
    assert all(low - 1e-9 <= t <= high + 1e-9 for t in ticks)
    assert all(len(f"{t:g}") <= 6 for t in ticks)


@pytest.mark.parametrize(("low", "high"), [(20.0, 400.0), (0.4, 9.0), (5.0, 6.0), (0.0, 3.0), (2.0, 2.0)])
def test_scales_have_ticks_inside(low: float, high: float) -> None:
    scale = Scale([low, high])
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 6
    assert all(scale.limits[0] <= scale(t) <= scale.limits[1] for t in ticks)


def test_small_words() -> None:
    assert [letter(i) for i in (0, 25, 26, 51)] == ["A", "Z", "AA", "AZ"]
    assert said("4 cycles") == "4 cycles"
    assert said("capox*4 > hepatectomy") == "4 cycles of CAPOX > liver resection"
    assert quantity(28, "d") == "28\N{NO-BREAK SPACE}d"
    assert quantity(8, "day of cycle") == "day 8"
    assert quantity("surgery first", "") == "surgery first"
    assert regret_words(0.004, "months") == "<0.1 months"
    assert regret_words(None, "months") == "\N{EN DASH}"
    assert [figure_text(v) for v in (0.0, 0.0123, 130.0, -18.0, 4.2e-5)] == [
        "0",
        "0.0123",
        "130",
        "\N{MINUS SIGN}18",
        "4.2e\N{MINUS SIGN}05",
    ]


def test_letters_of_candidates_never_lean_on_colour(  # a letter and words tell the standing too
) -> None:
    found: list[Candidate] = shown(sample_search()).all
    assert len({c.letter for c in found}) == len(found)
    assert {c.words for c in found if c.standing == "alike"} == {"cannot be told apart from the best"}


def test_expressions_are_said_as_a_clinician_would() -> None:
    assert said("hepatectomy, then after 28 days mfolfox6*12") == (
        "liver resection; 28 days later: 12 cycles of mFOLFOX6"
    )
    assert said("mfolfox6*1 + cik*6@8") == "1 cycle of mFOLFOX6 + 6 infusions of CIK on day 8"
    plain = "Best of 22: 36.2 months; gap within 28 days (±21)"
    assert said(plain) == plain


def test_a_point_far_off_does_not_squeeze_the_rest() -> None:
    search = sample_search()
    cells = next(e for e in search.evaluations if "cik" in e.expression)
    cells.objectives["rmst"].value = 4.0
    assert "Beyond the edge of a panel: K." in text_of(optimise_report.render(search))
    assert "Beyond the edge" not in text_of(optimise_report.render(sample_search()))


def test_a_front_that_was_asked_for_shows_its_objectives_only() -> None:
    search = sample_search()
    assert [x.name for x in optimise_report.traded(search)] == ["rfs", "qaly", "burden"]
    search.settings["objective"] = "rmst,burden"
    assert [x.name for x in optimise_report.traded(search)] == ["burden"]
    assert Outline(optimise_report.render(search)).open == []


def test_members_of_a_front_have_letters_and_their_table_is_open() -> None:
    search = sample_search()
    search.settings["objective"] = "rmst,burden"
    found = shown(search)
    on = [c for c in found.ranked if c.on_front]
    assert len(on) == min(len(search.front), 10)
    assert found.ranked[0].evaluation.id == search.best
    page = optimise_report.render(search)
    table = page[page.index("On the front: no other timetable") - 400 :]
    assert "<details>" not in table[:400]
    assert "days in hospital or at visits" in text_of(page).partition("Assessed")[2][:400]


def test_another_schedule_of_scans_than_the_standard_s_is_said() -> None:
    search = sample_search()
    assert "in the first year" not in text_of(optimise_report.render(search)).partition("On the front")[0]
    best = search.evaluation(str(search.best))
    best.timetable = [bar for bar in best.timetable if bar.lane != "scans"]
    assert "0 scans in the first year" in text_of(optimise_report.render(search))


def test_the_command_repeats_what_was_asked() -> None:
    search = sample_search()
    search.settings |= {"objective": "0.8*rmst+0.2*burden", "matters": 0.5}
    assert "--objective '0.8*rmst+0.2*burden'" in optimise_report.command(search)
    assert "--matters 0.5" in optimise_report.command(search)


def test_what_is_too_small_to_matter_is_as_good() -> None:
    search = sample_search(as_good=[f"c{i}" for i in range(1, 10)], least_that_matters=0.5)
    assert [c.standing for c in shown(search).ranked[6:]] == ["alike", "near", "near", "apart"]
    text = text_of(optimise_report.render(search))
    assert "8 of 16 others are as good as A: not told apart, or within 0.5 months" in text


def test_strategies_are_a_and_b_in_sentences() -> None:
    why = sample_understanding()
    both = f"{why.first.expression} and {why.second.expression} differ by -0.5 months."
    assert understand_report.lettered(why, both) == "A and B differ by \N{MINUS SIGN}0.5 months"
    inside = "two_stage_hepatectomy > mfolfox6*6 is another"
    assert understand_report.lettered(why, inside) == inside


def test_what_sections_repeat_is_said_once_at_the_top() -> None:
    why = sample_understanding()
    assert why.sensitivity is not None
    why.sensitivity.words = ["first of sensitivity", "second of sensitivity"]
    why.words = ["the answer", *why.sensitivity.words]
    assert understand_report.lead(why) == ["the answer", "first of sensitivity"]
