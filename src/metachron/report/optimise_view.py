"""The candidates of a search as the report shows them: letter, standing, colour, and numbers in words.

Colour says the standing, never which candidate it is: that is the letter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from string import ascii_uppercase

from metachron.optimise.results import Evaluation, Measured, ObjectiveDescription, Optimisation, Value
from metachron.optimise.said import title_of
from metachron.report import words

SHOWN = 10  # ranked candidates with a letter
UNRANKED_SHOWN = 5
UNPROVEN = ("investigational", "not supported")
BEST, ALIKE, APART, UNRANKED = "#0b4f79", "#2f6f9f", "#5c5c5c", "#7a3b00"
STANDING_COLOURS = {"best": BEST, "alike": ALIKE, "near": ALIKE, "apart": APART, "unranked": UNRANKED}
STANDING_WORDS = {
    "best": "best of the ranked",
    "alike": "cannot be told apart from the best",
    "near": "as good: the difference is too small to matter",
    "apart": "told apart from the best",
    "unranked": "shown, not ranked",
}
AS_GOOD = ("alike", "near")


@dataclass(frozen=True)
class Candidate:
    """One candidate with a letter.

    `probability` (0 to 1) and `regret` (in the unit of the objective) are None when it is not ranked.
    """

    index: int
    letter: str
    standing: str
    evaluation: Evaluation
    is_reference: bool
    on_front: bool
    probability: float | None
    regret: float | None

    @property
    def colour(self) -> str:
        return STANDING_COLOURS[self.standing]

    @property
    def title(self) -> str:
        return title_of(self.evaluation)

    @property
    def words(self) -> str:
        """How it stands to the best, in words."""
        return STANDING_WORDS[self.standing]


@dataclass(frozen=True)
class Shown:
    """The candidates with a letter, and how many there are beside them."""

    ranked: list[Candidate]
    unranked: list[Candidate]
    ranked_in_all: int
    unranked_in_all: int
    left_race: int

    @property
    def all(self) -> list[Candidate]:
        return [*self.ranked, *self.unranked]


def shown(document: Optimisation) -> Shown:
    """Candidates in the order of their rank; the reference is always among them.

    Those that were evaluated and may not be ranked (unproven, outside the data) follow. Those that left the
    race before the last comparison have no letter.
    """
    ranked = sorted((e for e in document.evaluations if e.rank is not None), key=lambda e: e.rank or 0)
    compared = [e for e in ranked if e.id in document.probability_best] or ranked
    several = document.front and len(document.sought) > 1
    first = _spread_front(document, compared) if several else compared[:SHOWN]
    first += [e for e in ranked if e.id == document.reference and e not in first]
    rest = [e for e in document.evaluations if e.rank is None and e.objectives]
    refused = [e for e in rest if not_rankable(e) or not ranked]
    in_band = {row.id for row in document.cells_band}
    others = sorted(refused, key=lambda e: (e.id != document.reference, e.id not in in_band))[:UNRANKED_SHOWN]
    made = [_candidate(document, i, e) for i, e in enumerate([*first, *others])]
    return Shown(
        ranked=made[: len(first)],
        unranked=made[len(first) :],
        ranked_in_all=len(ranked),
        unranked_in_all=len(refused),
        left_race=len(rest) - len(refused),
    )


def _spread_front(document: Optimisation, compared: list[Evaluation]) -> list[Evaluation]:
    """The first, members of the front from end to end, and what there is room for besides, by rank."""
    first, *rest = compared
    front = [e for e in rest if e.id in document.front]
    room = SHOWN - 1
    step = max(1.0, (len(front) - 1) / (room - 1))
    kept = {front[round(i * step)].id for i in range(min(room, len(front)))}
    kept |= {e.id for e in [e for e in rest if e.id not in document.front][: room - len(kept)]}
    return [first, *(e for e in rest if e.id in kept)]


def _candidate(document: Optimisation, index: int, e: Evaluation) -> Candidate:
    return Candidate(
        index=index,
        letter=letter(index),
        standing=_standing(document, e),
        evaluation=e,
        is_reference=e.id == document.reference,
        on_front=e.id in document.front,
        probability=document.probability_best.get(e.id) if e.rank is not None else None,
        regret=document.expected_regret.get(e.id) if e.rank is not None else None,
    )


def _standing(document: Optimisation, e: Evaluation) -> str:
    """A key of STANDING_WORDS."""
    if e.id == document.best:
        return "best"
    if e.rank is None:
        return "unranked"
    if e.id in document.cannot_be_told_apart:
        return "alike"
    return "near" if e.id in document.as_good else "apart"


def not_rankable(e: Evaluation) -> bool:
    """Never ranked, however well it does: unproven, or outside the data."""
    return e.evidence_grade in UNPROVEN or e.basis == "outside"


def letter(index: int) -> str:
    """A to Z, then AA, AB, ..."""
    head, tail = divmod(index, 26)
    return (ascii_uppercase[head - 1] if head else "") + ascii_uppercase[tail]


# --- numbers in words ----------------------------------------------------------------------------------


def value_words(found: Measured | None) -> str:
    """`41.2 (38.0 to 44.1)`, without a unit: timetables differ by less than whole months."""
    if found is None or found.value is None:
        return "not available"
    ends = [v for v in (found.value, found.lower, found.upper) if v is not None]
    middle, *rest = (f"{v + 0.0:.1f}".replace("-", "\N{MINUS SIGN}") for v in ends)
    return middle + (f" ({rest[0]} to {rest[1]})" if len(rest) == 2 else "")


def decimals(values: list[float], unit: str) -> int:
    """Whole days; months with one decimal below ten."""
    return 0 if unit == "days" or max(map(abs, values), default=0.0) >= 9.95 else 1


def difference_words(found: Measured | None, unit: str) -> str:
    """`−1.2 months (−2.0 to −0.3)`."""
    if found is None or found.value is None:
        return words.DASH
    ends = [v for v in (found.value, found.lower, found.upper) if v is not None]
    places = decimals(ends, unit)
    middle, *rest = (words.signed(v, places) for v in ends)
    return f"{middle} {unit}" + (f" ({rest[0]} to {rest[1]})" if len(rest) == 2 else "")


def regret_words(regret: float | None, unit: str) -> str:
    if regret is None:
        return words.DASH
    places = decimals([regret], unit)
    least = 0.5 * 10.0**-places
    if 0 < regret < least:
        return f"<{2 * least:g} {unit}"
    return f"{regret:.{places}f} {unit}"


def variables_words(variables: dict[str, Value], units: dict[str, str]) -> str:
    """`hepatectomy to mfolfox6 28 d, cycles of mfolfox6 6`."""
    return "; ".join(f"{name}: {quantity(value, units.get(name, ''))}" for name, value in variables.items())


def quantity(value: Value | None, unit: str) -> str:
    """`28 d`, `6 cycles`, `day 8`, `surgery first`."""
    if value is None:
        return words.DASH
    if isinstance(value, str):
        return value
    text = f"{value:g}"
    if unit == "day of cycle":
        return f"day {text}"
    return f"{text}\N{NO-BREAK SPACE}{unit}" if unit else text


def objective_head(objective: ObjectiveDescription) -> str:
    """What is measured, with its unit: the head of a column or the title of an axis."""
    text = objective_name(objective)
    return words.sentence(text).rstrip(".") + (
        "" if objective.unit in text.lower() else f" ({objective.unit})"
    )


def objective_name(objective: ObjectiveDescription) -> str:
    """Its words without what stands in brackets, e.g. how a weighted sum is made."""
    text = objective.words or objective.name
    return re.sub(r" \([^()]*\)$", "", text)


def nice_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """At most `most` round ticks between two limits."""
    steps = (m * 10.0**e for e in range(-4, 7) for m in (1, 2, 5))
    for step in steps:
        first = -(-low // step) * step
        count = int((high - first) / step + 1e-9) + 1
        if count <= most:
            return [first + i * step for i in range(max(count, 0))]
    return [low, high]


def tick_text(value: float) -> str:
    text = f"{value:g}" if abs(value) > 1e-9 else "0"
    return text.replace("-", "\N{MINUS SIGN}")
