"""Prediction for single patients, scored on patients it has not seen: the mechanism beside Cox's model.

Folds are the same for every model. The mechanism has the priors of the parameter files and is updated on the
training folds; every rival sees the same covariates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metachron.calibrate import individual_score as score
from metachron.calibrate.individual_data import COVARIATES, Cohort, Floats, read_moertel
from metachron.calibrate.individual_predict import TIMES, fit_predictor
from metachron.calibrate.individual_table import Tables, make_tables
from metachron.errors import InputError, Problem
from metachron.parameters.draws import median_parameters

ENDPOINTS = ("recurrence", "DFS", "OS")
MECHANISM, COX, NOBODY = "metachron", "Cox", "Kaplan-Meier"
MEASURES = ("c_index", "integrated_brier", "calibration_slope")
RIDGE = 0.01
UNKNOWN = (float("nan"), float("nan"))
Progress = Callable[[str, float], None]
# (training patients, patients to predict, endpoint, times) -> survival (patients, times)
Rival = Callable[[Cohort, Cohort, str, Floats], Floats]


def cox(train: Cohort, test: Cohort, endpoint: str, times: Floats) -> Floats:
    """Cox's model on all covariates with a small ridge (lifelines)."""
    import warnings

    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside the library are not ours
        from lifelines import CoxPHFitter

        used = [k for k in range(len(COVARIATES)) if np.ptp(train.x[:, k]) > 0]
        names = [COVARIATES[k] for k in used]
        table = pd.DataFrame(train.x[:, used], columns=names)
        table["days"], table["event"] = np.maximum(train.days[endpoint], 0.5), train.event[endpoint]
        model = CoxPHFitter(penalizer=RIDGE).fit(table, "days", "event")
        curves = model.predict_survival_function(pd.DataFrame(test.x[:, used], columns=names), times=times)
    return np.asarray(curves.to_numpy().T, dtype=np.float64)


def nobody(train: Cohort, test: Cohort, endpoint: str, times: Floats) -> Floats:
    """The Kaplan-Meier estimate of the training patients for everyone: what knowing nothing scores."""
    days, event = train.days[endpoint], train.event[endpoint]
    steps = np.unique(days[event])
    at_risk = np.array([np.sum(days >= t) for t in steps])
    gone = np.array([np.sum(event & (days == t)) for t in steps])
    line = score.step_at(steps, np.cumprod(1 - gone / at_risk), times)
    return np.tile(line, (test.size, 1))


@dataclass(frozen=True)
class Evaluation:
    """`scores`: (endpoint, model, measure) -> value of each fold, fold by fold of one repeat after another.

    `calibration`: (endpoint, model) -> slope over all held-out predictions, and its standard error.
    """

    folds: int
    repeats: int
    seed: int
    patients: int
    events: dict[str, int]
    scores: dict[tuple[str, str, str], Floats]
    models: list[str]
    calibration: dict[tuple[str, str], tuple[float, float]]

    def mean(self, endpoint: str, model: str, measure: str) -> float:
        return float(np.nanmean(self.scores[endpoint, model, measure]))

    def difference(self, endpoint: str, model: str, measure: str, other: str = COX) -> tuple[float, float]:
        """`model` minus `other`, paired by fold, with its corrected standard error."""
        ours, theirs = (self.scores[endpoint, m, measure] for m in (model, other))
        return score.paired_difference(ours, theirs, 1 / self.folds)


