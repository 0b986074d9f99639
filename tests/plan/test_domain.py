"""Where patients and strategies stand in the region of the trials, and what the figures rest on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from metachron.engine.compile import start_line
from metachron.parameters import load_parameters
from metachron.parameters.draws import median_parameters
from metachron.parameters.posterior import EFFECTS, Ensemble
from metachron.patient.examples import example_names, read_example
from metachron.patient.load import parse_patient
from metachron.patient.schema import Patient
from metachron.plan import make
from metachron.plan.basis import parameters_of, rests
from metachron.plan.limits import limits, status
from metachron.plan.make import make_plan
from metachron.plan.results import worst
from metachron.population import domain
from metachron.population.domain import (
    CELLS,
    Row,
    judge_domain,
    judge_patient,
    needs,
    own_setting,
    treatments_of,
)
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.language import resolve
from metachron.strategies.schema import Strategy

CATALOGUE = load_catalogue()
SMALL: dict[str, Any] = {"twins": 100, "draws": 4, "horizon_years": 3.0}
UNRESECTABLE = "unresectable_ras_mutant"
KEYS = ("kappa_fp", "kappa_ox", "kappa_iri", "vegf_imax", "death_intercept", "occult_intercept")


def strategy(expression: str) -> Strategy:
    return CATALOGUE.strategies.get(expression) or resolve(expression, CATALOGUE)


def changed(example: str, **changes: Any) -> Patient:
    return parse_patient({**read_example(example).model_dump(mode="json"), **changes})


def row(**changes: Any) -> Row:
    """A first-line trial of 500 patients with FOLFOX and bevacizumab, fitted."""
    fields: dict[str, Any] = {
        "trial": "A", "arm": "a", "setting": "first_line", "n": 500, "fitted": ("OS", "PFS"), "shown": (),
        "given": frozenset({"fluoropyrimidine", "oxaliplatin", "anti-VEGF"}), "operations": 0,
        "age": (20.0, 85.0), "lesions": 20.0, "largest_mm": None, "sum_mm": 400.0,
        "shares": {"ecog_2": 0.2, "ras_mutant": 0.4, "braf_mutant": 0.1, "msi_high": 0.1,
                   "extrahepatic": 0.7},
    }  # fmt: skip
    return Row(**{**fields, **changes})


def region(monkeypatch: pytest.MonkeyPatch, *rows: Row) -> None:
    monkeypatch.setattr(domain, "load_region", lambda: rows)


def ensemble(**contraction: float) -> Ensemble:
    """Every key parameter pinned unless said otherwise; rows at the prior medians."""
    medians = median_parameters(prior=True)
    values = np.array([[float(medians[name][0]) for name in KEYS]] * 6)
    found = {**dict.fromkeys(KEYS, 0.6), **contraction}
    return Ensemble(
        KEYS, values, np.full((6, len(EFFECTS)), 0.1), found, ("A", "B"), "0123456789ab", "9.9", 7
    )


# --- patients ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", example_names())
def test_ordinary_patients_are_inside(name: str) -> None:
    assert judge_patient(read_example(name)) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"age_years": 101}, "age 101 years; registered trials hold"),
        ({"age_years": 18.0}, "age 18 years"),
        ({"ecog": 3}, "ECOG 3; registered trials hold ECOG 0 to 2 only"),
        ({"metastases": [], "metastasis_summary": {"liver_lesions": 60}}, "60 visible metastases"),
    ],
)
def test_nobody_like_this_patient_was_in_a_trial(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], said: str
) -> None:
    region(monkeypatch, row())
    (reason,) = judge_patient(changed(UNRESECTABLE, **changes))
    assert reason.startswith(said)


def test_what_is_not_known_takes_nobody_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    region(monkeypatch, row(shares={}))
    known = changed(UNRESECTABLE, ecog=None, markers={"ras": "mutant"})
    unknown = changed(UNRESECTABLE, ecog=None, markers={})
    assert judge_patient(known) == ["RAS mutant; registered trials hold fewer than 30 such patients"]
    assert judge_patient(unknown) == []


def test_stage_1_is_in_no_trial() -> None:
    primary = read_example("stage3_adjuvant").primary.model_dump(mode="json")
    early = {**primary, "t": "T1", "n": "N0", "nodes_positive": 0}
    assert judge_patient(changed("stage3_adjuvant", primary=early))[0].startswith("stage I;")
    later = {**early, "t": "T3"}
    assert judge_patient(changed("stage3_adjuvant", primary=later)) == []


def test_what_only_trials_of_another_setting_hold_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps the figures from being called calibrated, and takes nobody outside."""
    patient = changed(UNRESECTABLE, age_years=80)
    region(monkeypatch, row(age=(20.0, 75.0)), row(trial="B", setting="second_line"))
    found = judge_domain(patient, strategy("mfolfox6_bevacizumab"), CATALOGUE)
    assert not found.outside
    assert found.gaps["os"] == (
        "age 80 years; fitted trials of first-line treatment hold 20 to 75 years (500 patients)",
    )
    region(monkeypatch, row(age=(20.0, 75.0)))
    assert judge_domain(patient, strategy("mfolfox6_bevacizumab"), CATALOGUE).patient


