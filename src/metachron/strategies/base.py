"""What every record of the catalogue shares, and the classes in which drugs act."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Entry(BaseModel):
    """Common behaviour of catalogue records."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class EffectClass(StrEnum):
    """How a drug acts in the model. One resistance state per kill class."""

    FP = "fluoropyrimidine"
    OX = "oxaliplatin"
    IRI = "irinotecan"
    FTD = "trifluridine"
    EGFR = "anti-EGFR"
    TARGET = "targeted"  # kinase inhibitors and antibody-drug conjugates matched to a driver
    VEGF = "anti-VEGF"  # slows growth, kills nothing
    CHECKPOINT = "checkpoint"  # immune kill, by MSI state
    NONE = "none"  # leucovorin and other modulators
