"""Populations: shares as asked, sizes as asked, and one field never disturbs another."""

from __future__ import annotations

import numpy as np
import pytest

from metachron.engine.records import LIVER, OCCULT, VISIBLE
from metachron.errors import InputError
from metachron.parameters.draws import median_parameters
from metachron.population.draw import draw_bin, draw_population, fit_for_trial
from metachron.population.lesions import ROOM_OCCULT
from metachron.population.nature import MEAN_ECOG
from metachron.population.spec import FIELDS, SETTINGS, load_defaults, population_spec

N = 20_000


def draws(n: int = N, **fixed: float) -> np.ndarray:
    found = np.repeat(median_parameters(prior=True), n)
    for name, value in fixed.items():
        found[name] = value
    return found


def near(share: float, asked: float, n: int = N) -> bool:
    return abs(share - asked) < 4.5 * np.sqrt(max(asked * (1 - asked), 1e-9) / n) + 1e-12


def diameters(lesions: np.ndarray) -> np.ndarray:
    mm = 10 * np.cbrt(6 / np.pi * np.exp(lesions["x"]) / 1e9)
    return np.where(lesions["status"] == VISIBLE, mm, 0.0)


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_field_has_a_default_or_none(setting: str) -> None:
    spec = population_spec({}, setting)
    assert spec.status.keys() <= set(FIELDS)
    assert (spec.sld_cm is None) or (spec.largest_mm is None)
    if setting != "adjuvant":
        assert spec.sld_cm is not None or spec.largest_mm is not None


def test_defaults_name_a_source() -> None:
    from metachron.evidence.facts import load_facts

    for name, entries in load_defaults().items():
        assert name in FIELDS
        for entry in entries:
            assert entry["status"] in ("read", "derived", "assumed", "recalled"), name
            assert entry.get("source") or entry.get("fact"), name
            assert (entry["status"] == "assumed") == (entry.get("source") == "assumption"), name
            assert entry.get("fact") is None or entry["fact"] in load_facts(), name


def test_shares_are_as_asked() -> None:
    given = {"ras_mutant": 0.4, "braf_mutant": 0.12, "msi_high": 0.07, "female": 0.3, "ecog": [0.5, 0.3, 0.2]}
    d = draws(death_frailty_sd=1e-9, death_ecog=1.0, growth_ras_mutant=5.0, growth_braf_mutant=-5.0)
    d["sd_ln_growth"] = 1e-9
    twins, _ = draw_population(population_spec(given, "first_line"), "first_line", d, seed=3)
    growth = np.log(twins["growth"] * d["vdt_ref_days"] / np.log(2))
    ras, braf = growth > 2.5, growth < -2.5
    assert near(ras.mean(), 0.4)
    assert near(braf.mean(), 0.12)
    assert not (ras & braf).any()
    assert ((twins["egfr_active"] == 1) == ~(ras | braf)).all()
    assert near((twins["msi_high"] == 1).mean(), 0.07)
    assert near((twins["background_factor"] < 1).mean(), 0.3)
    ecog = np.rint(twins["ln_frailty"] + MEAN_ECOG)
    for points, share in enumerate(given["ecog"]):
        assert near((ecog == points).mean(), share)


def test_hazards_of_patients_average_to_one() -> None:
    d = draws(death_frailty_sd=0.7, death_ecog=0.0)
    twins, _ = draw_population(population_spec({}, "first_line"), "first_line", d, seed=3)
    assert np.exp(twins["ln_frailty"]).mean() == pytest.approx(1.0, abs=0.03)


def test_ages_lie_in_the_range_about_the_median() -> None:
    given = {"age_years": {"median": 76, "low": 75, "high": 86}}
    twins, _ = draw_population(population_spec(given, "first_line"), "first_line", draws(), seed=3)
    assert twins["age"].min() >= 75
    assert twins["age"].max() <= 86
    assert np.median(twins["age"]) == pytest.approx(76, abs=0.1)


