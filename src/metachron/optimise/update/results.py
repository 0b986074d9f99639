"""The document of an update: what `metachron update --json` prints and what its report is made from.

`prior` is what was believed of *today* before the findings were read: the twins of the old assessment under
the treatment really given, alive today. `updated` is what is believed after them. Both are intervals over
twins (what is not known of this person), not over parameter draws alone.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from metachron.plan.results import Basis, Estimate, Plan, Provenance, Result

Group = Literal["growth", "resistance", "sensitivity", "unseen disease", "body"]


class Spread(Result):
    """What is believed of one number: over twins, equally weighted."""

    mean: float = Field(description="Mean over twins.")
    median: float = Field(description="Median over twins.")
    lower: float = Field(description="5 % quantile over twins.")
    upper: float = Field(description="95 % quantile over twins.")


class Belief(Result):
    """One thing believed of the patient, before and after the findings."""

    name: str = Field(description="Identifier, e.g. doubling_time_days or resistant_now_oxaliplatin.")
    group: Group = Field(description="What it belongs to.")
    words: str = Field(description="As a clinician would say it.")
    unit: str = Field(description="days, fraction, lesions or 'times average'.")
    prior: Spread = Field(description="Before the findings, of today.")
    updated: Spread = Field(description="After them.")
    moved: Literal["up", "down", "unchanged"] = Field(
        description="Where the mean went (ln or logit scale); unchanged below a tenth of the prior SD."
    )
    shift: float = Field(description="Change of the mean in prior standard deviations (ln or logit scale).")
    narrowed: float = Field(description="SD after over SD before, same scale; below 1: more is known.")
    text: str = Field(description="One sentence.")
    basis: Basis = Field(description="What the law behind it rests on.")


class Observation(Result):
    """One thing found, beside what the twins of the old assessment expected."""

    what: str = Field(description="In words, e.g. 'H1 on 2025-01-13'.")
    kind: Literal["size", "not seen", "new lesions", "response", "blood count", "toxicity", "CEA"] = Field(
        description="What kind of finding."
    )
    date: str = Field(description="Day of the finding.")
    day: int = Field(description="Days after the old assessment.")
    found: float | str = Field(description="As found.")
    unit: str = Field("", description="Unit of `found` and `expected`.")
    expected: Spread | None = Field(None, description="Of the prior twins; null when it is no number.")
    probability: float | None = Field(
        None,
        description="Probability among prior twins of a value at least as far out, or of what was found.",
    )
    used: bool = Field(description="It moved belief; false: recorded only.")
    note: str = Field("", description="Why it was not used, or how.")


class StrategyBelief(Result):
    """One strategy from today on: the same months, before and after the findings."""

    name: str = Field(description="Name in the plan.")
    title: str = Field(description="As a clinician would say it.")
    prior_months: Estimate = Field(description="Mean months alive within `years`; interval over draws.")
    updated_months: Estimate = Field(description="The same after the findings.")
    prior_survival: dict[str, float] = Field(description="Year from today -> share alive.")
    updated_survival: dict[str, float] = Field(description="Year from today -> share alive.")
    change_months: float = Field(description="Updated minus prior, in mean months alive.")
    basis: Basis = Field(description="What overall survival rests on.")
    text: str = Field(description="One sentence.")


class Sampling(Result):
    """How the twins were conditioned."""

    candidates: int = Field(description="Virtual patients of the old assessment that lived the treatment.")
    alternatives: int = Field(description="Fates of each lesion tried for each candidate.")
    effective_sample_size: float = Field(description="Candidates that the weights amount to.")
    least_effective_sample_size: float = Field(description="Below this the update is refused.")
    prior_effective_sample_size: float = Field(description="The same before the new findings.")
    twins: int = Field(description="Twins resampled, for prior and for updated belief.")
    distinct: int = Field(description="Different candidates among the updated twins.")
    survived: float = Field(description="Share of prior twins that were alive today (all count as alive).")
    weakest: str = Field(description="The finding that leaves fewest candidates on its own.")
    text: str = Field(description="One sentence.")


class Update(Result):
    """Belief before and after, and the plan from today."""

    schema_name: Literal["metachron-update/1"] = Field(
        "metachron-update/1", description="Version of this form."
    )
    version: str = Field(description="Of metachron.")
    seed: int = Field(description="Of all random streams.")
    settings: dict[str, Any] = Field(description="twins, draws, horizon_years, years; prior when asked for.")
    disclaimer: str = Field(description="Research software, not a medical device.")
    parameters_status: str = Field(description="Whether the parameters are fitted.")
    provenance: Provenance = Field(description="Where the parameters come from.")
    outside: list[str] = Field(description="Why the patient lies outside the region of registered trials.")
    assessed_on: str = Field(description="The old assessment, day 0 of the twins.")
    today: str = Field(description="Day of the last finding, day 0 of the plan.")
    days: int = Field(description="Days between the two.")
    years: float = Field(description="Years from today over which months alive are counted.")
    findings: list[dict[str, Any]] = Field(description="As read, by date.")
    lived: list[str] = Field(description="Treatment that the twins lived through, in words.")
    observations: list[Observation] = Field(description="What was found beside what was expected.")
    sampling: Sampling = Field(description="How the twins were conditioned.")
    beliefs: list[Belief] = Field(description="What moved, and what did not.")
    strategies: list[StrategyBelief] = Field(description="Every strategy simulated from today.")
    summary: list[str] = Field(description="The update in a few sentences.")
    carried: list[str] = Field(description="State that the twins carry exactly into the plan from today.")
    approximated: list[str] = Field(description="What is approximated.")
    notes: list[str] = Field(
        description="Of merging and reading: what the record cannot say, contradictions."
    )
    updated_patient: dict[str, Any] = Field(description="The record with the findings merged.")
    plan: Plan = Field(description="From today, on the updated twins.")
    limits: list[str] = Field(description="What the result does not cover, beside the limits of the plan.")
