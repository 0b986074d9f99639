"""The checkpoint of a search: objectives of each candidate on each batch of twins, in one SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from metachron.errors import InputError, Problem

Floats = NDArray[np.float64]
_TABLE = (
    "CREATE TABLE IF NOT EXISTS objective (batch TEXT, candidate TEXT, name TEXT, twins BLOB,"
    " PRIMARY KEY (batch, candidate, name))"
)


@dataclass(frozen=True)
class Store:
    """Objectives of one batch of twins in a file. `batch`: digest of all that the numbers depend on."""

    path: Path
    batch: str

    def _open(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(self.path)
            connection.execute(_TABLE)
        except sqlite3.DatabaseError as error:
            hint = "Remove it, or leave --resume out"
            raise InputError(Problem(str(self.path), f"is no checkpoint ({error})", "", hint)) from None
        return connection

    def read(self, candidate: str, names: Sequence[str], size: int) -> dict[str, Floats]:
        """The stored objectives of a candidate that fit `size` twins."""
        connection = self._open()
        try:
            rows = connection.execute(
                "SELECT name, twins FROM objective WHERE batch = ? AND candidate = ?", (self.batch, candidate)
            ).fetchall()
        finally:
            connection.close()
        found = {name: np.frombuffer(blob, np.float64).copy() for name, blob in rows if name in names}
        return {name: values for name, values in found.items() if values.size == size}

    def write(self, candidate: str, values: Mapping[str, Floats]) -> None:
        """Add objectives of a candidate; each call is written whole or not at all."""
        rows = [(self.batch, candidate, n, v.astype(np.float64).tobytes()) for n, v in values.items()]
        connection = self._open()
        try:
            with connection:
                connection.executemany("INSERT OR REPLACE INTO objective VALUES (?, ?, ?, ?)", rows)
        finally:
            connection.close()
