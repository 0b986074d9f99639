"""What progression leaves behind: its count in growth and hazard, and who is still fit for treatment."""

from __future__ import annotations

import math
from typing import Any

import handmade as hm
import numpy as np
import pytest
from numpy.typing import NDArray

from metachron.engine.batch import Lives
from metachron.engine.records import LIVER, START_PROGRESSION, Programme
from metachron.engine.trace import trace
from metachron.model.growth import grow

IDLE = [hm.drug(k, amount=1e-6, chemo=0.0) for k in (0, 1)]  # drugs that do nothing
HAZARD = 1.0e-3  # per day, of every size and count of progressions


def followed(
    tumour: dict[str, Any], plan: Programme, days: float = 1000.0, par: Any = None, **twin: Any
) -> NDArray[np.void]:
    """The trace of one life with one lesion."""
    draws = hm.parameters() if par is None else par
    return trace(
        hm.lesions(1, tumour), hm.people(1, **twin), draws, plan, seed=11, horizon_days=days
    )  # fmt: skip


def counts(rows: NDArray[np.void]) -> list[int]:
    """The counts of progressions met, in order."""
    found = rows["failed"].tolist()
    return [n for i, n in enumerate(found) if i == 0 or n != found[i - 1]]


# --- the count


def test_each_progression_counts_once() -> None:
    rows = followed(hm.visible(30.0), hm.programme(every=28.0))
    assert counts(rows) == list(range(rows["failed"].max() + 1))
    assert rows["failed"].max() > 2
    first = rows["t"][rows["failed"] == 1][0]
    plan = hm.programme(every=28.0)
    pfs = hm.lives(hm.lesions(1, hm.visible(30.0)), hm.people(1), plan, days=1000.0).outcomes["pfs"][0]
    assert pfs < first <= pfs + 28.0, "from the step after the scan"


@pytest.mark.parametrize(("line", "before"), [(0, 0), (1, 0), (2, 1), (4, 3)])
def test_earlier_lines_have_failed(line: int, before: int) -> None:
    rows = followed(hm.visible(30.0, growth=0.0), hm.programme(every=28.0), 100.0, start_line=line)
    assert counts(rows) == [before]


def test_a_recurrence_is_no_progression_but_what_follows_is() -> None:
    rows = followed({"x": 19.0}, hm.programme(every=28.0), 3000.0)
    free = rows["ned"] == 1
    assert free.any()
    assert rows["failed"][free].max() == 0
    again = rows["failed"][~free]
    assert again[0] == 0
    assert again[-1] > 0


@pytest.mark.parametrize(("start", "line", "then"), [(0, 3, 2), (1, 1, 0), (5, 2, 4)])
def test_a_course_of_a_later_line_raises_the_count_and_never_lowers_it(
    start: int, line: int, then: int
) -> None:
    plan = hm.programme([hm.course(4, line=line)], IDLE, every=28.0)
    rows = followed(hm.visible(30.0, growth=0.0), plan, 100.0, start_line=start)
    assert rows["failed"][-1] == then


def test_progression_while_its_answer_is_on_the_way_is_not_counted_again() -> None:
    """Scans every week, a next line after 200 days: the sum grows by far more than a fifth meanwhile."""
    segments = [hm.course(0), hm.course(0, line=2, gap=200.0)]
    plan = hm.programme(segments, IDLE, every=7.0, n_planned=1, n_lines=1)
    rows = followed(hm.visible(30.0), plan, 400.0, hm.parameters(next_line_share=1.0))
    waiting = rows["queued"] == 1
    assert waiting.sum() > 10
    assert set(rows["failed"][waiting]) == {1}
    begun = rows[(rows["segment"] == 1)]
    assert begun["failed"][0] == 1


@pytest.mark.parametrize(("line", "half"), [(0, 0.0), (1, 0.0), (2, 1.0), (3, 2.0), (6, 2.0)])
def test_growth_gains_half_of_its_factor_at_each_of_two_progressions(line: int, half: float) -> None:
    par = hm.parameters(line_growth_factor=1.7)
    rows = followed({"x": 15.0}, hm.programme(every=28.0), 300.0, par, start_line=line)
    days = 1.7 ** (0.5 * half) * rows["t"]
    assert rows["x"][:, 0] == pytest.approx([grow(15.0, d, hm.RATE, hm.LN_K) for d in days], abs=1e-9)


