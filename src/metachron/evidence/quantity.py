"""A number with its unit, uncertainty and source: the form of every clinical figure in the project."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Status = Literal["read", "derived", "assumed", "recalled"]


class Quantity(BaseModel):
    """Value, unit, interval and provenance.

    `low` and `high` bound the published or assumed 95 % range. `status` says whether the figure was
    read in its source, derived from read figures, recalled (to be checked), or assumed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    source: str = Field(description="Key of a reference, or 'assumption' when status is assumed.")
    status: Status
    note: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> Quantity:
        if self.low is not None and self.low > self.value:
            raise ValueError(f"low {self.low} is above the value {self.value}")
        if self.high is not None and self.high < self.value:
            raise ValueError(f"high {self.high} is below the value {self.value}")
        return self
