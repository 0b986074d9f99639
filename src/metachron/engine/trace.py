"""The whole state of one life after every step, to look inside and to verify."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from metachron.engine.check import check_batch, check_scale
from metachron.engine.gear import host_steps, make_gears
from metachron.engine.life import live
from metachron.engine.records import N_KINDS, OUTCOME, STATE, Programme, pack
from metachron.model.compiled import attributes

FIRST_ROOM = 512


def trace(
    lesions: NDArray[np.void],
    twins: NDArray[np.void],
    draws: NDArray[np.void],
    programme: Programme,
    *,
    seed: int,
    horizon_days: float,
    twin: int = 0,
    step_scale: float = 1.0,
) -> NDArray[np.void]:
    """Copies of the STATE record of twin number `twin` at the end of every step.

    Arguments as for `simulate`; the field `t` is the day. Raises EngineError.
    """
    check_batch(lesions, twins, draws, programme, horizon_days)
    check_scale(step_scale)
    segments = programme.segments.size
    draw = int(twins[twin]["draw"])
    gears = make_gears(draws[draw : draw + 1], host_steps(step_scale))
    plan, room = attributes(pack(programme)), FIRST_ROOM
    while True:
        rows, work, out = np.zeros(room, STATE), np.zeros(1, STATE), np.zeros(1, OUTCOME)
        used = live(
            attributes(work)[0], attributes(lesions)[twin], attributes(twins)[twin], attributes(draws)[draw],
            attributes(gears)[0], plan[0], seed, float(horizon_days), float(step_scale),
            attributes(out)[0], np.zeros(N_KINDS, np.int64), np.full(segments, np.nan),
            np.full(segments, np.nan), np.full(segments, np.nan), attributes(rows),
        )  # fmt: skip
        if used <= room:
            return rows[:used]
        room = used
