"""The options of commands about trials; what they do is imported when they run, for help at once.

An option whose help takes several lines is declared above its command.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from metachron.commands import options
from metachron.commands.inputs import threads

IndividualTimes = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="CSV",
        help="Individual times: columns trial, figure, endpoint, arm, time_months, event (1 event, 0"
        " censored).",
    ),
]
PerDraw = Annotated[
    int, typer.Option(metavar="N", help="Simulated patients of an arm for each draw, 10 to 2,000.")
]
ValidationFolder = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Folder for validation.html, .json, curves.csv, credibility.md."),
]
Individual = Annotated[
    Path | None,
    typer.Option(
        metavar="CSV",
        help="Predict single patients of the Moertel trial (`colon` of R's survival) beside Cox's model.",
    ),
]
CohortTable = Annotated[
    Path | None,
    typer.Option(
        metavar="CSV",
        help="Predict every patient of your own cohort of resected liver metastases, one row a patient;"
        " as `metachron cohort` with its defaults.",
    ),
]
CohortMap = Annotated[
    Path | None, typer.Option("--map", metavar="FILE", help="How the columns of the cohort are read (YAML).")
]
HeldOut = Annotated[
    bool, typer.Option("--leave-one-out", help="Predict each registered trial from a fit to the others.")
]
FromPrior = Annotated[
    bool, typer.Option("--prior", help="Predict from the prior instead of the fitted parameters.")
]


def validate(
    targets: options.TrialFiles = None,
    ipd: IndividualTimes = None,
    draws: options.Draws = 200,
    per_draw: PerDraw = 60,
    out: ValidationFolder = None,
    json: Annotated[bool, options.json_only("every figure")] = False,
    template: Annotated[bool, typer.Option("--template", help="Print a trial file to fill in.")] = False,
    individual: Individual = None,
    cohort: CohortTable = None,
    column_map: CohortMap = None,
    leave_one_out: HeldOut = False,
    prior: FromPrior = False,
    seed: options.Seed = 1,
    jobs: options.Jobs = None,
) -> None:
    """Set predictions beside published trials, or a trial of your own, and score them."""
    from metachron.commands import validate as command

    if template:
        command.print_template()
    elif individual is not None:
        command.run_individual(individual, seed=seed, out=out, as_json=json)
    elif cohort is not None:
        command.run_cohort_table(cohort, column_map, seed=seed, out=out, as_json=json, jobs=threads(jobs))
    else:
        given = command.ValidateOptions(
            targets or [], ipd or [], draws, per_draw, out, json, leave_one_out, prior, seed, threads(jobs)
        )
        command.run_validate(given)


FfcdTables = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Folder with the tables of FFCD 2000-05; without it that trial is left out."
    ),
]
Refits = Annotated[bool, typer.Option("--leave-one-out", help="Then fit again without each trial in turn.")]
Quick = Annotated[
    bool, typer.Option("--quick", help="Few lives, one wave, few samples: to see that it runs.")
]


def calibrate(
    targets: options.TrialFiles = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for every stage of the fit and its results.")
    ] = Path("calibration"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    data: FfcdTables = None,
    lives: Annotated[
        int, typer.Option(metavar="N", help="Lives of an arm in each wave, 500 to 2,000,000.")
    ] = 100_000,
    waves: Annotated[int, typer.Option(metavar="W", help="Waves of lives, 1 to 6.")] = 3,
    draws: Annotated[int, typer.Option(metavar="K", help="Draws of the ensemble, 20 to 2,000.")] = 240,
    leave_one_out: Refits = False,
    quick: Quick = False,
    seed: options.Seed = 1,
    jobs: options.Jobs = None,
) -> None:
    """Fit the parameters to the registered trials (needs the extra `calibrate`); takes hours."""
    from metachron.commands import calibrate as command

    given = command.CalibrateOptions(
        targets or [], out, resume, data, lives, waves, draws, leave_one_out, quick, seed, threads(jobs)
    )
    command.run_calibrate(given)
