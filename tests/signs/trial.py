"""Arms on the twins of an example patient, run once and shared: a trial in which everyone gets every arm."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metachron.engine.batch import Lives, simulate
from metachron.engine.compile import compile_strategy, start_line
from metachron.engine.records import Programme
from metachron.parameters import draw_parameters
from metachron.patient.examples import read_example
from metachron.patient.schema import Patient
from metachron.plan.findings import read_findings
from metachron.plan.twins import Twins, make_twins
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.language import resolve
from metachron.strategies.schema import Strategy

TWINS, DRAWS, SEED = 1000, 20, 7
MONTH = 30.4375
UNRESECTABLE, STAGE3 = "unresectable_ras_mutant", "stage3_adjuvant"


@cache
def patient(example: str, unknown_counts: bool = False, ras: str | None = None) -> Patient:
    """An example; with its neutrophil count not recorded or another RAS state when asked."""
    found = read_example(example)
    if unknown_counts:
        labs = found.labs.model_copy(update={"neutrophils_e9_l": None})
        found = found.model_copy(update={"labs": labs})
    if ras is not None:
        found = found.model_copy(update={"markers": found.markers.model_copy(update={"ras": ras})})
    return found


@cache
def twins_of(example: str, unknown_counts: bool = False, ras: str | None = None) -> Twins:
    who = patient(example, unknown_counts, ras)
    found = read_findings(who, load_catalogue())
    return make_twins(who, found, draw_parameters(DRAWS, SEED), TWINS, SEED, start_line(who))


def strategy(text: str, first_wait: int | None = None, **changes: Any) -> Strategy:
    """A named or written strategy; `first_wait` days pass before it begins."""
    found = resolve(text, load_catalogue()).model_copy(update=changes)
    if first_wait is not None:
        first = found.steps[0].model_copy(update={"gap_days": first_wait})
        found = found.model_copy(update={"steps": [first, *found.steps[1:]]})
    return found


def programme_of(example: str, plan: Strategy, **who: Any) -> Programme:
    person = patient(example, **who)
    visible = not read_findings(person, load_catalogue()).nothing_visible
    return compile_strategy(person, plan, load_catalogue(), metastatic=visible)


def run(
    example: str,
    programme: Programme,
    *,
    years: float = 10.0,
    parameters: dict[str, float] | None = None,
    **who: Any,
) -> Lives:
    """Lives of the twins of an example; `parameters` replace those of every draw."""
    twins = twins_of(example, **who)
    draws = twins.draws.copy()
    for name, value in (parameters or {}).items():
        draws[name] = value
    return simulate(
        twins.lesions, twins.twins, draws, programme, seed=SEED, horizon_days=years * 365.25
    )  # fmt: skip


@cache
def arm(
    example: str, text: str, first_wait: int | None = None, dose_rules: str = "label", ras: str | None = None
) -> Lives:
    """Lives under a strategy as the planner would run it, without starting doses for the patient's organs."""
    plan = strategy(text, first_wait, dose_rules=dose_rules)
    return run(example, programme_of(example, plan, ras=ras), ras=ras)


def months(days: NDArray[np.float64], years: float = 10.0) -> NDArray[np.float64]:
    return np.minimum(days, years * 365.25) / MONTH


def median(days: NDArray[np.float64]) -> float:
    return float(np.median(days)) / MONTH


def hazard_ratio(treated: NDArray[np.float64], control: NDArray[np.float64], years: float) -> float:
    """Cox hazard ratio of treated over control, event days (n,) cut at `years`."""
    import pandas as pd
    from lifelines import CoxPHFitter

    days = np.concatenate([treated, control])
    table = pd.DataFrame(
        {
            "days": np.minimum(days, years * 365.25),
            "event": (days < years * 365.25).astype(int),
            "treated": np.repeat([1, 0], [treated.size, control.size]),
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside lifelines are not ours
        fit = CoxPHFitter().fit(table, "days", "event")
    return float(np.exp(fit.params_["treated"]))


def standard_error(values: NDArray[np.float64]) -> float:
    return float(values.std(ddof=1) / np.sqrt(values.size))
