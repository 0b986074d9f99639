"""Who was in a trial: every field is optional, what is left out has a default by setting."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Status = Literal["read", "derived", "assumed", "recalled"]

# Shares of an exhaustive list may miss one by rounding in the publication
ROUNDING = 0.02
_BIN = re.compile(r"(\d{1,2})(?:-(\d{1,2})|(\+))?")


class Record(BaseModel):
    """Common behaviour: unknown fields, infinities and later changes are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def unit(text: str) -> dict[str, Any]:
    """The unit of a field, for messages and docs."""
    return {"unit": text}


def check_shares(values: list[float], what: str) -> None:
    """Raises ValueError when shares do not sum to 1 within rounding."""
    total = math.fsum(values)
    if total > 2 or any(v > 1 for v in values):
        raise ValueError(f"the {what} look like percentages (sum {total:g}); write shares that sum to 1")
    if abs(total - 1) > ROUNDING:
        raise ValueError(f"the {what} sum to {total:g}, not to 1")


def check_bins(shares: dict[str, float], what: str, least: int) -> None:
    """Raises ValueError for labels other than "2", "1-3" and "4+", for gaps or overlaps, and for shares
    that do not sum to 1."""
    spans = sorted(read_bin(label) for label in shares)
    for low, high in spans:
        if low < least or high < low:
            raise ValueError(f"{what}: a bin starts at {least} or above and does not end before it starts")
    for (_, high), (low, _) in pairwise(spans):
        if low <= high:
            raise ValueError(f"{what}: bins overlap at {low:g}")
    check_shares(list(shares.values()), f"shares of {what}")


def read_bin(label: str) -> tuple[int, float]:
    """(lowest, highest) of a bin "2", "1-3" or "4+"; the highest of an open one is infinite.
    Raises ValueError."""
    match = _BIN.fullmatch(label.strip())
    if match is None:
        raise ValueError(f'{label!r} is not a number of lesions or nodes; write "2", "1-3" or "4+"')
    low = int(match[1])
    return low, math.inf if match[3] else int(match[2] or low)


class Range(Record):
    """Median and range of a trial population."""

    median: float = Field(gt=0)
    low: float | None = Field(None, ge=0)
    high: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        low, high = self.low if self.low is not None else 0.0, self.high or math.inf
        if not low <= self.median <= high:
            raise ValueError(f"the median {self.median:g} is not between low {low:g} and high {high:g}")
        return self


class Size(Record):
    """A log-normal size: median in the unit of the field, SD of the natural logarithm."""

    median: float = Field(gt=0)
    sd_ln: float = Field(0.6, gt=0, le=2)


class Lesions(Record):
    """Visible lesions a patient: either the median, or the shares of bins."""

    median: float | None = Field(None, ge=1, le=64)
    shares: dict[str, Annotated[float, Field(ge=0, le=100)]] | None = None

    @model_validator(mode="after")
    def _one(self) -> Lesions:
        if (self.median is None) == (self.shares is None):
            raise ValueError('give either the median, or shares such as {"1": 0.5, "2-4": 0.4, "5+": 0.1}')
        if self.shares is not None:
            check_bins(self.shares, "lesions", 1)
        return self


Share = Annotated[float | None, Field(ge=0, le=1, json_schema_extra=unit("share"))]


class Population(Record):
    """What is known of the patients of a trial or of a subgroup. Fields left out follow the setting."""

    age_years: Range | None = Field(
        None, description="Age at randomisation.", json_schema_extra=unit("years")
    )
    female: Share = None
    ecog: list[float] | None = Field(None, description="Shares of ECOG 0, 1, 2 or more.")
    stage_2: Share = Field(None, description="Adjuvant: stage II; the rest is stage III.")
    nodes: dict[str, Annotated[float, Field(ge=0, le=100)]] | None = Field(
        None, description="Positive nodes of stage III: shares of bins."
    )
    t4: Share = None
    t12: Share = None
    rectal: Share = Field(None, description="Adjuvant: primary of the rectum; the rest of the colon.")
    ras_mutant: Share = None
    braf_mutant: Share = None
    msi_high: Share = None
    liver_only: Share = None
    synchronous: Share = None
    primary_node_positive: Share = None
    lesions: Lesions | None = Field(None, description="Visible lesions a patient.")
    sld_cm: Size | None = Field(
        None, description="Sum of longest diameters (disease not removed).", json_schema_extra=unit("cm")
    )
    largest_mm: Size | None = Field(None, description="Largest lesion.", json_schema_extra=unit("mm"))
    months_since_surgery: float | None = Field(
        None,
        ge=0,
        le=24,
        description="Adjuvant: randomisation after the operation.",
        json_schema_extra=unit("months"),
    )
    status: dict[str, Status] = Field(
        default_factory=dict, description="Where each field comes from: read, derived, assumed, recalled."
    )
    note: str = ""

    @field_validator("lesions", mode="before")
    @classmethod
    def _bins_as_shares(cls, value: Any) -> Any:
        plain = isinstance(value, dict) and value and not value.keys() & {"median", "shares"}
        return {"shares": {str(k): v for k, v in value.items()}} if plain else value

    @field_validator("nodes", mode="before")
    @classmethod
    def _labels(cls, value: Any) -> Any:
        return {str(k): v for k, v in value.items()} if isinstance(value, dict) else value

    @field_validator("nodes")
    @classmethod
    def _nodes(cls, value: dict[str, float] | None) -> dict[str, float] | None:
        if value is not None:
            check_bins(value, "nodes", 0)
        return value

    @field_validator("ecog")
    @classmethod
    def _ecog(cls, value: list[float] | None) -> list[float] | None:
        if value is not None:
            if len(value) != 3 or min(value) < 0:
                raise ValueError("three shares are needed: ECOG 0, ECOG 1, ECOG 2 or more")
            check_shares(value, "shares of ECOG")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Population:
        if self.sld_cm is not None and self.largest_mm is not None:
            raise ValueError("give sld_cm or largest_mm, not both")
        for name in self.status:
            if name not in self.fields() or getattr(self, name) is None:
                raise ValueError(f"status names {name}, which is not given")
        if (self.t4 or 0) + (self.t12 or 0) > 1:
            raise ValueError("t4 and t12 together exceed 1")
        return self

    @classmethod
    def fields(cls) -> list[str]:
        """Names of the fields that describe patients."""
        return [name for name in cls.model_fields if name not in ("status", "note")]

    def with_subgroup(self, subgroup: Population | None) -> Population:
        """This population with what `subgroup` gives in its place."""
        if subgroup is None:
            return self
        changed = {n: v for n in self.fields() if (v := getattr(subgroup, n)) is not None}
        sizes = {"sld_cm", "largest_mm"}
        if changed.keys() & sizes:
            changed = {**dict.fromkeys(sizes - changed.keys()), **changed}
        status = {**{k: v for k, v in self.status.items() if k not in changed}, **subgroup.status}
        return self.model_copy(update={**changed, "status": status})
