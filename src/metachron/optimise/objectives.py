"""What is sought: survival, event-free or quality-adjusted time, time without severe side effects, burden.

Every objective is one number a twin, counted within a window (5 years, or the horizon when that is shorter),
so that candidates are compared twin by twin. Times are months, burden is days.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from metachron.engine.batch import Lives
from metachron.engine.records import PROCEDURE, SYSTEMIC
from metachron.model.toxicity import KINDS
from metachron.optimise.burden import Scene, hospital_days, visits
from metachron.optimise.utilities import load_utilities
from metachron.plan.outcomes import DAYS_PER_MONTH

Floats = NDArray[np.float64]
WINDOW_YEARS = 5.0


@dataclass(frozen=True)
class Objective:
    """One objective. `of(lives, scene)` gives its value for each twin (n,), in `unit`."""

    name: str
    words: str
    unit: str
    direction: Literal["maximise", "minimise"]
    of: Callable[[Lives, Scene], Floats]

    @property
    def sign(self) -> float:
        """1 when more is better, else -1."""
        return 1.0 if self.direction == "maximise" else -1.0


def _within(days: Floats, scene: Scene) -> Floats:
    return np.asarray(np.minimum(days, scene.window_days))


def survival(lives: Lives, scene: Scene) -> Floats:
    """Months alive within the window."""
    return _within(lives.outcomes["death"], scene) / DAYS_PER_MONTH


def event_free(lives: Lives, scene: Scene) -> Floats:
    """Months without recurrence, progression or death within the window."""
    return _within(lives.outcomes["pfs"], scene) / DAYS_PER_MONTH


def toxic_months(lives: Lives, scene: Scene) -> Floats:
    """Months with a side effect of grade 3 or worse; each kind counts once, for its assumed duration."""
    data = load_utilities()
    days = np.zeros(lives.outcomes.size)
    for index, kind in enumerate(KINDS):
        days += (lives.grades[:, index] >= 3) * data.episode(kind).days.value
    return np.minimum(days, _within(lives.outcomes["death"], scene)) / DAYS_PER_MONTH


def toxicity_free(lives: Lives, scene: Scene) -> Floats:
    """Months alive without a side effect of grade 3 or worse."""
    return survival(lives, scene) - toxic_months(lives, scene)


def _overlap(start: Floats, end: Floats, low: Floats, high: Floats) -> Floats:
    """Days of [start, end] within [low, high]; nought where it did not start."""
    begun = np.isfinite(start)
    last = np.where(np.isfinite(end), end, high)
    days = np.minimum(last, high) - np.maximum(np.where(begun, start, high), low)
    return np.asarray(np.where(begun, np.maximum(days, 0.0), 0.0))


def quality_adjusted(lives: Lives, scene: Scene) -> Floats:
    """Quality-adjusted months: time in each state times its utility, less what side effects take.

    States: visible disease (until it is removed), nothing visible with and without drugs, and the time after
    progression or recurrence, which counts as one state whatever follows.
    """
    data = load_utilities()
    u = {name: q.value for name, q in data.states.items()}
    alive, free = _within(lives.outcomes["death"], scene), _within(lives.outcomes["pfs"], scene)
    seen = np.minimum(free, _first_local(lives, scene)) if scene.visible else np.zeros(free.size)
    on, recovering = np.zeros(free.size), np.zeros(free.size)
    for i in range(scene.programme.n_planned):
        span = _overlap(lives.starts[:, i], lives.ends[:, i], seen, free)
        if scene.programme.segments[i]["kind"] == SYSTEMIC:
            on += span
        else:
            recovering += _overlap(lives.starts[:, i], lives.ends[:, i], np.zeros(free.size), alive)
    on = np.minimum(on, free - seen)
    days = u["visible"] * seen + u["on_treatment"] * on + u["free"] * (free - seen - on)
    days += u["after_progression"] * (alive - free) - data.recovery_loss.value * recovering
    return np.maximum(days - _lost(lives, alive), 0.0) / DAYS_PER_MONTH


def _first_local(lives: Lives, scene: Scene) -> Floats:
    """Day of the first operation or ablation, infinity without one."""
    local = np.flatnonzero(scene.programme.segments["kind"][: scene.programme.n_planned] == PROCEDURE)
    if local.size == 0:
        return np.full(lives.outcomes.size, np.inf)
    starts = lives.starts[:, local]
    return np.asarray(np.where(np.isfinite(starts), starts, np.inf).min(1))


def _lost(lives: Lives, alive: Floats) -> Floats:
    """Quality-adjusted days that severe side effects take."""
    data = load_utilities()
    lost = np.zeros(alive.size)
    for index, kind in enumerate(KINDS):
        episode = data.episode(kind)
        days = np.minimum(episode.days.value, alive)
        lost += (lives.grades[:, index] >= 3) * episode.loss.value * days
    return lost


def contact_days(lives: Lives, scene: Scene) -> Floats:
    """Days in hospital and days with a visit."""
    return hospital_days(lives, scene) + visits(lives, scene)


_WITHIN = "within {years:g} years"
OBJECTIVES: dict[str, Objective] = {
    o.name: o
    for o in (
        Objective("rmst", f"mean months alive {_WITHIN}", "months", "maximise", survival),
        Objective(
            "rfs",
            f"mean months without recurrence or progression {_WITHIN}",
            "months",
            "maximise",
            event_free,
        ),
        Objective("qaly", f"mean quality-adjusted months {_WITHIN}", "months", "maximise", quality_adjusted),
        Objective(
            "toxicity_free",
            f"mean months alive without a side effect of grade 3 or worse {_WITHIN}",
            "months",
            "maximise",
            toxicity_free,
        ),
        Objective(
            "toxic_time",
            f"mean months with a side effect of grade 3 or worse {_WITHIN}",
            "months",
            "minimise",
            toxic_months,
        ),
        Objective(
            "burden", f"mean days in hospital or with a visit {_WITHIN}", "days", "minimise", contact_days
        ),
        Objective("hospital", f"mean days in hospital {_WITHIN}", "days", "minimise", hospital_days),
        Objective("visits", f"mean days with a visit {_WITHIN}", "days", "minimise", visits),
    )
}


def objective_values(name: str, lives: Lives, scene: Scene) -> Floats:
    """Value of one objective for each twin (n,), in its unit. `name`: a key of OBJECTIVES."""
    return OBJECTIVES[name].of(lives, scene)


def words_of(name: str, window_days: float) -> str:
    """The objective in words with its window."""
    return OBJECTIVES[name].words.format(years=round(window_days / 365.25, 2))


def window_days(horizon_days: float) -> float:
    """Days up to which objectives are counted."""
    return min(horizon_days, WINDOW_YEARS * 365.25)
