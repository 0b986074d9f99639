"""The reference against what can be written down: growth, decay, mass, extinction, thresholds, hazards."""

from __future__ import annotations

import math
from typing import Any

import handmade as hand
import numpy as np
import pytest
from scipy.integrate import cumulative_simpson

from metachron.engine.records import GIVE_VEGF, LIVER
from metachron.reference import ReferenceLife, live, solve
from metachron.reference.accuracy import reference_life
from metachron.reference.philox import Coins, Stream
from metachron.reference.scenarios import GRID, build
from metachron.reference.state import pack

SPAN = hand.LN_K - math.log(5e10)
NEVER_SEEN = 40.0  # offset of a lesion that no scan shows


def alone(
    tumour: dict[str, Any], plan: Any = None, days: float = 400.0, at: Any = (), **changes: Any
) -> ReferenceLife:
    """The life of one twin with one lesion; `changes` of twin fields, and of parameters under `par`."""
    draws = hand.parameters(**changes.pop("par", {}))
    twins = hand.people(1, **changes)
    programme = hand.programme() if plan is None else plan
    return live(hand.lesions(1, tumour)[0], twins[0], draws[0], programme, seed=3, horizon_days=days, at=at)


def sizes(life: ReferenceLife) -> np.ndarray:
    return np.array([s.lesions[0].x for s in life.states.values()])


@pytest.mark.parametrize("start", [5.0, 13.0, 22.0, 27.0])
def test_growth_is_gompertz_in_its_three_zones(start: float) -> None:
    """An exponential approach to ln K in the middle, straight lines at both ends."""
    days = np.arange(7.0, 300.0, 7.0)
    found = sizes(alone({"x": start, "offset": NEVER_SEEN}, at=days))
    a = hand.RATE / SPAN
    fast, slow = hand.LN_K - 4.0 * SPAN, hand.LN_K - 0.2 * SPAN

    def grown(x: float, t: float) -> float:
        if x < fast:
            need = (fast - x) / (4.0 * hand.RATE)
            return x + 4.0 * hand.RATE * t if t <= need else grown(fast, t - need)
        if x < slow:
            need = math.log((hand.LN_K - x) / (hand.LN_K - slow)) / a
            return hand.LN_K - (hand.LN_K - x) * math.exp(-a * t) if t <= need else grown(slow, t - need)
        return x + 0.2 * hand.RATE * t

    assert found == pytest.approx([grown(start, t) for t in days], abs=1e-8)


def test_kill_by_one_class_follows_the_product_form() -> None:
    """Without growth, below the bend, cells survive as (1 - phi) e^-D + phi e^(-rho D)."""
    logit = -2.0
    phi = 1.0 / (1.0 + math.exp(-logit))
    plan = hand.programme([hand.course(3, days=14)], [hand.drug(0)])
    days = np.arange(1.0, 60.0, 3.0)
    life = alone({"x": 12.0}, plan, 100.0, days, growth=0.0, logit_macro=logit, logit_micro=logit)
    par = hand.parameters()[0]
    decay = math.log(2.0) / float(par["half_life_fp_days"])
    for day, state in life.states.items():
        amounts = [14.0 * (1.0 - math.exp(-decay * (day - d))) for d in (0.0, 14.0, 28.0) if d < day]
        kill = float(par["kappa_fp"]) * 4.0 * sum(amounts)
        rho = float(par["rho_resistant"])
        left = (1.0 - phi) * math.exp(-kill) + phi * math.exp(-rho * kill)
        assert state.lesions[0].x == pytest.approx(12.0 + math.log(left), abs=1e-9), day
        share = phi * math.exp(-rho * kill) / left
        assert 1.0 / (1.0 + math.exp(-state.lesions[0].logit[0])) == pytest.approx(share, abs=1e-9)


