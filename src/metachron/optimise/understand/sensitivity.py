"""Which parameters the difference between two strategies turns on, and which the ranking.

Every parameter is tried alone at 5 and 95 % of its distribution on few twins; those that move the difference
most are tried again on more (tornado), and the first of them together, by Sobol's indices. All on the same
twins and coins; the other parameters keep the values of their draws, so that effects are averages over them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from metachron.errors import TwinError
from metachron.optimise.numbers import figures, signed
from metachron.optimise.results import Measured
from metachron.optimise.understand.pair import Pair, measured, paired, set_parameters
from metachron.optimise.understand.ranges import free_parameters, quantiles
from metachron.optimise.understand.results import Sensitivity, Sobol, SobolIndex, TornadoBar
from metachron.optimise.understand.sobol import Indices, design, indices
from metachron.optimise.understand.text import opening, unit_of, within
from metachron.parameters import load_parameters
from metachron.parameters.posterior import Ensemble
from metachron.plan.bands import Paired
from metachron.plan.twins import Twins

Floats = NDArray[np.float64]
Say = Callable[[str, float], None]
ENDS = [0.05, 0.95]
LEAST_ESS = 50.0  # fewer candidates that agree with the findings say nothing of this patient
CLEAR = 2.0  # standard errors
RARE = 0.02  # share of the rows with another ranking, below which there is nothing to explain


@dataclass(frozen=True)
class Effort:
    """How much to simulate: twins at an end when screening and in the tornado, bars, parameters, twins and
    base rows (a power of two) of Sobol's design, twins of the heat map and of a counterfactual curve."""

    screen_twins: int = 400
    tornado_twins: int = 2000
    bars: int = 10
    factors: int = 5
    sobol_twins: int = 200
    sobol_rows: int = 128
    heat_twins: int = 1500
    curve_twins: int = 1000
    curves: int = 6


@dataclass(frozen=True)
class Ends:
    """Differences of the twins (n,) with one parameter at its low and at its high end."""

    name: str
    values: tuple[float, float]
    low: Floats
    high: Floats
    twins: tuple[Twins, Twins]
    remakes: bool  # the parameter changes the twins, not only their lives

    @property
    def swing(self) -> float:
        return float(self.high.mean() - self.low.mean())

    @property
    def error(self) -> float:
        """Standard error of the swing, by twins alone."""
        return float((self.high - self.low).std() / np.sqrt(self.low.size))


def at_ends(pair: Pair, name: str, n: int, base: Twins, *, prior: bool) -> Ends | None:
    """The parameter at both ends of its distribution; None when hardly any twin fits there.

    `base`: the twins of the draws as they are; they serve again when the parameter does not change them.
    """
    low, high = (float(v) for v in quantiles(name, ENDS, prior=prior))
    found: list[tuple[Floats, Twins]] = []
    remakes = True
    for value in (low, high):
        sets = set_parameters(pair.sets, {name: value})
        try:
            twins = replace(base, draws=sets) if not remakes else pair.with_sets(sets).twins(n)
        except TwinError:
            return None
        if twins.ess < LEAST_ESS:
            return None
        remakes = remakes and not _same(twins, base)
        found.append((pair.signed(twins), twins))
    (a, of_a), (b, of_b) = found
    return Ends(name, (low, high), a, b, (of_a, of_b), remakes)


def _same(one: Twins, other: Twins) -> bool:
    return np.array_equal(one.twins, other.twins) and np.array_equal(one.lesions, other.lesions)


def sensitivity(
    pair: Pair, ensemble: Ensemble | None, effort: Effort, say: Say, *, with_sobol: bool = True
) -> Sensitivity:
    """Screening, tornado and Sobol's indices. `ensemble` None: parameters of the prior."""
    before, prior = pair.lives, ensemble is None
    names = free_parameters()
    screened, unmatched = _screen(pair, names, effort, say, prior=prior)
    moving = [e for e in screened if np.any(e.low != e.high)]
    moving.sort(key=lambda e: -max(abs(e.swing) - e.error, 0.0))
    chosen = [e.name for e in moving[: effort.bars]]
    refined = _refine(pair, chosen, effort, say, prior=prior)
    bars = [_bar(e, ensemble) for e in refined]
    sobol = None
    kept = [e for e in refined if abs(e.swing) > CLEAR * e.error][: effort.factors]
    if with_sobol and len(kept) >= 2:
        remakes = any(e.remakes for e in kept)
        sobol = _sobol(pair, [e.name for e in kept], effort, say, prior=prior, remakes=remakes)
    no_effect = len(screened) - len(moving)
    return Sensitivity(
        screened=len(names),
        no_effect=no_effect,
        unmatched=unmatched,
        tornado=bars,
        sobol=sobol,
        lives=pair.lives - before,
        words=_words(pair, bars, sobol, len(names), no_effect, pair.lives - before),
    )


def _screen(
    pair: Pair, names: list[str], effort: Effort, say: Say, *, prior: bool
) -> tuple[list[Ends], list[str]]:
    """(every parameter at its ends, names of those at which no twin fits)."""
    base = pair.twins(effort.screen_twins)
    found: list[Ends] = []
    unmatched: list[str] = []
    for i, name in enumerate(names):
        say("sensitivity: one parameter at a time", 0.35 * i / len(names))
        ends = at_ends(pair, name, effort.screen_twins, base, prior=prior)
        if ends is None:
            unmatched.append(name)
        else:
            found.append(ends)
    return found, unmatched


