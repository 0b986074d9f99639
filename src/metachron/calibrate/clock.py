"""Progress with time left."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """Tells a stage, the share done and the time left, as `units` of work are counted off."""

    def __init__(self, units: int, progress: Callable[[str, float], None]) -> None:
        self.units, self.progress = max(units, 1), progress
        self.before = 0
        self.start = time.monotonic()

    def show(self, stage: str, within: int = 0) -> None:
        """Say the stage; `within`: units of it that are done."""
        share = min((self.before + within) / self.units, 1.0)
        self.progress(f"{stage}{self.left(share)}", share)

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
