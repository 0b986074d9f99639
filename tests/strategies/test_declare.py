"""What a strategy may declare: waits in brackets, rules, what follows; and how faults are answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from rule_cases import NOTHING_VISIBLE, fires, patient, strategy, verdict

from metachron.errors import InputError
from metachron.model.toxicity import KINDS
from metachron.patient.examples import read_example
from metachron.strategies.after import following, load_defaults
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.files import load_strategy_file
from metachron.strategies.grade import evidence_grade
from metachron.strategies.language import format_strategy, parse_strategy, resolve
from metachron.strategies.lines import next_lines
from metachron.strategies.rule import REPORTED_TOXICITIES, SIMULATED_TOXICITIES, STATES, TARGETS
from metachron.strategies.schema import EffectClass, Intent, OnlyIf, Rule, Starts

CATALOGUE = load_catalogue()
RECHALLENGE = "folfiri + cetuximab > [progression] mfolfox6 + bevacizumab > [progression] folfiri + cetuximab"

# --- brackets


def test_waits_are_read() -> None:
    first, second, third = parse_strategy(
        "mfolfox6*8 + bevacizumab > [Progression, 21d] folfiri > [50mm, recurrence, 3 lesions] microwave"
    ).steps
    assert (first.starts, first.only_if) == (Starts.PLANNED, None)
    assert (second.starts, second.gap_days) == (Starts.PROGRESSION, 21)
    assert (third.starts, third.gap_days) == (Starts.RECURRENCE, None)
    assert third.only_if == OnlyIf(max_lesions=3, max_mm=50)


@pytest.mark.parametrize(
    "text",
    [
        "hepatectomy > [recurrence, 28d, 3 lesions, 50 mm] repeat_hepatectomy",
        "hepatectomy > [recurrence, 1 lesion] microwave",
        "[recurrence] hepatectomy > mfolfox6*6",
        "mfolfox6*8 + bevacizumab > [progression] mfolfox6 + bevacizumab > [progression, 7d] folfiri",
        RECHALLENGE,
    ],
)
def test_brackets_are_written_as_they_are_read(text: str) -> None:
    assert format_strategy(parse_strategy(text)) == text


def test_what_follows_an_endless_regimen_waits_for_progression() -> None:
    assert parse_strategy("mfolfox6 > folfiri").name == "mfolfox6 > [progression] folfiri"
    assert parse_strategy("mfolfox6 > [recurrence] microwave").steps[1].starts is Starts.RECURRENCE


def test_a_resection_on_recurrence_does_not_take_bevacizumab_from_the_course_before() -> None:
    steps = parse_strategy("mfolfox6*8 + bevacizumab > [recurrence] hepatectomy").steps
    assert steps[0].stop_partner_before_surgery_cycles == 0


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("mfolfox6*12 > [recurrence] hepatectomy", Intent.ADJUVANT),
        ("mfolfox6*8 > [progression] mfolfox6", Intent.DISEASE_CONTROL),
        ("hepatectomy > [recurrence] repeat_hepatectomy", Intent.CURATIVE),
        ("[progression] folfiri", Intent.OBSERVATION),
    ],
)
def test_intent_comes_from_what_is_planned(text: str, intent: Intent) -> None:
    assert parse_strategy(text).intent == intent


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("mfolfox6 > [progresion] folfiri", 12, "Did you mean progression?"),
        ("hepatectomy > [recurrence, 3 lessions] microwave", 28, "Did you mean 3 lesions?"),
        ("hepatectomy > [recurrence, 50 cm] microwave", 28, "no meaning in brackets"),
        ("hepatectomy > [recurrence, progression] microwave", 28, "a trigger is written twice"),
        ("hepatectomy > [28d, 14d] mfolfox6*6", 21, "days is written twice"),
        ("hepatectomy > [recurrence, 99 lesions] microwave", 28, "1 to 64"),
        ("hepatectomy > [recurrence, 999 mm] microwave", 28, "1 to 300"),
        ("hepatectomy > [] mfolfox6*6", 15, "nothing stands in the brackets"),
        ("hepatectomy > [progression, 3 lesions] microwave", 15, "on recurrence"),
        ("hepatectomy > [recurrence, 50 mm] mfolfox6*6", 15, "before a procedure"),
        ("hepatectomy > [recurrence microwave", 15, "no meaning here"),
        ("mfolfox6 > hepatectomy", 1, "wait for [progression]"),
    ],
)
def test_faults_in_brackets_are_answered_at_their_column(text: str, column: int, words: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_strategy(text)
    assert [p.path for p in caught.value.problems] == [f"column {column}"]
    assert words in str(caught.value)


# --- rules


def rule(**changes: Any) -> Rule:
    base = {"name": "x", "state": "neutrophil_nadir", "below": 0.5, "action": "reduce", "value": 0.8}
    return Rule.model_validate({k: v for k, v in (base | changes).items() if v is not None})


def test_a_rule_is_read_when_its_state_is_known() -> None:
    assert rule().read_at == "cycle_end"
    assert rule(state="neutrophils", below=1.5).read_at == "cycle_start"
    assert rule(at="scan").read_at == "scan"
    assert rule().acts_on == "all cytotoxics"
    assert rule(action="end", value=None).acts_on == "everything"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"below": None}, "no limit"),
        ({"at_least": 0.2}, "two limits"),
        ({"below": 50.0}, "outside 0.1 to 20"),
        ({"state": "neutropenia_grade", "below": None, "at_least": 1}, "outside 2 to 4"),
        ({"state": "response", "below": None}, "compared with `is"),
        ({"is": ["stable disease"]}, "is for response"),
        ({"kind": "diarrhoea"}, "kind is for toxicity_grade"),
        (
            {"state": "toxicity_grade", "below": None, "at_least": 3, "kind": "diarrhea"},
            "did you mean diarrhoea",
        ),
        ({"state": "toxicity_grade", "below": None, "at_least": 2, "kind": "diarrhoea"}, "not simulated"),
        ({"state": "toxicity_grade", "below": None, "at_least": 2}, "not simulated"),
        ({"target": "oxaliplatine"}, "did you mean oxaliplatin"),
        ({"value": None}, "reduce needs value"),
        ({"value": 1.2}, "between 0 and 1"),
        ({"value": 0.4, "of": "full"}, "under the floor"),
        ({"action": "stop"}, "takes no value"),
        ({"action": "delay", "value": 7, "at": "cycle_start"}, "max_delay_days"),
        ({"action": "delay", "value": 7, "max_delay_days": 28}, "at: cycle_start"),
        ({"action": "delay", "value": 3.5, "max_delay_days": 28}, "whole days"),
        ({"action": "pause", "value": None}, "until: progression"),
        ({"action": "pause", "value": 30, "until": "progression"}, "either value"),
        ({"until": "progression"}, "until is for pause"),
        ({"max_delay_days": 28}, "belongs to delay"),
        ({"also": {"state": "response", "at_least": 1}}, "cannot be a second limit"),
        ({"also": {"state": "cycles"}}, "no limit"),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        rule(**changes)


def test_words_agree_with_the_model() -> None:
    assert (*SIMULATED_TOXICITIES, *REPORTED_TOXICITIES) == KINDS
    assert set(TARGETS) >= {c.value for c in EffectClass if c is not EffectClass.NONE}


def test_every_word_of_a_rule_is_explained() -> None:
    text = (Path(__file__).parents[2] / "docs" / "strategies.md").read_text(encoding="utf-8")
    words = [*STATES, *Rule.model_fields["action"].annotation.__args__, *CATALOGUE.rule_sets]  # type: ignore[union-attr]
    assert [word for word in words if f"`{word}`" not in text] == []


def test_sets_are_complete_and_honest() -> None:
    for name, rule_set in CATALOGUE.rule_sets.items():
        names = [r.name for r in rule_set.rules]
        assert len(set(names)) == len(names), name
        assert rule_set.title
        assert rule_set.citations or not rule_set.rules
        # whoever leaves the status out says "assumed"; a set of the catalogue says it itself
        assert all("status" in r.model_fields_set for r in rule_set.rules), name


def test_the_numbers_of_the_labels() -> None:
    rules = {f"{n}.{r.name}": r for n, s in CATALOGUE.rule_sets.items() for r in s.rules}
    assert rules["eloxatin_label.neuropathy_grade2_adjuvant"].value == pytest.approx(75 / 85, abs=0.001)
    assert rules["eloxatin_label.neuropathy_grade2_advanced"].value == pytest.approx(65 / 85, abs=0.001)
    assert rules["camptosar_label.neutropenia_grade3"].value == pytest.approx(150 / 180, abs=0.001)
    assert rules["camptosar_label.neutropenia_grade4"].value == pytest.approx(120 / 180, abs=0.001)
    bolus, infusion = (d.share for d in CATALOGUE.regimens["mfolfox6"].drugs if d.drug == "fluorouracil")
    assert rules["japanese_mfolfox6.neutropenia_grade4"].value == pytest.approx(infusion)
    less = bolus * 300 / 400 + infusion * 2000 / 2400
    assert rules["japanese_mfolfox6.toxicity_fluorouracil"].value == pytest.approx(less, abs=0.002)


# --- files and what follows

FILE = {
    "name": "mine",
    "title": "Mine",
    "summary": "Short.",
    "intent": "disease control",
    "plan": "mfolfox6 + bevacizumab",
}


def load(folder: Path, **changes: Any) -> Any:
    record = {k: v for k, v in (FILE | changes).items() if v is not None}
    path = folder / "mine.yaml"
    path.write_text(json.dumps(record), encoding="utf-8")  # JSON is YAML
    return load_strategy_file(path)[0]


def test_rule_sets_add_up(tmp_path: Path) -> None:
    own = {"name": "o", "state": "cycles", "at_least": 6, "action": "stop", "target": "oxaliplatin"}
    found = load(tmp_path, dose_rules=["label", "secondary_gcsf"], rules=[own])
    rules = CATALOGUE.rules_of(found)
    assert len(rules) == len(CATALOGUE.rule_sets["label"].rules) + 3 + 1
    assert rules[-1].name == "o"
    assert CATALOGUE.rules_of(load(tmp_path, dose_rules="none")) == ()


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"dose_rules": "lable"}, "dose_rules", "Did you mean label?"),
        ({"dose_rules": ["label", "eloxatin"]}, "dose_rules", "Did you mean eloxatin_label?"),
        ({"rules": [{"name": "x", "state": "neutrophil", "below": 1, "action": "end"}]},
         "rules.0.state", "Did you mean neutrophils?"),
        ({"rules": [{"name": "x", "state": "cycles", "at_least": 1, "action": "stopp"}]},
         "rules.0.action", "Did you mean stop?"),
        ({"rules": [{"name": "x", "state": "cycles", "atleast": 1, "action": "stop"}]},
         "rules.0.atleast", "Did you mean at_least?"),
        ({"after": {"line": []}}, "after.line", "Did you mean lines?"),
        ({"after": {"on_recurrence": "local"}}, "after.on_recurrence", "local then systemic"),
        ({"after": {"lines": ["folfirri"]}}, "after.lines.0", "Did you mean folfiri?"),
        ({"after": {"lines": ["folfiri*6"]}}, "after.lines.0", "until progression"),
        ({"after": {"lines": ["hepatectomy"]}}, "after.lines.0", "until progression"),
        ({"after": {"lines": [["folfiri", "capox"]]}}, "after.lines.0", "both contain|21-day|no doses"),
        ({"after": {"repeat_local": {"procedure": "microwaves"}}}, "after.repeat_local.procedure",
         "Did you mean microwave?"),
        ({"after": {"repeat_local": {"max_mm": 900}}}, "after.repeat_local.max_mm", "300"),
        ({"plan": None, "steps": [{"regimens": ["folfiri"], "starts": "progress"}]},
         "steps.0.starts", "Did you mean progression?"),
        ({"plan": None, "steps": [{"procedures": ["microwave"], "starts": "recurrence", "only_if": {}}]},
         "steps.0.only_if", "max_lesions"),
    ],
)  # fmt: skip
def test_typing_errors_in_a_file(tmp_path: Path, changes: dict[str, Any], path: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        load(tmp_path, **changes)
    assert caught.value.problems[0].path == path


def test_resolve_reads_files(tmp_path: Path) -> None:
    two = tmp_path / "two.yml"
    two.write_text(json.dumps([FILE, FILE | {"name": "other", "plan": "folfiri"}]), encoding="utf-8")
    assert resolve(f"{two}#Other").steps[0].regimens == ["folfiri"]
    with pytest.raises(InputError, match="holds several strategies"):
        resolve(str(two))
    with pytest.raises(InputError, match="holds no strategy 'third'"):
        resolve(f"{two}#third")
    with pytest.raises(InputError, match="cannot be read"):
        resolve(str(tmp_path / "none.yaml"))


def test_what_follows_is_the_catalogues_unless_declared(tmp_path: Path) -> None:
    someone = read_example("synchronous_bilobar")
    usual = following(resolve("mfolfox6"), someone)
    assert usual.lines == next_lines(someone, ["mfolfox6"])
    assert (usual.most, usual.max_mm, usual.max_lesions) == (2, 50, 3)
    assert (usual.wait_days, usual.line_wait_days, usual.on_recurrence) == (28, 14, "local then systemic")
    after = {
        "lines": ["folfiri + bevacizumab"],
        "line_wait_days": 7,
        "on_recurrence": "none",
        "repeat_local": {"procedure": "microwave", "most": 1, "max_mm": 30},
    }
    own = following(load(tmp_path, after=after), someone)
    assert own.lines == [["folfiri", "bevacizumab"]]
    assert (own.procedure, own.most, own.max_mm, own.max_lesions) == ("microwave", 1, 30, 3)
    assert (own.line_wait_days, own.on_recurrence) == (7, "none")
    assert following(load(tmp_path, after={"lines": []}), someone).lines == []


def test_the_procedure_on_recurrence_suits_the_patient() -> None:
    fit, unfit = read_example("synchronous_bilobar"), patient({"fit_for_major_surgery": False})
    assert following(resolve("hepatectomy"), fit).procedure == "repeat_hepatectomy"
    assert following(resolve("hepatectomy"), unfit).procedure == "microwave"


def test_defaults_carry_their_provenance() -> None:
    for quantity in (
        getattr(load_defaults(), name) for name in ("most", "max_mm", "max_lesions", "wait_days")
    ):
        assert quantity.status == "assumed"
        assert quantity.low <= quantity.value <= quantity.high


# --- eligibility and grade


def test_a_step_that_waits_is_not_judged_by_the_disease_of_today() -> None:
    plan = "mfolfox6*12 > [recurrence] hepatectomy"
    assert verdict(plan, NOTHING_VISIBLE, Intent.ADJUVANT).eligible == "yes"
    assert verdict("mfolfox6*12 > hepatectomy", NOTHING_VISIBLE, Intent.ADJUVANT).eligible == "no"
    assert fires("surgery-declined", plan, Intent.ADJUVANT, {"preferences.declines_surgery": True})
    assert fires("repeat-needs-first", "[recurrence] repeat_hepatectomy", Intent.OBSERVATION, {})
    assert not fires(
        "repeat-needs-first", "hepatectomy > [recurrence] repeat_hepatectomy", Intent.CURATIVE, {}
    )


def test_markers_are_asked_of_later_steps_too() -> None:
    changes = {"markers.ras": "mutant", "liver.all_lesions_resectable": False}
    plan = "mfolfox6 + bevacizumab > [progression] folfiri + cetuximab"
    assert verdict(plan, changes, Intent.DISEASE_CONTROL).eligible == "no"


@pytest.mark.parametrize(
    ("name", "grade", "row"),
    [
        ("mfolfox6_stop_and_go", "option", "oxaliplatin-stop-and-go"),
        ("mfolfox6_intermittent", "option", "treatment-free-interval"),
        ("mfolfox6_bevacizumab_reintroduced", "option", "treatment-free-interval"),
        ("folfiri_cetuximab_rechallenge", "investigational", "anti-egfr-rechallenge"),
    ],
)
def test_grades_of_what_is_declared(name: str, grade: str, row: str) -> None:
    found = evidence_grade(CATALOGUE.strategies[name], patient({"liver.all_lesions_resectable": False}))
    assert (found.grade.value, found.row) == (grade, row)


def test_stop_and_go_keeps_a_drug_and_an_interval_none() -> None:
    changes = {"liver.all_lesions_resectable": False}

    def row(plan: str) -> str:
        return evidence_grade(strategy(plan, Intent.DISEASE_CONTROL), patient(changes)).row

    assert row("mfolfox6*6 > [progression] mfolfox6") == "treatment-free-interval"
    assert row("mfolfox6*6 > lv5fu2 > [progression] mfolfox6") != "treatment-free-interval"
    assert row("mfolfox6 > [progression] folfiri") != "treatment-free-interval"


def test_trials_of_intervals_saw_no_gain_in_survival() -> None:
    found = evidence_grade(
        CATALOGUE.strategies["mfolfox6_intermittent"], patient({"liver.all_lesions_resectable": False})
    )
    assert found.no_gain
    assert {t.citation for t in found.trials} <= set(found.citations)
    assert found.trials[0].words == (
        "COIN, against continuous chemotherapy: hazard ratio of death 1.08"
        " (80 % interval 1.01 to 1.17; recalled)"
    )
    assert all(t.low <= t.hazard_ratio <= t.high for t in found.trials)


def test_a_switch_of_drugs_is_no_rechallenge() -> None:
    plan = "mfolfox6 + bevacizumab > [progression] folfiri + bevacizumab"
    found = evidence_grade(
        strategy(plan, Intent.DISEASE_CONTROL), patient({"liver.all_lesions_resectable": False})
    )
    assert found.row == "combination-anti-vegf"
