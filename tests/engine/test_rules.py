"""Dose rules, neutrophils and nerves in the whole life: what is held, reduced and stopped, and when."""

from __future__ import annotations

import handmade as hm
import numpy as np
import pytest

from metachron.engine.batch import Lives
from metachron.engine.records import (
    ACT_DELAY,
    ACT_REDUCE,
    ACT_STOP,
    AT_CYCLE_START,
    RULE_ANC,
    RULE_FEBRILE,
    RULE_NADIR,
    RULE_NERVE,
    RULE_TOXICITY,
)
from metachron.model.toxicity import FEBRILE, FIRST_REPORTED, KINDS, NEUROPATHY, NEUTROPENIA

DELAY = {
    "state": RULE_ANC, "below": 1, "limit": 1.5, "at": AT_CYCLE_START, "action": ACT_DELAY, "target": -1,
    "value": 7.0, "max_delay": 28.0,
}  # fmt: skip
LESS = {"action": ACT_REDUCE, "target": -1, "value": 0.8, "floor": 0.5}
REDUCE = {"state": RULE_NADIR, "below": 1, "limit": 0.5} | LESS
STOP_OX = {"state": RULE_NERVE, "limit": 3.0, "action": ACT_STOP, "target": 1}
REDUCE_OX = {"state": RULE_NERVE, "limit": 2.0} | LESS | {"target": 1, "value": 0.76, "once": 1}
PAIR = [hm.drug(0, chemo=0.5), hm.drug(1, chemo=0.5, ox_mg=85.0)]


def treated(
    *rules: dict[str, float], cycles: int = 8, n: int = 1, marrow: float = 1.0, **more: float
) -> Lives:
    """Lives under cycles of two drugs with a marrow effect like FOLFOX's."""
    draws = hm.parameters(febrile_given_grade4=0.0, **more)
    plan = hm.programme([hm.course(cycles, admins=2, marrow=5.0)], PAIR, list(rules), every=500.0)
    twins = hm.people(n, n_lesions=0, marrow_factor=marrow)
    return hm.lives(hm.lesions(n), twins, plan, draws, days=2 * hm.YEAR)


def test_without_rules_everything_is_given_on_time() -> None:
    found = treated(marrow=4.0)
    assert found.outcomes["cycles_given"][0] == 8
    assert found.outcomes["dose_given"][0] == pytest.approx(8.0)
    assert found.ends[0, 0] - found.starts[0, 0] == pytest.approx(8 * 14.0)


def test_neutropenia_rises_with_the_sensitivity_of_the_marrow() -> None:
    grades = [treated(marrow=m).grades[0, NEUTROPENIA] for m in (0.01, 0.5, 1.0, 2.0, 4.0)]
    assert grades == sorted(grades)
    assert grades[0] == 0
    assert grades[-1] == 4


def test_low_counts_hold_the_next_cycle_a_week_at_a_time() -> None:
    free, held = treated(marrow=1.6), treated(DELAY, marrow=1.6)
    late = (held.ends - held.starts)[0, 0] - (free.ends - free.starts)[0, 0]
    assert late > 0
    assert late % 7 == 0
    assert held.outcomes["cycles_given"][0] == 8
    assert held.grades[0, NEUTROPENIA] <= free.grades[0, NEUTROPENIA]


def test_a_course_held_too_long_is_over() -> None:
    """Marrow that never comes back: one cycle, four weeks of waiting, no more."""
    found = treated(DELAY | {"limit": 100.0}, marrow=1.0)
    assert found.outcomes["cycles_given"][0] == 0
    assert found.ends[0, 0] - found.starts[0, 0] == pytest.approx(28.0)


def test_deep_nadirs_reduce_step_by_step_and_never_below_half() -> None:
    """Each cycle falls below 0.5: doses 1, 0.8, 0.64, 0.512, then one half for ever."""
    found = treated(REDUCE | {"limit": 100.0})
    assert found.outcomes["dose_given"][0] == pytest.approx(1 + 0.8 + 0.64 + 0.512 + 4 * 0.5)
    assert found.outcomes["cycles_given"][0] == 8


def test_reduction_spares_the_marrow() -> None:
    full, less = treated(marrow=1.2, cycles=12), treated(REDUCE | {"limit": 2.0}, marrow=1.2, cycles=12)
    assert less.outcomes["dose_given"][0] < full.outcomes["dose_given"][0]


def test_neuropathy_stops_oxaliplatin_alone() -> None:
    """From the cycle after grade 3 only the fluoropyrimidine is given: half of the mean dose level."""
    tender = hm.people(1, n_lesions=0, nerve_factor=4.0)
    plan = hm.programme([hm.course(12, admins=2)], PAIR, [STOP_OX], every=500.0)
    found = hm.lives(hm.lesions(1), tender, plan, days=2 * hm.YEAR)
    assert found.outcomes["cycles_given"][0] == 12
    halves = (12 - found.outcomes["dose_given"][0]) / 0.5
    assert halves == pytest.approx(round(halves))
    assert 1 <= halves <= 11
    assert found.grades[0, NEUROPATHY] == 3