def test_arms_that_are_only_shown_hold_no_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    region(monkeypatch, row(age=(20.0, 75.0)), row(fitted=(), shown=("OS",), age=(20.0, 95.0)))
    assert judge_patient(changed(UNRESECTABLE, age_years=80))


def test_an_empty_registry_judges_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    region(monkeypatch)
    found = judge_domain(changed(UNRESECTABLE, age_years=101), strategy("til"), CATALOGUE)
    assert not found.outside
    assert found.gaps["os"]


# --- strategies ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("example", "expression", "expected"),
    [
        ("stage3_adjuvant", "mfolfox6*12", {("adjuvant", "fluoropyrimidine"), ("adjuvant", "oxaliplatin")}),
        ("stage3_adjuvant", "observation", {("adjuvant", "no treatment")}),
        (UNRESECTABLE, "best_supportive_care", {("first_line", "no treatment")}),
        (
            UNRESECTABLE,
            "capecitabine > [progression] irinotecan > [progression] trifluridine_tipiracil",
            {
                ("first_line", "fluoropyrimidine"),
                ("second_line", "irinotecan"),
                ("later_line", "trifluridine"),
            },
        ),
        (
            "metachronous_solitary",
            "hepatectomy > [recurrence, 3 lesions, 50 mm] repeat_hepatectomy",
            {("liver_local", "hepatectomy"), ("liver_local", "repeat_hepatectomy")},
        ),
        (
            "metachronous_solitary",
            "capecitabine*4 > microwave",
            {("liver_local", "fluoropyrimidine"), ("liver_local", "microwave")},
        ),
        ("msi_high", "sotorasib_panitumumab", {("first_line", "sotorasib"), ("first_line", "anti-EGFR")}),
        ("metachronous_solitary", "hepatectomy > cik*4",
         {("liver_local", "hepatectomy"), ("liver_local", "infused cells")}),
    ],
)  # fmt: skip
def test_what_a_strategy_rests_on(example: str, expression: str, expected: set[tuple[str, str]]) -> None:
    assert set(needs(read_example(example), strategy(expression), CATALOGUE)) == expected


def test_lines_given_before_move_the_setting() -> None:
    patient = read_example("recurrence_after_hepatectomy")
    assert start_line(patient) == 1
    assert needs(patient, strategy("folfiri"), CATALOGUE)[0][0] == "second_line"
    assert own_setting(patient, CATALOGUE) == "liver_local"


