"""Tumour paths of virtual patients who cannot die: what a likelihood of single patients is made of.

Death takes nobody out of the paths; its hazard is noted instead (`ffcd_match` uses it), so that one set of
paths serves every patient of the data. The loop is that of `engine.life.live` without death; a test holds the
two against each other.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metachron.engine.advance import advance
from metachron.engine.batch import CHUNK, THREADS
from metachron.engine.begin import begin
from metachron.engine.check import check_batch
from metachron.engine.course import plan_next
from metachron.engine.gear import host_steps, make_gears
from metachron.engine.imaging import MEASURABLE_MM
from metachron.engine.lesions import lesion_ml
from metachron.engine.life import event_day, next_step
from metachron.engine.records import LIVER, OUTCOME, STATE, VISIBLE, Programme, pack
from metachron.model.compiled import UNCOMPILED, attributes, jit

GRID_DAYS = 14.0
SUM_CM, HAZARD, LIVER_SHARE = 0, 1, 2  # columns of a path
QUIET = -200.0  # ln hazard per day that kills nobody, yet can be scaled back
SCALE_BACK = float(np.exp(-QUIET))


@dataclass(frozen=True)
class Paths:
    """Paths of n lives on the days 0, GRID_DAYS, ...

    `values` (n, days, 3): sum of diameters (cm) of the lesions seen on day 0, each from 4 mm on; hazard of
    death by cancer (1/d) over exp(death_intercept), without frailty and without the effect of new lesions;
    tumour over all volume of the liver. `new_day` (n,): scan that shows the first new lesion, else infinite.
    """

    values: NDArray[np.float32]
    new_day: NDArray[np.float64]


def deathless(draws: NDArray[np.void]) -> NDArray[np.void]:
    """The parameter sets with nothing to die of but age; see `spare` for that."""
    spared = draws.copy()
    spared["death_intercept"] = QUIET
    for name in ("death_new_lesion", "death_liver_max", "febrile_mortality"):
        spared[name] = 0.0
    return spared


def spare(twins: NDArray[np.void]) -> NDArray[np.void]:
    """The twins with no death by age and no frailty of their own."""
    spared = twins.copy()
    spared["background_factor"], spared["ln_frailty"] = 1e-12, 0.0
    return spared


@jit
def _note(st, lesions, twin, row):
    """Write the three columns of a path on the day of `st` into `row` (3,)."""
    total, liver = 0.0, 0.0
    for i in range(st.n):
        if st.visible[i] > 0.0 and st.mm[i] >= MEASURABLE_MM and lesions[int(st.slot[i])].status == VISIBLE:
            total += 0.1 * st.mm[i]
        if st.organ[i] == LIVER:
            liver += lesion_ml(st, i)
    row[0] = total
    row[1] = st.hazard_now * SCALE_BACK
    row[2] = liver / (st.liver * twin.liver_ml + liver)


@jit
def _fill(path, first, t0, row0, t1, row1):
    """Fill the grid days in (t0, t1] by straight lines from row `first` on; returns the next row to fill."""
    g = first
    while g < path.shape[0] and g * GRID_DAYS <= t1 + 1e-9:
        w = (g * GRID_DAYS - t0) / (t1 - t0)
        for c in range(row0.size):
            path[g, c] = (1.0 - w) * row0[c] + w * row1[c]
        g += 1
    return g


@jit
def _walk(st, lesions, twin, par, gear, programme, seed, horizon, out, path, rows):
    """One life without death in the record `st`, all noughts; writes `path`, returns day of new disease."""
    before, after = rows[0], rows[1]
    begin(st, lesions, twin, par, gear, programme, seed)
    plan_next(st, programme)
    _note(st, lesions, twin, before)
    path[0] = before
    g, new_day = 1, np.inf
    while st.t < horizon:
        t0 = st.t
        advance(st, twin, par, gear, next_step(st, gear, programme, horizon, 1.0))
        _note(st, lesions, twin, after)
        if st.t > t0:
            g = _fill(path, g, t0, before, st.t, after)
        if st.t >= horizon:
            break
        event_day(st, twin, par, gear, programme, out, seed)
        if st.new_lesion == 1 and new_day == np.inf:
            new_day = st.t
        _note(st, lesions, twin, before)
    return new_day


if UNCOMPILED:

    def _workspace():
        """Two empty lives."""
        return attributes(np.zeros(2, STATE))

else:

    @jit
    def _workspace():
        """Two empty lives."""
        return np.zeros(2, STATE)


@jit
def _some(lesions, twins, draws, gears, programmes, seed, horizon, outs, values, new_day, bounds):
    """Walk the lives of rows bounds[0] to bounds[1] in one workspace."""
    room = _workspace()
    rows = np.zeros((2, values.shape[2]))
    path = np.zeros((values.shape[1], values.shape[2]))
    for i in range(bounds[0], bounds[1]):
        room[0] = room[1]
        draw = twins[i].draw
        new_day[i] = _walk(
            room[0], lesions[i], twins[i], draws[draw], gears[draw], programmes[0], seed, horizon, outs[i],
            path, rows,
        )  # fmt: skip
        values[i] = path


def walk(
    lesions: NDArray[np.void],
    twins: NDArray[np.void],
    draws: NDArray[np.void],
    programme: Programme,
    *,
    seed: int,
    horizon_days: float,
    jobs: int | None = None,
) -> Paths:
    """Paths of all twins under the programme up to the first grid day from the horizon on.

    Arguments as for `engine.batch.simulate`: `lesions` (n, room), `twins` (n,), `draws` (k,), `programme`,
    `seed`, `jobs` threads (None: all). Raises EngineError.
    """
    n, days = twins.size, int(np.ceil(horizon_days / GRID_DAYS)) + 1
    horizon = (days - 1) * GRID_DAYS
    spared, alive = deathless(draws), spare(twins)
    check_batch(lesions, alive, spared, programme, horizon)
    values, new_day = np.zeros((n, days, 3), np.float32), np.full(n, np.inf)
    arguments = (
        attributes(lesions), attributes(alive), attributes(spared),
        attributes(make_gears(spared, host_steps(1.0))), attributes(pack(programme)), seed, horizon,
        attributes(np.zeros(n, OUTCOME)), values, new_day,
    )  # fmt: skip
    chunks = [(first, min(first + CHUNK, n)) for first in range(0, n, CHUNK)]
    workers = max(1, min(jobs or THREADS, os.cpu_count() or 1, len(chunks)))
    with ThreadPoolExecutor(workers) as threads:
        for done in [threads.submit(_some, *(*arguments, rows)) for rows in chunks]:
            done.result()
    return Paths(values, new_day)
