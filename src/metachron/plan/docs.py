"""The tables of docs/plan.md, made from the models of the plan document.

Renew them with `python -m metachron.plan.docs docs/plan.md`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import BaseModel

from metachron.plan import results

BEGIN = "<!-- fields: made by python -m metachron.plan.docs -->"
END = "<!-- end of fields -->"
MODELS: tuple[type[BaseModel], ...] = (
    results.Plan,
    results.Provenance,
    results.StrategyResult,
    results.DomainResult,
    results.Outcomes,
    results.Curve,
    results.Estimate,
    results.Toxicity,
    results.Completion,
    results.Reason,
    results.Bar,
    results.Difference,
    results.MonteCarlo,
    results.TwinSummary,
    results.Score,
    results.Citation,
)


def _type(annotation: object) -> str:
    text = (
        annotation.__name__
        if isinstance(annotation, type) and "[" not in str(annotation)
        else str(annotation)
    )
    for noise in ("typing.", "metachron.plan.results.", "Literal"):
        text = text.replace(noise, "")
    return text.replace("|", "or").replace("NoneType", "null").replace("None", "null")


def tables() -> str:
    """One table a model: field, type, meaning."""
    parts = []
    for model in MODELS:
        title = " ".join((model.__doc__ or "").split())
        rows = [
            f"| `{name}` | {_type(field.annotation)} | {(field.description or '').replace('|', '/')} |"
            for name, field in model.model_fields.items()
        ]
        parts.append(
            f"### {model.__name__}\n\n{title}\n\n| Field | Type | Meaning |\n|---|---|---|\n"
            + "\n".join(rows)
        )
    return "\n\n".join(parts)


def update(text: str) -> str:
    """The page with fresh tables between its marks. Raises ValueError when a mark is missing."""
    start, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    return f"{text[:start]}\n\n{tables()}\n\n{text[end:]}"


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(update(page.read_text(encoding="utf-8")), encoding="utf-8")
