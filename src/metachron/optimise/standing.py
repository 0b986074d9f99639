"""Who is best, how surely, and what choosing another one costs: paired over twins, over parameter draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metachron.plan.bands import Paired, by_draw, difference, shrink

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
SAMPLES = 200  # of Monte Carlo error for each parameter draw


@dataclass(frozen=True)
class Standing:
    """Of m candidates: probability best (m,), expected regret (m,) in the unit of the score, and each one's
    paired difference from the chosen one."""

    probability: Floats
    regret: Floats
    paired: list[Paired]


def standing(scores: Floats, chosen: int, draw: Integers, source: Integers, seed: int = 0) -> Standing:
    """Standing of candidates by scores (n, m), more is better, against the one in column `chosen`.

    Each draw has its own best; the Monte Carlo error that the twins leave is drawn too, with the covariance
    between candidates that shared twins give it. Ties share.
    """
    away = scores - scores[:, [chosen]]
    paired = [difference(away[:, j], draw, source) for j in range(away.shape[1])]
    parts = [by_draw(away[:, j], draw, source) for j in range(away.shape[1])]
    counts = parts[0][1]
    centre = np.empty((counts.size, away.shape[1]))
    for j, (means, n, noise) in enumerate(parts):
        overall, deviation = shrink(means, n, noise)
        centre[:, j] = overall + deviation
    error = _error(away, np.column_stack([p[0] for p in parts]), draw, source)
    best, regret = np.zeros(away.shape[1]), np.zeros(away.shape[1])
    noise = np.random.default_rng([seed, 0xBE57]).standard_normal((SAMPLES, error.shape[0])) @ error
    for weight, row in zip(counts / counts.sum(), centre, strict=True):
        value = row + noise
        top = value.max(1, keepdims=True)
        wins = value >= top - 1e-9
        best += weight * (wins / wins.sum(1, keepdims=True)).mean(0)
        regret += weight * (top - value).mean(0)
    return Standing(best, regret, paired)


def _error(away: Floats, means: Floats, draw: Integers, source: Integers) -> Floats:
    """Square root (r, m) of the covariance of the Monte Carlo errors of the means of away (n, m)."""
    _, which = np.unique(draw, return_inverse=True)
    deviation = away - means[which]
    _, group = np.unique(source, return_inverse=True)
    together = np.zeros((int(group.max()) + 1, away.shape[1]))
    np.add.at(together, group, deviation)
    n, k = away.shape[0], means.shape[0]
    covariance = together.T @ together / n**2 * (n / max(n - k, 1))
    values, vectors = np.linalg.eigh(covariance)
    root: Floats = np.sqrt(np.clip(values, 0.0, None))[:, None] * vectors.T
    return root


def told_apart(paired: Paired, odds: float = 9.0) -> bool:
    """Is the difference sure by these odds, either way?"""
    return max(paired.probability, 1.0 - paired.probability) >= odds / (1.0 + odds)
