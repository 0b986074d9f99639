"""Terms of individual data: FFCD 2000-05 as a surface through its simulated log-likelihood."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metachron.calibrate import checkpoint
from metachron.calibrate.design import Wave, rows_of
from metachron.calibrate.space import NULL, draws_from_z

Floats = NDArray[np.float64]
FEWEST_POINTS = 15
LEAST_WEIGHT = 0.1  # of a surface that is hardly known yet, so that it still says where to look next
NOISE_POINTS = 12  # best points, at which the noise of the simulated values is measured
WIDEST_EFFECTS = 0.25  # SD of trial effects of the points
TRUSTED_ERROR = 5.0  # log units: a surface known less well than this is tempered
POOL_ERROR = 5.0  # log units (assumed): what finite pools still get wrong in differences


class TemperedSurface:
    """A surface whose error, with that of the pools, is larger than TRUSTED_ERROR counts by the ratio of the
    two, and never less than LEAST_WEIGHT."""

    def __init__(self, surface: Any) -> None:
        self.surface = surface
        self.error = float(np.hypot(surface_error(surface.errors), POOL_ERROR))
        self.weight = float(np.clip(TRUSTED_ERROR / max(self.error, 1e-9), LEAST_WEIGHT, 1.0))

    @property
    def trial(self) -> str:
        return str(self.surface.trial)

    def __call__(self, z: Any, effects: Any) -> Any:
        return self.weight * self.surface(z, effects)


def surface_error(errors: Sequence[Any]) -> float:
    """Error of a surface near its best, in log units, without the noise of the points left out.

    From the narrowest range below the best point that has FEWEST_POINTS.
    """
    usable = [e for e in errors if e.points >= FEWEST_POINTS and np.isfinite(e.within)]
    return float(usable[0].own) if usable else float("inf")


class FfcdMaker:
    """Makes the FFCD term of a wave; the points of all waves so far are used together."""

    def __init__(
        self, data_dir: Path, *, points: int = 300, jobs: int | None = None,
        tell: Callable[[str, float], None] = lambda _stage, _share: None,
    ) -> None:  # fmt: skip
        self.data_dir, self.points, self.jobs, self.tell = data_dir, points, jobs, tell

    def __call__(self, folder: Path, wave: Wave, names: Sequence[str], seed: int) -> TemperedSurface:
        from metachron.calibrate.ffcd_surface import load_surface

        path = folder / "ffcd_surface.npz"
        if not path.exists():
            checkpoint.stage(folder / "ffcd.npz", lambda: self._points(folder, wave, names, seed))
            kept = [checkpoint.load(p / "ffcd.npz") for p in _waves(folder, wave.index)]
            self._fit(path, {k: np.concatenate([part[k] for part in kept]) for k in kept[0]}, names, seed)
        return TemperedSurface(load_surface(path))

    def _points(self, folder: Path, wave: Wave, names: Sequence[str], seed: int) -> dict[str, Floats]:
        """Simulated log-likelihoods at rows of the wave, each with virtual patients of its own."""
        from metachron.calibrate.ffcd import TRIAL, evaluate_in_parts, prepare

        z, effects = rows_of(wave, TRIAL, self.points, seed)
        effects = effects * np.minimum(1.0, WIDEST_EFFECTS / wave.effect_sd)
        value = evaluate_in_parts(
            folder / "ffcd_parts.npz", prepare(self.data_dir), draws_from_z(names, z), seed=seed,
            effects=effects, jobs=self.jobs,
            progress=lambda k: self.tell(f"FFCD 2000-05: parameter set {k} of {self.points}", -1.0),
        )  # fmt: skip
        usable = np.isfinite(value)  # far rows may leave a patient without any path
        return {"z": z[usable], "effects": effects[usable], "value": value[usable]}

    def _fit(self, path: Path, points: dict[str, Floats], names: Sequence[str], seed: int) -> None:
        """Fit the surface through all points and keep it."""
        from metachron.calibrate.ffcd import moved_by, noise_of, prepare
        from metachron.calibrate.ffcd_surface import fit_surface

        self.tell("FFCD 2000-05: surface", -1.0)
        data = prepare(self.data_dir)
        real = [name for name in names if name not in NULL]
        used = moved_by(data, real, seed=seed, jobs=self.jobs)
        best = np.argsort(-points["value"])[:NOISE_POINTS]
        noise = noise_of(
            data, draws_from_z(names, points["z"][best]), seed=seed, effects=points["effects"][best],
            jobs=self.jobs,
        )  # fmt: skip
        surface = fit_surface(
            points["z"], points["value"], effects=points["effects"], names=names, used=used, noise=noise
        )
        part = path.with_name(f".{path.name}")
        surface.save(part)
        part.replace(path)


def _waves(folder: Path, index: int) -> list[Path]:
    """Folders of the terms of waves 1 to index, where they have points."""
    found = [folder.parent / f"wave{i}" for i in range(1, index + 1)]
    return [path for path in found if (path / "ffcd.npz").exists()]
