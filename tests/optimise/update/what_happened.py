"""Findings about a patient with one liver metastasis, and his twins before and after them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from metachron.optimise.update import make
from metachron.optimise.update.finding import Finding
from metachron.optimise.update.make import Options
from metachron.optimise.update.read import parse_finding
from metachron.optimise.update.today import Group
from metachron.patient.schema import Patient
from metachron.strategies.catalogue import load_catalogue

DAYS = 70


def day(patient: Patient, days: int) -> str:
    return (patient.assessed_on + timedelta(days=days)).isoformat()


def finding_of(patient: Patient, days: int = DAYS, **fields: Any) -> Finding:
    """A finding some days after the assessment."""
    return parse_finding({"date": day(patient, days), **fields})


def folfox(patient: Patient, cycles: int = 4) -> list[dict[str, Any]]:
    """mFOLFOX6 from a week after the assessment, going on."""
    return [{"name": "mfolfox6", "start": day(patient, 7), "cycles": cycles, "setting": "metastatic"}]


def sized(mm: float, **more: Any) -> dict[str, Any]:
    """A CT scan of the one lesion."""
    return {"lesions": [{"id": "L1", "diameter_mm": mm}], **more}


def conditioned(
    patient: Patient, *findings: Finding, twins: int = 400, jobs: int | None = None
) -> tuple[Group, Group]:
    """Twins today before and after the findings."""
    case = make.read_case(patient, list(findings), load_catalogue())
    options = Options(None, twins, 20, 1, 5.0, jobs, False)
    _, _, before, after = make.condition(case, options, lambda _stage, _share: None)
    return before, after
