"""The patient: what is known of one person, with units in every field name.

`None` (or a missing field) means *unknown*, which is different from negative. Dates are calendar
dates; `assessed_on` is day 0 of every plan. Validation that needs more than one field lives in
`metachron.patient.checks`; reading files and wording errors lives in `metachron.patient.load`.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Day = date  # `Measurement` has a field called `date`


class Record(BaseModel):
    """Common behaviour of all patient records: unknown fields are errors, values are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Sex(StrEnum):
    FEMALE = "female"
    MALE = "male"


class PrimarySite(StrEnum):
    CAECUM = "caecum"
    ASCENDING = "ascending colon"
    HEPATIC_FLEXURE = "hepatic flexure"
    TRANSVERSE = "transverse colon"
    SPLENIC_FLEXURE = "splenic flexure"
    DESCENDING = "descending colon"
    SIGMOID = "sigmoid colon"
    RECTOSIGMOID = "rectosigmoid"
    RECTUM = "rectum"
    COLON = "colon, site not known"


class Organ(StrEnum):
    """Organs the model knows. Others (brain, bone...) are refused, not ignored."""

    LIVER = "liver"
    LUNG = "lung"
    PERITONEUM = "peritoneum"
    DISTANT_NODES = "distant lymph nodes"


class Modality(StrEnum):
    CT = "CT"
    MRI = "MRI"
    ULTRASOUND = "ultrasound"
    PET_CT = "PET-CT"
    INTRAOPERATIVE_ULTRASOUND = "intraoperative ultrasound"
    PATHOLOGY = "pathology"


class Response(StrEnum):
    """RECIST 1.1 best response."""

    CR = "CR"
    PR = "PR"
    SD = "SD"
    PD = "PD"


class Primary(Record):
    """The colorectal primary tumour (TNM 8th edition)."""

    site: PrimarySite | None = Field(None, description="Site of the primary tumour.")
    side: Literal["right", "left", "rectum"] | None = Field(
        None, description="Side; derived from the site when absent (right: caecum to transverse colon)."
    )
    t: Literal["T0", "T1", "T2", "T3", "T4", "T4a", "T4b"] | None = Field(None, description="T category.")
    n: Literal["N0", "N1", "N1a", "N1b", "N1c", "N2", "N2a", "N2b"] | None = Field(
        None, description="N category."
    )
    nodes_positive: Annotated[int, Field(ge=0, le=100)] | None = Field(
        None, description="Regional lymph nodes with tumour (count)."
    )
    nodes_examined: Annotated[int, Field(ge=0, le=200)] | None = Field(
        None, description="Regional lymph nodes examined (count)."
    )
    grade: Literal["well", "moderate", "poor"] | None = Field(None, description="Differentiation.")
    obstruction: bool | None = Field(None, description="The primary obstructed the bowel.")
    perforation: bool | None = Field(None, description="The primary had perforated.")
    adherent: bool | None = Field(
        None, description="The primary adhered to neighbouring organs, invading them or not."
    )
    diagnosed_on: date | None = Field(None, description="Date of diagnosis of the primary tumour.")
    resected: bool | None = Field(None, description="Has the primary tumour been removed?")
    resected_on: date | None = Field(None, description="Date of the operation on the primary tumour.")
    margin: Literal["R0", "R1", "R2"] | None = Field(None, description="Resection margin of the primary.")


class Measurement(Record):
    """One size of one lesion on one dated scan."""

    date: Annotated[Day, Field(description="Day of the scan or specimen.")]
    diameter_mm: Annotated[float, Field(gt=0, le=400)] = Field(description="Longest diameter (mm).")
    modality: Modality | None = Field(None, description="How it was measured.")


class Metastasis(Record):
    """One metastasis, seen at least once."""

    id: Annotated[str, Field(min_length=1, max_length=40)] = Field(description="Name of the lesion, unique.")
    organ: Organ = Field(description="Organ of the lesion.")
    segment: Annotated[int, Field(ge=1, le=8)] | None = Field(
        None, description="Couinaud liver segment, 1 to 8 (liver only)."
    )
    measurements: Annotated[list[Measurement], Field(min_length=1, max_length=50)] = Field(
        description="Dated sizes, any order."
    )
    near_vessel: bool | None = Field(
        None, description="Touches a vessel wider than 3 mm (heat or cold sink for ablation)."
    )
    treated: Literal["resected", "ablated"] | None = Field(
        None, description="Already removed or ablated before assessment; absent while in place."
    )


