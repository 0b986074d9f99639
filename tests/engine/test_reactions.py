"""Every state a rule may read, every action it may take, and steps that wait for something."""

from __future__ import annotations

from typing import Any

import handmade as hm
import numpy as np
import pytest

from metachron.engine.batch import Lives
from metachron.engine.records import (
    ACT_DELAY,
    ACT_END,
    ACT_GCSF,
    ACT_HOLD,
    ACT_PAUSE,
    ACT_REDUCE,
    ACT_RESUME,
    ACT_STOP,
    ACT_SWITCH,
    ADJUVANT,
    ADVANCED,
    AT_CYCLE_START,
    AT_SCAN,
    EVERYTHING,
    GIVE_CELLS,
    GIVE_VEGF,
    LIVER,
    NOTHING_MORE,
    PD,
    RULE_ANC,
    RULE_CYCLES,
    RULE_DAYS_OFF,
    RULE_FEBRILE,
    RULE_LIVER,
    RULE_LYMPHOCYTES,
    RULE_NADIR,
    RULE_NERVE,
    RULE_NEUTROPENIA,
    RULE_OXALIPLATIN,
    RULE_RESPONSE,
    RULE_TOXICITY,
    SD,
    START_PROGRESSION,
    START_RECURRENCE,
)
from metachron.model.kill import OX
from metachron.model.toxicity import FIRST_REPORTED, KINDS, NEUTROPENIA

PAIR = [hm.drug(0, chemo=0.5), hm.drug(1, chemo=0.5, ox_mg=85.0)]
CYCLES = {"state": RULE_CYCLES, "limit": 2.0}
END = {"action": ACT_END, "target": EVERYTHING}
PROGRESSION = {"state": RULE_RESPONSE, "at": AT_SCAN, "limit": float(1 << PD)}


def treated(
    *rules: dict[str, Any], cycles: int = 8, twin: dict[str, Any] | None = None, **more: Any
) -> Lives:
    """One life without disease under cycles of two drugs; `more` goes to the course or the programme."""
    draws = hm.parameters(febrile_given_grade4=0.0)
    course = {"marrow": more.pop("marrow", 0.0), "lymph": more.pop("lymph", 0.0), "line": more.pop("line", 1)}
    plan = hm.programme(
        [hm.course(cycles, admins=2, **course)], PAIR, list(rules), every=more.pop("every", 500.0), **more
    )
    twins = hm.people(1, n_lesions=0, **(twin or {}))
    return hm.lives(hm.lesions(1), twins, plan, draws, days=4 * hm.YEAR)


def given(found: Lives) -> tuple[int, float]:
    """(cycles, sum of mean dose levels)."""
    return int(found.outcomes["cycles_given"][0]), float(found.outcomes["dose_given"][0])


# --- actions


def test_hold_leaves_the_target_out_of_one_cycle() -> None:
    hold = CYCLES | {"action": ACT_HOLD, "target": OX}
    assert given(treated(hold | {"once": 1})) == (8, pytest.approx(7.5))
    assert given(treated(hold)) == (8, pytest.approx(2 + 6 * 0.5))
    at_start = hold | {"at": AT_CYCLE_START, "once": 1}
    assert given(treated(at_start)) == (8, pytest.approx(7.5))


def test_reduce_takes_a_factor_of_the_current_or_of_the_full_dose() -> None:
    reduce = CYCLES | {"action": ACT_REDUCE, "target": -1, "value": 0.8}
    assert given(treated(reduce | {"floor": 0.5})) == (8, pytest.approx(2 + 0.8 + 0.64 + 0.512 + 3 * 0.5))
    assert given(treated(reduce | {"floor": 0.5, "of_full": 1})) == (8, pytest.approx(2 + 6 * 0.8))
    assert given(treated(reduce | {"floor": 0.75})) == (8, pytest.approx(2 + 0.8 + 5 * 0.75))


