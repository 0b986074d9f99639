"""Validation as a whole, with exponential lives in place of the engine."""

from __future__ import annotations

import numpy as np
import pytest
from small_trials import curve, exponential_arm, trial

from metachron.calibrate import predict, validate
from metachron.calibrate.observed import Key, from_times
from metachron.calibrate.validate import Settings
from metachron.calibrate.validation import Validation
from metachron.errors import MetachronError
from metachron.report.validation import curves_csv, render
from metachron.report.validation_text import markdown

RIGHT = [curve("control", 0.10), curve("bev", 0.07)]
SETTINGS = Settings(draws=40, per_draw=100)


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exponential lives, and a registry of two trials."""
    monkeypatch.setattr(predict, "simulate_arm", exponential_arm)
    other = trial("OTHER", curves=[curve("control", 0.13), curve("bev", 0.09)])
    registry = {"MINE": trial(curves=RIGHT), "OTHER": other}
    monkeypatch.setattr(validate, "load_targets", lambda: registry)


def run(target: object, **options: object) -> Validation:
    return validate.validate({"MINE": target}, settings=SETTINGS, **options)  # type: ignore[dict-item,arg-type]


def test_a_right_prediction_scores_what_sampling_allows() -> None:
    found = run(trial(curves=RIGHT))
    s = found.summary
    assert (s.trials, s.curves, s.patients) == (1, 2, 600)
    assert s.mean_absolute_error is not None
    assert s.mean_absolute_error < 0.01
    assert (s.direction_right, s.contrasts, s.contrasts_significant) == (1, 1, 1)
    ratio = found.contrasts[0]
    assert (ratio.arm, ratio.reference) == ("bev", "control")
    assert ratio.predicted == pytest.approx(0.7, abs=0.05)
    assert ratio.observed == pytest.approx(0.7, abs=0.05)
    assert s.nearest_trial_error is not None
    assert s.nearest_trial_error > 0.03
    assert s.pooled_weibull_error is not None
    assert s.pooled_weibull_error > 0.02
    assert all(c.hazard_ratio is None or c.arm == "bev" for c in found.curves)


def test_a_wrong_prediction_shows_in_every_figure() -> None:
    found = run(trial(curves=[curve("control", 0.03), curve("bev", 0.04)]))
    assert found.summary.mean_absolute_error is not None
    assert found.summary.mean_absolute_error > 0.15
    assert found.summary.direction_right == 0
    assert found.summary.coverage_90 is not None
    assert found.summary.coverage_90 < 0.2
    assert all(c.rmst_difference_months < -3 for c in found.curves)
    assert all(m.error < 0 and not m.covered for c in found.curves for m in c.landmarks)


def test_what_is_only_shown_is_scored_apart() -> None:
    wrong = curve("bev", 0.3, use="shown", reason="the figure is faulty")
    found = run(trial(curves=[RIGHT[0], wrong]))
    assert found.summary.curves == 1
    assert found.summary.mean_absolute_error is not None
    assert found.summary.mean_absolute_error < 0.01
    assert found.summary.shown.curves == 1
    assert found.summary.contrasts == 0
    assert found.contrasts[0].reason == "the figure is faulty"


def test_drugs_that_are_not_modelled_are_listed_and_not_judged() -> None:
    arms = [
        {"name": "control", "strategy": "folfiri", "n": 150},
        {"name": "bev", "strategy": "folfiri", "n": 150, "not_modelled": ["novelmab"]},
    ]
    shown = curve("bev", 0.07, use="shown", reason="not modelled: novelmab")
    found = run(trial(arms=arms, curves=[RIGHT[0], shown]))
    assert found.summary.contrasts == 0
    assert "novelmab" in found.contrasts[0].reason


def test_individual_times_take_the_place_of_the_grid() -> None:
    rng = np.random.default_rng(0)
    months = rng.exponential(10.0, 200)
    mine = from_times(Key("MINE", "1", "PFS", "control"), months, np.ones(200, bool))
    found = run(trial(curves=RIGHT), individuals=[mine])
    assert {c.arm: c.observed_from for c in found.curves} == {
        "control": "individual times",
        "bev": "registered grid",
    }
    assert len(run(trial(), individuals=[mine]).curves) == 1


def test_a_figure_of_another_name_is_not_scored_twice() -> None:
    mine = from_times(Key("MINE", "Fig. 1", "PFS", "control"), np.linspace(1, 20, 100), np.ones(100, bool))
    found = run(trial(curves=RIGHT), individuals=[mine])
    assert sorted((c.arm, c.observed_from) for c in found.curves) == [
        ("bev", "registered grid"),
        ("control", "individual times"),
    ]


def test_arms_of_other_patients_are_not_compared() -> None:
    arms = [
        {"name": "control", "strategy": "folfiri", "n": 150, "subgroup": {"ras_mutant": 0.0}},
        {"name": "bev", "strategy": "folfiri + bevacizumab", "n": 150, "subgroup": {"ras_mutant": 1.0}},
    ]
    assert run(trial(arms=arms, curves=RIGHT)).contrasts == []


def test_a_published_ratio_stands_where_there_is_no_curve() -> None:
    paper = {
        "endpoint": "OS",
        "arm": "bev",
        "reference": "control",
        "hazard_ratio": 0.8,
        "low": 0.7,
        "high": 0.92,
    }
    found = run(trial(contrasts=[paper]))
    assert found.contrasts[0].observed_from == "publication"
    assert found.contrasts[0].p == pytest.approx(0.0014, abs=5e-4)
    assert found.summary.direction_right == 1


def test_published_points_are_scored() -> None:
    points = {
        "landmarks": [{"endpoint": "PFS", "arm": "control", "months": 6, "survival": 0.55, "n": 150}],
        "medians": [{"endpoint": "PFS", "arm": "control", "months": 20.0, "n": 150}],
    }
    mark, median = run(trial(**points)).points
    assert mark.predicted == pytest.approx(np.exp(-0.6), abs=0.02)
    assert mark.covered is True
    assert median.predicted == pytest.approx(np.log(2) / 0.1, abs=0.5)
    assert median.covered is False


def test_the_same_seed_gives_the_same_document_whatever_else_is_validated() -> None:
    one = run(trial(curves=RIGHT))
    again = validate.validate(
        {"OTHER": trial("OTHER", curves=RIGHT), "MINE": trial(curves=RIGHT)}, settings=SETTINGS
    )
    mine = [c for c in again.curves if c.trial == "MINE"]
    assert [c.model_dump() for c in mine] == [c.model_dump() for c in one.curves]


def test_an_arm_that_fails_is_named_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(target: object, arm: str, *args: object, **options: object) -> object:
        if arm == "bev":
            raise MetachronError("cannot be simulated")
        return exponential_arm(target, arm, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(predict, "simulate_arm", fails)
    found = run(trial(curves=RIGHT))
    assert found.summary.curves == 1
    assert found.not_scored == ["MINE bev: cannot be simulated"]


def test_nothing_to_score_is_an_error() -> None:
    with pytest.raises(MetachronError, match="nothing could be scored"):
        run(trial())


def test_the_document_has_the_keys_that_others_read() -> None:
    document = run(trial(curves=RIGHT)).model_dump(mode="json")
    assert {
        "mean_absolute_error", "nearest_trial_error", "pooled_weibull_error", "coverage_90",
        "direction_right", "contrasts",
    } <= document["summary"].keys()  # fmt: skip
    assert {
        "trial", "figure", "endpoint", "arm", "integrated_absolute_error", "landmark_errors", "coverage_90",
        "rmst_difference_months", "hazard_ratio",
    } <= document["curves"][0].keys()  # fmt: skip
    assert Validation.model_validate(document).summary.curves == 2


def test_report_tables_and_csv_hold_every_curve() -> None:
    found = run(trial(curves=[*RIGHT, curve("bev", 0.1, figure="2", use="shown", reason="<b>twice</b>")]))
    page, text, table = render(found), markdown(found), curves_csv(found)
    assert "<b>twice" not in page
    assert "&lt;b&gt;twice" in page
    assert page.count("<svg") >= 4
    assert "https://" not in page
    assert "| MINE" in text
    assert table.count("\n") == 1 + 3 * 61


def test_a_direction_needs_a_difference() -> None:
    alike = run(trial(curves=[curve("control", 0.1), curve("bev", 0.1)]))
    assert alike.summary.contrasts == 0
    assert "no difference observed" in alike.contrasts[0].reason


def test_the_share_to_expect_follows_the_size_of_the_trial() -> None:
    s = run(trial(curves=RIGHT)).summary
    assert s.direction_expected_share is not None
    assert s.direction_expected_share > 0.99
