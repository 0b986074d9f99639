"""Small pairs of strategies for the tests of this folder."""

from __future__ import annotations

from functools import cache

from metachron.optimise.objectives import OBJECTIVES
from metachron.optimise.understand.pair import Pair
from metachron.parameters import draw_parameters
from metachron.patient.examples import read_example
from metachron.patient.schema import Patient
from metachron.plan.arms import compile_arms, judged
from metachron.plan.findings import read_findings
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.language import resolve


def pair_for(
    patient: Patient, first: str, second: str, *, draws: int = 40, objective: str = "rmst", seed: int = 1
) -> Pair:
    catalogue = load_catalogue()
    found = read_findings(patient, catalogue)
    a, b = judged(patient, [resolve(s, catalogue) for s in (first, second)], catalogue)
    compile_arms(patient, [a, b], found, catalogue)
    sets = draw_parameters(draws, seed, prior=True)  # tests of mechanisms do not move with the ensemble
    return Pair(patient, found, catalogue, a, b, OBJECTIVES[objective], sets, seed, 5 * 365.25, 1)


@cache
def pair_of(example: str, first: str, second: str, *, draws: int = 40, objective: str = "rmst") -> Pair:
    return pair_for(read_example(example), first, second, draws=draws, objective=objective)
