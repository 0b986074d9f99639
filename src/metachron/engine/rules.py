"""Rules inside a life: read a state, compare it with a limit, change what is given.

A rule is read at the start of a cycle, at its end, or after a scan, and only in a course that gives some of
its target. Everything here reads and writes the record of the life (`st`); days, 1e9/L, mg/m2, shares.
"""

from __future__ import annotations

import math

from metachron.engine.records import (
    ACT_DELAY,
    ACT_END,
    ACT_GCSF,
    ACT_HOLD,
    ACT_PAUSE,
    ACT_REDUCE,
    ACT_RESUME,
    ACT_STOP,
    ACT_SWITCH,
    ADJUVANT,
    ADVANCED,
    ALL_CYTOTOXICS,
    AT_CYCLE_START,
    EVERYTHING,
    GIVE_CELLS,
    N_GIVEN,
    NOT_PAUSED,
    RULE_ANC,
    RULE_CYCLES,
    RULE_FEBRILE,
    RULE_LIVER,
    RULE_LYMPHOCYTES,
    RULE_NADIR,
    RULE_NERVE,
    RULE_NEUTROPENIA,
    RULE_OXALIPLATIN,
    RULE_RESPONSE,
    RULE_TOXICITY,
    UNTIL_DAY,
    UNTIL_PROGRESSION,
)
from metachron.model.compiled import jit
from metachron.model.host import C
from metachron.model.kill import CLASSES, EGFR, TARGET
from metachron.model.nerve import nerve_grade
from metachron.model.toxicity import FIRST_REPORTED, neutropenia_grade

# What the rules of one moment decide about the course; the greatest counts
(GO_ON, GOES_ON_ANYWAY, PAUSES, ENDS, SWITCHES) = range(5)


@jit
def worst_toxicity(st, kinds):
    """Worst CTCAE grade of the last cycle over a bit mask of kinds; 0 means every reported kind."""
    worst = 0
    for kind in range(st.tox_grade.size):
        if (kinds == 0 and kind >= FIRST_REPORTED) or (kinds >> kind) & 1 == 1:
            worst = max(worst, int(st.tox_grade[kind]))
    return worst


@jit
def neuropathy(st, twin, par):
    """CTCAE grade of sensory neuropathy now."""
    grade2, grade3 = par.neuropathy_grade2_mg_m2, par.neuropathy_grade3_mg_m2
    return nerve_grade(st.nerve_n, twin.nerve_factor, twin.nerve_grade, grade2, grade3)


@jit
def state_of(st, twin, par, state, kinds):
    """The state that a rule reads, as a number."""
    if state == RULE_ANC:
        return st.chain[C]
    if state == RULE_NADIR:
        return st.nadir
    if state == RULE_NERVE:
        return float(neuropathy(st, twin, par))
    if state == RULE_FEBRILE:
        return float(st.febrile)
    if state == RULE_TOXICITY:
        return float(worst_toxicity(st, kinds))
    if state == RULE_LYMPHOCYTES:
        return st.lymphocytes
    if state == RULE_NEUTROPENIA:
        return float(neutropenia_grade(st.nadir))
    if state == RULE_OXALIPLATIN:
        return st.ox_total
    if state == RULE_LIVER:
        return st.liver
    if state == RULE_CYCLES:
        return float(st.cycle + 1 - st.cycle_from)
    return st.t - st.cycle_start if st.cycle >= 0 else 0.0  # days off


@jit
def holds(value, limit, below):
    """Is the value on the side of the limit that the rule names?"""
    return value < limit if below == 1 else value >= limit


@jit
def limit_met(st, twin, par, rule):
    """Do both limits of a rule hold?"""
    if rule.state == RULE_RESPONSE:
        met = st.last_response > 0 and (int(rule.limit) >> int(st.last_response)) & 1 == 1
    else:
        met = holds(state_of(st, twin, par, rule.state, rule.kind), rule.limit, rule.below)
    if met and rule.also > 0:
        met = holds(state_of(st, twin, par, rule.also - 1, 0), rule.also_limit, rule.also_below)
    return met


@jit
def on_target(target, k):
    """Does the target of a rule include what is given under the number k?"""
    if target == EVERYTHING:
        return True
    if target == ALL_CYTOTOXICS:
        return k < CLASSES and k != EGFR and k != TARGET
    return k == target


@jit
def gives(programme, segment, k):
    """Does the course give k at all?"""
    for a in range(segment.admin_from, segment.admin_to):
        if programme.admins[a].what == k:
            return True
    return False


@jit
def read_here(programme, segment, rule, at):
    """Is the rule read at this moment, in this course?"""
    if rule.at != at:
        return False
    if (rule.setting == ADJUVANT and segment.line > 0) or (rule.setting == ADVANCED and segment.line == 0):
        return False
    if rule.target == EVERYTHING:
        return True
    if rule.target == ALL_CYTOTOXICS or (
        rule.target < CLASSES and rule.target != EGFR and rule.target != TARGET
    ):
        return segment.cytotoxic == 1
    return gives(programme, segment, rule.target)


