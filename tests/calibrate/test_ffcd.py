"""The likelihood of single patients: factors against their laws, paths against the engine, truth found."""

from __future__ import annotations

import math
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp

from metachron.calibrate import ffcd
from metachron.calibrate.courses import branches
from metachron.calibrate.ffcd_data import EVENTS, SIZES, prepare
from metachron.calibrate.ffcd_match import (
    LEAST,
    NEVER,
    SCAN_HALF_DAYS,
    SCAN_SD_DAYS,
    UNSEEN,
    add_sizes,
    box_cox,
    end_of_life,
    new_disease,
    student_cdf,
)
from metachron.calibrate.ffcd_paths import GRID_DAYS, HAZARD, SUM_CM, deathless, spare, walk
from metachron.calibrate.space import prior_median
from metachron.calibrate.targets import load_targets
from metachron.engine.records import VISIBLE
from metachron.engine.trace import trace
from metachron.errors import InputError
from metachron.population.draw import draw_population
from metachron.population.spec import population_spec

TARGET = load_targets()[ffcd.TRIAL]
HEAD = "id,{},treatment,age,who.PS"


def people(n, seed=1):
    """n virtual patients of the trial at the prior medians."""
    draw = prior_median()
    spec = population_spec(TARGET.population, TARGET.setting)
    twins, lesions = draw_population(spec, TARGET.setting, np.repeat(draw, n), seed=seed)
    twins["draw"] = 0
    return twins, lesions, draw


def programme(arm="sequential"):
    return branches(TARGET, TARGET.arm(arm))[0].mutant.programme


def write(folder: Path, n: int = 8) -> Path:
    """Both tables for n made-up patients, half in each arm; the last one has new lesions on day 240."""
    sizes, events = [HEAD.format("year,tumor.size")], [HEAD.format("time1,new.lesions,state")]
    for i in range(n):
        rest = f"{'SC'[i % 2]},60-69 years,{i % 3}"
        for k in range(4):
            value = box_cox(10.0 - k) if i or k < 3 else LEAST
            sizes.append(f"{i},{k * 60 / 365.25},{value},{rest}")
        if i == n - 1:
            events.append(f"{i},{120 / 365.25},1,0,{rest}")
        events.append(f"{i},{(300 + 30 * i) / 365.25},0,{i % 2},{rest}")
    (folder / SIZES).write_text("\n".join(sizes), "utf-8")
    (folder / EVENTS).write_text("\n".join(events), "utf-8")
    return folder


def test_student_distribution() -> None:
    t = np.array([-12.0, -3.0, -0.5, 0.0, 1.3, 8.0])
    assert np.allclose([student_cdf(x) for x in t], stats.t(4).cdf(t), rtol=1e-9, atol=1e-12)


def test_box_cox_is_that_of_the_data() -> None:
    assert box_cox(23.2) == pytest.approx(5.22767935551004)  # sum and transformed sum of one published row
    assert box_cox(0.0) == UNSEEN < LEAST


def test_sizes_have_their_density_and_noughts_their_probability() -> None:
    path = np.array([box_cox(10.0), box_cox(8.0), UNSEEN, UNSEEN])
    row, weight = np.array([0, 0, 2]), np.array([0.0, 0.5, 0.0])
    sizes, sigmas, logs = np.array([3.0, 4.0, LEAST]), np.array([0.4, 0.8]), np.zeros(2)
    add_sizes(path, row, weight, sizes, 0, 3, sigmas, logs)
    for s, sigma in enumerate(sigmas):
        law = stats.t(4, scale=sigma)
        middle = 0.5 * (path[0] + path[1])
        expected = law.logpdf(3.0 - path[0]) + law.logpdf(4.0 - middle) + law.logcdf(LEAST - UNSEEN)
        assert logs[s] == pytest.approx(expected)


