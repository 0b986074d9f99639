"""The page a patient can take home: short sentences, common words, people out of ten.

Only what the plan says is said. Strategies without evidence are named as such and get no picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from metachron.plan.results import Estimate, Plan
from metachron.report import plain_names, words
from metachron.report.arms import Arm

MAX_PICTURES = 3
MAX_CHOICES = 7  # more would not fit on one page; the team has the rest
MAX_UNPROVEN = 3
CLEAR_MONTHS = 1.0  # less than this is no reason for a patient to choose
_NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True)
class Picture:
    """One icon array: `alive` of 100 small people, and its words."""

    letter: str
    heading: str
    alive: int
    sentence: str
    spread: str
    icons: Markup


@dataclass(frozen=True)
class PlainPage:
    found: list[str]
    choices: list[tuple[str, str]]
    more: int
    unproven: list[str]
    without: str
    not_now: int
    waiting: list[str]
    suggests: list[str]
    checked: str
    hidden: str
    effects: list[str]
    years: str
    pictures: list[Picture]
    limits: list[str]
    questions: list[str]


def plain_page(plan: Plan, arms: list[Arm]) -> PlainPage:
    """Everything the template of the page needs."""
    everyone = [a for a in arms if a.ranked or (a.outside and _proven(a))]
    listed = everyone[:MAX_CHOICES]
    shown = _main_arms([a for a in listed if a.ranked])
    years = words.landmark_year(arms[0].outcomes.os) if arms else None
    spots = _spot_count(plan.patient)
    return PlainPage(
        found=_found(plan.patient),
        choices=[(a.letter, plain_names.choice(a.strategy, spots)) for a in listed],
        more=len(everyone) - len(listed),
        unproven=[
            plain_names.choice(a.strategy, spots)
            for a in arms
            if a.strategy.evidence_grade == "investigational" or a.standing == "investigational"
        ][:MAX_UNPROVEN],
        without=_without(arms),
        not_now=sum(s.eligible == "no" for s in plan.strategies),
        waiting=_waiting(plan),
        suggests=_suggests(plan, listed),
        checked=_checked(plan),
        hidden=_hidden(plan),
        effects=_effects(shown),
        years=years or "",
        pictures=[_picture(a, years, spots) for a in shown if years],
        limits=_limits(plan),
        questions=list(QUESTIONS),
    )


QUESTIONS = (
    "Which of these choices fits me best, and why?",
    "What do you hope it will do: cure, more time, or fewer signs of illness?",
    "What could go wrong? How often does that happen here?",
    "How will I feel from week to week? Can I work or travel?",
    "What happens if we wait, or if I say no?",
    "Is there a trial I could join?",
    "Who can I call, day or night, if I feel ill?",
)


# --- what was found ------------------------------------------------------------------------------------


def _found(patient: dict[str, Any]) -> list[str]:
    """Two to four sentences on the cancer, from the record alone."""
    said = ["You have had a cancer of the bowel."]
    if (patient.get("primary") or {}).get("resected") is False:
        said = ["You have a cancer of the bowel. It is still in place."]
    elif (patient.get("primary") or {}).get("resected"):
        said = ["You had a cancer of the bowel. It has been taken out."]
    return said + _spots(patient) + _unknown(patient)


def _spots(patient: dict[str, Any]) -> list[str]:
    lesions, liver = _in_place(patient)
    summary = patient.get("metastasis_summary") or {}
    count = _spot_count(patient)
    sizes = [_latest_mm(m) for m in liver] or [summary.get("largest_liver_mm") or 0]
    said = []
    if count:
        spot = "one spot" if count == 1 else f"{in_words(count)} spots"
        said.append(f"The scans show {spot} of cancer in the liver.")
        if largest := max((s for s in sizes if s), default=0):
            size = f"{largest / 10:.1f}".removesuffix(".0")
            said.append(f"{'It' if count == 1 else 'The largest'} is about {size} cm across.")
    places = {"lung": "the lung", "peritoneum": "the lining of the belly"}
    places["distant lymph nodes"] = "lymph glands far from the bowel"
    other = sorted(
        {places.get(str(m["organ"]), str(m["organ"])) for m in lesions if m.get("organ") != "liver"}
    )
    if other:
        said.append(f"There is also cancer in {words.listed(other)}.")
    if not count and not other:
        said.append("The last scans show no cancer that we can see." if patient.get("last_imaging_on") else
                    "We do not know of any spots of cancer on scans.")  # fmt: skip
    return said


def _in_place(patient: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Metastases not yet treated: all, and those in the liver."""
    lesions = [m for m in patient.get("metastases") or [] if not m.get("treated")]
    return lesions, [m for m in lesions if m.get("organ") == "liver"]