def test_a_reduced_starting_dose_is_never_raised_by_a_floor() -> None:
    rule = CYCLES | {"action": ACT_REDUCE, "target": -1, "value": 0.8, "floor": 0.5}
    plan = hm.programme([hm.course(4, admins=2, dose=0.4)], PAIR, [rule], every=500.0)
    found = hm.lives(hm.lesions(1), hm.people(1, n_lesions=0), plan, days=300.0)
    assert given(found) == (4, pytest.approx(4.0))  # levels are counted relative to the starting dose


def test_stop_and_resume() -> None:
    stop = CYCLES | {"action": ACT_STOP, "target": OX, "once": 1}
    again = {"state": RULE_CYCLES, "limit": 4.0, "action": ACT_RESUME, "target": OX, "value": 0.8}
    assert given(treated(stop)) == (8, pytest.approx(2 + 6 * 0.5))
    assert given(treated(stop, again)) == (8, pytest.approx(2 + 2 * 0.5 + 4 * 0.9))


def test_resume_gives_back_nothing_that_was_only_reduced_or_never_planned() -> None:
    reduce = CYCLES | {"action": ACT_REDUCE, "target": OX, "value": 0.6, "once": 1, "floor": 0.5}
    again = {"state": RULE_CYCLES, "limit": 4.0, "action": ACT_RESUME, "target": OX, "value": 1.0}
    assert given(treated(reduce, again)) == (8, pytest.approx(2 + 6 * 0.8))


def test_stopping_everything_ends_the_course() -> None:
    assert given(treated(CYCLES | {"action": ACT_STOP, "target": EVERYTHING})) == (2, pytest.approx(2.0))


def test_gcsf_shortens_delays() -> None:
    delay = {
        "state": RULE_ANC, "below": 1, "limit": 0.8, "at": AT_CYCLE_START, "action": ACT_DELAY, "target": -1,
        "value": 7.0, "max_delay": 60.0,
    }  # fmt: skip
    support = {"state": RULE_NADIR, "below": 1, "limit": 20.0, "action": ACT_GCSF, "target": -1}
    plain, helped = (treated(*rules, marrow=4.0) for rules in ((delay,), (delay, support)))
    span = [float(found.ends[0, 0] - found.starts[0, 0]) for found in (plain, helped)]
    assert span[1] < span[0]
    assert span[0] > 8 * 14
    assert helped.grades[0, NEUTROPENIA] <= plain.grades[0, NEUTROPENIA]


def test_a_pause_of_days_moves_the_rest_and_loses_no_cycle() -> None:
    pause = CYCLES | {"action": ACT_PAUSE, "target": EVERYTHING, "value": 30.0}
    once, each = treated(pause | {"once": 1}), treated(pause)
    assert given(once)[0] == given(each)[0] == 8
    assert once.ends[0, 0] - once.starts[0, 0] == pytest.approx(8 * 14 + 30)
    assert each.ends[0, 0] - each.starts[0, 0] == pytest.approx(8 * 14 + 3 * 30)  # counted anew: 2, 4, 6


def responsive(*rules: dict[str, Any], more: list[dict[str, Any]] | None = None, **programme: Any) -> Lives:
    """One life with a lesion of 40 mm that two drugs shrink; scans every eight weeks."""
    draws = hm.parameters(kappa_fp=0.03, rho_resistant=0.0)
    segments = [hm.course(0, admins=2), *(more or [])]
    plan = hm.programme(segments, PAIR, list(rules), every=56.0, **programme)
    return hm.lives(
        hm.lesions(1, hm.visible(40.0)), hm.people(1, logit_macro=-2.0), plan, draws, days=6 * hm.YEAR
    )


def test_an_interval_until_progression_ends_with_it_and_the_course_goes_on() -> None:
    pause = {"state": RULE_CYCLES, "limit": 6.0, "action": ACT_PAUSE, "target": EVERYTHING, "until": 1}
    continuous, interval = responsive(), responsive(pause)
    assert interval.outcomes["pfs"][0] < continuous.outcomes["pfs"][0]
    assert interval.ends[0, 0] > interval.outcomes["pfs"][0]
    per_day = [f.outcomes["cycles_given"][0] / f.ends[0, 0] for f in (continuous, interval)]
    assert per_day[1] < 0.8 * per_day[0]