def test_a_nerve_rule_acts_once() -> None:
    """Grade 2 lasts for many cycles but the dose of oxaliplatin falls only once."""
    tender = hm.people(1, n_lesions=0, nerve_factor=1.6)
    plan = hm.programme([hm.course(12, admins=2)], PAIR, [REDUCE_OX], every=500.0)
    found = hm.lives(hm.lesions(1), tender, plan, days=2 * hm.YEAR)
    lost = (12 - found.outcomes["dose_given"][0]) / 0.12
    assert lost == pytest.approx(round(lost))
    assert 1 <= lost <= 11
    assert found.grades[0, NEUROPATHY] >= 2


def test_neuropathy_needs_oxaliplatin_and_rises_with_its_dose() -> None:
    def share(cycles: int, ox_mg: float) -> float:
        twins = hm.people(400, n_lesions=0, nerve_factor=np.exp(0.41 * np.linspace(-2.5, 2.5, 400)))
        drugs = [hm.drug(0, chemo=0.5), hm.drug(1, chemo=0.5, ox_mg=ox_mg)]
        plan = hm.programme([hm.course(cycles, admins=2)], drugs, every=500.0)
        grades = hm.lives(hm.lesions(400), twins, plan, days=2 * hm.YEAR).grades
        return float((grades[:, NEUROPATHY] >= 2).mean())

    assert share(12, 0.0) == 0.0
    assert 0.0 < share(6, 85.0) < share(12, 85.0) < 1.0


def test_fever_needs_the_deepest_nadir_and_reduces() -> None:
    rule = {"state": RULE_FEBRILE, "limit": 1.0} | LESS
    draws = hm.parameters(febrile_given_grade4=1.0, febrile_mortality=0.0)
    plan = hm.programme([hm.course(4, admins=2, marrow=5.0)], PAIR, [rule], every=500.0)
    deep = hm.lives(hm.lesions(1), hm.people(1, n_lesions=0, marrow_factor=6.0), plan, draws, days=300.0)
    mild = hm.lives(hm.lesions(1), hm.people(1, n_lesions=0, marrow_factor=0.1), plan, draws, days=300.0)
    assert deep.grades[0, FEBRILE] == 3
    assert deep.outcomes["dose_given"][0] < 4.0
    assert mild.grades[0, FEBRILE] == 0
    assert mild.outcomes["dose_given"][0] == pytest.approx(4.0)


def test_fatal_fever_kills_by_treatment() -> None:
    draws = hm.parameters(febrile_given_grade4=1.0, febrile_mortality=1.0)
    plan = hm.programme([hm.course(4, admins=2, marrow=5.0)], PAIR, every=500.0)
    found = hm.lives(hm.lesions(1), hm.people(1, n_lesions=0, marrow_factor=6.0), plan, draws, days=300.0)
    assert found.outcomes["cause"][0] == 4
    assert found.outcomes["death"][0] <= 28.0
    assert found.grades[0, FEBRILE] == 5


@pytest.mark.parametrize("probability", [0.05, 0.3])
def test_reported_toxicity_has_its_frequency_and_reduces(probability: float) -> None:
    """A kind known by its frequency over the course happens that often; each case reduces the dose once."""
    n, cycles = 4000, 6
    hazard = np.zeros((1, len(KINDS)))
    hazard[0, FIRST_REPORTED] = -np.log(1 - probability) / cycles
    rule = {"state": RULE_TOXICITY, "limit": 3.0} | LESS
    plan = hm.programme([hm.course(cycles, admins=2)], PAIR, [rule], every=500.0, toxicity=hazard)
    found = hm.lives(hm.lesions(n), hm.people(n, n_lesions=0), plan, days=200.0)
    hit = found.grades[:, FIRST_REPORTED] >= 3
    assert hit.mean() == pytest.approx(probability, abs=4 * np.sqrt(probability * (1 - probability) / n))
    assert (found.outcomes["dose_given"][~hit] == cycles).all()
    assert (found.outcomes["dose_given"][hit] <= cycles).all()
    assert (found.outcomes["dose_given"][hit] < cycles).mean() > 0.5


def test_less_dose_kills_less() -> None:
    """The same lesion under the same cycles shrinks for longer when nothing is taken off."""
    draws = hm.parameters(kappa_fp=0.02)
    tumours, twins = hm.lesions(1, hm.visible(40.0)), hm.people(1)
    plans = [hm.programme([hm.course(30, dose=level)], [hm.drug()], every=14.0) for level in (1.0, 0.6, 0.2)]
    days = [hm.lives(tumours, twins, plan, draws, days=9 * hm.YEAR).outcomes["pfs"][0] for plan in plans]
    assert days[0] > days[1] > days[2]
