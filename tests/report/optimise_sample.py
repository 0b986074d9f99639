"""A synthetic search for tests of its report. Its numbers are smooth inventions, not results."""

from __future__ import annotations

import math
from typing import Any

from metachron import DISCLAIMER, __version__
from metachron.evidence.references import format_reference, link, load_references
from metachron.optimise.results import (
    CellsBand,
    ConstraintResult,
    Evaluation,
    Measured,
    ObjectiveDescription,
    Optimisation,
    Plateau,
    SearchSummary,
    VariableResult,
)
from metachron.plan.results import Bar, Citation, Estimate, Reason, Toxicity

OXALI = "5-fluorouracil, leucovorin and oxaliplatin (mFOLFOX6)"
CYCLES, GAPS = (0, 3, 6, 9, 12), (28, 42, 56, 84)
RMST = ObjectiveDescription(
    name="rmst", words="mean months alive within 5 years", unit="months", direction="maximise"
)
RFS = ObjectiveDescription(
    name="rfs", words="mean months without recurrence within 5 years", unit="months", direction="maximise"
)
BURDEN = ObjectiveDescription(
    name="burden", words="days in hospital or at visits", unit="days", direction="minimise"
)
QALY = ObjectiveDescription(
    name="qaly",
    words="quality-adjusted months within 5 years",
    unit="months",
    direction="maximise",
    citations=["Nordlinger2008"],
)


def measured(value: float, half: float) -> Measured:
    return Measured(value=value, lower=value - half, upper=value + half, mc_error=half / 20)


def bar(lane: str, label: str, start: float, end: float, drift: float, share: float) -> Bar:
    return Bar.model_validate(
        {
            "lane": lane,
            "label": label,
            "start_day": start,
            "end_day": end,
            "share": share,
            "start_window": (start, start + drift),
            "end_window": (end - 0.4 * drift, end + 1.6 * drift),
        }
    )


def timetable(before: int, gap: int) -> list[Bar]:
    bars, day, drift = [], 7.0, 0.0
    if before:
        end = day + 14 * before
        bars.append(bar("chemotherapy", f"{OXALI}, {before} cycles", day, end, 2.5 * before, 0.99))
        day, drift = end + 28, 2.5 * before + 4
    bars.append(bar("surgery", "liver resection (one stage)", day, day + 7, drift, 0.86))
    bars.append(bar("recovery", "recovery", day + 7, day + gap, drift + 3, 0.85))
    if before < 12:
        start = day + 7 + gap
        bars.append(
            bar(
                "chemotherapy",
                f"{OXALI}, {12 - before} cycles",
                start,
                start + 14 * (12 - before),
                drift + 2.5 * (12 - before),
                0.71,
            )
        )
    scans = [bar("scans", f"CT {i + 1}", 91.0 * (i + 1), 91.0 * (i + 1), 0.0, 1.0) for i in range(5)]
    return bars + scans


def expression(before: int, gap: int) -> str:
    first = f"mfolfox6*{before} > " if before else ""
    last = f" > [{gap}d] mfolfox6*{12 - before}" if before < 12 else ""
    return f"{first}hepatectomy{last}"


def evaluation(number: int, before: int, gap: int, loss: float, rank: int | None) -> Evaluation:
    severe = 0.34 + 0.008 * before
    return Evaluation(
        id=f"c{number}",
        name=expression(before, gap),
        expression=expression(before, gap),
        title=(
            f"mFOLFOX6 {before} cycles before and {12 - before} after liver resection"
            if 0 < before < 12
            else "Liver resection, then mFOLFOX6"
            if before == 0
            else "mFOLFOX6, then liver resection"
        ),
        surveillance="standard",
        variables={"cycles before the operation": before, "hepatectomy to mfolfox6": gap},
        evidence_grade="standard" if before in (0, 6) else "option",
        basis="calibrated",
        eligible="yes",
        objectives={
            "rmst": measured(44.6 - loss, 3.2),
            "rfs": measured(28.1 - 0.8 * loss + 0.1 * before, 4.0),
            "qaly": measured(38.0 - 0.9 * loss - 0.05 * before, 3.0),
            "burden": measured(41 + 1.4 * before + 0.06 * gap, 3.0),
        },
        difference=measured(-loss, 0.35 + 0.4 * loss) if loss else Measured(value=0.0, lower=0.0, upper=0.0),
        toxicity=[
            Toxicity(
                kind="any",
                grade="3+",
                probability=Estimate(value=severe, lower=severe - 0.06, upper=severe + 0.07),
                basis="calibrated",
            )
        ],
        timetable=timetable(before, gap),
        rank=rank,
        twins=4000,
        round=3,
    )


