"""`metachron sbml`: the deterministic core of one twin under one strategy, as an SBML file."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from metachron.commands import files, inputs, terminal
from metachron.errors import InputError, Problem

if TYPE_CHECKING:
    from metachron.interop.core import Core
    from metachron.patient.schema import Patient

TWINS, DRAWS = 1000, 40
LONGEST_DAYS = 20 * 365.25


@dataclass(frozen=True)
class SbmlOptions:
    """The options of `metachron sbml`, checked when made (InputError)."""

    patient: str
    strategy: str
    out: Path
    twin: int
    days: float
    seed: int

    def __post_init__(self) -> None:
        inputs.check_range("--seed", self.seed)
        if not 0 <= self.twin < TWINS:
            raise InputError(Problem("--twin", f"{self.twin} is out of range", f"0 to {TWINS - 1:,}"))
        if not 1 <= self.days <= LONGEST_DAYS:
            raise InputError(Problem("--days", f"{self.days:g} is out of range", f"1 to {LONGEST_DAYS:,.0f}"))


def run_sbml(options: SbmlOptions) -> None:
    """Write the file, or print it when its name is `-`; what is left out is said on stderr.

    Raises InputError when the strategy is refused for the patient, or python-libsbml is missing.
    """
    from metachron.interop.sbml.write import load_libsbml, sbml_text

    load_libsbml()  # before the twins are matched
    patient = inputs.read_patient_or_example(options.patient)
    if str(options.out) != "-":
        files.check_folder(options.out.parent, "--out")
    with terminal.progress_shown() as progress:
        progress("matching twins", 0.0)
        core, name = core_of(patient, options)
        title = f"{patient.id}, {name}: deterministic core of twin {options.twin} (seed {options.seed})"
        text = sbml_text(core, title=title)
    for note in core.notes:
        terminal.say(f"note: left out: {note}")
    if str(options.out) == "-":
        sys.stdout.write(text)
        return
    files.write_all({options.out: files.text_writer(text)})
    print(f"Wrote {options.out}: {core.lesions} lesions, {len(core.given)} days of treatment.")


def core_of(patient: Patient, options: SbmlOptions) -> tuple[Core, str]:
    """(core, name of the strategy) of one of the twins of `metachron plan` with this seed."""
    from metachron.engine.compile import compile_strategy, start_line
    from metachron.interop.lay_out import lay_out
    from metachron.parameters import draw_parameters
    from metachron.plan.arms import judged, to_simulate
    from metachron.plan.findings import read_findings
    from metachron.plan.twins import make_twins
    from metachron.strategies.catalogue import load_catalogue
    from metachron.strategies.language import resolve

    catalogue = load_catalogue()
    (arm,) = to_simulate(judged(patient, [resolve(options.strategy, catalogue)], catalogue), asked=True)
    found = read_findings(patient, catalogue)
    draws = draw_parameters(DRAWS, options.seed)
    matched = make_twins(patient, found, draws, TWINS, options.seed, start_line(patient))
    programme = compile_strategy(
        patient,
        arm.strategy,
        catalogue,
        doses=arm.eligibility.dose_factors,
        metastatic=not found.nothing_visible,
    )
    twin, lesions = matched.twins[options.twin], matched.lesions[options.twin]
    draw = matched.draws[int(twin["draw"])]
    return lay_out(programme, twin, lesions, draw, options.days), arm.strategy.name
