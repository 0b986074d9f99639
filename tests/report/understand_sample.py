"""Synthetic reasons why one timetable comes out first. The numbers are smooth inventions, not results."""

from __future__ import annotations

import math
from typing import Any

from optimise_sample import RMST, measured

from metachron import DISCLAIMER, __version__
from metachron.optimise.understand.results import (
    Compared,
    Contrast,
    Counterfactual,
    Counterfactuals,
    HeatCell,
    HeatMap,
    HeatRow,
    Information,
    InformationItem,
    NotValued,
    Point,
    Sensitivity,
    Skipped,
    Sobol,
    SobolIndex,
    TestOutcome,
    TornadoBar,
    Understanding,
)

PARAMETERS = [
    ("kappa_ox", "Kill by oxaliplatin", "1/d", 0.004, 0.025, 1.4),
    ("sd_ln_growth", "Spread of growth between patients", "", 0.2, 0.9, -0.9),
    ("phi_micro_mean", "Resistant share of micrometastases (logit)", "", -18.0, -9.0, -2.6),
    ("b0", "Occult lesions after an operation, mean of the logarithm", "", -0.9, 0.6, 0.7),
    ("hepatectomy_mortality", "Death within 90 days of the operation", "fraction", 0.01, 0.05, 0.15),
    ("k_w", "Clearance of dead tissue", "1/d", 0.01, 0.08, 0.02),
]


def compared(name: str, title: str, value: float, grade: str = "standard") -> Compared:
    return Compared.model_validate(
        {
            "name": name,
            "title": title,
            "expression": name,
            "evidence_grade": grade,
            "eligible": "yes",
            "basis": "calibrated" if grade == "standard" else "prior-driven",
            "value": measured(value, 3.1),
        }
    )


def heat_map() -> HeatMap:
    days, lives = [1, 3, 5, 8, 11, 14], [2.0, 5.0, 10.0, 21.0]

    def gain(day: int, half_life: float) -> float:
        return 0.9 * half_life / 21 - 0.9 * math.exp(-day / 2.5) + 0.12 * math.sin(day)

    cells = [
        [
            HeatCell(mean=g, lower=g - 0.8, upper=g + 1.4, if_effective=2 * g, mc_error=0.05)
            for d in days
            if (g := gain(d, h)) is not None
        ]
        for h in lives
    ]
    rows = [
        HeatRow(
            half_life_days=h,
            best_day=8,
            alike=[5, 8, 11] if h > 3 else days,
            matters=h > 3,
            words="the day makes no difference that can be told"
            if h < 3
            else "day 5 to 11 are alike, day 8 is best",
        )
        for h in lives
    ]
    return HeatMap(
        strategy="mfolfox6*6 + cik*6@8 > hepatectomy",
        without="mfolfox6*6 > hepatectomy",
        product="CIK cells",
        axis="day of the cycle",
        days=days,
        half_lives=lives,
        cells=cells,
        rows=rows,
        flat=False,
        unit="months",
        twins=2000,
        lives=96_000,
        words=["Infused mid-cycle the cells escape most of the chemotherapy"],
    )


def sensitivity() -> Sensitivity:
    tornado = [
        TornadoBar(
            name=n,
            title=t,
            unit=u,
            low_value=lo,
            high_value=hi,
            at_low=measured(1.1 - s, 0.4),
            at_high=measured(1.1 + s, 0.5),
            swing=measured(2 * s, 0.3),
            flips=abs(s) > 1.1,
            basis="calibrated" if "kappa" in n else "prior-driven",
        )
        for n, t, u, lo, hi, s in sorted(PARAMETERS, key=lambda p: -abs(p[5]))
    ]
    indices = [
        SobolIndex(
            name=b.name,
            title=b.title,
            first=measured(0.5 / (i + 1) ** 1.3, 0.03),
            total=measured(0.62 / (i + 1) ** 1.2, 0.06),
        )
        for i, b in enumerate(tornado[:4])
    ]
    ranking = [i.model_copy(update={"total": measured(0.3, 0.1)}) for i in indices[:3]]
    sobol = Sobol(
        difference=indices,
        ranking=ranking,
        spread=1.2,
        noise_share=0.18,
        share_first_ahead=0.81,
        rows=512,
        twins=400,
        lives=409_600,
    )
    return Sensitivity(
        screened=31,
        no_effect=12,
        tornado=tornado,
        sobol=sobol,
        lives=500_000,
        words=["the resistant share of micrometastases decides most: 62 % of the spread of the difference"],
    )


