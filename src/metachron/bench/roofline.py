"""How far the engine is from what this processor could do: the work of a life against measured peaks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from metachron.bench.peaks import peaks
from metachron.bench.timing import timed
from metachron.bench.workload import first, scenarios, tiled
from metachron.errors import EngineError

# What is counted, by the rate it is priced at. A function of `math` not named here is priced as exp.
PRICES = {
    "add": "multiply", "multiply": "multiply", "divide": "divide", "sqrt": "divide", "pow": "pow",
    "log": "log", "log1p": "log", "ceil": "multiply", "floor": "multiply", "fabs": "multiply",
    "integer": "multiply",
}  # fmt: skip
COPIES = 200


def price(name: str) -> str:
    """The measured operation that stands for a counted one."""
    return PRICES.get(name, "exp")


def bound_seconds(operations: Mapping[str, float], rates: Mapping[str, float]) -> float:
    """Least seconds of so many operations, one kind after the other, at these operations per second."""
    return sum(number / rates[price(name)] for name, number in operations.items())


def counted(lives: int, examples: list[str] | None = None) -> dict[str, Any]:
    """Operations of the first `lives` twins of each scenario, counted in a process of its own, uncompiled."""
    command = [sys.executable, "-m", "metachron.bench.counting", str(lives), *(examples or [])]
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise EngineError(f"counting operations ended with code {done.returncode}: {last}")
    record: dict[str, Any] = json.loads(done.stdout)
    return record


def life_seconds(lives: int, threads: int, runs: int, examples: list[str] | None = None) -> float:
    """Measured seconds a life of the same twins (each copied, so that a batch lasts), compiled."""
    work = [first(scenario, lives) for scenario in scenarios(100, examples)]
    many = [tiled(scenario, COPIES * lives, same=True) for scenario in work]

    def once() -> None:
        for scenario in many:
            scenario.live(threads)

    return timed(once, runs).median / sum(s.size for s in many)


def roofline(
    threads: list[int], lives: int = 1, runs: int = 5, examples: list[str] | None = None
) -> dict[str, Any]:
    """Counts, peaks, and for each thread count the bounds beside what was measured (lives per second)."""
    found = counted(lives, examples)
    rows = []
    for n in threads:
        rates = peaks(n)
        rows.append(
            {
                "threads": n,
                "peaks": rates,
                "bounds": {
                    name: 1.0 / bound_seconds(found["operations"], rate) for name, rate in rates.items()
                },
                "measured": 1.0 / life_seconds(lives, n, runs, examples),
            }
        )
    return {"counts": found, "threads": rows}
