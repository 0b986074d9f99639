"""Whole lives of the engine beside those of the reference: the same decisions on the same days."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from metachron.engine.batch import simulate
from metachron.reference.accuracy import SEED, reference_life
from metachron.reference.outcomes import Pair, differences, whole_lives
from metachron.reference.scenarios import GRID, YEAR, build

TWINS = 11
MOST_DIFFERENT = 0.05  # share of lives in which a threshold lies within the error of the usual steps
YEARS = 6.0
FINE = 1.0 / 16.0


def fine_differences(name: str, twin: int) -> tuple[str, ...]:
    """What still differs with steps of a sixteenth."""
    scenario = replace(next(s for s in GRID if s.name == name), days=YEARS * YEAR)
    ready = build(scenario, TWINS)
    lives = simulate(
        ready.lesions, ready.twins, ready.draws, ready.programme, seed=SEED, horizon_days=scenario.days,
        jobs=1, step_scale=FINE,
    )  # fmt: skip
    return differences(lives, twin, reference_life(ready, scenario, twin))


@pytest.mark.parametrize("name", ["no drug", "checkpoint inhibitor", "resection between two courses"])
def test_two_lives_are_alike(name: str) -> None:
    pairs = whole_lives(next(s for s in GRID if s.name == name), 2, years=5.0)
    assert [p.differs for p in pairs] == [(), ()]
    assert max(p.death_days for p in pairs) < 3.0


def one_of_each(name: str, index: int) -> tuple[list[bool], list[Pair]]:
    """Of three twins, who began a segment in the engine's lives, and the pairs."""
    scenario = replace(next(s for s in GRID if s.name == name), days=4.0 * YEAR)
    ready = build(scenario, 3)
    lives = simulate(
        ready.lesions, ready.twins, ready.draws, ready.programme, seed=SEED, horizon_days=scenario.days,
        jobs=1,
    )  # fmt: skip
    return np.isfinite(lives.starts[:, index]).tolist(), whole_lives(scenario, 3, 4.0)


@pytest.mark.parametrize(("name", "index"), [("removal after response", -1), ("too ill for more", 1)])
def test_who_is_operated_on_and_who_is_too_ill_is_decided_alike(name: str, index: int) -> None:
    """Both faces of the coin are met, and the reference throws it the same way."""
    begun, pairs = one_of_each(name, index)
    assert set(begun) == {False, True}
    assert [p.differs for p in pairs] == [()] * 3


@pytest.mark.slow
def test_two_hundred_lives_are_alike_but_for_thresholds() -> None:
    """What differs at the usual steps agrees at fine ones: a coin or a limit lay within the error."""
    pairs: list[Pair] = [pair for scenario in GRID for pair in whole_lives(scenario, TWINS, YEARS)]
    assert len(pairs) >= 200
    different = [p for p in pairs if p.differs]
    assert len(different) <= MOST_DIFFERENT * len(pairs), different
    for pair in different:
        assert fine_differences(pair.scenario, pair.twin) == (), pair
