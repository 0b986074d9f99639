"""The shipped ensemble: parameter sets fitted jointly to the registered trials, and where they come from.

`ensemble/draws.csv.gz` holds one row per draw: the fitted parameters at their natural values and the spread
tau of what trials do not explain of one another (SD on the natural-log scale). `ensemble/provenance.json`
names the trials, the code and the diagnostics. Without these files there is no ensemble, and every draw
comes from the prior.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from metachron.errors import InputError, Problem
from metachron.parameters.load import load_parameters

Floats = NDArray[np.float64]
ParameterBasis = Literal["calibrated", "prior-driven"]

FOLDER = Path(__file__).parent / "ensemble"
DRAWS, PROVENANCE, FORMAT = "draws.csv.gz", "provenance.json", "metachron-ensemble/1"
EFFECTS = ("growth", "kill", "death", "load")
# Share of the prior's spread that the data must take away before a parameter counts as pinned by them
LEAST_CONTRACTION = 0.20


@dataclass(frozen=True)
class Ensemble:
    """Fitted parameter sets and their provenance.

    `names` of the fitted parameters; `values` (draws, names) in their own units; `tau` (draws, 4) in the
    order of EFFECTS; `contraction` by name: 1 - posterior SD / prior SD of its standard-normal score;
    `trials` whose data were fitted; `id` from the digest of the values; `least` contraction of a calibrated
    parameter: inputs that mean nothing go through the fit too, and what it claims to learn of them is noise.
    """

    names: tuple[str, ...]
    values: Floats
    tau: Floats
    contraction: dict[str, float]
    trials: tuple[str, ...]
    id: str
    code_version: str
    seed: int
    least: float = LEAST_CONTRACTION

    @property
    def size(self) -> int:
        return int(self.values.shape[0])

    def basis(self, name: str) -> ParameterBasis:
        """Calibrated when the data took a fifth of the prior's spread away, and more than of noise."""
        pinned = self.contraction.get(name, 0.0) >= self.least
        return "calibrated" if pinned and name in self.names else "prior-driven"

    @property
    def calibrated(self) -> tuple[str, ...]:
        """Names of the parameters that the data pin."""
        return tuple(n for n in self.names if self.basis(n) == "calibrated")


def load_ensemble() -> Ensemble | None:
    """The shipped ensemble, read once; None when there is none. Raises InputError when it is broken."""
    return read_ensemble(FOLDER)


@cache
def read_ensemble(folder: Path) -> Ensemble | None:
    """The ensemble in a folder, None without `draws.csv.gz`. Raises InputError naming file and fault."""
    path = folder / DRAWS
    if not path.is_file():
        return None
    try:
        content = gzip.decompress(path.read_bytes())
        table = np.loadtxt(content.decode("utf-8").splitlines()[1:], delimiter=",", ndmin=2)
    except (OSError, ValueError, EOFError) as error:
        raise _broken(DRAWS, f"cannot be read: {error}") from None
    header = content.decode("utf-8").partition("\n")[0].strip().split(",")
    _check_draws(header, table)
    found = _read_provenance(folder / PROVENANCE)
    names = tuple(n for n in header if not n.startswith("tau_"))
    fitted = found["diagnostics"]["parameters"]
    nothing = found["diagnostics"].get("null", {})
    return Ensemble(
        names=names,
        values=_columns(table, header, names),
        tau=_columns(table, header, tuple(f"tau_{e}" for e in EFFECTS)),
        contraction={n: float(fitted[n]["contraction"]) for n in names if n in fitted},
        trials=tuple(str(t["trial"]) for t in found["targets"]),
        id=hashlib.sha256(content).hexdigest()[:12],
        code_version=str(found["code_version"]),
        seed=int(found["seed"]),
        least=max([LEAST_CONTRACTION, *(float(row["contraction"]) for row in nothing.values())]),
    )


def parameter_basis(name: str) -> ParameterBasis:
    """What a parameter rests on when plans draw from the shipped ensemble."""
    ensemble = load_ensemble()
    return "prior-driven" if ensemble is None else ensemble.basis(name)


def _columns(table: Floats, header: list[str], wanted: tuple[str, ...]) -> Floats:
    return np.ascontiguousarray(table[:, [header.index(n) for n in wanted]])


def _check_draws(header: list[str], table: Floats) -> None:
    wanted = {f"tau_{e}" for e in EFFECTS}
    unknown = sorted(set(header) - wanted - load_parameters().keys())
    missing = sorted(wanted - set(header))
    if len(set(header)) < len(header):
        raise _broken(DRAWS, "a column stands twice")
    if unknown:
        raise _broken(DRAWS, f"{', '.join(unknown)}: no such parameter")
    if missing:
        raise _broken(DRAWS, f"the columns {', '.join(missing)} are missing")
    if table.shape[0] < 2 or table.shape[1] != len(header):
        raise _broken(DRAWS, f"{table.shape[0]} rows of {table.shape[1]} values under {len(header)} names")
    for name, column in zip(header, table.T, strict=True):
        if not np.isfinite(column).all() or (name in wanted and column.min() < 0):
            raise _broken(DRAWS, f"{name} holds a value that is not finite or a negative spread")


def _read_provenance(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _broken(PROVENANCE, f"cannot be read: {error}") from None
    needed = ("format", "code_version", "seed", "targets", "diagnostics")
    if missing := [key for key in needed if key not in found]:
        raise _broken(PROVENANCE, f"lacks {', '.join(missing)}")
    if found["format"] != FORMAT:
        raise _broken(PROVENANCE, f"format is {found['format']!r}; allowed: {FORMAT}")
    if "parameters" not in found["diagnostics"]:
        raise _broken(PROVENANCE, "lacks diagnostics.parameters")
    return dict(found)


def _broken(name: str, message: str) -> InputError:
    return InputError(Problem(name, message), source="the shipped parameter ensemble")
