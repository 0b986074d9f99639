"""The tables of docs/calibration.md, made from the provenance of the shipped ensemble.

Renew them with `python -m metachron.calibrate.docs docs/calibration.md`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from metachron.parameters import posterior
from metachron.parameters.load import load_parameters

BEGIN = "<!-- calibration: made by python -m metachron.calibrate.docs -->"
END = "<!-- end of calibration -->"
PRIOR_DRIVEN = 0.20  # contraction below which a parameter rests on its prior
MOST_MISFITS = 40
FITTED_AND_NOT = ("with_effects", "without_effects")


def tables(provenance: Mapping[str, Any]) -> str:
    """All tables as Markdown."""
    figures = provenance["diagnostics"]
    parts = [
        _summary(provenance),
        "### Prior and posterior\n\n" + parameter_table(figures["parameters"]),
        "### Prior-driven parameters\n\n" + prior_driven(figures),
        "### Correlations\n\n" + _correlations(figures["correlations"]),
        "### Differences between trials\n\n" + effect_table(figures["tau"], figures["effects"]),
        "### What fits worst\n\n" + misfit_table(figures["misfit"]),
    ]
    return "\n\n".join(parts)


def _summary(provenance: Mapping[str, Any]) -> str:
    figures = provenance["diagnostics"]
    sampler = figures["sampler"]
    budget = provenance["settings"]
    allowed = budget.get("emulator_sd", ())
    null = ", ".join(f"{100 * row['contraction']:.0f} %" for row in figures.get("null", {}).values())
    rows = {
        "trials fitted": len(provenance["targets"]),
        "individual data": ", ".join(provenance.get("individual_data", [])) or "none",
        "lives an arm and wave, waves": f"{budget['lives']:,}, {budget['waves']}",
        "draws shipped": provenance["draws"],
        "chains, samples": f"{sampler['chains']}, {sampler['samples']:,}",
        "largest R-hat": f"{max(sampler['largest_r_hat'].values()):.3f}",
        "smallest effective size": f"{min(sampler['smallest_ess'].values()):.0f}",
        "divergences": sampler["divergences"],
        "contraction of inputs that mean nothing": null or "not measured",
        "distance of the posterior from the last lives (1: among them)": figures.get("reach", "not kept"),
        "error of the emulator allowed for": " and ".join(f"{sd:g}" for sd in allowed) or "none",
        **misfit_summary(figures["misfit"]),
    }
    return "| | |\n|---|---|\n" + "\n".join(f"| {name} | {value} |" for name, value in rows.items())


def misfit_summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Mean error over figures and over curves, with and without the effects fitted to each trial."""
    found = {}
    for name, part in (
        (f"error of fitted figures ({len(rows)}), points", rows),
        ("of these, curves", [row for row in rows if row["points"] > 3]),
    ):
        if part:
            means = [
                100 * sum(row[key] for row in part) / len(part) for key in ("with_effects", "without_effects")
            ]
            found[name] = f"{means[0]:.1f} with the trial's own effects, {means[1]:.1f} without"
    gap = [100 * row["emulator_error"] for row in rows]
    found["emulator against simulator, points"] = f"{sum(gap) / max(len(gap), 1):.1f}"
    return found


def parameter_table(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """One row a parameter: prior, posterior, contraction, what pins it."""
    parameters = load_parameters()
    head = (
        "| Parameter | Unit | Prior median | Posterior median (95 %) | Shift (prior SD) | Contraction |"
        " Pinned by (growth of SD without it) |\n|---|---|---|---|---|---|---|"
    )
    lines = [head]
    for name, row in rows.items():
        unit, prior = (parameters[name].unit, parameters[name].value) if name in parameters else ("", 0.0)
        pins = ", ".join(f"{trial} {100 * growth:.0f} %" for trial, growth in row["pinned_by"]) or "nothing"
        learnt = f"{row['median']:.3g} ({row['low']:.3g} to {row['high']:.3g})"
        shift = f"{row['mean_z']:+.1f} | {100 * row['contraction']:.0f} %"
        lines.append(f"| `{name}` | {unit} | {prior:.3g} | {learnt} | {shift} | {pins} |")
    return "\n".join(lines)


def prior_driven(figures: Mapping[str, Any]) -> str:
    """Names of parameters whose spread shrinks by less than PRIOR_DRIVEN, or than that of an input that means
    nothing."""
    null = [row["contraction"] for row in figures.get("null", {}).values()]
    least = max([PRIOR_DRIVEN, *null])
    names = [n for n, row in figures["parameters"].items() if row["contraction"] < least]
    listed = ", ".join(f"`{name}`" for name in names) + "." if names else "None."
    return f"Spread taken away by less than {100 * least:.0f} %: {listed}"


def _correlations(rows: Sequence[Sequence[Any]]) -> str:
    lines = ["| | | r |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| `{a}` | `{b}` | {r:+.2f} |" for a, b, r in rows)])


def effect_table(tau: Mapping[str, float], effects: Mapping[str, Sequence[float]]) -> str:
    """Spread of trial effects, then the mean effects of each trial, largest first."""
    names = list(tau)
    lines = [f"| Trial | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    lines.append("| **spread (SD)** | " + " | ".join(f"**{tau[n]:.2f}**" for n in names) + " |")
    ordered = sorted(effects.items(), key=lambda item: -sum(v * v for v in item[1]))
    lines += [f"| {trial} | " + " | ".join(f"{v:+.2f}" for v in values) + " |" for trial, values in ordered]
    return "\n".join(lines)


def misfit_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The worst figures: mean absolute error in points of survival."""
    worst = sorted(rows, key=lambda row: -row["with_effects"])[:MOST_MISFITS]
    lines = ["| Figure | Points | Error with the trial's effects | Without |", "|---|---|---|---|"]
    for row in worst:
        figures = f"{100 * row['with_effects']:.1f} | {100 * row['without_effects']:.1f}"
        lines.append(f"| {row['figure']} | {row['points']} | {figures} |")
    return "\n".join(lines)


def update(page: str, provenance: Mapping[str, Any]) -> str:
    """The page with its tables renewed. Raises ValueError when the marks are missing."""
    if BEGIN not in page or END not in page:
        raise ValueError(f"the page needs the lines {BEGIN} and {END}")
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{tables(provenance)}\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    target = Path(sys.argv[1])
    source = Path(sys.argv[2]) if len(sys.argv) > 2 else posterior.FOLDER / "provenance.json"
    content = json.loads(source.read_text(encoding="utf-8"))
    target.write_text(update(target.read_text(encoding="utf-8"), content), encoding="utf-8")