@jit
def full_dose(segment, k):
    """Starting dose of this patient in this course, as a share of the regimen's dose."""
    return segment.dose[k] if k < CLASSES else 1.0


@jit
def change_doses(st, segment, rule):
    """Reduce, stop, hold or resume the target. Returns True when something changed."""
    changed = False
    for k in range(N_GIVEN):
        if not on_target(rule.target, k):
            continue
        level = st.dose[k]
        if rule.action == ACT_REDUCE:
            base = 1.0 if rule.of_full == 1 else level
            level = min(level, max(rule.floor, base * rule.value))
        elif rule.action == ACT_STOP:
            level = 0.0
        elif rule.action == ACT_HOLD and st.held[k] == 0.0:
            st.held[k] = 1.0
            changed = True
        elif rule.action == ACT_RESUME:
            if st.held[k] == 1.0:
                st.held[k] = 0.0
                changed = True
            if level == 0.0 and full_dose(segment, k) > 0.0:
                level = min(rule.value, full_dose(segment, k))
        if level != st.dose[k]:
            st.dose[k] = level
            changed = True
    return changed


@jit
def pause(st, programme, rule):
    """Begin an interval without treatment: until a day, or until progression."""
    if st.paused != NOT_PAUSED:
        return False
    st.paused = UNTIL_PROGRESSION if rule.until == 1 else UNTIL_DAY
    st.next_cycle = math.inf if rule.until == 1 else st.t + rule.value
    st.admin = programme.segments[st.segment].admin_to
    return True


@jit
def wake(st):
    """The interval is over: the next cycle is due today."""
    st.next_cycle = st.t


@jit
def act(st, programme, segment, rule):
    """Carry out a rule. Returns (did it change anything, what it decides about the course)."""
    if rule.action == ACT_GCSF:
        did = st.gcsf == 0
        st.gcsf = 1
        return did, GO_ON
    if rule.action == ACT_PAUSE:
        did = pause(st, programme, rule)
        return did, PAUSES if did else GO_ON
    if rule.action == ACT_END or rule.action == ACT_SWITCH:
        return True, ENDS if rule.action == ACT_END else SWITCHES
    did = change_doses(st, segment, rule)
    if rule.action == ACT_RESUME:
        if rule.target == EVERYTHING and st.paused != NOT_PAUSED:
            wake(st)
            did = True
        return did, GOES_ON_ANYWAY if did else GO_ON
    return did, GO_ON


@jit
def met_again(st, twin, par, rule, r):
    """Is the limit met, and often enough for the rule to act? A rule that acts once is marked with -1."""
    if st.rule_hits[r] < 0 or not limit_met(st, twin, par, rule):
        return False
    st.rule_hits[r] += 1
    return st.rule_hits[r] >= rule.occurrence


@jit
def apply_rules(st, twin, par, programme, at):
    """All rules of one moment in order, delays left aside. Returns what they decide about the course."""
    decision = GO_ON
    segment = programme.segments[st.segment]
    for r in range(programme.n_rules):
        rule = programme.rules[r]
        if rule.action == ACT_DELAY or not read_here(programme, segment, rule, at):
            continue
        if met_again(st, twin, par, rule, r):
            did, verdict = act(st, programme, segment, rule)
            decision = max(decision, verdict)
            if did and rule.once == 1:
                st.rule_hits[r] = -1
    return decision


@jit
def days_to_wait(st, twin, par, programme):
    """Days by which the rules delay the cycle that is due; infinity when the wait has lasted too long."""
    segment = programme.segments[st.segment]
    for r in range(programme.n_rules):
        rule = programme.rules[r]
        if rule.action != ACT_DELAY or not read_here(programme, segment, rule, AT_CYCLE_START):
            continue
        if met_again(st, twin, par, rule, r):
            if rule.once == 1:
                st.rule_hits[r] = -1
            if st.delayed + rule.value > rule.max_delay:
                return math.inf
            return rule.value
    return 0.0


@jit
def given_level(st, what):
    """Level of what is given today: nought while it is held; 1 for what no rule can change."""
    if what > GIVE_CELLS:
        return 1.0
    return 0.0 if st.held[what] == 1.0 else st.dose[what]


@jit
def same_drugs(st, programme, running, candidate):
    """Would the candidate only go on with what is being given now? Then progression has just refuted it."""
    for a in range(candidate.admin_from, candidate.admin_to):
        what = programme.admins[a].what
        if what <= GIVE_CELLS and not (gives(programme, running, what) and st.dose[what] > 0.0):
            return False
    return True