class MetastasisSummary(Record):
    """What is known of the metastases when lesions are not listed one by one."""

    liver_lesions: Annotated[int, Field(ge=0, le=100)] | None = Field(
        None, description="Number of liver metastases seen."
    )
    largest_liver_mm: Annotated[float, Field(gt=0, le=400)] | None = Field(
        None, description="Largest liver metastasis (mm)."
    )
    tumour_share_of_liver: Annotated[float, Field(ge=0, le=0.95)] | None = Field(
        None, description="Metastasis volume over whole liver volume (fraction, 0 to 0.95)."
    )
    extrahepatic: bool | None = Field(None, description="Any metastasis outside the liver.")
    detected_on: date | None = Field(None, description="First date on which a metastasis was seen.")
    bilobar: bool | None = Field(None, description="Metastases in both halves of the liver.")


class Markers(Record):
    """Molecular markers of the tumour and pharmacogenetics of the patient."""

    ras: Literal["wild type", "mutant"] | None = Field(None, description="KRAS and NRAS exons 2-4.")
    kras_g12c: bool | None = Field(None, description="KRAS G12C mutation.")
    braf: Literal["wild type", "V600E", "other"] | None = Field(None, description="BRAF.")
    msi: Literal["MSI-high", "MSS"] | None = Field(
        None, description="Microsatellite state; MSI-high includes mismatch-repair deficient."
    )
    her2: Literal["amplified", "negative"] | None = Field(None, description="HER2 (ERBB2).")
    dpyd: Literal["normal", "intermediate", "poor"] | None = Field(
        None, description="DPYD metaboliser phenotype."
    )
    ugt1a1: Literal["*1/*1", "*1/*28", "*28/*28"] | None = Field(None, description="UGT1A1 genotype.")


class Labs(Record):
    """Most recent blood values."""

    measured_on: date | None = Field(None, description="Date of the blood sample.")
    cea_ng_ml: Annotated[float, Field(ge=0, le=100_000)] | None = Field(
        None, description="Carcinoembryonic antigen (ng/mL)."
    )
    bilirubin_umol_l: Annotated[float, Field(ge=0, le=1000)] | None = Field(
        None, description="Total bilirubin (umol/L)."
    )
    albumin_g_l: Annotated[float, Field(ge=5, le=70)] | None = Field(None, description="Albumin (g/L).")
    neutrophils_e9_l: Annotated[float, Field(ge=0, le=100)] | None = Field(
        None, description="Neutrophils (1e9/L)."
    )
    lymphocytes_e9_l: Annotated[float, Field(ge=0, le=100)] | None = Field(
        None, description="Lymphocytes (1e9/L)."
    )
    platelets_e9_l: Annotated[float, Field(ge=0, le=3000)] | None = Field(
        None, description="Platelets (1e9/L)."
    )
    haemoglobin_g_l: Annotated[float, Field(ge=20, le=250)] | None = Field(
        None, description="Haemoglobin (g/L)."
    )
    creatinine_clearance_ml_min: Annotated[float, Field(ge=0, le=250)] | None = Field(
        None, description="Creatinine clearance (mL/min)."
    )


class Liver(Record):
    """The liver and the resection planned by the surgeon, if any."""

    volume_ml: Annotated[float, Field(ge=500, le=5000)] | None = Field(
        None, description="Whole liver volume (mL)."
    )
    remnant_share: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="Future liver remnant after the planned resection (fraction of functional liver)."
    )
    steatosis: bool | None = Field(None, description="Steatosis or steatohepatitis.")
    cirrhosis: Literal["none", "Child-Pugh A", "Child-Pugh B", "Child-Pugh C"] | None = Field(
        None, description="Cirrhosis."
    )
    all_lesions_resectable: bool | None = Field(
        None, description="The surgeon judges that every metastasis can be removed with clear margins."
    )


