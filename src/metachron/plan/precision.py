"""How small the Monte Carlo error of a difference must be, and what the plan says of it.

The interval of a difference holds the spread of the parameters, which more twins cannot narrow, and the
Monte Carlo error, which they can. The error may be a fraction of the scale of the difference: of the
half-width of its interval, but of no less than a month (five percentage points) or a tenth of the difference,
since nobody decides on less. At the default of 0.2 it widens a normal 90 % interval by less than 6 % (half-
width 1.645 sd, and 1 / sqrt(1 - 0.329^2) = 1.059), and 0.2 months in five years are six days.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from metachron.errors import InputError, Problem
from metachron.plan.results import Difference, MonteCarlo

if TYPE_CHECKING:
    from metachron.plan.bands import Paired

DEFAULT_FRACTION = 0.2
LEAST_SCALE = {"months": 1.0, "fraction": 0.05}
LEAST_SHARE = 0.1  # of the difference


def allowed_fraction(twins: int | None, mc_error: float | None, name: str = "mc_error") -> float:
    """The share asked for, or the default. Raises InputError beside a number of twins or outside (0, 1]."""
    if mc_error is None:
        return DEFAULT_FRACTION
    if math.isnan(mc_error) or not 0.0 < mc_error <= 1.0:
        raise InputError(Problem(name, f"{mc_error} is out of range", "above 0, at most 1"))
    if twins is not None:
        message = "it decides the number of twins, which was given too"
        raise InputError(Problem(name, message, "", "Give one of the two."))
    return mc_error


def target(paired: Paired, unit: str, fraction: float) -> float:
    """The largest Monte Carlo error allowed of a difference, in its unit."""
    return fraction * max(paired.half_width, LEAST_SCALE[unit], LEAST_SHARE * abs(paired.mean))


def excess(difference: Difference) -> float:
    """Monte Carlo error over the allowed one; at most 1 when it is small enough."""
    return difference.mc_error / difference.mc_target


def worst(comparison: list[Difference]) -> Difference | None:
    """The difference furthest above (or least below) its target; the first of equals."""
    return max(comparison, key=excess, default=None)


def in_words(value: float, unit: str) -> str:
    """`0.25 months` or `1.2 percentage points`."""
    return f"{value:.2f} months" if unit == "months" else f"{100 * value:.1f} percentage points"


def summary(comparison: list[Difference], twins: int, fraction: float, most: int | None) -> MonteCarlo:
    """What is said of the error that remains. `most`: the limit of an adaptive plan, else None."""
    missed = sum(excess(d) > 1.0 for d in comparison)
    largest = {u: max((d.mc_error for d in comparison if d.unit == u), default=0.0) for u in LEAST_SCALE}
    stopped = most is not None and missed > 0
    return MonteCarlo(
        twins=twins,
        adaptive=most is not None,
        most_twins=most,
        fraction=fraction,
        largest_error_months=largest["months"],
        largest_error_fraction=largest["fraction"],
        above_target=missed,
        stopped_by_limit=stopped,
        text=_text(comparison, twins, largest, missed, stopped),
    )


def _text(
    comparison: list[Difference], twins: int, largest: dict[str, float], missed: int, stopped: bool
) -> str:
    head = f"{twins:,} virtual twins were simulated under each strategy"
    if not comparison:
        return f"{head}; nothing is compared."
    sizes = " and ".join(in_words(value, unit) for unit, value in largest.items())
    head += f"; the Monte Carlo error (standard error) they leave is at most {sizes} in any difference"
    if not missed:
        return f"{head}, within the target for each."
    where = f"{missed} of {len(comparison)} differences are above their target"
    return f"{head}; {where}" + (" at the limit of the plan." if stopped else ", and more twins would help.")
