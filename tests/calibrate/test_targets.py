"""The format of trials: what loads, what is refused and in which words, and the registry itself."""

from __future__ import annotations

import copy
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from metachron.calibrate.targets import SIMULATED, Target, load_targets, parse_target, read_target
from metachron.calibrate.targets_population import Population, read_bin
from metachron.errors import InputError

TRIAL: dict[str, Any] = {
    "trial": "X",
    "citation": {"text": "Somebody, somewhere"},
    "setting": "second_line",
    "population": {"female": 0.4, "ecog": [0.5, 0.5, 0], "ras_mutant": 0.5, "status": {"female": "read"}},
    "earlier": [{"share": 1.0, "lines": ["mfolfox6"]}],
    "arms": [
        {"name": "a", "strategy": "folfiri", "n": 100},
        {"name": "b", "strategy": "folfiri + bevacizumab", "n": 100, "subgroup": {"ras_mutant": 0.0}},
    ],
    "curves": [
        {"endpoint": "PFS", "arm": "a", "months": [3, 6], "at_risk": [100, 60], "events": [35, 20],
         "survival": [0.62, 0.4], "remaining": 38},
    ],
}  # fmt: skip


def changed(path: str, value: Any) -> dict[str, Any]:
    """The trial with one value set; "-" takes the field out."""
    data = copy.deepcopy(TRIAL)
    at: Any = data
    *parents, last = [int(p) if p.isdigit() else p for p in path.split(".")]
    for part in parents:
        at = at[part]
    if value == "-":
        del at[last]
    else:
        at[last] = value
    return data


FAULTS = [
    ("population.female", 42, "population.female: 42 is too large (allowed: from 0 to 1). Write a share"),
    ("population.femal", 0.4, "Did you mean female?"),
    ("population.ecog", [50, 50, 0], "percentages"),
    ("population.ecog", [0.5, 0.3, 0], "sum to 0.8, not to 1"),
    ("population.ecog", [0.5, 0.5], "three shares are needed"),
    ("population.nodes", {"1-3": 0.5, "3+": 0.5}, "bins overlap at 3"),
    ("population.nodes", {"1-3": 60, "4+": 40}, "percentages"),
    ("population.nodes", {"few": 1.0}, '"1-3" or "4+"'),
    ("population.lesions", {"1": 0.5}, "sum to 0.5"),
    ("population.months_since_surgery", 45, "45 months is too large (allowed: from 0 to 24 months)"),
    ("population.status", {"ras": "read"}, "status names ras"),
    ("population.age_years", {"median": 90, "high": 80}, "not between"),
    ("setting", "second line", "Did you mean second_line?"),
    ("earlier", "-", "needs the lines before the trial under earlier"),
    ("earlier.0.share", 0.6, "shares of earlier sum to 0.6"),
    ("earlier.0.lines", ["mfolfx6"], "earlier[0].lines: 'mfolfx6'"),
    ("arms.0.strategy", "folfirri", "Did you mean folfiri?"),
    ("arms.0.strategy", "folfiri + nothing_known", "nothing_known"),
    ("arms.0.n", -3, "-3 patients is too small (allowed: above 0 patients)"),
    ("arms.0.n", "-", "arms[0].n: this field is required and missing"),
    ("arms.1.name", "a", "arm a is defined twice"),
    ("curves.0.endpoint", "EFS", "allowed: OS, PFS, DFS, RFS, recurrence, TTP, TTF, hepatic_DFS, LRR"),
    ("curves.0.endpoint", "LRR", "LRR is not simulated"),
    ("curves.0.arm", "c", "'c' is not an arm of this trial (arms: a, b)"),
    ("curves.0.use", "shown", "use: shown needs a reason"),
    ("curves.0.months", [180, 540], "look like days"),
    ("curves.0.months", [6, 3], "months must rise"),
    ("curves.0.months", [3, 6, 9], "at_risk has 2 values, months has 3"),
    ("curves.0.survival", [62, 40], "percentage"),
    ("curves.0.survival", [0.4, 0.62], "survival rises"),
    ("curves.0.at_risk", [60, 100], "at_risk grows"),
    ("curves.0.events", [135, 20], "more events (135) than at risk (100)"),
    ("curves.0.remaining", 50, "at_risk grows: 50 after interval 2"),
    ("curves.0.fact", "made_up-001", "made_up-001 is not in the fact table"),
    ("medians", [{"endpoint": "OS", "arm": "a", "months": 12, "low": 13, "high": 15, "n": 9}], "not between"),
    ("scans", {"every_days": 56, "surveillance": "standard"}, "give one of"),
    ("scans", "standart", "standart"),
    ("not_available", ["aspirin"], "'aspirin' is not a drug or regimen"),
    ("horizon_months", "long", "horizon_months: 'long' is not a number (allowed: above 0 to 240 months)"),
    ("citation", "a paper", "citation: 'a paper' is not an object with named fields"),
    ("arms", "folfiri", "arms: 'folfiri' is not a list"),
    ("arms.0.n", 12.5, "12.5 is not a whole number"),
    ("trial", ["X"], "['X'] is not text"),
]


