"""`metachron update`: read a patient and what has happened since, show how belief moved, plan from today."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from metachron.commands import documents, files, inputs, terminal

if TYPE_CHECKING:
    from rich.table import Table

    from metachron.optimise.update.results import Update

DEFAULT_FOLDER = Path("updates")
MOST_TWINS = 20_000


@dataclass(frozen=True)
class UpdateOptions:
    """The options of `metachron update`, checked when made (InputError)."""

    patient: str
    findings: list[Path]
    strategies: list[str]
    twins: int
    draws: int
    seed: int
    horizon_years: float
    out: Path | None
    as_json: bool
    jobs: int
    prior: bool = False

    def __post_init__(self) -> None:
        from metachron.errors import InputError, Problem

        inputs.check_run(self.twins, self.draws, self.seed, self.horizon_years, self.jobs)
        if self.twins > MOST_TWINS:
            raise InputError(Problem("--twins", f"{self.twins} is out of range", f"100 to {MOST_TWINS:,}"))


def run_update(options: UpdateOptions) -> None:
    """Update one patient; results on stdout, progress on stderr, files in the folder."""
    from metachron.optimise.update.read import read_finding

    patient = inputs.read_patient_or_example(options.patient)
    findings = [read_finding(path) for path in options.findings]
    folder = documents.folder_for(
        options.out, DEFAULT_FOLDER / files.folder_name(patient.id), as_json=options.as_json
    )
    with terminal.progress_shown() as progress:
        progress("loading the model", 0.0)
        from metachron.optimise.update.make import make_update

        update = make_update(
            patient,
            findings,
            strategies=options.strategies or None,
            twins=options.twins,
            draws=options.draws,
            seed=options.seed,
            horizon_years=options.horizon_years,
            jobs=options.jobs,
            progress=progress,
            prior=options.prior,
        )
        if folder is not None:
            progress("writing the report", 1.0)
            write_update(update, folder)
    if options.as_json:
        documents.print_json(update)
    else:
        show(update, folder)


def write_update(update: Update, folder: Path) -> None:
    """`report.html`, `update.json` and `updated_patient.json`, all or none."""
    from metachron.report.update_report import write_update_report

    patient = json.dumps(update.updated_patient, indent=2, ensure_ascii=False) + "\n"
    files.write_all(
        {
            folder / "report.html": lambda path: write_update_report(update, path),
            folder / "update.json": documents.json_writer(update),
            folder / "updated_patient.json": files.text_writer(patient),
        }
    )


def show(update: Update, folder: Path | None) -> None:
    """The summary, what moved, the strategies from today, and where the files are."""
    from metachron.report.console import strategy_table

    console = terminal.output_console()
    for line in [f"{update.assessed_on} to {update.today}: {'; '.join(update.lived)}", *update.summary]:
        console.print(line, markup=False, soft_wrap=True)
    console.print(_beliefs(update))
    console.print(_months(update))
    console.print(strategy_table(update.plan))
    for note in update.notes:
        console.print(f"Note: {note}", markup=False, soft_wrap=True)
    console.print(update.disclaimer, markup=False, soft_wrap=True)
    if folder is not None:
        print(f"Report:  {folder / 'report.html'}")
        print(f"Data:    {folder / 'update.json'}")
        print(f"Patient: {folder / 'updated_patient.json'}")


def _beliefs(update: Update) -> Table:
    from rich.table import Table

    from metachron.optimise.update.words import spread_text

    table = Table("belief", "before", "now", "moved", "rests on")
    for b in update.beliefs:
        mean = b.unit == "lesions" or b.name == "any_unseen"
        values = [spread_text(s, b.unit, mean=mean) for s in (b.prior, b.updated)]
        table.add_row(b.words, *values, b.moved, b.basis)
    return table


def _months(update: Update) -> Table:
    """Months alive before and after, in the order of the plan's grades of evidence."""
    from rich.table import Table

    from metachron.optimise.numbers import signed
    from metachron.report.update_report import by_grade

    table = Table("strategy from today", f"months in {update.years:g} years, before", "now", "change")
    for s, title in by_grade(update):
        before, now = s.prior_months.value or 0.0, s.updated_months.value or 0.0
        table.add_row(title, f"{before:.1f}", f"{now:.1f}", signed(s.change_months))
    return table
