"""The plan document: what `metachron plan --json` prints and what the report is made from.

Times are months (30.4375 days) from day 0 where people read them, days in timetables. Every number a
user may quote carries a `basis`: calibrated, prior-driven, or outside the domain of the data.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Basis = Literal["calibrated", "prior-driven", "outside"]


class Result(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Estimate(Result):
    """A number with its 90 % interval over parameter draws."""

    value: float | None = Field(description="None: not reached within the horizon.")
    lower: float | None = None
    upper: float | None = None


class Curve(Result):
    """Survival on a monthly grid with 90 % bands, and the figures people read from it."""

    endpoint: str = Field(description="OS, PFS, RFS or hepatic RFS.")
    times_months: list[float]
    survival: list[float]
    lower: list[float]
    upper: list[float]
    at_risk: dict[str, int] = Field(description="Month (as text) -> twins still at risk (of `twins`).")
    median_months: Estimate
    landmarks: dict[str, Estimate] = Field(description="Year ('1', '3', '5') -> survival.")
    rmst_months: Estimate = Field(description="Mean time lived event-free up to the horizon.")
    basis: Basis


class Toxicity(Result):
    kind: str
    grade: Literal["2+", "3+", "4+", "5"]
    probability: Estimate
    basis: Basis


class Completion(Result):
    """Planned chemotherapy: share of twins who got every planned cycle, and dose intensity."""

    planned_cycles: int | None = Field(description="None when given until progression, or no chemotherapy.")
    completed: Estimate
    relative_dose_intensity: Estimate
    basis: Basis


class Outcomes(Result):
    os: Curve
    rfs_or_pfs: Curve
    hepatic_rfs: Curve
    toxicity: list[Toxicity]
    chemotherapy_completed: Completion | None
    best_response: dict[str, float] = Field(
        default_factory=dict, description="RECIST best response -> share of twins, when disease is measured."
    )
    no_disease_left: Estimate | None = Field(
        None, description="Share of twins in whom no tumour cell is left at the horizon (or at death)."
    )
    basis_note: str = ""


class Reason(Result):
    """Why a strategy is or is not eligible, or what must be known first."""

    rule: str
    verdict: Literal["eligible", "not eligible", "needs information"]
    text: str
    needs: list[str] = Field(default_factory=list, description="Patient fields to fill in.")
    citations: list[str] = Field(default_factory=list)
    date: str = Field("", description="Year of the guidance the rule rests on.")


class Bar(Result):
    """One bar of the calendar: a window of days from day 0 over twins, not false precision."""

    lane: Literal[
        "surgery", "ablation", "chemotherapy", "targeted", "immunotherapy", "cells", "scans", "recovery"
    ]
    label: str
    start_day: float = Field(description="Median start.")
    end_day: float = Field(description="Median end.")
    start_window: tuple[float, float] = Field(description="10th and 90th percentile of the start.")
    end_window: tuple[float, float]
    share: float = Field(description="Share of twins in whom it took place.")


class StrategyResult(Result):
    name: str
    title: str
    summary: str
    intent: str
    expression: str = Field("", description="The strategy in the composition language.")
    eligible: Literal["yes", "no", "unknown"]
    reasons: list[Reason]
    evidence_grade: Literal["standard", "option", "investigational", "not supported"]
    basis: Basis
    citations: list[str] = Field(default_factory=list)
    outcomes: Outcomes | None = None
    timetable: list[Bar] = Field(default_factory=list)


class Difference(Result):
    """Paired difference against the reference on the same twins, draws and coins."""

    strategy: str
    reference: str
    endpoint: Literal["os", "rfs_or_pfs", "hepatic_rfs", "toxicity_grade3plus"]
    quantity: str = Field(description="In words, e.g. 'mean months alive within 5 years'.")
    unit: str
    difference: float
    lower: float
    upper: float
    probability_better: float
    detectable: bool
    basis: Basis
    text: str = Field(description="One sentence, e.g. 'no detectable difference'.")


class Score(Result):
    """A published prognostic score of this patient; None value when fields are missing."""

    name: str
    value: float | None
    unit: str = "points"
    range: tuple[float, float] | None = None
    group: str = ""
    items: dict[str, bool | float | None] = Field(default_factory=dict)
    missing: list[str] = Field(default_factory=list)
    published: str = Field("", description="Published survival of this score or group, in words.")
    published_survival: dict[str, float] = Field(
        default_factory=dict, description="e.g. {'5-year OS': 0.40}; fractions."
    )
    applicable: bool = True
    citations: list[str] = Field(default_factory=list)


class TwinSummary(Result):
    requested: int
    draws: int
    candidates: int
    effective_sample_size: float
    matched_on: list[str] = Field(description="Findings used, in words.")
    occult_probability: Estimate = Field(description="Probability of at least one lesion no scan has shown.")
    occult_mean: Estimate = Field(description="Expected number of unseen lesions.")
    doubling_time_days: Estimate = Field(description="Volume doubling time of visible disease (or at 1 cm).")


class Citation(Result):
    key: str
    text: str
    link: str = ""
    status: Literal["read", "recalled"] = "read"


class Plan(Result):
    schema_name: Literal["metachron-plan/1"] = "metachron-plan/1"
    version: str
    seed: int
    settings: dict[str, Any] = Field(description="twins, draws, horizon_years.")
    disclaimer: str
    parameters_status: str
    patient: dict[str, Any]
    scores: list[Score]
    situation: str = Field(description="In words, e.g. 'resectable liver metastases'.")
    reference: str
    twins: TwinSummary
    strategies: list[StrategyResult]
    comparison: list[Difference]
    not_ranked: list[str] = Field(
        default_factory=list, description="Strategies shown but not ranked (no evidence beyond the prior)."
    )
    bibliography: list[Citation]
    limits: list[str]
