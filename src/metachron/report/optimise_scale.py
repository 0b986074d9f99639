"""Axes that turn logarithmic where values spread over a wide range."""

from __future__ import annotations

import math
from collections.abc import Sequence

from metachron.report.optimise_view import nice_ticks

WIDE = 8.0  # a range over this many times its low end is drawn on a logarithmic scale


class Scale:
    """From values to the axis of one row: linear, or logarithmic for positive values over a wide range."""

    def __init__(
        self, values: Sequence[float], *, share: bool = False, whole: bool = False, wide: float = WIDE
    ) -> None:
        """`share`: from nought to one; `whole`: counts, with ticks at whole numbers."""
        low, high = min(values), max(values)
        self.log = low > 0 and high / low > wide and not (share or whole)
        self.whole = whole
        if self.log:
            low, high = math.log(low), math.log(high)
        room = 0.08 * (high - low) or max(0.05 * abs(high), 0.5)
        self.limits = (low - room, high + room)

    def __call__(self, value: float) -> float:
        return math.log(max(value, 1e-12)) if self.log else value

    def ticks(self) -> list[float]:
        """Values, a few round ones."""
        if not self.log:
            ticks = nice_ticks(*self.limits, most=5)
            return [t for t in ticks if t == round(t)] or ticks if self.whole else ticks
        low, high = (math.exp(x) for x in self.limits)
        steps = [m * 10.0**e for e in range(-6, 9) for m in (1, 2, 5)]
        inside = [t for t in steps if low <= t <= high]
        return inside if len(inside) <= 5 else [t for t in inside if f"{t:e}".startswith("1")] or inside[::2]