def counterfactuals() -> Counterfactuals:
    def item(
        name: str, title: str, unit: str, low: float, high: float, now: float, flips: float | None
    ) -> Counterfactual:
        at = [low + (high - low) * k / 6 for k in range(7)]
        middle = flips if flips is not None else low - (high - low)
        curve = [Point(value=x, difference=measured(3 * (x - middle) / (high - low), 0.6)) for x in at]
        return Counterfactual(
            name=name,
            title=title,
            kind="hidden" if "doubling" in name else "parameter",
            unit=unit,
            now=now,
            low=low,
            high=high,
            flips_at=flips,
            curve=curve,
            basis="prior-driven",
            flips_between=(flips * 0.8, flips * 1.25) if flips else None,
            words=f"B is better below {flips:g} {unit}"
            if flips
            else "no plausible value makes B the better one",
        )

    named = [
        Point(value=float(k), label=label, difference=measured(d, 0.7), eligible=label != "T4")
        for k, (label, d) in enumerate([("T2", 0.9), ("T3", 1.0), ("T4", -0.3)])
    ]
    stage = Counterfactual(
        name="primary.t",
        title="T stage of the primary",
        kind="finding",
        low=0,
        high=2,
        flips_at=2.0,
        flips_label="T4",
        curve=named,
        basis="calibrated",
        words="B would be better with T4",
    )
    items = [
        item("doubling_time", "Doubling time of visible disease", "d", 30, 300, 120, 74.0),
        stage,
        item("kappa_ox", "Kill by oxaliplatin", "1/d", 0.002, 0.03, 0.011, 0.0071),
        item("interval", "Interval from operation to drugs", "d", 14, 112, 42, None),
    ]
    return Counterfactuals(
        ahead="perioperative mFOLFOX6",
        behind="liver resection alone",
        items=items,
        lives=200_000,
        words=["Liver resection alone would be better only in disease that doubles in under 74 days"],
    )


def information() -> Information:
    def item(title: str, kind: str, worth: float, changes: float, **other: Any) -> InformationItem:
        return InformationItem.model_validate(
            {
                "name": title,
                "title": title,
                "kind": kind,
                "perfect": kind != "scan",
                "distinct": worth > 0.1,
                "value": measured(worth, 0.5 * worth + 0.02),
                "probability_changes": changes,
                "basis": "prior-driven",
                "words": f"worth {worth:g} months",
                **other,
            }
        )

    outcomes = [
        TestOutcome(label="wild type", probability=0.55, difference=1.4, choice="perioperative mFOLFOX6"),
        TestOutcome(label="mutant", probability=0.45, difference=-0.4, choice="liver resection alone"),
    ]
    return Information(
        choice="perioperative mFOLFOX6",
        evpi_parameters=measured(0.6, 0.2),
        probability_wrong=0.19,
        ceiling=4.0,
        items=[
            item("RAS mutation", "test", 0.42, 0.45, fields=["markers.ras"], outcomes=outcomes),
            item("MRI of the liver", "scan", 0.18, 0.22, note="sensitivity of MRI as in the detection curve"),
            item("Kill by oxaliplatin", "parameter", 0.31, 0.2),
            item("BRAF mutation", "test", 0.02, 0.03, fields=["markers.braf"]),
        ],
        not_valued=[NotValued(field="markers.ugt1a1", why="neither strategy holds irinotecan")],
        unit="months",
        lives=100_000,
        words=["The RAS status is the test worth most: 0.4 months on average"],
    )


def sample_understanding(**changes: Any) -> Understanding:
    fields: dict[str, Any] = {
        "version": __version__,
        "seed": 1,
        "settings": {"twins": 2000, "draws": 40, "horizon_years": 10},
        "disclaimer": DISCLAIMER,
        "parameters_status": "Parameters are an ensemble fitted to trials.",
        "patient": {"id": "sample-1", "title": "Synchronous liver metastases", "assessed_on": "2025-09-02"},
        "situation": "resectable liver metastases",
        "objective": RMST,
        "first": compared("mfolfox6*6 > hepatectomy > mfolfox6*6", "Perioperative mFOLFOX6", 44.1),
        "second": compared("hepatectomy", "Liver resection alone", 43.0),
        "contrast": Contrast(
            difference=measured(1.1, 1.3),
            probability_first=0.81,
            detectable=False,
            basis="calibrated",
            ahead=None,
            ranked=True,
            words="no detectable difference: +1.1 months (-0.2 to +2.4)",
        ),
        "heatmap": heat_map(),
        "sensitivity": sensitivity(),
        "counterfactuals": counterfactuals(),
        "information": information(),
        "lives": 1_305_600,
        "limits": ["One pair of timetables at a time."],
        "words": [
            "Perioperative mFOLFOX6 is ahead by 1.1 months, which cannot be told from nothing",
            "It turns on the resistant share of micrometastases and on the kill by oxaliplatin",
        ],
    }
    return Understanding.model_validate({**fields, **changes})


SKIPPED = Skipped(part="heatmap", why="neither strategy infuses cells")
