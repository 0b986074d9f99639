"""Each rule fires for one patient and does not fire for another."""

from __future__ import annotations

from typing import Any

import pytest
from rule_cases import NOTHING_VISIBLE, PAST, SUMMARY, UNRESECTABLE, fires, given_before

from metachron.strategies.eligibility import load_rules
from metachron.strategies.schema import Intent

STANDARD_PAST = {
    PAST: [
        {
            "name": "mfolfox6",
            "start": "2024-01-01",
            "end": "2024-06-01",
            "setting": "metastatic",
            "response": "SD",
        },
        {
            "name": "folfiri",
            "start": "2024-07-01",
            "end": "2024-12-01",
            "setting": "metastatic",
            "response": "SD",
        },
    ]
}
CONTROL, ADJUVANT, CURE = Intent.DISEASE_CONTROL, Intent.ADJUVANT, Intent.CURATIVE

# rule, plan, intent, changes that make it fire; changes with which it does not
CASES: list[tuple[str, str, Intent, dict[str, Any], dict[str, Any]]] = [
    ("surgery-declined", "hepatectomy", CURE, {"preferences.declines_surgery": True}, {}),
    ("surgery-fitness", "hepatectomy", CURE, {"fit_for_major_surgery": False}, {}),
    ("surgery-ecog", "hepatectomy", CURE, {"ecog": 3}, {"ecog": 2}),
    (
        "surgery-cirrhosis",
        "hepatectomy",
        CURE,
        {"liver.cirrhosis": "Child-Pugh B"},
        {"liver.cirrhosis": "Child-Pugh A"},
    ),
    ("surgery-needs-liver-lesion", "hepatectomy", CURE, {SUMMARY: None}, {}),
    ("surgery-all-lesions", "hepatectomy", CURE, UNRESECTABLE, {}),
    ("surgery-after-conversion", "mfolfox6*6 > hepatectomy", CURE, UNRESECTABLE, {}),
    ("surgery-with-ablation", "hepatectomy + microwave", CURE, UNRESECTABLE, {}),
    ("remnant-any-liver", "hepatectomy", CURE, {"liver.remnant_share": 0.19}, {"liver.remnant_share": 0.20}),
    (
        "remnant-injured-liver",
        "hepatectomy",
        CURE,
        {"liver.remnant_share": 0.29, "liver.steatosis": True},
        {"liver.remnant_share": 0.29},
    ),
    (
        "remnant-after-long-chemotherapy",
        "mfolfox6*8 > hepatectomy",
        CURE,
        {"liver.remnant_share": 0.29},
        {"liver.remnant_share": 0.30},
    ),
    (
        "remnant-cirrhosis",
        "hepatectomy",
        CURE,
        {"liver.remnant_share": 0.39, "liver.cirrhosis": "Child-Pugh A"},
        {"liver.remnant_share": 0.40, "liver.cirrhosis": "Child-Pugh A"},
    ),
    ("two-stage-not-needed", "two_stage_hepatectomy", CURE, {}, {"liver.remnant_share": 0.25}),
    (
        "extrahepatic-unresectable",
        "hepatectomy",
        CURE,
        {"metastasis_summary.extrahepatic": True, **UNRESECTABLE},
        UNRESECTABLE,
    ),
    ("extrahepatic-resectable", "hepatectomy", CURE, {"metastasis_summary.extrahepatic": True}, {}),
    (
        "progression-before-local",
        "hepatectomy",
        CURE,
        given_before("mfolfox6", response="PD"),
        given_before("mfolfox6"),
    ),
    (
        "high-risk-score",
        "hepatectomy",
        CURE,
        {"labs.cea_ng_ml": 300},
        {},
    ),
    (
        "ten-lesions",
        "hepatectomy",
        CURE,
        {"metastasis_summary.liver_lesions": 10},
        {"metastasis_summary.liver_lesions": 9},
    ),
    (
        "large-lesion",
        "hepatectomy",
        CURE,
        {"metastasis_summary.largest_liver_mm": 51},
        {"metastasis_summary.largest_liver_mm": 50},
    ),
    ("short-interval", "hepatectomy", CURE, {"metastasis_summary.detected_on": "2023-09-01"}, {}),
    ("age-surgery", "hepatectomy", CURE, {"age_years": 80}, {"age_years": 79}),
    ("repeat-needs-first", "repeat_hepatectomy", CURE, {}, {PAST: [{"name": "hepatectomy"}]}),
    ("first-after-earlier-resection", "hepatectomy", CURE, {PAST: [{"name": "hepatectomy"}]}, {}),
    ("ablation-needs-liver-lesion", "microwave", CURE, {SUMMARY: None}, {}),
    (
        "ablation-number",
        "microwave",
        CURE,
        {"metastasis_summary.liver_lesions": 11},
        {"metastasis_summary.liver_lesions": 10},
    ),
    (
        "ablation-more-than-five",
        "microwave",
        CURE,
        {"metastasis_summary.liver_lesions": 6},
        {"metastasis_summary.liver_lesions": 5},
    ),
    (
        "ablation-too-large",
        "microwave",
        CURE,
        {"metastasis_summary.largest_liver_mm": 51},
        {"metastasis_summary.largest_liver_mm": 50},
    ),
    (
        "ablation-large",
        "microwave",
        CURE,
        {"metastasis_summary.largest_liver_mm": 31},
        {"metastasis_summary.largest_liver_mm": 30},
    ),
    ("ablation-extrahepatic", "microwave", CURE, {"metastasis_summary.extrahepatic": True}, {}),
    ("ablation-ecog", "microwave", CURE, {"ecog": 3}, {"ecog": 2}),
    (
        "ablation-child-pugh-c",
        "microwave",
        CURE,
        {"liver.cirrhosis": "Child-Pugh C"},
        {"liver.cirrhosis": "Child-Pugh B"},
    ),
    ("cryoablation-platelets", "cryoablation", CURE, {"labs.platelets_e9_l": 99}, {}),
    ("cryoablation-shock", "cryoablation", CURE, {"metastasis_summary.liver_lesions": 5}, {}),
    ("chemotherapy-declined", "mfolfox6", CONTROL, {"preferences.declines_chemotherapy": True}, {}),
    ("combination-ecog", "mfolfox6", CONTROL, {"ecog": 3}, {"ecog": 2}),
    ("single-agent-ecog", "capecitabine", CONTROL, {"ecog": 4}, {"ecog": 3}),
    ("single-agent-frail", "capecitabine", CONTROL, {"ecog": 3}, {"ecog": 2}),
    ("irinotecan-ecog", "folfiri", CONTROL, {"ecog": 3}, {"ecog": 2}),
    ("triplet-age", "folfoxiri", CONTROL, {"age_years": 71, "ecog": 1}, {"age_years": 71}),
    ("dpyd-poor", "mfolfox6", CONTROL, {"markers.dpyd": "poor"}, {}),
    ("dpyd-intermediate", "mfolfox6", CONTROL, {"markers.dpyd": "intermediate"}, {}),
    ("ugt1a1-homozygous", "folfiri", CONTROL, {"markers.ugt1a1": "*28/*28"}, {"markers.ugt1a1": "*1/*28"}),
    (
        "capecitabine-kidney",
        "capox",
        CONTROL,
        {"labs.creatinine_clearance_ml_min": 29},
        {"labs.creatinine_clearance_ml_min": 30},
    ),
    (
        "capecitabine-kidney-moderate",
        "capox",
        CONTROL,
        {"labs.creatinine_clearance_ml_min": 50},
        {"labs.creatinine_clearance_ml_min": 51},
    ),
    (
        "oxaliplatin-kidney",
        "mfolfox6",
        CONTROL,
        {"labs.creatinine_clearance_ml_min": 29},
        {"labs.creatinine_clearance_ml_min": 30},
    ),
    ("oxaliplatin-neuropathy", "mfolfox6", CONTROL, {"neuropathy_grade": 3}, {"neuropathy_grade": 2}),
    ("oxaliplatin-neuropathy-grade-2", "mfolfox6", CONTROL, {"neuropathy_grade": 2}, {"neuropathy_grade": 1}),
    (
        "irinotecan-bilirubin",
        "folfiri",
        CONTROL,
        {"labs.bilirubin_umol_l": 64},
        {"labs.bilirubin_umol_l": 63},
    ),
    ("irinotecan-bilirubin-raised", "folfiri", CONTROL, {"labs.bilirubin_umol_l": 40}, {}),
    ("neutrophils-now", "mfolfox6", CONTROL, {"labs.neutrophils_e9_l": 1.4}, {"labs.neutrophils_e9_l": 1.5}),
    ("platelets-now", "mfolfox6", CONTROL, {"labs.platelets_e9_l": 74}, {"labs.platelets_e9_l": 75}),
    ("capecitabine-platelets", "capox", CONTROL, {"labs.platelets_e9_l": 99}, {"labs.platelets_e9_l": 100}),
    ("oxaliplatin-child-pugh-c", "mfolfox6", CONTROL, {"liver.cirrhosis": "Child-Pugh C"}, {}),
    (
        "oxaliplatin-after-progression",
        "mfolfox6",
        CONTROL,
        given_before("capox", response="PD"),
        given_before("capox", response="PD", setting="adjuvant"),
    ),
    ("irinotecan-after-progression", "folfiri", CONTROL, given_before("folfiri", response="PD"), {}),
    (
        "trifluridine-after-progression",
        "trifluridine_tipiracil",
        CONTROL,
        given_before("trifluridine_tipiracil", response="PD"),
        {},
    ),
    ("adjuvant-irinotecan", "folfiri*12", ADJUVANT, NOTHING_VISIBLE, {}),
    ("irinotecan-after-liver-surgery", "hepatectomy > folfiri*12", CURE, {}, {PAST: "no irinotecan"}),
    (
        "adjuvant-stage-i",
        "mfolfox6*12",
        ADJUVANT,
        {**NOTHING_VISIBLE, "primary.n": "N0", "primary.t": "T2"},
        {**NOTHING_VISIBLE, "primary.n": "N0"},
    ),
    (
        "adjuvant-oxaliplatin-stage-ii",
        "mfolfox6*12",
        ADJUVANT,
        {**NOTHING_VISIBLE, "primary.n": "N0"},
        NOTHING_VISIBLE,
    ),
    (
        "adjuvant-late-start",
        "mfolfox6*12",
        ADJUVANT,
        {**NOTHING_VISIBLE, "primary.resected_on": "2025-04-01"},
        NOTHING_VISIBLE,
    ),
    ("late-line-trifluridine", "trifluridine_tipiracil", CONTROL, given_before("mfolfox6"), STANDARD_PAST),
    ("late-line-regorafenib", "regorafenib", CONTROL, {}, STANDARD_PAST),
    ("msi-high-chemotherapy-first", "mfolfox6", CONTROL, {"markers.msi": "MSI-high"}, {}),
    ("anti-egfr-ras", "mfolfox6 + panitumumab", CONTROL, {"markers.ras": "mutant"}, {}),
    (
        "anti-egfr-braf",
        "mfolfox6 + panitumumab",
        CONTROL,
        {"markers.braf": "V600E"},
        {"markers.braf": "other"},
    ),
    (
        "anti-egfr-side",
        "folfiri + cetuximab",
        CONTROL,
        {"primary.site": "caecum"},
        {"primary.site": "rectum"},
    ),
    ("anti-egfr-alone", "panitumumab", CONTROL, {}, STANDARD_PAST),
    (
        "anti-egfr-after-progression",
        "folfiri + cetuximab",
        CONTROL,
        given_before("mfolfox6", "panitumumab", response="PD"),
        STANDARD_PAST,
    ),
    (
        "anti-egfr-rechallenge",
        "folfiri + cetuximab > [progression] mfolfox6 + bevacizumab > [progression] folfiri + cetuximab",
        CONTROL,
        {},
        {PAST: "second line"},
    ),
    ("anti-egfr-with-anti-vegf", "mfolfox6 + panitumumab + bevacizumab", CONTROL, {}, {PAST: "no antibody"}),
    ("anti-egfr-operable", "mfolfox6*6 + panitumumab > hepatectomy", CURE, {}, UNRESECTABLE),
    ("anti-egfr-adjuvant", "mfolfox6*12 + panitumumab", ADJUVANT, NOTHING_VISIBLE, {}),
    ("anti-vegf-adjuvant", "mfolfox6*12 + bevacizumab", ADJUVANT, NOTHING_VISIBLE, {}),
    ("anti-vegf-operable", "mfolfox6*6 + bevacizumab > hepatectomy", CURE, {}, UNRESECTABLE),
    ("targeted-needs-disease", "regorafenib", CONTROL, NOTHING_VISIBLE, STANDARD_PAST),
    ("encorafenib-braf", "mfolfox6 + encorafenib_cetuximab", CONTROL, {}, {"markers.braf": "V600E"}),
    (
        "encorafenib-first-line",
        "encorafenib_cetuximab",
        CONTROL,
        {"markers.braf": "V600E"},
        {"markers.braf": "V600E", **STANDARD_PAST},
    ),
    ("her2-amplified", "trastuzumab_deruxtecan", CONTROL, STANDARD_PAST, {"markers.her2": "amplified"}),
    ("tucatinib-ras", "trastuzumab_tucatinib", CONTROL, {"markers.ras": "mutant"}, {}),
    ("her2-line", "trastuzumab_deruxtecan", CONTROL, {}, STANDARD_PAST),
    ("kras-g12c", "sotorasib_panitumumab", CONTROL, {}, {"markers.kras_g12c": True, "markers.ras": "mutant"}),
    ("kras-g12c-line", "adagrasib_cetuximab", CONTROL, {}, STANDARD_PAST),
    ("checkpoint-msi", "pembrolizumab", CONTROL, {}, {"markers.msi": "MSI-high"}),
    (
        "checkpoint-after-progression",
        "pembrolizumab",
        CONTROL,
        given_before("pembrolizumab", response="PD"),
        given_before("pembrolizumab"),
    ),
    ("checkpoint-adjuvant", "pembrolizumab*8", ADJUVANT, NOTHING_VISIBLE, {}),
    ("checkpoint-ecog", "pembrolizumab", CONTROL, {"ecog": 4}, {"ecog": 3}),
    ("cells-trial-only", "cik*8", CURE, {}, {PAST: "no cells"}),
    ("til-trial-only", "til", CONTROL, {}, {PAST: "no cells"}),
    ("cells-culture", "cik*8", CURE, {}, {PAST: "no cells"}),
    ("lymphodepletion-ecog", "til", CONTROL, {"ecog": 2}, {"ecog": 1}),
    (
        "lymphodepletion-kidney",
        "til",
        CONTROL,
        {"labs.creatinine_clearance_ml_min": 29},
        {"labs.creatinine_clearance_ml_min": 30},
    ),
    ("lymphodepletion-kidney-moderate", "til", CONTROL, {"labs.creatinine_clearance_ml_min": 70}, {}),
    ("til-needs-tumour", "til", CONTROL, NOTHING_VISIBLE, {}),
    ("til-refractory", "til", CONTROL, {}, STANDARD_PAST),
    ("adjuvant-needs-clearance", "mfolfox6*12", ADJUVANT, {}, NOTHING_VISIBLE),
    ("control-needs-disease", "mfolfox6", CONTROL, NOTHING_VISIBLE, {}),
    ("observation-with-disease", "observation", Intent.OBSERVATION, {}, NOTHING_VISIBLE),
    (
        "observation-stage-iii",
        "observation",
        Intent.OBSERVATION,
        NOTHING_VISIBLE,
        {**NOTHING_VISIBLE, "primary.n": "N0"},
    ),
    (
        "anti-vegf-wait",
        "hepatectomy",
        CURE,
        given_before("bevacizumab", end="2025-05-15"),
        given_before("bevacizumab", end="2025-04-01"),
    ),
    (
        "chemotherapy-wait",
        "hepatectomy",
        CURE,
        given_before("mfolfox6", end="2025-05-15"),
        given_before("mfolfox6", end="2025-04-15"),
    ),
]
# rules that need lesions one by one, a gap written into the plan, or another plan to be silent
ELSEWHERE = {
    "ablation-near-vessel",
    "cells-on-chemotherapy-day",
    "anti-vegf-to-surgery",
    "chemotherapy-to-surgery",
    "surgery-to-systemic",
    "surgery-to-systemic-late",
}
OTHER_PLAN = {
    "no irinotecan": "hepatectomy > mfolfox6*12",
    "no antibody": "mfolfox6 + bevacizumab",
    "no cells": "mfolfox6",
    "second line": "mfolfox6 + bevacizumab > [progression] folfiri + cetuximab",
}


@pytest.mark.parametrize(("name", "plan", "intent", "on", "off"), CASES, ids=[case[0] for case in CASES])
def test_rule_fires_and_does_not_fire(
    name: str, plan: str, intent: Intent, on: dict[str, Any], off: dict[str, Any]
) -> None:
    assert fires(name, plan, intent, on)
    if isinstance(off.get(PAST), str):
        plan, off = OTHER_PLAN[off[PAST]], {}
    assert not fires(name, plan, intent, off)


def test_every_rule_is_tested() -> None:
    assert {rule.name for rule in load_rules()} == {case[0] for case in CASES} | ELSEWHERE


def test_near_vessel_lesion() -> None:
    lesion = {"id": "a", "organ": "liver", "measurements": [{"date": "2025-05-20", "diameter_mm": 20}]}
    near = {SUMMARY: None, "metastases": [{**lesion, "near_vessel": True}]}
    away = {SUMMARY: None, "metastases": [{**lesion, "near_vessel": False}]}
    assert fires("ablation-near-vessel", "microwave", CURE, near)
    assert not fires("ablation-near-vessel", "microwave", CURE, away)
