"""What infused cells add, by the day they are given and by how long they live.

The half-life is set by hand, 2 to 21 days; whatever else is assumed of the cells (whether they kill at all,
how strongly, homing, expansion, harm by chemotherapy) runs over its prior, and the map is a band. Every cell
of the map has the same twins, draws and coins, and the same strategy without cells is taken off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from metachron.optimise.numbers import signed
from metachron.optimise.understand.pair import Pair, paired, set_parameters
from metachron.optimise.understand.results import HeatCell, HeatMap, HeatRow
from metachron.plan.arms import Arm
from metachron.plan.bands import HIGH, LOW, Paired, by_draw, shrink, weighted_quantile
from metachron.plan.compare import is_detectable
from metachron.plan.twins import Twins
from metachron.strategies.catalogue import Catalogue
from metachron.strategies.language import format_steps
from metachron.strategies.schema import Step, Strategy

Floats = NDArray[np.float64]
Say = Callable[[str, float], None]
HALF_LIVES = (2.0, 3.0, 5.0, 7.0, 10.0, 14.0, 21.0)
DAYS_AFTER = (0, 7, 14, 21, 28, 42, 56, 84)
MOST_COLUMNS = 8
# Gains smaller than these are no reason to choose a day (assumed), and what rounding of events may do
MATTERS, FLAT = {"months": 0.1, "days": 1.0}, {"months": 0.05, "days": 0.5}
IN_CYCLE, AFTER = "day of the cycle", "days after the last cycle"


@dataclass(frozen=True)
class Varied:
    """The strategy whose cells are moved: index of their step, the axis, its days."""

    strategy: Strategy
    index: int
    axis: str
    days: tuple[int, ...]

    @property
    def step(self) -> Step:
        return self.strategy.steps[self.index]

    def at(self, day: int) -> Strategy:
        """The strategy with its cells on this day."""
        changed = {"infusion_day": day} if self.axis == IN_CYCLE else {"gap_days": day}
        steps = list(self.strategy.steps)
        steps[self.index] = self.step.model_copy(update=changed)
        return self.strategy.model_copy(update={"steps": steps, "name": format_steps(steps)})

    def without(self) -> Strategy:
        """The same without cells."""
        steps = list(self.strategy.steps)
        if self.step.regimens:
            none = {"cells": None, "infusions": None, "infusion_day": None, "lymphodepletion": None}
            steps[self.index] = self.step.model_copy(update=none)
        else:
            steps.pop(self.index)
        return self.strategy.model_copy(update={"steps": steps, "name": format_steps(steps)})


def varied(arms: tuple[Arm, Arm], catalogue: Catalogue) -> Varied | None:
    """The first strategy that gives cells within a cycle or after a course; None without any."""
    for arm in arms:
        for index, step in enumerate(arm.strategy.steps):
            if step.cells is None:
                continue
            if step.regimens:
                days = _columns(catalogue.regimens[step.regimens[0]].cycle_days)
                return Varied(arm.strategy, index, IN_CYCLE, days)
            return Varied(arm.strategy, index, AFTER, DAYS_AFTER)
    return None


def _columns(cycle_days: int) -> tuple[int, ...]:
    """Days of the cycle, first and last among them, at most eight."""
    count = min(MOST_COLUMNS, cycle_days)
    return tuple(int(d) for d in np.unique(np.linspace(1, cycle_days, count).round().astype(int)))


def heatmap(pair: Pair, chosen: Varied, n: int, say: Say, *, outside: bool = False) -> HeatMap:
    """The map on `n` twins of the pair's draws."""
    before = pair.lives
    product = pair.catalogue.cells[str(chosen.step.cells)]
    twins = pair.twins(n)
    base = pair.values(chosen.without(), twins)
    programmes = [(s, pair.programme(s)) for s in (chosen.at(day) for day in chosen.days)]
    grid: list[list[Floats]] = []
    for i, half_life in enumerate(HALF_LIVES):
        say("heat map of infused cells", i / len(HALF_LIVES))
        factor = half_life / product.half_life_days.value
        changed = replace(twins, draws=set_parameters(twins.draws, {"cell_half_life_factor": factor}))
        gains = [pair.objective.sign * (pair.values(s, changed, p) - base) for s, p in programmes]
        grid.append(gains)
    unit = pair.objective.unit
    cells = [[_cell(gain, twins) for gain in gains] for gains in grid]
    rows = [_row(h, chosen, gains, twins, unit) for h, gains in zip(HALF_LIVES, grid, strict=True)]
    flat = all(abs(gain.mean()) <= FLAT[unit] for gains in grid for gain in gains)
    return HeatMap(
        strategy=chosen.strategy.name,
        without=chosen.without().name,
        product=product.title,
        axis=chosen.axis,
        days=list(chosen.days),
        half_lives=list(HALF_LIVES),
        cells=cells,
        rows=rows,
        flat=flat,
        unit=unit,
        basis="outside" if outside else "prior-driven",
        twins=n,
        lives=pair.lives - before,
        words=_words(rows, cells, unit, flat),
    )


