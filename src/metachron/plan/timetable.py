"""The calendar of a strategy: windows of days over twins for every planned step, and the first scans."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from metachron.engine.batch import Lives
from metachron.engine.records import Programme
from metachron.plan.results import Bar
from metachron.strategies.catalogue import Catalogue
from metachron.strategies.schema import EffectClass, Step, Strategy

Floats = NDArray[np.float64]
SCAN_DAYS = 550
LANES = {"cytotoxic": "chemotherapy", "targeted": "targeted", "checkpoint": "immunotherapy"}


def _bar(lane: str, label: str, start: Floats, end: Floats) -> Bar | None:
    took = np.isfinite(start) & np.isfinite(end)
    if not took.any():
        return None
    s, e = start[took], end[took]
    window = [(float(np.quantile(v, 0.1)), float(np.quantile(v, 0.9))) for v in (s, e)]
    return Bar.model_validate(
        {
            "lane": lane,
            "label": label,
            "start_day": float(np.median(s)),
            "end_day": float(np.median(e)),
            "start_window": window[0],
            "end_window": window[1],
            "share": float(took.mean()),
        }
    )


def _step_bars(step: Step, start: Floats, end: Floats, catalogue: Catalogue) -> list[Bar | None]:
    if step.procedures:
        entries = [catalogue.procedures[n] for n in step.procedures]
        stay = max(e.hospital_days.value for e in entries)
        bars = [
            _bar("surgery" if e.kind == "resection" else "ablation", e.title, start, start + stay)
            for e in entries
        ]
        return [*bars, _bar("recovery", "recovery", start + stay, end)]
    bars = []
    days = catalogue.regimens[step.regimens[0]].cycle_days if step.regimens else 0
    if step.cells and not days:
        days = catalogue.cells[step.cells].interval_days
    for name in step.regimens:
        regimen = catalogue.regimens[name]
        cycles = f", {step.cycles} cycles" if step.cycles else ", until progression"
        stop = step.stop_partner_before_surgery_cycles * days
        only_vegf = catalogue.effects_of(name) == {EffectClass.VEGF}
        last = np.maximum(start, end - stop) if only_vegf else end
        bars.append(_bar(LANES[regimen.kind], regimen.title + cycles, start, last))
    if step.cells:
        product = catalogue.cells[step.cells]
        count = step.infusions or product.infusions
        label = f"{count} infusions of {product.title}"
        if step.regimens:
            label += f", day {step.infusion_day or product.day_in_cycle}"
        bars.append(_bar("cells", label, start, np.minimum(end, start + count * days)))
    return bars


def timetable(strategy: Strategy, programme: Programme, lives: Lives, catalogue: Catalogue) -> list[Bar]:
    """Bars of all planned steps, in order, then of the first scans."""
    bars: list[Bar | None] = []
    for i, step in enumerate(strategy.steps[: programme.n_planned]):
        bars += _step_bars(step, lives.starts[:, i], lives.ends[:, i], catalogue)
    endless = any(step.cycles is None and step.regimens for step in strategy.steps)
    removed = any(step.procedures for step in strategy.steps)
    schedule = catalogue.surveillance["on_treatment" if endless and not removed else strategy.surveillance]
    day = float(schedule.first_scan_day)
    number = 1
    while day <= SCAN_DAYS:
        bars.append(
            Bar(lane="scans", label=f"{schedule.modality} {number}", start_day=day, end_day=day,
                start_window=(day, day), end_window=(day, day), share=1.0)
        )  # fmt: skip
        every = next((gap for until, gap in schedule.intervals if day < until), None)
        if every is None:
            break
        day += every
        number += 1
    return [b for b in bars if b is not None]
