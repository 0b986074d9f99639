"""Timetables in the words of a clinician: `hepatectomy > [28d] mfolfox6*12` said aloud."""

from __future__ import annotations

import re
from functools import cache

from metachron.optimise.results import Evaluation
from metachron.strategies.catalogue import Catalogue, load_catalogue

_PARTS = re.compile(r"\b(?P<name>[A-Za-z][A-Za-z0-9_]*)(?:\*(?P<count>\d+))?(?:@(?P<day>\d+))?(?![\w(])")
_SHORT = re.compile(r"[^()]*\((m?[A-Z][A-Za-z0-9]*[A-Z0-9])(?:, [A-Z][A-Za-z0-9]*)*\)")


def said(text: str) -> str:
    """Names of the catalogue with their numbers in words; everything else as it is.

    `hepatectomy, then mfolfox6*12` -> `liver resection, then 12 cycles of mFOLFOX6`.
    """
    text = re.sub(r", then after (\d+) days ", r"; \1 days later: ", text)
    text = re.sub(r"^after (\d+) days ", r"from day \1: ", text)
    return _PARTS.sub(_said, text).replace("+-", "±")


def limit(text: str) -> str:
    """`oxaliplatin_planned <= 1020 mg/m2` as people write it."""
    return text.replace("_", " ").replace("<=", "≤").replace(">=", "≥")


def _said(found: re.Match[str]) -> str:
    name, count, day = found["name"], found["count"], found["day"]
    catalogue = _catalogue()
    if name in catalogue.regimens:
        title = short(catalogue.regimens[name].title)
        return f"{count} {'cycle' if count == '1' else 'cycles'} of {title}" if count else title
    if name in catalogue.procedures and not count:
        return without_brackets(catalogue.procedures[name].title)
    if name in catalogue.cells:
        title = short(catalogue.cells[name].title)
        text = f"{count} infusions of {title}" if count else title
        return f"{text} on day {day}" if day else text
    return found[0]


@cache
def _catalogue() -> Catalogue:
    return load_catalogue()


def short(title: str) -> str:
    """`5-fluorouracil, leucovorin and oxaliplatin (mFOLFOX6)` as `mFOLFOX6`; of two short names the first."""
    found = _SHORT.fullmatch(title)
    return found[1] if found else title


def without_brackets(title: str) -> str:
    """`liver resection (one stage)` as `liver resection`."""
    return title.partition(" (")[0]


def composed(e: Evaluation) -> bool:
    """Whether its title was made from the expression, and so holds every variable."""
    return e.name == e.expression


def title_of(e: Evaluation) -> str:
    """The title as a clinician would say it."""
    text = said(e.title) if composed(e) else e.title
    return text if text[1:2].isupper() else text[:1].upper() + text[1:]
