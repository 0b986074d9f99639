"""Hard constraints: what the clinic never does, and what was asked for with `--constraint`.

Figures as planned (days, doses, cycles, visits) are checked before anything is simulated; outcomes (an
objective such as `burden<=60`) on the twins. When nothing is left, the error names the constraint that
nothing in the space meets, or the two that conflict.
"""

from __future__ import annotations

import difflib
import itertools
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from metachron.engine.records import Programme
from metachron.errors import InputError, Problem
from metachron.optimise.objectives import OBJECTIVES
from metachron.optimise.planned import FIGURES, figures, placed
from metachron.optimise.space import Candidate
from metachron.plan.results import Reason
from metachron.strategies.catalogue import Catalogue

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "==": operator.eq,
    "=": operator.eq,
}
_FORM = re.compile(r"\s*([A-Za-z_][\w \-]*?)\s*(<=|>=|==|<|>|=)\s*(-?\d+(?:\.\d+)?)\s*([A-Za-z/0-9]*)\s*")
ELIGIBILITY = "eligibility rules"
# 8 cycles of 130 mg/m2; 12 of 85 (MOSAIC, and the whole of the perioperative scheme) are 1,020
MOST_OXALIPLATIN = 1040.0
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Constraint:
    """One constraint on a figure as planned, or on the mean of an objective over twins."""

    name: str
    sign: str
    limit: float
    unit: str
    origin: Literal["clinical", "asked"] = "asked"
    status: Literal["read", "derived", "assumed", "asked"] = "asked"
    citations: tuple[str, ...] = field(default=())

    @property
    def text(self) -> str:
        """As a user writes it, with the unit."""
        return f"{self.name} {self.sign} {self.limit:g} {self.unit}".rstrip()

    @property
    def on_outcome(self) -> bool:
        """Is it about an objective, known only after simulation?"""
        return self.name in OBJECTIVES

    def holds(self, value: float) -> bool:
        """Does a value meet it?"""
        slack = TOLERANCE if self.sign in ("<=", "<") else -TOLERANCE
        if self.sign in ("==", "="):
            return abs(value - self.limit) < 1e-6
        return OPERATORS[self.sign](value - slack, self.limit)


@dataclass(frozen=True)
class Judged:
    """A candidate with its figures as planned and the constraints it breaks."""

    candidate: Candidate
    figures: dict[str, float]
    broken: tuple[Constraint, ...]
    recovery: str = ""

    @property
    def reasons(self) -> list[Reason]:
        """One reason for each broken constraint."""
        found = [
            _reason(c, f"{c.text} is broken: {self.figures[c.name]:g} {c.unit}".rstrip()) for c in self.broken
        ]
        if self.recovery:
            found.append(Reason(rule="recovery", verdict="not eligible", text=self.recovery))
        return found


def _reason(constraint: Constraint, text: str) -> Reason:
    return Reason(
        rule=f"constraint {constraint.name}",
        verdict="not eligible",
        text=text,
        citations=list(constraint.citations),
    )


