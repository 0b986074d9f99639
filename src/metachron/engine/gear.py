"""What a parameter draw fixes for every life under it, worked out once: decay rates, the marrow step.

The marrow step of h days through the linear transit chain is the exponential of its matrix, extended by
the derivatives of the precursors that feed it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from metachron.engine.records import GEAR
from metachron.model.growth import LN_REFERENCE, ln_cells
from metachron.model.kill import CLASSES

SYMPTOM_MM = 60.0
LN2 = math.log(2.0)
FINE, FINEST, COARSE = 2, 8, 2  # fine steps in a normal step of the marrow, normal steps in a coarse one
HALF_LIVES = ("fp", "ox", "iri", "ftd", "egfr", "target")
assert len(HALF_LIVES) == CLASSES


def small_expm(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exponential of stacked matrices of norm below a half, by its series, to rounding."""
    e, term = np.eye(x.shape[-1]) + x, x
    for j in range(2, 18):
        term = term @ x / j
        e = e + term
    return e


def chain_matrices(
    ktr: NDArray[np.float64], kc: NDArray[np.float64], h: float, sizes: Sequence[float] = (1.0,)
) -> NDArray[np.float64]:
    """What steps of h days times each of the sizes (powers of two) do to the chain, shape (sizes, n, 8, 4).

    Takes (T1, T2, T3, C) and the precursors with three derivatives to (T1, T2, T3, C) at the end.
    """
    a = np.zeros((ktr.size, 8, 8))
    for j in range(3):
        a[:, j, j] = -ktr
    a[:, 0, 4] = a[:, 1, 0] = a[:, 2, 1] = a[:, 3, 2] = ktr
    a[:, 3, 3] = -kc
    for j in range(4, 7):
        a[:, j, j + 1] = 1.0
    squarings = max(0, math.ceil(math.log2(max(float(np.abs(a).sum(2).max()) * h * max(sizes), 1e-9)) + 2))
    size = max(sizes) / 2**squarings
    while size > min(sizes):
        size, squarings = size / 2, squarings + 1
    e = small_expm(a * (h * size))
    found = {size: e}
    for _ in range(squarings):
        e, size = e @ e, 2 * size
        found[size] = e
    return np.stack([found[s][:, :4, :].transpose(0, 2, 1) for s in sizes])


def fading_moments(decay: NDArray[np.float64], h: float) -> NDArray[np.float64]:
    """Integrals over [0, h] of s^j e^(-decay s), j = 0 to 3, shape (n, 4)."""
    s, w = np.polynomial.legendre.leggauss(12)
    s, w = 0.5 * h * (s + 1.0), 0.5 * h * w
    fade = np.exp(-decay[:, None] * s) * w
    return np.stack([(fade * s**j).sum(1) for j in range(4)], axis=1)


def host_steps(scale: float) -> int:
    """Marrow steps in a day for a step scale: one, or more when steps are shortened."""
    return max(1, math.ceil(1.0 / scale - 1e-9))


def make_gears(draws: NDArray[np.void], steps_per_day: int = 1) -> NDArray[np.void]:
    """One GEAR for each parameter draw, shape (k,); the marrow moves in 1 / steps_per_day days or finer.

    The last few are kept, since the strategies of a plan share their draws.
    """
    return _gears(draws.tobytes(), draws.dtype, steps_per_day)


@lru_cache(8)
def _gears(draws_bytes: bytes, dtype: np.dtype[np.void], steps_per_day: int) -> NDArray[np.void]:
    draws = np.frombuffer(draws_bytes, dtype)
    g = np.zeros(draws.size, GEAR)
    g["host_steps"] = steps_per_day
    g["ln_k"] = np.log(draws["capacity_cells"])
    g["span"] = g["ln_k"] - LN_REFERENCE
    g["per_span"] = 1.0 / g["span"]
    for field, name in (
        ("decay_m", "marrow_effect_half_life_days"),
        ("decay_l", "lymphocyte_effect_half_life_days"),
        ("decay_v", "vegf_half_life_days"),
        ("decay_c", "checkpoint_memory_days"),
        ("decay_s", "chemo_stress_half_life_days"),
        ("k_l", "lymphocyte_recovery_days"),
        ("nerve_k1", "neuropathy_onset_days"),
        ("nerve_k2", "neuropathy_recovery_days"),
    ):
        g[field] = LN2 / draws[name]
    g["ln_symptom"] = ln_cells(SYMPTOM_MM)
    g["cell_kill"] = draws["cell_kill"] * draws["cell_effect_real"]
    for k, name in enumerate(HALF_LIVES):
        g["decay"][:, k] = LN2 / draws[f"half_life_{name}_days"]
    _marrow(g, draws, steps_per_day)
    g.flags.writeable = False
    return g


def _marrow(g: NDArray[np.void], draws: NDArray[np.void], steps_per_day: int) -> None:
    """Normal, fine, coarse and finest steps of the marrow, without and with G-CSF."""
    ktr = 4.0 / draws["marrow_transit_h"] * 24.0
    g["ktr"][:, 0], g["ktr"][:, 1] = ktr, ktr * draws["gcsf_factor"]
    rates = np.stack([g["ktr"][:, 0], g["ktr"][:, 1], draws["neutrophil_loss"]], axis=1)
    unique, where = np.unique(rates, axis=0, return_inverse=True)
    sizes, h = (1.0, 1.0 / FINE, float(COARSE), 1.0 / FINEST), 1.0 / steps_per_day
    for size, share in enumerate(sizes):
        g["step"][:, size], g["per_step"][:, size] = share * h, 1.0 / (share * h)
        g["fade"][:, size] = np.exp(-g["decay_m"] * share * h)
        g["moment"][:, size] = fading_moments(g["decay_m"], share * h)
    for j in range(2):
        carry = chain_matrices(unique[:, j], unique[:, 2], h, sizes)
        g["carry"][:, :, j] = carry[:, where].swapaxes(0, 1)
