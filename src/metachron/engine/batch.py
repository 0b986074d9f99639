"""Batches of lives: all twins under one programme, over threads, with results that do not depend on them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metachron.engine.check import check_batch, check_scale
from metachron.engine.gear import host_steps, make_gears
from metachron.engine.life import live
from metachron.engine.records import N_KINDS, OUTCOME, STATE, Programme, pack
from metachron.errors import EngineError
from metachron.model.compiled import UNCOMPILED, attributes, jit

CHUNK = 32  # lives in a row on one thread, in one workspace
THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if UNCOMPILED:

    def workspace():
        """Two empty lives."""
        return attributes(np.zeros(2, STATE))

else:

    @jit
    def workspace():
        """Two empty lives."""
        return np.zeros(2, STATE)


@jit
def _some(
    lesions, twins, draws, gears, programmes, seed, horizon, scale, outs, grades, starts, ends, progressions,
    rows,
):  # fmt: skip
    """Live the lives of some rows, (first, last), in a single workspace."""
    programme = programmes[0]
    room = workspace()  # a life at work, and an empty one to start from
    trace = room[:0]
    for i in range(rows[0], rows[1]):
        room[0] = room[1]
        draw = twins[i].draw
        live(
            room[0], lesions[i], twins[i], draws[draw], gears[draw], programme, seed, horizon, scale,
            outs[i], grades[i], starts[i], ends[i], progressions[i], trace,
        )  # fmt: skip


@dataclass(frozen=True)
class Lives:
    """What became of the twins: outcomes (n,), worst grades (n, kinds), start and end days (n, segments).

    `progressions` (n, segments): day of the first progression or recurrence on or after the start of each
    segment, infinity when there is none, nan when the segment did not start.
    """

    outcomes: NDArray[np.void]
    grades: NDArray[np.int64]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    progressions: NDArray[np.float64]
    horizon: float


def unlived(twins: int, segments: int, horizon_days: float) -> Lives:
    """Lives in which nothing has happened yet, to be written into."""
    outcomes = np.zeros(twins, OUTCOME)
    for field in ("death", "pfs", "hepatic"):
        outcomes[field] = np.inf
    never = np.full((twins, segments), np.nan)
    return Lives(
        outcomes,
        np.zeros((twins, N_KINDS), np.int64),
        never,
        never.copy(),
        never.copy(),
        float(horizon_days),
    )


def simulate(
    lesions: NDArray[np.void],
    twins: NDArray[np.void],
    draws: NDArray[np.void],
    programme: Programme,
    *,
    seed: int,
    horizon_days: float,
    jobs: int | None = None,
    step_scale: float = 1.0,
    device: str = "cpu",
) -> Lives:
    """Simulate every twin under the programme.

    Main arguments: `lesions` (n, room) of LESION, `twins` (n,) of TWIN, `draws` (k,) parameter sets,
    `programme`, `horizon_days`. Other: `seed` (streams), `jobs` (threads), `step_scale` (below 1 for
    shorter steps, to measure their error), `device` (cpu or cuda). Raises EngineError with the index of the
    first unusable entry.
    """
    if device == "cuda":
        from metachron.engine.cuda import simulate_cuda

        return simulate_cuda(
            lesions, twins, draws, programme, seed=seed, horizon_days=horizon_days, step_scale=step_scale
        )
    if device != "cpu":
        raise EngineError(f"device is {device!r}; allowed: cpu, cuda")
    check_batch(lesions, twins, draws, programme, horizon_days)
    check_scale(step_scale)
    n = twins.size
    found = unlived(n, programme.segments.size, horizon_days)
    gears = make_gears(draws, host_steps(step_scale))
    arguments = (
        attributes(lesions), attributes(twins), attributes(draws), attributes(gears),
        attributes(pack(programme)), seed, found.horizon, float(step_scale),
        attributes(found.outcomes), found.grades, found.starts, found.ends, found.progressions,
    )  # fmt: skip
    chunks = [(first, min(first + CHUNK, n)) for first in range(0, n, CHUNK)]
    workers = max(1, min(jobs or THREADS, THREADS, len(chunks)))
    with ThreadPoolExecutor(workers) as threads:  # compiled code frees the lock
        for done in [threads.submit(_some, *(*arguments, rows)) for rows in chunks]:
            done.result()
    return found
