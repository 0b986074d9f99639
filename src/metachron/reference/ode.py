"""Right-hand side of the whole state between two events, as docs/model.md writes it.

Nothing is solved in closed form here: drug amounts, levels and the liver are integrated like the rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from metachron.reference.state import (
    BODY,
    CHECKPOINT,
    CHEMO,
    CLASSES,
    DEAD,
    EFFECT,
    EGFR,
    HAZARD,
    HELD,
    LIVER,
    LIVER_VOLUME,
    LN_E,
    LOGIT,
    LYMPH,
    MARROW,
    NERVE_N,
    NERVE_X,
    NO_CELLS,
    ROWS,
    STRESS,
    VEGF,
    C,
    Floats,
    L,
    P,
    X,
)

LN2 = math.log(2.0)
# Smaller lesions live without vessels and answer less to anti-EGFR drugs, larger ones live on vessels
LN_AVASCULAR, LN_VASCULAR = math.log(3.0e6), math.log(3.0e7)
LN_REFERENCE = math.log(5.0e10)
SLOWEST, FASTEST = 0.2, 4.0


@dataclass
class Surroundings:
    """What stays the same between two events: parameters, the twin, the lesions and their treatment.

    `kill_rate` per class (classes,), `line_factor` of growth, `kill_acts` whether anything kills cells now.
    """

    par: SimpleNamespace
    twin: SimpleNamespace
    organ: NDArray[np.int64]
    growth: Floats
    alive: NDArray[np.bool_]
    awake: NDArray[np.bool_]
    visible: NDArray[np.bool_]
    kill_rate: Floats
    line_factor: float
    progressed: int  # progressions of metastatic disease so far
    new_lesion: bool
    cell_decay: float
    marrow_rests: bool = False
    room: bool = True  # is there room for infused cells?
    kill_acts: bool = False
    gcsf: bool = False
    removed: tuple[float, float] = (0.0, 0.0)  # day of the last resection, share of the liver removed
    pulse_day: float = math.inf  # day of the last cryoablation
    # Zone of each lesion in laws with bends: -1 below both, 0 between, 1 above
    growth_zone: NDArray[np.int64] = field(init=False)
    vessel_zone: NDArray[np.int64] = field(init=False)
    acting: NDArray[np.int64] = field(init=False)  # classes of which anything is there
    decay: Floats = field(init=False)

    def __post_init__(self) -> None:
        par = self.par
        self.acting = np.arange(CLASSES)
        self.growth_zone = self.vessel_zone = np.zeros(self.growth.size, dtype=np.int64)
        days = (
            par.half_life_fp_days, par.half_life_ox_days, par.half_life_iri_days, par.half_life_ftd_days,
            par.half_life_egfr_days, par.half_life_target_days,
        )  # fmt: skip
        self.decay = LN2 / np.array(days)
        self.span = math.log(par.capacity_cells) - LN_REFERENCE
        self.ln_capacity = math.log(par.capacity_cells)
        self.micro = np.ones(CLASSES)
        self.micro[:EGFR] = par.kill_micro_factor
        self.micro[EGFR] = par.egfr_micro_factor

    @property
    def transit(self) -> float:
        """Rate of the neutrophil chain per day; faster under G-CSF."""
        faster: float = self.par.gcsf_factor if self.gcsf else 1.0
        return 4.0 * 24.0 / float(self.par.marrow_transit_h) * faster

    @property
    def growth_bends(self) -> tuple[float, float]:
        """Sizes between which the growth fraction falls from 4 to 0.2."""
        return self.ln_capacity - FASTEST * self.span, self.ln_capacity - SLOWEST * self.span

    def set_zones(self, x: Floats) -> None:
        """Keep each lesion to the law of its zone until it leaves it."""
        low, high = self.growth_bends
        self.growth_zone = np.where(x < low, -1, np.where(x > high, 1, 0))
        self.vessel_zone = np.where(x < LN_AVASCULAR, -1, np.where(x > LN_VASCULAR, 1, 0))


def growth_fraction(x: Floats, at: Surroundings) -> Floats:
    """Growth at size x relative to the reference size."""
    middle = (at.ln_capacity - x) / at.span
    return np.where(at.growth_zone == 0, middle, np.where(at.growth_zone < 0, FASTEST, SLOWEST))


def body_rates(y: Floats, out: Floats, at: Surroundings) -> None:
    """Rates of the body; y and out have shape (BODY + ROWS n,)."""
    par, twin = at.par, at.twin
    if not at.marrow_rests:
        ktr = at.transit
        p, t1, t2, t3, c = y[P : C + 1].tolist()
        feedback = (twin.neutrophils / max(c, 1e-6)) ** par.marrow_feedback
        out[P : C + 1] = (
            ktr * p * ((1.0 - y[MARROW]) * feedback - 1.0),
            ktr * (p - t1),
            ktr * (t1 - t2),
            ktr * (t2 - t3),
            ktr * t3 - par.neutrophil_loss * c,
        )
    lymph, ln_e = float(y[L]), float(y[LN_E])
    cells = math.exp(ln_e) if ln_e > NO_CELLS else 0.0
    missing = 1.0 - lymph
    support = par.marrow_support * cells / (cells + par.support_half_cells) if cells > 0.0 else 0.0
    out[L] = LN2 / par.lymphocyte_recovery_days * missing - y[LYMPH] * lymph + support * missing
    if cells > 0.0:
        room = missing - cells / par.cell_capacity if at.room else 0.0
        out[LN_E] = par.cell_expansion * room - at.cell_decay - par.cell_chemo_toxicity * y[CHEMO]
    out[MARROW] = -LN2 / par.marrow_effect_half_life_days * y[MARROW]
    leave = LN2 / par.lymphocyte_effect_half_life_days
    out[LYMPH], out[CHEMO] = -leave * y[LYMPH], -leave * y[CHEMO]
    out[STRESS] = -LN2 / par.chemo_stress_half_life_days * y[STRESS]
    out[VEGF] = -LN2 / par.vegf_half_life_days * y[VEGF]
    out[CHECKPOINT] = -LN2 / par.checkpoint_memory_days * y[CHECKPOINT]
    out[EFFECT] = -at.decay * y[EFFECT]
    k1, k2 = LN2 / par.neuropathy_onset_days, LN2 / par.neuropathy_recovery_days
    out[NERVE_X] = -k1 * y[NERVE_X]
    out[NERVE_N] = k1 * y[NERVE_X] - k2 * y[NERVE_N]
    liver = float(y[LIVER_VOLUME])
    if liver < par.liver_plateau:
        out[LIVER_VOLUME] = par.liver_regrowth * liver * (1.0 - liver / par.liver_plateau)


def immune_rate(t: float, y: Floats, x: Floats, gf: Floats, at: Surroundings) -> Floats:
    """Kill per day by checkpoint inhibitors and by infused cells in each lesion."""
    par, twin = at.par, at.twin
    state = 1.0 if twin.msi_high else par.checkpoint_mss_factor
    rate = twin.checkpoint * par.checkpoint_kill * state * gf * y[CHECKPOINT]
    largest = par.cell_kill * par.cell_effect_real
    if y[LN_E] > NO_CELLS and largest > 0.0 and at.alive.any():
        n = np.exp(x)
        total = n[at.alive].sum()
        ratio = par.cell_homing * math.exp(y[LN_E]) * (n / total) ** (2.0 / 3.0) / n
        rate = rate + twin.immune * largest * ratio / (1.0 + ratio)
    boost = 1.0 + par.chemo_sensitising * float(y[STRESS])
    if t >= at.pulse_day:
        boost *= 1.0 + par.antigen_pulse * math.exp(-(t - at.pulse_day) / par.antigen_pulse_days)
    return np.asarray(rate * boost)


@dataclass
class LesionRates:
    """What happens to lesions a day: growth, growth held back, hits per acting class (acting, n), loss."""

    growth: Floats
    held: Floats
    hits: Floats
    loss: Floats


def vascular_share(x: Floats, at: Surroundings) -> Floats:
    """Share of a lesion that lives on vessels."""
    ramp = (x - LN_AVASCULAR) / (LN_VASCULAR - LN_AVASCULAR)
    return np.where(at.vessel_zone == 0, ramp, np.where(at.vessel_zone < 0, 0.0, 1.0))


def lesion_rates(t: float, y: Floats, at: Surroundings) -> LesionRates:
    """Rates of all lesions, arrays (n,); hits (acting classes, n)."""
    par = at.par
    rows = y[BODY:].reshape(ROWS, -1)
    gf = growth_fraction(rows[X], at)
    share = vascular_share(rows[X], at)
    speed = at.twin.growth * at.line_factor
    since, removed = t - at.removed[0], at.removed[1]
    if removed > 0.0:
        speed *= 1.0 + par.regeneration_growth * removed * math.exp(-since / par.regeneration_days)
    free = speed * at.growth * gf * at.awake
    held = free * share * par.vegf_imax * y[VEGF] / (y[VEGF] + par.vegf_ic50_mg_l)
    k = at.acting
    loss = immune_rate(t, y, rows[X], gf, at)
    hits = np.zeros((0, gf.size))
    if k.size:
        micro = at.micro[k, None]
        hits = (at.kill_rate[k] * y[EFFECT][k])[:, None] * gf * (micro + (1.0 - micro) * share)
        resistant = 1.0 / (1.0 + np.exp(-rows[LOGIT + k]))
        loss = loss + (hits * (1.0 + (par.rho_resistant - 1.0) * resistant)).sum(0)
    return LesionRates(free - held, held, hits, loss)


def derivative(t: float, y: Floats, at: Surroundings) -> Floats:
    """d y / dt; lesions that are gone only lose their dead tissue."""
    out = np.zeros_like(y)
    body_rates(y, out, at)
    n = at.alive.size
    if n:
        rows, change = y[BODY:].reshape(ROWS, -1), out[BODY:].reshape(ROWS, -1)
        rates = lesion_rates(t, y, at)
        living = at.alive * np.exp(rows[X]) / 1.0e9
        change[X] = at.alive * (rates.growth - rates.loss)
        change[HELD] = at.alive * rates.held
        change[DEAD] = living * rates.loss - at.par.dead_tissue_clearance * rows[DEAD]
        change[LOGIT + at.acting] = at.alive * (1.0 - at.par.rho_resistant) * rates.hits
        out[HAZARD] = hazard(rows[DEAD] + living, float(y[LIVER_VOLUME]), at)
    return out


def hazard(volume_ml: Floats, liver: float, at: Surroundings) -> float:
    """Hazard of death per day by detected disease and by replacement of the liver."""
    par = at.par
    seen = volume_ml[at.visible]
    total_cm = float(np.cbrt(6.0 * seen / math.pi).sum())
    rate = 0.0
    if total_cm > 0.0:
        rate = math.exp(par.death_intercept + at.twin.ln_frailty + par.death_new_lesion * at.new_lesion)
        if at.progressed:
            rate *= math.exp(par.death_progressed) * (1.0 + at.progressed) ** par.death_line
        rate *= (1.0 + total_cm) ** par.death_burden * -math.expm1(-total_cm / par.death_full_cm)
    tumour = float(volume_ml[at.organ == LIVER].sum())
    if tumour > 0.0:
        share = tumour / (tumour + liver * at.twin.liver_ml)
        none = par.death_liver_max / (1.0 + math.exp(par.death_liver_mid / par.death_liver_width))
        steep = math.exp(-(share - par.death_liver_mid) / par.death_liver_width)
        rate += max(0.0, par.death_liver_max / (1.0 + steep) - none)
    return rate
