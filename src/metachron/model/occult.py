"""Unseen lesions: how many, how large, where (model sections 2.4 and 11.4).

At local therapy the number is Poisson with covariates; the deficit of ln size against the detection
limit has density proportional to exp(a x) on [0, ln n_det]. With no drug this gives the recurrence
law S(t) = exp[-m G(t)], so a published hazard ratio of recurrence acts on the mean number m.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Means of the covariates in resected series, about which the effects are centred (assumed)
MEAN_LN_COUNT, SHARE_SYNCHRONOUS, SHARE_RAS, SHARE_BRAF, SHARE_NODE_POSITIVE = 0.5, 0.5, 0.4, 0.05, 0.6
MEAN_RISK_POINTS = 1.8
# Shares of the Moertel trial, whose patients the intercept describes
SHARE_OBSTRUCTION, SHARE_PERFORATION, SHARE_ADHERENT, SHARE_POOR_GRADE = 0.194, 0.029, 0.145, 0.166
SHARE_MSI = 0.12  # of resected colon cancer (epidemiology-030)
SHARE_RECTAL = 0.3  # of primaries whose site is not known (assumed)


def size_deficit(u: Floats, slope: Floats, limit: float) -> Floats:
    """ln size below the detection limit at probabilities u: quantiles of density exp(slope x), 0 to limit."""
    flat = np.abs(slope) < 1e-6
    safe = np.where(flat, 1.0, slope)
    curved = np.log1p(u * np.expm1(safe * limit)) / safe
    return np.asarray(np.where(flat, u * limit, curved))


def more_above(slope: Floats, limit: float, above: float) -> Floats:
    """Factor on the mean number when lesions up to `above` ln cells over the limit are unseen as well.

    Their sizes go on with the density of those below it, exp(slope x) over the deficit x.
    """
    safe = np.where(np.abs(slope) < 1e-6, 1e-6, slope)
    return np.asarray(np.exp(-safe * above) * np.expm1(safe * (limit + above)) / np.expm1(safe * limit))


def load_after_primary(
    draws: NDArray[np.void],
    nodes: Floats,
    node_positive: Floats,
    t4: Floats | float,
    t12: Floats | float,
    rectal: float = 0.0,
    msi: Floats | float = SHARE_MSI,
) -> Floats:
    """ln mean number after removal of the primary with nothing visible; nodes are counts, flags 0 or 1.

    `rectal` (0 to 1): rectum rather than colon; what comes back locally counts among the unseen. `msi`:
    MSI-high.
    """
    positive = draws["occult_intercept"] + draws["occult_nodes"] * (np.log(np.maximum(nodes, 1.0)) - 1.0)
    negative = (
        draws["occult_intercept"] - draws["occult_nodes"] + draws["occult_node_negative"]
    )  # one node, then the ratio
    level = np.where(node_positive > 0.5, positive, negative)
    level = level + t4 * draws["occult_t4"] + t12 * draws["occult_t12"]
    return np.asarray(level + rectal * draws["occult_rectal"] + (msi - SHARE_MSI) * draws["occult_msi"])


def load_by_findings(
    draws: NDArray[np.void],
    obstruction: bool | None,
    perforation: bool | None,
    adherent: bool | None,
    poor_grade: bool | None,
) -> Floats:
    """What findings of a removed primary add to the ln mean number; None: unknown, adds nothing."""
    return _effects(
        draws,
        ("occult_obstruction", obstruction, SHARE_OBSTRUCTION),
        ("occult_perforation", perforation, SHARE_PERFORATION),
        ("occult_adherent", adherent, SHARE_ADHERENT),
        ("occult_poor_grade", poor_grade, SHARE_POOR_GRADE),
    )


def growth_by_findings(
    draws: NDArray[np.void], nodes: float | None, obstruction: bool | None, poor_grade: bool | None
) -> Floats:
    """ln factor on the growth rate of unseen lesions after removal of a primary; None: unknown, adds 0.

    Recurrence comes early where differentiation is poor and nodes are many, more than their share of
    recurrences explains. No positive node counts as one.
    """
    by_nodes = 0.0 if nodes is None else np.log(max(nodes, 1.0)) - 1.0
    return np.asarray(
        draws["growth_nodes"] * by_nodes
        + _effects(
            draws,
            ("growth_obstruction", obstruction, SHARE_OBSTRUCTION),
            ("growth_poor_grade", poor_grade, SHARE_POOR_GRADE),
        )
    )


def _effects(draws: NDArray[np.void], *effects: tuple[str, bool | None, float]) -> Floats:
    """Sum of effects of (parameter, finding, its share in the trial), nought on average."""
    total = np.zeros(draws.size)
    for name, finding, share in effects:
        if finding is not None:
            total += draws[name] * (float(finding) - share)
    return total


def load_with_metastases(
    draws: NDArray[np.void],
    count: Floats,
    synchronous: Floats,
    ras: Floats,
    braf: Floats,
    node_positive: Floats,
    risk_points: float | None,
) -> Floats:
    """ln mean number when liver metastases have been seen and can be removed.

    With only the recorded risk score, its points stand for nodes, number, interval, size and CEA.
    """
    level = draws["occult_intercept"] + draws["occult_metastatic"]
    level = level + draws["occult_ras_mutant"] * (ras - SHARE_RAS)
    level = level + draws["occult_braf_mutant"] * (braf - SHARE_BRAF)
    if risk_points is not None:
        return np.asarray(level + draws["occult_per_risk_point"] * (risk_points - MEAN_RISK_POINTS))
    level = level + draws["occult_ln_visible"] * (np.log(np.maximum(count, 1.0)) - MEAN_LN_COUNT)
    level = level + draws["occult_synchronous"] * (synchronous - SHARE_SYNCHRONOUS)
    return np.asarray(level + draws["occult_node_positive"] * (node_positive - SHARE_NODE_POSITIVE))
