"""The answer in brief: what is compared beside survival, and the few sentences above the table."""

from __future__ import annotations

from dataclasses import dataclass

from metachron.plan.results import Estimate, Plan
from metachron.report import words
from metachron.report.arms import GRADE_ORDER, Arm, difference_of

YEARS = "3"  # the usual landmark of recurrence when medians lie beyond what trials have seen


@dataclass(frozen=True)
class Second:
    """How recurrence or progression is told: by its median, or at three years when one is not reached."""

    endpoint: str
    by_median: bool

    @property
    def head(self) -> str:
        return f"Median {self.endpoint}, months" if self.by_median else f"{self.endpoint} at {YEARS} years"

    @property
    def lines(self) -> tuple[str, str]:
        """The heading on two lines, for terminals."""
        if self.by_median:
            return f"median {self.endpoint}", "months"
        return f"{self.endpoint} at", f"{YEARS} years"

    def estimate(self, arm: Arm) -> Estimate:
        curve = arm.outcomes.rfs_or_pfs
        return curve.median_months if self.by_median else curve.landmarks[YEARS]

    def full(self, arm: Arm) -> str:
        """With its interval."""
        estimate = self.estimate(arm)
        return words.months(estimate) if self.by_median else words.percent_interval(estimate)

    def short(self, arm: Arm) -> str:
        """Without its interval, for terminals."""
        value = self.estimate(arm).value
        if value is None:
            return "not reached" if self.by_median else words.DASH
        return words.number(value) if self.by_median else words.percent(value)


def second(arms: list[Arm]) -> Second:
    """Medians when every ranked strategy has one with both ends of its interval, else three years."""
    curves = [a.outcomes.rfs_or_pfs for a in arms if a.ranked] or [a.outcomes.rfs_or_pfs for a in arms]
    by_median = all(c.median_months.upper is not None for c in curves)
    landmarks = all(YEARS in a.outcomes.rfs_or_pfs.landmarks for a in arms)
    return Second(arms[0].outcomes.rfs_or_pfs.endpoint, by_median or not landmarks)


def key_points(plan: Plan, arms: list[Arm]) -> list[str]:
    """What lies outside the data; then survival against the reference, severe toxicity and unseen disease
    of ranked strategies only."""
    ranked = [a for a in arms if a.ranked]
    reference = next((a for a in ranked if a.is_reference), None)
    if reference is None:
        return [p for p in (_outside(plan, arms),) if p]
    points = (
        _outside(plan, arms),
        _survival(plan, ranked, reference),
        _against_evidence(plan, ranked, reference),
        _toxicity(ranked),
        _unseen(plan),
    )
    return [p for p in points if p]


def _outside(plan: Plan, arms: list[Arm]) -> str:
    """Why nothing, or which strategies, are not ranked for want of data."""
    if plan.outside:
        return f"This patient lies outside the data, so nothing is ranked: {'; '.join(plan.outside)}."
    letters = [a.letter for a in arms if a.outside]
    if not letters:
        return ""
    why = {r for a in arms if a.outside and a.strategy.domain for r in a.strategy.domain.reasons}
    verb, be = ("lies", "is") if len(letters) == 1 else ("lie", "are")
    reasons = f": {'; '.join(sorted(why))}" if why else ""
    return f"{words.listed(letters)} {verb} outside the data and {be} not ranked{reasons}."


def _survival(plan: Plan, ranked: list[Arm], reference: Arm) -> str:
    groups: dict[str, list[str]] = {}
    for arm in ranked:
        difference = difference_of(plan, arm.strategy.name, "os")
        if difference is not None:
            groups.setdefault(words.difference_words(difference).lower(), []).append(arm.letter)
    order = ("longer", "probably longer", words.NO_DIFFERENCE.lower(), "probably shorter", "shorter")
    said = [f"{name} with {words.listed(groups[name])}" for name in order if name in groups]
    return f"Overall survival against {reference.letter}: {'; '.join(said)}." if said else ""


def _against_evidence(plan: Plan, ranked: list[Arm], reference: Arm) -> str:
    """A warning where numbers that nothing pins put a lower grade of evidence above the reference."""
    standing = GRADE_ORDER[reference.strategy.evidence_grade]
    above = []
    for arm in ranked:
        d = difference_of(plan, arm.strategy.name, "os")
        if d is None or not words.is_clear(d) or d.difference <= 0 or d.basis == "calibrated":
            continue
        if GRADE_ORDER[arm.strategy.evidence_grade] > standing:
            above.append(arm.letter)
    if not above:
        return ""
    many = len(above) > 1
    return (
        f"{words.listed(above)} {'come' if many else 'comes'} out longer than {reference.letter} on weaker "
        "evidence, and nothing pins these numbers to trials: let the grade of evidence weigh more."
    )


def _toxicity(ranked: list[Arm]) -> str:
    found = []
    for arm in ranked:
        severe, total = words.severe_toxicity(arm.strategy)
        if severe is not None and total and severe.probability.value is not None:
            found.append((severe.probability.value, arm.letter))
    if len(found) < 2:
        return ""
    (least, fewest), (most, greatest) = min(found), max(found, key=lambda f: f[0])
    low, high = f"{words.percent(least)} ({fewest})", f"{words.percent(most)} ({greatest})"
    return f"Severe toxicity (grade 3 or worse): from {low} to {high}."


def _unseen(plan: Plan) -> str:
    if plan.twins.occult_probability.value is None:
        return ""
    unseen = words.percent_interval(plan.twins.occult_probability)
    return f"Probability of disease that no scan has shown: {unseen}."


def twins_in_words(plan: Plan) -> str:
    """How many twins, where from, and what the weighing against the findings left."""
    twins = plan.twins
    if twins.effective_sample_size >= 0.995 * twins.candidates:
        kept = ", all of which fit the findings equally"
    else:
        kept = f" that count as {twins.effective_sample_size:,.0f} once weighed against the findings"
    return f"{twins.requested:,}, drawn from {twins.candidates:,} virtual patients{kept}"


def twins_rule(plan: Plan) -> str:
    """How a plan that chose the number of twins chose it; empty when it was given."""
    if plan.monte_carlo is None or not plan.monte_carlo.adaptive:
        return ""
    return (
        f"Twins are added until the error of each difference is at most {100 * plan.monte_carlo.fraction:g}%"
        " of the half-width of its interval (of 1 month, 5 percentage points or a tenth of the difference if"
        " that is more)."
    )
