"""The tables of docs/understand.md, made from the models of the document.

Renew them with `python -m metachron.optimise.understand.docs docs/understand.md`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import BaseModel

from metachron.optimise.understand import results

BEGIN = "<!-- fields: made by python -m metachron.optimise.understand.docs -->"
END = "<!-- end of fields -->"
MODELS: tuple[type[BaseModel], ...] = (
    results.Understanding,
    results.Compared,
    results.Contrast,
    results.HeatMap,
    results.HeatCell,
    results.HeatRow,
    results.Sensitivity,
    results.TornadoBar,
    results.Sobol,
    results.SobolIndex,
    results.Counterfactuals,
    results.Counterfactual,
    results.Point,
    results.Information,
    results.InformationItem,
    results.TestOutcome,
    results.NotValued,
)


def tables() -> str:
    """One table a model: field and meaning."""
    parts = []
    for model in MODELS:
        title = " ".join((model.__doc__ or "").split())
        rows = [
            f"| `{name}` | {(field.description or '').replace('|', '/')} |"
            for name, field in model.model_fields.items()
        ]
        parts.append(f"### {model.__name__}\n\n{title}\n\n| Field | Meaning |\n|---|---|\n" + "\n".join(rows))
    return "\n\n".join(parts) + "\n"


def renewed(text: str) -> str:
    """The page with its tables made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{after}"


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(renewed(page.read_text("utf-8")), "utf-8")
