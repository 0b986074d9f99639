"""Numbers in sentences and tables: nought has no sign."""

from __future__ import annotations


def plain(value: float, digits: int = 1) -> str:
    """A number with so many digits after the point; never -0.0."""
    return f"{round(value, digits) + 0.0:.{digits}f}"


def signed(value: float | None, digits: int = 1) -> str:
    """A number with its sign; nought has none."""
    rounded = round(value or 0.0, digits)
    return f"{rounded:+.{digits}f}" if rounded else f"{0:.{digits}f}"
