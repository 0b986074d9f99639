"""The treated body: neutrophils against published frequencies, infused cells against the exposure table."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from metachron.engine.gear import chain_matrices, fading_moments
from metachron.model.compiled import jit
from metachron.model.host import (
    FEEDBACK,
    STATES,
    T1,
    T3,
    C,
    P,
    cells_step,
    chain_step,
    lymphocyte_step,
    mean_between,
    start_chain,
)

LN2 = math.log(2.0)
KTR, KC, GAMMA, BASE = 4.0 / 118.0 * 24.0, 1.68, 0.16, 5.0
K_L, CAPACITY, EXPANSION = LN2 / 20.0, 4.0e10, 0.15
LYMPH_DECAY = LN2 / 2.0

Tables = tuple[NDArray[np.float64], NDArray[np.float64]]


def tables(h: float, decay: float = LN2, ktr: float = KTR) -> Tables:
    """Matrix and moments of a marrow step of h days."""
    return chain_matrices(np.array([ktr]), np.array([KC]), h)[0, 0], fading_moments(np.array([decay]), h)[0]


@jit
def lowest_count(base, slope, cycles, interval, step, decay, carry, moment):
    """Lowest neutrophil count over a course; a cycle waits a week at a time for 1.5e9/L."""
    chain = np.zeros(6)
    start_chain(chain, base, KTR, KC)
    lowest, due, given, day, m = chain[C], 0, 0, 0, 0.0
    fade = math.exp(-decay * step)
    while (given < cycles or day < due) and day < 800:
        if day == due and given < cycles:
            if given == 0 or chain[C] >= 1.5:
                m += slope
                given += 1
                due = day + interval
            else:
                due = day + 7
        for _ in range(round(1.0 / step)):
            low = chain_step(chain, m, fade, base, GAMMA, KTR, KC, step, 1.0 / step, carry, moment)
            lowest = min(lowest, low)
            m *= fade
        day += 1
    return lowest


@jit
def exposure(half_life, toxicity, expansion, chemo_cycles, interval, day, infusions, lymphocytes, step):
    """Area under the infused cells, cells x days; 1e10 cells on `day` of each of the first cycles."""
    decay = math.log(2.0) / 2.0
    per_cycle = -math.log(1.0 - 0.12) * decay  # 12 % of lymphocytes per cycle
    fade = math.exp(-decay * step)
    lymph, cells, kill, drug, area = lymphocytes, 0.0, 0.0, 0.0, 0.0
    chemo, given = 0, 0
    for i in range(round(800.0 / step)):
        t = i * step
        if chemo < chemo_cycles and t >= interval * chemo - 1e-9:
            kill += per_cycle
            drug += 1.0
            chemo += 1
        if given < infusions and t >= interval * given + day - 1e-9:
            cells += 1e10
            given += 1
        before, start = lymph, cells
        lost = kill * (1.0 - fade) / decay
        lymph = lymphocyte_step(lymph, lost / (1.0 + math.sqrt(fade)), lost, K_L * step)
        if cells > 0.0:
            cells = cells_step(
                cells, 0.5 * (before + lymph), drug * (1.0 - fade) / decay, step, expansion, LN2 / half_life,
                toxicity, CAPACITY,
            )  # fmt: skip
            area += step * mean_between(start, cells)
        kill *= fade
        drug *= fade
    return area


def relative(day: float, half_life: float, toxicity: float = 0.9, interval: float = 14.0) -> float:
    """Exposure of six infusions, one per cycle, over that without chemotherapy."""
    with_chemo = exposure(half_life, toxicity, EXPANSION, 6, interval, day, 6, 1.0, 0.25)
    alone = exposure(half_life, toxicity, EXPANSION, 0, interval, day, 6, 1.0, 0.25)
    return float(with_chemo / alone)


def fresh(base: float = BASE) -> NDArray[np.float64]:
    chain = np.zeros(STATES)
    start_chain(chain, base, KTR, KC)
    return chain


def run(chain: NDArray[np.float64], m: float, days: int, h: float) -> NDArray[np.float64]:
    """The chain after each day, shape (days, 6); it is moved in place."""
    carry, moment = tables(h)
    rows, fade = [], math.exp(-LN2 * h)
    for _ in range(days):
        for _ in range(round(1.0 / h)):
            chain_step(chain, m, fade, BASE, GAMMA, KTR, KC, h, 1.0 / h, carry, moment)
            m *= fade
        rows.append(chain.copy())
    return np.array(rows)


def exact(m: float, days: int, start: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same by an adaptive solver of the equations as published, shape (days, 5)."""

    def rates(t: float, y: NDArray[np.float64]) -> list[float]:
        p, t1, t2, t3, c = y
        grow = (1.0 - m * math.exp(-LN2 * t)) * (BASE / c) ** GAMMA - 1.0
        return [KTR * p * grow, KTR * (p - t1), KTR * (t1 - t2), KTR * (t2 - t3), KTR * t3 - KC * c]

    found = solve_ivp(
        rates, (0.0, float(days)), start[:5], t_eval=np.arange(1.0, days + 1), rtol=1e-11, atol=1e-12
    )
    return np.asarray(found.y.T)


