"""Where the model sees a gain in survival that registered trials of the same thing did not see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from metachron.optimise.field import Entrant
from metachron.optimise.results import Evaluation

SURVIVAL = "rmst"


def with_trials_against(
    evaluations: Sequence[Evaluation], reference: str, entrants: Mapping[str, Entrant]
) -> list[Evaluation]:
    """The evaluations, with a note on each that outlives the reference although its trials saw no gain."""
    usual = next((e for e in evaluations if e.id == reference), None)
    return [e.model_copy(update={"trials_against": _note(e, usual, entrants.get(e.id))}) for e in evaluations]


def _note(e: Evaluation, usual: Evaluation | None, entrant: Entrant | None) -> str:
    if usual is None or entrant is None or e.id == usual.id or not entrant.arm.grade.no_gain:
        return ""
    gain = _months(e, usual)
    if gain is None or gain <= 0:
        return ""
    trials = "; ".join(t.words for t in entrant.arm.grade.trials)
    return (
        f"its twins live {gain:.1f} months longer than under the standard, and no registered trial saw a gain"
        f" ({trials}). The gain in survival is a fault of the model (docs/timing.md); fewer side effects are"
        " not in question."
    )


def _months(e: Evaluation, usual: Evaluation) -> float | None:
    """Mean months alive more than the reference; None when one of them was not evaluated for it."""
    mine, other = e.objectives.get(SURVIVAL), usual.objectives.get(SURVIVAL)
    if mine is None or other is None or mine.value is None or other.value is None:
        return None
    return mine.value - other.value


def trial_citations(evaluations: Sequence[Evaluation], entrants: Mapping[str, Entrant]) -> list[str]:
    """Sources of the trials that the notes name."""
    noted = [e.id for e in evaluations if e.trials_against]
    return [t.citation for key in noted for t in entrants[key].arm.grade.trials]
