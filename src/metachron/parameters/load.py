"""Read and validate the parameter files; one file per group of sources."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

Shape = Literal["fixed", "lognormal", "normal", "beta", "halfnormal", "uniform", "bernoulli"]

STATUS_NOTE = (
    "The parameters are literature values and stated priors, not fitted jointly to trial data: "
    "every figure here is prior-driven until the calibrated ensemble is shipped."
)


class Parameter(BaseModel):
    """One model parameter. `low` and `high` bound 95 % of its distribution; value is its median."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str
    title: str
    unit: str
    value: float
    distribution: Shape
    low: float | None = None
    high: float | None = None
    alpha: float | None = None
    beta: float | None = None
    scale: float | None = None
    source: str
    status: Literal["read", "derived", "assumed", "recalled"]
    basis: Literal["calibrated", "prior-driven"] = "prior-driven"
    note: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Parameter:
        needs = {
            "lognormal": ("low", "high"),
            "normal": ("low", "high"),
            "uniform": ("low", "high"),
            "beta": ("alpha", "beta"),
            "halfnormal": ("scale",),
        }.get(self.distribution, ())
        missing = [field for field in needs if getattr(self, field) is None]
        if missing:
            raise ValueError(f"{self.name}: a {self.distribution} parameter needs {', '.join(missing)}")
        if (self.source == "assumption") != (self.status == "assumed"):
            raise ValueError(f"{self.name}: status assumed goes with source assumption, and only with it")
        return self


@cache
def load_parameters() -> dict[str, Parameter]:
    """All parameters by name, in file order. Raises ValueError on a duplicate or invalid entry."""
    found: dict[str, Parameter] = {}
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    folder = files("metachron.parameters")
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if not entry.name.endswith(".yaml"):
            continue
        for raw in yaml.load(entry.read_text(encoding="utf-8"), Loader=loader):
            parameter = Parameter.model_validate(raw)
            if parameter.name in found:
                raise ValueError(f"parameter {parameter.name} is defined twice")
            found[parameter.name] = parameter
    return found
