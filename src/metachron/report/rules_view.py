"""Eligibility as the report shows it: each strategy once, each rule once with the strategies it concerns."""

from __future__ import annotations

from dataclasses import dataclass, field

from metachron.plan.results import Plan, Reason, StrategyResult
from metachron.report.arms import Arm

CAUTION = "caution"
HEADS = {
    "not eligible": "Rules that refuse",
    "needs information": "Rules that need information",
    "caution": "Cautions",
    "eligible": "Rules met",
}
VERDICTS = {"yes": "eligible", "unknown": "needs information", "no": "not eligible"}


@dataclass
class Rule:
    """One rule as it was applied, and whom it concerns: compared strategies, and titles of the others."""

    reason: Reason
    arms: list[Arm] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Group:
    key: str
    heading: str
    rules: list[Rule]


def strategies(plan: Plan, arms: list[Arm]) -> list[tuple[StrategyResult, Arm | None]]:
    """Every strategy with its arm: the compared in the order of display, then the others."""
    compared = [(a.strategy, a) for a in arms]
    return [*compared, *((s, None) for s in plan.strategies if s.outcomes is None)]


def groups(plan: Plan, arms: list[Arm]) -> list[Group]:
    """Rules by verdict, what refuses first; within a verdict in the order of the first strategy concerned."""
    found: dict[tuple[str, str], Rule] = {}
    for strategy, arm in strategies(plan, arms):
        for reason in strategy.reasons:
            rule = found.setdefault((_kind(reason), reason.text), Rule(reason))
            if arm is None:
                rule.others.append(strategy.title)
            elif arm not in rule.arms:
                rule.arms.append(arm)
    by_kind = {kind: [rule for (k, _), rule in found.items() if k == kind] for kind in HEADS}
    return [Group(kind, heading, by_kind[kind]) for kind, heading in HEADS.items() if by_kind[kind]]


def _kind(reason: Reason) -> str:
    cautious = reason.verdict == "eligible" and reason.text.lower().startswith(CAUTION)
    return CAUTION if cautious else reason.verdict
