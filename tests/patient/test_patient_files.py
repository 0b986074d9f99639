"""Files as people have them: wrong place, wrong format, wrong encoding, cut off, huge, hostile."""

from __future__ import annotations

import json
import os
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from metachron.errors import InputError, Problem
from metachron.patient import parse_patient, read_patient

BASE = '{"id": "a", "assessed_on": "2024-01-01", "age_years": 62}'


def refused(path: Path | str) -> Problem:
    with pytest.raises(InputError) as caught:
        read_patient(path)
    assert len(caught.value.problems) == 1, caught.value.problems
    assert caught.value.source == str(path)
    assert caught.value.exit_code == 2
    return caught.value.problems[0]


def refused_content(folder: Path, content: bytes | str, name: str = "p.json") -> Problem:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return refused(file)


JSON_CASES: list[tuple[bytes | str, str, str]] = [
    ("", "the file is empty", "metachron example"),
    (" \n\t\n", "the file is empty", ""),
    (b"\xef\xbb\xbf", "the file is empty", ""),
    (BASE[:40], "ends too early, at line 1, column", "missing end"),
    ('{"id": "a",\n "assessed_on": "2024', "ends too early, at line 2, column 17", "missing end"),
    ('{"id": "a",\n\n', "ends too early", "missing end"),
    (BASE + BASE, "more text after the end", ""),
    ('{"id": "a",}', "line 1, column 12", "Remove the comma"),
    ('{"id": "a" "age_years": 62}', "line 1, column 12", "comma is missing"),
    ("{'id': 'a'}", "line 1, column 2", "double quotes"),
    ('{"id": "a", // who\n"age_years": 62}', "line 1, column 13", "no comments"),
    ('{"ecog": None}', "line 1, column 10", "null"),
    ('{"age_years": NaN}', "NaN is not a number", "null"),
    ('{"age_years": -Infinity}', "Infinity (or a number too large)", "null"),
    ('{"age_years": 1e999}', "too large", "null"),
    ('{"age_years": ' + "9" * 5000 + "}", "5000 digits", "Check"),
    ('{"id": "a", "id": "b"}', "'id' is given twice", "Keep one"),
    ("[" * 100_000, "nested too deeply", ""),
    ('{"primary": ' * 30 + "1" + "}" * 30, "nested too deeply", ""),
    ("[" + BASE + "]", "holds a list", "one file for each"),
    ("42", "holds only 42", ""),
    ("null", "says nothing", "metachron example"),
    ("id: a", "not JSON: it begins with 'id: a'", ".yaml"),
    ('{"id": "\\ud800"}', "half a character", "UTF-8"),
    (BASE.encode("utf-16"), "UTF-16", "UTF-8"),
    (BASE.encode("utf-16-le"), "UTF-16", "UTF-8"),
    (BASE.encode("utf-32"), "UTF-32", "UTF-8"),
    ('{"id": "Müller"}'.encode("latin-1"), "byte 0xFC at line 1, column 10; it looks like Latin-1", "UTF-8"),
    (b"\x00\x01\x02\x03" * 100, "binary data", ""),
    (os.urandom(5000), "not text", ""),
    (b"%PDF-1.7 ...", "a PDF document", ""),
    (b"PK\x03\x04....", "a zip archive", ""),
    (b"\x89PNG....", "a PNG picture", ""),
    (b" " * 1_000_001, "1.0 MB", "not the images"),
    (b"x" * 10_000_000, "10.0 MB", "not the images"),
]


@pytest.mark.parametrize(("content", "message", "suggestion"), JSON_CASES)
def test_bad_json(tmp_path: Path, content: bytes | str, message: str, suggestion: str) -> None:
    problem = refused_content(tmp_path, content)
    assert message in problem.message
    assert suggestion in problem.suggestion


def bomb() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    return "\n".join(lines)


YAML_CASES: list[tuple[str, str, str]] = [
    ("# only a comment\n", "the file is empty", "metachron example"),
    ("---\n", "says nothing", ""),
    (bomb(), "anchors and aliases", "Write the value out"),
    ("id: !!python/object/apply:os.system ['echo hi']", "tags", "plain values"),
    ("id: ! a", "tags", "plain values"),
    ("id: a\nid: b\n", "'id' is given twice, line 2, column 1", "Keep one"),
    ("id: a\n---\nid: b\n", "several YAML documents", "one patient"),
    ("id: a\n\tage_years: 62\n", "line 2", "not tabs"),
    ("id: 'a\n", "cannot be read at line", ""),
    ("? [a, b]\n: c\n", "a field name is expected", "name: value"),
    ("age_years: .nan\n", ".nan is not a number", "null"),
    ("age_years: 1e999\n", "too large", "Check"),
    ("- id: a\n", "holds a list", "one file"),
    ("just words\n", "holds only", ""),
    ("[" * 5000, "", ""),
    ("{a: " * 200 + "1" + "}" * 200, "nested too deeply at line", ""),
    ("id: \x07\n", "", ""),
]


