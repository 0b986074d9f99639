"""The space of a search: default spaces of every situation, names, and what is refused."""

from __future__ import annotations

import pytest

from metachron.errors import InputError
from metachron.optimise.evaluate import strategy_key
from metachron.optimise.space import asked_templates, build, default_space, load_spaces, make_space
from metachron.optimise.template import parse_template
from metachron.patient.examples import example_names, read_example
from metachron.strategies.candidates import Situation
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.eligibility import judge
from metachron.strategies.language import resolve

CATALOGUE = load_catalogue()


@pytest.mark.parametrize("name", example_names())
def test_default_space_of_every_example(name: str) -> None:
    patient = read_example(name)
    space = default_space(patient, CATALOGUE)
    assert len(space.candidates) > 20
    assert len({c.key for c in space.candidates}) == len(space.candidates)
    eligible = [c for c in space.candidates if judge(patient, c.strategy, CATALOGUE).eligible != "no"]
    assert len(eligible) > len(space.candidates) / 2
    for candidate in space.candidates:  # what is printed can be run again
        assert strategy_key(resolve(candidate.expression, CATALOGUE)) == candidate.key, candidate.expression


def test_every_template_of_every_situation_can_be_built() -> None:
    for situation in Situation:
        for named in load_spaces()[situation]:
            template = parse_template(named.template, CATALOGUE)
            for values in template.combinations():
                build(template, values, CATALOGUE)


def test_spaces_cover_order_intervals_cycles_cells_and_scans() -> None:
    names = {s.name for spaces in load_spaces().values() for s in spaces}
    assert {
        "surgery_first",
        "chemotherapy_first",
        "sandwich",
        "ablation_first",
        "bevacizumab_washout",
    } <= names
    assert {"maintenance", "breaks", "follow_up", "cells_between_cycles", "surgery_then_cells"} <= names


def test_a_usual_strategy_that_a_template_makes_keeps_its_name() -> None:
    usual = CATALOGUE.strategies["adjuvant_mfolfox6"]
    template = parse_template("mfolfox6*{6,12}", CATALOGUE)
    space = make_space([template], CATALOGUE, usual=[usual])
    assert [(c.strategy.name, c.values) for c in space.candidates] == [
        ("adjuvant_mfolfox6", {"cycles of mfolfox6": 12.0}),
        ("mfolfox6*6", {"cycles of mfolfox6": 6.0}),
    ]


@pytest.mark.parametrize(
    ("texts", "part"),
    [
        (["surgry_first"], "Did you mean surgery_first?"),
        (["mfolfox6*{4..6} > hepatctomy"], "Did you mean hepatectomy?"),
        (["mfolfox6*{1..150} > [{1..180}d] hepatectomy"], "27,000 candidates are too many"),
        ([], "the search space is empty"),
    ],
)
def test_what_is_refused(texts: list[str], part: str) -> None:
    patient = read_example("metachronous_solitary")
    with pytest.raises(InputError) as caught:
        make_space(asked_templates(texts, patient, CATALOGUE), CATALOGUE)
    assert part in str(caught.value)


def test_a_default_space_by_name() -> None:
    patient = read_example("metachronous_solitary")
    (template,) = asked_templates(["chemotherapy_first"], patient, CATALOGUE)
    assert template.title == "chemotherapy first, then surgery"
