"""Lives per second of the workload, by scenario and thread count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from metachron.bench.timing import Measured, measured, seconds
from metachron.bench.workload import Scenario

Progress = Callable[[str, float], None]
Times = dict[int, list[list[float]]]


@dataclass(frozen=True)
class Rate:
    """Lives per second of one scenario, one example or the whole mix, at one thread count."""

    name: str
    jobs: int
    strategies: int
    lesions: float
    per_second: Measured

    def record(self) -> dict[str, object]:
        return {
            "name": self.name,
            "jobs": self.jobs,
            "strategies": self.strategies,
            "mean_lesions": self.lesions,
            "patients_per_second": self.per_second.record(),
        }


def time_all(
    work: Sequence[Scenario], jobs: Sequence[int], runs: int, say: Progress, device: str = "cpu"
) -> Times:
    """Seconds of every scenario, [run][scenario] for each thread count; warmed up first.

    Thread counts take turns within a run, so that a slow spell of the machine meets all of them.
    """
    for scenario in work:  # compiled code, memory and caches
        scenario.live(jobs[-1], device=device)
    times: Times = {n: [] for n in jobs}
    for run in range(runs):
        for n in jobs:
            say(f"run {run + 1} of {runs}", run / runs)
            times[n].append([seconds(partial(scenario.live, n, device=device)) for scenario in work])
    return times


def _rate(name: str, jobs: int, work: Sequence[Scenario], rows: Sequence[Sequence[float]]) -> Rate:
    lives = sum(s.size for s in work)
    lesions = sum(float(s.twins["n_lesions"].sum()) for s in work) / lives
    return Rate(name, jobs, len(work), lesions, measured([lives / sum(row) for row in rows]))


def by_group(work: Sequence[Scenario], times: Times, key: Callable[[Scenario], str]) -> list[Rate]:
    """Rates of the scenarios that share a key, in order of appearance, for each thread count."""
    names = list(dict.fromkeys(key(s) for s in work))
    rates = []
    for jobs, rows in times.items():
        for name in names:
            mine = [i for i, s in enumerate(work) if key(s) == name]
            rates.append(_rate(name, jobs, [work[i] for i in mine], [[row[i] for i in mine] for row in rows]))
    return rates
