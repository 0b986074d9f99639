"""How far the engine's trace of a life is from the reference, state by state."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from metachron.reference.life import ReferenceLife, Snapshot
from metachron.reference.state import Lesion

# State and what its error is measured in
MEASURES = {
    "living cells": "ln cells",
    "resistant share": "share",
    "growth held back": "ln cells",
    "dead tissue": "of the lesion's volume, or of 1 mm3",
    "drug effect": "of a full dose",
    "anti-VEGF level": "of the first dose",
    "checkpoint effect": "of a full dose",
    "chemotherapy stress": "of its largest value",
    "neutrophil precursors and transits": "of the level at rest",
    "neutrophils": "of the count at rest",
    "neutrophil nadir": "of the count at rest",
    "lymphocytes": "of normal",
    "infused cells": "ln cells",
    "nerve burden": "of its largest value",
    "liver volume": "of the original",
    "integrated hazard of cancer": "1",
}
FEW_CELLS = 1.0e5  # infused cells below this number are let go by the engine
LEAST_ML = 1.0e-3


@dataclass
class Comparison:
    """Largest error of each state in one life, on how many days, and why the comparison ended early if so."""

    errors: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    days: int = 0
    parted: str = ""

    def note(self, state: str, engine: float, reference: float, scale: float = 1.0) -> None:
        """Keep the largest error of the state."""
        self.errors[state] = max(self.errors[state], abs(engine - reference) / scale)


def compare(rows: NDArray[np.void], life: ReferenceLife, days: set[float] | None = None) -> Comparison:
    """Compare the trace `rows` (steps,) of STATE with the states of the reference, on `days` or all of them.

    Ends when a decision (a dose, a cycle, a scan) has gone differently, since nothing can agree after it.
    """
    found = Comparison()
    nerve = max((s.body.nerve_n for s in life.states.values()), default=0.0)
    level = max((s.body.vegf for s in life.states.values()), default=0.0)
    last = -math.inf
    for row in rows:
        day = float(row["t"])
        state = life.states.get(day)
        if state is None or day == last or (days is not None and day not in days):
            continue
        last = day
        found.parted = parting(row, state)
        if found.parted:
            return found
        found.days += 1
        _body(found, row, state, life.resting, nerve, level)
        for j in range(int(row["n"])):
            _lesion(found, row, j, state.lesions[int(row["slot"][j])])
    return found


def parting(row: np.void, state: Snapshot) -> str:
    """What the engine and the reference have decided differently by this day; empty when nothing."""
    cycle = state.cycle if state.segment >= 0 else int(row["cycle"])
    pairs = {
        "course": (int(row["segment"]), state.segment),
        "cycle": (int(row["cycle"]), cycle),
        "line": (int(row["line"]), state.line),
        "progressions": (int(row["failed"]), state.progressed),
    }
    for name, (engine, reference) in pairs.items():
        if engine != reference:
            return f"{name} {engine} against {reference} on day {state.day:g}"
    if not np.allclose(row["dose"][: len(state.dose)], state.dose):
        return f"dose on day {state.day:g}"
    for j in range(int(row["n"])):
        if bool(row["visible"][j]) != state.lesions[int(row["slot"][j])].visible:
            return f"lesion {int(row['slot'][j])} seen on day {state.day:g}"
    return ""


def _body(
    found: Comparison, row: np.void, state: Snapshot, rest: list[float], nerve: float, level: float
) -> None:
    body = state.body
    chain = [float(v) for v in row["chain"]]
    for j in range(4):
        found.note("neutrophil precursors and transits", chain[j], body.chain[j], rest[j])
    found.note("neutrophils", chain[4], body.chain[4], rest[4])
    found.note("neutrophil nadir", float(row["nadir"]), state.nadir, rest[4])
    if row["lymph"]:
        found.note("lymphocytes", float(row["lymphocytes"]), body.lymphocytes)
        if body.ln_cells > math.log(FEW_CELLS) and row["cells"] > 0.0:
            found.note("infused cells", math.log(row["cells"]), body.ln_cells)
    for k, amount in enumerate(body.effect):
        found.note("drug effect", float(row["effect"][k]), amount)
    found.note("anti-VEGF level", float(row["vegf"]), body.vegf, max(level, 1.0))
    found.note("checkpoint effect", float(row["checkpoint"]), body.checkpoint)
    found.note("chemotherapy stress", float(row["stress"]), body.stress)
    found.note("nerve burden", float(row["nerve_n"]), body.nerve_n, max(nerve, 1.0))
    found.note("liver volume", float(row["liver"]), body.liver)
    found.note("integrated hazard of cancer", float(row["hazard_cancer"]), body.hazard)


def _lesion(found: Comparison, row: np.void, j: int, lesion: Lesion) -> None:
    if bool(row["alive"][j]) != lesion.alive:
        return  # one of them has buried it, the other is about to
    found.note("dead tissue", float(row["debris"][j]), lesion.dead_ml, max(lesion.volume_ml, LEAST_ML))
    if not lesion.alive:
        return
    found.note("living cells", float(row["x"][j]), lesion.x)
    found.note("growth held back", float(row["held_back"][j]), lesion.held)
    for k, logit in enumerate(lesion.logit):
        share = float(row["resistant"][k, j])
        if lesion.met[k]:
            found.note("resistant share", share, 1.0 / (1.0 + math.exp(-logit)))
