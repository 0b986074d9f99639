"""Published figures without a curve against the model: survival at a month, medians, response rates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from metachron.calibrate import score
from metachron.calibrate.observed import Floats
from metachron.calibrate.predict import ArmPrediction
from metachron.calibrate.score import Predicted
from metachron.calibrate.targets import Landmark, Median, Response, Target
from metachron.calibrate.validation import PointScore

EVENTS_SHARE = 0.7  # patients of a median that count: some are censored before it. Assumed.


def score_points(
    target: Target, arms: Mapping[str, ArmPrediction], rng: np.random.Generator, *, fitted: bool
) -> list[PointScore]:
    """Every landmark, median and response of a trial whose arm and endpoint were simulated."""
    found = [
        _landmark(target, mark, predicted, rng, fitted)
        for mark in target.landmarks
        if (predicted := _curve(arms, mark.arm, mark.endpoint)) is not None
    ]
    found += [
        _median(target, median, predicted, rng, fitted)
        for median in target.medians
        if (predicted := _curve(arms, median.arm, median.endpoint)) is not None
    ]
    found += [
        _response(target, response, by_draw, rng, fitted)
        for response in target.responses
        if response.arm in arms and (by_draw := arms[response.arm].response) is not None
    ]
    return found


def _curve(arms: Mapping[str, ArmPrediction], arm: str, endpoint: str) -> Predicted | None:
    return arms[arm].survival.get(endpoint) if arm in arms else None


def _landmark(
    target: Target, mark: Landmark, predicted: Predicted, rng: np.random.Generator, fitted: bool
) -> PointScore:
    by_draw = predicted.at([mark.months])[:, 0]
    size = effective_size(mark.survival, mark.low, mark.high, mark.n)
    low, high = np.quantile(score.landmark_draws(by_draw, size, rng), score.TAILS)
    middle = float(by_draw.mean())
    return PointScore(
        **_common(target, mark, fitted),
        kind="survival",
        endpoint=mark.endpoint,
        months=mark.months,
        observed=mark.survival,
        predicted=middle,
        low=float(low),
        high=float(high),
        error=middle - mark.survival,
        covered=bool(low - 1e-3 <= mark.survival <= high + 1e-3),
    )


def _response(
    target: Target, response: Response, by_draw: Floats, rng: np.random.Generator, fitted: bool
) -> PointScore:
    low, high = np.quantile(score.landmark_draws(by_draw, response.n, rng), score.TAILS)
    middle = float(by_draw.mean())
    return PointScore(
        **_common(target, response, fitted),
        kind="response",
        endpoint="response",
        months=None,
        observed=response.orr,
        predicted=middle,
        low=float(low),
        high=float(high),
        error=middle - response.orr,
        covered=bool(low - 1e-3 <= response.orr <= high + 1e-3),
    )


def _median(
    target: Target, median: Median, predicted: Predicted, rng: np.random.Generator, fitted: bool
) -> PointScore:
    """Whether one half lies in the interval of what the trial would show at the published month."""
    at_month = predicted.at([median.months])[:, 0]
    shown = score.landmark_draws(at_month, EVENTS_SHARE * median.n, rng)
    below, above = np.quantile(shown, score.TAILS)
    each = [score.median_month(predicted.months, row) for row in predicted.by_draw]
    reached = np.array([m if m is not None else np.inf for m in each])
    low, high = (float(x) for x in np.quantile(reached, score.TAILS, method="nearest"))
    middle = score.median_month(predicted.months, predicted.mean)
    return PointScore(
        **_common(target, median, fitted),
        kind="median",
        endpoint=median.endpoint,
        months=None,
        observed=median.months,
        predicted=middle,
        low=low if np.isfinite(low) else None,
        high=high if np.isfinite(high) else None,
        error=None if middle is None else middle - median.months,
        covered=bool(below - 1e-3 <= 0.5 <= above + 1e-3),
    )


def _common(target: Target, point: Landmark | Median | Response, fitted: bool) -> dict[str, object]:
    return {
        "trial": target.trial,
        "arm": point.arm,
        "setting": target.setting,
        "observed_low": point.low,
        "observed_high": point.high,
        "n": point.n,
        "use": point.use,
        "reason": point.reason,
        "in_sample": fitted and point.use == "fit",
    }


def effective_size(survival: float, low: float | None, high: float | None, n: int) -> float:
    """Patients without censoring that would give the published 95 % interval; `n` without one."""
    if low is None or high is None or high <= low or not 0.0 < survival < 1.0:
        return float(n)
    error = (high - low) / (2 * 1.959964)
    return float(np.clip(survival * (1.0 - survival) / error**2, 1.0, n))
