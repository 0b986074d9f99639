"""Error of the engine against the reference on the grid of scenarios, for several step lengths."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metachron.engine.trace import trace
from metachron.reference.compare import Comparison, compare
from metachron.reference.life import ReferenceLife, live
from metachron.reference.scenarios import Ready, Scenario, build

SEED = 7
NOISE = 1e-9  # errors below this are rounding, and have no order


@dataclass(frozen=True)
class Measured:
    """One twin of a scenario at one step scale."""

    scenario: str
    twin: int
    scale: float
    found: Comparison


def traced(ready: Ready, scenario: Scenario, twin: int, scale: float) -> NDArray[np.void]:
    """The engine's trace of one twin."""
    return trace(
        ready.lesions, ready.twins, ready.draws, ready.programme, seed=SEED, horizon_days=scenario.days,
        twin=twin, step_scale=scale,
    )  # fmt: skip


def reference_life(ready: Ready, scenario: Scenario, twin: int, at: Iterable[float] = ()) -> ReferenceLife:
    """The reference's life of one twin."""
    return live(
        ready.lesions[twin], ready.twins[twin], ready.draws[ready.twins[twin]["draw"]], ready.programme,
        seed=SEED, horizon_days=scenario.days, at=at,
    )  # fmt: skip


def measure(scenario: Scenario, scales: Iterable[float] = (1.0,), twins: int = 3) -> list[Measured]:
    """Compare each twin at each step scale, on the days on which all scales end a step."""
    ready = build(scenario, twins)
    out = []
    for twin in range(twins):
        rows = {scale: traced(ready, scenario, twin, scale) for scale in scales}
        common = set.intersection(*(set(r["t"].tolist()) for r in rows.values()))
        life = reference_life(ready, scenario, twin, common)
        out += [Measured(scenario.name, twin, s, compare(r, life, common)) for s, r in rows.items()]
    return out


def worst(measured: Iterable[Measured]) -> dict[float, dict[str, float]]:
    """Largest error of each state at each step scale."""
    table: dict[float, dict[str, float]] = {}
    for one in measured:
        errors = table.setdefault(one.scale, {})
        for state, error in one.found.errors.items():
            errors[state] = max(errors.get(state, 0.0), error)
    return table


def orders(measured: Iterable[Measured]) -> dict[str, float]:
    """Observed order of convergence of each state: the median over lives, between the two ends of the scales.

    States whose error is mere rounding are left out.
    """
    lives: dict[tuple[str, int], dict[float, dict[str, float]]] = {}
    for one in measured:
        lives.setdefault((one.scenario, one.twin), {})[one.scale] = one.found.errors
    found: dict[str, list[float]] = {}
    for errors in lives.values():
        coarse, fine = max(errors), min(errors)
        for state, error in errors[coarse].items():
            less = errors[fine].get(state, 0.0)
            if min(error, less) > NOISE:
                found.setdefault(state, []).append(math.log(error / less) / math.log(coarse / fine))
    return {state: float(np.median(values)) for state, values in found.items()}
