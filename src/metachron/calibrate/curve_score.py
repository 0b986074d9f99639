"""The score of one observed curve against its prediction and the two baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from metachron.calibrate import score
from metachron.calibrate.baselines import (
    BaselineScore,
    Neighbour,
    Weibull,
    candidates,
    endpoint_group,
    nearest,
    nearest_score,
    pooled_weibull,
    weibull_score,
)
from metachron.calibrate.observed import Floats, Observed
from metachron.calibrate.score import Predicted
from metachron.calibrate.targets import Target
from metachron.calibrate.validation import (
    Baseline,
    CurvePoints,
    CurveScore,
    LandmarkScore,
    MedianScore,
    RatioScore,
    Restricted,
)

FIGURE_POINTS = 61


@dataclass
class Baselines:
    """The registered curves, and the distributions fitted to them so far."""

    registered: Sequence[Neighbour]
    fitted: dict[tuple[str, str, str], Weibull | None] = field(default_factory=dict)

    def nearest(self, target: Target, observed: Observed, until: float) -> BaselineScore | None:
        """The nearest registered curve as the prediction; None when there is none."""
        neighbour = nearest(target, observed, candidates(target, observed.key.endpoint, self.registered))
        return None if neighbour is None else nearest_score(observed, neighbour, until)

    def weibull(self, target: Target, observed: Observed, until: float) -> BaselineScore | None:
        """The pooled distribution as the prediction; None when there is nothing to pool."""
        endpoint = observed.key.endpoint
        place = (target.trial, target.setting, endpoint_group(endpoint))
        if place not in self.fitted:
            self.fitted[place] = pooled_weibull(candidates(target, endpoint, self.registered))
        found = self.fitted[place]
        return None if found is None else weibull_score(observed, found, until)


def score_curve(
    target: Target,
    observed: Observed,
    predicted: Predicted,
    baselines: Baselines,
    rng: np.random.Generator,
    ratio: RatioScore | None,
    reason: str,
    fitted: bool,
) -> CurveScore:
    """Every figure of one curve. `reason`: why it is only shown, empty when it is scored."""
    until = min(float(observed.reach or 0.0), float(predicted.months[-1]))
    marks = score.landmarks(predicted, observed, rng)
    restricted = _restricted(predicted, observed, until)
    key, arm = observed.key, target.arm(observed.key.arm)
    return CurveScore(
        trial=key.trial,
        figure=key.figure,
        endpoint=key.endpoint,
        arm=key.arm,
        arm_title=arm.title,
        setting=target.setting,
        n=observed.n,
        events=int(observed.event.sum()),
        observed_from=observed.source,
        stratum=any(
            c.origin == "individual" and (c.arm, c.endpoint) == (key.arm, key.endpoint) for c in target.curves
        ),
        use="shown" if reason else "fit",
        reason=reason,
        in_sample=fitted and not reason,
        until_months=until,
        integrated_absolute_error=score.integrated_error(predicted, observed, until),
        sampling_error=score.sampling_error(observed, until),
        landmarks=[_mark(m) for m in marks],
        landmark_errors={f"{m.months:g}": m.error for m in marks},
        coverage_90=float(np.mean([m.covered for m in marks])) if marks else None,
        rmst=restricted,
        rmst_difference_months=restricted.difference,
        median=_median(predicted, observed),
        hazard_ratio=ratio,
        nearest_trial=_baseline(baselines.nearest(target, observed, until), predicted, observed),
        pooled_weibull=_baseline(baselines.weibull(target, observed, until), predicted, observed),
        curve=_points(predicted, observed, until),
    )


def _mark(m: score.Mark) -> LandmarkScore:
    return LandmarkScore(
        months=m.months,
        predicted=m.predicted,
        low=m.low,
        high=m.high,
        observed=m.observed,
        at_risk=m.at_risk,
        error=m.error,
        covered=m.covered,
    )


def _restricted(predicted: Predicted, observed: Observed, until: float) -> Restricted:
    draws = score.rmst_draws(predicted, until, observed)
    seen = score.observed_rmst(observed, until)
    low, high = np.quantile(draws - seen, score.TAILS)
    middle = float(draws.mean())
    return Restricted(
        predicted=middle, observed=seen, difference=middle - seen, low=float(low), high=float(high)
    )


def _median(predicted: Predicted, observed: Observed) -> MedianScore:
    mine, seen = score.median_month(predicted.months, predicted.mean), observed.median()
    ratio = mine / seen if mine is not None and seen else None
    return MedianScore(predicted=mine, observed=seen, ratio=ratio)


def _baseline(found: BaselineScore | None, predicted: Predicted, observed: Observed) -> Baseline | None:
    if found is None:
        return None
    own = score.integrated_error(predicted, observed, found.until)
    return Baseline(what=found.what, error=found.error, months=found.until, model_error=own)


def _points(predicted: Predicted, observed: Observed, until: float) -> CurvePoints:
    at = np.linspace(0.0, until, FIGURE_POINTS)
    by_draw = predicted.at(at)
    low, high = np.quantile(by_draw, score.TAILS, axis=0)
    return CurvePoints(
        months=_list(at),
        predicted=_list(by_draw.mean(axis=0)),
        low=_list(low),
        high=_list(high),
        observed=_list(observed.survival(at)),
        at_risk=[int(x) for x in observed.at_risk(at)],
    )


def _list(values: Floats) -> list[float]:
    return [round(float(v), 5) for v in values]
