"""Walks through the past and lives from today, over threads (the compiled code is in `kernel`)."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metachron.engine.batch import CHUNK, THREADS, Lives
from metachron.engine.check import check_batch
from metachron.engine.gear import host_steps, make_gears
from metachron.engine.records import N_KINDS, OUTCOME, Programme, pack
from metachron.model.compiled import attributes
from metachron.optimise.update.kernel import AS_FOUND as AS_FOUND
from metachron.optimise.update.kernel import COUNT as COUNT
from metachron.optimise.update.kernel import EPISODES as EPISODES
from metachron.optimise.update.kernel import GONE as GONE
from metachron.optimise.update.kernel import HAZARD as HAZARD
from metachron.optimise.update.kernel import IN_SIGHT as IN_SIGHT
from metachron.optimise.update.kernel import LN_CELLS as LN_CELLS
from metachron.optimise.update.kernel import LOOKED as LOOKED
from metachron.optimise.update.kernel import LOWEST as LOWEST
from metachron.optimise.update.kernel import NERVE as NERVE
from metachron.optimise.update.kernel import NOT_LOOKED as NOT_LOOKED
from metachron.optimise.update.kernel import VOLUME_ML as VOLUME_ML
from metachron.optimise.update.kernel import live_some, walk_some


@dataclass(frozen=True)
class Past:
    """What was given, compiled: segment s of `programme` begins on day `starts` (segments,), in order.

    `touched` (segments, columns): 1 for lesions that a procedure removes. `stops` (k,): days on which the
    state is noted, in order, the last of them today.
    """

    programme: Programme
    starts: NDArray[np.float64]
    touched: NDArray[np.float64]
    stops: NDArray[np.float64]

    @property
    def days(self) -> float:
        return float(self.stops[-1])


@dataclass(frozen=True)
class Walked:
    """The past of n lives at k stops.

    `sizes` (n, k, columns, 3): ln living cells, volume (mL) as a scan sees it, visible; by column of the
    lesions given. `bodies` (n, k, 5): neutrophils (1e9/L) of the day, lowest since the stop before, nerve
    burden (mg/m2), episodes of grade 4 neutropenia so far, hazard of death by cancer summed.
    `resistant` (n, 2, classes): living visible cells' mean resistant share today, and where treatment began.
    """

    sizes: NDArray[np.float32]
    bodies: NDArray[np.float64]
    resistant: NDArray[np.float64]


def spared(draws: NDArray[np.void]) -> NDArray[np.void]:
    """Parameter sets of a past in which nobody stops early or dies of fever: the patient has lived it."""
    found = draws.copy()
    found["stop_per_cycle"] = 0.0
    found["febrile_mortality"] = 0.0
    return found


def _threads(work: Callable[..., None], arguments: tuple[object, ...], n: int, jobs: int | None) -> None:
    """Run `work(*arguments, rows)` over chunks of n rows; the result does not depend on `jobs`."""
    chunks = [(first, min(first + CHUNK, n)) for first in range(0, n, CHUNK)]
    workers = max(1, min(jobs or THREADS, os.cpu_count() or 1, len(chunks)))
    with ThreadPoolExecutor(workers) as threads:
        for done in [threads.submit(work, *(*arguments, rows)) for rows in chunks]:
            done.result()


def walk(
    lesions: NDArray[np.void],
    twins: NDArray[np.void],
    draws: NDArray[np.void],
    past: Past,
    *,
    seed: int,
    jobs: int | None = None,
) -> Walked:
    """The past of every twin, noted at the stops. Raises EngineError for arrays that cannot be simulated."""
    check_batch(lesions, twins, draws, past.programme, max(past.days, 1.0))
    n, k = twins.size, past.stops.size
    sizes = np.zeros((n, k, lesions.shape[1], 3), np.float32)
    bodies = np.zeros((n, k, 5))
    resistant = np.zeros((n, 2, twins["logit_macro"].shape[1]))
    safe = spared(draws)
    arguments = (
        attributes(lesions), attributes(twins), attributes(safe),
        attributes(make_gears(safe, host_steps(1.0))), attributes(pack(past.programme)), past.starts,
        past.touched, past.stops, seed, sizes, bodies, resistant,
    )  # fmt: skip
    _threads(walk_some, arguments, n, jobs)
    return Walked(sizes, bodies, resistant)


def live_on(
    lesions: NDArray[np.void],
    then: NDArray[np.void],
    now: NDArray[np.void],
    draws: NDArray[np.void],
    past: Past,
    programme: Programme,
    shown: NDArray[np.int64],
    mode: int,
    *,
    seed: int,
    horizon_days: float,
    jobs: int | None = None,
) -> Lives:
    """The lives of all twins from today on, days counted from today.

    `then`, `now` (n,): the twins of the old assessment and of today, whose key and age differ. `shown`
    (n, columns): lesions that became visible, read when `mode` is AS_FOUND. Raises EngineError.
    """
    check_batch(lesions, now, draws, programme, horizon_days)
    check_batch(lesions, then, draws, past.programme, max(past.days, 1.0))
    n, segments = now.size, programme.segments.size
    outs = np.zeros(n, OUTCOME)
    for field in ("death", "pfs", "hepatic"):
        outs[field] = np.inf
    grades = np.zeros((n, N_KINDS), np.int64)
    starts, ends, progressions = (np.full((n, segments), np.nan) for _ in range(3))
    arguments = (
        attributes(lesions), attributes(then), attributes(now), attributes(spared(draws)), attributes(draws),
        attributes(make_gears(draws, host_steps(1.0))), attributes(pack(past.programme)),
        attributes(pack(programme)), past.starts, past.touched, past.stops, seed, float(horizon_days),
        shown, mode, attributes(outs), grades, starts, ends, progressions,
    )  # fmt: skip
    _threads(live_some, arguments, n, jobs)
    return Lives(outs, grades, starts, ends, progressions, float(horizon_days))