def _refine(pair: Pair, names: list[str], effort: Effort, say: Say, *, prior: bool) -> list[Ends]:
    """The chosen parameters on more twins, largest swing first."""
    if not names:
        return []
    base = pair.twins(effort.tornado_twins)
    found: list[Ends] = []
    for i, name in enumerate(names):
        say("sensitivity: the largest again on more twins", 0.35 + 0.25 * i / len(names))
        ends = at_ends(pair, name, effort.tornado_twins, base, prior=prior)
        if ends is not None:
            found.append(ends)
    return sorted(found, key=lambda e: -abs(e.swing))


def _bar(ends: Ends, ensemble: Ensemble | None) -> TornadoBar:
    entry = load_parameters()[ends.name]
    low, high = paired(ends.low, ends.twins[0]), paired(ends.high, ends.twins[1])
    basis = "prior-driven" if ensemble is None else ensemble.basis(ends.name)
    return TornadoBar(
        name=ends.name,
        title=entry.title,
        unit=entry.unit,
        low_value=ends.values[0],
        high_value=ends.values[1],
        at_low=measured(low),
        at_high=measured(high),
        swing=_swing(ends),
        flips=_clear(low) * _clear(high) < 0,
        basis=basis,
    )


def _clear(found: Paired) -> int:
    """Sign of a mean that is clear of its Monte Carlo error, else 0."""
    return int(np.sign(found.mean)) if abs(found.mean) > CLEAR * found.mc_error else 0


def _swing(ends: Ends) -> Measured:
    """The swing with the 90 % interval of its Monte Carlo error: it is an average over the draws."""
    return Measured(
        value=ends.swing,
        lower=ends.swing - 1.645 * ends.error,
        upper=ends.swing + 1.645 * ends.error,
        mc_error=ends.error,
    )


def _sobol(pair: Pair, names: list[str], effort: Effort, say: Say, *, prior: bool, remakes: bool) -> Sobol:
    before, d = pair.lives, len(names)
    u = design(d, effort.sobol_rows, pair.seed)
    rows = np.column_stack([quantiles(name, u[:, j], prior=prior) for j, name in enumerate(names)])
    base = pair.twins(effort.sobol_twins)
    by_twin = np.zeros((rows.shape[0], effort.sobol_twins))
    for i, row in enumerate(rows):
        say("sensitivity: parameters together (Sobol)", 0.6 + 0.4 * i / rows.shape[0])
        sets = set_parameters(pair.sets, {n: float(v) for n, v in zip(names, row, strict=True)})
        twins = pair.with_sets(sets).twins(effort.sobol_twins) if remakes else replace(base, draws=sets)
        by_twin[i] = pair.signed(twins)
    mean = by_twin.mean(1)
    error = np.maximum(by_twin.std(1, ddof=1) / np.sqrt(effort.sobol_twins), 1e-9)
    found = indices(by_twin, d, pair.seed)
    ranking = indices(ndtr(mean / error), d, pair.seed)
    ahead = float((mean > 0).mean())
    return Sobol(
        difference=_indices(names, found),
        ranking=_indices(names, ranking) if RARE < ahead < 1.0 - RARE else [],
        spread=float(np.sqrt(found.variance)),
        noise_share=float(np.clip(found.noise_share, 0.0, 1.0)),
        share_first_ahead=ahead,
        rows=rows.shape[0],
        twins=effort.sobol_twins,
        lives=pair.lives - before,
    )


def _indices(names: list[str], found: Indices) -> list[SobolIndex]:
    """Indices by parameter, largest total first."""
    parameters = load_parameters()
    out = [
        SobolIndex(
            name=name,
            title=parameters[name].title,
            first=_share(found.first[j], found.first_half[j]),
            total=_share(found.total[j], found.total_half[j]),
        )
        for j, name in enumerate(names)
    ]
    return sorted(out, key=lambda s: -(s.total.value or 0.0))


def _share(value: float, half: float) -> Measured:
    low, high = max(0.0, value - half), min(1.0, value + half)
    return Measured(value=float(value), lower=float(low), upper=float(high), mc_error=float(half / 1.645))


def _words(
    pair: Pair, bars: list[TornadoBar], sobol: Sobol | None, tried: int, none: int, lives: int
) -> list[str]:
    unit = pair.objective.unit
    said: list[str] = []
    for bar in bars[:3]:
        turn = ", which changes the better strategy" if bar.flips else ""
        span = f"{figures(bar.low_value)} to {figures(bar.high_value)}{unit_of(bar.unit)}"
        said.append(
            f"{opening(bar.title)} ({span}) moves the difference from"
            f" {signed(bar.at_low.value)} to {signed(bar.at_high.value)} {unit}{turn} ({bar.basis})."
        )
    if not any(bar.flips for bar in bars):
        said.append("No parameter alone changes which strategy is ahead.")
    if sobol is not None and sobol.spread > 0:
        top = sobol.difference[0]
        said.append(
            f"Of the spread of {sobol.spread:.1f} {unit} over the {len(sobol.difference)} largest together,"
            f" {within(top.title)} explains {100 * (top.total.value or 0):.0f} %,"
            f" {100 * (top.first.value or 0):.0f} % without interactions"
            f" ({100 * sobol.noise_share:.0f} % of the raw variance was chance and is taken out)."
        )
        share = sobol.share_first_ahead
        if not 0.05 < share < 0.95:
            said.append(
                f"The same strategy is ahead in {100 * max(share, 1 - share):.0f} % of these parameter sets."
            )
    elif sobol is not None:
        said.append("Taken together these parameters move the difference no more than chance does.")
    said.append(
        f"{tried} parameters were tried one at a time ({lives:,} lives for this part); {none} of them change"
        " nothing in this contrast."
    )
    return said
