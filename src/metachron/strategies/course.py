"""Named facts of a strategy and of one place within it: what comes before, together and after."""

from __future__ import annotations

import math
from collections.abc import Callable

from metachron.strategies.logic import Answer
from metachron.strategies.predicates import (
    CYTOTOXIC_CLASSES,
    View,
    days_since,
    fact,
    interval_days,
    length_days,
    regimen_effects,
    systemic_treatments,
    treatment_effects,
)
from metachron.strategies.schema import EffectClass, Starts, Step

LYMPHODEPLETION = "lymphodepletion"
LONG_CHEMOTHERAPY_DAYS = 91  # "chemotherapy > 3 months" injures the liver (Kawaguchi2019, table 1)


def step_effects(view: View, step: Step) -> set[EffectClass]:
    """Effect classes given in a step, conditioning before cells left aside."""
    names = [name for name in step.regimens if name != LYMPHODEPLETION]
    return set().union(*(regimen_effects(view, name) for name in names))


def has_procedure(view: View, step: Step, kind: str | None = None) -> bool:
    """Does the step operate or ablate (or only the kind asked for)?"""
    kinds = {view.catalogue.procedures[name].kind for name in step.procedures}
    return bool(kinds) if kind is None else kind in kinds


def depletes(view: View, step: Step) -> bool:
    """Is lymphodepletion part of the step?"""
    if LYMPHODEPLETION in step.regimens:
        return True
    if step.cells is None:
        return False
    usual = view.catalogue.cells[step.cells].lymphodepletion
    return usual if step.lymphodepletion is None else step.lymphodepletion


def _earlier(view: View) -> list[Step]:
    return view.strategy.steps[: view.index]


def _later(view: View) -> list[Step]:
    return view.strategy.steps[view.index + 1 :]


@fact("situation", "the situation of the patient, in words")
def _situation(view: View) -> str:
    return view.situation


@fact("always", "true")
def _always(_: View) -> bool:
    return True


@fact("intent", "intent of the strategy")
def _intent(view: View) -> str:
    return view.strategy.intent.value


@fact("first_step", "the step is the first of the strategy")
def _first_step(view: View) -> bool:
    return view.index == 0


@fact("local_first", "the first step removes or ablates metastases")
def _local_first(view: View) -> bool:
    steps = view.strategy.steps
    return bool(steps) and has_procedure(view, steps[0])


@fact("preceded_by_systemic", "systemic treatment comes before this step")
def _preceded(view: View) -> bool:
    return any(step_effects(view, step) for step in _earlier(view))


@fact("resection_and_ablation", "resection and ablation in one session")
def _combined(view: View) -> bool:
    return has_procedure(view, view.step, "resection") and has_procedure(view, view.step, "ablation")


@fact("after_local", "an earlier step removes or ablates metastases")
def _after_local(view: View) -> bool:
    return any(has_procedure(view, step) for step in _earlier(view))


@fact("after_resection", "an earlier step resects the liver")
def _after_resection(view: View) -> bool:
    return any(has_procedure(view, step, "resection") for step in _earlier(view))


@fact("before_local", "a later step removes or ablates metastases")
def _before_local(view: View) -> bool:
    return any(has_procedure(view, step) for step in _later(view))


@fact("step_classes", "effect classes given in the step")
def _step_classes(view: View) -> set[str]:
    return {effect.value for effect in step_effects(view, view.step)}


@fact("step_regimens", "regimens of the step")
def _step_regimens(view: View) -> set[str]:
    return set(view.step.regimens)


@fact("cytotoxics_in_step", "cytotoxic classes given together (count)")
def _cytotoxics(view: View) -> int:
    return len(step_effects(view, view.step) & CYTOTOXIC_CLASSES)


@fact("strategy_classes", "effect classes anywhere in the strategy")
def _strategy_classes(view: View) -> set[str]:
    return {effect.value for step in view.strategy.steps for effect in step_effects(view, step)}


@fact("strategy_cytotoxics", "most cytotoxic classes given together in any step (count)")
def _strategy_cytotoxics(view: View) -> int:
    counts = (len(step_effects(view, step) & CYTOTOXIC_CLASSES) for step in view.strategy.steps)
    return max(counts, default=0)


