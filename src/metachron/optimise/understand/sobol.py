"""Sobol indices by SALib, with what chance adds to them taken out.

The output at one parameter set is a mean over twins, so it carries Monte Carlo error; without a correction
that error counts as interaction of everything with everything. Each product of outputs that an index is made
of exceeds its true value by the covariance between twins over their number, which the twins themselves tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from metachron.errors import InputError, Problem

Floats = NDArray[np.float64]
LEVEL = 0.90
RESAMPLES = 200
LEAST_SIGNAL = 0.2  # share of the raw variance that must be more than chance for indices to mean anything


@dataclass(frozen=True)
class Indices:
    """First-order and total indices (d,), half-widths of their 90 % intervals (d,), variance without chance.

    `noise_share`: share of the raw variance that was chance.
    """

    first: Floats
    total: Floats
    first_half: Floats
    total_half: Floats
    variance: float
    noise_share: float


NO_SALIB = "they need the package SALib, of the extra `optimise`"


def has_salib() -> bool:
    """Is SALib installed?"""
    return find_spec("SALib") is not None


def need_salib() -> None:
    """Raise InputError when SALib is not installed."""
    if not has_salib():
        hint = "Install it (docs/understand.md says how), or ask for other parts"
        raise InputError(Problem("--what", "sensitivity needs the package SALib", "", hint))


def _problem(d: int) -> dict[str, object]:
    return {"num_vars": d, "names": [f"x{i}" for i in range(d)], "bounds": [[0.0, 1.0]] * d}


def design(d: int, n: int, seed: int) -> Floats:
    """Saltelli's design in the unit cube, shape (n (d + 2), d); `n` a power of two."""
    from SALib.sample import sobol as sampler

    return np.asarray(sampler.sample(_problem(d), n, calc_second_order=False, seed=seed), np.float64)


def indices(outputs: Floats, d: int, seed: int) -> Indices:
    """Indices from outputs (rows,) or, with chance taken out, from outputs by twin (rows, twins).

    Rows as `design` gives them.
    """
    by_twin = outputs if outputs.ndim == 2 else outputs[:, None]
    y = by_twin.mean(1)
    chance, of_first, of_total = _chance(by_twin, d)
    raw = float(np.var(np.concatenate(_parts(y, d)[:2])))
    if raw <= 0.0 or raw - chance <= LEAST_SIGNAL * raw:
        nought = np.zeros(d)
        share = 1.0 if raw > 0.0 else 0.0
        return Indices(nought, nought, nought, nought, 0.0, share)
    found = _analyse(y, d, seed)
    true = raw - chance
    total = np.clip((found["ST"] * raw - of_total) / true, 0.0, 1.0)
    first = np.clip((found["S1"] * raw - of_first) / true, 0.0, 1.0)
    return Indices(
        # alone never more than with all interactions; where chance says so, the total errs less
        first=np.minimum(first, total),
        total=total,
        first_half=found["S1_conf"] * raw / true,
        total_half=found["ST_conf"] * raw / true,
        variance=true,
        noise_share=chance / raw,
    )


def _analyse(y: Floats, d: int, seed: int) -> dict[str, Floats]:
    from SALib.analyze import sobol as analyser

    found = analyser.analyze(
        _problem(d),
        y,
        calc_second_order=False,
        num_resamples=RESAMPLES,
        conf_level=LEVEL,
        seed=seed or 1,  # SALib takes nought for no seed
    )
    # SALib scales outputs by the spread over all rows and then by that of A and B: the shares stay the same
    return {key: np.asarray(found[key], np.float64) for key in ("S1", "ST", "S1_conf", "ST_conf")}


def _parts(y: Floats, d: int) -> tuple[Floats, Floats, Floats]:
    """(A (n, ...), B (n, ...), AB (n, d, ...)) of outputs (n (d + 2), ...) in the order of the design."""
    blocks = y.reshape(-1, d + 2, *y.shape[1:])
    return blocks[:, 0], blocks[:, -1], blocks[:, 1:-1]


def _chance(by_twin: Floats, d: int) -> tuple[float, Floats, Floats]:
    """What chance adds to the variance, to the first-order (d,) and to the total numerators (d,)."""
    m = by_twin.shape[1]
    if m < 2:
        return 0.0, np.zeros(d), np.zeros(d)
    a, b, ab = _parts(by_twin, d)
    both = np.concatenate([a, b])
    chance = both.var(1, ddof=1).mean() / m - both.mean(0).var(ddof=1) / m
    of_first, of_total = np.zeros(d), np.zeros(d)
    for j in range(d):
        step = ab[:, j] - a
        centred = step - step.mean(1, keepdims=True)
        together = (centred * (b - b.mean(1, keepdims=True))).sum(1) / (m - 1)
        of_first[j] = together.mean() / m
        of_total[j] = 0.5 * (centred**2).sum(1).mean() / (m - 1) / m
    return float(chance), of_first, of_total
