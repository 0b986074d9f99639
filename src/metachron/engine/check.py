"""Refuse arrays that the kernel cannot simulate, naming the first bad index."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from metachron.engine.records import GIVE_NOTHING, Programme
from metachron.errors import EngineError


def _first_bad(name: str, values: NDArray[np.float64], low: float, high: float) -> None:
    bad = ~((values >= low) & (values <= high))
    if bad.any():
        index = np.argwhere(bad)[0].tolist()
        raise EngineError(f"{name}{index} is {values[tuple(index)]}, outside {low:g} to {high:g}")


def check_batch(
    lesions: NDArray[np.void],
    twins: NDArray[np.void],
    draws: NDArray[np.void],
    programme: Programme,
    horizon_days: float,
) -> None:
    """Raise EngineError for an empty batch, NaN, too many lesions, unsorted doses, horizon zero."""
    if not 0 < horizon_days <= 50 * 365.25:
        raise EngineError(f"horizon is {horizon_days} days, outside 0 to 50 years")
    if twins.size == 0 or draws.size == 0:
        raise EngineError("no twins or no parameter draws")
    if lesions.shape[0] != twins.size:
        raise EngineError(f"{lesions.shape[0]} rows of lesions for {twins.size} twins")
    _first_bad("twins.draw", twins["draw"].astype(float), 0, draws.size - 1)
    _first_bad("twins.n_lesions", twins["n_lesions"].astype(float), 0, lesions.shape[1])
    for field, low, high in (
        ("growth", 0, 1),
        ("sensitivity", 0, 1e3),
        ("age", 0, 130),
        ("liver_ml", 1, 1e4),
    ):
        _first_bad(f"twins.{field}", twins[field], low, high)
    used = np.arange(lesions.shape[1])[None, :] < twins["n_lesions"][:, None]
    _first_bad("lesions.x", np.where(used, lesions["x"], 0.0), -50, 33)
    _first_bad("lesions.offset", np.where(used, lesions["offset"], 0.0), -50, 50)
    for name in draws.dtype.names or ():
        _first_bad(f"draws.{name}", draws[name], -1e30, 1e30)
    _check_programme(programme)


def _check_programme(programme: Programme) -> None:
    for s, segment in enumerate(programme.segments):
        days = programme.admins["day"][segment["admin_from"] : segment["admin_to"]]
        if (np.diff(days) < 0).any():
            raise EngineError(f"administrations of segment {s} are not in order of day")
        if segment["kind"] == 1 and segment["cycle_days"] < 1:
            raise EngineError(f"segment {s} has cycles of {segment['cycle_days']} days")
    _first_bad("segments.gap", programme.segments["gap"], 0, 5000)
    _first_bad("admins.amount", programme.admins["amount"], 0, 1e13)
    _first_bad("admins.what", programme.admins["what"].astype(float), 0, GIVE_NOTHING)
    _first_bad("toxicity", programme.toxicity, 0, 50)
