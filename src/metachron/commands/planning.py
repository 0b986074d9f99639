"""`metachron plan` and `metachron check`: read one patient, plan, show and write the result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from metachron.commands import documents, files, inputs, terminal

if TYPE_CHECKING:
    from metachron.plan.results import Plan

DEFAULT_FOLDER = Path("plans")
# other ways of saying what other fields say; nothing is lost when they are left out
ALTERNATIVES = {"title", "metastasis_summary", "clinical_risk_score"}


@dataclass(frozen=True)
class PlanOptions:
    """The options of `metachron plan`, checked when made (InputError)."""

    patient: str
    strategies: list[str]
    twins: int | None
    mc_error: float | None
    draws: int
    seed: int
    horizon_years: float
    out: Path | None
    as_json: bool
    jobs: int
    device: str = "cpu"
    prior: bool = False

    def __post_init__(self) -> None:
        from metachron.plan.precision import allowed_fraction

        inputs.check_device(self.device)
        inputs.check_run(self.twins, self.draws, self.seed, self.horizon_years, self.jobs)
        allowed_fraction(self.twins, self.mc_error, "--mc-error")


def run_plan(options: PlanOptions) -> None:
    """Plan for one patient; results on stdout, progress on stderr, files in the folder."""
    patient = inputs.read_patient_or_example(options.patient)
    folder = documents.folder_for(
        options.out, DEFAULT_FOLDER / files.folder_name(patient.id), as_json=options.as_json
    )

    with terminal.progress_shown() as progress:
        progress("loading the model", 0.0)
        from metachron.plan.make import make_plan

        plan = make_plan(
            patient,
            strategies=options.strategies or None,
            twins=options.twins,
            mc_error=options.mc_error,
            draws=options.draws,
            seed=options.seed,
            horizon_years=options.horizon_years,
            jobs=options.jobs,
            progress=progress,
            device=options.device,
            prior=options.prior,
        )
        if folder is not None:
            progress("writing the report", 1.0)
            write_plan(plan, folder)
    if options.as_json:
        documents.print_json(plan)
    else:
        show(plan, folder)


def write_plan(plan: Plan, folder: Path) -> None:
    """`report.html` and `plan.json`, both or neither."""
    from metachron.report.build import write_report

    files.write_all(
        {
            folder / "report.html": lambda path: write_report(plan, path),
            folder / "plan.json": documents.json_writer(plan),
        }
    )


def show(plan: Plan, folder: Path | None) -> None:
    """The summary, the table of strategies, and where the report is."""
    from metachron.report.console import strategy_table, summary_lines

    console = terminal.output_console()
    for line in summary_lines(plan):
        console.print(line, markup=False, soft_wrap=True)
    console.print(strategy_table(plan))
    if folder is not None:
        # the path is printed whole and unstyled, so that it can be copied or piped
        print(f"Report: {folder / 'report.html'}")
        print(f"Data:   {folder / 'plan.json'}")


def run_check(argument: str) -> None:
    """Validate a patient; say what is not known, since unknown is allowed."""
    patient = inputs.read_patient_or_example(argument)
    print(f"{patient.id}: valid" + (f" ({patient.title})" if patient.title else ""))
    unknown = [n for n in unknown_fields(patient.model_dump(mode="json")) if n not in ALTERNATIVES]
    if patient.primary.site is not None:
        unknown = [name for name in unknown if name != "primary.side"]  # follows from the site
    if unknown:
        print(f"Not known ({len(unknown)}; allowed, and different from negative):")
        for name in unknown:
            print(f"  {name}")


def unknown_fields(record: dict[str, object], prefix: str = "") -> list[str]:
    """Paths of the fields that hold nothing, groups of one patient record opened, lists left alone."""
    names: list[str] = []
    for key, value in record.items():
        if isinstance(value, dict):
            names += unknown_fields(value, f"{prefix}{key}.")
        elif value is None:
            names.append(prefix + key)
    return names
