"""What the model predicts for the arms of one trial: survival by draw, hazard ratios, responses."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metachron.calibrate.hazard_ratio import Counts, count
from metachron.calibrate.observed import Bools, Floats
from metachron.calibrate.predictive import PredictiveDraws
from metachron.calibrate.score import Predicted, calm
from metachron.calibrate.simulate import ArmLives, simulate_arm, survival_by_draw
from metachron.calibrate.targets import DAYS_PER_MONTH, SIMULATED, Target
from metachron.errors import MetachronError

STEP_MONTHS = 0.25
LEAST_ENROLLED = 20  # lives of an arm, all draws together


@dataclass(frozen=True)
class ArmPrediction:
    """One arm: `survival` by endpoint, and the lives themselves in months."""

    survival: dict[str, Predicted]
    months: dict[str, Floats]
    event: dict[str, Bools]
    draw: NDArray[np.int64]
    draws: int
    response: Floats | None  # share with a response by draw; None when not measured
    enrolled: NDArray[np.int64]

    def counts(self, endpoint: str, until: float, half: int | None = None) -> Counts:
        """At risk and events by draw and quarter of a month; `half` 0 or 1: of every other life only."""
        months, event, draw = self.months[endpoint], self.event[endpoint], self.draw
        if half is not None:
            months, event, draw = months[half::2], event[half::2], draw[half::2]
        return count(months, event, draw, self.draws, until)


def predict_arm(
    target: Target,
    arm: str,
    chosen: PredictiveDraws,
    endpoints: Iterable[str],
    months: float,
    *,
    per_draw: int,
    seed: int,
    jobs: int | None,
) -> ArmPrediction:
    """Simulate one arm to `months` after randomisation.

    Raises MetachronError when the arm cannot be simulated or hardly anybody reaches the trial.
    """
    lives = simulate_arm(
        target,
        arm,
        chosen.draws,
        per_draw,
        seed=seed,
        jobs=jobs,
        effects=chosen.effects(target.trial, seed),
        horizon_days=(months + 1.0) * DAYS_PER_MONTH,
    )
    if lives.draw.size < LEAST_ENROLLED:
        raise MetachronError(
            f"{target.trial} {arm}: only {lives.draw.size} virtual patients reach this line alive"
        )
    grid = np.arange(0.0, math.ceil(months / STEP_MONTHS) * STEP_MONTHS + STEP_MONTHS / 2, STEP_MONTHS)
    wanted = sorted(set(endpoints) & lives.days.keys())
    return ArmPrediction(
        survival={e: _survival(lives, e, chosen.size, grid) for e in wanted},
        months={e: lives.days[e] / DAYS_PER_MONTH for e in wanted},
        event={e: lives.event[e] for e in wanted},
        draw=lives.draw,
        draws=chosen.size,
        response=_response(lives, chosen.size),
        enrolled=lives.enrolled,
    )


def _survival(lives: ArmLives, endpoint: str, k: int, grid: Floats) -> Predicted:
    by_draw = survival_by_draw(lives, endpoint, k, grid * DAYS_PER_MONTH)
    return Predicted(grid, calm(by_draw, lives.enrolled))


def _response(lives: ArmLives, k: int) -> Floats | None:
    """Share with a response by draw, Monte Carlo noise taken out; None where it is not measured."""
    if not lives.response_measured:
        return None
    responders = np.bincount(lives.draw[lives.response], minlength=k)
    share = responders / np.maximum(lives.enrolled, 1)
    return calm(share[:, None], lives.enrolled)[:, 0]


@dataclass(frozen=True)
class TrialPrediction:
    """The arms of a trial that could be simulated, and why the others could not."""

    arms: dict[str, ArmPrediction]
    failures: dict[str, str]


def predict_trial(
    target: Target,
    wanted: dict[str, tuple[set[str], float]],
    chosen: PredictiveDraws,
    *,
    per_draw: int,
    seed: int,
    jobs: int | None,
    tell: Callable[[int], None] = lambda _: None,
) -> TrialPrediction:
    """Simulate the arms `wanted` (name -> endpoints, months). `tell` is called with the arms done so far."""
    arms: dict[str, ArmPrediction] = {}
    failures: dict[str, str] = {}
    for done, (name, (endpoints, months)) in enumerate(wanted.items(), start=1):
        simulated = endpoints & set(SIMULATED)
        try:
            arms[name] = predict_arm(
                target, name, chosen, simulated, months, per_draw=per_draw, seed=seed, jobs=jobs
            )
        except MetachronError as error:
            failures[name] = str(error)
        tell(done)
    return TrialPrediction(arms, failures)
