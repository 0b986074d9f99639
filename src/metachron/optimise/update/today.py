"""Twins today, and every strategy from today on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from metachron.engine.compile import start_line
from metachron.engine.records import OCCULT, VISIBLE
from metachron.model.growth import CELLS_PER_ML
from metachron.optimise.update.course import Given
from metachron.optimise.update.finding import Finding
from metachron.optimise.update.walk import (
    AS_FOUND,
    GONE,
    IN_SIGHT,
    LN_CELLS,
    LOOKED,
    NOT_LOOKED,
    VOLUME_ML,
    Past,
    live_on,
)
from metachron.optimise.update.weigh import People
from metachron.patient.schema import Patient, Response
from metachron.plan.arms import Arm, Progress
from metachron.plan.twins import Twins
from metachron.population.lesions import ct_limit
from metachron.population.nature import MEAN_ECOG
from metachron.strategies.catalogue import Catalogue, plain_name
from metachron.strategies.schema import Strategy

ADJUVANT_DAYS = 168  # six months of adjuvant treatment, as in the catalogue's named strategies


@dataclass(frozen=True)
class Group:
    """People today: the twins of a plan, the twins as they were, and how today is seen."""

    people: People
    twins: Twins
    mode: int


def group(
    people: People, draws: NDArray[np.void], candidates: int, matched_on: list[str], mode: int, years: float
) -> Group:
    """The twins of a plan from today. `mode`: AS_FOUND, LOOKED or NOT_LOOKED."""
    now = people.twins.copy()
    now["key"] = np.arange(now.size)
    now["age"] = now["age"] + years
    lesions = _lesions_today(people, mode)
    twins = Twins(now, lesions, draws, people.source, candidates, min(people.ess, candidates), matched_on)
    return Group(people, twins, mode)


def _lesions_today(people: People, mode: int) -> NDArray[np.void]:
    """LESION records (n, columns) as they are today: what is in sight, what is not, what has died out."""
    last = people.walked.sizes[:, -1]
    found = people.lesions.copy()
    seen = last[..., IN_SIGHT] > 0
    if mode == AS_FOUND:
        seen |= people.shown > 0
    elif mode == LOOKED:
        ln = np.log(np.maximum(last[..., VOLUME_ML].astype(float) * CELLS_PER_ML, 1.0))
        seen |= ln > ct_limit() + found["offset"]
    alive = last[..., LN_CELLS] > GONE
    found["x"] = np.where(alive, last[..., LN_CELLS], 0.0)
    found["status"] = np.where(alive, np.where(seen, VISIBLE, OCCULT), 0)
    return found


def known_now(group: Group, patient: Patient, updated: Patient) -> None:
    """Write what is now known of the body into the twins of today, in place."""
    now, d = group.twins.twins, group.twins.draws[group.twins.twins["draw"]]
    now["nerve_grade"] = updated.neuropathy_grade or 0
    if updated.ecog is not None and updated.ecog != patient.ecog:
        before = MEAN_ECOG if patient.ecog is None else float(patient.ecog)
        now["ln_frailty"] += d["death_ecog"] * (updated.ecog - before)


def sight(findings: list[Finding]) -> tuple[int, int]:
    """How the day is seen by twins (before, after) the findings: a scan that lists what is new, or none."""
    scans = [f.scan for f in findings if f.scan is not None and f.scan.new_lesions is not None]
    return (LOOKED, AS_FOUND) if scans else (NOT_LOOKED, NOT_LOOKED)


def run_arms_on(
    arms: list[Arm],
    group: Group,
    past: Past,
    *,
    seed: int,
    horizon_days: float,
    jobs: int | None,
    say: Progress,
    words: str,
) -> None:
    """Simulate each arm from today on the same twins with the same coins."""
    p, twins = group.people, group.twins
    for i, arm in enumerate(arms):
        say(f"simulating {twins.size:,} twins {words}: {arm.strategy.title}", i / len(arms))
        assert arm.programme is not None
        arm.lives = live_on(
            p.lesions, p.twins, twins.twins, twins.draws, past, arm.programme, p.shown, group.mode,
            seed=seed, horizon_days=horizon_days, jobs=jobs,
        )  # fmt: skip


def bare(arms: list[Arm]) -> list[Arm]:
    """The same arms without lives."""
    return [replace(arm, lives=None) for arm in arms]


def going_on(
    courses: list[Given], findings: list[Finding], answer: str | None, catalogue: Catalogue
) -> str | None:
    """Expression of the course that goes on today, to be continued; None when there is none or it failed."""
    last = next((c for c in reversed(courses) if c.cycle_days), None)
    if last is None or answer == Response.PD.value or not last.words.endswith("going on"):
        return None
    if any(p.date > findings[-1].date for f in findings for p in f.local_therapy):
        return None
    parts = [part.split("*")[0] for part in last.expression.split(" + ")]
    names = [p for p in parts if plain_name(p) in catalogue.regimens]
    if not names:
        return None
    if last.line:
        return " + ".join(names)
    left = ADJUVANT_DAYS // last.cycle_days - last.cycles
    return " + ".join([f"{names[0]}*{left}", *names[1:]]) if left > 0 else None


def number_lines(
    arms: list[Arm], updated: Patient, courses: list[Given], answer: str | None, catalogue: Catalogue
) -> None:
    """Lines of treatment of compiled arms, counted by courses and not by entries of the record, in place.

    Drugs given together are one line, and going on with drugs that have not failed is no new one.
    """
    lines = [c.line for c in courses if c.line]
    counted = start_line(updated)
    surplus = counted - max(lines) if lines else 0
    last = next((c for c in reversed(courses) if c.line), None)
    for arm in arms:
        assert arm.programme is not None
        same = last is not None and answer != Response.PD.value and _same(arm.strategy, last, catalogue)
        line = arm.programme.segments["line"]
        line[line > 0] = np.maximum(line[line > 0] - surplus - int(same), 1)


def _same(strategy: Strategy, last: Given, catalogue: Catalogue) -> bool:
    """Does the strategy begin with drugs of the last course only?"""
    first = next((step for step in strategy.steps if step.regimens), None)
    if first is None:
        return False
    names = [part.split("*")[0] for part in last.expression.split(" + ")]
    then = set().union(*(catalogue.effects_of(n) for n in names if n in catalogue.regimens))
    now = set().union(*(catalogue.effects_of(n) for n in first.regimens))
    return now <= then
