"""The equations of docs/model.md as text, written out for one core: constants, variables, rules, events.

Formulas are in the infix of SBML Level 3 (`ln`, `exp`, `min`, `max`, `piecewise`, `^`), so that they become
SBML as they stand and other languages by a short translation. Only what the schedule makes act is written:
a class that is never given has no variable.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from metachron.interop.constants import DIMENSIONLESS, PER_DAY, describe
from metachron.interop.core import (
    AVASCULAR_CELLS,
    CELLS_PER_ML,
    CLASS_NAMES,
    CYTOTOXIC_CLASSES,
    EGFR,
    GROWTH_FRACTION,
    MACRO_CELLS,
    MICRO_CELLS,
    REFERENCE_CELLS,
    VASCULAR_CELLS,
    Administration,
    Core,
)

DENSITY = f"{CELLS_PER_ML!r} per_mL"  # cells per mL of tumour


@dataclass(frozen=True)
class Constant:
    """A number that stays."""

    name: str
    value: float
    unit: str
    title: str


@dataclass(frozen=True)
class Variable:
    """A state: `start` and `rate` (per day) are formulas; without a rate it changes at events only."""

    name: str
    start: str
    rate: str
    unit: str
    title: str


@dataclass(frozen=True)
class Rule:
    """A quantity that follows from others at every moment."""

    name: str
    formula: str
    unit: str
    title: str


@dataclass(frozen=True)
class Event:
    """New values of variables on one day."""

    day: float
    assign: dict[str, str]


@dataclass
class Equations:
    """All of the model; rules are in an order in which each needs only those before it."""

    constants: list[Constant] = field(default_factory=list)
    variables: list[Variable] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


def number(value: float, unit: str = DIMENSIONLESS) -> str:
    """A number that reads back exactly, its unit behind it when it has one."""
    return repr(float(value)) + ("" if unit == DIMENSIONLESS else f" {unit}")


def write_equations(core: Core) -> Equations:
    """The equations of a core."""
    eq = Equations()
    _drugs(eq, core)
    _body(eq, core)
    _burden(eq, core)
    for i in range(1, core.lesions + 1):
        _lesion(eq, core, i)
    if core.lesions:
        _death(eq, core)
    eq.events = [Event(a.day, _changes(core, a)) for a in core.given]
    eq.events = [e for e in eq.events if e.assign]
    eq.constants = _constants(core, eq)
    return eq


def _constants(core: Core, eq: Equations) -> list[Constant]:
    """The constants that some formula uses, in the order of the core."""
    formulas = [f for v in eq.variables for f in (v.start, v.rate)] + [r.formula for r in eq.rules]
    formulas += [f for event in eq.events for f in event.assign.values()]
    used = set(re.findall(r"[A-Za-z_]\w*", " ".join(formulas)))
    found = []
    for name, value in core.constants.items():
        if name in used:
            unit, title = describe(name)
            found.append(Constant(name, value, unit, title))
    return found


def _drugs(eq: Equations, core: Core) -> None:
    for k in core.classes:
        name = CLASS_NAMES[k]
        title = f"Effect of {name} drugs; mean 1 over a full-dose cycle"
        eq.variables.append(Variable(f"A_{name}", "0", f"-decay_{name} * A_{name}", DIMENSIONLESS, title))
    if core.vegf:
        eq.variables.append(Variable("V", "0", "-decay_vegf * V", "mg_per_L", "Anti-VEGF level"))
        slowing = "1 - vegf_imax * V / (V + vegf_ic50_mg_l)"
        eq.rules.append(Rule("M_vegf", slowing, DIMENSIONLESS, "Growth under anti-VEGF drugs over without"))
    if core.checkpoint:
        rate = "-decay_checkpoint * checkpoint"
        eq.variables.append(Variable("checkpoint", "0", rate, DIMENSIONLESS, "Checkpoint inhibitor effect"))
    if core.immune:
        rate = "-decay_stress * stress"
        eq.variables.append(Variable("stress", "0", rate, DIMENSIONLESS, "Chemotherapy stress, at most 1"))
        boost = "1 + chemo_sensitising * stress"
        eq.rules.append(Rule("boost", boost, DIMENSIONLESS, "Immune kill under stress over without"))
    if not core.lesions:
        return
    for name, start, title in (
        ("line_growth", "line_growth_start", "Growth in this line of treatment over the first"),
        ("potency", "1", "Kill by cytotoxic drugs in this line over the first"),
    ):
        eq.variables.append(Variable(name, start, "", DIMENSIONLESS, title))


def _body(eq: Equations, core: Core) -> None:
    add = eq.variables.append
    amounts = [("m", "decay_marrow", DIMENSIONLESS, "Drug effect on marrow, before the patient's factor")]
    amounts += [("l", "decay_lymph", PER_DAY, "Drug kill of lymphocytes")] * core.lymphocytes
    amounts += [("a", "decay_lymph", DIMENSIONLESS, "Drug on infused cells, full-dose cycles")] * core.cells
    for name, decay, unit, title in amounts:
        add(Variable(name, "0", f"-{decay} * {name}", unit, title))
    level, count = "neutrophils_start * neutrophil_loss / marrow_transit", "count"
    feedback = "(1 - marrow_factor * m) * (neutrophils_start / C)^marrow_feedback - 1"
    add(Variable("P", level, f"marrow_transit * P * ({feedback})", count, "Neutrophil precursors"))
    for here, before in (("T1", "P"), ("T2", "T1"), ("T3", "T2")):
        add(Variable(here, level, f"marrow_transit * ({before} - {here})", count, f"Transit {here[1]}"))
    rate = "marrow_transit * T3 - neutrophil_loss * C"
    add(Variable("C", "neutrophils_start", rate, count, "Circulating neutrophils"))
    if core.lymphocytes or core.cells:
        _lymphocytes(eq, core)
    if core.nerve:
        passing = "nerve_onset * X"
        add(Variable("X", "0", f"-{passing}", "mg_per_m2", "Oxaliplatin on its way to the nerve"))
        burden = f"{passing} - nerve_recovery * N"
        add(Variable("N", "nerve_start", burden, "mg_per_m2", "Nerve burden"))
    if core.lesions:
        back = "liver_regrowth * H * (1 - H / liver_plateau)" if core.regrows else ""
        add(Variable("H", "liver_start", back, DIMENSIONLESS, "Liver volume over original"))


def _lymphocytes(eq: Equations, core: Core) -> None:
    """Lymphocytes, and the infused cells that grow into the room they leave."""
    kill = " - l * L" if core.lymphocytes else ""
    support = " + marrow_support * E / (E + support_half_cells) * (1 - L)" if core.cells else ""
    rate = f"lymphocyte_recovery * (1 - L){kill}{support}"
    eq.variables.append(Variable("L", "1", rate, DIMENSIONLESS, "Lymphocytes over normal"))
    if core.cells:
        room = "max(0, 1 - L - E / cell_capacity)"
        rate = f"(cell_expansion * {room} - cell_loss - cell_chemo_toxicity * a) * E"
        eq.variables.append(Variable("E", "0", rate, "cells", "Infused cells"))
        eq.variables.append(Variable("cell_loss", "0", "", PER_DAY, "Loss of the cells infused last"))


def _burden(eq: Equations, core: Core) -> None:
    """Sizes first: infused cells share out over all lesions."""
    span = f"(ln_capacity - {number(math.log(REFERENCE_CELLS))})"
    low, high = (number(g) for g in GROWTH_FRACTION)
    none, whole = number(math.log(AVASCULAR_CELLS)), number(math.log(VASCULAR_CELLS / AVASCULAR_CELLS))
    for i in range(1, core.lesions + 1):
        terms = [f"y_{i}"]
        terms += [
            f"ln((1 - phi_{k}_{i}) * exp(-D_{k}_{i}) + phi_{k}_{i} * exp(-rho_resistant * D_{k}_{i}))"
            for k in (CLASS_NAMES[k] for k in core.classes)
        ]
        x = " + ".join(terms) + (f" - I_{i}" if core.immune else "")
        vessels = f"min(max((x_{i} - {none}) / {whole}, 0), 1)"
        eq.rules.append(Rule(f"x_{i}", x, DIMENSIONLESS, f"ln living cells of lesion {i}"))
        gf = f"min(max((ln_capacity - x_{i}) / {span}, {low}), {high})"
        eq.rules.append(Rule(f"gf_{i}", gf, DIMENSIONLESS, f"Growth fraction of lesion {i}"))
        if core.vegf or core.classes:
            eq.rules.append(Rule(f"vessels_{i}", vessels, DIMENSIONLESS, f"Share of lesion {i} on vessels"))
    if core.cells and core.lesions:
        total = " + ".join(f"exp(x_{i})" for i in range(1, core.lesions + 1))
        eq.rules.append(Rule("n_total", total, DIMENSIONLESS, "All living tumour cells"))


def _lesion(eq: Equations, core: Core, i: int) -> None:
    grow = f"growth_{i} * gf_{i}"
    slowed = f"(1 - vessels_{i} * (1 - M_vegf))" if core.vegf else "1"
    add = eq.variables.append
    title = f"ln cells of lesion {i} without the kill"
    add(Variable(f"y_{i}", f"size_{i}", f"{grow} * line_growth * {slowed}", DIMENSIONLESS, title))
    if core.vegf:
        rate = f"{grow} * line_growth * (1 - {slowed})"
        add(Variable(f"held_{i}", "0", rate, DIMENSIONLESS, f"Growth of lesion {i} held back"))
    kills = []
    for k in core.classes:
        name = CLASS_NAMES[k]
        rate = f"kill_{name} * gf_{i} * A_{name}"
        rate += " * potency" if k in CYTOTOXIC_CLASSES else ""
        if k <= EGFR:
            micro = "egfr_micro_factor" if k == EGFR else "kill_micro_factor"
            rate += f" * ({micro} + (1 - {micro}) * vessels_{i})"
        phi, d = f"phi_{name}_{i}", f"D_{name}_{i}"
        add(Variable(d, "0", rate, DIMENSIONLESS, f"Cumulative kill of lesion {i} by {name} drugs"))
        title = f"Resistant share of lesion {i} to {name} drugs when first given"
        add(Variable(phi, "0", "", DIMENSIONLESS, title))
        sensitive, resistant = f"(1 - {phi}) * exp(-{d})", f"{phi} * exp(-rho_resistant * {d})"
        share = f"({sensitive} + rho_resistant * {resistant}) / ({sensitive} + {resistant})"
        kills.append(f"{rate} * {share}")
    if core.immune:
        add(Variable(f"I_{i}", "0", _immune(core, i), DIMENSIONLESS, f"Immune kill of lesion {i}"))
        kills.append(_immune(core, i))
    killed = " + ".join(kills) if kills else number(0.0, PER_DAY)
    rate = f"exp(x_{i}) / {DENSITY} * ({killed}) - dead_tissue_clearance * W_{i}"
    add(Variable(f"W_{i}", "0", rate, "mL", f"Dead tissue of lesion {i}"))


def _immune(core: Core, i: int) -> str:
    parts = []
    if core.cells:
        # infused cells share out by surface; ratio of effectors to tumour cells
        ratio = f"cell_homing * (E / {number(1.0, 'cells')}) * (exp(x_{i}) / n_total)^(2 / 3) / exp(x_{i})"
        parts.append(f"cell_kill * ({ratio}) / (1 + {ratio})")
    if core.checkpoint:
        parts.append(f"checkpoint_kill * gf_{i} * checkpoint")
    return f"boost * ({' + '.join(parts)})"


def _death(eq: Equations, core: Core) -> None:
    terms = []
    for i in range(1, core.lesions + 1):
        volume = f"exp(x_{i}) / {DENSITY} + W_{i}"
        eq.rules.append(Rule(f"volume_{i}", volume, "mL", f"Volume of lesion {i}, living and dead"))
    seen = [i for i, visible in enumerate(core.visible, 1) if visible]
    if seen:
        ball = number(6.0 / math.pi, "cm3_per_mL")
        total = " + ".join(f"root(3, {ball} * volume_{i})" for i in seen)
        eq.rules.append(Rule("sum_cm", total, "cm", "Sum of diameters of the visible lesions"))
        burden = f"death_burden * ln(1 + sum_cm / {number(1.0, 'cm')})"
        share = "(1 - exp(-sum_cm / death_full_cm))"
        terms.append(f"{number(1.0, PER_DAY)} * {share} * exp(death_intercept + {burden})")
    liver = [f"volume_{i}" for i, inside in enumerate(core.in_liver, 1) if inside]
    if liver:
        eq.rules.append(Rule("liver_tumour", " + ".join(liver), "mL", "Tumour in the liver"))
        share = "liver_tumour / (H * liver_ml + liver_tumour)"
        eq.rules.append(Rule("replaced", share, DIMENSIONLESS, "Share of the liver that is tumour"))
        z = "min(max((replaced - death_liver_mid) / death_liver_width, -30), 30)"
        none = "1 / (1 + exp(min(death_liver_mid / death_liver_width, 30)))"
        terms.append(f"max({number(0.0, PER_DAY)}, death_liver_max * (1 / (1 + exp(-{z})) - {none}))")
    eq.rules.append(
        Rule("hazard", " + ".join(terms) or number(0.0, PER_DAY), PER_DAY, "Hazard of death by cancer")
    )
    title = "Cumulative hazard of death by cancer"
    eq.variables.append(Variable("hazard_cancer", "0", "hazard", DIMENSIONLESS, title))


def _resistant(name: str, i: int) -> str:
    low, high = math.log(MICRO_CELLS), math.log(MACRO_CELLS)
    w = f"min(max((x_{i} - {number(low)}) / {number(high - low)}, 0), 1)"
    logit = f"resistance_{i} + logit_micro_{name} + {w} * (logit_macro_{name} - logit_micro_{name})"
    return f"1 / (1 + exp(-({logit})))"


def _changes(core: Core, a: Administration) -> dict[str, str]:
    """What one day's administrations assign."""
    new = {f"A_{CLASS_NAMES[k]}": a.effect[k] for k in core.classes}
    new |= {"V": a.vegf * core.vegf, "m": a.marrow, "l": a.lymph, "X": a.nerve}
    if core.cells:
        new |= {"a": a.chemo, "E": a.cells}
    units = {"V": "mg_per_L", "l": PER_DAY, "X": "mg_per_m2", "E": "cells"}
    changes = {
        name: f"{name} + {number(value, units.get(name, DIMENSIONLESS))}"
        for name, value in new.items()
        if value > 0.0
    }
    if core.immune and a.chemo > 0.0:
        changes["stress"] = f"min(1, stress + {number(a.chemo)})"
    if core.checkpoint and a.checkpoint > 0.0:
        changes["checkpoint"] = f"max(checkpoint, {number(a.checkpoint)})"
    for name in ("cell_loss", "line_growth", "potency"):
        value = getattr(a, name)
        if value is not None and (name == "cell_loss" or core.lesions):
            changes[name] = number(value, PER_DAY if name == "cell_loss" else DIMENSIONLESS)
    for k in a.opens:
        if k in core.classes:
            for i in range(1, core.lesions + 1):
                changes[f"phi_{CLASS_NAMES[k]}_{i}"] = _resistant(CLASS_NAMES[k], i)
    return changes
