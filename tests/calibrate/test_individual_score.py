"""Scores of predictions for single patients, against lifelines and against what is known by hand."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from metachron.calibrate import individual_score as score
from metachron.calibrate.individual_score import Bools, Floats

TIMES = np.linspace(0.0, 60.0, 61)


def patients(seed: int, n: int = 400) -> tuple[Floats, Bools, Floats]:
    """Exponential times with a log hazard z, censored independently: days, event, z."""
    rng = np.random.default_rng(seed)
    z = 0.8 * rng.standard_normal(n)
    time, censor = rng.exponential(30.0 * np.exp(-z)), rng.exponential(60.0, n)
    return np.minimum(time, censor), time <= censor, z


def curves(z: Floats, steep: float = 1.0) -> Floats:
    """Right survival of these patients when `steep` is 1; too extreme above."""
    return np.exp(-TIMES / 30.0 * np.exp(steep * z)[:, None])


def test_concordance_agrees_with_lifelines() -> None:
    days, event, z = patients(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifelines.utils import concordance_index
    assert score.concordance(days, event, -z) == pytest.approx(concordance_index(days, -z, event), abs=1e-12)


@pytest.mark.parametrize("steep", [0.5, 1.0, 2.0])
def test_slope_agrees_with_cox_of_lifelines(steep: float) -> None:
    days, event, z = patients(2)
    last = curves(z, steep)[:, 30]
    slope, error = score.calibration_slope(days, event, last)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas as pd
        from lifelines import CoxPHFitter

        kept = np.clip(last, score.LEAST, score.MOST)
        table = pd.DataFrame({"days": days, "event": event, "x": np.log(-np.log(kept))})
        fit = CoxPHFitter().fit(table, "days", "event")
    assert slope == pytest.approx(float(fit.params_["x"]), abs=1e-4)
    assert error == pytest.approx(float(fit.standard_errors_["x"]), rel=1e-3)


def test_right_predictions_have_slope_one_and_extreme_ones_less() -> None:
    days, event, z = patients(3, 4000)
    right, error = score.calibration_slope(days, event, curves(z)[:, 5])
    assert right == pytest.approx(1.0, abs=3 * error)
    extreme, _ = score.calibration_slope(days, event, curves(z, 2.0)[:, 5])
    assert extreme == pytest.approx(right / 2, rel=0.05)


def test_alike_predictions_have_no_slope() -> None:
    days, event, _ = patients(4)
    assert np.isnan(score.calibration_slope(days, event, np.full(days.size, 0.4))[0])
    assert np.isnan(
        score.calibration_slope(days, np.zeros(days.size, bool), np.linspace(0.1, 0.9, days.size))[0]
    )


def test_brier_without_censoring_is_the_mean_square() -> None:
    days, event = np.array([5.0, 15.0, 25.0]), np.array([True, True, True])
    survival = np.array([[0.9, 0.2], [0.8, 0.5], [0.7, 0.6]])
    found = score.brier(days, event, survival, np.array([10.0, 20.0]))
    assert found[0] == pytest.approx((0.9**2 + 0.2**2 + 0.3**2) / 3)
    assert found[1] == pytest.approx((0.2**2 + 0.5**2 + 0.4**2) / 3)


def test_weights_undo_censoring() -> None:
    """With many patients the weighted score of censored times is near that of the complete ones."""
    rng = np.random.default_rng(5)
    z = 0.8 * rng.standard_normal(20_000)
    time, censor = rng.exponential(30.0 * np.exp(-z)), rng.exponential(80.0, z.size)
    survival = curves(z)
    complete = score.integrated_brier(time, np.ones(z.size, bool), survival, TIMES)
    seen = score.integrated_brier(np.minimum(time, censor), time <= censor, survival, TIMES)
    unweighted = float(
        np.trapezoid(((np.minimum(time, censor)[:, None] > TIMES) - survival) ** 2, TIMES).mean() / 60
    )
    assert seen == pytest.approx(complete, abs=0.003)
    assert abs(unweighted - complete) > 3 * abs(seen - complete)


def test_right_predictions_score_best() -> None:
    days, event, z = patients(6, 4000)
    right = score.integrated_brier(days, event, curves(z), TIMES)
    for other in (curves(z, 0.0), curves(z, 2.0), curves(-z)):
        assert score.integrated_brier(days, event, other, TIMES) > right


def test_paired_difference_counts_shared_training() -> None:
    a, b = np.array([0.7, 0.6, 0.8, 0.7, 0.65]), np.array([0.6, 0.6, 0.7, 0.6, 0.6])
    mean, error = score.paired_difference(a, b, 0.2)
    assert mean == pytest.approx(0.07)
    assert error == pytest.approx(np.sqrt(np.var(a - b, ddof=1) * (1 / 5 + 0.2 / 0.8)))
