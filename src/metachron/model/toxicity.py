"""Kinds of severe toxicity, in the order of all arrays over kinds."""

from __future__ import annotations

import math

from metachron.model.compiled import jit

# Simulated from state; the rest come as frequencies of the regimens.
SIMULATED = (
    "neutropenia",
    "febrile neutropenia",
    "sensory neuropathy",
    "surgical complication",
    "liver failure",
)
NEUTROPENIA, FEBRILE, NEUROPATHY, SURGICAL, LIVER_FAILURE = 0, 1, 2, 3, 4
REPORTED = (
    "diarrhoea",
    "mucositis",
    "nausea or vomiting",
    "hand-foot syndrome",
    "rash",
    "hypertension",
    "hypomagnesaemia",
    "thromboembolism",
    "perforation or bleeding",
    "immune-related event",
    "liver enzymes",
    "fatigue",
    "fever or chills",
    "cytokine release",
    "pneumonitis",
    "thrombocytopenia",
    "other",
)
KINDS = SIMULATED + REPORTED
FIRST_REPORTED = len(SIMULATED)


@jit
def neutropenia_grade(neutrophils):
    """CTCAE grade of a neutrophil count (1e9/L): 4 below 0.5, 3 below 1.0, 2 below 1.5."""
    if neutrophils < 0.5:
        return 4
    if neutrophils < 1.0:
        return 3
    if neutrophils < 1.5:
        return 2
    return 0


def cycle_hazard(probability: float, cycles: int) -> float:
    """Hazard per cycle that gives `probability` of an event over `cycles` cycles."""
    return -math.log(1.0 - min(max(probability, 0.0), 0.999)) / max(cycles, 1)
