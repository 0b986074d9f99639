"""What a trial found: curves on a grid, points, medians, response rates, hazard ratios."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from metachron.calibrate.targets_population import Record, Status, unit

DAYS_PER_MONTH = 30.4375
SIMULATED = ("OS", "PFS", "DFS", "RFS", "recurrence", "TTP", "TTF", "hepatic_DFS")
ENDPOINTS = (*SIMULATED, "LRR")
LONGEST_MONTHS = 400  # longer than any follow-up: the times are days

Endpoint = Literal["OS", "PFS", "DFS", "RFS", "recurrence", "TTP", "TTF", "hepatic_DFS", "LRR"]
Use = Literal["fit", "shown"]


def plain_endpoint(value: Any) -> Any:
    """An endpoint in its usual spelling, whatever its case, spaces and hyphens; others unchanged."""
    plain = str(value).strip().lower().replace("-", "_").replace(" ", "_")
    return next((name for name in ENDPOINTS if name.lower() == plain), value)


class Finding(Record):
    """What every finding has: its use, why it is only shown, its source."""

    use: Use = Field("fit", description="fit: enters the likelihood; shown: scored and printed only.")
    reason: str = Field("", description="Why it is only shown.")
    fact: list[str] = Field(default_factory=list, description="Rows of the fact table it was taken from.")
    status: Status = "read"
    note: str = ""

    @field_validator("fact", mode="before")
    @classmethod
    def _one_fact(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _explained(self) -> Finding:
        if self.use == "shown" and not self.reason and not isinstance(self, Contrast):
            raise ValueError("use: shown needs a reason")
        if self.use == "fit" and getattr(self, "endpoint", "") == "LRR":
            raise ValueError("LRR is not simulated; write use: shown and a reason")
        return self

    @field_validator("endpoint", mode="before", check_fields=False)
    @classmethod
    def _endpoint(cls, value: Any) -> Any:
        return plain_endpoint(value)


Months = Annotated[float, Field(gt=0, le=LONGEST_MONTHS, json_schema_extra=unit("months"))]
Count = Annotated[int, Field(ge=0)]
Probability = Annotated[float, Field(ge=0, le=1, json_schema_extra=unit("share"))]


class CurveData(Finding):
    """A Kaplan-Meier curve on a grid: interval k is (months[k-1], months[k]], the first from 0.

    `at_risk[k]` at the start of interval k, `events[k]` within it, `survival[k]` at its end. `remaining` is
    the number at risk just after the last grid point.
    """

    endpoint: Endpoint
    arm: str
    figure: str = ""
    data_arm: str = Field("", description="Name of the arm in the individual data, when it is another.")
    origin: Literal["reconstructed", "individual"] = Field(
        "reconstructed", description="From a published figure, or from individual data."
    )
    months: list[Months] = Field(min_length=1, max_length=120)
    at_risk: list[Count] = Field(min_length=1, max_length=120)
    events: list[Count] = Field(min_length=1, max_length=120)
    survival: list[Probability] = Field(min_length=1, max_length=120)
    remaining: int | None = Field(None, ge=0)

    @field_validator("months", mode="before")
    @classmethod
    def _not_days(cls, value: Any) -> Any:
        numbers = [v for v in value if isinstance(v, int | float)] if isinstance(value, list) else []
        if numbers and max(numbers) > LONGEST_MONTHS:
            raise ValueError(f"{max(numbers):g} months is beyond any follow-up; these look like days")
        return value

    @field_validator("survival", mode="before")
    @classmethod
    def _not_percent(cls, value: Any) -> Any:
        numbers = [v for v in value if isinstance(v, int | float)] if isinstance(value, list) else []
        if numbers and max(numbers) > 1.5:
            raise ValueError(f"{max(numbers):g} looks like a percentage; write shares from 0 to 1")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> CurveData:
        size = len(self.months)
        for name in ("at_risk", "events", "survival"):
            if len(getattr(self, name)) != size:
                raise ValueError(f"{name} has {len(getattr(self, name))} values, months has {size}")
        if any(b <= a for a, b in pairwise(self.months)):
            raise ValueError("months must rise")
        if any(b > a for a, b in pairwise(self.survival)):
            raise ValueError("survival rises; a Kaplan-Meier curve can only fall")
        after = [*self.at_risk[1:], *([] if self.remaining is None else [self.remaining])]
        for k, (risk, dead) in enumerate(zip(self.at_risk, self.events, strict=True)):
            if dead > risk:
                raise ValueError(f"more events ({dead}) than at risk ({risk}) in interval {k + 1}")
            if k < len(after) and after[k] > risk - dead:
                message = f"at_risk grows: {after[k]} after interval {k + 1}, of {risk} with {dead} events"
                raise ValueError(message)
        return self

    @property
    def days(self) -> NDArray[np.float64]:
        """Grid in days (30.4375 a month)."""
        return np.array(self.months) * DAYS_PER_MONTH

    @property
    def censored(self) -> NDArray[np.int64]:
        """Censored within each interval; 0 in the last one when `remaining` is not given."""
        left = self.at_risk[-1] - self.events[-1] if self.remaining is None else self.remaining
        after = np.array([*self.at_risk[1:], left], dtype=np.int64)
        return np.array(self.at_risk, dtype=np.int64) - np.array(self.events, dtype=np.int64) - after

    @property
    def n(self) -> int:
        """Patients at risk at time 0."""
        return self.at_risk[0]


class Bounded(Finding):
    """A figure with a 95 % interval."""

    low: float | None = None
    high: float | None = None

    def _check_bounds(self, value: float) -> None:
        if self.low is not None and self.high is not None and not self.low <= value <= self.high:
            raise ValueError(f"{value:g} is not between low {self.low:g} and high {self.high:g}")


class Landmark(Bounded):
    """Survival at a time."""

    endpoint: Endpoint
    arm: str
    months: Months
    survival: Probability
    n: int = Field(gt=0, json_schema_extra=unit("patients"))

    @model_validator(mode="after")
    def _bounds(self) -> Landmark:
        self._check_bounds(self.survival)
        return self


class Median(Bounded):
    """Median time."""

    endpoint: Endpoint
    arm: str
    months: Months
    n: int = Field(gt=0, json_schema_extra=unit("patients"))

    @model_validator(mode="after")
    def _bounds(self) -> Median:
        self._check_bounds(self.months)
        return self


class Response(Bounded):
    """Share with complete or partial response."""

    arm: str
    orr: Probability
    n: int = Field(gt=0, json_schema_extra=unit("patients"))

    @model_validator(mode="after")
    def _bounds(self) -> Response:
        self._check_bounds(self.orr)
        return self


class Contrast(Bounded):
    """A published hazard ratio, `arm` over `reference`. By default only shown: the arms' own figures say the
    same."""

    use: Use = "shown"
    endpoint: Endpoint
    arm: str
    reference: str
    hazard_ratio: float = Field(gt=0, le=20)
    p: float | None = Field(None, ge=0, le=1)

    @model_validator(mode="after")
    def _bounds(self) -> Contrast:
        self._check_bounds(self.hazard_ratio)
        if self.arm == self.reference:
            raise ValueError("arm and reference are the same")
        return self
