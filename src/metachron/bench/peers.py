"""The kernel beside other solvers on the same deterministic core, at matched accuracy.

Every solver gets the loosest of its settings whose largest error over a year is below TARGET, and is timed
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
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metachron.errors import EngineError

TARGET = 1e-3
# Module below metachron.bench.solvers, package it needs, share of the patients that it is timed on
SOLVERS = {
    "kernel": ("", 8.0),
    "diffrax_tsit5": ("diffrax", 1.0),
    "roadrunner_cvode": ("roadrunner", 0.125),
    "scipy_lsoda": ("scipy", 0.125),
    "rxode2": ("Rscript", 1.0),
    "mrgsolve": ("Rscript", 1.0),
}
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


def settle(module: Any, problem: Any, target: float) -> tuple[float, float]:
    """(loosest setting whose error is below the target, that error). Raises EngineError when none is."""
    times = np.arange(0.0, problem.core.days + 1e-9, EVERY_DAYS)
    truth = None if module.NAME == "kernel" else truth_of(problem, times)
    error = np.inf
    for tolerance in getattr(module, "LADDER", LADDER):
        if module.NAME == "kernel":
            error = module.error(problem, tolerance, CHECKED)
        else:
            some = problem.patients[:CHECKED]
            error = problem.error(module.run(problem.core, some, tolerance, times, problem.columns)[1], truth)
        if error <= target:
            return tolerance, error
    raise EngineError(f"{module.NAME} does not reach an error of {target:g}; the last was {error:.1e}")


def measure(
    solver: str, name: str, patients: int, threads: int, repeats: int, target: float = TARGET
) -> Result:
    """Settle the accuracy of one solver on one problem, then time it, in this process."""
    module = importlib.import_module(f"metachron.bench.solvers.{solver}")
    problems = importlib.import_module("metachron.bench.solvers.problems")
    count = max(CHECKED, int(patients * SOLVERS[solver][1]))
    problem = getattr(problems, name)(count)
    tolerance, error = settle(module, problem, target)
    last = np.array([problem.core.days])
    rates = []
    for _ in range(repeats):
        if module.NAME == "kernel":
            seconds = module.seconds(problem, tolerance, threads)
        else:
            seconds = module.run(problem.core, problem.patients, tolerance, last, problem.columns)[0]
        rates.append(count / seconds)
    return Result(
        solver, module.NAME, version(module), problem.name, threads, count, median(rates),
        (min(rates), max(rates)), tolerance, error,
    )  # fmt: skip


def version(module: Any) -> str:
    """Version of the package behind a solver."""
    own = getattr(module, "version", None)
    return str(own()) if own else importlib.metadata.version(module.PACKAGE)


def run_solver(
    solver: str, problem: str, *, patients: int, threads: int, repeats: int, target: float
) -> Result:
    """`measure` in a process of its own. Raises EngineError when it fails."""
    environment = dict(os.environ)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        environment[name] = str(threads)
    environment["NUMBA_NUM_THREADS"] = str(threads)
    flags = f"--xla_force_host_platform_device_count={threads}" if threads > 1 else ""
    environment["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false"
    environment["JAX_PLATFORMS"] = "cpu"
    command = [sys.executable, "-m", "metachron.bench.peers", solver, problem]
    command += [str(n) for n in (patients, threads, repeats, target)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise EngineError(f"{solver} ended with code {done.returncode}: {last}")
    record = json.loads(done.stdout.splitlines()[-1])
    return Result(**(record | {"spread": tuple(record["spread"])}))


def compare(
    problem: str,
    *,
    patients: int = PATIENTS,
    threads: int = 1,
    repeats: int = REPEATS,
    target: float = TARGET,
) -> tuple[list[Result], list[str]]:
    """(results, one line for each solver that is missing or failed), kernel first."""
    results, absent = [], []
    for solver in SOLVERS:
        why = missing(solver)
        if not why:
            try:
                results.append(
                    run_solver(
                        solver, problem, patients=patients, threads=threads, repeats=repeats, target=target
                    )
                )
                continue
            except EngineError as error:
                why = str(error)
        absent.append(f"{solver}: {why}")
    return results, absent


def peer_ratios(patients: int = 128, repeats: int = 3) -> list[dict[str, Any]]:
    """One record for each other solver installed: name, version, patients_per_second, ratio, error.

    Six lesions under twelve cycles over a year, one thread; `ratio` is the kernel's rate over the peer's.
    """
    results, _ = compare(PROBLEMS[0], patients=patients, repeats=repeats)
    kernel = next((r for r in results if r.solver == "kernel"), None)
    if kernel is None:
        return []
    return [
        {
            "name": r.name,
            "version": r.version,
            "patients_per_second": r.patients_per_second,
            "ratio": kernel.patients_per_second / r.patients_per_second,
            "error": r.error,
        }
        for r in results
        if r.solver != "kernel"
    ]


def main(arguments: list[str]) -> None:
    """Measure one solver and print its record as JSON; on as many cores as threads."""
    solver, problem = arguments[:2]
    patients, threads, repeats = (int(a) for a in arguments[2:5])
    target = float(arguments[5]) if len(arguments) > 5 else TARGET
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    print(json.dumps(asdict(measure(solver, problem, patients, threads, repeats, target))))


if __name__ == "__main__":
    main(sys.argv[1:])
