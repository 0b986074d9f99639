"""A table becomes patient files: unknown stays unknown, outcomes stay apart, every bad cell is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metachron.errors import InputError
from metachron.interop.column_map import read_map
from metachron.interop.crlm_table import convert_table
from metachron.interop.outcomes import read_outcomes
from metachron.patient.load import read_patient
from metachron.strategies.candidates import Situation, situation
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.eligibility import judge
from metachron.strategies.language import resolve

from .conftest import HEADER, ROWS, table_text  # type: ignore[import-not-found]

COLUMNS = HEADER.split(",")


def changed(column: str, value: str, row: str = ROWS[0]) -> str:
    cells = row.split(",")
    cells[COLUMNS.index(column)] = value
    return ",".join(cells)


def convert(tmp_path: Path, text: str, column_map: Path | None = None) -> Any:
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    return convert_table(path, read_map(column_map))


def problems(tmp_path: Path, text: str, column_map: Path | None = None) -> list[str]:
    with pytest.raises(InputError) as caught:
        convert(tmp_path, text, column_map)
    return [str(p) for p in caught.value.problems]


def test_a_row_becomes_a_patient(tmp_path: Path) -> None:
    first, second, third, _ = convert(tmp_path, table_text()).patients
    assert (first.id, first.age_years, first.sex, first.major_comorbidity) == ("made-up-1", 61, "male", False)
    assert first.chemotherapy_before_liver_surgery is True
    assert first.clinical_risk_score == 2
    assert first.metastasis_summary.tumour_share_of_liver == 0.01
    assert first.liver.remnant_share == 0.8
    assert first.liver.all_lesions_resectable is True
    assert first.fit_for_major_surgery is True
    assert str(first.assessed_on) == "2005-01-01"
    assert "10.7937/QXK2-QG03" in first.sources[0]
    assert (second.sex, second.liver.steatosis, second.metastasis_summary.extrahepatic) == (
        "female",
        True,
        True,
    )
    assert (second.clinical_risk_score, second.chemotherapy_before_liver_surgery) == (None, False)
    unknown = (third.major_comorbidity, third.chemotherapy_before_liver_surgery, third.liver.steatosis)
    assert unknown == (None, None, None)
    assert (third.metastasis_summary.extrahepatic, third.liver.remnant_share) == (None, None)


def test_nothing_of_what_happened_is_in_a_patient(tmp_path: Path) -> None:
    plain = convert(tmp_path, table_text()).patients
    after = ("total_response_percent", *COLUMNS[COLUMNS.index("overall_survival_months") :])
    rows = []
    for row in ROWS:
        for column in after:
            row = changed(column, "0" if column.startswith(("vital", "prog")) else "7", row)
        rows.append(row)
    assert convert(tmp_path, table_text(*rows)).patients == plain


def test_the_command_writes_files_that_can_be_read(
    table: Path, tmp_path: Path, metachron: Callable[..., Any]
) -> None:
    out = tmp_path / "new" / "cohort"
    result = metachron("convert", table, "--out", out)
    assert result.code == 0
    assert "total_response_percent (pathology" in result.err
    assert sorted(p.name for p in out.iterdir()) == [
        *(f"made-up-{i}.json" for i in range(1, 5)),
        "outcomes.csv",
    ]
    patient = read_patient(out / "made-up-1.json", load_catalogue().names())
    assert patient == convert_table(table).patients[0]
    assert situation(patient) is Situation.RESECTABLE
    assert "null" not in (out / "made-up-3.json").read_text(encoding="utf-8")
    seen = read_outcomes(out / "outcomes.csv")["made-up-2"].observed
    assert (seen["os"].months, seen["os"].event) == (50.0, False)
    assert (seen["rfs"].months, seen["rfs"].event) == (20.0, True)
    assert metachron("check", out / "made-up-1.json").code == 0


def test_a_full_folder_is_refused(table: Path, tmp_path: Path, metachron: Callable[..., Any]) -> None:
    out = tmp_path / "old"
    out.mkdir()
    (out / "old.json").write_text("{}", encoding="utf-8")
    result = metachron("convert", table, "--out", out)
    assert (result.code, [p.name for p in out.iterdir()]) == (2, ["old.json"])
    assert "not empty" in result.err
    assert metachron("convert", table, "--out", out, "--force").code == 0


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("age", "7", ["row 2, column age", "7", "18 to 105 years"]),
        ("age", "sixty", ["row 2, column age", "'sixty'", "18 to 105 years"]),
        ("age", "", ["row 2, column age", "required"]),
        ("age", "nan", ["row 2, column age", "'nan'"]),
        ("sex", "3", ["row 2, column sex", "'3'", "1 (male), 2 (female)"]),
        ("major_comorbidity", "2", ["row 2, column major_comorbidity", "'2'", "0 (no), 1 (yes)"]),
        ("clinrisk_score", "6", ["row 2, column clinrisk_score", "6", "0 to 5"]),
        ("clinrisk_score", "1.5", ["row 2, column clinrisk_score", "'1.5'", "0 to 5"]),
        ("clinrisk_score", "-9", ["row 2, column clinrisk_score", "-9", "missing"]),
        ("tumour_share_of_liver", "40", ["row 2, column tumour_share_of_liver", "40", "0 to 0.95"]),
        ("tumour_share_of_liver", "0,4", ["row 2"]),
        ("remnant_share", "0", ["row 2, column remnant_share", "above 0, up to 1"]),
        ("overall_survival_months", "-3", ["row 2, column overall_survival_months", "'-3'", "0 to 1200"]),
        ("overall_survival_months", "5", ["row 2", "longer than os"]),
        ("vital_status", "2", ["row 2, column vital_status", "'2'", "1 event, 0 censored"]),
        ("vital_status", "-999", ["row 2, column vital_status", "empty"]),
        ("Patient-ID", "", ["row 2, column Patient-ID", "required"]),
        ("Patient-ID", "MADE-UP-2", ["row 3, column Patient-ID", "row 2"]),
    ],
)
def test_a_bad_cell_is_named_once(tmp_path: Path, column: str, value: str, words: list[str]) -> None:
    found = problems(tmp_path, table_text(changed(column, value), *ROWS[1:]))
    assert len(found) == (2 if value == "5" else 1), found
    for word in words:
        assert word in found[0]


def test_every_bad_cell_is_told_at_once(tmp_path: Path) -> None:
    rows = (changed("age", "200"), changed("sex", "9", ROWS[1]), changed("vital_status", "x", ROWS[3]))
    found = problems(tmp_path, table_text(*rows))
    assert [text.split(":")[0] for text in found] == [
        "row 2, column age", "row 3, column sex", "row 4, column vital_status",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (" \n", ["empty"]),
        (HEADER + "\n", ["0 patients"]),
        (table_text(header=HEADER.replace("age,", "years,")), ["no column age", "--map"]),
        (table_text(header=HEADER.replace("age,", "Age,")), ["no column age", "Is it Age?"]),
        (table_text(header=HEADER.replace("age,", "sex,", 1)), ["sex is there twice"]),
        (table_text().replace(",", ";"), ["only one column", "delimiter: ';'"]),
        (table_text(ROWS[0] + ",1"), ["row 2", "20 cells", "19 cells"]),
        (table_text('"' + ROWS[0]), ["cannot be read"]),
        ("a\0b", ["not a table"]),
    ],
)
def test_a_bad_table_is_one_clear_error(tmp_path: Path, text: str, words: list[str]) -> None:
    found = problems(tmp_path, text)
    for word in words:
        assert word in found[0]


def test_a_missing_table_is_an_input_error(tmp_path: Path, metachron: Callable[..., Any]) -> None:
    result = metachron("convert", tmp_path / "no.csv", "--out", tmp_path / "x")
    assert (result.code, (tmp_path / "x").exists()) == (2, False)
    assert "no such file" in result.err


# --- maps of other hospitals -----------------------------------------------------------------------------

OTHER = """
name: another hospital
delimiter: ";"
decimal: ","
missing: ["", "unk"]
constants: {assessed_on: 2020-05-01, liver.all_lesions_resectable: true}
columns:
  pseudonym: {field: id}
  years: {field: age_years}
  largest_cm: {field: metastasis_summary.largest_liver_mm, factor: 10}
  lesions: {field: metastasis_summary.liver_lesions}
  kras: {field: markers.ras, values: {"wt": wild type, "mut": mutant, "not done": null}}
  flr_percent: {field: liver.remnant_share, factor: 0.01}
  ecog: {field: ecog, optional: true}
