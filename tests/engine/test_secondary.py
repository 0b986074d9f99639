"""Removal of metastases confined to the liver once they have responded, where a strategy asks for it."""

from __future__ import annotations

from typing import Any

import handmade as hm
import numpy as np
import pytest

from metachron.engine.batch import Lives
from metachron.engine.compile import compile_strategy
from metachron.engine.records import LIVER, LUNG, PR, PROCEDURE, START_RECURRENCE
from metachron.patient.examples import read_example
from metachron.strategies.after import load_defaults
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.language import parse_strategy, resolve

CATALOGUE = load_catalogue()
UNRESECTABLE = read_example("unresectable_ras_mutant")
EVERY, GAP = 56.0, 28.0
RESISTANT = {"x": 13.0, "organ": LIVER, "resistance": 100.0}  # unseen
# shrinks by more than 30 %, but not to 80 mm: two fifths of its cells are resistant
HALF_RESISTANT = hm.visible(160.0, organ=LIVER, growth=0.0, resistance=-hm.SENSITIVE - 1.3)
LARGE, SMALL = hm.visible(40.0, organ=LIVER), hm.visible(15.0, organ=LIVER)


def treated(
    *tumours: dict[str, Any], n: int = 1, kill: float = 0.03, share: float = 1.0, **changes: Any
) -> Lives:
    """Lives under one course without end; `changes` go to the limits of the operation or the programme."""
    limits = {name: changes.pop(name) for name in ("max_mm", "max_lesions") if name in changes}
    removal = hm.operation(gap=GAP, **({"max_mm": 80.0, "max_lesions": 4} | limits))
    segments = [*changes.pop("steps", [hm.course(0)]), removal]
    last = len(segments) - 1
    plan = hm.programme(
        segments, [hm.drug(0)], every=EVERY, **({"n_planned": last, "secondary_segment": last} | changes)
    )
    par = hm.parameters(
        kappa_fp=kill, secondary_resection_share=share, resection_success=1.0, rho_resistant=0.0
    )
    rows = tumours or (LARGE, SMALL)
    twins = hm.people(n, n_lesions=len(rows))
    return hm.lives(hm.lesions(n, *rows), twins, plan, par, days=2 * hm.YEAR)


def test_responding_metastases_are_taken_out_after_the_gap() -> None:
    found = treated()
    operation = found.starts[0, 1]
    assert found.outcomes["response"][0] == PR
    assert operation == found.ends[0, 0] + GAP, "the course ends at the scan that shows the response"
    assert found.ends[0, 0] % EVERY == 0.0
    assert found.outcomes["resected"][0] == 1


def test_the_operation_is_no_event() -> None:
    """Free of disease for good: neither progression nor recurrence is ever written."""
    found = treated()
    assert np.isfinite(found.starts[0, 1])
    assert np.isinf(found.outcomes["pfs"][0])
    assert np.isinf(found.outcomes["hepatic"][0])
    assert np.isinf(found.progressions[0]).all()


def test_a_recurrence_after_it_is_the_event() -> None:
    found = treated(LARGE, RESISTANT)
    operation, event = found.starts[0, 1], found.outcomes["pfs"][0]
    assert np.isfinite(operation)
    assert operation < event < np.inf


@pytest.mark.parametrize(
    ("why", "tumours", "changes"),
    [
        ("not asked for", (), {"secondary_segment": -1}),
        ("no response", (), {"kill": 1e-6}),
        ("in the lung", (LARGE | {"organ": LUNG},), {}),
        ("in liver and lung", (LARGE, SMALL | {"organ": LUNG}), {}),
        ("too many", (), {"max_lesions": 1}),
        ("too large", (HALF_RESISTANT,), {}),
        ("too few get it", (), {"share": 0.0}),
    ],
)
def test_nobody_is_operated_on_who_must_not_be(
    why: str, tumours: tuple[dict[str, Any], ...], changes: dict[str, Any]
) -> None:
    found = treated(*tumours, **changes)
    assert np.isnan(found.starts[0, 1]), why
    assert found.outcomes["resected"][0] == 0, why


