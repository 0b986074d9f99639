"""Leave-one-trial-out: parameter sets of a fit that never saw the trial they predict.

`held_out.npz` lies beside the ensemble: for each trial that was left out, draws of the fit to all others.
`metachron calibrate --leave-one-out` writes it; `metachron validate --leave-one-out` predicts with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from metachron.calibrate.observed import Floats
from metachron.calibrate.predictive import PredictiveDraws, predictive_draws
from metachron.calibrate.targets import Target
from metachron.calibrate.validate import DrawsOf
from metachron.errors import MetachronError
from metachron.parameters import posterior
from metachron.parameters.draws import draw_parameters

FILE = "held_out.npz"


@dataclass(frozen=True)
class HeldOut:
    """Draws of the fit without one trial: `values` (k, names) in their own units, `tau` (k, 4)."""

    values: Floats
    tau: Floats


def write_held_out(path: Path, names: tuple[str, ...], found: Mapping[str, HeldOut]) -> None:
    """Write the draws of every trial left out, in single precision."""
    arrays = {"names": np.array(names), "trials": np.array(list(found))}
    for place, one in enumerate(found.values()):
        arrays[f"values_{place}"] = one.values.astype(np.float32)
        arrays[f"tau_{place}"] = one.tau.astype(np.float32)
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


def read_held_out(path: Path | None = None) -> tuple[tuple[str, ...], dict[str, HeldOut]]:
    """Names of the parameters, and the draws by trial. Raises MetachronError when there are none."""
    path = path or posterior.FOLDER / FILE
    if not path.is_file():
        message = "no fits without one trial are shipped; `metachron calibrate --leave-one-out` makes them"
        raise MetachronError(message)
    with np.load(path, allow_pickle=False) as stored:
        names = tuple(str(n) for n in stored["names"])
        found = {
            str(trial): HeldOut(stored[f"values_{i}"].astype(float), stored[f"tau_{i}"].astype(float))
            for i, trial in enumerate(stored["trials"])
        }
    return names, found


def held_out_draws(targets: Mapping[str, Target], k: int, seed: int) -> DrawsOf:
    """Parameter sets by trial: of the fit without it; trials that no fit saw have the shipped ensemble.

    Raises MetachronError when no such fits are shipped.
    """
    names, found = read_held_out()
    usual = predictive_draws(k, seed)
    unknown = sorted(set(found) - set(targets))
    if unknown:
        raise MetachronError(f"{FILE} holds trials that are not registered: {', '.join(unknown)}")

    def of(trial: str) -> PredictiveDraws:
        if trial not in found:
            return usual
        one = found[trial]
        rows = np.resize(np.random.default_rng([seed, 0xD0A5]).permutation(len(one.values)), k)
        draws = draw_parameters(k, seed, prior=True)
        for name, column in zip(names, one.values.T, strict=True):
            draws[name] = column[rows]
        note = f"fit without {trial}"
        return PredictiveDraws(draws, one.tau[rows], usual.trials - {trial}, note, usual.ensemble_id)

    return of