def cells(number: int, day: int) -> Evaluation:
    text = f"mfolfox6*6 + cik*6@{day} > hepatectomy > mfolfox6*6"
    bars = timetable(6, 42)
    bars.insert(
        1, bar("cells", f"6 infusions of cytokine-induced killer cells (CIK), day {day}", 7, 91, 10, 0.98)
    )
    return evaluation(number, 6, 42, 0.1, None).model_copy(
        update={
            "name": text,
            "expression": text,
            "title": f"Perioperative mFOLFOX6 with CIK cells on day {day}",
            "evidence_grade": "investigational",
            "basis": "prior-driven",
            "timetable": bars,
            "variables": {"day of infusion": day},
            "difference": measured(0.2, 1.9),
            "not_ranked_because": "investigational: rests on the kinetics of infused cells",
        }
    )


def refused(number: int, text: str, reason: str, cited: tuple[str, ...] = ()) -> Evaluation:
    return Evaluation(
        id=f"c{number}",
        name=text,
        expression=text,
        title=text,
        evidence_grade="option",
        basis="prior-driven",
        eligible="no",
        reasons=[Reason(rule="r", verdict="not eligible", text=reason, citations=list(cited))],
        not_ranked_because=reason,
    )


def evaluations() -> list[Evaluation]:
    grid = [(b, g) for b in CYCLES for g in GAPS if b < 12 or g == GAPS[0]]
    losses = {
        (b, g): round(abs(b - 6) * 0.16 + max(0, g - 42) * 0.03 + (0.02 if g == 28 else 0.0), 2)
        for b, g in grid
    }
    order = sorted(grid, key=lambda x: losses[x])
    ranked = [
        evaluation(i + 1, b, g, losses[b, g] - losses[order[0]], i + 1) for i, (b, g) in enumerate(order)
    ]
    last = len(ranked)
    return [
        *ranked,
        cells(last + 1, 8),
        cells(last + 2, 1),
        *(
            refused(
                last + 3 + i,
                f"mfolfox6*{c} > [14d] hepatectomy",
                "28 days must pass from chemotherapy to the operation",
                ("Nordlinger2008",),
            )
            for i, c in enumerate(range(3, 13))
        ),
        *(
            refused(last + 20 + i, f"mfolfox6*{c} > hepatectomy", "cumulative oxaliplatin over 850 mg/m2")
            for i, c in enumerate(range(13, 16))
        ),
    ]


def cells_band(found: list[Evaluation]) -> list[CellsBand]:
    shown = [e for e in found if "cik" in e.expression]
    return [
        CellsBand(
            id=e.id,
            reference="c1",
            objective="rmst",
            half_life_days=h,
            lymphotoxicity=c,
            effect=k,
            difference=measured(6.0 * k / 0.01 * math.exp(-c / 2) * h / 21 - 0.2, 0.3 + 40 * k),
        )
        for e in shown
        for h in (2.0, 7.0, 21.0)
        for c in (0.2, 0.9, 3.0)
        for k in (0.0001, 0.001, 0.01)
    ]


def probabilities(ranked: list[Evaluation]) -> dict[str, float]:
    weights = {e.id: math.exp(-2.2 * -(e.difference.value or 0.0)) for e in ranked if e.difference}
    total = sum(weights.values())
    return {id: w / total for id, w in weights.items()}


