"""Liver volume after resection: logistic return to a plateau (model section 7.4)."""

from __future__ import annotations

import math

from metachron.model.compiled import jit


@jit
def regrow(volume, days, rate, plateau):
    """Liver volume (share of original) after `days`; a liver above the plateau stays as it is."""
    if volume >= plateau or days <= 0.0:
        return volume
    return plateau / (1.0 + (plateau / volume - 1.0) * math.exp(-rate * days))
