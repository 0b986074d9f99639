"""Lives whose law is known exactly: growth, first detection, extinction, chance and threads."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import handmade as hm
import numpy as np
import pytest
from numpy.typing import NDArray

from metachron.engine.batch import Lives, simulate
from metachron.engine.records import LIVER, LUNG, OCCULT, OUTCOME
from metachron.model.growth import grow, grow_back
from metachron.model.occult import size_deficit
from metachron.parameters import draw_parameters

SLOPE = -0.1
LN_FASTEST = hm.LN_K - 4.0 * (hm.LN_K - math.log(5e10))  # below it the growth fraction is 4


def share_reached(days: float, slope: float = SLOPE) -> float:
    """G(t): share of unseen lesions that have grown to the limit of detection by day t."""
    reach = hm.LN_LIMIT - grow_back(hm.LN_LIMIT, days, hm.RATE, hm.LN_K)
    return float(np.clip(np.expm1(slope * reach) / np.expm1(slope * hm.LN_LIMIT), 0.0, 1.0))


@pytest.mark.parametrize(("mean", "every"), [(0.6, 1.0), (1.5, 7.0), (3.0, 28.0)])
def test_unseen_poisson_lesions_give_the_recurrence_law(mean: float, every: float) -> None:
    """S(t) = exp[-m G(t)] at the scans, within four standard errors, for scans daily, weekly, monthly."""
    n, room = {1.0: 800, 7.0: 3000, 28.0: 8000}[every], 14
    rng = np.random.default_rng(5)
    count = np.minimum(rng.poisson(mean, n), room)
    x = hm.LN_LIMIT - size_deficit(rng.random((n, room)), np.full((n, 1), SLOPE), hm.LN_LIMIT)
    rows = [{"x": x[:, j], "status": np.where(j < count, OCCULT, 0)} for j in range(room)]
    found = hm.lives(
        hm.lesions(n, *rows), hm.people(n, n_lesions=count), hm.programme(every=every), days=4 * hm.YEAR
    )
    first = found.outcomes["pfs"]
    for scan in range(1, int(4 * hm.YEAR / every), max(1, int(100 / every))):
        day = scan * every
        law = math.exp(-mean * share_reached(day))
        error = math.sqrt(law * (1 - law) / n) + 1e-9
        assert np.mean(first > day + 1e-6) == pytest.approx(law, abs=4 * error + 1e-3), day


@pytest.mark.parametrize("start", [math.log(1e2), math.log(1e6), math.log(4e8)])
@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_a_lesion_without_drugs_follows_the_closed_form(start: float, factor: float) -> None:
    """It is seen on the first daily scan at which the closed form has passed the limit of detection."""
    found = hm.lives(hm.lesions(1, {"x": start, "growth": factor}), hm.people(1), hm.programme(every=1.0))
    day = found.outcomes["pfs"][0]
    assert grow(start, day, factor * hm.RATE, hm.LN_K) > hm.LN_LIMIT
    assert grow(start, day - 1.0, factor * hm.RATE, hm.LN_K) <= hm.LN_LIMIT


def nadir(cycles: int, kappa: float, half_life: float, start: float) -> float:
    """ln cells of a small lesion after the cycles: net change is linear while the growth fraction is 4."""
    decay = math.log(2.0) / half_life
    per_dose = 14.0 * decay
    effect = total = 0.0
    for _ in range(cycles):
        effect += per_dose
        total += effect * (1 - math.exp(-decay * 14.0)) / decay
        effect *= math.exp(-decay * 14.0)
    return start + 4.0 * (hm.RATE * 14.0 * cycles - kappa * total)


@pytest.mark.parametrize("left", [0.3, 1.0, 4.0])
def test_extinction_at_the_nadir(left: float) -> None:
    """Of lesions that all come down to n cells, a share exp[-n (1 - beta)] dies out."""
    n, kappa, half_life = 6000, 0.05, 2.0
    draws = hm.parameters(kappa_fp=kappa, half_life_fp_days=half_life)
    beta = float(draws["death_over_birth"][0])
    fall = -nadir(4, kappa, half_life, 0.0)
    start = math.log(left / (1 - beta)) + fall
    assert start < LN_FASTEST
    plan = hm.programme([hm.course(4)], [hm.drug(chemo=0.0)], every=1000.0)
    found = hm.lives(hm.lesions(n, {"x": start}), hm.people(n), plan, draws, days=100.0)
    law = math.exp(-left)
    assert found.outcomes["no_cells"].mean() == pytest.approx(law, abs=4 * math.sqrt(law * (1 - law) / n))


@pytest.mark.parametrize(("kappa", "largest"), [(0.02, 12.0), (0.05, 30.0)])
def test_extinction_does_not_depend_on_the_step(kappa: float, largest: float) -> None:
    """The same lesions die out at full, half and quarter steps, but for coins beside the nadir."""
    n = 4000
    draws, twins = hm.parameters(kappa_fp=kappa), hm.people(n)
    tumours = hm.lesions(n, {"x": np.random.default_rng(3).uniform(0.0, largest, n)})
    plan = hm.programme([hm.course(6)], [hm.drug(chemo=0.0)], every=1000.0)
    gone = []
    for scale in (1.0, 0.5, 0.25):
        found = simulate(tumours, twins, draws, plan, seed=11, horizon_days=200.0, step_scale=scale)
        gone.append(found.outcomes["no_cells"])
    assert 0.1 < gone[0].mean() < 0.9
    assert (gone[0] != gone[2]).mean() < 0.002
    assert (gone[1] != gone[2]).mean() < 0.002


def test_extinct_lesions_stay_away_and_others_come_back() -> None:
    n, kappa = 2000, 0.05
    draws = hm.parameters(kappa_fp=kappa)
    start = math.log(1.0 / (1 - 0.72)) - nadir(4, kappa, 2.0, 0.0)
    plan = hm.programme([hm.course(4)], [hm.drug(chemo=0.0)], every=30.0)
    found = hm.lives(hm.lesions(n, {"x": start}), hm.people(n), plan, draws, days=10 * hm.YEAR)
    gone = found.outcomes["no_cells"] == 1
    assert 0.2 < gone.mean() < 0.6
    assert np.isinf(found.outcomes["pfs"][gone]).all()
    assert np.isfinite(found.outcomes["pfs"][~gone]).all()


def mixed_batch(n: int = 60) -> tuple[NDArray[np.void], NDArray[np.void], NDArray[np.void]]:
    """Twins of all sorts, with drugs, cells, an operation and death at work."""
    rng = np.random.default_rng(2)
    rows = [hm.visible(rng.uniform(8, 50, n), organ=LIVER), hm.visible(rng.uniform(8, 30, n), organ=LIVER)]
    rows += [
        {"x": rng.uniform(2, 20, n), "organ": organ, "offset": rng.normal(0, 0.5, n)}
        for organ in (LIVER, LUNG, LIVER)
    ]
    twins = hm.people(n, n_lesions=5, age=66.0, background_factor=1.0)
    twins["growth"] *= np.exp(0.5 * rng.standard_normal(n))
    twins["marrow_factor"] = np.exp(0.8 * rng.standard_normal(n))
    twins["nerve_factor"] = np.exp(0.4 * rng.standard_normal(n))
    twins["logit_macro"], twins["logit_micro"] = rng.normal(-3, 2, (n, 1)), -12.0
    twins["draw"] = np.arange(n) % 4
    return hm.lesions(n, *rows), twins, draw_parameters(4, 3, prior=True)


def mixed_programme(late_amount: float = 1.0, operated_after: float = 28.0) -> hm.Programme:
    """Four cycles with cells, an operation, then six cycles with a settable dose, then one later line."""
    chemo = {"marrow": 5.0, "lymph": 0.15}
    segments = [
        hm.course(4, admins=3, **chemo),
        hm.operation(gap=operated_after, mortality=0.03, morbidity=0.1, remnant=0.6),
        hm.course(6, gap=28.0, **chemo) | {"admin_from": 3, "admin_to": 5},
        hm.course(0, **chemo) | {"admin_from": 5, "admin_to": 6, "line": 2},
    ]
    admins = [
        hm.drug(0), hm.drug(1, ox_mg=85.0), hm.drug(8, 5e9, 0.0, day=7, half_life=7.0),
        hm.drug(0, late_amount), hm.drug(1, late_amount, ox_mg=85.0), hm.drug(2),
    ]  # fmt: skip
    rules = [
        {"state": 0, "limit": 1.5, "action": 0, "target": -1, "value": 7.0, "max_delay": 28.0},
        {"state": 1, "limit": 0.5, "action": 1, "target": -1, "value": 0.8},
        {"state": 2, "limit": 3.0, "action": 2, "target": 1},
    ]
    return hm.programme(segments, admins, rules, every=56.0, n_planned=3, n_lines=1)


def assert_same(a: Lives, b: Lives, rows: NDArray[np.int64] | slice = slice(None)) -> None:
    np.testing.assert_array_equal(a.outcomes[rows], b.outcomes[rows])
    np.testing.assert_array_equal(a.grades[rows], b.grades[rows])
    np.testing.assert_array_equal(a.starts[rows], b.starts[rows])
    np.testing.assert_array_equal(a.ends[rows], b.ends[rows])


def test_threads_do_not_matter() -> None:
    tumours, twins, draws = mixed_batch()
    one = hm.lives(tumours, twins, mixed_programme(), draws, jobs=1)
    two = hm.lives(tumours, twins, mixed_programme(), draws, jobs=2)
    assert_same(one, two)
    assert len(np.unique(one.outcomes["cause"])) >= 3, "the batch must hold several fates"


def test_order_and_company_do_not_matter() -> None:
    """A twin with its key lives the same life wherever it stands and whoever stands beside it."""
    tumours, twins, draws = mixed_batch()
    whole = hm.lives(tumours, twins, mixed_programme(), draws)
    order = np.random.default_rng(0).permutation(twins.size)
    shuffled = hm.lives(tumours[order], twins[order], mixed_programme(), draws)
    np.testing.assert_array_equal(whole.outcomes[order], shuffled.outcomes)
    np.testing.assert_array_equal(whole.starts[order], shuffled.starts)
    few = hm.lives(tumours[10:20], twins[10:20], mixed_programme(), draws)
    np.testing.assert_array_equal(whole.outcomes[10:20], few.outcomes)


def test_room_for_lesions_does_not_matter() -> None:
    tumours, twins, draws = mixed_batch()
    wider = np.zeros((twins.size, 9), tumours.dtype)
    wider[:, :5] = tumours
    assert_same(
        hm.lives(tumours, twins, mixed_programme(), draws), hm.lives(wider, twins, mixed_programme(), draws)
    )


def test_another_seed_is_another_chance() -> None:
    tumours, twins, draws = mixed_batch()
    a = hm.lives(tumours, twins, mixed_programme(), draws, seed=1)
    b = hm.lives(tumours, twins, mixed_programme(), draws, seed=2)
    assert (a.outcomes["death"] != b.outcomes["death"]).mean() > 0.5


def test_what_differs_later_leaves_earlier_lives_alone() -> None:
    """Common random numbers: programmes that differ from the operation on agree on all that came before."""
    tumours, twins, draws = mixed_batch(300)
    a = hm.lives(tumours, twins, mixed_programme(1.0), draws)
    b = hm.lives(tumours, twins, mixed_programme(0.3), draws)
    begun = np.nan_to_num(a.starts[:, 2], nan=np.inf)
    np.testing.assert_array_equal(a.starts[:, :3], b.starts[:, :3])
    same = (a.outcomes["death"] <= begun) | np.isinf(begun)
    assert 20 < same.sum() < 300
    np.testing.assert_array_equal(a.outcomes["death"][same], b.outcomes["death"][same])
    for event in ("pfs", "hepatic"):
        early = a.outcomes[event] < begun
        np.testing.assert_array_equal(a.outcomes[event][early], b.outcomes[event][early])
    assert (a.outcomes["death"] != b.outcomes["death"]).any()


def test_background_death_is_the_exact_gompertz_law() -> None:
    n = 4000
    twins = hm.people(n, n_lesions=0, age=70.0, background_factor=1.0)
    draws = hm.parameters()
    death = hm.lives(hm.lesions(n), twins, hm.programme(), draws, days=30 * hm.YEAR).outcomes["death"]
    b = math.log(2.0) / float(draws["background_doubling_years"][0])
    start = float(draws["background_65"][0]) * math.exp(5.0 * b)
    for years in (1.0, 5.0, 15.0):
        law = math.exp(-start / b * math.expm1(b * years))
        assert np.mean(death > years * hm.YEAR) == pytest.approx(law, abs=4 * math.sqrt(law * (1 - law) / n))


SCRIPT = """
import json, sys, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, sys.argv[1])
import numba, test_laws
assert numba.config.DISABLE_JIT == 1
found = test_laws.small_lives()
print(json.dumps([[float(v) for v in row] for row in found.outcomes.tolist()]))
"""


def small_lives() -> Lives:
    tumours, twins, draws = mixed_batch(6)
    return hm.lives(tumours, twins, mixed_programme(), draws, days=500.0)


def test_uncompiled_code_gives_the_same_lives() -> None:
    """The same functions run by plain Python: compilation changes no result beyond rounding."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(Path(__file__).parent)],
        capture_output=True, check=False, text=True, timeout=300, env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    plain = np.array(json.loads(done.stdout))
    compiled = np.array([[float(v) for v in row] for row in small_lives().outcomes.tolist()])
    assert plain.shape == (6, len(OUTCOME.names or ()))
    np.testing.assert_allclose(plain, compiled, rtol=1e-9)
