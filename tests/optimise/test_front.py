"""The front against brute force, and its volume against the formula and against sampling."""

from __future__ import annotations

import numpy as np
import pytest

from metachron.optimise.front import covered, hypervolume, non_dominated


def brute_force(scores: np.ndarray) -> set[int]:
    def beaten(i: int) -> bool:
        return any(
            np.all(scores[j] >= scores[i]) and np.any(scores[j] > scores[i]) for j in range(len(scores))
        )

    return {i for i in range(len(scores)) if not beaten(i)}


@pytest.mark.parametrize("k", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(5))
def test_front_is_that_of_brute_force(k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(60, k)) if seed else rng.integers(0, 4, (60, k)).astype(float)
    found = non_dominated(scores)
    assert {tuple(scores[i]) for i in found} == {tuple(scores[i]) for i in brute_force(scores)}
    assert set(found) <= brute_force(scores)
    assert len({tuple(scores[i]) for i in found}) == len(found)  # of equals one


def test_volume_of_boxes() -> None:
    scores = np.array([[3.0, 1.0], [1.0, 3.0], [2.0, 2.0], [0.5, 0.5]])
    assert hypervolume(scores, np.zeros(2)) == pytest.approx(3 + 2 + 1)
    assert hypervolume(scores, np.array([5.0, 5.0])) == 0.0


def test_volume_by_sampling() -> None:
    rng = np.random.default_rng(1)
    scores = rng.uniform(size=(12, 3))
    points = rng.uniform(size=(200_000, 3))
    inside = np.any([np.all(points <= s, axis=1) for s in scores], axis=0).mean()
    assert hypervolume(scores, np.zeros(3)) == pytest.approx(inside, abs=0.004)


def test_share_of_the_box() -> None:
    assert covered(np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])) == pytest.approx(1.0)
    assert covered(np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]])) == pytest.approx(0.25)
    assert covered(np.array([[2.0, 2.0]])) == 1.0
