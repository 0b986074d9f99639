"""Array layouts shared by Python and compiled code: parameters, twins, lesions, programmes, outcomes.

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
# Rule states and actions
(RULE_ANC, RULE_NADIR, RULE_NERVE, RULE_FEBRILE, RULE_TOXICITY) = range(5)
(ACT_DELAY, ACT_REDUCE, ACT_STOP) = range(3)
# Causes of death and kinds of event
CENSORED, PROGRESSED, DIED = 0, 1, 2
(ALIVE, CAUSE_BACKGROUND, CAUSE_CANCER, CAUSE_OPERATION, CAUSE_TOXICITY) = range(5)
# RECIST best response; 0 is "not measured"
NOT_MEASURED, CR, PR, SD, PD = range(5)

TWIN = np.dtype(
    [
        ("key", "i8"), ("draw", "i8"), ("n_lesions", "i8"), ("start_line", "i8"), ("nerve_grade", "i8"),
        ("msi_high", "i8"), ("growth", "f8"), ("sensitivity", "f8"), ("immune", "f8"), ("egfr_active", "f8"),
        ("age", "f8"), ("background_factor", "f8"), ("neutrophils", "f8"), ("marrow_factor", "f8"),
        ("nerve_factor", "f8"), ("bsa", "f8"), ("liver_ml", "f8"), ("liver_share", "f8"), ("nerve_burden", "f8"),
        ("logit_macro", "f8", (CLASSES,)), ("logit_micro", "f8", (CLASSES,)),
    ]
)  # fmt: skip
LESION = np.dtype(
    [
        ("x", "f8"),
        ("offset", "f8"),
        ("growth", "f8"),
        ("organ", "i8"),
        ("status", "i8"),
        ("near_vessel", "i8"),
    ]
)
SEGMENT = np.dtype(
    [
        ("kind", "i8"), ("gap", "f8"), ("cycle_days", "i8"), ("cycles", "i8"), ("admin_from", "i8"),
        ("admin_to", "i8"), ("resect", "i8"), ("ablate", "i8"), ("device", "f8"), ("margin", "f8"),
        ("ablate_max", "f8"), ("mortality", "f8"), ("morbidity", "f8"), ("recovery", "f8"), ("remnant", "f8"),
        ("marrow", "f8"), ("lymph", "f8"), ("cytotoxic", "i8"), ("needs_response", "i8"), ("line", "i8"),
        ("dose", "f8", (CLASSES,)),
    ]
)  # fmt: skip
ADMIN = np.dtype(
    [("day", "i8"), ("what", "i8"), ("amount", "f8"), ("chemo", "f8"), ("ox_mg", "f8"), ("until_cycle", "i8"),
     ("half_life", "f8")]
)  # fmt: skip
RULE = np.dtype(
    [
        ("state", "i8"),
        ("limit", "f8"),
        ("action", "i8"),
        ("target", "i8"),
        ("value", "f8"),
        ("max_delay", "f8"),
    ]
)
OUTCOME = np.dtype(
    [
        ("death", "f8"), ("cause", "i8"), ("pfs", "f8"), ("pfs_event", "i8"), ("hepatic", "f8"),
        ("hepatic_event", "i8"), ("local_failure", "i8"), ("no_cells", "i8"), ("response", "i8"),
        ("cycles_given", "i8"), ("dose_given", "f8"), ("lines", "i8"), ("resected", "i8"),
    ]
)  # fmt: skip
STATE = np.dtype(
    [
        ("t", "f8"), ("segment", "i8"), ("planned_next", "i8"), ("queued", "i8"), ("queue_day", "f8"),
        ("cycle", "i8"), ("cycle_start", "f8"), ("next_cycle", "f8"), ("admin", "i8"), ("delayed", "f8"), ("next_scan", "f8"),
        ("scan_origin", "f8"), ("line", "i8"), ("line_index", "i8"), ("course", "i8"), ("ned", "i8"),
        ("new_lesion", "i8"), ("repeats", "i8"), ("nadir_sum", "f8"), ("nadir_liver", "f8"), ("base_sum", "f8"),
        ("vegf", "f8"), ("checkpoint", "f8"), ("stress", "f8"), ("nerve_x", "f8"),
        ("nerve_n", "f8"), ("liver", "f8"), ("hazard_cancer", "f8"), ("limit_cancer", "f8"), ("hazard_now", "f8"),
        ("death_background", "f8"), ("death_set", "f8"), ("set_cause", "i8"), ("host_until", "f8"), ("nadir", "f8"),
        ("febrile", "i8"), ("tox_now", "i8"), ("cell_decay", "f8"), ("best", "i8"),
        ("febrile_count", "i8"), ("nerve_rule", "i8"), ("nerve_peak", "f8"), ("nerve_closed", "i8"), ("done", "i8"),
    ]
)  # fmt: skip


class Programme(NamedTuple):
    """A strategy compiled for one patient; arrays only, read by the kernel.

    segments: planned steps first (n_planned of them), then later lines, then the repeat local therapy.
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
    on_treatment_days: float
    first_scan: float
    ct_limit: float


class Life(NamedTuple):
    """Working arrays of one life: lesions first, then the body."""

    x: NDArray[np.float64]
    rate: NDArray[np.float64]
    kill: NDArray[np.float64]
    left: NDArray[np.float64]
    phi: NDArray[np.float64]
    debris: NDArray[np.float64]
    alive: NDArray[np.int64]
    visible: NDArray[np.int64]
    treated: NDArray[np.int64]
    target: NDArray[np.int64]
    host: NDArray[np.float64]
    work: NDArray[np.float64]
    amounts: NDArray[np.float64]
    effect: NDArray[np.float64]
    decay: NDArray[np.float64]
    coin: NDArray[np.float64]
    dose: NDArray[np.float64]
    integral: NDArray[np.float64]
    tox_hazard: NDArray[np.float64]