def test_end_goes_on_with_the_plan_and_switch_with_what_waits() -> None:
    later = [hm.course(3, admins=2, trigger=START_PROGRESSION), hm.course(3, admins=2)]
    rules = {"end": CYCLES | END, "switch": CYCLES | END | {"action": ACT_SWITCH}}
    starts = {}
    for word, rule in rules.items():
        other = [hm.drug(2), hm.drug(0, chemo=0.5), hm.drug(1, chemo=0.5)]
        segments = [hm.course(8, admin_from=1, admins=3), later[0] | {"admin_from": 0, "admin_to": 1}]
        plan = hm.programme([*segments], other, [rule], every=500.0)
        starts[word] = hm.lives(hm.lesions(1), hm.people(1, n_lesions=0), plan, days=300.0).starts[0]
    assert np.isnan(starts["end"][1])
    assert starts["switch"][1] == 28.0
    plan = hm.programme([hm.course(8, admins=2), later[1]], PAIR, [CYCLES | END], every=500.0)
    assert hm.lives(hm.lesions(1), hm.people(1, n_lesions=0), plan, days=300.0).starts[0, 1] == 28.0


def test_an_occurrence_waits_for_its_turn() -> None:
    rule = CYCLES | END | {"limit": 1.0, "occurrence": 3}
    assert given(treated(rule))[0] == 3


def test_the_setting_is_that_of_the_course() -> None:
    for setting, line, ends in (
        (ADJUVANT, 0, True),
        (ADJUVANT, 1, False),
        (ADVANCED, 0, False),
        (ADVANCED, 1, True),
    ):
        assert (given(treated(CYCLES | END | {"setting": setting}, line=line))[0] == 2) == ends


def test_a_rule_is_read_only_where_its_target_is_given() -> None:
    assert given(treated(CYCLES | {"action": ACT_END, "target": GIVE_VEGF}))[0] == 8
    assert given(treated(CYCLES | {"action": ACT_END, "target": GIVE_CELLS}))[0] == 8
    assert given(treated(CYCLES | {"action": ACT_END, "target": OX}))[0] == 2


def test_anti_vegf_can_be_stopped() -> None:
    """Stopping it gives the lesion its growth back, so that it progresses earlier."""
    draws = hm.parameters()
    stop = {"state": RULE_CYCLES, "limit": 1.0, "action": ACT_STOP, "target": GIVE_VEGF}
    drugs = [hm.drug(0, amount=1e-6, chemo=0.0), hm.drug(GIVE_VEGF, chemo=0.0)]
    days = []
    for rules in ([], [stop]):
        plan = hm.programme([hm.course(0, admins=2)], drugs, rules, every=14.0)
        found = hm.lives(hm.lesions(1, hm.visible(30.0)), hm.people(1), plan, draws, days=6 * hm.YEAR)
        days.append(float(found.outcomes["pfs"][0]))
    assert days[1] < days[0]


# --- states: each ends the course at once when its limit is met, and never when it is not

FRAIL, STRONG = {"marrow_factor": 6.0}, {"marrow_factor": 0.01}
STATES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("neutrophils", {"state": RULE_ANC, "below": 1, "limit": 3.0, "at": AT_CYCLE_START},
     {"twin": FRAIL, "marrow": 5.0}, {"twin": STRONG, "marrow": 5.0}),
    ("nadir", {"state": RULE_NADIR, "below": 1, "limit": 1.0},
     {"twin": FRAIL, "marrow": 5.0}, {"twin": STRONG, "marrow": 5.0}),
    ("neutropenia grade", {"state": RULE_NEUTROPENIA, "limit": 3.0},
     {"twin": FRAIL, "marrow": 5.0}, {"twin": STRONG, "marrow": 5.0}),
    ("neuropathy", {"state": RULE_NERVE, "limit": 2.0},
     {"twin": {"nerve_factor": 40.0}}, {"twin": {"nerve_factor": 0.01}}),
    ("lymphocytes", {"state": RULE_LYMPHOCYTES, "below": 1, "limit": 0.9}, {"lymph": 0.7}, {"lymph": 0.0}),
    ("oxaliplatin", {"state": RULE_OXALIPLATIN, "limit": 900.0}, {"ox_before": 850.0}, {"ox_before": 0.0}),
    ("liver", {"state": RULE_LIVER, "below": 1, "limit": 0.5, "at": AT_CYCLE_START},
     {"twin": {"liver_share": 0.3}}, {"twin": {"liver_share": 0.9}}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "rule", "met", "unmet"), STATES, ids=[s[0] for s in STATES])
