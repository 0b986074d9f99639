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
from metachron.commands import terminal
from metachron.commands.inputs import cores
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


PatientArgument = Annotated[
    str, typer.Argument(metavar="PATIENT", help="Patient file (JSON or YAML), or a bundled example's name.")
]


@app.command()
def plan(
    patient: PatientArgument,
    strategy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Strategy to compare, by name or composed, e.g. 'mfolfox6*6 > hepatectomy'; repeat for"
            " more. All that fit the situation when left out.",
        ),
    ] = None,
    twins: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Virtual twins, 100 to 1,000,000; as many as the differences need when left out.",
        ),
    ] = None,
    mc_error: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Add twins until the Monte Carlo error of every difference is at most this share of the"
            " half-width of its interval, above 0 to 1; 0.2 when left out.",
        ),
    ] = None,
    draws: Annotated[int, typer.Option(metavar="K", help="Parameter draws, 2 to 2,000.")] = 40,
    seed: Annotated[int, typer.Option(metavar="S", help="Same seed, same numbers.")] = 1,
    horizon: Annotated[float, typer.Option(metavar="YEARS", help="Years ahead, 0.5 to 20.")] = 10.0,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder for report.html and plan.json; plans/PATIENT-ID when left out."
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print the plan as JSON only; files are written only with --out.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help="Threads; all cores when left out. Numbers do not change.")
    ] = None,
    device: Annotated[
        str, typer.Option(metavar="NAME", help="cpu, or cuda where there is a CUDA device.")
    ] = "cpu",
    prior: Annotated[
        bool, typer.Option("--prior", help="Parameters from the prior alone, not fitted to trials.")
    ] = False,
) -> None:
    """Compare and time the strategies for one patient; write a report that opens offline."""
    from metachron.commands.planning import PlanOptions, run_plan

    jobs = cores() if jobs is None else jobs
    options = PlanOptions(
        patient, strategy or [], twins, mc_error, draws, seed, horizon, out, json, jobs, device, prior
    )
    run_plan(options)


@app.command()
def optimise(
    patient: PatientArgument,
    strategy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEMPLATE",
            help="Strategy with free variables in braces, e.g. 'mfolfox6*{4..6} > [{28..56:14}d]"
            " hepatectomy'; repeat for more. The space of the situation when left out.",
        ),
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="rmst, rfs, qaly, toxicity_free, toxic_time, burden, hospital or visits; 'rmst,burden' for a"
            " front; '0.8*rmst+0.2*burden' for a sum; weighted for the patient's own weights. Those, or rmst,"
            " when left out.",
        ),
    ] = None,
    constraint: Annotated[
        list[str] | None,
        typer.Option(metavar="LIMIT", help="e.g. 'oxaliplatin<=850' or 'start_chemo<=56d'; repeat for more."),
    ] = None,
    budget: Annotated[
        str, typer.Option(metavar="TIME", help="Time to search: 150s, 3min or 0.5h; 150s when left out.")
    ] = "150s",
    matters: Annotated[
        float | None,
        typer.Option(
            metavar="D", help="Smallest difference of the objective that counts; 0.25 months or 1 day."
        ),
    ] = None,
    twins: Annotated[int, typer.Option(metavar="N", help="Fresh twins for the survivors.")] = 3000,
    draws: Annotated[int, typer.Option(metavar="K", help="Parameter draws, 2 to 2,000.")] = 40,
    seed: Annotated[int, typer.Option(metavar="S", help="Same seed, same numbers.")] = 1,
    horizon: Annotated[float, typer.Option(metavar="YEARS", help="Years ahead, 0.5 to 20.")] = 10.0,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for report.html, optimise.json and timetable.ics; plans/PATIENT-ID/optimise when"
            " left out.",
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON only; files are written only with --out.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help="Threads; all cores when left out. Numbers do not change.")
    ] = None,
    prior: Annotated[
        bool, typer.Option("--prior", help="Parameters from the prior alone, not fitted to trials.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the search that was stopped in the same folder.")
    ] = False,
) -> None:
    """Search order, intervals, cycles and days for one patient; say when timing does not matter."""
    from metachron.commands.optimise import OptimiseOptions, run_optimise

    jobs = cores() if jobs is None else jobs
    given = OptimiseOptions(
        patient, strategy or [], objective, constraint or [], budget, matters, twins, draws, seed, horizon,
        out, json, jobs, prior, resume,
    )  # fmt: skip
    run_optimise(given)


