"""An update in words: months first, figures that are known, and no sign that nobody can use."""

from __future__ import annotations

import pytest

from metachron.optimise.update.results import Belief, Observation, Sampling, Spread, StrategyBelief
from metachron.optimise.update.words import LESS_KILLED, sampling_text, spread_text, summary


def fate(change: float) -> StrategyBelief:
    text = "19.2 months alive within 5 years before the findings, 9.3 after: less."
    return StrategyBelief.model_construct(change_months=change, text=text, title="mFOLFOX6")


def moved(name: str, way: str) -> Belief:
    return Belief.model_construct(name=name, moved=way, shift=-1.0 if way == "down" else 1.0, text=name)


SEEN = [Observation.model_construct(what="L1", found=20.0, unit="mm", used=True, probability=0.2)]
SAMPLED = Sampling.model_construct(text="sampled.")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ((-10.8, -5.6), "lower the mean months alive within 5 years from today by 5.6 to 10.8, over the 2"),
        ((1.4, 4.4), "raise the mean months alive within 5 years from today by 1.4 to 4.4, over the 2"),
        ((2.04, 1.96), "raise the mean months alive within 5 years from today by 2.0, over the 2"),
        ((-0.01, 4.2), "by 0.0 to +4.2, over the 2"),
        ((-0.04, 0.04), "as they were, over the 2"),
    ],
)
def test_months_come_first(changes: tuple[float, float], said: str) -> None:
    lines = summary([], SEEN, [fate(c) for c in changes], SAMPLED)
    assert said in lines[0]
    assert "within what was expected" in lines[1]
    assert lines[-1] == "sampled."


def test_a_smaller_resistant_share_after_progression_is_explained() -> None:
    both = [moved("sensitivity", "down"), moved("resistant_now_irinotecan", "down")]
    assert LESS_KILLED in summary(both, SEEN, [fate(-5.0)], SAMPLED)
    both[0].moved = "up"
    assert LESS_KILLED not in summary(both, SEEN, [fate(5.0)], SAMPLED)


def test_one_strategy_is_named() -> None:
    assert "by 5.0, under mFOLFOX6." in summary([], SEEN, [fate(-5.0)], SAMPLED)[0]


@pytest.mark.parametrize(
    ("values", "unit", "mean", "text"),
    [
        ((0.7, 0.63, 0.0033, 0.999), "fraction", False, "63 % (under 1 to over 99 %)"),
        ((0.62, 1.0, 0.0, 1.0), "fraction", True, "62 %"),
        ((1.2, 1.0, 0.38, 2.8), "times average", False, "1.0 times the average (0.38 to 2.8)"),
        ((4.2, 3.0, 0.0, 10.0), "lesions", True, "4.2 (0 to 10)"),
        ((90.0, 118.3, 34.2, 1395.0), "days", False, "118 days (34 to 1,395)"),
    ],
)
def test_spreads(values: tuple[float, float, float, float], unit: str, mean: bool, text: str) -> None:
    names = ("mean", "median", "lower", "upper")
    found = Spread(**dict(zip(names, values, strict=True)))
    assert spread_text(found, unit, mean=mean) == text


def test_counts_of_twins_are_grouped() -> None:
    assert "count as 1,744 equal ones, and 1,646 different" in sampling_text(32_000, 1744.4, 1646, "")
