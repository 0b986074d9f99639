"""The generator in plain integers: published vectors, and the same coins as the compiled one."""

from __future__ import annotations

import numpy as np
import pytest

from metachron.engine import random as keyed
from metachron.reference.philox import Coins, Stream, philox

# Known answers of Philox4x32-10 in the Random123 distribution (kat_vectors)
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    (
        (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
        (0xFFFFFFFF, 0xFFFFFFFF),
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_known_answers(
    counter: tuple[int, int, int, int], key: tuple[int, int], words: tuple[int, ...]
) -> None:
    assert philox(counter, key) == words


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_known_answers_of_the_compiled_generator(
    counter: tuple[int, ...], key: tuple[int, ...], words: tuple[int, ...]
) -> None:
    found = keyed.philox(*(np.uint64(c) for c in counter), *(np.uint64(k) for k in key))
    assert tuple(int(w) for w in found) == words


def test_streams_have_the_same_numbers() -> None:
    for stream in Stream:
        assert int(stream) == getattr(keyed, stream.name), stream.name


def test_same_coins_at_random_addresses() -> None:
    rng = np.random.default_rng(3)
    for _ in range(300):
        seed, twin = (int(v) for v in rng.integers(0, 2**63, 2))
        stream, index = Stream(rng.choice([int(s) for s in Stream])), int(rng.integers(0, 2**32))
        coins = Coins(seed, twin)
        assert coins.uniform(stream, index) == keyed.uniform(seed, twin, int(stream), index)
        assert coins.exponential(stream, index) == pytest.approx(
            keyed.exponential(seed, twin, int(stream), index), rel=1e-14
        )
        assert coins.normal(stream, index) == pytest.approx(
            keyed.normal(seed, twin, int(stream), index), rel=1e-12, abs=1e-14
        )
