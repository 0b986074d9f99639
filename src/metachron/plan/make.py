"""`make_plan`: one patient in, a compared and timed plan out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from metachron import DISCLAIMER, __version__
from metachron.engine.batch import Lives, simulate
from metachron.engine.compile import compile_strategy, start_line
from metachron.engine.records import Programme
from metachron.errors import InputError, Problem
from metachron.evidence.references import format_reference, link, load_references
from metachron.parameters import draw_parameters, load_parameters
from metachron.parameters.load import STATUS_NOTE
from metachron.patient.schema import Patient
from metachron.patient.scores import scores
from metachron.plan import limits
from metachron.plan.bands import estimate
from metachron.plan.compare import compare
from metachron.plan.findings import Findings, read_findings
from metachron.plan.outcomes import outcomes
from metachron.plan.results import (
    Basis,
    Citation,
    Plan,
    Reason,
    Score,
    StrategyResult,
    TwinSummary,
)
from metachron.plan.timetable import timetable
from metachron.plan.twins import Twins, doubling_times, make_twins, unseen_counts
from metachron.strategies.candidates import candidates, reference_for, situation, situation_citations
from metachron.strategies.catalogue import Catalogue, load_catalogue
from metachron.strategies.eligibility import Eligibility, judge
from metachron.strategies.grade import Grade, evidence_grade
from metachron.strategies.language import format_strategy, resolve
from metachron.strategies.schema import Evidence, Strategy

Progress = Callable[[str, float], None]
UNPROVEN = (Evidence.INVESTIGATIONAL, Evidence.NOT_SUPPORTED)


@dataclass
class Arm:
    """One strategy on its way through the plan."""

    strategy: Strategy
    eligibility: Eligibility
    grade: Grade
    programme: Programme | None = None
    lives: Lives | None = None

    @property
    def simulated(self) -> bool:
        return self.lives is not None


def _listed(
    patient: Patient, names: list[str] | None, catalogue: Catalogue
) -> tuple[list[Strategy], str, str]:
    """(strategies in order, name of the reference, situation in words)."""
    where = situation(patient, catalogue)
    reference = reference_for(where, patient, catalogue)
    if not names:
        return candidates(patient, catalogue), reference, where.value
    asked = [resolve(name, catalogue) for name in names]
    unique = list({s.name: s for s in asked}.values())
    if reference not in {s.name for s in unique}:
        unique.append(catalogue.strategies[reference])
    return unique, reference, where.value


def _may_simulate(arm: Arm, asked: bool) -> bool:
    """Eligible strategies, those that only wait for a safety check, and those asked for that are not refused."""
    verdict = arm.eligibility
    return verdict.eligible == "yes" or (
        verdict.eligible == "unknown" and (asked or verdict.pending == "safety")
    )


def _pick_reference(arms: list[Arm], wanted: str) -> str:
    """The wanted reference if it was simulated, else the best-graded simulated strategy."""
    simulated = [a for a in arms if a.simulated]
    if any(a.strategy.name == wanted for a in simulated):
        return wanted
    order = list(Evidence)
    return min(simulated, key=lambda a: order.index(a.grade.grade)).strategy.name


def _basis(_: Strategy) -> Basis:
    """Until the calibrated ensemble ships, everything rests on literature values."""
    return (
        "calibrated" if all(p.basis == "calibrated" for p in load_parameters().values()) else "prior-driven"
    )


def _note(strategy: Strategy) -> str:
    if any(step.cells for step in strategy.steps):
        return (
            "Rests on assumed kinetics and effect of infused cells, which no data identify; half of the parameter "
            "draws give the cells no effect at all. Never ranked."
        )
    return STATUS_NOTE


def _measurable(found: Findings, strategy: Strategy) -> bool:
    return not found.nothing_visible and not any(step.procedures for step in strategy.steps)


def _result(arm: Arm, twins: Twins, found: Findings, catalogue: Catalogue) -> StrategyResult:
    strategy, basis = arm.strategy, _basis(arm.strategy)
    result = None
    bars = []
    if arm.lives is not None and arm.programme is not None:
        draw = twins.twins["draw"]
        result = outcomes(
            arm.programme,
            arm.lives,
            draw,
            measurable=_measurable(found, strategy),
            basis=basis,
            note=_note(strategy),
        )
        bars = timetable(strategy, arm.programme, arm.lives, catalogue)
    return StrategyResult.model_validate(
        {
            "name": strategy.name,
            "title": strategy.title,
            "summary": strategy.summary,
            "intent": strategy.intent.value,
            "expression": format_strategy(strategy),
            "eligible": arm.eligibility.eligible,
            "reasons": [Reason(**r.model_dump()) for r in arm.eligibility.reasons],
            "evidence_grade": arm.grade.grade.value,
            "basis": basis,
            "citations": sorted({*strategy.citations, *arm.grade.citations}),
            "outcomes": result,
            "timetable": bars,
        }
    )


def _scores(patient: Patient) -> list[Score]:
    known = set(Score.model_fields)
    return [
        Score.model_validate({k: v for k, v in asdict(s).items() if k in known}) for s in scores(patient)
    ]


def _twin_summary(twins: Twins, requested: int) -> TwinSummary:
    draw: NDArray[np.int64] = twins.twins["draw"]
    unseen = unseen_counts(twins).astype(float)
    return TwinSummary(
        requested=requested,
        draws=twins.draws.size,
        candidates=twins.candidates,
        effective_sample_size=round(twins.ess, 1),
        matched_on=twins.matched_on,
        occult_probability=estimate(unseen > 0, draw, 0, 1),
        occult_mean=estimate(unseen, draw, 0),
        doubling_time_days=estimate(doubling_times(twins), draw, 0),
    )


def _bibliography(results: list[StrategyResult], extra: Iterable[str]) -> list[Citation]:
    references = load_references()
    keys = list(extra)
    for r in results:
        keys += [*r.citations, *(c for reason in r.reasons for c in reason.citations)]
    keys += [p.source for p in load_parameters().values() if p.source != "assumption"]
    unique = sorted({k for k in keys if k in references})
    return [
        Citation.model_validate(
            {
                "key": k,
                "text": format_reference(references[k]),
                "link": link(references[k]),
                "status": references[k].status,
            }
        )
        for k in unique
    ]


def make_plan(
    patient: Patient,
    *,
    strategies: list[str] | None = None,
    twins: int = 2000,
    draws: int = 40,
    seed: int = 1,
    horizon_years: float = 10.0,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Compare strategies for one patient.

    Main arguments: `patient`; `strategies` (names or expressions; None lists those of the situation).
    Other: `twins` and `draws` (counts), `seed`, `horizon_years`, `jobs` (threads), `progress(stage, share)`.
    Raises InputError (unknown strategy, nothing that can be compared) and TwinError (findings that no
    twin matches). Same arguments, same plan, whatever `jobs`.
    """
    say: Progress = progress or (lambda _stage, _share: None)
    catalogue = load_catalogue()
    listed, wanted, words = _listed(patient, strategies, catalogue)
    found = read_findings(patient, catalogue)
    arms = []
    for strategy in listed:
        verdict = judge(patient, strategy, catalogue)
        grade = evidence_grade(strategy, patient, catalogue=catalogue, eligibility=verdict)
        arms.append(Arm(strategy, verdict, grade))
    say("matching twins", 0.0)
    parameter_draws = draw_parameters(draws, seed)
    matched = make_twins(patient, found, parameter_draws, twins, seed, start_line(patient))
    todo = [a for a in arms if _may_simulate(a, asked=bool(strategies))]
    if not todo:
        raise InputError(Problem("strategies", "none of the strategies can be compared for this patient", "",
                                 "See the reasons with: metachron strategies; or name others with --strategy."))  # fmt: skip
    for i, arm in enumerate(todo):
        say(f"simulating {arm.strategy.title} ({i + 1} of {len(todo)})", i / len(todo))
        arm.programme = compile_strategy(
            patient, arm.strategy, catalogue, doses=arm.eligibility.dose_factors,
            metastatic=not found.nothing_visible,
        )  # fmt: skip
        arm.lives = simulate(
            matched.lesions, matched.twins, matched.draws, arm.programme,
            seed=seed, horizon_days=horizon_years * 365.25, jobs=jobs,
        )  # fmt: skip
    say("summarising", 1.0)
    reference = _pick_reference(arms, wanted)
    base = next(a.lives for a in arms if a.strategy.name == reference)
    assert base is not None
    results = [_result(arm, matched, found, catalogue) for arm in arms]
    differences = [
        d
        for a in todo
        if a.strategy.name != reference and a.lives is not None
        for d in compare(a.strategy.name, reference, a.lives, base, matched.twins["draw"], _basis(a.strategy))
    ]
    found_scores = _scores(patient)
    cited = [
        *situation_citations(situation(patient, catalogue)),
        *(c for s in found_scores for c in s.citations),
    ]
    return Plan(
        version=__version__,
        seed=seed,
        settings={"twins": twins, "draws": draws, "horizon_years": horizon_years},
        disclaimer=DISCLAIMER,
        parameters_status=STATUS_NOTE,
        patient=patient.model_dump(mode="json"),
        scores=found_scores,
        situation=words,
        reference=reference,
        twins=_twin_summary(matched, twins),
        strategies=results,
        comparison=differences,
        not_ranked=[a.strategy.name for a in arms if a.grade.grade in UNPROVEN],
        bibliography=_bibliography(results, cited),
        limits=limits.LIMITS,
    )
