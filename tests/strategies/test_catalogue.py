"""The catalogue: complete, sourced, and equal to the published labels and protocols."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from metachron.errors import InputError
from metachron.evidence.references import load_references
from metachron.strategies.catalogue import (
    KINDS,
    _check,
    citations_of,
    load_catalogue,
    plain_name,
    quantities_of,
)
from metachron.strategies.language import format_strategy
from metachron.strategies.schema import EffectClass

CATALOGUE = load_catalogue()

REQUIRED = {
    "drugs": "fluorouracil leucovorin capecitabine oxaliplatin irinotecan trifluridine_tipiracil regorafenib"
    " bevacizumab cetuximab panitumumab encorafenib trastuzumab tucatinib trastuzumab_deruxtecan sotorasib"
    " adagrasib pembrolizumab nivolumab ipilimumab cyclophosphamide fludarabine",
    "regimens": "lv5fu2 capecitabine capox mfolfox6 folfiri folfoxiri trifluridine_tipiracil regorafenib"
    " bevacizumab cetuximab panitumumab encorafenib_cetuximab trastuzumab_tucatinib trastuzumab_deruxtecan"
    " sotorasib_panitumumab adagrasib_cetuximab pembrolizumab nivolumab_ipilimumab lymphodepletion",
    "procedures": "hepatectomy two_stage_hepatectomy repeat_hepatectomy cryoablation microwave"
    " radiofrequency",
    "cells": "cik dc_cik til",
    "surveillance": "standard intensive minimal on_treatment",
}

# doses as published: (regimen, cycle length, [(drug, dose, unit, days)])
PUBLISHED = [
    ("mfolfox6", 14, [("oxaliplatin", 85, "mg/m2", 1), ("leucovorin", 400, "mg/m2", 1),
                      ("fluorouracil", 400, "mg/m2", 1), ("fluorouracil", 2400, "mg/m2", 1)]),
    ("folfiri", 14, [("irinotecan", 180, "mg/m2", 1), ("leucovorin", 400, "mg/m2", 1),
                     ("fluorouracil", 400, "mg/m2", 1), ("fluorouracil", 2400, "mg/m2", 1)]),
    ("folfoxiri", 14, [("irinotecan", 165, "mg/m2", 1), ("oxaliplatin", 85, "mg/m2", 1),
                       ("leucovorin", 200, "mg/m2", 1), ("fluorouracil", 3200, "mg/m2", 1)]),
    ("capox", 21, [("oxaliplatin", 130, "mg/m2", 1), ("capecitabine", 1000, "mg/m2 twice daily", 14)]),
    ("capecitabine", 21, [("capecitabine", 1250, "mg/m2 twice daily", 14)]),
    ("trifluridine_tipiracil", 28, [("trifluridine_tipiracil", 35, "mg/m2 twice daily", 10)]),
    ("regorafenib", 28, [("regorafenib", 160, "mg daily", 21)]),
    ("bevacizumab", 14, [("bevacizumab", 5, "mg/kg", 1)]),
    ("cetuximab", 14, [("cetuximab", 500, "mg/m2", 1)]),
    ("panitumumab", 14, [("panitumumab", 6, "mg/kg", 1)]),
    ("encorafenib_cetuximab", 14, [("encorafenib", 300, "mg daily", 14), ("cetuximab", 500, "mg/m2", 1)]),
    ("trastuzumab_deruxtecan", 21, [("trastuzumab_deruxtecan", 5.4, "mg/kg", 1)]),
    ("sotorasib_panitumumab", 14, [("sotorasib", 960, "mg daily", 14), ("panitumumab", 6, "mg/kg", 1)]),
    ("pembrolizumab", 21, [("pembrolizumab", 200, "mg", 1)]),
    ("nivolumab_ipilimumab", 21, [("nivolumab", 240, "mg", 1), ("ipilimumab", 1, "mg/kg", 1)]),
    ("lymphodepletion", 7, [("cyclophosphamide", 60, "mg/kg", 2), ("fludarabine", 25, "mg/m2", 5)]),
]  # fmt: skip


@pytest.mark.parametrize("kind", REQUIRED)
def test_every_treatment_of_the_project_is_listed(kind):
    assert set(REQUIRED[kind].split()) <= set(CATALOGUE.names(kind))


@pytest.mark.parametrize(("name", "days", "lines"), PUBLISHED, ids=[p[0] for p in PUBLISHED])
def test_doses_are_those_of_the_labels_and_protocols(name, days, lines):
    regimen = CATALOGUE.regimens[name]
    assert regimen.cycle_days == days
    assert [(d.drug, d.dose, d.unit, len(d.days)) for d in regimen.drugs] == lines


def test_biologics_adapt_to_the_cycle_of_their_partner():
    assert [d.dose for d in CATALOGUE.drugs_of("bevacizumab", 21)] == [7.5]
    assert CATALOGUE.drugs_of("bevacizumab", 28)[0].days == [1, 15]
    assert CATALOGUE.drugs_of("mfolfox6") == CATALOGUE.regimens["mfolfox6"].drugs
    with pytest.raises(InputError, match="21 days"):
        CATALOGUE.drugs_of("cetuximab", 21)


def test_trifluridine_tipiracil_rests_at_the_weekend():
    assert CATALOGUE.regimens["trifluridine_tipiracil"].drugs[0].days == [1, 2, 3, 4, 5, 8, 9, 10, 11, 12]


def test_regimens_of_registered_trials_are_no_candidates():
    """They exist to simulate the trials; no strategy, list or later line gives them."""
    from metachron.strategies.lines import load_line_rules

    only_trials = {"irinotecan", "uft_lv", "s_1", "fu_weekly", "capecitabine_metronomic", "ramucirumab"}
    assert only_trials <= set(CATALOGUE.regimens)
    given = {n for s in CATALOGUE.strategies.values() for step in s.steps for n in step.regimens}
    assert not only_trials & (given | {n for line in load_line_rules() for n in line.regimens})


def every_entry():
    return [(kind, name, entry) for kind in KINDS for name, entry in CATALOGUE.of_kind(kind).items()]


def test_every_figure_has_a_source_and_a_matching_status():
    for kind, name, entry in every_entry():
        for path, quantity in quantities_of(entry):
            assert quantity.source, (kind, name, path)
            if quantity.source == "assumption":
                assert quantity.status == "assumed", (kind, name, path)
    for regimen in CATALOGUE.regimens.values():
        doses = [*regimen.drugs, *(d for other in regimen.other_cycles.values() for d in other)]
        assert all(d.source for d in doses), regimen.name


def test_every_entry_cites_what_the_bibliography_holds():
    known = load_references()
    for kind, name, entry in every_entry():
        assert citations_of(entry) or name == "none", (kind, name)
        assert citations_of(entry) <= set(known), (kind, name)
    for rule_set in CATALOGUE.rule_sets.values():
        for rule in rule_set.rules:
            assert rule.citations
            assert set(rule.citations) <= set(known)


def test_a_figure_marked_read_is_not_from_a_recalled_source():
    """A number cannot have been read in a source that nobody read."""
    known = load_references()
    wrong = [
        (name, path, quantity.source)
        for _, name, entry in every_entry()
        for path, quantity in quantities_of(entry)
        if quantity.status == "read" and known[quantity.source].status == "recalled"
    ]
    assert wrong == []


WEAKER = {"fu_weekly", "capecitabine_metronomic"}  # of registered trials; less than a full dose by design


def test_shares_of_a_class_sum_to_about_one():
    for regimen in CATALOGUE.regimens.values():
        sums: dict[EffectClass, float] = {}
        for dose in regimen.drugs:
            effect = CATALOGUE.drugs[dose.drug].effect
            sums[effect] = sums.get(effect, 0.0) + dose.share
        for effect, total in sums.items():
            if effect == EffectClass.NONE:
                assert total == 0
            else:
                assert (0.3 if regimen.name in WEAKER else 0.9) <= total <= 1.5, (regimen.name, effect)
    assert CATALOGUE.regimens["folfoxiri"].drugs[0].share == pytest.approx(165 / 180, abs=0.001)


def test_simulated_toxicities_are_not_listed_twice():
    kinds = {t.kind for r in CATALOGUE.regimens.values() for t in r.toxicity}
    assert not kinds & {"neutropenia", "febrile neutropenia", "neuropathy", "lymphopenia"}


def test_cytotoxic_regimens_harm_marrow_and_lymphocytes():
    for regimen in CATALOGUE.regimens.values():
        cytotoxic = any(CATALOGUE.drugs[d.drug].cytotoxic for d in regimen.drugs)
        assert cytotoxic == (regimen.neutrophil_slope is not None), regimen.name
        assert cytotoxic == (regimen.lymphocyte_kill is not None), regimen.name


def test_toxicity_orders_agree_with_the_trials():
    rate = {(r.name, t.kind): t.grade3plus.value for r in CATALOGUE.regimens.values() for t in r.toxicity}
    assert rate["capox", "diarrhoea"] == pytest.approx(0.20)
    assert rate["mfolfox6", "diarrhoea"] == pytest.approx(0.11)
    assert rate["folfoxiri", "diarrhoea"] > rate["folfiri", "diarrhoea"]
    assert rate["capecitabine", "hand-foot syndrome"] > rate["capox", "hand-foot syndrome"]


def test_label_rules_follow_the_published_limits():
    rules = {r.name: r for r in CATALOGUE.rule_sets["label"].rules}
    assert rules["neutrophils_low"].below == 1.5
    assert rules["neutrophils_low"].max_delay_days == 28
    assert rules["neuropathy_grade2"].value == pytest.approx(65 / 85, abs=0.005)
    assert rules["neuropathy_grade3"].action == "stop"
    assert CATALOGUE.rule_sets["none"].rules == []


def test_ablation_margins_and_limits():
    cryo, heat = CATALOGUE.procedures["cryoablation"], CATALOGUE.procedures["microwave"]
    assert cryo.planned_margin_mm.value == pytest.approx((52 - 28) / 2 - 8)
    assert heat.hazard_factor.value < CATALOGUE.procedures["radiofrequency"].hazard_factor.value
    for procedure in CATALOGUE.procedures.values():
        assert (procedure.kind == "ablation") == (procedure.energy is not None)


def test_unknown_names_are_answered_with_the_nearest():
    with pytest.raises(InputError, match="Did you mean mfolfox6"):
        CATALOGUE.get("mfolfox")
    with pytest.raises(InputError, match="Did you mean capox"):
        CATALOGUE.get("XELOX")
    with pytest.raises(InputError, match="lists all names"):
        CATALOGUE.get("qqqqqqqq")
    with pytest.raises(InputError, match="not a drug"):
        CATALOGUE.get("hepatectomy", "drugs")


def test_names_are_looked_up_without_regard_to_case_and_hyphens():
    assert CATALOGUE.get("mFOLFOX6", "regimens").name == "mfolfox6"
    assert CATALOGUE.get("DC-CIK").name == "dc_cik"
    assert plain_name(" Two-stage hepatectomy ") == "two_stage_hepatectomy"
    assert set(CATALOGUE.aliases.values()) <= set(CATALOGUE.names())


def test_the_catalogue_cannot_be_changed():
    with pytest.raises(TypeError):
        CATALOGUE.drugs["water"] = CATALOGUE.drugs["oxaliplatin"]
    with pytest.raises(FrozenInstanceError):
        CATALOGUE.drugs = {}
    assert load_catalogue() is CATALOGUE


def test_a_faulty_regimen_is_refused():
    capox = CATALOGUE.regimens["capox"]
    dose = capox.drugs[0].model_copy(update={"drug": "oxaliplatine", "days": [30], "source": ""})
    broken = capox.model_copy(update={"drugs": [dose]})
    with pytest.raises(InputError) as caught:
        _check(replace(CATALOGUE, regimens={"capox": broken}))
    text = str(caught.value)
    assert "Did you mean oxaliplatin" in text
    assert "no source" in text
    assert "within the cycle of 21 days" in text


def test_surveillance_schedules_are_in_order():
    for schedule in CATALOGUE.surveillance.values():
        untils = [until for until, _ in schedule.intervals]
        assert untils == sorted(untils)
        assert 0 < schedule.first_scan_day <= untils[0]


def test_loading_is_fast():
    code = (
        "import time, metachron.strategies.catalogue as c; t = time.process_time(); c.load_catalogue();"
        "print(time.process_time() - t)"
    )
    seconds = min(
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    )
    assert seconds < 0.15
    start = time.process_time()
    load_catalogue()
    assert time.process_time() - start < 0.001


def test_every_name_is_in_the_documentation():
    text = (Path(__file__).parents[2] / "docs" / "strategies.md").read_text(encoding="utf-8")
    for kind in KINDS:
        missing = [name for name in CATALOGUE.of_kind(kind) if f"| `{name}` |" not in text]
        assert missing == [], kind


def test_plans_in_the_documentation_are_those_of_the_catalogue():
    text = (Path(__file__).parents[2] / "docs" / "strategies.md").read_text(encoding="utf-8")
    for name, strategy in CATALOGUE.strategies.items():
        assert f"| `{name}` | {strategy.title} | `{format_strategy(strategy)}` |" in text
