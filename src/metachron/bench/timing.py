"""Medians over repeated runs, with their spread; peak memory."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Measured:
    """Median, lowest and highest of repeated measurements, and how many they were."""

    median: float
    low: float
    high: float
    runs: int

    @property
    def spread(self) -> float:
        """(highest - lowest) / median."""
        return (self.high - self.low) / self.median if self.median else 0.0

    def record(self) -> dict[str, float | int]:
        return {"median": self.median, "low": self.low, "high": self.high, "runs": self.runs}


def measured(values: Sequence[float]) -> Measured:
    """Summary of one or more values."""
    return Measured(statistics.median(values), min(values), max(values), len(values))


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def timed(work: Callable[[], object], runs: int) -> Measured:
    """Seconds of `runs` calls after one that is not counted."""
    work()
    return measured([seconds(work) for _ in range(runs)])


def peak_memory_mb() -> float | None:
    """Largest resident memory of this process so far, in MB (1e6 bytes); None where unknown."""
    if resource is None:
        return None
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest / 1e6 if sys.platform == "darwin" else largest * 1024 / 1e6
