"""Numbers and results in words: one place for every format a reader meets.

Percentages are whole, months have at most one decimal: the intervals are far wider than that.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from metachron.plan.results import Basis, Curve, Difference, Estimate, StrategyResult, Toxicity

NO_DIFFERENCE = "No detectable difference"
NOT_RANKED = "not ranked"
UNKNOWN = "not known"
DASH = "\N{EN DASH}"  # nothing to say here
ANY_TOXICITY = {"any", "any kind", "any toxicity", "any severe", "overall", "all kinds", "all"}
BASIS_MEANING: dict[Basis, str] = {
    "calibrated": "pinned by trial data",
    "prior-driven": "rests on literature values or assumption; no trial pins it",
    "outside": "outside the domain of the data; do not rely on it",
}
ENDPOINT_NAMES = {
    "OS": "Overall survival",
    "PFS": "Progression-free survival",
    "RFS": "Recurrence-free survival",
    "DFS": "Disease-free survival",
    "hepatic RFS": "Survival without recurrence in the liver",
}
DIFFERENCE_NAMES = {
    "os": "Overall survival",
    "rfs_or_pfs": "Recurrence- or progression-free survival",
    "hepatic_rfs": "Survival without recurrence in the liver",
    "toxicity_grade3plus": "Severe side effects (grade 3 or worse)",
}
DIFFERENCE_SHORT = {
    "os": "OS",
    "rfs_or_pfs": "RFS/PFS",
    "hepatic_rfs": "hepatic RFS",
    "toxicity_grade3plus": "grade 3+ toxicity",
}
_FRACTION_UNITS = {"", "1", "fraction", "probability", "share", "proportion"}


def percent(share: float) -> str:
    """A share in whole per cent; what rounds to none or all is written as a bound."""
    if share < 0.005:
        return "<1%"
    if share > 0.995:
        return ">99%"
    return f"{share * 100:.0f}%"


def percent_interval(estimate: Estimate | None) -> str:
    """`38% (31 to 46)`, without its interval when there is none."""
    if estimate is None or estimate.value is None:
        return "not available"
    if estimate.lower is None or estimate.upper is None:
        return percent(estimate.value)
    if percent(estimate.lower) == percent(estimate.upper) == percent(estimate.value):
        return percent(estimate.value)  # an interval narrower than the rounding says nothing
    return f"{percent(estimate.value)} ({percent_range(estimate.lower, estimate.upper)})"


def percent_range(lower: float, upper: float) -> str:
    low, high = percent(lower).removesuffix("%"), percent(upper).removesuffix("%")
    return f"{low} to {high}"


def number(value: float) -> str:
    """Two figures at most: one decimal below ten, whole above, a true minus sign."""
    text = f"{abs(value):.1f}" if abs(value) < 9.95 else f"{abs(value):.0f}"
    return f"\N{MINUS SIGN}{text}" if value < 0 and float(text) else text


def signed(value: float, decimals: int) -> str:
    text = f"{abs(value):.{decimals}f}"
    if not float(text):
        return "0"
    return f"+{text}" if value > 0 else f"\N{MINUS SIGN}{text}"


def months(estimate: Estimate, horizon: float | None = None) -> str:
    """A time in months with its interval; None is `not reached`."""
    if estimate.value is None:
        if estimate.lower is None:
            return "not reached"
        return f"not reached ({number(estimate.lower)} to not reached)"
    if estimate.lower is None and estimate.upper is None:
        return number(estimate.value)
    low = "?" if estimate.lower is None else number(estimate.lower)
    high = "not reached" if estimate.upper is None else number(estimate.upper)
    if horizon is not None and estimate.upper is None and estimate.lower is None:
        high = f"over {number(horizon)}"
    return f"{number(estimate.value)} ({low} to {high})"


def endpoint_name(curve: Curve) -> str:
    return ENDPOINT_NAMES.get(curve.endpoint, curve.endpoint)


def landmark_year(curve: Curve, wanted: int = 5) -> str | None:
    """The landmark asked for, or the latest there is when the horizon is shorter."""
    if str(wanted) in curve.landmarks:
        return str(wanted)
    earlier = [key for key in curve.landmarks if float(key) <= wanted]
    return max(earlier, key=float, default=None)


# --- differences ---------------------------------------------------------------------------------------


def difference_scale(difference: Difference) -> tuple[float, str]:
    """Factor and unit in which a difference is shown: fractions become percentage points."""
    if difference.unit.strip().lower() in _FRACTION_UNITS:
        return 100.0, "percentage points"
    return 1.0, difference.unit


def difference_numbers(difference: Difference) -> str:
    """`+3.2 months (+0.4 to +6.1)`; whole numbers for percentage points and beyond ten."""
    factor, unit = difference_scale(difference)
    values = [factor * v for v in (difference.difference, difference.lower, difference.upper)]
    decimals = 0 if "percent" in unit or max(map(abs, values)) >= 9.95 else 1
    middle, low, high = (signed(v, decimals) for v in values)
    if middle == low == high:
        return f"{middle} {unit}"
    return f"{middle} {unit} ({low} to {high})"


def is_clear(difference: Difference) -> bool:
    """Detectable, and not nought as printed: a longer life by nought months helps nobody."""
    return difference.detectable and not difference_numbers(difference).startswith("0 ")


def touches_nought(difference: Difference) -> bool:
    """Whether the interval as printed holds nought, so that the direction is likely rather than clear."""
    _, _, interval = difference_numbers(difference).partition("(")
    low, _, high = interval.rstrip(")").partition(" to ")
    return not interval or low[0] != high[0] or low == "0"


def difference_words(difference: Difference) -> str:
    """Whether the strategy does better or worse, in words; plainly nothing when nothing can be told.

    `Probably` when the direction is detectable (odds of nine to one) and the 90 % interval holds nought.
    """
    if not is_clear(difference):
        return NO_DIFFERENCE
    toxicity = difference.endpoint == "toxicity_grade3plus"
    if difference.difference > 0:
        said = "More often" if toxicity else "Longer"
    else:
        said = "Less often" if toxicity else "Shorter"
    return f"Probably {said.lower()}" if touches_nought(difference) else said


# --- toxicity and chemotherapy -------------------------------------------------------------------------


def is_any(toxicity: Toxicity) -> bool:
    kind = toxicity.kind.lower().strip()
    return kind in ANY_TOXICITY or kind.startswith("any ")


def kind_name(kind: str) -> str:
    return "any kind" if kind.lower().strip() in ANY_TOXICITY else kind


def severe_toxicity(strategy: StrategyResult) -> tuple[Toxicity | None, bool]:
    """Grade 3+ toxicity of any kind; the most frequent single kind (False) when no total is given."""
    if strategy.outcomes is None:
        return None, False
    severe = [t for t in strategy.outcomes.toxicity if t.grade == "3+"]
    for toxicity in severe:
        if is_any(toxicity):
            return toxicity, True
    return max(severe, key=lambda t: t.probability.value or 0.0, default=None), False


# --- patients ------------------------------------------------------------------------------------------


def score(value: float) -> str:
    """Points as they are; a measured score with one decimal."""
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.1f}"


def shown(value: Any) -> str:
    """A value of the patient record as people write it; None is `not known`."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def day(value: Any) -> str:
    """An ISO date as `2 September 2025`; any other text unchanged."""
    try:
        when = value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError:
        return shown(value)
    return f"{when.day} {when:%B} {when.year}"


def plural(count: int, one: str, many: str | None = None) -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def tidy(text: str) -> str:
    """Blood counts as people write them, and no remark that a tag beside the text repeats."""
    text = re.sub(r"\bx 1e9/L", "\N{MULTIPLICATION SIGN} 10\N{SUPERSCRIPT NINE}/L", text)
    return text.removesuffix(" [recalled, to be checked]")


def sentence(text: str) -> str:
    """First letter large (not that of a name like mFOLFOX6) and a full stop at the end; `` stays empty."""
    text = text.strip()
    if not text:
        return ""
    if not text[1:2].isupper():
        text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?" else text + "."


def listed(items: list[str]) -> str:
    """`a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"
