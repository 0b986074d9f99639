"""Terms of individual data: FFCD 2000-05 as a surface through its simulated log-likelihood."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metachron.calibrate import checkpoint
from metachron.calibrate.design import Wave, rows_of
from metachron.calibrate.space import draws_from_z

Floats = NDArray[np.float64]
FEWEST_POINTS = 15
TRUSTED_ERROR = 5.0  # log units: a surface known less well than this is tempered


class TemperedSurface:
    """A surface whose errors are larger than TRUSTED_ERROR counts by the ratio of the two."""

    def __init__(self, surface: Any, error: float) -> None:
        self.surface, self.error = surface, error
        self.weight = min(1.0, TRUSTED_ERROR / max(error, 1e-9))

    @property
    def trial(self) -> str:
        return str(self.surface.trial)

    def __call__(self, z: Any, effects: Any) -> Any:
        return self.weight * self.surface(z, effects)


class FfcdMaker:
    """Makes the FFCD term of a wave; the points of all waves so far are used together."""

    def __init__(
        self, data_dir: Path, *, points: int = 400, jobs: int | None = None,
        tell: Callable[[str, float], None] = lambda _stage, _share: None,
    ) -> None:  # fmt: skip
        self.data_dir, self.points, self.jobs, self.tell = data_dir, points, jobs, tell

    def __call__(self, folder: Path, wave: Wave, names: Sequence[str], seed: int) -> TemperedSurface:
        from metachron.calibrate.ffcd import TRIAL, evaluate_in_parts, prepare
        from metachron.calibrate.ffcd_surface import fit_surface

        data = prepare(self.data_dir)
        z, effects = rows_of(wave, TRIAL, self.points, seed)
        path = folder / "ffcd.npz"

        def make() -> dict[str, Floats]:
            value = evaluate_in_parts(
                folder / "ffcd_parts.npz", data, draws_from_z(names, z), seed=seed, effects=effects,
                jobs=self.jobs, progress=lambda k: self.tell(f"FFCD 2000-05: set {k} of {self.points}", -1.0),
            )  # fmt: skip
            return {"z": z, "effects": effects, "value": value}

        checkpoint.stage(path, make)
        parts = [checkpoint.load(p / "ffcd.npz") for p in _waves(folder, wave.index)]
        together = {k: np.concatenate([part[k] for part in parts]) for k in ("z", "effects", "value")}
        surface = fit_surface(together["z"], together["value"], effects=together["effects"], names=names)
        return TemperedSurface(surface, surface_error(surface.errors))


def surface_error(errors: Sequence[Any]) -> float:
    """Error of a surface near its best: of points left out, less the noise of the points themselves.

    From the narrowest range below the best point that has FEWEST_POINTS.
    """
    usable = [e for e in errors if e.points >= FEWEST_POINTS]
    if not usable:
        return float("inf")
    return float(np.sqrt(max(usable[0].rms ** 2 - usable[0].noise ** 2, 0.0)))


def _waves(folder: Path, index: int) -> list[Path]:
    """Folders of the terms of waves 1 to index, where they have points."""
    found = [folder.parent / f"wave{i}" for i in range(1, index + 1)]
    return [path for path in found if (path / "ffcd.npz").exists()]