def test_without_drugs_nothing_moves() -> None:
    chain = fresh()
    before = chain.copy()
    run(chain, 0.0, 200, 1.0)
    np.testing.assert_allclose(chain, before, rtol=1e-10)
    assert chain[P] == pytest.approx(BASE * KC / KTR)
    assert chain[T3] == pytest.approx(chain[P], rel=1e-12)
    assert chain[T1] == pytest.approx(chain[P], rel=1e-12)
    assert chain[FEEDBACK] == pytest.approx(1.0)
    assert lymphocyte_step(1.0, 0.0, 0.0, K_L * 5.0) == 1.0


def test_a_disturbed_marrow_returns_to_base() -> None:
    chain = fresh()
    run(chain, 1.5, 200, 1.0)
    assert chain[C] == pytest.approx(BASE, rel=0.01)


@pytest.mark.parametrize(("m", "error"), [(0.5, 1e-3), (1.5, 5e-3), (3.0, 5e-2)])
def test_the_chain_follows_its_equations(m: float, error: float) -> None:
    """Whole days against an adaptive solver; the error falls by about 2^4 when the step is halved."""
    right = exact(m, 28, fresh())
    off = [np.abs(run(fresh(), m, 28, h)[:, C] / right[:, C] - 1.0).max() for h in (1.0, 0.5, 0.25)]
    assert off[0] < error
    order = math.log2(off[0] / off[2]) / 2.0
    assert 3.0 < order < 5.0


def test_the_transit_chain_alone_is_exact() -> None:
    """Precursors that do not move feed the chain to its steady state along the matrix exponential."""
    carry, _ = tables(1.0)
    v = np.array([2.0, 1.0, 0.5, 3.0])
    by_day, at_once = v.copy(), tables(7.0)[0]
    for _ in range(7):
        by_day = carry[:4].T @ by_day + carry[4] * 4.0
    np.testing.assert_allclose(by_day, at_once[:4].T @ v + at_once[4] * 4.0, rtol=1e-12)


def test_the_nadir_is_found_between_steps() -> None:
    carry, moment = tables(1.0)
    chain, m, lowest = fresh(), 1.5, BASE
    for _ in range(14):
        low = chain_step(chain, m, 0.5, BASE, GAMMA, KTR, KC, 1.0, 1.0, carry, moment)
        lowest, m = min(lowest, low), 0.5 * m
    fine = run(fresh(), 1.5, 14, 1.0 / 64.0)
    assert lowest < fine[:, C].min(), "the lowest count lies between two days"
    carry, moment = tables(1.0 / 64.0)
    assert lowest == pytest.approx(lowest_count(BASE, 1.5, 1, 14, 1.0 / 64.0, LN2, carry, moment), rel=3e-3)


def test_lymphocytes_follow_their_equation() -> None:
    kill = 0.3
    found = solve_ivp(
        lambda t, y: [K_L * (1 - y[0]) - kill * math.exp(-LYMPH_DECAY * t) * y[0]],
        (0.0, 1.0), [0.8], rtol=1e-11, atol=1e-13,
    ).y[0, -1]  # fmt: skip
    lost_half, lost = (kill * (1.0 - math.exp(-LYMPH_DECAY * h)) / LYMPH_DECAY for h in (0.5, 1.0))
    assert lymphocyte_step(0.8, lost_half, lost, K_L) == pytest.approx(found, rel=1e-6)


@pytest.mark.parametrize("cells", [1e6, 1e9, 2e10])
def test_infused_cells_follow_their_equation(cells: float) -> None:
    """At a fixed lymphocyte level the logistic law is exact, with and without drug."""
    lymph, drug, h = 0.3, 0.4, 1.0
    found = solve_ivp(
        lambda _, y: [(EXPANSION * (1 - lymph - y[0] / CAPACITY) - 0.1 - 0.9 * drug) * y[0]],
        (0.0, h), [cells], rtol=1e-11, atol=1.0,
    ).y[0, -1]  # fmt: skip
    got = cells_step(cells, lymph, drug * h, h, EXPANSION, 0.1, 0.9, CAPACITY)
    assert got == pytest.approx(found, rel=1e-6)


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
    carry, moment = tables(0.25)
    rng = np.random.default_rng(42)
    bases, slopes = BASE * np.exp(0.35 * rng.standard_normal(2000)), np.exp(0.60 * rng.standard_normal(2000))
    lowest = np.array(
        [
            lowest_count(b, slope * f, cycles, interval, 0.25, LN2, carry, moment)
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
    """Whole-day steps change the exposure of cells given mid-interval by less than 1 %."""
    coarse = exposure(7.0, toxicity, EXPANSION, 6, 14.0, 7.0, 6, 1.0, 1.0)
    fine = exposure(7.0, toxicity, EXPANSION, 6, 14.0, 7.0, 6, 1.0, 1.0 / 16.0)
    assert coarse == pytest.approx(fine, rel=0.01)


@pytest.mark.parametrize("toxicity", [3.0, 5.0, 10.0])
def test_strong_lymphotoxicity_on_the_day_of_infusion(toxicity: float) -> None:
    """Quarter days, which the engine takes while drugs kill infused cells."""
    coarse = exposure(7.0, toxicity, EXPANSION, 1, 14.0, 0.0, 1, 1.0, 0.25)
    fine = exposure(7.0, toxicity, EXPANSION, 1, 14.0, 0.0, 1, 1.0, 1.0 / 16.0)
    assert coarse == pytest.approx(fine, rel=0.05)
