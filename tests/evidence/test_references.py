"""Facts and references: all load, all can be followed, none is defined twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from metachron.errors import InputError
from metachron.evidence import Reference, format_reference, link, load_facts, load_references

ONE = "Fong1999: {text: 'Fong Y et al. Ann Surg 1999.', pmid: '10493478', year: 1999, status: read}\n"


def test_every_reference_can_be_followed() -> None:
    references = load_references()
    assert len(references) > 100
    for key, reference in references.items():
        assert reference.key == key
        assert link(reference) or reference.reason


def test_every_fact_named_exists() -> None:
    facts = load_facts()
    missing = [(r.key, fact) for r in load_references().values() for fact in r.facts if fact not in facts]
    assert not missing


def test_facts_have_unique_ids_and_a_source() -> None:
    facts = load_facts()
    assert len(facts) == 709
    assert all(fact.source and fact.verified in {"read", "recalled"} for fact in facts.values())
    assert facts["risk_score-003"].values == [60, 44, 40, 20, 25, 14]


def test_a_key_in_two_files_names_both(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(ONE, encoding="utf-8")
    with pytest.raises(InputError, match=r"Fong1999: defined in a\.yaml and again in b\.yaml"):
        load_references(tmp_path)


def test_a_key_twice_in_one_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(ONE + ONE, encoding="utf-8")
    with pytest.raises(InputError, match="Fong1999"):
        load_references(tmp_path)


def test_a_reference_that_cannot_be_followed_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("X1: {text: 'A source', year: 1999, status: read}\n", encoding="utf-8")
    with pytest.raises(InputError, match="doi"):
        load_references(tmp_path)


def test_format_and_link() -> None:
    fong = load_references()["Fong1999"]
    assert format_reference(fong).endswith("doi:10.1097/00000658-199909000-00004. PMID 10493478.")
    assert link(fong) == "https://doi.org/10.1097/00000658-199909000-00004"
    bare = Reference(key="x", text="A talk", reason="not published", year=2020, status="recalled")
    assert link(bare) == ""
    assert format_reference(bare) == "A talk. (not published) [recalled, to be checked]"
