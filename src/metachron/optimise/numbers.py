"""Numbers in sentences and tables: nought has no sign."""

from __future__ import annotations

import math


def plain(value: float, digits: int = 1) -> str:
    """A number with so many digits after the point; never -0.0."""
    return f"{round(value, digits) + 0.0:.{digits}f}"


def signed(value: float | None, digits: int = 1) -> str:
    """A number with its sign; nought has none."""
    rounded = round(value or 0.0, digits)
    return f"{rounded:+.{digits}f}" if rounded else f"{0:.{digits}f}"


def percent(share: float) -> str:
    """A share as `38 %`; the ends are never certain: `under 1 %`, `over 99 %`."""
    if share < 0.005:
        return "under 1 %"
    return "over 99 %" if share > 0.995 else f"{100 * share:.0f} %"


def figures(value: float, count: int = 2) -> str:
    """A number to so many figures, without an exponent where people can do without: `0.45`, `81`, `1,700`."""
    if value == round(value) and abs(value) < 10**count:
        return f"{value:.0f}"
    if not 1e-4 <= abs(value) < 1e6:
        return f"{value:.{count - 1}e}"
    digits = count - 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, digits):,.{max(digits, 0)}f}"
