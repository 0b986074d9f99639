"""Where the simulator is run: one life for each parameter set, so that the whole budget covers the space.

A *wave* is a normal distribution of scores z with a share of wider rows. All arms of a trial share the rows,
the patients and the coins. Every life is a valid sample of its own row, whatever wave it is from.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from metachron.calibrate.layout import RESPONSE, ArmLayout
from metachron.calibrate.space import draws_from_z
from metachron.calibrate.targets import Target

Floats = NDArray[np.float64]
EFFECTS = 4  # growth, kill, death, load
FIRST_EFFECT_SD, EFFECT_SD_RANGE = 0.35, (0.2, 1.0)
FEWEST_SHARE = 0.3  # of the lives of a wave, for the smallest arm
FULL_FROM = 400  # patients behind an arm from which it gets all lives of the wave


class Lives(Protocol):
    """What is read of the lives of an arm (see simulate.ArmLives): arrays over enrolled patients."""

    @property
    def draw(self) -> NDArray[np.int64]: ...
    @property
    def days(self) -> Mapping[str, Floats]: ...
    @property
    def event(self) -> Mapping[str, NDArray[np.bool_]]: ...
    @property
    def response(self) -> NDArray[np.bool_]: ...


class Simulator(Protocol):
    """Lives of an arm, one a draw; `effects` (k, 4) of the trial beside the `draws` (k,)."""

    def __call__(
        self, target: Target, arm: str, draws: NDArray[np.void], effects: Floats, *, per_draw: int,
        seed: int, horizon_days: float,
    ) -> Lives: ...  # fmt: skip


@dataclass(frozen=True)
class Wave:
    """Distribution of the rows: scores N(center, root root'), effects N(0, effect_sd), (4,), in ln units.

    `wide` of the rows come from N(0, 1.2) instead, so that the emulator knows what lies around.
    """

    index: int
    center: Floats
    root: Floats
    effect_sd: Floats
    wide: float = 0.1


def first_wave(size: int) -> Wave:
    """The prior, a little widened: N(0, 1.15)."""
    root = np.asarray(np.diag(np.full(size, 1.15)), np.float64)
    return Wave(1, np.zeros(size), root, np.full(EFFECTS, FIRST_EFFECT_SD), wide=0.0)


def wave_around(index: int, samples: Floats, tau: Floats, inflation: float = 2.0) -> Wave:
    """Rows around posterior samples (n, p): their mean, their covariance times `inflation`; effects half as
    wide again as the mean of the samples `tau` (n, 4)."""
    covariance: Floats = inflation * np.atleast_2d(np.cov(samples, rowvar=False))
    root = np.asarray(np.linalg.cholesky(covariance + 1e-6 * np.eye(samples.shape[1])), np.float64)
    return Wave(index, samples.mean(0), root, np.clip(1.5 * tau.mean(0), *EFFECT_SD_RANGE))


def stream(seed: int, *key: int | str) -> np.random.Generator:
    """A generator that depends on the seed and on names only."""
    parts = [k if isinstance(k, int) else zlib.crc32(k.encode()) for k in key]
    return np.random.default_rng([seed, *parts])


def rows_of(wave: Wave, trial: str, n: int, seed: int) -> tuple[Floats, Floats]:
    """Scores (n, p) and effects (n, 4) of a trial in a wave; the first rows do not depend on n."""
    p = wave.center.size
    normal = stream(seed, wave.index, trial, "rows").standard_normal((n, p + EFFECTS))
    wide = stream(seed, wave.index, trial, "wide").random(n) < wave.wide
    z = wave.center + normal[:, :p] @ wave.root.T
    z[wide] = 1.2 * normal[wide, :p]
    return z, wave.effect_sd * normal[:, p:]


def lives_wanted(layout: ArmLayout, lives: int) -> int:
    """Lives of an arm in a wave: fewer where few patients stand behind its data."""
    return int(lives * np.clip(layout.n / FULL_FROM, FEWEST_SHARE, 1.0))


@dataclass(frozen=True)
class Outcomes:
    """Lives of an arm on its grid: `row` (n,) of the design, `stop` (n, heads) interval that the life ends in
    (the size of the head: beyond the last), `event` (n, heads) whether it ends in an event."""

    row: NDArray[np.int32]
    stop: NDArray[np.int16]
    event: NDArray[np.bool_]


def on_grid(lives: Lives, layout: ArmLayout) -> Outcomes:
    """Place the ends of lives on the grid. Raises ValueError when a time is not a number."""
    stop = np.zeros((lives.draw.size, len(layout.heads)), np.int16)
    event = np.zeros_like(stop, dtype=np.bool_)
    for h, head in enumerate(layout.heads):
        if head.endpoint == RESPONSE:
            event[:, h] = lives.response
            stop[:, h] = np.where(lives.response, 0, 1)
            continue
        days, happened = lives.days[head.endpoint], lives.event[head.endpoint]
        if np.isnan(days).any():
            raise ValueError(f"{layout.key}: {head.endpoint} has times that are not numbers")
        ended = np.searchsorted(head.ends, days, side="left")  # an event on a grid day is before its end
        left = np.searchsorted(head.ends, days, side="right")  # one censored on a grid day has survived it
        stop[:, h] = np.where(happened, ended, left)
        event[:, h] = happened & (ended < head.size)
    return Outcomes(lives.draw.astype(np.int32), stop, event)


def simulate_layout(
    target: Target, layout: ArmLayout, wave: Wave, names: Sequence[str], lives: int, seed: int,
    simulator: Simulator, horizon_days: float,
) -> Outcomes:  # fmt: skip
    """The lives of one arm in one wave, one for each row; what is not fitted is drawn from its prior."""
    n = lives_wanted(layout, lives)
    z, effects = rows_of(wave, layout.trial, n, seed)
    rest = int(stream(seed, wave.index, layout.trial, "rest").integers(2**31))
    draws = draws_from_z(names, z, rest_seed=rest)
    coins = int(stream(seed, wave.index, layout.trial, "coins").integers(2**31))
    found = simulator(target, layout.arm, draws, effects, per_draw=1, seed=coins, horizon_days=horizon_days)
    return on_grid(found, layout)


def inputs(z: Floats, effects: Floats) -> NDArray[np.float32]:
    """What the emulator reads: scores, and effects in units of 0.35, shape (n, p + 4)."""
    return np.hstack([z, effects / 0.35]).astype(np.float32)