def evaluate(
    cohort: Cohort,
    *,
    folds: int = 5,
    repeats: int = 2,
    seed: int = 1,
    rivals: Mapping[str, Rival] | None = None,
    tables: Tables | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Cross-validate the mechanism, Cox and any further `rivals` on the same folds. Raises InputError."""
    if not 2 <= folds <= 20 or not 1 <= repeats <= 50:
        asked = f"{folds} folds, {repeats} repeats"
        raise InputError(Problem("folds", asked, "2 to 20 folds, 1 to 50 repeats"))
    if min(int(cohort.event[e].sum()) for e in ENDPOINTS) < 5 * folds:
        raise InputError(Problem("", "too few events for that many folds", f"{5 * folds} events or more"))
    tell = progress or (lambda _stage, _share: None)
    draws = median_parameters(prior=True)  # the shipped ensemble may have seen these patients
    tables = tables or make_tables(draws, progress=lambda stage, share: tell(stage, 0.1 * share))
    others: dict[str, Rival] = {COX: cox, NOBODY: nobody, **(rivals or {})}
    models = [MECHANISM, *others]
    found: dict[tuple[str, str, str], list[float]] = {}
    held: dict[tuple[str, str], list[Floats]] = {}
    for place, (train_rows, test_rows) in enumerate(_folds(cohort, folds, repeats, seed)):
        tell(f"fold {place + 1} of {folds * repeats}", 0.1 + 0.9 * place / (folds * repeats))
        train, test = cohort.take(train_rows), cohort.take(test_rows)
        own = fit_predictor(train, tables, draws).survival(test)
        for endpoint in ENDPOINTS:
            for model in models:
                s = own[endpoint] if model == MECHANISM else others[model](train, test, endpoint, TIMES)
                for measure, value in zip(MEASURES, _scores(test, endpoint, s), strict=True):
                    found.setdefault((endpoint, model, measure), []).append(value)
                held.setdefault((endpoint, model), []).append(np.column_stack([test_rows, s[:, -1]]))
    calibration = {
        key: _calibration(cohort, key[0], parts, folds) for key, parts in held.items() if key[1] != NOBODY
    }
    events = {e: int(cohort.event[e].sum()) for e in ENDPOINTS}
    scores = {key: np.array(values) for key, values in found.items()}
    return Evaluation(folds, repeats, seed, cohort.size, events, scores, models, calibration)


def _folds(
    cohort: Cohort, folds: int, repeats: int, seed: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """(training rows, test rows) of each fold; every patient is in one test fold of each repeat."""
    for repeat in range(repeats):
        order = np.random.default_rng([seed, repeat]).permutation(cohort.size)
        for part in np.array_split(order, folds):
            test = np.sort(part)
            yield np.setdiff1d(np.arange(cohort.size), test), test


def _scores(test: Cohort, endpoint: str, survival: Floats) -> tuple[float, float, float]:
    days, event = test.days[endpoint], test.event[endpoint]
    ends = np.minimum(days, TIMES[-1])
    inside = event & (days <= TIMES[-1])
    return (
        score.concordance(ends, inside, score.area(survival, TIMES)),
        score.integrated_brier(days, event, survival, TIMES),
        score.calibration_slope(ends, inside, survival[:, -1])[0],
    )


def _calibration(cohort: Cohort, endpoint: str, parts: list[Floats], folds: int) -> tuple[float, float]:
    """Slope over the held-out predictions of all patients of a repeat and its error, averaged over repeats.

    `parts`: rows and predictions of one fold each. Repeats are never mixed, since a mean of predictions is
    less extreme than each.
    """
    days = np.minimum(cohort.days[endpoint], TIMES[-1])
    inside = cohort.event[endpoint] & (cohort.days[endpoint] <= TIMES[-1])
    found = []
    for first in range(0, len(parts), folds):
        held = np.vstack(parts[first : first + folds])
        rows = held[:, 0].astype(np.int64)
        found.append(score.calibration_slope(days[rows], inside[rows], held[:, 1]))
    slope, error = np.mean(found, axis=0)
    return float(slope), float(error)


# --- the report ------------------------------------------------------------------------------------------


def evaluate_moertel(
    csv: Path,
    *,
    folds: int = 5,
    repeats: int = 2,
    seed: int = 1,
    rivals: Mapping[str, Rival] | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """`evaluate` on the Moertel trial's table. Raises InputError naming row and column of every fault."""
    return evaluate(
        read_moertel(csv), folds=folds, repeats=repeats, seed=seed, rivals=rivals, progress=progress
    )


def individual_report(csv: Path, **options: Any) -> tuple[dict[str, Any], str]:
    """What `metachron validate --individual CSV` shows: figures for JSON, and the same as Markdown."""
    found = evaluate_moertel(csv, **options)
    return as_dict(found), as_text(found)


def as_dict(found: Evaluation) -> dict[str, Any]:
    """Plain figures: for each endpoint and model the scores, and the difference to Cox with its error."""
    endpoints: dict[str, Any] = {}
    for endpoint in ENDPOINTS:
        models: dict[str, Any] = {}
        for model in found.models:
            slope, error = found.calibration.get((endpoint, model), UNKNOWN)
            figures: dict[str, Any] = {m: _plain(found.mean(endpoint, model, m)) for m in MEASURES[:2]}
            figures["calibration_slope"], figures["calibration_slope_se"] = _plain(slope), _plain(error)
            if model != COX:
                pairs = {m: found.difference(endpoint, model, m) for m in MEASURES[:2]}
                figures["minus_cox"] = {
                    m: {"mean": _plain(mean), "se": _plain(se)} for m, (mean, se) in pairs.items()
                }
            models[model] = figures
        endpoints[endpoint] = {"events": found.events[endpoint], "models": models}
    return {
        "patients": found.patients,
        "folds": found.folds,
        "repeats": found.repeats,
        "seed": found.seed,
        "until_days": float(TIMES[-1]),
        "endpoints": endpoints,
    }


def _plain(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None


def as_text(found: Evaluation) -> str:
    """A Markdown table of the same figures."""
    head = ("endpoint", "model", "C-index", "minus Cox", "integrated Brier", "minus Cox", "calibration slope")
    lines = [
        f"{found.patients} patients, {found.repeats} x {found.folds}-fold cross-validation, "
        f"seed {found.seed}, to {TIMES[-1]:.0f} days. "
        "Differences to Cox are paired by fold, with corrected standard errors.",
        "",
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
    ]
    for endpoint in ENDPOINTS:
        for model in found.models:
            cells = [endpoint, model]
            for measure, digits in (("c_index", 3), ("integrated_brier", 4)):
                cells.append(f"{found.mean(endpoint, model, measure):.{digits}f}")
                mean, error = found.difference(endpoint, model, measure)
                cells.append("" if model == COX else f"{mean:+.{digits}f} ({error:.{digits}f})")
            slope, error = found.calibration.get((endpoint, model), UNKNOWN)
            cells.append(f"{slope:.2f} ({error:.2f})" if np.isfinite(slope) else "")
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
