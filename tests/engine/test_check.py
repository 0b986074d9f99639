"""Arrays the kernel cannot simulate are refused before it runs, with the index of the first bad entry."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import handmade as hm
import numpy as np
import pytest

from metachron.engine.batch import simulate
from metachron.engine.records import LESION, ROOM, TWIN
from metachron.errors import EngineError

Batch = dict[str, Any]


def batch() -> Batch:
    """A batch that is in order: three twins, two lesions each, two courses."""
    segments = [hm.course(2, admins=2), hm.course(2) | {"admin_from": 2, "admin_to": 4}]
    admins = [hm.drug(0), hm.drug(1, day=7), hm.drug(0), hm.drug(1, day=3)]
    return {
        "tumours": hm.lesions(3, hm.visible(30.0), {"x": 10.0}),
        "twins": hm.people(3, n_lesions=2),
        "plan": hm.programme(segments, admins),
        "draws": hm.parameters(),
        "days": 30.0,
    }


def run(b: Batch) -> None:
    hm.lives(b["tumours"], b["twins"], b["plan"], b["draws"], days=b["days"])


def setter(part: str, field: str, index: Any, value: Any) -> Callable[[Batch], None]:
    def change(b: Batch) -> None:
        target = getattr(b["plan"], part) if part in ("segments", "admins") else b[part]
        target[field][index] = value

    return change


def putter(key: str, value: Any) -> Callable[[Batch], None]:
    return lambda b: b.__setitem__(key, value)


def cut(key: str, rows: int) -> Callable[[Batch], None]:
    return lambda b: b.__setitem__(key, b[key][:rows])


def replacer(**changes: Any) -> Callable[[Batch], None]:
    return lambda b: b.__setitem__("plan", b["plan"]._replace(**changes))


def too_many_lesions(b: Batch) -> None:
    b["tumours"] = hm.lesions(3, *[{"x": 10.0}] * (ROOM + 1))
    b["twins"]["n_lesions"] = [2, ROOM + 1, ROOM]


CASES = [
    (putter("days", 0.0), "horizon is 0.0 days"),
    (putter("days", -5.0), "horizon is -5.0 days"),
    (putter("days", float("nan")), "horizon is nan days"),
    (putter("days", 60 * hm.YEAR), "horizon"),
    (cut("twins", 0), "no twins"),
    (cut("draws", 0), "no parameter draws"),
    (cut("tumours", 2), "2 rows of lesions for 3 twins"),
    (setter("twins", "draw", 1, 1), "twins.draw[1] is 1"),
    (setter("twins", "draw", 2, -1), "twins.draw[2] is -1"),
    (setter("twins", "n_lesions", 1, 3), "twins.n_lesions[1] is 3"),
    (setter("twins", "n_lesions", 0, -1), "twins.n_lesions[0] is -1"),
    (setter("twins", "growth", 2, -0.1), "twins.growth[2] is -0.1"),
    (setter("twins", "growth", 2, 2.0), "twins.growth[2] is 2"),
    (setter("twins", "sensitivity", 0, -1.0), "twins.sensitivity[0] is -1"),
    (setter("twins", "age", 1, 200.0), "twins.age[1] is 200"),
    (setter("twins", "liver_ml", 1, 0.0), "twins.liver_ml[1] is 0"),
    (setter("tumours", "x", (1, 0), 40.0), "lesions.x[1, 0] is 40"),
    (setter("tumours", "x", (2, 1), float("nan")), "lesions.x[2, 1] is nan"),
    (setter("tumours", "offset", (2, 1), float("inf")), "lesions.offset[2, 1] is inf"),
    (setter("draws", "kappa_fp", 0, float("nan")), "draws.kappa_fp[0] is nan"),
    (setter("draws", "vegf_imax", 0, float("-inf")), "draws.vegf_imax[0] is -inf"),
    (setter("admins", "day", 0, 9), "administrations of segment 0 are not in order"),
    (setter("admins", "day", 2, 9), "administrations of segment 1 are not in order"),
    (setter("admins", "amount", 3, -1.0), "admins.amount[3] is -1"),
    (setter("admins", "amount", 1, float("nan")), "admins.amount[1] is nan"),
    (setter("admins", "what", 1, 10), "admins.what[1] is 10"),
    (setter("segments", "cycle_days", 1, 0), "segment 1 has cycles of 0 days"),
    (setter("segments", "gap", 1, -1.0), "segments.gap[1] is -1"),
    (setter("segments", "gap", 0, float("nan")), "segments.gap[0] is nan"),
    (setter("segments", "gap", 1, 3.5), "segments.gap[1] is 3.5 days, not a whole number"),
    (setter("segments", "marrow", 1, -0.5), "segments.marrow[1] is -0.5"),
    (setter("segments", "lymph", 0, float("nan")), "segments.lymph[0] is nan"),
    (setter("segments", "dose", (1, 2), float("nan")), "segments.dose[1, 2] is nan"),
    (setter("segments", "cycles", 0, -1), "segments.cycles[0] is -1"),
    (setter("segments", "admin_to", 1, 9), "segments.admin_to[1] is 9"),
    (setter("admins", "day", 3, 30), "segment 1 gives something on day 31 of a cycle of 14 days"),
    (setter("admins", "day", 0, -1), "admins.day[0] is -1"),
    (setter("admins", "chemo", 0, -0.1), "admins.chemo[0] is -0.1"),
    (setter("admins", "ox_mg", 2, float("nan")), "admins.ox_mg[2] is nan"),
    (setter("admins", "what", 0, 8), "admins.half_life[0] is 0"),
    (replacer(ct_limit=float("nan")), "ct_limit is nan"),
    (replacer(first_scan=0.0), "first_scan is 0"),
    (replacer(on_treatment_days=float("inf")), "on_treatment_days is inf"),
    (replacer(scans=np.array([[100.0, 0.0]])), "scans[0, 1] is 0"),
    (replacer(scans=np.array([[100.0, 7.5]])), "scans[0, 1] is 7.5 days, not a whole number"),
    (replacer(n_planned=3), "3 planned steps and 0 lines in 2 segments"),
    (replacer(repeat_segment=2), "repeat_segment is 2"),
    (replacer(secondary_segment=2), "secondary_segment is 2"),
    (replacer(ox_before=-1.0), "ox_before is -1.0 mg/m2"),
    (replacer(grade4=np.full((2, 3), 0.0)), "grade4 has shape (2, 3)"),
    (replacer(scans=np.ones((40, 2))), "40 scans, more than the 32 there is room for"),
    (too_many_lesions, f"twins[1] has {ROOM + 1} lesions, more than the {ROOM} there is room for"),
    (lambda b: b["plan"].toxicity.__setitem__((1, 4), -0.1), "toxicity[1, 4] is -0.1"),
    (lambda b: b["plan"].toxicity.__setitem__((0, 2), float("nan")), "toxicity[0, 2] is nan"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), CASES, ids=[m for _, m in CASES])
def test_refused_with_its_index(change: Callable[[Batch], None], message: str) -> None:
    b = batch()
    change(b)
    with pytest.raises(EngineError, match=re.escape(message)):
        run(b)


def test_a_batch_in_order_is_accepted() -> None:
    run(batch())


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), 10.0])
def test_a_step_scale_out_of_range_is_refused(scale: float) -> None:
    b = batch()
    with pytest.raises(EngineError, match="step_scale is"):
        simulate(b["tumours"], b["twins"], b["draws"], b["plan"], seed=1, horizon_days=30.0, step_scale=scale)


def test_as_many_lesions_as_there_is_room_for_are_simulated() -> None:
    b = batch()
    b["tumours"] = hm.lesions(3, *[{"x": 10.0}] * ROOM)
    b["twins"]["n_lesions"] = ROOM
    run(b)


def test_entries_beyond_the_lesions_in_use_may_hold_anything() -> None:
    b = batch()
    b["twins"]["n_lesions"] = 1
    b["tumours"]["x"][:, 1] = np.nan
    run(b)


FLOATS = [
    pytest.param(part, field, id=f"{part}.{field}")
    for part, dtype in (("twins", TWIN), ("tumours", LESION))
    for field in dtype.names or ()
    if dtype[field].base == np.float64
]


@pytest.mark.parametrize(("part", "field"), FLOATS)
def test_nan_is_refused_wherever_it_is(part: str, field: str) -> None:
    b = batch()
    b[part][field][1] = np.nan
    with pytest.raises(EngineError, match=rf"{field}\[1"):
        run(b)
