"""The random streams: published answers, uniformity, independence, moments."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from metachron.engine import random as streams
from metachron.engine.random import exponential, normal, philox, uniform


@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
    ids=["zeros", "ones", "pi"],
)
def test_known_answers(counter: tuple[int, ...], key: tuple[int, ...], answer: tuple[int, ...]) -> None:
    """The known-answer vectors of Random123 for Philox4x32-10."""
    assert tuple(int(w) for w in philox(*map(np.uint64, counter + key))) == answer


def table(
    draw: object, *, twins: int = 50, indices: int = 400, seed: int = 7, stream: int = 3
) -> NDArray[np.float64]:
    """Numbers of shape (twins, indices)."""
    assert callable(draw)
    return np.array([[draw(seed, t, stream, i) for i in range(indices)] for t in range(twins)])


def test_uniform_is_uniform() -> None:
    """Chi-square over 100 cells of 20,000 numbers, and Kolmogorov-Smirnov."""
    u = table(uniform).ravel()
    counts = np.histogram(u, bins=100, range=(0.0, 1.0))[0]
    assert stats.chisquare(counts).pvalue > 0.001
    assert stats.kstest(u, "uniform").pvalue > 0.001
    assert 0.0 < u.min() < u.max() < 1.0


def test_pairs_fill_the_square() -> None:
    """Neighbouring twins and neighbouring indices: no pattern in two dimensions."""
    u = table(uniform)
    for a, b in ((u[:-1], u[1:]), (u[:, :-1], u[:, 1:])):
        counts = np.histogram2d(a.ravel(), b.ravel(), bins=10, range=[[0, 1], [0, 1]])[0]
        assert stats.chisquare(counts.ravel()).pvalue > 0.001


def test_addresses_are_independent() -> None:
    """Correlation across twins, streams, indices and seeds within four standard errors of nought."""
    base = table(uniform)
    others = (
        np.roll(base, 1, axis=0),
        np.roll(base, 1, axis=1),
        table(uniform, stream=4),
        table(uniform, seed=8),
    )
    for other in others:
        assert abs(np.corrcoef(base.ravel(), other.ravel())[0, 1]) < 4.0 / np.sqrt(base.size)


def test_exponential_and_normal_have_their_laws() -> None:
    e, z = table(exponential).ravel(), table(normal).ravel()
    assert stats.kstest(e, "expon").pvalue > 0.001
    assert stats.kstest(z, "norm").pvalue > 0.001
    assert np.mean(e) == pytest.approx(1.0, abs=4.0 / np.sqrt(e.size))
    assert np.mean(z) == pytest.approx(0.0, abs=4.0 / np.sqrt(z.size))
    assert np.var(z) == pytest.approx(1.0, abs=4.0 * np.sqrt(2.0 / z.size))


def test_normal_at_neighbouring_addresses_is_independent() -> None:
    z = table(normal)
    assert abs(np.corrcoef(z[:, :-1].ravel(), z[:, 1:].ravel())[0, 1]) < 4.0 / np.sqrt(z.size)


keys = st.integers(0, 2**31 - 1)


@given(seed=st.integers(0, 2**62), twin=st.integers(0, 2**62), stream=st.integers(0, 19), index=keys)
@settings(max_examples=200, deadline=None)
def test_an_address_always_gives_the_same_number(seed: int, twin: int, stream: int, index: int) -> None:
    for draw in (uniform, exponential, normal):
        value = draw(seed, twin, stream, index)
        assert value == draw(seed, twin, stream, index)
        assert np.isfinite(value)


def test_every_part_of_the_address_counts() -> None:
    """Also the high words of seed and twin, which a 32-bit slip would drop."""
    here = uniform(1, 2, 3, 4)
    others = [
        (0, 2, 3, 4),
        (1, 0, 3, 4),
        (1, 2, 0, 4),
        (1, 2, 3, 0),
        (1 + 2**32, 2, 3, 4),
        (1, 2 + 2**32, 3, 4),
    ]
    assert len({here, *(uniform(*key) for key in others)}) == 7


def test_streams_are_numbered_once() -> None:
    numbers = [
        value
        for name, value in vars(streams).items()
        if name.isupper() and not name.startswith("_") and isinstance(value, int)
    ]
    assert sorted(numbers) == list(range(len(numbers)))
