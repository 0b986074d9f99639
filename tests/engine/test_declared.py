"""What a strategy declares is what happens: expressions and files, compiled and lived."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import handmade as hm
import numpy as np
import pytest

from metachron.engine.batch import Lives, simulate
from metachron.engine.compile import compile_strategy
from metachron.engine.records import LIVER, N_RULES
from metachron.errors import InputError
from metachron.model.kill import OX
from metachron.patient.examples import read_example
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.files import load_strategy_file
from metachron.strategies.language import parse_strategy, resolve
from metachron.strategies.schema import Rule, Strategy

CATALOGUE = load_catalogue()
PATIENT = read_example("synchronous_bilobar")
N = 60


def lived(strategy: Strategy, *, n: int = N, metastatic: bool = True, **draws: float) -> Lives:
    """Eight years of `n` twins who differ in marrow, nerves and resistance; one liver metastasis of 40 mm."""
    rng = np.random.default_rng(5)
    twins = hm.people(
        n,
        n_lesions=1 if metastatic else 0,
        logit_macro=rng.normal(-1.5, 0.7, (n, 6)),
        marrow_factor=np.exp(0.5 * rng.standard_normal(n)),
        nerve_factor=np.exp(0.5 * rng.standard_normal(n)),
        egfr_active=1.0,
    )
    plan = compile_strategy(PATIENT, strategy, CATALOGUE, metastatic=metastatic)
    parameters = hm.parameters(rho_resistant=0.0, febrile_mortality=0.0, **draws)
    tumours = hm.lesions(n, hm.visible(40.0, organ=LIVER))
    return simulate(tumours, twins, parameters, plan, seed=3, horizon_days=8 * hm.YEAR)


def test_reintroduction_after_a_treatment_free_interval() -> None:
    found = lived(parse_strategy("mfolfox6*8 + bevacizumab > [progression] mfolfox6 + bevacizumab"))
    again = np.isfinite(found.starts[:, 1])
    assert again.mean() > 0.5
    off = found.starts[again, 1] - found.ends[again, 0]
    assert (off >= 14).all()
    assert np.median(off) > 14
    assert (found.starts[again, 1] == found.outcomes["pfs"][again] + 14).all()


def test_switch_on_progression_and_rechallenge_in_the_declared_order() -> None:
    found = lived(resolve("folfiri_cetuximab_rechallenge"))
    reached = np.isfinite(found.starts[:, :3])
    assert reached[:, 0].all()
    assert reached[:, 1].mean() > 0.5
    assert reached[:, 2].any()
    both = reached[:, 1]
    assert (found.starts[both, 1] == found.outcomes["pfs"][both] + 14).all()
    third = reached[:, 2]
    assert (found.starts[third, 2] >= found.ends[third, 1]).all()


def test_what_follows_an_endless_regimen_is_the_next_line() -> None:
    found = lived(parse_strategy("mfolfox6 > folfiri"))
    second = np.isfinite(found.starts[:, 1])
    assert second.mean() > 0.5
    assert (found.starts[second, 1] >= found.outcomes["pfs"][second] + 14).all()


def test_an_interval_is_shorter_in_cycles_than_in_time() -> None:
    continuous, interval = lived(resolve("mfolfox6")), lived(resolve("mfolfox6_intermittent"))
    per_day = [
        f.outcomes["cycles_given"] / np.maximum(f.ends[:, 0] - f.starts[:, 0], 14)
        for f in (continuous, interval)
    ]
    assert per_day[1].mean() < per_day[0].mean()
    assert np.median(interval.ends[:, 0]) > np.median(interval.outcomes["pfs"])


def test_stop_and_go_spares_oxaliplatin() -> None:
    plain, go = lived(resolve("mfolfox6")), lived(resolve("mfolfox6_stop_and_go"))
    level = [f.outcomes["dose_given"].sum() / f.outcomes["cycles_given"].sum() for f in (plain, go)]
    assert level[1] < level[0]
    assert (go.grades[:, 2] >= 3).mean() <= (plain.grades[:, 2] >= 3).mean()


# --- named sets

DIRECTION = {
    "label": "mfolfox6*12",
    "eloxatin_label": "mfolfox6*12",
    "camptosar_label": "folfiri*12",
    "xeloda_label": "capecitabine*8",
    "japanese_mfolfox6": "mfolfox6*12",
    "secondary_gcsf": "mfolfox6*12",
    "stop_and_go_optimox1": "mfolfox6*12",
    "intermittent_coin": "mfolfox6*12",
}


def under(name: str, plan: str) -> tuple[float, float]:
    """(mean dose level of the cycles given, mean days per cycle) of 300 adjuvant courses."""
    strategy = parse_strategy(plan).model_copy(update={"dose_rules": name})
    found = lived(strategy, n=300, metastatic=False, stop_per_cycle=0.0)
    cycles = found.outcomes["cycles_given"]
    some = cycles > 0
    days = (found.ends[:, 0] - found.starts[:, 0])[some].sum()
    return float(found.outcomes["dose_given"].sum() / cycles.sum()), float(days / cycles.sum())


def test_every_set_but_none_is_tried() -> None:
    assert set(DIRECTION) == set(CATALOGUE.rule_sets) - {"none"}


@pytest.mark.parametrize("name", DIRECTION)
def test_a_named_set_changes_doses_and_delays_as_it_says(name: str) -> None:
    rules = CATALOGUE.rule_sets[name].rules
    actions = {rule.action for rule in rules}
    plain, changed = under("none", DIRECTION[name]), under(name, DIRECTION[name])
    assert plain[0] == pytest.approx(1.0)
    lowers = bool(actions & {"reduce", "stop"})
    assert (changed[0] < 0.999) == lowers
    if actions & {"delay", "pause"} and name != "xeloda_label":  # capecitabine alone hardly lowers counts
        assert changed[1] > plain[1] + 0.05


def test_gcsf_in_place_of_a_lower_dose_keeps_the_dose_and_delays_less() -> None:
    delay = CATALOGUE.rule_sets["secondary_gcsf"].rules[0]
    base = parse_strategy("mfolfox6*12")
    only = base.model_copy(update={"dose_rules": "none", "rules": [delay]})
    helped = base.model_copy(update={"dose_rules": "secondary_gcsf"})
    days = [
        (f.ends[:, 0] - f.starts[:, 0]).sum() / f.outcomes["cycles_given"].sum()
        for f in (lived(s, n=300, metastatic=False, stop_per_cycle=0.0) for s in (only, helped))
    ]
    assert days[1] <= days[0]


def test_dose_steps_of_the_labels_are_those_written() -> None:
    """Neuropathy of grade 2 takes oxaliplatin to 75 mg/m2 in adjuvant and to 65 in advanced treatment."""
    for metastatic, wanted in ((False, 75 / 85), (True, 65 / 85)):
        strategy = parse_strategy("mfolfox6*12").model_copy(update={"dose_rules": "eloxatin_label"})
        plan = compile_strategy(PATIENT, strategy, CATALOGUE, metastatic=metastatic)
        twins = hm.people(1, n_lesions=1, nerve_factor=1.6, marrow_factor=0.0)
        draws = hm.parameters(stop_per_cycle=0.0)
        plan = plan._replace(toxicity=np.zeros_like(plan.toxicity))
        found = hm.lives(hm.lesions(1, hm.visible(5.0, organ=LIVER)), twins, plan, draws, days=300.0)
        lost = 12 - found.outcomes["dose_given"][0]
        cycles = lost / (0.5 * (1 - wanted))
        assert cycles == pytest.approx(round(cycles), abs=0.02)
        assert round(cycles) >= 1


# --- files

MINE = """
name: mine
title: Mine
summary: Short.
intent: disease control
plan: mfolfox6 + bevacizumab
dose_rules: [label, secondary_gcsf]
rules:
  - {{name: enough, state: cumulative_oxaliplatin, at_least: {limit}, action: stop, target: oxaliplatin}}
