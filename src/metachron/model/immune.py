"""Immune kill by infused cells (ratio dependent) and by checkpoint inhibitors (by MSI state)."""

from __future__ import annotations

from metachron.model.compiled import jit


@jit
def effectors_at(effectors, homing, part):
    """Effectors at a lesion that holds `part` of all tumour cells: they share out by surface, part^(2/3)."""
    return homing * effectors * part ** (2.0 / 3.0)


@jit
def cell_kill_rate(ratio, largest):
    """Kill per day, saturating in the effector ratio: bulky disease is hardly touched."""
    return largest * ratio / (1.0 + ratio)
