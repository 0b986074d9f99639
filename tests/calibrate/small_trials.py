"""Small trials made by hand, and lives drawn from exponentials in place of the engine."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np

from metachron.calibrate.simulate import ArmLives
from metachron.calibrate.targets import Target

DAYS = 30.4375
RATES = {"folfiri": 0.10, "folfiri + bevacizumab": 0.07}  # events a month


def trial(name: str = "MINE", **changes: Any) -> Target:
    """A second-line trial of FOLFIRI with and without bevacizumab."""
    fields: dict[str, Any] = {
        "trial": name,
        "citation": {"text": "made by hand"},
        "setting": "second_line",
        "earlier": [{"share": 1.0, "lines": ["mfolfox6"]}],
        "arms": [
            {"name": "control", "title": "FOLFIRI", "strategy": "folfiri", "n": 150},
            {"name": "bev", "strategy": "folfiri + bevacizumab", "n": 150},
        ],
        **changes,
    }
    return Target.model_validate(fields)


def curve(arm: str, rate: float, **changes: Any) -> dict[str, Any]:
    """An exponential curve of 300 patients with `rate` events a month, followed for 24 months."""
    months = np.arange(2.0, 26.0, 2.0)
    survival = np.exp(-rate * np.concatenate([[0.0], months]))
    at_risk = np.round(300 * survival).astype(int)
    return {
        "endpoint": "PFS",
        "arm": arm,
        "figure": "1",
        "months": months.tolist(),
        "at_risk": at_risk[:-1].tolist(),
        "events": (at_risk[:-1] - at_risk[1:]).tolist(),
        "survival": survival[1:].round(4).tolist(),
        "remaining": int(at_risk[-1]),
        **changes,
    }


def exponential_arm(
    target: Target, arm: str, draws: np.ndarray, per_draw: int, *, seed: int, **_: Any
) -> ArmLives:
    """In place of `simulate_arm`: lives from an exponential whose rate hangs on the strategy alone."""
    rng = np.random.default_rng([seed, zlib.crc32(arm.encode())])
    k = draws.size
    draw = np.repeat(np.arange(k), per_draw)
    days = DAYS * rng.exponential(1.0 / RATES[target.arm(arm).strategy], draw.size)
    each = np.full(k, per_draw)
    return ArmLives(
        draw=draw,
        days={"PFS": days, "OS": 2.0 * days},
        event={e: np.ones(draw.size, bool) for e in ("PFS", "OS")},
        response=np.zeros(draw.size, bool),
        enrolled=each,
        candidates=each,
        response_measured=False,
    )


def write_times(path: Path, rows: list[tuple[str, str, str, str, float, int]]) -> Path:
    """A CSV file of individual times."""
    lines = ["trial,figure,endpoint,arm,time_months,event", *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
