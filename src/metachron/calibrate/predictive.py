"""The parameter sets a prediction is made with, and how far a new trial may differ from them.

With the shipped ensemble these are its draws, and a trial's own deviations (growth, kill, death, load) are
drawn anew from the spread that each draw found between trials. The deviations fitted to a trial are never
used, so that a trial of the registry is predicted as a new one would be.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metachron.calibrate.observed import Floats
from metachron.parameters.draws import draw_parameters
from metachron.parameters.posterior import EFFECTS, load_ensemble

PRIOR_TAU = 0.15  # spread between trials while no ensemble says: model-notes 11.7, assumed
PRIOR_NOTE = "prior, not calibrated: parameters are literature values, spread between trials 0.15 (assumed)"


@dataclass(frozen=True)
class PredictiveDraws:
    """Parameter sets (k,) and the spread between trials (k, 4) of each, in the order of EFFECTS.

    `trials`: those the sets were fitted to. `note` says in words what they are.
    """

    draws: NDArray[np.void]
    tau: Floats
    trials: frozenset[str]
    note: str
    ensemble_id: str | None

    @property
    def size(self) -> int:
        """Number of parameter sets."""
        return len(self.draws)

    def effects(self, trial: str, seed: int) -> Floats:
        """Deviations of a new trial from each parameter set, (k, 4); the same for all its arms.

        They depend on the name of the trial and the seed, not on which other trials are validated.
        """
        rng = np.random.default_rng([seed, zlib.crc32(trial.encode())])
        return np.asarray(self.tau * rng.standard_normal((self.size, len(EFFECTS))))


def predictive_draws(k: int, seed: int, *, prior: bool = False) -> PredictiveDraws:
    """`k` parameter sets: rows of the ensemble in a seeded order, repeated when it has fewer; else the prior.

    What the ensemble does not hold is drawn from its prior. The same (k, seed) gives the same sets.
    """
    draws = draw_parameters(k, seed, prior=True)
    ensemble = None if prior else load_ensemble()
    if ensemble is None:
        return PredictiveDraws(draws, np.full((k, len(EFFECTS)), PRIOR_TAU), frozenset(), PRIOR_NOTE, None)
    order = np.random.default_rng([seed, 0xD0A5]).permutation(ensemble.size)
    rows = np.resize(order, k)
    for name, column in zip(ensemble.names, ensemble.values.T, strict=True):
        draws[name] = column[rows]
    note = f"ensemble {ensemble.id}: {ensemble.size} draws fitted to {len(ensemble.trials)} trials"
    return PredictiveDraws(draws, ensemble.tau[rows], frozenset(ensemble.trials), note, ensemble.id)
