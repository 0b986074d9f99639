"""Runs in a process of its own: `simulate OUT` in the CUDA simulator, `compile CC` with the device compiler.

`compile` ends with code 77 where the packages for it are missing; no device is needed.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np

from metachron.bench.workload import DRAWS, SEED, Scenario, first, one
from metachron.engine import cuda
from metachron.engine.batch import Lives, simulate

CASES = (("metachronous_solitary", "cryoablation_cik"), ("msi_high", "mfolfox6_cik_day1"))
TWINS, DAYS = 3, 250.0
MISSING = 77


def case(example: str, strategy: str) -> Scenario:
    return first(one(example, strategy, 100), TWINS)


def lives(scenario: Scenario, device: str) -> Lives:
    s = scenario
    run = cuda.simulate_cuda if device == "cuda" else simulate
    return run(s.lesions, s.twins, s.draws, s.programme, seed=SEED, horizon_days=DAYS)


def arrays(found: Lives) -> dict[str, Any]:
    return {name: getattr(found, name) for name in ("outcomes", "grades", "starts", "ends")}


def run_simulator(path: str) -> None:
    """Outcomes of each case: on the simulator, the same in small batches, uncompiled on the processor."""
    found = {}
    for i, names in enumerate(CASES):
        scenario = case(*names)
        for kind, threads, most in (("whole", 1 << 15, 1 << 20), ("parts", 2, 2)):
            cuda.THREADS, cuda.MOST_TWINS = threads, most
            found |= {f"{i} {kind} {k}": v for k, v in arrays(lives(scenario, "cuda")).items()}
        found |= {f"{i} plain {k}": v for k, v in arrays(lives(scenario, "cpu")).items()}
    np.savez(path, **found)


def run_compiler(major: int, minor: int) -> None:
    """Compile the kernel to PTX; prints its size in bytes and the target."""
    try:
        import numba_cuda  # noqa: F401
        from numba.cuda import cudadrv, dispatcher
    except ImportError:
        sys.exit(MISSING)
    from numba import typeof

    from metachron.engine.gear import host_steps, make_gears
    from metachron.engine.records import N_KINDS, OUTCOME, STATE, pack
    from metachron.parameters import draw_parameters

    class Device:
        compute_capability = (major, minor)

    dispatcher.get_current_device = Device  # functions called by the kernel ask the device at hand
    s = case(*CASES[0])
    n, segments = s.size, s.programme.segments.size
    found = Lives(
        np.zeros(n, OUTCOME), np.zeros((n, N_KINDS), np.int64),
        *(np.zeros((n, segments)) for _ in range(3)), DAYS,
    )  # fmt: skip
    draws = draw_parameters(DRAWS, SEED)
    arguments = (
        s.lesions, s.twins, draws, make_gears(draws, host_steps(1.0)), pack(s.programme), SEED, DAYS, 1.0,
        *arrays(found).values(), np.zeros(2, STATE), np.zeros(1, STATE),
    )  # fmt: skip
    signature = tuple(typeof(a) for a in arguments)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ptx, _ = cuda.cuda.compile_ptx(cuda.lives, signature, cc=(major, minor))
    except cudadrv.error.NvvmSupportError:
        sys.exit(MISSING)
    print(len(ptx), next(line for line in ptx.splitlines() if line.startswith(".target")))


if __name__ == "__main__":
    if sys.argv[1] == "simulate":
        run_simulator(sys.argv[2])
    else:
        run_compiler(*(int(n) for n in sys.argv[2].split(".")))
