"""From a compiled programme to the deterministic core: its courses laid out at fixed days, no rule acting.

Courses follow each other after their gaps, every cycle is given in time and at the starting dose.
Procedures keep their place in time, but are not in the core; nor are lines that would follow progression.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from metachron.engine.records import (
    GIVE_CELLS,
    GIVE_CHECKPOINT,
    GIVE_VEGF,
    LIVER,
    OCCULT,
    PROCEDURE,
    START_PLANNED,
    VISIBLE,
    Programme,
)
from metachron.interop.core import (
    CLASS_NAMES,
    EGFR,
    Administration,
    Core,
)

OX = 1
LN2 = math.log(2.0)
VEGF_CYCLE_DAYS = 14.0  # the level of one infusion is that of a two-weekly cycle

# Constants of the core that are parameters of the draw under their own name
SAME = (
    "rho_resistant", "kill_micro_factor", "egfr_micro_factor", "dead_tissue_clearance", "vegf_imax",
    "vegf_ic50_mg_l",
    "chemo_sensitising", "cell_homing", "cell_expansion", "cell_chemo_toxicity", "cell_capacity",
    "marrow_feedback", "neutrophil_loss", "liver_regrowth", "liver_plateau", "death_intercept",
    "death_burden", "death_full_cm", "death_liver_max", "death_liver_mid", "death_liver_width",
)  # fmt: skip
# Parameters that older draws do not have, and what the equations are without them
SWITCHES = {"marrow_support": 0.0, "support_half_cells": 1.0e10}
HALF_LIVES = {
    "decay_vegf": "vegf_half_life_days",
    "decay_checkpoint": "checkpoint_memory_days",
    "decay_stress": "chemo_stress_half_life_days",
    "decay_marrow": "marrow_effect_half_life_days",
    "decay_lymph": "lymphocyte_effect_half_life_days",
    "lymphocyte_recovery": "lymphocyte_recovery_days",
    "nerve_onset": "neuropathy_onset_days",
    "nerve_recovery": "neuropathy_recovery_days",
}
FROM_TWIN = {
    "marrow_factor": "marrow_factor",
    "neutrophils_start": "neutrophils",
    "nerve_start": "nerve_burden",
    "liver_start": "liver_share",
    "liver_ml": "liver_ml",
}


@dataclass
class Day:
    """What adds up on one day."""

    effect: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(CLASS_NAMES)))
    vegf: float = 0.0
    checkpoint: float = 0.0
    marrow: float = 0.0
    lymph: float = 0.0
    chemo: float = 0.0
    nerve: float = 0.0
    cells: float = 0.0
    cell_loss: float | None = None
    opens: list[int] = field(default_factory=list)
    line_growth: float | None = None
    potency: float | None = None

    def frozen(self, day: float) -> Administration:
        values = vars(self) | {"effect": tuple(self.effect.tolist()), "opens": tuple(self.opens)}
        return Administration(day, **values)


@dataclass
class Calendar:
    """Collects what is given, day by day, while courses are laid out one after another."""

    programme: Programme
    draw: np.void
    days: float
    given: dict[float, Day] = field(default_factory=dict)
    dose: NDArray[np.float64] = field(default_factory=lambda: np.ones(len(CLASS_NAMES)))
    opened: set[int] = field(default_factory=set)
    left_out: list[str] = field(default_factory=list)
    line: int = 0  # of the last course; hazards are those of this line throughout

    def fill(self) -> None:
        """Lay out the planned steps, until one that waits for something to happen."""
        day = 0.0
        for segment in self.programme.segments[: self.programme.n_planned]:
            if segment["trigger"] != START_PLANNED:
                self.left_out.append(
                    "the steps that wait for progression or recurrence, and those after them"
                )
                return
            day += float(segment["gap"])
            if segment["kind"] == PROCEDURE:
                self.left_out.append(f"the procedure planned for day {day:g}")
            elif day < self.days:
                day = self.course(segment, day)

    def course(self, segment: np.void, start: float) -> float:
        """Lay out one course; returns the day it ends (the horizon when it has no fixed length)."""
        admins = self.programme.admins[segment["admin_from"] : segment["admin_to"]]
        self.dose = np.minimum(self.dose, segment["dose"])  # what was reduced stays so
        today = self.given.setdefault(start, Day())
        classes = {int(a["what"]) for a in admins if a["what"] < len(CLASS_NAMES)}
        if EGFR in classes & self.opened:
            self.left_out.append(f"the return of anti-EGFR sensitivity before day {start:g}")
        classes -= self.opened
        today.opens += sorted(classes)
        self.opened |= classes
        if segment["line"] > 0:
            line = self.line = int(segment["line"])
            today.line_growth = line_growth(self.draw, line)
            today.potency = float(self.draw["later_line_potency"]) if line >= 2 else 1.0
        cycle = 0
        while (cycle < segment["cycles"] or segment["cycles"] == 0) and start < self.days:
            for admin in admins:
                if admin["until_cycle"] == 0 or cycle < admin["until_cycle"]:
                    self.give(segment, admin, start + float(admin["day"]))
            cycle += 1
            start += float(segment["cycle_days"])
        return start

    def give(self, segment: np.void, admin: np.void, day: float) -> None:
        """Add one administration to its day."""
        if day >= self.days:
            return
        draw, what, amount = self.draw, int(admin["what"]), float(admin["amount"])
        today = self.given.setdefault(day, Day())
        level = 1.0
        if what < len(CLASS_NAMES):
            level = float(self.dose[what])
            decay = LN2 / float(draw[f"half_life_{CLASS_NAMES[what]}_days"])
            today.effect[what] += amount * level * float(segment["cycle_days"]) * decay
            if what == OX:
                today.nerve += float(admin["ox_mg"]) * level
        elif what == GIVE_VEGF:
            cycles = float(segment["cycle_days"]) / VEGF_CYCLE_DAYS
            today.vegf += amount * float(draw["vegf_level_mg_l"]) * cycles
        elif what == GIVE_CHECKPOINT:
            today.checkpoint = max(today.checkpoint, min(1.0, amount))
        elif what == GIVE_CELLS:
            today.cells += amount
            today.cell_loss = LN2 / float(admin["half_life"] * draw["cell_half_life_factor"])
        if admin["chemo"] > 0.0:
            hit = float(admin["chemo"]) * level
            decay = LN2 / float(draw["lymphocyte_effect_half_life_days"])
            today.marrow += hit * float(segment["marrow"])
            today.lymph += -math.log(1.0 - min(float(segment["lymph"]), 0.99)) * hit * decay
            today.chemo += hit


def line_growth(draw: np.void, line: int) -> float:
    """Factor on growth in a line of treatment: 1 in the first, the square root in the second, all after."""
    factor = float(draw["line_growth_factor"])
    if line < 2:
        return 1.0
    return math.sqrt(factor) if line == 2 else factor


def lay_out(
    programme: Programme, twin: np.void, lesions: NDArray[np.void], draw: np.void, days: float
) -> Core:
    """The deterministic core of one twin under one parameter draw, over `days`.

    `lesions` is the twin's row, shape (room,) of LESION; `twin` and `draw` are single records.
    """
    calendar = Calendar(programme, draw, days)
    calendar.fill()
    present = [row for row in lesions[: int(twin["n_lesions"])] if row["status"] in (VISIBLE, OCCULT)]
    core = Core(
        constants=MappingProxyType({}),
        in_liver=tuple(bool(row["organ"] == LIVER) for row in present),
        visible=tuple(bool(row["status"] == VISIBLE) for row in present),
        given=tuple(today.frozen(at) for at, today in sorted(calendar.given.items())),
        days=float(days),
        notes=tuple(calendar.left_out),
    )
    constants = patient_constants(twin, present, draw)
    line = max(calendar.line, int(twin["start_line"]), 1)
    # without scans nothing progresses: each line before this one has failed once
    constants["death_intercept"] += float(draw["death_line"]) * math.log(line)
    if line > 1:
        constants["death_intercept"] += float(draw["death_progressed"])
    return Core(**(vars(core) | {"constants": MappingProxyType(constants)}))


def patient_constants(twin: np.void, present: Iterable[np.void], draw: np.void) -> dict[str, float]:
    """Every constant of the equations, for all classes of drugs whether given or not."""
    c = {name: float(draw[name]) for name in SAME}
    c |= {name: float(draw[name]) if name in (draw.dtype.names or ()) else v for name, v in SWITCHES.items()}
    c |= {name: LN2 / float(draw[source]) for name, source in HALF_LIVES.items()}
    c |= {name: float(twin[source]) for name, source in FROM_TWIN.items()}
    c["death_intercept"] += float(twin["ln_frailty"])
    c["marrow_transit"] = 4.0 / float(draw["marrow_transit_h"]) * 24.0
    c["ln_capacity"] = math.log(float(draw["capacity_cells"]))
    c["line_growth_start"] = line_growth(draw, int(twin["start_line"]))
    c["cell_kill"] = float(draw["cell_kill"] * draw["cell_effect_real"] * twin["immune"])
    state = 1.0 if twin["msi_high"] else float(draw["checkpoint_mss_factor"])
    c["checkpoint_kill"] = float(draw["checkpoint_kill"] * twin["checkpoint"]) * state
    for k, name in enumerate(CLASS_NAMES):
        kill = float(draw[f"kappa_{name}"] * twin["sensitivity"])
        c[f"kill_{name}"] = kill * float(twin["egfr_active"]) if k == EGFR else kill
        c[f"decay_{name}"] = LN2 / float(draw[f"half_life_{name}_days"])
        c[f"logit_macro_{name}"] = float(twin["logit_macro"][k])
        c[f"logit_micro_{name}"] = float(twin["logit_micro"][k])
    for i, row in enumerate(present, 1):
        c[f"size_{i}"] = float(row["x"])
        c[f"growth_{i}"] = float(twin["growth"] * row["growth"])
        c[f"resistance_{i}"] = float(row["resistance"])
    return c
