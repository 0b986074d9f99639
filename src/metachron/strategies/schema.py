"""The vocabulary of treatment: what may be given (catalogue) and when it is given (strategy).

A strategy is data. The catalogue entries say what a drug, regimen, procedure or cell product *is*;
the steps of a strategy say when, how often and until what. Days are counted from 1 within a cycle.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from metachron.evidence.quantity import Quantity, Status
from metachron.strategies.base import EffectClass as EffectClass
from metachron.strategies.base import Entry as Entry
from metachron.strategies.rule import Limit as Limit
from metachron.strategies.rule import Rule as Rule
from metachron.strategies.rule import RuleSet as RuleSet


class Intent(StrEnum):
    CURATIVE = "curative"
    ADJUVANT = "adjuvant"
    DISEASE_CONTROL = "disease control"
    OBSERVATION = "observation"


class Evidence(StrEnum):
    """Grade of evidence of a strategy in the patient's setting."""

    STANDARD = "standard"
    OPTION = "option"
    INVESTIGATIONAL = "investigational"
    NOT_SUPPORTED = "not supported"


class Drug(Entry):
    name: str
    title: str
    effect: EffectClass
    cytotoxic: bool = Field(description="Harms marrow, lymphocytes and infused cells.")
    half_life_days: Quantity | None = Field(None, description="Of the effect on tumour (or of the level).")
    note: str = ""
    citations: list[str]


class DrugDose(Entry):
    """One drug within one cycle of a regimen."""

    drug: str
    dose: float
    unit: Literal["mg/m2", "mg/kg", "mg", "mg/m2 twice daily", "mg daily", "mg twice daily"]
    days: Annotated[list[int], Field(min_length=1)] = Field(description="Days of the cycle, first is 1.")
    infusion_hours: float | None = None
    share: float = Field(
        1.0,
        ge=0,
        le=1.5,
        description="Share of the class's full-dose effect, averaged over the cycle of this regimen, carried"
        " by this drug line (0 to 1.5) and spread evenly over its days.",
    )
    source: str = Field("", description="Key of the reference of dose and days.")
    status: Status = Field("read", description="Status of dose and days; shares of 1 need no source.")
    note: str = ""


class ToxicityRate(Entry):
    """Frequency of grade 3 or worse over a course of `over_cycles` cycles."""

    kind: str = Field(
        description="CTCAE-like term: diarrhoea, mucositis, nausea or vomiting, hand-foot syndrome,"
        " rash, hypertension, hypomagnesaemia, thromboembolism, perforation or bleeding,"
        " immune-related event, liver enzymes, fatigue, fever or chills, cytokine release,"
        " pneumonitis, thrombocytopenia, other."
    )
    grade3plus: Quantity = Field(description="Fraction of patients (0 to 1), unit '1'.")
    grade4plus: Quantity | None = None
    over_cycles: int


class Regimen(Entry):
    """Drugs, doses and days of one cycle. Biologic partners are regimens too, and combine with '+'."""

    name: str
    title: str
    kind: Literal["cytotoxic", "targeted", "checkpoint"]
    cycle_days: int
    drugs: list[DrugDose]
    other_cycles: dict[int, list[DrugDose]] = Field(
        default_factory=dict, description="Doses when combined with a regimen of another cycle length (days)."
    )
    max_cycles: int | None = Field(None, description="Cycles at most, whatever the response (e.g. 35).")
    neutrophil_slope: Quantity | None = Field(
        None, description="Drug effect on the marrow chain per full-dose cycle (dimensionless)."
    )
    lymphocyte_kill: Quantity | None = Field(None, description="Share of lymphocytes killed per cycle (0-1).")
    toxicity: list[ToxicityRate] = Field(default_factory=list)
    note: str = ""
    citations: list[str]


class Procedure(Entry):
    name: str
    title: str
    kind: Literal["resection", "ablation"]
    energy: Literal["cryo", "microwave", "radiofrequency"] | None = None
    stages: int = 1
    interval_between_stages_days: Quantity | None = None
    mortality_90d: Quantity
    morbidity_grade3plus: Quantity
    hospital_days: Quantity
    recovery_days: Quantity = Field(description="Least time before chemotherapy.")
    planned_margin_mm: Quantity | None = Field(None, description="Ablation: effective margin aimed at.")
    hazard_factor: Quantity | None = Field(
        None, description="Ablation: factor on the residual-tissue hazard of the radiofrequency series."
    )
    max_diameter_mm: Quantity | None = None
    max_lesions: Quantity | None = None
    note: str = ""
    citations: list[str]


