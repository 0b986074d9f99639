"""Named counter-based random streams (Philox4x32-10, Salmon et al. 2011, doi:10.1145/2063384.2063405).

Every coin is addressed by (seed, twin, stream, index): strategies share each coin they do not change,
and results do not depend on threads, order or shards.
"""

from __future__ import annotations

import math

import numpy as np

from metachron.model.compiled import jit

# Streams: one name per thing driven by chance. Never renumber; append.
(
    DEATH_BACKGROUND,
    DEATH_CANCER,
    EXTINCTION,
    RESECTION,
    ABLATION,
    MARGIN,
    IN_REMNANT,
    OPERATIVE_DEATH,
    OPERATIVE_COMPLICATION,
    TOXICITY,
    TOXICITY_GRADE4,
    FEBRILE,
    FEBRILE_DEATH,
    NEXT_LINE,
    REPEAT_LOCAL,
    TWIN_PATIENT,  # this and the next four are kept free, so that the numbers of the others stay
    TWIN_LESION,
    TWIN_COUNT,
    LIVER_FAILURE,
    RESIDUAL,
    STOP_EARLY,
    DORMANCY,
    SECONDARY,
    FITNESS,
) = range(24)

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)


@jit
def philox(c0, c1, c2, c3, k0, k1):
    """Ten rounds of Philox4x32 on uint64 holders of 32-bit words; returns four words."""
    for _ in range(10):
        p0 = _M0 * c0
        p1 = _M1 * c2
        c0, c1, c2, c3 = (p1 >> _SHIFT) ^ c1 ^ k0, p1 & _LOW, (p0 >> _SHIFT) ^ c3 ^ k1, p0 & _LOW
        k0 = (k0 + _W0) & _LOW
        k1 = (k1 + _W1) & _LOW
    return c0, c1, c2, c3


@jit
def uniform(seed, twin, stream, index):
    """A uniform number in (0, 1), 53 bits, addressed by its key. All arguments are non-negative ints."""
    s = np.uint64(seed)
    t = np.uint64(twin)
    w = philox(t & _LOW, t >> _SHIFT, np.uint64(stream), np.uint64(index) & _LOW, s & _LOW, s >> _SHIFT)
    bits = ((w[0] << _SHIFT) | w[1]) >> np.uint64(11)
    return (float(bits) + 0.5) * 1.1102230246251565e-16


@jit
def exponential(seed, twin, stream, index):
    """A unit exponential number."""
    return -math.log(uniform(seed, twin, stream, index))


@jit
def normal(seed, twin, stream, index):
    """A standard normal number (Box-Muller on the two halves of one block)."""
    s = np.uint64(seed)
    t = np.uint64(twin)
    w = philox(t & _LOW, t >> _SHIFT, np.uint64(stream), np.uint64(index) & _LOW, s & _LOW, s >> _SHIFT)
    u = (float(((w[0] << _SHIFT) | w[1]) >> np.uint64(11)) + 0.5) * 1.1102230246251565e-16
    v = (float(((w[2] << _SHIFT) | w[3]) >> np.uint64(11)) + 0.5) * 1.1102230246251565e-16
    return math.sqrt(-2.0 * math.log(u)) * math.cos(2.0 * math.pi * v)