def plateaus() -> list[Plateau]:
    return [
        Plateau(
            variable="hepatectomy to mfolfox6",
            value=42,
            low=28,
            high=56,
            unit="d",
            alike=[28, 42, 56],
            different=[84],
            matters=True,
            words="timing does not matter here from 28 to 56 days after the operation; 84 days is worse",
        ),
        Plateau(
            variable="cycles before the operation",
            value=6,
            low=3,
            high=9,
            unit="cycles",
            alike=[3, 6, 9],
            different=[0, 12],
            matters=True,
            words="3 to 9 cycles before the operation cannot be told apart",
        ),
        Plateau(
            variable="surveillance",
            value="standard",
            unit="",
            alike=["standard", "intensive"],
            matters=False,
            words="how often scans are taken does not matter here",
        ),
    ]


def sample_search(**changes: Any) -> Optimisation:
    references = load_references()
    found = evaluations()
    ranked = [e for e in found if e.rank]
    alike = [e.id for e in ranked if (e.difference.upper or 0) >= 0 or not e.difference.value]  # type: ignore[union-attr]
    front = [e for e in ranked if not any(_beats(x, e) for x in ranked)]
    fields: dict[str, Any] = {
        "version": __version__,
        "seed": 1,
        "disclaimer": DISCLAIMER,
        "situation": "resectable liver metastases",
        "settings": {
            "draws": 40,
            "horizon_years": 10,
            "budget_seconds": 180.0,
            "templates": ["perioperative"],
        },
        "parameters_status": "Parameters are an ensemble fitted to trials.",
        "patient": {
            "id": "sample-1",
            "title": "Synchronous liver metastases, 58 years",
            "assessed_on": "2025-09-02",
        },
        "objective": RMST,
        "objectives": [RMST, RFS, QALY, BURDEN],
        "constraints": [
            ConstraintResult(
                text="28 days from chemotherapy to the operation",
                origin="clinical",
                refused=10,
                status="read",
                citations=["Nordlinger2008"],
            ),
            ConstraintResult(text="oxaliplatin <= 850 mg/m2", origin="asked", refused=3, status="asked"),
        ],
        "variables": [
            VariableResult(name="cycles before the operation", unit="cycles", values=list(CYCLES)),
            VariableResult(name="hepatectomy to mfolfox6", unit="d", values=list(GAPS)),
        ],
        "reference": "c2",
        "evaluations": found,
        "best": "c1",
        "probability_best": probabilities(ranked),
        "expected_regret": {e.id: 0.12 - (e.difference.value or 0.0) for e in ranked if e.difference},
        "cannot_be_told_apart": alike,
        "plateau": plateaus(),
        "front": [e.id for e in front],
        "hypervolume": 0.61,
        "cells_band": cells_band(found),
        "search": SearchSummary(
            method="all timetables of the space, raced on growing batches of twins",
            space_size=30,
            refused=13,
            evaluated=19,
            rounds=3,
            search_twins=4000,
            evaluation_twins=8000,
            draws=40,
            stopped_because="the rest could not be told apart with more twins",
            complete=True,
        ),
        "words": [
            "Best: mFOLFOX6 6 cycles before and 6 after liver resection, 44.6 months alive within 5 years",
            f"{len(alike) - 1} of {len(ranked) - 1} other timetables cannot be told apart from it",
        ],
        "bibliography": [
            Citation(key=k, text=format_reference(references[k]), link=link(references[k]), status="read")
            for k in ("Nordlinger2008", "Cervantes2023")
        ],
        "limits": ["Wards, theatre lists and travel are not modelled."],
    }
    return Optimisation.model_validate({**fields, **changes})


def _beats(a: Evaluation, b: Evaluation) -> bool:
    def score(e: Evaluation) -> list[float]:
        return [(-1 if n == "burden" else 1) * (m.value or 0.0) for n, m in e.objectives.items()]

    pairs = list(zip(score(a), score(b), strict=True))
    return all(x >= y for x, y in pairs) and any(x > y for x, y in pairs)
