"""The fit from beginning to end: waves of lives, emulators and posteriors, each stage kept on disk.

wave 1: lives from the prior -> emulators -> posterior
wave 2: lives around that posterior -> emulators of all lives -> posterior -> ...
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metachron.calibrate import checkpoint
from metachron.calibrate.design import (
    Outcomes,
    Simulator,
    Wave,
    first_wave,
    inputs,
    lives_wanted,
    rows_of,
    simulate_layout,
    wave_around,
)
from metachron.calibrate.emulator import Emulator, Sample, Training, Weights, join, stack, train_arm
from metachron.calibrate.layout import RESPONSE, ArmLayout, Padded, lay_out, pad
from metachron.calibrate.likelihood import Data, collect
from metachron.calibrate.posterior import (
    Mode,
    Model,
    Posterior,
    Sampler,
    Sampling,
    Term,
    find_mode,
    metric_from,
)
from metachron.calibrate.space import NULL, free_parameters
from metachron.calibrate.targets import Target

Floats = NDArray[np.float64]
Tell = Callable[[str, float], None]
# A term of individual data for a wave: made from points in the space, kept in the folder
TermMaker = Callable[[Path, Wave, Sequence[str], int], Term]


@dataclass(frozen=True)
class Settings:
    """How much is computed. `lives` an arm and wave, `draws` of the ensemble.

    `emulator_sd`: error of emulated survival that the likelihood allows for, in the waves before the last and
    in the last. Measured: 0.025 after two waves of 15,000 lives, by the check against the simulator.
    """

    lives: int = 100_000
    waves: int = 2
    draws: int = 240
    seed: int = 1
    emulator_sd: tuple[float, float] = (0.04, 0.02)
    names: tuple[str, ...] = field(default_factory=lambda: (*free_parameters(), *NULL))
    training: Training = field(default_factory=Training)
    pilot: Sampling = field(default_factory=lambda: Sampling(warmup=200, samples=250))
    sampling: Sampling = field(default_factory=lambda: Sampling(warmup=200, samples=600))


@dataclass(frozen=True)
class Result:
    """The last wave: model, posterior, its metric; the lives of all waves are in the folder.

    `reach`: see `reach_of`.
    """

    targets: dict[str, Target]
    model: Model
    posterior: Posterior
    metric: Mode
    dropped: tuple[str, ...]
    run: Run
    reach: float


@dataclass
class Run:
    """A fit under way: what every stage needs."""

    targets: dict[str, Target]
    settings: Settings
    folder: Path
    simulator: Simulator
    tell: Tell
    padded: Padded
    makers: tuple[TermMaker, ...]

    def horizon(self, trial: str) -> float:
        """Days that the arms of a trial are followed: to its last grid point, the same for all of them."""
        heads = [h for arm in self.padded.arms if arm.trial == trial for h in arm.heads]
        return max((float(h.ends[-1]) for h in heads if h.endpoint != RESPONSE), default=365.0)


def fingerprint(
    targets: Mapping[str, Target], settings: Settings, extra: Sequence[str] = ()
) -> dict[str, Any]:
    """What a run depends on; a run is only continued when all of it is the same."""
    return {
        "targets": {name: checkpoint.digest(t.model_dump_json()) for name, t in targets.items()},
        "settings": {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(settings).items()},
        "code": checkpoint.code_digest(),
        "individual data": list(extra),
    }


def run_fit(
    targets: Mapping[str, Target], settings: Settings, folder: Path, simulator: Simulator, *,
    tell: Tell = lambda _stage, _share: None, makers: Sequence[TermMaker] = (), resume: bool = False,
    extra: Sequence[str] = (),
) -> Result:  # fmt: skip
    """Fit the targets. Killed and started again with `resume`, it goes on and ends with the same numbers.

    Main arguments: `targets` by trial, `settings`, `folder` for stages, `simulator`. Other: `tell` (stage,
    share done), `makers` of terms for individual data and `extra` that names those data. Raises InputError
    when the folder holds another run.
    """
    checkpoint.open_run(folder, fingerprint(targets, settings, extra), resume=resume)
    layouts = [layout for target in targets.values() for layout in lay_out(target)]
    run = Run(dict(targets), settings, folder, simulator, tell, pad(layouts), tuple(makers))
    wave = first_wave(len(settings.names))
    waves: list[Wave] = []
    for index in range(1, settings.waves + 1):
        waves.append(wave)
        samples = simulate_wave(run, waves)
        emulator = train_wave(run, waves, samples)
        model, dropped = make_model(run, wave, emulator, samples)
        posterior, metric = sample_wave(run, index, model)
        reach = reach_of(wave, posterior.flat_z)
        wave = wave_around(index + 1, posterior.flat_z, posterior.flat_tau)
    return Result(run.targets, model, posterior, metric, dropped, run, reach)


def reach_of(wave: Wave, z: Floats) -> float:
    """How far posterior samples z (n, p) lie from the centre of the wave's lives, over how far these lie.

    Median, in units of their spread. Well above 1 the emulator was asked where it had seen little: another
    wave is needed.
    """
    away = np.linalg.solve(wave.root, (z - wave.center).T)
    return float(np.median(np.linalg.norm(away, axis=0)) / np.sqrt(wave.center.size))


def _share(run: Run, wave: int, part: float) -> float:
    """Share of the whole run done when `part` (0 to 1) of this wave is."""
    return (wave - 1 + part) / run.settings.waves


def simulate_wave(run: Run, waves: Sequence[Wave]) -> dict[str, Sample]:
    """Lives of the last wave for every arm, and those of the earlier ones, by key of the arm."""
    wave, arms = waves[-1], run.padded.arms
    for i, layout in enumerate(arms):
        run.tell(f"wave {wave.index}: lives of {layout.key}", _share(run, wave.index, 0.5 * i / len(arms)))
        path = run.folder / "lives" / f"wave{wave.index}" / f"{layout.key}.npz"
        checkpoint.stage(path, lambda layout=layout: _lives(run, layout, wave))  # type: ignore[misc]
    return {layout.key: _sample(run, layout, waves) for layout in arms}


def _lives(run: Run, layout: ArmLayout, wave: Wave) -> dict[str, Any]:
    found = simulate_layout(
        run.targets[layout.trial], layout, wave, run.settings.names, run.settings.lives,
        run.settings.seed, run.simulator, run.horizon(layout.trial),
    )  # fmt: skip
    return {"row": found.row, "stop": found.stop, "event": found.event}


def _sample(run: Run, layout: ArmLayout, waves: Sequence[Wave]) -> Sample:
    """The lives of all waves of an arm with their inputs."""
    parts = []
    for wave in waves:
        kept = checkpoint.load(run.folder / "lives" / f"wave{wave.index}" / f"{layout.key}.npz")
        found = Outcomes(kept["row"], kept["stop"], kept["event"])
        n = lives_wanted(layout, run.settings.lives)
        x = inputs(*rows_of(wave, layout.trial, n, run.settings.seed))
        parts.append(Sample(x[found.row], found.stop, found.event))
    return join(parts, run.padded.heads)


def train_wave(run: Run, waves: Sequence[Wave], samples: Mapping[str, Sample]) -> Emulator:
    """Networks of all arms from the lives of all waves so far."""
    wave, arms = waves[-1].index, run.padded.arms
    fits: dict[str, Weights] = {}
    for i, layout in enumerate(arms):
        run.tell(f"wave {wave}: emulator of {layout.key}", _share(run, wave, 0.5 + 0.3 * i / len(arms)))
        path = run.folder / "emulators" / f"wave{wave}" / f"{layout.key}.npz"

        def make(i: int = i, layout: ArmLayout = layout) -> dict[str, Any]:
            head, step = run.padded.head[i], run.padded.step[i]
            fit = train_arm(samples[layout.key], head, step, run.settings.training, run.settings.seed)
            return {**fit.weights, "held_out": fit.held_out, "passes": fit.passes}

        kept = checkpoint.stage(path, make)
        fits[layout.key] = {k: v for k, v in kept.items() if k not in ("held_out", "passes")}
    return stack(fits, run.padded, run.settings.names)


def make_model(
    run: Run, wave: Wave, emulator: Emulator, samples: Mapping[str, Sample]
) -> tuple[Model, tuple[str, ...]]:
    """The model of a wave, and the figures left out because the simulator does not measure them."""
    last = wave.index == run.settings.waves
    data = collect(list(run.targets.values()), run.padded, run.settings.emulator_sd[last])
    unmeasured = [i for i in range(data.size) if _unmeasured(run.padded, data, i, samples)]
    kept = np.setdiff1d(np.arange(data.size), unmeasured)
    dropped = tuple(dict.fromkeys(data.sources[i] for i in unmeasured))
    terms = tuple(
        make(run.folder / "terms" / f"wave{wave.index}", wave, run.settings.names, run.settings.seed)
        for make in run.makers
    )
    return Model(emulator, data.take(kept), terms), dropped


def _unmeasured(padded: Padded, data: Data, i: int, samples: Mapping[str, Sample]) -> bool:
    """Whether a count is of responses that no life of the arm ever has: responses of later lines are not
    measured by the simulator."""
    layout = padded.arms[data.arm[i]]
    head = padded.head[data.arm[i], data.first[i]]
    if layout.heads[head].endpoint != RESPONSE:
        return False
    return not samples[layout.key].event[:, head].any()


def sample_wave(run: Run, index: int, model: Model) -> tuple[Posterior, Mode]:
    """Mode, pilot run for the metric, then the run that counts; before the last wave the pilot is enough."""
    folder, seed = run.folder / "posterior" / f"wave{index}", run.settings.seed

    def telling(what: str, begin: float, width: float) -> Callable[[float], None]:
        return lambda done: run.tell(f"wave {index}: {what}", _share(run, index, begin + width * done))

    last = index == run.settings.waves
    width = 0.06 if last else 0.2
    telling("posterior mode", 0.8, 0.0)(0.0)
    mode = Mode(**_mode_arrays(checkpoint.stage(folder / "mode.npz", lambda: vars(find_mode(model)))))
    pilot = _posterior(
        model,
        checkpoint.stage(
            folder / "pilot.npz",
            lambda: _arrays(
                Sampler(model, mode, run.settings.pilot).run(seed, tell=telling("pilot", 0.8, width))
            ),
        ),
    )
    metric = metric_from(pilot, mode)
    if not last:
        return pilot, metric
    kept = checkpoint.stage(
        folder / "samples.npz",
        lambda: _arrays(
            Sampler(model, metric, run.settings.sampling).run(seed + 1, tell=telling("posterior", 0.86, 0.14))
        ),
    )
    return _posterior(model, kept), metric


def _mode_arrays(arrays: Mapping[str, Any]) -> dict[str, Any]:
    return {**arrays, "potential": float(arrays["potential"])}


def _arrays(posterior: Posterior) -> dict[str, Any]:
    return {k: v for k, v in vars(posterior).items() if k not in ("names", "trials")}


def _posterior(model: Model, arrays: Mapping[str, Any]) -> Posterior:
    return Posterior(model.emulator.names, model.trials, **arrays)
