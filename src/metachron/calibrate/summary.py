"""The summary of a validation: means over the curves that count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.special import ndtr

from metachron.calibrate.hazard_ratio import Z_95
from metachron.calibrate.targets import SETTINGS
from metachron.calibrate.validation import CurveScore, Group, PointScore, RatioScore, Summary

P_CLEAR = 0.05


def summarise(
    curves: Sequence[CurveScore], contrasts: Sequence[RatioScore], points: Sequence[PointScore]
) -> Summary:
    """Means over curves whose use is fit; baselines with the model's error on the same curves and spans."""
    counted = [c for c in curves if c.use == "fit"]
    near = [c.nearest_trial for c in counted if c.nearest_trial is not None]
    pooled = [c.pooled_weibull for c in counted if c.pooled_weibull is not None]
    covered = [m.covered for c in counted for m in c.landmarks]
    judged = [r for r in contrasts if r.scored]
    clear = [r for r in judged if r.p is not None and r.p < P_CLEAR]
    known = [p.covered for p in points if p.use == "fit" and p.covered is not None]
    right = sum(bool(r.direction_right) for r in judged)
    return Summary(
        trials=len({c.trial for c in counted}),
        curves=len(counted),
        patients=_patients(counted),
        mean_absolute_error=mean(c.integrated_absolute_error for c in counted),
        sampling_error=mean(c.sampling_error for c in counted),
        nearest_trial_error=mean(b.error for b in near),
        nearest_trial_curves=len(near),
        model_error_where_nearest=mean(b.model_error for b in near),
        pooled_weibull_error=mean(b.error for b in pooled),
        pooled_weibull_curves=len(pooled),
        model_error_where_weibull=mean(b.model_error for b in pooled),
        coverage_90=mean(covered),
        landmarks=len(covered),
        direction_right=right,
        contrasts=len(judged),
        direction_right_share=right / len(judged) if judged else None,
        direction_expected_share=mean(s for r in judged if (s := expected_right(r)) is not None),
        direction_right_significant=sum(bool(r.direction_right) for r in clear),
        contrasts_significant=len(clear),
        mean_absolute_rmst_difference_months=mean(abs(c.rmst_difference_months) for c in counted),
        points_coverage_90=mean(known),
        points=len(known),
        fitted=group(c for c in counted if c.in_sample),
        new=group(c for c in counted if not c.in_sample),
        shown=group(c for c in curves if c.use == "shown"),
        without_strata=group(c for c in counted if not c.stratum),
        by_setting={s: group(c for c in counted if c.setting == s) for s in settings(counted)},
    )


def expected_right(r: RatioScore) -> float | None:
    """Chance that the observed ratio falls on the predicted side of one if the prediction is the truth."""
    if r.predicted is None or r.observed_low is None or r.observed_high is None or r.observed_low <= 0:
        return None
    error = np.log(r.observed_high / r.observed_low) / (2 * Z_95)
    return float(ndtr(abs(np.log(r.predicted)) / error)) if error > 0 else None


def _patients(curves: Sequence[CurveScore]) -> int:
    """Patients of the curves; an arm with several curves counts once, with its largest number."""
    most: dict[tuple[str, str], int] = {}
    for c in curves:
        most[c.trial, c.arm] = max(most.get((c.trial, c.arm), 0), c.n)
    return sum(most.values())


def settings(curves: Sequence[CurveScore]) -> list[str]:
    """The settings of the curves in the order of the course of disease."""
    return [s for s in SETTINGS if any(c.setting == s for c in curves)]


def group(curves: Iterable[CurveScore]) -> Group:
    """How many, and their mean errors."""
    found = list(curves)
    return Group(
        curves=len(found),
        mean_absolute_error=mean(c.integrated_absolute_error for c in found),
        nearest_trial_error=mean(c.nearest_trial.error for c in found if c.nearest_trial),
        pooled_weibull_error=mean(c.pooled_weibull.error for c in found if c.pooled_weibull),
    )


def mean(values: Iterable[float]) -> float | None:
    """The mean; None of nothing."""
    found = list(values)
    return float(np.mean(found)) if found else None
