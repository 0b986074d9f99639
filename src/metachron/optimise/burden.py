"""Days in hospital and visits of each twin: what treatment asks of a person's time.

Procedures count their days in hospital, severe complications the stay they cost; every day of a cycle on
which something is infused is one visit (drugs taken at home: one visit a cycle), and so is every scan until
progression or recurrence. Steps that did not take place cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metachron.engine.batch import Lives
from metachron.engine.records import PROCEDURE, Programme
from metachron.model.toxicity import KINDS
from metachron.optimise.utilities import load_utilities
from metachron.strategies.after import Following
from metachron.strategies.catalogue import Catalogue
from metachron.strategies.course import LYMPHODEPLETION
from metachron.strategies.schema import Step, Strategy

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scene:
    """One strategy for one patient: what its lives must be read with.

    `visible`: metastases are visible on day 0. `window_days`: outcomes are counted up to here.
    """

    strategy: Strategy
    programme: Programme
    catalogue: Catalogue
    following: Following
    visible: bool
    window_days: float


def visits_per_cycle(step: Step, catalogue: Catalogue) -> int:
    """Days of one cycle on which something is infused; one when everything is taken at home."""
    days: set[int] = set()
    length = catalogue.regimens[step.regimens[0]].cycle_days if step.regimens else None
    for name in step.regimens:
        for dose in catalogue.drugs_of(name, length):
            if "daily" not in dose.unit:
                days |= set(dose.days)
    if step.cells:
        days.add(step.infusion_day or catalogue.cells[step.cells].day_in_cycle if step.regimens else 1)
    return max(len(days), 1)


def _steps(scene: Scene) -> list[Step | None]:
    """The step of each segment of the programme; None for local treatment again."""
    planned: list[Step | None] = list(scene.strategy.steps[: scene.programme.n_planned])
    rest = scene.programme.segments.size - len(planned)
    later: list[Step | None] = [Step(regimens=names) for names in scene.following.lines]
    first = scene.strategy.steps[0] if scene.strategy.steps else None
    return [*planned, *later, None, first][: len(planned) + rest]


def _cycles(scene: Scene, lives: Lives, index: int) -> Floats:
    """Cycles begun in one segment within the window, (n,)."""
    segment = scene.programme.segments[index]
    start = lives.starts[:, index]
    took = np.isfinite(start) & (start < scene.window_days)
    end = np.where(np.isfinite(lives.ends[:, index]), lives.ends[:, index], scene.window_days)
    end = np.minimum.reduce([end, np.full(end.size, scene.window_days), lives.outcomes["death"]])
    days = np.where(took, np.maximum(end - np.where(took, start, 0.0), 1.0), 0.0)
    cycles = np.ceil(days / max(float(segment["cycle_days"]), 1.0))
    planned = int(segment["cycles"])
    return np.asarray(np.minimum(cycles, planned) if planned > 0 else cycles)


def hospital_days(lives: Lives, scene: Scene) -> Floats:
    """Days in hospital within the window, (n,)."""
    catalogue, data = scene.catalogue, load_utilities()
    total = np.zeros(lives.outcomes.size)
    for index, step in enumerate(_steps(scene)):
        begun = np.isfinite(lives.starts[:, index]) & (lives.starts[:, index] < scene.window_days)
        if scene.programme.segments[index]["kind"] == PROCEDURE:
            names = step.procedures if step is not None else [scene.following.procedure]
            total += begun * max(catalogue.procedures[n].hospital_days.value for n in names)
        elif step is not None and step.cells and _depletes(step, catalogue):
            total += begun * data.hospital_days[LYMPHODEPLETION].value
    for kind, stay in data.hospital_days.items():
        if kind in KINDS:
            total += (lives.grades[:, KINDS.index(kind)] >= 3) * stay.value
    return total


def _depletes(step: Step, catalogue: Catalogue) -> bool:
    assert step.cells is not None
    usual = catalogue.cells[step.cells].lymphodepletion
    return usual if step.lymphodepletion is None else step.lymphodepletion


def visits(lives: Lives, scene: Scene) -> Floats:
    """Visits for infusions, prescriptions and scans within the window, (n,)."""
    total = np.zeros(lives.outcomes.size)
    for index, step in enumerate(_steps(scene)):
        if step is None or scene.programme.segments[index]["kind"] == PROCEDURE:
            continue
        total += _cycles(scene, lives, index) * visits_per_cycle(step, scene.catalogue)
    until = np.minimum(lives.outcomes["pfs"], scene.window_days)
    return np.asarray(total + np.searchsorted(scan_days(scene), until, side="left"))


def scan_days(scene: Scene) -> Floats:
    """Days of the planned scans within the window, (m,)."""
    strategy = scene.strategy
    endless = any(step.cycles is None and step.regimens for step in strategy.steps)
    removed = any(step.procedures for step in strategy.steps)
    name = "on_treatment" if endless and not removed else strategy.surveillance
    schedule = scene.catalogue.surveillance[name]
    days, day = [], float(schedule.first_scan_day)
    while day <= scene.window_days:
        days.append(day)
        every = next((gap for until, gap in schedule.intervals if day < until), None)
        if every is None:
            break
        day += every
    return np.array(days)
