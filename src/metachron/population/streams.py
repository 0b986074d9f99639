"""Named random generators of populations."""

from __future__ import annotations

import zlib

import numpy as np


class Streams:
    """Named generators: what drives one thing never disturbs another. Batches of twins have their own."""

    def __init__(self, seed: int, batch: int = 0) -> None:
        self.key = (batch,) if batch else ()
        self.seed = seed

    def __getitem__(self, name: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, zlib.crc32(name.encode()), *self.key])
