"""Candidates that no other beats in everything, and how much of the objectives' box they cover."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def non_dominated(scores: Floats) -> list[int]:
    """Rows of scores (m, k), more is better, that no other row beats or equals in all and beats in one.

    Of rows that are equal in everything the first is kept.
    """
    order = np.lexsort(scores.T[::-1])[::-1]  # by the first objective, best first; later ones break ties
    kept: list[int] = []
    for row in order.tolist():
        rivals = scores[kept]
        if not np.any(np.all(rivals >= scores[row], axis=1)):
            kept.append(row)
    return sorted(kept)


def hypervolume(scores: Floats, reference: Floats) -> float:
    """Volume between scores (m, k), more is better, and a reference (k,) that all are counted above."""
    points = scores[np.all(scores > reference, axis=1)] - reference
    return _volume(points)


def _volume(points: Floats) -> float:
    """Volume of the union of boxes from nought to each point, by slices of the last objective."""
    if points.size == 0:
        return 0.0
    if points.shape[1] == 1:
        return float(points.max())
    order = np.argsort(-points[:, -1])
    points = points[order]
    edges = np.append(points[:, -1], 0.0)
    slices = (
        float(edges[i] - edges[i + 1]) * _volume(points[: i + 1, :-1])
        for i in range(len(points))
        if edges[i] > edges[i + 1]
    )
    return float(sum(slices))


def covered(scores: Floats) -> float:
    """Share of the box between the worst and the best value of each objective that the rows cover."""
    low, high = scores.min(0), scores.max(0)
    wide = high > low
    if not wide.any():
        return 1.0
    scaled = (scores[:, wide] - low[wide]) / (high - low)[wide]
    return hypervolume(scaled, np.full(int(wide.sum()), -1e-12))