outcomes:
  os: {time: days, event: died}
outcome_unit: days
"""


def other_map(tmp_path: Path, text: str = OTHER) -> Path:
    path = tmp_path / "map.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_another_hospital_maps_its_columns(tmp_path: Path) -> None:
    text = (
        "pseudonym;years;largest_cm;lesions;kras;flr_percent;days;died;ward\nA;60;2,5;3;not done;35;730,5;1;W"
    )
    converted = convert(tmp_path, text, other_map(tmp_path))
    (patient,) = converted.patients
    assert patient.metastasis_summary.largest_liver_mm == 25
    assert (patient.markers.ras, patient.ecog, patient.liver.remnant_share) == (None, None, 0.35)
    assert converted.outcomes[0].observed["os"].months == pytest.approx(24.0)
    assert "rfs" not in converted.outcomes[0].observed
    assert converted.notes == ["not read, unknown to the map: ward"]


def test_a_decimal_point_is_refused_where_a_comma_is_meant(tmp_path: Path) -> None:
    text = "pseudonym;years;largest_cm;lesions;kras;flr_percent;days;died\nA;60;2.5;3;wt;35;7.5;1"
    found = problems(tmp_path, text, other_map(tmp_path))
    assert "row 2, column largest_cm" in found[0]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("age_years", "age", ["columns.years.field", "no field 'age'", "docs/patient.md"]),
        ("{field: age_years}", "{field: ecog}", ["filled twice"]),
        ("age_years", "labs", ["labs is object"]),
        ("assessed_on: 2020-05-01, ", "", ["nothing fills assessed_on"]),
        ("time: days", "time: lesions", ["columns.lesions", "may not be told"]),
        ("outcome_unit: days", "outcome_unit: weeks", ["outcome_unit"]),
        ("columns:", "colums:", ["columns"]),
    ],
)
def test_a_bad_map_says_what_is_wrong(tmp_path: Path, old: str, new: str, words: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        read_map(other_map(tmp_path, OTHER.replace(old, new)))
    for word in words:
        assert word in str(caught.value)


def test_a_constant_that_cannot_be_is_told(tmp_path: Path) -> None:
    text = "pseudonym;years;largest_cm;lesions;kras;flr_percent;days;died\nA;60;2,5;3;wt;35;7;1"
    found = problems(tmp_path, text, other_map(tmp_path, OTHER.replace("2020-05-01", "1850-05-01")))
    assert found[0].startswith("row 2: assessed_on")


# --- chemotherapy of unknown kind ------------------------------------------------------------------------


def test_chemotherapy_of_unknown_length_asks_about_a_small_remnant(tmp_path: Path) -> None:
    row = changed("remnant_share", "0.25")
    without = changed("chemo_before_liver_resection", "0", row)
    for text, expected in ((row, "unknown"), (without, "yes")):
        (patient,) = convert(tmp_path, table_text(text)).patients
        patient = patient.model_copy(update={"ecog": 0})
        verdict = judge(patient, resolve("hepatectomy"), load_catalogue())
        rules = {r.rule: r for r in verdict.reasons}
        injured = rules.get("remnant-injured-liver")
        assert (injured is not None and "prior_treatments" in injured.needs) is (expected == "unknown")
        assert all(r.verdict != "not eligible" for r in verdict.reasons)


def test_a_listed_treatment_contradicts_none_given(tmp_path: Path) -> None:
    data = {
        "id": "x", "assessed_on": "2020-01-01", "age_years": 60, "chemotherapy_before_liver_surgery": False,
        "prior_treatments": [{"name": "mfolfox6", "setting": "neoadjuvant"}],
    }  # fmt: skip
    path = tmp_path / "x.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(InputError, match="chemotherapy_before_liver_surgery"):
        read_patient(path)
