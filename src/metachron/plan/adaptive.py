"""How many twins: batches are added until the Monte Carlo error of every shown difference is small enough.

The twins of a plan are batches of one size, so those of a larger plan begin with those of a smaller one, and
the number of rounds it took to get there does not show. The rule looks at errors, never at the differences
themselves, beyond what counts as small beside them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from metachron.plan.arms import Arm, Progress, pick_reference, run_arms
from metachron.plan.document import differences
from metachron.plan.precision import excess, in_words, summary, worst
from metachron.plan.results import Difference, MonteCarlo
from metachron.plan.twins import Twins, join

BATCH = 1000  # twins added at a time
PER_DRAW = 2  # twins of each draw in a batch, at least, so that chance can be told from parameters
MOST_TWINS = 16_000
MARGIN = 1.05  # on the number of twins that the error so far asks for
FIRST_SHARE, LATER_SHARE = 0.25, 0.8  # of the progress bar: first round, each further round of the rest

Match = Callable[[int, Twins | None], Twins]


@dataclass(frozen=True)
class Simulated:
    """The twins, the reference, the differences from it and what remains of Monte Carlo error."""

    twins: Twins
    reference: str
    comparison: list[Difference]
    monte_carlo: MonteCarlo


@dataclass(frozen=True)
class Run:
    """What all rounds share: streams, horizon (days), threads, progress, share of error allowed, device."""

    seed: int
    horizon_days: float
    jobs: int | None
    say: Progress
    fraction: float
    device: str = "cpu"


def simulate_fixed(match: Match, arms: list[Arm], wanted: str, n: int, run: Run) -> Simulated:
    """All arms on `n` twins. `wanted`: the reference when it is among them."""
    run.say("matching twins", 0.0)
    twins = match(n, None)
    _simulate(arms, twins, run, (0.0, 1.0))
    reference = pick_reference(arms, wanted)
    found = differences(arms, reference, twins, run.fraction)
    return Simulated(twins, reference, found, summary(found, n, run.fraction, None))


def simulate_adaptive(match: Match, arms: list[Arm], wanted: str, draws: int, run: Run) -> Simulated:
    """All arms on as many twins as the differences need, at most 16,000 (`most_twins`)."""
    batch = max(BATCH, PER_DRAW * draws)
    most = most_twins(batch)
    run.say("matching twins", 0.0)
    twins = match(batch, None)
    fresh, bar, stage = twins, (0.0, FIRST_SHARE), ""
    while True:
        _simulate(arms, fresh, run, bar, stage)
        reference = pick_reference(arms, wanted)
        found = differences(arms, reference, twins, run.fraction)
        last = worst(found)
        if last is None or excess(last) <= 1.0 or twins.size >= most:
            return Simulated(twins, reference, found, summary(found, twins.size, run.fraction, most))
        goal = min(most, next_size(twins.size, excess(last), batch))
        bar = (bar[1], bar[1] + LATER_SHARE * (1.0 - bar[1]))
        stage = _remaining(last, twins.size, goal)
        run.say(stage, bar[0])
        fresh, twins = _extend(match, twins, goal, batch)


def most_twins(batch: int) -> int:
    """The limit, in whole batches."""
    return batch * max(1, MOST_TWINS // batch)


def next_size(n: int, ratio: float, batch: int) -> int:
    """Twins needed when `n` leave an error `ratio` times the allowed one: errors fall with the root of n."""
    return max(n + batch, batch * math.ceil(MARGIN * n * ratio**2 / batch))


def _extend(match: Match, twins: Twins, goal: int, batch: int) -> tuple[Twins, Twins]:
    """(the new twins, all twins) after as many batches as reach the goal."""
    fresh: Twins | None = None
    while twins.size < goal:
        more = match(batch, twins)
        fresh = more if fresh is None else join(fresh, more)
        twins = join(twins, more)
    assert fresh is not None
    return fresh, twins


def _simulate(arms: list[Arm], twins: Twins, run: Run, bar: tuple[float, float], stage: str = "") -> None:
    """Simulate new twins; progress runs through `bar`, named by arm, or by one stage for all arms."""
    start, end = bar

    def say(arm: str, share: float) -> None:
        run.say(stage or f"simulating {twins.size:,} twins: {arm}", start + (end - start) * share)

    run_arms(
        arms, twins, seed=run.seed, horizon_days=run.horizon_days, jobs=run.jobs, say=say, device=run.device
    )


def _remaining(last: Difference, n: int, goal: int) -> str:
    error, allowed = in_words(last.mc_error, last.unit), in_words(last.mc_target, last.unit)
    return f"{n:,} twins leave a Monte Carlo error of {error}, target {allowed}: adding {goal - n:,}"
