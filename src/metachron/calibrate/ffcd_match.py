"""How probable one patient's sizes, new lesions and death are along the path of one virtual patient.

Sizes: Student's t with 4 degrees of freedom about the path on the Box-Cox scale (0.3), because single values
jump (an operation, a sum begun anew); a sum of nought is any value below the limit. New lesions: seen between
two visits. Death: the hazard of the path, averaged over frailty.
"""

from __future__ import annotations

import math

import numpy as np

from metachron.calibrate.ffcd_paths import GRID_DAYS
from metachron.model.compiled import jit
from metachron.model.death import liver_hazard

BOX_COX = 0.3
LEAST = -1.0 / BOX_COX  # Box-Cox of nought: the limit below which sizes are censored
UNSEEN = LEAST - 1.0  # where a path too small to be measured stands for that purpose (assumed)
# A virtual scan shows new disease half an interval after it could first be seen, on average; spread of that
# and of the visits of patients about their plan
SCAN_HALF_DAYS, SCAN_SD_DAYS = 28.0, 35.0
NEVER = 1.0e9


@jit
def box_cox(cm):
    """Box-Cox transform (0.3) of a sum of diameters (cm); nought is not measured and stands lower."""
    return (math.exp(BOX_COX * math.log(cm)) - 1.0) / BOX_COX if cm > 0.0 else UNSEEN


@jit
def normal_cdf(z):
    """Standard normal distribution function."""
    return 0.5 * math.erfc(-z * 0.7071067811865476)


@jit
def student_cdf(t):
    """Distribution function of Student's t with 4 degrees of freedom."""
    share = 1.0 / (1.0 + 0.25 * t * t)
    return 0.5 + 0.375 * t * math.sqrt(share) * (1.0 - t * t * share / 12.0)


@jit
def add_sizes(path, row, weight, sizes, first, last, sigmas, logs):
    """Add ln density of sizes first to last - 1 about a path of Box-Cox sums to `logs` (sigmas,)."""
    for s in range(sigmas.size):
        product = 1.0
        for j in range(first, last):
            g, w = row[j], weight[j]
            m = (1.0 - w) * path[g] + w * path[g + 1]
            if sizes[j] <= LEAST + 1e-6:
                product *= student_cdf((LEAST - m) / sigmas[s])
            else:
                u = 1.0 + 0.25 * ((sizes[j] - m) / sigmas[s]) ** 2
                product *= 0.375 / (sigmas[s] * u * u * math.sqrt(u))
        logs[s] += math.log(max(product, 1e-300))


@jit
def new_disease(path_day, seen_none, seen_new):
    """Probability that new disease was first seen after one visit and by the next (NEVER: later).

    What is seen on day 0 is no new disease, so all of it lies after day 0.
    """
    day = path_day - SCAN_HALF_DAYS
    late = normal_cdf((day - seen_none) / SCAN_SD_DAYS)
    if seen_new < NEVER:
        late -= normal_cdf((day - seen_new) / SCAN_SD_DAYS)
    return late / normal_cdf(day / SCAN_SD_DAYS)


@jit
def at_day(row, day):
    """Value of a grid row at a day, straight lines in between."""
    g = min(int(day / GRID_DAYS), row.size - 2)
    w = day / GRID_DAYS - g
    return (1.0 - w) * row[g] + w * row[g + 1]


@jit
def end_of_life(hazard, total, liver, lost, flag, end, died, level, factor, frailty, share, age):
    """Density (death) or probability (censoring) of the end of follow-up on one path.

    `hazard`, `total`: by cancer and summed up; `liver`, `lost`: by replacement of the liver; `flag`: day from
    which `factor` of new disease acts; `frailty`, `share`: levels and their weights; `age`: (hazard, summed).
    """
    before = at_day(total, min(flag, end))
    mass = level * (before + factor * (at_day(total, end) - before))
    rate = level * at_day(hazard, end) * (factor if flag <= end else 1.0)
    other, others = at_day(liver, end) + age[0], at_day(lost, end) + age[1]
    p = 0.0
    for q in range(frailty.size):
        h = frailty[q] * rate + other if died else 1.0
        p += share[q] * h * math.exp(-frailty[q] * mass - others)
    return p


@jit
def _prepare(values, draw, curve, liver, total, lost):
    """Box-Cox sums, hazard of liver replacement and both summed hazards of one path (days, 3), in place."""
    total[0] = lost[0] = 0.0
    for g in range(values.shape[0]):
        curve[g] = box_cox(values[g, 0])
        liver[g] = liver_hazard(values[g, 2], 1.0, draw[2], draw[3], draw[4])
        if g > 0:
            total[g] = total[g - 1] + 0.5 * GRID_DAYS * (values[g - 1, 1] + values[g, 1])
            lost[g] = lost[g - 1] + 0.5 * GRID_DAYS * (liver[g - 1] + liver[g])


@jit
def match(first, last, when, ages, level, died, sizes, draw, frailty, values, new_day, sigmas, logs):
    """Log likelihood of every patient along every path, for every error of sizes: `logs` (v, i, sigmas).

    Patients (i): `first`, `last` of their sizes; `when` (i, 3): last visit without new disease, visit with it
    (or NEVER), end; `ages` (i, 2): background hazard at the end and summed; `level`: factor on the hazard;
    `died`. `sizes`: (grid row, weight of the next, value) over measurements. `draw` (5,): death_intercept,
    death_new_lesion, and the three of the liver; `frailty` (2, q): levels and weights. Paths (v): `values`
    (v, days, 3), `new_day`.
    """
    days = values.shape[1]
    curve, liver, total, lost = np.empty(days), np.empty(days), np.empty(days), np.empty(days)
    base, factor = math.exp(draw[0]), math.exp(draw[1])
    row, weight, size = sizes
    for v in range(values.shape[0]):
        _prepare(values[v], draw, curve, liver, total, lost)
        for i in range(first.size):
            none, new = when[i, 0], when[i, 1]
            flag = new if new < NEVER else max(new_day[v], none)
            p = new_disease(new_day[v], none, new) * end_of_life(
                values[v, :, 1], total, liver, lost, flag, when[i, 2], died[i], base * level[i], factor,
                frailty[0], frailty[1], ages[i],
            )  # fmt: skip
            logs[v, i] = math.log(max(p, 1e-300))
            add_sizes(curve, row, weight, size, first[i], last[i], sigmas, logs[v, i])
