"""Times between the values of the grid: a Bayesian or evolutionary search around the survivors (optuna)."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence

from metachron.optimise.results import Value
from metachron.optimise.template import Template

MISSING = "not refined, since the package optuna (extra `optimise`) is not installed"
Score = Callable[[dict[str, Value]], float | None]


def refine(
    template: Template, start: dict[str, Value], score: Score, *, trials: int, seed: int, deadline: float
) -> tuple[list[dict[str, Value]], str]:
    """(combinations tried, best first; method in words) around `start`; only times in days change.

    `score` gives the mean score on the search twins, None when the combination is refused. One time is
    searched by a tree of Parzen estimators, several by covariance matrix adaptation; whole days, within the
    ends of the grid.
    Without optuna (extra `optimise`), or without a time to refine, nothing is tried.
    """
    free = [v for v in template.variables if v.days and not isinstance(start[v.name], str)]
    if not free or trials < 1:
        return [], ""
    try:
        import optuna
    except ImportError:
        return [], MISSING
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    tried: dict[tuple[float, ...], tuple[float, dict[str, Value]]] = {}

    def objective(trial: optuna.Trial) -> float:
        values = dict(start)
        for v in free:
            numbers = [float(x) for x in v.values]
            values[v.name] = float(trial.suggest_int(v.name, int(min(numbers)), int(max(numbers))))
        place = tuple(float(values[v.name]) for v in free)
        if place not in tried:
            found = score(values)
            tried[place] = (float("-inf") if found is None else found, values)
        return max(tried[place][0], -1e9)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sampler: optuna.samplers.BaseSampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=6)
        method = "tree of Parzen estimators"
        if len(free) > 1:
            sampler, method = optuna.samplers.CmaEsSampler(seed=seed, n_startup_trials=4), "CMA-ES"
        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.enqueue_trial({v.name: _inside(start[v.name], v.values) for v in free})
        study.optimize(objective, n_trials=trials, callbacks=[_stop(deadline)])
    intervals = "one interval" if len(free) == 1 else f"{len(free)} intervals"
    best = sorted(tried.values(), key=lambda found: -found[0])
    return [values for found, values in best if found > float("-inf")], f"{method} over {intervals}"


def _inside(value: Value, grid: Sequence[Value]) -> int:
    """The value, or the end of the grid that is nearest."""
    numbers = [float(x) for x in grid]
    return round(min(max(float(value), min(numbers)), max(numbers)))


def _stop(deadline: float) -> Callable[..., None]:
    def stop(study: object, trial: object) -> None:
        del trial
        if time.monotonic() > deadline:
            study.stop()  # type: ignore[attr-defined]

    return stop
