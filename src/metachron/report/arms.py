"""The strategies of a plan as the report shows them: order, letter, colour and line of each.

A letter stands for a strategy in every figure and table, so that long names never crowd a figure and
nothing depends on colour alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_uppercase

from metachron.plan.results import Difference, Outcomes, Plan, StrategyResult

# Dark members of the palettes of Okabe-Ito and Tol, told apart in every common colour-vision deficiency
# together with the line style; each has at least 3:1 against white (tested).
COLOURS = (
    "#1A1A1A",
    "#0072B2",
    "#C2500A",
    "#007A5A",
    "#AA3377",
    "#332288",
    "#8A6D00",
    "#882255",
    "#3A7CA5",
    "#117733",
    "#995D2E",
    "#5E5E9E",
    "#A6192E",
    "#00677F",
    "#6B6B00",
    "#B0307A",
)
STANDING = {
    "ranked": "",
    "outside": "Outside the data, not ranked: no registered trial covers this, so nothing is claimed",
    "investigational": "Investigational, not ranked: the numbers rest on assumption more than on evidence",
    "not supported": "Not supported in this setting: shown for comparison, not as a recommended treatment",
}
DASHES: tuple[tuple[float, ...], ...] = ((), (), (6, 2), (2, 1.5), (7, 2, 1.5, 2), (4, 1.5), (1, 1.2))
GRADE_ORDER = {"standard": 0, "option": 1, "investigational": 2, "not supported": 3}


@dataclass(frozen=True)
class Arm:
    """One compared strategy. `index` counts from 0 in the order of display."""

    index: int
    letter: str
    colour: str
    dash: tuple[float, ...]
    strategy: StrategyResult
    outcomes: Outcomes
    is_reference: bool
    ranked: bool

    @property
    def standing(self) -> str:
        """`ranked`, `outside`, `investigational` or `not supported`: what the strategy is listed under."""
        if self.ranked:
            return "ranked"
        if self.outside:
            return "outside"
        grade = self.strategy.evidence_grade
        return grade if grade == "not supported" else "investigational"

    @property
    def outside(self) -> bool:
        """Outside the domain of the data: shown, and neither ranked nor compared."""
        return self.strategy.basis == "outside"

    @property
    def css_dash(self) -> str:
        """The line style for SVG's stroke-dasharray, in units of pixels of a swatch."""
        return " ".join(f"{d * 1.6:g}" for d in self.dash) or "none"


def letter_of(index: int) -> str:
    """A to Z, then AA, AB..."""
    head, tail = divmod(index, len(ascii_uppercase))
    return (ascii_uppercase[head - 1] if head else "") + ascii_uppercase[tail]


def compared(plan: Plan) -> list[Arm]:
    """Strategies with outcomes: reference first, then standards, options, investigational, not supported."""
    found = [(s, s.outcomes) for s in plan.strategies if s.outcomes is not None]
    order = sorted(range(len(found)), key=lambda i: (*_rank(plan, found[i][0]), i))
    arms = []
    for index, position in enumerate(order):
        strategy, outcomes = found[position]
        assert outcomes is not None
        arms.append(
            Arm(
                index=index,
                letter=letter_of(index),
                colour=COLOURS[index % len(COLOURS)],
                dash=DASHES[index % len(DASHES)] if index else (),
                strategy=strategy,
                outcomes=outcomes,
                is_reference=strategy.name == plan.reference,
                ranked=is_ranked(plan, strategy),
            )
        )
    return arms


def is_ranked(plan: Plan, strategy: StrategyResult) -> bool:
    """Without evidence beyond the prior, or outside the data, a strategy is shown apart."""
    if strategy.basis == "outside":
        return False
    return strategy.name not in plan.not_ranked and GRADE_ORDER[strategy.evidence_grade] < 2


def _rank(plan: Plan, strategy: StrategyResult) -> tuple[bool, bool, bool, int]:
    """Ranked before unranked, the reference before all of its kind, then those outside, then by grade."""
    unranked = not is_ranked(plan, strategy)
    beyond = unranked and strategy.basis != "outside"
    return unranked, strategy.name != plan.reference, beyond, GRADE_ORDER[strategy.evidence_grade]


def heading(arm: Arm, arms: list[Arm]) -> str:
    """Short heading over the strategy in a list by grade; the reference may come before better grades."""
    if not arm.ranked:
        return STANDING[arm.standing].partition(":")[0]
    grade = arm.strategy.evidence_grade
    best = min(GRADE_ORDER[a.strategy.evidence_grade] for a in arms if a.ranked)
    if arm.is_reference and GRADE_ORDER[grade] > best:
        return f"Reference ({grade})"
    return grade.capitalize()


def not_compared(plan: Plan) -> list[StrategyResult]:
    """Strategies without outcomes, in the order of the plan."""
    return [s for s in plan.strategies if s.outcomes is None]


def difference_of(plan: Plan, name: str, endpoint: str) -> Difference | None:
    """The difference of a strategy against the reference for one endpoint, if the plan has it."""
    return next((d for d in plan.comparison if d.strategy == name and d.endpoint == endpoint), None)


def horizon_months(plan: Plan) -> float:
    """Last month of the curves, else of the settings."""
    last = [s.outcomes.os.times_months[-1] for s in plan.strategies if s.outcomes]
    return max(last, default=12.0 * float(plan.settings.get("horizon_years", 5)))
