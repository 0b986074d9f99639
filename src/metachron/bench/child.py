"""What needs a process of its own: peak memory with nothing else in it, and the first run without a cache.

`python -m metachron.bench.child memory|cold|big ...` prints one JSON object; `run_child` starts it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time

from metachron.bench.timing import peak_memory_mb
from metachron.errors import EngineError

Record = dict[str, float | None]
SMALL = ("metachronous_solitary", "perioperative_mfolfox6", 100)


def run_child(*arguments: object, empty_cache: bool = False) -> Record:
    """One JSON object printed by this module in a process of its own.

    With `empty_cache` it starts with no compiled code. Raises EngineError when the process fails.
    """
    command = [sys.executable, "-m", "metachron.bench.child", *map(str, arguments)]
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ)
        if empty_cache:
            environment.pop("NUMBA_CACHE_DIR", None)
            environment["METACHRON_CACHE"] = folder
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise EngineError(f"the measuring process ended with code {done.returncode}: {last}")
    record: Record = json.loads(done.stdout)
    return record


def memory(twins: int, jobs: int) -> Record:
    """Peak memory after the whole workload has been simulated once."""
    from metachron.bench.workload import scenarios

    for scenario in scenarios(twins):
        scenario.live(jobs)
    return {"memory_mb": peak_memory_mb()}


def big(twins: int, jobs: int) -> Record:
    """Memory before and after one batch of `twins` lives, and the seconds it took."""
    from metachron.bench.workload import one, tiled

    scenario = one(*SMALL)
    scenario.live(jobs)
    before = peak_memory_mb()
    batch = tiled(scenario, twins)
    start = time.perf_counter()
    batch.live(jobs)
    took = time.perf_counter() - start
    return {"before_mb": before, "memory_mb": peak_memory_mb(), "seconds": took}


def cold() -> Record:
    """Seconds of the first and the second batch of a process: the difference is compiling or loading."""
    from metachron.bench.workload import one

    times = []
    for _ in range(2):
        start = time.perf_counter()
        one(*SMALL).live()
        times.append(time.perf_counter() - start)
    return {"first_seconds": times[0], "second_seconds": times[1], "compile_seconds": times[0] - times[1]}


def main(arguments: list[str]) -> None:
    """Run the job named first with its whole-number arguments, and print what it measured."""
    name, numbers = arguments[0], [int(a) for a in arguments[1:]]
    record = cold() if name == "cold" else {"memory": memory, "big": big}[name](*numbers)
    print(json.dumps(record))


if __name__ == "__main__":
    main(sys.argv[1:])
