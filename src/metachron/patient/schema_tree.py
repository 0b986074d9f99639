"""Where a field path leads in the schema: its kind, limits, unit and description.

Paths are tuples of names and indices, written for people as `metastases[1].measurements[0].diameter_mm`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from metachron.patient.schema import Patient

Path = tuple[str | int, ...]

_UNITS = {
    "mm": "mm",
    "cm": "cm",
    "kg": "kg",
    "ml": "mL",
    "years": "years",
    "ng_ml": "ng/mL",
    "umol_l": "umol/L",
    "g_l": "g/L",
    "e9_l": "1e9/L",
    "ml_min": "mL/min",
    "mg_m2": "mg/m2",
    "share": "fraction",
}


@dataclass(frozen=True)
class Node:
    """One place in the schema. `kind` is a JSON Schema type, or "date"."""

    kind: str
    unit: str = ""
    description: str = ""
    choices: tuple[str, ...] = ()
    limits: tuple[float | None, float | None] = (None, None)
    open_below: bool = False
    length: tuple[int | None, int | None] = (None, None)
    nullable: bool = False
    fields: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    raw: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def allowed(self) -> str:
        """What may stand here, in words, with the unit."""
        return _allowed(self)


@cache
def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a patient."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Patient.model_json_schema(),
    }


def write_path(path: Path) -> str:
    """`("a", 0, "b")` as `a[0].b`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def node(path: Path) -> Node | None:
    """What the schema says about a path; None when the path is not in it."""
    raw, nullable, name = _resolve(schema()), False, ""
    for part in path:
        if isinstance(part, int):
            raw = raw.get("items", {})
        else:
            raw, name = raw.get("properties", {}).get(part, {}), part
        if not raw:
            return None
        nullable = any(option.get("type") == "null" for option in raw.get("anyOf", []))
        raw = _resolve(raw)
    return _make(raw, nullable, name)


def _resolve(raw: dict[str, Any]) -> dict[str, Any]:
    """Follow references and drop the null branch, keeping the nearest description."""
    found = dict(raw)
    for option in raw.get("anyOf", []):
        if option.get("type") != "null":
            found = {**option, **{k: v for k, v in raw.items() if k != "anyOf"}}
    if "$ref" in found:
        target = _resolve(schema()["$defs"][found["$ref"].rsplit("/", 1)[1]])
        found = {**target, **{k: v for k, v in found.items() if k != "$ref"}}
    return found


def _make(raw: dict[str, Any], nullable: bool, name: str) -> Node:
    kind = "date" if raw.get("format") == "date" else raw.get("type", "string")
    choices = raw.get("enum") or ([raw["const"]] if "const" in raw else [])
    low = raw.get("minimum", raw.get("exclusiveMinimum"))
    return Node(
        kind=kind,
        unit=_unit(name, kind),
        description=raw.get("description", ""),
        choices=tuple(str(c) for c in choices),
        limits=(low, raw.get("maximum")),
        open_below="exclusiveMinimum" in raw,
        length=(raw.get("minLength", raw.get("minItems")), raw.get("maxLength", raw.get("maxItems"))),
        nullable=nullable,
        fields=tuple(raw.get("properties", {})),
        required=tuple(raw.get("required", ())),
        raw=raw,
    )


def _unit(name: str, kind: str) -> str:
    if kind not in ("number", "integer"):
        return ""
    for suffix in sorted(_UNITS, key=len, reverse=True):
        if name.endswith("_" + suffix):
            return _UNITS[suffix]
    return "fraction" if name == "tumour_share_of_liver" else ""


def stem(name: str) -> str:
    """A field name without its unit: `diameter_mm` gives `diameter`."""
    for suffix in sorted(_UNITS, key=len, reverse=True):
        if name.endswith("_" + suffix):
            return name[: -len(suffix) - 1]
    return name


def _allowed(at: Node) -> str:
    low, high = at.limits
    unit = " as a fraction" if at.unit == "fraction" else f" {at.unit}" if at.unit else ""
    if at.choices:
        return ", ".join(f'"{choice}"' for choice in at.choices)
    if at.kind in ("number", "integer"):
        whole = "whole number, " if at.kind == "integer" else ""
        if low is None and high is None:
            return f"a number{unit}"
        start = f"above {low:g}, up to" if at.open_below else f"{low:g} to"
        return f"{whole}{start} {high:g}{unit}"
    words = {
        "boolean": "true, false, or null when unknown" if at.nullable else "true or false",
        "date": "a date, YYYY-MM-DD",
        "array": f"a list in square brackets{f', at most {at.length[1]} entries' if at.length[1] else ''}",
        "object": "an object with named fields",
    }
    if at.kind in words:
        return words[at.kind]
    return f"text of {at.length[0] or 0} to {at.length[1]} characters" if at.length[1] else "text"


@cache
def all_fields() -> tuple[tuple[Path, Node], ...]:
    """Every field of the schema, depth first; lists appear once, with index 0."""
    return tuple(_walk(()))


def _walk(path: Path) -> Iterator[tuple[Path, Node]]:
    at = node(path)
    assert at is not None
    for name in at.fields:
        here = (*path, name)
        child = node(here)
        assert child is not None
        yield here, child
        if child.fields:
            yield from _walk(here)
        inner = node((*here, 0)) if child.kind == "array" else None
        if inner is not None and inner.fields:
            yield from _walk((*here, 0))
