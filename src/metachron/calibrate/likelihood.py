"""The likelihood of published figures, given the hazards that the emulator predicts.

Every figure is turned into *counts*: so many events among so many at risk over a run of outputs of one arm
(see layout.py), and contributes Binomial(events | at risk, 1 - survival over that run).

- A curve gives one count for each interval of its grid. Those censored within an interval count so that the
  share surviving it is that of the Kaplan-Meier curve.
- A point (survival at a time), a median and a response rate give one count each, from time 0; `n` is the one
  that makes the binomial interval as wide as the published one, where that is given.
- A hazard ratio enters only where it is marked `fit`: normal on the ln ratio of cumulative hazards.

What is counted twice, or less exactly than it looks, is tempered: curves read off a figure carry an error of
about 1.5 points of survival (DIGITISING_SD), so that counts of a large arm are worth less than their number.
The error of the emulator does the same to every figure: a fit that took a rough emulator at its word would
run to where its noise happens to look good, and the next wave of lives would be sought in the wrong place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metachron.calibrate.layout import RESPONSE, Padded, days_of_point, wide_enough
from metachron.calibrate.targets_data import SIMULATED

if TYPE_CHECKING:
    from metachron.calibrate.targets import Target
    from metachron.calibrate.targets_data import CurveData, Landmark, Median, Response

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DIGITISING_SD = 0.015  # assumed: reconstructed curves carry an error of 1-2 points of survival
MEDIAN_WORTH = 0.7  # assumed: about this share of patients has had the event when a median is published
LEAST_VARIANCE = 0.05  # of survival, S(1 - S), where a curve stays high


@dataclass(frozen=True)
class Count:
    """`events` among `at_risk` over outputs first to last - 1 of an arm; `source` names the figure.

    With `also`, survival is the mean of that over first to last - 1 and over first to also - 1.
    """

    trial: str
    arm: str
    first: int
    last: int
    events: float
    at_risk: float
    source: str
    also: int = 0

    @property
    def later(self) -> int:
        return max(self.last, self.also)


@dataclass(frozen=True)
class Ratio:
    """A fitted hazard ratio: outputs of the arm and of its reference, ln ratio and its standard error."""

    trial: str
    arm: str
    reference: str
    spans: tuple[tuple[int, int], tuple[int, int]]
    ln_ratio: float
    error: float


def temper(n: float, variance: float, sd: float = DIGITISING_SD) -> float:
    """Share of its weight that a figure of `n` patients keeps when survival carries an error of `sd` beside
    that of sampling; `variance` is S(1 - S)."""
    return 1.0 / (1.0 + n * sd**2 / max(variance, LEAST_VARIANCE))


def effective_at_risk(curve: CurveData) -> Floats:
    """Number at risk of each interval that gives the curve's own conditional survival with its events.

    Between all at risk and those not censored; half of the censored where there was no event.
    """
    risk, events = np.array(curve.at_risk, float), np.array(curve.events, float)
    censored = curve.censored.astype(float)
    survival = np.array(curve.survival, float)
    before = np.concatenate([[1.0], survival[:-1]])
    with np.errstate(divide="ignore", invalid="ignore"):
        implied = events / (1.0 - survival / before)
    guess = np.where((events > 0) & np.isfinite(implied), implied, risk - censored / 2)
    return np.clip(guess, np.maximum(events, risk - censored), risk)


def curve_counts(target: Target, curve: CurveData, padded: Padded, emulator_sd: float = 0.0) -> list[Count]:
    """One count an interval; intervals with nobody at risk are left out."""
    layout = padded.arms[padded.row(target.trial, curve.arm)]
    survival = np.array(curve.survival)
    reading_sd = 0.0 if curve.origin == "individual" else DIGITISING_SD
    variance = float(np.mean(survival * (1 - survival)))
    weight = temper(curve.n, variance, float(np.hypot(reading_sd, emulator_sd)))
    source = f"{target.trial} {curve.endpoint} {curve.arm}"
    counts, begin, at = [], layout.start(curve.endpoint), 0
    risks = effective_at_risk(curve)
    for k in wide_enough(target, curve):
        end = layout.until(curve.endpoint, float(curve.days[k]))[1]
        events, risk = _together(np.array(curve.events[at : k + 1], float), risks[at : k + 1])
        if risk > 0 and end > begin:
            counts.append(Count(target.trial, curve.arm, begin, end, weight * events, weight * risk, source))
        begin, at = end, int(k) + 1
    return counts


def _together(events: Floats, at_risk: Floats) -> tuple[float, float]:
    """Successive intervals as one: all events, and the number at risk that gives the same survival."""
    total = float(events.sum())
    if events.size == 1 or total == 0:
        return total, float(at_risk[0])
    through = float(np.prod(1.0 - events / np.maximum(at_risk, 1e-9)))
    return total, total / (1.0 - through)


def _sample_size(share: float, low: float | None, high: float | None, n: int) -> float:
    """Number of patients whose binomial 95 % interval is as wide as (low, high); `n` without an interval.

    Never above `n`: an interval narrower than the binomial one is a misprint or another method.
    """
    if low is None or high is None or not 0 < share < 1 or high <= low:
        return float(n)
    error = (high - low) / (2 * 1.96)
    return float(np.clip(share * (1 - share) / error**2, 1.0, n))


def point_count(target: Target, point: Landmark | Median | Response, padded: Padded) -> Count:
    """The count of one published number."""
    layout = padded.arms[padded.row(target.trial, point.arm)]
    orr = getattr(point, "orr", None)
    if orr is not None:
        first, last = layout.until(RESPONSE, 1.0)
        n = _sample_size(orr, point.low, point.high, point.n)
        return Count(target.trial, point.arm, first, last, orr * n, n, f"{target.trial} response {point.arm}")
    endpoint: str = point.endpoint  # type: ignore[union-attr]
    days = days_of_point(target, point)  # type: ignore[arg-type]
    first, last = layout.until(endpoint, days[0])
    also = layout.until(endpoint, days[-1])[1]
    survival = getattr(point, "survival", None)
    if survival is None:
        n, survival = MEDIAN_WORTH * point.n, 0.5
    else:
        n = _sample_size(survival, point.low, point.high, point.n)
    source = f"{target.trial} {endpoint} {point.arm}"
    return Count(target.trial, point.arm, first, last, (1 - survival) * n, n, source, also)


def counts_of(target: Target, padded: Padded, emulator_sd: float = 0.0) -> list[Count]:
    """Counts of all fitted figures of a trial; points of a fitted curve add nothing new."""
    curves = [c for c in target.curves if c.use == "fit" and c.endpoint in SIMULATED]
    with_curve = {(c.arm, c.endpoint) for c in curves}
    found = [count for curve in curves for count in curve_counts(target, curve, padded, emulator_sd)]
    both: list[Landmark | Median] = [*target.landmarks, *target.medians]
    points = [p for p in both if p.use == "fit" and p.endpoint in SIMULATED]
    with_points = {(p.arm, p.endpoint) for p in target.landmarks if p.use == "fit"}
    for point in points:
        key = (point.arm, point.endpoint)
        median_beside_points = not hasattr(point, "survival") and key in with_points
        if key not in with_curve and not median_beside_points:
            found.append(_tempered(point_count(target, point, padded), emulator_sd))
    responses = [point_count(target, r, padded) for r in target.responses if r.use == "fit"]
    return successive([*found, *(_tempered(r, emulator_sd) for r in responses)])


def _tempered(count: Count, sd: float) -> Count:
    """The count of a published number when the emulator errs by `sd`."""
    share = count.events / count.at_risk
    weight = temper(count.at_risk, share * (1 - share), sd)
    return replace(count, events=weight * count.events, at_risk=weight * count.at_risk)


def successive(counts: Iterable[Count]) -> list[Count]:
    """Several points of one endpoint from time 0 become successive intervals, so that nobody counts twice.

    Survival at 12 and 36 months of the same patients is survival to 12, then from 12 to 36 among those left.
    """
    result: list[Count] = []
    groups: dict[tuple[str, int], list[Count]] = {}
    for count in counts:
        groups.setdefault((count.source, count.first), []).append(count)
    for group in groups.values():
        group.sort(key=lambda c: c.last)
        result.append(group[0])
        for before, after in pairwise(group):
            left = before.at_risk - before.events
            share = (after.at_risk - after.events) / after.at_risk
            through = min(share * before.at_risk / left, 1.0) if left > 0 else 1.0
            n = min(after.at_risk, before.at_risk) * (left / before.at_risk)
            result.append(
                Count(after.trial, after.arm, before.last, after.last, (1 - through) * n, n, after.source)
            )
    return [c for c in result if c.at_risk > 0 and c.last > c.first]


def ratios_of(target: Target, padded: Padded) -> list[Ratio]:
    """Hazard ratios marked `fit`. Their 95 % interval gives the error; 0.3 where none is given (assumed)."""
    found = []
    for c in target.contrasts:
        if c.use != "fit" or c.endpoint not in SIMULATED:
            continue
        spans = []
        for arm in (c.arm, c.reference):
            layout = padded.arms[padded.row(target.trial, arm)]
            begin = layout.start(c.endpoint)
            spans.append((begin, begin + layout.head(c.endpoint).size))
        error = np.log(c.high / c.low) / (2 * 1.96) if c.low and c.high else 0.3
        found.append(
            Ratio(target.trial, c.arm, c.reference, (spans[0], spans[1]), np.log(c.hazard_ratio), error)
        )
    return found


@dataclass(frozen=True)
class Data:
    """All counts as arrays. `trials` are those with any fitted figure; `trial` (m,) indexes them.

    `arm_trial` (arms,) is the trial of each arm, -1 where nothing of the trial is fitted.
    """

    padded: Padded
    trials: tuple[str, ...]
    arm_trial: Ints
    trial: Ints
    arm: Ints
    first: Ints
    last: Ints
    also: Ints
    events: Floats
    at_risk: Floats
    sources: tuple[str, ...]
    ratios: tuple[Ratio, ...]

    @property
    def size(self) -> int:
        return int(self.trial.size)

    def take(self, rows: Ints) -> Data:
        """The data with some of the counts only."""
        columns = {name: getattr(self, name)[rows] for name in COLUMNS}
        return replace(self, **columns, sources=tuple(self.sources[i] for i in rows))


COLUMNS = ("trial", "arm", "first", "last", "also", "events", "at_risk")


def collect(targets: Sequence[Target], padded: Padded, emulator_sd: float = 0.0) -> Data:
    """The data of all targets; `emulator_sd`: error of emulated survival, for which every figure is tempered.
    Raises ValueError when nothing is to be fitted."""
    counts = [count for target in targets for count in counts_of(target, padded, emulator_sd)]
    ratios = [ratio for target in targets for ratio in ratios_of(target, padded)]
    trials = tuple(dict.fromkeys([*(c.trial for c in counts), *(r.trial for r in ratios)]))
    if not trials:
        raise ValueError("no target has a figure to fit")
    place = {trial: i for i, trial in enumerate(trials)}
    return Data(
        padded,
        trials,
        np.array([place.get(arm.trial, -1) for arm in padded.arms]),
        np.array([place[c.trial] for c in counts], dtype=np.int64),
        np.array([padded.row(c.trial, c.arm) for c in counts], dtype=np.int64),
        np.array([c.first for c in counts], dtype=np.int64),
        np.array([c.last for c in counts], dtype=np.int64),
        np.array([c.later for c in counts], dtype=np.int64),
        np.array([c.events for c in counts]),
        np.array([c.at_risk for c in counts]),
        tuple(c.source for c in counts),
        tuple(ratios),
    )
