"""The race: all candidates on a batch of twins, the hopeless out, the rest on the next batch.

Candidates are compared with the leader twin by twin. One is out when its odds against the leader are under 1
to 49: far stricter than the 9 to 1 by which differences are called, since the race looks again and again.
With several objectives a candidate is out when another one surely beats it in all of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from metachron.plan.bands import Paired, difference

Floats = NDArray[np.float64]
LEAST_PROBABILITY = 0.02  # of being better than the leader, under which a candidate is out
ENOUGH = (
    0.25  # Monte Carlo error, as a share of the half-width of the interval, that more twins need not lower
)
LEAST_SCALE = 0.2  # months (or days): differences below need no more twins
FRONT_ROUNDS = 4
SURE = 2.0  # standard errors by which a rival must be ahead in each of several objectives


class Batch(Protocol):
    """One batch of twins on which candidates are evaluated."""

    @property
    def draw(self) -> NDArray[np.int64]: ...

    @property
    def source(self) -> NDArray[np.int64]: ...

    def scores(self, key: str) -> Floats:
        """Scores (n, objectives) of one candidate, more is better."""


@dataclass
class Race:
    """State of a race. `scores`: candidate -> (n, objectives), longer for those that lasted."""

    scores: dict[str, Floats] = field(default_factory=dict)
    rounds: dict[str, int] = field(default_factory=dict)
    alive: list[str] = field(default_factory=list)
    not_reached: list[str] = field(default_factory=list)
    draw: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    source: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    done: int = 0
    stopped_because: str = ""
    complete: bool = False

    @property
    def leader(self) -> str:
        """The candidate with the best mean of the first objective; the first of equals."""
        return max(self.alive, key=lambda key: float(self.scores[key][:, 0].mean()))

    def order(self) -> list[str]:
        """All raced candidates: those that lasted longest first, then by mean score."""
        keys = list(self.scores)
        return sorted(keys, key=lambda k: (-self.scores[k].shape[0], -float(self.scores[k][:, 0].mean())))


def run_race(
    candidates: Sequence[str],
    batches: Callable[[int], Batch],
    *,
    most_rounds: int,
    deadline: float,
    say: Callable[[str, float], None],
    allowed: Callable[[str], bool] = lambda _key: True,
) -> Race:
    """Race candidates on batches 0, 1, ...

    `allowed(key)` says after each round whether a candidate meets what is asked of outcomes. `deadline`: on
    the monotonic clock; the first batch is finished for as many candidates as it allows, and later ones are
    only begun when there is time to finish them.
    """
    race = Race(alive=list(candidates))
    seconds = 0.0  # for one candidate on one batch
    for number in range(most_rounds):
        if number and time.monotonic() + seconds * len(race.alive) > deadline:
            race.stopped_because = "the budget ended"
            return race
        began, todo = time.monotonic(), list(race.alive)
        _round(race, batches(number), number, deadline, say, most_rounds, seconds)
        seconds = (time.monotonic() - began) / max(len(todo), 1)
        race.alive = [k for k in race.alive if allowed(k)]
        if not race.alive:
            race.stopped_because = "no candidate meets what is asked of outcomes"
            return race
        _drop(race)
        if race.not_reached:
            race.stopped_because = "the budget ended"
            return race
        reason = _finished(race)
        if reason:
            race.stopped_because, race.complete = reason, True
            return race
    race.stopped_because = f"{most_rounds} batches of twins were used"
    return race


def _round(
    race: Race,
    batch: Batch,
    number: int,
    deadline: float,
    say: Callable[[str, float], None],
    most_rounds: int,
    seconds: float,
) -> None:
    """Evaluate everyone still in the race on one batch."""
    reached: list[str] = []
    total = len(race.alive)
    stage = f"round {number + 1}: {total} candidates on {batch.draw.size:,} twins"
    if number:
        stage += f", about {seconds * total:.0f} s"
    for i, key in enumerate(race.alive):
        if number == 0 and i > 1 and time.monotonic() > deadline:
            race.not_reached = race.alive[i:]
            break
        say(stage, (number + i / total) / most_rounds)
        found = batch.scores(key)
        old = race.scores.get(key)
        race.scores[key] = found if old is None else np.concatenate([old, found])
        race.rounds[key] = number + 1
        reached.append(key)
    race.alive = reached
    race.draw = np.concatenate([race.draw, batch.draw])
    race.source = np.concatenate([race.source, batch.source])
    race.done = number + 1


def from_leader(race: Race) -> dict[str, Paired]:
    """Paired difference of everyone still in the race from the leader, in the first objective."""
    base = race.scores[race.leader][:, 0]
    return {k: difference(race.scores[k][:, 0] - base, race.draw, race.source) for k in race.alive}


def _drop(race: Race) -> None:
    """Take out who surely cannot be best (one objective) or is surely beaten in all (several)."""
    if race.scores[race.alive[0]].shape[1] > 1:
        race.alive = _undominated(race.scores, race.alive, race.draw)
        return
    leader = race.leader
    found = from_leader(race)
    race.alive = [k for k in race.alive if k == leader or found[k].probability >= LEAST_PROBABILITY]


def _undominated(scores: Mapping[str, Floats], alive: Sequence[str], draw: NDArray[np.int64]) -> list[str]:
    """Candidates that no other surely beats in every objective."""
    _, which = np.unique(draw, return_inverse=True)
    n = np.bincount(which).astype(float)
    means = np.stack([_by_draw(scores[k], which, n) for k in alive])  # (m, draws, objectives)
    kept = []
    for i, key in enumerate(alive):
        away = means[i][None] - means
        centre = away.mean(1)
        error = away.std(1, ddof=1) / np.sqrt(n.size) if n.size > 1 else np.zeros_like(centre)
        beaten = np.all(centre + SURE * error <= 0, axis=1) & np.any(centre + SURE * error < 0, axis=1)
        if not beaten.any():
            kept.append(key)
    return kept


def _by_draw(values: Floats, which: NDArray[np.int64], n: Floats) -> Floats:
    return np.column_stack([np.bincount(which, weights=v) / n for v in values.T])


def _finished(race: Race) -> str:
    """Why nothing is left to find out, or nothing."""
    if len(race.alive) == 1:
        return "one candidate is left"
    if race.scores[race.alive[0]].shape[1] > 1:
        return "the rounds of a front are over" if race.done >= FRONT_ROUNDS else ""
    found = [p for k, p in from_leader(race).items() if k != race.leader]
    if all(p.mc_error <= ENOUGH * max(p.half_width, LEAST_SCALE) for p in found):
        return "more twins would not tell the rest apart"
    return ""
