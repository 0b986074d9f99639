"""From what was typed to what the library takes: patients, ranges, names with a hint."""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from metachron.errors import InputError, Problem

if TYPE_CHECKING:
    from metachron.patient.schema import Patient

LARGEST_SEED = 2**63 - 1
RANGES: dict[str, tuple[float, float]] = {
    "--twins": (100, 1_000_000),
    "--draws": (2, 2000),
    "--horizon": (0.5, 20),
    "--seed": (0, LARGEST_SEED),
}


def cores() -> int:
    """Processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_range(option: str, value: float) -> None:
    """Raise InputError when `value` is outside the range of `option`; NaN always is."""
    low, high = (1, cores()) if option == "--jobs" else RANGES[option]
    if math.isnan(value) or not low <= value <= high:
        raise InputError(Problem(option, f"{value} is out of range", f"{low:,} to {high:,}"))


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """A suggestion in words, or nothing when no name is near."""
    known = list(names)
    near = difflib.get_close_matches(word.lower(), known, n=3, cutoff=0.6)
    near = near or [name for name in known if word and word.lower() in name][:3]
    return f"Did you mean {' or '.join(near)}?" if near else ""


def one_of(word: str, names: Iterable[str], what: str, listing: str) -> str:
    """`word` when it is one of `names`; otherwise InputError with the nearest names."""
    known = list(names)
    if word in known:
        return word
    hint = did_you_mean(word, known) or f"`{listing}` lists them"
    raise InputError(Problem("", f"no {what} named {word!r}", "", hint))


def read_patient_or_example(argument: str) -> Patient:
    """The patient of a file, or of the bundled example of that name when no such file exists.

    Raises InputError with every problem found.
    """
    from metachron.patient.examples import example_names, read_example
    from metachron.patient.load import read_patient

    path = Path(argument)
    if not path.exists():
        names = list(example_names())
        if argument in names:
            return read_example(argument)
        hint = did_you_mean(path.stem, names)
        hint += (" " if hint else "") + "`metachron example` lists the bundled examples"
        raise InputError(Problem("", f"there is no file or bundled example {argument!r}", "", hint))
    return read_patient(path, known_treatments=treatment_names())


def treatment_names() -> set[str]:
    """Every name of the catalogue a prior treatment may carry."""
    from metachron.commands.listing import sections

    return {name for part in sections().values() for name in part}
