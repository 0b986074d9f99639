"""Simulated arms: who is enrolled, what is paired, what a known law says, Kaplan-Meier against lifelines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from metachron.calibrate import simulate as module
from metachron.calibrate.courses import branches, could_be_had, without_drugs
from metachron.calibrate.simulate import ArmLives, simulate_arm, survival_by_draw
from metachron.calibrate.targets import Target, load_targets, parse_target
from metachron.engine.batch import simulate
from metachron.errors import InputError
from metachron.model.growth import grow_many
from metachron.model.occult import size_deficit
from metachron.parameters import load_parameters
from metachron.parameters.draws import median_parameters
from metachron.population.draw import draw_population
from metachron.population.spec import population_spec

MONTH = 30.4375


def target(setting: str, arms: dict[str, str], **fields: Any) -> Target:
    return parse_target(
        {
            "trial": "made up",
            "citation": {"text": "made up for a test"},
            "setting": setting,
            "horizon_months": 36,
            "arms": [{"name": name, "strategy": text, "n": 100} for name, text in arms.items()],
            **fields,
        }
    )


def draws(k: int = 1, **fixed: float) -> np.ndarray:
    found = np.repeat(median_parameters(prior=True), k)
    for name, value in fixed.items():
        found[name] = value
    return found


SECOND = target(
    "second_line",
    {"control": "folfiri", "test": "folfiri + bevacizumab"},
    earlier=[{"share": 0.6, "lines": ["mfolfox6 + bevacizumab"]}, {"share": 0.4, "lines": ["mfolfox6"]}],
)
MAINTENANCE = target(
    "maintenance",
    {"nothing": "observation", "bevacizumab": "bevacizumab"},
    earlier=[{"share": 1.0, "lines": ["mfolfox6*8 + bevacizumab"]}],
)


def same(a: ArmLives, b: ArmLives) -> bool:
    fields = ("draw", "response", "enrolled", "candidates")
    return all(np.array_equal(getattr(a, f), getattr(b, f)) for f in fields) and all(
        np.array_equal(a.days[e], b.days[e]) and np.array_equal(a.event[e], b.event[e]) for e in a.days
    )


@pytest.fixture(autouse=True)
def forget() -> None:
    module._REMEMBERED.clear()


# --- a law that is known


def test_no_drug_obeys_the_law_of_unseen_lesions() -> None:
    """S(t) = exp[-m G(t)]: a Poisson number of lesions, each seen when it has grown to the limit."""
    trial = target(
        "adjuvant",
        {"nothing": "observation"},
        population={"nodes": {"4": 1.0}, "t4": 0.0, "t12": 0.0, "months_since_surgery": 0.0},
        scans={"every_days": 28},
    )
    d = draws(
        occult_dispersion=0.0,
        sd_ln_growth=0.0,
        sd_ln_growth_lesion=0.0,
        detect_scale=1e-9,
        growth_ras_mutant=0.0,
        growth_braf_mutant=0.0,
        growth_nodes=0.0,
        background_65=1e-12,
        death_intercept=-60.0,
    )
    n = 20_000
    lives = simulate_arm(trial, "nothing", d, n, seed=5)
    at = np.array([84.0, 168.0, 364.0, 728.0])
    found = survival_by_draw(lives, "recurrence", 1, at + 14.0)[0]  # between the windows of two scans
    limit = float(np.log(load_parameters()["detect_ct_cells"].value))
    u = (np.arange(4000) + 0.5) / 4000
    x = limit - size_deficit(u, np.full(4000, float(d["occult_size_slope"][0])), limit)
    mean = np.exp(float(d["occult_intercept"][0]) + float(d["occult_nodes"][0]) * (np.log(4.0) - 1.0))
    rate, k = np.log(2) / float(d["vdt_ref_days"][0]), np.log(float(d["capacity_cells"][0]))
    for day, survival in zip(at, found, strict=True):
        grown = grow_many(x, np.full(x.size, day), np.full(x.size, rate), k)
        expected = np.exp(-mean * (grown > limit).mean())
        assert survival == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / n) + 0.002)


# --- what is paired, and what results do not depend on


def test_arms_share_patients_and_coins() -> None:
    trial = target("first_line", {"a": "mfolfox6", "b": "mfolfox6", "c": "mfolfox6 + bevacizumab"})
    d = draws(5)
    first, again, other = (simulate_arm(trial, arm, d, 60, seed=3) for arm in "abc")
    assert same(first, again)
    with_growth = np.corrcoef(first.days["OS"], other.days["OS"])[0, 1]
    shuffled = simulate_arm(trial, "c", d, 60, seed=4).days["OS"]
    assert with_growth > 0.5 > abs(np.corrcoef(first.days["OS"], shuffled)[0, 1])


def test_results_do_not_depend_on_threads_chunks_or_what_was_simulated_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    d = draws(7)
    d["vdt_ref_days"] *= np.linspace(0.8, 1.25, 7)
    one = simulate_arm(SECOND, "test", d, 30, seed=3, jobs=1)
    two = simulate_arm(SECOND, "test", d, 30, seed=3, jobs=2)  # and from what was remembered of enrolment
    assert same(one, two)
    module._REMEMBERED.clear()
    simulate_arm(SECOND, "control", d, 30, seed=3)
    assert same(one, simulate_arm(SECOND, "test", d, 30, seed=3))
    module._REMEMBERED.clear()
    monkeypatch.setattr("metachron.engine.batch.CHUNK", 5)
    assert same(one, simulate_arm(SECOND, "test", d, 30, seed=3))


def test_lives_are_in_order_of_draw_and_as_many_as_asked() -> None:
    lives = simulate_arm(SECOND, "control", draws(4), 50, seed=2)
    assert (np.diff(lives.draw) >= 0).all()
    assert (np.bincount(lives.draw, minlength=4) == lives.enrolled).all()
    assert (lives.enrolled == 50).all()
    assert (lives.candidates > 50).all()


def test_too_few_in_the_trial_is_said() -> None:
    deadly = draws(2)
    deadly["death_intercept"][1] = -2.0  # this draw kills nearly everybody before the second line
    lives = simulate_arm(SECOND, "control", deadly, 50, seed=2)
    assert lives.enrolled[0] == 50 > lives.enrolled[1]
    assert lives.candidates[1] == module.MOST_CANDIDATES * 50


# --- who is enrolled


def engine_lives(trial: Target, arm: str, n: int, seed: int, **fixed: float) -> Any:
    spec = population_spec(trial.population_of(arm), trial.setting)
    twins, lesions = draw_population(spec, trial.setting, draws(n), seed=seed)
    course = branches(trial, trial.arm(arm))[0].mutant
    twins["draw"] = 0
    mutant = twins["egfr_active"] < 0.5
    lives = simulate(
        np.ascontiguousarray(lesions[mutant]),
        twins[mutant],
        draws(1, **fixed),
        course.programme,
        seed=seed,
        horizon_days=36 * MONTH + 3650,
    )
    return course, lives


def test_second_line_leaves_out_the_dead_and_starts_with_the_line() -> None:
    trial = target(
        "second_line",
        {"folfiri": "folfiri"},
        earlier=[{"share": 1.0, "lines": ["mfolfox6"]}],
        population={"ras_mutant": 1.0, "braf_mutant": 0.0},
    )
    course, lives = engine_lives(trial, "folfiri", 600, 11)
    start = lives.starts[:, 1]
    got_there = start <= module.LEAD_DAYS
    assert course.origin == 1
    assert 0.2 < got_there.mean() < 0.95
    assert (lives.outcomes["death"][got_there] > start[got_there]).all()
    assert (start[got_there] > lives.outcomes["pfs"][got_there]).all()
    # round 0 draws the same 600 patients: their lives are the first in the result
    arm = simulate_arm(trial, "folfiri", draws(1), 600, seed=11)
    kept = slice(0, int(got_there.sum()))
    expected = np.minimum(lives.outcomes["death"][got_there] - start[got_there], 36 * MONTH)
    assert np.allclose(arm.days["OS"][kept], expected)
    progression = np.minimum(lives.progressions[got_there, 1], lives.outcomes["death"][got_there])
    moved = arm.days["PFS"][kept] - np.minimum(progression - start[got_there], 36 * MONTH)
    assert np.abs(moved).max() <= module.WINDOW_DAYS + 1e-9
    assert (np.abs(moved) > 1.0).mean() > 0.2  # scans within their window; deaths are where they were
    assert not arm.response_measured
    assert arm.response.sum() == 0


def test_maintenance_leaves_out_who_progressed_or_stopped_early() -> None:
    trial = MAINTENANCE.model_copy(
        update={
            "population": MAINTENANCE.population.model_copy(update={"ras_mutant": 1.0, "braf_mutant": 0.0})
        }
    )
    fit = {"fitness_days": 0.0}  # nobody is too ill for the induction
    _, lives = engine_lives(trial, "nothing", 800, 12, **fit)
    start = lives.starts[:, 1]
    reached = np.isfinite(start)
    assert (lives.outcomes["pfs"][reached] > start[reached]).all()
    whole = reached & (start - lives.starts[:, 0] >= 8 * 14)
    assert (~reached).sum() > 0
    assert 0 < (reached & ~whole).sum() < 0.3 * whole.sum()
    arm = simulate_arm(trial, "nothing", draws(1, **fit), 800, seed=12)
    kept = slice(0, int(whole.sum()))
    expected = np.minimum(lives.outcomes["death"][whole] - start[whole], 36 * MONTH)
    assert np.allclose(arm.days["OS"][kept], expected)


def test_adjuvant_trials_take_only_patients_without_visible_disease() -> None:
    late = {"months_since_surgery": 6.0}
    trial = target("adjuvant", {"nothing": "observation"}, population=late, scans={"every_days": 28})
    lives = simulate_arm(trial, "nothing", draws(1), 2000, seed=6)
    assert lives.candidates[0] > 2100
    first_scan = survival_by_draw(lives, "recurrence", 1, [29.0])[0, 0]
    assert first_scan > 0.97  # those seen at six months are not among them


def test_follow_up_of_resected_patients_begins_at_the_operation() -> None:
    own = target("resected_metastases", {"surgery": "hepatectomy", "nothing": "observation"})
    written, understood = (simulate_arm(own, arm, draws(1), 500, seed=6) for arm in ("surgery", "nothing"))
    assert all(np.array_equal(written.days[e], understood.days[e]) for e in ("OS", "RFS", "hepatic_DFS"))
    later = target(
        "resected_metastases", {"nothing": "observation"}, population={"months_since_surgery": 2.0}
    )
    randomised = simulate_arm(later, "nothing", draws(1), 500, seed=6)
    assert randomised.candidates[0] > written.candidates[0]  # without early deaths and recurrences
    early, late = (survival_by_draw(lives, "OS", 1, [45.0])[0, 0] for lives in (written, randomised))
    assert late > early  # those who died of the operation are not randomised


# --- courses


def test_a_course_without_drugs_gives_nothing_and_is_no_better_than_nothing() -> None:
    course = branches(MAINTENANCE, MAINTENANCE.arm("nothing"))[0].mutant
    segment = course.programme.segments[1]
    given = course.programme.admins[segment["admin_from"] : segment["admin_to"]]
    assert given["amount"].sum() == 0
    assert given["chemo"].sum() == 0
    assert given["ox_mg"].sum() == 0
    assert course.programme.toxicity[1].sum() == 0
    assert segment["cytotoxic"] == 0
    induction = course.programme.segments[0]
    kept = course.programme.admins[induction["admin_from"] : induction["admin_to"]]
    assert kept["amount"].sum() > 0
    again = without_drugs(course.programme, 1)
    assert (again.admins == course.programme.admins).all()


def test_placebo_after_chemotherapy_is_a_line_of_its_own() -> None:
    trial = target(
        "later_line",
        {"placebo": "observation", "drug": "trifluridine_tipiracil"},
        earlier=[{"share": 1.0, "lines": ["mfolfox6", "folfiri"]}],
    )
    placebo, drug = (simulate_arm(trial, arm, draws(1), 400, seed=8) for arm in ("placebo", "drug"))
    assert (placebo.enrolled == drug.enrolled).all()
    assert (placebo.candidates == drug.candidates).all()
    assert (placebo.days["PFS"] <= drug.days["PFS"]).mean() > 0.8


def test_later_lines_follow_tumour_trial_and_time() -> None:
    def lines(trial: Target, wild: bool) -> int:
        branch = branches(trial, trial.arms[0])[0]
        return (branch.wild_type if wild else branch.mutant).programme.n_lines

    plain = target("first_line", {"a": "mfolfox6"})
    assert lines(plain, True) > lines(plain, False) > 0  # anti-EGFR for wild type
    old = target("first_line", {"a": "mfolfox6"}, not_available=["everything"])
    assert lines(old, True) == 0
    told = target("first_line", {"a": "mfolfox6"}, later={"lines": ["folfiri"]})
    assert lines(told, True) == lines(told, False) == 1
    both = [["mfolfox6", "bevacizumab"], ["panitumumab"], ["regorafenib"]]
    assert could_be_had(both, ("bevacizumab", "panitumumab")) == [["mfolfox6"], ["regorafenib"]]
    assert could_be_had(both, ("oxaliplatin",)) == [["panitumumab"], ["regorafenib"]]


def test_scans_of_the_trial_are_used() -> None:
    often, seldom = (target("first_line", {"a": "lv5fu2"}, scans={"every_days": days}) for days in (28, 112))
    median = [np.median(simulate_arm(t, "a", draws(1), 800, seed=1).days["PFS"]) for t in (often, seldom)]
    assert median[0] < median[1]


def test_an_induction_without_end_is_refused() -> None:
    trial = target(
        "maintenance", {"a": "bevacizumab"}, earlier=[{"share": 1.0, "lines": ["mfolfox6 + bevacizumab"]}]
    )
    with pytest.raises(InputError, match="no end"):
        simulate_arm(trial, "a", draws(1), 10, seed=1)


# --- endpoints


def test_endpoints_agree_with_each_other() -> None:
    trial = target("first_line", {"a": "mfolfox6*6"}, population={"age_years": {"median": 80}})
    lives = simulate_arm(trial, "a", draws(1), 1500, seed=9)
    days, event = lives.days, lives.event
    assert (days["PFS"] <= days["OS"]).all()
    assert (days["TTF"] <= days["PFS"]).all()
    assert (days["TTP"] == days["PFS"]).all()
    assert (event["TTP"] <= event["PFS"]).all()
    died_first = event["PFS"] & ~event["TTP"]
    assert died_first.any()
    assert (days["OS"][died_first] == days["PFS"][died_first]).all()
    assert lives.response_measured
    assert 0.2 < lives.response.mean() < 0.9
    assert max(d.max() for d in days.values()) <= 36 * MONTH
    after_surgery = simulate_arm(target("adjuvant", {"a": "observation"}), "a", draws(1), 800, seed=9).days
    assert (after_surgery["hepatic_DFS"] >= after_surgery["DFS"]).all()
    assert (after_surgery["hepatic_DFS"] > after_surgery["DFS"]).any()


def test_trial_effects_shift_survival() -> None:
    trial = target("first_line", {"a": "mfolfox6"})
    effects = np.zeros((4, 4))
    effects[1, 0], effects[2, 1], effects[3, 2] = 0.5, -0.5, 0.7
    lives = simulate_arm(trial, "a", draws(4), 400, seed=9, effects=effects)
    progression_free, alive = (survival_by_draw(lives, e, 4, [365.0])[:, 0] for e in ("PFS", "OS"))
    assert (progression_free[1:] < progression_free[0]).all()
    assert (alive[1:] < alive[0]).all()


@pytest.mark.parametrize("endpoint", ["OS", "TTP"])
def test_kaplan_meier_is_that_of_lifelines(endpoint: str) -> None:
    lifelines = pytest.importorskip("lifelines")
    trial = target("first_line", {"a": "mfolfox6"})
    lives = simulate_arm(trial, "a", draws(3), 150, seed=9)
    at = np.array([0.0, 50.0, 100.0, 333.0, 900.0, 2000.0])
    found = survival_by_draw(lives, endpoint, 3, at)
    for draw in range(3):
        mine = lives.draw == draw
        fitter = lifelines.KaplanMeierFitter().fit(lives.days[endpoint][mine], lives.event[endpoint][mine])
        assert np.allclose(found[draw], fitter.survival_function_at_times(at), atol=1e-9)


def test_kaplan_meier_of_nobody_and_of_ties() -> None:
    days = np.array([5.0, 5.0, 5.0, 9.0, 3.0, 3.0])
    event = np.array([True, False, True, True, True, True])
    lives = ArmLives(
        np.array([0, 0, 0, 0, 2, 2]), {"OS": days}, {"OS": event}, event, np.array([4, 0, 2]),
        np.array([4, 0, 2]), True,
    )  # fmt: skip
    found = survival_by_draw(lives, "OS", 3, [0.0, 4.0, 5.0, 9.0])
    assert np.allclose(found[0], [1, 1, 0.5, 0])
    assert np.isnan(found[1]).all()
    assert np.allclose(found[2], [1, 0, 0, 0])
    with pytest.raises(InputError, match="not simulated"):
        survival_by_draw(lives, "LRR", 3, [1.0])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"per_draw": 0}, "per_draw"),
        ({"effects": np.zeros((2, 3))}, "effects"),
        ({"effects": np.full((1, 4), np.nan)}, "effects"),
        ({"horizon_days": 0.0}, "horizon_days"),
        ({"arm": "other"}, "not an arm"),
    ],
)
def test_arguments_out_of_range_are_refused(change: dict[str, Any], words: str) -> None:
    arguments: dict[str, Any] = {"arm": "control", "draws": draws(1), "per_draw": 5, "seed": 1, **change}
    arm, sets, per_draw = arguments.pop("arm"), arguments.pop("draws"), arguments.pop("per_draw")
    with pytest.raises(InputError, match=words):
        simulate_arm(SECOND, arm, sets, per_draw, **arguments)


@pytest.mark.slow
def test_every_registered_arm_can_be_simulated() -> None:
    for trial in load_targets().values():
        for arm in trial.arms:
            lives = simulate_arm(trial, arm.name, draws(2), 20, seed=1)
            assert lives.enrolled.min() > 0, (trial.trial, arm.name)
            assert all(np.isfinite(days).all() and (days >= 0).all() for days in lives.days.values())


def test_a_few_registered_trials_can_be_simulated() -> None:
    for name in ("RAISE", "AIO0207", "CONCUR", "Moertel", "EORTC-40983", "COLLISION"):
        trial = load_targets()[name]
        lives = simulate_arm(trial, trial.arms[-1].name, draws(1), 30, seed=1)
        assert lives.enrolled[0] > 0
