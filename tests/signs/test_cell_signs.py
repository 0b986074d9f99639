"""Signs of infused cells: the day matters only if they act at all, and the effect is modest."""

from __future__ import annotations

import numpy as np
import pytest
import trial
from trial import STAGE3, UNRESECTABLE, arm, hazard_ratio, months, standard_error

from metachron.engine.batch import Lives


def with_cells(example: str, text: str, **parameters: float) -> Lives:
    plan = trial.strategy(text, dose_rules="none")
    return trial.run(example, trial.programme_of(example, plan), parameters=parameters)


@pytest.mark.parametrize("example", [STAGE3, UNRESECTABLE])
def test_the_day_of_chemotherapy_is_the_wrong_day(example: str) -> None:
    """Mid-interval (day 8 of 14) beats the day of chemotherapy when the effect is real."""
    days = {
        day: months(with_cells(example, f"mfolfox6*12 + cik*12@{day}", cell_effect_real=1.0).outcomes["pfs"])
        for day in (1, 8)
    }
    gain = days[8] - days[1]
    assert gain.mean() > 2 * standard_error(gain)


# mean months; the steps of the engine must not be mistaken for an effect
NUMERICAL = 0.02


def assert_nought(gain: np.ndarray) -> None:
    """The mean is nought but for rounding and the few twins whose fate hangs on it."""
    assert gain.mean() == pytest.approx(0.0, abs=NUMERICAL + 2 * standard_error(gain))


@pytest.mark.parametrize("example", [STAGE3, UNRESECTABLE])
def test_the_day_does_not_matter_when_cells_do_not_act(example: str) -> None:
    a, b = (with_cells(example, f"mfolfox6*12 + cik*12@{day}", cell_kill=0.0).outcomes for day in (1, 8))
    for field in ("pfs", "death"):
        assert_nought(months(b[field]) - months(a[field]))


@pytest.mark.parametrize("example", [STAGE3, UNRESECTABLE])
def test_cells_that_do_not_act_change_nothing(example: str) -> None:
    plans = ("mfolfox6*12", "mfolfox6*12 + cik*12@8")
    alone, both = (with_cells(example, text, cell_kill=0.0).outcomes for text in plans)
    for field in ("pfs", "death"):
        assert_nought(months(both[field]) - months(alone[field]))
    assert both["no_cells"].mean() == pytest.approx(alone["no_cells"].mean(), abs=0.002)


def test_added_cells_give_a_modest_hazard_ratio() -> None:
    """PFS against chemotherapy alone, over the prior: not the headline 0.4 of biased studies."""
    chemo = arm(UNRESECTABLE, "mfolfox6*12").outcomes["pfs"]
    for text in ("mfolfox6*12 + cik*6@8", "mfolfox6*12 + cik*12@8"):
        assert 0.6 < hazard_ratio(arm(UNRESECTABLE, text).outcomes["pfs"], chemo, 10) < 1.05


def test_less_disease_gives_cells_more_to_do() -> None:
    """Relative gain in time without progression is larger after surgery than in bulky disease."""
    ratio = {}
    for example in (STAGE3, UNRESECTABLE):
        alone, both = (
            with_cells(example, text, cell_effect_real=1.0).outcomes["pfs"]
            for text in ("mfolfox6*12", "mfolfox6*12 + cik*12@8")
        )
        ratio[example] = hazard_ratio(both, alone, 5)
    assert ratio[STAGE3] < ratio[UNRESECTABLE] < 1.0