@pytest.mark.parametrize("line", [1, 2, 3, 5])
def test_hazard_after_progressions(line: int) -> None:
    """A constant hazard: the day of death by one coin moves by exp(progressed) line^slope."""
    par = hm.parameters(death_intercept=-6.0, death_line=0.6, death_progressed=0.4)
    rows = hm.lesions(1, hm.visible(30.0, growth=0.0))
    lives = [hm.lives(rows, hm.people(1, start_line=s), hm.programme(), par, days=18000.0) for s in (1, line)]
    first, later = (float(found.outcomes["death"][0]) for found in lives)
    ratio = math.exp(0.4 * (line > 1)) * line**0.6
    assert later == pytest.approx(first / ratio, rel=1e-6)


def test_the_hazard_rises_on_the_day_of_progression() -> None:
    par = hm.parameters(
        death_intercept=-12.0, death_burden=0.0, death_line=0.0, death_progressed=1.5, death_full_cm=1e-3
    )
    rows = followed(hm.visible(40.0), hm.programme(every=28.0), 400.0, par)
    slope = np.diff(rows["hazard_cancer"]) / np.diff(rows["t"])
    before = slope[rows["failed"][1:] == 0]
    assert 2 < before.size < slope.size - 2
    assert before == pytest.approx(np.full(before.size, math.exp(-12.0)))
    assert slope[before.size :] == pytest.approx(np.full(slope.size - before.size, math.exp(-10.5)))


# --- fitness


def chance(n: int, segments: list[dict[str, Any]], *, fitness_days: float, **programme: Any) -> Lives:
    """Lives of `n` twins with one growing lesion and a hazard of death by cancer that is the same for all."""
    par = hm.parameters(
        death_intercept=math.log(HAZARD), death_burden=0.0, death_line=0.0, death_progressed=0.0,
        death_full_cm=1e-3, fitness_days=fitness_days, next_line_share=programme.pop("share", 1.0),
    )  # fmt: skip
    plan = hm.programme(segments, IDLE, every=28.0, **programme)
    rows = hm.lesions(n, hm.visible(30.0, organ=LIVER))
    return hm.lives(rows, hm.people(n), plan, par, days=3 * hm.YEAR)


def begun(found: Lives, index: int) -> NDArray[np.bool_]:
    """Of those who progress alive: does the step begin? It has no gap."""
    progressed = found.outcomes["pfs_event"] == 1
    return np.isfinite(found.starts[progressed, index])


@pytest.mark.parametrize(("days", "share"), [(0.0, 0.7), (400.0, 1.0), (400.0, 0.7)])
def test_the_next_line_needs_fitness(days: float, share: float) -> None:
    segments = [hm.course(0), hm.course(0, line=2)]
    found = begun(chance(3000, segments, fitness_days=days, share=share, n_planned=1, n_lines=1), 1)
    expected = share * math.exp(-days * HAZARD)
    assert found.mean() == pytest.approx(expected, abs=4.0 * math.sqrt(0.25 / found.size))


def waiting(days: float, n: int = 3000, **step: Any) -> Lives:
    """A planned step that waits for progression, and a line after it."""
    segments = [hm.course(0), step, hm.course(0, line=3)]
    return chance(n, segments, fitness_days=days, n_planned=2, n_lines=1)


def test_a_waiting_step_needs_fitness_and_the_unfit_get_nothing_more() -> None:
    drugs = hm.course(0, line=2, trigger=START_PROGRESSION, admin_from=1, admin_to=2)
    found = waiting(400.0, **drugs)
    fit = begun(found, 1)
    assert fit.mean() == pytest.approx(math.exp(-0.4), abs=4.0 * math.sqrt(0.25 / fit.size))
    progressed = found.outcomes["pfs_event"] == 1
    unfit = progressed & np.isnan(found.starts[:, 1])
    assert np.isnan(found.starts[unfit, 2]).all()
    assert (found.outcomes["lines"][unfit] == 1).all(), "as if all lines were used up"
    assert begun(waiting(0.0, 200, **drugs), 1).all()


def test_who_is_operated_on_is_judged_by_other_means() -> None:
    """Only those who die in between miss it."""
    found = waiting(1.0e6, 500, **hm.operation(trigger=START_PROGRESSION))
    assert begun(found, 1).all()


def test_larger_disease_is_less_fit() -> None:
    """The hazard of the day counts, not that of the start."""
    par = hm.parameters(death_intercept=-9.0, death_burden=1.0, next_line_share=1.0, fitness_days=200.0)
    plan = hm.programme([hm.course(0), hm.course(0, line=2)], IDLE, every=28.0, n_planned=1, n_lines=1)
    shares = [
        begun(hm.lives(hm.lesions(1500, hm.visible(d)), hm.people(1500), plan, par, days=1500.0), 1).mean()
        for d in (10.0, 90.0)
    ]
    assert shares[0] > shares[1] + 0.1
