"""What a search does not cover, beside what no plan covers."""

from __future__ import annotations

from metachron.optimise.goal import Goal

COMMON = [
    "The best was chosen on search twins; every figure of a candidate that lasted comes from fresh twins on"
    " which nothing was chosen, so that it does not flatter the winner.",
    "Candidates that dropped out of the race early are shown with the figures of the search twins.",
    "Only what the templates hold was searched; a strategy that no template makes was not considered.",
    "Waiting costs what growth and new detectable disease cost in the model; anxiety, operating lists and"
    " travel cost nothing in it.",
]
QUALITY = (
    "Quality-adjusted time rests on utilities of published groups and on assumed durations of side effects;"
    " the time after a first recurrence counts as one state, also when it is removed again."
)
TOXIC = "How long a severe side effect lasts is assumed for every kind; each kind counts once."
BURDEN = (
    "Visits count infusions, prescriptions and planned scans, not phone calls, blood tests or emergencies."
)


def limits_of_search(goal: Goal) -> list[str]:
    """Sentences on what this search leaves out."""
    extra = []
    if "qaly" in goal.names:
        extra.append(QUALITY)
    if {"toxic_time", "toxicity_free"} & set(goal.names):
        extra.append(TOXIC)
    if {"burden", "visits", "hospital"} & set(goal.names):
        extra.append(BURDEN)
    return [*COMMON, *extra]
