"""The kernel beside other solvers on the same deterministic core, at matched accuracy.

Every solver gets the loosest of its settings whose largest error over a year is below a target, and is timed
with it in a process of its own, on one core unless told. Errors are against a tight reference, at weekly
days (the kernel's at the ends of its own steps, and of each cycle's nadir), over some of the patients: of ln
cells and ln visible volume of each lesion as they are (the relative error of cells and volume), of
neutrophils, nerve burden and cumulative hazard over their largest value. Timed runs record the last day
only. `peer_ratios` is what `metachron bench` shows.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metachron.errors import EngineError

TARGETS = (1e-2, 1e-3)
# Module below metachron.bench.solvers, package it needs, share of the patients that it is timed on
SOLVERS = {
    "kernel": ("", 32.0),
    "diffrax_tsit5": ("diffrax", 1.0),
    "roadrunner_cvode": ("roadrunner", 0.125),
    "scipy_lsoda": ("scipy", 0.125),
    "rxode2": ("Rscript", 1.0),
    "mrgsolve": ("Rscript", 1.0),
}
THREADED = ("kernel", "diffrax_tsit5")
PROBLEMS = ("treated_disease", "marrow")
LADDER = [10.0 ** (-j / 4) for j in range(8, 40)]  # relative tolerances tried, loosest first
CHECKED, EVERY_DAYS = 8, 7.0
PATIENTS, REPEATS = 512, 5
"""Patients by default, and timed runs of each solver; the median is reported."""


@dataclass(frozen=True)
class Result:
    """One solver on one problem; `error` is the largest at `tolerance`, `spread` the range of the rate."""

    solver: str
    name: str
    version: str
    problem: str
    target: float
    threads: int
    patients: int
    patients_per_second: float
    spread: tuple[float, float]
    tolerance: float
    error: float


def missing(solver: str) -> str:
    """Why a solver cannot be run here, or nothing when it can."""
    package = SOLVERS[solver][0]
    if package == "Rscript":
        from metachron.bench.solvers.r_packages import absent

        return absent(solver)
    if package and importlib.util.find_spec(package) is None:
        return f"{package} is not installed (pip install 'metachron[peers]')"
    return ""


def truth_of(problem: Any, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Tight solution of the first patients."""
    from metachron.bench.solvers.scipy_lsoda import names, reference

    all_names = names(problem.core)
    pick = [all_names.index(name) for name in problem.columns]
    return np.array([reference(p, times)[:, pick] for p in problem.patients[:CHECKED]])


class Accuracy:
    """Error of one solver on one problem by setting, each worked out once."""

    def __init__(self, module: Any, problem: Any) -> None:
        self.module, self.problem = module, problem
        self.times = np.arange(0.0, problem.core.days + 1e-9, EVERY_DAYS)
        self.known: dict[float, float] = {}
        self.truth = None if module.NAME == "kernel" else truth_of(problem, self.times)

    def error(self, setting: float) -> float:
        if setting not in self.known:
            self.known[setting] = self._error(setting)
        return self.known[setting]

    def _error(self, setting: float) -> float:
        problem, some = self.problem, self.problem.patients[:CHECKED]
        if self.truth is None:
            return float(self.module.error(problem, setting, CHECKED))
        _, found = self.module.run(problem.core, some, setting, self.times, problem.columns)
        return float(problem.error(found, self.truth))

    def settle(self, target: float) -> tuple[float, float]:
        """(loosest setting whose error is at most the target, that error). Raises EngineError without one."""
        for setting in getattr(self.module, "LADDER", LADDER):
            if self.error(setting) <= target:
                return setting, self.error(setting)
        best = min(self.known.values())
        raise EngineError(f"does not reach an error of {target:g}; the smallest was {best:.1e}")


def rate(module: Any, problem: Any, setting: float, threads: int) -> float:
    """Patients a second of one timed run."""
    if module.NAME == "kernel":
        return len(problem.patients) / float(module.seconds(problem, setting, threads))
    last = np.array([problem.core.days])
    seconds, _ = module.run(problem.core, problem.patients, setting, last, problem.columns)
    return len(problem.patients) / float(seconds)


