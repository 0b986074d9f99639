"""The strategy language: what it means, what it refuses, and that it reads what it writes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metachron.errors import InputError
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.files import load_strategy_file
from metachron.strategies.language import (
    ANTIVEGF_FREE_DAYS,
    LEAST_DAYS_TO_SURGERY,
    format_strategy,
    parse_strategy,
    resolve,
)
from metachron.strategies.schema import Intent, Step

CATALOGUE = load_catalogue()
BACKBONES = ["mfolfox6", "folfiri", "folfoxiri", "lv5fu2", "capox", "capecitabine", "trifluridine_tipiracil"]


def test_perioperative_scheme():
    strategy = parse_strategy("mfolfox6*6 + bevacizumab > hepatectomy > mfolfox6*6")
    first, second, third = strategy.steps
    assert (first.regimens, first.cycles) == (["mfolfox6", "bevacizumab"], 6)
    assert second.procedures == ["hepatectomy"]
    assert (third.regimens, third.cycles, third.stop_partner_before_surgery_cycles) == (["mfolfox6"], 6, 0)
    assert strategy.intent == Intent.CURATIVE
    assert strategy.name == "mfolfox6*6 + bevacizumab > hepatectomy > mfolfox6*6"


def test_cells_between_cycles():
    (step,) = parse_strategy("mfolfox6*12 + cik*6@8").steps
    assert (step.cells, step.infusions, step.infusion_day, step.cycles) == ("cik", 6, 8, 12)
    (step,) = parse_strategy("mfolfox6*4 + cik").steps
    assert (step.infusions, step.infusion_day) == (4, None)
    (step,) = parse_strategy("cik").steps
    assert step.infusions == CATALOGUE.cells["cik"].infusions


def test_without_a_number_a_regimen_goes_on_until_progression():
    strategy = parse_strategy("folfiri + bevacizumab")
    assert strategy.steps[0].cycles is None
    assert strategy.intent == Intent.DISEASE_CONTROL
    assert strategy.surveillance == "on_treatment"


def test_later_lines_may_follow_an_endless_regimen():
    assert len(parse_strategy("mfolfox6 > folfiri").steps) == 2


def test_waits_procedures_together_and_lymphodepletion():
    steps = parse_strategy("hepatectomy + microwave > [28d] cik*8 > lymphodepletion + til").steps
    assert steps[0].procedures == ["hepatectomy", "microwave"]
    assert steps[1].gap_days == 28
    assert (steps[2].lymphodepletion, steps[2].regimens) == (True, [])
    (alone,) = parse_strategy("lymphodepletion").steps
    assert (alone.regimens, alone.cycles) == (["lymphodepletion"], 1)


def test_spelling_is_forgiving():
    assert parse_strategy("  mFOLFOX6 * 6>Hepatectomy").name == "mfolfox6*6 > hepatectomy"
    assert parse_strategy("DC-CIK*4").steps[0].cells == "dc_cik"
    assert parse_strategy("Observation").steps == []


@pytest.mark.parametrize("chemotherapy", ["mfolfox6", "capox", "folfoxiri"])
@pytest.mark.parametrize("cycles", [1, 2, 8])
def test_six_weeks_without_antivegf_before_resection(chemotherapy, cycles):
    (step, _) = parse_strategy(f"{chemotherapy}*{cycles} + bevacizumab > hepatectomy").steps
    days = CATALOGUE.regimens[chemotherapy].cycle_days
    given = cycles - step.stop_partner_before_surgery_cycles
    free = (cycles - given + 1) * days + LEAST_DAYS_TO_SURGERY
    assert given == 0 or free >= ANTIVEGF_FREE_DAYS
    assert step.stop_partner_before_surgery_cycles <= 1


def test_antivegf_is_not_stopped_without_need():
    assert (
        parse_strategy("mfolfox6*6 + bevacizumab > [42d] hepatectomy")
        .steps[0]
        .stop_partner_before_surgery_cycles
        == 0
    )
    assert (
        parse_strategy("mfolfox6*6 + bevacizumab > microwave").steps[0].stop_partner_before_surgery_cycles
        == 0
    )
    steps = parse_strategy("mfolfox6*4 + bevacizumab > mfolfox6*3 > hepatectomy").steps
    assert steps[0].stop_partner_before_surgery_cycles == 0
    assert (
        parse_strategy("mfolfox6*6 + panitumumab > hepatectomy").steps[0].stop_partner_before_surgery_cycles
        == 0
    )


@pytest.mark.parametrize(
    ("expression", "column", "words"),
    [
        ("mfolfox*6", 1, "Did you mean mfolfox6?"),
        ("xelox*8", 1, "Did you mean capox?"),
        ("mfolfox6*6 > liver_resection", 14, "Did you mean hepatectomy?"),
        ("oxaliplatin*6", 1, "is a drug"),
        ("mfolfox6*6 >", 13, "name is missing"),
        ("mfolfox6*6 > > hepatectomy", 14, "name is missing"),
        ("mfolfox6**6", 10, "whole number"),
        ("mfolfox6*0", 10, "1 to 200"),
        ("mfolfox6*99999999", 10, "1 to 200"),
        ("mfolfox6*6*6", 11, "written twice"),
        ("mfolfox6 mfolfox6", 10, "cannot stand here"),
        ("mfolfox6 & cik", 10, "no meaning"),
        ("", 1, "empty"),
        ("   ", 1, "empty"),
        ("bevacizumab + capox", 15, "Write capox first"),
        ("capox*4 + cetuximab", 11, "21-day cycle"),
        ("mfolfox6 + folfiri", 12, "both contain fluorouracil"),
        ("mfolfox6 + mfolfox6", 12, "stands twice"),
        ("mfolfox6*6 + bevacizumab*4", 14, "same number of cycles"),
        ("mfolfox6 > hepatectomy", 1, "mfolfox6*6"),
        ("mfolfox6 > cik*4", 1, "has no end"),
        ("mfolfox6*3 + cik*6", 14, "do not fit"),
        ("mfolfox6*3 + cik@20", 14, "1 to 14"),
        ("cik*4@3", 1, "within a cycle"),
        ("mfolfox6*3@2", 1, "day of infused cells"),
        ("cik + til", 7, "one cell product"),
        ("hepatectomy*2", 1, "cannot be counted"),
        ("hepatectomy + repeat_hepatectomy", 15, "only one resection"),
        ("hepatectomy + mfolfox6*6", 15, "Use > for then"),
        ("pembrolizumab*36", 1, "up to 35"),
        ("hepatectomy > [9999d] cik", 15, "0 to 730"),
        ("hepatectomy > cik [28d]", 19, "cannot stand here"),
        ("hepatectomy > [7d] [7d] cik", 20, "beginning of a stage"),
    ],
)
def test_one_clear_message_at_the_column(expression, column, words):
    with pytest.raises(InputError) as caught:
        parse_strategy(expression)
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].path == f"column {column}"
    assert words in str(caught.value)


@st.composite
def expressions(draw) -> str:
    """Valid expressions in any order of stages."""
    stages = []
    for index in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["chemo", "chemo", "procedure", "cells"]))
        if kind == "chemo":
            name, n = draw(st.sampled_from(BACKBONES)), draw(st.integers(1, 30))
            text = f"{name}*{n}" + draw(st.sampled_from(["", " + bevacizumab", f"+bevacizumab*{n}"]))
            if draw(st.booleans()):
                text += f" + {draw(st.sampled_from(['cik', 'dc_cik']))}"
                text += draw(st.sampled_from(["", "@3", f"*{draw(st.integers(1, n))}@8"]))
        elif kind == "procedure":
            text = draw(st.sampled_from(["hepatectomy", "microwave", "hepatectomy + cryoablation"]))
        else:
            text = draw(st.sampled_from(["cik", "cik*4", "til", "lymphodepletion + cik*2", "dc_cik*3"]))
        if index and draw(st.booleans()):
            text = f"[{draw(st.integers(0, 100))}d] {text}"
        stages.append(text)
    return draw(st.sampled_from([" > ", ">"])).join(stages)


@given(expressions())
@settings(max_examples=300, deadline=None)
def test_it_reads_what_it_writes(expression):
    strategy = parse_strategy(expression)
    again = parse_strategy(format_strategy(strategy))
    assert again == strategy


@given(st.text(max_size=60) | st.text(alphabet="mfolx6*+>@ cik[28d]_-", max_size=60))
@settings(max_examples=500, deadline=None)
def test_any_text_is_a_strategy_or_one_clear_error(text):
    try:
        parse_strategy(text)
        problems = []
    except InputError as error:
        problems = error.problems
    assert all(p.path.startswith("column ") and p.message for p in problems)


@pytest.mark.parametrize("name", CATALOGUE.names("strategies"))
def test_named_strategies_can_be_written_and_read_back(name):
    strategy = resolve(name)
    assert strategy.name == name
    assert parse_strategy(format_strategy(strategy)).steps == strategy.steps
    assert strategy.surveillance in CATALOGUE.surveillance
    assert set(strategy.rule_sets) <= set(CATALOGUE.rule_sets)
    assert strategy.title
    assert strategy.summary
    assert strategy.citations


def test_resolve_takes_names_and_expressions():
    assert resolve("Perioperative-mFOLFOX6").name == "perioperative_mfolfox6"
    assert resolve("capox*4").steps[0].cycles == 4
    with pytest.raises(InputError, match="Did you mean perioperative_mfolfox6"):
        resolve("perioperative_folfox6")


def test_what_the_language_cannot_say_is_refused():
    strategy = resolve("til").model_copy(
        update={"steps": [Step(cells="til", infusions=1, lymphodepletion=False)]}
    )
    with pytest.raises(InputError, match="Use a file"):
        format_strategy(strategy)


def write(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_of_strategies(tmp_path):
    path = write(
        tmp_path,
        "name: mine\ntitle: Mine\nsummary: Short.\nintent: curative\n"
        "plan: mfolfox6*4 + bevacizumab > hepatectomy\n",
    )
    (strategy,) = load_strategy_file(path)
    assert strategy.steps[0].stop_partner_before_surgery_cycles == 1
    path = write(
        tmp_path,
        "- name: a\n  title: A\n  summary: S\n  intent: disease control\n"
        "  steps: [{cells: til, infusions: 1, lymphodepletion: false}]\n",
    )
    (strategy,) = load_strategy_file(path)
    assert strategy.steps[0].lymphodepletion is False
    assert strategy.surveillance == "on_treatment"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is a mapping"),
        ("[]", "no strategy"),
        ("name: [", "not readable YAML"),
        ("name: x\nplan: mfolfox*6\n", "Did you mean mfolfox6"),
        ("name: x\ntitle: X\nsummary: S\nintent: cure\nplan: capox*4\n", "intent"),
        ("name: x\ntitle: X\nsummary: S\nintent: curative\nplan: capox*4\nsteps: []\n", "not both"),
        ("name: x\ntitle: X\nsummary: S\nintent: curative\nplan: capox*4\nsurveillance: often\n", "schedule"),
        ("name: x\ntitle: X\nsummary: S\nintent: curative\nplan: capox*4\ndose_rules: mine\n", "label"),
        (
            "name: x\ntitle: X\nsummary: S\nintent: curative\nsteps: [{regimens: [capax], cycles: 2}]\n",
            "capox",
        ),
        ("name: x\ntitle: X\nsummary: S\nintent: curative\nsteps: [{regimen: capox}]\n", "steps.0.regimen"),
    ],
)
def test_faulty_files_end_in_one_message(tmp_path, text, words):
    with pytest.raises(InputError) as caught:
        load_strategy_file(write(tmp_path, text))
    assert words in str(caught.value)
    assert "mine.yaml" in str(caught.value)


def test_missing_noisy_and_large_files(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        load_strategy_file(tmp_path / "none.yaml")
    noise = tmp_path / "noise.yaml"
    noise.write_bytes(bytes(range(256)) * 10)
    with pytest.raises(InputError, match="not readable"):
        load_strategy_file(noise)
    noise.write_bytes(b"a" * 1_000_001)
    with pytest.raises(InputError, match="too large"):
        load_strategy_file(noise)


# --- the schedule of scans after an expression


@pytest.mark.parametrize(
    "text",
    [
        "hepatectomy | surveillance=minimal",
        "Hepatectomy|Surveillance = MINIMAL",
        "hepatectomy| surveillance=minimal ",
    ],
)
def test_a_schedule_of_scans_after_a_strategy(text):
    usual, other = resolve("hepatectomy"), resolve(text)
    assert other.surveillance == "minimal" != usual.surveillance
    assert other.steps == usual.steps
    assert other.name == "hepatectomy | surveillance=minimal"
    assert CATALOGUE.surveillance["minimal"].title in other.title
    assert resolve(other.name) == other


def test_the_usual_schedule_written_out_changes_nothing():
    usual = resolve("mfolfox6*6 > hepatectomy")
    assert resolve(f"mfolfox6*6 > hepatectomy | surveillance={usual.surveillance}") == usual


def test_a_file_and_an_observation_take_a_schedule(tmp_path):
    text = "name: mine\ntitle: Mine\nsummary: Mine.\nintent: curative\nplan: hepatectomy\n"
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    assert resolve(f"{tmp_path / 'mine.yaml'} | surveillance=intensive").surveillance == "intensive"
    assert resolve("observation | surveillance=minimal").steps == []


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("hepatectomy | surveillance=intensiv", 14, "Did you mean intensive?"),
        ("hepatectomy | surveillance=dreimonatlich", 14, "standard, intensive, minimal"),
        ("hepatectomy | intensive", 14, "surveillance=NAME"),
        ("hepatectomy |", 14, "surveillance=NAME"),
        ("hepatectomy | surveillance=standard | surveillance=minimal", 14, "once"),
        ("hepatctomy | surveillance=minimal", None, "Did you mean hepatectomy?"),
        (" | surveillance=minimal", 1, "the strategy is empty"),
    ],
)
def test_what_a_schedule_refuses(text, column, words):
    with pytest.raises(InputError) as caught:
        resolve(text)
    (problem,) = caught.value.problems
    assert words in f"{problem.message} {problem.allowed} {problem.suggestion}"
    if column:
        assert problem.path == f"column {column}"