after:
  lines: [folfiri + bevacizumab, trifluridine_tipiracil]
  line_wait_days: 21
  on_recurrence: systemic
"""


def file_of(folder: Path, text: str) -> Strategy:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return load_strategy_file(path)[0]


def test_a_file_declares_rules_lines_and_waits(tmp_path: Path) -> None:
    strategy = file_of(tmp_path, MINE.format(limit=400))
    plan = compile_strategy(PATIENT, strategy, CATALOGUE)
    assert plan.n_lines == 2
    assert plan.segments["gap"][1] == 21.0
    assert plan.rules.size == 6 + 3 + 1
    found = lived(strategy)
    second = np.isfinite(found.starts[:, 1])
    assert (found.starts[second, 1] == found.outcomes["pfs"][second] + 21).mean() > 0.9
    assert resolve(str(tmp_path / "mine.yaml")) == strategy


def test_own_rules_act(tmp_path: Path) -> None:
    early, late = (lived(file_of(tmp_path, MINE.format(limit=limit))) for limit in (100, 5000))
    assert early.outcomes["dose_given"].sum() < late.outcomes["dose_given"].sum()


def test_earlier_oxaliplatin_counts() -> None:
    plan = compile_strategy(PATIENT, resolve("mfolfox6"), CATALOGUE)
    assert plan.ox_before == sum(t.oxaliplatin_mg_m2 or 0 for t in PATIENT.prior_treatments)
    treated = PATIENT.model_copy(update={"prior_treatments": [_course(510.0), _course(None)]})
    assert compile_strategy(treated, resolve("mfolfox6"), CATALOGUE).ox_before == 510.0


def _course(dose: float | None) -> Any:
    from metachron.patient.schema import PriorTreatment

    return PriorTreatment.model_validate(
        {"name": "mfolfox6", "setting": "adjuvant", "oxaliplatin_mg_m2": dose}
    )


def test_too_many_rules_are_refused() -> None:
    rule = Rule.model_validate({"name": "x", "state": "cycles", "at_least": 1, "action": "end"})
    strategy = parse_strategy("mfolfox6").model_copy(update={"rules": [rule] * (N_RULES + 1)})
    with pytest.raises(InputError, match=f"at most|allowed: at most {N_RULES}"):
        compile_strategy(PATIENT, strategy, CATALOGUE)


def test_repeat_resection_is_done_within_its_limits_only() -> None:
    inside = compile_strategy(PATIENT, resolve("hepatectomy_repeat"), CATALOGUE)
    assert (inside.segments["max_lesions"][1], inside.segments["max_mm"][1]) == (3, 50.0)
    assert inside.segments["trigger"][:2].tolist() == [0, 2]
    assert inside.segments["gap"][1] == 28.0


def test_lines_count_failures_and_not_reintroduction() -> None:
    def lines(text: str) -> list[int]:
        plan = compile_strategy(PATIENT, parse_strategy(text), CATALOGUE)
        return plan.segments["line"][: plan.n_planned].tolist()

    assert lines("mfolfox6*8 > [progression] mfolfox6") == [1, 1]
    assert lines("mfolfox6 > [progression] folfiri") == [1, 2]
    assert lines("folfiri + cetuximab > [progression] mfolfox6 > [progression] folfiri + cetuximab") == [
        1,
        2,
        3,
    ]
    assert lines("hepatectomy > mfolfox6*6 > [recurrence] folfiri") == [0, 0, 1]


def test_oxaliplatin_is_class_one() -> None:
    """The sets speak of oxaliplatin; the kernel counts it under this number."""
    plan = compile_strategy(PATIENT, resolve("mfolfox6_stop_and_go"), CATALOGUE)
    assert (plan.rules["target"][-3:] == OX).all()
