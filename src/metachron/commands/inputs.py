"""From what was typed to what the library takes: patients and ranges."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

from metachron.errors import InputError, Problem

if TYPE_CHECKING:
    from metachron.patient.schema import Patient

LARGEST_SEED = 2**63 - 1
DEVICES = ("cpu", "cuda")
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


def threads(jobs: int | None) -> int:
    """As many threads as asked for with --jobs, or one for each core."""
    return cores() if jobs is None else jobs


def check_range(option: str, value: float) -> None:
    """Raise InputError when `value` is outside the range of `option`; NaN always is."""
    low, high = (1, cores()) if option == "--jobs" else RANGES[option]
    if math.isnan(value) or not low <= value <= high:
        raise InputError(Problem(option, f"{value} is out of range", f"{low:,} to {high:,}"))


def check_run(twins: int | None, draws: int, seed: int, horizon_years: float, jobs: int) -> None:
    """Check the options of every command that simulates. Raises InputError on the first out of range."""
    if twins is not None:
        check_range("--twins", twins)
    given = {"--draws": draws, "--seed": seed, "--horizon": horizon_years, "--jobs": jobs}
    for option, value in given.items():
        check_range(option, value)


def read_patient_or_example(argument: str) -> Patient:
    """The patient of a file, or of the bundled example of that name when no such file exists.

    Raises InputError with every problem found.
    """
    from metachron.patient.examples import example_names, read_example
    from metachron.patient.load import read_patient
    from metachron.strategies.catalogue import load_catalogue

    path = Path(argument)
    if not path.exists() and argument in example_names():
        return read_example(argument)
    try:
        return read_patient(path, known_treatments=load_catalogue().names())
    except InputError:
        if other := _something_else(path):
            raise InputError(other, argument) from None
        raise


def _something_else(path: Path) -> Problem | None:
    """What a file is when it is no patient but a finding or a document of metachron."""
    from metachron.patient.text import decode, parse_text, read_bytes

    try:
        data = parse_text(decode(read_bytes(path, [])), path.suffix.casefold())
    except InputError:
        return None
    if not isinstance(data, dict) or "assessed_on" in data:
        return None
    if "schema_name" in data:
        message = f"this is a document that metachron wrote ({str(data['schema_name'])[:40]}), not a patient"
        return Problem("", message, "", "Give the patient file that it was made from")
    if "date" in data:
        hint = "Give it as --finding to `metachron update PATIENT`"
        return Problem("", "this is a finding, not a patient", "", hint)
    return None


def check_device(device: str) -> None:
    """Raise InputError for a device that is neither cpu nor cuda."""
    if device not in DEVICES:
        raise InputError(Problem("--device", f'"{device}" is not known', ", ".join(DEVICES)))
