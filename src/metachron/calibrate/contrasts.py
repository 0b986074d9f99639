"""Which arms of a trial are compared, and whether the model foresaw the direction.

Arms of one figure and endpoint whose patients are the same are compared with the first of them in the file
(or the other way round where a published hazard ratio says so). Each pair counts once for each endpoint.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtr

from metachron.calibrate.baselines import classes_of
from metachron.calibrate.hazard_ratio import (
    LEAST_LN,
    Z_95,
    Counts,
    Ratio,
    followed,
    observed_ratio,
    predicted_ratio,
    same_direction,
)
from metachron.calibrate.observed import Key, Observed
from metachron.calibrate.predict import ArmPrediction
from metachron.calibrate.targets import Contrast, Target
from metachron.calibrate.validation import RatioScore

DEFAULT_MONTHS = 60.0  # simulated for a published ratio whose follow-up is not known

From = Literal["individual times", "registered grid", "publication"]


@dataclass(frozen=True)
class Pair:
    """Two arms to compare at one endpoint; the curves are missing where only a published ratio is known."""

    endpoint: str
    arm: str
    reference: str
    figure: str
    curves: tuple[Observed, Observed] | None
    published: Contrast | None
    reason: str  # why it is not scored; empty when it is


def pairs(target: Target, observed: Sequence[Observed], shown: Mapping[Key, str]) -> list[Pair]:
    """Every pair of a trial. `shown`: curves that are only shown, with the reason."""
    published = {_unordered(c.endpoint, c.arm, c.reference): c for c in target.contrasts}
    found: dict[tuple[str, frozenset[str]], Pair] = {}
    groups: dict[tuple[str, str], list[Observed]] = defaultdict(list)
    for curve in observed:
        groups[curve.key.endpoint, curve.key.figure].append(curve)
    order = {arm.name: place for place, arm in enumerate(target.arms)}
    # figures whose curves are all scored come first: of two figures of the same patients they stand
    for (endpoint, figure), curves in sorted(groups.items(), key=lambda g: any(c.key in shown for c in g[1])):
        first: dict[str, Observed] = {}
        for curve in sorted(curves, key=lambda c: order[c.key.arm]):
            people = target.population_of(curve.key.arm).model_dump_json(exclude={"status", "note"})
            reference = first.setdefault(people, curve)
            key = _unordered(endpoint, curve.key.arm, reference.key.arm)
            if reference is curve or key in found:
                continue
            paper = published.get(key)
            arm, base = (reference, curve) if paper and paper.arm == reference.key.arm else (curve, reference)
            why = (
                shown.get(arm.key)
                or shown.get(base.key)
                or _why_not(target, arm.key.arm, base.key.arm, paper)
            )
            found[key] = Pair(endpoint, arm.key.arm, base.key.arm, figure, (arm, base), paper, why)
    for key, paper in published.items():
        if key not in found:
            why = _why_not(target, paper.arm, paper.reference, paper)
            found[key] = Pair(paper.endpoint, paper.arm, paper.reference, "", None, paper, why)
    return list(found.values())


def _unordered(endpoint: str, arm: str, reference: str) -> tuple[str, frozenset[str]]:
    return endpoint, frozenset((arm, reference))


def _why_not(target: Target, arm: str, reference: str, paper: Contrast | None) -> str:
    return (paper.reason if paper is not None else "") or not_comparable(target, arm, reference)


def not_comparable(target: Target, arm: str, reference: str) -> str:
    """Why the model cannot be asked about this pair; empty when it can."""
    one, other = target.arm(arm), target.arm(reference)
    left_out = sorted({*one.not_modelled, *other.not_modelled})
    if left_out:
        return f"not modelled: {', '.join(left_out)}"
    if "cells" in classes_of(one.strategy) | classes_of(other.strategy):
        return "cell therapy is prior-driven; published effects are discounted"
    same = one.strategy.split() == other.strategy.split()
    if same and target.population_of(arm) == target.population_of(reference):
        return "the model has the same treatment in both arms"
    return ""


def score_pair(
    target: Target, pair: Pair, arms: Mapping[str, ArmPrediction], *, in_sample: bool
) -> RatioScore | None:
    """Predicted and observed hazard ratio of a pair; None when an arm could not be simulated."""
    if pair.arm not in arms or pair.reference not in arms:
        return None
    predicted = predict_pair(pair, arms[pair.arm], arms[pair.reference])
    seen, p, source = observe_pair(pair)
    right = None
    if predicted is not None and seen is not None:
        right = same_direction(predicted.value, seen.value)
    reason = pair.reason
    if not reason and right is None:
        reason = no_direction(predicted, seen)
    paper = pair.published
    return RatioScore(
        trial=target.trial,
        setting=target.setting,
        endpoint=pair.endpoint,
        arm=pair.arm,
        reference=pair.reference,
        figure=pair.figure,
        predicted=None if predicted is None else predicted.value,
        predicted_low=None if predicted is None else predicted.low,
        predicted_high=None if predicted is None else predicted.high,
        observed=None if seen is None else seen.value,
        observed_low=None if seen is None or not np.isfinite(seen.low) else seen.low,
        observed_high=None if seen is None or not np.isfinite(seen.high) else seen.high,
        p=p,
        observed_from=source,
        published=paper.hazard_ratio if paper is not None else None,
        scored=not reason,
        reason=reason,
        direction_right=right,
        in_sample=in_sample,
    )


def no_direction(predicted: Ratio | None, seen: Ratio | None) -> str:
    """Why a direction cannot be right or wrong."""
    if predicted is None or seen is None:
        return "an arm has no event to compare"
    close = [n for n, r in (("predicted", predicted), ("observed", seen)) if abs(np.log(r.value)) < LEAST_LN]
    return f"no difference {' or '.join(close)} (within 1 %)"


def observe_pair(pair: Pair) -> tuple[Ratio | None, float | None, From]:
    """The observed ratio with its 95 % interval and p: from the curves, else as published."""
    if pair.curves is not None:
        found = observed_ratio(*pair.curves)
        source: From = pair.curves[0].source
        return (None, None, source) if found is None else (*found, source)
    paper = pair.published
    assert paper is not None
    if not paper.low or not paper.high:
        return Ratio(paper.hazard_ratio, np.nan, np.nan), paper.p, "publication"
    return Ratio(paper.hazard_ratio, paper.low, paper.high), paper.p or p_of(paper), "publication"


def p_of(paper: Contrast) -> float | None:
    """Two-sided p by the published 95 % interval; None without one."""
    if not paper.low or not paper.high or paper.high <= paper.low:
        return None
    error = np.log(paper.high / paper.low) / (2 * Z_95)
    return float(2.0 * ndtr(-abs(np.log(paper.hazard_ratio)) / error))


def predict_pair(pair: Pair, arm: ArmPrediction, reference: ArmPrediction) -> Ratio | None:
    """The predicted ratio over the follow-up of the trial, patients counted as the trial followed them."""
    if pair.endpoint not in arm.months or pair.endpoint not in reference.months:
        return None
    until = span(pair)

    def both(half: int | None) -> tuple[Counts, Counts]:
        one = arm.counts(pair.endpoint, until, half)
        other = reference.counts(pair.endpoint, until, half)
        if pair.curves is None:
            return one, other
        return _weighted(one, pair.curves[0]), _weighted(other, pair.curves[1])

    return predicted_ratio(both(None), [both(0), both(1)])


def span(pair: Pair) -> float:
    """Months compared: to the shorter reach of the two curves."""
    if pair.curves is None:
        return DEFAULT_MONTHS
    return min(curve.reach or float(curve.months.max()) for curve in pair.curves)


def _weighted(counts: Counts, observed: Observed) -> Counts:
    share = followed(observed, counts.at_risk.shape[1])
    return Counts(counts.at_risk * share, counts.events * share)