@pytest.mark.parametrize("clearance", [0.0, 0.03])
def test_what_is_killed_is_cleared_or_still_there(clearance: float) -> None:
    plan = hand.programme([hand.course(6, days=14)], [hand.drug(0, 3.0)])
    days = np.arange(0.0, 112.5, 0.5)
    tumour = hand.visible(30.0, organ=LIVER)
    life = alone(tumour, plan, 120.0, days, growth=0.0, par={"dead_tissue_clearance": clearance})
    dead = np.array([s.lesions[0].dead_ml for s in life.states.values()])
    living = np.exp(sizes(life)) / 1e9
    killed = living[0] - living
    cleared = clearance * cumulative_simpson(dead, dx=0.5, initial=0.0)
    assert killed[-1] > 1.0
    assert dead + cleared == pytest.approx(killed, abs=1e-5 * killed[-1])
    if clearance == 0.0:
        assert dead == pytest.approx(killed, abs=1e-8)


def test_extinction_falls_on_the_threshold_of_the_coin() -> None:
    """Only kill, at a known rate: the day on which clonogens pass -ln(coin) / (1 - beta)."""
    plan = hand.programme([hand.course(0, days=14)], [hand.drug(0)])
    par = hand.parameters(half_life_fp_days=1000.0)
    last = math.log(-math.log(Coins(3, 0).uniform(Stream.EXTINCTION, 0)) / (1.0 - par["death_over_birth"][0]))
    life = alone({"x": last + 0.1}, plan, 300.0, growth=0.0, par={"half_life_fp_days": 1000.0})
    decay = math.log(2.0) / 1000.0
    kill = 0.0
    day = float(life.extinct[0])
    for dose in np.arange(0.0, day, 14.0):
        kill += 4.0 * float(par["kappa_fp"][0]) * 14.0 * (1.0 - math.exp(-decay * (day - dose)))
    assert kill == pytest.approx(0.1, abs=1e-8)
    assert life.outcome["no_cells"] == 1


def test_growth_held_back_does_not_count_towards_extinction() -> None:
    """With a trace of kill: clonogens are no fewer than without anti-VEGF, though the lesion is smaller."""
    with_vegf = [hand.drug(0, 0.1), hand.drug(GIVE_VEGF, 1.0)]
    days = np.arange(0.0, 80.0, 7.0)
    both = alone(
        {"x": 22.0, "offset": NEVER_SEEN}, hand.programme([hand.course(6, admins=2)], with_vegf), 90.0, days
    )
    one = alone({"x": 22.0, "offset": NEVER_SEEN}, hand.programme([hand.course(6)], with_vegf), 90.0, days)
    slowed, free = both.states[70.0].lesions[0], one.states[70.0].lesions[0]
    assert slowed.x < free.x - 0.05
    assert free.x <= slowed.x + slowed.held < free.x + 0.02


def test_levels_and_nerves_follow_their_exponentials() -> None:
    admins = [hand.drug(1, 1.0, ox_mg=85.0), hand.drug(GIVE_VEGF, 1.0)]
    plan = hand.programme([hand.course(1, admins=2)], admins)
    life = alone({"x": 22.0}, plan, 300.0, (30.0, 200.0))
    par = hand.parameters()[0]
    k1, k2 = (math.log(2.0) / float(par[f"neuropathy_{n}_days"]) for n in ("onset", "recovery"))
    for day, state in life.states.items():
        nerve = 85.0 * k1 / (k2 - k1) * (math.exp(-k1 * day) - math.exp(-k2 * day))
        assert state.body.nerve_n == pytest.approx(nerve, rel=1e-9)
        level = float(par["vegf_level_mg_l"]) * 0.5 ** (day / float(par["vegf_half_life_days"]))
        assert state.body.vegf == pytest.approx(level, rel=1e-9)


