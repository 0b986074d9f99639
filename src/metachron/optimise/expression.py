"""What to write after `metachron plan --strategy` so that exactly this strategy is simulated."""

from __future__ import annotations

from metachron.errors import InputError
from metachron.optimise.evaluate import strategy_key
from metachron.strategies.catalogue import Catalogue
from metachron.strategies.language import format_steps, resolve
from metachron.strategies.scans import SURVEILLANCE
from metachron.strategies.schema import Strategy


def expression_of(strategy: Strategy, catalogue: Catalogue) -> str:
    """The expression of a strategy, with its schedule of scans where it is not the usual one; the name where
    no expression says it (rules of its own). One from a file of the user gives its steps alone."""
    steps = format_steps(strategy.steps)
    scans = f" | {SURVEILLANCE}={strategy.surveillance}"
    key = strategy_key(strategy)
    for text in (steps, steps + scans, strategy.name):
        try:
            if strategy_key(resolve(text, catalogue)) == key:
                return text
        except InputError:
            continue
    return steps