def test_limits_hold_on_the_day_of_the_scan() -> None:
    """40 mm shrink below the limit in time; the operation waits for that."""
    at_once, later = treated().starts[0, 1], treated(max_mm=10.0).starts[0, 1]
    assert at_once < later < np.inf


def test_one_coin_decides_for_a_whole_life() -> None:
    """A dozen scans with a response, and still the share that was asked for."""
    n = 3000
    found = treated(n=n, share=0.3)
    operated = np.isfinite(found.starts[:, 1])
    assert operated.mean() == pytest.approx(0.3, abs=4.0 * np.sqrt(0.21 / n))
    assert len(set(found.starts[operated, 1])) == 1, "whoever gets it gets it at the first response"


def test_not_after_another_operation() -> None:
    """What has come back after a resection responds too, but is for repeat local treatment."""
    first = hm.operation()
    course = hm.course(0, trigger=START_RECURRENCE)
    rows = (SMALL, {"x": 17.0, "organ": LIVER})
    found = treated(*rows, steps=[first, course])
    assert np.isfinite(found.starts[0, :2]).all()
    assert np.isnan(found.starts[0, 2])


def test_what_was_planned_is_given_up() -> None:
    steps = [hm.course(0), hm.course(4, trigger=START_RECURRENCE)]
    found = treated(LARGE, RESISTANT, steps=steps)
    assert np.isfinite(found.starts[0, 2])
    assert np.isfinite(found.outcomes["pfs"][0])
    assert np.isnan(found.starts[0, 1])


def test_a_strategy_has_it_only_when_it_asks() -> None:
    plain = resolve("mfolfox6_bevacizumab", CATALOGUE)
    without = compile_strategy(UNRESECTABLE, plain, CATALOGUE)
    assert without.secondary_segment == -1
    after = plain.after.model_copy(update={"secondary_resection": True})
    asked = compile_strategy(UNRESECTABLE, plain.model_copy(update={"after": after}), CATALOGUE)
    index = asked.secondary_segment
    assert index == len(asked.segments) - 1 == len(without.segments)
    assert (asked.segments[:index] == without.segments).all()
    assert (asked.n_planned, asked.n_lines, asked.repeat_segment) == (
        without.n_planned, without.n_lines, without.repeat_segment,
    )  # fmt: skip
    segment = asked.segments[index]
    assert (segment["kind"], segment["resect"], segment["gap"]) == (PROCEDURE, 1, GAP)
    limits = load_defaults()
    assert segment["max_mm"] == limits.secondary_max_mm.value
    assert segment["max_lesions"] == limits.secondary_max_lesions.value


def later_lines(text: str, *lines: str) -> list[int]:
    """Numbers of the lines after progression when a strategy is followed by these regimens."""
    strategy = parse_strategy(text)
    after = strategy.after.model_copy(update={"lines": [line.split("+") for line in lines]})
    plan = compile_strategy(UNRESECTABLE, strategy.model_copy(update={"after": after}), CATALOGUE)
    return plan.segments["line"][plan.n_planned : plan.n_planned + plan.n_lines].tolist()


def test_what_a_course_of_fixed_length_gave_is_no_new_line() -> None:
    assert later_lines("mfolfox6*8", "mfolfox6", "folfiri") == [1, 2]
    assert later_lines("mfolfox6", "mfolfox6", "folfiri") == [2, 3], "it has failed"
    assert later_lines("mfolfox6*8", "folfiri", "mfolfox6") == [2, 2]
    assert later_lines("mfolfox6*8 + bevacizumab > capecitabine", "mfolfox6+bevacizumab") == [1]
    assert later_lines("mfolfox6*8 + bevacizumab > capecitabine", "capecitabine") == [2], "more of the same"
