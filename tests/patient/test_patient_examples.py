"""The bundled examples, the schema they follow, and what is derived from them."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from metachron.errors import InputError
from metachron.patient import (
    derive,
    example_names,
    example_path,
    parse_patient,
    patient_json_schema,
    read_example,
    read_patient,
)
from metachron.patient import schema_tree as tree
from metachron.patient.docs import update
from metachron.patient.schema import Patient

NAMES = [
    "metachronous_solitary",
    "msi_high",
    "recurrence_after_hepatectomy",
    "small_unfit",
    "stage3_adjuvant",
    "synchronous_bilobar",
    "unresectable_ras_mutant",
]
TREATMENTS = {"capox", "mfolfox6", "hepatectomy"}


def test_names() -> None:
    assert example_names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_example_loads_and_is_complete(name: str) -> None:
    patient = read_patient(example_path(name), known_treatments=TREATMENTS)
    assert patient == read_example(name)
    assert patient.title
    assert patient.sources
    cited = re.compile(r"PMID|doi|PMC|http|;\d+:\d+|Epidemiol 2014")
    assert all(cited.search(source) for source in patient.sources)
    assert date(2024, 1, 1) <= patient.assessed_on <= date(2026, 12, 31)
    assert derive.body_surface_area_m2(patient) is not None
    assert derive.side(patient) is not None


@pytest.mark.parametrize("name", NAMES)
def test_example_survives_json_and_yaml(name: str, tmp_path: Path) -> None:
    patient = read_example(name)
    data = json.loads(example_path(name).read_text(encoding="utf-8"))
    plain, full = tmp_path / "p.yaml", tmp_path / "q.json"
    plain.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")
    full.write_text(patient.model_dump_json(), encoding="utf-8")
    assert read_patient(plain) == patient
    assert read_patient(full) == patient
    assert parse_patient(patient.model_dump()) == patient


@pytest.mark.parametrize("name", NAMES)
def test_example_follows_the_json_schema(name: str) -> None:
    schema = patient_json_schema()
    checker = jsonschema.Draft202012Validator
    checker.check_schema(schema)
    checker(schema).validate(json.loads(example_path(name).read_text(encoding="utf-8")))
    assert list(checker(schema).iter_errors({"id": "a", "nonsense": 1}))


@pytest.mark.parametrize("name", NAMES)
def test_example_at_the_root_is_the_same(name: str, repository: Path) -> None:
    assert (repository / "examples" / f"{name}.json").read_bytes() == example_path(name).read_bytes()


def test_unknown_example() -> None:
    with pytest.raises(InputError, match="Did you mean msi_high") as caught:
        example_path("msi-hihg")
    assert "stage3_adjuvant" in caught.value.problems[0].allowed
    with pytest.raises(InputError):
        read_example("../../etc/passwd")


def test_every_field_is_in_the_documentation(repository: Path) -> None:
    page = (repository / "docs" / "patient.md").read_text(encoding="utf-8")
    for path, _ in tree.all_fields():
        assert f"`{tree.write_path(path).replace('[0]', '[]')}`" in page
    assert update(page) == page, "run python -m metachron.patient.docs docs/patient.md"
    assert all(name in page for name in NAMES)


# --- derived values ---------------------------------------------------------------------------------------


def make(**fields: Any) -> Patient:
    return parse_patient({"id": "a", "assessed_on": "2025-06-01", "age_years": 62, **fields})


def lesion(name: str, mm: float = 10, day: str = "2025-05-01", **fields: Any) -> dict[str, Any]:
    return {"id": name, "organ": "liver", "measurements": [{"date": day, "diameter_mm": mm}], **fields}


def test_nothing_is_known_of_an_empty_record() -> None:
    p = make()
    unknown = [
        derive.side, derive.node_count, derive.node_positive, derive.synchronous, derive.bilobar,
        derive.disease_free_interval_months, derive.body_surface_area_m2, derive.extrahepatic,
        derive.liver_lesion_count, derive.largest_liver_mm, derive.nothing_visible, derive.first_detected_on,
    ]  # fmt: skip
    assert [f(p) for f in unknown] == [None] * len(unknown)
    assert derive.visible_lesions(p) == []


def test_a_clean_scan_means_nothing_visible() -> None:
    p = make(last_imaging_on="2025-05-01")
    assert derive.nothing_visible(p) is True
    assert derive.extrahepatic(p) is False
    assert derive.liver_lesion_count(p) == 0
    assert derive.nothing_visible(make(metastases=[lesion("a")])) is False
    treated = [lesion("a", treated="resected")]
    assert derive.nothing_visible(make(metastases=treated)) is None
    assert derive.nothing_visible(make(metastases=treated, last_imaging_on="2025-05-20")) is True


def test_a_summary_speaks_when_nothing_is_listed() -> None:
    p = make(
        metastasis_summary={
            "liver_lesions": 3,
            "largest_liver_mm": 40,
            "extrahepatic": False,
            "bilobar": True,
        }
    )
    assert derive.liver_lesion_count(p) == 3
    assert derive.largest_liver_mm(p) == 40
    assert derive.extrahepatic(p) is False
    assert derive.bilobar(p) is True
    assert derive.nothing_visible(p) is False
    clean = make(metastasis_summary={"liver_lesions": 0, "extrahepatic": False})
    assert derive.nothing_visible(clean) is True
    assert derive.nothing_visible(make(metastasis_summary={"bilobar": None})) is None


def test_visible_lesions_have_their_latest_size() -> None:
    sizes = [
        {"date": "2025-05-20", "diameter_mm": 27, "modality": "CT"},
        {"date": "2025-05-20", "diameter_mm": 25, "modality": "MRI"},
        {"date": "2025-03-18", "diameter_mm": 40, "modality": "MRI"},
    ]
    p = make(metastases=[lesion("a", measurements=sizes), lesion("b", treated="ablated")])
    (seen,) = derive.visible_lesions(p)
    assert (seen.id, seen.diameter_mm, seen.modality) == ("a", 25, "MRI")
    assert derive.largest_liver_mm(p) == 25
    assert derive.liver_lesion_count(p) == 1


@pytest.mark.parametrize(
    ("segments", "expected"),
    [([2, 5], True), ([2, 3], False), ([1, 7], False), ([6], False), ([2, None], None), ([None], False)],
)
def test_bilobar(segments: list[int | None], expected: bool | None) -> None:
    p = make(metastases=[lesion(str(i), segment=s) for i, s in enumerate(segments)])
    assert derive.bilobar(p) is expected


@pytest.mark.parametrize(
    ("diagnosed", "timing"),
    [
        ("2025-05-10", "synchronous"),
        ("2025-02-10", "synchronous"),
        ("2025-01-10", "early metachronous"),
        ("2024-05-10", "early metachronous"),
        ("2024-04-10", "late metachronous"),
    ],
)
def test_timing_of_metastases(diagnosed: str, timing: str) -> None:
    p = make(metastases=[lesion("a")], primary={"diagnosed_on": diagnosed})
    assert derive.metastasis_timing(p) == timing
    assert derive.synchronous(p) is (timing == "synchronous")


def test_disease_free_interval() -> None:
    p = make(metastases=[lesion("a")], primary={"diagnosed_on": "2023-09-25", "resected_on": "2024-05-01"})
    assert derive.disease_free_interval_months(p) == pytest.approx(12.0, abs=0.05)
    assert derive.disease_free_interval_months(read_example("synchronous_bilobar")) == 0.0


@pytest.mark.parametrize(
    ("site", "side"),
    [("caecum", "right"), ("transverse colon", "right"), ("splenic flexure", "left"),
     ("rectosigmoid", "left"), ("rectum", "rectum"), ("colon, site not known", None)],
)  # fmt: skip
def test_side(site: str, side: str | None) -> None:
    assert derive.side(make(primary={"site": site})) == side
    if side is None:
        assert derive.side(make(primary={"site": site, "side": "right"})) == "right"


def test_body_surface_area_worked_value() -> None:
    # 180 cm and 80 kg: sqrt(4) by the formula
    assert derive.body_surface_area_m2(make(height_cm=180, weight_kg=80)) == pytest.approx(2.0)


def test_nodes() -> None:
    assert derive.node_count(make(primary={"n": "N0"})) == 0
    assert derive.node_count(make(primary={"n": "N1"})) is None
    assert derive.node_positive(make(primary={"n": "N1c", "nodes_positive": 0})) is True
    assert derive.node_positive(make(primary={"nodes_positive": 0})) is False


def test_examples_span_what_they_should() -> None:
    got = {name: read_example(name) for name in NAMES}
    assert derive.nothing_visible(got["stage3_adjuvant"]) is True
    assert derive.bilobar(got["synchronous_bilobar"]) is True
    assert derive.synchronous(got["synchronous_bilobar"]) is True
    assert derive.liver_lesion_count(got["metachronous_solitary"]) == 1
    assert derive.synchronous(got["metachronous_solitary"]) is False
    assert got["small_unfit"].fit_for_major_surgery is False
    assert max(v.diameter_mm for v in derive.visible_lesions(got["small_unfit"])) <= 30
    assert got["recurrence_after_hepatectomy"].metastases[0].treated == "resected"
    assert got["unresectable_ras_mutant"].markers.ras == "mutant"
    assert derive.extrahepatic(got["unresectable_ras_mutant"]) is True
    assert got["msi_high"].markers.msi == "MSI-high"
    growing = [p for p in got.values() if any(_grew(m.measurements) for m in p.metastases)]
    assert len(growing) >= 2


def _grew(sizes: list[Any]) -> bool:
    ordered = sorted(sizes, key=lambda m: m.date)
    apart = (ordered[-1].date - ordered[0].date).days
    return apart > 30 and ordered[-1].diameter_mm > ordered[0].diameter_mm
