"""The document of a search over order and timing: what `metachron optimise --json` prints.

Times are months (30.4375 days) where people read them, days in variables, windows and timetables.
Differences and probabilities are paired: every candidate lives on the same twins, draws and coins.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from metachron.plan.results import Bar, Basis, Citation, Estimate, Provenance, Reason, Result, Toxicity

Value = float | str


class Measured(Estimate):
    """An estimate with its Monte Carlo error."""

    mc_error: float = Field(0.0, description="Standard error that more twins would take away.")


class ObjectiveDescription(Result):
    """What is sought."""

    name: str = Field(description="rmst, rfs, qaly, toxicity_free, burden, hospital, weighted, ...")
    words: str = Field(description="In words, e.g. 'mean months alive within 5 years'.")
    unit: str = Field(description="months or days.")
    direction: Literal["maximise", "minimise"] = Field(description="What is better.")
    weights: dict[str, float] = Field(
        default_factory=dict, description="Of a weighted sum: objective -> weight, normalised to one."
    )
    utilities: dict[str, float] = Field(
        default_factory=dict, description="Of quality-adjusted time: state -> utility (0 to 1)."
    )
    citations: list[str] = Field(default_factory=list, description="Keys of the bibliography.")


class ConstraintResult(Result):
    """One hard constraint and how many candidates it took out."""

    text: str = Field(description="As written, e.g. 'oxaliplatin <= 850 mg/m2'.")
    origin: Literal["clinical", "asked"] = Field(description="clinical: always; asked: with --constraint.")
    refused: int = Field(description="Candidates of the space that break it.")
    status: Literal["read", "derived", "assumed", "asked"] = Field(description="Where the limit comes from.")
    citations: list[str] = Field(default_factory=list, description="Keys of the bibliography.")


class VariableResult(Result):
    """One free variable of the space."""

    name: str = Field(description="e.g. 'hepatectomy to mfolfox6' or 'cycles of mfolfox6'.")
    unit: str = Field(description="d, cycles, infusions, day of cycle or nothing.")
    values: list[Value] = Field(description="Values of the grid, in order.")


class Evaluation(Result):
    """One candidate: a strategy of the composition language, evaluated or refused."""

    id: str = Field(description="c1, c2, ...: stable for one space.")
    name: str = Field(description="Catalogue name or expression.")
    expression: str = Field(description="Goes into `metachron plan --strategy`.")
    title: str = Field(description="As a clinician would say it.")
    surveillance: str = Field("", description="Schedule of scans.")
    variables: dict[str, Value] = Field(default_factory=dict, description="Value of each free variable.")
    evidence_grade: Literal["standard", "option", "investigational", "not supported"] = Field(
        description="In this patient's setting."
    )
    basis: Basis = Field(description="What its outcomes rest on.")
    trials_against: str = Field(
        "", description="Registered trials that saw no gain in survival where the model sees one; else empty."
    )
    eligible: Literal["yes", "no", "unknown"] = Field(description="no: listed, not evaluated.")
    reasons: list[Reason] = Field(default_factory=list, description="Refusals and broken constraints first.")
    objectives: dict[str, Measured] = Field(
        default_factory=dict, description="Name of objective -> estimate on the evaluation twins."
    )
    difference: Measured | None = Field(
        None, description="Of the (first) objective from the best, paired; sign of the objective."
    )
    toxicity: list[Toxicity] = Field(default_factory=list, description="By kind and grade, 'any' first.")
    timetable: list[Bar] = Field(default_factory=list, description="Bars of the calendar, with windows.")
    rank: int | None = Field(None, description="1 is best; null when not ranked.")
    not_ranked_because: str = Field("", description="Why there is no rank.")
    twins: int = Field(0, description="Search twins it was raced on; 0 when not evaluated.")
    round: int = Field(0, description="Last round of the race it took part in.")


class Plateau(Result):
    """How far one variable may move before it makes a difference that counts and can be told apart."""

    variable: str = Field(description="Name of the variable.")
    value: Value = Field(description="At the best candidate.")
    low: Value | None = Field(None, description="Smallest value that is as good as the best.")
    high: Value | None = Field(None, description="Largest such value.")
    unit: str = Field("", description="d, cycles, infusions, day of cycle or nothing.")
    alike: list[Value] = Field(default_factory=list, description="All values that are as good.")
    different: list[Value] = Field(default_factory=list, description="Values that are not.")
    matters: bool = Field(
        description="False: no tried value differs by as much as matters and can be told apart."
    )
    words: str = Field(description="One sentence, e.g. 'timing does not matter here within 28 to 84 days'.")


class CellsBand(Result):
    """A candidate with infused cells over the prior of their kinetics; shown, never ranked."""

    id: str = Field(description="The candidate.")
    reference: str = Field(description="Candidate without cells it is set beside.")
    objective: str = Field(description="Name of the objective.")
    half_life_days: float = Field(description="Of the infused cells, set for this row.")
    lymphotoxicity: float = Field(description="Kill of infused cells by full-dose chemotherapy (1/d), set.")
    effect: float = Field(description="Kill rate at saturation (1/d), set for this row.")
    difference: Measured = Field(description="From the reference, paired; sign of the objective.")


class SearchSummary(Result):
    """How the space was searched."""

    method: str = Field(description="In words.")
    space_size: int = Field(description="Candidates of the space.")
    refused: int = Field(description="Taken out by constraints or eligibility.")
    evaluated: int = Field(description="Simulated at least once.")
    rounds: int = Field(description="Batches of search twins.")
    search_twins: int = Field(description="Twins in the race.")
    evaluation_twins: int = Field(description="Fresh twins on which the survivors were evaluated.")
    draws: int = Field(description="Parameter draws.")
    stopped_because: str = Field(description="Why the search ended.")
    complete: bool = Field(description="False: the budget ended before the rest could be told apart.")


class Optimisation(Result):
    """The whole answer of a search for one patient."""

    schema_name: Literal["metachron-optimise/1"] = Field(
        "metachron-optimise/1", description="Version of this form."
    )
    version: str = Field(description="Of metachron.")
    seed: int = Field(description="Of all random streams.")
    settings: dict[str, Any] = Field(description="draws, horizon_years, budget, templates, constraints.")
    disclaimer: str = Field(description="Research software, not a medical device.")
    parameters_status: str = Field("", description="Whether the parameters are fitted.")
    provenance: Provenance = Field(Provenance(source="prior"), description="Where the parameters come from.")
    outside: list[str] = Field(
        default_factory=list, description="Why the patient lies outside the data; then nothing is ranked."
    )
    patient: dict[str, Any] = Field(description="The record as read.")
    situation: str = Field(description="In words.")
    objective: ObjectiveDescription = Field(description="The one that is ranked; the first of a front.")
    objectives: list[ObjectiveDescription] = Field(default_factory=list, description="All that are reported.")
    constraints: list[ConstraintResult] = Field(default_factory=list, description="Hard constraints.")
    variables: list[VariableResult] = Field(default_factory=list, description="Free variables of the space.")
    reference: str = Field(description="Id of the candidate that is the standard of the situation.")
    evaluations: list[Evaluation] = Field(description="All candidates, ranked first, refused last.")
    best: str | None = Field(description="Id of the best ranked candidate; null when nothing may be ranked.")
    probability_best: dict[str, float] = Field(
        default_factory=dict, description="Id -> probability over draws that it is the best of the ranked."
    )
    expected_regret: dict[str, float] = Field(
        default_factory=dict, description="Id -> mean shortfall from the best of each draw (objective unit)."
    )
    cannot_be_told_apart: list[str] = Field(
        default_factory=list, description="Ids whose odds against the best are under 9 to 1; best included."
    )
    plateau: list[Plateau] = Field(default_factory=list, description="Where timing does not matter.")
    as_good: list[str] = Field(
        default_factory=list,
        description="Ids that cannot be told apart from the best, or differ by less than matters.",
    )
    least_that_matters: float = Field(
        0.0, description="Smallest difference of the objective that counts (its unit); a choice, not a fact."
    )
    front: list[str] = Field(default_factory=list, description="Ids no other candidate beats in everything.")
    hypervolume: float | None = Field(None, description="Share of the box of objectives the front covers.")
    cells_band: list[CellsBand] = Field(default_factory=list, description="Over the prior of infused cells.")
    search: SearchSummary = Field(description="How it was searched.")
    words: list[str] = Field(default_factory=list, description="The result in sentences, most telling first.")
    bibliography: list[Citation] = Field(default_factory=list, description="Every source of this run.")
    limits: list[str] = Field(default_factory=list, description="What the result does not cover.")

    @property
    def sought(self) -> list[ObjectiveDescription]:
        """The objective that is ranked, or all of a front."""
        asked = str(self.settings.get("objective") or "").replace(" ", "").split(",")
        several = [o for name in asked for o in self.objectives if o.name == name]
        return several if len(several) > 1 else [self.objective]

    def evaluation(self, id: str) -> Evaluation:
        """The candidate of that id. Raises KeyError."""
        for found in self.evaluations:
            if found.id == id:
                return found
        raise KeyError(id)
