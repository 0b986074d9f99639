"""How far each variable may move from the best before it makes a difference, in numbers and in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from metachron.optimise.results import Plateau, Value
from metachron.optimise.space import Candidate
from metachron.optimise.standing import told_apart
from metachron.optimise.template import Template, Variable
from metachron.plan.bands import Paired

Compare = Callable[[Candidate], Paired]


@dataclass(frozen=True)
class Slice:
    """Candidates that differ from the best in one variable only, with its values."""

    variable: Variable
    value: Value
    others: tuple[tuple[Value, Candidate], ...]


def slices(
    best: Candidate, template: Template, make: Callable[[dict[str, Value]], Candidate | None]
) -> list[Slice]:
    """One slice a variable with several values. `make`: candidate of a combination, None if refused."""
    found = []
    for variable in template.variables:
        if len(variable.values) < 2:
            continue
        others = []
        for value in variable.values:
            if value == best.values[variable.name]:
                continue
            candidate = make({**best.values, variable.name: value})
            if candidate is not None:
                others.append((value, candidate))
        if others:
            found.append(Slice(variable, best.values[variable.name], tuple(others)))
    return found


def counts(paired: Paired, matters: float) -> bool:
    """Is a difference large enough to count, and sure enough to be called one?"""
    return told_apart(paired) and abs(paired.mean) >= matters


def plateau(piece: Slice, compare: Compare, matters: float, unit: str) -> Plateau:
    """The plateau of one variable. `compare`: paired difference of a candidate from the best; `matters`: the
    smallest one that counts; `unit`: of the objective."""
    alike: list[Value] = [piece.value]
    different: list[Value] = []
    loss: dict[Value, float] = {}
    for value, candidate in piece.others:
        paired = compare(candidate)
        loss[value] = max(0.0, -paired.mean)
        (different if counts(paired, matters) else alike).append(value)
    ordered = sorted(alike, key=_rank(piece))
    numbers = [v for v in _run(ordered, piece) if not isinstance(v, str)]
    return Plateau(
        variable=piece.variable.name,
        value=piece.value,
        low=min(numbers) if numbers else None,
        high=max(numbers) if numbers else None,
        unit=piece.variable.unit,
        alike=ordered,
        different=sorted(different, key=_rank(piece)),
        matters=bool(different),
        words=_words(piece, ordered, sorted(different, key=_rank(piece)), numbers)
        + _lost(max((loss.get(v, 0.0) for v in numbers or ordered), default=0.0), unit),
    )


def _lost(loss: float, unit: str) -> str:
    """How much is lost at most where it does not matter."""
    return f" At most {loss:.2f} {unit} are lost by it." if loss >= 0.005 else ""


def _rank(piece: Slice) -> Callable[[Value], float]:
    order = {v: i for i, v in enumerate(piece.variable.values)}
    return lambda v: float(v) if not isinstance(v, str) else float(order.get(v, -1))


def _run(alike: Sequence[Value], piece: Slice) -> list[Value]:
    """The unbroken run of values around the best that are as good."""
    if isinstance(piece.value, str):
        return list(alike)
    tried = sorted({float(v) for v, _ in piece.others if not isinstance(v, str)} | {float(piece.value)})
    at, same = tried.index(float(piece.value)), {float(v) for v in alike if not isinstance(v, str)}
    low = high = at
    while low > 0 and tried[low - 1] in same:
        low -= 1
    while high < len(tried) - 1 and tried[high + 1] in same:
        high += 1
    return list(tried[low : high + 1])


def _words(piece: Slice, alike: Sequence[Value], different: Sequence[Value], numbers: Sequence[float]) -> str:
    name, unit = piece.variable.name, piece.variable.unit
    if unit == "d" and numbers:
        return _in_days(name, float(min(numbers)), float(max(numbers)), float(piece.value), bool(different))
    shown, rest = (", ".join(text_of(v) for v in values) for values in (alike, different))
    if not different:
        return f"{name}: it does not matter here; {shown} are as good as each other."
    if len(alike) == 1:
        return f"{name}: {shown} is best; worse: {rest}."
    return f"{name}: {shown} are as good as each other; worse: {rest}."


def _in_days(name: str, low: float, high: float, best: float, matters: bool) -> str:
    if low == high:
        return f"{name}: {best:g} days is best; every other time tried is worse."
    half = (high - low) / 2
    around = f"+-{half:g} around {(high + low) / 2:g}"
    if not matters:
        return (
            f"{name}: timing does not matter here within {low:g} to {high:g} days ({around}), which is all"
            " that was searched."
        )
    return f"{name}: timing does not matter here within {low:g} to {high:g} days ({around}); beyond, it does."


def text_of(value: Value) -> str:
    """A value as people read it."""
    if isinstance(value, str):
        return value.strip(" +") or "none"
    return f"{value:g}"
