"""The same lives on a CUDA device: the kernel functions of the engine, compiled for it, one thread a twin.

Nothing is written twice: `live` and all it calls are the functions that run on the processor. Each thread
owns one STATE record as its workspace and takes every so-many-th twin. Results differ from the processor's
by rounding only (the device contracts a * b + c into one operation and has its own exp, log and pow), which
can tip a coin that lies within rounding of its threshold.

Needs a CUDA device and the package `numba-cuda` (or the target built into Numba up to its removal). With
NUMBA_ENABLE_CUDASIM=1 and NUMBA_DISABLE_JIT=1 the same launch runs in Numba's simulator.
"""

from __future__ import annotations

import contextlib
import importlib
import warnings
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metachron.engine import life
from metachron.engine.batch import Lives, unlived
from metachron.engine.check import check_batch, check_scale
from metachron.engine.gear import host_steps, make_gears
from metachron.engine.records import STATE, Programme, pack
from metachron.errors import EngineError
from metachron.model.compiled import attributes

BLOCK = 64  # threads of a block: few, since each needs many registers
THREADS = 1 << 15  # threads in flight, each with a workspace; more would not be resident
MEMORY_SHARE = 0.6  # of the free device memory for the arrays of one batch
MOST_TWINS = 1 << 20  # of one batch, so that host and device copies stay small

cuda: Any = None  # a global, as the simulator expects
with contextlib.suppress(ImportError):  # neither Numba's own CUDA target nor numba-cuda
    cuda = importlib.import_module("numba.cuda")
_live: Any = life.live


def check_device() -> None:
    """Raise EngineError when there is no CUDA device, or no package for it."""
    if cuda is None:
        raise EngineError("device cuda needs the package numba-cuda, which is not installed; allowed: cpu")
    if not cuda.is_available():
        raise EngineError("there is no CUDA device here, or no driver for it; allowed: cpu")


def lives(
    lesions: Any, twins: Any, draws: Any, gears: Any, programmes: Any, seed: Any, horizon: Any, scale: Any,
    outs: Any, grades: Any, starts: Any, ends: Any, progressions: Any, work: Any, blank: Any,
) -> None:  # fmt: skip
    """The kernel: one thread lives every twin from its own number on, in steps of the number of threads."""
    me = cuda.grid(1)
    if me < work.size:
        for i in range(me, twins.size, work.size):
            work[me] = blank[0]
            draw = twins[i].draw
            _live(
                work[me], lesions[i], twins[i], draws[draw], gears[draw], programmes[0], seed, horizon, scale,
                outs[i], grades[i], starts[i], ends[i], progressions[i], blank[:0],
            )  # fmt: skip


@cache
def _kernel() -> Any:
    return cuda.jit(lives)


def batch_size(free_bytes: float, threads: int, bytes_each: int, twins: int) -> int:
    """Twins of one batch: as many as fit beside the workspace into the share of the memory, at least 1."""
    room = MEMORY_SHARE * free_bytes - threads * STATE.itemsize
    return int(max(1.0, min(room / bytes_each, MOST_TWINS, twins)))


def _bytes_each(*arrays: NDArray[Any]) -> int:
    """Bytes of one twin's entries in these arrays."""
    return sum(a.nbytes // a.shape[0] for a in arrays)


def simulate_cuda(
    lesions: NDArray[np.void],
    twins: NDArray[np.void],
    draws: NDArray[np.void],
    programme: Programme,
    *,
    seed: int,
    horizon_days: float,
    step_scale: float = 1.0,
) -> Lives:
    """`metachron.engine.batch.simulate` on the device: the same arguments, the same checks, the same lives.

    Raises EngineError without a device, and with the index of the first unusable entry.
    """
    check_device()
    check_batch(lesions, twins, draws, programme, horizon_days)
    check_scale(step_scale)
    found = unlived(twins.size, programme.segments.size, horizon_days)
    gears = make_gears(draws, host_steps(step_scale))
    run_cuda(lesions, twins, draws, gears, programme, seed, float(step_scale), found)
    return found


def run_cuda(
    lesions: NDArray[np.void],
    twins: NDArray[np.void],
    draws: NDArray[np.void],
    gears: NDArray[np.void],
    programme: Programme,
    seed: int,
    scale: float,
    found: Lives,
) -> None:
    """Live every twin on the device into `found`, in batches that fit its memory; they change no result."""
    threads = min(THREADS, twins.size)
    block = min(BLOCK, threads)
    results = (found.outcomes, found.grades, found.starts, found.ends, found.progressions)
    free = cuda.current_context().get_memory_info().free
    size = batch_size(free, threads, _bytes_each(lesions, twins, *results), twins.size)
    work = cuda.device_array(threads, STATE)
    on_device, gear, blank = (_to(a) for a in (draws, gears, np.zeros(1, STATE)))
    plan = _to(pack(programme))
    for begin in range(0, twins.size, size):
        part = slice(begin, begin + size)
        inputs = [_to(a[part]) for a in (lesions, twins)]
        outputs = [_to(a[part]) for a in results]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # few twins are no fault
            _kernel()[-(-threads // block), block](
                *inputs, on_device, gear, plan, seed, found.horizon, scale, *outputs, work, blank
            )
        for host, device in zip(results, outputs, strict=True):
            host[part] = device.copy_to_host()


def _to(array: NDArray[Any]) -> Any:
    return cuda.to_device(attributes(np.ascontiguousarray(array)))
