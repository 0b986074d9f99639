"""What an update says in words: what the twins carry, what is approximated, and the summary."""

from __future__ import annotations

from metachron.optimise.update.results import Belief, Observation, Sampling, StrategyBelief

CARRIED = [
    "Growth, drug sensitivity and resistance of the patient and of each lesion, and the parameter set.",
    "Living cells and dead tissue of every lesion, seen or unseen, and its resistant share for each drug.",
    "Drug still acting, neutrophils, lymphocytes and infused cells, nerve burden, liver volume and regrowth.",
    "The line of treatment and the hazard that goes with it.",
]
APPROXIMATED = [
    "The treatment is lived as recorded: cycles evenly spaced between its dates, at its mean dose.",
    "Nobody stops early, dies of an operation or of fever in the part that is known to have been survived.",
    "Given the patient's nature lesions are weighed one by one; with infused cells, which all lesions share, "
    "this is an approximation.",
    "CEA follows tumour volume with a wide error (SD of ln 0.8, assumed; PMID 6446377).",
    "Grades are read with errors that are assumed: SD of ln 0.4 for the lowest neutrophils, 0.3 for a count "
    "of one day and for nerves.",
    "Which side effects of the kinds known only by frequency happen again does not depend on the past.",
]
LIMITS = [
    "Belief moves as the model would have it: where growth or resistance follow other laws than the model's, "
    "the intervals are too narrow.",
    "`metachron plan updated_patient.json` starts from the merged record alone, without the memory of the "
    "twins; give the old record and all findings to `metachron update` to keep it.",
]
RARE = 0.05
MOST_MOVED = 4


def sampling_text(candidates: int, ess: float, distinct: int, weakest: str) -> str:
    text = f"{candidates:,} virtual patients lived the treatment given; after the findings they amount to "
    text += f"{ess:.0f}, from whom {distinct:,} different ones are kept as twins"
    return f"{text}. The finding that told most is: {weakest}." if weakest else f"{text}."


def summary(
    beliefs: list[Belief], seen: list[Observation], fates: list[StrategyBelief], sampled: Sampling
) -> list[str]:
    """A few sentences: what surprised, what moved most, and what it means for months alive."""
    rare = [o for o in seen if o.probability is not None and o.probability < RARE]
    lines = []
    used = [o for o in seen if o.used]
    if not used:
        lines.append("The findings say nothing that the twins did not know; belief is as it was.")
    elif rare:
        named = "; ".join(_surprise(o) for o in rare[:3])
        lines.append(f"{len(rare)} of {len(used)} findings were unexpected (below 1 in 20): {named}.")
    else:
        lines.append(f"All {len(used)} findings are within what was expected.")
    moved = sorted((b for b in beliefs if b.moved != "unchanged"), key=lambda b: -abs(b.shift))
    lines += [b.text for b in moved[:MOST_MOVED]]
    if not moved and used:
        lines.append("No belief has moved by a tenth of its standard deviation.")
    if fates:
        low, high = min(f.change_months for f in fates), max(f.change_months for f in fates)
        lines.append(
            f"Mean months alive within {_years(fates)} from today change by {low:+.1f} to {high:+.1f} over "
            f"the {len(fates)} strategies."
        )
    return [*lines, sampled.text]


def _years(fates: list[StrategyBelief]) -> str:
    return fates[0].text.split(" within ")[1].split(" before")[0]


def _surprise(o: Observation) -> str:
    value = f"{o.found:g} {o.unit}" if isinstance(o.found, float) else o.found
    if o.expected is None:
        return f"{o.what} ({value}, expected of {100 * (o.probability or 0):.0f} %)"
    e = o.expected
    return f"{o.what} ({value}; expected {e.median:.0f}, {e.lower:.0f} to {e.upper:.0f})"
