"""How much of a published effect of infused cells is believed, and what the model says beside it.

The rule is data (`evidence/discount.yaml`): the ln hazard ratio of a study times a factor for its design. It
serves a comparison: the band that the prior of cell therapy predicts against what is left of the published
effect. Nothing here enters the fit, and nothing is ranked by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import exp, log, sqrt
from pathlib import Path
from typing import Annotated

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from metachron.calibrate.targets import Landmark, Median, Target, load_targets
from metachron.calibrate.targets_population import Record, Status
from metachron.errors import InputError, Problem
from metachron.evidence import facts as fact_table

FILE = Path(fact_table.__file__).parent / "discount.yaml"
Z_90, Z_95 = 1.6448536269514722, 1.959963984540054
# Share of the patients of a median who had the event when it was published (assumed, as in the likelihood)
EVENT_SHARE = 0.7
LEAST_EVENTS = 20


class Design(Record):
    """A kind of study and the share of its published effect that is believed."""

    name: str
    title: str
    factor: float = Field(ge=0, le=1)
    sd: float = Field(ge=0, le=1, description="Uncertainty of the factor.")
    status: Status = "assumed"


class Study(Record):
    """One published effect: which arms of which registered trial, and how the study was made."""

    trial: str
    endpoint: str
    arm: str
    reference: str
    design: str
    note: str = ""


class Support(Record):
    """A finding that the rule rests on."""

    text: str
    citation: str
    doi: str
    status: Status


class History(Record):
    """A small trial and the large one that followed: hazard ratio, then survival with and without."""

    what: str
    small_hazard_ratio: float = Field(gt=0)
    large_survival: tuple[Annotated[float, Field(gt=0, lt=1)], Annotated[float, Field(gt=0, lt=1)]]
    facts: list[str]

    @property
    def share_kept(self) -> float:
        """Share of the small trial's ln hazard ratio that the large one found."""
        treated, control = self.large_survival
        return log(log(treated) / log(control)) / log(self.small_hazard_ratio)


class Rule(Record):
    """The content of `discount.yaml`."""

    designs: list[Design]
    studies: list[Study]
    support: list[Support]
    history: list[History]

    @model_validator(mode="after")
    def _known(self) -> Rule:
        names = [d.name for d in self.designs]
        for study in self.studies:
            if study.design not in names:
                raise ValueError(f"{study.trial}: design {study.design!r} is not one of {', '.join(names)}")
        return self

    def design(self, name: str) -> Design:
        """The design of that name."""
        return next(d for d in self.designs if d.name == name)


@dataclass(frozen=True)
class Effect:
    """A published ln hazard ratio (negative: the arm did better), its standard error, and what it is from."""

    study: Study
    ln_hr: float
    se: float
    how: str


@cache
def load_rule(path: Path = FILE) -> Rule:
    """The rule and its studies. Raises InputError."""
    try:
        return Rule.model_validate(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(Problem(where, first["msg"]), source=path.name) from None


def published_effect(study: Study, target: Target) -> Effect:
    """The effect as published: a hazard ratio with its interval, else survival at the latest time given for
    both arms, else the ratio of medians. Raises InputError when the trial holds none of them."""
    same = (study.endpoint, study.arm, study.reference)
    for c in target.contrasts:
        if (c.endpoint, c.arm, c.reference) == same and c.low and c.high:
            return Effect(study, log(c.hazard_ratio), log(c.high / c.low) / (2 * Z_95), "hazard ratio")
    points = {(f.arm, f.months): f for f in target.landmarks if f.endpoint == study.endpoint}
    for months in sorted({m for _, m in points}, reverse=True):
        arm, reference = points.get((study.arm, months)), points.get((study.reference, months))
        if arm and reference:
            return Effect(study, *_of_landmarks(arm, reference), f"survival at {months:g} months")
    medians = {f.arm: f for f in target.medians if f.endpoint == study.endpoint}
    if study.arm in medians and study.reference in medians:
        return Effect(study, *_of_medians(medians[study.arm], medians[study.reference]), "ratio of medians")
    message = f"{study.trial} gives no {study.endpoint} of both {study.arm} and {study.reference}"
    raise InputError(Problem("studies", message), source=FILE.name)


def _of_landmarks(arm: Landmark, reference: Landmark) -> tuple[float, float]:
    """Difference of ln(-ln S), proportional hazards; delta-method error of binomial shares."""
    ln, variance = 0.0, 0.0
    for sign, f in ((1.0, arm), (-1.0, reference)):
        s = f.survival
        ln += sign * log(-log(s))
        variance += (1 - s) / (f.n * s * log(s) ** 2)
    return ln, sqrt(variance)


def _of_medians(arm: Median, reference: Median) -> tuple[float, float]:
    """Ratio of medians under exponential survival."""
    variance = 1 / (EVENT_SHARE * arm.n) + 1 / (EVENT_SHARE * reference.n)
    return log(reference.months / arm.months), sqrt(variance)


def discounted(effect: Effect, rule: Rule | None = None) -> tuple[float, float]:
    """(ln hazard ratio, standard error) left after the discount for the design of the study.

    The factor's uncertainty is added, and the sampling error is not shrunk with the effect: a worse study
    does not become a more precise one.
    """
    design = (rule or load_rule()).design(effect.study.design)
    return design.factor * effect.ln_hr, sqrt(effect.se**2 + (design.sd * effect.ln_hr) ** 2)


def published_effects(targets: dict[str, Target] | None = None) -> list[Effect]:
    """The effects of all studies of the rule. Raises InputError when a trial is not registered."""
    targets = targets or load_targets()
    effects = []
    for study in load_rule().studies:
        if study.trial not in targets:
            raise InputError(Problem("studies", f"{study.trial} is not a registered trial"), FILE.name)
        effects.append(published_effect(study, targets[study.trial]))
    return effects


def predicted_ln_hr(
    study: Study,
    target: Target,
    draws: NDArray[np.void],
    per_draw: int,
    *,
    seed: int,
    jobs: int | None = None,
) -> NDArray[np.float64]:
    """ln hazard ratio of the two arms by draw, from events over time lived; draws with few events are left
    out."""
    from metachron.calibrate.simulate import simulate_arm

    ln = np.zeros(len(draws))
    enough = np.ones(len(draws), dtype=bool)
    for sign, arm in ((1.0, study.arm), (-1.0, study.reference)):
        lives = simulate_arm(target, arm, draws, per_draw, seed=seed, jobs=jobs)
        events = np.bincount(lives.draw, lives.event[study.endpoint], len(draws))
        time = np.bincount(lives.draw, lives.days[study.endpoint], len(draws))
        enough &= events >= LEAST_EVENTS
        ln += sign * (np.log(np.maximum(events, 1.0)) - np.log(np.maximum(time, 1.0)))
    return np.asarray(ln[enough])


def band(ln_hr: float, se: float) -> str:
    """A hazard ratio with its 90 % interval, in print."""
    return f"{exp(ln_hr):.2f} ({exp(ln_hr - Z_90 * se):.2f}-{exp(ln_hr + Z_90 * se):.2f})"
