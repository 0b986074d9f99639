"""Lives that have a past: twins live the treatment really given, then any strategy from today.

The past has no scans, rules or early stops: what was given was given, and nobody dies in it. The hazard of
death by cancer is summed instead, so that the lives can be weighed by survival; since an exponential coin has
no memory, the time left is a fresh coin. From today on a life is that of `engine.life.live`, from the state
that the past has left; a test holds the two against each other where there is no past.
"""

from __future__ import annotations

import math

import numpy as np

from metachron.engine import random as keyed
from metachron.engine.advance import advance, hazard
from metachron.engine.begin import begin, lymphocytes_matter
from metachron.engine.course import end_course
from metachron.engine.imaging import look, next_scan_day, set_baseline
from metachron.engine.lesions import lesion_ml
from metachron.engine.life import live_on, next_step
from metachron.engine.procedures import operate
from metachron.engine.records import (
    OUTCOME,
    PROCEDURE,
    ROOM,
    STATE,
)
from metachron.engine.rules import ENDS
from metachron.engine.treatment import begin_systemic, cycle_boundary, give
from metachron.model.compiled import UNCOMPILED, attributes, jit
from metachron.model.death import background_day
from metachron.model.growth import CELLS_PER_ML
from metachron.model.host import C

# Columns of `Walked.sizes` and of `Walked.bodies`
LN_CELLS, VOLUME_ML, IN_SIGHT = 0, 1, 2
COUNT, LOWEST, NERVE, EPISODES, HAZARD = 0, 1, 2, 3, 4
ELSEWHERE = 9.0  # no organ of the engine
GONE = -99.0  # ln cells of a lesion without living cells
# What is seen today: as found, as this scan would see, or nothing new
AS_FOUND, LOOKED, NOT_LOOKED = 1, 0, -1


@jit
def _operate(st, twin, par, programme, touched, out, seed, s):
    """A procedure on the lesions it touched; the others count as elsewhere meanwhile, out of its reach."""
    spared = np.full(ROOM, -1.0)
    organ = -1
    for i in range(st.n):
        if st.visible[i] > 0.0:
            if touched[s, int(st.slot[i])] > 0.0:
                organ = int(st.organ[i]) if organ < 0 else organ
            else:
                spared[i], st.organ[i] = st.organ[i], ELSEWHERE
    operate(st, programme.segments[s], twin, par, out, seed, max(organ, 0), st.repeats, False)
    st.repeats += 1
    for i in range(st.n):
        if spared[i] >= 0.0:
            st.organ[i] = spared[i]
    set_baseline(st)
    st.hazard_now = hazard(st, twin, par)


@jit
def _treat(st, twin, par, gear, programme, out, seed):
    """Cycles and administrations due today; nothing follows a course that has ended."""
    if st.segment < 0:
        return
    if st.next_cycle <= st.t + 1e-9 and cycle_boundary(st, twin, par, programme, out, seed) >= ENDS:
        end_course(st)
        return
    segment = programme.segments[st.segment]
    while st.admin < segment.admin_to:
        admin = programme.admins[st.admin]
        if st.cycle_start + admin.day > st.t + 1e-9:
            break
        if admin.until_cycle == 0 or st.cycle < admin.until_cycle:
            give(st, twin, par, gear, segment, admin)
        st.admin += 1


@jit
def _note(st, sizes, bodies, lowest):
    """Write the state of today into one stop."""
    sizes[:, LN_CELLS] = GONE
    for i in range(st.n):
        slot = int(st.slot[i])
        if st.alive[i] > 0.0:
            sizes[slot, LN_CELLS] = st.x[i]
        sizes[slot, VOLUME_ML] = lesion_ml(st, i)
        sizes[slot, IN_SIGHT] = st.visible[i]
    bodies[COUNT], bodies[LOWEST] = st.chain[C], lowest
    bodies[NERVE], bodies[EPISODES], bodies[HAZARD] = st.nerve_n, st.febrile_count, st.hazard_cancer


