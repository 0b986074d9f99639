"""Eligibility: each rule fires and does not fire, unknown is never negative, doses, intervals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_cases import BASE, PAST, fires, given_before, patient, rules, strategy, verdict

from metachron.errors import InputError
from metachron.evidence.references import load_references
from metachron.patient.load import read_patient
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.eligibility import judge, load_rules
from metachron.strategies.grade import load_grades
from metachron.strategies.logic import Answer, parse
from metachron.strategies.predicates import FACTS
from metachron.strategies.rules_docs import update
from metachron.strategies.schema import EffectClass, Intent

CONTROL, CURE = Intent.DISEASE_CONTROL, Intent.CURATIVE


def test_base_patient_may_have_the_standards() -> None:
    for plan in (
        "hepatectomy",
        "mfolfox6*6 > hepatectomy > mfolfox6*6",
        "microwave",
        "hepatectomy + microwave",
    ):
        assert verdict(plan).eligible == "yes", plan
    positive = verdict("hepatectomy")
    assert all(reason.citations for reason in positive.reasons)
    assert "surgery-all-lesions" in rules(positive, "eligible")
    assert "60%" in " ".join(reason.text for reason in positive.reasons)


# --- three truth values


@pytest.mark.parametrize(
    ("plan", "path", "needs"),
    [
        ("hepatectomy", "liver.all_lesions_resectable", "liver.all_lesions_resectable"),
        ("hepatectomy", "liver.remnant_share", "liver.remnant_share"),
        ("mfolfox6 + panitumumab", "markers.ras", "markers.ras"),
        ("mfolfox6 + panitumumab", "primary.site", "primary.site"),
        ("pembrolizumab", "markers.msi", "markers.msi"),
        ("mfolfox6", "markers.dpyd", "markers.dpyd"),
        ("mfolfox6", "neuropathy_grade", "neuropathy_grade"),
        ("capox", "labs.creatinine_clearance_ml_min", "labs.creatinine_clearance_ml_min"),
        ("mfolfox6", "ecog", "ecog"),
        ("microwave", "metastasis_summary.largest_liver_mm", "metastasis_summary.largest_liver_mm"),
    ],
)
def test_unknown_asks_for_the_field(plan: str, path: str, needs: str) -> None:
    result = verdict(
        plan, {path: None, "markers.msi": None} if plan == "pembrolizumab" else {path: None}, CURE
    )
    assert result.eligible == "unknown"
    assert needs in result.needs
    assert needs in {field for r in result.reasons if r.verdict == "needs information" for field in r.needs}


def test_unknown_is_not_negative_and_not_positive() -> None:
    assert verdict("pembrolizumab", {"markers.msi": None}, CONTROL).eligible == "unknown"
    assert verdict("pembrolizumab", {"markers.msi": "MSS"}, CONTROL).eligible == "no"
    assert verdict("pembrolizumab", {"markers.msi": "MSI-high"}, CONTROL).eligible == "yes"


def test_what_is_missing_is_sorted() -> None:
    assert verdict("mfolfox6", {"markers.dpyd": None}, CONTROL).pending == "safety"
    assert verdict("mfolfox6 + panitumumab", {"markers.ras": None}, CONTROL).pending == "indication"
    assert verdict("mfolfox6", {}, CONTROL).pending == ""


def test_a_refusal_stands_when_other_facts_are_unknown() -> None:
    result = verdict(
        "hepatectomy", {"fit_for_major_surgery": False, "ecog": None, "liver.remnant_share": None}
    )
    assert result.eligible == "no"
    assert result.reasons[0].verdict == "not eligible"
    assert "liver.remnant_share" in result.needs


def test_kleene_logic() -> None:
    facts = {"t": Answer(True), "f": Answer(False), "u": Answer(None, ("x",))}

    def truth(tree: Any) -> bool | None:
        return parse(tree, facts, "test").evaluate(facts.__getitem__).truth

    t, f, u = ({"fact": name, "is": True} for name in "tfu")
    assert truth({"all": [t, u]}) is None
    assert truth({"all": [f, u]}) is False
    assert truth({"any": [t, u]}) is True
    assert truth({"any": [f, u]}) is None
    assert truth({"not": u}) is None
    assert truth({"not": f}) is True


OPTIONAL_FIELDS: dict[str, list[Any]] = {
    "ecog": [0, 1, 2, 3, 4],
    "fit_for_major_surgery": [True, False],
    "markers.ras": ["wild type", "mutant"],
    "markers.braf": ["wild type", "V600E", "other"],
    "markers.msi": ["MSS", "MSI-high"],
    "markers.dpyd": ["normal", "intermediate", "poor"],
    "markers.ugt1a1": ["*1/*1", "*28/*28"],
    "markers.her2": ["amplified", "negative"],
    "primary.site": ["caecum", "sigmoid colon"],
    "primary.n": ["N0", "N1"],
    "labs.creatinine_clearance_ml_min": [20, 40, 90],
    "labs.neutrophils_e9_l": [1.0, 4.0],
    "labs.platelets_e9_l": [60, 90, 250],
    "labs.bilirubin_umol_l": [10, 40, 90],
    "labs.cea_ng_ml": [5, 300],
    "liver.remnant_share": [0.15, 0.25, 0.35, 0.6],
    "liver.steatosis": [True, False],
    "liver.cirrhosis": ["none", "Child-Pugh A", "Child-Pugh C"],
    "liver.all_lesions_resectable": [True, False],
    "metastasis_summary.liver_lesions": [1, 3, 12],
    "metastasis_summary.largest_liver_mm": [20, 40, 60],
    "metastasis_summary.extrahepatic": [True, False],
    "neuropathy_grade": [0, 2, 3],
}
PLANS = [
    "hepatectomy",
    "mfolfox6*6 > hepatectomy > mfolfox6*6",
    "mfolfox6*6 + bevacizumab > hepatectomy",
    "hepatectomy + microwave",
    "cryoablation",
    "folfiri + cetuximab",
    "capox",
    "folfoxiri + bevacizumab",
    "pembrolizumab",
    "trastuzumab_tucatinib",
    "til",
]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(PLANS),
    st.fixed_dictionaries({k: st.sampled_from(v) for k, v in OPTIONAL_FIELDS.items()}),
    st.sets(st.sampled_from(sorted(OPTIONAL_FIELDS))),
)
def test_learning_a_field_never_overturns_a_decided_answer(
    plan: str, full: dict[str, Any], hidden: set[str]
) -> None:
    less = verdict(plan, {**full, **dict.fromkeys(hidden)})
    more = verdict(plan, full)
    if less.eligible != "unknown":
        assert more.eligible == less.eligible
    assert rules(less, "not eligible") <= rules(more, "not eligible")


# --- doses


def test_dpyd_halves_the_fluoropyrimidine() -> None:
    result = verdict("mfolfox6", {"markers.dpyd": "intermediate"}, CONTROL)
    assert result.eligible == "yes"
    assert result.dose_factors == {EffectClass.FP: 0.5}
    assert verdict("mfolfox6", {"markers.dpyd": "poor"}, CONTROL).eligible == "no"
    assert verdict("mfolfox6", {}, CONTROL).dose_factors == {}


def test_ugt1a1_lowers_irinotecan_and_unknown_does_not_block() -> None:
    assert verdict("folfiri", {"markers.ugt1a1": "*28/*28"}, CONTROL).dose_factors == {EffectClass.IRI: 0.7}
    unknown = verdict("folfiri", {"markers.ugt1a1": None}, CONTROL)
    assert unknown.eligible == "yes"
    assert "markers.ugt1a1" in unknown.needs


def test_kidney_lowers_capecitabine_not_fluorouracil() -> None:
    low = {"labs.creatinine_clearance_ml_min": 40}
    assert verdict("capox", low, CONTROL).dose_factors == {EffectClass.FP: 0.75}
    assert verdict("mfolfox6", low, CONTROL).dose_factors == {}
    both = {**low, "markers.dpyd": "intermediate"}
    assert verdict("capox", both, CONTROL).dose_factors == {EffectClass.FP: 0.375}
    # the same drug in two steps lowers the dose once
    assert verdict("capox*4 > hepatectomy > capox*4", low).dose_factors == {EffectClass.FP: 0.75}


# --- intervals


def with_gap(plan: str, index: int, days: int | None, stop_cycles: int | None = None) -> Any:
    """The plan with the gap before one step set."""
    made = strategy(plan)
    steps = list(made.steps)
    steps[index] = steps[index].model_copy(update={"gap_days": days})
    if stop_cycles is not None:
        change = {"stop_partner_before_surgery_cycles": stop_cycles}
        steps[index - 1] = steps[index - 1].model_copy(update=change)
    return made.model_copy(update={"steps": steps})


def judged(plan: Any, changes: dict[str, Any] | None = None) -> set[str]:
    return rules(judge(patient(changes), plan, load_catalogue()), "not eligible")


@pytest.mark.parametrize(
    # the last dose is given on the first day of its cycle of 14 days
    ("gap", "stop", "refused"),
    [(27, 0, True), (28, 0, False), (14, 1, False), (13, 1, True)],
)
def test_six_weeks_from_bevacizumab_to_the_operation(gap: int, stop: int, refused: bool) -> None:
    plan = with_gap("mfolfox6*6 + bevacizumab > hepatectomy", 1, gap, stop)
    assert ("anti-vegf-to-surgery" in judged(plan)) is refused


@pytest.mark.parametrize(
    ("regimen", "gap", "refused"),
    [
        ("mfolfox6", 13, True),
        ("mfolfox6", 14, False),
        ("mfolfox6", None, False),
        ("capox", 6, True),  # a cycle of 21 days
        ("capox", 7, False),
    ],
)
def test_four_weeks_from_chemotherapy_to_the_operation(regimen: str, gap: int | None, refused: bool) -> None:
    plan = with_gap(f"{regimen}*6 > hepatectomy", 1, gap)
    assert ("chemotherapy-to-surgery" in judged(plan)) is refused


def test_the_interval_of_the_planner_is_as_good_when_written_out() -> None:
    """The default gap after mFOLFOX6 is 14 days (four weeks from the last dose): said or not, one verdict."""
    left = strategy("mfolfox6*6 + bevacizumab > hepatectomy")
    written = strategy("mfolfox6*6 + bevacizumab > [14d] hepatectomy")
    assert judged(written) == judged(left)
    assert [s.stop_partner_before_surgery_cycles for s in written.steps] == [1, 0]
    case = read_patient(Path(__file__).parents[2] / "examples" / "synchronous_bilobar.json")
    named = load_catalogue().strategies["conversion_mfolfox6_bevacizumab"]
    gap = named.steps[1].model_copy(update={"gap_days": 14})
    twin = named.model_copy(update={"steps": [named.steps[0], gap, *named.steps[2:]]})
    one, other = (judge(case, plan, load_catalogue()) for plan in (named, twin))
    assert one.eligible == other.eligible == "yes"
    assert rules(one, "not eligible") == rules(other, "not eligible") == set()


def test_a_course_between_counts_towards_the_interval() -> None:
    plan = "mfolfox6*6 + bevacizumab > capecitabine*1 > hepatectomy"
    assert "anti-vegf-to-surgery" not in judged(
        with_gap(plan, 2, 7)
    )  # 14 of the last cycle, 21 between and 7
    assert "anti-vegf-to-surgery" in judged(with_gap(plan, 2, 6))


@pytest.mark.parametrize(("gap", "refused"), [(27, True), (28, False), (None, False)])
def test_four_weeks_from_the_operation_to_chemotherapy(gap: int | None, refused: bool) -> None:
    plan = with_gap("hepatectomy > mfolfox6*12", 1, gap)
    assert ("surgery-to-systemic" in judged(plan)) is refused


def test_late_chemotherapy_after_liver_surgery_is_a_caution() -> None:
    def late(gap: int) -> bool:
        plan = with_gap("hepatectomy > mfolfox6*12", 1, gap)
        return "surgery-to-systemic-late" in rules(judge(patient(), plan, load_catalogue()), "eligible")

    assert late(61)
    assert not late(60)


def test_interval_reaches_back_to_treatment_already_given() -> None:
    past = given_before("bevacizumab", end="2025-05-20")  # 12 days before assessment
    assert "anti-vegf-to-surgery" in judged(with_gap("hepatectomy", 0, 29), past)
    assert "anti-vegf-to-surgery" not in judged(with_gap("hepatectomy", 0, 30), past)
    assert "anti-vegf-wait" in rules(verdict("hepatectomy", past), "eligible")
    undated = {PAST: [{"name": "bevacizumab", "setting": "metastatic", "response": "SD"}]}
    result = judge(patient(undated), with_gap("hepatectomy", 0, 10), load_catalogue())
    assert "prior_treatments[0].end" in result.needs


def test_cells_on_the_day_of_chemotherapy() -> None:
    assert fires("cells-on-chemotherapy-day", "mfolfox6*12 + cik*6@1", CONTROL, {})
    assert not fires("cells-on-chemotherapy-day", "mfolfox6*12 + cik*6@8", CONTROL, {})


# --- the rules as data


def test_every_citation_exists() -> None:
    known = load_references()
    used = {key for rule in (*load_rules(), *load_grades()) for key in rule.citations}
    assert used <= set(known), sorted(used - set(known))


def test_every_rule_and_fact_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "eligibility.md").read_text(encoding="utf-8")
    assert update(page) == page, "run python -m metachron.strategies.rules_docs docs/eligibility.md"
    assert all(f"| `{rule.name}` |" in page for rule in (*load_rules(), *load_grades()))
    assert all(f"| `{name}` |" in page for name in FACTS)


def test_a_rule_with_an_unknown_fact_is_refused(tmp_path: Path) -> None:
    rule = "- {name: x, applies_to: {drugs: [oxaliplatin]}, when: {fact: nonsense, is: 1}, effect: refuse}"
    (tmp_path / "bad.yaml").write_text(rule, encoding="utf-8")
    with pytest.raises(InputError, match="nonsense"):
        load_rules(tmp_path)


def test_base_patient_is_complete() -> None:
    assert patient().model_dump(mode="json")["markers"] == BASE["markers"]
