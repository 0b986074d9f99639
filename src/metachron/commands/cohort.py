"""`metachron cohort`: plan every patient of a folder and set the predictions beside what happened.

`metachron validate --cohort CSV` does the same with a table, read with a column map.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from metachron.commands import files, inputs, terminal
from metachron.commands.convert import OUTCOMES
from metachron.errors import InputError, MetachronError, Problem

if TYPE_CHECKING:
    from metachron.interop.compare import CohortComparison, PatientRow, Predicted
    from metachron.interop.outcomes import Outcome
    from metachron.patient.schema import Patient
    from metachron.plan.results import Plan

SUFFIXES = {".json", ".yaml", ".yml"}


@dataclass(frozen=True)
class CohortOptions:
    """The options of `metachron cohort`, checked when made (InputError).

    `folder`: of patient files, or a table of patients (CSV); `column_map`: how such a table is read.
    `strategy_pretreated`: strategy of patients given chemotherapy before the operation; None: as the others.
    """

    folder: Path
    outcomes: Path | None
    strategy: str
    strategy_pretreated: str | None
    twins: int
    draws: int
    seed: int
    horizon_years: float
    out: Path | None
    as_json: bool
    jobs: int
    column_map: Path | None = None

    def __post_init__(self) -> None:
        inputs.check_run(self.twins, self.draws, self.seed, self.horizon_years, self.jobs)


@dataclass
class Planned:
    """What came of planning: predictions with their outcomes, failures, and what each plan says of itself."""

    rows: list[PatientRow]
    pairs: list[tuple[Predicted, Outcome]]
    failures: dict[str, str]
    plan: Plan | None = None


def run_cohort(options: CohortOptions) -> None:
    """Tables on stdout (or JSON), progress on stderr; files in the folder of --out.

    Raises InputError for bad files or options, MetachronError when not every patient could be planned.
    """
    from metachron.interop.cohort_text import draw, markdown

    if options.out is not None:
        files.check_folder(options.out, "--out")
    patients, outcomes, notes = read_cohort(options)
    chosen, more = match(patients, outcomes, options)
    notes += more
    with terminal.progress_shown() as progress:
        planned = plan_all(chosen, outcomes, options, progress)
    if planned.plan is None:
        first = next(iter(planned.failures.items()))
        raise MetachronError(f"no patient could be planned; {first[0]}: {first[1]}")
    comparison = compare(planned, options, notes)
    if options.out is not None:
        writers = {
            options.out / "cohort.json": files.text_writer(comparison.model_dump_json(indent=2) + "\n"),
            options.out / "cohort.md": files.text_writer(markdown(comparison)),
            options.out / "cohort.svg": lambda path: draw(comparison, path),
        }
        files.write_all(writers)
    if options.as_json:
        sys.stdout.write(comparison.model_dump_json(indent=2) + "\n")
    else:
        show(comparison)
    if planned.failures:
        raise MetachronError(f"{len(planned.failures)} of {len(chosen)} patients could not be planned")


def read_cohort(options: CohortOptions) -> tuple[list[Patient], dict[str, Outcome], list[str]]:
    """Patients, what happened to them, and remarks; from a folder or from a table. Raises InputError."""
    from metachron.interop.outcomes import read_outcomes

    if not options.folder.is_file():
        patients = read_folder(options.folder)
        return patients, read_outcomes(options.outcomes or options.folder / OUTCOMES), []
    from metachron.interop.column_map import map_of_table, read_map
    from metachron.interop.crlm_table import convert_table

    chosen = read_map(options.column_map) if options.column_map else map_of_table(options.folder)
    found = convert_table(options.folder, chosen)
    outcomes = {o.id: o for o in found.outcomes if o.observed}
    if options.outcomes is not None:
        outcomes = read_outcomes(options.outcomes)
    if not outcomes:
        allowed = ", ".join(f"{o.time} and {o.event}" for o in chosen.outcomes.values())
        raise InputError(
            Problem("outcomes", "the table does not say what happened", allowed), str(options.folder)
        )
    return found.patients, outcomes, found.notes


def read_folder(folder: Path) -> list[Patient]:
    """Every patient file of a folder, in the order of names. Raises InputError with every fault."""
    from metachron.patient.load import read_patient
    from metachron.strategies.catalogue import load_catalogue

    if not folder.is_dir():
        raise InputError(Problem("DIR", f"{folder} is not a folder", "", "`metachron convert` makes one"))
    paths = sorted(p for p in folder.iterdir() if p.suffix in SUFFIXES and not p.name.startswith("."))
    if not paths:
        raise InputError(Problem("DIR", f"{folder} holds no patient file", "*.json, *.yaml"))
    patients: list[Patient] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            patients.append(read_patient(path, load_catalogue().names()))
        except InputError as error:
            problems += [Problem(f"{path.name}: {p.path}".rstrip(": "), p.message, p.allowed, p.suggestion)
                         for p in error.problems]  # fmt: skip
    twice = [name for name, count in Counter(p.id for p in patients).items() if count > 1]
    problems += [Problem("id", f"{name!r} is in two files", "each patient once") for name in twice]
    if problems:
        raise InputError(problems, source=str(folder))
    return patients


def match(
    patients: list[Patient], outcomes: dict[str, Outcome], options: CohortOptions
) -> tuple[list[tuple[Patient, str]], list[str]]:
    """Patients whose outcome is known, each with the name of the strategy to plan; and remarks.

    Raises InputError for a strategy that does not exist, and when nobody has an outcome.
    """
    from metachron.strategies.language import resolve

    usual = resolve(options.strategy).name
    pretreated = resolve(options.strategy_pretreated).name if options.strategy_pretreated else usual
    chosen = [
        (patient, pretreated if patient.chemotherapy_before_liver_surgery else usual)
        for patient in patients
        if patient.id in outcomes
    ]
    notes = []
    if silent := [p.id for p in patients if p.id not in outcomes]:
        notes.append(f"without an outcome, left out ({len(silent)}): {', '.join(silent[:5])}")
    if lost := sorted(set(outcomes) - {p.id for p in patients}):
        notes.append(f"outcomes without a patient file ({len(lost)}): {', '.join(lost[:5])}")
    if not chosen:
        hint = "The id in the patient files and in the outcomes must agree"
        raise InputError(Problem("--outcomes", "no patient of the folder has an outcome", "", hint))
    return chosen, notes


def plan_all(
    chosen: list[tuple[Patient, str]],
    outcomes: dict[str, Outcome],
    options: CohortOptions,
    progress: terminal.Progress,
) -> Planned:
    """Plan one patient after another, each with all threads; a patient who cannot be planned is noted."""
    from metachron.interop.compare import Predicted, operation_day, patient_row, result_of

    planned = Planned([], [], {})
    for place, (patient, strategy) in enumerate(chosen):
        stage = f"planning patient {place + 1} of {len(chosen)}"
        progress(stage, place / len(chosen))
        inner = partial(_inner, progress, stage, place, len(chosen))
        try:
            plan = plan_one(patient, strategy, options, inner)
            result = result_of(plan, strategy)
        except MetachronError as error:
            planned.failures[patient.id] = str(error)
            continue
        if result is None or result.outcomes is None:
            reasons = [r.text for r in result.reasons if r.verdict != "eligible"] if result else []
            why = f": {' '.join(reasons)}" if reasons else ""
            planned.failures[patient.id] = f"{strategy} was not simulated{why}"
            continue
        predicted = Predicted(result.outcomes, operation_day(result))
        planned.rows.append(patient_row(patient.id, result, predicted, outcomes[patient.id]))
        planned.pairs.append((predicted, outcomes[patient.id]))
        planned.plan = plan
    return planned


def _inner(progress: terminal.Progress, stage: str, place: int, count: int, _: str, share: float) -> None:
    progress(stage, (place + share) / count)


def plan_one(patient: Patient, strategy: str, options: CohortOptions, progress: terminal.Progress) -> Plan:
    """The plan of one patient under one strategy."""
    from metachron.plan.make import make_plan

    return make_plan(
        patient,
        strategies=[strategy],
        twins=options.twins,
        draws=options.draws,
        seed=options.seed,
        horizon_years=options.horizon_years,
        jobs=options.jobs,
        progress=progress,
    )


def compare(planned: Planned, options: CohortOptions, notes: list[str]) -> CohortComparison:
    """The comparison document."""
    from metachron.interop.compare import CohortComparison, summarise
    from metachron.interop.outcomes import ENDPOINTS

    assert planned.plan is not None
    summaries = [s for e in ENDPOINTS if (s := summarise(e, planned.pairs)) is not None]
    return CohortComparison(
        version=planned.plan.version,
        seed=options.seed,
        settings={"twins": options.twins, "draws": options.draws, "horizon_years": options.horizon_years},
        disclaimer=planned.plan.disclaimer,
        parameters_status=planned.plan.parameters_status,
        strategies=dict(Counter(row.strategy for row in planned.rows)),
        patients=planned.rows,
        summaries=summaries,
        not_planned=planned.failures,
        notes=notes,
    )


def show(comparison: CohortComparison) -> None:
    """Tables of patients, of one, three and five years, and of the scores."""
    from rich.table import Table

    from metachron.interop import cohort_text as text
    from metachron.interop.compare import TITLES
    from metachron.interop.outcomes import ENDPOINTS

    console = terminal.output_console()
    print(comparison.parameters_status)
    for endpoint in ENDPOINTS:
        title = f"{TITLES[endpoint].capitalize()}: predicted %; observed months, + no event"
        columns = ("patient", "strategy", "1 year", "3 years", "5 years", "observed")
        table = Table(*columns, title=title, title_justify="left", box=None)
        for row in comparison.patients:
            table.add_row(row.id, row.strategy, *patient_cells(row, endpoint))
        console.print(table)
        console.print()
    for title, head, rows in (
        (
            "All patients: mean prediction and Kaplan-Meier",
            text.LANDMARK_HEAD,
            text.landmark_rows(comparison),
        ),
        ("Events and ranks (90 % intervals)", text.SCORE_HEAD, text.score_rows(comparison)),
    ):
        table = Table(*head, title=title, title_justify="left", box=None)
        for cells in rows:
            table.add_row(*cells)
        console.print(table)
        console.print()
    for line in [*comparison.notes, *(f"not planned: {n}: {w}" for n, w in comparison.not_planned.items())]:
        console.print(terminal.clean(line), markup=False, soft_wrap=True)


def patient_cells(row: PatientRow, endpoint: str) -> list[str]:
    """Predicted survival at one, three and five years, and the observed time."""
    from metachron.interop.cohort_text import percent
    from metachron.interop.compare import LANDMARKS

    prediction = row.endpoints[endpoint]  # type: ignore[index]
    cells = [percent(prediction.survival.get(str(month))) for month in LANDMARKS]
    if prediction.observed_months is None:
        return [*cells, "not known"]
    return [*cells, f"{prediction.observed_months:g}" + ("" if prediction.observed_event else "+")]
