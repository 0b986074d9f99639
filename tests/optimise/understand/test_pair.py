"""Two strategies on shared twins: signs, common random numbers, agreement with the plan."""

from __future__ import annotations

import numpy as np
import pytest
from pairs import pair_of

from metachron.optimise.numbers import signed
from metachron.optimise.understand.contrast import favoured, not_ranked
from metachron.optimise.understand.pair import of_difference, set_parameters
from metachron.optimise.understand.ranges import free_parameters, quantiles
from metachron.optimise.understand.text import opening, within
from metachron.patient.examples import read_example
from metachron.plan.make import make_plan


def test_the_difference_is_that_of_the_plan() -> None:
    pair = pair_of("small_unfit", "radiofrequency", "microwave")
    found = of_difference(pair.signed(pair.twins(600)), pair.twins(600))
    plan = make_plan(
        read_example("small_unfit"),
        strategies=["radiofrequency", "microwave"],
        twins=600,
        draws=40,
        seed=1,
        jobs=1,
        prior=True,
    )
    shown = next(d for d in plan.comparison if d.endpoint == "os" and d.strategy == "radiofrequency")
    assert found.value == pytest.approx(shown.difference, abs=1e-9)
    assert found.lower == pytest.approx(shown.lower, abs=1e-9)


def test_swapping_the_strategies_turns_the_sign() -> None:
    one, other = (
        pair_of("small_unfit", *s) for s in (("radiofrequency", "microwave"), ("microwave", "radiofrequency"))
    )
    twins = one.twins(200)
    assert np.array_equal(one.signed(twins), -other.signed(twins))


def test_less_is_better_where_the_objective_says_so() -> None:
    more = pair_of("stage3_adjuvant", "adjuvant_mfolfox6", "observation", objective="burden")
    assert more.signed(more.twins(200)).mean() < 0  # chemotherapy costs days


def test_a_parameter_without_effect_changes_nothing() -> None:
    """No cells, no checkpoint inhibitor before progression: their parameters leave every twin as it was."""
    pair = pair_of("small_unfit", "radiofrequency", "microwave")
    twins = pair.twins(200)
    changed = pair.with_sets(set_parameters(pair.sets, {"cell_kill": 0.3, "cell_homing": 0.2}))
    again = changed.twins(200)
    assert np.array_equal(twins.lesions, again.lesions)
    assert np.array_equal(pair.signed(twins), changed.signed(again))
    assert pair.sets["cell_kill"].max() > changed.sets["cell_kill"].min()  # the first was not touched


def test_lives_are_counted_over_pairs_made_from_one() -> None:
    pair = pair_of("small_unfit", "radiofrequency", "microwave")
    before = pair.lives
    changed = pair.with_sets(pair.sets)
    changed.signed(changed.twins(150))
    assert pair.lives == before + 300


@pytest.mark.parametrize("prior", [True, False])
def test_quantiles_span_the_distribution(prior: bool) -> None:
    for name in free_parameters():
        low, mid, high = quantiles(name, [0.05, 0.5, 0.95], prior=prior)
        assert low <= mid <= high
        assert low < high, name
    assert set(quantiles("cell_effect_real", [0.05, 0.3, 0.7, 0.95], prior=prior)) == {0.0, 1.0}


def test_a_proven_strategy_is_chosen_before_an_unproven_one() -> None:
    pair = pair_of("stage3_adjuvant", "adjuvant_mfolfox6", "adjuvant_mfolfox6_cik")
    assert favoured(pair.first, pair.second, -5.0) == "adjuvant_mfolfox6"
    assert favoured(pair.second, pair.first, 5.0) == "adjuvant_mfolfox6"
    assert favoured(pair.second, pair.second, 5.0) == ""
    assert favoured(pair.first, pair.first, 5.0) == "adjuvant_mfolfox6"
    assert "never ranked above" in not_ranked(pair.first, pair.second)


@pytest.mark.parametrize(
    ("value", "said"), [(-0.04, "0.0"), (0.05, "+0.1"), (-1.26, "-1.3"), (0.0, "0.0"), (None, "0.0")]
)
def test_nought_has_no_sign(value, said) -> None:
    assert signed(value) == said


def test_titles_keep_abbreviations() -> None:
    assert within("Oxaliplatin kill added") == "oxaliplatin kill added"
    assert within("RAS test") == "RAS test"
    assert opening("ln mean") == "Ln mean"
