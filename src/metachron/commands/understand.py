"""`metachron understand`: why one of two strategies comes out before the other, and what could change it.

What it does is imported when it runs, so that help comes at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metachron.commands import documents, files, inputs, options, terminal
from metachron.errors import InputError, Problem

if TYPE_CHECKING:
    from rich.console import Console

    from metachron.optimise.results import Measured
    from metachron.optimise.understand.make import Asked
    from metachron.optimise.understand.results import HeatMap, Information, Sensitivity, Understanding

LEAST_TWINS = 500  # of which means of groups still say something
MOST_ROWS = 8
NAMES = ("report.html", "understanding.json")


Pair = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="A strategy, by name or composed; give two: differences are first minus second.",
    ),
]
Parts = Annotated[
    str | None,
    typer.Option(
        metavar="PARTS",
        help="heatmap, sensitivity, counterfactual, information, separated by commas; all when left out.",
    ),
]
Objective = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="rmst, rfs, qaly, toxicity_free, toxic_time, burden, hospital, visits, weighted."
    ),
]
Folder = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Folder for report.html and understanding.json.")
]


def understand(
    patient: options.Patient,
    strategy: Pair = None,
    what: Parts = None,
    objective: Objective = None,
    twins: Annotated[int, typer.Option(metavar="N", help="Virtual twins, 500 to 1,000,000.")] = 4000,
    draws: options.Draws = 200,
    seed: options.Seed = 1,
    out: Folder = None,
    json: Annotated[bool, options.json_only("the document")] = False,
    jobs: options.Jobs = None,
    prior: options.Prior = False,
) -> None:
    """Say why one strategy comes out before another, what would change that, and what is worth knowing."""
    threads = inputs.threads(jobs)
    given = Options(patient, strategy or [], what, objective, twins, draws, seed, out, json, threads, prior)
    run_understand(given)


@dataclass(frozen=True)
class Options:
    """The options of `metachron understand`, checked when made (InputError)."""

    patient: str
    strategies: list[str]
    what: str | None
    objective: str | None
    twins: int
    draws: int
    seed: int
    out: Path | None
    as_json: bool
    jobs: int
    prior: bool = False

    def __post_init__(self) -> None:
        inputs.check_run(self.twins, self.draws, self.seed, 5.0, self.jobs)
        if self.twins < LEAST_TWINS:
            message = f"{self.twins} is too few for the value of information"
            raise InputError(Problem("--twins", message, f"{LEAST_TWINS:,} to 1,000,000"))

    def asked(self) -> Asked:
        """What to make. Raises InputError for a part that does not exist."""
        from metachron.optimise.understand.make import Asked, parse_parts

        parts = parse_parts(self.what)
        return Asked(parts, self.objective, self.twins, self.draws, self.seed, self.jobs, self.prior)


def run_understand(given: Options) -> None:
    """Results on stdout, progress on stderr, files in the folder."""
    patient = inputs.read_patient_or_example(given.patient)
    if given.out is not None:
        files.check_folder(given.out, "--out")
    asked = given.asked()
    with terminal.progress_shown() as progress:
        progress("loading the model", 0.0)
        from metachron.optimise.understand.make import make_understanding

        document = make_understanding(patient, given.strategies, asked, progress)
        if given.out is not None:
            progress("writing the report", 1.0)
            write(document, given.out)
    if given.as_json:
        documents.print_json(document)
    else:
        show(document, given.out)


def write(document: Understanding, folder: Path) -> None:
    """`report.html` and `understanding.json`, both or neither."""
    from metachron.report.understand_report import write_understand_report

    report, data = NAMES
    files.write_all(
        {
            folder / report: lambda path: write_understand_report(document, path),
            folder / data: documents.json_writer(document),
        }
    )


# --- on the console ---------------------------------------------------------------------------------------


def show(document: Understanding, folder: Path | None) -> None:
    """The result in words, a table for each part, and where the files are."""
    console = terminal.output_console()

    def line(text: str) -> None:
        console.print(terminal.clean(text), markup=False, soft_wrap=True)

    line(f"Situation: {document.situation}. A = {document.first.title}; B = {document.second.title}.")
    line(f"What it rests on: {document.contrast.basis}. Compared by {document.objective.words}.")
    line("")
    for sentence in document.words[: 1 + (not document.contrast.ranked)]:
        line(sentence)
    c, i, s, h = document.counterfactuals, document.information, document.sensitivity, document.heatmap
    for title, part in (
        ("What would have to be true", c),
        ("What is worth knowing", i),
        ("What it turns on", s),
        ("When to give the cells, and how long they live (prior-driven)", h),
    ):
        if part is None:
            continue
        line("")
        line(title)
        for sentence in part.words:
            line(f"  {sentence}")
        if part is s and s is not None:
            _tornado(console, s, document.objective.unit)
        elif part is i and i is not None:
            _worth(console, i)
        elif part is h and h is not None:
            _map(console, h)
    line("")
    for skipped in document.skipped:
        line(f"Not made: {skipped.part} ({skipped.why}).")
    line(f"{document.lives:,} lives simulated. {document.parameters_status}")
    line(document.disclaimer)
    if folder is not None:
        # the path is printed whole and unstyled, so that it can be copied or piped
        print(f"Report: {folder / NAMES[0]}")
        print(f"Data:   {folder / NAMES[1]}")


def _between(found: Measured) -> str:
    if found.value is None or found.lower is None or found.upper is None:
        return ""
    return f"{found.value:.2f} ({found.lower:.2f} to {found.upper:.2f})"


def _tornado(console: Console, found: Sensitivity, unit: str) -> None:
    from rich.table import Table

    from metachron.optimise.numbers import signed
    from metachron.optimise.understand.text import unit_of

    table = Table("parameter", "5 to 95 %", f"A minus B ({unit})", "Sobol total", "rests on")
    totals = {i.name: _between(i.total) for i in found.sobol.difference} if found.sobol else {}
    for bar in found.tornado[:MOST_ROWS]:
        table.add_row(
            bar.title,
            f"{bar.low_value:.3g} to {bar.high_value:.3g}{unit_of(bar.unit)}",
            f"{signed(bar.at_low.value, 2)} to {signed(bar.at_high.value, 2)}"
            + (" flips" if bar.flips else ""),
            totals.get(bar.name, ""),
            bar.basis,
        )
    console.print(table)


def _worth(console: Console, found: Information) -> None:
    from rich.table import Table

    table = Table("knowing", f"is worth ({found.unit})", "changes the choice", "rests on")
    for item in found.items[:MOST_ROWS]:
        worth = _between(item.value) if item.distinct else "no more than chance"
        table.add_row(item.title, worth, f"{100 * item.probability_changes:.0f} %", item.basis)
    console.print(table)


def _map(console: Console, found: HeatMap) -> None:
    from rich.table import Table

    from metachron.optimise.numbers import signed

    table = Table(f"half-life (d) / {found.axis}", *map(str, found.days))
    for half_life, row in zip(found.half_lives, found.cells, strict=True):
        table.add_row(
            f"{half_life:g}", *(f"{signed(c.mean, 2)}\n{signed(c.lower)}..{signed(c.upper)}" for c in row)
        )
    console.print(table)
