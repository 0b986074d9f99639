"""The page for the patient: short words, short sentences, honest frequencies."""

from __future__ import annotations

import re
from html import unescape

import pytest
from sample import sample_patient, sample_plan

from metachron.report.build import render
from metachron.report.plain import icon_array, out_of_ten
from metachron.report.plain_names import PROCEDURES, REGIMENS, choice

GRADE = 7.0


def syllables(word: str) -> int:
    """Groups of vowels, less a silent e; good to a few per cent on running text."""
    word = re.sub(r"[^a-z]", "", word.lower())
    count = len(re.findall(r"[aeiouy]+", word))
    if word.endswith(("e", "es", "ed")) and not word.endswith(("le", "les", "ted", "ded")) and count > 1:
        count -= 1
    return max(1, count)


def flesch_kincaid(text: str) -> float:
    sentences = [s for s in re.split(r"[.!?:]+(?:\s|$)", text) if re.search(r"[A-Za-z]", s)]
    words = re.findall(r"[A-Za-z][A-Za-z'-]*", text)
    total = sum(syllables(w) for w in words)
    return 0.39 * len(words) / len(sentences) + 11.8 * total / len(words) - 15.59


def plain_text(html: str) -> str:
    section = re.search(r'<section id="plain".*?</section>', html, flags=re.S)
    assert section is not None
    text = re.sub(r"<(svg|details|table).*?</\1>", " ", section.group(), flags=re.S)
    text = re.sub(r"</(h2|h3|li|p)>", r". ", text)  # a heading or an item ends a sentence
    text = unescape(re.sub(r"<[^>]+>", " ", text))
    return re.sub(r"([.?!:])[\s.]*\.", r"\1", re.sub(r"\s+", " ", text))


def test_the_measure_itself() -> None:
    assert flesch_kincaid("The cat sat on the mat. It was a fat cat.") < 1
    hard = "Perioperative administration of chemotherapy necessitates multidisciplinary evaluation."
    assert flesch_kincaid(hard) > 15


@pytest.mark.parametrize(
    "name", ["synchronous_bilobar", "stage3_adjuvant", "small_unfit", "unresectable_ras_mutant"]
)
def test_a_child_of_twelve_can_read_it(name: str) -> None:
    text = plain_text(render(sample_plan(patient=sample_patient(name))))
    assert flesch_kincaid(text) <= GRADE
    longest = max(len(s.split()) for s in re.split(r"[.!?:]\s", text))
    assert longest <= 28


def test_numbers_as_people_out_of_ten() -> None:
    assert out_of_ten(0.42) == "about 4 of 10 people"
    assert out_of_ten(0.01) == "fewer than 1 of 10 people"
    assert out_of_ten(0.999) == "more than 9 of 10 people"


def test_icon_array_counts_right() -> None:
    text = str(icon_array(37, "x", "Choice A", "About 4 of 10."))
    assert text.count('class="in"') == 37
    assert text.count('class="out"') == 63


def test_every_catalogue_name_has_plain_words() -> None:
    plan = sample_plan()
    first = plan.strategies[0]
    for name in [*PROCEDURES, *REGIMENS]:
        words = choice(first.model_copy(update={"expression": f"{name}*6@8", "name": "x"}))
        assert words != first.title
        assert "_" not in words


def test_composed_strategies_are_told_in_order() -> None:
    strategy = (
        sample_plan()
        .strategies[0]
        .model_copy(
            update={"name": "x", "expression": "mfolfox6*6 + bevacizumab > hepatectomy > [28d] cik*8"}
        )
    )
    said = choice(strategy)
    assert said.index("FOLFOX") < said.index("operation") < said.index("cells")
    assert "bevacizumab" in said
    assert "for about 3 months" in said


def test_an_unknown_expression_falls_back_to_the_title() -> None:
    strategy = sample_plan().strategies[0].model_copy(update={"name": "x", "expression": "magic*3"})
    assert choice(strategy) == strategy.title


def test_strategies_without_evidence_get_no_picture() -> None:
    plan = sample_plan()
    html = render(plan)
    pictures = re.findall(r'<figure class="people">.*?</figure>', html, flags=re.S)
    assert 1 <= len(pictures) <= 3
    assert not any("cells" in p for p in pictures)
