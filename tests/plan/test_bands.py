"""Bands and paired differences on arrays whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from metachron.engine.batch import Lives
from metachron.engine.records import LESION, N_KINDS, OUTCOME, TWIN
from metachron.plan.bands import (
    Paired,
    band,
    by_draw,
    difference,
    estimate,
    weighted_quantile,
)
from metachron.plan.compare import compare
from metachron.plan.results import Basis
from metachron.plan.twins import Twins

DRAWS, PER_DRAW = 40, 50
PRIOR: dict[str, Basis] = dict.fromkeys(
    ("os", "rfs_or_pfs", "hepatic_rfs", "toxicity_grade3plus"), "prior-driven"
)


def sample(
    rng: np.random.Generator, *, shift: float = 0.0, spread: float = 0.0, noise: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Values of twins: a shift, an effect of each draw, and chance."""
    draw = np.repeat(np.arange(DRAWS), PER_DRAW)
    return shift + spread * rng.standard_normal(DRAWS)[draw] + noise * rng.standard_normal(draw.size), draw


def test_means_per_draw() -> None:
    means, counts, noise = by_draw(np.array([1.0, 3.0, 5.0, 5.0, 8.0]), np.array([0, 0, 2, 2, 2]))
    np.testing.assert_allclose(means, [2.0, 6.0])
    np.testing.assert_array_equal(counts, [2.0, 3.0])
    np.testing.assert_allclose(noise, [2.0 / 2, 3.0 / 3])


def test_quantiles_of_equal_weights() -> None:
    values = np.arange(1.0, 101.0)[:, None]
    assert weighted_quantile(values, np.ones(100), 0.5)[0] == pytest.approx(50.5)
    heavy = weighted_quantile(np.array([[0.0], [1.0]]), np.array([1.0, 9.0]), 0.5)
    assert heavy[0] > 0.5


@pytest.mark.parametrize("spread", [0.2, 0.5])
@pytest.mark.parametrize("noise", [0.5, 2.0])
def test_the_band_is_the_spread_of_parameters_without_the_noise(spread: float, noise: float) -> None:
    """Mean width over repetitions is that of the 5 and 95 % points of the draws, however large the noise."""
    rng = np.random.default_rng(1)
    widths = []
    for _ in range(100):
        _, low, high = band(*sample(rng, spread=spread, noise=noise))
        widths.append(float(high - low))
    assert np.mean(widths) == pytest.approx(2 * 1.645 * spread, rel=0.12)


def test_the_band_collapses_without_spread() -> None:
    rng = np.random.default_rng(2)
    widths = [float(np.diff(band(*sample(rng))[1:], axis=0)[0]) for _ in range(50)]
    assert np.median(widths) < 0.5 * 2 * 1.645 / np.sqrt(PER_DRAW), (
        "below half of what chance alone would show"
    )


def test_bands_hold_the_mean_and_their_limits() -> None:
    rng = np.random.default_rng(3)
    values, draw = sample(rng, spread=0.5)
    both = np.column_stack([values, values**3])
    mid, low, high = band(both, draw)
    assert (low <= mid).all()
    assert (mid <= high).all()
    share = estimate(values > 2.0, draw, 0, 1)
    assert share.value is not None
    assert share.lower is not None
    assert share.upper is not None
    assert 0 <= share.lower <= share.value <= share.upper <= 1


def test_one_draw_or_one_twin_per_draw_is_no_error() -> None:
    values = np.array([1.0, 2.0, 4.0])
    for draw in (np.zeros(3, int), np.arange(3)):
        mid, low, high = band(values, draw)
        assert mid == pytest.approx(7 / 3)
        assert low <= mid <= high
        assert all(np.isfinite(numbers(difference(values, draw))))


def test_a_true_shift_is_found() -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        d, low, high, p = numbers(difference(*sample(rng, shift=0.3, spread=0.05)))
        assert d == pytest.approx(0.3, abs=0.12)
        assert low < d < high
        assert p > 0.99
        assert low > 0


def test_signs_are_symmetric() -> None:
    values, draw = sample(np.random.default_rng(5), shift=0.1, spread=0.2)
    d, low, high, p = numbers(difference(values, draw))
    back = numbers(difference(-values, draw))
    np.testing.assert_allclose(back, (-d, -high, -low, 1 - p), atol=1e-9)


def test_no_difference_at_all_is_even_odds() -> None:
    assert difference(np.zeros(100), np.arange(100) % 5) == Paired(0.0, 0.0, 0.0, 0.5, 0.0)


@pytest.mark.parametrize("spread", [0.0, 0.3, 1.0])
def test_the_interval_of_a_null_difference_covers_nought(spread: float) -> None:
    """At least nine times in ten over repetitions."""
    rng = np.random.default_rng(6)
    covered = [
        found.lower <= 0.0 <= found.upper
        for found in (difference(*sample(rng, spread=spread)) for _ in range(300))
    ]
    assert np.mean(covered) >= 0.86  # 90 % less three standard errors


def numbers(found: Paired) -> tuple[float, float, float, float]:
    return found.mean, found.lower, found.upper, found.probability


def twins(draw: NDArray[np.int64]) -> Twins:
    """Nothing but the parameter draws, every twin from a patient of its own."""
    made = np.zeros(draw.size, TWIN)
    made["draw"] = draw
    return Twins(made, np.zeros((draw.size, 1), LESION), np.zeros(DRAWS), np.arange(draw.size), 0, 1.0, [])


def lives(pfs: NDArray[np.float64]) -> Lives:
    outcomes = np.zeros(pfs.size, OUTCOME)
    for field in ("death", "pfs", "hepatic"):
        outcomes[field] = pfs
    empty = np.zeros((pfs.size, 0))
    return Lives(outcomes, np.zeros((pfs.size, N_KINDS), np.int64), empty, empty, empty, 3652.5)


def claims(shift: float, spread: float, times: int = 300) -> tuple[float, float]:
    """(share of repetitions with a claim, share of those claims whose interval holds nought)."""
    rng = np.random.default_rng(7)
    claimed, empty = 0, 0
    for _ in range(times):
        values, draw = sample(rng, shift=30 * shift, spread=30 * spread, noise=30.0)
        base = lives(np.full(values.size, 900.0))
        found = compare("a", "b", lives(900.0 + values), base, twins(draw), PRIOR)[0]
        claimed += found.detectable
        empty += found.detectable and found.lower <= 0.0 <= found.upper
        assert (found.text == "no detectable difference") == (not found.detectable)
    return claimed / times, empty / max(claimed, 1)


def test_a_true_difference_is_claimed() -> None:
    assert claims(0.3, 0.05, times=50)[0] == 1.0


@pytest.mark.parametrize("spread", [0.0, 0.3, 1.0])
def test_no_difference_is_seldom_claimed(spread: float) -> None:
    """One claim in ten at most where the truth is none, whatever the parameters do."""
    assert claims(0.0, spread)[0] <= 0.10 + 3 * np.sqrt(0.1 * 0.9 / 300)


def test_a_claim_needs_odds_of_nine() -> None:
    """Odds of 9 to 1 decide, not the 90 % interval, which may still touch nought beside a claim."""
    rng = np.random.default_rng(7)
    for _ in range(100):
        values, draw = sample(rng, shift=1.0, spread=0.0, noise=30.0)
        base = lives(np.full(values.size, 900.0))
        found = compare("a", "b", lives(900.0 + values), base, twins(draw), PRIOR)[0]
        odds = max(found.probability_better, 1 - found.probability_better)
        assert found.detectable == (odds >= 0.9)
