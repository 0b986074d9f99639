"""`optimise`: one patient in; the best timetable, how sure that is, and where timing does not matter, out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from metachron import DISCLAIMER, __version__
from metachron.optimise.against import trial_citations, with_trials_against
from metachron.optimise.answer import Answer
from metachron.optimise.batches import Batches
from metachron.optimise.cells import cells_band, has_cells
from metachron.optimise.constraints import (
    Constraint,
    check_limits,
    clinical_constraints,
    parse_constraint,
)
from metachron.optimise.field import Entrant, Judge, check_field
from metachron.optimise.goal import Goal, describe, parse_goal
from metachron.optimise.limits import limits_of_search
from metachron.optimise.objectives import OBJECTIVES, window_days
from metachron.optimise.race import Race
from metachron.optimise.results import CellsBand, Optimisation, SearchSummary, VariableResult
from metachron.optimise.search import Found, Say, Search, Settings
from metachron.optimise.sentences import sentences
from metachron.optimise.space import Space, asked_templates, default_space, make_space
from metachron.parameters import draw_parameters
from metachron.parameters.posterior import Ensemble, load_ensemble
from metachron.patient.schema import Patient
from metachron.plan.document import bibliography, provenance
from metachron.plan.limits import limits, status
from metachron.strategies.candidates import reference_for, situation, situation_citations
from metachron.strategies.catalogue import Catalogue, load_catalogue
from metachron.strategies.schema import Strategy

BUDGET_SECONDS = 150.0
BATCH, ROUNDS, TWINS, TRIALS = 400, 8, 3000, 24
BAND_TWINS, BAND_CANDIDATES = 400, 2
MATTERS = {"months": 0.25, "days": 1.0}  # smallest difference that counts: a choice, not a fact
DAYS_PER_YEAR = 365.25


@dataclass(frozen=True)
class Request:
    """What is asked of a search, as typed. `templates` empty: the default space of the situation.

    `matters`: smallest difference of the objective that counts (None: a quarter of a month, or a day).
    `budget` in seconds; `twins`: fresh twins of the evaluation; `checkpoint`: file that keeps what was worked
    out, so that a killed search goes on.
    """

    templates: Sequence[str] = ()
    objective: str | None = None
    constraints: Sequence[str] = ()
    budget: float = BUDGET_SECONDS
    twins: int = TWINS
    draws: int = 40
    seed: int = 1
    horizon_years: float = 10.0
    jobs: int | None = None
    prior: bool = False
    checkpoint: Path | None = None
    trials: int = TRIALS
    matters: float | None = None
    say: Say = field(default=lambda _stage, _share: None)


def optimise(patient: Patient, request: Request | None = None) -> Optimisation:
    """Search order and timing for one patient.

    Raises InputError (unknown name, empty or infeasible space) and TwinError (findings that no twin matches).
    Same arguments, same document, whatever the threads, as long as the budget does not end the search.
    """
    request = request or Request()
    began = time.monotonic()
    goal = parse_goal(request.objective, patient)
    held = [*clinical_constraints(), *(parse_constraint(text) for text in request.constraints)]
    check_limits(held)
    search = _prepared(patient, request, goal, held, began)
    search.run()
    return _document(patient, request, search, held)


def _prepared(
    patient: Patient, request: Request, goal: Goal, held: list[Constraint], began: float = 0.0
) -> Search:
    """The field of candidates, judged, ready to race."""
    catalogue = load_catalogue()
    request.say("making the space of candidates", 0.0)
    ensemble = None if request.prior else load_ensemble()
    reference = catalogue.strategies[reference_for(situation(patient, catalogue), patient, catalogue)]
    space = _space(patient, request, reference, catalogue)
    batches, settings = _batches(patient, request, ensemble), _search_settings(request, goal, began)
    request.say("matching twins", 0.02)
    first = batches.evaluator(0, settings.batch)
    judge = Judge(patient, catalogue, ensemble, held, first, asked=bool(request.templates))
    request.say(f"judging {len(space.candidates)} candidates", 0.04)
    kept, ids = judge.merged(space.candidates)
    space = replace(space, candidates=tuple(kept))
    entrants = judge.enter(kept)
    own = next(e for e in entrants if e.candidate.strategy.name == reference.name)
    asked = [e for e in entrants if e is not own] if request.templates else entrants
    check_field(asked or entrants, held)  # the standard alone may have been asked for
    search = Search(space, entrants, judge, batches, goal, own.id, settings, request.say)
    search.by_key.update(ids)
    return search


def _space(patient: Patient, request: Request, reference: Strategy, catalogue: Catalogue) -> Space:
    """The templates asked for with the standard beside them, or the space of the situation."""
    if not request.templates:
        return default_space(patient, catalogue)
    templates = asked_templates(request.templates, patient, catalogue)
    return make_space(templates, catalogue, usual=[reference])


def _batches(patient: Patient, request: Request, ensemble: Ensemble | None) -> Batches:
    return Batches(
        patient,
        draw_parameters(request.draws, request.seed, prior=request.prior),
        seed=request.seed,
        horizon_days=request.horizon_years * DAYS_PER_YEAR,
        jobs=request.jobs,
        checkpoint=request.checkpoint,
        basis="prior" if ensemble is None else ensemble.id,
    )


def _search_settings(request: Request, goal: Goal, began: float) -> Settings:
    """`began`: on the monotonic clock."""
    unit = goal.description(0.0).unit
    return Settings(
        batch=min(request.twins, max(BATCH, 5 * request.draws)),
        rounds=ROUNDS,
        twins=request.twins,
        trials=request.trials,
        budget=request.budget,
        seed=request.seed,
        matters=MATTERS[unit] if request.matters is None else request.matters,
        began=began,
    )


def _document(patient: Patient, request: Request, search: Search, held: list[Constraint]) -> Optimisation:
    ensemble, found, answer = search.judge.ensemble, search.found, Answer(search)
    window = window_days(search.batches.horizon_days)
    request.say("summarising", 0.92)
    evaluations = with_trials_against(answer.evaluations(), found.reference, found.entrants)
    objective = search.goal.description(window)
    names = list(dict.fromkeys([*search.goal.names, *OBJECTIVES]))
    objectives = [describe(n, window) for n in names]
    where = situation(patient, search.catalogue)
    outside = list(next(iter(found.entrants.values())).arm.rests.domain.patient)
    standing = found.standing
    ranked = found.ranked if standing is not None else []
    document = Optimisation(
        version=__version__,
        seed=request.seed,
        settings=_settings(request, search.goal),
        disclaimer=DISCLAIMER,
        parameters_status=status(ensemble),
        provenance=provenance(ensemble),
        outside=outside,
        patient=patient.model_dump(mode="json"),
        situation=where.value,
        objective=objective,
        objectives=objectives,
        constraints=answer.constraints(held),
        variables=_variables(search.space),
        reference=found.reference,
        evaluations=evaluations,
        best=found.best,
        probability_best=_by_id(ranked, standing.probability.tolist() if standing else []),
        expected_regret=_by_id(ranked, standing.regret.tolist() if standing else []),
        cannot_be_told_apart=answer.alike(),
        as_good=answer.as_good(),
        least_that_matters=search.settings.matters,
        plateau=answer.plateaus(),
        front=found.front,
        hypervolume=_hypervolume(search) if found.front else None,
        cells_band=_bands(search, request),
        search=_summary(search, request),
        limits=[*limits_of_search(search.goal), *limits(ensemble)],
    )
    cited = [*situation_citations(where), *_citations(document, held, search)]
    return document.model_copy(update={"words": sentences(document), "bibliography": bibliography([], cited)})


def _citations(document: Optimisation, held: list[Constraint], search: Search) -> list[str]:
    """What the objectives, the limits, the templates and the candidates rest on, in this order."""
    cited = [c for o in document.objectives for c in o.citations]
    cited += [c for k in held for c in k.citations] + [c for t in search.space.templates for c in t.citations]
    cited += [c for e in document.evaluations for r in e.reasons for c in r.citations]
    return [*cited, *trial_citations(document.evaluations, search.found.entrants)]


def _why(race: Race | None) -> str:
    return race.stopped_because if race is not None else "nothing may be ranked"


def _by_id(keys: list[str], values: list[float]) -> dict[str, float]:
    return {k: round(float(v), 6) for k, v in zip(keys, values, strict=True)}


def _settings(request: Request, goal: Goal) -> dict[str, object]:
    return {
        "twins": request.twins,
        "draws": request.draws,
        "horizon_years": request.horizon_years,
        "objective": ",".join(goal.names) if goal.several else request.objective,
        "templates": list(request.templates),
        "constraints": list(request.constraints),
        "budget_seconds": request.budget,
        **({} if request.matters is None else {"matters": request.matters}),
        **({"prior": 1} if request.prior else {}),
    }


def _variables(space: Space) -> list[VariableResult]:
    """Variables of all templates; one name once for each set of values."""
    found: dict[tuple[str, tuple[object, ...]], VariableResult] = {}
    for template in space.templates:
        for v in template.variables:
            result = VariableResult(name=v.name, unit=v.unit, values=list(v.values))
            found.setdefault((v.name, v.values), result)
    return list(found.values())


def _hypervolume(search: Search) -> float:
    import numpy as np

    from metachron.optimise.front import covered

    found = search.found
    strategies = [found.entrants[k].candidate.strategy for k in found.ranked]
    means = [search.goal.columns(search.fresh.values(s, search.names)).mean(0) for s in strategies]
    return round(covered(np.array(means)), 6)


def _bands(search: Search, request: Request) -> list[CellsBand]:
    """The best unranked candidates with cells over the prior of their kinetics."""
    found = search.found
    with_cells = [
        k
        for k in found.final
        if found.entrants[k].unranked and has_cells(found.entrants[k].candidate.strategy)
    ]
    if not with_cells or search.late(1.0):
        return []
    request.say("infused cells over the prior of their kinetics", 0.94)
    means = dict(zip(with_cells, search.scores(with_cells).mean(0).tolist(), strict=True))
    first: dict[int, str] = {}  # the best of each template
    for key in sorted(with_cells, key=lambda k: -means[k]):
        first.setdefault(found.entrants[key].candidate.template, key)
    chosen = list(first.values())[:BAND_CANDIDATES]
    rows: list[CellsBand] = []
    for key in chosen:
        rows += cells_band(found.entrants[key].candidate, key, search.fresh, search.goal, BAND_TWINS)
    return rows


def _summary(search: Search, request: Request) -> SearchSummary:
    found: Found = search.found
    race = found.race
    entrants: list[Entrant] = [found.entrants[c.id] for c in search.space.candidates]
    return SearchSummary(
        method=found.method if race is not None else "nothing to rank: shown on fresh twins only",
        space_size=len(search.space.candidates),
        refused=sum(e.refused for e in entrants),
        evaluated=len({*(race.scores if race else ()), *found.final}),
        rounds=race.done if race else 0,
        search_twins=int(race.draw.size) if race else 0,
        evaluation_twins=request.twins,
        draws=request.draws,
        stopped_because="the budget ended" if found.cut else _why(race),
        complete=(race is None or race.complete) and not found.cut,
    )
