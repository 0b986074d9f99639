"""The map of infused cells: flat when they kill nothing, a band over the prior, never calibrated."""

from __future__ import annotations

import numpy as np
import pytest
from pairs import pair_of

from metachron.optimise.understand.heatmap import HALF_LIVES, heatmap, varied
from metachron.optimise.understand.pair import set_parameters
from metachron.optimise.understand.results import HeatMap
from metachron.strategies.catalogue import load_catalogue

INTERLEAVED = ("stage3_adjuvant", "adjuvant_mfolfox6", "mfolfox6*12 + cik*8@8")
AFTER = ("stage3_adjuvant", "adjuvant_mfolfox6", "mfolfox6*12 > [28d] cik*8")


def silent(stage: str, share: float) -> None:
    pass


def made(which: tuple[str, str, str], n: int = 400, **values: float) -> HeatMap:
    pair = pair_of(*which)
    chosen = varied((pair.first, pair.second), load_catalogue())
    assert chosen is not None
    return heatmap(pair.with_sets(set_parameters(pair.sets, values)), chosen, n, silent)


def test_the_map_is_flat_when_cells_kill_nothing() -> None:
    """Whatever day and half-life; what is left is the rounding of events (a day at most of one twin)."""
    found = made(INTERLEAVED, cell_kill=0.0)
    assert found.flat
    assert max(abs(cell.mean) for row in found.cells for cell in row) < 0.05
    assert not any(row.matters for row in found.rows)
    assert "change nothing" in found.words[0]


def test_the_map_is_not_flat_when_they_kill() -> None:
    found = made(INTERLEAVED, cell_effect_real=1.0, cell_kill=0.3, cell_homing=0.2)
    assert not found.flat
    assert min(cell.mean for row in found.cells for cell in row) > 0.1


def test_long_lived_cells_add_more() -> None:
    found = made(AFTER, cell_effect_real=1.0)
    gain = np.array([[cell.mean for cell in row] for row in found.cells]).mean(1)
    assert gain[-1] > gain[0]
    assert np.corrcoef(np.log(HALF_LIVES), gain)[0, 1] > 0.8


def test_a_band_holds_the_draws_without_effect() -> None:
    """Half of the draws give the cells no effect: the lower end of the band is nought, and the mean among
    effective draws is about twice the mean."""
    found = made(INTERLEAVED)
    cell = found.cells[3][4]
    assert cell.lower == pytest.approx(0.0, abs=0.05)
    assert cell.upper > cell.mean > cell.lower
    assert cell.if_effective == pytest.approx(2 * cell.mean, rel=0.3)
    assert found.basis == "prior-driven"
    assert found.words[0].startswith("Prior-driven")


def test_axis_and_columns() -> None:
    catalogue = load_catalogue()
    within = pair_of(*INTERLEAVED)
    inside = varied((within.first, within.second), catalogue)
    assert inside is not None
    assert (inside.days[0], inside.days[-1]) == (1, 14)
    assert inside.without().name == "mfolfox6*12"
    assert inside.at(3).steps[0].infusion_day == 3
    later = pair_of(*AFTER)
    after = varied((later.first, later.second), catalogue)
    assert after is not None
    assert after.axis == "days after the last cycle"
    assert after.at(42).steps[1].gap_days == 42
    assert after.without().name == "mfolfox6*12"
    none = pair_of("small_unfit", "radiofrequency", "microwave")
    assert varied((none.first, none.second), catalogue) is None
