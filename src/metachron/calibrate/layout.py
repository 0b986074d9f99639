"""What is predicted of each arm: intervals of its endpoints laid side by side, the same for every arm.

An arm's *heads* are its endpoints, each with a grid of days; its *outputs* are the intervals of all heads in
a row. The chance of surviving from one grid point to another is a sum over outputs, so that curves, points,
medians and response rates all become "so many events among so many at risk over these outputs".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metachron.calibrate.targets_data import DAYS_PER_MONTH, SIMULATED

if TYPE_CHECKING:
    from metachron.calibrate.targets import Target
    from metachron.calibrate.targets_data import CurveData, Landmark, Median, Response

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MONTHS_WITHOUT_HORIZON = 36.0
SEEN_AT_SCANS = ("PFS", "TTP", "TTF")
RESPONSE = "response"  # a head with one interval, whose "hazard" is the share with a response
SHARES_OF_HORIZON = np.array([0.08, 0.17, 0.25, 0.33, 0.42, 0.5, 0.6, 0.7, 0.85, 1.0])


@dataclass(frozen=True)
class Head:
    """An endpoint and the ends of its intervals in days, rising, the first interval from 0."""

    endpoint: str
    ends: Floats

    @property
    def size(self) -> int:
        return int(self.ends.size)


@dataclass(frozen=True)
class ArmLayout:
    """The heads of one arm; `n` patients stand behind its data."""

    trial: str
    arm: str
    heads: tuple[Head, ...]
    n: float

    @property
    def key(self) -> str:
        return f"{self.trial}.{self.arm}"

    @property
    def size(self) -> int:
        """Number of outputs."""
        return sum(head.size for head in self.heads)

    def start(self, endpoint: str) -> int:
        """Output where the head of `endpoint` begins. Raises KeyError."""
        begin = 0
        for head in self.heads:
            if head.endpoint == endpoint:
                return begin
            begin += head.size
        raise KeyError(f"{self.key} has no {endpoint}")

    def head(self, endpoint: str) -> Head:
        """Raises KeyError when the arm has no such endpoint."""
        for head in self.heads:
            if head.endpoint == endpoint:
                return head
        raise KeyError(f"{self.key} has no {endpoint}")

    def until(self, endpoint: str, days: float) -> tuple[int, int]:
        """(first, last) outputs, last excluded, that lead from 0 to the grid point at `days`."""
        head, begin = self.head(endpoint), self.start(endpoint)
        return begin, begin + int(np.argmin(np.abs(head.ends - days))) + 1


def lay_out(target: Target) -> list[ArmLayout]:
    """Layouts of the arms that have anything to fit, in the order of the target; only what is fitted.

    What is only shown needs no emulator: it is scored with the simulator itself.
    """
    layouts = []
    for arm in target.arms:
        grids = _grids(target, arm.name)
        heads = [Head(endpoint, _merged(days)) for endpoint, days in grids.items()]
        if any(r.arm == arm.name and r.use == "fit" for r in target.responses):
            heads.append(Head(RESPONSE, np.array([1.0])))
        if heads:
            layouts.append(ArmLayout(target.trial, arm.name, tuple(heads), _patients(target, arm.name)))
    return layouts


def _grids(target: Target, arm: str) -> dict[str, list[float]]:
    """Days of the grid of each fitted endpoint: its curves, points, medians; of ratios where none is."""
    grids: dict[str, list[float]] = {}
    for curve in target.curves:
        if curve.arm == arm and curve.use == "fit" and curve.endpoint in SIMULATED:
            grids.setdefault(curve.endpoint, []).extend(curve.days[wide_enough(target, curve)].tolist())
    points: list[Landmark | Median] = [*target.landmarks, *target.medians]
    for point in points:
        if point.arm == arm and point.use == "fit" and point.endpoint in SIMULATED:
            grids.setdefault(point.endpoint, []).extend(days_of_point(target, point))
    for contrast in target.contrasts:
        fitted = contrast.use == "fit" and arm in (contrast.arm, contrast.reference)
        if fitted and contrast.endpoint not in grids:
            months = target.horizon_months or MONTHS_WITHOUT_HORIZON
            grids[contrast.endpoint] = (SHARES_OF_HORIZON * months * DAYS_PER_MONTH).tolist()
    return grids


def scan_days(target: Target) -> float:
    """Days between two scans on treatment; nought where they are not at one interval."""
    return float(target.scans_or_default().every_days or 0.0)


def wide_enough(target: Target, curve: CurveData) -> Ints:
    """Which grid points of a curve end an interval: all, or, where progression is seen at scans, those that
    leave at least one scan in each interval. Nobody knows the visit days of a trial well enough for less."""
    if curve.endpoint not in SEEN_AT_SCANS:
        return np.arange(curve.days.size)
    kept, last, width = [], 0.0, scan_days(target) - 1.0
    for k, day in enumerate(curve.days):
        if day - last >= width:
            kept.append(k)
            last = float(day)
    kept = [*kept[:-1], curve.days.size - 1]  # what is left at the end joins the last interval
    return np.array(kept, dtype=np.int64)


def days_of_point(target: Target, point: Landmark | Median) -> list[float]:
    """The day of a published point; a quarter of a scan interval before and after a median of an endpoint
    that is seen at scans, between which survival may fall in one step."""
    day = point.months * DAYS_PER_MONTH
    around = scan_days(target) / 4.0
    if hasattr(point, "survival") or point.endpoint not in SEEN_AT_SCANS or around < 1.0 or day <= around:
        return [day]
    return [day - around, day + around]


def _merged(days: Iterable[float]) -> Floats:
    """Rising grid without points that lie within half a day of each other."""
    found: list[float] = []
    for day in sorted(days):
        if not found or day - found[-1] > 0.5:
            found.append(day)
    return np.array(found)


def _patients(target: Target, arm: str) -> float:
    """The largest number behind any fitted figure of the arm; 0 when none is fitted."""
    curves = [c.n for c in target.curves if c.arm == arm and c.use == "fit"]
    points: list[Landmark | Median | Response] = [*target.landmarks, *target.medians, *target.responses]
    return float(max([*curves, *(p.n for p in points if p.arm == arm and p.use == "fit")], default=0))


@dataclass(frozen=True)
class Padded:
    """All layouts as one rectangle of (arms, outputs).

    `head` is the head of each output (-1 beyond the last), `step` its place within the head.
    """

    arms: tuple[ArmLayout, ...]
    head: Ints
    step: Ints

    @property
    def outputs(self) -> int:
        return int(self.head.shape[1])

    @property
    def heads(self) -> int:
        """Largest number of heads of an arm."""
        return max(len(arm.heads) for arm in self.arms)

    def row(self, trial: str, arm: str) -> int:
        """Raises KeyError for an arm that is not laid out."""
        for i, layout in enumerate(self.arms):
            if (layout.trial, layout.arm) == (trial, arm):
                return i
        raise KeyError(f"{trial}.{arm}")


def pad(layouts: Sequence[ArmLayout]) -> Padded:
    """Rectangle of the layouts."""
    width = max(layout.size for layout in layouts)
    head = np.full((len(layouts), width), -1, dtype=np.int64)
    step = np.zeros((len(layouts), width), dtype=np.int64)
    for i, layout in enumerate(layouts):
        at = 0
        for h, one in enumerate(layout.heads):
            head[i, at : at + one.size] = h
            step[i, at : at + one.size] = np.arange(one.size)
            at += one.size
    return Padded(tuple(layouts), head, step)
