"""Which parameters a contrast turns on."""

from __future__ import annotations

import pytest

pytest.importorskip("SALib")
from pairs import pair_of

from metachron.optimise.understand.results import Sensitivity
from metachron.optimise.understand.sensitivity import Effort, at_ends, sensitivity

SMALL = Effort(screen_twins=150, tornado_twins=300, bars=4, factors=2, sobol_twins=80, sobol_rows=8)


def silent(stage: str, share: float) -> None:
    pass


@pytest.fixture(scope="module")
def found() -> Sensitivity:
    return sensitivity(
        pair_of("stage3_adjuvant", "adjuvant_mfolfox6", "observation", objective="rfs"), None, SMALL, silent
    )


@pytest.mark.slow
def test_parameters_of_what_is_given_matter(found: Sensitivity) -> None:
    names = [bar.name for bar in found.tornado]
    assert {"occult_intercept", "kappa_fp", "phi_micro_mean", "vdt_ref_days"} & set(names)
    assert not any(name.startswith(("cell_", "ablation_")) for name in names)
    assert found.no_effect >= 10
    swings = [abs(bar.swing.value or 0) for bar in found.tornado]
    assert swings == sorted(swings, reverse=True)
    assert all(bar.basis == "prior-driven" for bar in found.tornado)
    assert all(bar.low_value < bar.high_value for bar in found.tornado)


@pytest.mark.slow
def test_lives_are_told(found: Sensitivity) -> None:
    assert found.lives > 85 * 2 * 2 * 150
    assert f"{found.lives:,} lives" in found.words[-1]
    if found.sobol is not None:
        assert found.sobol.rows == 8 * 4
        assert found.sobol.lives == 2 * found.sobol.rows * 80


def test_more_kill_makes_chemotherapy_better() -> None:
    pair = pair_of("stage3_adjuvant", "adjuvant_mfolfox6", "observation", objective="rfs")
    base = pair.twins(300)
    ends = at_ends(pair, "kappa_fp", 300, base, prior=True)
    assert ends is not None
    assert ends.swing > 2 * ends.error
    assert not ends.remakes  # a property of the drug: the twins are the same


def test_a_parameter_that_makes_other_twins_is_known() -> None:
    pair = pair_of("stage3_adjuvant", "adjuvant_mfolfox6", "observation", objective="rfs")
    ends = at_ends(pair, "occult_intercept", 300, pair.twins(300), prior=True)
    assert ends is not None
    assert ends.remakes
    assert ends.swing > 0  # the more unseen disease, the more there is to gain
