"""`metachron validate`: predictions set beside published trials, or a trial of the user's own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files as package_files
from pathlib import Path
from typing import TYPE_CHECKING

from metachron.commands import files, inputs, terminal
from metachron.errors import InputError, Problem

if TYPE_CHECKING:
    from metachron.calibrate.observed import Observed
    from metachron.calibrate.targets import Target
    from metachron.calibrate.validation import Validation
    from metachron.report.validation_text import Table

MOST_LIVES = 2000
COHORT_TWINS, COHORT_DRAWS, COHORT_YEARS = 2000, 40, 10.0  # the defaults of `metachron cohort`


@dataclass(frozen=True)
class ValidateOptions:
    """The options of `metachron validate`, checked when made (InputError)."""

    targets: list[Path]
    ipd: list[Path]
    draws: int
    per_draw: int
    out: Path | None
    as_json: bool
    leave_one_out: bool
    prior: bool
    seed: int
    jobs: int

    def __post_init__(self) -> None:
        for option, value in (("--draws", self.draws), ("--seed", self.seed), ("--jobs", self.jobs)):
            inputs.check_range(option, value)
        if not 10 <= self.per_draw <= MOST_LIVES:
            allowed = f"10 to {MOST_LIVES:,}"
            raise InputError(Problem("--per-draw", f"{self.per_draw} is out of range", allowed))
        if self.leave_one_out and (self.prior or self.targets):
            other = "--prior" if self.prior else "--targets"
            message = f"cannot be combined with {other}"
            hint = "It predicts each registered trial from a fit to the others"
            raise InputError(Problem("--leave-one-out", message, "", hint))


def run_validate(options: ValidateOptions) -> None:
    """Tables on stdout (or JSON), progress on stderr; files in the folder of --out.

    Raises InputError for bad files or options, MetachronError when nothing could be scored.
    """
    if options.out is not None:
        files.check_folder(options.out, "--out")
    with terminal.progress_shown() as progress:
        progress("reading the trials", 0.0)
        found = validation(options, progress)
    if options.out is not None:
        write(found, options.out)
    if options.as_json:
        sys.stdout.write(found.model_dump_json(indent=2) + "\n")
    else:
        show(found)
    if options.out is not None:
        terminal.say(
            f"written: {options.out / 'validation.html'}, validation.json, curves.csv, credibility.md"
        )


def validation(options: ValidateOptions, progress: terminal.Progress) -> Validation:
    """Read the inputs, predict and score."""
    from metachron.calibrate.validate import Settings, validate

    targets, individuals, warnings = read_inputs(options.targets, options.ipd)
    settings = Settings(options.draws, options.per_draw, options.seed, options.jobs, options.prior)
    held_out = None
    if options.leave_one_out:
        from metachron.calibrate.held_out import held_out_draws

        held_out = held_out_draws(targets, options.draws, options.seed)
    return validate(targets, individuals, settings, progress=progress, warnings=warnings, held_out=held_out)


def read_inputs(
    paths: Sequence[Path], ipd: Sequence[Path]
) -> tuple[dict[str, Target], list[Observed], list[str]]:
    """Trials, curves of individual times, warnings. Trials of the user's own need curves from somewhere."""
    from metachron.calibrate.targets import load_targets
    from metachron.calibrate.trial_times import read_individuals

    targets = load_targets(list(paths) or None)
    if not ipd:
        if bare := [name for name, target in targets.items() if paths and not any(target.findings())]:
            message = f"{', '.join(bare)} holds no curve, landmark, median or response"
            hint = "Give the event times with --ipd FILE.csv"
            raise InputError(Problem("curves", message, "", hint), str(paths[0]))
        return targets, [], []
    found = read_individuals(ipd, targets)
    return targets, found.curves, found.warnings


def write(found: Validation, out: Path) -> None:
    """The report, the document, the points of the curves and the credibility file, all or none."""
    from metachron.report.credibility import credibility
    from metachron.report.validation import curves_csv, write_validation

    files.write_all(
        {
            out / "validation.html": lambda path: write_validation(found, path),
            out / "validation.json": files.text_writer(found.model_dump_json(indent=2) + "\n"),
            out / "curves.csv": files.text_writer(curves_csv(found)),
            out / "credibility.md": files.text_writer(credibility(found)),
        }
    )


def show(found: Validation) -> None:
    """Every table on stdout."""
    from metachron.report import validation_text as text

    console = terminal.output_console()
    print(f"Parameters: {found.parameters}; {found.draws} draws of {found.lives_per_draw} lives an arm.")
    print()
    for table in text.tables(found):
        console.print(rich_table(table))
        if table.note:
            console.print(table.note, markup=False)
        console.print()
    for line in text.shown_reasons(found):
        console.print(terminal.clean(f"only shown: {line}"), markup=False, soft_wrap=True)
    for line in [*(f"not scored: {why}" for why in found.not_scored), *found.warnings]:
        console.print(terminal.clean(line), markup=False, soft_wrap=True)


def rich_table(table: Table) -> object:
    """A table for the terminal."""
    from rich.table import Table as Rich
    from rich.text import Text

    made = Rich(title=table.title, title_justify="left", box=None, pad_edge=False)
    for place, head in enumerate(table.head):
        made.add_column(head, justify="left" if place < table.left else "right", no_wrap=place >= table.left)
    for row in table.rows:
        made.add_row(*(Text(cell) for cell in row))
    return made


def run_individual(csv: Path, *, seed: int, out: Path | None, as_json: bool) -> None:
    """Cross-validated prediction of single patients: text on stdout or JSON; both in the folder of --out."""
    import json

    inputs.check_range("--seed", seed)
    if out is not None:
        files.check_folder(out, "--out")
    with terminal.progress_shown() as progress:
        progress("reading the table", 0.0)
        from metachron.calibrate.individual import individual_report

        figures, text = individual_report(csv, seed=seed, progress=progress)
    document = json.dumps(figures, indent=2, allow_nan=False) + "\n"
    if out is not None:
        writers = {"individual.json": document, "individual.md": text}
        files.write_all({out / name: files.text_writer(content) for name, content in writers.items()})
    sys.stdout.write(document if as_json else text)


def run_cohort_table(
    csv: Path, column_map: Path | None, *, seed: int, out: Path | None, as_json: bool, jobs: int
) -> None:
    """A user's own cohort of resected metastases, with the defaults of `metachron cohort`."""
    from metachron.commands.cohort import CohortOptions, run_cohort

    run_cohort(
        CohortOptions(
            folder=csv,
            outcomes=None,
            strategy="hepatectomy",
            strategy_pretreated=None,
            twins=COHORT_TWINS,
            draws=COHORT_DRAWS,
            seed=seed,
            horizon_years=COHORT_YEARS,
            out=out,
            as_json=as_json,
            jobs=jobs,
            column_map=column_map,
        )
    )


def print_template() -> None:
    """A trial file to fill in, with comments."""
    text = (package_files("metachron.calibrate") / "template.yaml").read_text(encoding="utf-8")
    sys.stdout.write(text)
