"""Hazard ratios: observed ones by Cox regression, predicted ones from the simulated lives of two arms.

The prediction is the proportional-hazards estimate over a fine grid of time, stratified by parameter draw and
weighted by the share of patients that the trial still followed, so that both sides answer the same question.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metachron.calibrate.observed import Bools, Floats, Observed

STEP_MONTHS = 0.25
Z_90, Z_95 = 1.6448536269514722, 1.959963984540054
MOST_STEPS = 60
LEAST_LN = 0.01  # nearer to one a hazard ratio has no direction
LARGEST_LN = 6.0  # a hazard ratio beyond e^6 is no estimate


@dataclass(frozen=True)
class Ratio:
    """A hazard ratio with an interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Counts:
    """At risk and events by stratum and interval of time: two arrays of shape (strata, intervals)."""

    at_risk: Floats
    events: Floats


def observed_ratio(arm: Observed, reference: Observed) -> tuple[Ratio, float] | None:
    """Hazard ratio of two observed arms with its 95 % interval, and p, by Cox regression (lifelines, Efron).

    None when an arm has no event: the ratio is then not finite.
    """
    if not arm.event.any() or not reference.event.any():
        return None
    import pandas as pd
    from lifelines import CoxPHFitter

    table = pd.DataFrame(
        {
            "months": np.concatenate([arm.months, reference.months]),
            "event": np.concatenate([arm.event, reference.event]).astype(float),
            "arm": np.repeat([1.0, 0.0], [arm.n, reference.n]),
        }
    )
    fitted = CoxPHFitter().fit(table, "months", "event")
    ln, se = float(fitted.params_["arm"]), float(fitted.standard_errors_["arm"])
    ratio = Ratio(float(np.exp(ln)), float(np.exp(ln - Z_95 * se)), float(np.exp(ln + Z_95 * se)))
    return ratio, float(fitted.summary.loc["arm", "p"])


def count(months: Floats, event: Bools, stratum: NDArray[np.int64], strata: int, until: float) -> Counts:
    """At risk at the start of each interval of a quarter of a month, and events in it, to month `until`."""
    edges = np.arange(0.0, until + STEP_MONTHS - 1e-9, STEP_MONTHS)
    size = len(edges)
    place = np.clip(
        np.ceil(months / STEP_MONTHS - 1e-9).astype(np.int64) - 1, 0, size
    )  # `size`: after the end
    flat = stratum * (size + 1) + place
    shape = (strata, size + 1)
    leaving = np.bincount(flat, minlength=strata * (size + 1)).reshape(shape).astype(np.float64)
    dead = np.bincount(flat[event], minlength=strata * (size + 1)).reshape(shape).astype(np.float64)
    at_risk = np.cumsum(leaving[:, ::-1], axis=1)[:, ::-1]
    return Counts(at_risk[:, :-1], dead[:, :-1])


def followed(observed: Observed, size: int) -> Floats:
    """Share of patients not yet censored in the middle of each interval, shape (size,)."""
    times, lost, at_risk = _lost(observed)
    share = np.cumprod(1.0 - lost / at_risk) if len(times) else np.zeros(0)
    middle = (np.arange(size) + 0.5) * STEP_MONTHS
    place = np.searchsorted(times, middle, side="right") - 1
    return np.where(place >= 0, share[place], 1.0) if len(times) else np.ones(size)


def _lost(observed: Observed) -> tuple[Floats, Floats, Floats]:
    times, lost = np.unique(observed.months[~observed.event], return_counts=True)
    ordered = np.sort(observed.months)
    at_risk = len(ordered) - np.searchsorted(ordered, times, side="left")
    # an event at the same time comes first
    dead = np.array([np.sum(observed.event & (observed.months == t)) for t in times], dtype=np.float64)
    return times, lost.astype(np.float64), np.maximum(at_risk - dead, lost)


def score_terms(ln: float, arm: Counts, reference: Counts) -> tuple[Floats, Floats]:
    """Score and information of each stratum at the log hazard ratio `ln`, shape (strata,).

    Ties within an interval count half of their events as gone (close to Efron's treatment).
    """
    one = np.maximum(arm.at_risk - arm.events / 2.0, 0.0) * np.exp(ln)
    all_ = one + np.maximum(reference.at_risk - reference.events / 2.0, 0.0)
    share = np.divide(one, all_, out=np.zeros_like(one), where=all_ > 0)
    dead = arm.events + reference.events
    return (arm.events - dead * share).sum(axis=1), (dead * share * (1.0 - share)).sum(axis=1)


def stratified_ln(arm: Counts, reference: Counts) -> float | None:
    """The log hazard ratio common to all strata; None when it is not finite."""
    ln = 0.0
    for _ in range(MOST_STEPS):
        score, information = (float(x.sum()) for x in score_terms(ln, arm, reference))
        if information <= 0:
            return None
        step = float(np.clip(score / information, -1.0, 1.0))
        ln += step
        if abs(step) < 1e-8:
            return ln
        if abs(ln) > LARGEST_LN:
            return None
    return ln


def by_stratum(ln: float, arm: Counts, reference: Counts) -> Floats:
    """Log hazard ratio of each stratum by one step from the common one; nan without information."""
    score, information = score_terms(ln, arm, reference)
    step = np.divide(score, information, out=np.full_like(score, np.nan), where=information > 0)
    return np.asarray(ln + step)


def predicted_ratio(arms: tuple[Counts, Counts], halves: list[tuple[Counts, Counts]]) -> Ratio | None:
    """Hazard ratio of (arm, reference) counts by draw, with the 90 % interval over draws.

    `halves`: the same counts for either half of the lives, whose disagreement measures the noise of
    simulation, which is taken out of the interval. None when there are no events to compare.
    """
    ln = stratified_ln(*arms)
    if ln is None:
        return None
    each = by_stratum(ln, *arms)
    split = by_stratum(ln, *halves[0]) - by_stratum(ln, *halves[1])
    known = np.isfinite(each)
    between = float(np.var(each[known], ddof=1)) if known.sum() > 1 else 0.0
    noise = float(np.nanmean(split**2)) / 4.0 if np.isfinite(split).any() else 0.0
    # the common ratio itself is known no better than its own noise
    spread = np.sqrt(max(between - noise, 0.0) + noise / max(int(known.sum()), 1))
    return Ratio(float(np.exp(ln)), float(np.exp(ln - Z_90 * spread)), float(np.exp(ln + Z_90 * spread)))


def same_direction(one: float, other: float) -> bool | None:
    """Whether two hazard ratios lie on the same side of one; None when either is within 1 % of it."""
    if min(abs(np.log(one)), abs(np.log(other))) < LEAST_LN:
        return None
    return (one < 1.0) == (other < 1.0)