@fact("strategy_regimens", "regimens anywhere in the strategy")
def _strategy_regimens(view: View) -> set[str]:
    return {name for step in view.strategy.steps for name in step.regimens}


@fact("strategy_procedures", "procedures anywhere in the strategy, those on recurrence left aside")
def _strategy_procedures(view: View) -> set[str]:
    steps = [step for step in view.strategy.steps if step.starts is not Starts.RECURRENCE]
    return {name for step in steps for name in step.procedures}


@fact("strategy_kinds", "kinds of procedure in the strategy: resection, ablation")
def _strategy_kinds(view: View) -> set[str]:
    return {view.catalogue.procedures[name].kind for name in _strategy_procedures(view)}


@fact("strategy_cells", "cell products in the strategy")
def _strategy_cells(view: View) -> set[str]:
    return {step.cells for step in view.strategy.steps if step.cells}


@fact("chemotherapy_before_and_after", "chemotherapy both before and after the procedure")
def _perioperative(view: View) -> bool:
    steps = view.strategy.steps
    places = [i for i, step in enumerate(steps) if has_procedure(view, step)]
    given = [i for i, step in enumerate(steps) if step_effects(view, step) & CYTOTOXIC_CLASSES]
    return bool(places and given) and min(given) < min(places) and max(given) > max(places)


@fact("exposed_classes", "classes given before this step, in the past or earlier in the strategy")
def _exposed(view: View) -> set[str]:
    past = [treatment_effects(view, t) for _, t in systemic_treatments(view)]
    earlier = [step_effects(view, step) for step in _earlier(view)]
    return {effect.value for effect in set().union(*past, *earlier)}


@fact(
    "lines_before",
    "lines of systemic treatment for metastases before this step",
    "prior_treatments[].setting",
)
def _lines_before(view: View) -> int | Answer:
    """Treatments begun on one day are one line; earlier steps count when given until progression."""
    given = systemic_treatments(view)
    silent = tuple(f"{field}.setting" for field, t in given if t.setting is None)
    metastatic = [t for _, t in given if t.setting == "metastatic"]
    dated = {t.start for t in metastatic if t.start is not None}
    undated = [t for t in metastatic if t.start is None and treatment_effects(view, t) & CYTOTOXIC_CLASSES]
    if silent:
        return Answer(None, silent)
    planned = _lines_planned(view)
    alone = 1 if metastatic and not dated and not undated else 0
    return len(dated) + len(undated) + alone + planned


def _lines_planned(view: View) -> int:
    """Lines that earlier steps make: what is given until progression, or what progression has ended."""
    steps = view.strategy.steps[: view.index + 1]
    given = [bool(step_effects(view, step)) for step in steps]
    endless = sum(1 for step, real in zip(steps[:-1], given, strict=False) if real and step.cycles is None)
    ended = sum(
        1
        for i, step in enumerate(steps)
        if i and step.starts is Starts.PROGRESSION and given[i - 1] and steps[i - 1].cycles is not None
    )
    return endless + ended


@fact("lymphodepletion", "lymphodepletion before the cells")
def _lymphodepletion(view: View) -> bool:
    return depletes(view, view.step)


@fact("cells_day_with_cytotoxics", "day of the cytotoxic cycle on which cells are given; infinite when apart")
def _cells_day(view: View) -> float:
    step = view.step
    if step.cells is None or not step_effects(view, step) & CYTOTOXIC_CLASSES:
        return math.inf
    return step.infusion_day or view.catalogue.cells[step.cells].day_in_cycle


@fact("culture_days", "days of cell culture; 0 without cells")
def _culture_days(view: View) -> float:
    return view.catalogue.cells[view.step.cells].culture_days.value if view.step.cells else 0.0


@fact("earliest_cells_day", "smallest such day over the strategy")
def _earliest_cells_day(view: View) -> float:
    places = range(len(view.strategy.steps))
    return min((_cells_day(_at(view, i)) for i in places), default=math.inf)


def _at(view: View, index: int) -> View:
    return View(view.patient, view.catalogue, view.strategy, index, view.item, view.situation)


def _duration_days(view: View, step: Step) -> int:
    """Planned length of the chemotherapy of a step; 0 when open-ended, which errs on the safe side."""
    return (step.cycles or 0) * _cycle_days(view, step)


