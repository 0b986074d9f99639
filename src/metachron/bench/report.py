"""Everything that `metachron bench` measures, as one record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from metachron.bench.child import run_child
from metachron.bench.lives import Progress, by_group, time_all
from metachron.bench.machine import machine
from metachron.bench.workload import HORIZON_YEARS, scenarios

TWINS, RUNS = 500, 5
QUICK_TWINS, QUICK_RUNS = 50, 5


def describe(twins: int, strategies: int) -> str:
    """The workload in words."""
    return (
        f"full life histories over {HORIZON_YEARS:g} years: the seven built-in examples, each under every "
        f"strategy that a plan simulates for it ({strategies} in all), {twins} matched twins each"
    )


def peers(quick: bool) -> tuple[list[dict[str, Any]], str]:
    """(one record for each other program, why there is none). Only those installed are measured."""
    from metachron.bench.peers import peer_ratios

    found = peer_ratios(16, 1) if quick else peer_ratios()
    return found, "" if found else "not measured, none is installed (pip install 'metachron[peers]')"


def bench(jobs: Sequence[int], *, quick: bool, say: Progress) -> dict[str, Any]:
    """Measure everything. `jobs` are thread counts; `quick` takes fewer twins and skips the cold start.

    The first record is the median over runs of all lives of the mix over their summed time.
    """
    twins, runs = (QUICK_TWINS, QUICK_RUNS) if quick else (TWINS, RUNS)
    say("matching twins", 0.0)
    work = scenarios(twins)
    times = time_all(work, jobs, runs, say)
    mix = by_group(work, times, lambda _: "mix")
    say("memory", 1.0)
    memory = run_child("memory", twins, max(jobs))["memory_mb"]
    say("other programs", 1.0)
    others, missing = peers(quick)
    compile_seconds = None
    if not quick:
        say("compiling from nothing", 1.0)
        compile_seconds = run_child("cold", empty_cache=True)["compile_seconds"]
    return {
        "patients_per_second": {str(r.jobs): r.per_second.median for r in mix},
        "spread": {str(r.jobs): r.per_second.record() for r in mix},
        "memory_mb": memory,
        "compile_seconds": compile_seconds,
        "peers": others,
        "peers_note": missing,
        "examples": [r.record() for r in by_group(work, times, lambda s: s.example)],
        "scenarios": [r.record() for r in by_group(work, times, lambda s: f"{s.example}/{s.strategy}")],
        "workload": describe(twins, len(work)),
        "mean_lesions": mix[0].lesions,
        "runs": runs,
        "machine": machine(),
    }