@app.command()
def update(
    patient: PatientArgument,
    finding: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE", help="What has happened since (JSON or YAML; `metachron schema finding`); repeat."
        ),
    ],
    strategy: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Strategy from today; repeat. All that fit when left out."),
    ] = None,
    twins: Annotated[int, typer.Option(metavar="N", help="Virtual twins, 100 to 20,000.")] = 2000,
    draws: Annotated[int, typer.Option(metavar="K", help="Parameter draws, 2 to 2,000.")] = 40,
    seed: Annotated[int, typer.Option(metavar="S", help="Same seed, same numbers.")] = 1,
    horizon: Annotated[float, typer.Option(metavar="YEARS", help="Years from today, 0.5 to 20.")] = 10.0,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for report.html and the documents (JSON); updates/PATIENT-ID when left out.",
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print the update as JSON only; files are written only with --out.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help="Threads; all cores when left out. Numbers do not change.")
    ] = None,
    prior: Annotated[
        bool, typer.Option("--prior", help="Parameters from the prior alone, not fitted to trials.")
    ] = False,
) -> None:
    """Condition the twins on what has happened since the assessment; plan from today."""
    from metachron.commands.update import UpdateOptions, run_update

    jobs = cores() if jobs is None else jobs
    run_update(
        UpdateOptions(patient, finding, strategy or [], twins, draws, seed, horizon, out, json, jobs, prior)
    )


@app.command()
def check(patient: PatientArgument) -> None:
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
    draws: Annotated[int, typer.Option(metavar="K", help="Parameter draws, 2 to 2,000.")] = 40,
    seed: Annotated[int, typer.Option(metavar="S", help="Same seed, same numbers.")] = 1,
    horizon: Annotated[float, typer.Option(metavar="YEARS", help="Years ahead, 0.5 to 20.")] = 10.0,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for cohort.json, cohort.md and cohort.svg.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON only.")] = False,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help="Threads; all cores when left out. Numbers do not change.")
    ] = None,
) -> None:
    """Plan every patient of a folder under one strategy and set the predictions beside what happened."""
    from metachron.commands.cohort import CohortOptions, run_cohort

    jobs = cores() if jobs is None else jobs
    run_cohort(
        CohortOptions(
            folder, outcomes, strategy, strategy_pretreated, twins, draws, seed, horizon, out, json, jobs
        )
    )


app.command()(validate)
app.command()(calibrate)
app.command()(understand)


@app.command()
def bench(
    json: Annotated[bool, typer.Option("--json", help="Print everything measured as JSON only.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer twins, and no compiling from nothing.")
    ] = False,
    jobs: Annotated[
        list[int] | None,
        typer.Option(metavar="N", help="Threads; repeat for several. One and all cores when left out."),
    ] = None,
    device: Annotated[
        str, typer.Option(metavar="NAME", help="cpu, or cuda where there is a CUDA device.")
    ] = "cpu",
) -> None:
    """Measure how many full life histories a second are simulated here, memory and compile time."""
    from metachron.commands.bench import BenchOptions, run_bench

    run_bench(BenchOptions(jobs or [], quick, json, device))


@app.command()
def sbml(
    patient: PatientArgument,
    strategy: Annotated[
        str, typer.Option(metavar="NAME", help="Strategy, by name or composed, e.g. 'mfolfox6*12'.")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write it ('-': print).")],
    twin: Annotated[int, typer.Option(metavar="I", help="Which of 2,000 virtual twins, from 0.")] = 0,
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