def _cycle_days(view: View, step: Step) -> int:
    """Length of a cycle of the step; 0 without drugs."""
    regimen = view.catalogue.regimens.get(step.regimens[0]) if step.regimens else None
    return regimen.cycle_days if regimen else 0


def _gap(
    view: View,
    matches: Callable[[Step], bool],
    before: float | Answer,
    missed: Callable[[Step], int] = lambda _: 0,
) -> float | Answer:
    """Days from the last dose (or operation) of the last matching step, or of the past, to this one.

    A cycle is dosed on its first day and counts to its end, as it does when the planner keeps the shortest
    safe interval; `missed` cycles at the end of a step were given without what matters. Infinite when the
    gap is left to the planner.
    """
    if view.step.gap_days is None or view.step.starts is not Starts.PLANNED:
        return math.inf
    total = float(view.step.gap_days)
    for step in reversed(_earlier(view)):
        if matches(step):
            return total + (1 + missed(step)) * _cycle_days(view, step)
        total += _duration_days(view, step) + (step.gap_days or 0)
    return before if isinstance(before, Answer) else total + before


@fact("planned_chemotherapy_days", "days of chemotherapy planned before this step")
def _planned_chemotherapy(view: View) -> int:
    planned = [step for step in _earlier(view) if step_effects(view, step) & CYTOTOXIC_CLASSES]
    return sum(_duration_days(view, step) for step in planned)


@fact("injured_liver", "steatosis, or over three months of chemotherapy", "liver.steatosis")
def _injured_liver(view: View) -> bool | Answer:
    lengths = [(f"{f}.cycles", length_days(view, t)) for f, t in systemic_treatments(view, cytotoxic=True)]
    known = [days for _, days in lengths if days is not None]
    if view.patient.liver.steatosis or any(days > LONG_CHEMOTHERAPY_DAYS for days in known):
        return True
    unknown = [field for field, days in lengths if days is None]
    if view.patient.chemotherapy_before_liver_surgery and not lengths:
        unknown.append("prior_treatments")  # given, but for how long is not recorded
    if view.patient.liver.steatosis is None:
        unknown.insert(0, "liver.steatosis")
    return Answer(None, tuple(unknown)) if unknown else False


@fact(
    "anti_vegf_to_procedure_days",
    "days planned from the last anti-VEGF dose (first day of its cycle) to this step",
    "prior_treatments[].end",
)
def _anti_vegf_gap(view: View) -> float | Answer:
    def given(step: Step) -> bool:
        return EffectClass.VEGF in step_effects(view, step)

    # the last cycles before surgery are given without the antibody
    past = interval_days(view, {EffectClass.VEGF})
    return _gap(view, given, past, lambda step: step.stop_partner_before_surgery_cycles)


@fact(
    "chemotherapy_to_procedure_days",
    "days planned from the first day of the last cycle of chemotherapy to this step",
    "prior_treatments[].end",
)
def _chemotherapy_gap(view: View) -> float | Answer:
    past = interval_days(view, CYTOTOXIC_CLASSES)
    return _gap(view, lambda step: bool(step_effects(view, step) & CYTOTOXIC_CLASSES), past)


@fact("surgery_to_systemic_days", "days planned from the last operation to this step", "primary.resected_on")
def _surgery_gap(view: View) -> float | Answer:
    since = days_since(view.patient, view.patient.primary.resected_on)
    past: float | Answer = Answer(None, ("primary.resected_on",)) if since is None else float(since)
    if view.patient.primary.resected is False:
        past = math.inf
    return _gap(view, lambda step: has_procedure(view, step, "resection"), past)


@fact("anti_vegf_since_days", "days from the last anti-VEGF dose to assessment", "prior_treatments[].end")
def _anti_vegf_since(view: View) -> float | Answer:
    return interval_days(view, {EffectClass.VEGF}) if view.index == 0 else math.inf


@fact("chemotherapy_since_days", "days from the last chemotherapy to assessment", "prior_treatments[].end")
def _chemotherapy_since(view: View) -> float | Answer:
    return interval_days(view, CYTOTOXIC_CLASSES) if view.index == 0 else math.inf
