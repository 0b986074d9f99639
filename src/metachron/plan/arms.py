"""The strategies of one plan: which are listed, judged, simulated, and which is the reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from metachron.engine.batch import Lives, simulate
from metachron.engine.compile import compile_strategy
from metachron.engine.records import Programme
from metachron.errors import InputError, Problem
from metachron.parameters.posterior import Ensemble
from metachron.patient.schema import Patient
from metachron.plan.basis import Rests, rests
from metachron.plan.findings import Findings
from metachron.plan.twins import Twins
from metachron.population.domain import judge_domain
from metachron.strategies.candidates import candidates, reference_for, situation
from metachron.strategies.catalogue import Catalogue
from metachron.strategies.eligibility import Eligibility, judge
from metachron.strategies.grade import Grade, evidence_grade
from metachron.strategies.language import resolve
from metachron.strategies.schema import Evidence, Strategy

Progress = Callable[[str, float], None]
UNPROVEN = (Evidence.INVESTIGATIONAL, Evidence.NOT_SUPPORTED)


@dataclass
class Arm:
    """One strategy on its way through the plan."""

    strategy: Strategy
    eligibility: Eligibility
    grade: Grade
    rests: Rests
    programme: Programme | None = None
    lives: Lives | None = None

    @property
    def simulated(self) -> bool:
        return self.lives is not None


def listed_strategies(
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


def judged(
    patient: Patient, strategies: list[Strategy], catalogue: Catalogue, ensemble: Ensemble | None = None
) -> list[Arm]:
    """Eligibility, grade of evidence and basis of each strategy; `ensemble` None: parameters of the prior."""
    arms = []
    trials = None if ensemble is None else ensemble.trials
    for strategy in strategies:
        verdict = judge(patient, strategy, catalogue)
        grade = evidence_grade(strategy, patient, catalogue=catalogue, eligibility=verdict)
        domain = judge_domain(patient, strategy, catalogue, trials)
        arms.append(Arm(strategy, verdict, grade, rests(strategy, domain, ensemble, catalogue)))
    return arms


def _may_simulate(arm: Arm, asked: bool) -> bool:
    """Eligible strategies, those that only wait for a safety check, those asked for and not refused."""
    verdict = arm.eligibility
    return verdict.eligible == "yes" or (
        verdict.eligible == "unknown" and (asked or verdict.pending == "safety")
    )


def to_simulate(arms: list[Arm], asked: bool) -> list[Arm]:
    """The arms to simulate. Raises InputError when there is none."""
    chosen = [a for a in arms if _may_simulate(a, asked)]
    if not chosen:
        why = "; ".join(f"{a.strategy.name}: {a.eligibility.reasons[0].text}" for a in arms[:3])
        message = f"none of the strategies can be compared for this patient ({why})"
        raise InputError(Problem("strategies", message, "", "Name others with --strategy."))
    return chosen


def compile_arms(patient: Patient, arms: list[Arm], found: Findings, catalogue: Catalogue) -> None:
    """Give each arm its programme."""
    for arm in arms:
        doses = arm.eligibility.dose_factors
        arm.programme = compile_strategy(
            patient, arm.strategy, catalogue, doses=doses, metastatic=not found.nothing_visible
        )


def run_arms(
    arms: list[Arm],
    twins: Twins,
    *,
    seed: int,
    horizon_days: float,
    jobs: int | None,
    say: Progress,
    device: str = "cpu",
) -> None:
    """Simulate each arm on the same twins with the same coins; lives of earlier twins are kept."""
    for i, arm in enumerate(arms):
        say(f"{arm.strategy.title} ({i + 1} of {len(arms)})", i / len(arms))
        assert arm.programme is not None
        lives = simulate(
            twins.lesions,
            twins.twins,
            twins.draws,
            arm.programme,
            seed=seed,
            horizon_days=horizon_days,
            jobs=jobs,
            device=device,
        )
        arm.lives = lives if arm.lives is None else joined(arm.lives, lives)


def joined(first: Lives, more: Lives) -> Lives:
    """The lives of two batches of twins under one programme, in order."""
    return Lives(
        np.concatenate([first.outcomes, more.outcomes]),
        np.concatenate([first.grades, more.grades]),
        np.concatenate([first.starts, more.starts]),
        np.concatenate([first.ends, more.ends]),
        np.concatenate([first.progressions, more.progressions]),
        first.horizon,
    )


def pick_reference(arms: list[Arm], wanted: str) -> str:
    """The wanted reference if it was simulated, else the best-graded simulated strategy."""
    simulated = [a for a in arms if a.simulated]
    if any(a.strategy.name == wanted for a in simulated):
        return wanted
    order = list(Evidence)
    return min(simulated, key=lambda a: order.index(a.grade.grade)).strategy.name
