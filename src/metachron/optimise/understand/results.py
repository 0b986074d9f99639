"""The document of `metachron understand`: why one strategy comes out before another, what could change it.

Differences are the first strategy minus the second on the same twins, draws and coins, signed so that more
is better for the first. Every part says how many lives it cost.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from metachron.optimise.results import Measured, ObjectiveDescription
from metachron.plan.results import Basis, Citation, DomainResult, Provenance, Reason, Result


class Compared(Result):
    """One of the two strategies."""

    name: str = Field(description="Name in the catalogue, or the expression.")
    title: str = Field(description="As a clinician would say it.")
    expression: str = Field("", description="In the composition language.")
    evidence_grade: Literal["standard", "option", "investigational", "not supported"] = Field(
        description="In this patient's setting."
    )
    eligible: Literal["yes", "no", "unknown"] = Field(description="For this patient.")
    reasons: list[Reason] = Field(default_factory=list, description="Refusals and missing information first.")
    basis: Basis = Field(description="What its outcomes rest on.")
    basis_note: str = Field("", description="Why, in words.")
    domain: DomainResult | None = Field(None, description="Its place in the region of registered trials.")
    value: Measured = Field(description="The objective under it.")


class Contrast(Result):
    """The first strategy minus the second."""

    difference: Measured = Field(description="In the unit of the objective; positive: the first is better.")
    probability_first: float = Field(description="That the first is the better one, over parameter draws.")
    detectable: bool = Field(description="Posterior odds of 9 to 1 or more, either way.")
    basis: Basis = Field(description="The weaker of the two.")
    ahead: str | None = Field(
        description="Name of the better one; null when they cannot be told apart or no choice is made."
    )
    ranked: bool = Field(description="False: one is unproven or outside the data, and no choice is made.")
    not_ranked_because: str = Field("", description="Why no choice is made.")
    words: str = Field(description="One sentence.")


# --- heat map -------------------------------------------------------------------------------------------


class HeatCell(Result):
    """What infused cells add at one day and one half-life."""

    mean: float = Field(description="Gain over the same strategy without cells, over the whole prior.")
    lower: float = Field(description="5 % quantile over the prior of the cells.")
    upper: float = Field(description="95 % quantile.")
    if_effective: float = Field(description="Mean gain in the draws in which cells kill tumour at all.")
    mc_error: float = Field(description="Standard error that more twins would take away.")


class HeatRow(Result):
    """One half-life: the best day, and the days that cannot be told apart from it."""

    half_life_days: float = Field(description="Of the infused cells.")
    best_day: int = Field(description="Day with the largest gain.")
    alike: list[int] = Field(description="Days that cannot be told apart from it (odds under 9 to 1).")
    matters: bool = Field(description="False: no day can be told apart from the best.")
    words: str = Field(description="One sentence.")


class HeatMap(Result):
    """Gain from infused cells against when they are given and how long they live: never calibrated."""

    strategy: str = Field(description="The strategy with cells.")
    without: str = Field(description="Expression of the same without cells.")
    product: str = Field(description="Cell product.")
    axis: str = Field(description="'day of the cycle' or 'days after the last cycle'.")
    days: list[int] = Field(description="Columns.")
    half_lives: list[float] = Field(description="Rows (days).")
    cells: list[list[HeatCell]] = Field(description="One row for each half-life.")
    rows: list[HeatRow] = Field(description="One for each half-life.")
    flat: bool = Field(description="No cell of the map differs from nought.")
    unit: str = Field(description="months or days.")
    basis: Literal["prior-driven", "outside"] = Field("prior-driven", description="Of every figure of it.")
    twins: int = Field(description="On which each cell of the map rests.")
    lives: int = Field(description="Simulated for it.")
    words: list[str] = Field(description="Sentences.")


# --- sensitivity ----------------------------------------------------------------------------------------


class TornadoBar(Result):
    """One parameter at 5 and at 95 % of its distribution, everything else as in the draws."""

    name: str = Field(description="Name of the parameter.")
    title: str = Field(description="In words.")
    unit: str = Field(description="Unit.")
    low_value: float = Field(description="5 % quantile of the parameter.")
    high_value: float = Field(description="95 % quantile.")
    at_low: Measured = Field(description="Difference with the parameter there.")
    at_high: Measured = Field(description="Difference with the parameter there.")
    swing: Measured = Field(description="At high minus at low, paired.")
    flips: bool = Field(description="The better strategy is another one at the two ends.")
    basis: Literal["calibrated", "prior-driven"] = Field(description="Of the parameter.")


class SobolIndex(Result):
    """First-order and total index of one parameter, corrected for chance, with 90 % intervals."""

    name: str = Field(description="Name of the parameter.")
    title: str = Field(description="In words.")
    first: Measured = Field(description="Share of the variance that the parameter explains on its own.")
    total: Measured = Field(description="Share with all its interactions.")


class Sobol(Result):
    """Variance-based sensitivity, by SALib, of the parameters that the screening kept."""

    difference: list[SobolIndex] = Field(description="Of the difference between the strategies.")
    ranking: list[SobolIndex] = Field(
        description="Of the probability that the first is ahead; empty when hardly any row ranks otherwise."
    )
    spread: float = Field(description="SD of the difference over these parameters, chance taken out.")
    noise_share: float = Field(description="Share of the raw variance that was chance.")
    share_first_ahead: float = Field(description="Share of the rows in which the first is ahead.")
    rows: int = Field(description="Parameter sets of the design.")
    twins: int = Field(description="In each of them.")
    lives: int = Field(description="Simulated for it.")


class Sensitivity(Result):
    """Which parameters the difference and the ranking turn on."""

    screened: int = Field(description="Parameters tried one at a time.")
    no_effect: int = Field(description="Of these, parameters that change nothing at all in this contrast.")
    unmatched: list[str] = Field(default_factory=list, description="Left out: no twin fits at one end.")
    tornado: list[TornadoBar] = Field(description="Largest swing first.")
    sobol: Sobol | None = Field(description="Null when no parameter moves the difference.")
    lives: int = Field(description="Simulated for all of it.")
    words: list[str] = Field(description="Sentences.")


# --- counterfactuals ------------------------------------------------------------------------------------


class Point(Result):
    """The difference at one value."""

    value: float = Field(description="Of the parameter or finding.")
    label: str = Field("", description="When the value is not a number.")
    difference: Measured = Field(description="There.")
    eligible: bool = Field(True, description="Both strategies may be given there.")


class Counterfactual(Result):
    """What would have to be true of one parameter or finding for the other strategy to be the better one."""

    name: str = Field(description="Parameter or patient field.")
    title: str = Field(description="In words.")
    kind: Literal["parameter", "finding", "hidden"] = Field(
        description="hidden: a property of the patient that no record holds, such as the doubling time."
    )
    unit: str = Field("", description="Unit.")
    now: float | None = Field(None, description="Value of the patient, or median of the parameter.")
    low: float = Field(description="Least value tried: 99 % range of the prior.")
    high: float = Field(description="Largest value tried.")
    flips_at: float | None = Field(None, description="Where the sign changes; null: nothing plausible.")
    flips_label: str = Field("", description="When that value is not a number.")
    flips_between: tuple[float, float] | None = Field(None, description="90 % interval of that value.")
    curve: list[Point] = Field(description="Difference along the range.")
    basis: Basis = Field(description="What it rests on.")
    words: str = Field(description="One sentence.")


class Counterfactuals(Result):
    """All that was tried, those that flip first."""

    ahead: str = Field(description="The strategy ahead now by the mean of the model; no advice.")
    behind: str = Field(description="The other one.")
    items: list[Counterfactual] = Field(description="Those that flip the sign first.")
    lives: int = Field(description="Simulated for it.")
    words: list[str] = Field(description="Sentences.")


# --- value of information -------------------------------------------------------------------------------


class TestOutcome(Result):
    """One thing a test may show."""

    __test__ = False  # no test class for pytest

    label: str = Field(description="In words.")
    probability: float = Field(description="That the test shows it.")
    difference: float = Field(description="First minus second then.")
    choice: str = Field(description="The better strategy then, in the model.")


class InformationItem(Result):
    """One test, scan or parameter: what knowing it is worth for this choice."""

    name: str = Field(description="e.g. markers.ras, liver MRI, kappa_ox.")
    title: str = Field(description="In words.")
    kind: Literal["test", "scan", "parameter", "hidden"] = Field(
        description="parameter: research, no test of this patient; hidden: knowledge that no test gives."
    )
    perfect: bool = Field(description="False: a scan with its errors (value of sample information).")
    fields: list[str] = Field(default_factory=list, description="Patient fields it fills in.")
    value: Measured = Field(description="Gain of the objective, over all that the test may show.")
    distinct: bool = Field(description="False: cannot be told apart from nothing.")
    probability_changes: float = Field(description="That the choice becomes the other strategy.")
    outcomes: list[TestOutcome] = Field(default_factory=list, description="What it may show.")
    basis: Basis = Field(description="What it rests on.")
    citations: list[str] = Field(default_factory=list, description="Keys of the bibliography or of facts.")
    note: str = Field("", description="What was assumed.")
    words: str = Field(description="One sentence.")


class NotValued(Result):
    """A missing field for which no value can be worked out."""

    field: str = Field(description="Patient field.")
    why: str = Field(description="Why not.")


class Information(Result):
    """What would be worth knowing before choosing between the two."""

    choice: str = Field(
        description="Chosen on what is known: a proven strategy before an unproven one; empty: none may be."
    )
    evpi_parameters: Measured = Field(description="Gain if every parameter were known.")
    probability_wrong: float = Field(description="Share of the draws in which the other one is better.")
    ceiling: float = Field(description="Gain if even chance were known beforehand: nothing is worth more.")
    items: list[InformationItem] = Field(description="Most valuable first.")
    not_valued: list[NotValued] = Field(default_factory=list, description="Missing, but without a value.")
    unit: str = Field(description="months or days.")
    lives: int = Field(description="Simulated for it.")
    words: list[str] = Field(description="Sentences.")


class Skipped(Result):
    """A part that was not made."""

    part: str = Field(description="heatmap, sensitivity, counterfactual, information or Sobol indices.")
    why: str = Field(description="In words.")


class Understanding(Result):
    """The whole document."""

    schema_name: Literal["metachron-understand/1"] = Field(
        "metachron-understand/1", description="Version of this form."
    )
    version: str = Field(description="Of metachron.")
    seed: int = Field(description="Of all random streams.")
    settings: dict[str, Any] = Field(description="twins, draws, horizon_years, what.")
    disclaimer: str = Field(description="Research software, not a medical device.")
    parameters_status: str = Field(description="Whether the parameters are fitted.")
    provenance: Provenance = Field(Provenance(source="prior"), description="Where the parameters come from.")
    outside: list[str] = Field(
        default_factory=list, description="Why the patient lies outside the region of registered trials."
    )
    patient: dict[str, Any] = Field(description="The record as read.")
    situation: str = Field(description="In words.")
    objective: ObjectiveDescription = Field(description="What is compared.")
    first: Compared = Field(description="Strategy A.")
    second: Compared = Field(description="Strategy B.")
    contrast: Contrast = Field(description="A minus B.")
    heatmap: HeatMap | None = Field(None, description="Null when not asked for or without cells.")
    sensitivity: Sensitivity | None = Field(None, description="Null when not asked for.")
    counterfactuals: Counterfactuals | None = Field(None, description="Null when not asked for.")
    information: Information | None = Field(None, description="Null when not asked for.")
    skipped: list[Skipped] = Field(default_factory=list, description="Parts not made, with the reason.")
    lives: int = Field(description="Full life histories simulated for the whole document.")
    words: list[str] = Field(description="The result in sentences, most telling first.")
    bibliography: list[Citation] = Field(default_factory=list, description="Every source of this run.")
    limits: list[str] = Field(default_factory=list, description="What the result does not cover.")
