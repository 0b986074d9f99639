"""`make_update`: a patient and what has happened since in; belief before and after, and a plan from today."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metachron.engine.compile import start_line
from metachron.errors import InputError
from metachron.optimise.update.beliefs import beliefs, strategy_beliefs
from metachron.optimise.update.check import check_findings
from metachron.optimise.update.course import Given, compile_past, given_courses
from metachron.optimise.update.evidence import Evidence, gather
from metachron.optimise.update.expected import observations
from metachron.optimise.update.finding import Finding
from metachron.optimise.update.merge import merge, response
from metachron.optimise.update.pool import Scene, visible_columns
from metachron.optimise.update.results import Belief, Observation, Sampling, StrategyBelief, Update
from metachron.optimise.update.today import (
    Group,
    bare,
    going_on,
    group,
    known_now,
    number_lines,
    run_arms_on,
    sight,
)
from metachron.optimise.update.walk import Past
from metachron.optimise.update.weigh import LEAST_ESS, MOST_COLUMNS, People, Pool, gather_pools, people
from metachron.optimise.update.words import APPROXIMATED, CARRIED, LIMITS, sampling_text, summary
from metachron.parameters import draw_parameters
from metachron.parameters.posterior import Ensemble, load_ensemble
from metachron.patient import derive
from metachron.patient.schema import Patient
from metachron.plan import document
from metachron.plan.adaptive import Simulated
from metachron.plan.arms import (
    Arm,
    Progress,
    compile_arms,
    judged,
    listed_strategies,
    pick_reference,
    to_simulate,
)
from metachron.plan.compare import WINDOW_YEARS
from metachron.plan.findings import Findings, read_findings
from metachron.plan.make import plan_document, plan_settings
from metachron.plan.precision import DEFAULT_FRACTION
from metachron.plan.precision import summary as monte_carlo
from metachron.plan.results import Plan
from metachron.population.lesions import ROOM_OCCULT
from metachron.strategies.catalogue import Catalogue, load_catalogue
from metachron.strategies.language import resolve

TWINS = 2000


@dataclass(frozen=True)
class Case:
    """Everything read: the old record and the new one, what was given, and what was found."""

    patient: Patient
    updated: Patient
    findings: list[Finding]
    found: Findings
    courses: list[Given]
    evidence: Evidence
    notes: list[str]
    answer: str | None

    @property
    def days(self) -> int:
        return self.evidence.today


@dataclass(frozen=True)
class Options:
    """What a run may be asked for."""

    strategies: list[str] | None
    twins: int
    draws: int
    seed: int
    horizon_years: float
    jobs: int | None
    prior: bool


def read_case(patient: Patient, findings: list[Finding], catalogue: Catalogue) -> Case:
    """Check the findings, merge them and compile what was given. Raises InputError with every problem."""
    ordered = check_findings(patient, findings, catalogue)
    updated, notes = merge(patient, ordered, catalogue)
    courses = given_courses(patient, ordered, catalogue)
    return Case(
        patient,
        updated,
        ordered,
        read_findings(patient, catalogue),
        courses,
        gather(patient, ordered),
        notes,
        response(patient, ordered),
    )


def make_update(
    patient: Patient,
    findings: list[Finding],
    *,
    strategies: list[str] | None = None,
    twins: int = TWINS,
    draws: int = 40,
    seed: int = 1,
    horizon_years: float = 10.0,
    jobs: int | None = None,
    progress: Progress | None = None,
    prior: bool = False,
) -> Update:
    """Condition the twins of a patient on what has happened since, and plan from the day of the last finding.

    Main arguments: `patient` (the record of the old assessment), `findings`. Other: `strategies` (names or
    expressions; None lists those of the situation, and going on with the present course), `twins` (count,
    before and after), `draws` (count), `seed`, `horizon_years` from today, `jobs` (threads),
    `progress(stage, share)`, `prior` (parameters from the prior, not from the shipped ensemble).
    Raises InputError (findings that contradict the record or each other, unknown names) and TwinError
    (findings that no twin matches). Same arguments, same update, whatever `jobs` and the order of findings.
    """
    say: Progress = progress or (lambda _stage, _share: None)
    options = Options(strategies, twins, draws, seed, horizon_years, jobs, prior)
    catalogue = load_catalogue()
    case = read_case(patient, findings, catalogue)
    ensemble = None if prior else load_ensemble()
    arms, reference, words = _arms(case, options, ensemble, catalogue)
    past, pool, before, after = condition(case, options, _part(say, 0.0, 0.5))
    todo = [arm for arm in arms if arm.programme is not None]
    earlier = bare(todo)
    _live(earlier, before, past, options, _part(say, 0.55, 0.75), "before the findings")
    _live(todo, after, past, options, _part(say, 0.75, 0.95), "after the findings")
    say("summarising", 0.97)
    plan = _plan(case, arms, after, options, (reference, words), ensemble)
    years = min(WINDOW_YEARS, horizon_years)
    moved = beliefs(before, after, ensemble, bool(plan.outside))
    seen = observations(pool, before.people, past, case.evidence, patient.assessed_on, seed)
    fates = strategy_beliefs(earlier, todo, before, after, years)
    sampled = _sampling(pool, before.people, after.people)
    return Update(**_frame(plan), **_story(case, moved, seen, fates, sampled), years=years, plan=plan)


def condition(case: Case, options: Options, say: Progress) -> tuple[Past, Pool, Group, Group]:
    """(the past, the candidates after the findings, twins today before and after them). Raises TwinError."""
    draws = draw_parameters(options.draws, options.seed, prior=options.prior)
    scene = make_scene(case, draws, options.seed)
    past = _past(case, load_catalogue())
    pools = gather_pools(scene, past, case.evidence, options.jobs, say)
    before, after = _groups(case, pools, past, options)
    return past, pools[1], before, after


def _live(arms: list[Arm], group: Group, past: Past, options: Options, say: Progress, words: str) -> None:
    run_arms_on(
        arms,
        group,
        past,
        seed=options.seed,
        horizon_days=options.horizon_years * 365.25,
        jobs=options.jobs,
        say=say,
        words=words,
    )


def _plan(
    case: Case,
    arms: list[Arm],
    after: Group,
    options: Options,
    named: tuple[str, str],
    ensemble: Ensemble | None,
) -> Plan:
    """The plan from today. `named`: the wanted reference, and the situation in words."""
    todo = [arm for arm in arms if arm.lives is not None]
    name = pick_reference(todo, named[0])
    compared = document.differences(todo, name, after.twins, DEFAULT_FRACTION)
    error = monte_carlo(compared, options.twins, DEFAULT_FRACTION, None)
    settings = plan_settings(
        {"twins": options.twins}, options.draws, options.horizon_years, prior=options.prior
    )
    found = read_findings(case.updated, load_catalogue())
    simulated = Simulated(after.twins, name, compared, error)
    return plan_document(case.updated, arms, simulated, found, named[1], options.seed, settings, ensemble)


def _frame(plan: Plan) -> dict[str, Any]:
    """What the update shares with its plan."""
    names = ("version", "seed", "settings", "disclaimer", "parameters_status", "provenance", "outside")
    return {name: getattr(plan, name) for name in names}


def _story(
    case: Case,
    moved: list[Belief],
    seen: list[Observation],
    fates: list[StrategyBelief],
    sampled: Sampling,
) -> dict[str, Any]:
    """What was found and believed, in figures and words."""
    return {
        "assessed_on": case.patient.assessed_on.isoformat(),
        "today": case.updated.assessed_on.isoformat(),
        "days": case.days,
        "findings": [f.model_dump(mode="json") for f in case.findings],
        "lived": [c.words for c in case.courses] or ["no treatment"],
        "summary": summary(moved, seen, fates, sampled),
        "carried": CARRIED,
        "approximated": APPROXIMATED,
        "notes": case.notes,
        "updated_patient": case.updated.model_dump(mode="json"),
        "limits": LIMITS,
        "observations": seen,
        "sampling": sampled,
        "beliefs": moved,
        "strategies": fates,
    }


def _part(say: Progress, low: float, high: float) -> Progress:
    return lambda stage, share: say(stage, low + (high - low) * share)


def _arms(
    case: Case, options: Options, ensemble: Ensemble | None, catalogue: Catalogue
) -> tuple[list[Arm], str, str]:
    """(arms of the plan from today, those to simulate compiled; name of the reference; situation)."""
    chosen, reference, words = listed_strategies(case.updated, options.strategies, catalogue)
    if not options.strategies:
        more = going_on(case.courses, case.findings, case.answer, catalogue)
        if more is not None:
            known = {s.name for s in chosen}
            strategy = resolve(more, catalogue)
            title = f"Go on: {strategy.title}"
            chosen += [strategy.model_copy(update={"title": title})] if strategy.name not in known else []
    arms = judged(case.updated, chosen, catalogue, ensemble)
    todo = to_simulate(arms, asked=bool(options.strategies))
    compile_arms(case.updated, todo, read_findings(case.updated, catalogue), catalogue)
    number_lines(todo, case.updated, case.courses, case.answer, catalogue)
    return arms, reference, words


def make_scene(case: Case, draws: NDArray[np.void], seed: int) -> Scene:
    """What all candidates share."""
    line = start_line(case.patient)
    visible = visible_columns(case.patient, case.found, draws, seed, line)
    if visible + ROOM_OCCULT + len(case.evidence.new) > MOST_COLUMNS:
        message = (
            f"{visible} visible lesions and {len(case.evidence.new)} new ones are more than can be followed"
        )
        raise InputError(message)
    return Scene(case.patient, case.found, draws, seed, line, visible)


def _past(case: Case, catalogue: Catalogue) -> Past:
    names = [m.id for m in derive.in_place(case.patient)]
    stops = case.evidence.stops()
    return compile_past(case.patient, case.courses, catalogue, MOST_COLUMNS, names, stops)


def _groups(case: Case, pools: tuple[Pool, Pool], past: Past, options: Options) -> tuple[Group, Group]:
    """Twins today, before and after the findings."""
    draws = pools[0].told.batch.scene.draws
    modes = sight(case.findings)
    matched = ["the record of the old assessment"]
    labels = list(pools[1].told.parts())
    labels += [seen.label for seen in case.evidence.responses]
    labels += [seen.label for seen in case.evidence.markers]
    made = []
    for updated, pool, mode in zip((False, True), pools, modes, strict=True):
        who = people(
            pool, past, case.evidence, options.twins, updated=updated, seed=options.seed, jobs=options.jobs
        )
        words = [*matched, *labels] if updated else matched
        made.append(group(who, draws, pool.looked, words, mode, case.days / 365.25))
    known_now(made[1], case.patient, case.updated)
    return made[0], made[1]


def _sampling(pool: Pool, before: People, after: People) -> Sampling:
    weakest = min(pool.alone, key=lambda name: pool.alone[name]) if pool.alone else ""
    distinct = int(np.unique(after.source).size)
    return Sampling(
        candidates=pool.looked,
        alternatives=pool.told.batch.alternatives,
        effective_sample_size=round(after.ess, 1),
        least_effective_sample_size=LEAST_ESS,
        prior_effective_sample_size=round(before.ess, 1),
        twins=int(after.source.size),
        distinct=distinct,
        survived=round(before.alive, 4),
        weakest=weakest,
        text=sampling_text(pool.looked, after.ess, distinct, weakest),
    )
