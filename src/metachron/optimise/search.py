"""The search: race the field on search twins, refine times, evaluate the survivors on fresh twins."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from metachron.errors import InputError, Problem
from metachron.optimise.batches import FRESH, Batches, ScoredBatch
from metachron.optimise.constraints import Constraint
from metachron.optimise.continuous import refine
from metachron.optimise.evaluate import Evaluator, strategy_key
from metachron.optimise.field import Entrant, Judge
from metachron.optimise.front import non_dominated
from metachron.optimise.goal import Goal
from metachron.optimise.plateau import Slice, counts, slices
from metachron.optimise.race import Race, run_race
from metachron.optimise.results import Value
from metachron.optimise.space import Candidate, Space, build
from metachron.optimise.standing import Standing, standing
from metachron.plan.bands import Paired, difference
from metachron.strategies.catalogue import Catalogue

Floats = NDArray[np.float64]
Say = Callable[[str, float], None]
MOST_SURVIVORS, MOST_UNRANKED = 16, 32
RACE_SHARE, REFINE_SHARE = 0.55, 0.70  # of the budget, gone by the end of each stage


@dataclass(frozen=True)
class Settings:
    """What steers a search. `budget` in seconds; `batch` and `twins`: of the race and of the evaluation.

    `matters`: the smallest difference of the objective that counts, in its unit.
    """

    batch: int
    rounds: int
    twins: int
    trials: int
    budget: float
    seed: int
    matters: float = 0.0
    began: float = 0.0  # on the monotonic clock


@dataclass
class Found:
    """What a search found. `final`: ids evaluated on fresh twins, the chosen first; `ranked` among them."""

    entrants: dict[str, Entrant]
    race: Race | None = None
    method: str = "racing by paired differences on batches of twins"
    final: list[str] = field(default_factory=list)
    ranked: list[str] = field(default_factory=list)
    best: str | None = None
    reference: str = ""
    standing: Standing | None = None
    front: list[str] = field(default_factory=list)
    pieces: list[Slice] = field(default_factory=list)
    violated: dict[str, str] = field(default_factory=dict)
    cut: bool = False  # the budget ended before all of `final` was evaluated


class Search:
    """One search on its way. `entrants` in order of the space; `reference`: the standard of the situation."""

    def __init__(
        self,
        space: Space,
        entrants: list[Entrant],
        judge: Judge,
        batches: Batches,
        goal: Goal,
        reference: str,
        settings: Settings,
        say: Say,
    ) -> None:
        self.space, self.judge, self.batches, self.goal = space, judge, batches, goal
        self.settings, self.say = settings, say
        self.found = Found({e.id: e for e in entrants}, reference=reference)
        self.by_key = {e.candidate.key: e.id for e in entrants}
        self.outcome_limits: list[Constraint] = [c for c in judge.constraints if c.on_outcome]
        self.names = list(dict.fromkeys([*goal.names, *(c.name for c in self.outcome_limits)]))
        self._next = 1 + max(int(e.id[1:]) for e in entrants)
        for e in entrants:
            self.found.entrants[e.id] = replace(e, candidate=self._anchored(e.candidate))
        self.began = settings.began or time.monotonic()

    @property
    def catalogue(self) -> Catalogue:
        return self.batches.catalogue

    @property
    def fresh(self) -> Evaluator:
        """The evaluator on the twins that nothing was chosen on."""
        return self.batches.evaluator(FRESH, self.settings.twins)

    def _deadline(self, share: float) -> float:
        return self.began + share * self.settings.budget

    def late(self, share: float) -> bool:
        """Is this share of the budget gone?"""
        return time.monotonic() > self._deadline(share)

    def run(self) -> Found:
        """The whole search. Raises InputError when no candidate meets what is asked of outcomes."""
        raced = [e.id for e in self.found.entrants.values() if not e.refused and not e.unranked]
        if raced:
            self._race(raced)
            self._refine()
            self._slice()
        self._evaluate()
        return self.found

    # --- race -----------------------------------------------------------------------------------------

    def _race(self, raced: list[str]) -> None:
        candidates = {i: e.candidate for i, e in self.found.entrants.items()}

        def batch(number: int) -> ScoredBatch:
            evaluator = self.batches.evaluator(number, self.settings.batch)
            return ScoredBatch(evaluator, self.goal, self.names, candidates)

        race = run_race(
            raced,
            batch,
            most_rounds=self.settings.rounds,
            deadline=self._deadline(RACE_SHARE),
            say=lambda stage, share: self.say(stage, 0.05 + 0.5 * share),
            allowed=self._meets,
        )
        if not race.alive:
            raise self._nothing_meets(list(race.scores))
        self.found.race, self.found.best = race, race.leader

    def _meets(self, key: str) -> bool:
        """Do the means on the search twins meet what is asked of outcomes?"""
        return all(c.holds(self._mean(key, c.name)) for c in self.outcome_limits)

    def _mean(self, key: str, name: str) -> float:
        strategy = self.found.entrants[key].candidate.strategy
        parts = [e.values(strategy, [name])[name] for e in self._search_evaluators()]
        return float(np.concatenate(parts).mean())

    def _search_evaluators(self) -> list[Evaluator]:
        return self.batches.made(below=FRESH)

    def _nothing_meets(self, keys: list[str]) -> InputError:
        problems = []
        for c in self.outcome_limits:
            means = [self._mean(k, c.name) for k in keys]
            span = f"the candidates have {min(means):.1f} to {max(means):.1f} {c.unit}"
            problems.append(Problem("--constraint", f"no candidate meets {c.text}", span, "Loosen it."))
        if len(self.outcome_limits) > 1 and all(
            any(c.holds(self._mean(k, c.name)) for k in keys) for c in self.outcome_limits
        ):
            texts = " and ".join(repr(c.text) for c in self.outcome_limits)
            problems = [
                Problem("--constraint", f"{texts} conflict: no candidate meets both", "", "Loosen one.")
            ]
        return InputError(problems)

    # --- refinement -----------------------------------------------------------------------------------

    def _candidate(self, template: int, values: dict[str, Value]) -> Candidate | None:
        """The candidate of a combination, known or new; None when it is refused, unranked or impossible."""
        try:
            strategy = build(self.space.templates[template], values, self.catalogue)
        except InputError:
            return None
        known = self.by_key.get(strategy_key(strategy))
        if known is None:
            new = Candidate(f"c{self._next}", strategy, values, template)
            self._next += 1
            self.found.entrants[new.id] = self.judge.enter([new])[0]
            self.by_key[new.key] = known = new.id
        entrant = self.found.entrants[known]
        return None if entrant.refused or entrant.unranked else entrant.candidate

    def _search_scores(self, candidate: Candidate) -> Floats:
        """Score of the ranked objective on all search twins (n,)."""
        parts = [
            self.goal.columns(e.values(candidate.strategy, self.names))[:, 0]
            for e in self._search_evaluators()
        ]
        return np.concatenate(parts)

    def _refine(self) -> None:
        """Search times between the values of the grid; the best is taken only when it can be told apart."""
        best, race = self._best(), self.found.race
        if best.template < 0 or race is None or self.goal.several or self.late(REFINE_SHARE):
            return
        self.say("searching times between the values of the grid", 0.58)

        def score(values: dict[str, Value]) -> float | None:
            candidate = self._candidate(best.template, values)
            if candidate is None or not self._meets(candidate.id):
                return None
            return float(self._search_scores(candidate).mean())

        tried, method = refine(
            self.space.templates[best.template],
            dict(best.values),
            score,
            trials=self.settings.trials,
            seed=self.settings.seed,
            deadline=self._deadline(REFINE_SHARE),
        )
        if not tried:
            self.found.method += f"; times {method}" if method else ""
            return
        self.found.method += f"; times refined by {method}"
        first = self._candidate(best.template, tried[0])
        if first is not None and first.id != best.id:
            away = self._search_scores(first) - self._search_scores(best)
            paired = difference(away, race.draw, race.source)
            if paired.mean > 0 and counts(paired, self.settings.matters):
                self.found.best = first.id

    def _best(self) -> Candidate:
        assert self.found.best is not None
        return self.found.entrants[self.found.best].candidate

    def _anchored(self, best: Candidate) -> Candidate:
        """A usual strategy given the place among the variables of a template that makes the same steps with
        intervals written out; its own intervals are those planned."""
        if best.template >= 0:
            return best
        shape = _shape(best)
        for entrant in self.found.entrants.values():
            other = entrant.candidate
            if other.template >= 0 and _shape(other) == shape:
                return replace(best, values=self._planned_values(best, other), template=other.template)
        return best

    def _planned_values(self, best: Candidate, like: Candidate) -> dict[str, Value]:
        template, values = self.space.templates[like.template], dict(like.values)
        segments = self.judge.evaluator.programme(best.strategy).segments
        for v in template.variables:
            if not v.days:
                continue
            two = [build(template, {**like.values, v.name: x}, self.catalogue).steps for x in v.values[:2]]
            changed = [i for i, (a, b) in enumerate(zip(*two, strict=True)) if a.gap_days != b.gap_days]
            if changed and two[0][changed[0]].gap_days is not None:
                index = changed[0]
                stages = [self.catalogue.procedures[n] for n in best.strategy.steps[index].procedures]
                between = [s.interval_between_stages_days for s in stages if s.stages > 1]
                values[v.name] = float(segments[index]["gap"]) - sum(q.value for q in between if q)
        return values

    def _slice(self) -> None:
        """Candidates that differ from the best in one variable."""
        best = self._best()
        if best.template < 0:
            return

        def make(values: dict[str, Value]) -> Candidate | None:
            return self._candidate(best.template, values)

        self.found.pieces = slices(best, self.space.templates[best.template], make)

    # --- evaluation on fresh twins --------------------------------------------------------------------

    def _evaluate(self) -> None:
        final = self._final_set()
        evaluator, reached = self.fresh, list[str]()
        for i, key in enumerate(final):
            if i > 2 and self.late(0.9):
                self.found.cut = True
                break
            self.say(f"evaluating {len(final)} candidates on {self.settings.twins:,} fresh twins",
                     0.7 + 0.2 * i / len(final))  # fmt: skip
            evaluator.values(self.found.entrants[key].candidate.strategy, self.names)
            reached.append(key)
        self.found.final = reached
        ranked = [k for k in reached if not self.found.entrants[k].unranked]
        self.found.violated = {k: why for k in ranked if (why := self._violation(k))}
        if self.found.best in self.found.violated:
            self.found.violated.pop(str(self.found.best))
        self.found.ranked = [k for k in ranked if k not in self.found.violated]
        if self.found.best is not None:
            self._stand()

    def _violation(self, key: str) -> str:
        """Which outcome constraint a candidate breaks on the fresh twins, or nothing."""
        strategy = self.found.entrants[key].candidate.strategy
        for c in self.outcome_limits:
            mean = float(self.fresh.values(strategy, [c.name])[c.name].mean())
            if not c.holds(mean):
                return f"{c.text} is broken: {mean:.1f} {c.unit}"
        return ""

    def _final_set(self) -> list[str]:
        found, race = self.found, self.found.race
        chosen: list[str] = [] if found.best is None else [found.best]
        reference = found.entrants[found.reference]
        if not reference.refused:
            chosen.append(found.reference)
        if race is not None:
            most = 3 * MOST_SURVIVORS if self.goal.several else MOST_SURVIVORS
            chosen += [k for k in race.order() if k in race.alive][:most]
            chosen += [c.id for piece in found.pieces for _, c in piece.others]
            chosen += self._best_of_each(race)
        unranked = [e.id for e in found.entrants.values() if e.unranked and not e.refused]
        chosen += unranked[:: max(1, len(unranked) // MOST_UNRANKED)][:MOST_UNRANKED]
        return list(dict.fromkeys(chosen))

    def _best_of_each(self, race: Race) -> list[str]:
        """The best raced candidate of each template and of the usual strategies."""
        first: dict[int, str] = {}
        for key in race.order():
            first.setdefault(self.found.entrants[key].candidate.template, key)
        return list(first.values())

    def scores(self, keys: Iterable[str]) -> Floats:
        """Scores (n, m) of the ranked objective on the fresh twins."""
        strategies = [self.found.entrants[k].candidate.strategy for k in keys]
        return np.column_stack(
            [self.goal.columns(self.fresh.values(s, self.names))[:, 0] for s in strategies]
        )

    def paired(self, candidate: Candidate, base: Candidate) -> Paired:
        """Paired difference in score of a candidate from another on the fresh twins."""
        away = self.scores([candidate.id])[:, 0] - self.scores([base.id])[:, 0]
        return difference(away, self.fresh.draw, self.fresh.source)

    def _stand(self) -> None:
        found, keys = self.found, self.found.ranked
        table = self.scores(keys)
        chosen = keys.index(str(found.best))
        found.standing = standing(table, chosen, self.fresh.draw, self.fresh.source, self.settings.seed)
        order = sorted(range(len(keys)), key=lambda j: (j != chosen, -float(table[:, j].mean()), j))
        found.ranked = [keys[j] for j in order]
        s = found.standing
        found.standing = Standing(s.probability[order], s.regret[order], [s.paired[j] for j in order])
        if self.goal.several:
            strategies = [found.entrants[k].candidate.strategy for k in found.ranked]
            means = [self.goal.columns(self.fresh.values(x, self.names)).mean(0) for x in strategies]
            found.front = [found.ranked[i] for i in non_dominated(np.array(means))]


def _shape(candidate: Candidate) -> tuple[object, ...]:
    """What a strategy gives, intervals aside."""
    steps = [step.model_copy(update={"gap_days": None, "stop_partner_before_surgery_cycles": 0})
             for step in candidate.strategy.steps]  # fmt: skip
    return (candidate.strategy.surveillance, tuple(step.model_dump_json() for step in steps))
