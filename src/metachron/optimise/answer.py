"""From what a search found to its document: evaluations, bands, and the result in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metachron.optimise.constraints import Constraint
from metachron.optimise.field import Entrant
from metachron.optimise.goal import WEIGHTED
from metachron.optimise.objectives import OBJECTIVES
from metachron.optimise.plateau import counts, plateau, text_of
from metachron.optimise.results import ConstraintResult, Evaluation, Measured, Plateau
from metachron.optimise.search import Found, Search
from metachron.plan.bands import Paired, band_of, by_draw
from metachron.plan.outcomes import toxicity
from metachron.plan.results import Reason
from metachron.plan.timetable import timetable

Floats = NDArray[np.float64]
LEAST_PROBABILITY = 0.1  # of being better than the best: under it the odds against are over 9 to 1


def measured(values: Floats, draw: NDArray[np.int64], source: NDArray[np.int64]) -> Measured:
    """Mean of values (n,) with its 90 % band over draws and its Monte Carlo error."""
    middle, low, high = (float(v) for v in band_of(*by_draw(values, draw)))
    _, counts, noise = by_draw(values, draw, source)
    w = counts / counts.sum()
    return Measured(value=middle, lower=low, upper=high, mc_error=float(np.sqrt((w**2 * noise).sum())))


def of_paired(paired: Paired, sign: float = 1.0) -> Measured:
    """A paired difference of scores in the sign of the objective."""
    ends = sorted((sign * paired.lower, sign * paired.upper))
    return Measured(value=sign * paired.mean, lower=ends[0], upper=ends[1], mc_error=paired.mc_error)


@dataclass(frozen=True)
class Answer:
    """Reads one finished search."""

    search: Search

    @property
    def found(self) -> Found:
        return self.search.found

    def evaluations(self) -> list[Evaluation]:
        """Ranked first, then those shown without a rank, then raced out, then refused."""
        found = self.found
        place = {k: i + 1 for i, k in enumerate(found.ranked)} if found.best is not None else {}
        raced = [k for k in (found.race.order() if found.race else []) if k not in place]
        order = [*found.ranked, *(k for k in raced if k not in found.final)]
        for number, key in enumerate(order, start=1):
            if found.race is not None and key in found.race.scores:
                place.setdefault(key, number)
        asked = {c.id for c in self.search.space.candidates}
        rest = [k for k in found.entrants if k not in order and (k in asked or k in found.final)]
        rest.sort(key=lambda k: (k not in found.final, found.entrants[k].refused))
        return [self._evaluation(k, place.get(k)) for k in (*order, *rest)]

    def _evaluation(self, key: str, rank: int | None) -> Evaluation:
        entrant, found = self.found.entrants[key], self.found
        why = "" if rank is not None else self._why_unranked(key, entrant)
        race = found.race
        content: dict[str, object] = {
            "id": key,
            "name": entrant.candidate.strategy.name,
            "expression": entrant.candidate.expression,
            "title": entrant.candidate.strategy.title,
            "surveillance": entrant.candidate.strategy.surveillance,
            "variables": entrant.candidate.values,
            "evidence_grade": entrant.arm.grade.grade.value,
            "basis": entrant.arm.rests.overall,
            "eligible": entrant.arm.eligibility.eligible,
            "reasons": self._reasons(entrant),
            "rank": rank,
            "not_ranked_because": why,
            "twins": race.scores[key].shape[0] if race is not None and key in race.scores else 0,
            "round": race.rounds.get(key, 0) if race is not None else 0,
        }
        if key in found.final:
            content |= self._on_fresh(entrant)
        elif race is not None and key in race.scores:
            content["objectives"] = self._on_search(entrant)
        return Evaluation.model_validate(content)

    def _reasons(self, entrant: Entrant) -> list[Reason]:
        """Refusals and what is missing; what speaks for a strategy stands in the plan."""
        return [r for r in entrant.reasons if r.verdict != "eligible"]

    def _why_unranked(self, key: str, entrant: Entrant) -> str:
        if entrant.judged.broken or entrant.judged.recovery:
            return entrant.judged.reasons[0].text
        if entrant.refused:
            return "not eligible: " + entrant.arm.eligibility.reasons[0].text
        if key in self.found.violated:
            return self.found.violated[key]
        if self.found.race is not None and key in self.found.race.not_reached:
            return "not reached within the budget"
        return entrant.unranked or "not evaluated"

    def _on_fresh(self, entrant: Entrant) -> dict[str, object]:
        """Objectives, difference from the best, side effects and calendar on the fresh twins."""
        evaluator, strategy = self.search.fresh, entrant.candidate.strategy
        lives = evaluator.lives(strategy)
        programme = evaluator.programme(strategy)
        values = evaluator.values(strategy, list(OBJECTIVES))
        objectives = {n: measured(v, evaluator.draw, evaluator.source) for n, v in values.items()}
        if self.search.goal.weights:
            objectives[WEIGHTED] = measured(
                self.search.goal.weighted(values), evaluator.draw, evaluator.source
            )
        content: dict[str, object] = {
            "objectives": objectives,
            "toxicity": toxicity(lives, evaluator.draw, entrant.arm.rests),
            "timetable": timetable(strategy, programme, lives, evaluator.catalogue),
        }
        if self.found.best is not None:
            base = self.found.entrants[self.found.best].candidate
            content["difference"] = of_paired(
                self.search.paired(entrant.candidate, base), self.search.goal.sign
            )
        return content

    def _on_search(self, entrant: Entrant) -> dict[str, Measured]:
        """The objectives sought, on the twins of the race: a candidate that dropped out of it."""
        race, goal = self.found.race, self.search.goal
        assert race is not None
        scores = race.scores[entrant.id]
        draw, source = race.draw[: len(scores)], race.source[: len(scores)]
        if goal.weights:
            return {WEIGHTED: measured(scores[:, 0], draw, source)}
        return {
            name: measured(OBJECTIVES[name].sign * scores[:, j], draw, source)
            for j, name in enumerate(goal.names)
        }

    def alike(self) -> list[str]:
        """Ids that cannot be told apart from the best (odds under 9 to 1), the best first."""
        found = self.found
        if found.standing is None or found.best is None:
            return []
        kept = [
            k
            for k, p in zip(found.ranked, found.standing.paired, strict=True)
            if k == found.best or p.probability > LEAST_PROBABILITY
        ]
        return sorted(kept, key=lambda k: k != found.best)

    def as_good(self) -> list[str]:
        """Ids that cannot be told apart from the best, or differ by less than matters; the best first."""
        found = self.found
        if found.standing is None or found.best is None:
            return []
        matters = self.search.settings.matters
        pairs = zip(found.ranked, found.standing.paired, strict=True)
        kept = [k for k, p in pairs if k == found.best or p.mean > 0 or not counts(p, matters)]
        return sorted(kept, key=lambda k: k != found.best)

    def plateaus(self) -> list[Plateau]:
        """Where timing does not matter: each variable of the best, and the sequence."""
        found = self.found
        if found.best is None:
            return []
        best = found.entrants[found.best].candidate
        made, matters = [], self.search.settings.matters
        unit = self.search.goal.description(0.0).unit
        for piece in found.pieces:
            if any(other.id not in found.final for _, other in piece.others):
                continue  # the budget ended before they were evaluated
            made.append(plateau(piece, lambda c: self.search.paired(c, best), matters, unit))
        sequence = self._sequence(best.template)
        return [*([sequence] if sequence else []), *made]

    def _sequence(self, own: int) -> Plateau | None:
        """The best of each template beside the best of all: does the order matter?"""
        found = self.found
        assert found.best is not None
        assert found.standing is not None
        first: dict[int, Paired] = {}
        for key, paired in zip(found.ranked, found.standing.paired, strict=True):
            number = found.entrants[key].candidate.template
            if number >= 0 and number != own and number not in first:
                first[number] = paired
        if not first:
            return None
        templates, matters = self.search.space.templates, self.search.settings.matters
        title = {n: templates[n].title or templates[n].text for n in {*first, own} if n >= 0}
        value = title.get(own) or found.entrants[found.best].candidate.strategy.title
        alike = [value, *(title[n] for n, p in first.items() if not counts(p, matters))]
        different = [title[n] for n, p in first.items() if counts(p, matters)]
        same, other = "; ".join(text_of(v) for v in alike), "; ".join(text_of(v) for v in different)
        if not different:
            words = f"sequence: the order does not matter here; as good as each other: {same}."
        elif len(alike) == 1:
            words = f"sequence: {same} is best; worse: {other}."
        else:
            words = f"sequence: as good as each other: {same}; worse: {other}."
        return Plateau(
            variable="sequence",
            value=value,
            alike=list(alike),
            different=list(different),
            matters=bool(different),
            words=words,
        )

    def constraints(self, held: Sequence[Constraint]) -> list[ConstraintResult]:
        """Each constraint with the number of candidates it took out."""
        entrants = list(self.found.entrants.values())
        refused = {c.text: sum(c in e.judged.broken for e in entrants) for c in held}
        for why in self.found.violated.values():
            refused[why.partition(" is broken")[0]] += 1
        return [
            ConstraintResult(
                text=c.text,
                origin=c.origin,
                refused=refused[c.text],
                status=c.status,
                citations=list(c.citations),
            )
            for c in held
        ]