def test_state(name: str, rule: dict[str, Any], met: dict[str, Any], unmet: dict[str, Any]) -> None:
    assert given(treated(rule | END, **met))[0] == (0 if name == "liver" else 1)
    assert given(treated(rule | END, **unmet))[0] == 8


@pytest.mark.parametrize("limit", [85.0, 255.0, 256.0])
def test_cumulative_oxaliplatin_counts_what_was_given(limit: float) -> None:
    found = treated({"state": RULE_OXALIPLATIN, "limit": limit} | END)
    assert given(found)[0] == int(np.ceil(limit / 85.0))


def test_days_off_count_from_the_start_of_the_last_cycle() -> None:
    rule = {"state": RULE_DAYS_OFF, "at": AT_CYCLE_START} | END
    assert given(treated(rule | {"limit": 14.0}))[0] == 1
    assert given(treated(rule | {"limit": 15.0}))[0] == 8


def test_febrile_neutropenia() -> None:
    rule = {"state": RULE_FEBRILE, "limit": 1.0} | END
    for chance, cycles in ((1.0, 1), (0.0, 4)):
        draws = hm.parameters(febrile_given_grade4=chance, febrile_mortality=0.0)
        plan = hm.programme([hm.course(4, admins=2, marrow=5.0)], PAIR, [rule], every=500.0)
        twins = hm.people(1, n_lesions=0, marrow_factor=6.0)
        assert given(hm.lives(hm.lesions(1), twins, plan, draws, days=300.0))[0] == cycles


def test_toxicity_is_read_by_kind() -> None:
    hazard = np.zeros((1, len(KINDS)))
    hazard[0, FIRST_REPORTED + 1] = 40.0  # happens in the first cycle, to everybody
    for kinds, cycles in ((0, 1), (1 << (FIRST_REPORTED + 1), 1), (1 << FIRST_REPORTED, 8)):
        rule = {"state": RULE_TOXICITY, "limit": 3.0, "kind": kinds} | END
        assert given(treated(rule, toxicity=hazard))[0] == cycles
        assert given(treated(rule | {"limit": 4.0}, toxicity=hazard))[0] == 8
    severe = treated(
        {"state": RULE_TOXICITY, "limit": 4.0} | END, toxicity=hazard, grade4=np.ones_like(hazard)
    )
    assert given(severe)[0] == 1


def test_response_of_the_last_scan() -> None:
    stable = PROGRESSION | {"limit": float(1 << SD)} | END
    assert responsive(stable).ends[0, 0] == 56.0
    found = responsive(PROGRESSION | END)
    assert found.ends[0, 0] == found.outcomes["pfs"][0]


def test_a_second_limit_must_hold_as_well() -> None:
    rule = CYCLES | END | {"also": 1 + RULE_OXALIPLATIN}
    assert given(treated(rule | {"also_limit": 85.0 * 5}))[0] == 5
    assert given(treated(rule | {"also_limit": 85.0, "also_below": 1}))[0] == 8


# --- progression, recurrence, and what waits for them


