"""Which reason decides on a strategy."""

from __future__ import annotations

from metachron.plan.results import Reason, StrategyResult

_ORDER = ("not eligible", "needs information", "eligible")


def short_reason(strategy: StrategyResult) -> Reason | None:
    """The reason that decides: the first that refuses, else the first that lacks information."""
    return min(strategy.reasons, key=lambda r: _ORDER.index(r.verdict), default=None)
