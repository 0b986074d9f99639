"""Array layouts shared by Python and compiled code: twins, lesions, programmes, the running life, outcomes.

Times in days, sizes in ln cells, volumes in mL, rates per day.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from metachron.model.kill import CLASSES
from metachron.model.toxicity import KINDS

N_KINDS = len(KINDS)

# Lesion status
ABSENT, VISIBLE, OCCULT = 0, 1, 2
# Organs
LIVER, LUNG, PERITONEUM, NODES = 0, 1, 2, 3
# Segment kinds
PROCEDURE, SYSTEMIC = 0, 1
# What an administration is, beyond the kill classes 0..5
GIVE_VEGF, GIVE_CHECKPOINT, GIVE_CELLS, GIVE_NOTHING = 6, 7, 8, 9
# Rules: what they read, when, what they do, to what, in which courses, and how long an interval lasts
(RULE_ANC, RULE_NADIR, RULE_NERVE, RULE_FEBRILE, RULE_TOXICITY, RULE_LYMPHOCYTES, RULE_NEUTROPENIA,
 RULE_RESPONSE, RULE_OXALIPLATIN, RULE_LIVER, RULE_CYCLES, RULE_DAYS_OFF) = range(12)  # fmt: skip
(AT_CYCLE_END, AT_CYCLE_START, AT_SCAN) = range(3)
(ACT_DELAY, ACT_REDUCE, ACT_STOP, ACT_HOLD, ACT_RESUME, ACT_GCSF, ACT_PAUSE, ACT_END, ACT_SWITCH) = range(9)
ALL_CYTOTOXICS, EVERYTHING = -1, -2
(ANY_SETTING, ADJUVANT, ADVANCED) = range(3)
(NOT_PAUSED, UNTIL_DAY, UNTIL_PROGRESSION) = range(3)
# What follows recurrence
(LOCAL_THEN_SYSTEMIC, SYSTEMIC_ONLY, NOTHING_MORE) = range(3)
# What starts a planned step
(START_PLANNED, START_PROGRESSION, START_RECURRENCE) = range(3)
# Most lesions of one twin, rules, steps, administrations and rows of scans of one programme
ROOM, N_RULES, N_SEGMENTS, N_ADMINS, N_SCANS = 128, 32, 48, 384, 32
N_GIVEN = 9  # things given: the kill classes, then 6, 7, 8
# Causes of death and kinds of event
PROGRESSED, DIED = 1, 2
(_ALIVE, CAUSE_BACKGROUND, CAUSE_CANCER, CAUSE_OPERATION, CAUSE_TOXICITY) = range(5)
# RECIST best response; 0 is "not measured"
NOT_MEASURED, CR, PR, SD, PD = range(5)


def _layout(whole_: str, real_: str, /, **vectors: tuple[int, ...]) -> np.dtype[np.void]:
    """A record of int64 fields, then float64 fields, then named float64 vectors of the given shapes."""
    fields: list[tuple[str, str] | tuple[str, str, tuple[int, ...]]] = [(n, "i8") for n in whole_.split()]
    fields += [(n, "f8") for n in real_.split()]
    fields += [(n, "f8", shape) for n, shape in vectors.items()]
    return np.dtype(fields)


_K = (CLASSES,)
TWIN = _layout(
    "key draw n_lesions start_line nerve_grade msi_high",
    "growth sensitivity immune checkpoint egfr_active age background_factor neutrophils marrow_factor"
    " nerve_factor liver_ml liver_share nerve_burden ln_frailty",
    logit_macro=_K,
    logit_micro=_K,
)
# resistance: added to the logits of the twin's resistant fractions
LESION = _layout("organ status near_vessel", "x offset growth resistance")
SEGMENT = _layout(
    "kind cycle_days cycles admin_from admin_to resect ablate cryo cytotoxic needs_response line trigger"
    " max_lesions",
    "gap hazard_factor margin ablate_max mortality morbidity recovery remnant marrow lymph max_mm",
    dose=_K,
)
ADMIN = _layout("day what until_cycle", "amount chemo ox_mg half_life")
# kind: bit mask over KINDS, 0 any reported; limit of a response: bit mask over RECIST codes; also: 1 + the
# second state, 0 none; until: 1 until progression; below, also_below: the limit is an upper one
RULE = _layout(
    "state at action target kind once occurrence setting below of_full until also also_below",
    "limit value max_delay floor also_limit",
)
OUTCOME = _layout(
    "cause pfs_event hepatic_event local_failure no_cells response cycles_given lines resected",
    "death pfs hepatic dose_given",
)
# What depends on the parameter draw alone, worked out once for each draw (see engine/gear.py).
GEAR = _layout(
    "host_steps",
    "ln_k span per_span decay_m decay_l decay_v decay_c decay_s k_l nerve_k1 nerve_k2 ln_symptom cell_kill",
    decay=_K,
    ktr=(2,),
    # the marrow step: (normal, fine, coarse, finest), and for the matrices (without, with G-CSF)
    step=(4,),
    per_step=(4,),
    fade=(4,),
    moment=(4, 4),
    carry=(4, 2, 8, 4),
)
# A running life. The chain is P, T1, T2, T3, C and the feedback (C0 / C)^gamma.
STATE = _layout(
    # where the strategy stands
    "segment planned_next queued cycle admin line line_index failed course ned new_lesion repeats"
    # what has happened
    " set_cause febrile best febrile_count nerve_closed stop_count done gcsf lymph n gcsf_on"
    " paused last_response cycle_from felt",
    "t queue_day cycle_start next_cycle delayed next_scan scan_origin nadir_sum nadir_liver base_sum"
    " vegf checkpoint stress nerve_x nerve_n nerve_peak liver hazard_cancer limit_cancer hazard_now"
    " death_background death_set host_until nadir cell_decay removed_on removed pulse lymphocytes cells"
    " ox_total scan_limit ln_total total_on kill kill_time kill_spread",
    # the body; amounts act on marrow, lymphocytes (kill per day) and infused cells
    chain=(6,),
    amounts=(3,),
    # drugs, by class
    rate=_K,
    effect=_K,
    integral=_K,
    given=_K,
    whole=_K,
    part=_K,
    shrink=_K,
    dose=(N_GIVEN,),
    held=(N_GIVEN,),
    tox_hazard=(N_KINDS,),
    tox_limit=(N_KINDS,),
    tox_grade=(N_KINDS,),
    rule_hits=(N_RULES,),
    # what is written out at the end
    grades=(N_KINDS,),
    starts=(N_SEGMENTS,),
    ends=(N_SEGMENTS,),
    progressions=(N_SEGMENTS,),
    # lesions
    x=(ROOM,),
    cells_now=(ROOM,),
    growth=(ROOM,),
    resistance=(ROOM,),
    held_back=(ROOM,),
    debris=(ROOM,),
    extinct_below=(ROOM,),
    seen_above=(ROOM,),
    mm=(ROOM,),
    wakes=(ROOM,),
    slot=(ROOM,),
    organ=(ROOM,),
    near_vessel=(ROOM,),
    alive=(ROOM,),
    visible=(ROOM,),
    treated=(ROOM,),
    target=(ROOM,),
    resistant=(CLASSES, ROOM),
    phi=(CLASSES, ROOM),
)


class Programme(NamedTuple):
    """A strategy compiled for one patient; arrays only, read by the kernel.

    segments: planned steps first (n_planned of them), then later lines, then the repeat local therapy;
    secondary_segment is the removal of metastases that have responded, -1 where nobody has it.
    toxicity: hazard per cycle, shape (segments, kinds); grade4: share of those events that are grade 4+.
    scans: rows of (until day, every days), days counted from the start of surveillance.
    """

    segments: NDArray[np.void]
    admins: NDArray[np.void]
    rules: NDArray[np.void]
    toxicity: NDArray[np.float64]
    grade4: NDArray[np.float64]
    scans: NDArray[np.float64]
    n_planned: int
    continue_segment: int
    n_lines: int
    repeat_segment: int
    most_repeats: int
    on_recurrence: int
    on_treatment_days: float
    first_scan: float
    ct_limit: float
    ox_before: float
    secondary_segment: int = -1


# The programme as the kernel reads it: one record, so that threads share no counted references.
_PLAN_WHOLE = (
    "n_segments n_admins n_rules n_scans n_planned continue_segment n_lines repeat_segment most_repeats"
    " on_recurrence secondary_segment"
)
PLAN = np.dtype(
    [
        *((name, "i8") for name in _PLAN_WHOLE.split()),
        *((name, "f8") for name in ("on_treatment_days", "first_scan", "ct_limit", "ox_before")),
        ("segments", SEGMENT, (N_SEGMENTS,)),
        ("admins", ADMIN, (N_ADMINS,)),
        ("rules", RULE, (N_RULES,)),
        ("toxicity", "f8", (N_SEGMENTS, N_KINDS)),
        ("grade4", "f8", (N_SEGMENTS, N_KINDS)),
        ("scans", "f8", (N_SCANS, 2)),
    ]
)


def pack(programme: Programme) -> NDArray[np.void]:
    """The programme as one PLAN record, shape (1,); it must have passed the checks."""
    packed = np.zeros(1, PLAN)
    for name, value in programme._asdict().items():
        if isinstance(value, np.ndarray):
            packed[name][0, : len(value)] = value
            if f"n_{name}" in (PLAN.names or ()):
                packed[f"n_{name}"] = len(value)
        else:
            packed[name] = value
    return packed