def _cell(gain: Floats, twins: Twins) -> HeatCell:
    """Mean and band of one cell of the map. Draws in which cells kill nothing are kept apart from the
    others, so that the noise of these is not taken for an effect of those."""
    means, counts, noise = by_draw(gain, twins.twins["draw"], twins.source)
    real = twins.draws["cell_effect_real"][np.unique(twins.twins["draw"])] > 0.5
    for group in (real, ~real):
        if group.any():
            overall, deviation = shrink(means[group], counts[group], noise[group])
            means[group] = overall + deviation
    w = counts / counts.sum()
    mean = float((w * means).sum())
    low, high = (float(weighted_quantile(means, counts, q)) for q in (LOW, HIGH))
    return HeatCell(
        mean=mean,
        lower=min(low, mean),
        upper=max(high, mean),
        if_effective=float(np.average(means[real], weights=counts[real])) if real.any() else 0.0,
        mc_error=float(np.sqrt((w**2 * noise).sum())),
    )


def _row(half_life: float, chosen: Varied, gains: list[Floats], twins: Twins, unit: str) -> HeatRow:
    """The best day at one half-life, and what cannot be told apart from it."""
    best = int(np.argmax([g.mean() for g in gains]))
    alike = [
        day
        for day, gain in zip(chosen.days, gains, strict=True)
        if not _worse(paired(gains[best] - gain, twins), unit)
    ]
    matters = len(alike) < len(chosen.days)
    where = "of the cycle" if chosen.axis == IN_CYCLE else "after the last cycle"
    if all(abs(g.mean()) <= FLAT[unit] for g in gains):
        words = f"Half-life {half_life:g} d: the cells change nothing, whenever they are given."
    elif not matters:
        words = (
            f"Half-life {half_life:g} d: the day does not matter within {alike[0]} to {alike[-1]} {where}."
        )
    else:
        gap = gains[best].mean() - min(g.mean() for g in gains)
        words = (
            f"Half-life {half_life:g} d: day {chosen.days[best]} {where} is best; days"
            f" {', '.join(map(str, alike))} cannot be told apart from it;"
            f" the worst day costs {gap:.2g} {unit}."
        )
    return HeatRow(
        half_life_days=half_life, best_day=chosen.days[best], alike=alike, matters=matters, words=words
    )


def _worse(found: Paired, unit: str) -> bool:
    """The best day is better than this one with odds of 9 to 1, and by enough to matter."""
    return found.mean > MATTERS[unit] and is_detectable(found)


def _words(rows: list[HeatRow], cells: list[list[HeatCell]], unit: str, flat: bool) -> list[str]:
    if flat:
        return ["The map is flat: the cells change nothing at any day or half-life."]
    every = [cell for row in cells for cell in row]
    least, most = min(c.mean for c in every), max(c.mean for c in every)
    low, high = min(c.lower for c in every), max(c.upper for c in every)
    first = (
        f"Prior-driven: over days and half-lives the cells add {signed(least, 2)} to {signed(most, 2)}"
        f" {unit} on average; over the prior of what they do, {signed(low, 2)} to {signed(high, 2)}."
    )
    if not any(row.matters for row in rows):
        return [first, "The day of infusion does not matter at any half-life: no day can be told apart."]
    return [first, *(row.words for row in (rows[0], rows[len(rows) // 2], rows[-1]))]
