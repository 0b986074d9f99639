"""Sobol indices against the published ones of Ishigami's and Sobol's functions, with and without chance."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("SALib")
from metachron.optimise.understand.sobol import design, indices

# Ishigami function with a = 7, b = 0.1: analytical values (Ishigami & Homma 1990; Saltelli et al. 2008)
A, B = 7.0, 0.1
D1 = 0.5 * (1 + B * np.pi**4 / 5) ** 2
D2 = A**2 / 8
D13 = B**2 * np.pi**8 * (1 / 18 - 1 / 50)
ALL = D1 + D2 + D13
FIRST = np.array([D1, D2, 0.0]) / ALL
TOTAL = np.array([D1 + D13, D2, D13]) / ALL


def ishigami(u: np.ndarray) -> np.ndarray:
    x = np.pi * (2 * u - 1)
    return np.sin(x[:, 0]) + A * np.sin(x[:, 1]) ** 2 + B * x[:, 2] ** 4 * np.sin(x[:, 0])


def test_ishigami_matches_the_published_values() -> None:
    assert pytest.approx([0.3139, 0.4424, 0.0], abs=1e-4) == FIRST
    assert pytest.approx([0.5576, 0.4424, 0.2437], abs=1e-4) == TOTAL
    found = indices(ishigami(design(3, 1024, 1)), 3, 1)
    assert found.first == pytest.approx(FIRST, abs=0.03)
    assert found.total == pytest.approx(TOTAL, abs=0.03)
    assert (np.abs(found.first - FIRST) <= 2 * found.first_half).all()
    assert (np.abs(found.total - TOTAL) <= 2 * found.total_half).all()
    assert found.variance == pytest.approx(ALL, rel=0.03)
    assert found.noise_share == 0.0


def test_the_g_function_matches_its_closed_form() -> None:
    a = np.array([0.0, 1.0, 4.5, 9.0, 99.0])  # Saltelli & Sobol 1995
    partial = 1 / (3 * (1 + a) ** 2)
    whole = np.prod(1 + partial) - 1
    first = partial / whole
    total = partial * np.array([np.prod(np.delete(1 + partial, i)) for i in range(5)]) / whole
    u = design(5, 2048, 3)
    found = indices(np.prod((np.abs(4 * u - 2) + a) / (1 + a), axis=1), 5, 3)
    assert found.first == pytest.approx(first, abs=0.03)
    assert found.total == pytest.approx(total, abs=0.03)


@pytest.mark.parametrize("own", [False, True])
def test_chance_is_taken_out(own: bool) -> None:
    """Noise of a third of the signal's variance: raw indices are far off, corrected ones are not.

    `own`: twins differ in how strongly they answer the first parameter, which no amount of rows averages out.
    """
    u = design(3, 256, 2)
    m, times = 50, 12
    signal = ishigami(u)[:, None]
    raw, first, total, share = (np.zeros(k) for k in (3, 3, 3, 1))
    for k in range(times):
        rng = np.random.default_rng(k)
        noise = rng.standard_normal((u.shape[0], m)) * np.sqrt(m * ALL / 3)
        if own:
            noise += rng.standard_normal(m) * np.sqrt(12.0 * m * ALL / 8) * (u[:, :1] - 0.5)
        corrected = indices(signal + noise, 3, 2)
        raw += indices((signal + noise).mean(1), 3, 2).total / times
        first += corrected.first / times
        total += corrected.total / times
        share += corrected.noise_share / times
    clean = indices(signal[:, 0], 3, 2)
    assert raw[2] > clean.total[2] + 0.15
    assert total == pytest.approx(clean.total, abs=0.06)
    assert first == pytest.approx(clean.first, abs=0.06)
    assert share[0] == pytest.approx(
        (11 / 24 if own else 1 / 3) / (1 + (11 / 24 if own else 1 / 3)), abs=0.04
    )


def test_alone_no_parameter_explains_more_than_with_its_interactions() -> None:
    u = design(3, 32, 4)
    for seed in range(6):
        noise = np.random.default_rng(seed).standard_normal((u.shape[0], 20)) * 12.0
        found = indices(ishigami(u)[:, None] + noise, 3, 4)
        assert (found.first <= found.total).all()
        assert (found.total <= 1.0).all()


def test_nothing_but_chance_gives_no_indices() -> None:
    rng = np.random.default_rng(1)
    found = indices(rng.standard_normal((64 * 4, 30)), 2, 1)
    assert found.variance == 0.0
    assert found.noise_share == 1.0
    assert not found.total.any()
    assert indices(np.ones(64 * 4), 2, 1).noise_share == 0.0


def test_the_same_seed_gives_the_same_numbers() -> None:
    assert np.array_equal(design(3, 8, 5), design(3, 8, 5))
    y = ishigami(design(3, 32, 5))
    assert np.array_equal(indices(y, 3, 5).first_half, indices(y, 3, 5).first_half)
