"""The goal of a search: one objective, a weighted sum, the patient's own weights, or several (a front)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metachron.errors import InputError, Problem
from metachron.optimise.objectives import OBJECTIVES, words_of
from metachron.optimise.results import ObjectiveDescription
from metachron.optimise.utilities import load_utilities
from metachron.patient.schema import Patient
from metachron.plan.outcomes import DAYS_PER_MONTH

Floats = NDArray[np.float64]
WEIGHTED = "weighted"
SHORT = {  # the objectives within a sum
    "rmst": "time alive",
    "rfs": "time without recurrence or progression",
    "qaly": "quality-adjusted time",
    "toxicity_free": "time without severe side effects",
    "toxic_time": "time with severe side effects",
    "burden": "time in hospital or visiting",
    "hospital": "time in hospital",
    "visits": "time visiting",
}
ALIASES = {
    "os": "rmst",
    "survival": "rmst",
    "pfs": "rfs",
    "dfs": "rfs",
    "event_free": "rfs",
    "quality": "qaly",
    "qalm": "qaly",
    "toxicity": "toxic_time",
    "contact": "burden",
}
# what the weights of the patient file stand for
OF_PATIENT = {"rmst": "weight_survival", "toxic_time": "weight_toxicity", "hospital": "weight_burden"}
_TERM = re.compile(r"\s*(?:(\d+(?:\.\d+)?)\s*\*\s*)?([A-Za-z_\-]+)\s*(?:\*\s*(\d+(?:\.\d+)?))?\s*")


@dataclass(frozen=True)
class Goal:
    """`names` of the objectives; with `weights` they are summed to one score, else each is a column."""

    names: tuple[str, ...]
    weights: tuple[float, ...] = ()
    from_patient: bool = False

    @property
    def several(self) -> bool:
        """Is a front sought?"""
        return len(self.names) > 1 and not self.weights

    @property
    def name(self) -> str:
        """Of the objective that is ranked."""
        return WEIGHTED if self.weights else self.names[0]

    @property
    def sign(self) -> float:
        """Of the ranked objective: 1 when more is better."""
        return 1.0 if self.weights else OBJECTIVES[self.names[0]].sign

    def columns(self, values: Mapping[str, Floats]) -> Floats:
        """Scores (n, k), more is better; k is 1 but for a front."""
        if self.weights:
            return self.weighted(values)[:, None]
        return np.column_stack([OBJECTIVES[n].sign * values[n] for n in self.names])

    def weighted(self, values: Mapping[str, Floats]) -> Floats:
        """The weighted sum (n,) in months; what is counted in days is turned into months."""
        total: Floats = np.zeros_like(values[self.names[0]])
        for name, weight in zip(self.names, self.weights, strict=True):
            o = OBJECTIVES[name]
            total = total + weight * o.sign * values[name] / (DAYS_PER_MONTH if o.unit == "days" else 1.0)
        return total

    def natural(self, values: Mapping[str, Floats]) -> Floats:
        """The ranked objective (n,) in its own sign."""
        return self.weighted(values) if self.weights else values[self.names[0]]

    def description(self, window_days: float) -> ObjectiveDescription:
        """Of the ranked objective."""
        if not self.weights:
            return describe(self.names[0], window_days)
        weights = dict(zip(self.names, self.weights, strict=True))
        whose = "the patient's own weights" if self.from_patient else "the weights asked for"
        parts = " ".join(
            f"{'+' if OBJECTIVES[n].sign > 0 else '-'} {w:.2g} x {SHORT[n]}" for n, w in weights.items()
        )
        return ObjectiveDescription(
            name=WEIGHTED,
            words=f"months by {whose} ({parts.removeprefix('+ ')}; days counted as months)",
            unit="months",
            direction="maximise",
            weights=weights,
        )


def describe(name: str, window_days: float) -> ObjectiveDescription:
    """One objective of the list."""
    o = OBJECTIVES[name]
    utilities, citations = dict[str, float](), list[str]()
    if name == "qaly":
        utilities = {state: q.value for state, q in load_utilities().states.items()}
        citations = load_utilities().citations()
    return ObjectiveDescription(
        name=name,
        words=words_of(name, window_days),
        unit=o.unit,
        direction=o.direction,
        utilities=utilities,
        citations=citations,
    )


def parse_goal(text: str | None, patient: Patient) -> Goal:
    """The goal of `--objective`: `rmst`, `rmst,burden` (front), `0.8*rmst+0.2*burden`, or `weighted` (the
    weights of the patient file). None: the patient's weights when the file gives any beyond survival, else
    rmst.
    Raises InputError with the nearest name.
    """
    if text is None:
        wants = patient.preferences
        text = WEIGHTED if wants.weight_toxicity or wants.weight_burden else "rmst"
    if text.strip().lower() == WEIGHTED:
        return _of_patient(patient)
    if "," in text:
        names = tuple(_name(part) for part in text.split(","))
        twice = next((n for n in names if names.count(n) > 1), None)
        if twice:
            raise InputError(Problem("--objective", f"{twice!r} is named twice", "each objective once"))
        return Goal(names)
    if "+" in text or "*" in text:
        return _sum(text)
    return Goal((_name(text),))


def _of_patient(patient: Patient) -> Goal:
    wants = patient.preferences
    found = {name: float(getattr(wants, field)) for name, field in OF_PATIENT.items()}
    total = sum(found.values())
    if total <= 0:
        message = "every weight of the patient file is nought"
        raise InputError(Problem("preferences", message, "weight_survival, weight_toxicity, weight_burden"))
    kept = {n: w / total for n, w in found.items() if w > 0}
    return Goal(tuple(kept), tuple(kept.values()), from_patient=True)


def _sum(text: str) -> Goal:
    found: dict[str, float] = {}
    for part in text.split("+"):
        match = _TERM.fullmatch(part)
        if match is None or (match[1] and match[3]):
            raise InputError(
                Problem("--objective", f"{part.strip()!r} cannot be read", "0.8*rmst + 0.2*burden")
            )
        name = _name(match[2])
        found[name] = found.get(name, 0.0) + float(match[1] or match[3] or 1.0)
    total = sum(found.values())
    if total <= 0:
        raise InputError(Problem("--objective", "every weight is nought", "at least one above 0"))
    return Goal(tuple(found), tuple(w / total for w in found.values()))


def _name(text: str) -> str:
    plain = text.strip().lower().replace("-", "_").replace(" ", "_")
    plain = ALIASES.get(plain, plain)
    if plain in OBJECTIVES:
        return plain
    known: Sequence[str] = [*OBJECTIVES, WEIGHTED, *ALIASES]
    near = difflib.get_close_matches(plain, known, n=1)
    hint = f"Did you mean {near[0]}?" if near else ""
    raise InputError(
        Problem("--objective", f"{text.strip()!r} is not known", ", ".join([*OBJECTIVES, WEIGHTED]), hint)
    )
