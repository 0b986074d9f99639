"""The field of a search: every candidate with its verdicts: raced, shown unranked, or refused."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from metachron.engine.records import Programme, pack
from metachron.errors import InputError
from metachron.optimise.constraints import Constraint, Judged, judge_figures, refuse_empty
from metachron.optimise.evaluate import Evaluator
from metachron.optimise.space import Candidate
from metachron.parameters.posterior import Ensemble
from metachron.patient.schema import Patient
from metachron.plan.arms import UNPROVEN, Arm, judged
from metachron.plan.results import Reason
from metachron.strategies.catalogue import Catalogue


@dataclass(frozen=True)
class Entrant:
    """One candidate with its arm (eligibility, grade, basis) and the constraints it was held to.

    `refused`: not evaluated. `unranked`: why it is shown without a rank; nothing for the raced.
    """

    candidate: Candidate
    arm: Arm
    judged: Judged
    refused: bool
    unranked: str

    @property
    def id(self) -> str:
        return self.candidate.id

    @property
    def reasons(self) -> list[Reason]:
        """Broken constraints first, then those of the eligibility rules."""
        own = [Reason(**r.model_dump()) for r in self.arm.eligibility.reasons]
        return [*self.judged.reasons, *own]


@dataclass(frozen=True)
class Judge:
    """What candidates are held to, so that those found on the way are judged alike."""

    patient: Patient
    catalogue: Catalogue
    ensemble: Ensemble | None
    constraints: Sequence[Constraint]
    evaluator: Evaluator
    asked: bool

    def enter(self, candidates: Sequence[Candidate]) -> list[Entrant]:
        """Verdicts on candidates."""
        arms = judged(self.patient, [c.strategy for c in candidates], self.catalogue, self.ensemble)
        return [self._entrant(c, arm) for c, arm in zip(candidates, arms, strict=True)]

    def merged(self, candidates: Sequence[Candidate]) -> tuple[list[Candidate], dict[str, str]]:
        """(candidates without those whose programme is that of an earlier one, which takes their variables;
        key of every candidate -> id of the one kept)."""
        first: dict[str, int] = {}
        kept: list[Candidate] = []
        ids: dict[str, str] = {}
        for candidate in candidates:
            programme = pack(self.evaluator.programme(candidate.strategy)).tobytes()
            key = hashlib.sha256(programme + candidate.strategy.surveillance.encode()).hexdigest()
            if key not in first:
                first[key] = len(kept)
                kept.append(candidate)
            elif kept[first[key]].template < 0 <= candidate.template:
                place = first[key]
                kept[place] = replace(kept[place], values=candidate.values, template=candidate.template)
            ids[candidate.key] = kept[first[key]].id
        return kept, ids

    def _entrant(self, candidate: Candidate, arm: Arm) -> Entrant:
        verdict = arm.eligibility
        may = verdict.eligible == "yes" or (
            verdict.eligible == "unknown" and (self.asked or verdict.pending == "safety")
        )
        found = self._figures(candidate)
        refused = not may or bool(found.broken) or bool(found.recovery)
        return Entrant(candidate, arm, found, refused, "" if refused else _unranked(arm))

    def _figures(self, candidate: Candidate) -> Judged:
        programme: Programme = self.evaluator.programme(candidate.strategy)
        return judge_figures(candidate, programme, self.constraints, self.catalogue)


def _unranked(arm: Arm) -> str:
    if arm.rests.domain.outside:
        return "outside the region of the registered trials: " + "; ".join(arm.rests.domain.reasons)
    if arm.grade.grade in UNPROVEN:
        return f"{arm.grade.grade.value}: shown, never ranked above a standard"
    return ""


def check_field(entrants: Sequence[Entrant], constraints: Sequence[Constraint]) -> None:
    """Raise InputError when every candidate is refused, naming what leaves nothing."""
    if any(not e.refused for e in entrants):
        return
    blocked = {
        e.id: e.arm.eligibility.reasons[0].text
        for e in entrants
        if e.arm.eligibility.eligible != "yes" and not e.judged.broken and not e.judged.recovery
    }
    refusable = {
        e.id: e.arm.eligibility.reasons[0].text for e in entrants if e.arm.eligibility.eligible == "no"
    }
    refuse_empty([e.judged for e in entrants], {**refusable, **blocked}, constraints)
    raise InputError("no candidate may be given to this patient")
