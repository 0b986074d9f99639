"""Predict registered trials, or a user's own, and score every curve, contrast and published point.

`validate` returns one document (`validation.Validation`). A curve counts in the summary when its use is fit;
what is only shown is scored all the same and listed apart.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from metachron import DISCLAIMER, __version__
from metachron.calibrate.baselines import Neighbour
from metachron.calibrate.clock import Clock
from metachron.calibrate.contrasts import Pair, pairs, score_pair
from metachron.calibrate.curve_score import Baselines, score_curve
from metachron.calibrate.observed import Key, Observed, from_grid
from metachron.calibrate.point_score import score_points
from metachron.calibrate.predict import TrialPrediction, predict_trial
from metachron.calibrate.predictive import PredictiveDraws, predictive_draws
from metachron.calibrate.summary import summarise
from metachron.calibrate.targets import DAYS_PER_MONTH, SIMULATED, CurveData, Target, load_targets
from metachron.calibrate.validation import CurveScore, PointScore, RatioScore, Validation
from metachron.errors import MetachronError

Progress = Callable[[str, float], None]
DrawsOf = Callable[[str], PredictiveDraws]

DRAWS, LIVES = 200, 60  # parameter sets, lives of an arm for each: 12,000 lives an arm
DEFAULT_MONTHS = 60.0


@dataclass(frozen=True)
class Settings:
    """How much to simulate."""

    draws: int = DRAWS
    per_draw: int = LIVES
    seed: int = 1
    jobs: int | None = None
    prior: bool = False


@dataclass
class Scores:
    """What one trial gave."""

    curves: list[CurveScore] = field(default_factory=list)
    contrasts: list[RatioScore] = field(default_factory=list)
    points: list[PointScore] = field(default_factory=list)
    not_scored: list[str] = field(default_factory=list)


def validate(
    targets: Mapping[str, Target],
    individuals: Sequence[Observed] = (),
    settings: Settings | None = None,
    *,
    progress: Progress = lambda _stage, _share: None,
    warnings: Sequence[str] = (),
    held_out: DrawsOf | None = None,
) -> Validation:
    """Predict and score `targets`.

    `individuals`: curves of individual times; they take the place of registered ones of the same figure,
    endpoint and arm. `held_out`: parameter sets by trial, for leave-one-out. Raises MetachronError when no
    arm of any trial can be simulated.
    """
    settings = settings or Settings()
    chosen = predictive_draws(settings.draws, settings.seed, prior=settings.prior)
    baselines = Baselines(registered_curves())
    total = Scores()
    clock = Clock(sum(len(t.arms) for t in targets.values()), progress)
    for target in targets.values():
        draws = held_out(target.trial) if held_out else chosen
        mine = [o for o in individuals if o.key.trial == target.trial]
        scores = validate_trial(target, mine, draws, settings, baselines, clock)
        for name in ("curves", "contrasts", "points", "not_scored"):
            getattr(total, name).extend(getattr(scores, name))
        clock.done(len(target.arms))
    if not total.curves and not total.points and not total.contrasts:
        first = total.not_scored[0] if total.not_scored else "the protocols hold no curve; give --ipd"
        raise MetachronError(f"nothing could be scored: {first}")
    return _document(total, chosen, settings, warnings, held_out=held_out is not None)


def _document(
    total: Scores, chosen: PredictiveDraws, settings: Settings, warnings: Sequence[str], *, held_out: bool
) -> Validation:
    """The scores with what they rest on."""
    return Validation(
        version=__version__,
        parameters=chosen.note,
        calibrated=chosen.ensemble_id is not None,
        ensemble_id=chosen.ensemble_id,
        held_out=held_out,
        seed=settings.seed,
        draws=settings.draws,
        lives_per_draw=settings.per_draw,
        summary=summarise(total.curves, total.contrasts, total.points),
        curves=total.curves,
        contrasts=total.contrasts,
        points=total.points,
        not_scored=total.not_scored,
        warnings=list(warnings),
        disclaimer=DISCLAIMER,
    )


def validate_trial(
    target: Target,
    individuals: Sequence[Observed],
    draws: PredictiveDraws,
    settings: Settings,
    baselines: Baselines,
    clock: Clock,
) -> Scores:
    """Everything of one trial."""
    clock.begin(f"simulating {target.trial}")
    curves, shown = observed_curves(target, individuals)
    compared = pairs(target, curves, shown)
    predicted = predict_trial(
        target,
        wanted(target, curves, compared),
        draws,
        per_draw=settings.per_draw,
        seed=settings.seed,
        jobs=settings.jobs,
        tell=clock.show,
    )
    fitted = target.trial in draws.trials
    scores = Scores(not_scored=[f"{target.trial} {arm}: {why}" for arm, why in predicted.failures.items()])
    for pair in compared:
        used = pair.curves is not None and not pair.reason
        ratio = score_pair(target, pair, predicted.arms, in_sample=fitted and used)
        if ratio is not None:
            scores.contrasts.append(ratio)
    for observed in curves:
        _score_observed(target, observed, predicted, shown, scores, baselines, settings.seed, fitted)
    scores.points = score_points(target, predicted.arms, rng_of(settings.seed, target.trial), fitted=fitted)
    return scores


def _score_observed(
    target: Target,
    observed: Observed,
    predicted: TrialPrediction,
    shown: Mapping[Key, str],
    scores: Scores,
    baselines: Baselines,
    seed: int,
    fitted: bool,
) -> None:
    """Add the score of one curve, or why it has none."""
    key = observed.key
    label = " ".join(part for part in (key.trial, key.figure, key.endpoint, key.arm) if part)
    arm = predicted.arms.get(key.arm)
    if arm is None:
        return  # the failure of the arm is told already
    if key.endpoint not in arm.survival:
        scores.not_scored.append(f"{label}: {shown.get(key) or 'this endpoint is not simulated'}")
        return
    if observed.reach is None or observed.reach <= 0:
        scores.not_scored.append(f"{label}: never 10 patients at risk")
        return
    ratio = next(
        (r for r in scores.contrasts if (r.endpoint, r.figure, r.arm) == (key.endpoint, key.figure, key.arm)),
        None,
    )
    rng = rng_of(seed, label)
    reason = shown.get(key, "")
    scores.curves.append(
        score_curve(target, observed, arm.survival[key.endpoint], baselines, rng, ratio, reason, fitted)
    )


def rng_of(seed: int, label: str) -> np.random.Generator:
    """A generator for the sampling error of one curve, whatever else is scored."""
    return np.random.default_rng([seed, zlib.crc32(label.encode())])


def observed_curves(target: Target, individuals: Sequence[Observed]) -> tuple[list[Observed], dict[Key, str]]:
    """The curves of a trial, individual times before registered grids, and those only shown with the reason.

    A curve of individual times without a registered one is scored, unless a drug of its arm is not modelled.
    """
    curves: list[Observed] = []
    shown: dict[Key, str] = {}
    left = list(individuals)
    for grid in target.curves:
        own = _same_patients(target, grid, left)
        if own is not None:
            left.remove(own)
        curves.append(own or from_grid(Key(target.trial, grid.figure, grid.endpoint, grid.arm), grid))
        if grid.use == "shown":
            shown[curves[-1].key] = grid.reason
    for observed in left:
        curves.append(observed)
        left_out = target.arm(observed.key.arm).not_modelled
        if left_out:
            shown[observed.key] = f"not modelled: {', '.join(left_out)}"
    return curves, shown


def _same_patients(target: Target, grid: CurveData, given: Sequence[Observed]) -> Observed | None:
    """The individual times of a registered curve: of its figure, endpoint and arm; where the figure has
    another name, of its endpoint and arm if there is only one such curve on either side."""
    mine = [o for o in given if (o.key.endpoint, o.key.arm) == (grid.endpoint, grid.arm)]
    for o in mine:
        if _plain(o.key.figure) == _plain(grid.figure):
            return o
    alike = [c for c in target.curves if (c.endpoint, c.arm) == (grid.endpoint, grid.arm)]
    return mine[0] if len(mine) == len(alike) == 1 else None


def _plain(figure: str) -> str:
    return figure.strip().lower()


def wanted(
    target: Target, curves: Sequence[Observed], compared: Sequence[Pair]
) -> dict[str, tuple[set[str], float]]:
    """Arms to simulate: name -> (endpoints, months after randomisation)."""
    need: dict[str, tuple[set[str], float]] = {}

    def add(arm: str, endpoint: str, months: float) -> None:
        endpoints, most = need.get(arm, (set(), 0.0))
        need[arm] = (endpoints | {endpoint}, max(most, months))

    for curve in curves:
        if curve.key.endpoint in SIMULATED:
            add(curve.key.arm, curve.key.endpoint, curve.reach or 0.0)
    for mark in target.landmarks:
        add(mark.arm, mark.endpoint, mark.months)
    for median in target.medians:
        add(median.arm, median.endpoint, 2.5 * median.months)
    for response in target.responses:
        add(response.arm, "OS", 12.0)
    for pair in compared:
        if pair.endpoint in SIMULATED and pair.curves is None:
            months = min(target.horizon_days / DAYS_PER_MONTH, DEFAULT_MONTHS)
            add(pair.arm, pair.endpoint, months)
            add(pair.reference, pair.endpoint, months)
    # one span for all arms: hazard ratios compare the same months
    longest = max((months for _, months in need.values()), default=0.0)
    order = [arm.name for arm in target.arms if arm.name in need]
    return {arm: (need[arm][0], longest) for arm in order}


def registered_curves() -> list[Neighbour]:
    """The registered curves that baselines may borrow: those of use fit, and those of drugs not modelled."""
    return [
        Neighbour(target, from_grid(Key(target.trial, c.figure, c.endpoint, c.arm), c))
        for target in load_targets().values()
        for c in target.curves
        if c.use == "fit" or (c.endpoint in SIMULATED and target.arm(c.arm).not_modelled)
    ]
