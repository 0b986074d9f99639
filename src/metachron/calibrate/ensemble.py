"""The posterior as files: parameter sets in their own units, and where they come from."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metachron.calibrate.posterior import Posterior
from metachron.calibrate.space import NULL, natural

Floats = NDArray[np.float64]
FORMAT = "metachron-ensemble/1"
TAU = ("tau_growth", "tau_kill", "tau_death", "tau_load")
SHIPPED = Path(str(files("metachron.parameters"))) / "ensemble"


def thinned(posterior: Posterior, size: int) -> NDArray[np.int64]:
    """Rows of the flat samples, evenly spaced over the chains; all of them when there are fewer."""
    total = posterior.flat_z.shape[0]
    if size >= total:
        return np.arange(total)
    return np.unique(np.linspace(0, total - 1, size).round().astype(np.int64))


def table(posterior: Posterior, rows: NDArray[np.int64]) -> tuple[list[str], Floats]:
    """Names of the columns and values (rows, columns): parameters in their own units, then the spreads."""
    values = natural(posterior.names, posterior.flat_z[rows])
    real = [j for j, name in enumerate(posterior.names) if name not in NULL]
    names = [posterior.names[j] for j in real]
    return [*names, *TAU], np.column_stack([values[:, real], posterior.flat_tau[rows]])


def write_draws(path: Path, names: list[str], values: Floats) -> None:
    """Compressed CSV, the same bytes for the same numbers."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([float(f"{v:.8g}") for v in row] for row in values)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packed:
        packed.write(text.getvalue().encode())


def write_provenance(path: Path, content: Mapping[str, Any]) -> None:
    """JSON with `format` first."""
    text = json.dumps({"format": FORMAT, **content}, indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
