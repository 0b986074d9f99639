"""`metachron bench`: how fast the engine is here."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metachron.commands import inputs, terminal

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class BenchOptions:
    """The options of `metachron bench`, checked when made (InputError)."""

    jobs: list[int]
    quick: bool
    as_json: bool
    device: str = "cpu"

    def __post_init__(self) -> None:
        inputs.check_device(self.device)
        for jobs in self.jobs:
            inputs.check_range("--jobs", jobs)

    @property
    def threads(self) -> list[int]:
        """Thread counts to measure: those asked for, else one and all."""
        return sorted(set(self.jobs or [1, inputs.cores()]))


def run_bench(options: BenchOptions) -> None:
    """Measure, then print tables or one JSON object; progress on stderr."""
    with terminal.progress_shown() as progress:
        progress("loading the model", 0.0)
        from metachron.bench.report import bench, bench_cuda

        if options.device == "cuda":
            record = bench_cuda(quick=options.quick, say=progress)
        else:
            record = bench(options.threads, quick=options.quick, say=progress)
    if options.as_json:
        sys.stdout.write(json.dumps(record, indent=2, allow_nan=False) + "\n")
    else:
        show(record)


def show(record: dict[str, Any]) -> None:
    """Lives per second by example and thread count, then memory, compiling and other programs."""
    console = terminal.output_console()
    console.print(rates_table(record))
    memory, compiling = record["memory_mb"], record["compile_seconds"]
    print(f"Memory, most: {'not known here' if memory is None else f'{memory:.0f} MB'}")
    print(f"Compiling from nothing: {'skipped' if compiling is None else f'{compiling:.1f} s'}")
    if record["peers"]:
        console.print(peers_table(record["peers"]))
    else:
        print(f"Other programs: {record['peers_note']}")
    print(f"Workload: {record['workload']}; medians of {record['runs']} runs.")
    print("Machine: " + ", ".join(f"{k} {v}" for k, v in record["machine"].items() if v is not None))


def rates_table(record: dict[str, Any]) -> Table:
    """One row an example, the mix last; one column a thread count."""
    from rich.table import Table

    threads = list(record["patients_per_second"])
    unit = "" if record["device"] != "cpu" else " threads"
    table = Table("example", "strategies", "lesions", *(f"lives/s, {n}{unit}" for n in threads))
    names = list(dict.fromkeys(r["name"] for r in record["examples"]))
    for name in names:
        mine = [r for r in record["examples"] if r["name"] == name]
        first, rates = mine[0], [f"{r['patients_per_second']['median']:,.0f}" for r in mine]
        table.add_row(name, str(first["strategies"]), f"{first['mean_lesions']:.1f}", *rates)
    total = [f"{record['spread'][n]['median']:,.0f}" for n in threads]
    table.add_section()
    table.add_row(
        "all", str(len(record["scenarios"]) // len(threads)), f"{record['mean_lesions']:.1f}", *total
    )
    return table


def peers_table(peers: list[dict[str, Any]]) -> Table:
    """Other programs on the deterministic core, with their largest error at the setting that was timed."""
    from rich.table import Table

    table = Table("program", "version", "patients/s", "largest error", "metachron is faster by")
    for peer in peers:
        table.add_row(
            peer["name"],
            peer["version"],
            f"{peer['patients_per_second']:,.1f}",
            f"{peer['error']:.1e}",
            f"{peer['ratio']:,.1f}x",
        )
    return table