def test_a_drug_of_no_registered_trial_is_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A drug for BRAF says nothing of one for HER2, though the model gives both one kill rate."""
    region(monkeypatch, row(), row(given=frozenset({"encorafenib", "anti-EGFR"})))
    patient = read_example(UNRESECTABLE)
    inside = judge_domain(patient, strategy("encorafenib_cetuximab"), CATALOGUE)
    outside = judge_domain(patient, strategy("trastuzumab_tucatinib"), CATALOGUE)
    assert not inside.outside
    assert inside.gaps["os"] == ()
    assert outside.strategy == (
        "no registered trial has trastuzumab",
        "no registered trial has tucatinib",
    )


def test_drugs_of_shown_arms_are_inside_and_never_calibrated(monkeypatch: pytest.MonkeyPatch) -> None:
    region(monkeypatch, row(), row(given=frozenset({"sotorasib", "anti-EGFR"}), fitted=(), shown=("PFS",)))
    found = judge_domain(read_example(UNRESECTABLE), strategy("sotorasib_panitumumab"), CATALOGUE)
    assert not found.outside
    assert "no fitted trial of first-line treatment has sotorasib" in found.gaps["os"]


def test_the_third_liver_resection_is_outside() -> None:
    patient = read_example("recurrence_after_hepatectomy")
    second = judge_domain(patient, strategy("repeat_hepatectomy"), CATALOGUE)
    assert not second.outside
    again = patient.prior_treatments[0].model_copy(update={"name": "hepatectomy"})
    third = patient.model_copy(update={"prior_treatments": [*patient.prior_treatments, again]})
    found = judge_domain(third, strategy("repeat_hepatectomy"), CATALOGUE)
    assert found.strategy == ("3 liver resections in a life; registered trials hold 2 at most",)
    assert not judge_domain(third, strategy("microwave"), CATALOGUE).outside


def test_trials_and_patients_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    others = (
        row(trial="B", n=100),
        row(trial="B", n=50, given=frozenset({"oxaliplatin"})),
        row(trial="C", setting="maintenance", given=frozenset({"anti-VEGF"}), n=7),
        row(trial="D", setting="second_line"),
        row(trial="E", given=frozenset({"irinotecan"})),
    )
    region(monkeypatch, row(), *others)
    found = judge_domain(read_example(UNRESECTABLE), strategy("mfolfox6_bevacizumab"), CATALOGUE)
    assert (found.same.trials, found.same.patients) == (2, 600)
    assert (found.parts.trials, found.parts.patients) == (3, 657)


def test_fewer_patients_than_thirty_cover_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    region(monkeypatch, row(), row(given=frozenset({"irinotecan"}), n=29))
    found = judge_domain(read_example(UNRESECTABLE), strategy("irinotecan"), CATALOGUE)
    assert found.gaps["os"] == ("no fitted trial of first-line treatment has irinotecan",)


def test_only_trials_of_the_ensemble_count_as_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    region(monkeypatch, row())
    patient, plan = read_example(UNRESECTABLE), strategy("mfolfox6_bevacizumab")
    assert judge_domain(patient, plan, CATALOGUE, ["A"]).gaps["os"] == ()
    assert len(judge_domain(patient, plan, CATALOGUE, ["B"]).gaps["os"]) == 3


def test_each_outcome_has_its_own_coverage(monkeypatch: pytest.MonkeyPatch) -> None:
    region(monkeypatch, row(fitted=("PFS",)))
    found = judge_domain(read_example(UNRESECTABLE), strategy("mfolfox6_bevacizumab"), CATALOGUE)
    assert found.gaps["os"]
    assert found.gaps["rfs_or_pfs"] == ()


# --- what the figures rest on --------------------------------------------------------------------------


def rested(monkeypatch: pytest.MonkeyPatch, expression: str, found: Ensemble | None, **changes: Any) -> Any:
    region(monkeypatch, row(**changes))
    plan = strategy(expression)
    return rests(plan, judge_domain(read_example(UNRESECTABLE), plan, CATALOGUE), found, CATALOGUE)


def test_calibrated_when_covered_and_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    found = rested(monkeypatch, "mfolfox6_bevacizumab", ensemble())
    assert found.outcomes == {"os": "calibrated", "rfs_or_pfs": "calibrated", "hepatic_rfs": "prior-driven"}
    assert found.overall == "calibrated"
    assert found.note == ""


def test_prior_driven_without_an_ensemble(monkeypatch: pytest.MonkeyPatch) -> None:
    found = rested(monkeypatch, "mfolfox6_bevacizumab", None)
    assert set(found.outcomes.values()) == {"prior-driven"}
    assert "from the prior" in found.note


def test_prior_driven_when_a_key_parameter_is_loose(monkeypatch: pytest.MonkeyPatch) -> None:
    loose = rested(monkeypatch, "mfolfox6_bevacizumab", ensemble(kappa_ox=0.19))
    assert loose.overall == "prior-driven"
    assert "oxaliplatin kill" in loose.note
    assert rested(monkeypatch, "mfolfox6_bevacizumab", ensemble(kappa_ox=0.20)).overall == "calibrated"
    death = rested(monkeypatch, "mfolfox6_bevacizumab", ensemble(death_intercept=0.0))
    assert (death.outcomes["os"], death.outcomes["rfs_or_pfs"]) == ("prior-driven", "calibrated")
    assert death.overall == "prior-driven"


def test_infused_cells_are_never_calibrated(monkeypatch: pytest.MonkeyPatch) -> None:
    given = frozenset({"fluoropyrimidine", "oxaliplatin", "infused cells"})
    found = rested(monkeypatch, "mfolfox6_cik_midcycle", ensemble(), given=given)
    assert found.overall == "prior-driven"
    assert "infused cells" in found.note


def test_outside_comes_before_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    found = rested(monkeypatch, "mfolfox6_bevacizumab", ensemble(), age=(20.0, 50.0))
    assert set(found.outcomes.values()) | set(found.toxicity.values()) | {found.completion} == {"outside"}
    assert "Not ranked" not in found.note
    assert "not ranked" in found.note


def test_side_effects_follow_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind is as firm as the weakest frequency behind it; `any` as the weakest kind."""
    found = rested(monkeypatch, "mfolfox6_bevacizumab", None)
    for kind in found.toxicity.keys() - {"any"}:
        rates = [
            rate.grade3plus.status
            for name in ("mfolfox6", "bevacizumab")
            for rate in CATALOGUE.regimens[name].toxicity
            if rate.kind == kind
        ]
        if rates:
            firm = all(s in ("read", "derived") for s in rates)
            assert found.of_kind(kind) == ("calibrated" if firm else "prior-driven"), kind
    assert found.of_kind("any") == worst(found.toxicity.values())
    assert found.of_kind("unheard of") == found.of_kind("any")


