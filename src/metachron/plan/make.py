"""`make_plan`: one patient in, a compared and timed plan out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from metachron import DISCLAIMER, __version__
from metachron.engine.compile import start_line
from metachron.parameters import draw_parameters
from metachron.parameters.posterior import Ensemble, load_ensemble
from metachron.patient.schema import Patient
from metachron.plan import document
from metachron.plan.adaptive import Match, Run, Simulated, simulate_adaptive, simulate_fixed
from metachron.plan.arms import UNPROVEN, Arm, Progress, compile_arms, judged, listed_strategies, to_simulate
from metachron.plan.findings import Findings, read_findings
from metachron.plan.limits import limits, status
from metachron.plan.precision import allowed_fraction
from metachron.plan.results import Plan
from metachron.plan.twins import Twins, make_twins
from metachron.strategies.candidates import situation, situation_citations
from metachron.strategies.catalogue import load_catalogue


def make_plan(
    patient: Patient,
    *,
    strategies: list[str] | None = None,
    twins: int | None = None,
    mc_error: float | None = None,
    draws: int = 40,
    seed: int = 1,
    horizon_years: float = 10.0,
    jobs: int | None = None,
    progress: Progress | None = None,
    device: str = "cpu",
    prior: bool = False,
) -> Plan:
    """Compare strategies for one patient.

    Main arguments: `patient`; `strategies` (names or expressions; None lists those of the situation).
    Other: `twins` (count; None adds twins until the Monte Carlo error of every difference is at most
    `mc_error`, 0.2 when None, of the half-width of its interval, or the limit is reached; see
    `plan.precision`), `draws` (count), `seed`, `horizon_years`, `jobs` (threads), `progress(stage, share)`,
    `device` (cpu or cuda), `prior` (parameters from the prior, not from the shipped ensemble).
    Raises InputError (unknown strategy, nothing that can be compared, mc_error outside 0 to 1 or beside
    twins) and TwinError (findings that no twin matches). Same arguments, same plan, whatever `jobs`.
    """
    fraction = allowed_fraction(twins, mc_error)
    say: Progress = progress or (lambda _stage, _share: None)
    catalogue = load_catalogue()
    chosen, wanted, words = listed_strategies(patient, strategies, catalogue)
    ensemble = None if prior else load_ensemble()
    arms = judged(patient, chosen, catalogue, ensemble)
    todo = to_simulate(arms, asked=bool(strategies))
    found = read_findings(patient, catalogue)
    compile_arms(patient, todo, found, catalogue)
    run = Run(seed, horizon_years * 365.25, jobs, say, fraction, device)
    match = _matcher(patient, found, draw_parameters(draws, seed, prior=prior), seed)
    asked: dict[str, float]
    if twins is None:
        asked, simulated = {"mc_error": fraction}, simulate_adaptive(match, todo, wanted, draws, run)
    else:
        asked, simulated = {"twins": twins}, simulate_fixed(match, todo, wanted, twins, run)
    say("summarising", 1.0)
    settings = plan_settings(asked, draws, horizon_years, prior=prior)
    return plan_document(patient, arms, simulated, found, words, seed, settings, ensemble)


def _matcher(patient: Patient, found: Findings, draws: NDArray[np.void], seed: int) -> Match:
    """How `n` twins of the patient are made, or `n` more."""
    line = start_line(patient)

    def match(n: int, before: Twins | None) -> Twins:
        return make_twins(patient, found, draws, n, seed, line, before=before)

    return match


def plan_settings(
    asked: dict[str, float], draws: int, horizon_years: float, *, prior: bool
) -> dict[str, float]:
    """The settings a plan records; `asked`: how many twins, or how small an error."""
    return {**asked, "draws": draws, "horizon_years": horizon_years, **({"prior": 1} if prior else {})}


def plan_document(
    patient: Patient,
    arms: list[Arm],
    simulated: Simulated,
    found: Findings,
    words: str,
    seed: int,
    settings: dict[str, float],
    ensemble: Ensemble | None,
) -> Plan:
    """The plan document of arms that have been simulated; `words` is the situation."""
    catalogue = load_catalogue()
    results = [document.strategy_result(arm, simulated.twins, found, catalogue) for arm in arms]
    scores = document.published_scores(patient)
    cited = [*situation_citations(situation(patient, catalogue)), *(c for s in scores for c in s.citations)]
    return Plan(
        version=__version__,
        seed=seed,
        settings=settings,
        disclaimer=DISCLAIMER,
        parameters_status=status(ensemble),
        provenance=document.provenance(ensemble),
        outside=list(arms[0].rests.domain.patient),
        patient=patient.model_dump(mode="json"),
        scores=scores,
        situation=words,
        reference=simulated.reference,
        twins=document.twin_summary(simulated.twins),
        strategies=results,
        comparison=simulated.comparison,
        monte_carlo=simulated.monte_carlo,
        not_ranked=[a.strategy.name for a in arms if a.grade.grade in UNPROVEN or a.rests.domain.outside],
        bibliography=document.bibliography(results, cited),
        limits=limits(ensemble),
    )
