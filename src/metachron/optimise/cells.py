"""What infused cells would add over the prior of what nobody has measured: persistence, harm, effect."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from metachron.engine.batch import Lives, simulate
from metachron.engine.records import GIVE_CELLS, Programme
from metachron.optimise.evaluate import Evaluator
from metachron.optimise.goal import Goal
from metachron.optimise.objectives import objective_values
from metachron.optimise.results import CellsBand, Measured
from metachron.optimise.space import Candidate
from metachron.parameters import load_parameters
from metachron.plan.bands import difference
from metachron.plan.twins import Twins
from metachron.strategies.catalogue import Catalogue
from metachron.strategies.schema import Step, Strategy

Floats = NDArray[np.float64]


def without_cells(strategy: Strategy) -> Strategy:
    """The same strategy with nothing infused."""
    steps = [_bare(step) for step in strategy.steps]
    kept = [s for s in steps if s.procedures or s.regimens]
    return strategy.model_copy(update={"steps": kept, "name": f"{strategy.name} without cells"})


def _bare(step: Step) -> Step:
    if not step.cells:
        return step
    nothing = {"cells": None, "infusions": None, "infusion_day": None, "lymphodepletion": None}
    return step.model_copy(update=nothing)


def has_cells(strategy: Strategy) -> bool:
    """Is anything infused?"""
    return any(step.cells for step in strategy.steps)


def prior_values(strategy: Strategy, catalogue: Catalogue) -> dict[str, tuple[float, float, float]]:
    """(low, middle, high) of the stated prior: half-life (d), lymphotoxicity (1/d), effect (1/d)."""
    product = next(catalogue.cells[s.cells] for s in strategy.steps if s.cells)
    q, parameters = product.half_life_days, load_parameters()
    found = {"half_life": (q.low or q.value, q.value, q.high or q.value)}
    for name, key in (("lymphotoxicity", "cell_chemo_toxicity"), ("effect", "cell_kill")):
        p = parameters[key]
        found[name] = (float(p.low or p.value), float(p.value), float(p.high or p.value))
    return found


def with_kinetics(
    programme: Programme, draws: NDArray[np.void], half_life: float, lymphotoxicity: float, effect: float
) -> tuple[Programme, NDArray[np.void]]:
    """The programme and the parameter sets with the kinetics of infused cells set; cells are real."""
    admins, sets = programme.admins.copy(), draws.copy()
    admins["half_life"][admins["what"] == GIVE_CELLS] = half_life
    sets["cell_half_life_factor"] = 1.0
    sets["cell_chemo_toxicity"] = lymphotoxicity
    sets["cell_kill"], sets["cell_effect_real"] = effect, 1.0
    return programme._replace(admins=admins), sets


def first_twins(twins: Twins, n: int) -> Twins:
    """The first `n` twins of each kind of draw in turn, so that all draws stay represented."""
    order = np.argsort(np.arange(twins.size) % max(1, twins.size // n), kind="stable")
    kept = np.sort(order[:n])
    return replace(twins, twins=twins.twins[kept], lesions=twins.lesions[kept], source=twins.source[kept])


def cells_band(
    candidate: Candidate, reference_id: str, evaluator: Evaluator, goal: Goal, twins: int
) -> list[CellsBand]:
    """Difference from the same strategy without cells at each corner and middle of the prior (27 rows)."""
    few = first_twins(evaluator.twins, min(twins, evaluator.twins.size))
    bare = without_cells(candidate.strategy)
    base = _natural(evaluator, bare, _lives(evaluator, few, evaluator.programme(bare), few.draws), goal)
    grid = prior_values(candidate.strategy, evaluator.catalogue)
    rows = []
    for half_life, harm, effect in itertools.product(*grid.values()):
        programme, sets = with_kinetics(
            evaluator.programme(candidate.strategy), few.draws, half_life, harm, effect
        )
        lives = _lives(evaluator, few, programme, sets)
        away = _natural(evaluator, candidate.strategy, lives, goal) - base
        paired = difference(away, few.twins["draw"], few.source)
        rows.append(
            CellsBand(
                id=candidate.id,
                reference=reference_id,
                objective=goal.name,
                half_life_days=half_life,
                lymphotoxicity=harm,
                effect=effect,
                difference=Measured(
                    value=paired.mean, lower=paired.lower, upper=paired.upper, mc_error=paired.mc_error
                ),
            )
        )
    return rows


def _lives(evaluator: Evaluator, twins: Twins, programme: Programme, sets: NDArray[np.void]) -> Lives:
    return simulate(
        twins.lesions,
        twins.twins,
        sets,
        programme,
        seed=evaluator.seed,
        horizon_days=evaluator.horizon_days,
        jobs=evaluator.jobs,
    )


def _natural(evaluator: Evaluator, strategy: Strategy, lives: Lives, goal: Goal) -> Floats:
    scene = evaluator.scene(strategy)
    return goal.natural({n: objective_values(n, lives, scene) for n in goal.names})
