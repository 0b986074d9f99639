"""The bibliography: every citation key of the project resolves here.

References live in `references/<area>.yaml`, a mapping of key to record. A key is defined in one file
only, and every record can be followed: a DOI, a PMID, a URL, or the reason why there is none.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from metachron.errors import InputError, Problem

FOLDER = Path(__file__).parent / "references"


class Reference(BaseModel):
    """One source. `status` says whether it was read, or recalled and still to be checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    text: str = Field(min_length=5, description="Authors, title, journal, year.")
    doi: str | None = None
    pmid: str | None = Field(None, pattern=r"^\d+$")
    url: str | None = Field(None, pattern=r"^https?://")
    reason: str | None = Field(None, description="Why there is no identifier.")
    year: int = Field(ge=1900, le=2100)
    status: Literal["read", "recalled"]
    facts: tuple[str, ...] = Field((), description="Rows of the fact table taken from this source.")

    @model_validator(mode="after")
    def _can_be_followed(self) -> Reference:
        if not (self.doi or self.pmid or self.url or self.reason):
            raise ValueError("needs a doi, a pmid, a url, or a reason why there is none")
        return self


@cache
def load_references(folder: Path = FOLDER) -> dict[str, Reference]:
    """All references by key. Raises InputError on a key defined twice or a record that cannot be followed."""
    found: dict[str, Reference] = {}
    home: dict[str, str] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        for key, record in _records(path).items():
            if key in home:
                problems.append(Problem(key, f"defined in {home[key]} and again in {path.name}"))
                continue
            home[key] = path.name
            try:
                found[key] = Reference.model_validate({"key": key, **record})
            except ValidationError as error:
                problems.append(Problem(f"{path.name}: {key}", error.errors()[0]["msg"]))
    if problems:
        raise InputError(problems, source="references")
    return found


class _UniqueKeys(yaml.CSafeLoader):
    """YAML keeps the last of two equal keys without a word; here that is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1})
        if twice:
            raise InputError(Problem(", ".join(twice), f"defined twice in {node.start_mark.name}"))
        return super().construct_mapping(node, deep)


def _records(path: Path) -> dict[str, dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        content = yaml.load(stream, Loader=_UniqueKeys)
    if not isinstance(content, dict):
        raise InputError(Problem(path.name, "must be a mapping of citation keys to records"))
    return content


def link(reference: Reference) -> str:
    """Where to read it: DOI first, then PubMed, then the URL; empty when there is none."""
    if reference.doi:
        return f"https://doi.org/{reference.doi}"
    if reference.pmid:
        return f"https://pubmed.ncbi.nlm.nih.gov/{reference.pmid}/"
    return reference.url or ""


def format_reference(reference: Reference) -> str:
    """One line for a bibliography, with identifiers, marked when it was not read."""
    parts = [reference.text.rstrip(".") + "."]
    if reference.doi:
        parts.append(f"doi:{reference.doi}.")
    if reference.pmid:
        parts.append(f"PMID {reference.pmid}.")
    if not link(reference):
        parts.append(f"({reference.reason})")
    if reference.status == "recalled":
        parts.append("[recalled, to be checked]")
    return " ".join(parts)