def test_marrow_rests_and_returns() -> None:
    plan = hand.programme([hand.course(2, marrow=2.0)], [hand.drug(0)])
    life = alone({"x": 22.0}, plan, 900.0, (0.0, 10.0, 24.0, 800.0))
    rest = life.resting
    assert life.states[0.0].body.chain == pytest.approx(rest, rel=1e-12)
    assert 0.0 < life.states[24.0].nadir < 0.5 * rest[4]
    assert life.states[800.0].body.chain == pytest.approx(rest, rel=1e-8)


def test_liver_grows_back_by_the_logistic_law() -> None:
    plan = hand.programme([hand.operation(remnant=0.4)])
    life = alone(hand.visible(20.0, organ=LIVER), plan, 200.0, (50.0, 150.0))
    par = hand.parameters()[0]
    top, rate = float(par["liver_plateau"]), float(par["liver_regrowth"])
    for day, state in life.states.items():
        assert state.body.liver == pytest.approx(
            top / (1.0 + (top / 0.4 - 1.0) * math.exp(-rate * day)), rel=1e-9
        )


def test_death_by_cancer_falls_where_the_hazard_passes_its_coin() -> None:
    """A seen lesion that does not grow has a constant hazard."""
    par = {"death_intercept": -5.0, "death_liver_max": 0.0}
    life = alone(hand.visible(20.0), None, 40_000.0 / 3.0, growth=0.0, par=par)
    draw = hand.parameters(**par)[0]
    share = 1.0 - math.exp(-2.0 / float(draw["death_full_cm"]))
    rate = share * math.exp(-5.0) * 3.0 ** float(draw["death_burden"])
    target = Coins(3, 0).exponential(Stream.DEATH_CANCER, 0)
    assert life.outcome["death"] == pytest.approx(target / rate, rel=1e-9)
    assert life.outcome["cause"] == 2


@pytest.mark.parametrize("line", [2, 3, 6])
def test_progressions_multiply_growth_and_hazard(line: int) -> None:
    """Growth by the root of its factor after one, by all of it after more; hazard by each of them."""
    par = {
        "death_intercept": -5.0, "death_liver_max": 0.0, "death_line": 0.6, "death_progressed": 0.4,
        "line_growth_factor": 1.5,
    }  # fmt: skip
    first, later = (
        alone(hand.visible(20.0), None, 9000.0, growth=0.0, par=par, start_line=s).outcome["death"]
        for s in (1, line)
    )
    assert first / later == pytest.approx(math.exp(0.4) * line**0.6, rel=1e-9)
    days = (40.0, 80.0)
    hidden = {"x": 8.0, "offset": NEVER_SEEN}
    found = sizes(alone(hidden, None, 100.0, days, par=par, start_line=line))
    fast = 4.0 * hand.RATE * (1.5 if line > 2 else math.sqrt(1.5))
    assert found == pytest.approx([8.0 + fast * day for day in days], abs=1e-8)


def test_background_death_passes_its_coin() -> None:
    life = alone({"x": 1.0, "status": 0}, None, 18_000.0, age=60.0, background_factor=1.0)
    par = hand.parameters()[0]
    slope = math.log(2.0) / float(par["background_doubling_years"])
    years = life.outcome["death"] / 365.25
    start = float(par["background_65"]) * math.exp(slope * (60.0 - 65.0))
    hazard = start * (math.exp(slope * years) - 1.0) / slope
    assert hazard == pytest.approx(Coins(3, 0).exponential(Stream.DEATH_BACKGROUND, 0), rel=1e-12)


def test_own_error_is_far_below_that_of_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundredfold tolerance moves nothing by more than 1e-7."""
    scenario = next(s for s in GRID if s.name == "cells between cycles")
    ready, days = build(scenario, 1), np.arange(0.0, 150.0, 28.0)
    tight = reference_life(ready, scenario, 0, days)
    monkeypatch.setattr(solve, "RTOL", 100.0 * solve.RTOL)
    loose = reference_life(ready, scenario, 0, days)
    for day, state in tight.states.items():
        other = loose.states[day]
        assert pack(state.body, state.lesions) == pytest.approx(pack(other.body, other.lesions), abs=1e-7)
