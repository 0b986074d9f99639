"""The `metachron` command: options, help and errors. What commands do is in `metachron.commands`.

Whatever is slow to import (numpy, numba, pydantic, matplotlib) is imported inside the commands, so
that help comes at once. Exit codes: 0 done, 1 failed, 2 wrong input or option, 3 no compatible
twins, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from metachron import DISCLAIMER, __version__
from metachron.commands import options, terminal
from metachron.commands.inputs import threads
from metachron.commands.patient_options import optimise, plan, update
from metachron.commands.trial_options import calibrate, validate
from metachron.commands.understand import understand
from metachron.errors import InputError, MetachronError

MOST_PROBLEMS_SHOWN = 20
INTERRUPTED = 130

app = typer.Typer(
    name="metachron",
    help="What to do, when, in which order, and how sure are we? Plans for metastasis after colorectal "
    f"cancer surgery, by simulation of virtual twins.\n\n{DISCLAIMER}",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def show_version(wanted: bool) -> None:
    if wanted:
        print(f"metachron {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=show_version, is_eager=True)
    ] = False,
) -> None:
    """Options before any command; the version callback has done its work when this runs."""
    del version


app.command()(plan)
app.command()(optimise)
app.command()(update)


@app.command()
def check(patient: options.Patient) -> None:
    """Validate a patient file; nothing is simulated."""
    from metachron.commands.planning import run_check

    run_check(patient)


@app.command()
def strategies(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="An entry of the catalogue.")] = None,
) -> None:
    """List the catalogue of treatments and strategies, or show one entry."""
    from metachron.commands.listing import list_catalogue, show_entry

    list_catalogue() if name is None else show_entry(name)


@app.command()
def example(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A bundled example.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write it ('-': print); NAME.json when left out."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")] = False,
) -> None:
    """Write an example patient to edit, or list the examples."""
    from metachron.commands.listing import list_examples, write_example

    list_examples() if name is None else write_example(name, out, force=force)


@app.command()
def schema(
    document: Annotated[
        str,
        typer.Argument(metavar="DOCUMENT", help="patient, plan, optimise, finding, update or understand."),
    ] = "patient",
) -> None:
    """Print the JSON Schema of a document: what is read, or what is printed with --json."""
    from metachron.commands.listing import print_schema

    print_schema(document)


@app.command()
def convert(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="CSV table, one row a patient.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="New folder for the patient files.")],
    column_map: Annotated[
        Path | None,
        typer.Option(
            "--map",
            metavar="FILE",
            help="Column map (YAML); that of the Colorectal-Liver-Metastases collection when left out.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write even if the folder is not empty.")] = False,
) -> None:
    """Turn a table of patients into patient files, with what happened to them kept apart."""
    from metachron.commands.convert import run_convert

    run_convert(table, out, column_map, force=force)


@app.command()
def cohort(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of patient files.")],
    outcomes: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What happened; DIR/outcomes.csv when left out.")
    ] = None,
    strategy: Annotated[
        str, typer.Option(metavar="NAME", help="Strategy every patient is planned under.")
    ] = "hepatectomy",
    strategy_pretreated: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Another one for patients given chemotherapy before the operation, e.g."
            " 'mfolfox6*6 > hepatectomy'.",
        ),
    ] = None,
    twins: Annotated[int, typer.Option(metavar="N", help="Virtual twins, 100 to 1,000,000.")] = 2000,
    draws: options.Draws = 40,
    seed: options.Seed = 1,
    horizon: options.Horizon = 10.0,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for cohort.json, cohort.md and cohort.svg.")
    ] = None,
    json: Annotated[bool, options.json_only("the comparison")] = False,
    jobs: options.Jobs = None,
) -> None:
    """Plan every patient of a folder under one strategy and set the predictions beside what happened."""
    from metachron.commands.cohort import CohortOptions, run_cohort

    given = CohortOptions(
        folder, outcomes, strategy, strategy_pretreated, twins, draws, seed, horizon, out, json, threads(jobs)
    )
    run_cohort(given)


app.command()(validate)
app.command()(calibrate)
app.command()(understand)


@app.command()
def bench(
    json: Annotated[bool, options.json_only("everything measured")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer twins, and no compiling from nothing.")
    ] = False,
    jobs: Annotated[
        list[int] | None,
        typer.Option(metavar="N", help="Threads; repeat for several. One and all cores when left out."),
    ] = None,
    device: options.Device = "cpu",
) -> None:
    """Measure how many full life histories a second are simulated here, memory and compile time."""
    from metachron.commands.bench import BenchOptions, run_bench

    run_bench(BenchOptions(jobs or [], quick, json, device))


@app.command()
def sbml(
    patient: options.Patient,
    strategy: Annotated[
        str, typer.Option(metavar="NAME", help="Strategy, by name or composed, e.g. 'mfolfox6*12'.")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write it ('-': print).")],
    twin: Annotated[int, typer.Option(metavar="I", help="Which of 1,000 virtual twins, from 0.")] = 0,
    days: Annotated[float, typer.Option(metavar="D", help="Days of treatment written, 1 to 7,305.")] = 365.0,
    seed: Annotated[int, typer.Option(metavar="S", help="Same seed, same twins.")] = 1,
) -> None:
    """Write the equations of one twin under one strategy as an SBML file (needs the extra `sbml`)."""
    from metachron.commands.sbml import SbmlOptions, run_sbml

    run_sbml(SbmlOptions(patient, strategy, out, twin, days, seed))


@app.command()
def timetable(
    document: Annotated[
        Path, typer.Argument(metavar="PLAN.json", help="A plan.json, optimise.json or update.json.")
    ],
    strategy: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="By name, expression or id; the best or the reference when left out.",
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Date of day 0, YYYY-MM-DD; the day of assessment when left out."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the files; that of PLAN.json when left out.")
    ] = None,
) -> None:
    """Write the timetable of a strategy as a calendar file (.ics) and a table (.csv), with windows."""
    from metachron.commands.timetable import TimetableOptions, run_timetable

    run_timetable(TimetableOptions(document, strategy, start, out))


def report_error(error: MetachronError) -> None:
    """Every problem of an input on its own line; other errors in one line."""
    if not isinstance(error, InputError) or len(error.problems) == 1:
        terminal.say(f"error: {error}")
        return
    source = f"{error.source}: " if error.source else ""
    terminal.say(f"error: {source}{len(error.problems)} problems")
    for problem in error.problems[:MOST_PROBLEMS_SHOWN]:
        terminal.say(f"  {problem}")
    hidden = len(error.problems) - MOST_PROBLEMS_SHOWN
    if hidden > 0:
        terminal.say(f"  and {hidden} more")


def report_usage(error: TyperException) -> None:
    """A wrong command or option: what is wrong, the nearest right one, and where the help is."""
    message = error.format_message().rstrip(".")
    near = getattr(error, "possibilities", None)
    if near:
        message = f"{error.message}. Did you mean {' or '.join(sorted(near))}?"
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "metachron"
    terminal.say(f"error: {message}" + ("" if message.endswith("?") else "."))
    terminal.say(f"`{command} --help` shows what can be given.")


def report_bug(error: Exception) -> None:
    """A fault of the program, in one line; the whole trace only when asked for."""
    if os.environ.get("METACHRON_DEBUG") == "1":
        import traceback

        traceback.print_exc()
    terminal.say(
        f"internal error: {type(error).__name__}: {error}. Please report it with the command you ran"
        " (METACHRON_DEBUG=1 shows the trace)."
    )


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code and lets no exception out."""
    terminal.make_streams_safe()
    try:
        given = sys.argv[1:] if arguments is None else list(arguments)
        code = app(args=given or ["--help"], prog_name="metachron", standalone_mode=False)
        sys.stdout.flush()
    except MetachronError as error:
        report_error(error)
        return error.exit_code
    except TyperException as error:
        report_usage(error)
        return 2
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except BrokenPipeError:
        terminal.silence_stdout()
        return 1
    except OSError as error:
        terminal.say(f"error: {error.filename or 'file'}: {error.strerror or error}")
        return 1
    except Exception as error:
        report_bug(error)
        return 1
    if code == INTERRUPTED:
        terminal.say("interrupted; nothing was written")
    return int(code or 0)


def main() -> None:
    """Entry point of the `metachron` command."""
    sys.exit(run())
