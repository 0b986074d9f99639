"""The race on candidates whose truth is known: the best wins, and is not dropped on the way."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from metachron.optimise.continuous import refine
from metachron.optimise.race import Race, run_race
from metachron.optimise.results import Value
from metachron.optimise.template import parse_template
from metachron.strategies.catalogue import load_catalogue

DRAWS, SIZE = 20, 200
TRUTH = {f"c{i}": 40.0 - 0.1 * (i - 7) ** 2 for i in range(15)}


@dataclass
class Fake:
    """Twins shared by all candidates; each adds its own noise, and its own effect of the draw."""

    number: int
    seed: int
    columns: int = 1
    asked: list[str] | None = None

    @property
    def draw(self) -> NDArray[np.int64]:
        return np.repeat(np.arange(DRAWS), SIZE // DRAWS)

    @property
    def source(self) -> NDArray[np.int64]:
        return self.number * SIZE + np.arange(SIZE)

    def scores(self, key: str) -> NDArray[np.float64]:
        if self.asked is not None:
            self.asked.append(key)
        twins = np.random.default_rng([self.seed, self.number]).normal(0, 10, SIZE)
        own = np.random.default_rng([self.seed, self.number, int(key[1:])]).normal(0, 2, SIZE)
        first = TRUTH[key] + twins + own
        return np.column_stack([first, -float(key[1:]) + 0.0 * first])[:, : self.columns]


def race(seed: int, **given: object) -> Race:
    arguments = {"most_rounds": 12, "deadline": time.monotonic() + 60, "say": lambda *_: None, **given}
    return run_race(list(TRUTH), lambda n: Fake(n, seed), **arguments)


def test_the_best_wins_and_others_drop_out_early() -> None:
    leaders = [race(seed).leader for seed in range(20)]
    assert sum(leader in ("c6", "c7", "c8") for leader in leaders) == 20
    assert leaders.count("c7") >= 12
    one = race(1)
    assert one.complete
    assert sum(len(v) for v in one.scores.values()) < 0.6 * len(TRUTH) * one.done * SIZE


def test_the_best_is_hardly_ever_dropped() -> None:
    kept = sum("c7" in race(100 + seed).alive for seed in range(30))
    assert kept >= 29


def test_same_seed_same_race() -> None:
    assert race(3).order() == race(3).order()


def test_a_budget_that_is_over_stops_after_the_first_candidates() -> None:
    found = race(1, deadline=time.monotonic() - 1)
    assert found.done == 1
    assert found.not_reached == list(TRUTH)[2:]
    assert not found.complete
    assert found.stopped_because == "the budget ended"


def test_what_is_not_allowed_leaves_the_race() -> None:
    assert race(1, allowed=lambda key: key != "c7").leader in ("c6", "c8")
    assert race(1, allowed=lambda _key: False).alive == []


def test_a_front_keeps_every_trade() -> None:
    """The second objective falls with the number: c0 to c7 trade one for the other, the rest is beaten."""
    found = run_race(
        list(TRUTH),
        lambda n: Fake(n, 5, 2),
        most_rounds=12,
        deadline=time.monotonic() + 60,
        say=lambda *_: None,
    )
    assert {f"c{i}" for i in range(6)} <= set(found.alive)
    assert not {f"c{i}" for i in range(10, 15)} & set(found.alive)


CATALOGUE = load_catalogue()


@pytest.mark.parametrize(
    ("text", "peak"),
    [
        ("mfolfox6*6 > [{gap=28..84:28}d] hepatectomy", {"gap": 61.0}),
        (
            "[{start=14..70:28}d] hepatectomy > [{gap=28..84:28}d] mfolfox6*{4,6}",
            {"start": 40.0, "gap": 66.0},
        ),
    ],
)
def test_times_between_the_grid_are_found(text: str, peak: dict[str, float]) -> None:
    """Against brute force over every whole day of a smooth law."""
    pytest.importorskip("optuna")
    template = parse_template(text, CATALOGUE)
    start = next(template.combinations())

    def law(values: dict[str, Value]) -> float:
        return -sum((float(values[k]) - v) ** 2 for k, v in peak.items())

    tried, method = refine(template, start, law, trials=60, seed=1, deadline=time.monotonic() + 30)
    assert ("CMA-ES" in method) == (len(peak) > 1)
    assert all(abs(float(tried[0][k]) - v) <= 4 for k, v in peak.items())
    assert all(tried[0][k] == v for k, v in start.items() if k not in peak)


def test_nothing_to_refine() -> None:
    template = parse_template("mfolfox6*{4..6} > hepatectomy", CATALOGUE)
    start = next(template.combinations())
    assert refine(template, start, lambda _v: 0.0, trials=9, seed=1, deadline=time.monotonic() + 9) == (
        [],
        "",
    )
