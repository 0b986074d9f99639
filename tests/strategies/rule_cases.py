"""Patients and strategies in a few words, for the tests of rules."""

from __future__ import annotations

from functools import reduce
from typing import Any

from metachron.patient.schema import Patient
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.eligibility import Eligibility, judge, load_rules
from metachron.strategies.language import parse_steps
from metachron.strategies.schema import Intent, Strategy

# a fit person with two small liver metastases, everything known and favourable
BASE: dict[str, Any] = {
    "id": "test",
    "assessed_on": "2025-06-01",
    "age_years": 60,
    "ecog": 0,
    "major_comorbidity": False,
    "fit_for_major_surgery": True,
    "primary": {
        "site": "sigmoid colon",
        "t": "T3",
        "n": "N1",
        "diagnosed_on": "2023-01-10",
        "resected": True,
        "resected_on": "2023-02-01",
    },
    "metastasis_summary": {
        "liver_lesions": 2,
        "largest_liver_mm": 25,
        "extrahepatic": False,
        "detected_on": "2025-05-01",
    },
    "last_imaging_on": "2025-05-20",
    "markers": {
        "ras": "wild type",
        "kras_g12c": False,
        "braf": "wild type",
        "msi": "MSS",
        "her2": "negative",
        "dpyd": "normal",
        "ugt1a1": "*1/*1",
    },
    "labs": {
        "cea_ng_ml": 10,
        "bilirubin_umol_l": 10,
        "neutrophils_e9_l": 4,
        "platelets_e9_l": 250,
        "creatinine_clearance_ml_min": 90,
    },
    "liver": {
        "remnant_share": 0.6,
        "steatosis": False,
        "cirrhosis": "none",
        "all_lesions_resectable": True,
    },
    "neuropathy_grade": 0,
}
NOTHING_VISIBLE = {
    "metastasis_summary": None,
    "primary.resected_on": "2025-05-01",
    "primary.diagnosed_on": "2025-04-10",
}


def patient(changes: dict[str, Any] | None = None, **more: Any) -> Patient:
    """The base patient with dotted paths changed; None makes a field unknown."""
    record = _copy(BASE)
    for path, value in {**(changes or {}), **more}.items():
        *above, last = path.split(".")
        reduce(lambda node, key: node.setdefault(key, {}), above, record)[last] = value
    return Patient.model_validate(record)


def _copy(tree: Any) -> Any:
    return {k: _copy(v) for k, v in tree.items()} if isinstance(tree, dict) else tree


def strategy(plan: str, intent: Intent = Intent.CURATIVE) -> Strategy:
    """A strategy from its expression; 'observation' has no steps."""
    steps = [] if plan == "observation" else parse_steps(plan, load_catalogue())
    return Strategy(name="test", title=plan, summary="", intent=intent, steps=steps)


def verdict(
    plan: str, changes: dict[str, Any] | None = None, intent: Intent = Intent.CURATIVE
) -> Eligibility:
    """Eligibility of a plan for the base patient with changes."""
    return judge(patient(changes), strategy(plan, intent), load_catalogue())


def rules(result: Eligibility, kind: str) -> set[str]:
    """Names of the rules with this verdict."""
    return {reason.rule for reason in result.reasons if reason.verdict == kind}


PAST = "prior_treatments"
SUMMARY = "metastasis_summary"
UNRESECTABLE = {"liver.all_lesions_resectable": False}


def given_before(*names: str, **details: Any) -> dict[str, Any]:
    """Prior treatments of one line, ended half a year before assessment unless said otherwise."""
    start = {
        "start": "2024-07-01",
        "end": "2024-12-01",
        "setting": "metastatic",
        "response": "SD",
        "cycles": 6,
    }
    return {PAST: [{"name": name, **start, **details} for name in names]}


def fires(name: str, plan: str, intent: Intent, changes: dict[str, Any]) -> bool:
    """Does the rule refuse or caution (its text, not its `otherwise`)?"""
    rule = next(r for r in load_rules() if r.name == name)
    result = verdict(plan, changes, intent)
    if rule.effect == "refuse":
        return name in rules(result, "not eligible")
    return any(r.rule == name and r.text.startswith("Caution. ") for r in result.reasons)
