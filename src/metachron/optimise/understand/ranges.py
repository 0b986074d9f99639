"""What values a parameter may take: quantiles of the draws themselves, posterior where there is one."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from metachron.parameters import draw_parameters, load_parameters

Floats = NDArray[np.float64]
MANY_DRAWS = 4000  # from which quantiles are read
STEP = ("bernoulli",)


def free_parameters() -> list[str]:
    """Names of the parameters that have a distribution, in file order."""
    return [p.name for p in load_parameters().values() if p.distribution != "fixed"]


@cache
def _many(prior: bool) -> NDArray[np.void]:
    return draw_parameters(MANY_DRAWS, 1, prior=prior)


def quantiles(name: str, u: Floats | list[float], *, prior: bool) -> Floats:
    """Values of one parameter at probabilities `u`: of the ensemble with the spread between trials, or of
    its prior. A yes-or-no parameter takes 0 or 1."""
    values = _many(prior)[name]
    if load_parameters()[name].distribution in STEP:
        return np.asarray(np.quantile(values, u, method="inverted_cdf"), np.float64)
    return np.asarray(np.quantile(values, u), np.float64)