def _spot_count(patient: dict[str, Any]) -> int:
    """Metastases in the liver, from the list or else from the summary."""
    summary = patient.get("metastasis_summary") or {}
    return len(_in_place(patient)[1]) or summary.get("liver_lesions") or 0


def _latest_mm(lesion: dict[str, Any]) -> float:
    sizes = sorted((str(m["date"]), float(m["diameter_mm"])) for m in lesion.get("measurements") or [])
    return sizes[-1][1] if sizes else 0.0


def _unknown(patient: dict[str, Any]) -> list[str]:
    markers = patient.get("markers") or {}
    if any(markers.get(k) is None for k in ("ras", "braf", "msi", "her2")):
        return ["Some tests of the tumour are not known yet. They may open or close a choice."]
    return []


def in_words(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


# --- what the twins suggest ----------------------------------------------------------------------------


def out_of_ten(share: float) -> str:
    """`about 4 of 10 people`; never none and never all."""
    if share < 0.05:
        return "fewer than 1 of 10 people"
    if share > 0.95:
        return "more than 9 of 10 people"
    return f"about {round(share * 10)} of 10 people"


def _main_arms(ranked: list[Arm]) -> list[Arm]:
    """The reference and the next standards or options, at most three."""
    return sorted(ranked, key=lambda a: not a.is_reference)[:MAX_PICTURES]


def _proven(arm: Arm) -> bool:
    return arm.strategy.evidence_grade in ("standard", "option")


def _suggests(plan: Plan, listed: list[Arm]) -> list[str]:
    if plan.outside:
        return [
            "The computer learned from trials. People like you were not in them.",
            "So it does not say which choice is better for you. Your team can.",
        ]
    ranked = [a for a in listed if a.ranked]
    reference = next((a for a in ranked if a.is_reference), None)
    if reference is None:
        return ["The computer could not compare the choices for you."]
    better: list[str] = []
    worse: list[str] = []
    same: list[str] = []
    for difference in plan.comparison:
        arm = next((a for a in ranked if a.strategy.name == difference.strategy), None)
        if arm is None or difference.endpoint != "os":
            continue
        small = abs(difference.difference) < CLEAR_MONTHS or words.touches_nought(difference)
        if small or not words.is_clear(difference):
            same.append(arm.letter)
        else:
            (better if difference.difference > 0 else worse).append(arm.letter)
    said = [f"We set choice {reference.letter} beside the others."]
    if same:
        said.append(f"With {_choices(same)}, the computer sees no clear gap in how long people live.")
    if better:
        said.append(f"With {_choices(better)}, people in the computer lived longer.")
        if reference.strategy.evidence_grade == "standard":
            said.append(f"Trials with real people count more than this. They back choice {reference.letter}.")
    if worse:
        said.append(f"With {_choices(worse)}, people in the computer did not live as long.")
    if unknown := [a.letter for a in listed if a.outside]:
        said.append(f"It knows no trial of {_choices(unknown)}. So it does not compare {_them(unknown)}.")
    return said


def _them(letters: list[str]) -> str:
    return "it" if len(letters) == 1 else "them"


def _checked(plan: Plan) -> str:
    """How far the numbers can be trusted, in one or two short sentences."""
    if plan.provenance.source == "ensemble":
        return "The numbers were matched to trials with many people. They can still be wrong for you."
    return "No one has checked yet if these numbers come true."


def _choices(letters: list[str]) -> str:
    letters = sorted(letters)
    return ("choice " if len(letters) == 1 else "choices ") + words.listed(letters)


def _effects(shown: list[Arm]) -> list[str]:
    said = []
    for arm in shown:
        toxicity, total = words.severe_toxicity(arm.strategy)
        if toxicity is None or toxicity.probability.value is None:
            continue
        what = "a severe side effect" if total else f"severe side effects of one kind ({toxicity.kind})"
        said.append(f"Choice {arm.letter}: {out_of_ten(toxicity.probability.value)} had {what}.")
    if said:
        said.append("Severe means that it needs care soon. Some show only in blood tests.")
    return said


def _picture(arm: Arm, year: str | None, spots: int) -> Picture:
    estimate = arm.outcomes.os.landmarks.get(year or "") or Estimate(value=None)
    share = estimate.value or 0.0
    alive = min(100, max(0, round(share * 100)))
    ten = out_of_ten(share)
    sentence = f"{ten[0].upper()}{ten[1:]} like you were alive after {_years(year)}."
    return Picture(
        letter=arm.letter,
        heading=plain_names.choice(arm.strategy, spots),
        alive=alive,
        sentence=sentence,
        spread=_spread(estimate),
        icons=icon_array(alive, f"icons-{arm.index}", f"Choice {arm.letter}", sentence),
    )


def _years(year: str | None) -> str:
    return "one year" if year == "1" else f"{in_words(int(float(year or 0)))} years"


def _spread(estimate: Estimate) -> str:
    if estimate.lower is None or estimate.upper is None:
        return ""
    low, high = round(estimate.lower * 10), round(estimate.upper * 10)
    few = f"as few as {low}" if low else "fewer than one"
    return f"It could be {few} or as many as {high}." if high > low else ""


def icon_array(alive: int, name: str, title: str, description: str) -> Markup:
    """Ten rows of ten people; `alive` are dark, the others pale with an outline."""
    people = Markup("").join(
        Markup('<use href="#person" x="{}" y="{}" class="{}"/>').format(
            (i % 10) * 12, (i // 10) * 15, "in" if i < alive else "out"
        )
        for i in range(100)
    )
    return Markup(
        '<svg class="icons" viewBox="-1 -1 122 152" role="img" aria-labelledby="{n}-title {n}-desc">'
        '<title id="{n}-title">{t}: {k} of 100 people in colour</title>'
        '<desc id="{n}-desc">{d}</desc>{p}</svg>'
    ).format(n=name, t=title, k=alive, d=description, p=people)


# --- what it does not know -----------------------------------------------------------------------------


def _waiting(plan: Plan) -> list[str]:
    needs = {n for s in plan.strategies if s.eligible == "unknown" for r in s.reasons for n in r.needs}
    return sorted({plain_names.name_of_test(need) for need in needs})


def _limits(plan: Plan) -> list[str]:
    said = ["The computer does not know you. It knows only what is in your notes."]
    if plan.provenance.source == "ensemble":
        said.append("Its numbers come from trials. You may do better or worse than the people in them.")
    elif plan.parameters_status:
        said.append("Its numbers come from books and trials. No one has checked yet if they come true.")
    said.append("It does not know how you feel, what you want, or what your hospital can offer.")
    said.append("No one should choose a treatment from this page alone.")
    return said


def _hidden(plan: Plan) -> str:
    hidden = plan.twins.occult_probability.value
    if hidden is None:
        return ""
    return f"Scans cannot see very small spots. The computer thinks {out_of_ten(hidden)} like you have some."


def _without(arms: list[Arm]) -> str:
    """The choice to have no treatment against the cancer, told once, when it was looked at."""
    found = [
        plain_names.NO_TREATMENT.get(a.strategy.name)
        for a in arms
        if a.strategy.evidence_grade == "not supported"
    ]
    first = next((f for f in found if f), None)
    return f"You can also choose {first}. Guides for doctors name other plans first." if first else ""
