"""`metachron calibrate`: fit the parameters to the registered trials."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metachron.commands import files, inputs, terminal
from metachron.errors import InputError, Problem

if TYPE_CHECKING:
    from metachron.calibrate.fit import Settings

NEEDED = ("jax", "numpyro", "optax")
RANGES = {"--lives": (500, 2_000_000), "--waves": (1, 6), "--draws": (20, 2000)}
REPORT_SECONDS = 30.0  # between two lines where there is no terminal
QUICK_LIVES = 3000


@dataclass(frozen=True)
class CalibrateOptions:
    """The options of `metachron calibrate`, checked when made (InputError)."""

    targets: list[Path]
    out: Path
    resume: bool
    data: Path | None
    lives: int
    waves: int
    draws: int
    leave_one_out: bool
    quick: bool
    seed: int
    jobs: int

    def __post_init__(self) -> None:
        for option, (low, high) in RANGES.items():
            value = getattr(self, option.removeprefix("--"))
            if not low <= value <= high:
                raise InputError(Problem(option, f"{value:,} is out of range", f"{low:,} to {high:,}"))
        inputs.check_range("--seed", self.seed)
        inputs.check_range("--jobs", self.jobs)
        files.check_folder(self.out, "--out")
        if self.data is not None and not self.data.is_dir():
            raise InputError(Problem("--data", f"{self.data} is not a folder"))


def run_calibrate(options: CalibrateOptions) -> None:
    """Fit, check the ensemble with the simulator, write files; where the ensemble is goes to stdout.

    Raises InputError when the extra is not installed, and for a folder that holds another run.
    """
    check_installed()
    with time_left_shown() as tell:
        tell("loading the model", 0.0)
        folder, table = calibrate(options, tell)
    sys.stdout.write(table)
    print(f"Ensemble: {folder}")


def check_installed() -> None:
    """Raise InputError when a library of the extra is missing."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        message = f"{', '.join(missing)} not installed"
        hint = "Install it with: pip install 'metachron[calibrate]'"
        raise InputError(Problem("calibrate", message, "", hint))


def settings_of(options: CalibrateOptions) -> Settings:
    """Settings of the fit; `--quick` lowers them."""
    from metachron.calibrate.fit import Settings

    settings = Settings(lives=options.lives, waves=options.waves, draws=options.draws, seed=options.seed)
    if not options.quick:
        return settings
    return replace(
        settings,
        lives=min(options.lives, QUICK_LIVES),
        waves=1,
        pilot=replace(settings.pilot, warmup=60, samples=50),
        sampling=replace(settings.sampling, warmup=50, samples=100),
    )


def calibrate(options: CalibrateOptions, tell: terminal.Progress) -> tuple[Path, str]:
    """The whole fit; returns the folder of the ensemble and the table of misfits."""
    from metachron.calibrate.crossval import leave_one_out, ship
    from metachron.calibrate.finish import compare, misfit_table, write_results
    from metachron.calibrate.fit import run_fit
    from metachron.calibrate.simulate import simulate_arm
    from metachron.calibrate.targets import load_targets
    from metachron.calibrate.terms import FfcdMaker

    def simulator(
        target: Any, arm: str, draws: Any, effects: Any, *, per_draw: int, seed: int, horizon_days: float
    ) -> Any:
        return simulate_arm(
            target, arm, draws, per_draw, seed=seed, jobs=options.jobs, effects=effects,
            horizon_days=horizon_days,
        )  # fmt: skip

    settings = settings_of(options)
    makers = [] if options.data is None else [FfcdMaker(options.data, jobs=options.jobs, tell=tell)]
    extra = [] if options.data is None else ["FFCD2000-05"]
    share = 0.55 if options.leave_one_out else 0.93
    result = run_fit(
        load_targets(options.targets or None), settings, options.out, simulator, makers=makers,
        resume=options.resume, extra=extra, tell=_part(tell, 0.0, share),
    )  # fmt: skip
    found = compare(result, result.run, tell=_part(tell, share, share + 0.07))
    folder = write_results(result, result.run, settings, found, extra)
    if options.leave_one_out:
        held = leave_one_out(
            result.model, result.posterior, result.metric, options.out / "leave_one_out", seed=options.seed,
            tell=_part(tell, share + 0.07, 1.0),
        )  # fmt: skip
        ship(held, folder / "held_out.npz")
    return folder, misfit_table(found)


def _part(tell: terminal.Progress, begin: float, end: float) -> terminal.Progress:
    """Progress of a part of the work; a negative share leaves the bar where it is."""
    return lambda stage, share: tell(stage, share if share < 0 else begin + (end - begin) * share)


@contextmanager
def time_left_shown() -> Iterator[terminal.Progress]:
    """A bar with the time left on stderr in a terminal; elsewhere a line now and then."""
    if not sys.stderr.isatty():
        yield lines_with_time_left()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True, speed_estimate_period=600) as bar:
        task = bar.add_task("starting", total=1.0)

        def show(stage: str, share: float) -> None:
            done = None if share < 0 else share
            bar.update(task, description=terminal.clean(stage), completed=done)

        yield show


def lines_with_time_left(clock: Callable[[], float] = time.monotonic) -> terminal.Progress:
    """Say the stage and about how long the rest takes, at most every half minute."""
    began, last, known = clock(), -REPORT_SECONDS, 0.0

    def show(stage: str, share: float) -> None:
        nonlocal last, known
        known = share if share >= 0 else known
        passed = clock() - began
        if passed - last < REPORT_SECONDS:
            return
        last = passed
        left = f", about {passed * (1 - known) / known / 60:.0f} min left" if known > 0.01 else ""
        terminal.say(f"[{100 * known:3.0f} %] {stage}{left}")

    return show
