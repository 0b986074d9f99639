"""Oxaliplatin neuropathy: dose enters a coasting compartment X and reaches the nerve N later.

dX/dt = dose - k1 X; dN/dt = k1 X - k2 N. Grade g when s N passes its threshold (model section 4.4).
"""

from __future__ import annotations

import math

from metachron.model.compiled import jit


@jit
def nerve_step(x, n, days, k1, k2):
    """(X, N) in mg/m2 after `days` without dose; exact."""
    e1, e2 = math.exp(-k1 * days), math.exp(-k2 * days)
    return x * e1, n * e2 + x * k1 / (k2 - k1) * (e1 - e2)


@jit
def nerve_grade(burden, sensitivity, start_grade, grade2, grade3):
    """CTCAE grade 0, 2, 3 from the burden (mg/m2); a grade present before treatment is a floor."""
    felt = burden * sensitivity
    if felt >= grade3:
        return max(3, start_grade)
    if felt >= grade2:
        return max(2, start_grade)
    return start_grade
