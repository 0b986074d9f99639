"""A plan made by hand, and the library behind the command replaced by it where speed matters."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from metachron import DISCLAIMER, __version__
from metachron.cli import run
from metachron.plan.results import Curve, Estimate, Outcomes, Plan, StrategyResult, TwinSummary

PATIENT = {"schema_version": "1", "id": "case one/2", "assessed_on": "2024-03-01", "age_years": 61}


def curve(endpoint: str) -> Curve:
    return Curve(
        endpoint=endpoint,
        times_months=[0, 1, 2],
        survival=[1.0, 0.9, 0.8],
        lower=[1.0, 0.85, 0.7],
        upper=[1.0, 0.95, 0.9],
        at_risk={"0": 100, "2": 80},
        median_months=Estimate(value=None),
        landmarks={"1": Estimate(value=0.7, lower=0.6, upper=0.8)},
        rmst_months=Estimate(value=1.9, lower=1.8, upper=2.0),
        basis="prior-driven",
    )


def small_plan(seed: int = 1) -> Plan:
    outcomes = Outcomes(
        os=curve("OS"),
        rfs_or_pfs=curve("RFS"),
        hepatic_rfs=curve("hepatic RFS"),
        toxicity=[],
        chemotherapy_completed=None,
    )
    strategy = StrategyResult(
        name="hepatectomy",
        title="Résection, margin ≥ 1 mm",
        summary="",
        intent="curative",
        eligible="yes",
        reasons=[],
        evidence_grade="standard",
        basis="prior-driven",
        outcomes=outcomes,
    )
    nothing = Estimate(value=0.5)
    twins = TwinSummary(
        requested=100,
        draws=2,
        candidates=1000,
        effective_sample_size=90.0,
        matched_on=["lesions seen"],
        occult_probability=nothing,
        occult_mean=nothing,
        doubling_time_days=nothing,
    )
    return Plan(
        version=__version__,
        seed=seed,
        settings={"twins": 100, "draws": 2, "horizon_years": 1.0},
        disclaimer=DISCLAIMER,
        parameters_status="literature values, not fitted",
        patient=PATIENT,
        scores=[],
        situation="résécable — liver only",
        reference="hepatectomy",
        twins=twins,
        strategies=[strategy],
        comparison=[],
        bibliography=[],
        limits=[],
    )


@dataclass
class Fakes:
    """What the fakes were called with, and what they shall do."""

    calls: list[dict[str, Any]]
    error: BaseException | None = None
    report_error: BaseException | None = None


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Fakes:
    """Planning and reporting replaced by something instant."""
    state = Fakes(calls=[])

    def make_plan(patient: Any, *, progress: Callable[[str, float], None], **options: Any) -> Plan:
        state.calls.append({"patient": patient, **options})
        for share in (0.1, 0.2, 0.3):
            progress("matching twins", share)
        progress("simulating strategy 1 of 1", 0.6)
        if state.error is not None:
            raise state.error
        return small_plan(options["seed"])

    def write_report(plan: Plan, path: Path) -> Path:
        path.write_text("<html>half", encoding="utf-8")
        if state.report_error is not None:
            raise state.report_error
        path.write_text(f"<html>{plan.seed}</html>", encoding="utf-8")
        return path

    def summary_lines(plan: Plan) -> list[str]:
        return [f"Situation: {plan.situation}", plan.parameters_status]

    def strategy_table(plan: Plan) -> Any:
        from rich.table import Table

        table = Table("strategy", "eligible")
        for strategy in plan.strategies:
            table.add_row(strategy.title, strategy.eligible)
        return table

    contents = {
        "metachron.plan.make": {"make_plan": make_plan},
        "metachron.report.build": {"write_report": write_report},
        "metachron.report.console": {"summary_lines": summary_lines, "strategy_table": strategy_table},
    }
    for name, functions in contents.items():
        module = ModuleType(name)
        vars(module).update(functions)
        monkeypatch.setitem(sys.modules, name, module)
    return state


@pytest.fixture
def patient_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small valid patient in an otherwise empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "patient.json"
    path.write_text(json.dumps(PATIENT), encoding="utf-8")
    return path


@dataclass
class Result:
    code: int
    out: str
    err: str


@pytest.fixture
def metachron(capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Run a command line in this process."""

    def call(*arguments: str | Path) -> Result:
        code = run([str(a) for a in arguments])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call
