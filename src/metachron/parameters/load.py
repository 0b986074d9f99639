"""Read and validate the parameter files; one file per group of sources."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

Shape = Literal["fixed", "lognormal", "normal", "beta", "halfnormal", "uniform", "bernoulli"]


class Parameter(BaseModel):
    """One model parameter.

    `value` is the median of its distribution (of a beta: the mean; of a bernoulli: the probability),
    `low` and `high` bound 95 % of it (of a uniform: all of it).
    """

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
        if self.low is not None and self.high is not None and not self.low < self.value < self.high:
            raise ValueError(f"{self.name}: {self.value} is not between {self.low} and {self.high}")
        return self

    def interval(self) -> tuple[float, float]:
        """(low, high). Raises ValueError for a shape without bounds."""
        if self.low is None or self.high is None:
            raise ValueError(f"{self.name}: a {self.distribution} parameter has no bounds")
        return self.low, self.high

    def shape(self) -> tuple[float, float]:
        """(alpha, beta) of a beta. Raises ValueError for any other."""
        if self.alpha is None or self.beta is None:
            raise ValueError(f"{self.name}: a {self.distribution} parameter has no alpha and beta")
        return self.alpha, self.beta

    def spread(self) -> float:
        """Scale of a half-normal. Raises ValueError for any other."""
        if self.scale is None:
            raise ValueError(f"{self.name}: a {self.distribution} parameter has no scale")
        return self.scale


@cache
def load_parameters() -> dict[str, Parameter]:
    """All parameters by name, in file order. Raises ValueError on a duplicate or invalid entry."""
    found: dict[str, Parameter] = {}
    for text in parameter_files().values():
        for parameter in read_parameters(text):
            if parameter.name in found:
                raise ValueError(f"parameter {parameter.name} is defined twice")
            found[parameter.name] = parameter
    return found


def parameter_files() -> dict[str, str]:
    """Text of each parameter file by its name without extension, in alphabetical order."""
    entries = sorted(files("metachron.parameters").iterdir(), key=lambda item: item.name)
    return {
        entry.name.removesuffix(".yaml"): entry.read_text(encoding="utf-8")
        for entry in entries
        if entry.name.endswith(".yaml")
    }


def read_parameters(text: str) -> list[Parameter]:
    """The parameters of one file. Raises ValueError on an invalid entry."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [Parameter.model_validate(raw) for raw in yaml.load(text, Loader=loader)]
