"""Immune kill by infused cells (ratio dependent) and by checkpoint inhibitors (by MSI state)."""

from __future__ import annotations

import math

from metachron.model.compiled import jit


@jit
def effector_ratio(effectors, homing, x, ln_total):
    """Effectors per tumour cell at a lesion of ln size x; they share out by surface, (n/n_tot)^(2/3)."""
    if effectors <= 0.0:
        return 0.0
    return homing * effectors * math.exp(2.0 / 3.0 * (x - ln_total) - x)


@jit
def cell_kill_rate(ratio, largest):
    """Kill per day, saturating in the effector ratio: bulky disease is hardly touched."""
    return largest * ratio / (1.0 + ratio)
