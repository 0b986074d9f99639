"""Scores of the free parameters and the draws they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from metachron.calibrate.space import HELD, NULL, draws_from_z, free_parameters, natural, prior_median
from metachron.errors import InputError
from metachron.parameters.load import load_parameters

NAMES = ("vdt_ref_days", "vegf_imax", "death_intercept", "phi_correlation")


def test_every_parameter_is_free_held_or_fixed() -> None:
    parameters = load_parameters()
    free = set(free_parameters())
    fixed = {n for n, p in parameters.items() if p.distribution == "fixed"}
    assert free | set(HELD) | fixed == set(parameters)
    assert not free & set(HELD)
    assert not fixed & set(HELD)


def test_cell_therapy_is_never_fitted() -> None:
    assert not [name for name in free_parameters() if name.startswith("cell_")]


def test_a_score_of_nought_is_the_prior_median_and_196_the_upper_bound() -> None:
    parameters = load_parameters()
    values = natural(NAMES, np.array([[0.0] * 4, [1.959964] * 4, [-1.959964] * 4]))
    for j, name in enumerate(NAMES):
        p = parameters[name]
        if p.distribution in ("lognormal", "normal"):
            assert values[0, j] == pytest.approx(p.value)
            assert values[1, j] == pytest.approx(p.high, rel=1e-5)
            assert values[2, j] == pytest.approx(p.low, rel=1e-5)
    assert values[0, 3] == pytest.approx(0.4)  # uniform on 0 to 0.8
    assert values[1, 3] == pytest.approx(0.8 * 0.975, rel=1e-5)


def test_scores_from_the_prior_give_the_prior() -> None:
    z = np.random.default_rng(1).standard_normal((20_000, 4))
    values = natural(NAMES, z)
    p = load_parameters()["vegf_imax"]
    assert values[:, 1].mean() == pytest.approx(p.alpha / (p.alpha + p.beta), abs=0.005)  # type: ignore[operator]


def test_what_is_not_named_stands_at_its_median_or_varies_by_itself() -> None:
    z = np.zeros((50, 4))
    still, moving = draws_from_z(NAMES, z), draws_from_z(NAMES, z, rest_seed=3)
    assert np.unique(still["kappa_fp"]).size == 1
    assert still["kappa_fp"][0] == prior_median()["kappa_fp"][0]
    assert np.unique(moving["kappa_fp"]).size == 50
    assert np.unique(moving["vdt_ref_days"]).size == 1
    assert set(np.unique(moving["cell_effect_real"])) == {0.0, 1.0}
    again = draws_from_z(NAMES, z + 1.0, rest_seed=3)
    assert (again["kappa_fp"] == moving["kappa_fp"]).all()  # the rest does not depend on z


def test_null_inputs_are_scores_that_move_nothing() -> None:
    z = np.array([[0.5, -1.0], [0.5, 2.0]])
    names = ("vdt_ref_days", NULL[0])
    assert natural(names, z)[:, 1].tolist() == [-1.0, 2.0]
    draws = draws_from_z(names, z)
    assert draws[0] == draws[1]


def test_far_scores_stay_finite() -> None:
    draws = draws_from_z(free_parameters(), np.full((1, len(free_parameters())), 40.0))
    assert all(np.isfinite(draws[name]).all() for name in draws.dtype.names or ())


@pytest.mark.parametrize(
    ("names", "z", "word"),
    [
        (("no_such",), np.zeros((1, 1)), "no_such"),
        (("detect_scale",), np.zeros((1, 1)), "continuous prior"),
        (NAMES, np.zeros((1, 3)), "shape"),
        (NAMES, np.full((1, 4), np.nan), "not finite"),
    ],
)
def test_bad_scores_are_named(names: tuple[str, ...], z: np.ndarray, word: str) -> None:
    with pytest.raises(InputError, match=word):
        draws_from_z(names, z)
