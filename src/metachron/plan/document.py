"""Sections of the plan document made from the arms, the twins and the patient."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from metachron.evidence.references import format_reference, link, load_references
from metachron.parameters import load_parameters
from metachron.parameters.posterior import Ensemble
from metachron.patient.schema import Patient
from metachron.patient.scores import scores
from metachron.plan.arms import Arm
from metachron.plan.bands import estimate
from metachron.plan.compare import compare
from metachron.plan.findings import Findings
from metachron.plan.outcomes import outcomes
from metachron.plan.results import (
    Citation,
    Difference,
    DomainResult,
    Provenance,
    Reason,
    Score,
    StrategyResult,
    TwinSummary,
    worst,
)
from metachron.plan.timetable import timetable
from metachron.plan.twins import Twins, doubling_times, unseen_counts
from metachron.population.domain import Domain
from metachron.strategies.catalogue import Catalogue
from metachron.strategies.language import format_strategy
from metachron.strategies.schema import Strategy


def provenance(ensemble: Ensemble | None) -> Provenance:
    """Where the parameters come from; None: from the prior."""
    if ensemble is None:
        return Provenance(source="prior")
    return Provenance(
        source="ensemble",
        id=ensemble.id,
        sets=ensemble.size,
        code_version=ensemble.code_version,
        seed=ensemble.seed,
        trials=list(ensemble.trials),
        calibrated=list(ensemble.calibrated),
    )


def domain_result(domain: Domain) -> DomainResult:
    return DomainResult(
        outside=domain.outside,
        reasons=domain.reasons,
        settings=list(domain.settings),
        treatments=list(domain.treatments),
        trials=domain.same.trials,
        patients=domain.same.patients,
        trials_of_parts=domain.parts.trials,
        patients_of_parts=domain.parts.patients,
    )


def _measurable(found: Findings, strategy: Strategy) -> bool:
    return not found.nothing_visible and not any(step.procedures for step in strategy.steps)


def strategy_result(arm: Arm, twins: Twins, found: Findings, catalogue: Catalogue) -> StrategyResult:
    strategy = arm.strategy
    result = None
    bars = []
    if arm.lives is not None and arm.programme is not None:
        draw = twins.twins["draw"]
        result = outcomes(
            arm.programme,
            arm.lives,
            draw,
            measurable=_measurable(found, strategy),
            basis=arm.rests,
        )
        bars = timetable(strategy, arm.programme, arm.lives, catalogue)
    return StrategyResult.model_validate(
        {
            "name": strategy.name,
            "title": strategy.title,
            "summary": strategy.summary,
            "intent": strategy.intent.value,
            "expression": format_strategy(strategy),
            "rules": _rules(strategy, catalogue),
            "eligible": arm.eligibility.eligible,
            "reasons": [Reason(**r.model_dump()) for r in arm.eligibility.reasons],
            "evidence_grade": arm.grade.grade.value,
            "basis": arm.rests.overall,
            "domain": domain_result(arm.rests.domain),
            "citations": sorted({*strategy.citations, *arm.grade.citations}),
            "outcomes": result,
            "timetable": bars,
        }
    )


def _rules(strategy: Strategy, catalogue: Catalogue) -> list[str]:
    """Titles of the rule sets in force, then the strategy's own rules."""
    return [catalogue.rule_sets[n].title for n in strategy.rule_sets] + [r.name for r in strategy.rules]


def differences(arms: list[Arm], reference: str, twins: Twins, fraction: float) -> list[Difference]:
    """Paired differences of the simulated arms from the reference, each with the weaker basis of the two.

    Nothing is claimed outside the domain of the data: an arm outside is not compared, and none is when the
    reference (or the patient, and so every arm) is outside.
    """
    base = next(a for a in arms if a.strategy.name == reference)
    assert base.lives is not None
    if base.rests.domain.outside:
        return []
    found = []
    for a in arms:
        if a is base or a.lives is None or a.rests.domain.outside:
            continue
        own, other = a.rests.by_endpoint(), base.rests.by_endpoint()
        weaker = {endpoint: worst((own[endpoint], other[endpoint])) for endpoint in own}
        found += compare(a.strategy.name, reference, a.lives, base.lives, twins, weaker, fraction)
    return found


def published_scores(patient: Patient) -> list[Score]:
    known = set(Score.model_fields)
    return [Score.model_validate({k: v for k, v in asdict(s).items() if k in known}) for s in scores(patient)]


def twin_summary(twins: Twins) -> TwinSummary:
    draw: NDArray[np.int64] = twins.twins["draw"]
    unseen = unseen_counts(twins).astype(float)
    return TwinSummary(
        requested=twins.size,
        draws=twins.draws.size,
        candidates=twins.candidates,
        effective_sample_size=round(twins.ess, 1),
        matched_on=twins.matched_on,
        occult_probability=estimate(unseen > 0, draw, 0, 1),
        occult_mean=estimate(unseen, draw, 0),
        doubling_time_days=estimate(doubling_times(twins), draw, 0),
    )


def bibliography(results: list[StrategyResult], extra: Iterable[str]) -> list[Citation]:
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
