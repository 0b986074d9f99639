"""Anti-VEGF drugs multiply growth by 1 - Imax C/(C + IC50) and kill nothing (model section 5)."""

from __future__ import annotations

import math

from metachron.model.compiled import jit


@jit
def growth_days(level, decay, imax, ic50, days):
    """Growth-equivalent days: the integral of 1 - Imax C/(C + IC50) with C = level exp(-decay t)."""
    if level <= 0.0:
        return days
    end = level * math.exp(-decay * days)
    return days - imax / decay * math.log((level + ic50) / (end + ic50))
