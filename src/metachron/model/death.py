"""Hazards of death per day: background, cancer, liver replacement (model section 8 and 11.6)."""

from __future__ import annotations

import math

from metachron.model.compiled import jit

DAYS_PER_YEAR = 365.25
MEASURABLE_CM = 0.4


@jit
def background_day(target, age_years, at_65, doubling_years, factor):
    """Day on which the cumulative background hazard (Gompertz law) from an age reaches `target`; exact."""
    b = math.log(2.0) / doubling_years
    start = at_65 * factor * math.exp(b * (age_years - 65.0))
    return math.log(1.0 + target * b / start) / b * DAYS_PER_YEAR


@jit
def cancer_hazard(sum_diameters_cm, new_lesion, intercept, burden, new_effect):
    """Hazard per day of detected disease; nought when nothing is detected.

    Below what a scan can measure (4 mm in all) it falls in proportion, so that a complete response ends it.
    """
    if sum_diameters_cm <= 0.0:
        return 0.0
    seen = min(1.0, sum_diameters_cm / MEASURABLE_CM)
    return seen * math.exp(intercept + burden * math.log(1.0 + sum_diameters_cm) + new_effect * new_lesion)


@jit
def liver_hazard(tumour_ml, liver_ml, largest, mid, width):
    """Hazard per day of liver replacement: logistic in tumour over liver volume, nought without tumour."""
    z = (tumour_ml / liver_ml - mid) / width
    none = largest / (1.0 + math.exp(min(mid / width, 30.0)))
    return max(0.0, largest / (1.0 + math.exp(-max(min(z, 30.0), -30.0))) - none)
