"""The two strategies side by side: their values, the difference, and whether a choice may be made."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from metachron.optimise.expression import expression_of
from metachron.optimise.numbers import percent, plain, signed
from metachron.optimise.understand.pair import Pair, measured, of_difference, paired
from metachron.optimise.understand.results import Compared, Contrast
from metachron.plan.arms import UNPROVEN, Arm
from metachron.plan.bands import Paired
from metachron.plan.compare import is_detectable
from metachron.plan.document import domain_result
from metachron.plan.results import Reason, worst
from metachron.plan.twins import Twins
from metachron.strategies.catalogue import load_catalogue

Floats = NDArray[np.float64]


def favoured(first: Arm, second: Arm, mean: float) -> str:
    """Name of the strategy that is chosen on a mean difference; empty when no choice may be made.

    A proven strategy within the domain of the data comes before any other, whatever the mean.
    """
    may = [a for a in (first, second) if a.grade.grade not in UNPROVEN and not a.rests.domain.outside]
    if len(may) == 2:
        return (first if mean > 0 else second).strategy.name
    return may[0].strategy.name if may else ""


def compared(arm: Arm, values: Floats, twins: Twins) -> Compared:
    """One strategy; `values` (n,): the objective of each twin."""
    return Compared(
        name=arm.strategy.name,
        title=arm.strategy.title,
        expression=expression_of(arm.strategy, load_catalogue()),
        evidence_grade=arm.grade.grade.value,
        eligible=arm.eligibility.eligible,
        reasons=[Reason(**r.model_dump()) for r in arm.eligibility.reasons],
        basis=arm.rests.overall,
        basis_note=arm.rests.note,
        domain=domain_result(arm.rests.domain),
        value=of_difference(values, twins),
    )


def contrast_of(pair: Pair, d: Floats, twins: Twins) -> Contrast:
    """First minus second from the signed differences d (n,)."""
    found = paired(d, twins)
    clear = is_detectable(found)
    first, second = pair.first, pair.second
    because = not_ranked(first, second)
    ahead = None
    if clear and not because:
        ahead = (first if found.mean > 0 else second).strategy.name
    return Contrast(
        difference=measured(found),
        probability_first=found.probability,
        detectable=clear,
        basis=worst((first.rests.overall, second.rests.overall)),
        ahead=ahead,
        ranked=not because,
        not_ranked_because=because,
        words=_sentence(pair, found, clear, because),
    )


def not_ranked(first: Arm, second: Arm) -> str:
    """Why no choice is made; empty when it is."""
    for arm in (first, second):
        if arm.rests.domain.outside:
            return f"{arm.strategy.name} lies outside the domain of the data: shown, and not ranked."
    unproven = [arm for arm in (first, second) if arm.grade.grade in UNPROVEN]
    if len(unproven) == 1:
        other = second if unproven[0] is first else first
        return (
            f"{unproven[0].strategy.name} is {unproven[0].grade.grade.value}: shown, and never ranked above"
            f" {other.strategy.name}. What follows says what the model holds, not what to choose."
        )
    return "Both strategies are unproven here: shown, and not ranked." if unproven else ""


def _sentence(pair: Pair, found: Paired, clear: bool, because: str) -> str:
    unit = pair.objective.unit
    a, b = pair.first.strategy.name, pair.second.strategy.name
    less = "" if pair.objective.sign > 0 else f" Less of {pair.objective.words} is better."
    if because or not clear:
        lead = f"{a} and {b} cannot be told apart" if not clear else f"{a} against {b}, in the model"
        span = f"{signed(found.mean)} {unit} ({signed(found.lower)} to {signed(found.upper)})"
        sure = percent(found.probability)
        return f"{lead}: {a} minus {b} is {span}; {a} is the better one with probability {sure}.{less}"
    ahead, behind = (pair.first, pair.second) if found.mean > 0 else (pair.second, pair.first)
    ends = (found.lower, found.upper) if found.mean > 0 else (-found.upper, -found.lower)
    by = f"{plain(abs(found.mean))} {unit} ({plain(ends[0])} to {plain(ends[1])})"
    head = f"{ahead.strategy.name} comes out ahead of {behind.strategy.name} by {by}."
    return head + less + _trials(ahead, behind)


def _trials(ahead: Arm, behind: Arm) -> str:
    """What registered trials of the one ahead say of survival, when they saw no gain."""
    if not ahead.grade.no_gain or behind.grade.row == ahead.grade.row:
        return ""
    trials = "; ".join(t.words for t in ahead.grade.trials)
    return f" Registered trials of {ahead.strategy.name} saw no gain in survival: {trials}."
