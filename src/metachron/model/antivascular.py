"""Anti-VEGF drugs multiply growth by 1 - Imax C/(C + IC50) and kill nothing (model section 5).

They hold back lesions that live on vessels, not those small enough to feed by diffusion.
"""

from __future__ import annotations

import math

from metachron.model.compiled import jit

LN_AVASCULAR, LN_VASCULAR = math.log(3.0e6), math.log(3.0e7)  # 1.8 and 3.9 mm (assumed)


@jit
def vascular(x):
    """Share of a lesion of ln size x that lives on vessels: nought below 3e6 cells, all above 3e7."""
    return min(max((x - LN_AVASCULAR) / (LN_VASCULAR - LN_AVASCULAR), 0.0), 1.0)


@jit
def growth_days(level, decay, imax, ic50, days):
    """Growth-equivalent days: the integral of 1 - Imax C/(C + IC50) with C = level exp(-decay t)."""
    if level <= 0.0:
        return days
    end = level * math.exp(-decay * days)
    return days - imax / decay * math.log((level + ic50) / (end + ic50))
