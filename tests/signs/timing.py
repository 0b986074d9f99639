"""Pairs of arms that differ in timing only: same twins, same draws, same coins.

Two laws of the parameters: the prior and the ensemble that ships. A sign is asked of the mean difference per
twin and of its standard error over parameter draws, which are what the twins of one draw share.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import trial
from numpy.typing import NDArray

from metachron.engine.batch import Lives, simulate
from metachron.engine.compile import start_line
from metachron.engine.records import GIVE_CELLS, SYSTEMIC, Programme
from metachron.engine.trace import trace
from metachron.parameters import draw_parameters
from metachron.plan.findings import read_findings
from metachron.plan.twins import Twins, make_twins
from metachron.strategies.catalogue import load_catalogue

SEED = 11
YEAR = 365.25
PRIOR, ENSEMBLE = "prior", "ensemble"
LAWS = (PRIOR, ENSEMBLE)
TWINS, DRAWS = 2000, 100
FLAT = 1.2  # months of ten years, a hundredth of them
Floats = NDArray[np.float64]
# Cells that act, with the half-life of the product and no help from chemotherapy but room
ACTING = {"cell_effect_real": 1.0, "cell_half_life_factor": 1.0}
DEPLETING = 0.5  # share of lymphocytes killed in a cycle above which a regimen is there to make room


@cache
def twins_of(example: str, law: str, n: int = TWINS, draws: int = DRAWS, ras: str | None = None) -> Twins:
    """`n` twins of an example on `draws` draws of a law of the parameters."""
    who = trial.patient(example, ras=ras)
    found = read_findings(who, load_catalogue())
    law_draws = draw_parameters(draws, SEED, prior=law == PRIOR)
    return possible(make_twins(who, found, law_draws, n, SEED, start_line(who)))


def possible(twins: Twins) -> Twins:
    """Those that the engine accepts: the prior of growth has a tail beyond doubling in a day."""
    kept = (twins.twins["growth"] < 1.0) & (twins.lesions["x"].max(1) < 33.0)
    return replace(
        twins, twins=twins.twins[kept], lesions=twins.lesions[kept], source=twins.source[kept]
    )  # fmt: skip


def programme(example: str, text: str, ras: str | None = None, **changes: Any) -> Programme:
    """A strategy compiled for an example; `changes`: fields of the strategy, `gaps` (days) of its steps."""
    gaps = changes.pop("gaps", {})
    plan = trial.strategy(text, **changes)
    steps = [s.model_copy(update={"gap_days": gaps[i]}) if i in gaps else s for i, s in enumerate(plan.steps)]
    return trial.programme_of(example, plan.model_copy(update={"steps": steps}), ras=ras)


def live(
    twins: Twins,
    plan: Programme,
    *,
    years: float = 10.0,
    growth: float = 1.0,
    parameters: dict[str, float] | None = None,
) -> Lives:
    """Lives of the twins; `growth` multiplies every growth rate, `parameters` replace those of all draws."""
    people = twins.twins.copy()
    people["growth"] = np.minimum(
        growth * people["growth"], 1.0
    )  # the prior has a tail that the engine refuses
    draws = replaced(twins, parameters or {})
    return simulate(twins.lesions, people, draws, plan, seed=SEED, horizon_days=years * YEAR)


def replaced(twins: Twins, parameters: dict[str, float]) -> NDArray[np.void]:
    """The draws of the twins with some parameters set."""
    draws = twins.draws.copy()
    for name, value in parameters.items():
        draws[name] = value
    return draws


@dataclass(frozen=True)
class Gain:
    """Mean of a difference per twin and its standard error over parameter draws."""

    mean: float
    error: float

    @property
    def sure(self) -> bool:
        """Above nought by more than two standard errors."""
        return self.mean > 2.0 * self.error

    def __str__(self) -> str:
        return f"{self.mean:+.2f} ({self.error:.2f})"


def gain(twins: Twins, values: Floats, of: NDArray[np.bool_] | None = None) -> Gain:
    """Mean of `values` (n,), of some of the twins if asked; its error is from the means of the draws."""
    draw = twins.twins["draw"] if of is None else twins.twins["draw"][of]
    values = values if of is None else values[of]
    found, where = np.unique(draw, return_inverse=True)
    weights = np.bincount(where) / draw.size
    means = np.bincount(where, values) / np.bincount(where)
    mean = float(values.mean())
    spread = np.sum(weights**2 * (means - mean) ** 2) * found.size / (found.size - 1)
    return Gain(mean, float(np.sqrt(spread)))


def months(lives: Lives, field: str, years: float = 10.0) -> Floats:
    """Event-free months of each twin (n,), cut at `years`."""
    return np.asarray(np.minimum(lives.outcomes[field], years * YEAR) / trial.MONTH)


def better(twins: Twins, arm: Lives, against: Lives, field: str, years: float = 10.0) -> Gain:
    """Months gained by the first arm over the second up to `years`; `cure`: share with no cell left."""
    if field == "cure":
        return gain(twins, arm.outcomes["no_cells"].astype(float) - against.outcomes["no_cells"])
    return gain(twins, months(arm, field, years) - months(against, field, years))


def cells(plan: Programme, *, half_life: float | None = None, interval: int | None = None) -> Programme:
    """The programme with another half-life of infused cells, and another interval of cells alone."""
    admins, segments = plan.admins.copy(), plan.segments.copy()
    given = admins["what"] == GIVE_CELLS
    if half_life is not None:
        admins["half_life"][given] = half_life
    for segment in segments:
        inside = slice(segment["admin_from"], segment["admin_to"])
        alone = segment["kind"] == SYSTEMIC and given[inside].any() and not segment["cytotoxic"]
        if interval is not None and alone:
            segment["cycle_days"] = interval
    return plan._replace(admins=admins, segments=segments)


def depleting(plan: Programme, strength: float) -> Programme:
    """The programme with lymphodepletion `strength` times as hard, which spares neutrophils."""
    segments = plan.segments.copy()
    hard = segments["lymph"] > DEPLETING
    segments["lymph"][hard] = 1.0 - (1.0 - segments["lymph"][hard]) ** strength
    segments["marrow"][hard] = 0.0
    return plan._replace(segments=segments)


# A body whose lesion neither grows nor dies, so that nothing but treatment happens to infused cells
STILL = {
    "kappa_fp": 0.0, "kappa_ox": 0.0, "cell_kill": 0.0, "death_intercept": -40.0,
    "stop_per_cycle": 0.0, "cell_half_life_factor": 1.0,
}  # fmt: skip


def exposure(plan: Programme, parameters: dict[str, float], days: float = 700.0) -> float:
    """Area under infused cells (cells x days) in a stage III twin to whom nothing else happens."""
    twins = twins_of("stage3_adjuvant", PRIOR, 200, 20)
    people = twins.twins.copy()
    people["growth"] *= 1e-3
    draws = replaced(twins, {**STILL, **parameters})
    for twin in range(twins.size):
        if twins.twins["n_lesions"][twin] == 0:
            continue
        rows = trace(
            twins.lesions, people, draws, plan, seed=SEED, horizon_days=days, twin=twin, step_scale=0.1
        )  # fmt: skip
        if rows["t"][-1] >= days:
            return float((rows["cells"][1:] * np.diff(rows["t"])).sum())
    raise AssertionError("every twin died")
