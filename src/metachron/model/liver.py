"""Liver after resection: logistic return to a plateau, failure of a small remnant (model section 7.4)."""

from __future__ import annotations

import math

from metachron.model.compiled import jit


@jit
def regrow(volume, days, rate, plateau):
    """Liver volume (share of original) after `days`; a liver above the plateau stays as it is."""
    if volume >= plateau or days <= 0.0:
        return volume
    return plateau / (1.0 + (plateau / volume - 1.0) * math.exp(-rate * days))


@jit
def failure_probability(remnant, largest, mid, width):
    """Probability of liver failure after a resection that leaves `remnant` of the original volume."""
    return largest / (1.0 + math.exp(min((remnant - mid) / width, 700.0)))


@jit
def regeneration_days(since, days, strength, fade_days):
    """Growth days gained in `days` while the remnant regrows, `since` days after a resection.

    Growth is multiplied by 1 + strength exp(-t / fade_days).
    """
    return strength * fade_days * math.exp(-since / fade_days) * (1.0 - math.exp(-days / fade_days))
