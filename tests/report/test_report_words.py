"""Formats, the order of strategies, the calendar's rows, and the table of the command line."""

from __future__ import annotations

import io
from itertools import pairwise

import pytest
from rich.console import Console
from sample import sample_plan

from metachron.plan.results import Bar, Difference, Estimate
from metachron.report import calendar, words
from metachron.report.arms import COLOURS, compared, letter_of
from metachron.report.compare_figures import forest_limit
from metachron.report.console import strategy_table, summary_lines
from metachron.report.figures import month_ticks, spread
from metachron.report.patient_view import groups


def difference(**changes: object) -> Difference:
    fields: dict[str, object] = {
        "strategy": "a",
        "reference": "b",
        "endpoint": "os",
        "quantity": "q",
        "unit": "months",
        "difference": 3.24,
        "lower": 0.41,
        "upper": 6.1,
        "probability_better": 0.9,
        "detectable": True,
        "basis": "prior-driven",
        "text": "t",
    }
    return Difference.model_validate(fields | changes)


def test_numbers_carry_no_false_precision() -> None:
    assert words.percent(0.3817) == "38%"
    assert words.percent(0.001) == "<1%"
    assert words.percent(0.9999) == ">99%"
    assert words.percent_interval(Estimate(value=0.38, lower=0.31, upper=0.46)) == "38% (31 to 46)"
    assert words.percent_interval(None) == "not available"
    assert words.months(Estimate(value=26.4, lower=9.12, upper=None)) == "26 (9.1 to not reached)"
    assert words.months(Estimate(value=None)) == "not reached"
    assert words.months(Estimate(value=None, lower=41.3)) == "not reached (41 to not reached)"


def test_differences_in_words() -> None:
    assert words.difference_numbers(difference()) == "+3.2 months (+0.4 to +6.1)"
    far = difference(difference=-12.0, lower=-20.0, upper=-0.2)
    assert words.difference_numbers(far) == "\N{MINUS SIGN}12 months (\N{MINUS SIGN}20 to 0)"
    share = difference(
        unit="fraction", difference=0.034, lower=-0.01, upper=0.08, endpoint="toxicity_grade3plus"
    )
    assert words.difference_numbers(share) == "+3 percentage points (\N{MINUS SIGN}1 to +8)"
    assert words.difference_words(difference()) == "Longer"
    assert words.difference_words(share) == "Probably more often"  # the interval holds nought
    assert words.difference_words(difference(detectable=False)) == "No detectable difference"


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", [*COLOURS, *calendar.LANE_COLOURS.values()])
def test_colours_can_be_read_on_white_and_under_white(colour: str) -> None:
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5


def test_order_of_strategies() -> None:
    plan = sample_plan()
    arms = compared(plan)
    assert arms[0].is_reference
    assert [a.letter for a in arms] == list("ABCDEFGH")
    assert [a.ranked for a in arms] == sorted((a.ranked for a in arms), reverse=True)
    assert letter_of(26) == "AA"


def test_labels_at_the_ends_of_curves_do_not_overlap() -> None:
    placed = sorted(spread([0.3, 0.31, 0.305, 0.0, 0.001, 0.99], 0.05))
    assert all(b - a >= 0.0499 for a, b in pairwise(placed))
    assert placed[0] >= 0
    assert placed[-1] <= 1


def test_month_ticks_are_whole_and_few() -> None:
    for last in (12, 24, 36, 60, 120, 240):
        ticks = month_ticks(last)
        assert ticks[0] == 0
        assert 3 <= len(ticks) <= 11


def test_forest_axis_is_not_stretched_by_one_far_difference() -> None:
    near = [difference(lower=-5.0, upper=4.0) for _ in range(5)]
    assert forest_limit([*near, difference(difference=-70.0, lower=-90.0, upper=-50.0)]) < 10


def bar(label: str, start: float, **changes: object) -> Bar:
    fields: dict[str, object] = {
        "lane": "chemotherapy",
        "label": label,
        "start_day": start,
        "end_day": start + 2,
        "start_window": (start, start + 5),
        "end_window": (start + 2, start + 9),
        "share": 1.0,
    }
    return Bar.model_validate(fields | changes)


def test_cycles_share_a_row_but_a_number_in_a_name_stays() -> None:
    rows = calendar.rows_of([bar("mFOLFOX6 cycle 2", 14), bar("mFOLFOX6 cycle 1", 0)])
    assert [(r.label, len(r.bars)) for r in rows] == [("mFOLFOX6", 2)]
    assert calendar.rows_of([bar("drug 5", 0)])[0].label == "drug 5"


def test_calendar_windows_merge_and_the_scale_has_limits() -> None:
    assert calendar.merged([(3.0, 5.0), (0.0, 1.0), (4.0, 8.0)]) == [(0.0, 1.0), (3.0, 8.0)]
    assert calendar.last_week([]) == calendar.SHORTEST_WEEKS
    assert calendar.last_week([[bar("x", 3000)]]) == calendar.LONGEST_WEEKS


def test_unknown_is_shown_as_unknown() -> None:
    shown = {g.title: g for g in groups({"age_years": 61.0, "markers": {"ras": None, "msi": "MSS"}})}
    assert "RAS" in shown["Molecular markers and pharmacogenetics"].unknown
    assert [f.value for f in shown["Molecular markers and pharmacogenetics"].known] == ["MSS"]
    assert shown["Person"].known[0].value == "61"


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_the_table_of_the_command_line_fits(width: int) -> None:
    console = Console(width=width, file=io.StringIO(), force_terminal=False, color_system=None)
    console.print(strategy_table(sample_plan()))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, text.splitlines())) <= width
    if width < 80:
        return  # narrower than promised: nothing may overflow, that is all
    flat = " ".join(text.split())
    assert "reference" in flat
    assert "HER2" in flat
    assert "…" not in text


def test_summary_lines_say_what_no_output_may_omit() -> None:
    plan = sample_plan()
    lines = summary_lines(plan)
    assert plan.disclaimer in lines
    assert plan.parameters_status in lines
    assert any("8 eligible" in line for line in lines)
