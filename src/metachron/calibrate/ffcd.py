"""The likelihood of FFCD 2000-05, patient by patient, by simulation.

For a parameter set, virtual patients of the trial's population live its arms with death switched off
(`ffcd_paths`); the likelihood of a real patient is the mean, over them, of the probability of his sizes, new
lesions and death along each path (`ffcd_match`). The error of sizes is integrated over SIGMAS; each patient
may, with probability STRAY, follow no path at all.

A mean over few paths is biased downwards for a patient whom few of them fit, and more so where patients vary
little. The error of sizes is therefore kept wide, and what the pool is too small for is read from its halves.
The wide error gives information away, but deviations from a path persist from visit to visit, so that the
sizes of a patient tell less than as many independent ones.

Every parameter set has virtual patients and coins of its own. With common ones the error of a pool would stay
in the slopes between sets however many sets there are, as large as between two pools; so it averages out.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from metachron.calibrate.courses import branches
from metachron.calibrate.ffcd_data import DAYS, FfcdArm, FfcdData, prepare
from metachron.calibrate.ffcd_match import match
from metachron.calibrate.ffcd_paths import Paths, walk
from metachron.calibrate.space import draws_from_z
from metachron.calibrate.targets import Target, load_targets
from metachron.engine.records import Programme
from metachron.errors import InputError, Problem
from metachron.population.draw import DEATH, draw_population
from metachron.population.nature import MEAN_ECOG
from metachron.population.spec import PopulationSpec, population_spec

__all__ = [
    "TRIAL", "Evaluation", "FfcdData", "evaluate", "evaluate_in_parts", "explain", "moved_by",
    "noise_of", "prepare",
]  # fmt: skip

Floats = NDArray[np.float64]
TRIAL = "FFCD2000-05"
# Scale of the error of sizes (measurement and model) on the Box-Cox scale, equally likely in ln; 1 is half of
# a sum of 10 cm
SIGMAS = np.array([0.55, 0.7, 0.85, 1.0])
STRAY = 0.05  # patients whom no path explains (assumed)
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(7)
BLOCKS = 8  # of a pool, to make its halves of
_HALVES = np.array(
    [[j in half for j in range(BLOCKS)] for half in combinations(range(BLOCKS), BLOCKS // 2)], float
)
# With a pool doubled, ln likelihood rises by .74 of what it rose in the doubling before (pools of 500 to
# 32,000, nine parameter sets): 2.8 times the last rise is still to come, nearly the same for all sets. Only 1
# is added: more would bring more noise than it takes bias from the differences between sets.
STILL_TO_RISE = 1.0
TRIED = 200  # virtual patients that show whether a parameter matters
READING = 2  # raised when the same settings give other numbers
VIRTUAL = 4000  # virtual patients of each arm for a parameter set
PART = 20  # parameter sets between two checkpoints


@dataclass(frozen=True)
class Evaluation:
    """One parameter set: log likelihood, that of each patient (n,) at the best error, virtual patients that
    count for each (n,), the best error, ln weights (virtual, n of the arm) and paths of each arm."""

    value: float
    by_patient: Floats
    ess: Floats
    sigma: float
    ln_weights: dict[str, Floats]
    paths: dict[str, Paths]


@cache
def _target() -> Target:
    return load_targets()[TRIAL]


@cache
def _spec() -> PopulationSpec:
    return population_spec(_target().population, _target().setting)


@cache
def _programmes() -> dict[str, Programme]:
    target = _target()
    return {arm.name: branches(target, arm)[0].mutant.programme for arm in target.arms}


def evaluate(
    data: FfcdData,
    draws: NDArray[np.void],
    *,
    seed: int,
    virtual: int = VIRTUAL,
    effects: Floats | None = None,
    jobs: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Floats:
    """Log likelihood of each parameter set, shape (k,).

    `data` from `prepare`; `draws` (k,); `effects` (k, 4): trial effects on growth, kill, death and load;
    `virtual` patients for each set, drawn anew for each. Same (seed, virtual), same numbers for a set,
    whatever the others. `progress` is called with the number of sets done. Raises InputError.
    """
    added = _checked(draws, effects, virtual)
    seeds = [_own_seed(seed, draws[k], added[k]) for k in range(draws.size)]
    return _values(data, draws, added, seeds, virtual, jobs, progress)


def _own_seed(seed: int, draw: np.void, effects: Floats) -> int:
    """Seed of the virtual patients of one parameter set: its own, whatever the other sets are."""
    digest = hashlib.sha256(str(seed).encode() + draw.tobytes() + effects.tobytes()).digest()
    return int.from_bytes(digest[:4], "little") >> 1


def _values(
    data: FfcdData,
    draws: NDArray[np.void],
    added: Floats,
    seeds: Sequence[int],
    virtual: int,
    jobs: int | None,
    progress: Callable[[int], None] | None = None,
) -> Floats:
    """Log likelihood of each set (k,) with virtual patients from its seed."""
    found = np.empty(draws.size)
    for k, seed in enumerate(seeds):
        found[k] = explain(data, draws[k : k + 1], added[k], seed=seed, virtual=virtual, jobs=jobs).value
        if progress is not None:
            progress(k + 1)
    return found


def moved_by(data: FfcdData, names: Sequence[str], *, seed: int, jobs: int | None = None) -> tuple[str, ...]:
    """The parameters of `names` that change the log likelihood at all: with the same virtual patients and
    coins the others leave it exactly as it is."""
    z = np.vstack([np.zeros((1, len(names))), np.eye(len(names))])
    draws = draws_from_z(names, z)
    found = _values(data, draws, np.zeros((draws.size, 4)), [seed] * draws.size, TRIED, jobs)
    return tuple(name for name, value in zip(names, found[1:], strict=True) if value != found[0])


def noise_of(
    data: FfcdData,
    draws: NDArray[np.void],
    *,
    seed: int,
    virtual: int = VIRTUAL,
    effects: Floats | None = None,
    jobs: int | None = None,
) -> float:
    """SD of the simulated log likelihood between pools: from two seeds at each of some sets (k,), 3 or more,
    best near the largest log likelihood. Not from `seed` itself, by which the best may have been chosen."""
    if draws.size < 3:
        raise InputError(Problem("draws", f"{draws.size} parameter sets", "3 or more"))
    one, two = (
        evaluate(data, draws, seed=s, virtual=virtual, effects=effects, jobs=jobs)
        for s in (seed + 1, seed + 2)
    )
    return float((one - two).std(ddof=1) / np.sqrt(2.0))


def _checked(draws: NDArray[np.void], effects: Floats | None, virtual: int) -> Floats:
    added = np.zeros((draws.size, 4)) if effects is None else np.asarray(effects, np.float64)
    if added.shape != (draws.size, 4) or not np.isfinite(added).all():
        raise InputError(Problem("effects", f"shape {added.shape}", f"finite numbers, ({draws.size}, 4)"))
    if virtual < 10:
        raise InputError(Problem("virtual", f"{virtual} virtual patients", "10 or more"))
    return added


def explain(
    data: FfcdData,
    draw: NDArray[np.void],
    effects: Floats,
    *,
    seed: int,
    virtual: int = VIRTUAL,
    jobs: int | None = None,
) -> Evaluation:
    """The log likelihood of one parameter set (1,) with effects (4,), and what it is made of."""
    twins, lesions = draw_population(
        _spec(),
        _target().setting,
        np.repeat(draw, virtual),
        seed=seed,
        effects=np.tile(effects, (virtual, 1)),
    )
    twins["draw"] = 0
    paths, logs = {}, {}
    for arm in data.arms:
        paths[arm.name] = walk(
            lesions,
            twins,
            draw,
            _programmes()[arm.name],
            seed=seed,
            horizon_days=data.horizon_days,
            jobs=jobs,
        )
        logs[arm.name] = _matched(arm, paths[arm.name], draw[0], effects, jobs or 2)
    means = [_mean(logs[arm.name], arm.stray[:, None]) for arm in data.arms]
    each, ess = np.concatenate([m[0] for m in means]), np.concatenate([m[1] for m in means])
    total = each.sum(0)
    best = int(total.argmax())
    value = float(logsumexp(total) - np.log(SIGMAS.size))
    kept = {name: part[:, :, best] for name, part in logs.items()}
    return Evaluation(value, each[:, best], ess[:, best], float(SIGMAS[best]), kept, paths)


def _mean(logs: Floats, stray: Floats) -> tuple[Floats, Floats]:
    """ln likelihood of patients from logs (v, i, sigmas) along paths and `stray` (i, 1), and the number of
    paths that count: both (i, sigmas).

    The logarithm of a mean over v paths is too low on average; what it rises by from half the pool (mean over
    all halves made of blocks) to the whole pool tells how much is left to rise.
    """
    top = logs.max(0)
    w = np.exp(logs - top)
    ess = w.sum(0) ** 2 / (w**2).sum(0)
    blocks = np.array_split(w, BLOCKS)
    sums, sizes = np.stack([b.sum(0) for b in blocks]), np.array([float(len(b)) for b in blocks])

    def mixed(weight: Floats, count: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            mean = top + np.log(weight / count[:, None, None])
        return np.asarray(np.logaddexp(np.log1p(-STRAY) + mean, np.log(STRAY) + stray))

    whole = mixed(sums.sum(0)[None], sizes.sum()[None])[0]
    half = mixed(np.tensordot(_HALVES, sums, 1), _HALVES @ sizes).mean(0)
    return whole + STILL_TO_RISE * (whole - half), ess


def _matched(arm: FfcdArm, paths: Paths, par: np.void, effects: Floats, jobs: int) -> Floats:
    """Log likelihood (virtual, patients, SIGMAS) of each patient along each path."""
    virtual = paths.new_day.size
    logs = np.empty((virtual, arm.died.size, SIGMAS.size))
    sd = float(par["death_frailty_sd"])
    frailty = np.stack([np.exp(sd * _NODES - 0.5 * sd**2), _WEIGHTS / _WEIGHTS.sum()])
    names = ("death_new_lesion", "death_liver_max", "death_liver_mid", "death_liver_width")
    draw = (float(par["death_intercept"] + effects[DEATH]), *(float(par[name]) for name in names))
    level = np.exp(float(par["death_ecog"]) * (arm.ecog - MEAN_ECOG))
    ages, sizes = _background(arm, par), (arm.row, arm.weight, arm.size)

    def some(rows: slice) -> None:
        match(
            arm.first, arm.last, arm.when, ages, level, arm.died, sizes, draw, frailty, paths.values[rows],
            paths.new_day[rows], SIGMAS, logs[rows],
        )  # fmt: skip

    edges = np.linspace(0, virtual, jobs + 1).astype(int)
    with ThreadPoolExecutor(jobs) as threads:
        list(threads.map(some, [slice(a, b) for a, b in pairwise(edges)]))
    return logs


def _background(arm: FfcdArm, par: np.void) -> Floats:
    """Hazard of death of other causes at the end of follow-up (1/d) and summed up to it, shape (n, 2)."""
    b = np.log(2.0) / float(par["background_doubling_years"])
    start = float(par["background_65"]) * np.exp(b * (arm.age - 65.0))
    years = arm.when[:, 2] / DAYS
    return np.column_stack([start * np.exp(b * years) / DAYS, start * np.expm1(b * years) / b])


def evaluate_in_parts(
    path: Path,
    data: FfcdData,
    draws: NDArray[np.void],
    *,
    seed: int,
    virtual: int = VIRTUAL,
    effects: Floats | None = None,
    jobs: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Floats:
    """As `evaluate`, with what is done kept in `path` (npz) after every PART sets; goes on from there.

    What was kept for other draws, effects, data or settings is not used.
    """
    added = _checked(draws, effects, virtual)
    digest = hashlib.sha256(draws.tobytes() + added.tobytes())
    digest.update(f"{data.key} {seed} {virtual} {READING}".encode())
    key = digest.hexdigest()
    found = _kept(path, key)
    while found.size < draws.size:
        rows = slice(found.size, found.size + PART)
        part = evaluate(data, draws[rows], seed=seed, virtual=virtual, effects=added[rows], jobs=jobs)
        found = np.concatenate([found, part])
        _keep(path, key, found)
        if progress is not None:
            progress(found.size)
    return found


def _kept(path: Path, key: str) -> Floats:
    try:
        with np.load(path, allow_pickle=False) as kept:
            return np.asarray(kept["value"], np.float64) if str(kept["key"]) == key else np.zeros(0)
    except (OSError, KeyError, ValueError, EOFError):
        return np.zeros(0)


def _keep(path: Path, key: str, found: Floats) -> None:
    """Write under another name and move into place, so that a kill leaves the old file or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".part")
    with new.open("wb") as file:
        np.savez(file, value=found, key=np.array(key))
    os.replace(new, path)
