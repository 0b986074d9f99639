"""Day 0 of a life: lesions with their coins, the body, the day of death by age."""

from __future__ import annotations

import math

from metachron.engine import random as keyed
from metachron.engine.advance import hazard
from metachron.engine.imaging import next_scan_day, set_baseline
from metachron.engine.lesions import LN_NADIR
from metachron.engine.records import ABSENT, GIVE_CELLS, OCCULT, ROOM, RULE_LYMPHOCYTES, VISIBLE
from metachron.model.compiled import jit
from metachron.model.death import background_day
from metachron.model.growth import CELLS_PER_ML
from metachron.model.host import start_chain
from metachron.model.kill import CLASSES


@jit
def place_lesion(st, lesion, twin, par, seed, slot, ln_limit):
    """Put one lesion of the twin into the life; its coins carry its own number."""
    i = st.n
    st.n += 1
    st.slot[i] = slot
    st.x[i] = lesion.x
    st.cells_now[i] = math.exp(lesion.x)
    st.growth[i] = twin.growth * lesion.growth
    st.resistance[i] = lesion.resistance
    st.alive[i] = 1.0
    st.visible[i] = 1.0 if lesion.status == VISIBLE else 0.0
    st.organ[i] = lesion.organ
    st.near_vessel[i] = lesion.near_vessel
    st.held_back[i], st.debris[i], st.treated[i], st.target[i] = 0.0, 0.0, 0.0, 0.0
    st.seen_above[i] = math.exp(ln_limit + lesion.offset) / CELLS_PER_ML
    spared = -math.log(keyed.uniform(seed, twin.key, keyed.EXTINCTION, slot)) / (1.0 - par.death_over_birth)
    st.extinct_below[i] = min(LN_NADIR, math.log(spared))
    st.wakes[i] = 0.0
    if par.dormancy_days > 0.0 and lesion.status == OCCULT:
        st.wakes[i] = par.dormancy_days * keyed.exponential(seed, twin.key, keyed.DORMANCY, slot)
    for k in range(CLASSES):
        st.resistant[k, i], st.phi[k, i] = 0.0, 0.0


@jit
def lymphocytes_matter(programme):
    """Does the programme give cells, or a rule read lymphocytes?"""
    for a in range(programme.n_admins):
        if programme.admins[a].what == GIVE_CELLS:
            return True
    for r in range(programme.n_rules):
        rule = programme.rules[r]
        if rule.state == RULE_LYMPHOCYTES or rule.also == 1 + RULE_LYMPHOCYTES:
            return True
    return False


@jit
def start_body(st, twin, par, gear, programme):
    """Body and doses at day 0."""
    start_chain(st.chain, twin.neutrophils, gear.ktr[0], par.neutrophil_loss)
    st.nadir = twin.neutrophils
    st.lymphocytes = 1.0
    st.lymph = 1 if lymphocytes_matter(programme) else 0
    st.cell_decay = 0.1
    st.liver = twin.liver_share
    st.nerve_n = twin.nerve_burden
    st.ox_total = programme.ox_before
    st.dose[:] = 1.0
    st.given[:] = -1.0
    st.starts[:] = math.nan
    st.ends[:] = math.nan
    st.progressions[:] = math.nan
    st.total_on = -math.inf
    st.whole[:] = 1.0
    st.line = twin.start_line
    st.failed = max(twin.start_line - 1, 0)


@jit
def begin(st, lesions, twin, par, gear, programme, seed):
    """State at day 0, in a record that is all noughts."""
    st.segment, st.queued, st.cycle = -1, -1, -1
    st.queue_day = math.inf
    start_body(st, twin, par, gear, programme)
    target = keyed.exponential(seed, twin.key, keyed.DEATH_BACKGROUND, 0)
    st.death_background = background_day(
        target, twin.age, par.background_65, par.background_doubling_years, twin.background_factor
    )
    st.death_set = math.inf
    st.limit_cancer = keyed.exponential(seed, twin.key, keyed.DEATH_CANCER, 0)
    st.scan_limit = programme.ct_limit
    ln_limit = math.log(programme.ct_limit)
    visible = 0.0
    for slot in range(twin.n_lesions):
        if lesions[slot].status != ABSENT and st.n < ROOM:
            place_lesion(st, lesions[slot], twin, par, seed, slot, ln_limit)
            visible += st.visible[st.n - 1]
    st.ned = 1 if visible == 0.0 else 0
    st.course = 0 if visible == 0.0 else 1
    st.hazard_now = hazard(st, twin, par)
    set_baseline(st)
    st.next_scan = next_scan_day(st, programme)
