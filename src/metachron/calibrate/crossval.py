"""Leave one trial out: the posterior without a trial, for every trial, from the emulators of the full fit.

The emulators know nothing of data. Samples of the full posterior are weighed by 1 / p(data of the trial),
its own effects integrated out, with Pareto smoothing (arviz); where the diagnostic says that this is not to
be trusted (k above 0.7: the trial teaches too much), the posterior is sampled again without the trial, from
points of the full one and with its metric. Predictions of the trial left out are simulated with the engine
(see validate.py), with trial effects drawn anew from N(0, tau).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metachron.calibrate import checkpoint
from metachron.calibrate.space import NULL, natural

if TYPE_CHECKING:
    from metachron.calibrate.posterior import Mode, Model, Posterior, Sampler

Floats = NDArray[np.float64]
CHAINS, WARMUP, SAMPLES, KEPT = 2, 60, 200, 60
TRUSTED_K = 0.7  # Vehtari et al. 2024, Pareto smoothed importance sampling


@dataclass(frozen=True)
class Without:
    """Posterior without one trial: scores z (k, names) and spreads tau (k, 4).

    `pareto_k` of the weights; `largest_r_hat` of the chains when the posterior was sampled again, else nan.
    """

    names: tuple[str, ...]
    z: Floats
    tau: Floats
    pareto_k: float
    largest_r_hat: float = float("nan")


def leave_one_out(
    model: Model, posterior: Posterior, metric: Mode, folder: Path, *, seed: int = 1,
    trials: Sequence[str] | None = None, tell: Callable[[str, float], None] = lambda _stage, _share: None,
) -> dict[str, Without]:  # fmt: skip
    """The posterior without each of `trials` (None: all), each kept in `folder` when done."""
    from arviz_stats.base import array_stats  # type: ignore[attr-defined]

    from metachron.calibrate.integrated import log_likelihoods
    from metachron.calibrate.posterior import Sampler, Sampling

    def weigh() -> dict[str, Floats]:
        found = log_likelihoods(model, posterior, seed, tell=lambda share: tell("weights", 0.3 * share))
        return {"log_likelihood": found}

    alone = checkpoint.stage(folder / "weights.npz", weigh)["log_likelihood"]
    sampler = Sampler(model, metric, Sampling(CHAINS, WARMUP, SAMPLES, SAMPLES))
    wanted = list(model.trials if trials is None else trials)
    found: dict[str, Without] = {}
    for i, trial in enumerate(wanted):
        tell(f"without {trial}", 0.3 + 0.7 * i / len(wanted))
        place = model.trials.index(trial)
        weights, k = array_stats.psislw(-alone[:, place])  # type: ignore[no-untyped-call]
        if float(k) <= trusted_k(weights.size):
            rows = _resampled(np.exp(np.asarray(weights)), seed + place)
            z, tau = posterior.flat_z[rows], posterior.flat_tau[rows]
            found[trial] = Without(posterior.names, z, tau, float(k))
            continue
        kept = checkpoint.stage(
            folder / f"{trial}.npz", partial(_sampled_again, model, posterior, sampler, place, seed)
        )
        found[trial] = Without(posterior.names, kept["z"], kept["tau"], float(k), float(kept["r_hat"]))
    return found


def trusted_k(samples: int) -> float:
    """Largest Pareto k with which weights of so many samples are to be trusted (Vehtari et al. 2024)."""
    return min(TRUSTED_K, 1.0 - 1.0 / float(np.log10(max(samples, 11))))


def _resampled(weights: Floats, seed: int) -> NDArray[np.int64]:
    """KEPT rows by systematic resampling."""
    u = (np.arange(KEPT) + np.random.default_rng([seed, 0x100]).random()) / KEPT
    edges = np.cumsum(weights) / weights.sum()
    return np.minimum(np.searchsorted(edges, u), weights.size - 1)


def _sampled_again(
    model: Model, posterior: Posterior, sampler: Sampler, place: int, seed: int
) -> dict[str, Floats]:
    """The posterior without the trial at `place`, by NUTS."""
    from numpyro.diagnostics import split_gelman_rubin

    points = posterior.unconstrained
    weights = np.ones(len(model.trials))
    weights[place] = 0.0
    rng = np.random.default_rng([seed, place, 0x100])
    starts = points[rng.choice(points.shape[0], CHAINS, replace=False)]
    one = sampler.run(seed + 100 + place, weights=weights, starts=starts)
    kept = np.linspace(0, one.flat_z.shape[0] - 1, KEPT).round().astype(int)
    worst = np.array(np.max(split_gelman_rubin(one.z)))
    return {"z": one.flat_z[kept], "tau": one.flat_tau[kept], "r_hat": worst}


def ship(held: Mapping[str, Without], path: Path) -> None:
    """All of them in one file, in their own units, as `held_out.read_held_out` reads it."""
    from metachron.calibrate.held_out import HeldOut, write_held_out

    names = next(iter(held.values())).names
    real = [j for j, name in enumerate(names) if name not in NULL]
    found = {trial: HeldOut(natural(names, one.z)[:, real], one.tau) for trial, one in held.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_held_out(path, tuple(names[j] for j in real), found)
