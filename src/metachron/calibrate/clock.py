"""Progress with time left."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """Tells a stage, the share done and the time left, as `units` of work are counted off.

    The words of a stage stay the same while it lasts, so that a log has one line for each.
    """

    def __init__(self, units: int, progress: Callable[[str, float], None]) -> None:
        self.units, self.progress = max(units, 1), progress
        self.before = 0
        self.stage = ""
        self.start = time.monotonic()

    def begin(self, stage: str) -> None:
        """Start a stage and say it."""
        self.stage = stage + self.left(self.before / self.units)
        self.show(0)

    def show(self, within: int) -> None:
        """Say the stage again with `within` units of it done."""
        self.progress(self.stage, min((self.before + within) / self.units, 1.0))

    def done(self, units: int) -> None:
        """Count a finished stage off."""
        self.before += units

    def left(self, share: float) -> str:
        """The time left in words; nothing while it cannot be known."""
        spent = time.monotonic() - self.start
        if share < 0.03 or spent < 2.0:
            return ""
        seconds = spent * (1.0 - share) / share
        return f", {seconds / 60:.0f} min left" if seconds >= 90 else f", {seconds:.0f} s left"
