"""Resection and ablation of one lesion (model sections 7.1 to 7.3)."""

from __future__ import annotations

import math

from metachron.model.compiled import jit

RESIDUAL_CELLS_AFTER_RESECTION = 1.0e6


@jit
def residual_probability(
    diameter, margin, hazard, margin_slope, size_factor, sink_factor, near_vessel, device
):
    """Probability that ablation leaves living tumour.

    1 - exp[-hazard exp(-slope margin) size_factor^((d - 20)/5)], diameter and margin in mm; `device`
    scales the radiofrequency series of Wang 2013 to today's devices; a touching vessel adds a factor.
    """
    h = (
        hazard
        * device
        * math.exp(-margin_slope * max(margin, 0.0))
        * size_factor ** ((diameter - 20.0) / 5.0)
    )
    if near_vessel:
        h *= sink_factor
    return 1.0 - math.exp(-h)
