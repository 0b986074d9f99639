"""The schedule of scans written after a strategy: `hepatectomy | surveillance=intensive`."""

from __future__ import annotations

import difflib
import re

from metachron.errors import InputError, Problem
from metachron.strategies.catalogue import Catalogue, plain_name
from metachron.strategies.schema import Strategy

SURVEILLANCE = "surveillance"
_TAIL = re.compile(rf"\s*{SURVEILLANCE}\s*=\s*(?P<name>[^|]*?)\s*", re.IGNORECASE)


def split_schedule(text: str, catalogue: Catalogue) -> tuple[str, str]:
    """(strategy, name of the schedule after `|`, or nothing). Raises InputError with the nearest schedule."""
    head, bar, tail = text.partition("|")
    if not bar:
        return text, ""
    match = _TAIL.fullmatch(tail)
    wanted = plain_name(match["name"]) if match else ""
    if wanted in catalogue.surveillance:
        return head.strip(), wanted
    allowed = list(catalogue.surveillance)
    if not wanted:
        message = f"only a schedule of scans may stand after |, once: | {SURVEILLANCE}=NAME"
        hint = f"Write e.g. {head.strip()} | {SURVEILLANCE}={allowed[0]}"
    else:
        near = difflib.get_close_matches(wanted, allowed, n=1)
        message = f"{wanted!r} is not a schedule of scans"
        hint = f"Did you mean {near[0]}?" if near else ""
    shown = text if len(text) <= 60 else text[:57] + "..."
    problem = Problem(f"column {len(head) + 2}", message, ", ".join(allowed), hint)
    raise InputError(problem, source=f"strategy {shown!r}")


def with_schedule(strategy: Strategy, schedule: str, catalogue: Catalogue) -> Strategy:
    """The strategy with another schedule of scans, which its name and title then say."""
    if not schedule or schedule == strategy.surveillance:
        return strategy
    title = f"{strategy.title}; {catalogue.surveillance[schedule].title}"
    name = f"{strategy.name} | {SURVEILLANCE}={schedule}"
    return strategy.model_copy(update={"surveillance": schedule, "name": name, "title": title})
