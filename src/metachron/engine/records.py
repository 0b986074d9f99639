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
PROGRESSED, DIED = 1, 2
(_ALIVE, CAUSE_BACKGROUND, CAUSE_CANCER, CAUSE_OPERATION, CAUSE_TOXICITY) = range(5)
# RECIST best response; 0 is "not measured"
NOT_MEASURED, CR, PR, SD, PD = range(5)


def _layout(whole: str, real: str, per_class: str = "") -> np.dtype[np.void]:
    """A record of int64 fields, then float64 fields, then float64 vectors over kill classes."""
    fields: list[tuple[str, ...] | tuple[str, str, tuple[int]]] = [(n, "i8") for n in whole.split()]
    fields += [(n, "f8") for n in real.split()]
    fields += [(n, "f8", (CLASSES,)) for n in per_class.split()]
    return np.dtype(fields)


TWIN = _layout(
    "key draw n_lesions start_line nerve_grade msi_high",
    "growth sensitivity immune checkpoint egfr_active age background_factor neutrophils marrow_factor"
    " nerve_factor liver_ml liver_share nerve_burden",
    "logit_macro logit_micro",
)
LESION = _layout("organ status near_vessel", "x offset growth")
SEGMENT = _layout(
    "kind cycle_days cycles admin_from admin_to resect ablate cytotoxic needs_response line",
    "gap device margin ablate_max mortality morbidity recovery remnant marrow lymph",
    "dose",
)
ADMIN = _layout("day what until_cycle", "amount chemo ox_mg half_life")
RULE = _layout("state action target", "limit value max_delay")
OUTCOME = _layout(
    "cause pfs_event hepatic_event local_failure no_cells response cycles_given lines resected",
    "death pfs hepatic dose_given",
)
STATE = _layout(
    # where the strategy stands
    "segment planned_next queued cycle admin line line_index course ned new_lesion repeats"
    # what has happened
    " set_cause febrile tox_now best febrile_count nerve_rule nerve_closed stop_count done",
    "t queue_day cycle_start next_cycle delayed next_scan scan_origin nadir_sum nadir_liver base_sum"
    " vegf checkpoint stress nerve_x nerve_n nerve_peak liver hazard_cancer limit_cancer hazard_now"
    " death_background death_set host_until nadir cell_decay",
)


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
    held: NDArray[np.float64]
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
