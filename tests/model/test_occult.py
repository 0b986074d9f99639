"""Unseen lesions: sizes by their density, numbers by the published ratios."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad

from metachron.model.occult import (
    SHARE_POOR_GRADE,
    growth_by_findings,
    load_after_primary,
    load_by_findings,
    load_with_metastases,
    size_deficit,
)
from metachron.parameters.draws import median_parameters

LIMIT = math.log(5.0e8)


def after_primary(nodes: float, t4: float = 0.0, t12: float = 0.0) -> float:
    positive = np.array([float(nodes > 0)])
    return float(load_after_primary(median_parameters(prior=True), np.array([nodes]), positive, t4, t12)[0])


def with_metastases(
    count: float = 1.0, synchronous: float = 0.0, ras: float = 0.0, points: float | None = None
) -> float:
    def one(value: float) -> NDArray[np.float64]:
        return np.array([value])

    found = load_with_metastases(
        median_parameters(prior=True), one(count), one(synchronous), one(ras), one(0.0), one(0.0), points
    )
    return float(found[0])


@pytest.mark.parametrize("slope", [-0.3, -0.1, 0.0, 1e-9, 0.1])
@pytest.mark.parametrize("u", [0.1, 0.5, 0.9])
def test_sizes_follow_their_density(slope: float, u: float) -> None:
    """The share of deficits below the quantile at u is u, density proportional to exp(slope x)."""
    x = float(size_deficit(np.array([u]), np.array([slope]), LIMIT)[0])
    share = (
        quad(lambda z: math.exp(slope * z), 0.0, x)[0] / quad(lambda z: math.exp(slope * z), 0.0, LIMIT)[0]
    )
    assert share == pytest.approx(u, abs=1e-6)


def test_sizes_end_at_the_limit_and_at_one_cell() -> None:
    ends = size_deficit(np.array([0.0, 1.0]), np.array([-0.1, -0.1]), LIMIT)
    assert ends == pytest.approx([0.0, LIMIT])


def test_mean_number_by_nodes() -> None:
    """Moertel 1995: exp(-0.14) lesions at 2.7 nodes, slope 0.52 on ln nodes."""
    assert after_primary(math.e) == pytest.approx(-0.14)
    assert after_primary(8.0) - after_primary(4.0) == pytest.approx(0.52 * math.log(2.0))


def test_no_node_is_one_node_over_2_8() -> None:
    assert after_primary(1.0) - after_primary(0.0) == pytest.approx(math.log(2.8), abs=0.01)


def test_stage_ii_recurs_as_often_as_reported() -> None:
    """1 - exp(-m) is the share with any lesion: near 14 % in stage II colon cancer at three years."""
    assert 1.0 - math.exp(-math.exp(after_primary(0.0))) == pytest.approx(0.16, abs=0.04)
    assert after_primary(0.0, t12=1.0) < after_primary(0.0) < after_primary(0.0, t4=1.0)


def test_ratios_once_metastases_are_seen() -> None:
    base = with_metastases()
    assert with_metastases(synchronous=1.0) - base == pytest.approx(math.log(1.5), abs=0.01)
    assert with_metastases(ras=1.0) - base == pytest.approx(math.log(1.65), abs=0.01)
    assert with_metastases(count=3.0) - base == pytest.approx(2.0 * math.log(1.24), abs=0.01)
    assert with_metastases(points=4.0) - with_metastases(points=1.0) == pytest.approx(0.75)


def findings(**known: bool) -> float:
    names = ("obstruction", "perforation", "adherent", "poor_grade")
    return float(load_by_findings(median_parameters(prior=True), *(known.get(name) for name in names))[0])


def test_what_is_not_known_of_the_primary_changes_nothing() -> None:
    assert findings() == 0.0
    assert float(growth_by_findings(median_parameters(prior=True), None, None, None)[0]) == 0.0


@pytest.mark.parametrize(
    ("name", "ratio"),
    [("obstruction", 0.13), ("perforation", 0.03), ("adherent", 0.30), ("poor_grade", 0.08)],
)
def test_findings_of_the_primary_by_their_ratio(name: str, ratio: float) -> None:
    """Present against absent is the parameter; over the patients of the trial the mean is that of unknown."""
    assert findings(**{name: True}) - findings(**{name: False}) == pytest.approx(ratio)
    assert findings(**{name: True}) > findings() > findings(**{name: False})


def test_poor_grade_and_nodes_speed_growth() -> None:
    draws = median_parameters(prior=True)

    def growth(nodes: float | None = None, poor: bool | None = None) -> float:
        return float(growth_by_findings(draws, nodes, None, poor)[0])

    assert growth(poor=True) - growth(poor=False) == pytest.approx(0.52)
    assert SHARE_POOR_GRADE * growth(poor=True) + (1 - SHARE_POOR_GRADE) * growth(
        poor=False
    ) == pytest.approx(0)
    assert growth(nodes=math.e) == pytest.approx(0.0)
    assert growth(nodes=8.0) - growth(nodes=4.0) == pytest.approx(0.22 * math.log(2.0))
    assert growth(nodes=0.0) == growth(nodes=1.0)
