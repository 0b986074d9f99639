"""The validation report: one document in, one HTML file out that opens offline, and its curves as CSV."""

from __future__ import annotations

import csv
import io
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from metachron.calibrate.validation import CurveScore, Validation
from metachron.report import validation_figures as figures
from metachron.report import validation_text as text


def write_validation(v: Validation, path: Path) -> Path:
    """Write the report and return its path. Raises OSError when it cannot be written."""
    path = Path(path)
    path.write_text(render(v), encoding="utf-8", newline="\n")
    return path


def render(v: Validation) -> str:
    """The report as HTML text; the same document gives the same text."""
    environment = Environment(
        loader=PackageLoader("metachron.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("validation.html.j2").render(**_context(v))


def _context(v: Validation) -> dict[str, Any]:
    scored = [c for c in v.curves if c.use == "fit"]
    shown = [c for c in v.curves if c.use == "shown"]
    judged = [r for r in v.contrasts if r.scored]
    summary, *tables = text.tables(v)
    return {
        "v": v,
        "summary": summary,
        "tables": tables,
        "groups": [(name, figures.curves_figure(curves, f"curves-{i}"))
                   for i, (name, curves) in enumerate(by_setting(scored))],
        "shown": figures.curves_figure(shown, "curves-shown") if shown else None,
        "calibration": figures.calibration_figure(scored, "calibration")
                       if any(c.landmarks for c in scored) else None,
        "forest": figures.forest_figure(judged, "forest") if judged else None,
        "reasons": text.shown_reasons(v),
        "points": text.points,
        "css": Markup(_resource("style.css") + _resource("validation.css")),
        "script": Markup(_resource("validation.js")),
    }  # fmt: skip


def _resource(name: str) -> str:
    return (files("metachron.report") / "templates" / name).read_text(encoding="utf-8")


def by_setting(curves: list[CurveScore]) -> list[tuple[str, list[CurveScore]]]:
    """Curves in groups of one setting, settings in the order of the course of disease."""
    order = [s for s in text.SETTING_NAMES if any(c.setting == s for c in curves)]
    return [(text.SETTING_NAMES[s], [c for c in curves if c.setting == s]) for s in order]


CSV_HEAD = (
    "trial", "figure", "endpoint", "arm", "months", "predicted", "low_90", "high_90", "observed", "at_risk",
)  # fmt: skip


def curves_csv(v: Validation) -> str:
    """Every point of every curve, one row each."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_HEAD)
    for c in v.curves:
        rows = zip(
            c.curve.months, c.curve.predicted, c.curve.low, c.curve.high, c.curve.observed, c.curve.at_risk,
            strict=True,
        )  # fmt: skip
        for month, *values in rows:
            writer.writerow((c.trial, c.figure, c.endpoint, c.arm, f"{month:.4f}", *values))
    return out.getvalue()
