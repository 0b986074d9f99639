"""The validation document: what `metachron validate --json` prints and the report shows.

Survival and errors are fractions (0.03 is three percentage points), times are months, intervals are 90 %
unless said. The same document is the source of the terminal's tables, the report and docs/validation.md.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """Common behaviour of the parts."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class LandmarkScore(Part):
    """Survival at one month of a curve."""

    months: float
    predicted: float
    low: float = Field(description="Of the 90 % interval of what a trial of this size would show.")
    high: float
    observed: float
    at_risk: int
    error: float = Field(description="Predicted minus observed.")
    covered: bool


class Restricted(Part):
    """Restricted mean time to the end of the scored span."""

    predicted: float
    observed: float
    difference: float = Field(description="Predicted minus observed.")
    low: float = Field(description="Of the difference, over parameter draws.")
    high: float


class MedianScore(Part):
    """Median times; null when a curve stays above one half."""

    predicted: float | None
    observed: float | None
    ratio: float | None = Field(description="Predicted over observed.")


class Baseline(Part):
    """A prediction without a model, over the same curve."""

    what: str
    error: float = Field(description="Integrated absolute error over `months`.")
    months: float = Field(description="Span compared: the curve's, or as far as the baseline goes.")
    model_error: float = Field(description="The model's over the same span.")


class RatioScore(Part):
    """A hazard ratio of two arms, predicted and observed."""

    trial: str
    setting: str
    endpoint: str
    arm: str
    reference: str
    figure: str
    predicted: float | None
    predicted_low: float | None = Field(description="90 %, over parameter draws.")
    predicted_high: float | None
    observed: float | None
    observed_low: float | None = Field(description="95 %.")
    observed_high: float | None
    p: float | None
    observed_from: Literal["individual times", "registered grid", "publication"]
    published: float | None = Field(None, description="Hazard ratio of the publication, where registered.")
    scored: bool
    reason: str = Field("", description="Why it is not scored.")
    direction_right: bool | None
    in_sample: bool


class CurvePoints(Part):
    """Points of the curves, for figures: prediction with its band, and what was observed."""

    months: list[float]
    predicted: list[float]
    low: list[float] = Field(description="90 % over parameter draws and deviations of a new trial.")
    high: list[float]
    observed: list[float]
    at_risk: list[int]


class CurveScore(Part):
    """One observed curve against its prediction."""

    trial: str
    figure: str
    endpoint: str
    arm: str
    arm_title: str
    setting: str
    n: int
    events: int
    observed_from: Literal["individual times", "registered grid"]
    stratum: bool = Field(description="A small stratum of a trial whose single patients are registered.")
    use: Literal["fit", "shown"] = Field(description="shown: scored, but in no mean.")
    reason: str = Field(description="Why it is only shown.")
    in_sample: bool = Field(description="The parameters were fitted to this curve.")
    until_months: float = Field(description="Scored span: to the last month with at least 10 at risk.")
    integrated_absolute_error: float = Field(description="Mean |predicted - observed| over the span.")
    sampling_error: float = Field(description="What the true curve would score, by sampling alone.")
    landmarks: list[LandmarkScore]
    landmark_errors: dict[str, float] = Field(description="Signed error by month.")
    coverage_90: float | None = Field(description="Share of the landmarks inside their interval.")
    rmst: Restricted
    rmst_difference_months: float
    median: MedianScore
    hazard_ratio: RatioScore | None = Field(
        description="Against the reference arm; null for that arm itself."
    )
    nearest_trial: Baseline | None
    pooled_weibull: Baseline | None
    curve: CurvePoints


class PointScore(Part):
    """A published figure without a curve: survival at a month, median time, or response rate."""

    trial: str
    arm: str
    setting: str
    kind: Literal["survival", "median", "response"]
    endpoint: str
    months: float | None
    observed: float
    observed_low: float | None = Field(description="Published, 95 %.")
    observed_high: float | None
    n: int
    predicted: float | None = Field(description="Null: a median not reached.")
    low: float | None = Field(description="90 %: parameters and, but for medians, a trial of this size.")
    high: float | None
    error: float | None
    covered: bool | None
    use: Literal["fit", "shown"]
    reason: str
    in_sample: bool


class Group(Part):
    """Mean errors over a group of curves, the baselines over those that have one."""

    curves: int
    mean_absolute_error: float | None
    nearest_trial_error: float | None
    pooled_weibull_error: float | None


class Summary(Part):
    """The figures by which the model is judged; over the curves used for scoring."""

    trials: int
    curves: int
    patients: int = Field(description="Patients of these curves, each arm once.")
    mean_absolute_error: float | None = Field(description="Mean of the integrated absolute errors.")
    sampling_error: float | None = Field(description="The mean that the true curves would score.")
    nearest_trial_error: float | None
    nearest_trial_curves: int
    model_error_where_nearest: float | None = Field(description="The model's on those curves and spans.")
    pooled_weibull_error: float | None
    pooled_weibull_curves: int
    model_error_where_weibull: float | None
    coverage_90: float | None = Field(description="Share of landmarks inside their 90 % interval.")
    landmarks: int
    direction_right: int = Field(description="Contrasts whose direction was predicted.")
    contrasts: int
    direction_right_share: float | None
    direction_expected_share: float | None = Field(
        description="What predicted hazard ratios that are the truth would get, by sampling alone."
    )
    direction_right_significant: int = Field(description="The same of contrasts observed with p < 0.05.")
    contrasts_significant: int
    mean_absolute_rmst_difference_months: float | None
    points_coverage_90: float | None = Field(description="Of published points without a curve.")
    points: int
    fitted: Group = Field(description="Curves that the parameters were fitted to.")
    new: Group = Field(description="Curves that they were not fitted to.")
    shown: Group = Field(description="Curves that are only shown.")
    without_strata: Group = Field(description="Published arms alone, strata of single-patient data left out.")
    by_setting: dict[str, Group]


class Validation(Part):
    """The whole document."""

    schema_name: Literal["metachron-validation/1"] = "metachron-validation/1"
    version: str
    parameters: str = Field(description="Which parameter sets were used, in words.")
    calibrated: bool
    ensemble_id: str | None
    held_out: bool = Field(False, description="Each trial predicted by a fit that left it out.")
    seed: int
    draws: int
    lives_per_draw: int
    summary: Summary
    curves: list[CurveScore]
    contrasts: list[RatioScore]
    points: list[PointScore]
    not_scored: list[str] = Field(description="Curves and arms without a score, and why.")
    warnings: list[str]
    disclaimer: str
