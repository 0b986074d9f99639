"""What an update says in words: what the twins carry, what is approximated, and the summary."""

from __future__ import annotations

from metachron.optimise.numbers import figures, percent, plain, signed
from metachron.optimise.update.results import Belief, Observation, Sampling, Spread, StrategyBelief

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
LESS_KILLED = (
    "A smaller resistant share today goes with less kill here: where drugs kill less, more of the cells that "
    "are alive are sensitive ones."
)
RARE = 0.05
MOST_MOVED = 4


def sampling_text(candidates: int, ess: float, distinct: int, weakest: str) -> str:
    text = f"{candidates:,} virtual patients lived the treatment given; weighed by the findings they count as"
    text += f" {ess:,.0f} equal ones, and {distinct:,} different ones are kept as twins"
    return f"{text}. The finding that told most is: {weakest}." if weakest else f"{text}."


def summary(
    beliefs: list[Belief], seen: list[Observation], fates: list[StrategyBelief], sampled: Sampling
) -> list[str]:
    """A few sentences: what it means for months alive, what surprised, and what moved most."""
    lines = [_months(fates), _expected(seen)] if fates else [_expected(seen)]
    moved = sorted((b for b in beliefs if b.moved != "unchanged"), key=lambda b: -abs(b.shift))
    lines += [b.text for b in moved[:MOST_MOVED]]
    if not moved and any(o.used for o in seen):
        lines.append("No belief has moved by a tenth of its standard deviation.")
    down = {b.name for b in moved if b.moved == "down"}
    if "sensitivity" in down and any(name.startswith("resistant_now") for name in down):
        lines.append(LESS_KILLED)
    return [*lines, sampled.text]


def _months(fates: list[StrategyBelief]) -> str:
    """What the findings do to the months alive, over the strategies."""
    changes = [round(f.change_months, 1) + 0.0 for f in fates]
    low, high = min(changes), max(changes)
    over = f"over the {len(fates)} strategies" if len(fates) > 1 else f"under {fates[0].title}"
    within = f"mean months alive within {_years(fates)} from today"
    if low == high == 0.0:
        return f"The findings leave the {within} as they were, {over}."
    if low > 0.0 or high < 0.0:
        ends = sorted(abs(c) for c in (low, high))
        span = f"{ends[0]:.1f}" if low == high else f"{ends[0]:.1f} to {ends[1]:.1f}"
        return f"The findings {'raise' if low > 0.0 else 'lower'} the {within} by {span}, {over}."
    return f"The findings change the {within} by {signed(low)} to {signed(high)}, {over}."


def _expected(seen: list[Observation]) -> str:
    """Whether the findings were a surprise."""
    used = [o for o in seen if o.used]
    rare = [o for o in used if o.probability is not None and o.probability < RARE]
    if not used:
        return "The findings say nothing that the twins did not know; belief is as it was."
    if rare:
        named = "; ".join(_surprise(o) for o in rare[:3])
        return f"{len(rare)} of {len(used)} findings were unexpected (below 1 in 20): {named}."
    return f"Each of the {len(used)} findings is within what was expected of it (at least 1 in 20)."


def spread_text(found: Spread, unit: str, *, mean: bool = False) -> str:
    """`84 days (39 to 150)`, `63 % (under 1 to over 99 %)`; `mean`: of a count or a yes-or-no, its mean."""
    middle = found.mean if mean else found.median
    if unit == "fraction":
        ends = f" ({_share(found.lower)} to {_share(found.upper)} %)"
        return f"{_share(middle)} %" + ("" if mean else ends)
    if unit == "lesions":
        return f"{plain(found.mean)} ({found.lower:.0f} to {found.upper:.0f})"
    after = {"days": " days", "times average": " times the average"}.get(unit, f" {unit}")
    return f"{_figure(middle)}{after} ({_figure(found.lower)} to {_figure(found.upper)})"


def _share(share: float) -> str:
    return percent(share).removesuffix(" %")


def _figure(value: float) -> str:
    """Two figures below ten, whole numbers above."""
    if abs(value) < 0.95:
        return figures(value)
    return plain(value) if abs(value) < 9.95 else f"{value:,.0f}"


def _years(fates: list[StrategyBelief]) -> str:
    return fates[0].text.split(" within ")[1].split(" before")[0]


def _surprise(o: Observation) -> str:
    value = f"{o.found:g} {o.unit}" if isinstance(o.found, float) else o.found
    if o.expected is None:
        return f"{o.what} ({value}, expected of {100 * (o.probability or 0):.0f} %)"
    e = o.expected
    return f"{o.what} ({value}; expected {e.median:.0f}, {e.lower:.0f} to {e.upper:.0f})"
