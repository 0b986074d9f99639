"""Leave one trial out: the posterior without a trial, for every trial, from the emulators of the full fit.

The emulators know nothing of data, so only the sampling is repeated, from points of the full posterior and
with its metric. Predictions of the trial left out are simulated with the engine (see validate.py), with trial
effects drawn anew from N(0, tau).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metachron.calibrate import checkpoint
from metachron.calibrate.space import NULL, natural

if TYPE_CHECKING:
    from metachron.calibrate.posterior import Mode, Model, Posterior

Floats = NDArray[np.float64]
CHAINS, WARMUP, SAMPLES, KEPT = 2, 60, 200, 60


@dataclass(frozen=True)
class Without:
    """Posterior without one trial: scores z (k, names) and spreads tau (k, 4)."""

    names: tuple[str, ...]
    z: Floats
    tau: Floats
    largest_r_hat: float = float("nan")


def leave_one_out(
    model: Model, posterior: Posterior, metric: Mode, folder: Path, *, seed: int = 1,
    trials: Sequence[str] | None = None, together: Mapping[str, Sequence[str]] | None = None,
    tell: Callable[[str, float], None] = lambda _stage, _share: None,
) -> dict[str, Without]:  # fmt: skip
    """The posterior without each of `trials` (None: all), each kept in `folder` when done.

    `together`: trials that share patients with one and are left out with it. Two chains start from the full
    posterior; `largest_r_hat` says how well they agree.
    """
    from numpyro.diagnostics import split_gelman_rubin

    from metachron.calibrate.posterior import Sampler, Sampling

    wanted = list(model.trials if trials is None else trials)
    sampler = Sampler(model, metric, Sampling(CHAINS, WARMUP, SAMPLES, SAMPLES))
    points = posterior.unconstrained
    found: dict[str, Without] = {}
    for i, trial in enumerate(wanted):
        tell(f"without {trial}", i / len(wanted))
        out = {trial, *(together or {}).get(trial, ())}
        weights = np.array([0.0 if name in out else 1.0 for name in model.trials])
        place = model.trials.index(trial)

        def make(weights: Floats = weights, place: int = place) -> dict[str, Floats]:
            rng = np.random.default_rng([seed, place, 0x100])
            starts = points[rng.choice(points.shape[0], CHAINS, replace=False)]
            one = sampler.run(seed + 100 + place, weights=weights, starts=starts)
            kept = np.linspace(0, one.flat_z.shape[0] - 1, KEPT).round().astype(int)
            worst = np.array(np.max(split_gelman_rubin(one.z)))
            return {"z": one.flat_z[kept], "tau": one.flat_tau[kept], "r_hat": worst}

        kept = checkpoint.stage(folder / f"{trial}.npz", make)
        found[trial] = Without(posterior.names, kept["z"], kept["tau"], float(kept["r_hat"]))
    return found


def ship(held: Mapping[str, Without], path: Path) -> None:
    """All of them in one file, in their own units, as `held_out.read_held_out` reads it."""
    from metachron.calibrate.held_out import HeldOut, write_held_out

    names = next(iter(held.values())).names
    real = [j for j, name in enumerate(names) if name not in NULL]
    found = {trial: HeldOut(natural(names, one.z)[:, real], one.tau) for trial, one in held.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_held_out(path, tuple(names[j] for j in real), found)