def test_every_treatment_of_the_catalogue_turns_on_a_known_parameter() -> None:
    """Operations have none of their own: what decides is the unseen load, by setting."""
    given = {g for plan in CATALOGUE.strategies.values() for step in plan.steps
             for g in treatments_of(step, CATALOGUE)}  # fmt: skip
    without = {g for g in given if not parameters_of(g, CATALOGUE)}
    operations = {name for name, p in CATALOGUE.procedures.items() if p.kind == "resection"}
    assert without <= operations | {CELLS}
    assert {name for g in given for name in parameters_of(g, CATALOGUE)} <= load_parameters().keys()


def test_the_weakest_of_several() -> None:
    assert worst(["calibrated", "outside", "prior-driven"]) == "outside"
    assert worst([]) == "calibrated"


# --- whole plans ---------------------------------------------------------------------------------------


def test_nothing_is_ranked_for_a_patient_outside() -> None:
    plan = make_plan(changed("stage3_adjuvant", age_years=101), **SMALL)
    assert plan.outside
    assert plan.comparison == []
    assert set(plan.not_ranked) == {s.name for s in plan.strategies}
    for s in plan.strategies:
        assert s.basis == "outside"
        assert s.domain is not None
        assert s.domain.outside
        if s.outcomes is not None:
            assert {s.outcomes.os.basis, s.outcomes.rfs_or_pfs.basis} == {"outside"}
            assert {t.basis for t in s.outcomes.toxicity} == {"outside"}
            assert "not ranked" in s.outcomes.basis_note


def test_a_strategy_outside_is_shown_and_not_compared() -> None:
    plan = make_plan(
        read_example("synchronous_bilobar"), strategies=["two_stage_mfolfox6", "mfolfox6"], **SMALL
    )
    two_stage, mfolfox6 = plan.strategies[:2]
    assert two_stage.basis == "outside"
    assert two_stage.outcomes is not None
    assert two_stage.name in plan.not_ranked
    assert {d.strategy for d in plan.comparison} == {mfolfox6.name}
    assert not plan.outside


def test_a_plan_from_an_ensemble_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from metachron.parameters import draws as drawing

    found = ensemble()
    monkeypatch.setattr(make, "load_ensemble", lambda: found)
    monkeypatch.setattr(drawing, "load_ensemble", lambda: found)
    region(monkeypatch, row(), row(trial="B", given=frozenset({"fluoropyrimidine", "oxaliplatin"})))
    options: dict[str, Any] = {"strategies": ["mfolfox6_bevacizumab", "mfolfox6"], **SMALL}
    plan = make_plan(read_example(UNRESECTABLE), **options)
    assert plan.provenance.source == "ensemble"
    assert plan.provenance.id in plan.parameters_status
    assert plan.provenance.trials == ["A", "B"]
    assert [s.basis for s in plan.strategies] == ["calibrated", "calibrated"]
    bases = {d.endpoint: d.basis for d in plan.comparison}
    assert bases["os"] == "calibrated"
    assert bases["hepatic_rfs"] == "prior-driven"
    prior = make_plan(read_example(UNRESECTABLE), prior=True, **options)
    assert prior.provenance.source == "prior"
    assert prior.settings["prior"]
    assert {s.basis for s in prior.strategies} == {"prior-driven"}
    assert prior.strategies[0].outcomes != plan.strategies[0].outcomes


def test_what_a_plan_says_of_its_parameters() -> None:
    assert "not fitted" in status(None)
    assert "2 registered trials" in status(ensemble())
    assert "seed 7" in status(ensemble())
    assert any("not been fitted" in text for text in limits(None))
    assert not any("not been fitted" in text or "before calibration" in text for text in limits(ensemble()))


def test_partners_that_begin_together_are_one_line() -> None:
    patient = read_example("unresectable_ras_mutant")
    record = patient.model_dump(mode="json")
    entry = {"name": "mfolfox6", "setting": "metastatic", "start": "2024-01-10", "cycles": 6}
    for extra, lines in (
        ([], 1),
        ([{**entry, "name": "bevacizumab"}], 1),
        ([{**entry, "name": "folfiri", "start": "2024-06-10"}], 2),
    ):
        record["prior_treatments"] = [entry, *extra]
        assert start_line(Patient.model_validate(record)) == lines
