"""A plain table of resected liver metastases: columns may be absent, unknown stays unknown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metachron.commands.cohort import CohortOptions, run_cohort
from metachron.errors import InputError
from metachron.interop.column_map import map_of_table
from metachron.interop.crlm_table import convert_table
from metachron.patient import derive
from metachron.plan.findings import read_findings
from metachron.strategies.catalogue import load_catalogue

ROW = {
    "id": "made-up-1", "age": "63", "sex": "female", "risk_score": "2", "liver_lesions": "3",
    "largest_mm": "41", "cea_ng_ml": "12", "nodes_positive": "4", "interval_months": "14",
    "chemotherapy_before": "yes", "ras": "wild type", "os_months": "40", "os_event": "1",
    "dfs_months": "11", "dfs_event": "1", "hepatic_dfs_months": "11", "hepatic_dfs_event": "1",
}  # fmt: skip


def write(folder: Path, *rows: dict[str, str]) -> Path:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    path = folder / "cohort.csv"
    path.write_text(stream.getvalue(), encoding="utf-8")
    return path


def options(table: Path, **changes: Any) -> CohortOptions:
    values: dict[str, Any] = {
        "folder": table, "outcomes": None, "strategy": "hepatectomy", "strategy_pretreated": None,
        "twins": 100, "draws": 2, "seed": 1, "horizon_years": 10.0, "out": None, "as_json": True, "jobs": 1,
    }  # fmt: skip
    return CohortOptions(**values | changes)


def test_every_column_reaches_its_field(tmp_path: Path) -> None:
    table = write(tmp_path, ROW)
    (patient,) = convert_table(table, map_of_table(table)).patients
    assert (patient.age_years, patient.sex, patient.clinical_risk_score) == (63, "female", 2)
    assert patient.metastasis_summary is not None
    assert patient.metastasis_summary.liver_lesions == 3
    assert patient.metastasis_summary.largest_liver_mm == 41
    assert (patient.labs.cea_ng_ml, patient.primary.nodes_positive) == (12, 4)
    assert patient.chemotherapy_before_liver_surgery is True
    assert patient.markers.ras == "wild type"
    assert derive.disease_free_interval_months(patient) == pytest.approx(14, abs=0.05)
    assert derive.synchronous(patient) is False


def test_no_interval_is_synchronous(tmp_path: Path) -> None:
    table = write(tmp_path, ROW | {"interval_months": "0"})
    (patient,) = convert_table(table, map_of_table(table)).patients
    assert derive.synchronous(patient) is True


def test_what_is_missing_is_unknown(tmp_path: Path) -> None:
    bare = {"id": "a", "age": "70", "liver_lesions": "1", "os_months": "20", "os_event": "0"}
    table = write(tmp_path, bare)
    found = convert_table(table, map_of_table(table))
    (patient,) = found.patients
    assert patient.sex is patient.markers.ras is patient.clinical_risk_score is None
    assert patient.labs.cea_ng_ml is patient.primary.nodes_positive is None
    assert derive.disease_free_interval_months(patient) is None
    assert set(found.outcomes[0].observed) == {"os"}


def test_a_resected_patient_has_metastases_whatever_is_recorded(tmp_path: Path) -> None:
    table = write(tmp_path, {"id": "a", "age": "70", "os_months": "20", "os_event": "0"})
    found = convert_table(table, map_of_table(table))
    assert read_findings(found.patients[0], load_catalogue()).nothing_visible is False
    assert found.notes == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"interval_months": "-3"}, ("row 2, column interval_months", "0 to 240 months")),
        ({"interval_months": "long"}, ("row 2, column interval_months",)),
        ({"age": ""}, ("row 2", "age")),
        ({"largest_mm": "4100"}, ("row 2, column largest_mm", "400")),
        ({"os_event": "dead"}, ("row 2, column os_event", "1 event, 0 censored")),
    ],
)
def test_bad_cells_are_named(tmp_path: Path, change: dict[str, str], words: tuple[str, ...]) -> None:
    table = write(tmp_path, ROW | change)
    with pytest.raises(InputError) as caught:
        convert_table(table, map_of_table(table))
    assert all(word in str(caught.value) for word in words)


def test_a_table_without_outcomes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"does not say what happened.*os_months and os_event"):
        run_cohort(options(write(tmp_path, {"id": "a", "age": "70"})))


def test_a_table_is_scored_like_a_folder(
    tmp_path: Path, planner: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(1)
    rows = []
    for k in range(60):
        age = int(rng.integers(40, 80))
        months = float(rng.exponential(2000 / age / np.log(2)))
        outcome = {"os_months": f"{min(months, 90):.2f}", "os_event": str(int(months < 90))}
        rows.append({"id": f"p{k}", "age": str(age), **outcome})
    run_cohort(options(write(tmp_path, *rows)))
    (os,) = json.loads(capsys.readouterr().out)["summaries"]
    assert (os["endpoint"], os["patients"], os["brier_months"]) == ("os", 60, 60.0)
    assert 0.1 < os["integrated_brier"] < 0.25
    assert os["brier_of_kaplan_meier"] == pytest.approx(os["integrated_brier"], abs=0.03)
    slope = os["calibration_slope"]
    assert slope["lower"] < 1.0 < slope["upper"]


def test_the_public_collection_is_known_by_its_columns(table: Path, metachron: Callable[..., Any]) -> None:
    assert map_of_table(table).name == "Colorectal-Liver-Metastases"
