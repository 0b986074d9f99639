"""The treated body: neutrophils against published frequencies, infused cells against the exposure table."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from metachron.model.compiled import jit
from metachron.model.host import STEP_DAYS, T3, C, E, L, P, host_rates, host_step, start_host

LN2 = math.log(2.0)
KTR, KC, GAMMA, BASE = 4.0 / 118.0 * 24.0, 1.68, 0.16, 5.0
K_L, CAPACITY, EXPANSION = LN2 / 20.0, 4.0e10, 0.15
LYMPH_DECAY = LN2 / 2.0


@jit
def lowest_count(base, slope, cycles, interval, step, decay):
    """Lowest neutrophil count over a course; a cycle waits a week at a time for 1.5e9/L."""
    s, work, amounts = np.zeros(7), np.zeros((5, 7)), np.zeros(3)
    start_host(s, base, 4.0 / 118.0 * 24.0, 1.68)
    lowest, due, given, day = s[C], 0, 0, 0
    while (given < cycles or day < due) and day < 800:
        if day == due and given < cycles:
            if given == 0 or s[C] >= 1.5:
                amounts[0] += slope
                given += 1
                due = day + interval
            else:
                due = day + 7
        for _ in range(round(1.0 / step)):
            host_step(s, work, step, amounts, decay, 0.35, base, 4.0 / 118.0 * 24.0, 1.68, 0.16, 0.035, 0.0,
                      0.1, 0.0, 4e10)  # fmt: skip
            lowest = min(lowest, s[C])
        day += 1
    return lowest


@jit
def exposure(half_life, toxicity, expansion, chemo_cycles, interval, day, infusions, lymphocytes, step):
    """Area under the infused cells, cells x days; 1e10 cells on `day` of each of the first cycles."""
    s, work, amounts = np.zeros(7), np.zeros((5, 7)), np.zeros(3)
    start_host(s, 5.0, 4.0 / 118.0 * 24.0, 1.68)
    s[L] = lymphocytes
    decay = math.log(2.0) / 2.0
    per_cycle = -math.log(1.0 - 0.12) * decay  # 12 % of lymphocytes per cycle
    area, chemo, given = 0.0, 0, 0
    for i in range(round(800.0 / step)):
        t = i * step
        if chemo < chemo_cycles and t >= interval * chemo - 1e-9:
            amounts[1] += per_cycle
            amounts[2] += 1.0
            chemo += 1
        if given < infusions and t >= interval * given + day - 1e-9:
            s[E] += 1e10
            given += 1
        area += step * host_step(s, work, step, amounts, 0.7, decay, 5.0, 4.0 / 118.0 * 24.0, 1.68, 0.16,
                                 LN2 / 20.0, expansion, LN2 / half_life, toxicity, 4e10)  # fmt: skip
    return area


def relative(day: float, half_life: float, toxicity: float = 0.9, interval: float = 14.0) -> float:
    """Exposure of six infusions, one per cycle, over that without chemotherapy."""
    with_chemo = exposure(half_life, toxicity, EXPANSION, 6, interval, day, 6, 1.0, 0.25)
    alone = exposure(half_life, toxicity, EXPANSION, 0, interval, day, 6, 1.0, 0.25)
    return float(with_chemo / alone)


def fresh() -> NDArray[np.float64]:
    s = np.zeros(7)
    start_host(s, BASE, KTR, KC)
    return s


def test_without_drugs_nothing_moves() -> None:
    s, work = fresh(), np.zeros((5, 7))
    before = s.copy()
    for _ in range(400):
        host_step(s, work, STEP_DAYS, np.zeros(3), LN2, LYMPH_DECAY, BASE, KTR, KC, GAMMA, K_L, EXPANSION,
                  0.1, 0.9, CAPACITY)  # fmt: skip
    np.testing.assert_allclose(s, before, rtol=1e-10)
    assert s[P] == pytest.approx(BASE * KC / KTR)
    assert s[T3] == s[P]


def test_a_disturbed_marrow_returns_to_base() -> None:
    s, work, amounts = fresh(), np.zeros((5, 7)), np.array([1.5, 0.05, 1.0])
    for _ in range(400):
        host_step(s, work, STEP_DAYS, amounts, LN2, LYMPH_DECAY, BASE, KTR, KC, GAMMA, K_L, EXPANSION, 0.1,
                  0.9, CAPACITY)  # fmt: skip
    assert s[C] == pytest.approx(BASE, rel=0.01)
    assert s[L] == pytest.approx(1.0, rel=0.01)


def test_the_solver_follows_the_equations() -> None:
    """RK4 in half days against an adaptive solver, one full-dose cycle and an infusion."""

    def rates(t: float, y: NDArray[np.float64]) -> NDArray[np.float64]:
        out = np.zeros(7)
        m, f = 1.5 * math.exp(-LN2 * t), math.exp(-LYMPH_DECAY * t)
        host_rates(y, out, m, 0.044 * f, f, BASE, KTR, KC, GAMMA, K_L, EXPANSION, 0.1, 0.9, CAPACITY)
        return out

    s, work, amounts = fresh(), np.zeros((5, 7)), np.array([1.5, 0.044, 1.0])
    s[E] = 1e10
    exact = solve_ivp(rates, (0.0, 14.0), s.copy(), t_eval=np.arange(1.0, 15.0), rtol=1e-9, atol=1e-9)
    for day in range(14):
        for _ in range(2):
            host_step(s, work, STEP_DAYS, amounts, LN2, LYMPH_DECAY, BASE, KTR, KC, GAMMA, K_L, EXPANSION,
                      0.1, 0.9, CAPACITY)  # fmt: skip
        np.testing.assert_allclose(s, exact.y[:, day], rtol=5e-3)


def test_half_the_step_changes_the_nadir_little() -> None:
    """1.19e9/L of the median patient moves by less than 0.5 %; the error falls with the step."""
    coarse, fine, finest = (lowest_count(BASE, 1.5, 3, 14, h, LN2) for h in (0.5, 0.25, 0.0625))
    assert coarse == pytest.approx(finest, rel=5e-3)
    assert abs(fine - finest) < abs(coarse - finest)


@pytest.mark.parametrize(
    ("slope", "interval", "cycles", "grade3", "grade4"),
    [
        (0.5, 14, 12, 0.02, 0.00),
        (1.0, 14, 12, 0.21, 0.07),
        (1.5, 14, 12, 0.43, 0.20),
        (2.0, 14, 12, 0.60, 0.34),
        (1.5, 21, 8, 0.42, None),
    ],
)
def test_neutropenia_by_slope(
    slope: float, interval: int, cycles: int, grade3: float, grade4: float | None
) -> None:
    """Shares published for the slopes (docs/model.md), over 2,000 patients.

    0.04 allows three standard errors of 2,000 patients and the rounding of the table.
    """
    rng = np.random.default_rng(42)
    bases, slopes = BASE * np.exp(0.35 * rng.standard_normal(2000)), np.exp(0.60 * rng.standard_normal(2000))
    lowest = np.array(
        [
            lowest_count(b, slope * f, cycles, interval, STEP_DAYS, LN2)
            for b, f in zip(bases, slopes, strict=True)
        ]
    )
    assert np.mean(lowest < 1.0) == pytest.approx(grade3, abs=0.04)
    if grade4 is not None:
        assert np.mean(lowest < 0.5) == pytest.approx(grade4, abs=0.04)


DAYS = (0, 3, 5, 7, 9, 11, 13)


@pytest.mark.parametrize(
    ("half_life", "expected"),
    [
        (2.0, (0.35, 0.66, 0.80, 0.87, 0.87, 0.80, 0.62)),
        (7.0, (0.18, 0.44, 0.55, 0.58, 0.55, 0.48, 0.38)),
        (21.0, (0.09, 0.25, 0.31, 0.33, 0.32, 0.30, 0.26)),
    ],
)
def test_exposure_by_day_of_infusion(half_life: float, expected: tuple[float, ...]) -> None:
    """Every two weeks (docs/model.md; q14, one infusion of 1e10 cells per cycle, six cycles)."""
    assert [relative(day, half_life) for day in DAYS] == pytest.approx(list(expected), abs=0.02)


@pytest.mark.parametrize(
    ("day", "expected"),
    [(0, 0.18), (3, 0.48), (5, 0.64), (7, 0.71), (10, 0.73), (14, 0.65), (18, 0.50)],
)
def test_exposure_every_three_weeks(day: float, expected: float) -> None:
    assert relative(day, 7.0, interval=21.0) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    ("toxicity", "day0", "day7"), [(0.1, 0.81, 0.92), (0.3, 0.51, 0.77), (0.9, 0.18, 0.58), (3.0, 0.03, 0.39)]
)
def test_exposure_by_lymphotoxicity(toxicity: float, day0: float, day7: float) -> None:
    assert relative(0.0, 7.0, toxicity) == pytest.approx(day0, abs=0.02)
    assert relative(7.0, 7.0, toxicity) == pytest.approx(day7, abs=0.02)


@pytest.mark.parametrize(("expansion", "gains"), [(0.15, (1.4, 2.3, 2.3)), (0.6, (5.0, 6.0, 3.0))])
def test_lymphodepletion_makes_room(expansion: float, gains: tuple[float, ...]) -> None:
    """Lymphocytes at 15 % before one infusion of 1e10 cells; the published gains are rounded."""
    found = [
        exposure(h, 0.9, expansion, 0, 14.0, 0.0, 1, 0.15, 0.25)
        / exposure(h, 0.9, expansion, 0, 14.0, 0.0, 1, 1.0, 0.25)
        for h in (2.0, 7.0, 21.0)
    ]
    assert found == pytest.approx(list(gains), rel=0.05)


@pytest.mark.parametrize("toxicity", [0.1, 0.9, 3.0])
def test_infusions_at_the_step_of_the_engine(toxicity: float) -> None:
    """Half-day steps change the exposure of cells given mid-interval by less than 3 %."""
    coarse = exposure(7.0, toxicity, EXPANSION, 6, 14.0, 7.0, 6, 1.0, STEP_DAYS)
    fine = exposure(7.0, toxicity, EXPANSION, 6, 14.0, 7.0, 6, 1.0, STEP_DAYS / 8)
    assert coarse == pytest.approx(fine, rel=0.03)


@pytest.mark.parametrize("toxicity", [3.0, 5.0, 10.0])
def test_strong_lymphotoxicity_on_the_day_of_infusion(toxicity: float) -> None:
    coarse = exposure(7.0, toxicity, EXPANSION, 1, 14.0, 0.0, 1, 1.0, STEP_DAYS)
    fine = exposure(7.0, toxicity, EXPANSION, 1, 14.0, 0.0, 1, 1.0, STEP_DAYS / 16)
    assert coarse == pytest.approx(fine, rel=0.05)
