"""`metachron optimise`: read one patient, search order and timing, show and write the result."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from metachron.commands import documents, files, inputs, terminal
from metachron.commands.planning import DEFAULT_FOLDER
from metachron.errors import InputError, Problem

if TYPE_CHECKING:
    from metachron.optimise.make import Request
    from metachron.optimise.results import Optimisation
    from metachron.optimise.search import Say

CHECKPOINT = "search.checkpoint"
SHORTEST, LONGEST = 10.0, 86_400.0
_UNITS = {"": 1.0, "s": 1.0, "sec": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class OptimiseOptions:
    """The options of `metachron optimise`, checked when made (InputError)."""

    patient: str
    strategies: list[str]
    objective: str | None
    constraints: list[str]
    budget: str
    matters: float | None
    twins: int
    draws: int
    seed: int
    horizon_years: float
    out: Path | None
    as_json: bool
    jobs: int
    prior: bool = False
    resume: bool = False

    def __post_init__(self) -> None:
        inputs.check_run(self.twins, self.draws, self.seed, self.horizon_years, self.jobs)
        read_budget(self.budget)
        if self.matters is not None and not 0 <= self.matters <= 120:
            raise InputError(Problem("--matters", f"{self.matters} is out of range", "0 to 120"))
        if self.resume and self.as_json and self.out is None:
            message = "there is no folder to go on from"
            raise InputError(Problem("--resume", message, "", "Give the folder with --out."))


def read_budget(text: str) -> float:
    """Seconds of `150`, `150s`, `3min` or `0.5h`. Raises InputError."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", text.lower())
    if match is None or match[2] not in _UNITS:
        raise InputError(Problem("--budget", f"{text!r} is no time", "e.g. 150s, 3min or 0.5h"))
    seconds = float(match[1]) * _UNITS[match[2]]
    if not SHORTEST <= seconds <= LONGEST:
        raise InputError(Problem("--budget", f"{text} is out of range", "10 s to 24 h"))
    return seconds


def run_optimise(options: OptimiseOptions) -> None:
    """Search for one patient; results on stdout, progress on stderr, files in the folder."""
    patient = inputs.read_patient_or_example(options.patient)
    folder = documents.folder_for(
        options.out, DEFAULT_FOLDER / files.folder_name(patient.id) / "optimise", as_json=options.as_json
    )
    checkpoint = _checkpoint(folder, options.resume)
    with terminal.progress_shown() as progress:
        progress("loading the model", 0.0)
        from metachron.optimise.make import optimise

        try:
            document = optimise(patient, _request(options, checkpoint, progress))
        except KeyboardInterrupt:
            if checkpoint is not None and checkpoint.exists():
                terminal.say(f"what was worked out is in {checkpoint}; --resume goes on from there")
            raise
        if folder is not None:
            progress("writing the report", 1.0)
            write_optimisation(document, folder)
            if checkpoint is not None and document.search.complete:
                checkpoint.unlink(missing_ok=True)  # nothing is left to go on with
    if options.as_json:
        documents.print_json(document)
    else:
        show(document, folder)


def _request(options: OptimiseOptions, checkpoint: Path | None, say: Say) -> Request:
    from metachron.optimise.make import Request

    return Request(
        templates=options.strategies,
        objective=options.objective,
        constraints=options.constraints,
        budget=read_budget(options.budget),
        matters=options.matters,
        twins=options.twins,
        draws=options.draws,
        seed=options.seed,
        horizon_years=options.horizon_years,
        jobs=options.jobs,
        prior=options.prior,
        checkpoint=checkpoint,
        say=say,
    )


def _checkpoint(folder: Path | None, resume: bool) -> Path | None:
    """The checkpoint in the folder, emptied unless the search goes on from it."""
    if folder is None:
        return None
    path = folder / CHECKPOINT
    if resume and not path.exists():
        message = f"{path} does not exist, so there is nothing to go on from"
        raise InputError(Problem("--resume", message, "", "Leave it out to begin anew."))
    folder.mkdir(parents=True, exist_ok=True)
    if not resume:
        path.unlink(missing_ok=True)
    return path


def write_optimisation(document: Optimisation, folder: Path) -> None:
    """`optimise.json`, `report.html`, `timetable.ics` and `timetable.csv`, all or none."""
    from metachron.interop.calendar_file import write_csv, write_ics
    from metachron.report.optimise_report import write_optimise_report

    writers: dict[Path, files.Writer] = {
        folder / "optimise.json": documents.json_writer(document),
        folder / "report.html": lambda path: write_optimise_report(document, path),
    }
    shown = document.evaluation(document.best or document.reference)
    if shown.timetable:
        writers[folder / "timetable.ics"] = lambda path: write_ics(document, path)
        writers[folder / "timetable.csv"] = lambda path: write_csv(document, path)
    files.write_all(writers)


def show(document: Optimisation, folder: Path | None) -> None:
    """The result in sentences, the table of candidates, and where the files are."""
    from metachron.report.optimise_console import candidate_table, summary_lines

    console = terminal.output_console()
    for line in summary_lines(document):
        console.print(line, markup=False, soft_wrap=True)
    console.print(candidate_table(document))
    if folder is not None:
        print(f"Report:    {folder / 'report.html'}")
        print(f"Data:      {folder / 'optimise.json'}")
        if (folder / "timetable.ics").exists():
            print(f"Timetable: {folder / 'timetable.ics'}")