class CellProduct(Entry):
    name: str
    title: str
    cells_per_infusion: Quantity
    interval_days: int = Field(description="Between infusions when given on their own.")
    infusions: int = Field(description="Usual number.")
    culture_days: Quantity = Field(description="From blood draw (or tumour) to infusion.")
    half_life_days: Quantity
    lymphodepletion: bool
    day_in_cycle: int = Field(description="Usual day of a chemotherapy cycle (1-based).")
    toxicity: list[ToxicityRate] = Field(default_factory=list, description="over_cycles counts infusions.")
    note: str = ""
    citations: list[str]


class Surveillance(Entry):
    name: str
    title: str
    first_scan_day: int
    intervals: list[tuple[int, int]] = Field(
        description="(until day, every days), in order; after the last the patient is seen no more."
    )
    modality: Literal["CT", "MRI", "ultrasound"]
    note: str = ""
    citations: list[str]


class Starts(StrEnum):
    """What a step waits for."""

    PLANNED = "planned"  # the end of the step before it
    PROGRESSION = "progression"  # the next progression (RECIST), under the steps before it or after them
    RECURRENCE = "recurrence"  # disease seen again after nothing was visible


class OnlyIf(Entry):
    """Limits of an operation or ablation on recurrence; disease of one organ is required in any case."""

    max_lesions: int | None = Field(None, ge=1, le=64, description="Visible lesions at most.")
    max_mm: int | None = Field(None, ge=1, le=300, description="Largest visible lesion at most (mm).")

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.max_lesions is None and self.max_mm is None:
            raise ValueError("give max_lesions, max_mm or both")
        return self


class Step(Entry):
    """One stage of a strategy: everything in it starts together."""

    procedures: list[str] = Field(default_factory=list, description="Done at the same operation/session.")
    regimens: list[str] = Field(default_factory=list, description="Given together, first sets the cycle.")
    cycles: int | None = Field(None, description="Planned cycles; None: until progression or toxicity.")
    cells: str | None = None
    infusions: int | None = Field(None, description="Infusions of the cell product.")
    infusion_day: int | None = Field(
        None, description="Day of the cycle (1-based) when interleaved with a regimen; None: its usual day."
    )
    lymphodepletion: bool | None = Field(None, description="None: as the product says.")
    gap_days: int | None = Field(
        None,
        description="Days from the end of the previous step, or from the progression or recurrence that"
        " starts this one; None: the shortest safe interval.",
    )
    starts: Starts = Starts.PLANNED
    only_if: OnlyIf | None = Field(None, description="Of an operation or ablation that starts on recurrence.")
    stop_partner_before_surgery_cycles: int = Field(
        0, description="Cycles at the end of the step given without anti-VEGF, so that surgery is safe."
    )


class RepeatLocal(Entry):
    """Removing or ablating again when disease comes back; what is left out follows the catalogue."""

    procedure: str | None = None
    most: int | None = Field(None, ge=0, le=10, description="Operations and ablations in a life at most.")
    max_mm: int | None = Field(None, ge=1, le=300)
    max_lesions: int | None = Field(None, ge=1, le=64)
    wait_days: int | None = Field(None, ge=0, le=365)


class After(Entry):
    """What follows when the steps have come to their end; what is left out follows the catalogue."""

    lines: list[list[str]] | None = Field(
        None, description="Regimens of each later line, in order; [] for none."
    )
    line_wait_days: int | None = Field(None, ge=0, le=365, description="From progression to the next line.")
    on_recurrence: Literal["local then systemic", "systemic", "none"] | None = None
    repeat_local: RepeatLocal | None = None
    secondary_resection: bool | None = Field(
        None,
        description="Are metastases confined to the liver taken out, in a share of patients, once they have"
        " responded? None: no, a strategy is simulated as it is written.",
    )


class Strategy(Entry):
    name: str
    title: str
    summary: str
    intent: Intent
    steps: list[Step]
    surveillance: str = "standard"
    dose_rules: str | list[str] = Field("label", description="Name of a rule set, or several: they add up.")
    rules: list[Rule] = Field(default_factory=list, description="Rules of this strategy alone.")
    after: After = After()
    citations: list[str] = Field(default_factory=list)

    @property
    def rule_sets(self) -> list[str]:
        """Names of the rule sets."""
        return [self.dose_rules] if isinstance(self.dose_rules, str) else list(self.dose_rules)
