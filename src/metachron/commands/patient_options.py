"""The options of commands that plan for a patient; what they do is imported when they run, for help at once.

An option whose help takes several lines is declared above its command.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from metachron.commands import options
from metachron.commands.inputs import threads

Compared = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Strategy to compare, by name or composed, e.g. 'mfolfox6*6 > hepatectomy'; repeat for"
        " more. All that fit the situation when left out.",
    ),
]
AdaptiveTwins = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="Virtual twins, 100 to 1,000,000; as many as the differences need when left out."
    ),
]
MonteCarloError = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        help="Add twins until the Monte Carlo error of every difference is at most this share of the"
        " half-width of its interval, above 0 to 1; 0.2 when left out.",
    ),
]
PlanFolder = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Folder for report.html and plan.json; plans/PATIENT-ID when left out."),
]


def plan(
    patient: options.Patient,
    strategy: Compared = None,
    twins: AdaptiveTwins = None,
    mc_error: MonteCarloError = None,
    draws: options.Draws = 40,
    seed: options.Seed = 1,
    horizon: options.Horizon = 10.0,
    out: PlanFolder = None,
    json: Annotated[bool, options.json_only("the plan", written=True)] = False,
    jobs: options.Jobs = None,
    device: options.Device = "cpu",
    prior: options.Prior = False,
) -> None:
    """Compare and time the strategies for one patient; write a report that opens offline."""
    from metachron.commands.planning import PlanOptions, run_plan

    given = PlanOptions(
        patient,
        strategy or [],
        twins,
        mc_error,
        draws,
        seed,
        horizon,
        out,
        json,
        threads(jobs),
        device,
        prior,
    )
    run_plan(given)


Templates = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TEMPLATE",
        help="Strategy with free variables in braces, e.g. 'mfolfox6*{4..6} > [{28..56:14}d]"
        " hepatectomy'; repeat for more. The space of the situation when left out.",
    ),
]
Objective = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="rmst, rfs, qaly, toxicity_free, toxic_time, burden, hospital or visits; 'rmst,burden' for a"
        " front; '0.8*rmst+0.2*burden' for a sum; weighted for the patient's own weights. Those, or rmst,"
        " when left out.",
    ),
]
Constraint = Annotated[
    list[str] | None,
    typer.Option(metavar="LIMIT", help="e.g. 'oxaliplatin<=850' or 'start_chemo<=56d'; repeat for more."),
]
Budget = Annotated[
    str, typer.Option(metavar="TIME", help="Time to search: 150s, 3min or 0.5h; 150s when left out.")
]
Matters = Annotated[
    float | None,
    typer.Option(metavar="D", help="Smallest difference of the objective that counts; 0.25 months or 1 day."),
]
SearchFolder = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder for report.html, optimise.json and timetable.ics; plans/PATIENT-ID/optimise when"
        " left out.",
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on from the search that was stopped in the same folder.")
]


def optimise(
    patient: options.Patient,
    strategy: Templates = None,
    objective: Objective = None,
    constraint: Constraint = None,
    budget: Budget = "150s",
    matters: Matters = None,
    twins: Annotated[int, typer.Option(metavar="N", help="Fresh twins for the survivors.")] = 3000,
    draws: options.Draws = 40,
    seed: options.Seed = 1,
    horizon: options.Horizon = 10.0,
    out: SearchFolder = None,
    json: Annotated[bool, options.json_only("the result", written=True)] = False,
    jobs: options.Jobs = None,
    prior: options.Prior = False,
    resume: Resume = False,
) -> None:
    """Search order, intervals, cycles and days for one patient; say when timing does not matter."""
    from metachron.commands.optimise import OptimiseOptions, run_optimise

    given = OptimiseOptions(
        patient, strategy or [], objective, constraint or [], budget, matters, twins, draws, seed, horizon,
        out, json, threads(jobs), prior, resume,
    )  # fmt: skip
    run_optimise(given)


Findings = Annotated[
    list[Path],
    typer.Option(
        metavar="FILE", help="What has happened since (JSON or YAML; `metachron schema finding`); repeat."
    ),
]
FromToday = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Strategy from today; repeat. All that fit when left out."),
]
UpdateFolder = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder for report.html and the documents (JSON); updates/PATIENT-ID when left out.",
    ),
]


def update(
    patient: options.Patient,
    finding: Findings,
    strategy: FromToday = None,
    twins: Annotated[int, typer.Option(metavar="N", help="Virtual twins, 100 to 20,000.")] = 2000,
    draws: options.Draws = 40,
    seed: options.Seed = 1,
    horizon: Annotated[float, typer.Option(metavar="YEARS", help="Years from today, 0.5 to 20.")] = 10.0,
    out: UpdateFolder = None,
    json: Annotated[bool, options.json_only("the update", written=True)] = False,
    jobs: options.Jobs = None,
    prior: options.Prior = False,
) -> None:
    """Condition the twins on what has happened since the assessment; plan from today."""
    from metachron.commands.update import UpdateOptions, run_update

    given = UpdateOptions(
        patient, finding, strategy or [], twins, draws, seed, horizon, out, json, threads(jobs), prior
    )
    run_update(given)
