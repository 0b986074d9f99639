"""The plan document: what `metachron plan --json` prints and what the report is made from.

Times are months (30.4375 days) from day 0 where people read them, days in timetables. Every number a
user may quote carries a `basis`: calibrated, prior-driven, or outside the domain of the data.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Basis = Literal["calibrated", "prior-driven", "outside"]
BASES: tuple[Basis, ...] = ("calibrated", "prior-driven", "outside")  # from the firmest
Lane = Literal[
    "surgery", "ablation", "chemotherapy", "targeted", "immunotherapy", "cells", "scans", "recovery"
]


def worst(found: Iterable[Basis]) -> Basis:
    """The weakest basis of several; calibrated when there is none."""
    return max(found, key=BASES.index, default="calibrated")


class Result(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Estimate(Result):
    """A number with its 90 % interval over parameter draws."""

    value: float | None = Field(description="None: not reached within the horizon.")
    lower: float | None = Field(None, description="5 % quantile.")
    upper: float | None = Field(None, description="95 % quantile.")


class Curve(Result):
    """Survival on a monthly grid with 90 % bands, and the figures people read from it."""

    endpoint: str = Field(description="OS, PFS, RFS or hepatic RFS.")
    times_months: list[float] = Field(description="Months from day 0.")
    survival: list[float] = Field(description="Share event-free at each month.")
    lower: list[float] = Field(description="Lower bound of the 90 % band.")
    upper: list[float] = Field(description="Upper bound of the 90 % band.")
    at_risk: dict[str, int] = Field(description="Month (as text) -> twins still at risk (of `twins`).")
    median_months: Estimate = Field(
        description="Month at which half have had the event; null when not reached."
    )
    landmarks: dict[str, Estimate] = Field(description="Year ('1', '3', '5') -> survival.")
    rmst_months: Estimate = Field(description="Mean time lived event-free up to the horizon.")
    basis: Basis = Field(description="What the curve rests on.")


class Toxicity(Result):
    """How often a side effect of planned treatment happens."""

    kind: str = Field(description="CTCAE-like term; 'any' is any kind.")
    grade: Literal["2+", "3+", "4+", "5"] = Field(description="CTCAE grade, at least.")
    probability: Estimate = Field(description="Share of twins with it during planned treatment.")
    basis: Basis = Field(description="What the number rests on.")


class Completion(Result):
    """Planned chemotherapy: share of twins who got every planned cycle, and dose intensity."""

    planned_cycles: int | None = Field(description="None when given until progression, or no chemotherapy.")
    completed: Estimate = Field(description="Share of twins given every planned cycle.")
    relative_dose_intensity: Estimate = Field(
        description="Dose given over dose planned, over the time it took."
    )
    basis: Basis = Field(description="What the numbers rest on.")


class Outcomes(Result):
    """What becomes of the twins under one strategy."""

    os: Curve = Field(description="Overall survival.")
    rfs_or_pfs: Curve = Field(description="Recurrence-free or progression-free survival; death counts.")
    hepatic_rfs: Curve = Field(description="Without progression or recurrence in the liver; death counts.")
    toxicity: list[Toxicity] = Field(description="By kind and grade, 'any' first.")
    chemotherapy_completed: Completion | None = Field(description="Null without chemotherapy.")
    best_response: dict[str, float] = Field(
        default_factory=dict, description="RECIST best response -> share of twins, when disease is measured."
    )
    no_disease_left: Estimate | None = Field(
        None, description="Share of twins in whom no tumour cell is left at the horizon (or at death)."
    )
    basis_note: str = Field("", description="What the outcomes rest on, in words.")


class Reason(Result):
    """Why a strategy is or is not eligible, or what must be known first."""

    rule: str = Field(description="Name of the eligibility rule.")
    verdict: Literal["eligible", "not eligible", "needs information"] = Field(description="Of this rule.")
    text: str = Field(description="The reason in words.")
    needs: list[str] = Field(default_factory=list, description="Patient fields to fill in.")
    citations: list[str] = Field(default_factory=list, description="Keys of the bibliography.")
    date: str = Field("", description="Year of the guidance the rule rests on.")


class Bar(Result):
    """One bar of the calendar: a window of days from day 0 over twins, not false precision."""

    lane: Lane = Field(description="Row of the calendar.")
    label: str = Field(description="What is shown.")
    start_day: float = Field(description="Median start.")
    end_day: float = Field(description="Median end.")
    start_window: tuple[float, float] = Field(description="10th and 90th percentile of the start.")
    end_window: tuple[float, float] = Field(description="10th and 90th percentile of the end.")
    share: float = Field(description="Share of twins in whom it took place.")


class DomainResult(Result):
    """Where a strategy stands in the region that the registered trials cover."""

    outside: bool = Field(description="Outside the region: shown, and neither ranked nor compared.")
    reasons: list[str] = Field(default_factory=list, description="Why it is outside.")
    settings: list[str] = Field(default_factory=list, description="Settings of trials it was judged by.")
    treatments: list[str] = Field(
        default_factory=list, description="What it gives: drug classes, matched drugs, procedures, cells."
    )
    trials: int = Field(0, description="Registered trials with an arm of the same treatments and setting.")
    patients: int = Field(0, description="Patients in those arms.")
    trials_of_parts: int = Field(0, description="Registered trials of that setting with one of them or more.")
    patients_of_parts: int = Field(0, description="Patients in those arms.")


class StrategyResult(Result):
    """One strategy: eligibility with reasons, grade of evidence, outcomes and calendar."""

    name: str = Field(description="Name in the catalogue, or the expression.")
    title: str = Field(description="As a clinician would say it.")
    summary: str = Field(description="One sentence.")
    intent: str = Field(description="curative, adjuvant, disease control or observation.")
    expression: str = Field("", description="The strategy in the composition language.")
    rules: list[str] = Field(
        default_factory=list, description="Rules that change doses and course, by title."
    )
    eligible: Literal["yes", "no", "unknown"] = Field(description="unknown: something must be known first.")
    reasons: list[Reason] = Field(
        description="Refusals first, then missing information, then what speaks for it."
    )
    evidence_grade: Literal["standard", "option", "investigational", "not supported"] = Field(
        description="In this patient's setting."
    )
    basis: Basis = Field(description="What overall and event-free survival rest on, the weaker.")
    domain: DomainResult | None = Field(None, description="Its place in the region of registered trials.")
    citations: list[str] = Field(default_factory=list, description="Keys of the bibliography.")
    outcomes: Outcomes | None = Field(None, description="Null when it was not simulated.")
    timetable: list[Bar] = Field(default_factory=list, description="Bars of the calendar.")


class Difference(Result):
    """Paired difference against the reference on the same twins, draws and coins."""

    strategy: str = Field(description="Name of the strategy.")
    reference: str = Field(description="Name of the strategy it is compared with.")
    endpoint: Literal["os", "rfs_or_pfs", "hepatic_rfs", "toxicity_grade3plus"] = Field(
        description="What is compared."
    )
    quantity: str = Field(description="In words, e.g. 'mean months alive within 5 years'.")
    unit: str = Field(description="months, or fraction.")
    difference: float = Field(description="Strategy minus reference.")
    lower: float = Field(description="5 % quantile.")
    upper: float = Field(description="95 % quantile.")
    probability_better: float = Field(description="That the strategy is the better one.")
    detectable: bool = Field(description="Posterior odds of 9 to 1 or more, either way.")
    basis: Basis = Field(description="What it rests on.")
    text: str = Field(description="One sentence, e.g. 'no detectable difference'.")
    mc_error: float = Field(
        0.0,
        description="Monte Carlo standard error given the parameter draws; shrinks with more twins.",
    )
    mc_target: float = Field(
        0.0,
        description="Largest Monte Carlo error allowed: a fraction of the half-width of the interval, or of"
        " 1 month (0.05) or a tenth of the difference if that is more.",
    )


class MonteCarlo(Result):
    """How many twins were simulated, and how large the Monte Carlo error of the differences still is."""

    twins: int = Field(description="Simulated under each strategy.")
    adaptive: bool = Field(description="The plan chose the number; false: it was asked for.")
    most_twins: int | None = Field(description="Limit of an adaptive plan.")
    fraction: float = Field(
        description="Error allowed, as a fraction of the half-width (or least scale) of each interval."
    )
    largest_error_months: float = Field(description="Of all differences in months.")
    largest_error_fraction: float = Field(description="Of all differences of fractions.")
    above_target: int = Field(description="Differences whose error is above their target.")
    stopped_by_limit: bool = Field(description="The limit came before the target.")
    text: str = Field(description="One sentence.")


class Score(Result):
    """A published prognostic score of this patient; None value when fields are missing."""

    name: str = Field(description="Name of the score.")
    value: float | None = Field(description="Null when fields are missing.")
    unit: str = Field("points", description="Unit of the value.")
    range: tuple[float, float] | None = Field(None, description="Lowest and highest value.")
    group: str = Field("", description="Published risk group.")
    items: dict[str, bool | float | None] = Field(
        default_factory=dict, description="Components, null when unknown."
    )
    missing: list[str] = Field(default_factory=list, description="Patient fields to fill in.")
    published: str = Field("", description="Published survival of this score or group, in words.")
    published_survival: dict[str, float] = Field(
        default_factory=dict, description="e.g. {'5-year OS': 0.40}; fractions."
    )
    applicable: bool = Field(True, description="The score is meant for patients like this one.")
    citations: list[str] = Field(default_factory=list, description="Keys of the bibliography.")


class TwinSummary(Result):
    """How the twins were matched to the patient."""

    requested: int = Field(description="Twins made: the number asked for, or the one the plan chose.")
    draws: int = Field(description="Parameter draws.")
    candidates: int = Field(description="Virtual patients drawn and weighed.")
    effective_sample_size: float = Field(description="Candidates the weights amount to.")
    matched_on: list[str] = Field(description="Findings used, in words.")
    occult_probability: Estimate = Field(description="Probability of at least one lesion no scan has shown.")
    occult_mean: Estimate = Field(description="Expected number of unseen lesions.")
    doubling_time_days: Estimate = Field(description="Volume doubling time of visible disease (or at 1 cm).")


class Provenance(Result):
    """Where the parameters come from."""

    source: Literal["ensemble", "prior"] = Field(
        description="ensemble: fitted jointly to trials; prior: literature values and assumption."
    )
    id: str = Field("", description="Digest of the ensemble.")
    sets: int = Field(0, description="Parameter sets in the ensemble.")
    code_version: str = Field("", description="Version of metachron that fitted it.")
    seed: int | None = Field(None, description="Seed of the fit.")
    trials: list[str] = Field(default_factory=list, description="Registered trials fitted.")
    calibrated: list[str] = Field(default_factory=list, description="Parameters that the data pin.")


class Citation(Result):
    """One entry of the bibliography of this run."""

    key: str = Field(description="Key used in the document.")
    text: str = Field(description="The reference.")
    link: str = Field("", description="DOI, PubMed or other address.")
    status: Literal["read", "recalled"] = Field("read", description="recalled: still to be checked.")


class Plan(Result):
    """The whole answer for one patient."""

    schema_name: Literal["metachron-plan/1"] = Field("metachron-plan/1", description="Version of this form.")
    version: str = Field(description="Of metachron.")
    seed: int = Field(description="Of all random streams.")
    settings: dict[str, Any] = Field(description="twins or else mc_error; draws; horizon_years.")
    disclaimer: str = Field(description="Research software, not a medical device.")
    parameters_status: str = Field(description="Whether the parameters are fitted.")
    provenance: Provenance = Field(Provenance(source="prior"), description="Where the parameters come from.")
    outside: list[str] = Field(
        default_factory=list,
        description="Why the patient lies outside the region of registered trials; then nothing is ranked.",
    )
    patient: dict[str, Any] = Field(description="The record as read.")
    scores: list[Score] = Field(description="Published prognostic scores.")
    situation: str = Field(description="In words, e.g. 'resectable liver metastases'.")
    reference: str = Field(description="Name of the strategy others are compared with.")
    twins: TwinSummary = Field(description="How the twins were made.")
    strategies: list[StrategyResult] = Field(description="All strategies listed, also the refused.")
    comparison: list[Difference] = Field(description="Paired differences from the reference.")
    monte_carlo: MonteCarlo | None = Field(None, description="Twins used, and the error they leave.")
    not_ranked: list[str] = Field(
        default_factory=list,
        description="Strategies shown but not ranked: no evidence beyond the prior, or outside the region of"
        " the data.",
    )
    bibliography: list[Citation] = Field(description="Every source of this run.")
    limits: list[str] = Field(description="What the result does not cover.")