@pytest.mark.parametrize(("content", "message", "suggestion"), YAML_CASES)
def test_bad_yaml(tmp_path: Path, content: str, message: str, suggestion: str) -> None:
    problem = refused_content(tmp_path, content, "p.yaml")
    assert message in problem.message
    assert suggestion in problem.suggestion


@pytest.mark.parametrize(
    ("text", "path", "suggestion"),
    [
        ("preferences: {declines_surgery: yes}", "preferences.declines_surgery", "Write true"),
        ("primary: {resected: on}", "primary.resected", "Write true"),
        ("markers: {kras_g12c: no}", "markers.kras_g12c", "Write false"),
        ("ecog: 0o1", "ecog", ""),
        ("sex: no", "sex", ""),
        ("12: 3", "12", ""),
    ],
)
def test_yaml_words_are_not_converted(tmp_path: Path, text: str, path: str, suggestion: str) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(f"id: a\nassessed_on: 2024-01-01\nage_years: 62\n{text}\n")
    with pytest.raises(InputError) as caught:
        read_patient(file)
    assert [p.path for p in caught.value.problems] == [path]
    assert suggestion in caught.value.problems[0].suggestion


def test_yaml_dates_numbers_and_null(tmp_path: Path) -> None:
    file = tmp_path / "p.yml"
    file.write_text("id: 'a'\nassessed_on: 2024-01-01\nage_years: 62.5\necog: 01\nsex: ~\nheight_cm: null\n")
    patient = read_patient(file)
    assert patient.assessed_on == date(2024, 1, 1)
    assert (patient.age_years, patient.ecog, patient.sex) == (62.5, 1, None)


@pytest.mark.parametrize("name", ["p.json", "p.yaml", "p.yml", "p", "p.txt", "P.JSON"])
def test_json_under_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(BASE, encoding="utf-8")
    assert read_patient(tmp_path / name).id == "a"


def test_byte_order_mark_and_unicode_are_welcome(tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    file.write_text(BASE.replace('"a"', '"Zoë 患者"'), encoding="utf-8-sig")
    assert read_patient(file).id == "Zoë 患者"


def test_folder_and_missing_file(tmp_path: Path) -> None:
    assert "folder" in refused(tmp_path).message
    (tmp_path / "patient_a.json").write_text(BASE)
    assert "patient_a.json" in refused(tmp_path / "patient_b.json").suggestion
    assert "metachronous_solitary" in refused("metachronous_solitery").suggestion
    assert "does not exist either" in refused(tmp_path / "no" / "p.json").suggestion
    assert "metachron example" in refused(tmp_path / "zzzzzz.json").suggestion


def test_hostile_names(tmp_path: Path) -> None:
    assert refused("a\0b").message
    assert refused(str(tmp_path / ("x" * 300))).message
    assert refused("").message


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "regular file" in refused(tmp_path / "pipe").message


def test_a_megabyte_of_nonsense_is_answered_quickly(tmp_path: Path) -> None:
    start = time.perf_counter()
    file = tmp_path / "p.json"
    file.write_text(json.dumps({f"field{i}" * 3: i for i in range(25_000)}))
    with pytest.raises(InputError) as caught:
        read_patient(file)
    assert len(caught.value.problems) == 20
    file.write_text("{" + "a: [" * 20 + "x, " * 100_000)
    with pytest.raises(InputError):
        read_patient(file)
    file.write_text(json.dumps({"x" * 900_000: 1, "id": "y" * 90_000}))
    with pytest.raises(InputError) as caught:
        read_patient(file)
    assert len(str(caught.value)) < 3000
    assert time.perf_counter() - start < 8


@pytest.mark.parametrize(
    "data",
    [
        {1: 2},
        {"id": object()},
        {"id": b"a"},
        {"age_years": float("nan")},
        {"age_years": 10**400},
        "x",
        {"id": {1}},
    ],
)
def test_data_that_json_cannot_hold(data: Any) -> None:
    with pytest.raises(InputError):
        parse_patient(data)


def test_data_that_contain_themselves() -> None:
    data: dict[str, Any] = {}
    data["primary"] = data
    with pytest.raises(InputError, match="nested too deeply"):
        parse_patient(data)


def test_dates_may_be_dates_and_the_source_is_named() -> None:
    assert parse_patient({"id": "a", "assessed_on": date(2024, 1, 1), "age_years": 62}).id == "a"
    with pytest.raises(InputError, match="the form: age_years") as caught:
        parse_patient({"id": "a", "assessed_on": "2024-01-01"}, source="the form")
    assert caught.value.source == "the form"


def test_nan_is_located(tmp_path: Path) -> None:
    text = '{"id": "a", "labs": {"cea_ng_ml": NaN}}'
    assert refused_content(tmp_path, text).path == "labs.cea_ng_ml"
