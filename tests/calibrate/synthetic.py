"""Trials whose truth is known: exponential hazards that depend on three parameters and on trial effects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metachron.calibrate.design import stream
from metachron.calibrate.targets import Target

DAYS = 30.4375
NAMES = ("vdt_ref_days", "kappa_fp", "death_intercept", "rho_resistant", "vegf_imax")
TRUTH = np.array([-1.0, 0.8, 0.7, 0.0, 0.0])  # scores; the last two parameters do nothing


@dataclass(frozen=True)
class SyntheticLives:
    draw: NDArray[np.int64]
    days: dict[str, NDArray[np.float64]]
    event: dict[str, NDArray[np.bool_]]
    response: NDArray[np.bool_]


def hazards(arm: str, draws: NDArray[np.void], effects: NDArray[np.float64]) -> tuple[NDArray, NDArray]:
    """(progression, death) a day."""
    growth = 155.0 / draws["vdt_ref_days"] * np.exp(effects[:, 0])
    kill = draws["kappa_fp"] / 0.011 * np.exp(effects[:, 1]) if arm == "drug" else 0.0
    progression = 0.006 * growth * np.exp(-0.8 * kill)
    return progression, 0.35 * progression * np.exp(draws["death_intercept"] + 8.09 + effects[:, 2])


def simulate(
    target: Target, arm: str, draws: NDArray[np.void], effects: NDArray[np.float64], *,
    per_draw: int, seed: int, horizon_days: float,
) -> SyntheticLives:  # fmt: skip
    rows = np.repeat(np.arange(draws.size), per_draw)
    progression, death = (h[rows] for h in hazards(arm, draws, effects))
    coins = stream(seed, target.trial).exponential(size=(2, rows.size))
    worse, dead = coins[0] / progression, coins[1] / death
    first = np.minimum(worse, dead)
    return SyntheticLives(
        rows,
        {"PFS": np.minimum(first, horizon_days), "OS": np.minimum(dead, horizon_days)},
        {"PFS": first < horizon_days, "OS": dead < horizon_days},
        np.zeros(rows.size, bool),
    )


def curve(endpoint: str, arm: str, days: NDArray, n: int) -> dict[str, object]:
    """Registry entry of uncensored times on a 2-monthly grid to 24 months."""
    months = np.arange(2.0, 25.0, 2.0)
    left = np.array([(days > m * DAYS).sum() for m in months])
    before = np.concatenate([[n], left[:-1]])
    keep = before >= 5
    return {
        "endpoint": endpoint, "arm": arm, "months": months[keep].tolist(), "at_risk": before[keep].tolist(),
        "events": (before - left)[keep].tolist(), "survival": (left / n)[keep].tolist(),
        "remaining": int(left[keep][-1]), "origin": "individual",
    }  # fmt: skip


def make_targets(
    truth_draw: NDArray[np.void], trials: int = 4, n: int = 400, tau: float = 0.1
) -> list[Target]:
    """Trials of two arms at the truth, each with its own effects of SD `tau` (no effect on load)."""
    targets = []
    for t in range(trials):
        rng = np.random.default_rng([7, t])
        effects = np.repeat(tau * rng.standard_normal((1, 4)), n, axis=0)
        curves, body = [], {
            "trial": f"T{t}", "citation": {"text": "synthetic trial"}, "setting": "first_line",
            "horizon_months": 30, "scans": {"every_days": 56},
            "arms": [{"name": "control", "strategy": "mfolfox6", "n": n},
                     {"name": "drug", "strategy": "mfolfox6 + bevacizumab", "n": n}],
        }  # fmt: skip
        for arm in ("control", "drug"):
            draws = np.repeat(truth_draw, n)
            target = Target.model_validate(body)
            lives = simulate(target, arm, draws, effects, per_draw=1, seed=100 + t, horizon_days=5000.0)
            curves += [curve(e, arm, lives.days[e], n) for e in ("PFS", "OS")]
        targets.append(Target.model_validate({**body, "curves": curves}))
    return targets
