"""`metachron bench`: what it prints and what it refuses. Nothing here looks at how long anything took."""

from __future__ import annotations

import json
from typing import Any

import pytest

from metachron.bench import report
from metachron.bench.workload import Scenario, scenarios
from metachron.cli import run
from metachron.engine import cuda

EXAMPLE = "stage3_adjuvant"


@pytest.fixture(scope="module")
def few() -> list[Scenario]:
    return scenarios(20, [EXAMPLE])


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, few: list[Scenario]) -> None:
    """One example, 20 twins, no other process and no other program."""
    monkeypatch.setattr(report, "scenarios", lambda _twins: few)
    monkeypatch.setattr(report, "run_child", lambda *_, **__: {"memory_mb": 123.4, "compile_seconds": 5.6})
    monkeypatch.setattr(report, "peers", lambda _quick: ([], "not measured"))


def bench(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str, str]:
    code = run(["bench", *options])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.mark.usefixtures("small")
def test_json_is_one_object_with_the_promised_keys(
    capsys: pytest.CaptureFixture[str], few: list[Scenario]
) -> None:
    code, out, _ = bench(capsys, "--json", "--quick", "--jobs", "1")
    record: dict[str, Any] = json.loads(out)
    assert code == 0
    assert set(record["patients_per_second"]) == {"1"}
    assert record["patients_per_second"]["1"] > 0
    spread = record["spread"]["1"]
    assert spread["low"] <= spread["median"] <= spread["high"]
    assert spread["runs"] == record["runs"] == report.QUICK_RUNS
    assert record["memory_mb"] == 123.4
    assert record["compile_seconds"] is None, "--quick compiles nothing"
    assert record["peers"] == []
    assert record["peers_note"] == "not measured"
    assert {s["name"] for s in record["scenarios"]} == {f"{EXAMPLE}/{s.strategy}" for s in few}
    assert record["machine"]["cores"] >= 1


@pytest.mark.usefixtures("small")
def test_without_quick_compiling_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = bench(capsys, "--json", "--jobs", "1")
    assert json.loads(out)["compile_seconds"] == 5.6


@pytest.mark.usefixtures("small")
def test_tables_name_the_examples_the_mix_and_the_machine(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = bench(capsys, "--quick", "--jobs", "1")
    assert code == 0
    for words in (EXAMPLE, "all", "123 MB", "skipped", "not measured", "Machine:", "medians of"):
        assert words in out


@pytest.mark.usefixtures("small")
def test_peers_are_shown_with_their_accuracy(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = {"name": "slow", "version": "1.2", "patients_per_second": 10.0, "ratio": 20.0, "error": 4e-4}
    monkeypatch.setattr(report, "peers", lambda _quick: ([peer], ""))
    _, out, _ = bench(capsys, "--quick", "--jobs", "1")
    assert "20.0x" in out
    assert "4.0e-04" in out


@pytest.mark.parametrize("jobs", ["0", "-1", "100000"])
def test_impossible_thread_counts_are_refused(capsys: pytest.CaptureFixture[str], jobs: str) -> None:
    code, out, err = bench(capsys, "--jobs", jobs)
    assert code == 2
    assert "--jobs" in err
    assert out == ""


def test_an_unknown_device_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = bench(capsys, "--device", "abacus")
    assert code == 2
    assert "--device" in err
    assert "cpu, cuda" in err
    assert out == ""


@pytest.mark.skipif(cuda.cuda is not None and cuda.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_without_a_device_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = bench(capsys, "--device", "cuda")
    assert code == 1
    assert "no CUDA device" in err.splitlines()[-1]
    assert out == ""
