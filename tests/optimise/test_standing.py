"""Probability best and regret on laws whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from metachron.optimise.standing import standing, told_apart
from metachron.plan.bands import Paired

DRAWS, PER = 50, 40
DRAW = np.repeat(np.arange(DRAWS), PER)
SOURCE = np.arange(DRAW.size)


def test_each_draw_has_its_own_best() -> None:
    """B is a month better in 30 % of draws and a month worse in the others."""
    effect = np.where(np.arange(DRAWS) < 0.3 * DRAWS, 1.0, -1.0)[DRAW]
    a = 40.0 + np.random.default_rng(1).normal(0, 5, DRAW.size)
    found = standing(np.column_stack([a, a + effect]), 0, DRAW, SOURCE)
    assert found.probability == pytest.approx([0.7, 0.3], abs=1e-6)
    assert found.regret == pytest.approx([0.3, 0.7], abs=1e-6)
    assert found.paired[1].mean == pytest.approx(-0.4)


def test_ties_share() -> None:
    a = np.random.default_rng(2).normal(40, 5, DRAW.size)
    found = standing(np.column_stack([a, a, a - 1.0]), 0, DRAW, SOURCE)
    assert found.probability == pytest.approx([0.5, 0.5, 0.0])
    assert found.regret == pytest.approx([0.0, 0.0, 1.0])


def test_chance_alone_tells_nothing_apart() -> None:
    """Equal in truth: over repetitions the probability of the first is a half on average."""
    rng = np.random.default_rng(3)
    seen = []
    for _ in range(40):
        scores = rng.normal(40, 5, (DRAW.size, 2))
        seen.append(standing(scores, 0, DRAW, SOURCE).probability[0])
    assert abs(np.mean(seen) - 0.5) < 0.12
    assert np.std(seen) > 0.1


def test_probabilities_sum_to_one_and_regret_is_never_negative() -> None:
    scores = np.random.default_rng(4).normal(40, 5, (DRAW.size, 6)) + np.arange(6) * 0.3
    found = standing(scores, 5, DRAW, SOURCE)
    assert found.probability.sum() == pytest.approx(1.0)
    assert (found.regret >= 0).all()


@pytest.mark.parametrize(("p", "apart"), [(0.5, False), (0.89, False), (0.91, True), (0.05, True)])
def test_nine_to_one(p: float, apart: bool) -> None:
    assert told_apart(Paired(0.0, -1.0, 1.0, p, 0.1)) is apart
