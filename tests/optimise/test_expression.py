"""What a search prints is what `metachron plan --strategy` runs again, life by life."""

from __future__ import annotations

import numpy as np
import pytest

from metachron.engine.compile import start_line
from metachron.optimise.evaluate import Evaluator, strategy_key
from metachron.optimise.expression import expression_of
from metachron.optimise.space import make_space
from metachron.optimise.template import parse_template
from metachron.parameters import draw_parameters
from metachron.patient.examples import read_example
from metachron.plan.arms import compile_arms, judged, listed_strategies, run_arms
from metachron.plan.findings import read_findings
from metachron.plan.twins import make_twins
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.language import resolve

CATALOGUE = load_catalogue()


def test_a_printed_candidate_lives_the_same_lives_in_a_plan() -> None:
    patient = read_example("metachronous_solitary")
    template = parse_template(
        "mfolfox6*4 > [{14,42}d] hepatectomy | surveillance={minimal,intensive}", CATALOGUE
    )
    space = make_space([template], CATALOGUE)
    found = read_findings(patient, CATALOGUE)
    twins = make_twins(patient, found, draw_parameters(5, 1), 60, 1, start_line(patient))
    evaluator = Evaluator(patient, None, twins, 1, 3652.5, 1)
    strategies, _, _ = listed_strategies(patient, [c.expression for c in space.candidates], CATALOGUE)
    arms = judged(patient, strategies[: len(space.candidates)], CATALOGUE)
    compile_arms(patient, arms, evaluator.found, CATALOGUE)
    run_arms(arms, twins, seed=1, horizon_days=3652.5, jobs=1, say=lambda *_: None)
    different = set()
    for candidate, arm in zip(space.candidates, arms, strict=True):
        lives = evaluator.lives(candidate.strategy)
        assert arm.lives is not None
        assert "| surveillance=" in candidate.expression
        np.testing.assert_array_equal(arm.lives.outcomes, lives.outcomes)
        different.add(lives.outcomes.tobytes())
    assert len(different) == len(arms)  # interval and schedule both tell


@pytest.mark.parametrize("name", sorted(CATALOGUE.strategies))
def test_every_named_strategy_can_be_written(name: str) -> None:
    strategy = CATALOGUE.strategies[name]
    assert strategy_key(resolve(expression_of(strategy, CATALOGUE))) == strategy_key(strategy)


def test_rules_of_its_own_need_the_name() -> None:
    assert expression_of(CATALOGUE.strategies["mfolfox6_intermittent"], CATALOGUE) == "mfolfox6_intermittent"
    assert expression_of(resolve("mfolfox6*6"), CATALOGUE) == "mfolfox6*6"
