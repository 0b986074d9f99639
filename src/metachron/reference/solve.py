"""Move the state over time with tight tolerances; find by root finding what the state itself decides.

Root finding decides: death by cancer (the integrated hazard passes its coin), extinction of a lesion (its
clonogens pass the threshold of its coin), the bends of the growth fraction and of the share that lives on
vessels, the end of a drug, full lymphoid space, the nadir of neutrophils and the peak of the nerve burden.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.integrate import solve_ivp

from metachron.reference.ode import (
    LN_AVASCULAR,
    LN_VASCULAR,
    Surroundings,
    derivative,
)
from metachron.reference.state import (
    BODY,
    CHECKPOINT,
    DEAD,
    EFFECT,
    HAZARD,
    HELD,
    LN_E,
    LOGIT,
    MARROW,
    NERVE_N,
    NERVE_X,
    NO_CELLS,
    ROWS,
    T3,
    C,
    Floats,
    L,
    P,
    X,
    resting_chain,
)

RTOL, ATOL, ATOL_DEAD = 1e-10, 1e-12, 1e-18
# A trace of a drug is none. With less than the others, or fewer infused cells, no extinction coin is asked.
TRACE, LEAST_EFFECT, LEAST_CHECKPOINT, LEAST_CELLS = 1e-14, 1e-5, 1e-4, 1.0
ON_A_BEND = 1e-10  # so far beyond a bend a law is used before the next one takes over
HAIR = 1e-9  # relative; so near its end, a drug has ended
MOST_STARTS = 10_000
AT_REST = 1e-9  # relative deviation of the neutrophil chain that counts as none


@dataclass
class Watcher:
    """A function whose root is an event. `found` is called with (t, y) and may change y and surroundings."""

    root: Callable[[float, Floats], float]
    direction: float
    terminal: bool
    found: Callable[[float, Floats], None]

    def __call__(self, t: float, y: Floats) -> float:
        """As solve_ivp calls it."""
        return float(self.root(t, y))


@dataclass
class Extremes:
    """Least neutrophil count and largest nerve burden met on the way."""

    neutrophils: float = math.inf
    nerve: float = 0.0

    def meet(self, y: Floats) -> None:
        """Take the extremes with this state."""
        self.neutrophils = min(self.neutrophils, float(y[C]))
        self.nerve = max(self.nerve, float(y[NERVE_N]))


@dataclass
class Solver:
    """Moves one state; `limit` is the coin of death by cancer, `ln_last` those of extinction per lesion."""

    at: Surroundings
    limit: float
    ln_last: Floats
    extremes: Extremes
    extinct: list[tuple[float, int]] = field(default_factory=list)
    died: float = math.inf

    def move(self, t: float, y: Floats, until: float) -> Floats:
        """State at `until`, or at the death by cancer (then `died` is its day)."""
        y[EFFECT] = np.where(y[EFFECT] > TRACE, y[EFFECT], 0.0)
        self.at.acting = np.flatnonzero(y[EFFECT] * self.at.kill_rate > 0.0)
        self._settle(t, y)
        self._rest(y)
        starts, n = 0, self.at.alive.size
        tolerance = np.full(y.size, ATOL)
        tolerance[BODY + DEAD * n : BODY + LOGIT * n] = ATOL_DEAD
        while t < until and self.died > t:
            starts += 1
            if starts > MOST_STARTS:
                raise ArithmeticError(f"the solver does not get past day {t}")
            self.extremes.meet(y)
            watchers = self._watchers(y)
            found = solve_ivp(
                self._slope, (t, until), y, method="DOP853", rtol=RTOL, atol=tolerance, events=watchers
            )
            if not found.success:
                raise ArithmeticError(found.message)
            t, y = float(found.t[-1]), np.array(found.y[:, -1])
            met = zip(watchers, found.t_events or [], found.y_events or [], strict=True)
            for watcher, days, states in met:
                for day, state in zip(days, states, strict=True):
                    watcher.found(float(day), y if watcher.terminal else state)
            self._settle(t, y)
        self.extremes.meet(y)
        return y

    def _slope(self, t: float, y: Floats) -> Floats:
        return derivative(t, y, self.at)

    def _settle(self, t: float, y: Floats) -> None:
        """Does anything kill from here on, and which lesions are past their coin already?"""
        rows = y[BODY:].reshape(ROWS, -1)
        at = self.at
        at.kill_acts = self._kill_acts(y)
        at.room = self._room(t, y) > 0.0
        at.set_zones(rows[X])
        if at.kill_acts:
            for i in np.flatnonzero(at.alive & (rows[X] + rows[HELD] <= self.ln_last)):
                self._die_out(int(i), t, y)

    def _kill_acts(self, y: Floats) -> bool:
        """Does anything kill tumour cells?"""
        par, more = self.at.par, 1.0 + HAIR
        drugs = ((y[EFFECT] > LEAST_EFFECT * more) & (self.at.kill_rate > 0.0)).any()
        cells = y[LN_E] > math.log(LEAST_CELLS) + HAIR and par.cell_kill * par.cell_effect_real > 0.0
        return bool(drugs or cells or y[CHECKPOINT] > LEAST_CHECKPOINT * more)

    def _die_out(self, i: int, t: float, y: Floats) -> None:
        """The last cells of lesion i are dead tissue now."""
        rows = y[BODY:].reshape(ROWS, -1)
        rows[DEAD, i] += math.exp(rows[X, i]) / 1.0e9
        self.at.alive[i] = False
        self.extinct.append((t, i))

    def _watchers(self, y: Floats) -> list[Watcher]:
        watchers = [Watcher(lambda _t, y: y[HAZARD] - self.limit, 1.0, True, self._die)]
        if not self.at.marrow_rests:
            watchers.append(Watcher(self._change_of_count, 1.0, False, self._extreme))
        if y[NERVE_X] > 0.0:
            watchers.append(Watcher(self._change_of_nerve, -1.0, False, self._extreme))
        if y[LN_E] > NO_CELLS:
            sign = 1.0 if self.at.room else -1.0
            root = lambda t, y: self._room(t, y) + sign * ON_A_BEND  # noqa: E731
            watchers.append(Watcher(root, -sign, True, self._nothing))
        few = math.log(LEAST_CELLS)
        if y[LN_E] > few + HAIR:
            watchers.append(Watcher(lambda _t, y: y[LN_E] - few, -1.0, True, self._nothing))
        for k in np.flatnonzero((self.at.kill_rate > 0.0) & (y[EFFECT] > LEAST_EFFECT * (1.0 + HAIR))):
            amount = EFFECT.start + int(k)
            over = lambda _t, y, amount=amount: y[amount] - LEAST_EFFECT  # noqa: E731
            watchers.append(Watcher(over, -1.0, True, self._nothing))
        if y[CHECKPOINT] > LEAST_CHECKPOINT * (1.0 + HAIR):
            watchers.append(
                Watcher(lambda _t, y: y[CHECKPOINT] - LEAST_CHECKPOINT, -1.0, True, self._nothing)
            )
        for i in np.flatnonzero(self.at.alive):
            watchers += self._of_lesion(int(i))
        return watchers

    def _of_lesion(self, i: int) -> list[Watcher]:
        """Watchers of lesion i: the bends of its laws, and its extinction while something kills."""
        at, n = self.at, self.at.alive.size
        x, held = BODY + X * n + i, BODY + HELD * n + i
        watchers = []
        for zone, (low, high) in (
            (at.growth_zone[i], at.growth_bends),
            (at.vessel_zone[i], (LN_AVASCULAR, LN_VASCULAR)),
        ):
            if zone >= 0:  # it may fall out of its zone
                floor = (low if zone == 0 else high) - ON_A_BEND
                root = lambda _t, y, floor=floor: y[x] - floor  # noqa: E731
                watchers.append(Watcher(root, -1.0, True, self._nothing))
            if zone <= 0:  # or grow out of it
                top = (high if zone == 0 else low) + ON_A_BEND
                root = lambda _t, y, top=top: y[x] - top  # noqa: E731
                watchers.append(Watcher(root, 1.0, True, self._nothing))
        if at.kill_acts:
            last = float(self.ln_last[i])
            gone = lambda t, y: self._die_out(i, t, y)  # noqa: E731
            watchers.append(Watcher(lambda _t, y: y[x] + y[held] - last, -1.0, True, gone))
        return watchers

    def _die(self, t: float, _y: Floats) -> None:
        self.died = t

    def _extreme(self, _t: float, y: Floats) -> None:
        self.extremes.meet(y)

    def _nothing(self, _t: float, _y: Floats) -> None:
        """A new start of the solver is all that is needed."""

    def _change_of_count(self, _t: float, y: Floats) -> float:
        par = self.at.par
        return float(self.at.transit * y[T3] - par.neutrophil_loss * y[C])

    def _change_of_nerve(self, _t: float, y: Floats) -> float:
        par = self.at.par
        return float(y[NERVE_X] / par.neuropathy_onset_days - y[NERVE_N] / par.neuropathy_recovery_days)

    def _room(self, _t: float, y: Floats) -> float:
        return float(1.0 - y[L] - math.exp(y[LN_E]) / self.at.par.cell_capacity)

    def _rest(self, y: Floats) -> None:
        """Stop moving the neutrophil chain once it cannot be told from its steady state."""
        par, twin = self.at.par, self.at.twin
        steady = np.array(resting_chain(twin.neutrophils, par.marrow_transit_h, par.neutrophil_loss))
        near = bool((np.abs(y[P : C + 1] - steady) < AT_REST * steady).all())
        self.at.marrow_rests = near and y[MARROW] < AT_REST and not self.at.gcsf
        if self.at.marrow_rests:
            y[P : C + 1], y[MARROW] = steady, 0.0
