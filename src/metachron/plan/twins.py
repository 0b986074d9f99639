"""Twins: virtual patients compatible with one patient's findings, by importance weights and resampling.

Each finding gives a log weight: growth between dated scans, sizes at the operation on the primary
(a metachronous lesion was there, too small to be seen), what no scan has shown, and how the disease
answered earlier treatment. The effective sample size says how far the prior had to be bent.

Twins come in batches. Each is a sample of its own, balanced over the parameter draws by systematic
resampling, from its own streams; a further batch leaves those before it as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, ndtr

from metachron.engine.records import OCCULT, VISIBLE
from metachron.errors import TwinError
from metachron.model.growth import grow_many
from metachron.parameters import load_parameters
from metachron.patient.schema import Patient
from metachron.plan.candidates import Candidates, Streams, draw_candidates
from metachron.plan.findings import RECIST_BOUNDS, Findings

Floats = NDArray[np.float64]
LEAST_ESS = 100.0
FACTORS = (8, 16, 32, 64)  # candidates of a twin: more are drawn until enough agree with the findings
RESPONSE_SD = 0.15  # of ln diameter ratio between model and scan (assumed)
MEAN_GROWTH_FRACTION = 1.3  # of visible lesions, for the short-cut on earlier treatment
DAYS_CLEAR_SCAN = 60


@dataclass(frozen=True)
class Twins:
    """Equal-weight twins (n,), their lesions (n, room), the parameter draws they point to, and the match.

    `source` (n,): number of the candidate a twin was made from; twins of one candidate are not independent.
    `ess`: effective sample size of the weighed candidates. `batches`: samples these twins are made of.
    """

    twins: NDArray[np.void]
    lesions: NDArray[np.void]
    draws: NDArray[np.void]
    source: NDArray[np.int64]
    candidates: int
    ess: float
    matched_on: list[str]
    batches: int = 1

    @property
    def size(self) -> int:
        return int(self.twins.size)


def _growth(c: Candidates, found: Findings) -> Floats:
    total = np.zeros(c.twins.size)
    k = float(np.log(load_parameters()["capacity_cells"].value))
    for j, seen in enumerate(found.lesions):
        if seen.growth_days is None or seen.earlier_mm is None:
            continue
        rate = c.twins["growth"] * c.lesions["growth"][:, j]
        then = grow_many(c.x_seen[:, j], np.full(rate.size, -seen.growth_days), rate, k)
        expected = (then - np.log(np.pi / 6 * 1e6)) / 3.0  # ln diameter in mm: 1 mm3 is 1e6 cells
        error = (np.log(seen.earlier_mm) - expected) / c.draws["measurement_cv"]
        total += -0.5 * error**2
    return total


def _at_primary_surgery(c: Candidates, found: Findings) -> Floats:
    """A lesion found later was already there at the operation, unseen: density and detection then."""
    total = np.zeros(c.twins.size)
    if found.synchronous is not False or found.days_since_primary is None:
        return total
    k = float(np.log(load_parameters()["capacity_cells"].value))
    limit = float(np.log(load_parameters()["detect_ct_cells"].value))
    back = max(0.0, found.days_since_primary - found.quiet_days)
    # ln of the size density exp(slope x) on [0, limit], relative to the uniform one
    slope = np.where(np.abs(c.draws["occult_size_slope"]) < 1e-6, 1e-6, c.draws["occult_size_slope"])
    whole = np.log(np.expm1(slope * limit) / (slope * limit))
    for j in range(len(found.lesions)):
        rate = c.twins["growth"] * c.lesions["growth"][:, j]
        then = grow_many(c.lesions["x"][:, j].copy(), np.full(rate.size, -back), rate, k)
        unseen = log_expit((limit - then) / c.draws["detect_scale"])
        size = slope * np.clip(limit - then, 0, limit) - whole
        too_young = -0.5 * (np.minimum(then, 0.0) / 2.0) ** 2
        total += unseen + size + too_young
    return total


def _unseen(c: Candidates, found: Findings) -> Floats:
    """Nothing seen on a scan long after the operation: unseen lesions must still be below the limit."""
    if not found.nothing_visible or (found.days_since_surgery or 0.0) < DAYS_CLEAR_SCAN:
        return np.zeros(c.twins.size)
    limit = float(np.log(load_parameters()["detect_ct_cells"].value))
    hidden = log_expit((limit - c.lesions["x"]) / c.draws["detect_scale"][:, None])
    return np.asarray(np.where(c.lesions["status"] == OCCULT, hidden, 0.0).sum(1))


def _kappa(c: Candidates) -> Floats:
    d = c.draws
    columns = ("kappa_fp", "kappa_ox", "kappa_iri", "kappa_ftd", "kappa_egfr", "kappa_target")
    kappa = np.column_stack([d[name] for name in columns]) * c.twins["sensitivity"][:, None]
    kappa[:, 4] *= c.twins["egfr_active"]
    return np.asarray(kappa)


def _response(c: Candidates, found: Findings) -> Floats:
    """Probability of each recorded RECIST response to an earlier treatment of visible disease."""
    total = np.zeros(c.twins.size)
    for exposure in found.exposures:
        if not exposure.metastatic or exposure.response is None or exposure.failed:
            continue
        days = min(exposure.days, 112.0) if exposure.days > 0 else 56.0
        change = c.twins["growth"] * MEAN_GROWTH_FRACTION * days
        for k in exposure.classes:
            kill = _kappa(c)[:, k] * MEAN_GROWTH_FRACTION * days
            phi = expit(c.twins["logit_macro"][:, k])
            change = change + np.log(
                (1 - phi) * np.exp(-kill) + phi * np.exp(-c.draws["rho_resistant"] * kill)
            )
        low, high = RECIST_BOUNDS[exposure.response]
        top = ndtr((np.log(high) - change / 3) / RESPONSE_SD)
        bottom = ndtr((np.log(low) - change / 3) / RESPONSE_SD) if low > 0 else 0.0
        total += np.log(np.maximum(top - bottom, 1e-12))
    return total


COMPONENTS = {
    "growth between dated scans": _growth,
    "size of the lesions when the primary was removed": _at_primary_surgery,
    "what the last scan did not show": _unseen,
    "response to earlier treatment": _response,
}


def effective_size(log_weights: Floats) -> float:
    """Effective sample size (sum w)^2 / sum w^2; nought when every weight is nought."""
    w = np.exp(log_weights - log_weights.max())
    if not np.isfinite(w).all():
        return 0.0
    return float(w.sum() ** 2 / (w**2).sum())


def _systematic(log_weights: Floats, order: NDArray[np.int64], n: int, u: float) -> NDArray[np.int64]:
    """`n` indices by systematic resampling along `order`."""
    w = np.exp(log_weights - log_weights.max())[order]
    edges = np.cumsum(w) / w.sum()
    picks = np.searchsorted(edges, (np.arange(n) + u) / n)
    return np.asarray(order[np.minimum(picks, order.size - 1)])


def _sum(parts: dict[str, Floats]) -> Floats:
    return np.asarray(np.sum(list(parts.values()), axis=0))


def _weighed(
    patient: Patient, found: Findings, draws: NDArray[np.void], n: int, streams: Streams, line: int
) -> tuple[Candidates, dict[str, Floats], float]:
    """(candidates (c,), log weights (c,) by component, effective sample size) for `n` twins."""
    for factor in FACTORS:
        c = draw_candidates(patient, found, draws, max(n * factor, 4000), streams, line)
        parts = {name: component(c, found) for name, component in COMPONENTS.items()}
        ess = effective_size(_sum(parts))
        if ess >= n / 2:
            break
    return c, parts, ess


def make_twins(
    patient: Patient,
    found: Findings,
    draws: NDArray[np.void],
    n: int,
    seed: int,
    line: int,
    *,
    before: Twins | None = None,
) -> Twins:
    """`n` twins of the patient; `before`: the twins that these will be added to by `join`.

    More candidates are drawn (up to 64 a twin) until the effective sample size reaches half of `n`.
    Raises TwinError naming the finding that fits worst when that of the first batch stays below 100.
    """
    batch, first_key, first_source = (before.batches, before.size, before.candidates) if before else (0, 0, 0)
    streams = Streams(seed, batch)
    c, parts, ess = _weighed(patient, found, draws, n, streams, line)
    size = c.twins.size
    if ess < min(LEAST_ESS, n / 2) and before is None:
        raise TwinError(_why(parts, ess, size))
    order = np.argsort(c.twins["draw"], kind="stable")
    picked = _systematic(_sum(parts), order, n, float(streams["resampling"].random()))
    twins, lesions = c.twins[picked], c.lesions[picked]
    twins["key"] = first_key + np.arange(n)
    room = max(1, int(twins["n_lesions"].max()))
    matched = [name for name, value in parts.items() if np.ptp(value) > 0]
    if found.lesions:
        matched.insert(0, f"number, size and place of {len(found.lesions)} visible lesions")
    return Twins(
        twins,
        np.ascontiguousarray(lesions[:, :room]),
        draws,
        first_source + picked,
        size,
        min(ess, float(size)),
        matched,
    )


def join(first: Twins, more: Twins) -> Twins:
    """The twins of `first`, unchanged, then those of `more`, made for them with `before=first`.

    Each batch counts by its number of twins, so the effective sizes combine as 1 / sum(share^2 / size).
    """
    n = first.size + more.size
    lesions = np.zeros((n, max(first.lesions.shape[1], more.lesions.shape[1])), first.lesions.dtype)
    lesions[: first.size, : first.lesions.shape[1]] = first.lesions
    lesions[first.size :, : more.lesions.shape[1]] = more.lesions
    ess = 1.0 / sum((t.size / n) ** 2 / max(t.ess, 1.0) for t in (first, more))
    return Twins(
        np.concatenate([first.twins, more.twins]),
        lesions,
        first.draws,
        np.concatenate([first.source, more.source]),
        first.candidates + more.candidates,
        ess,
        list(dict.fromkeys([*first.matched_on, *more.matched_on])),
        first.batches + more.batches,
    )


def _why(parts: dict[str, Floats], ess: float, size: int) -> str:
    alone = {name: effective_size(value) for name, value in parts.items() if np.ptp(value) > 0}
    worst = min(alone, key=lambda name: alone[name])
    return (
        f"only {ess:.0f} of {size} virtual patients agree with the findings (at least {LEAST_ESS:.0f} are "
        "needed); "
        f"the finding that fits worst is the {worst} (alone it leaves {alone[worst]:.0f}). "
        "Check the sizes and dates of the lesions, or ask for more twins."
    )


def unseen_counts(twins: Twins) -> NDArray[np.int64]:
    """Number of unseen lesions of each twin."""
    return np.asarray((twins.lesions["status"] == OCCULT).sum(1))


def doubling_times(twins: Twins) -> Floats:
    """Volume doubling time now (days) of the largest visible lesion of each twin, or at 1 cm when none is."""
    k = float(np.log(load_parameters()["capacity_cells"].value))
    reference = float(np.log(load_parameters()["detect_ct_cells"].value))
    x = np.where(twins.lesions["status"] == VISIBLE, twins.lesions["x"], -np.inf).max(1)
    x = np.where(np.isfinite(x), x, reference)
    from metachron.model.growth import LN_REFERENCE

    fraction = np.clip((k - x) / (k - LN_REFERENCE), 0.2, 4.0)
    return np.asarray(np.log(2) / (twins.twins["growth"] * fraction))
