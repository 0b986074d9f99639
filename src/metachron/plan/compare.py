"""Paired differences against the reference: same twins, same draws, same coins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from metachron.engine.batch import Lives
from metachron.plan.bands import difference
from metachron.plan.outcomes import DAYS_PER_MONTH
from metachron.plan.results import Basis, Difference

Floats = NDArray[np.float64]
WINDOW_YEARS = 5.0
ODDS = 9.0  # posterior odds below which no difference is claimed
FIELDS = {
    "os": ("death", "mean months alive within {years:g} years"),
    "rfs_or_pfs": ("pfs", "mean months without progression or recurrence within {years:g} years"),
    "hepatic_rfs": ("hepatic", "mean months without progression in the liver within {years:g} years"),
}


def _text(diff: float, detectable: bool, quantity: str, better: bool) -> str:
    if not detectable:
        return "no detectable difference"
    return f"{abs(diff):.1f} {'more' if better else 'fewer'} {quantity.removeprefix('mean ')}"


def compare(
    name: str, reference: str, lives: Lives, base: Lives, draw: NDArray[np.int64], basis: Basis
) -> list[Difference]:
    """Differences of one strategy from the reference, with interval and whether they can be told apart."""
    years = min(WINDOW_YEARS, lives.horizon / 365.25)
    cut = years * 365.25
    certain = ODDS / (1 + ODDS)
    found = []
    for endpoint, (field, words) in FIELDS.items():
        quantity = words.format(years=years)
        a = np.minimum(lives.outcomes[field], cut) / DAYS_PER_MONTH
        b = np.minimum(base.outcomes[field], cut) / DAYS_PER_MONTH
        d, low, high, p = difference(a - b, draw)
        detectable = max(p, 1 - p) >= certain
        found.append(
            Difference.model_validate(
                {
                    "strategy": name,
                    "reference": reference,
                    "endpoint": endpoint,
                    "quantity": quantity,
                    "unit": "months",
                    "difference": d,
                    "lower": low,
                    "upper": high,
                    "probability_better": p,
                    "detectable": detectable,
                    "basis": basis,
                    "text": _text(d, detectable, quantity, d > 0),
                }
            )
        )
    return [*found, _toxicity(name, reference, lives, base, draw, basis, certain)]


def _toxicity(
    name: str,
    reference: str,
    lives: Lives,
    base: Lives,
    draw: NDArray[np.int64],
    basis: Basis,
    certain: float,
) -> Difference:
    a = (lives.grades >= 3).any(1).astype(float)
    b = (base.grades >= 3).any(1).astype(float)
    d, low, high, p = difference(a - b, draw)
    detectable = max(p, 1 - p) >= certain
    text = "no detectable difference"
    if detectable:
        text = f"{abs(100 * d):.0f} percentage points {'more' if d > 0 else 'less'} severe toxicity"
    return Difference(
        strategy=name,
        reference=reference,
        endpoint="toxicity_grade3plus",
        quantity="share with any side effect of grade 3 or worse",
        unit="fraction",
        difference=d,
        lower=low,
        upper=high,
        probability_better=1 - p,
        detectable=detectable,
        basis=basis,
        text=text,
    )
