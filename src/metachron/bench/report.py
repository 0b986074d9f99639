"""Everything that `metachron bench` measures, as one record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from metachron.bench.child import run_child
from metachron.bench.lives import Progress, Rate, by_group, time_all
from metachron.bench.machine import machine
from metachron.bench.workload import HORIZON_YEARS, Scenario, scenarios, tiled

TWINS, RUNS = 1000, 5
QUICK_TWINS, QUICK_RUNS = 200, 5


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

    `patients_per_second` is the median over runs of all lives of the mix over their summed time.
    """
    twins, runs = (QUICK_TWINS, QUICK_RUNS) if quick else (TWINS, RUNS)
    record = rates(scenarios(twins), jobs, runs, say, "cpu")
    say("memory", 1.0)
    record["memory_mb"] = run_child("memory", twins, max(jobs))["memory_mb"]
    say("other programs", 1.0)
    record["peers"], record["peers_note"] = peers(quick)
    record["compile_seconds"] = None
    if not quick:
        say("compiling from nothing", 1.0)
        record["compile_seconds"] = run_child("cold", empty_cache=True)["compile_seconds"]
    return record


def bench_cuda(*, quick: bool, say: Progress) -> dict[str, Any]:
    """Lives per second on a CUDA device, same scenarios, more twins. Raises EngineError without one."""
    from metachron.engine.cuda import check_device

    check_device()
    twins, runs = (QUICK_TWINS, QUICK_RUNS) if quick else (TWINS, RUNS)
    work = [tiled(scenario, 100 * twins) for scenario in scenarios(twins)]
    record = rates(work, [1], runs, say, "cuda")
    nothing: dict[str, Any] = {
        "memory_mb": None,
        "peers": [],
        "peers_note": "not measured",
        "compile_seconds": None,
    }
    return {**record, **nothing}


def rates(
    work: Sequence[Scenario], jobs: Sequence[int], runs: int, say: Progress, device: str
) -> dict[str, Any]:
    """Lives per second of the mix, of each example and of each scenario, by thread count (or the device)."""
    times = time_all(work, jobs, runs, say, device)
    mix = by_group(work, times, lambda _: "mix")
    return {
        "device": device,
        "patients_per_second": {label(r, device): r.per_second.median for r in mix},
        "spread": {label(r, device): r.per_second.record() for r in mix},
        "examples": [r.record() for r in by_group(work, times, lambda s: s.example)],
        "scenarios": [r.record() for r in by_group(work, times, lambda s: f"{s.example}/{s.strategy}")],
        "workload": describe(work[0].size, len(work)),
        "mean_lesions": mix[0].lesions,
        "runs": runs,
        "machine": machine(),
    }


def label(rate: Rate, device: str) -> str:
    """The thread count, or the device when it is not the processor."""
    return str(rate.jobs) if device == "cpu" else device
