"""Templates: what they hold, what they are filled to, and what a fault in them says."""

from __future__ import annotations

import pytest

from metachron.errors import InputError
from metachron.optimise.template import parse_template
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.language import resolve

CATALOGUE = load_catalogue()
SANDWICH = "mfolfox6*{4..6} > [{28..56:14}d] hepatectomy > [{28..84:14}d] mfolfox6*{6..8}"


def test_variables_are_named_after_what_they_change() -> None:
    found = {v.name: (v.unit, v.values) for v in parse_template(SANDWICH, CATALOGUE).variables}
    assert found == {
        "cycles of mfolfox6": ("cycles", (4.0, 5.0, 6.0)),
        "mfolfox6 to hepatectomy": ("d", (28.0, 42.0, 56.0)),
        "hepatectomy to mfolfox6": ("d", (28.0, 42.0, 56.0, 70.0, 84.0)),
        "cycles of mfolfox6 (2)": ("cycles", (6.0, 7.0, 8.0)),
    }


def test_every_combination_once() -> None:
    template = parse_template(SANDWICH, CATALOGUE)
    filled = {template.fill(values)[0] for values in template.combinations()}
    assert len(filled) == template.size == 3 * 3 * 5 * 3
    assert "mfolfox6*5 > [42d] hepatectomy > [84d] mfolfox6*7" in filled


def test_pieces_of_an_expression_may_vary_and_be_missing() -> None:
    template = parse_template("mfolfox6*6{partner=, + bevacizumab} > [{42,56}d] hepatectomy", CATALOGUE)
    filled = [template.fill(v)[0] for v in template.combinations()]
    assert filled[0] == "mfolfox6*6 > [42d] hepatectomy"
    assert filled[3] == "mfolfox6*6+ bevacizumab > [56d] hepatectomy"
    assert resolve(filled[3]).steps[0].regimens == ["mfolfox6", "bevacizumab"]


def test_one_variable_may_stand_twice() -> None:
    template = parse_template("mfolfox6*{n=4,6} > hepatectomy > mfolfox6*{n}", CATALOGUE)
    assert [template.fill(v)[0] for v in template.combinations()] == [
        "mfolfox6*4 > hepatectomy > mfolfox6*4",
        "mfolfox6*6 > hepatectomy > mfolfox6*6",
    ]


def test_infusion_day_and_schedule_of_scans() -> None:
    template = parse_template("mfolfox6*12 + cik*{4,8}@{2,8} | surveillance={standard,intensive}", CATALOGUE)
    assert [v.name for v in template.variables] == [
        "infusions of cik",
        "infusion day of cik",
        "surveillance",
    ]
    values = {"infusions of cik": 8.0, "infusion day of cik": 2.0, "surveillance": "intensive"}
    assert template.fill(values) == ("mfolfox6*12 + cik*8@2", "intensive")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("mfolfox6*{4..6 > hepatectomy", ["column 10", "no partner"]),
        ("mfolfox6*{9..6}", ["column 10", "empty"]),
        ("mfolfox6*{4..6:0}", ["column 10", "a step of 0"]),
        ("mfolfox6*{}", ["nothing stands"]),
        ("mfolfox6*{4..}", ["no range", "{4..6}"]),
        ("mfolfox6*{1..999}", ["999 values", "at most 200"]),
        ("mfolfox6*{gap=3,4} > [{gpa}d] hepatectomy", ["Did you mean gap?"]),
        ("mfolfox6*{n=3,4} > [{n=3,4}d] hepatectomy", ["twice"]),
        ("observation | surveillance={standard,intensve}", ["intensve", "Did you mean intensive?"]),
        ("observation | scans", ["surveillance=NAME"]),
        ("[{28..56:0}d] hepatectomy", ["column 2", "a step of 0"]),
        ("hepatectomy > {gap}", ["column 15", "no variable is called 'gap'", "{gap=28..56:14}"]),
    ],
)
def test_faults_say_where_and_what_is_allowed(text: str, parts: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        parse_template(text, CATALOGUE)
    for part in parts:
        assert part in str(caught.value)