class PriorTreatment(Record):
    """One treatment already given. `name` is an entry of the catalogue (metachron strategies)."""

    name: Annotated[str, Field(min_length=1, max_length=80)] = Field(
        description="Entry of the catalogue; one for each, so mFOLFOX6 with bevacizumab is two entries."
    )
    start: date | None = Field(None, description="First day of the treatment, or the day of the procedure.")
    end: date | None = Field(None, description="Last day of the treatment; absent while it goes on.")
    cycles: Annotated[int, Field(ge=0, le=200)] | None = Field(None, description="Cycles given (count).")
    setting: Literal["adjuvant", "neoadjuvant", "metastatic"] | None = Field(
        None,
        description="adjuvant: after the primary; neoadjuvant: before liver surgery; metastatic: a line.",
    )
    response: Response | None = Field(None, description="Best RECIST response.")
    oxaliplatin_mg_m2: Annotated[float, Field(ge=0, le=5000)] | None = Field(
        None, description="Cumulative oxaliplatin given (mg/m2), when it was part of the treatment."
    )


class Preferences(Record):
    """What the patient wants; weights are relative and need not sum to one."""

    declines_surgery: bool = Field(False, description="Declines any operation.")
    declines_chemotherapy: bool = Field(False, description="Declines cytotoxic chemotherapy.")
    weight_survival: Annotated[float, Field(ge=0, le=100)] = Field(
        1.0, description="Weight of living longer."
    )
    weight_toxicity: Annotated[float, Field(ge=0, le=100)] = Field(
        0.0, description="Weight of avoiding severe side effects."
    )
    weight_burden: Annotated[float, Field(ge=0, le=100)] = Field(
        0.0, description="Weight of avoiding days in hospital."
    )


class Patient(Record):
    """One person with, or at risk of, metastasis after colorectal cancer."""

    schema_version: Literal["1"] = Field("1", description="Version of this format.")
    id: Annotated[str, Field(min_length=1, max_length=80)] = Field(description="Pseudonym; no real name.")
    title: str | None = Field(None, max_length=200, description="One line that describes the case.")
    sources: list[str] = Field(default_factory=list, description="Citations this record was written from.")
    assessed_on: date = Field(description="Day 0 of the plan.")
    age_years: Annotated[float, Field(ge=18, le=105)] = Field(description="Age at assessment (years).")
    sex: Sex | None = Field(None, description="Sex.")
    ecog: Annotated[int, Field(ge=0, le=4)] | None = Field(None, description="ECOG performance status, 0-4.")
    height_cm: Annotated[float, Field(ge=120, le=230)] | None = Field(None, description="Height (cm).")
    weight_kg: Annotated[float, Field(ge=30, le=300)] | None = Field(None, description="Weight (kg).")
    major_comorbidity: bool | None = Field(None, description="A major comorbidity (heart, lung, kidney...).")
    fit_for_major_surgery: bool | None = Field(None, description="Judged fit for major surgery.")
    primary: Primary = Field(default_factory=Primary, description="The primary tumour.")
    metastases: Annotated[list[Metastasis], Field(max_length=40)] = Field(
        default_factory=list, description="Metastases seen, one by one."
    )
    metastasis_summary: MetastasisSummary | None = Field(
        None, description="Used when the metastases are not listed one by one."
    )
    last_imaging_on: date | None = Field(
        None, description="Date of the last scan; an empty lesion list with a date means nothing was seen."
    )
    clinical_risk_score: Annotated[int, Field(ge=0, le=5)] | None = Field(
        None, description="Fong score as recorded, when its components are not (points, 0-5)."
    )
    markers: Markers = Field(default_factory=Markers, description="Molecular markers and pharmacogenetics.")
    labs: Labs = Field(default_factory=Labs, description="Most recent blood values.")
    liver: Liver = Field(default_factory=Liver, description="The liver and the planned resection.")
    neuropathy_grade: Annotated[int, Field(ge=0, le=4)] | None = Field(
        None, description="Peripheral sensory neuropathy (CTCAE grade)."
    )
    prior_treatments: Annotated[list[PriorTreatment], Field(max_length=40)] = Field(
        default_factory=list, description="Treatments already given, any order."
    )
    chemotherapy_before_liver_surgery: bool | None = Field(
        None,
        description="Chemotherapy was given before the planned liver operation, when regimen and length are "
        "not recorded; known treatments belong in prior_treatments.",
    )
    preferences: Preferences = Field(default_factory=Preferences, description="What the patient wants.")