def test_sizes_and_numbers_are_as_asked() -> None:
    given = {"lesions": {"median": 4}, "sld_cm": {"median": 8.0, "sd_ln": 0.5}, "liver_only": 0.35}
    twins, lesions = draw_population(population_spec(given, "first_line"), "first_line", draws(), seed=4)
    mm = diameters(lesions)
    count = (mm > 0).sum(1)
    assert np.median(count) == 4
    assert count.min() >= 1
    inside = (mm > 1.01).sum(1) == count  # nothing clipped at the least size
    total = mm.sum(1)
    assert np.median(total[inside]) == pytest.approx(80, rel=0.05)
    assert np.log(total[inside]).std() == pytest.approx(0.5, rel=0.05)
    visible = lesions["status"] == VISIBLE
    in_liver = np.where(visible, lesions["organ"] == LIVER, True)
    assert near(in_liver.all(1).mean(), 0.35)
    assert near((visible & (lesions["organ"] == LIVER)).any(1)[count > 1].mean(), 0.70)
    assert (twins["n_lesions"] <= lesions.shape[1]).all()


def test_largest_lesion_and_bins_of_a_resected_series() -> None:
    given = {"lesions": {"1": 0.5, "2-4": 0.4, "5+": 0.1}, "largest_mm": {"median": 30, "sd_ln": 0.4}}
    spec = population_spec(given, "liver_local")
    _, lesions = draw_population(spec, "liver_local", draws(), seed=4)
    mm = diameters(lesions)
    count = (mm > 0).sum(1)
    assert near((count == 1).mean(), 0.5)
    assert near((count >= 5).mean(), 0.1)
    assert np.median(mm.max(1)) == pytest.approx(30, rel=0.03)
    assert (lesions["organ"][lesions["status"] == VISIBLE] == LIVER).all()


@pytest.mark.parametrize("setting", ["first_line", "resected_metastases"])
def test_unseen_lesions_are_unseen_on_day_0(setting: str) -> None:
    from metachron.population.lesions import ct_limit

    _, lesions = draw_population(population_spec({}, setting), setting, draws(), seed=5)
    hidden = lesions["status"] == OCCULT
    assert hidden.sum() > 1000
    assert (lesions["x"][hidden] < ct_limit() + lesions["offset"][hidden]).all()


def test_lesions_of_a_patient_differ() -> None:
    d = draws(phi_lesion_sd=1.2)
    _, lesions = draw_population(population_spec({}, "first_line"), "first_line", d, seed=5)
    used = lesions["status"] > 0
    assert lesions["resistance"][used].std() == pytest.approx(1.2, rel=0.02)
    ln_growth = np.log(lesions["growth"][used])
    assert ln_growth.std() == pytest.approx(float(d["sd_ln_growth_lesion"][0]), rel=0.02)
    assert abs(np.corrcoef(ln_growth, lesions["resistance"][used])[0, 1]) < 0.02


def test_nodes_and_stage_set_the_load() -> None:
    d = draws(occult_dispersion=0.0)
    few = population_spec({"nodes": {"1": 1.0}, "t4": 0.0, "t12": 0.0}, "adjuvant")
    many = population_spec({"nodes": {"10": 1.0}, "t4": 0.0, "t12": 0.0}, "adjuvant")
    none = population_spec({"stage_2": 1.0, "t4": 0.0, "t12": 0.0}, "adjuvant")
    b, slope = float(d["occult_intercept"][0]), float(d["occult_nodes"][0])
    expected = [b - slope, b + slope * (np.log(10) - 1), b - slope + float(d["occult_node_negative"][0])]
    for spec, ln_mean in zip((few, many, none), expected, strict=True):
        _, lesions = draw_population(spec, "adjuvant", d, seed=6)
        assert lesions.shape[1] <= ROOM_OCCULT
        mean = (lesions["status"] == OCCULT).sum(1).mean()
        assert mean == pytest.approx(np.exp(ln_mean), abs=4 * np.sqrt(np.exp(ln_mean) / N))


def test_nodes_set_the_growth_of_unseen_disease() -> None:
    d = draws(500)
    few, many = (
        draw_population(population_spec({"nodes": {n: 1.0}}, "adjuvant"), "adjuvant", d, seed=6)[0]
        for n in ("1", "8")
    )
    assert np.allclose(many["growth"] / few["growth"], 8.0 ** d["growth_nodes"])
    plain, other = (
        draw_population(population_spec({"stage_2": s}, "first_line"), "first_line", d, seed=6)[0]
        for s in (0.0, 1.0)
    )
    assert (plain["growth"] == other["growth"]).all()


