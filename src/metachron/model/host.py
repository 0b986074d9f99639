"""The treated body: neutrophil chain, lymphocytes and infused cells, stepped only while they matter.

Neutrophils follow Friberg 2002; lymphocytes L (relative to normal) return at k_L; infused cells E
grow into empty lymphoid space, die at their own rate and are killed by circulating chemotherapy.
Model equations 11.5.

The transit chain is linear, so a step through it is one matrix product, exact for the precursor curve
it is fed; precursors move in ln P with the feedback as a cubic over the step (fourth order). Lymphocytes
are exact in the drug, infused cells exact for a mean lymphocyte level (second order).
"""

from __future__ import annotations

import math

from metachron.model.compiled import jit

# State: precursors P, transits T1..T3, circulating neutrophils C, and the feedback (C0 / C)^gamma
P, T1, T2, T3, C, FEEDBACK = 0, 1, 2, 3, 4, 5
STATES = 6
LEAST_COUNT = 1.0e-4


@jit
def start_chain(chain, base, ktr, kc):
    """Steady state without drugs: every compartment of the chain (6,) holds base kc / ktr."""
    level = base * kc / ktr
    chain[P] = chain[T1] = chain[T2] = chain[T3] = level
    chain[C] = base
    chain[FEEDBACK] = 1.0


@jit
def weighted_cubic(a0, d0, a1, d1, h, per_h, m, moment):
    """Integral over a step h of (1 - m e^(-decay s)) f(s), f the cubic with these ends and slopes.

    `moment` (4,) holds the integrals of s^j e^(-decay s).
    """
    rise = (a1 - a0) * per_h
    c2 = (3.0 * rise - 2.0 * d0 - d1) * per_h
    c3 = (d0 + d1 - 2.0 * rise) * per_h * per_h
    plain = h * (a0 + h * (d0 * 0.5 + h * (c2 * (1.0 / 3.0) + h * c3 * 0.25)))
    return plain - m * (a0 * moment[0] + d0 * moment[1] + c2 * moment[2] + c3 * moment[3])


@jit
def chain_step(chain, m, fade, base, gamma, ktr, kc, h, per_h, carry, moment):
    """Move the neutrophil chain (6,) by h days at marrow effect m, which fades by `fade` meanwhile.

    `per_h` is 1 / h; `carry` (8, 4) takes (T1, T2, T3, C) and the precursors with three derivatives to
    (T1, T2, T3, C) at the end of the step. Returns the lowest neutrophil count within the step.
    """
    p0, t1, t2, t3, c0, f0 = chain[P], chain[T1], chain[T2], chain[T3], chain[C], chain[FEEDBACK]
    fall = ktr * t3 - kc * c0  # slope of C
    df0 = -gamma * f0 * fall / c0
    predicted = f0 * h + 0.5 * df0 * h * h - m * (f0 * moment[0] + df0 * moment[1])
    p1 = p0 * math.exp(ktr * (predicted - h))
    d0 = ktr * p0 * ((1.0 - m) * f0 - 1.0)
    d1 = ktr * p1 * ((1.0 - m * fade) * (f0 + df0 * h) - 1.0)
    rise = (p1 - p0) * per_h
    w2 = 2.0 * (3.0 * rise - 2.0 * d0 - d1) * per_h
    w3 = 6.0 * (d0 + d1 - 2.0 * rise) * per_h * per_h
    for o in range(4):
        value = carry[0, o] * t1 + carry[1, o] * t2 + carry[2, o] * t3 + carry[3, o] * c0
        value += carry[4, o] * p0 + carry[5, o] * d0 + carry[6, o] * w2 + carry[7, o] * w3
        chain[T1 + o] = max(value, LEAST_COUNT)
    c1 = chain[C]
    per_c = 1.0 / c1
    f1 = math.exp(gamma * math.log(base * per_c))
    rise_c = ktr * chain[T3] - kc * c1
    df1 = -gamma * f1 * rise_c * per_c
    e = ktr * (weighted_cubic(f0, df0, f1, df1, h, per_h, m, moment) - predicted)
    e = min(max(e, -1.0), 1.0)  # a correction; larger only when no cell is left
    chain[P] = p1 * (1.0 + e * (1.0 + e * (0.5 + e * (1.0 / 6.0)))) if abs(e) < 0.02 else p1 * math.exp(e)
    chain[FEEDBACK] = f1
    if fall < 0.0 < rise_c:
        return lowest_of_cubic(c0, fall, c1, rise_c, h)
    return min(c0, c1)


@jit
def lowest_of_cubic(a0, d0, a1, d1, h):
    """Minimum over a step h of the cubic with these ends and slopes, falling first and rising at the end."""
    rise = (a1 - a0) / h
    c2 = (3.0 * rise - 2.0 * d0 - d1) / h
    c3 = (d0 + d1 - 2.0 * rise) / (h * h)
    s = -d0 / (c2 + math.sqrt(max(c2 * c2 - 3.0 * c3 * d0, 0.0)))
    return a0 + s * (d0 + s * (c2 + s * c3))


@jit
def lymphocyte_step(lymph, lost_half, lost, back):
    """Lymphocytes after a step in which kill sums to `lost` (`lost_half` by its middle), return to `back`.

    Variation of constants, the integral by Simpson's rule.
    """
    if lost <= 1.0e-9:
        return 1.0 - (1.0 - lymph) * math.exp(-back)
    middle, end = math.exp(0.5 * back + lost_half), math.exp(back + lost)
    return (lymph + back / 6.0 * (1.0 + 4.0 * middle + end)) / end


@jit
def cells_step(cells, lymph, drug, h, grow, die, tox, capacity):
    """Infused cells after h days at a mean lymphocyte level; `drug` is the integral of chemotherapy.

    The logistic law of crowding and the drug are exact, so no toxicity can make it unstable.
    """
    if lymph + cells / capacity >= 1.0 or grow <= 0.0:  # no room
        return cells * math.exp(-die * h - tox * drug)
    net = (grow * (1.0 - lymph) - die) * h - tox * drug
    up = math.exp(net)
    crowd = grow * h / capacity * cells
    mean = (up - 1.0) / net if abs(net) > 1e-9 else 1.0
    return cells * up / (1.0 + crowd * mean)


@jit
def mean_between(a, b):
    """Mean over a step of a quantity that goes exponentially from a to b."""
    if a <= 0.0 or b <= 0.0 or abs(a - b) < 1e-9 * a:
        return 0.5 * (a + b)
    return (b - a) / math.log(b / a)
