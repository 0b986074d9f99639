"""One stage of an expression: which items may be given together, and the step they make."""

from __future__ import annotations

from dataclasses import dataclass

from metachron.errors import InputError
from metachron.strategies.brackets import Fault, Wait
from metachron.strategies.catalogue import Catalogue
from metachron.strategies.schema import EffectClass, Starts, Step

LYMPHODEPLETION = "lymphodepletion"


@dataclass(frozen=True)
class Item:
    """`name*count@day` with its column."""

    name: str
    column: int
    count: int | None
    day: int | None


@dataclass(frozen=True)
class Stage:
    """Items given together, and what they wait for."""

    items: list[Item]
    wait: Wait


def build_step(stage: Stage, catalogue: Catalogue) -> Step:
    """The step of a stage. Raises Fault when its items cannot be given together."""
    procedures = [i for i in stage.items if i.name in catalogue.procedures]
    regimens = [i for i in stage.items if i.name in catalogue.regimens]
    cells = [i for i in stage.items if i.name in catalogue.cells]
    _refuse_unknown(stage, catalogue)
    _refuse_repeats(stage)
    _refuse_mixtures(procedures, regimens, cells)
    depleting = bool(cells) and any(i.name == LYMPHODEPLETION for i in regimens)
    if depleting:
        regimens = [i for i in regimens if i.name != LYMPHODEPLETION]
    _check_procedures(procedures, catalogue)
    if stage.wait.only_if and (not procedures or stage.wait.starts is not Starts.RECURRENCE):
        raise Fault(
            stage.wait.column,
            "limits of lesions and size are for an operation or ablation on recurrence",
            "[recurrence, 3 lesions, 50 mm] before a procedure",
        )
    cycles = _cycles(regimens, catalogue)
    return Step(
        procedures=[i.name for i in procedures],
        regimens=[i.name for i in regimens],
        cycles=cycles,
        cells=cells[0].name if cells else None,
        infusions=_infusions(cells, regimens, cycles, catalogue),
        infusion_day=cells[0].day if cells else None,
        lymphodepletion=True if depleting else None,
        gap_days=stage.wait.days,
        starts=stage.wait.starts,
        only_if=stage.wait.only_if,
    )


def _refuse_unknown(stage: Stage, catalogue: Catalogue) -> None:
    known = sorted({*catalogue.procedures, *catalogue.regimens, *catalogue.cells})
    for item in stage.items:
        if item.name in known:
            continue
        homes = [r.name for r in catalogue.regimens.values() if item.name in {d.drug for d in r.drugs}]
        if homes:
            raise Fault(
                item.column,
                f"{item.name} is a drug, not a regimen",
                suggestion=f"It is part of {', '.join(homes)}",
            )
        problem = catalogue.unknown(item.name, "regimen, procedure or cell product", known)
        raise Fault(item.column, problem.message, suggestion=problem.suggestion)


def _refuse_repeats(stage: Stage) -> None:
    seen: set[str] = set()
    for item in stage.items:
        if item.name in seen:
            raise Fault(item.column, f"{item.name} stands twice in one stage")
        seen.add(item.name)


def _refuse_mixtures(procedures: list[Item], regimens: list[Item], cells: list[Item]) -> None:
    drugs = [*regimens, *cells]
    if procedures and drugs:
        item = max(procedures[0], drugs[0], key=lambda i: i.column)
        raise Fault(
            item.column, "an operation and drugs or cells cannot start together", suggestion="Use > for then"
        )
    if len(cells) > 1:
        raise Fault(
            cells[1].column, "only one cell product can be given at a time", suggestion="Use > for then"
        )
    for item in [*procedures, *regimens]:
        if item.day is not None:
            raise Fault(item.column, "@ gives the day of infused cells, and these are none")


def _check_procedures(procedures: list[Item], catalogue: Catalogue) -> None:
    for item in procedures:
        if item.count is not None:
            raise Fault(
                item.column, f"{item.name} cannot be counted", suggestion="Use > to repeat an operation"
            )
    resections = [i for i in procedures if catalogue.procedures[i.name].kind == "resection"]
    if len(resections) > 1:
        raise Fault(
            resections[1].column, "only one resection fits in one operation", suggestion="Use > for then"
        )


def _cycles(regimens: list[Item], catalogue: Catalogue) -> int | None:
    if not regimens:
        return None
    first = regimens[0]
    days = catalogue.regimens[first.name].cycle_days
    given: dict[str, str] = {}
    for item in regimens:
        _check_length(item, first, days, catalogue)
        for dose in dict.fromkeys(d.drug for d in catalogue.regimens[item.name].drugs):
            if catalogue.drugs[dose].effect == EffectClass.NONE:
                continue  # leucovorin alone is no clash
            if dose in given:
                raise Fault(item.column, f"{given[dose]} and {item.name} both contain {dose}")
            given[dose] = item.name
    counted = [i for i in regimens if i.count is not None]
    if len({i.count for i in counted}) > 1:
        raise Fault(counted[1].column, "drugs given together need the same number of cycles")
    limits = [m for i in regimens if (m := catalogue.regimens[i.name].max_cycles) is not None]
    count = counted[0].count if counted else None
    if count is not None and limits and count > min(limits):
        raise Fault(counted[0].column, f"{count} cycles are more than may be given", f"up to {min(limits)}")
    return 1 if count is None and limits and min(limits) == 1 else count


def _check_length(item: Item, first: Item, days: int, catalogue: Catalogue) -> None:
    try:
        catalogue.drugs_of(item.name, days)
    except InputError as error:
        message = f"{item.name} has no doses for the {days}-day cycle of {first.name}"
        swap = catalogue.regimens[item.name].cycle_days
        fits = days == swap or swap in catalogue.regimens[first.name].other_cycles
        hint = f"Write {item.name} first: it sets the cycle" if fits else "They cannot be combined"
        raise Fault(item.column, message, error.problems[0].allowed, hint) from None


def _infusions(
    cells: list[Item], regimens: list[Item], cycles: int | None, catalogue: Catalogue
) -> int | None:
    if not cells:
        return None
    item = cells[0]
    count = item.count if item.count is not None else catalogue.cells[item.name].infusions
    if not regimens:
        if item.day is not None:
            raise Fault(item.column, "@ gives a day within a cycle, and no regimen is given with the cells")
        return count
    days = catalogue.regimens[regimens[0].name].cycle_days
    if item.day is not None and item.day > days:
        raise Fault(item.column, f"day {item.day} is outside the cycle of {regimens[0].name}", f"1 to {days}")
    if cycles is not None and item.count is not None and count > cycles:
        raise Fault(item.column, f"{count} infusions do not fit into {cycles} cycles", f"up to {cycles}")
    return count if cycles is None else min(count, cycles)
