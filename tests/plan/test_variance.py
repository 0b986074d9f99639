"""The benchmark of common random numbers: its formula on known laws, and its script on a few twins."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from metachron.engine.batch import Lives
from metachron.engine.records import LESION, N_KINDS, OUTCOME, TWIN
from metachron.patient.examples import example_names
from metachron.plan.outcomes import DAYS_PER_MONTH
from metachron.plan.twins import Twins
from metachron.plan.variance import Arm, saving

N, DRAWS = 4000, 4


def twins(first: int = 0) -> Twins:
    made = np.zeros(N, TWIN)
    made["draw"] = np.arange(N) % DRAWS
    return Twins(made, np.zeros((N, 1), LESION), np.zeros(DRAWS), first + np.arange(N), N, 1.0, [])


def lives(months: NDArray[np.float64]) -> Lives:
    outcomes = np.zeros(N, OUTCOME)
    for field in ("death", "pfs", "hepatic"):
        outcomes[field] = months * DAYS_PER_MONTH
    return Lives(outcomes, np.zeros((N, N_KINDS), np.int64), *[np.zeros((N, 0))] * 3, 3652.5)


def test_variances_of_a_known_law() -> None:
    """Months = 30 + patient (sd 3) + coin (sd 2) + noise of the strategy (sd 1) + effect of the draw."""
    rng = np.random.default_rng(1)
    effect = 5.0 * rng.standard_normal(DRAWS)[np.arange(N) % DRAWS]

    def sample(sd: float) -> NDArray[np.float64]:
        return sd * rng.standard_normal(N)

    patient, coin, other_coin, other = sample(3.0), sample(2.0), sample(2.0), sample(3.0) + sample(2.0)
    arms = [
        Arm(
            lives(30.0 + gain + effect + patient + coin + sample(1.0)),
            lives(30.0 + gain + effect + patient + other_coin + sample(1.0)),
            lives(30.0 + gain + effect + other + sample(1.0)),
        )
        for gain in (2.0, 0.0)
    ]
    found = saving(*arms, "os", twins(), twins(N))
    # a variance from 4,000 normal values is known to 2.2 %
    assert found.common == pytest.approx(1 + 1, rel=0.09)
    assert found.coins == pytest.approx(1 + 1 + 2 * 4, rel=0.09)
    assert found.independent == pytest.approx(2 * (9 + 4 + 1), rel=0.09)
    assert found.difference == pytest.approx(2.0, abs=4 * found.mc_error)
    assert found.twins("common") == pytest.approx(found.common / 0.25**2)
    assert found.tenth == pytest.approx(0.1 * found.difference)


def test_a_difference_lost_in_chance_has_no_tenth() -> None:
    rng = np.random.default_rng(2)
    same, other = (lives(30.0 + rng.standard_normal(N)) for _ in range(2))
    assert saving(Arm(same, other, other), Arm(same, same, same), "os", twins(), twins(N)).tenth is None


@pytest.mark.slow
def test_the_script_prints_a_table_and_writes_what_it_measured(repository: Path, tmp_path: Path) -> None:
    file = tmp_path / "variance.json"
    command = [sys.executable, "benchmarks/variance", "--twins", "100", "--draws", "4", "--json", file]
    page = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True).stdout
    found = json.loads(file.read_text("utf-8"))
    assert len(found["contrasts"]) == 27
    assert len(found["plans"]) == len(example_names())
    headings = 2
    lines = sum(line.startswith("| ") for line in page.splitlines()) - headings
    assert lines == len(found["contrasts"]) + len(found["plans"])
    months = [c for c in found["contrasts"] if c["unit"] == "months"]
    assert sum(c["common"] for c in months) < 0.8 * sum(c["coins"] for c in months)
