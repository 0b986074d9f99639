"""Ablation against the published margins."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metachron.model.local_therapy import residual_probability
from metachron.parameters import load_parameters


def residual(diameter: float, margin: float, near_vessel: bool = False, device: float = 1.0) -> float:
    p = load_parameters()
    return float(
        residual_probability(
            diameter,
            margin,
            p["ablation_hazard"].value,
            p["ablation_margin_slope"].value,
            p["ablation_size_factor"].value,
            p["ablation_sink_factor"].value,
            near_vessel,
            device,
        )
    )


@pytest.mark.parametrize(("margin", "expected"), [(0.0, 0.74), (3.0, 0.59), (8.0, 0.36), (13.0, 0.20)])
def test_radiofrequency_of_20_mm(margin: float, expected: float) -> None:
    """The fit of Wang 2013 (two-year progression 74, 54, 26 and 20 % by class of margin)."""
    assert residual(20.0, margin) == pytest.approx(expected, abs=0.006)


def test_five_millimetres_of_margin_or_of_size() -> None:
    """Wang 2013: 46 % lower risk per 5 mm of margin, 22 % higher per 5 mm of size (hazards)."""
    p = load_parameters()
    assert 1.0 - math.exp(-5.0 * p["ablation_margin_slope"].value) == pytest.approx(0.46, abs=0.05)
    assert p["ablation_size_factor"].value == pytest.approx(1.22)


@given(d=st.floats(2.0, 60.0), e=st.floats(2.0, 60.0), m=st.floats(0.0, 20.0), n=st.floats(0.0, 20.0))
@settings(max_examples=200, deadline=None)
def test_larger_is_worse_and_wider_is_better(d: float, e: float, m: float, n: float) -> None:
    assert residual(max(d, e), m) >= residual(min(d, e), m)
    assert residual(d, max(m, n)) <= residual(d, min(m, n))
    assert 0.0 <= residual(d, m) <= 1.0


def test_vessel_device_and_a_negative_margin() -> None:
    assert residual(20.0, 5.0, near_vessel=True) > residual(20.0, 5.0)
    assert residual(20.0, 5.0, device=0.35) < residual(20.0, 5.0)
    assert residual(20.0, -4.0) == residual(20.0, 0.0)
