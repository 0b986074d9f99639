"""The tables of docs/update.md, made from the models of the update document and of a finding.

Renew them with `python -m metachron.optimise.update.docs docs/update.md`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import BaseModel

from metachron.optimise.update import finding, results

BEGIN, END = "<!-- fields: made by python -m metachron.optimise.update.docs -->", "<!-- end of fields -->"
MODELS: tuple[type[BaseModel], ...] = (
    finding.Finding,
    finding.Scan,
    finding.LesionSize,
    finding.NewLesion,
    finding.GivenTreatment,
    finding.LocalTherapy,
    finding.ToxicityFound,
    results.Update,
    results.Observation,
    results.Belief,
    results.Spread,
    results.StrategyBelief,
    results.Sampling,
)


def tables() -> str:
    """One table a model: field and meaning."""
    parts = []
    for model in MODELS:
        title = " ".join((model.__doc__ or "").split())
        rows = [f"| `{name}` | {field.description} |" for name, field in model.model_fields.items()]
        parts.append(f"### {model.__name__}\n\n{title}\n\n| Field | Meaning |\n|---|---|\n" + "\n".join(rows))
    return "\n\n".join(parts)


def update(text: str) -> str:
    """The page with fresh tables between its marks. Raises ValueError when a mark is missing."""
    start, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    return f"{text[:start]}\n\n{tables()}\n\n{text[end:]}"


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(update(page.read_text(encoding="utf-8")), encoding="utf-8")
