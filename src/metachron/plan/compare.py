"""Paired differences against the reference: same twins, same draws, same coins."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from metachron.engine.batch import Lives
from metachron.plan.bands import Paired, difference
from metachron.plan.outcomes import DAYS_PER_MONTH
from metachron.plan.precision import DEFAULT_FRACTION, target
from metachron.plan.results import Basis, Difference
from metachron.plan.twins import Twins

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
    name: str,
    reference: str,
    lives: Lives,
    base: Lives,
    twins: Twins,
    basis: Mapping[str, Basis],
    fraction: float = DEFAULT_FRACTION,
) -> list[Difference]:
    """Differences of one strategy from the reference, with interval and whether they can be told apart.

    `basis` by endpoint. `fraction` of the half-width of its interval is how large the Monte Carlo error of a
    difference may be.
    """
    years = min(WINDOW_YEARS, lives.horizon / 365.25)
    cut = years * 365.25
    found = []
    for endpoint, (field, words) in FIELDS.items():
        quantity = words.format(years=years)
        a = np.minimum(lives.outcomes[field], cut) / DAYS_PER_MONTH
        b = np.minimum(base.outcomes[field], cut) / DAYS_PER_MONTH
        paired = difference(a - b, twins.twins["draw"], twins.source)
        detectable = is_detectable(paired)
        found.append(
            Difference.model_validate(
                {
                    "strategy": name,
                    "reference": reference,
                    "endpoint": endpoint,
                    "quantity": quantity,
                    "unit": "months",
                    **_numbers(paired, "months", fraction),
                    "probability_better": paired.probability,
                    "basis": basis[endpoint],
                    "text": _text(paired.mean, detectable, quantity, paired.mean > 0),
                }
            )
        )
    return [*found, _toxicity(name, reference, lives, base, twins, basis["toxicity_grade3plus"], fraction)]


def is_detectable(paired: Paired) -> bool:
    """Posterior odds of 9 to 1 or more, either way."""
    return max(paired.probability, 1 - paired.probability) >= ODDS / (1 + ODDS)


def _numbers(paired: Paired, unit: str, fraction: float) -> dict[str, float | bool]:
    return {
        "difference": paired.mean,
        "lower": paired.lower,
        "upper": paired.upper,
        "detectable": is_detectable(paired),
        "mc_error": paired.mc_error,
        "mc_target": target(paired, unit, fraction),
    }


def _toxicity(
    name: str,
    reference: str,
    lives: Lives,
    base: Lives,
    twins: Twins,
    basis: Basis,
    fraction: float,
) -> Difference:
    a = (lives.grades >= 3).any(1).astype(float)
    b = (base.grades >= 3).any(1).astype(float)
    paired = difference(a - b, twins.twins["draw"], twins.source)
    text = "no detectable difference"
    if is_detectable(paired):
        more = "more" if paired.mean > 0 else "less"
        text = f"{abs(100 * paired.mean):.0f} percentage points {more} severe toxicity"
    return Difference.model_validate(
        {
            "strategy": name,
            "reference": reference,
            "endpoint": "toxicity_grade3plus",
            "quantity": "share with any side effect of grade 3 or worse",
            "unit": "fraction",
            **_numbers(paired, "fraction", fraction),
            "probability_better": 1 - paired.probability,
            "basis": basis,
            "text": text,
        }
    )
