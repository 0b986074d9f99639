"""Whole lives of the engine beside those of the reference: which end the same, and why the others do not."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from metachron.engine.batch import Lives, simulate
from metachron.reference.accuracy import SEED, reference_life, traced
from metachron.reference.compare import compare
from metachron.reference.life import ReferenceLife
from metachron.reference.scenarios import YEAR, Ready, Scenario, build

# Fields of OUTCOME that are counts or codes: the same decisions must give the same numbers
DECISIONS = (
    "cause", "pfs_event", "hepatic_event", "local_failure", "no_cells", "response", "cycles_given", "lines",
    "resected",
)  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """One life both ways: what differs in its decisions, why, and the difference in the day of death."""

    scenario: str
    twin: int
    differs: tuple[str, ...]
    reason: str
    death_days: float


def whole_lives(scenario: Scenario, twins: int, years: float = 6.0) -> list[Pair]:
    """Compare `twins` lives of the scenario over `years`."""
    longer = replace(scenario, days=years * YEAR)
    ready = build(longer, twins)
    lives = simulate(
        ready.lesions, ready.twins, ready.draws, ready.programme, seed=SEED, horizon_days=longer.days, jobs=1
    )
    return [_pair(longer, ready, lives, i) for i in range(twins)]


def _pair(scenario: Scenario, ready: Ready, lives: Lives, i: int) -> Pair:
    life = reference_life(ready, scenario, i)
    differs = differences(lives, i, life)
    death = float(lives.outcomes["death"][i])
    both = np.isfinite(death) and np.isfinite(life.outcome["death"])
    days = abs(death - life.outcome["death"]) if both else 0.0
    return Pair(scenario.name, i, differs, _reason(scenario, ready, i) if differs else "", days)


def differences(lives: Lives, i: int, life: ReferenceLife) -> tuple[str, ...]:
    """Names of what the engine and the reference decided differently in life `i`."""
    row, out = lives.outcomes[i], life.outcome
    found = [name for name in DECISIONS if row[name] != out[name]]
    found += [name for name in ("pfs", "hepatic") if _moved(row, out, name)]
    if abs(row["dose_given"] - out["dose_given"]) > 1e-9:
        found.append("dose_given")
    if not np.array_equal(lives.grades[i], life.grades):
        found.append("grades")
    if not np.array_equal(lives.starts[i], life.starts, equal_nan=True):
        found.append("starts")
    if not np.array_equal(lives.progressions[i], life.progressions, equal_nan=True):
        found.append("progressions")
    return tuple(found)


def _moved(row: np.void, out: dict[str, float], name: str) -> bool:
    """Has an event other than death, which falls on a whole day, moved?"""
    same_kind = row[f"{name}_event"] == out[f"{name}_event"] == 1
    return bool(same_kind and row[name] != out[name])


def _reason(scenario: Scenario, ready: Ready, i: int) -> str:
    """The first thing that goes differently in the two lives."""
    rows = traced(ready, scenario, i, 1.0)
    life = reference_life(ready, scenario, i, set(rows["t"].tolist()))
    return compare(rows, life).parted or "death, between two events"
