"""The course of an arm: earlier lines, the trial's treatment and what follows, compiled for the engine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np

from metachron.calibrate.targets import EVERYTHING, NEEDS_EARLIER, Arm, Target
from metachron.engine.compile import SCAN_LIMIT, compile_strategy
from metachron.engine.records import GIVE_CHECKPOINT, Programme
from metachron.errors import InputError, Problem
from metachron.model.growth import ln_cells
from metachron.parameters import load_parameters
from metachron.patient.schema import Markers, Patient
from metachron.population.spec import LOCAL
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.language import completed, resolve
from metachron.strategies.lines import next_lines
from metachron.strategies.schema import After, Intent, Starts, Step, Strategy

AFTER_LINE = ("second_line", "later_line")
# Stands for a course without drugs, so that its beginning is on record; its doses are taken out again
NO_DRUG = "lv5fu2"
OPERATION = "hepatectomy"
MANY_DAYS = 3650


# every so many days, or a schedule of the catalogue, or (until day, every); mm seen half the time
Schedule = tuple[int | None, str | None, tuple[tuple[int, int], ...], float | None]


@dataclass(frozen=True)
class Care:
    """What is the same for all arms of a trial, or said by it of one: hashable, so that courses are kept.

    `later`: lines after the arm, None for those of the catalogue without what could not be had (`missing`).
    `again`: the induction is given again at progression. `secondary`: responding metastases are taken out.
    """

    setting: str
    later: tuple[str, ...] | None
    on_recurrence: str | None
    schedule: Schedule
    missing: tuple[str, ...]
    again: bool = False
    secondary: bool = False


@dataclass(frozen=True)
class Course:
    """A compiled life of an arm.

    `origin`: the step whose beginning is day 0 of follow-up, -1 when that is day 0 of the simulation.
    `first`, `last`: the steps of the trial's own treatment (`last` below `first`: none).
    `induction_days`: days that the steps before must have lasted (maintenance), 0 otherwise.
    `history`: says the same of two courses whose lives do not differ before the trial.
    """

    programme: Programme
    origin: int
    first: int
    last: int
    induction_days: float
    history: str


@dataclass(frozen=True)
class Branch:
    """A share of the patients with its earlier lines; courses by RAS and BRAF state of the tumour."""

    share: float
    mutant: Course
    wild_type: Course

    @property
    def history(self) -> str:
        """What of it decides who gets into the trial."""
        return f"{self.share} {self.mutant.history} {self.wild_type.history}"


def branches(target: Target, arm: Arm) -> list[Branch]:
    """The courses of an arm, one branch for each entry of `earlier`. Raises InputError for an expression."""
    later, scans = target.later_of(arm.name), target.scans_or_default()
    care = Care(
        target.setting,
        None if later.lines is None else tuple(later.lines),
        later.on_recurrence,
        (scans.every_days, scans.surveillance, tuple(scans.intervals or ()), scans.seen_mm),
        tuple(target.not_available),
        later.induction_again,
        later.secondary_resection and target.setting not in ("adjuvant", "resected_metastases"),
    )
    entries = [(e.share, tuple(e.lines)) for e in target.earlier] or [(1.0, ())]
    return [
        Branch(share, *(course(care, earlier, arm.strategy, wild) for wild in (False, True)))
        for share, earlier in entries
    ]


@lru_cache(maxsize=1024)
def course(care: Care, earlier: tuple[str, ...], strategy: str, wild_type: bool) -> Course:
    """One compiled course, its later lines chosen for this RAS and BRAF state."""
    catalogue = load_catalogue()
    own = resolve(strategy, catalogue)
    before = _before(care.setting, earlier, any(step.procedures for step in own.steps))
    steps, empty = _joined(care.setting, before, own)
    used = [n for step, blank in zip(steps, empty, strict=True) if not blank for n in step.regimens]
    after = After.model_validate(
        {
            **own.after.model_dump(exclude_none=True),
            **_after(care, own, before, used, wild_type),
            "secondary_resection": care.secondary and not any(step.procedures for step in steps),
        }
    )
    whole = own.model_copy(update={"steps": steps, "intent": _intent(care.setting, own), "after": after})
    programme = compile_strategy(typical(wild_type), whole, catalogue, metastatic=care.setting != "adjuvant")
    for index in np.flatnonzero(empty):
        programme = without_drugs(programme, int(index))
    origin = _origin(care.setting, steps, len(before))
    return Course(
        _scanned(programme, care.setting, care.schedule),
        origin,
        len(before),
        len(steps) - 1,
        _induction_days(before) if care.setting == "maintenance" else 0.0,
        _history(care, earlier, whole, origin),
    )


def _after(
    care: Care, own: Strategy, before: list[Step], used: list[str], wild_type: bool
) -> dict[str, object]:
    """What follows the arm, as fields of `after`; `before`: earlier steps, `used`: regimens up to its end."""
    catalogue = load_catalogue()
    if care.later is not None:
        lines = [list(resolve(line, catalogue).steps[0].regimens) for line in care.later]
    else:
        if own.after.lines is not None:
            lines = own.after.lines
        else:
            lines = next_lines(typical(wild_type), used, catalogue)
        lines = could_be_had(lines, care.missing)
    if care.again:
        lines = [list(before[-1].regimens), *lines]
    found: dict[str, object] = {"lines": lines}
    return found if care.on_recurrence is None else {**found, "on_recurrence": care.on_recurrence}


def _history(care: Care, earlier: tuple[str, ...], whole: Strategy, origin: int) -> str:
    """Everything on which the life before the trial depends."""
    if origin < 0:
        return ""
    step = whole.steps[origin]
    running = {
        c for s in whole.steps[:origin] for name in s.regimens for c in load_catalogue().effects_of(name)
    }
    drugs = {c for name in step.regimens for c in load_catalogue().effects_of(name)}
    same = sorted(c.value for c in drugs) if drugs <= running else []
    own = (step.starts.value, step.gap_days, step.procedures, same, whole.rule_sets, whole.rules)
    return repr((care.setting, care.schedule, earlier, whole.after.secondary_resection, *own))


def could_be_had(lines: list[list[str]], missing: tuple[str, ...]) -> list[list[str]]:
    """Later lines without the drugs and regimens of `missing`; one without its chemotherapy falls out."""
    if EVERYTHING in missing:
        return []
    regimens = load_catalogue().regimens

    def lost(name: str) -> bool:
        return name in missing or any(dose.drug in missing for dose in regimens[name].drugs)

    def chemotherapy(names: list[str]) -> list[str]:
        return [name for name in names if regimens[name].kind == "cytotoxic"]

    found = []
    for line in lines:
        left = [name for name in line if not lost(name)]
        if left and chemotherapy(left) == chemotherapy(line):
            found.append(left)
    return found


def _origin(setting: str, steps: list[Step], before: int) -> int:
    """The step at which follow-up begins: the operation if patients enter after it, else the trial's own."""
    if setting == "resected_metastases":
        return next(i for i, step in enumerate(steps) if step.procedures)
    return before if before else -1