def test_new_disease_is_seen_once_or_later() -> None:
    visits = [0.0, 60.0, 120.0, 200.0]
    for day in (40.0, 150.0, 500.0, math.inf):
        parts = [new_disease(day, a, b) for a, b in pairwise(visits)]
        parts.append(new_disease(day, visits[-1], NEVER))
        assert sum(parts) == pytest.approx(1.0)
    law = stats.norm(150.0 - SCAN_HALF_DAYS, SCAN_SD_DAYS)
    assert new_disease(150.0, 120.0, 200.0) == pytest.approx((law.cdf(200) - law.cdf(120)) / law.sf(0))


def test_death_and_survival_sum_to_one() -> None:
    days = 40
    hazard = np.linspace(1.0, 3.0, days)
    total = np.concatenate([[0.0], np.cumsum(0.5 * GRID_DAYS * (hazard[1:] + hazard[:-1]))])
    nought = np.zeros(days)
    frailty, share, age = np.array([0.5, 1.5]), np.array([0.5, 0.5]), np.zeros(2)

    def law(t, died):
        return end_of_life(hazard, total, nought, nought, 200.0, t, died, 5e-4, 2.5, frailty, share, age)

    middles = np.arange(0.05, 500.0, 0.1)
    dead = sum(law(t, True) for t in middles) * 0.1
    assert dead + law(500.0, False) == pytest.approx(1.0, abs=2e-3)  # hazard is straight between grid days


