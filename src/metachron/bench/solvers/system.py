"""The deterministic core as vectors: where each state stands, and what an administration does to them.

Shared by the solvers that take a plain vector (SciPy, diffrax). The right-hand sides are written by hand
in each, from docs/model.md; nothing here uses the kernel or the text of the SBML.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from metachron.interop.core import (
    CLASS_NAMES,
    CYTOTOXIC_CLASSES,
    MACRO_CELLS,
    MICRO_CELLS,
    Administration,
    Core,
)

Floats = NDArray[np.float64]
CHAIN = ("P", "T1", "T2", "T3", "C")


@dataclass(frozen=True)
class Layout:
    """Index of every state: single ones by name, then one block over lesions for each of `blocks`."""

    names: tuple[str, ...]
    blocks: tuple[str, ...]
    lesions: int

    @property
    def size(self) -> int:
        return len(self.names) + len(self.blocks) * self.lesions

    def at(self, name: str) -> int:
        """Index of a single state, or -1 when the core does not have it."""
        return self.names.index(name) if name in self.names else -1

    def block(self, name: str) -> slice:
        """Where the lesions of one block stand."""
        start = len(self.names) + self.blocks.index(name) * self.lesions
        return slice(start, start + self.lesions)

    def state_names(self) -> list[str]:
        """A name for every entry, as in the SBML file."""
        found = list(self.names)
        for block in self.blocks:
            found += [f"{block}_{i}" for i in range(1, self.lesions + 1)]
        return found


def layout(core: Core) -> Layout:
    """The states that this core needs, and no others."""
    names = [f"A_{CLASS_NAMES[k]}" for k in core.classes]
    names += ["V"] * core.vegf + ["checkpoint"] * core.checkpoint + ["stress"] * core.immune
    names += ["m"] + ["l"] * core.lymphocytes + ["a"] * core.cells + list(CHAIN)
    names += ["L"] * (core.lymphocytes or core.cells) + ["E"] * core.cells + ["X", "N"] * core.nerve
    names += ["H"] * (core.regrows and core.lesions > 0) + ["hazard_cancer"] * (core.lesions > 0)
    blocks = ["y"] + ["held"] * core.vegf + ["W"] + ["I"] * core.immune
    blocks += [f"D_{CLASS_NAMES[k]}" for k in core.classes]
    return Layout(tuple(names), tuple(blocks) if core.lesions else (), core.lesions)


@dataclass
class Now:
    """What changes only when something is given: resistant shares (classes, lesions) and three numbers."""

    phi: Floats
    line_growth: float
    potency: float = 1.0
    cell_loss: float = 0.0


def per_lesion(core: Core, name: str) -> Floats:
    """A constant of every lesion, shape (lesions,)."""
    return np.array([core.constants[f"{name}_{i}"] for i in range(1, core.lesions + 1)])


def per_class(core: Core, name: str) -> Floats:
    """A constant of every class given, shape (classes,)."""
    return np.array([core.constants[f"{name}_{CLASS_NAMES[k]}"] for k in core.classes])


def start(core: Core, where: Layout) -> tuple[Floats, Now]:
    """State at day 0 and what holds from then."""
    c, s = core.constants, np.zeros(where.size)
    level = c["neutrophils_start"] * c["neutrophil_loss"] / c["marrow_transit"]
    begin = {"P": level, "T1": level, "T2": level, "T3": level, "C": c["neutrophils_start"], "L": 1.0}
    begin |= {"N": c["nerve_start"], "H": c["liver_start"]}
    for name, value in begin.items():
        if where.at(name) >= 0:
            s[where.at(name)] = value
    if core.lesions:
        s[where.block("y")] = per_lesion(core, "size")
    return s, Now(np.zeros((len(core.classes), core.lesions)), c["line_growth_start"])


def ln_cells(core: Core, where: Layout, s: Floats, phi: Floats) -> Floats:
    """ln living cells of every lesion; `s` has shape (..., states), the result (..., lesions)."""
    x = s[..., where.block("y")].copy()
    rho = core.constants["rho_resistant"]
    for j, k in enumerate(core.classes):
        d = s[..., where.block(f"D_{CLASS_NAMES[k]}")]
        x += np.log((1.0 - phi[j]) * np.exp(-d) + phi[j] * np.exp(-rho * d))
    return x - s[..., where.block("I")] if core.immune else x


def jumps(core: Core, where: Layout, a: Administration) -> Floats:
    """What an administration adds to the states (clips apart), shape (states,)."""
    added = np.zeros(where.size)
    plain = {f"A_{CLASS_NAMES[k]}": a.effect[k] for k in core.classes}
    plain |= {"V": a.vegf, "m": a.marrow, "l": a.lymph, "a": a.chemo, "E": a.cells, "X": a.nerve}
    plain |= {"stress": a.chemo}
    for name, value in plain.items():
        if where.at(name) >= 0:
            added[where.at(name)] = value
    return added


def give(core: Core, where: Layout, s: Floats, now: Now, a: Administration) -> None:
    """Apply one day's administrations in place."""
    for k in a.opens:
        if k in core.classes:
            x = ln_cells(core, where, s, now.phi)
            now.phi[core.classes.index(k)] = resistant_share(core, k, x)
    s += jumps(core, where, a)
    if where.at("stress") >= 0:
        s[where.at("stress")] = min(1.0, s[where.at("stress")])
    if where.at("checkpoint") >= 0:
        s[where.at("checkpoint")] = max(s[where.at("checkpoint")], a.checkpoint)
    now.line_growth = now.line_growth if a.line_growth is None else a.line_growth
    now.potency = now.potency if a.potency is None else a.potency
    now.cell_loss = now.cell_loss if a.cell_loss is None else a.cell_loss


def resistant_share(core: Core, k: int, x: Floats) -> Floats:
    """Resistant share of lesions of ln size x when class k is first given."""
    low, high = math.log(MICRO_CELLS), math.log(MACRO_CELLS)
    micro = core.constants[f"logit_micro_{CLASS_NAMES[k]}"]
    macro = core.constants[f"logit_macro_{CLASS_NAMES[k]}"]
    w = np.clip((x - low) / (high - low), 0.0, 1.0)
    more = per_lesion(core, "resistance") if core.lesions else 0.0
    logit = more + micro + w * (macro - micro)
    return np.asarray(1.0 / (1.0 + np.exp(-logit)))


def weaker(core: Core) -> NDArray[np.bool_]:
    """Which of the classes given lose potency in later lines."""
    return np.array([k in CYTOTOXIC_CLASSES for k in core.classes], dtype=bool)


def stretches(core: Core) -> list[tuple[float, float, Administration | None]]:
    """(from, to, what is given at its start) over the whole time, in order."""
    days = [0.0, *(a.day for a in core.given if a.day > 0.0), core.days]
    given = {a.day: a for a in core.given}
    return [(t0, t1, given.get(t0)) for t0, t1 in pairwise(days)]
