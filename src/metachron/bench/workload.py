"""What is timed: full life histories of the built-in examples, each under every strategy of its situation.

Nothing is picked by hand: the strategies are those that `metachron plan` would simulate for the patient,
from supportive care to chemotherapy with infused cells and later lines, on twins matched to the findings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from metachron.engine.batch import Lives, simulate
from metachron.engine.compile import compile_strategy, start_line
from metachron.engine.records import Programme
from metachron.parameters import draw_parameters
from metachron.patient.examples import example_names, read_example
from metachron.plan.arms import judged, listed_strategies, to_simulate
from metachron.plan.findings import read_findings
from metachron.plan.twins import make_twins
from metachron.strategies.catalogue import load_catalogue

SEED, DRAWS, HORIZON_YEARS = 1, 40, 10.0
YEAR = 365.25


@dataclass(frozen=True)
class Scenario:
    """Twins of one example under one strategy: lesions (n, room), twins (n,), draws (k,), the programme."""

    example: str
    strategy: str
    lesions: NDArray[np.void]
    twins: NDArray[np.void]
    draws: NDArray[np.void]
    programme: Programme

    @property
    def size(self) -> int:
        return int(self.twins.size)

    def live(self, jobs: int | None = None, years: float = HORIZON_YEARS, device: str = "cpu") -> Lives:
        """Simulate every twin once, through the interface that `metachron plan` uses."""
        if device == "cuda":
            from metachron.engine.cuda import simulate_cuda

            return simulate_cuda(
                self.lesions, self.twins, self.draws, self.programme, seed=SEED, horizon_days=years * YEAR
            )
        return simulate(
            self.lesions,
            self.twins,
            self.draws,
            self.programme,
            seed=SEED,
            horizon_days=years * YEAR,
            jobs=jobs,
        )


def scenarios(twins: int, examples: list[str] | None = None) -> list[Scenario]:
    """The workload with `twins` twins for each strategy of each example (all seven when None)."""
    catalogue, draws = load_catalogue(), draw_parameters(DRAWS, SEED, prior=True)
    found = []
    for name in examples or example_names():
        patient = read_example(name)
        findings = read_findings(patient, catalogue)
        chosen, _, _ = listed_strategies(patient, None, catalogue)
        matched = make_twins(patient, findings, draws, twins, SEED, start_line(patient))
        for arm in to_simulate(judged(patient, chosen, catalogue), asked=False):
            programme = compile_strategy(
                patient,
                arm.strategy,
                catalogue,
                doses=arm.eligibility.dose_factors,
                metastatic=not findings.nothing_visible,
            )
            found.append(
                Scenario(name, arm.strategy.name, matched.lesions, matched.twins, matched.draws, programme)
            )
    return found


def one(example: str, strategy: str, twins: int) -> Scenario:
    """One scenario of the workload, by names. Raises LookupError when it is not part of it."""
    for scenario in scenarios(twins, [example]):
        if scenario.strategy == strategy:
            return scenario
    raise LookupError(f"{strategy} is not simulated for {example}")


def first(scenario: Scenario, n: int) -> Scenario:
    """The scenario with its first `n` twins."""
    return replace(scenario, twins=scenario.twins[:n].copy(), lesions=scenario.lesions[:n].copy())


def tiled(scenario: Scenario, n: int, *, same: bool = False) -> Scenario:
    """The scenario with `n` twins: its own, over and over; each copy has its own coins unless `same`."""
    pick = np.arange(n) % scenario.size
    twins = scenario.twins[pick]
    if not same:
        twins["key"] = np.arange(n)
    return replace(scenario, twins=twins, lesions=scenario.lesions[pick])