def measure(
    solver: str, name: str, targets: Sequence[float], patients: int, threads: int, repeats: int
) -> tuple[list[Result], list[str]]:
    """(one result for each target, why there is none for the others) of a solver, in this process."""
    module = importlib.import_module(f"metachron.bench.solvers.{solver}")
    problems = importlib.import_module("metachron.bench.solvers.problems")
    count = max(CHECKED, int(patients * SOLVERS[solver][1]))
    problem = getattr(problems, name)(count)
    accuracy, results, failed = Accuracy(module, problem), [], []
    for target in targets:
        try:
            setting, error = accuracy.settle(target)
        except EngineError as reason:
            failed.append(f"{module.NAME} {reason}")
            continue
        rates = [rate(module, problem, setting, threads) for _ in range(repeats)]
        spread = (min(rates), max(rates))
        results.append(
            Result(
                solver,
                module.NAME,
                version(module),
                problem.name,
                target,
                threads,
                count,
                median(rates),
                spread,
                setting,
                error,
            )
        )
    return results, failed


def version(module: Any) -> str:
    """Version of the package behind a solver."""
    own = getattr(module, "version", None)
    return str(own()) if own else importlib.metadata.version(module.PACKAGE)


def environment(threads: int) -> dict[str, str]:
    """Settings that keep numerical libraries to so many threads."""
    found = dict(os.environ)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        found[name] = str(threads)
    devices = f"--xla_force_host_platform_device_count={threads}" if threads > 1 else ""
    found["XLA_FLAGS"] = f"{devices} --xla_cpu_multi_thread_eigen=false"
    found["JAX_PLATFORMS"] = "cpu"
    return found


def run_solver(
    solver: str, problem: str, targets: Sequence[float], *, patients: int, threads: int, repeats: int
) -> tuple[list[Result], list[str]]:
    """`measure` in a process of its own. Raises EngineError when it fails."""
    job = {"solver": solver, "name": problem, "targets": list(targets), "patients": patients}
    job |= {"threads": threads, "repeats": repeats}
    command = [sys.executable, "-m", "metachron.bench.peers", json.dumps(job)]
    done = subprocess.run(command, env=environment(threads), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise EngineError(f"ended with code {done.returncode}: {last}")
    records, failed = json.loads(done.stdout.splitlines()[-1])
    return [Result(**(r | {"spread": tuple(r["spread"])})) for r in records], failed


def compare(
    problem: str,
    targets: Sequence[float] = TARGETS,
    *,
    patients: int = PATIENTS,
    threads: int = 1,
    repeats: int = REPEATS,
) -> tuple[list[Result], list[str]]:
    """(results, kernel first, one line for each solver that is missing or failed)."""
    results, absent = [], []
    for solver in SOLVERS:
        if threads > 1 and solver not in THREADED:
            continue
        if why := missing(solver):
            absent.append(f"{solver}: {why}")
            continue
        try:
            found, failed = run_solver(
                solver, problem, targets, patients=patients, threads=threads, repeats=repeats
            )
        except EngineError as error:
            absent.append(f"{solver}: {error}")
            continue
        results += found
        absent += failed
    return results, absent


def peer_ratios(patients: int = 128, repeats: int = 3) -> list[dict[str, Any]]:
    """One record for each other solver installed: name, version, patients_per_second, ratio, error.

    Six lesions under twelve cycles over a year, one thread, at the tightest accuracy that the kernel
    reaches; `ratio` is the kernel's rate over the peer's.
    """
    results, _ = compare(PROBLEMS[0], patients=patients, repeats=repeats)
    mine = [r for r in results if r.solver == "kernel"]
    if not mine:
        return []
    kernel = min(mine, key=lambda r: r.target)
    return [
        {
            "name": r.name,
            "version": r.version,
            "patients_per_second": r.patients_per_second,
            "ratio": kernel.patients_per_second / r.patients_per_second,
            "error": r.error,
        }
        for r in results
        if r.solver != "kernel" and r.target == kernel.target
    ]


def main(job: dict[str, Any]) -> None:
    """Measure one solver and print its records as JSON; on as many cores as threads."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: job["threads"]])
    results, failed = measure(**job)
    print(json.dumps([[asdict(r) for r in results], failed]))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
