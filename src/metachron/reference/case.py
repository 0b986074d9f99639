"""One person under one programme: everything that the logic of a life reads and writes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metachron.engine.records import Programme
from metachron.reference.philox import Coins, Stream
from metachron.reference.state import CLASSES, Body, Lesion, fresh_body

# Codes of the array layouts
PROCEDURE = 0
PLANNED, ON_PROGRESSION, ON_RECURRENCE = range(3)  # what starts a step
LOCAL_THEN_SYSTEMIC, SYSTEMIC_ONLY, NOTHING_MORE = range(3)  # what follows recurrence
GIVEN = 9  # kill classes, anti-VEGF, checkpoint, cells
ABSENT, SEEN, HIDDEN = 0, 1, 2
PROGRESSED, DIED = 1, 2
BACKGROUND, CANCER, OPERATION, TOXICITY = 1, 2, 3, 4
NOT_MEASURED, COMPLETE, PARTIAL, STABLE, PROGRESSION = range(5)
# Kinds of toxicity that come from the state; the others are known by their frequency
NEUTROPENIA, FEBRILE, NEUROPATHY, SURGICAL, LIVER_FAILURE, FIRST_REPORTED = range(6)


def plain(row: Any) -> SimpleNamespace:
    """A record as an object with plain Python values."""
    return SimpleNamespace(**{name: row[name].tolist() for name in row.dtype.names})


@dataclass
class Plan:
    """The programme as lists of plain objects."""

    segments: list[SimpleNamespace]
    admins: list[SimpleNamespace]
    rules: list[SimpleNamespace]
    source: Programme

    @classmethod
    def of(cls, programme: Programme) -> Plan:
        """Read the arrays once."""
        return cls(
            [plain(s) for s in programme.segments],
            [plain(a) for a in programme.admins],
            [plain(r) for r in programme.rules],
            programme,
        )

    def given_in(self, segment: SimpleNamespace) -> list[SimpleNamespace]:
        """The administrations of one cycle of a course, in order of day."""
        return self.admins[segment.admin_from : segment.admin_to]


@dataclass
class Course:
    """A systemic course under way."""

    index: int
    segment: SimpleNamespace
    cycle: int = -1
    cycle_start: float = 0.0
    next_cycle: float = 0.0
    delayed: float = 0.0
    paused: bool = False
    until_progression: bool = False
    cycle_from: int = 0  # first cycle since the last pause
    still_to_give: list[SimpleNamespace] = field(default_factory=list)


@dataclass
class Outcome:
    """What `engine.records.OUTCOME` holds, field by field."""

    cause: int = 0
    pfs_event: int = 0
    hepatic_event: int = 0
    local_failure: int = 0
    no_cells: int = 0
    response: int = 0
    cycles_given: int = 0
    lines: int = 0
    resected: int = 0
    death: float = math.inf
    pfs: float = math.inf
    hepatic: float = math.inf
    dose_given: float = 0.0


@dataclass
class Case:
    """A twin with lesions, body, treatment and record. `day` is now."""

    par: SimpleNamespace
    twin: SimpleNamespace
    plan: Plan
    coins: Coins
    lesions: list[Lesion]
    body: Body
    outcome: Outcome
    grades: NDArray[np.int64]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    progressions: NDArray[np.float64]
    day: float = 0.0
    # where the strategy stands
    next_planned: int = 0
    queued: int | None = None
    queue_day: float = math.inf
    course: Course | None = None
    line: int = 0
    progressed: int = 0  # times that metastatic disease has progressed
    lines_tried: int = 0
    free_of_disease: bool = False
    metastatic: bool = False
    first_episode_over: bool = False
    procedures: int = 0
    # what treatment has left behind
    dose: list[float] = field(default_factory=lambda: [1.0] * GIVEN)
    left_out: list[bool] = field(default_factory=lambda: [False] * GIVEN)
    oxaliplatin: float = 0.0
    kill_rate: list[float] = field(default_factory=lambda: [0.0] * CLASSES)  # of the last course
    last_given: list[float | None] = field(default_factory=lambda: [None] * CLASSES)
    first_logit: dict[tuple[int, int], float] = field(default_factory=dict)
    cell_decay: float = 0.1
    nadir: float = 0.0
    nerve_peak: float = 0.0
    nerve_graded: bool = False
    febrile: bool = False
    febrile_count: int = 0
    last_grades: dict[int, int] = field(default_factory=dict)
    toxicity_so_far: dict[int, float] = field(default_factory=dict)
    stop_coins: int = 0
    gcsf: bool = False
    times_met: list[int] = field(default_factory=list)
    used_up: list[bool] = field(default_factory=list)
    removed: tuple[float, float] = (0.0, 0.0)
    pulse_day: float = math.inf
    # scans
    next_scan: float = math.inf
    scan_origin: float = 0.0
    baseline: float = 0.0
    smallest: float = 0.0
    smallest_in_liver: float = 0.0
    new_lesion: bool = False
    best: int = NOT_MEASURED
    last_response: int = NOT_MEASURED
    # death that is already certain
    set_day: float = math.inf
    set_cause: int = 0

    def die_on(self, day: float, cause: int) -> None:
        """Set a day of death, unless an earlier one is set."""
        if day < self.set_day:
            self.set_day, self.set_cause = day, cause

    def worst(self, kind: int, grade: int) -> None:
        """Record a grade of toxicity if it is the worst so far."""
        self.grades[kind] = max(int(self.grades[kind]), grade)

    def after_operation(self, kind: int, grade: int, planned: bool) -> None:
        """Toxicity of an operation: the rules read it, and that of planned treatment is recorded."""
        self.last_grades[kind] = max(self.last_grades.get(kind, 0), grade)
        if planned:
            self.worst(kind, grade)

    def any_alive(self) -> bool:
        """Is any lesion alive?"""
        return any(s.alive for s in self.lesions)


def new_case(lesions_row: Any, twin: Any, draw: Any, programme: Programme, seed: int, kinds: int) -> Case:
    """Everything at day 0, before the first scan is planned."""
    person, par = plain(twin), plain(draw)
    coins = Coins(seed, person.key)
    lesions = []
    for i, row in enumerate(lesions_row[: person.n_lesions]):
        found = plain(row)
        wakes = 0.0
        if par.dormancy_days > 0.0 and found.status == HIDDEN:
            wakes = par.dormancy_days * coins.exponential(Stream.DORMANCY, i)
        last = -math.log(coins.uniform(Stream.EXTINCTION, i)) / (1.0 - par.death_over_birth)
        lesions.append(
            Lesion(
                organ=found.organ, near_vessel=bool(found.near_vessel), offset=found.offset,
                growth=found.growth, resistance=found.resistance, x=found.x,
                alive=found.status != ABSENT, visible=found.status == SEEN,
                ln_last=min(math.log(last), math.log(1.0e4)), wakes=wakes,
            )
        )  # fmt: skip
    n = len(programme.segments)
    case = Case(
        par, person, Plan.of(programme), coins, lesions, fresh_body(person, par), Outcome(),
        np.zeros(kinds, np.int64), np.full(n, np.nan), np.full(n, np.nan),
        np.full(n, np.nan),
    )  # fmt: skip
    case.line = person.start_line
    case.progressed = max(person.start_line - 1, 0)
    case.nadir = person.neutrophils
    case.oxaliplatin = float(programme.ox_before)
    case.times_met, case.used_up = [0] * len(programme.rules), [False] * len(programme.rules)
    case.metastatic = any(s.visible for s in lesions)
    case.free_of_disease = not case.metastatic
    return case
