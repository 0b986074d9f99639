"""The credibility file under the headings of ASME V&V 40 (2018), written from figures and never by hand.

It says what the model may be asked, what hangs on the answer, what was verified, how well it predicts (with
every goal that was missed and every curve that fits badly), and where it applies.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import yaml

from metachron.calibrate.validation import CurveScore, RatioScore, Validation
from metachron.parameters.load import load_parameters
from metachron.parameters.posterior import load_ensemble
from metachron.report.validation_text import SETTING_NAMES, curve_name, points, ratio, signed

WORST = 12  # curves listed as the worst
# What the figures are held against, stated before they were known
MOST_ERROR = 0.03
COVERAGE = (0.85, 0.95)
LEAST_RIGHT = 0.90


@dataclass(frozen=True)
class Goal:
    """A goal, what was reached, and whether that meets it (None: not measured)."""

    name: str
    goal: str
    reached: str
    met: bool | None


def credibility(v: Validation, held_out: Validation | None = None, accuracy: str = "") -> str:
    """The file in Markdown. `held_out`: predictions by fits without each trial; `accuracy`: a table of
    numerical errors in Markdown."""
    judged, words = held_out or v, _words()
    parts = [
        "# Credibility",
        f"Written by `python -m metachron.report.validation_docs` (metachron {v.version}; {v.parameters}).",
        "## Question of interest",
        words["question"],
        "## Context of use",
        words["context"],
        "## Model risk",
        table(("what", "level", "why"), [tuple(row) for row in words["risk"]]),
        "## Credibility goals",
        _which(v, held_out),
        table(("goal", "asked", "reached", "met"), [_row(g) for g in goals(judged)]),
        "## Verification",
        _verification(words["verification"], accuracy),
        "## Calibration",
        _calibration(),
        "## Validation",
        *_validation(judged),
        "## Applicability",
        _applicability(),
        "## What is known to be weak",
        bullets(words["weak"]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _which(v: Validation, held_out: Validation | None) -> str:
    if held_out is not None:
        return "Judged on leave-one-trial-out predictions: each trial predicted by a fit that never saw it."
    if v.calibrated:
        return "**Judged on the trials that were fitted: leave-one-trial-out figures were not given.**"
    return "**Judged on the prior: nothing has been fitted yet, and the goals are not expected to be met.**"


def goals(v: Validation) -> list[Goal]:
    """Every goal with what was reached."""
    s = v.summary
    error, near, pooled = s.mean_absolute_error, s.nearest_trial_error, s.pooled_weibull_error
    inside, right = s.coverage_90, s.direction_right_share
    return [
        Goal("Mean absolute error over follow-up", f"at most {points(MOST_ERROR)} points",
             f"{points(error)} (sampling alone {points(s.sampling_error)})",
             None if error is None else error <= MOST_ERROR),
        Goal("Better than the nearest registered trial", f"below {points(near)}",
             points(s.model_error_where_nearest), _below(s.model_error_where_nearest, near)),
        Goal("Better than a pooled Weibull distribution", f"below {points(pooled)}",
             points(s.model_error_where_weibull), _below(s.model_error_where_weibull, pooled)),
        Goal("90 % intervals hold the landmark", f"{points(COVERAGE[0], 0)} to {points(COVERAGE[1], 0)} %",
             f"{points(inside)} % of {s.landmarks}",
             None if inside is None else COVERAGE[0] <= inside <= COVERAGE[1]),
        Goal("Direction of the effect", f"right in {points(LEAST_RIGHT, 0)} %",
             f"{s.direction_right} of {s.contrasts} ({points(right, 0)} %); with p < 0.05"
             f" {s.direction_right_significant} of {s.contrasts_significant}; to expect by sampling"
             f" {points(s.direction_expected_share, 0)} %",
             None if right is None else right >= LEAST_RIGHT),
    ]  # fmt: skip


def _below(own: float | None, other: float | None) -> bool | None:
    return None if own is None or other is None else own < other


def _row(g: Goal) -> tuple[str, ...]:
    return g.name, g.goal, g.reached, {True: "yes", False: "**no**", None: "not measured"}[g.met]


def _words() -> dict[str, Any]:
    text = (files("metachron.report") / "credibility.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def _verification(lines: Sequence[str], accuracy: str) -> str:
    if not accuracy:
        return bullets(lines)
    return f"{bullets(lines)}\n\nLargest numerical errors against the second implementation:\n\n{accuracy}"


def _calibration() -> str:
    ensemble = load_ensemble()
    known = load_parameters()
    free = [p.name for p in known.values() if p.distribution != "fixed"]
    if ensemble is None:
        return f"No ensemble is shipped: all {len(free)} free parameters are at their priors."
    pinned = set(ensemble.calibrated)
    loose = [name for name in free if name not in pinned]
    return "\n".join(
        [
            f"- Ensemble {ensemble.id}: {ensemble.size} draws, fitted to {len(ensemble.trials)} trials, seed"
            f" {ensemble.seed}, code {ensemble.code_version}.",
            f"- Trials: {', '.join(ensemble.trials)}.",
            f"- {len(pinned)} of {len(free)} free parameters lost at least a fifth of their prior spread; the"
            f" other {len(loose)} are prior-driven: {', '.join(f'`{name}`' for name in loose)}.",
            "- docs/calibration.md holds prior and posterior of each, correlations and convergence.",
        ]
    )


def _validation(v: Validation) -> list[str]:
    """Means by setting, the worst curves, landmarks missed and directions that were wrong."""
    scored = sorted((c for c in v.curves if c.use == "fit"), key=lambda c: -c.integrated_absolute_error)
    groups = [
        (
            SETTING_NAMES.get(name, name),
            str(g.curves),
            points(g.mean_absolute_error),
            points(g.nearest_trial_error),
            points(g.pooled_weibull_error),
        )
        for name, g in v.summary.by_setting.items()
    ]
    worst = [_worst(c) for c in scored[:WORST]]
    wrong = [_wrong(r) for r in v.contrasts if r.scored and r.direction_right is False]
    left = [f"{curve_name(c)}: {c.reason}" for c in v.curves if c.use == "shown"] + v.not_scored
    parts = [table(("setting", "curves", "error, points", "nearest trial", "pooled Weibull"), groups)]
    if worst:
        head = ("curve", "error, points", "sampling alone", "worst landmark")
        parts += ["### Curves that fit worst", table(head, worst)]
    if wrong:
        columns = ("contrast", "predicted (90 %)", "observed (95 %)")
        parts += ["### Directions that were wrong", table(columns, wrong)]
    if left:
        parts += ["### Not counted, and why", bullets(left)]
    return [*parts, "Every curve, landmark and contrast stands in docs/validation.md."]


def _worst(c: CurveScore) -> tuple[str, ...]:
    mark = max(c.landmarks, key=lambda m: abs(m.error), default=None)
    told = f"{signed(mark.error)} at {mark.months:g} months" if mark else "none"
    return curve_name(c), points(c.integrated_absolute_error), points(c.sampling_error), told


def _wrong(r: RatioScore) -> tuple[str, ...]:
    return (
        f"{r.trial} {r.endpoint}: {r.arm} / {r.reference}",
        ratio(r.predicted, r.predicted_low, r.predicted_high),
        ratio(r.observed, r.observed_low, r.observed_high),
    )


def _applicability() -> str:
    """The region of the registered trials by setting, from `evidence/domain.json`."""
    text = (files("metachron.evidence") / "domain.json").read_text(encoding="utf-8")
    arms = [arm for arm in json.loads(text)["arms"] if arm["fitted"]]
    rows: list[tuple[str, ...]] = []
    for setting, name in SETTING_NAMES.items():
        mine = [a for a in arms if a["setting"] == setting]
        if not mine:
            rows.append((name, "0", "0", "none", "none"))
            continue
        ages = min(a["age"][0] for a in mine), max(a["age"][1] for a in mine)
        given = sorted({g for a in mine for g in a["given"]})
        rows.append(
            (
                name,
                str(len({a["trial"] for a in mine})),
                f"{sum(a['n'] for a in mine):,}",
                f"{ages[0]:.0f} to {ages[1]:.0f}",
                ", ".join(given) or "none",
            )
        )
    head = ("setting", "trials fitted", "patients", "age, years", "treatments in fitted arms")
    after = (
        "A patient or strategy outside this region is flagged, and strategies are then not ranked"
        " (docs/domain.md). What rests on parameters that no trial pins is marked prior-driven."
    )
    return f"{table(head, rows)}\n\n{after}"


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(c.replace('|', '/') for c in row)} |" for row in lines)


def bullets(lines: Sequence[str]) -> str:
    """A Markdown list."""
    return "\n".join(f"- {line}" for line in lines)
