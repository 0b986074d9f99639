"""Immune kill by infused cells (ratio dependent) and by checkpoint inhibitors (by MSI state)."""

from __future__ import annotations

import math

from metachron.model.compiled import jit


@jit
def effector_share(effectors, homing, ln_total):
    """Effectors per tumour cell of a lesion of n cells, times n^(1/3).

    They share out by surface, (n / n_total)^(2/3), so that the ratio is share n^(-1/3).
    """
    return homing * effectors * math.exp(-2.0 / 3.0 * ln_total)


@jit
def cell_kill_rate(ratio, largest):
    """Kill per day, saturating in the effector ratio: bulky disease is hardly touched."""
    return largest * ratio / (1.0 + ratio)