@jit
def _to(st, twin, par, gear, until):
    """Advance to `until`; returns the lowest neutrophil count on the way."""
    nadir = st.nadir
    st.nadir = st.chain[C]
    advance(st, twin, par, gear, until)
    low = st.nadir
    st.nadir = min(nadir, low)
    return low


@jit
def _past(st, lesions, twin, par, gear, programme, starts, touched, stops, seed, out, sizes, bodies):
    """Live the given course in the record `st`, all noughts, up to the last stop."""
    begin(st, lesions, twin, par, gear, programme, seed)
    st.lymph = 1
    st.limit_cancer, st.death_background, st.next_scan = math.inf, math.inf, math.inf
    s, stop = 0, 0
    lowest = st.chain[C]
    while True:
        while s < starts.size and starts[s] <= st.t + 1e-9:
            end_course(st)
            if programme.segments[s].kind == PROCEDURE:
                _operate(st, twin, par, programme, touched, out, seed, s)
            else:
                st.dose[:] = 1.0  # a share of the dose is that of one course
                begin_systemic(st, twin, par, programme, s)
                st.hazard_now = hazard(st, twin, par)
            s += 1
        _treat(st, twin, par, gear, programme, out, seed)
        while stop < stops.size and stops[stop] <= st.t + 1e-9:
            _note(st, sizes[stop], bodies[stop], lowest)
            lowest = st.chain[C]
            stop += 1
        if stop >= stops.size:
            return
        until = min(next_step(st, gear, programme, stops[stop], 1.0), stops[stop])
        if s < starts.size:
            until = min(until, starts[s])
        lowest = min(lowest, _to(st, twin, par, gear, until))


@jit
def _resistant(st, found):
    """Mean resistant share of visible disease, weighed by living cells: today, and when first treated."""
    total = 0.0
    found[:] = 0.0
    for i in range(st.n):
        if st.visible[i] > 0.0 and st.alive[i] > 0.0:
            total += st.cells_now[i]
            for k in range(found.shape[1]):
                found[0, k] += st.cells_now[i] * st.resistant[k, i]
                found[1, k] += st.cells_now[i] * st.phi[k, i]
    for k in range(found.shape[1]):
        if st.given[k] < 0.0 or total <= 0.0:
            found[0, k] = found[1, k] = math.nan
        else:
            found[0, k] /= total
            found[1, k] /= total


@jit
def _sight(st, lesions, twin, par, programme, shown, mode):
    """What is visible today: as found (`shown` by column), as a scan would see, or as it was."""
    ln_limit = math.log(programme.ct_limit)
    for i in range(st.n):
        st.seen_above[i] = math.exp(ln_limit + lesions[int(st.slot[i])].offset) / CELLS_PER_ML
    st.scan_limit = programme.ct_limit
    new = 0
    if mode == LOOKED:
        new, _, _ = look(st, 1.0)
    elif mode == AS_FOUND:
        for i in range(st.n):
            if st.visible[i] == 0.0 and shown[int(st.slot[i])] > 0:
                st.visible[i] = 1.0
                new += 1
    if new > 0:
        if st.ned:
            st.course += 1
            st.new_lesion = 0
        else:
            st.new_lesion = 1
            st.failed += 1
        st.ned = 0
    st.hazard_now = hazard(st, twin, par)


@jit
def _clean(st, programme):
    """Nothing of the old programme is left but what it has done to the patient."""
    st.segment, st.queued, st.cycle, st.planned_next, st.admin = -1, -1, -1, 0, 0
    st.queue_day, st.delayed, st.next_cycle = math.inf, 0.0, 0.0
    st.line_index, st.repeats, st.stop_count, st.febrile_count, st.febrile = 0, 0, 0, 0, 0
    st.best, st.done, st.last_response = 0, 0, 0
    st.gcsf, st.gcsf_on, st.paused, st.cycle_from = 0, 0, 0, 0
    st.nerve_closed, st.nerve_peak = 0, st.nerve_n
    st.nadir = st.chain[C]
    st.dose[:] = 1.0
    st.held[:] = 0.0
    st.tox_hazard[:] = 0.0
    st.tox_limit[:] = 0.0
    st.tox_grade[:] = 0.0
    st.rule_hits[:] = 0.0
    st.grades[:] = 0.0
    st.starts[:] = math.nan
    st.ends[:] = math.nan
    st.progressions[:] = math.nan
    st.ox_total = programme.ox_before
    st.lymph = 1 if lymphocytes_matter(programme) else 0
    if not st.lymph:
        st.cells, st.amounts[1], st.amounts[2] = 0.0, 0.0, 0.0


