"""A small made-up table (no real person), and a plan made at once instead of simulated."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from metachron import DISCLAIMER, __version__
from metachron.cli import run
from metachron.errors import MetachronError, TwinError
from metachron.plan.results import Bar, Curve, Estimate, Outcomes, Plan, StrategyResult, TwinSummary

HEADER = (
    "Patient-ID,age,sex,major_comorbidity,chemo_before_liver_resection,clinrisk_score,extrahep_disease,"
    "steatosis_yesno,total_response_percent,tumour_share_of_liver,remnant_share,overall_survival_months,"
    "vital_status,progression_or_recurrence,months_to_DFS_progression,vital_status_DFS,"
    "progression_or_recurrence_liveronly,months_to_liver_DFS_progression,vital_status_liver_DFS"
)
ROWS = (
    "made-up-1,61,1,0,1,2,0,0,40%,0.01,0.8,30.0,1,1,10.0,1,1,12.0,1",
    "made-up-2,47,2,1,0,-999,1,1,10%,0.2,0.25,50.0,0,1,20.0,1,0,50.0,0",
    "made-up-3,75,2,-999,,0,-999,,5%,0.005,-999,70.5,0,0,70.5,0,0,70.5,0",
    "made-up-4,55,1,0,0,5,0,0,0%,0.1,0.4,8.0,1,1,3.0,1,1,3.0,1",
)


def table_text(*rows: str, header: str = HEADER) -> str:
    return "\n".join([header, *(rows or ROWS)]) + "\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(table_text(), encoding="utf-8")
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


def curve(endpoint: str, median: float, months: int = 120) -> Curve:
    """An exponential curve with a band."""
    times = [float(m) for m in range(months + 1)]
    line = [math.exp(-math.log(2) * t / median) for t in times]
    return Curve(
        endpoint=endpoint,
        times_months=times,
        survival=line,
        lower=[s**1.5 for s in line],
        upper=[s**0.5 for s in line],
        at_risk={"0": 100},
        median_months=Estimate(value=median),
        landmarks={},
        rmst_months=Estimate(value=median),
        basis="prior-driven",
    )


def plan_of(patient: Any, strategy: str, seed: int, operation_day: float, simulated: bool = True) -> Plan:
    """The older the patient, the shorter the predicted survival."""
    median = 2000 / patient.age_years
    outcomes = Outcomes(
        os=curve("OS", median),
        rfs_or_pfs=curve("RFS", median / 2),
        hepatic_rfs=curve("hepatic RFS", median / 1.5),
        toxicity=[],
        chemotherapy_completed=None,
    )
    window = (operation_day, operation_day)
    bar = Bar(lane="surgery", label="operation", start_day=operation_day, end_day=operation_day,
              start_window=window, end_window=window, share=1.0)  # fmt: skip
    result = StrategyResult(
        name=strategy, title=strategy, summary="", intent="curative", expression=strategy, eligible="unknown",
        reasons=[], evidence_grade="standard", basis="prior-driven", timetable=[bar],
        outcomes=outcomes if simulated else None,
    )  # fmt: skip
    nothing = Estimate(value=0.5)
    twins = TwinSummary(
        requested=100, draws=2, candidates=1000, effective_sample_size=90.0, matched_on=[],
        occult_probability=nothing, occult_mean=nothing, doubling_time_days=nothing,
    )  # fmt: skip
    return Plan(
        version=__version__, seed=seed, settings={}, disclaimer=DISCLAIMER, parameters_status="not fitted",
        patient={}, scores=[], situation="", reference="hepatectomy", twins=twins, strategies=[result],
        comparison=[], bibliography=[], limits=[],
    )  # fmt: skip


@dataclass
class Planner:
    """What the planner was asked, and what it shall do."""

    calls: list[dict[str, Any]] = field(default_factory=list)
    operation_day: float = 20.0
    fail: dict[str, MetachronError] = field(default_factory=dict)
    not_simulated: set[str] = field(default_factory=set)


@pytest.fixture
def planner(monkeypatch: pytest.MonkeyPatch) -> Planner:
    """`metachron.plan.make` replaced by something instant."""
    state = Planner()

    def make_plan(patient: Any, *, progress: Callable[[str, float], None], **options: Any) -> Plan:
        state.calls.append({"patient": patient, **options})
        progress("matching twins", 0.5)
        if patient.id in state.fail:
            raise state.fail[patient.id]
        (strategy,) = options["strategies"]
        simulated = patient.id not in state.not_simulated
        return plan_of(patient, strategy, options["seed"], state.operation_day, simulated)

    module = ModuleType("metachron.plan.make")
    vars(module)["make_plan"] = make_plan
    monkeypatch.setitem(sys.modules, "metachron.plan.make", module)
    return state


TWIN_ERROR = TwinError("too few twins")