def test_trial_effects_act_where_they_should() -> None:
    spec, d = population_spec({}, "first_line"), draws()
    effects = np.tile([0.3, -0.2, 9.0, 0.5], (N, 1))
    plain, lesions = draw_population(spec, "first_line", d, seed=7)
    moved, more = draw_population(spec, "first_line", d, seed=7, effects=effects)
    assert np.allclose(moved["growth"], plain["growth"] * np.exp(0.3))
    assert np.allclose(moved["sensitivity"], plain["sensitivity"] * np.exp(-0.2))
    assert (moved["ln_frailty"] == plain["ln_frailty"]).all()
    ratio = (more["status"] == OCCULT).sum() / (lesions["status"] == OCCULT).sum()
    assert ratio == pytest.approx(np.exp(0.5), rel=0.06)  # a few reach the most there is room for


def test_one_field_leaves_the_others_alone() -> None:
    d = draws(3000)
    base, lesions = draw_population(population_spec({}, "first_line"), "first_line", d, seed=8)
    other = population_spec({"ras_mutant": 0.9, "female": 0.9, "braf_mutant": 0.05}, "first_line")
    twins, same = draw_population(other, "first_line", d, seed=8)
    assert (lesions == same).all()
    for field in ("sensitivity", "logit_macro", "age", "ln_frailty", "neutrophils", "msi_high"):
        assert (twins[field] == base[field]).all(), field
    assert (twins["background_factor"] != base["background_factor"]).any()


def test_batches_are_other_patients_and_seeds_repeat() -> None:
    spec, d = population_spec({}, "adjuvant"), draws(500)
    first = draw_population(spec, "adjuvant", d, seed=9)[0]
    assert (first == draw_population(spec, "adjuvant", d, seed=9)[0]).all()
    assert (first["growth"] != draw_population(spec, "adjuvant", d, seed=9, batch=1)[0]["growth"]).all()


def test_bins_are_drawn_with_their_shares() -> None:
    rng = np.random.default_rng(1)
    found = draw_bin({"1-3": 0.6, "4+": 0.4}, 25, rng.random(N), rng.random(N))
    assert near((found <= 3).mean(), 0.6)
    assert found.min() == 1
    assert found.max() == 25
    assert (found == 1).sum() > (found == 2).sum() > (found == 3).sum()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"female": 40}, "female"),
        ({"ras_mutant": 0.7, "braf_mutant": 0.5}, "sum to 1.2"),
        ({"t4": -0.1}, "0 to 1"),
        ({"nodes": {"many": 1.0}}, "not a bin"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        draw_population(population_spec(given, "adjuvant"), "adjuvant", draws(10), seed=1)


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(InputError, match="not a setting"):
        population_spec({}, "third_line")


def test_who_is_near_death_enters_no_trial() -> None:
    """The chance is exp(-days x hazard of what is seen); nobody without visible disease is refused."""
    d = draws(death_frailty_sd=0.8, fitness_days=90.0)
    twins, lesions = draw_population(population_spec({}, "first_line"), "first_line", d, seed=8)
    sums = diameters(lesions).sum(1) / 10.0
    law = np.exp(d["death_intercept"] + twins["ln_frailty"]) * (1.0 + sums) ** d["death_burden"]
    chance = np.exp(-90.0 * law * (1.0 - np.exp(-sums / d["death_full_cm"])))
    u, none = np.random.default_rng(1).random(N), np.zeros(N)
    assert (fit_for_trial(twins, lesions, d, none, u) == (u < chance)).all()
    assert near(fit_for_trial(twins, lesions, d, none, u).mean(), chance.mean())
    worse = fit_for_trial(twins, lesions, d, none + 1.0, u)
    assert worse.mean() < chance.mean() - 0.01
    hidden = lesions.copy()
    hidden["status"][hidden["status"] == VISIBLE] = OCCULT
    assert fit_for_trial(twins, hidden, d, none, u).all()