@pytest.mark.parametrize(("path", "value", "words"), FAULTS, ids=[f"{p}={v}"[:50] for p, v, _ in FAULTS])
def test_a_fault_is_named_with_what_is_allowed(path: str, value: Any, words: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_target(changed(path, value), "x.yaml")
    assert words in str(caught.value)
    assert str(caught.value).startswith("x.yaml: ")


@pytest.mark.parametrize("data", [None, [], "text", 3, {}])
def test_what_is_no_trial_at_all_is_refused(data: object) -> None:
    with pytest.raises(InputError):
        parse_target(data)


def test_every_fault_is_listed_at_once() -> None:
    data = changed("population.female", 42)
    data["arms"][0]["n"] = 0
    with pytest.raises(InputError) as caught:
        parse_target(data)
    assert {p.path for p in caught.value.problems} == {"population.female", "arms[0].n"}


def test_adjuvant_trials_have_no_earlier_lines() -> None:
    with pytest.raises(InputError, match="leave earlier out"):
        parse_target(changed("setting", "adjuvant"))


def test_the_same_patients_are_not_fitted_twice() -> None:
    twice = changed("curves", [TRIAL["curves"][0], {**TRIAL["curves"][0], "figure": "3"}])
    with pytest.raises(InputError, match="count twice"):
        parse_target(twice)


def test_curve_gives_days_and_censored() -> None:
    curve = parse_target(TRIAL).curves[0]
    assert curve.days == pytest.approx([91.3125, 182.625])
    assert curve.censored.tolist() == [5, 2]
    assert parse_target(changed("curves.0.remaining", "-")).curves[0].censored.tolist() == [5, 0]


def test_endpoints_are_read_in_any_spelling() -> None:
    assert parse_target(changed("curves.0.endpoint", "pfs")).curves[0].endpoint == "PFS"
    assert parse_target(changed("curves.0.endpoint", "Hepatic DFS")).curves[0].endpoint == "hepatic_DFS"


def test_subgroup_stands_in_place_of_the_population() -> None:
    target = parse_target(TRIAL)
    assert target.population_of("a").ras_mutant == 0.5
    assert target.population_of("b").ras_mutant == 0.0
    assert target.population_of("b").female == 0.4
    assert target.population_of("b").status == {"female": "read"}
    with pytest.raises(InputError, match="not an arm"):
        target.population_of("c")


def test_a_size_of_the_subgroup_replaces_the_other_size() -> None:
    whole = Population.model_validate({"sld_cm": {"median": 10}})
    part = Population.model_validate({"largest_mm": {"median": 30}})
    assert whole.with_subgroup(part).sld_cm is None
    assert whole.with_subgroup(part).largest_mm is not None


def test_bins_are_read() -> None:
    assert [read_bin(b) for b in ("2", "1-3", "4+")] == [(2, 2), (1, 3), (4, np.inf)]


@pytest.mark.parametrize(
    ("short", "field", "value"),
    [
        (42, "every_days", 42),
        ("intensive", "surveillance", "intensive"),
        ([[730, 91]], "intervals", [(730, 91)]),
    ],
)
def test_scans_have_short_forms(short: object, field: str, value: object) -> None:
    scans = parse_target(changed("scans", short)).scans_or_default()
    assert getattr(scans, field) == value


def test_defaults_follow_the_setting() -> None:
    assert parse_target(TRIAL).scans_or_default().every_days == 56
    assert parse_target(TRIAL).horizon_days == pytest.approx(182.625)
    adjuvant = changed("earlier", "-") | {"setting": "adjuvant", "curves": []}
    assert parse_target(adjuvant).scans_or_default().surveillance == "standard"
    assert parse_target(adjuvant).horizon_days == pytest.approx(60 * 30.4375)


def test_what_follows_an_arm_may_be_declared() -> None:
    data = changed("later", {"lines": ["mfolfox6"]})
    data["arms"][1]["later"] = {"lines": []}
    target = parse_target(data)
    assert target.later_of("a").lines == ["mfolfox6"]
    assert target.later_of("b").lines == []
    assert parse_target(TRIAL).later_of("a").lines is None


def test_responses_are_measured_from_day_0_only() -> None:
    assert not parse_target(TRIAL).measures_response
    assert parse_target(changed("earlier", "-") | {"setting": "first_line"}).measures_response


def test_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no trial"):
        load_targets([tmp_path])
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text(yaml.safe_dump(TRIAL), encoding="utf-8")
    assert list(load_targets([tmp_path])) == ["X"]
    two.write_text(yaml.safe_dump(TRIAL), encoding="utf-8")
    with pytest.raises(InputError, match="X is also in"):
        load_targets([one, two])
    two.write_text("a: [", encoding="utf-8")
    with pytest.raises(InputError, match="not readable YAML"):
        read_target(two)
    two.write_text("trial: A\ntrial: B\n", encoding="utf-8")
    with pytest.raises(InputError, match="trial: is given twice"):
        read_target(two)
    with pytest.raises(InputError, match="cannot be read"):
        read_target(tmp_path / "none.yaml")


def test_a_number_as_name_is_a_name() -> None:
    assert parse_target(changed("trial", 20050181)).trial == "20050181"


def test_the_template_loads() -> None:
    text = files("metachron.calibrate").joinpath("template.yaml").read_text(encoding="utf-8")
    target = parse_target(yaml.safe_load(text))
    assert target.setting == "second_line"
    assert target.curves


# --- the registry


CURVES = {
    "20050181", "ACT2", "ACTSCC", "AIO0207", "ASPECCT", "CONCEPT", "CONCUR", "Chronicle", "EAGLE", "FFCD2001",
    "ITACa", "JFMC33-0502", "NCT00614393", "NO16968", "NSABPR04", "OPTIMOX3", "PETACC8", "PROCTOR-SCRIPT",
    "R98", "RAISE", "SAKK4106", "TRIBE",
}  # fmt: skip


@pytest.fixture(scope="module")
def registry() -> dict[str, Target]:
    return {name: t for name, t in load_targets().items() if t.curves}


def test_every_trial_with_curves_is_registered(registry: dict[str, Target]) -> None:
    assert {*CURVES, "Moertel"} <= registry.keys()


def test_curves_are_consistent_with_their_events(registry: dict[str, Target]) -> None:
    """The exact Kaplan-Meier estimate lies between those that censor at the start and at the end of the
    intervals."""
    for target in registry.values():
        for curve in target.curves:
            risk, dead = np.array(curve.at_risk), np.array(curve.events)
            least = np.maximum(risk - curve.censored, np.maximum(dead, 1))
            late, early = np.cumprod(1 - dead / risk), np.cumprod(1 - dead / least)
            assert (np.array(curve.survival) <= late + 1e-3).all(), (target.trial, curve.figure, curve.arm)
            assert (np.array(curve.survival) >= early - 1e-3).all(), (target.trial, curve.figure, curve.arm)
            assert curve.at_risk[-1] >= 5
            assert len(curve.months) <= 30


def test_arms_have_the_patients_of_their_curves(registry: dict[str, Target]) -> None:
    for target in registry.values():
        for curve in target.curves:
            assert abs(target.arm(curve.arm).n - curve.n) <= 10, (target.trial, curve.arm)


def test_what_the_model_leaves_out_is_not_fitted(registry: dict[str, Target]) -> None:
    for target in registry.values():
        for curve in target.curves:
            if curve.use == "fit":
                assert not target.arm(curve.arm).not_modelled, (target.trial, curve.arm)
                assert curve.endpoint in SIMULATED


@pytest.mark.parametrize(
    ("trial", "arm", "endpoint", "median"),
    [
        ("CONCUR", "placebo", "PFS", 1.7),
        ("TRIBE", "folfoxiri_bevacizumab", "PFS", 12.1),
        ("AIO0207", "no_tx", "PFS", 3.5),
        ("20050181", "wt_panitumumab_folfiri", "OS", 14.5),
        ("SAKK4106", "bev", "TTP", 4.1),
    ],
)
def test_published_medians_lie_on_the_curves(
    registry: dict[str, Target], trial: str, arm: str, endpoint: str, median: float
) -> None:
    curve = next(c for c in registry[trial].curves if (c.arm, c.endpoint, c.use) == (arm, endpoint, "fit"))
    after = int(np.searchsorted(curve.months, median))  # scans make steps, so only the interval is asked
    assert curve.survival[after] <= 0.5 + 0.02
    assert [1.0, *curve.survival][after] >= 0.5 - 0.02


def test_cautions_of_the_data_are_heeded(registry: dict[str, Target]) -> None:
    raise_os = {c.arm: c.use for c in registry["RAISE"].curves if c.endpoint == "OS"}
    assert raise_os == {"placebo_folfiri": "shown", "ramucirumab_folfiri": "fit"}
    assert not [c for c in registry["NSABPR04"].curves if c.use == "fit"]
    assert "PFS" not in {c.endpoint for c in registry["SAKK4106"].curves}
    assert {(c.arm, c.endpoint) for c in registry["AIO0207"].curves} == {
        (a, e) for a in ("no_tx", "bev", "5fu_bev") for e in ("PFS", "OS")
    }


def test_responses_that_are_not_simulated_are_not_fitted(registry: dict[str, Target]) -> None:
    for target in registry.values():
        if not target.measures_response:
            assert not [r for r in target.responses if r.use == "fit"], target.trial


def test_moertel_counts_every_patient_once(registry: dict[str, Target]) -> None:
    curves = [c for c in registry["Moertel"].curves if c.endpoint == "recurrence"]
    assert sum(c.n for c in curves) == 909
    assert all(c.origin == "individual" for c in curves)
    nodes = [registry["Moertel"].population_of(c.arm).nodes for c in curves]
    assert all(n is not None for n in nodes)
