"""The options of commands about trials; what they do is imported when they run, for help at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from metachron.commands.inputs import cores


def validate(
    targets: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE_OR_DIR",
            help="Trial files (YAML) or folders of them, repeat for more; the registered trials when left"
            " out.",
        ),
    ] = None,
    ipd: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="CSV",
            help="Individual times: columns trial, figure, endpoint, arm, time_months, event (1 event, 0"
            " censored).",
        ),
    ] = None,
    draws: Annotated[int, typer.Option(metavar="K", help="Parameter draws, 2 to 2,000.")] = 200,
    per_draw: Annotated[
        int, typer.Option(metavar="N", help="Simulated patients of an arm for each draw, 10 to 2,000.")
    ] = 60,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for validation.html, .json, curves.csv, credibility.md."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print every figure as JSON only.")] = False,
    template: Annotated[bool, typer.Option("--template", help="Print a trial file to fill in.")] = False,
    individual: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            help="Predict single patients of the Moertel trial (`colon` of R's survival) beside Cox's model.",
        ),
    ] = None,
    cohort: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            help="Predict every patient of your own cohort of resected liver metastases, one row a patient;"
            " as `metachron cohort` with its defaults.",
        ),
    ] = None,
    column_map: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE", help="How the columns of the cohort are read (YAML)."),
    ] = None,
    leave_one_out: Annotated[
        bool, typer.Option("--leave-one-out", help="Predict each registered trial from a fit to the others.")
    ] = False,
    prior: Annotated[
        bool, typer.Option("--prior", help="Predict from the prior instead of the fitted parameters.")
    ] = False,
    seed: Annotated[int, typer.Option(metavar="S", help="Same seed, same numbers.")] = 1,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help="Threads; all cores when left out. Numbers do not change.")
    ] = None,
) -> None:
    """Set predictions beside published trials, or a trial of your own, and score them."""
    from metachron.commands import validate as command

    jobs = cores() if jobs is None else jobs
    if template:
        command.print_template()
        return
    if individual is not None:
        command.run_individual(individual, seed=seed, out=out, as_json=json)
        return
    if cohort is not None:
        command.run_cohort_table(cohort, column_map, seed=seed, out=out, as_json=json, jobs=jobs)
        return
    options = command.ValidateOptions(
        targets or [], ipd or [], draws, per_draw, out, json, leave_one_out, prior, seed, jobs
    )
    command.run_validate(options)


def calibrate(
    targets: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE_OR_DIR",
            help="Trial files (YAML) or folders of them, repeat for more; the registered trials when left"
            " out.",
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for every stage of the fit and its results.")
    ] = Path("calibration"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder with the tables of FFCD 2000-05; without it that trial is left out."
        ),
    ] = None,
    lives: Annotated[
        int, typer.Option(metavar="N", help="Lives of an arm in each wave, 500 to 2,000,000.")
    ] = 100_000,
    waves: Annotated[int, typer.Option(metavar="W", help="Waves of lives, 1 to 6.")] = 3,
    draws: Annotated[int, typer.Option(metavar="K", help="Draws of the ensemble, 20 to 2,000.")] = 240,
    leave_one_out: Annotated[
        bool, typer.Option("--leave-one-out", help="Then fit again without each trial in turn.")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Few lives, one wave, few samples: to see that it runs.")
    ] = False,
    seed: Annotated[int, typer.Option(metavar="S", help="Same seed, same numbers.")] = 1,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help="Threads; all cores when left out. Numbers do not change.")
    ] = None,
) -> None:
    """Fit the parameters to the registered trials (needs the extra `calibrate`); takes hours."""
    from metachron.commands import calibrate as command

    jobs = cores() if jobs is None else jobs
    command.run_calibrate(
        command.CalibrateOptions(
            targets or [], out, resume, data, lives, waves, draws, leave_one_out, quick, seed, jobs
        )
    )
