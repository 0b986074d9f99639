"""A patient with one liver metastasis, and a search small enough for a fast test."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from metachron.optimise.update import weigh
from metachron.patient.examples import read_example
from metachron.patient.schema import Patient

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def patient() -> Patient:
    """One liver metastasis of 27 mm, never treated."""
    return read_example("metachronous_solitary")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer candidates, for tests of direction."""
    sizes = {"BATCH": 3000, "PICKED": 1500, "MANY_FATES": 12, "ENOUGH_ESS": 600.0, "MOST_BATCHES": 4}
    for name, value in sizes.items():
        monkeypatch.setattr(weigh, name, value)
