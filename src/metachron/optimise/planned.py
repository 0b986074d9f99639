"""Figures of a strategy as planned, before anything happens to it: days, cycles, doses, visits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from metachron.engine.records import PROCEDURE, Programme
from metachron.optimise.burden import visits_per_cycle
from metachron.plan.outcomes import DAYS_PER_MONTH
from metachron.strategies.catalogue import Catalogue
from metachron.strategies.schema import EffectClass, Starts, Step, Strategy


@dataclass(frozen=True)
class Placed:
    """One planned step on the calendar; `end` of a step without an end is None."""

    step: Step
    start: float
    end: float | None


# name -> (unit, meaning); what `--constraint` may name
FIGURES: dict[str, tuple[str, str]] = {
    "oxaliplatin": (
        "mg/m2",
        "cumulative oxaliplatin of courses with a planned end, and what was given before",
    ),
    "oxaliplatin_planned": ("mg/m2", "the same without what was given before"),
    "cycles": ("cycles", "planned cycles of drugs"),
    "infusions": ("infusions", "planned infusions of cells"),
    "procedures": ("procedures", "planned operations and ablations"),
    "hospital_days": ("d", "planned days in hospital for procedures"),
    "visits_per_month": ("visits", "most visits for infusions in a month"),
    "treatment_days": ("d", "days from day 0 to the end of the last planned step"),
    "start_treatment": ("d", "day of the first planned step"),
    "start_chemo": ("d", "day of the first cytotoxic dose"),
    "start_local": ("d", "day of the first operation or ablation"),
    "start_cells": ("d", "day of the first infusion of cells"),
    "chemo_to_surgery": ("d", "shortest time from the end of the last cycle of drugs to an operation"),
    "surgery_to_chemo": ("d", "time from an operation or ablation to the next drugs or cells"),
    "longest_surgery_to_chemo": (
        "d",
        "longest time from an operation or ablation to the next drugs or cells",
    ),
    "bevacizumab_to_surgery": ("d", "shortest time from anti-VEGF to a resection"),
    "chemo_to_cells": ("d", "shortest time from the end of the last cycle of drugs to cells on their own"),
}


def placed(strategy: Strategy, programme: Programme) -> list[Placed]:
    """The planned steps on the calendar, up to the first that waits for progression or recurrence."""
    found: list[Placed] = []
    day = 0.0
    for index, step in enumerate(strategy.steps[: programme.n_planned]):
        if step.starts is not Starts.PLANNED:
            break
        segment = programme.segments[index]
        start = day + float(segment["gap"])
        if segment["kind"] == PROCEDURE:
            end: float | None = start
        else:
            cycles = int(segment["cycles"])
            end = start + cycles * float(segment["cycle_days"]) if cycles > 0 else None
        found.append(Placed(step, start, end))
        if end is None:
            break
        day = end
    return found


def figures(strategy: Strategy, programme: Programme, catalogue: Catalogue) -> dict[str, float]:
    """The figures that apply to the strategy, by name; what it has none of is left out."""
    steps = placed(strategy, programme)
    found: dict[str, float] = {
        "oxaliplatin": _oxaliplatin(steps, catalogue, float(programme.ox_before)),
        "oxaliplatin_planned": _oxaliplatin(steps, catalogue, 0.0),
        "cycles": float(sum(p.step.cycles or 0 for p in steps if p.step.regimens)),
        "infusions": float(sum(_infusions(p.step, catalogue) for p in steps)),
        "procedures": float(sum(bool(p.step.procedures) for p in steps)),
        "hospital_days": sum(
            max(catalogue.procedures[n].hospital_days.value for n in p.step.procedures)
            for p in steps
            if p.step.procedures
        ),
        "visits_per_month": max((_visits_per_month(p.step, catalogue) for p in steps), default=0.0),
    }
    _starts(steps, catalogue, found)
    _intervals(steps, catalogue, found)
    return found


def _infusions(step: Step, catalogue: Catalogue) -> int:
    if step.cells is None:
        return 0
    return step.infusions if step.infusions is not None else catalogue.cells[step.cells].infusions


def _effects(step: Step, catalogue: Catalogue) -> set[EffectClass]:
    return {e for name in step.regimens for e in catalogue.effects_of(name)}


def cytotoxic(step: Step, catalogue: Catalogue) -> bool:
    """Does the step give cytotoxic drugs?"""
    return any(catalogue.regimens[name].kind == "cytotoxic" for name in step.regimens)


def _oxaliplatin(steps: list[Placed], catalogue: Catalogue, before: float) -> float:
    total = before
    for p in steps:
        if not p.step.regimens or p.step.cycles is None:
            continue
        length = catalogue.regimens[p.step.regimens[0]].cycle_days
        for name in p.step.regimens:
            for dose in catalogue.drugs_of(name, length):
                if catalogue.drugs[dose.drug].effect is EffectClass.OX:
                    total += dose.dose * len(dose.days) * p.step.cycles
    return total


def _visits_per_month(step: Step, catalogue: Catalogue) -> float:
    if step.regimens:
        days = catalogue.regimens[step.regimens[0]].cycle_days
        return visits_per_cycle(step, catalogue) * DAYS_PER_MONTH / days
    if step.cells:
        return DAYS_PER_MONTH / catalogue.cells[step.cells].interval_days
    return 0.0


def _starts(steps: list[Placed], catalogue: Catalogue, found: dict[str, float]) -> None:
    """Days on which things begin and all is done."""
    if not steps:
        return
    found["start_treatment"] = steps[0].start
    last = steps[-1].end
    if last is not None:
        found["treatment_days"] = last
    for p in steps:
        if cytotoxic(p.step, catalogue):
            found.setdefault("start_chemo", p.start)
        if p.step.procedures:
            found.setdefault("start_local", p.start)
        if p.step.cells:
            day = (p.step.infusion_day or catalogue.cells[p.step.cells].day_in_cycle) - 1
            found.setdefault("start_cells", p.start + (day if p.step.regimens else 0))


def _intervals(steps: list[Placed], catalogue: Catalogue, found: dict[str, float]) -> None:
    """Times between one step and the next that matter to safety."""

    def least(name: str, days: float) -> None:
        found[name] = min(found.get(name, days), days)

    for i, p in enumerate(steps):
        for earlier in steps[:i]:
            if earlier.end is None:
                continue
            gap = p.start - earlier.end
            if p.step.procedures and earlier.step.regimens:
                least("chemo_to_surgery", gap)
                _washout(p, earlier, gap, catalogue, least)
            if p.step.cells and not p.step.regimens and earlier.step.regimens:
                least("chemo_to_cells", gap)
        if i and steps[i - 1].step.procedures and (p.step.regimens or p.step.cells):
            gap = p.start - steps[i - 1].start
            least("surgery_to_chemo", gap)
            found["longest_surgery_to_chemo"] = max(found.get("longest_surgery_to_chemo", gap), gap)


def _washout(
    p: Placed, earlier: Placed, gap: float, catalogue: Catalogue, least: Callable[[str, float], None]
) -> None:
    resection = any(catalogue.procedures[n].kind == "resection" for n in p.step.procedures)
    if resection and EffectClass.VEGF in _effects(earlier.step, catalogue):
        days = catalogue.regimens[earlier.step.regimens[0]].cycle_days
        # the last dose is given on day 1 of the last cycle with it
        free = gap + days * (earlier.step.stop_partner_before_surgery_cycles + 1)
        least("bevacizumab_to_surgery", free)
