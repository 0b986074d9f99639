"""A strategy of the catalogue, compiled for one patient into the arrays the kernel reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from metachron.engine.compile_rules import KILL_CLASS as KILL_CLASS
from metachron.engine.compile_rules import pack, rules_array
from metachron.engine.records import (
    ADMIN,
    LOCAL_THEN_SYSTEMIC,
    N_KINDS,
    NOTHING_MORE,
    SEGMENT,
    START_PLANNED,
    START_PROGRESSION,
    START_RECURRENCE,
    SYSTEMIC_ONLY,
    Programme,
)
from metachron.engine.segments import Builder
from metachron.parameters import load_parameters
from metachron.patient.schema import Patient
from metachron.strategies.after import Following, following
from metachron.strategies.catalogue import Catalogue
from metachron.strategies.schema import EffectClass, Intent, OnlyIf, Starts, Step, Strategy

TRIGGERS = {
    Starts.PLANNED: START_PLANNED,
    Starts.PROGRESSION: START_PROGRESSION,
    Starts.RECURRENCE: START_RECURRENCE,
}
ON_RECURRENCE = {
    "local then systemic": LOCAL_THEN_SYSTEMIC,
    "systemic": SYSTEMIC_ONLY,
    "none": NOTHING_MORE,
}
SCAN_LIMIT = {"CT": "detect_ct_cells", "MRI": "detect_mri_cells", "ultrasound": "detect_us_cells"}

# Days
CHEMO_TO_SURGERY = 28
WAIT_FOR_SURGERY, WAIT_FOR_DRUGS, AFTER_PRIMARY_SURGERY = 21, 7, 28
# Share of the liver left by a first and by a repeat resection when the surgeon gives no figure (assumed)
DEFAULT_REMNANT, DEFAULT_REPEAT_REMNANT = 0.7, 0.9


def _first_gap(patient: Patient, step: Step) -> float:
    if step.gap_days is not None:
        return step.gap_days
    wait = WAIT_FOR_SURGERY if step.procedures else WAIT_FOR_DRUGS
    if patient.primary.resected_on is not None:
        wait = max(wait, AFTER_PRIMARY_SURGERY - (patient.assessed_on - patient.primary.resected_on).days)
    return float(wait)


def _gap(previous: Step, step: Step, catalogue: Catalogue) -> float:
    """Days from the end of one step to the next, the shortest safe interval unless the strategy says."""
    if step.gap_days is not None:
        return step.gap_days
    if previous.procedures:
        if step.procedures:
            return 28.0
        return max(catalogue.procedures[n].recovery_days.value for n in previous.procedures)
    if step.procedures and previous.regimens:
        return max(0.0, CHEMO_TO_SURGERY - catalogue.regimens[previous.regimens[0]].cycle_days)
    return 0.0


def start_line(patient: Patient) -> int:
    """Lines of treatment for metastatic disease given so far; what began on one day is one line."""
    given = [t for t in patient.prior_treatments if t.setting == "metastatic"]
    return len({t.start for t in given if t.start}) + sum(t.start is None for t in given)


def _triggered_gap(step: Step, after: Following) -> float:
    """Days from the progression or recurrence that starts a step."""
    if step.gap_days is not None:
        return step.gap_days
    return after.wait_days if step.procedures else after.line_wait_days


def _line_of(steps: list[Step], index: int, line: int, first: int, catalogue: Catalogue) -> int:
    """Line of a systemic step that waits, when the one before it was line `line`; `first` is the least.

    The same drugs again after a course of fixed length are no new line: they have not failed.
    """
    before = next((s for s in reversed(steps[:index]) if s.regimens), None)
    if before is None or line < first:
        return first
    now, then = (set().union(*(catalogue.effects_of(n) for n in s.regimens)) for s in (steps[index], before))
    again = before.cycles is not None and now <= then
    return line if again else line + 1


def _planned_steps(
    builder: Builder, patient: Patient, strategy: Strategy, line: int, conversion: bool, after: Following
) -> int:
    """Add the steps of the strategy; returns the line that the last of them reaches."""
    steps = strategy.steps
    for i, step in enumerate(steps):
        waits = step.starts is not Starts.PLANNED
        builder.trigger = TRIGGERS[step.starts]
        if waits:
            gap = _triggered_gap(step, after)
        else:
            gap = _first_gap(patient, step) if i == 0 else _gap(steps[i - 1], step, builder.catalogue)
        if waits and not step.procedures:
            line = _line_of(steps, i, line, start_line(patient) + 1, builder.catalogue)
        if step.procedures:
            limits = step.only_if or OnlyIf.model_construct()
            builder.remnant = DEFAULT_REPEAT_REMNANT if waits else builder.remnant
            builder.procedure(
                step.procedures,
                gap,
                needs_response=conversion and i > 0 and not waits,
                max_lesions=limits.max_lesions or 0,
                max_mm=limits.max_mm or 0.0,
            )
        elif step.regimens:
            builder.systemic(step, gap, line)
        else:
            builder.cells(step, gap)
    builder.trigger = START_PLANNED
    return line


def _given_again(steps: list[Step], names: list[str], catalogue: Catalogue) -> bool:
    """Is this what a course of fixed length has given before, and not only more of what runs at the end?

    Such a course is no new line: its drugs have not failed.
    """

    def drugs(chosen: list[Step]) -> set[EffectClass]:
        found: set[EffectClass] = set()
        return found.union(*(catalogue.effects_of(n) for s in chosen for n in s.regimens))

    now = drugs([Step(regimens=names)]) - {EffectClass.VEGF}
    fixed = drugs([s for s in steps if s.cycles is not None])
    return bool(now) and now <= fixed and not now <= drugs([s for s in steps if s.cycles is None])


def _after_progression(
    builder: Builder, patient: Patient, strategy: Strategy, line: int, after: Following
) -> int:
    """Add later lines and repeat local treatment; returns the index of the procedure."""
    line = max(line, start_line(patient))
    for names in after.lines:
        line += 0 if line > 0 and _given_again(strategy.steps, names, builder.catalogue) else 1
        builder.systemic(Step(regimens=names), after.line_wait_days, line)
    builder.remnant = DEFAULT_REPEAT_REMNANT
    builder.procedure([after.procedure], after.wait_days, max_lesions=after.max_lesions, max_mm=after.max_mm)
    return len(builder.segments) - 1


def _secondary_resection(builder: Builder, after: Following) -> int:
    """Add the removal of metastases that have responded, where it is asked for; its index, else -1."""
    if after.secondary is None:
        return -1
    builder.remnant = DEFAULT_REMNANT
    builder.procedure(
        [after.secondary],
        float(CHEMO_TO_SURGERY),
        max_lesions=after.secondary_max_lesions,
        max_mm=after.secondary_max_mm,
    )
    return len(builder.segments) - 1


@dataclass(frozen=True)
class _Numbers:
    """Where the parts of a programme lie in its segments; -1 for what it does not have."""

    n_planned: int
    n_lines: int
    repeat_segment: int
    continue_segment: int
    secondary_segment: int


def _add_segments(
    builder: Builder, patient: Patient, strategy: Strategy, after: Following, metastatic: bool
) -> _Numbers:
    """Add all segments of the strategy and of what follows it."""
    planned = [step for step in strategy.steps if step.starts is Starts.PLANNED]
    local = any(step.procedures for step in planned)
    line = start_line(patient) + 1 if metastatic and not local else 0
    # metastases that cannot be taken out now are operated on only if they shrink
    conversion = local and metastatic and patient.liver.all_lesions_resectable is False
    line = _planned_steps(builder, patient, strategy, line, conversion, after)
    n_planned, repeat, keep_on = len(builder.segments), -1, -1
    if not (strategy.intent is Intent.OBSERVATION and metastatic and not strategy.after.lines):
        repeat = _after_progression(builder, patient, strategy, line, after)
    if conversion and strategy.steps[0].regimens:
        endless = strategy.steps[0].model_copy(update={"cycles": None})
        builder.systemic(endless, 0.0, start_line(patient) + 1)
        keep_on = len(builder.segments) - 1
    n_lines = len(after.lines) if repeat >= 0 else 0
    return _Numbers(n_planned, n_lines, repeat, keep_on, _secondary_resection(builder, after))


def compile_strategy(
    patient: Patient,
    strategy: Strategy,
    catalogue: Catalogue,
    *,
    doses: Mapping[EffectClass, float] | None = None,
    metastatic: bool = True,
) -> Programme:
    """The programme of a strategy for this patient.

    `doses` are starting dose factors by class (DPYD, UGT1A1, kidney); `metastatic` says that visible
    disease is being treated, so that systemic treatment without surgery counts as a line.
    """
    after = following(strategy, patient, catalogue)
    builder = Builder(catalogue, doses or {}, patient.liver.remnant_share or DEFAULT_REMNANT)
    numbers = _add_segments(builder, patient, strategy, after, metastatic)
    scans = catalogue.surveillance[strategy.surveillance]
    return Programme(
        segments=pack(builder.segments, SEGMENT),
        admins=pack(builder.admins, ADMIN),
        rules=rules_array(catalogue.rules_of(strategy)),
        toxicity=np.array(builder.toxicity).reshape(-1, N_KINDS),
        grade4=np.array(builder.grade4).reshape(-1, N_KINDS),
        scans=np.array(scans.intervals, dtype=np.float64).reshape(-1, 2),
        **vars(numbers),
        most_repeats=after.most,
        on_recurrence=ON_RECURRENCE[after.on_recurrence],
        ox_before=sum(t.oxaliplatin_mg_m2 or 0.0 for t in patient.prior_treatments),
        on_treatment_days=float(catalogue.surveillance["on_treatment"].first_scan_day),
        first_scan=float(scans.first_scan_day),
        ct_limit=load_parameters()[SCAN_LIMIT[scans.modality]].value,
    )
