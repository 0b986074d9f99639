"""Published points as targets: nothing counts twice, nothing is fitted that cannot be simulated, every figure
can be found in the fact table, and the discount of cell therapy."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from math import exp, log
from pathlib import Path

import pytest

from metachron.calibrate.discount import (
    Effect,
    Study,
    band,
    discounted,
    load_rule,
    predicted_ln_hr,
    published_effect,
    published_effects,
)
from metachron.calibrate.landmarks_docs import designs, filled, trials
from metachron.calibrate.targets import (
    SETTINGS,
    Contrast,
    Landmark,
    Median,
    Response,
    Target,
    load_targets,
)
from metachron.errors import InputError
from metachron.evidence import load_facts
from metachron.parameters import draw_parameters
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.language import resolve

CELLS = set(load_catalogue().cells)
CURVES_APART = 1.5  # least ratio of the times of two fitted points of one curve


@pytest.fixture(scope="module")
def targets() -> dict[str, Target]:
    return {name: t for name, t in load_targets().items() if not t.curves}


def points(target: Target) -> list[Landmark | Median | Response]:
    return [*target.landmarks, *target.medians, *target.responses]


def test_the_registry_covers_what_the_curves_do_not(targets: dict[str, Target]) -> None:
    needed = {
        "EORTC-40983", "JCOG0603", "UFT-LV-CRLM", "FFCD9002-ENG", "CLOCC", "COLLISION", "MSKCC-resections",
        "Guangzhou-cryoablation", "MWA-Mimmo-2022", "PRIME", "CRYSTAL", "PARADIGM", "CALGB-80405",
        "KEYNOTE-177", "CheckMate-8HW", "RECOURSE", "SUNLIGHT", "CORRECT", "VELOUR", "ML18147", "BEACON",
        "BREAKWATER", "CAIRO5", "MOSAIC", "IDEA", "Untreated-liver-metastases", "Repeat-hepatectomy",
        "Peng-2017-CIK", "CIK-phase-II",
    }  # fmt: skip
    assert not needed - targets.keys()
    fitted = {t.setting for t in targets.values() for f in points(t) if f.use == "fit"}
    assert fitted == set(SETTINGS) - {"maintenance"}


def test_every_fitted_figure_is_in_the_fact_table(targets: dict[str, Target]) -> None:
    without = [(t.trial, f) for t in targets.values() for f in points(t) if f.use == "fit" and not f.fact]
    assert not without


def _numbers(key: str) -> set[float]:
    fact = load_facts()[key]
    text = " ".join((fact.value, fact.ci_low, fact.ci_high, fact.note))
    return {float(n) for n in re.findall(r"\d+\.?\d*", text)}


def test_figures_are_those_of_the_fact_they_name(targets: dict[str, Target]) -> None:
    """Shares as per cent, months also as years; what was derived or assumed is marked and left aside."""
    wrong = []
    for target in targets.values():
        for f in [*points(target), *target.contrasts]:
            if f.status in ("derived", "assumed") or not f.fact:
                continue
            found = set().union(*(_numbers(key) for key in f.fact))
            if not any(_near(_as_printed(f), n) for n in found):
                wrong.append((target.trial, f.fact, _as_printed(f)))
    assert not wrong


def _as_printed(f: Landmark | Median | Response | Contrast) -> float:
    if isinstance(f, Landmark):
        return 100 * f.survival
    if isinstance(f, Response):
        return 100 * f.orr
    return f.months if isinstance(f, Median) else f.hazard_ratio


def _near(value: float, printed: float) -> bool:
    return abs(value - printed) < 0.051 or abs(value - 12 * printed) < 0.051


def test_points_of_one_curve_are_far_apart(targets: dict[str, Target]) -> None:
    times: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for target in targets.values():
        for f in [*target.landmarks, *target.medians]:
            if f.use == "fit":
                times[target.trial, f.arm, f.endpoint].append(f.months)
    close = {key: t for key, t in times.items() if any(b / a < CURVES_APART for a, b in pairwise(sorted(t)))}
    assert not close


def test_what_the_model_leaves_out_is_never_fitted(targets: dict[str, Target]) -> None:
    for target in targets.values():
        for f in points(target):
            if target.arm(f.arm).not_modelled:
                assert f.use == "shown", (target.trial, f)


def test_cell_therapy_is_never_fitted(targets: dict[str, Target]) -> None:
    for target in targets.values():
        given = {a.name for a in target.arms if any(s.cells in CELLS for s in resolve(a.strategy).steps)}
        for f in [*points(target), *target.contrasts]:
            if f.arm in given:
                assert f.use == "shown", (target.trial, f)


def test_response_is_fitted_only_where_it_is_simulated(targets: dict[str, Target]) -> None:
    fitted = {t.setting for t in targets.values() for f in t.responses if f.use == "fit"}
    assert fitted == {"first_line"}


def test_survival_falls_along_each_curve(targets: dict[str, Target]) -> None:
    for target in targets.values():
        curves = defaultdict(list)
        for f in [*target.landmarks, *(m for m in target.medians if m.use == "fit")]:
            curves[f.arm, f.endpoint].append((f.months, getattr(f, "survival", 0.5)))
        for key, curve in curves.items():
            for (_, before), (_, after) in pairwise(sorted(curve)):
                assert after <= before, (target.trial, key, curve)


def test_the_page_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "targets-landmarks.md"
    text = page.read_text(encoding="utf-8")
    assert filled(text, {"trials": trials(), "designs": designs()}) == text


# --- discount


def test_discount_keeps_the_sign_and_shrinks_the_effect() -> None:
    rule = load_rule()
    for effect in published_effects():
        ln, se = discounted(effect)
        assert effect.ln_hr < ln <= 0
        assert se >= effect.se
        assert ln == pytest.approx(rule.design(effect.study.design).factor * effect.ln_hr)


def test_better_designs_are_believed_more() -> None:
    factors = {d.name: d.factor for d in load_rule().designs}
    assert factors["double_blind"] == 1
    order = ["double_blind", "open_large", "open_small", "pooled_small", "not_randomised"]
    assert [factors[n] for n in order] == sorted(factors.values(), reverse=True)


def test_effect_from_survival_of_both_arms() -> None:
    target = load_targets()["Peng-2017-CIK"]
    effect = published_effect(load_rule().studies[0], target)
    assert exp(effect.ln_hr) == pytest.approx(log(0.739) / log(0.565))
    assert effect.se == pytest.approx(0.516, abs=0.01)  # 6 and 10 events: about sqrt(1/6 + 1/10)


def test_effect_from_a_printed_interval_and_from_medians() -> None:
    by_trial = {(e.study.trial, e.study.endpoint): e for e in published_effects()}
    meta = by_trial["FOLFOX-DC-CIK-meta", "OS"]
    assert (meta.how, round(exp(meta.ln_hr), 2)) == ("hazard ratio", 0.47)
    cohort = by_trial["Pan-stage-IV-CIK", "OS"]
    assert (cohort.how, exp(cohort.ln_hr)) == ("ratio of medians", pytest.approx(24.1 / 54.7))


def test_a_study_without_figures_is_refused() -> None:
    study = Study(trial="Peng-2017-CIK", endpoint="PFS", arm="cik", reference="folfox4", design="open_small")
    with pytest.raises(InputError, match="gives no PFS"):
        published_effect(study, load_targets()["Peng-2017-CIK"])


def test_history_kept_less_than_the_rule_does() -> None:
    """The rule is no harder than what became of a small positive trial in this disease."""
    rule = load_rule()
    for past in rule.history:
        assert 0 <= past.share_kept < rule.design("open_large").factor
        assert all(fact in load_facts() for fact in past.facts)


def test_band_in_print() -> None:
    assert band(log(0.5), 0.1) == "0.50 (0.42-0.59)"


def test_prediction_without_kill_by_cells_is_no_effect() -> None:
    study = load_rule().studies[1]
    draws = draw_parameters(2, 3, prior=True)
    draws["cell_kill"] = 0.0
    target = load_targets()[study.trial]
    ln = predicted_ln_hr(study, target, draws, 200, seed=1, jobs=1)
    assert ln.size == 2
    assert abs(ln).max() < 0.05


def test_discount_of_a_double_blind_trial_is_none() -> None:
    study = Study(trial="x", endpoint="OS", arm="a", reference="b", design="double_blind")
    assert discounted(Effect(study, -0.5, 0.2, ""))[0] == -0.5
