"""`make_plan`: one patient in, a compared and timed plan out."""

from __future__ import annotations

from metachron import DISCLAIMER, __version__
from metachron.engine.compile import start_line
from metachron.parameters import draw_parameters
from metachron.parameters.load import STATUS_NOTE
from metachron.patient.schema import Patient
from metachron.plan import document
from metachron.plan.arms import (
    UNPROVEN,
    Progress,
    judged,
    listed_strategies,
    pick_reference,
    run_arms,
    to_simulate,
)
from metachron.plan.findings import read_findings
from metachron.plan.limits import LIMITS
from metachron.plan.results import Plan
from metachron.plan.twins import make_twins
from metachron.strategies.candidates import situation, situation_citations
from metachron.strategies.catalogue import load_catalogue


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
    chosen, wanted, words = listed_strategies(patient, strategies, catalogue)
    arms = judged(patient, chosen, catalogue)
    todo = to_simulate(arms, asked=bool(strategies))
    found = read_findings(patient, catalogue)
    say("matching twins", 0.0)
    matched = make_twins(patient, found, draw_parameters(draws, seed), twins, seed, start_line(patient))
    days = horizon_years * 365.25
    run_arms(patient, todo, matched, found, catalogue, seed=seed, horizon_days=days, jobs=jobs, say=say)
    say("summarising", 1.0)
    reference = pick_reference(arms, wanted)
    results = [document.strategy_result(arm, matched, found, catalogue) for arm in arms]
    scores = document.published_scores(patient)
    cited = [*situation_citations(situation(patient, catalogue)), *(c for s in scores for c in s.citations)]
    return Plan(
        version=__version__,
        seed=seed,
        settings={"twins": twins, "draws": draws, "horizon_years": horizon_years},
        disclaimer=DISCLAIMER,
        parameters_status=STATUS_NOTE,
        patient=patient.model_dump(mode="json"),
        scores=scores,
        situation=words,
        reference=reference,
        twins=document.twin_summary(matched, twins),
        strategies=results,
        comparison=document.differences(arms, reference, matched),
        not_ranked=[a.strategy.name for a in arms if a.grade.grade in UNPROVEN],
        bibliography=document.bibliography(results, cited),
        limits=LIMITS,
    )
