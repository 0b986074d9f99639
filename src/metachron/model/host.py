"""The treated body: neutrophil chain, lymphocytes and infused cells, stepped only while they matter.

Neutrophils follow Friberg 2002; lymphocytes L (relative to normal) return at k_L; infused cells E
grow into empty lymphoid space, die at their own rate and are killed by circulating chemotherapy.
Model equations 11.5. Fixed steps of half a day.
"""

from __future__ import annotations

import math

from metachron.model.compiled import jit

# State: precursors P, transits T1..T3, circulating neutrophils C, lymphocytes L, infused cells E
P, T1, T2, T3, C, L, E = 0, 1, 2, 3, 4, 5, 6
STATES = 7
STEP_DAYS = 0.5


@jit
def host_rates(s, out, marrow, lymph, chemo, base, ktr, kc, gamma, k_l, grow_e, die_e, tox_e, cap_e):
    """Time derivatives of the host state. Amounts: marrow, lymph (kill per day) and chemo (cycles)."""
    c = max(s[C], 1e-6)
    out[P] = ktr * s[P] * ((1.0 - marrow) * (base / c) ** gamma - 1.0)
    out[T1] = ktr * (s[P] - s[T1])
    out[T2] = ktr * (s[T1] - s[T2])
    out[T3] = ktr * (s[T2] - s[T3])
    out[C] = ktr * s[T3] - kc * s[C]
    out[L] = k_l * (1.0 - s[L]) - lymph * s[L]
    room = max(0.0, 1.0 - s[L] - s[E] / cap_e)
    out[E] = (grow_e * room - die_e - tox_e * chemo) * s[E]


@jit
def cells_after(cells, h, lymph, chemo, decay_l, grow_e, die_e, tox_e, cap_e):
    """Infused cells after h days at a mean lymphocyte level; exact in the drug, so never unstable."""
    room = max(0.0, 1.0 - lymph - cells / cap_e)
    drug = chemo * (1.0 - math.exp(-decay_l * h)) / decay_l
    return cells * math.exp((grow_e * room - die_e) * h - tox_e * drug)


@jit
def mean_between(a, b):
    """Mean over a step of a quantity that goes exponentially from a to b."""
    if a <= 0.0 or b <= 0.0 or abs(a - b) < 1e-9 * a:
        return 0.5 * (a + b)
    return (b - a) / math.log(b / a)


@jit
def host_step(s, work, h, amounts, decay_m, decay_l, base, ktr, kc, gamma, k_l, grow_e, die_e, tox_e, cap_e):
    """One step of length h (days) in place; drug amounts decay within it. work has shape (5, 7).

    RK4 for marrow and lymphocytes, an exponential step for infused cells, whose loss to chemotherapy
    can be faster than any step. Returns the mean number of infused cells over the step.
    """
    half_m, half_l = math.exp(-0.5 * decay_m * h), math.exp(-0.5 * decay_l * h)
    m, f, a = amounts[0], amounts[1], amounts[2]
    cells, lymph = s[E], s[L]
    k1, k2, k3, k4, y = work[0], work[1], work[2], work[3], work[4]
    host_rates(s, k1, m, f, a, base, ktr, kc, gamma, k_l, grow_e, die_e, tox_e, cap_e)
    m, f = m * half_m, f * half_l
    for j in range(E):
        y[j] = s[j] + 0.5 * h * k1[j]
    host_rates(y, k2, m, f, a, base, ktr, kc, gamma, k_l, grow_e, die_e, tox_e, cap_e)
    for j in range(E):
        y[j] = s[j] + 0.5 * h * k2[j]
    host_rates(y, k3, m, f, a, base, ktr, kc, gamma, k_l, grow_e, die_e, tox_e, cap_e)
    m, f = m * half_m, f * half_l
    for j in range(E):
        y[j] = s[j] + h * k3[j]
    host_rates(y, k4, m, f, a, base, ktr, kc, gamma, k_l, grow_e, die_e, tox_e, cap_e)
    for j in range(E):
        s[j] = max(0.0, s[j] + h / 6.0 * (k1[j] + 2.0 * k2[j] + 2.0 * k3[j] + k4[j]))
    amounts[0], amounts[1], amounts[2] = m, f, a * half_l * half_l
    if cells <= 0.0:
        return 0.0
    room = 0.5 * (lymph + s[L])
    middle = cells_after(cells, 0.5 * h, room, a, decay_l, grow_e, die_e, tox_e, cap_e)
    s[E] = cells_after(middle, 0.5 * h, room, a * half_l, decay_l, grow_e, die_e, tox_e, cap_e)
    return 0.5 * (mean_between(cells, middle) + mean_between(middle, s[E]))


@jit
def start_host(s, base, ktr, kc):
    """Steady state without drugs: every compartment of the chain holds base kc / ktr."""
    for j in range(STATES):
        s[j] = 0.0
    level = base * kc / ktr
    s[P] = s[T1] = s[T2] = s[T3] = level
    s[C] = base
    s[L] = 1.0
