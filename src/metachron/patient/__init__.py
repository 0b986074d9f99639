"""The patient: schema, reading, checks, and what follows from a record."""

from __future__ import annotations

from metachron.patient.examples import example_names, example_path, read_example
from metachron.patient.load import parse_patient, patient_json_schema, read_patient
from metachron.patient.schema import Patient

__all__ = [
    "Patient",
    "example_names",
    "example_path",
    "parse_patient",
    "patient_json_schema",
    "read_example",
    "read_patient",
]
