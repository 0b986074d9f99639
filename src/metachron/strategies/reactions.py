"""What a strategy declares about the way: steps that wait, drugs given again, intervals; and which rules of
eligibility must wait with them."""

from __future__ import annotations

from metachron.strategies.course import has_procedure, step_effects
from metachron.strategies.logic import Condition, Group, Not
from metachron.strategies.predicates import View, fact
from metachron.strategies.schema import EffectClass, Starts

# Facts about the disease and the blood of today; a step that waits for progression or recurrence meets
# others. Limits of size and number are then kept by the step itself (only_if), one organ by the simulation.
OF_TODAY = {
    "nothing_visible", "liver_lesions", "largest_liver_mm", "extrahepatic", "near_vessel",
    "all_lesions_resectable", "fong_score", "interval_months", "progressed_on_last", "neutrophils",
    "platelets", "remnant_share",
}  # fmt: skip


def facts_in(condition: Condition | None) -> set[str]:
    """Names of the facts that a condition reads."""
    if condition is None:
        return set()
    if isinstance(condition, Group):
        return set().union(*(facts_in(part) for part in condition.parts))
    return facts_in(condition.part) if isinstance(condition, Not) else {condition.fact}


def reads_today(given: Condition | None, when: Condition) -> bool:
    """Does a rule read the disease or the counts of today?"""
    return bool((facts_in(given) | facts_in(when)) & OF_TODAY)


@fact("starts", "what the step waits for: planned, progression or recurrence")
def _starts(view: View) -> str:
    return view.step.starts.value


@fact(
    "reactions",
    "what the strategy declares: reintroduction, re-challenge, switch, repeat local, stop and go, interval",
)
def _reactions(view: View) -> set[str]:
    steps = view.strategy.steps
    found: set[str] = set()
    seen: set[EffectClass] = set()
    for i, step in enumerate(steps):
        effects = step_effects(view, step)
        if step.starts is Starts.RECURRENCE and has_procedure(view, step):
            found.add("repeat local")
        if i and effects and step.starts is Starts.PROGRESSION:
            again = _given_again(effects, step_effects(view, steps[i - 1]), seen)
            found.add(again)
            if again == "reintroduction" and steps[i - 1].cycles is not None:
                found.add("interval")  # nothing is given from the last cycle to progression
        seen |= effects
    actions = {rule.action for rule in view.catalogue.rules_of(view.strategy)}
    words = {"resume": "stop and go", "pause": "interval"}
    return found | {word for action, word in words.items() if action in actions}


def _given_again(now: set[EffectClass], before: set[EffectClass], seen: set[EffectClass]) -> str:
    """The name of giving `now` on progression after `before`, with `seen` given at any time before."""
    if now <= before:
        return "reintroduction"
    again = (now & seen) - before - {EffectClass.FP, EffectClass.VEGF}
    return "re-challenge" if again else "switch"
