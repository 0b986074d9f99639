"""Lesions of virtual patients: variety between lesions, sizes of visible ones, unseen ones.

`lesions` (n, room) are LESION records filled in place, `d` (n,) the parameter draw of each patient.
Diameters in mm, sizes in ln cells.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from metachron.engine.records import OCCULT
from metachron.model.occult import more_above, size_deficit
from metachron.parameters import load_parameters
from metachron.population.streams import Streams

Floats = NDArray[np.float64]
ROOM_OCCULT = 30
# Resected series, lesion_number-009: 34 % solitary, 39 % two to four, 27 % five or more
COUNT_PROBABILITIES = np.array([0.342, 0.17, 0.12, 0.097, 0.07, 0.05, 0.05, 0.04, 0.03, 0.031])
MEDIAN_LARGEST_MM, SD_LN_LARGEST = 36.0, 0.6  # lesion_size-001
SHAPE_OF_SHARES = 0.7  # gamma shape of the volumes of lesions of one patient (assumed)


def draw_variety(lesions: NDArray[np.void], d: NDArray[np.void], streams: Streams) -> None:
    """Growth and logit of resistance of each lesion relative to its patient, and how hard it is to see."""
    lesions["growth"] = np.exp(
        d["sd_ln_growth_lesion"][:, None] * streams["lesion growth"].standard_normal(lesions.shape)
    )
    z = streams["lesion resistance"].standard_normal(lesions.shape)
    # a bound of the engine, which the far tails of wide designs pass
    lesions["resistance"] = np.clip(d["phi_lesion_sd"][:, None] * z, -50.0, 50.0)
    u = streams["visibility"].random(lesions.shape)
    lesions["offset"] = d["detect_scale"][:, None] * np.log(u / (1 - u))


def draw_shares(streams: Streams, count: NDArray[np.int64], room: int) -> Floats:
    """Share of each lesion in the volume of all, (n, room); nought beyond the first `count` columns."""
    share = streams["sizes"].gamma(SHAPE_OF_SHARES, size=(count.size, room)) + 1e-3
    share[np.arange(room)[None, :] >= count[:, None]] = 0.0
    share /= np.maximum(share.sum(1, keepdims=True), 1e-12)
    return np.asarray(share)


def diameters_of_largest(share: Floats, largest: Floats) -> Floats:
    """Diameters (n, room) from shares of volume and the largest diameter (n,)."""
    return np.asarray(largest[:, None] * np.cbrt(share / np.maximum(share.max(1, keepdims=True), 1e-12)))


def diameters_of_sum(share: Floats, total: Floats) -> Floats:
    """Diameters (n, room) from shares of volume and the sum of diameters (n,)."""
    relative = np.cbrt(share)
    return np.asarray(total[:, None] * relative / np.maximum(relative.sum(1, keepdims=True), 1e-12))


def ct_limit() -> float:
    """ln cells of a lesion that CT sees half the time."""
    return float(np.log(load_parameters()["detect_ct_cells"].value))


def draw_occult(
    lesions: NDArray[np.void],
    mean: Floats,
    d: NDArray[np.void],
    streams: Streams,
    *,
    metastatic: bool,
    limit: float | None = None,
) -> None:
    """Unseen lesions as they are when the patient was last looked at: number, size, organ.

    `lesions` (n, ROOM_OCCULT); `mean` (n,): mean number before the patient's own frailty. At most
    ROOM_OCCULT of them. `metastatic`: beside visible metastases or where these were, not after the primary
    alone; sizes have a law of their own there. `limit`: ln cells up to which lesions stayed unseen; None:
    what CT sees half the time.
    """
    n, room = lesions.shape
    slope = d["occult_size_slope_metastatic" if metastatic else "occult_size_slope"]
    ct = ct_limit()
    if limit is None:
        limit = ct
    elif limit != ct:
        mean = mean * more_above(slope, ct, limit - ct)
    frailty = d["occult_dispersion"] * streams["frailty"].standard_normal(n) - d["occult_dispersion"] ** 2 / 2
    count = streams["occult count"].poisson(mean * np.exp(frailty))
    present = np.arange(room)[None, :] < np.minimum(count, room)[:, None]
    lesions["status"] = np.where(present, OCCULT, 0)
    u = streams["occult size"].random((n, room))
    lesions["x"] = limit - size_deficit(u, slope[:, None], limit)
    lesions["organ"] = _occult_organs(n, room, d, streams)


def _occult_organs(n: int, room: int, d: NDArray[np.void], streams: Streams) -> NDArray[np.int64]:
    kind = streams["tropism"].random(n)
    liver_only = kind < d["share_liver_only"]
    outside = (kind >= d["share_liver_only"]) & (kind < d["share_liver_only"] + d["share_outside_only"])
    pick = streams["organ"].random((n, room))
    away = np.where(
        pick < 0.3, 1, np.where(pick < 0.4, 2, 3)
    )  # lung, peritoneum, nodes: epidemiology-020..023
    mixed = np.where(streams["organ mixed"].random((n, room)) < 0.5, 0, away)
    return np.asarray(np.where(liver_only[:, None], 0, np.where(outside[:, None], away, mixed)))