def parse_constraint(text: str) -> Constraint:
    """A constraint such as `oxaliplatin<=850`, `start_chemo <= 56d` or `burden <= 60`. Raises InputError."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise _refuse(f"{text!r} cannot be read", "NAME<=NUMBER, e.g. oxaliplatin<=850 or start_chemo<=56d")
    name = match[1].strip().lower().replace(" ", "_").replace("-", "_")
    known = {**{n: unit for n, (unit, _) in FIGURES.items()}, **{o.name: o.unit for o in OBJECTIVES.values()}}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}?" if near else ""
        raise _refuse(f"{match[1].strip()!r} is not known", ", ".join(known), hint)
    unit, given = known[name], match[4].lower()
    if given and given not in _spellings(unit):
        days = 7 * float(match[3]) if given in WEEKS and unit in ("d", "days") else float(match[3])
        raise _refuse(f"{name} is counted in {unit}, not in {match[4]}", f"{name}{match[2]}{days:g} {unit}")
    if float(match[3]) < 0:
        raise _refuse(f"{match[3]} is out of range for {name}", f"0 {unit} or more")
    return Constraint(name, match[2], float(match[3]), unit)


WEEKS = ("w", "wk", "week", "weeks")


def _spellings(unit: str) -> set[str]:
    extra = {"d": {"day", "days"}, "months": {"month", "mo"}, "days": {"d", "day"}}
    return {unit, unit.rstrip("s"), *extra.get(unit, set())}


def _refuse(message: str, allowed: str, suggestion: str = "") -> InputError:
    return InputError(Problem("--constraint", message, allowed, suggestion))


def clinical_constraints() -> list[Constraint]:
    """What holds for every search, beside the eligibility rules and the recovery of each procedure."""
    return [
        Constraint(
            "oxaliplatin_planned",
            "<=",
            MOST_OXALIPLATIN,
            "mg/m2",
            "clinical",
            "derived",
            ("IDEA", "MOSAIC", "Nordlinger2008"),
        )
    ]


def check_limits(constraints: Sequence[Constraint]) -> None:
    """Raise InputError for two limits on one figure that no value meets: a candidate without that figure
    would meet both."""
    for a, b in itertools.combinations(constraints, 2):
        if a.name != b.name:
            continue
        tried = (0.0, a.limit, b.limit, (a.limit + b.limit) / 2, 2 * (a.limit + b.limit))
        if not any(a.holds(value) and b.holds(value) for value in tried):
            message = f"{a.text!r} and {b.text!r} conflict: no value meets both"
            raise InputError(Problem("--constraint", message, "", "Leave one of the two out."))


def judge_figures(
    candidate: Candidate, programme: Programme, constraints: Sequence[Constraint], catalogue: Catalogue
) -> Judged:
    """The figures of a candidate and the constraints it breaks. A figure it has none of breaks nothing."""
    found = figures(candidate.strategy, programme, catalogue)
    broken = tuple(
        c for c in constraints if not c.on_outcome and c.name in found and not c.holds(found[c.name])
    )
    return Judged(candidate, found, broken, _recovery(candidate, programme, catalogue))


def _recovery(candidate: Candidate, programme: Programme, catalogue: Catalogue) -> str:
    """Why the time after a procedure is too short, by the least recovery the catalogue gives; or nothing."""
    steps = placed(candidate.strategy, programme)
    for before, after in itertools.pairwise(steps):
        for name in before.step.procedures:
            entry = catalogue.procedures[name]
            least = entry.recovery_days.low or entry.recovery_days.value
            if after.start - before.start < least - TOLERANCE:
                days = after.start - before.start
                return f"{days:g} days after {entry.title}; at least {least:g} are needed to recover."
    return ""


def refuse_empty(
    judged: Sequence[Judged], ineligible: dict[str, str], constraints: Sequence[Constraint]
) -> None:
    """Raise InputError when no candidate is left, saying which constraint, or which two, leave nothing.

    `ineligible`: id of a candidate -> why the eligibility rules refuse it.
    """
    if any(not j.broken and not j.recovery and j.candidate.id not in ineligible for j in judged):
        return
    sets = {c.text: {j.candidate.id for j in judged if c in j.broken} for c in constraints}
    sets[ELIGIBILITY] = set(ineligible)
    sets["recovery after procedures"] = {j.candidate.id for j in judged if j.recovery}
    everything = {j.candidate.id for j in judged}
    for text, refused in sets.items():
        if refused == everything:
            raise _alone(text, judged, ineligible, constraints)
    for (a, first), (b, second) in itertools.combinations(sets.items(), 2):
        if first | second == everything:
            raise _pair(a, b, len(everything))
    names = _smallest(sets, everything)
    message = f"these constraints together leave none of {len(everything)} candidates: {'; '.join(names)}"
    raise InputError(Problem("--constraint", message, "", "Loosen one of them, or widen the template."))


def _alone(
    text: str, judged: Sequence[Judged], ineligible: dict[str, str], constraints: Sequence[Constraint]
) -> InputError:
    if text in (ELIGIBILITY, "recovery after procedures"):
        why = next(iter(ineligible.values()), "") or next((j.recovery for j in judged if j.recovery), "")
        message = f"none of {len(judged)} candidates may be given to this patient ({why.rstrip('.')})"
        return InputError(Problem("--strategy", message, "", "Ask for another template."))
    broken = next(c for c in constraints if c.text == text)
    values = [j.figures[broken.name] for j in judged if broken.name in j.figures]
    span = f"the space has {min(values):g} to {max(values):g} {broken.unit}".rstrip()
    message = f"no candidate meets {text}"
    return InputError(Problem("--constraint", message, span, "Loosen it, or widen the template."))


def _pair(a: str, b: str, total: int) -> InputError:
    message = f"{a!r} and {b!r} conflict: each leaves candidates, together they leave none of {total}"
    return InputError(Problem("--constraint", message, "", "Loosen one of the two, or widen the template."))


def _smallest(sets: dict[str, set[str]], everything: set[str]) -> list[str]:
    """An irreducible list of constraints that together leave nothing."""
    names = [n for n, refused in sets.items() if refused]
    for name in list(names):
        rest = [n for n in names if n != name]
        if set().union(*(sets[n] for n in rest)) == everything:
            names = rest
    return names
