"""Rules of a strategy as the array that the kernel reads."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

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
    ANY_SETTING,
    AT_CYCLE_END,
    AT_CYCLE_START,
    AT_SCAN,
    CR,
    EVERYTHING,
    GIVE_CELLS,
    GIVE_CHECKPOINT,
    GIVE_NOTHING,
    GIVE_VEGF,
    N_RULES,
    PD,
    PR,
    RULE,
    RULE_ANC,
    RULE_CYCLES,
    RULE_DAYS_OFF,
    RULE_FEBRILE,
    RULE_LIVER,
    RULE_LYMPHOCYTES,
    RULE_NADIR,
    RULE_NERVE,
    RULE_NEUTROPENIA,
    RULE_OXALIPLATIN,
    RULE_RESPONSE,
    RULE_TOXICITY,
    SD,
)
from metachron.errors import InputError, Problem
from metachron.model.toxicity import KINDS
from metachron.strategies.schema import EffectClass, Rule

KILL_CLASS = {
    EffectClass.FP: 0,
    EffectClass.OX: 1,
    EffectClass.IRI: 2,
    EffectClass.FTD: 3,
    EffectClass.EGFR: 4,
    EffectClass.TARGET: 5,
    EffectClass.VEGF: GIVE_VEGF,
    EffectClass.CHECKPOINT: GIVE_CHECKPOINT,
    EffectClass.NONE: GIVE_NOTHING,
}
MANY = {"all cytotoxics": ALL_CYTOTOXICS, "everything": EVERYTHING, "cells": GIVE_CELLS}
STATES = {
    "neutrophils": RULE_ANC,
    "neutrophil_nadir": RULE_NADIR,
    "neuropathy_grade": RULE_NERVE,
    "febrile_neutropenia": RULE_FEBRILE,
    "toxicity_grade": RULE_TOXICITY,
    "lymphocytes": RULE_LYMPHOCYTES,
    "neutropenia_grade": RULE_NEUTROPENIA,
    "response": RULE_RESPONSE,
    "cumulative_oxaliplatin": RULE_OXALIPLATIN,
    "liver_volume": RULE_LIVER,
    "cycles": RULE_CYCLES,
    "days_off": RULE_DAYS_OFF,
}
MOMENTS = {"cycle_end": AT_CYCLE_END, "cycle_start": AT_CYCLE_START, "scan": AT_SCAN}
ACTIONS = {
    "delay": ACT_DELAY,
    "reduce": ACT_REDUCE,
    "stop": ACT_STOP,
    "hold": ACT_HOLD,
    "resume": ACT_RESUME,
    "gcsf": ACT_GCSF,
    "pause": ACT_PAUSE,
    "end": ACT_END,
    "switch": ACT_SWITCH,
}
SETTINGS = {None: ANY_SETTING, "adjuvant": ADJUVANT, "advanced": ADVANCED}
RESPONSES = {"complete response": CR, "partial response": PR, "stable disease": SD, "progressive disease": PD}


def pack(rows: list[dict[str, object]], dtype: np.dtype[np.void]) -> NDArray[np.void]:
    """Rows as an array of records; what a row does not name is nought."""
    packed = np.zeros(len(rows), dtype)
    for i, row in enumerate(rows):
        for name, value in row.items():
            packed[i][name] = value
    return packed


def rules_array(rules: Iterable[Rule]) -> NDArray[np.void]:
    """The rules in order, shape (rules,) of RULE. Raises InputError when there are too many."""
    rows = [_row(rule) for rule in rules]
    if len(rows) > N_RULES:
        raise InputError(Problem("dose_rules", f"{len(rows)} rules together", f"at most {N_RULES}"))
    return pack(rows, RULE)


def _row(rule: Rule) -> dict[str, object]:
    target = rule.acts_on
    row: dict[str, object] = {
        "state": STATES[rule.state],
        "at": MOMENTS[rule.read_at],
        "action": ACTIONS[rule.action],
        "target": MANY[target] if target in MANY else KILL_CLASS[EffectClass(target)],
        "kind": sum(1 << KINDS.index(kind) for kind in set(rule.kind)),
        "once": rule.once,
        "occurrence": rule.occurrence,
        "setting": SETTINGS[rule.setting],
        "below": rule.below is not None,
        "of_full": rule.of == "full",
        "until": rule.until == "progression",
        "limit": _limit(rule),
        "value": rule.value if rule.value is not None else float(rule.action == "resume"),
        "max_delay": rule.max_delay_days or 0.0,
        "floor": rule.floor,
    }
    if rule.also:
        also = rule.also
        row["also"] = 1 + STATES[also.state]
        row["also_below"] = also.below is not None
        row["also_limit"] = also.below if also.below is not None else also.at_least
    return row


def _limit(rule: Rule) -> float:
    if rule.is_ is not None:
        return float(sum(1 << RESPONSES[name] for name in set(rule.is_)))
    limit = rule.below if rule.below is not None else rule.at_least
    return 0.0 if limit is None else limit
