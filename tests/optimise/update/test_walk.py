"""Lives with a past: without one they are the lives of the engine, and a past leaves what it has done."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from metachron.engine.batch import simulate
from metachron.engine.compile import compile_strategy, start_line
from metachron.optimise.update.course import Given, compile_past
from metachron.optimise.update.walk import (
    IN_SIGHT,
    LN_CELLS,
    NERVE,
    NOT_LOOKED,
    VOLUME_ML,
    Past,
    live_on,
    walk,
)
from metachron.parameters import draw_parameters
from metachron.patient.examples import read_example
from metachron.plan.findings import read_findings
from metachron.plan.twins import Twins, make_twins
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.language import resolve

CATALOGUE = load_catalogue()


@pytest.fixture(scope="module")
def twins() -> Twins:
    patient = read_example("unresectable_ras_mutant")
    found = read_findings(patient, CATALOGUE)
    return make_twins(patient, found, draw_parameters(10, 1), 200, 1, start_line(patient))


def past_of(courses: list[Given], twins: Twins, stops: list[int]) -> Past:
    patient = read_example("unresectable_ras_mutant")
    names = [m.id for m in patient.metastases]
    return compile_past(patient, courses, CATALOGUE, twins.lesions.shape[1], names, stops)


def given_of(courses: list[Given], twins: Twins) -> NDArray[np.void]:
    """Administrations of the first course."""
    programme = past_of(courses, twins, [0]).programme
    return programme.admins[programme.segments["admin_from"][0] : programme.segments["admin_to"][0]]


@pytest.mark.parametrize("expression", ["mfolfox6 + bevacizumab", "observation", "mfolfox6*6 > hepatectomy"])
def test_without_a_past_a_life_is_that_of_the_engine(twins: Twins, expression: str) -> None:
    patient = read_example("unresectable_ras_mutant")
    programme = compile_strategy(patient, resolve(expression, CATALOGUE), CATALOGUE)
    whole = simulate(twins.lesions, twins.twins, twins.draws, programme, seed=3, horizon_days=2000)
    shown = np.zeros(twins.lesions.shape, np.int64)
    past = past_of([], twins, [0])
    same = live_on(
        twins.lesions, twins.twins, twins.twins, twins.draws, past, programme, shown, NOT_LOOKED, seed=3,
        horizon_days=2000,
    )  # fmt: skip
    assert (whole.outcomes == same.outcomes).all()
    assert (whole.grades == same.grades).all()
    np.testing.assert_array_equal(whole.starts, same.starts)
    np.testing.assert_array_equal(whole.progressions, same.progressions)


def test_what_was_given_is_felt_and_a_smaller_dose_less(twins: Twins) -> None:
    course = Given("mfolfox6*4", 7, "given", line=1, cycles=4, cycle_days=14)
    half = Given("mfolfox6*4", 7, "given", line=1, cycles=4, cycle_days=14, dose_share=0.5)
    volumes, nerves = [], []
    for courses in ([], [half], [course]):
        walked = walk(twins.lesions, twins.twins, twins.draws, past_of(courses, twins, [0, 70]), seed=1)
        volumes.append(walked.sizes[:, -1, :11, VOLUME_ML].sum())
        nerves.append(walked.bodies[:, -1, NERVE].mean())
    assert volumes[0] > volumes[1] > volumes[2]
    assert nerves[0] < nerves[1] < nerves[2]


def test_a_partner_given_for_fewer_cycles_stops_earlier(twins: Twins) -> None:
    from metachron.strategies.schema import EffectClass

    both = Given("mfolfox6*4 + bevacizumab", 7, "given", line=1, cycles=4, cycle_days=14)
    fewer = Given(**{**vars(both), "until": {EffectClass.VEGF: 1}})
    until = [given_of([g], twins) for g in (both, fewer)]
    vegf = until[0]["what"] == 6
    assert vegf.any()
    assert (until[1]["until_cycle"][vegf] == 1).all()
    assert (until[1]["until_cycle"][~vegf] == until[0]["until_cycle"][~vegf]).all()


def test_cycles_put_off_keep_their_dose(twins: Twins) -> None:
    total = []
    for days in (14, 21):
        course = Given("mfolfox6*4", 7, "", cycles=4, cycle_days=days)
        assert past_of([course], twins, [0]).programme.segments["cycle_days"][0] == days
        admins = given_of([course], twins)
        total.append(admins["amount"][admins["what"] < 6] * days)
    np.testing.assert_allclose(total[0], total[1])


def test_an_operation_takes_the_lesions_named_and_no_other(twins: Twins) -> None:
    course = Given("hepatectomy", 10, "given", lesions=("H1", "H2"))
    walked = walk(twins.lesions, twins.twins, twins.draws, past_of([course], twins, [0, 40]), seed=1)
    seen = walked.sizes[:, -1, :11, IN_SIGHT]
    assert (seen[:, :2] == 0).all()
    assert (seen[:, 2:] == 1).all()
    assert (walked.sizes[:, -1, 2:11, LN_CELLS] > 0).all()
