"""Unit and title of every constant of the deterministic core."""

from __future__ import annotations

from metachron.interop.core import CLASS_NAMES

DIMENSIONLESS, PER_DAY = "dimensionless", "per_day"

PLAIN: dict[str, tuple[str, str]] = {
    "rho_resistant": (DIMENSIONLESS, "Kill of resistant over sensitive cells"),
    "kill_micro_factor": (DIMENSIONLESS, "Cytotoxic kill of microscopic over visible lesions"),
    "egfr_micro_factor": (DIMENSIONLESS, "Anti-EGFR kill of microscopic over visible lesions"),
    "dead_tissue_clearance": (PER_DAY, "Clearance of killed tissue"),
    "vegf_imax": (DIMENSIONLESS, "Largest slowing of growth by anti-VEGF drugs"),
    "vegf_ic50_mg_l": ("mg_per_L", "Anti-VEGF level of half effect"),
    "chemo_sensitising": (DIMENSIONLESS, "Gain of immune kill under chemotherapy stress"),
    "cell_homing": (DIMENSIONLESS, "Share of infused cells that reach lesions"),
    "cell_kill": (PER_DAY, "Largest immune kill by infused cells in this patient"),
    "cell_expansion": (PER_DAY, "Expansion of infused cells in empty lymphoid space"),
    "cell_chemo_toxicity": (PER_DAY, "Kill of infused cells by a full-dose cycle"),
    "cell_capacity": ("cells", "Largest number of infused cells sustained"),
    "checkpoint_kill": (PER_DAY, "Checkpoint-inhibitor kill in this patient"),
    "marrow_feedback": (DIMENSIONLESS, "Feedback exponent of the marrow"),
    "marrow_transit": (PER_DAY, "Rate through the marrow chain"),
    "marrow_factor": (DIMENSIONLESS, "Marrow sensitivity of this patient"),
    "marrow_support": (PER_DAY, "Lymphocytes returned by infused cells at saturation"),
    "support_half_cells": ("cells", "Infused cells at half of that support"),
    "neutrophil_loss": (PER_DAY, "Loss of circulating neutrophils"),
    "neutrophils_start": ("count", "Neutrophils before treatment"),
    "lymphocyte_recovery": (PER_DAY, "Recovery of lymphocytes"),
    "nerve_onset": (PER_DAY, "Passage of oxaliplatin to the nerve"),
    "nerve_recovery": (PER_DAY, "Recovery of the nerve"),
    "nerve_start": ("mg_per_m2", "Nerve burden at day 0"),
    "liver_regrowth": (PER_DAY, "Regrowth rate of the liver remnant"),
    "liver_plateau": (DIMENSIONLESS, "Liver volume reached after resection over original"),
    "liver_start": (DIMENSIONLESS, "Liver volume at day 0 over original"),
    "liver_ml": ("mL", "Original liver volume"),
    "death_intercept": (DIMENSIONLESS, "ln cancer hazard per day without measurable disease"),
    "death_burden": (DIMENSIONLESS, "Slope of ln hazard on ln(1 + sum of diameters in cm)"),
    "death_full_cm": ("cm", "Sum of diameters at which 63 % of the law of hazard is reached"),
    "death_liver_max": (PER_DAY, "Hazard of death in liver replacement"),
    "death_liver_mid": (DIMENSIONLESS, "Tumour share of the liver at half that hazard"),
    "death_liver_width": (DIMENSIONLESS, "Width of that curve"),
    "ln_capacity": (DIMENSIONLESS, "ln of the Gompertz plateau in cells"),
    "line_growth_start": (DIMENSIONLESS, "Growth in the line of treatment at day 0 over the first"),
    "decay_vegf": (PER_DAY, "Decay of the anti-VEGF level"),
    "decay_checkpoint": (PER_DAY, "Decay of the checkpoint inhibitor effect"),
    "decay_stress": (PER_DAY, "Decay of chemotherapy stress"),
    "decay_marrow": (PER_DAY, "Decay of the drug effect on marrow"),
    "decay_lymph": (PER_DAY, "Decay of the drug effect on lymphocytes and infused cells"),
}
PER_CLASS: dict[str, tuple[str, str]] = {
    "kill": (PER_DAY, "Kill by {} drugs at 5e10 cells and full dose in this patient"),
    "decay": (PER_DAY, "Decay of the effect of {} drugs"),
    "logit_macro": (DIMENSIONLESS, "Logit of the resistant share of visible lesions to {} drugs"),
    "logit_micro": (DIMENSIONLESS, "Logit of the resistant share of microscopic lesions to {} drugs"),
}
PER_LESION: dict[str, tuple[str, str]] = {
    "size": (DIMENSIONLESS, "ln cells of lesion {} at day 0"),
    "growth": (PER_DAY, "Growth rate of lesion {} at 5e10 cells"),
    "resistance": (DIMENSIONLESS, "Added to the logits of the resistant shares of lesion {}"),
}


def describe(name: str) -> tuple[str, str]:
    """(unit, title) of a constant. Raises KeyError for a name that is not one."""
    if name in PLAIN:
        return PLAIN[name]
    stem, _, last = name.rpartition("_")
    if last in CLASS_NAMES:
        unit, title = PER_CLASS[stem]
    else:
        unit, title = PER_LESION[stem]
    return unit, title.format(last)
