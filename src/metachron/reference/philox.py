"""The keyed coins once more, in plain integers: Philox4x32-10 of Salmon et al. (2011).

doi:10.1145/2063384.2063405. The address of a coin is (seed, twin, stream, index): the counter holds twin,
stream and index, the key holds the seed. 53 bits of the first two words make a uniform number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

_WORD = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10


class Stream(IntEnum):
    """What a coin decides; the numbers are part of every result and never change."""

    DEATH_BACKGROUND = 0
    DEATH_CANCER = 1
    EXTINCTION = 2
    RESECTION = 3
    ABLATION = 4
    MARGIN = 5
    IN_REMNANT = 6
    OPERATIVE_DEATH = 7
    OPERATIVE_COMPLICATION = 8
    TOXICITY = 9
    TOXICITY_GRADE4 = 10
    FEBRILE = 11
    FEBRILE_DEATH = 12
    NEXT_LINE = 13
    REPEAT_LOCAL = 14
    LIVER_FAILURE = 18
    STOP_EARLY = 20
    DORMANCY = 21
    SECONDARY = 22
    FITNESS = 23


def philox(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]:
    """Four 32-bit words for a counter of four words and a key of two."""
    a, b, c, d = counter
    first, second = key
    for _ in range(_ROUNDS):
        left, right = _MULTIPLIERS[0] * a, _MULTIPLIERS[1] * c
        a, b, c, d = (right >> 32) ^ b ^ first, right & _WORD, (left >> 32) ^ d ^ second, left & _WORD
        first, second = (first + _WEYL[0]) & _WORD, (second + _WEYL[1]) & _WORD
    return a, b, c, d


def _unit(high: int, low: int) -> float:
    """A number in (0, 1) from the upper 53 bits of two words; never 0 or 1."""
    return (((high << 32 | low) >> 11) + 0.5) / 2.0**53


@dataclass(frozen=True)
class Coins:
    """All coins of one twin under one seed."""

    seed: int
    twin: int

    def _words(self, stream: Stream, index: int) -> tuple[int, int, int, int]:
        counter = (self.twin & _WORD, self.twin >> 32, int(stream), index & _WORD)
        return philox(counter, (self.seed & _WORD, self.seed >> 32))

    def uniform(self, stream: Stream, index: int) -> float:
        """A uniform number in (0, 1)."""
        high, low, _, _ = self._words(stream, index)
        return _unit(high, low)

    def exponential(self, stream: Stream, index: int) -> float:
        """A unit exponential number."""
        return -math.log(self.uniform(stream, index))

    def normal(self, stream: Stream, index: int) -> float:
        """A standard normal number (Box-Muller on the two halves of one block)."""
        a, b, c, d = self._words(stream, index)
        return math.sqrt(-2.0 * math.log(_unit(a, b))) * math.cos(2.0 * math.pi * _unit(c, d))