def test_paths_are_those_of_the_engine() -> None:
    twins, lesions, draw = people(6)
    plan = programme()
    paths = walk(lesions, twins, draw, plan, seed=4, horizon_days=700.0, jobs=1)
    for i in range(6):
        steps = trace(lesions, spare(twins), deathless(draw), plan, seed=4, horizon_days=700.0, twin=i)
        first = lesions["status"][i] == VISIBLE
        for st in steps:
            if st["t"] % GRID_DAYS == 0.0:
                slots = st["slot"][: st["n"]].astype(int)
                mm = st["mm"][: st["n"]]
                mine = first[slots] & (mm >= 4.0) & (st["visible"][: st["n"]] > 0)
                row = paths.values[i, int(st["t"] // GRID_DAYS)]
                assert row[SUM_CM] == pytest.approx(0.1 * mm[mine].sum(), rel=1e-5, abs=1e-6)
        new = [st["t"] for st in steps if st["new_lesion"] == 1]
        assert math.isinf(paths.new_day[i]) if not new else paths.new_day[i] < new[0]


def test_hazard_of_a_path_is_that_of_the_engine() -> None:
    twins, lesions, draw = people(40)
    draw["death_liver_max"], draw["febrile_mortality"], draw["death_new_lesion"] = 0.0, 0.0, 0.0
    draw["death_intercept"] = -30.0  # nobody dies, and the life goes on with the hazard on record
    paths = walk(lesions, twins, draw, programme(), seed=4, horizon_days=140.0)
    alive = spare(twins)
    for i in range(0, 40, 13):
        steps = trace(lesions, alive, draw, programme(), seed=4, horizon_days=140.0, twin=i)
        last = steps[steps["t"] <= 140.0][-1]
        scaled = last["hazard_now"] * math.exp(30.0)
        assert paths.values[i, int(last["t"] // GRID_DAYS), HAZARD] == pytest.approx(scaled, rel=1e-4)


def test_threads_and_order_do_not_matter() -> None:
    twins, lesions, draw = people(70)
    one = walk(lesions, twins, draw, programme(), seed=4, horizon_days=280.0, jobs=1)
    two = walk(lesions[::-1].copy(), twins[::-1].copy(), draw, programme(), seed=4, horizon_days=280.0)
    assert np.array_equal(one.values, two.values[::-1])
    assert np.array_equal(one.new_day, two.new_day[::-1])


def test_tables_are_read(tmp_path: Path) -> None:
    data = prepare(write(tmp_path))
    assert [arm.name for arm in data.arms] == ["sequential", "combination"]
    assert data.n == 8
    combination = data.arms[1]
    assert np.allclose(combination.when[-1], [60.0, 120.0, 510.0])
    assert combination.died.all()
    assert not data.arms[0].died.any()
    assert data.arms[0].when[0, 1] == NEVER
    assert data.arms[0].when[0, 0] == pytest.approx(180.0)  # the last visit, not the end of follow-up
    assert np.isfinite(combination.stray).all()


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (SIZES, lambda t: t.replace("tumor.size", "size"), "tumor.size"),
        (SIZES, lambda t: t.replace("60-69", "6x-69", 1), "line 2"),
        (EVENTS, lambda t: t.replace("\n0,0.8", "\n0,-0.8", 1), "0 to 20 years"),
        (SIZES, lambda t: "\n".join([*t.split("\n")[:1], *t.split("\n")[2:]]), "no size on day 0"),
        (EVENTS, None, "there is no file"),
    ],
)
def test_faults_of_tables_are_named(tmp_path: Path, name: str, change, said: str) -> None:  # type: ignore[no-untyped-def]
    path = write(tmp_path) / name
    if change is None:
        path.unlink()
    else:
        path.write_text(change(path.read_text("utf-8")), "utf-8")
    with pytest.raises(InputError, match=said):
        prepare(tmp_path)


def test_a_run_that_was_cut_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffcd, "PART", 1)
    data, draws = prepare(write(tmp_path)), np.repeat(prior_median(), 3)
    draws["kappa_fp"] *= [0.7, 1.0, 1.4]
    whole = ffcd.evaluate(data, draws, seed=2, virtual=40)
    assert np.unique(whole).size == 3
    file, calls = tmp_path / "kept.npz", []

    def stop(done: int) -> None:
        calls.append(done)
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ffcd.evaluate_in_parts(file, data, draws, seed=2, virtual=40, progress=stop)
    again = ffcd.evaluate_in_parts(file, data, draws, seed=2, virtual=40, progress=calls.append)
    assert calls == [1, 2, 3]
    assert np.array_equal(again, whole)
    other = ffcd.evaluate_in_parts(file, data, draws[:1], seed=3, virtual=40)
    assert other[0] != whole[0]


def test_bad_arguments_are_named(tmp_path: Path) -> None:
    data = prepare(write(tmp_path))
    with pytest.raises(InputError, match="effects"):
        ffcd.evaluate(data, prior_median(), seed=1, effects=np.zeros((1, 3)))
    with pytest.raises(InputError, match="virtual"):
        ffcd.evaluate(data, prior_median(), seed=1, virtual=2)


def test_the_mean_over_paths_is_a_mean(tmp_path: Path) -> None:
    data = prepare(write(tmp_path))
    one = ffcd.explain(data, prior_median(), np.zeros(4), seed=2, virtual=64)
    logs = one.ln_weights["sequential"]

    def mixed(part: np.ndarray) -> np.ndarray:
        plain = logsumexp(part, axis=0) - np.log(len(part))
        return np.logaddexp(np.log1p(-ffcd.STRAY) + plain, np.log(ffcd.STRAY) + data.arms[0].stray)

    blocks = np.split(logs, ffcd.BLOCKS)
    pairs = combinations(range(ffcd.BLOCKS), ffcd.BLOCKS // 2)
    half = np.mean([mixed(np.concatenate([blocks[j] for j in chosen])) for chosen in pairs], axis=0)
    whole = mixed(logs)
    assert (half < whole).all()
    assert np.allclose(one.by_patient[:4], whole + ffcd.STILL_TO_RISE * (whole - half))
    assert one.sigma in ffcd.SIGMAS


def test_what_the_pool_is_too_small_for_is_added() -> None:
    """Weights with a heavy tail, as those of paths: ln of the mean over small pools comes near its limit."""
    pools = 2.2 * np.random.default_rng(3).standard_normal((2000, 200, 1, 1))
    truth, stray = 0.5 * 2.2**2, np.array([[-50.0]])
    plain = np.mean([logsumexp(pool) - np.log(200) for pool in pools])
    mended = np.mean([ffcd._mean(pool, stray)[0] for pool in pools]) - np.log1p(-ffcd.STRAY)
    assert plain < truth - 0.1
    assert abs(mended - truth) < 0.75 * abs(plain - truth)


def test_each_parameter_set_has_its_own_virtual_patients(tmp_path: Path) -> None:
    data, draws = prepare(write(tmp_path)), np.repeat(prior_median(), 2)
    draws["kappa_egfr"][1] *= 2.0  # no such drug in the trial: only the virtual patients change
    found = ffcd.evaluate(data, draws, seed=2, virtual=40)
    assert found[0] != found[1]
    assert found[1] == ffcd.evaluate(data, draws[1:], seed=2, virtual=40)[0]


def test_what_cannot_matter_is_found_out(tmp_path: Path) -> None:
    names = ["kappa_fp", "death_burden", "kappa_egfr", "occult_t4", "ablation_hazard"]
    assert ffcd.moved_by(prepare(write(tmp_path)), names, seed=2) == ("kappa_fp", "death_burden")


def test_noise_falls_with_virtual_patients(tmp_path: Path) -> None:
    data, draws = prepare(write(tmp_path)), np.repeat(prior_median(), 6)
    draws["kappa_fp"] *= np.linspace(0.6, 1.6, 6)
    few, many = (ffcd.noise_of(data, draws, seed=2, virtual=v) for v in (20, 800))
    assert 0.0 < many < few
    with pytest.raises(InputError, match="3 or more"):
        ffcd.noise_of(data, draws[:2], seed=2)


VISIT_DAYS, LOOKED_AT_DAYS, FOLLOWED_DAYS = 56.0, 400.0, 1400.0
FACTORS = {
    "kappa_fp": 1.8, "vdt_ref_days": 1.5, "occult_unresectable": 3.0, "phi_lesion_sd": 1.8,
    "sd_ln_growth": 1.8, "rho_resistant": 2.5,
}  # fmt: skip
STEPS = {"death_intercept": 0.5, "death_new_lesion": 0.7}


def _truth():  # type: ignore[no-untyped-def]
    """Prior medians without what _simulated leaves out."""
    truth = prior_median()
    for name in ("death_liver_max", "death_ecog"):
        truth[name] = 0.0
    truth["background_65"] = 1e-9
    return truth


def _neighbours(truth):  # type: ignore[no-untyped-def]
    """The truth changed one parameter at a time, up and down; their names."""
    found, names = [], []
    for name in (*FACTORS, *STEPS):
        for sign in (1.0, -1.0):
            other = truth.copy()
            other[name] = (
                other[name] * FACTORS[name] ** sign if name in FACTORS else other[name] + sign * STEPS[name]
            )
            found.append(other)
            names.append(f"{name} {'+-'[sign < 0]}")
    return np.concatenate(found), names


def test_new_lesions_alone_tell_how_many_there_were_unseen(tmp_path: Path) -> None:
    """The factor of new lesions, which has next to no noise: a third and three times as many are unlikely."""
    truth = _truth()
    data = prepare(_simulated(tmp_path, truth, 300))
    values = []
    for factor in (1.0, 1 / 3, 3.0):
        draw = truth.copy()
        draw["occult_unresectable"] *= factor
        spec = population_spec(TARGET.population, TARGET.setting)
        twins, lesions = draw_population(spec, TARGET.setting, np.repeat(draw, 800), seed=6)
        twins["draw"] = 0
        total = 0.0
        for arm in data.arms:
            days = walk(lesions, twins, draw, programme(arm.name), seed=6, horizon_days=FOLLOWED_DAYS).new_day
            often, counts = np.unique(days, return_counts=True)
            for none, new, _ in arm.when:
                p = [new_disease(day, none, new) for day in often]
                total += math.log(np.average(p, weights=counts))
        values.append(total)
    assert values[0] - max(values[1:]) > 4.0


@pytest.mark.slow
def test_truth_is_likelier_than_its_neighbours(tmp_path: Path) -> None:
    """Patients simulated at known parameters, three times 240: no neighbour is likelier than the truth beyond
    noise (SD of a value about 9, of these means 6), and growth and hazard are found."""
    truth = _truth()
    others, names = _neighbours(truth)
    ahead = np.zeros(len(names))
    for seed in (1, 2, 3):
        folder = tmp_path / str(seed)
        folder.mkdir()
        data = prepare(_simulated(folder, truth, 120, seed))
        level = np.mean([ffcd.evaluate(data, truth, seed=20 * seed + k)[0] for k in range(3)])
        ahead += (level - ffcd.evaluate(data, others, seed=seed)) / 3
    found = dict(zip(names, ahead.round(1).tolist(), strict=True))
    assert min(found.values()) > -12.0, found
    assert np.mean(ahead) > 2.0, found
    for name in ("vdt_ref_days", "death_intercept"):
        assert found[f"{name} +"] + found[f"{name} -"] > 8.0, found


def _simulated(folder: Path, draw, n: int, seed: int = 5) -> Path:  # type: ignore[no-untyped-def]
    """Tables of 2 n patients by the laws of the likelihood: visits until death or until looking ends, new
    lesions at the first visit after they could be seen."""
    rng = np.random.default_rng(seed)
    sizes, events = [HEAD.format("year,tumor.size")], [HEAD.format("time1,new.lesions,state")]
    spec = population_spec(TARGET.population, TARGET.setting)
    twins, lesions = draw_population(spec, TARGET.setting, np.repeat(draw, n), seed=700 + seed)
    twins["draw"] = 0
    for letter, arm in (("S", "sequential"), ("C", "combination")):
        paths = walk(lesions, twins, draw, programme(arm), seed=31 + seed, horizon_days=FOLLOWED_DAYS)
        for i in range(n):
            path, key, rest = paths.values[i], f"{letter}{i}", f"{letter},60-69 years,1"
            visits = np.arange(0.0, min(FOLLOWED_DAYS, rng.exponential(LOOKED_AT_DAYS)), VISIT_DAYS)
            seen = _first_seen(paths.new_day[i], visits, rng)
            flag = seen if math.isfinite(seen) else max(paths.new_day[i], visits[-1])
            end, died = _end(path, flag, draw[0], twins["ln_frailty"][i], rng)
            curve = [box_cox(float(x)) for x in path[:, SUM_CM]]
            for day in visits[visits < end]:
                y = np.interp(day / GRID_DAYS, np.arange(len(curve)), curve) + 0.7 * rng.standard_t(4)
                sizes.append(f"{key},{day / 365.25},{max(y, LEAST)},{rest}")
            if seen < end:
                events.append(f"{key},{seen / 365.25},1,0,{rest}")
            events.append(f"{key},{end / 365.25},0,{died},{rest}")
    (folder / SIZES).write_text("\n".join(sizes), "utf-8")
    (folder / EVENTS).write_text("\n".join(events), "utf-8")
    return folder


def _first_seen(new_day: float, visits: np.ndarray, rng: np.random.Generator) -> float:
    """Visit that shows new disease, infinite if none does. It cannot be seen before day 0."""
    day = -1.0
    while day <= 0.0:
        day = new_day - SCAN_HALF_DAYS + SCAN_SD_DAYS * rng.standard_normal()
    after = visits[visits >= day]
    return float(after[0]) if after.size else math.inf


def _end(path: np.ndarray, flag: float, draw, ln_frailty: float, rng) -> tuple[float, int]:  # type: ignore[no-untyped-def]
    """(day of death or of the last news, died); `flag`: day from which new disease acts."""
    days = np.arange(0.0, FOLLOWED_DAYS)
    h = np.interp(days / GRID_DAYS, np.arange(len(path)), path[:, HAZARD])
    h = h * np.exp(draw["death_intercept"] + ln_frailty + draw["death_new_lesion"] * (days >= flag))
    dead = np.flatnonzero(np.cumsum(h) > rng.exponential())
    return (float(days[dead[0]]) + 0.5, 1) if dead.size else (float(days[-1]), 0)
