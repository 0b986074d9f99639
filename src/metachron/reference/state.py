"""What is known of one person at one moment, as objects and as the vector the solver moves.

Days, cells, mL, mg/m2 and mg/L; sizes as ln living cells, resistant shares as logits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CLASSES = 6
FP, OX, IRI, FTD, EGFR, TARGET = range(CLASSES)
LIVER, LUNG = 0, 1
NO_CELLS = -700.0  # ln of a number of infused cells that is none

# Places in the vector: neutrophil chain, lymphocytes, ln infused cells, drug amounts, nerves, liver, hazard
P, T1, T2, T3, C, L, LN_E, MARROW, LYMPH, CHEMO, STRESS, VEGF, CHECKPOINT = range(13)
EFFECT = slice(13, 13 + CLASSES)
NERVE_X, NERVE_N, LIVER_VOLUME, HAZARD = range(13 + CLASSES, 17 + CLASSES)
BODY = 17 + CLASSES
# Then rows over lesions: ln cells, growth held back, dead tissue, logit of the resistant share per class
X, HELD, DEAD, LOGIT = 0, 1, 2, 3
ROWS = LOGIT + CLASSES


@dataclass
class Lesion:
    """One metastasis: `x` ln living cells, `held` growth held back, `dead_ml` dead tissue not yet cleared."""

    organ: int
    near_vessel: bool
    offset: float
    growth: float
    resistance: float
    x: float
    alive: bool
    visible: bool
    ln_last: float  # below this ln number of clonogens its coin says that it dies out
    wakes: float = 0.0  # day on which a dormant lesion begins to grow
    held: float = 0.0
    dead_ml: float = 0.0
    logit: list[float] = field(default_factory=lambda: [0.0] * CLASSES)
    met: list[bool] = field(default_factory=lambda: [False] * CLASSES)
    treated: bool = False
    target: bool = False

    @property
    def volume_ml(self) -> float:
        """Living and dead tissue, as a scan sees it."""
        living = float(np.exp(self.x)) / 1.0e9 if self.alive else 0.0
        return self.dead_ml + living

    @property
    def diameter_mm(self) -> float:
        """Diameter of a ball of that volume."""
        return 10.0 * float(np.cbrt(6.0 * self.volume_ml / np.pi))


@dataclass
class Body:
    """The treated body: `chain` holds precursors, three transits and circulating neutrophils (1e9/L)."""

    chain: list[float]
    lymphocytes: float
    ln_cells: float
    marrow_effect: float
    lymph_effect: float
    chemo: float
    stress: float
    vegf: float
    checkpoint: float
    effect: list[float]
    nerve_x: float
    nerve_n: float
    liver: float
    hazard: float

    @property
    def neutrophils(self) -> float:
        """Circulating neutrophils (1e9/L)."""
        return self.chain[4]


def resting_chain(base: float, transit_hours: float, loss: float) -> list[float]:
    """Chain in which nothing changes: each compartment passes on what the blood loses."""
    flow = base * loss
    return [flow / (4.0 * 24.0 / transit_hours)] * 4 + [base]


def fresh_body(twin: SimpleNamespace, par: SimpleNamespace) -> Body:
    """The body at day 0."""
    return Body(
        chain=resting_chain(twin.neutrophils, par.marrow_transit_h, par.neutrophil_loss),
        lymphocytes=1.0, ln_cells=NO_CELLS, marrow_effect=0.0, lymph_effect=0.0, chemo=0.0, stress=0.0,
        vegf=0.0, checkpoint=0.0, effect=[0.0] * CLASSES, nerve_x=0.0, nerve_n=twin.nerve_burden,
        liver=twin.liver_share, hazard=0.0,
    )  # fmt: skip


def pack(body: Body, lesions: list[Lesion]) -> Floats:
    """The vector of body and lesions, shape (BODY + ROWS n,)."""
    scalars = [
        *body.chain, body.lymphocytes, body.ln_cells, body.marrow_effect, body.lymph_effect, body.chemo,
        body.stress, body.vegf, body.checkpoint, *body.effect, body.nerve_x, body.nerve_n, body.liver,
        body.hazard,
    ]  # fmt: skip
    rows = np.array([[s.x, s.held, s.dead_ml, *s.logit] for s in lesions]).reshape(-1, ROWS)
    return np.concatenate([scalars, rows.T.ravel()])


def unpack(y: Floats, body: Body, lesions: list[Lesion]) -> None:
    """Write the vector back into body and lesions."""
    values = [float(v) for v in y[:BODY]]
    body.chain = values[P : C + 1]
    body.lymphocytes, body.ln_cells = values[L], values[LN_E]
    body.marrow_effect, body.lymph_effect, body.chemo = values[MARROW], values[LYMPH], values[CHEMO]
    body.stress, body.vegf, body.checkpoint = values[STRESS], values[VEGF], values[CHECKPOINT]
    body.effect = values[EFFECT]
    body.nerve_x, body.nerve_n = values[NERVE_X], values[NERVE_N]
    body.liver, body.hazard = values[LIVER_VOLUME], values[HAZARD]
    rows = y[BODY:].reshape(ROWS, -1)
    for i, lesion in enumerate(lesions):
        column = [float(v) for v in rows[:, i]]
        lesion.x, lesion.held, lesion.dead_ml = column[X], column[HELD], column[DEAD]
        lesion.logit = column[LOGIT:]
