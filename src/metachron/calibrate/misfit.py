"""How far predictions lie from what was fitted: survival at every grid point of every figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from metachron.calibrate.design import Simulator, inputs, on_grid, stream
from metachron.calibrate.emulator import Sample, simulated_survival
from metachron.calibrate.layout import RESPONSE, ArmLayout
from metachron.calibrate.likelihood import Data
from metachron.calibrate.posterior import Model, log_survivals
from metachron.calibrate.space import draws_from_z
from metachron.calibrate.targets import Target

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """Misfit of one figure, in points of survival (0 to 1): mean absolute, mean signed (predicted less
    observed), largest; `n` behind it, `points` of the grid."""

    source: str
    points: int
    n: float
    mean: float
    signed: float
    largest: float


def observed(data: Data) -> Floats:
    """Survival at the end of each count, shape (counts,), as the product over its figure so far."""
    result = np.ones(data.size)
    so_far: dict[tuple[int, int], float] = {}
    for i in range(data.size):
        key = (int(data.arm[i]), int(data.padded.head[data.arm[i], data.first[i]]))
        so_far[key] = so_far.get(key, 1.0) * (1.0 - data.events[i] / data.at_risk[i])
        result[i] = so_far[key]
    return result


def rows(data: Data, survival: Mapping[int, Floats]) -> list[Row]:
    """Misfit of every figure, given survival at all outputs of each arm, by row of layouts."""
    seen = observed(data)
    groups: dict[str, list[int]] = {}
    for i, source in enumerate(data.sources):
        groups.setdefault(source, []).append(i)
    found = []
    for source, members in groups.items():
        gap = np.array([_predicted(data, survival, i) - seen[i] for i in members])
        n = float(data.at_risk[members[0]])
        size = np.abs(gap)
        found.append(Row(source, gap.size, n, float(size.mean()), float(gap.mean()), float(size.max())))
    return found


def _predicted(data: Data, survival: Mapping[int, Floats], i: int) -> float:
    arm = survival[int(data.arm[i])]
    return float(arm[data.last[i] - 1] + arm[data.also[i] - 1]) / 2.0


def emulated(model: Model, z: Floats, effects: Floats) -> dict[int, Floats]:
    """Survival at all outputs, mean over samples z (n, p) and effects (n, trials, 4), by row of layouts."""
    function = jax.jit(jax.vmap(log_survivals(model)))
    logs = np.asarray(function(jnp.asarray(z), jnp.asarray(effects)))
    padded, result = model.data.padded, {}
    for row, layout in enumerate(padded.arms):
        start = np.array([layout.start(h.endpoint) for h in layout.heads])[padded.head[row, : layout.size]]
        result[row] = np.exp(logs[:, row, 1 : layout.size + 1] - logs[:, row, start]).mean(0)
    return result


def simulated(
    target: Target, layout: ArmLayout, names: Sequence[str], z: Floats, effects: Floats, per_draw: int,
    seed: int, simulator: Simulator, horizon_days: float,
) -> Floats:  # fmt: skip
    """Survival at all outputs from `per_draw` lives of each sample z (n, p) with effects (n, 4)."""
    draws = draws_from_z(names, z, rest_seed=seed)
    coins = int(stream(seed, layout.trial, "check").integers(2**31))
    lives = simulator(
        target, layout.arm, draws, effects, per_draw=per_draw, seed=coins, horizon_days=horizon_days
    )
    found = on_grid(lives, layout)
    return simulated_survival(Sample(inputs(z, effects)[:1], found.stop, found.event), layout)


def is_response(layout: ArmLayout, output: int) -> bool:
    """Whether an output of the arm is its response rate."""
    return layout.heads[-1].endpoint == RESPONSE and output == layout.size - 1
