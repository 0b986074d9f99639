"""Predictions beside what happened: for each patient, and for the cohort as a whole. Nothing is fitted."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from scipy.stats import norm

from metachron.calibrate.individual_score import calibration_slope, integrated_brier
from metachron.interop.column_map import Endpoint
from metachron.interop.outcomes import ENDPOINTS, Outcome
from metachron.interop.survival import (
    LEVEL,
    Bools,
    Floats,
    KaplanMeier,
    events_interval,
    expected_events,
    harrell_c,
    kaplan_meier,
)
from metachron.patient.derive import DAYS_PER_MONTH
from metachron.plan.results import Curve, Outcomes, Plan, StrategyResult

LANDMARKS = (12, 36, 60)
TITLES: dict[Endpoint, str] = {
    "os": "overall survival",
    "rfs": "recurrence-free survival",
    "hepatic_rfs": "survival without liver recurrence",
}
_CURVES: dict[Endpoint, str] = {"os": "os", "rfs": "rfs_or_pfs", "hepatic_rfs": "hepatic_rfs"}


class Shown(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Interval(Shown):
    value: float
    lower: float
    upper: float


class Prediction(Shown):
    """One endpoint of one patient: predicted from the operation on, and what was observed."""

    survival: dict[str, Interval] = Field(description="Month -> predicted survival with its 90 % band.")
    mean_months: float = Field(description="Predicted mean time within the horizon; ranks the patients.")
    observed_months: float | None
    observed_event: bool | None


class PatientRow(Shown):
    id: str
    strategy: str
    eligible: str
    operation_day: float | None = Field(description="Median day of the operation in the plan.")
    endpoints: dict[Endpoint, Prediction]


class Landmark(Shown):
    month: int
    predicted: Interval
    observed: Interval | None = Field(description="Kaplan-Meier; None after the last follow-up.")
    difference: float | None = Field(description="Predicted minus observed, as a fraction.")
    at_risk: int


class EndpointSummary(Shown):
    endpoint: Endpoint
    title: str
    patients: int
    events: int
    expected_events: float
    ratio: Interval | None = Field(description="Observed over expected events; exact Poisson interval.")
    concordance: Interval | None = Field(description="Harrell's C; 0.5 is no better than a coin.")
    comparable_pairs: int
    integrated_brier: float | None = Field(
        description="Weighted for censoring, to `brier_months`; low is good."
    )
    brier_of_kaplan_meier: float | None = Field(description="The same for one curve for everyone.")
    brier_months: float
    calibration_slope: Interval | None = Field(
        description="Of ln(-ln S) predicted at `brier_months`; 1 when right, below 1 when too extreme."
    )
    landmarks: list[Landmark]
    months: list[float]
    predicted: list[float] = Field(description="Mean over patients, on `months`.")
    predicted_lower: list[float]
    predicted_upper: list[float]
    observed_months: list[float] = Field(description="Times of the Kaplan-Meier steps.")
    observed_until: float = Field(description="End of the longest follow-up (months).")
    observed: list[float]
    observed_lower: list[float]
    observed_upper: list[float]


class CohortComparison(Shown):
    schema_name: Literal["metachron-cohort/1"] = "metachron-cohort/1"
    version: str
    seed: int
    settings: dict[str, Any]
    disclaimer: str
    parameters_status: str
    strategies: dict[str, int] = Field(description="Strategy -> patients planned under it.")
    patients: list[PatientRow]
    summaries: list[EndpointSummary]
    not_planned: dict[str, str] = Field(description="Patient -> why there is no prediction.")
    notes: list[str]


class Predicted:
    """The curves of one patient under one strategy, counted from the operation."""

    def __init__(self, outcomes: Outcomes, operation_day: float | None) -> None:
        # whole months of a plan before the operation, for instance of chemotherapy
        self.wait = int((operation_day or 0.0) // DAYS_PER_MONTH)
        self.curves: dict[Endpoint, Curve] = {e: getattr(outcomes, _CURVES[e]) for e in ENDPOINTS}

    def on(self, endpoint: Endpoint, months: Floats) -> tuple[Floats, Floats, Floats]:
        """Survival, lower and upper at months since the operation, given that it was reached."""
        curve = self.curves[endpoint]
        grid = np.asarray(curve.times_months)
        reached = max(float(np.interp(self.wait, grid, curve.survival)), 1e-9)
        at = months + self.wait
        lines = (np.interp(at, grid, line) / reached for line in (curve.survival, curve.lower, curve.upper))
        value, lower, upper = (np.clip(line, 0.0, 1.0) for line in lines)
        return value, lower, upper

    def months(self, endpoint: Endpoint) -> Floats:
        """The months since the operation that the curve covers."""
        grid = np.asarray(self.curves[endpoint].times_months, dtype=float)
        return grid[grid >= self.wait] - self.wait

    def mean_months(self, endpoint: Endpoint, until: float) -> float:
        """Area under the curve from the operation up to `until` months."""
        months = np.append(np.arange(0.0, until, 0.5), until)
        return float(np.trapezoid(self.on(endpoint, months)[0], months))


def operation_day(result: StrategyResult) -> float | None:
    """Median day of the first operation of a strategy; None when it has none."""
    days = [bar.start_day for bar in result.timetable if bar.lane in ("surgery", "ablation")]
    return min(days, default=None)


def result_of(plan: Plan, name: str) -> StrategyResult | None:
    """The strategy of that name in a plan, however the plan wrote it."""
    named = [s for s in plan.strategies if name in (s.name, s.expression)]
    return named[0] if named else None


def patient_row(id_: str, result: StrategyResult, predicted: Predicted, outcome: Outcome) -> PatientRow:
    """One patient: predicted at one, three and five years, and what was observed."""
    endpoints: dict[Endpoint, Prediction] = {}
    for endpoint in ENDPOINTS:
        covered = predicted.months(endpoint)[-1]
        marks = [month for month in LANDMARKS if month <= covered]
        lines = predicted.on(endpoint, np.asarray(marks, dtype=float))
        seen = outcome.observed.get(endpoint)
        endpoints[endpoint] = Prediction(
            survival={str(m): _interval(*(line[i] for line in lines)) for i, m in enumerate(marks)},
            mean_months=predicted.mean_months(endpoint, covered),
            observed_months=seen.months if seen else None,
            observed_event=seen.event if seen else None,
        )
    return PatientRow(
        id=id_,
        strategy=result.name,
        eligible=result.eligible,
        operation_day=operation_day(result),
        endpoints=endpoints,
    )


def summarise(endpoint: Endpoint, pairs: list[tuple[Predicted, Outcome]]) -> EndpointSummary | None:
    """All patients with this endpoint: mean prediction against Kaplan-Meier, ranks, and numbers of events."""
    kept = [(p, o.observed[endpoint]) for p, o in pairs if endpoint in o.observed]
    if not kept:
        return None
    times = np.array([seen.months for _, seen in kept])
    event = np.array([seen.event for _, seen in kept])
    covered = min(float(p.months(endpoint)[-1]) for p, _ in kept)
    months = np.arange(0.0, covered + 1e-9, 1.0)
    value, lower, upper = (np.mean(line, axis=0) for line in _stack(endpoint, kept, months))
    km = kaplan_meier(times, event)
    marks = [_landmark(m, months, (value, lower, upper), km, times) for m in LANDMARKS if m <= covered]
    return EndpointSummary(
        endpoint=endpoint,
        title=TITLES[endpoint],
        patients=len(kept),
        **_scores(endpoint, [p for p, _ in kept], times, event, covered),
        landmarks=marks,
        months=months.tolist(),
        predicted=value.tolist(),
        predicted_lower=lower.tolist(),
        predicted_upper=upper.tolist(),
        observed_months=km.times.tolist(),
        observed_until=km.last,
        observed=km.survival.tolist(),
        observed_lower=km.lower.tolist(),
        observed_upper=km.upper.tolist(),
    )


def _scores(
    endpoint: Endpoint, predicted: list[Predicted], times: Floats, event: Bools, covered: float
) -> dict[str, Any]:
    """Numbers of events and ranks. Nothing is predicted beyond the horizon, so follow-up ends there."""
    inside, ends = event & (times <= covered), np.minimum(times, covered)
    at_end = [p.on(endpoint, np.array([t]))[0][0] for p, t in zip(predicted, ends, strict=True)]
    expected, events = expected_events(np.array(at_end)), int(inside.sum())
    c = harrell_c(ends, inside, np.array([p.mean_months(endpoint, covered) for p in predicted]))
    low, high = events_interval(events)
    return {
        **_squared_error(endpoint, predicted, ends, inside, covered),
        "events": events,
        "expected_events": expected,
        "ratio": _interval(events / expected, low / expected, high / expected) if expected > 0 else None,
        "concordance": _interval(*c[:3]) if c else None,
        "comparable_pairs": c[3] if c else 0,
    }


def _squared_error(
    endpoint: Endpoint, predicted: list[Predicted], times: Floats, event: Bools, covered: float
) -> dict[str, Any]:
    """Integrated Brier score and slope of calibration, up to five years or as far as anything is known."""
    until = float(min(LANDMARKS[-1], covered, np.floor(times.max(initial=0.0))))
    names = ("integrated_brier", "brier_of_kaplan_meier", "calibration_slope")
    nothing: dict[str, Any] = dict.fromkeys(names) | {"brier_months": until}
    if until < 1 or not event.any():
        return nothing
    months = np.linspace(0.0, until, max(2, int(until) + 1))
    curves = np.stack([p.on(endpoint, months)[0] for p in predicted])
    km = kaplan_meier(times, event)
    alike = np.tile([1.0 if (seen := km.at(m)) is None else seen[0] for m in months], (len(predicted), 1))
    ends, inside = np.minimum(times, until), event & (times <= until)
    slope, error = calibration_slope(ends, inside, curves[:, -1])
    half = float(norm.ppf(0.5 + LEVEL / 2)) * error
    return {
        "integrated_brier": integrated_brier(times, event, curves, months),
        "brier_of_kaplan_meier": integrated_brier(times, event, alike, months),
        "brier_months": until,
        "calibration_slope": _interval(slope, slope - half, slope + half) if np.isfinite(half) else None,
    }


def _stack(endpoint: Endpoint, kept: list[Any], months: Floats) -> tuple[Floats, Floats, Floats]:
    """Curves of all patients, shape (patients, months). The draws are shared, so bands are averaged as they
    are: what the parameters leave open does not cancel between patients."""
    lines = [predicted.on(endpoint, months) for predicted, _ in kept]
    value, lower, upper = (np.stack(line) for line in zip(*lines, strict=True))
    return value, lower, upper


def _landmark(
    month: int, months: Floats, lines: tuple[Floats, Floats, Floats], km: KaplanMeier, times: Floats
) -> Landmark:
    predicted = _interval(*(np.interp(month, months, line) for line in lines))
    seen = km.at(month)
    return Landmark(
        month=month,
        predicted=predicted,
        observed=_interval(*seen) if seen else None,
        difference=predicted.value - seen[0] if seen else None,
        at_risk=int(np.sum(times >= month)),
    )


def _interval(value: Any, lower: Any, upper: Any) -> Interval:
    return Interval(value=float(value), lower=float(lower), upper=float(upper))
