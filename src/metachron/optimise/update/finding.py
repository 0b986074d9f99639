"""The form of a finding: what has happened since the assessment, up to one day.

As in the patient, a field left out is *unknown*, which is not negative: no `new_lesions` says nothing of new
lesions, an empty list says that the scan showed none.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from metachron.model.toxicity import KINDS
from metachron.patient.schema import Labs, Modality, Organ, Record, Response

Day = date  # `Scan` has a field called `date`
Identifier = Annotated[str, Field(min_length=1, max_length=40)]


class LesionSize(Record):
    """Size of a lesion known before, on this scan."""

    id: Identifier = Field(description="Name of the lesion in the patient file.")
    diameter_mm: Annotated[float, Field(ge=0, le=400)] = Field(
        description="Longest diameter (mm); 0 when it is no longer seen."
    )


class NewLesion(Record):
    """A lesion that no earlier scan had shown."""

    id: Identifier = Field(description="A name not used before.")
    organ: Organ = Field(description="Organ of the lesion.")
    diameter_mm: Annotated[float, Field(gt=0, le=400)] = Field(description="Longest diameter (mm).")
    segment: Annotated[int, Field(ge=1, le=8)] | None = Field(
        None, description="Couinaud liver segment, 1 to 8 (liver only)."
    )
    near_vessel: bool | None = Field(None, description="Touches a vessel wider than 3 mm.")


class Scan(Record):
    """One scan. Lesions not listed are not reported, which says nothing of them."""

    date: Day | None = Field(None, description="Day of the scan; the day of the finding when left out.")
    modality: Modality | None = Field(None, description="How it was done; CT when left out.")
    lesions: Annotated[list[LesionSize], Field(max_length=40)] = Field(
        default_factory=list, description="Lesions known before, with their size."
    )
    new_lesions: Annotated[list[NewLesion], Field(max_length=10)] | None = Field(
        None, description="Lesions seen for the first time; [] when looked for and none seen."
    )
    response: Response | None = Field(
        None, description="RECIST response against the assessment; used when no size is given."
    )


class GivenTreatment(Record):
    """Drugs or cells given since the assessment; partners are entries of their own."""

    name: Annotated[str, Field(min_length=1, max_length=80)] = Field(
        description="Regimen or cell product of the catalogue (metachron strategies)."
    )
    start: Day = Field(description="First day.")
    end: Day | None = Field(None, description="Last day; absent while it goes on.")
    cycles: Annotated[int, Field(ge=1, le=200)] | None = Field(
        None, description="Cycles (or infusions) given up to the finding; from the dates when left out."
    )
    dose_share: Annotated[float, Field(gt=0, le=1.5)] = Field(
        1.0, description="Mean dose of the cytotoxic drugs over the full dose (fraction)."
    )
    setting: Literal["adjuvant", "neoadjuvant", "metastatic"] | None = Field(
        None, description="As in prior_treatments; follows from what is visible and done when left out."
    )


class LocalTherapy(Record):
    """An operation or ablation done since the assessment."""

    name: Annotated[str, Field(min_length=1, max_length=80)] = Field(
        description="Procedure of the catalogue (metachron strategies)."
    )
    date: Day = Field(description="Day of the procedure.")
    lesions: Annotated[list[str], Field(max_length=40)] | None = Field(
        None, description="Lesions removed or ablated; every liver metastasis in place when left out."
    )


class ToxicityFound(Record):
    """One side effect, by CTCAE grade."""

    kind: str = Field(description="Kind of side effect.", json_schema_extra={"enum": list(KINDS)})
    grade: Annotated[int, Field(ge=0, le=4)] = Field(description="Worst CTCAE grade, 0 to 4.")
    date: Day | None = Field(None, description="Day it was seen; worst since the assessment when left out.")


class Finding(Record):
    """What has happened to one patient since the assessment, up to `date`."""

    schema_version: Literal["1"] = Field("1", description="Version of this format.")
    patient_id: Annotated[str, Field(max_length=80)] | None = Field(
        None, description="The patient it belongs to; checked when given."
    )
    date: Day = Field(description="Day of the finding; the last of them is day 0 of the new plan.")
    title: str | None = Field(None, max_length=200, description="One line that describes the finding.")
    scan: Scan | None = Field(None, description="A scan.")
    treatments: Annotated[list[GivenTreatment], Field(max_length=20)] = Field(
        default_factory=list, description="Drugs and cells given since the assessment."
    )
    local_therapy: Annotated[list[LocalTherapy], Field(max_length=10)] = Field(
        default_factory=list, description="Operations and ablations done since the assessment."
    )
    toxicity: Annotated[list[ToxicityFound], Field(max_length=40)] = Field(
        default_factory=list, description="Side effects since the assessment."
    )
    labs: Labs | None = Field(None, description="Blood values, units in the names.")
    ecog: Annotated[int, Field(ge=0, le=4)] | None = Field(None, description="ECOG performance status now.")
    neuropathy_grade: Annotated[int, Field(ge=0, le=4)] | None = Field(
        None, description="Peripheral sensory neuropathy now (CTCAE grade)."
    )
    fit_for_major_surgery: bool | None = Field(None, description="Judged fit for major surgery now.")
    all_lesions_resectable: bool | None = Field(
        None, description="The surgeon judges now that every metastasis can be removed."
    )
    remnant_share: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="Future liver remnant after the resection now planned (fraction)."
    )
