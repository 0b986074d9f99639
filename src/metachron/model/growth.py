"""Gompertz growth of one lesion, in ln cells.

dx/dt = g M gf(x), with gf(x) = ln(K / n) / ln(K / n_ref) held between 0.2 and 4, x = ln n. The middle
zone is a linear equation in u = ln K - x, so growth without drugs is exact over any interval.
Source: Finlay 1988; model equation 11.3.
"""

from __future__ import annotations

import math

import numpy as np

from metachron.model.compiled import jit

REFERENCE_CELLS = 5.0e10
CELLS_PER_ML = 1.0e9
GROWTH_FRACTION_MIN = 0.2
GROWTH_FRACTION_MAX = 4.0
LN_REFERENCE = math.log(REFERENCE_CELLS)


@jit
def growth_fraction(x, ln_capacity):
    """Growth (and kill) at size x = ln cells relative to the reference size; between 0.2 and 4."""
    gf = (ln_capacity - x) / (ln_capacity - LN_REFERENCE)
    return min(max(gf, GROWTH_FRACTION_MIN), GROWTH_FRACTION_MAX)


@jit
def grow(x, days, rate, ln_capacity):
    """ln cells after `days` of undisturbed growth at `rate` (per day at the reference size)."""
    if rate <= 0.0 or days <= 0.0:
        return x
    span = ln_capacity - LN_REFERENCE
    x_fast = ln_capacity - GROWTH_FRACTION_MAX * span
    if x < x_fast:  # small lesions grow at the largest rate
        need = (x_fast - x) / (GROWTH_FRACTION_MAX * rate)
        if days <= need:
            return x + GROWTH_FRACTION_MAX * rate * days
        days -= need
        x = x_fast
    a = rate / span
    x_slow = ln_capacity - GROWTH_FRACTION_MIN * span
    if x < x_slow:
        need = math.log((ln_capacity - x) / (ln_capacity - x_slow)) / a
        if days <= need:
            return ln_capacity - (ln_capacity - x) * math.exp(-a * days)
        days -= need
        x = x_slow
    return x + GROWTH_FRACTION_MIN * rate * days


@jit
def diameter_mm(cells_and_debris_ml):
    """Diameter (mm) of a ball of the given volume (mL)."""
    return 10.0 * math.exp(math.log(6.0 / math.pi * cells_and_debris_ml) * (1.0 / 3.0))


@jit
def ln_cells(diameter):
    """ln cells of a ball of the given diameter (mm), all of it viable."""
    return math.log(math.pi / 6.0 * (diameter / 10.0) ** 3 * CELLS_PER_ML)


@jit
def grow_many(x, days, rate, ln_capacity):
    """`grow` for every entry of arrays of one shape (n,); negative days look back in time."""
    out = np.empty_like(x)
    for i in range(x.size):
        if days[i] >= 0.0:
            out[i] = grow(x[i], days[i], rate[i], ln_capacity)
        else:
            out[i] = grow_back(x[i], -days[i], rate[i], ln_capacity)
    return out


@jit
def grow_back(x, days, rate, ln_capacity):
    """ln cells `days` earlier of a lesion that has grown undisturbed to x; exact inverse of `grow`."""
    span = ln_capacity - LN_REFERENCE
    x_slow = ln_capacity - GROWTH_FRACTION_MIN * span
    x_fast = ln_capacity - GROWTH_FRACTION_MAX * span
    a = rate / span
    if x > x_slow:
        need = (x - x_slow) / (GROWTH_FRACTION_MIN * rate)
        if days <= need:
            return x - GROWTH_FRACTION_MIN * rate * days
        days -= need
        x = x_slow
    if x > x_fast:
        need = math.log((ln_capacity - x_fast) / (ln_capacity - x)) / a
        if days <= need:
            return ln_capacity - (ln_capacity - x) * math.exp(a * days)
        days -= need
        x = x_fast
    return x - GROWTH_FRACTION_MAX * rate * days
