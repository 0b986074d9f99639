"""Objectives of lives made by hand: every figure worked out on paper."""

from __future__ import annotations

import numpy as np
import pytest

from metachron.engine.batch import Lives
from metachron.engine.compile import compile_strategy
from metachron.engine.records import N_KINDS, OUTCOME
from metachron.model.toxicity import KINDS
from metachron.optimise.burden import Scene, scan_days, visits_per_cycle
from metachron.optimise.objectives import OBJECTIVES, objective_values, window_days
from metachron.optimise.utilities import load_utilities
from metachron.patient.examples import read_example
from metachron.plan.outcomes import DAYS_PER_MONTH
from metachron.strategies.after import following
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.language import resolve

CATALOGUE = load_catalogue()
PATIENT = read_example("metachronous_solitary")
WINDOW = 5 * 365.25


def scene(text: str, visible: bool = True) -> Scene:
    strategy = resolve(text)
    programme = compile_strategy(PATIENT, strategy, CATALOGUE)
    after = following(strategy, PATIENT, CATALOGUE)
    return Scene(strategy, programme, CATALOGUE, after, visible, WINDOW)


def one_life(
    made: Scene, spans: dict[int, tuple[float, float]], *, death: float, event: float, severe: str = ""
) -> Lives:
    outcomes = np.zeros(1, OUTCOME)
    outcomes["death"], outcomes["pfs"] = death, event
    grades = np.zeros((1, N_KINDS), np.int64)
    if severe:
        grades[0, KINDS.index(severe)] = 3
    starts, ends = (np.full((1, made.programme.segments.size), np.nan) for _ in range(2))
    for index, (first, last) in spans.items():
        starts[0, index], ends[0, index] = first, last
    return Lives(outcomes, grades, starts, ends, starts, 3652.5)


SANDWICH = scene("mfolfox6*6 > [28d] hepatectomy > [42d] mfolfox6*6")
COURSE = {0: (7.0, 91.0), 1: (119.0, 161.0), 2: (161.0, 245.0)}
LIFE = one_life(SANDWICH, COURSE, death=900.0, event=600.0, severe="diarrhoea")


def value(name: str, lives: Lives = LIFE, made: Scene = SANDWICH) -> float:
    return float(objective_values(name, lives, made)[0])


def test_times_within_the_window() -> None:
    assert value("rmst") == pytest.approx(900 / DAYS_PER_MONTH)
    assert value("rfs") == pytest.approx(600 / DAYS_PER_MONTH)
    for_ever = one_life(SANDWICH, COURSE, death=np.inf, event=np.inf)
    assert value("rmst", for_ever) == value("rfs", for_ever) == pytest.approx(60.0)


def test_time_with_and_without_severe_side_effects() -> None:
    days = load_utilities().episode("diarrhoea").days.value
    assert value("toxic_time") == pytest.approx(days / DAYS_PER_MONTH)
    assert value("toxicity_free") == pytest.approx((900 - days) / DAYS_PER_MONTH)
    short = one_life(SANDWICH, {}, death=3.0, event=3.0, severe="sensory neuropathy")
    assert value("toxicity_free", short) == pytest.approx(0.0)


def test_quality_adjusted_time_by_states() -> None:
    data = load_utilities()
    u = {k: q.value for k, q in data.states.items()}
    visible, on = 119, 245 - 161  # until the operation; drugs after it
    free = 600 - visible - on
    days = u["visible"] * visible + u["on_treatment"] * on + u["free"] * free
    days += u["after_progression"] * 300
    days -= data.recovery_loss.value * 42 + 7 * data.episode("diarrhoea").loss.value
    assert value("qaly") == pytest.approx(days / DAYS_PER_MONTH)


def test_hospital_and_visits() -> None:
    assert value("hospital") == pytest.approx(CATALOGUE.procedures["hepatectomy"].hospital_days.value)
    scans = int((scan_days(SANDWICH) < 600).sum())
    assert scans == 3  # CT at days 182, 364, 546
    assert value("visits") == pytest.approx(12 + scans)
    assert value("burden") == value("hospital") + value("visits")


def test_a_severe_complication_costs_days_in_hospital() -> None:
    ill = one_life(SANDWICH, COURSE, death=900.0, event=600.0, severe="febrile neutropenia")
    extra = load_utilities().hospital_days["febrile neutropenia"].value
    assert value("hospital", ill) - value("hospital") == pytest.approx(extra)


def test_what_did_not_take_place_costs_nothing() -> None:
    nothing = one_life(SANDWICH, {}, death=100.0, event=100.0)
    assert value("burden", nothing) == 0.0


def test_cycles_stop_counting_at_death() -> None:
    cut = one_life(SANDWICH, {0: (7.0, np.nan)}, death=36.0, event=36.0)
    assert value("visits", cut) == 3  # days 7, 21, 35


def test_visits_of_a_cycle() -> None:
    assert visits_per_cycle(resolve("mfolfox6*6").steps[0], CATALOGUE) == 1
    assert visits_per_cycle(resolve("capecitabine*8").steps[0], CATALOGUE) == 1
    assert visits_per_cycle(resolve("fu_weekly*6").steps[0], CATALOGUE) == 4
    assert visits_per_cycle(resolve("mfolfox6*6 + cik*4@8").steps[0], CATALOGUE) == 2
    assert visits_per_cycle(resolve("mfolfox6*6 + cik*4@1").steps[0], CATALOGUE) == 1


def test_the_window_is_five_years_or_the_horizon() -> None:
    assert window_days(3652.5) == WINDOW
    assert window_days(365.0) == 365.0


def test_directions() -> None:
    less = {name for name, o in OBJECTIVES.items() if o.sign < 0}
    assert less == {"toxic_time", "burden", "hospital", "visits"}
