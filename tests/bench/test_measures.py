"""The parts of the benchmarks: medians, workload, counted operations, bounds, tables."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest

from metachron.bench import counting
from metachron.bench.child import run_child
from metachron.bench.cost import with_cycles, with_lesions
from metachron.bench.lives import by_group, time_all
from metachron.bench.markdown import micro, table
from metachron.bench.roofline import bound_seconds
from metachron.bench.timing import measured, timed
from metachron.bench.workload import Scenario, first, one, scenarios, tiled
from metachron.engine.records import VISIBLE
from metachron.errors import EngineError


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return one("metachronous_solitary", "perioperative_mfolfox6", 40)


def test_median_and_range() -> None:
    m = measured([3.0, 1.0, 2.0])
    assert (m.median, m.low, m.high, m.runs) == (2.0, 1.0, 3.0, 3)
    assert m.spread == 1.0


def test_the_first_run_is_not_counted() -> None:
    calls: list[int] = []
    assert timed(lambda: calls.append(1), 3).runs == 3
    assert len(calls) == 4


def test_the_workload_holds_every_strategy_of_the_situation(scenario: Scenario) -> None:
    names = {s.strategy for s in scenarios(20, ["metachronous_solitary"])}
    assert {"best_supportive_care", "hepatectomy", scenario.strategy} <= names
    assert len(names) >= 10
    with pytest.raises(LookupError, match="nonsense"):
        one("metachronous_solitary", "nonsense", 20)


def test_rates_share_the_time_of_their_scenarios() -> None:
    work = scenarios(20, ["stage3_adjuvant"])[:2]
    times = {1: [[1.0, 3.0], [1.0, 1.0], [2.0, 2.0]]}
    mix = by_group(work, times, lambda _: "mix")[0].per_second
    assert mix.median == pytest.approx(40 / 4)
    assert mix.high == pytest.approx(40 / 2)
    apart = by_group(work, times, lambda s: s.strategy)
    assert [r.per_second.median for r in apart] == pytest.approx([20 / 1, 20 / 2])


def test_every_scenario_is_timed_in_every_run_at_every_thread_count(scenario: Scenario) -> None:
    stages: list[str] = []
    times = time_all([scenario, scenario], [1], 3, lambda stage, _share: stages.append(stage))
    assert [len(row) for row in times[1]] == [2, 2, 2]
    assert stages == ["run 1 of 3", "run 2 of 3", "run 3 of 3"]


def test_copies_have_their_own_coins_unless_the_same_are_wanted(scenario: Scenario) -> None:
    few = first(scenario, 3)
    same = tiled(few, 6, same=True).live(1).outcomes["death"]
    np.testing.assert_array_equal(same[:3], same[3:])
    assert list(tiled(few, 7).twins["key"]) == list(range(7))
    assert list(scenario.twins["key"][:3]) == [0, 1, 2], "the scenario itself is left alone"


def test_lesions_change_in_number_and_not_in_cells(scenario: Scenario) -> None:
    for count in (1, 5, 60):
        many = with_lesions(scenario, count)
        assert (many.twins["n_lesions"] == count).all()
        assert (many.lesions["status"] == VISIBLE).all()
        cells = np.exp(many.lesions["x"]).sum(1)
        one_lesion = np.exp(with_lesions(scenario, 1).lesions["x"]).sum(1)
        np.testing.assert_allclose(cells, one_lesion, rtol=1e-9)
        assert np.isfinite(many.live(1, 1.0).outcomes["pfs_event"]).all()


def test_cycles_are_given() -> None:
    assert with_cycles(0, 20).live(1).outcomes["cycles_given"].max() == 0
    assert with_cycles(6, 20).live(1).outcomes["cycles_given"].max() == 6


def test_operations_are_counted_by_what_the_source_says() -> None:
    source = """
import math
def f(x, n):
    x += 2.0
    for i in range(n):
        x = x * 3.0 - math.exp(-x) / 4.0
    return x ** 0.5 + (n // 2)
"""
    tree = ast.fix_missing_locations(counting.Counting().visit(ast.parse(source)))
    names: dict[str, Any] = {"_count_binary": counting.count_binary, "_count_math": counting.count_math,
             "_count_call": counting.count_call}  # fmt: skip
    exec(compile(tree, "counted", "exec"), names)
    counting.COUNTS.clear()
    counting.CALLS.clear()
    result = names["f"](1.0, 2)
    plain: dict[str, Any] = {}
    exec(source, plain)
    assert result == plain["f"](1.0, 2)
    kinds = {kind: number for (where, kind), number in counting.COUNTS.items() if where == "f"}
    assert kinds == {"add": 1 + 2 + 1, "multiply": 2, "exp": 2, "divide": 2, "pow": 1, "integer": 1}
    assert counting.CALLS == {"f": 1}


def test_a_bound_adds_the_time_of_every_kind() -> None:
    rates = {"exp": 10.0, "log": 5.0, "pow": 2.0, "divide": 4.0, "multiply": 100.0}
    counts = {"exp": 10.0, "expm1": 10.0, "log1p": 5.0, "add": 50.0, "multiply": 50.0, "sqrt": 4.0}
    assert bound_seconds(counts, rates) == pytest.approx(1 + 1 + 1 + 1 + 1)


def test_a_measuring_process_reports_or_says_why_not() -> None:
    found = run_child("big", 100, 1)
    assert found["seconds"]
    with pytest.raises(EngineError, match="ended with code"):
        run_child("nonsense")


def test_tables_are_markdown() -> None:
    assert table(["a", "b"], [["x", 1]]) == "| a | b |\n|---|---:|\n| x | 1 |"
    assert (micro(1.234e-6), micro(1234e-6)) == ("1.23", "1,234")
