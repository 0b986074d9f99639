"""Batches of lives: all twins under one programme, over threads, with results that do not depend on them."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from metachron.engine.check import check_batch
from metachron.engine.life import live
from metachron.engine.records import N_KINDS, OUTCOME, Programme
from metachron.model.compiled import attributes, parallel_jit, prange

THREADS: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]


@parallel_jit
def _run(lesions, twins, draws, programme, seed, horizon, outs, grades, starts, ends):
    for i in prange(twins.size):
        twin = twins[i]
        live(
            lesions[i],
            twin,
            draws[twin.draw],
            programme,
            seed,
            horizon,
            outs[i],
            grades[i],
            starts[i],
            ends[i],
        )


@dataclass(frozen=True)
class Lives:
    """What became of the twins: outcomes (n,), worst grades (n, kinds), start and end days (n, segments)."""

    outcomes: NDArray[np.void]
    grades: NDArray[np.int64]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    horizon: float


def simulate(
    lesions: NDArray[np.void],
    twins: NDArray[np.void],
    draws: NDArray[np.void],
    programme: Programme,
    *,
    seed: int,
    horizon_days: float,
    jobs: int | None = None,
) -> Lives:
    """Simulate every twin under the programme.

    Main arguments: `lesions` (n, room) of LESION, `twins` (n,) of TWIN, `draws` (k,) parameter sets,
    `programme`, `horizon_days`. Other: `seed` (streams), `jobs` (threads). Raises EngineError with the
    index of the first unusable entry.
    """
    check_batch(lesions, twins, draws, programme, horizon_days)
    n, segments = twins.size, programme.segments.size
    outs = np.zeros(n, OUTCOME)
    for field in ("death", "pfs", "hepatic"):
        outs[field] = np.inf
    grades = np.zeros((n, N_KINDS), np.int64)
    starts, ends = np.full((n, segments), np.nan), np.full((n, segments), np.nan)
    if jobs is not None:
        numba.set_num_threads(max(1, min(jobs, THREADS)))
    readable = programme._replace(
        segments=attributes(programme.segments),
        admins=attributes(programme.admins),
        rules=attributes(programme.rules),
    )
    _run(
        attributes(lesions), attributes(twins), attributes(draws), readable, seed, float(horizon_days),
        attributes(outs), grades, starts, ends,
    )  # fmt: skip
    return Lives(outs, grades, starts, ends, float(horizon_days))
