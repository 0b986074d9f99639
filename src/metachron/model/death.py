"""Hazards of death per day: background, cancer, liver replacement (model section 8 and 11.6)."""

from __future__ import annotations

import math

import numpy as np

from metachron.model.compiled import jit

DAYS_PER_YEAR = 365.25


@jit
def background_day(target, age_years, at_65, doubling_years, factor):
    """Day on which the cumulative background hazard (Gompertz law) from an age reaches `target`; exact."""
    b = math.log(2.0) / doubling_years
    start = at_65 * factor * math.exp(b * (age_years - 65.0))
    return math.log(1.0 + target * b / start) / b * DAYS_PER_YEAR


@jit
def cancer_hazard(sum_diameters_cm, new_lesion, intercept, burden, new_effect, full_cm):
    """Hazard per day of detected disease; nought when nothing is detected.

    Small disease seldom kills by itself: below about `full_cm` the hazard falls with the sum.
    """
    if sum_diameters_cm <= 0.0:
        return 0.0
    share = 1.0 - math.exp(-sum_diameters_cm / full_cm)
    return share * math.exp(intercept + burden * math.log(1.0 + sum_diameters_cm) + new_effect * new_lesion)


@jit
def cancer_hazards(sums_cm, intercepts, burdens, full_cm):
    """`cancer_hazard` without new lesions for arrays of one shape (n,)."""
    out = np.empty_like(sums_cm)
    for i in range(sums_cm.size):
        out[i] = cancer_hazard(sums_cm[i], 0.0, intercepts[i], burdens[i], 0.0, full_cm[i])
    return out


@jit
def liver_hazard(tumour_ml, liver_ml, largest, mid, width):
    """Hazard per day of liver replacement: logistic in tumour over liver volume, nought without tumour."""
    z = (tumour_ml / liver_ml - mid) / width
    none = largest / (1.0 + math.exp(min(mid / width, 30.0)))
    return max(0.0, largest / (1.0 + math.exp(-max(min(z, 30.0), -30.0))) - none)