def test_a_drug_resumed_at_progression_keeps_the_course() -> None:
    stop = CYCLES | {"action": ACT_STOP, "target": OX, "once": 1}
    again = PROGRESSION | {"action": ACT_RESUME, "target": OX, "value": 1.0, "once": 1}
    without, with_it = responsive(stop), responsive(stop, again)
    assert without.ends[0, 0] == without.outcomes["pfs"][0]
    assert with_it.outcomes["pfs"][0] == without.outcomes["pfs"][0]
    assert with_it.ends[0, 0] > with_it.outcomes["pfs"][0]


def waiting(*segments: dict[str, Any], **programme: Any) -> Lives:
    draws = hm.parameters(kappa_fp=0.02, kappa_iri=0.02, rho_resistant=0.0)
    plan = hm.programme(list(segments), [*PAIR, hm.drug(2)], every=56.0, **programme)
    return hm.lives(
        hm.lesions(1, hm.visible(40.0)), hm.people(1, logit_macro=-2.0), plan, draws, days=8 * hm.YEAR
    )


def test_a_step_waits_for_progression_under_treatment_and_after_it() -> None:
    other = hm.course(0, admin_from=2, admins=3, trigger=START_PROGRESSION, gap=14.0, line=2)
    endless = waiting(hm.course(0, admins=2), other)
    assert endless.starts[0, 1] == endless.outcomes["pfs"][0] + 14.0
    finite = waiting(hm.course(6, admins=2), other)
    assert finite.ends[0, 0] == 84.0
    assert finite.starts[0, 1] == finite.outcomes["pfs"][0] + 14.0
    assert finite.starts[0, 1] > 84.0 + 14.0


def test_the_same_drugs_come_again_after_an_interval_but_not_when_they_have_just_failed() -> None:
    again = hm.course(0, admins=2, trigger=START_PROGRESSION)
    assert np.isnan(waiting(hm.course(0, admins=2), again).starts[0, 1])
    assert waiting(hm.course(6, admins=2), again).starts[0, 1] > 84.0


def test_steps_in_between_are_passed_over() -> None:
    rest, other = hm.course(4, admins=1), hm.course(0, admin_from=2, admins=3, trigger=START_PROGRESSION)
    found = waiting(hm.course(0, admins=2), rest, other)
    assert np.isnan(found.starts[0, 1])
    assert found.starts[0, 2] == found.outcomes["pfs"][0]


def recurring(*segments: dict[str, Any], n: int = 1, **programme: Any) -> Lives:
    """Lives whose one lesion is resected on day 0 and whose second, unseen, shows itself later."""
    first = hm.visible(20.0, organ=LIVER)
    second = {"x": hm.ln_size(5.0), "organ": LIVER}
    plan = hm.programme([hm.operation(), *segments], every=56.0, **programme)
    draws = hm.parameters(resection_success=1.0, detect_ious_cells=1e12)
    return hm.lives(hm.lesions(n, first, second), hm.people(n, n_lesions=2), plan, draws, days=8 * hm.YEAR)


def test_an_operation_on_recurrence_within_its_limits() -> None:
    again = hm.operation(trigger=START_RECURRENCE, gap=28.0, max_lesions=1, max_mm=60.0)
    found = recurring(again)
    assert found.outcomes["pfs_event"][0] == 1
    assert found.starts[0, 1] == found.outcomes["pfs"][0] + 28.0
    assert found.outcomes["no_cells"][0] == 1
    outside = recurring(again | {"max_mm": 5.0})
    assert np.isnan(outside.starts[0, 1])
    assert outside.outcomes["no_cells"][0] == 0


def test_recurrence_may_be_left_alone() -> None:
    segments = [hm.operation(gap=28.0, max_lesions=3, max_mm=50.0)]
    last = {"n_planned": 1, "repeat_segment": 1, "most_repeats": 2, "n": 50}
    usual = recurring(*segments, **last)
    alone = recurring(*segments, **last, on_recurrence=NOTHING_MORE)
    never = recurring(*segments, **(last | {"most_repeats": 1}))
    assert np.isfinite(usual.starts[:, 1]).any()
    assert np.isnan(alone.starts[:, 1]).all()
    assert np.isnan(never.starts[:, 1]).all()
