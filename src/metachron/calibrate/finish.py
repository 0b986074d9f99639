"""After the sampling: the ensemble, its check with the simulator, diagnostics, and the files of both."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metachron import __version__
from metachron.calibrate import checkpoint, diagnostics, ensemble, misfit
from metachron.calibrate.fit import Result, Run, Settings, Tell
from metachron.calibrate.space import NULL

Floats = NDArray[np.float64]
CHECK_DRAWS, CHECK_LIVES = 80, 60


@dataclass(frozen=True)
class Comparison:
    """One figure: misfit of the emulator, of the simulator with the trial's effects, and without them."""

    emulator: misfit.Row
    simulator: misfit.Row
    without_effects: misfit.Row
    emulator_error: float


def compare(
    result: Result, run: Run, *, draws: int = CHECK_DRAWS, per_draw: int = CHECK_LIVES,
    tell: Tell = lambda _stage, _share: None,
) -> list[Comparison]:  # fmt: skip
    """Misfit of every fitted figure. Each arm is simulated twice for `draws` samples of the posterior: with
    the effects of its trial, and with none."""
    posterior, data = result.posterior, result.model.data
    rows = ensemble.thinned(posterior, draws)
    z, effects = posterior.flat_z[rows], posterior.flat_effects[rows]
    emulated = misfit.emulated(result.model, z, effects)
    tables: list[dict[int, Floats]] = [{}, {}]
    arms = data.padded.arms
    for i, layout in enumerate(arms):
        tell(f"check: lives of {layout.key}", i / len(arms))
        if data.arm_trial[i] < 0:
            continue
        place = result.model.trials.index(layout.trial)
        for which, factor in enumerate((1.0, 0.0)):

            def make(layout: Any = layout, factor: float = factor, place: int = place) -> dict[str, Floats]:
                found = misfit.simulated(
                    run.targets[layout.trial], layout, posterior.names, z, factor * effects[:, place],
                    per_draw, run.settings.seed, run.simulator, run.horizon(layout.trial),
                )  # fmt: skip
                return {"survival": found}

            path = run.folder / "check" / ("with_effects", "without_effects")[which] / f"{layout.key}.npz"
            tables[which][i] = checkpoint.stage(path, make)["survival"]
    groups = [misfit.rows(data, table) for table in (emulated, *tables)]
    return [
        Comparison(a, b, c, _difference(data, emulated, tables[0], a.source))
        for a, b, c in zip(*groups, strict=True)
    ]


def _difference(data: Any, one: Mapping[int, Floats], other: Mapping[int, Floats], source: str) -> float:
    """Mean absolute difference of two predictions at the grid points of a figure."""
    at = [(int(data.arm[i]), int(data.last[i]) - 1) for i, s in enumerate(data.sources) if s == source]
    return float(np.mean([abs(one[a][j] - other[a][j]) for a, j in at]))


def misfit_table(found: Sequence[Comparison]) -> str:
    """Text, worst first: points of survival (per cent)."""
    ordered = sorted(found, key=lambda c: -c.simulator.mean)
    lines = ["mean abs error in points: simulator with the trial's effects / without / emulator; signed; n"]
    for c in ordered:
        s, without = c.simulator, c.without_effects
        figures = f"{100 * s.mean:5.1f} {100 * without.mean:5.1f} {100 * c.emulator.mean:5.1f}"
        signed = f"{100 * s.signed:+5.1f} {100 * without.signed:+6.1f}"
        lines.append(f"{s.source:58s} {figures}  {signed}  n {s.n:6.0f}  points {s.points}")
    curves = [c for c in found if c.simulator.points > 3]
    for name, part in (("all figures", list(found)), ("curves", curves)):
        if not part:
            continue
        means = [100 * np.mean([row(c) for c in part]) for row in (_with, _without, _emulated, _emulator)]
        lines.append(
            f"{name} ({len(part)}): with effects {means[0]:.2f}, without {means[1]:.2f},"
            f" emulator {means[2]:.2f}, emulator against simulator {means[3]:.2f}"
        )
    return "\n".join(lines) + "\n"


def _with(c: Comparison) -> float:
    return c.simulator.mean


def _without(c: Comparison) -> float:
    return c.without_effects.mean


def _emulated(c: Comparison) -> float:
    return c.emulator.mean


def _emulator(c: Comparison) -> float:
    return c.emulator_error


def diagnose(result: Result, found: Sequence[Comparison]) -> dict[str, Any]:
    """All diagnostics as plain data for provenance.json and the docs."""
    posterior = result.posterior
    pins = diagnostics.what_pins_what(
        posterior.names, diagnostics.information_by_trial(result.model, posterior)
    )
    rows = diagnostics.parameter_rows(posterior, pins)
    parameters = {
        row.name: {
            "contraction": _short(row.contraction), "mean_z": _short(row.mean_z), "sd_z": _short(row.sd_z),
            "median": _short(row.median), "low": _short(row.low), "high": _short(row.high),
            "r_hat": _short(row.r_hat), "ess": round(row.ess),
            "pinned_by": [[trial, _short(growth)] for trial, growth in row.pinned_by],
        }
        for row in rows
    }  # fmt: skip
    effects = posterior.flat_effects.mean(0)
    names = ("growth", "kill", "death", "load")
    return {
        "sampler": diagnostics.sampler_summary(posterior),
        "null": {name: parameters.pop(name) for name in NULL if name in parameters},
        "tau": dict(zip(names, map(_short, posterior.flat_tau.mean(0)), strict=True)),
        "parameters": parameters,
        "correlations": [[a, b, _short(r)] for a, b, r in diagnostics.strongest_correlations(posterior)],
        "effects": {
            t: [_short(v) for v in effects[i]] for i, t in enumerate(posterior.trials)
        },
        "misfit": [
            {
                "figure": c.simulator.source, "points": c.simulator.points, "n": round(c.simulator.n),
                "with_effects": _short(c.simulator.mean), "without_effects": _short(c.without_effects.mean),
                "emulator": _short(c.emulator.mean), "emulator_error": _short(c.emulator_error),
            }
            for c in found
        ],
        "dropped": list(result.dropped),
        "reach": _short(result.reach),
    }  # fmt: skip


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def write_results(
    result: Result, run: Run, settings: Settings, found: Sequence[Comparison], extra: Sequence[str] = ()
) -> Path:
    """Write the ensemble with provenance, diagnostics and the table; returns its folder."""
    folder = run.folder / "ensemble"
    rows = ensemble.thinned(result.posterior, settings.draws)
    names, values = ensemble.table(result.posterior, rows)
    ensemble.write_draws(folder / "draws.csv.gz", names, values)
    figures = diagnose(result, found)
    fitted = [t for t in result.model.trials if t in result.targets]
    provenance = {
        "code_version": __version__, "code_digest": checkpoint.code_digest(), "seed": settings.seed,
        "draws": int(rows.size),
        "targets": [
            {"trial": t, "sha256": checkpoint.digest(result.targets[t].model_dump_json())} for t in fitted
        ],
        "individual_data": [*extra],
        "settings": {k: v for k, v in asdict(settings).items() if k != "names"},
        "diagnostics": figures,
    }  # fmt: skip
    ensemble.write_provenance(folder / "provenance.json", provenance)
    (run.folder / "misfit.txt").write_text(misfit_table(found), encoding="utf-8")
    (run.folder / "diagnostics.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return folder
