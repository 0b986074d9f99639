"""What a trial observed: one Kaplan-Meier curve, from a registered grid or from individual times.

Times are months from randomisation. A registered curve is a grid of survival with numbers at risk and events
(`CurveData`); between its points survival is taken as a straight line. Where individual times are needed
(hazard ratios, numbers at risk at any month) the patients of an interval are spread evenly over it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Source = Literal["registered grid", "individual times"]

LEAST_AT_RISK = 10  # a curve is scored only as far as so many are still followed


class Grid(Protocol):
    """A registered curve; numbers at risk at the start of each interval (months[k-1], months[k]]."""

    @property
    def months(self) -> Sequence[float]: ...
    @property
    def at_risk(self) -> Sequence[int]: ...
    @property
    def events(self) -> Sequence[int]: ...
    @property
    def survival(self) -> Sequence[float]: ...
    @property
    def remaining(self) -> int | None: ...


@dataclass(frozen=True)
class Key:
    """Which curve: trial, figure, endpoint and arm, as the protocol writes them."""

    trial: str
    figure: str
    endpoint: str
    arm: str


@dataclass(frozen=True, eq=False)
class Observed:
    """One observed curve.

    `months`, `event`: individual times (n,), true for an event. `points`: months and survival at them,
    between which survival is a straight line when `linear`, else a step function.
    """

    key: Key
    months: Floats
    event: Bools
    points: tuple[Floats, Floats]
    linear: bool
    source: Source

    @property
    def n(self) -> int:
        """Patients."""
        return len(self.months)

    def survival(self, at: Floats | Sequence[float]) -> Floats:
        """Survival at months `at`; the last value goes on beyond the last point."""
        at = np.asarray(at, dtype=np.float64)
        times, values = self.points
        if self.linear:
            return np.interp(at, times, values)
        return np.asarray(values[np.searchsorted(times, at, side="right") - 1])

    def read_off(self, curve: Callable[[Floats], Floats], at: Floats | Sequence[float]) -> Floats:
        """Another survival curve at months `at`, known no better than this one.

        A grid knows nothing between its points, where progression found at scans makes steps: the other curve
        is read at the points too and joined by straight lines, so that steps do not count as errors.
        """
        at = np.asarray(at, dtype=np.float64)
        return np.interp(at, self.points[0], curve(self.points[0])) if self.linear else curve(at)

    def at_risk(self, at: Floats | Sequence[float]) -> NDArray[np.int64]:
        """Patients whose time is not before months `at`."""
        ordered = np.sort(self.months)
        before = np.searchsorted(ordered, np.asarray(at, dtype=np.float64) - 1e-9, side="left")
        return np.asarray(self.n - before, dtype=np.int64)

    @property
    def reach(self) -> float | None:
        """Last month with at least ten patients at risk, within the points; None if there were never ten."""
        if self.n < LEAST_AT_RISK:
            return None
        last = float(np.sort(self.months)[-LEAST_AT_RISK])
        return min(last, float(self.points[0][-1])) if self.linear else last

    def effective_n(self, at: Floats | Sequence[float]) -> Floats:
        """Patients without censoring that would know survival at months `at` as exactly as these do.

        S (1 - S) over Greenwood's variance; where nobody had an event yet, or all had, the number at risk.
        """
        at = np.asarray(at, dtype=np.float64)
        times, dead, followed = life_table(self.months, self.event)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.where(followed > dead, dead / (followed * (followed - dead)), 0.0)
            survival = np.cumprod(1.0 - dead / followed)
        place = np.searchsorted(times, at + 1e-9, side="right") - 1
        total = np.where(place >= 0, np.cumsum(step)[place], 0.0) if len(times) else np.zeros_like(at)
        s = np.where(place >= 0, survival[place], 1.0) if len(times) else np.ones_like(at)
        known = (total > 0) & (s > 0)
        # Var = S^2 * sum, so n = S (1 - S) / Var = (1 - S) / (S * sum)
        n = np.where(known, (1.0 - s) / np.where(known, s * total, 1.0), self.at_risk(at))
        return np.asarray(np.clip(n, 1.0, self.n))

    def standard_error(self, at: Floats | Sequence[float]) -> Floats:
        """Greenwood's standard error of survival at months `at`."""
        s = self.survival(at)
        return np.asarray(np.sqrt(s * (1.0 - s) / self.effective_n(at)))

    def median(self) -> float | None:
        """Month at which half have had the event; None when the curve stays above one half."""
        times, values = self.points
        below = np.flatnonzero(values <= 0.5)
        if not len(below):
            return None
        k = int(below[0])
        if not self.linear or k == 0:
            return float(times[k])
        share = (values[k - 1] - 0.5) / (values[k - 1] - values[k])
        return float(times[k - 1] + share * (times[k] - times[k - 1]))


def life_table(months: Floats, event: Bools) -> tuple[Floats, Floats, Floats]:
    """Times with events, the events at each and those at risk just before (float arrays of one length)."""
    ordered = np.sort(months)
    times, dead = np.unique(months[event], return_counts=True)
    followed = len(ordered) - np.searchsorted(ordered, times, side="left")
    return times, dead.astype(np.float64), followed.astype(np.float64)


def from_times(key: Key, months: Floats, event: Bools) -> Observed:
    """The curve of individual times by the product-limit estimate of lifelines."""
    from lifelines import KaplanMeierFitter

    fitted = KaplanMeierFitter().fit(months, event)
    table = fitted.survival_function_.iloc[:, 0]
    times, values = table.index.to_numpy(dtype=np.float64), table.to_numpy(dtype=np.float64)
    return Observed(key, months, event, (times, values), linear=False, source="individual times")


def from_grid(key: Key, grid: Grid) -> Observed:
    """The curve of a registered grid."""
    months = np.asarray(grid.months, dtype=np.float64)
    values = np.asarray(grid.survival, dtype=np.float64)
    times, event = spread(grid)
    first = 1 if months[0] > 0 else 0
    points = (np.concatenate([np.zeros(first), months]), np.concatenate([np.ones(first), values]))
    return Observed(key, times, event, points, linear=True, source="registered grid")


def spread(grid: Grid) -> tuple[Floats, Bools]:
    """Individual times (n,) of a grid: events and censorings of an interval evenly over it, each by itself.

    Those still at risk after the last interval are censored at its end.
    """
    times: list[Floats] = []
    event: list[Bools] = []
    last = grid.at_risk[-1] - grid.events[-1] if grid.remaining is None else grid.remaining
    start = 0.0
    for end, followed, dead, later in zip(
        grid.months, grid.at_risk, grid.events, [*grid.at_risk[1:], last], strict=True
    ):
        for count, happened in ((dead, True), (followed - dead - later, False)):
            times.append(start + (end - start) * (np.arange(count) + 0.5) / max(count, 1))
            event.append(np.full(count, happened))
        start = end
    times.append(np.full(last, start))
    event.append(np.zeros(last, dtype=np.bool_))
    return np.concatenate(times), np.concatenate(event)