@jit
def _turn(st, lesions, twin, par, programme, seed, shown, mode):
    """From the past to the plan: today's sight, fresh coins of death, nothing planned yet."""
    today = st.t
    _sight(st, lesions, twin, par, programme, shown, mode)
    _clean(st, programme)
    target = keyed.exponential(seed, twin.key, keyed.DEATH_BACKGROUND, 0)
    st.death_background = today + background_day(
        target, twin.age, par.background_65, par.background_doubling_years, twin.background_factor
    )
    st.death_set, st.set_cause = math.inf, 0
    st.hazard_cancer = 0.0
    st.limit_cancer = keyed.exponential(seed, twin.key, keyed.DEATH_CANCER, 0)
    st.scan_origin = today
    set_baseline(st)
    st.next_scan = next_scan_day(st, programme)


@jit
def _onward(st, twin, par, gear, programme, seed, horizon, out, grades, starts, ends, progressions, none):
    """The rest of a life; all days are counted from today. `none`: no room for a trace."""
    today = st.t
    live_on(st, twin, par, gear, programme, seed, today + horizon, 1.0, out, none)
    out.death -= today
    out.pfs -= today
    out.hepatic -= today
    for kind in range(grades.size):
        grades[kind] = int(st.grades[kind])
    for s in range(starts.size):
        starts[s], ends[s] = st.starts[s] - today, st.ends[s] - today
        progressions[s] = st.progressions[s] - today


if UNCOMPILED:

    def _workspace():
        """Two empty lives."""
        return attributes(np.zeros(2, STATE))

    def _outcome():
        """An outcome nobody reads."""
        return attributes(np.zeros(1, OUTCOME))

else:

    @jit
    def _workspace():
        """Two empty lives."""
        return np.zeros(2, STATE)

    @jit
    def _outcome():
        """An outcome nobody reads."""
        return np.zeros(1, OUTCOME)


@jit
def walk_some(
    lesions, twins, draws, gears, programmes, starts, touched, stops, seed, sizes, bodies, resistant, rows
):  # fmt: skip
    """Walk the past of rows[0] to rows[1] in one workspace."""
    room, out = _workspace(), _outcome()
    for i in range(rows[0], rows[1]):
        room[0] = room[1]
        draw = twins[i].draw
        _past(
            room[0], lesions[i], twins[i], draws[draw], gears[draw], programmes[0], starts, touched, stops,
            seed, out[0], sizes[i], bodies[i],
        )  # fmt: skip
        _resistant(room[0], resistant[i])


@jit
def live_some(
    lesions, then, now, spared_draws, draws, gears, pasts, programmes, starts, touched, stops, seed, horizon,
    shown, mode, outs, grades, begun, ended, progressions, rows,
):  # fmt: skip
    """Live past and future of rows[0] to rows[1] in one workspace."""
    room, out = _workspace(), _outcome()
    sizes = np.zeros((stops.size, lesions.shape[1], 3), np.float32)
    bodies = np.zeros((stops.size, 5))
    for i in range(rows[0], rows[1]):
        room[0] = room[1]
        draw = now[i].draw
        _past(
            room[0], lesions[i], then[i], spared_draws[draw], gears[draw], pasts[0], starts, touched, stops,
            seed, out[0], sizes, bodies,
        )  # fmt: skip
        _turn(room[0], lesions[i], now[i], draws[draw], programmes[0], seed, shown[i], mode)
        _onward(
            room[0], now[i], draws[draw], gears[draw], programmes[0], seed, horizon, outs[i], grades[i],
            begun[i], ended[i], progressions[i], room[:0],
        )  # fmt: skip
