#!/usr/bin/env python3
"""Derive the neuropathy thresholds of host.yaml from published frequencies, and say what they imply.

A patient of sensitivity s, ln s ~ N(0, sd), reaches a grade when s times the peak burden N passes its
threshold. Twelve cycles of 85 mg/m2 every 14 days at a dose intensity of 0.85, followed to three months
after the last cycle (the time of the worst symptoms), give one peak; the threshold is then the quantile
that leaves the published share above it: grade 3 in 12.4 % (MOSAIC), grade 2 or worse in 47.7 % (IDEA,
FOLFOX, 6 months). Kinetics and spread come from host.yaml. Nothing is written.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import norm

from metachron.model.nerve import nerve_step
from metachron.parameters import draw_parameters, load_parameters

DOSE_MG_M2, CYCLE_DAYS, CYCLES, DOSE_INTENSITY = 85.0, 14, 12, 0.85
FOLLOW_UP_DAYS = 92
GRADE3_SHARE, GRADE2_SHARE = 0.124, 0.477
SHORT_COURSE_SHARE = 0.166  # IDEA, 3 months: not used in the derivation, a check of it


def peak_burden(onset_days: float, recovery_days: float, cycles: int = CYCLES) -> float:
    """Largest burden N (mg/m2) from the first dose to three months after the last cycle."""
    k1, k2 = math.log(2.0) / onset_days, math.log(2.0) / recovery_days
    x = n = peak = 0.0
    for day in range(cycles * CYCLE_DAYS + FOLLOW_UP_DAYS):
        if day % CYCLE_DAYS == 0 and day < cycles * CYCLE_DAYS:
            x += DOSE_MG_M2 * DOSE_INTENSITY
        x, n = nerve_step(x, n, 1.0, k1, k2)
        peak = max(peak, n)
    return peak


def threshold(peak: float, share: float, sd: float) -> float:
    """Burden that `share` of patients pass when the median patient peaks at `peak`."""
    return float(peak * math.exp(sd * norm.isf(share)))


def main() -> None:
    parameters = load_parameters()
    onset = parameters["neuropathy_onset_days"].value
    recovery = parameters["neuropathy_recovery_days"].value
    sd = parameters["neuropathy_sd"].value
    peak = peak_burden(onset, recovery)
    grade2, grade3 = threshold(peak, GRADE2_SHARE, sd), threshold(peak, GRADE3_SHARE, sd)
    print(f"peak burden of the median patient   {peak:7.1f} mg/m2")
    print(f"neuropathy_grade2_mg_m2             {grade2:7.1f}")
    print(f"neuropathy_grade3_mg_m2             {grade3:7.1f}")
    short = norm.sf(math.log(grade2 / peak_burden(onset, recovery, 6)) / sd)
    print(f"check: grade 2+ after 6 cycles {short:.1%} (IDEA, 3 months: {SHORT_COURSE_SHARE:.1%})")
    draws = draw_parameters(200, 1)
    peaks = np.array([peak_burden(d["neuropathy_onset_days"], d["neuropathy_recovery_days"]) for d in draws])
    for grade, name in ((2, "neuropathy_grade2_mg_m2"), (3, "neuropathy_grade3_mg_m2")):
        shares = norm.sf(np.log(draws[name] / peaks) / draws["neuropathy_sd"])
        low, mid, high = np.quantile(shares, (0.05, 0.5, 0.95))
        print(f"over the prior of host.yaml: grade {grade}+ {mid:.1%} ({low:.1%} to {high:.1%})")


if __name__ == "__main__":
    main()
