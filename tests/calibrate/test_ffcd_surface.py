"""The surface through simulated log likelihoods: near the best it must follow the truth through the noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numpyro")

from metachron.calibrate.ffcd import TRIAL
from metachron.calibrate.ffcd_surface import EXCESS, fit_surface, load_surface
from metachron.errors import InputError

NOISE = 2.0


def truth(z, effects):
    curved = -6.0 * z[:, 0] ** 2 - 3.0 * (z[:, 1] - 0.5) ** 2 + 4.0 * np.tanh(z[:, 2])
    return -2000.0 + curved + 3.0 * z[:, 0] * z[:, 1] - 40.0 * effects[:, 1] ** 2


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(3)
    z, effects = rng.standard_normal((110, 6)), 0.3 * rng.standard_normal((110, 4))
    loglik = truth(z, effects) + NOISE * rng.standard_normal(110)
    return fit_surface(z, loglik, effects=effects, names=list("abcdef"), iterations=50)


def at(surface, z, effects):
    return np.array([float(surface(a, b)) for a, b in zip(z, effects, strict=True)])


def test_follows_the_truth_near_the_best(fitted) -> None:
    rng = np.random.default_rng(4)
    z, effects = 0.5 * rng.standard_normal((60, 6)), 0.15 * rng.standard_normal((60, 4))
    error = at(fitted, z, effects) - truth(z, effects)
    assert np.sqrt(np.mean(error**2)) < 0.7 * NOISE


def test_says_how_large_its_errors_are(fitted) -> None:
    within = fitted.errors[0]
    assert within.within == 30.0
    assert 0.5 * NOISE < within.rms < 2.0 * NOISE


def test_has_a_slope_that_points_to_the_best(fitted) -> None:
    import jax

    z = np.zeros(6)
    z[0] = 2.0
    slope = jax.grad(lambda x: fitted(x, np.zeros(4)))(z)
    assert slope[0] < -5.0
    assert np.isfinite(np.asarray(slope)).all()


def test_does_not_rise_without_bound(fitted) -> None:
    rng = np.random.default_rng(5)
    far = at(fitted, 8.0 * rng.standard_normal((30, 6)), np.zeros((30, 4)))
    assert (far < fitted.best + 1.2 * EXCESS).all()


def test_is_read_back_as_written(fitted, tmp_path: Path) -> None:
    fitted.save(tmp_path / "surface.npz")
    back = load_surface(tmp_path / "surface.npz")
    z = np.full(6, 0.3)
    assert back.trial == TRIAL
    assert back.names == tuple("abcdef")
    assert float(back(z, np.zeros(4))) == float(fitted(z, np.zeros(4)))
    assert back.errors == fitted.errors


def test_refuses_what_is_no_surface(tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(b"nothing")
    with pytest.raises(InputError, match="no surface"):
        load_surface(tmp_path / "x.npz")
    with pytest.raises(InputError, match="points"):
        fit_surface(np.zeros((5, 2)), np.zeros(5))
    with pytest.raises(InputError, match="finite"):
        fit_surface(np.zeros((40, 2)), np.full(40, np.nan))


def test_leaves_out_what_cannot_matter() -> None:
    rng = np.random.default_rng(6)
    z = rng.standard_normal((60, 4))
    names = ["a", "b", "c", "d"]
    surface = fit_surface(z, -3.0 * z[:, 1] ** 2, names=names, used=["b"], iterations=20)
    base = float(surface(np.zeros(4), np.zeros(4)))
    assert float(surface(np.array([2.0, 0.0, -2.0, 1.0]), np.zeros(4))) == base
    assert float(surface(np.array([0.0, 1.5, 0.0, 0.0]), np.zeros(4))) < base - 3.0
    with pytest.raises(InputError, match="unknown"):
        fit_surface(z, z[:, 0], names=names, used=["e"])


def test_known_noise_is_held(fitted) -> None:
    rng = np.random.default_rng(7)
    z = rng.standard_normal((60, 2))
    loglik = -3.0 * (z**2).sum(1) + NOISE * rng.standard_normal(60)
    surface = fit_surface(z, loglik, noise=NOISE, iterations=20)
    assert np.exp(0.5 * surface.ln[-1]) * surface.unit == pytest.approx(NOISE)
    assert surface.errors[0].own <= surface.errors[0].rms
