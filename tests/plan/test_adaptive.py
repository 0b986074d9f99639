"""How many twins a plan takes: the Monte Carlo error is right, and is brought below its target."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from metachron.engine.batch import Lives, simulate
from metachron.engine.compile import compile_strategy, start_line
from metachron.errors import InputError
from metachron.parameters import draw_parameters
from metachron.patient.examples import read_example
from metachron.plan import adaptive
from metachron.plan.arms import joined
from metachron.plan.bands import Paired, band, band_of, by_draw, by_draw_above, difference
from metachron.plan.findings import read_findings
from metachron.plan.make import make_plan
from metachron.plan.precision import DEFAULT_FRACTION, excess, target
from metachron.plan.results import Plan
from metachron.plan.twins import Twins, join, make_twins
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.language import resolve

DRAWS, MONTH, CUT = 8, 30.4375, 1826.25
STAGE3, SOLITARY = "stage3_adjuvant", "metachronous_solitary"


def twins_of(example: str, n: int, seed: int = 1, before: Twins | None = None, draws: int = DRAWS) -> Twins:
    patient = read_example(example)
    sets = draw_parameters(draws, 1)  # the same parameters whatever the seed of the twins
    found = read_findings(patient, load_catalogue())
    return make_twins(patient, found, sets, n, seed, start_line(patient), before=before)


def lives_of(example: str, twins: Twins, strategy: str, seed: int = 1, jobs: int | None = None) -> Lives:
    patient, catalogue = read_example(example), load_catalogue()
    visible = not read_findings(patient, catalogue).nothing_visible
    programme = compile_strategy(patient, resolve(strategy, catalogue), catalogue, metastatic=visible)
    return simulate(
        twins.lesions, twins.twins, twins.draws, programme, seed=seed, horizon_days=CUT, jobs=jobs
    )


def months(lives: Lives) -> NDArray[np.float64]:
    """Months without recurrence within five years."""
    return np.minimum(lives.outcomes["pfs"], CUT) / MONTH


# --- the Monte Carlo error ------------------------------------------------------------------------------


@pytest.mark.parametrize("shared", [1, 4])
def test_the_error_is_the_spread_over_repetitions(shared: int) -> None:
    """Known law: effects of draws stay, each patient gives `shared` twins, everything else is drawn anew."""
    rng = np.random.default_rng(1)
    draw = np.repeat(np.arange(20), 40)
    source = np.arange(draw.size) // shared
    effect = rng.standard_normal(20)[draw]
    means, errors = [], []
    for _ in range(400):
        patient = rng.standard_normal(draw.size // shared)[source]
        found = difference(effect + patient + rng.standard_normal(draw.size), draw, source)
        means.append(found.mean)
        errors.append(found.mc_error)
    # the spread of 400 repetitions is known to 3.5 %
    assert np.mean(errors) == pytest.approx(np.std(means, ddof=1), rel=0.12)
    assert np.mean(errors) == pytest.approx(math.sqrt((shared + 1) / draw.size), rel=0.05)


@pytest.mark.parametrize(("example", "a", "b"), [
    (STAGE3, "adjuvant_lv5fu2", "observation"), (SOLITARY, "microwave", "hepatectomy"),
])  # fmt: skip
def test_the_error_of_a_contrast_is_the_spread_over_new_twins_and_coins(example: str, a: str, b: str) -> None:
    """Brute force: whole samples of twins made again with other seeds, on the same parameter draws."""
    means, errors = [], []
    for seed in range(1, 25):
        twins = twins_of(example, 200, seed)
        arms = [months(lives_of(example, twins, name, seed)) for name in (a, b)]
        found = difference(arms[0] - arms[1], twins.twins["draw"], twins.source)
        means.append(found.mean)
        errors.append(found.mc_error)
    # 23 degrees of freedom: the ratio of variances lies within 0.42 and 1.92 in 99.8 % of samples
    ratio = float(np.var(means, ddof=1) / np.mean(np.square(errors)))
    assert 0.42 < ratio < 1.92


def test_twins_that_share_a_patient_count_for_less() -> None:
    rng = np.random.default_rng(2)
    draw, source = np.repeat(np.arange(10), 40), np.arange(400) // 4
    values = rng.standard_normal(100)[source]
    apart, together = difference(values, draw), difference(values, draw, source)
    assert together.mc_error == pytest.approx(2.0 * apart.mc_error, rel=1e-9)
    assert together.mean == apart.mean


def test_a_lone_twin_of_a_draw_has_the_error_of_the_others() -> None:
    draw = np.array([0, 0, 0, 1])
    _, _, noise = by_draw(np.array([1.0, 2.0, 3.0, 9.0]), draw)
    np.testing.assert_allclose(noise, [1.0 / 3.0, 1.0])
    alone = np.array([1.0, 2.0, 3.0, 6.0])
    assert by_draw(alone, np.arange(4))[2] == pytest.approx(np.full(4, np.var(alone, ddof=1)))


def test_counting_gives_the_bands_of_the_indicators() -> None:
    rng = np.random.default_rng(3)
    values, draw = rng.exponential(20.0, 300), rng.integers(0, 12, 300)
    values[:5] = [0.0, 7.0, 60.0, np.inf, 1e9]  # on the grid, beyond it, never
    grid = np.arange(61.0)
    slow = by_draw((values[:, None] > grid).astype(float), draw)
    fast = by_draw_above(values, grid, draw)
    for a, b in zip(slow, fast, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)
    np.testing.assert_allclose(band((values[:, None] > grid).astype(float), draw), band_of(*fast), atol=1e-12)


# --- common random numbers ------------------------------------------------------------------------------


@pytest.mark.parametrize(("example", "a", "b"), [
    (STAGE3, "adjuvant_lv5fu2", "observation"), (STAGE3, "adjuvant_mfolfox6", "adjuvant_lv5fu2"),
    (SOLITARY, "microwave", "hepatectomy"),
])  # fmt: skip
def test_shared_coins_vary_less_than_independent_ones(example: str, a: str, b: str) -> None:
    twins = twins_of(example, 1600)
    first = months(lives_of(example, twins, a))
    shared, other = (months(lives_of(example, twins, b, seed)) for seed in (1, 2))
    draw = twins.twins["draw"]
    common, independent = (difference(first - second, draw, twins.source) for second in (shared, other))
    assert common.mc_error < 0.9 * independent.mc_error


# --- batches of twins -----------------------------------------------------------------------------------


@cache
def two_batches(example: str) -> tuple[Twins, Twins, Twins]:
    first = twins_of(example, 200)
    more = twins_of(example, 200, before=first)
    return first, more, join(first, more)


@pytest.mark.parametrize("example", [STAGE3, SOLITARY, "synchronous_bilobar"])
def test_more_twins_leave_the_earlier_ones_as_they_are(example: str) -> None:
    first, more, both = two_batches(example)
    assert both.size == 400
    assert both.batches == 2
    np.testing.assert_array_equal(both.twins[:200], first.twins)
    np.testing.assert_array_equal(both.lesions[:200, : first.lesions.shape[1]], first.lesions)
    np.testing.assert_array_equal(both.twins["key"], np.arange(400))
    assert not set(first.source) & set(more.source)
    assert not np.array_equal(first.twins["growth"], more.twins["growth"])


@pytest.mark.parametrize("example", [STAGE3, SOLITARY, "synchronous_bilobar"])
def test_every_batch_is_balanced_over_the_draws(example: str) -> None:
    """Equal shares where the findings weigh nothing; else those of the weights, alike in both batches."""
    first, more, both = two_batches(example)
    shares = [np.bincount(t.twins["draw"], minlength=DRAWS) / t.size for t in (first, more)]
    if both.ess == both.candidates:
        np.testing.assert_allclose(shares, 1.0 / DRAWS, atol=1.0 / 200)
    assert np.abs(shares[0] - shares[1]).max() < 0.05
    # a draw that the findings rule out is out of both batches
    assert ((shares[0] > 0.02) <= (shares[1] > 0)).all()
    assert ((shares[1] > 0.02) <= (shares[0] > 0)).all()
    assert (np.array(shares) > 0).sum(1).min() > DRAWS / 2


@pytest.mark.parametrize("example", [STAGE3, SOLITARY])
def test_effective_sizes_add_up(example: str) -> None:
    first, more, both = two_batches(example)
    assert both.candidates == first.candidates + more.candidates
    assert 2 * min(first.ess, more.ess) <= both.ess <= first.ess + more.ess + 1e-9


def test_a_life_does_not_depend_on_the_batch_it_is_in() -> None:
    first, more, both = two_batches(SOLITARY)
    apart = joined(lives_of(SOLITARY, first, "microwave"), lives_of(SOLITARY, more, "microwave"))
    together = lives_of(SOLITARY, both, "microwave")
    for field in ("outcomes", "grades", "starts", "ends"):
        np.testing.assert_array_equal(getattr(apart, field), getattr(together, field))


# --- the plan -------------------------------------------------------------------------------------------


def planned(
    monkeypatch: pytest.MonkeyPatch, most: int = 400, **options: Any
) -> tuple[Plan, list[tuple[str, float]]]:
    """A plan in batches of 100 up to `most` twins, and the progress it showed."""
    monkeypatch.setattr(adaptive, "BATCH", 100)
    monkeypatch.setattr(adaptive, "MOST_TWINS", most)
    said: list[tuple[str, float]] = []
    plan = make_plan(
        read_example(STAGE3),
        strategies=["adjuvant_lv5fu2", "adjuvant_mfolfox6"],
        draws=DRAWS,
        horizon_years=5.0,
        progress=lambda stage, share: said.append((stage, share)),
        **options,
    )
    return plan, said


def test_the_limit_is_kept_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    plan, _ = planned(monkeypatch, mc_error=1e-6)
    mc = plan.monte_carlo
    assert mc is not None
    assert (mc.twins, mc.most_twins, plan.twins.requested) == (400, 400, 400)
    assert mc.adaptive
    assert mc.stopped_by_limit
    assert mc.above_target == sum(excess(d) > 1 for d in plan.comparison) > 0
    assert mc.text.endswith("at the limit of the plan.")
    assert all(d.mc_error > 0 for d in plan.comparison if d.difference != 0)


def test_the_plan_stops_as_soon_as_every_error_is_small_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metachron.plan.precision.LEAST_SCALE", {"months": 1.5, "fraction": 0.05})
    plan, said = planned(monkeypatch, mc_error=1.0)
    mc = plan.monte_carlo
    assert mc is not None
    assert mc.twins in (100, 200, 300)
    assert not mc.stopped_by_limit
    assert mc.above_target == 0
    assert all(d.mc_error <= d.mc_target for d in plan.comparison)
    assert mc.largest_error_months == max(d.mc_error for d in plan.comparison if d.unit == "months")
    assert f"{mc.twins:,} virtual twins" in mc.text
    assert plan.settings == {"mc_error": 1.0, "draws": DRAWS, "horizon_years": 5.0}
    assert said[-1] == ("summarising", 1.0)


def test_progress_names_twins_error_and_target_and_never_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    _, said = planned(monkeypatch, mc_error=1e-6)
    shares = [share for _, share in said]
    assert shares == sorted(shares)
    assert 0.0 <= shares[0] <= shares[-1] <= 1.0
    assert any(stage.startswith("simulating 100 twins: ") for stage, _ in said)
    rounds = [stage for stage, _ in said if stage.startswith("100 twins leave a Monte Carlo error of ")]
    assert len(rounds) > 1, "said anew for every strategy of the round"
    assert len(set(rounds)) == 1, "and always the same, so that it is one line where no bar is shown"
    assert ", target " in rounds[0]
    assert rounds[0].endswith(": adding 300")


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_same_plan_whatever_the_threads_and_the_rounds(
    monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    """In one leap to the limit, or batch by batch: the same twins, hence the same numbers."""
    leap, _ = planned(monkeypatch, mc_error=1e-6)
    monkeypatch.setattr(adaptive, "next_size", lambda n, _ratio, batch: n + batch)
    steps, _ = planned(monkeypatch, mc_error=1e-6, jobs=jobs)
    assert steps.model_dump_json() == leap.model_dump_json()


def test_a_fixed_number_is_the_first_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    fixed, _ = planned(monkeypatch, twins=100)
    mc = fixed.monte_carlo
    assert mc is not None
    assert (mc.twins, mc.adaptive, mc.most_twins, mc.stopped_by_limit) == (100, False, None, False)
    assert fixed.settings == {"twins": 100, "draws": DRAWS, "horizon_years": 5.0}
    chosen, _ = planned(monkeypatch, most=100, mc_error=1e-6)
    assert chosen.monte_carlo is not None
    assert chosen.monte_carlo.twins == 100
    assert [d.difference for d in fixed.comparison] == [d.difference for d in chosen.comparison]
    assert fixed.strategies == chosen.strategies


def test_next_size_follows_the_square_root() -> None:
    assert adaptive.next_size(1000, 2.0, 1000) == 5000  # 4,000 and the margin, in whole batches
    assert adaptive.next_size(1000, 1.0001, 1000) == 2000
    assert adaptive.most_twins(1000) == adaptive.MOST_TWINS
    assert adaptive.most_twins(10**6) == 10**6


def test_what_is_small_enough() -> None:
    """A share of the half-width, or of a month, five percentage points or a tenth of the difference."""
    assert target(Paired(1.0, -4.0, 6.0, 0.6, 0.1), "months", 0.2) == pytest.approx(1.0)
    assert target(Paired(0.0, -0.1, 0.1, 0.5, 0.1), "months", 0.2) == pytest.approx(0.2)
    assert target(Paired(-30.0, -31.0, -29.0, 0.0, 0.1), "months", 0.2) == pytest.approx(0.6)
    assert target(Paired(0.0, -0.01, 0.01, 0.5, 0.1), "fraction", 0.2) == pytest.approx(0.01)


def test_the_default_share_widens_a_normal_interval_by_less_than_six_percent() -> None:
    whole = 1.0 / 1.645  # sd of a difference whose interval has a half-width of one
    parameters = math.sqrt(whole**2 - DEFAULT_FRACTION**2)
    assert 1.05 < whole / parameters < 1.06


@pytest.mark.parametrize("value", [0.0, -0.1, math.nan, math.inf, 1.01])
def test_an_allowed_error_outside_its_range_is_refused(value: float) -> None:
    with pytest.raises(InputError, match=r"mc_error: .* is out of range"):
        make_plan(read_example(STAGE3), mc_error=value)


def test_an_allowed_error_beside_a_number_of_twins_is_refused() -> None:
    with pytest.raises(InputError, match="which was given too"):
        make_plan(read_example(STAGE3), twins=200, mc_error=0.1)