def typical(wild_type: bool) -> Patient:
    """A patient of trials for whom later lines are chosen: ECOG 0-1, markers known as trials know them."""
    markers = Markers(ras="wild type", braf="wild type") if wild_type else Markers(ras="mutant")
    return Patient(id="trial", assessed_on=date(2000, 1, 1), age_years=62, ecog=1, markers=markers)


def _intent(setting: str, own: Strategy) -> Intent:
    """Observation keeps its intent only where nothing is there to treat, so that later lines are added."""
    if own.intent is Intent.OBSERVATION and setting != "adjuvant":
        return Intent.DISEASE_CONTROL
    return own.intent


def _before(setting: str, earlier: tuple[str, ...], operates: bool) -> list[Step]:
    """The steps before the trial: each line after the first waits for progression where lines do."""
    steps: list[Step] = []
    for line in earlier:
        found = list(resolve(line, load_catalogue()).steps)
        if steps and setting in NEEDS_EARLIER and found:
            found[0] = found[0].model_copy(update={"starts": Starts.PROGRESSION})
        steps += found
    if setting == "resected_metastases" and not operates and not any(s.procedures for s in steps):
        steps.append(Step(procedures=[OPERATION]))
    return steps


def _joined(setting: str, before: list[Step], own: Strategy) -> tuple[list[Step], list[bool]]:
    """All steps, and which of them stand for a course without drugs."""
    mine = list(own.steps)
    blank = not mine and bool(before) and setting != "resected_metastases"
    if blank:
        mine = [Step(regimens=[NO_DRUG])]
    if before and mine and setting in AFTER_LINE:
        mine[0] = mine[0].model_copy(update={"starts": Starts.PROGRESSION})
    steps = completed([*before, *mine], load_catalogue())
    if setting == "maintenance" and before and steps[len(before)].starts is not Starts.PLANNED:
        message = "the induction has no end, so that nobody reaches the trial"
        raise InputError(Problem("earlier.lines", message, "cycles, e.g. mfolfox6*8 + bevacizumab"))
    return steps, [False] * len(before) + [blank] * len(mine)


def _induction_days(before: list[Step]) -> float:
    catalogue = load_catalogue()
    return float(
        sum(catalogue.regimens[s.regimens[0]].cycle_days * (s.cycles or 0) for s in before if s.regimens)
    )


def without_drugs(programme: Programme, index: int) -> Programme:
    """The programme with nothing given in one course: no effect, no toxicity, and no end but progression.

    One administration of nothing stays: of the kind that no other course gives, so that the course is not
    taken for more of the same.
    """
    segments, admins = programme.segments.copy(), programme.admins.copy()
    toxicity = programme.toxicity.copy()
    segment = segments[index]
    first = int(segment["admin_from"])
    admins[first : int(segment["admin_to"])]["amount"] = 0.0
    admins[first] = np.zeros(1, admins.dtype)[0]
    admins[first]["what"] = GIVE_CHECKPOINT
    for field, value in (
        ("admin_to", first + 1),
        ("cytotoxic", 0),
        ("marrow", 0.0),
        ("lymph", 0.0),
        ("cycles", 0),
    ):
        segments[index][field] = value
    toxicity[index] = 0.0
    return programme._replace(segments=segments, admins=admins, toxicity=toxicity)


def _scanned(programme: Programme, setting: str, schedule: Schedule) -> Programme:
    """The programme with the scans of the trial: those with disease in view, and those without."""
    every, surveillance, intervals, seen_mm = schedule
    if surveillance is not None:
        named = load_catalogue().surveillance[surveillance]
        first, intervals = named.first_scan_day, tuple(named.intervals)
        programme = programme._replace(ct_limit=load_parameters()[SCAN_LIMIT[named.modality]].value)
    elif every is not None:
        first, intervals = every, ((MANY_DAYS, every),)
    else:
        first = intervals[0][1]
    if seen_mm is not None:
        programme = programme._replace(ct_limit=math.exp(ln_cells(seen_mm)))
    if setting != "adjuvant" and (every is not None or setting not in LOCAL):
        programme = programme._replace(on_treatment_days=float(first))
    return programme._replace(
        first_scan=float(first), scans=np.array(intervals, dtype=np.float64).reshape(-1, 2)
    )
