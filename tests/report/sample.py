"""A synthetic plan for tests of the report. Its numbers are smooth inventions, not results."""

from __future__ import annotations

import json
import math
from importlib.resources import files
from typing import Any

from metachron import DISCLAIMER
from metachron.evidence.references import load_references
from metachron.plan.results import (
    Bar,
    Citation,
    Completion,
    Curve,
    Difference,
    Estimate,
    Outcomes,
    Plan,
    Reason,
    Score,
    StrategyResult,
    Toxicity,
    TwinSummary,
)

# name, title, expression, grade, hazard, cured, severe toxicity
# fmt: off
COMPARED = [
    ("perioperative_mfolfox6", "mFOLFOX6 three months before and after liver resection",
     "mfolfox6*6 > hepatectomy > mfolfox6*6", "standard", 0.030, 0.26, 0.52),
    ("hepatectomy", "Liver resection alone", "hepatectomy", "option", 0.036, 0.25, 0.18),
    ("hepatectomy_mfolfox6", "Liver resection then mFOLFOX6 for 6 months", "hepatectomy > mfolfox6*12",
     "standard", 0.032, 0.26, 0.49),
    ("two_stage_mfolfox6", "mFOLFOX6 with two-stage liver resection",
     "mfolfox6*6 > two_stage_hepatectomy > mfolfox6*6", "option", 0.034, 0.22, 0.55),
    ("mfolfox6_panitumumab", "mFOLFOX6 and panitumumab", "mfolfox6 + panitumumab",
     "standard", 0.026, 0.01, 0.66),
    ("best_supportive_care", "Best supportive care", "observation", "option", 0.10, 0.0, 0.02),
    ("mfolfox6_cik_midcycle", "mFOLFOX6 with CIK cells between cycles (day 8)", "mfolfox6*12 + cik*6@8",
     "investigational", 0.025, 0.01, 0.44),
    ("til", "Neoantigen-selected TIL after lymphodepletion", "til", "investigational", 0.030, 0.05, 0.71),
]
# fmt: on
REFUSED = [
    (
        "pembrolizumab",
        "Pembrolizumab",
        "no",
        "Checkpoint inhibitors need an MSI-high tumour; this one is MSS.",
        [],
    ),
    (
        "microwave",
        "Microwave ablation",
        "no",
        "The largest lesion is 47 mm; ablation is for lesions up to 30 mm.",
        [],
    ),
    ("encorafenib_cetuximab", "Encorafenib and cetuximab", "no", "BRAF is wild type; V600E is required.", []),
    (
        "folfiri_bevacizumab",
        "FOLFIRI and bevacizumab",
        "unknown",
        "UGT1A1 is not known; irinotecan needs it.",
        ["markers.ugt1a1"],
    ),
    ("trastuzumab_tucatinib", "Trastuzumab and tucatinib", "unknown", "HER2 is not known.", ["markers.her2"]),
]
HORIZON = 120
CITED = ["Nordlinger2008", "Cervantes2023", "Fong1999", "Sasaki2018", "Margonis2018"]


def estimate(value: float, spread: float = 0.15) -> Estimate:
    return Estimate(
        value=value,
        lower=value * (1 - spread),
        upper=min(1.0, value * (1 + spread)) if value <= 1 else value * (1 + spread),
    )


def survival(t: float, hazard: float, cured: float, late: float) -> float:
    return (cured + (1 - cured) * math.exp(-((hazard * t) ** 1.15))) * math.exp(-late * t)


def curve(endpoint: str, hazard: float, cured: float, horizon: int = HORIZON) -> Curve:
    times = [float(m) for m in range(horizon + 1)]
    middle, lower, upper = (
        [survival(t, hazard * f, cured * g, 0.0012) for t in times]
        for f, g in ((1.0, 1.0), (1.28, 0.75), (0.78, 1.25))
    )

    def crossing(values: list[float]) -> float | None:
        return next((t for t, s in zip(times, values, strict=True) if s <= 0.5), None)

    years = [y for y in (1, 3, 5) if y * 12 <= horizon]
    return Curve(
        endpoint=endpoint,
        times_months=times,
        survival=middle,
        lower=lower,
        upper=upper,
        at_risk={str(m): round(2000 * middle[m]) for m in range(0, horizon + 1, 12)},
        median_months=Estimate(value=crossing(middle), lower=crossing(lower), upper=crossing(upper)),
        landmarks={
            str(y): Estimate(value=middle[12 * y], lower=lower[12 * y], upper=upper[12 * y]) for y in years
        },
        rmst_months=Estimate(value=sum(middle), lower=sum(lower), upper=sum(upper)),
        basis="prior-driven",
    )


def toxicity(severe: float, expression: str) -> list[Toxicity]:
    rates = {"any": severe, "fatigue": 0.12 * severe}
    if "folfox" in expression:
        rates |= {"neutropenia": 0.62 * severe, "neuropathy": 0.21 * severe, "diarrhoea": 0.14 * severe}
        rates |= {"febrile neutropenia": 0.06 * severe, "thrombocytopenia": 0.04 * severe}
    if "hepatectomy" in expression:
        rates |= {"complication of surgery": 0.17, "liver failure": 0.03}
    if "panitumumab" in expression:
        rates |= {"rash": 0.32, "hypomagnesaemia": 0.05}
    if "til" in expression:
        rates |= {"thrombocytopenia": 0.58, "febrile neutropenia": 0.38, "cytokine release": 0.06}
    found = [
        Toxicity(kind=k, grade="3+", probability=estimate(v, 0.3), basis="prior-driven")
        for k, v in rates.items()
    ]
    found.append(Toxicity(kind="any", grade="5", probability=estimate(0.012, 0.5), basis="prior-driven"))
    return found


def bars(expression: str) -> list[Bar]:
    day, found = 7.0, []

    def add(lane: Any, label: str, start: float, end: float, slack: float, share: float = 1.0) -> None:
        found.append(
            Bar(
                lane=lane,
                label=label,
                start_day=start,
                end_day=end,
                share=share,
                start_window=(max(0.0, start - slack / 2), start + slack),
                end_window=(end - slack / 2, end + slack),
            )
        )

    for number, stage in enumerate(expression.split(">")):
        slack = 4.0 + 12.0 * number
        share = 1.0 - 0.12 * number
        if "hepatectomy" in stage:
            add("surgery", "liver resection", day, day + 1, slack, share)
            add("recovery", "recovery", day + 1, day + 35, slack, share)
            day += 42
        elif "folfox" in stage:
            cycles = 12 if "*12" in stage else 6 if "*6" in stage else 24
            for cycle in range(cycles):
                add(
                    "chemotherapy",
                    f"mFOLFOX6 cycle {cycle + 1}",
                    day + 14 * cycle,
                    day + 14 * cycle + 2,
                    slack + cycle,
                    share * 0.98**cycle,
                )
            if "panitumumab" in stage:
                add("targeted", "panitumumab", day, day + 14 * cycles, slack + 20, share)
            if "cik" in stage:
                for k in range(6):
                    add("cells", f"CIK infusion {k + 1}", day + 7 + 28 * k, day + 8 + 28 * k, slack + k, 0.9)
            day += 14 * cycles + 28
        elif "til" in stage:
            add("chemotherapy", "lymphodepletion", day, day + 7, slack)
            add("cells", "TIL infusion", day + 8, day + 9, slack)
    for k in range(6):
        add("scans", f"CT {k + 1}", 56.0 + 84 * k, 57.0 + 84 * k, 7, 0.97**k)
    return found


def reasons(verdict: str, text: str, needs: list[str]) -> list[Reason]:
    word: Any = {"yes": "eligible", "no": "not eligible", "unknown": "needs information"}[verdict]
    return [
        Reason(
            rule="rule",
            verdict=word,
            text=text,
            needs=needs,
            citations=["Nordlinger2008", "Cervantes2023"],
            date="2023",
        )
    ]


def strategies(endpoint: str) -> list[StrategyResult]:
    found = []
    for name, title, expression, grade, hazard, cured, severe in COMPARED:
        cycles = 12 if "folfox" in expression else None
        found.append(
            StrategyResult(
                name=name,
                title=title,
                summary=f"{title}.",
                intent="curative",
                expression=expression,
                eligible="yes",
                reasons=reasons(
                    "yes", "The surgeon judges every metastasis resectable and the remnant is 34%.", []
                ),
                evidence_grade=grade,
                basis="prior-driven",
                citations=["Nordlinger2008"],
                outcomes=Outcomes(
                    os=curve("OS", hazard * 0.55, cured),
                    rfs_or_pfs=curve(endpoint, hazard * 1.8, cured * 0.8),
                    hepatic_rfs=curve("hepatic RFS", hazard * 1.3, cured),
                    toxicity=toxicity(severe, expression),
                    chemotherapy_completed=None
                    if cycles is None
                    else Completion(
                        planned_cycles=None if "panitumumab" in expression else cycles,
                        completed=estimate(0.61),
                        relative_dose_intensity=estimate(0.83, 0.05),
                        basis="prior-driven",
                    ),
                    best_response={"CR": 0.06, "PR": 0.48, "SD": 0.31, "PD": 0.15} if cycles else {},
                    no_disease_left=estimate(cured, 0.3),
                    basis_note="Kill rates are literature values.",
                ),
                timetable=bars(expression),
            )
        )
    for name, title, verdict, text, needs in REFUSED:
        found.insert(
            3,
            StrategyResult(
                name=name,
                title=title,
                summary=f"{title}.",
                intent="disease control",
                eligible=verdict,
                reasons=reasons(verdict, text, needs),
                evidence_grade="option",
                basis="prior-driven",
            ),
        )
    return found


def differences(reference: str) -> list[Difference]:
    found = []
    base = next(row for row in COMPARED if row[0] == reference)
    for row in COMPARED:
        if row[0] == reference:
            continue
        gap = 900 * (base[4] - row[4]) + 40 * (row[5] - base[5])
        for endpoint, factor in (("os", 1.0), ("rfs_or_pfs", 0.8), ("hepatic_rfs", 0.7)):
            middle, half = gap * factor, 2.5 + abs(gap) * 0.4
            clear = abs(middle) > half
            words = ("longer" if middle > 0 else "shorter") if clear else "no detectable difference"
            found.append(
                Difference(
                    strategy=row[0],
                    reference=reference,
                    endpoint=endpoint,
                    unit="months",
                    quantity="mean months within 10 years",
                    difference=middle,
                    lower=middle - half,
                    upper=middle + half,
                    probability_better=0.97 if clear and middle > 0 else 0.03 if clear else 0.6,
                    detectable=clear,
                    basis="prior-driven",
                    text=words,
                )
            )
        gap = row[6] - base[6]
        found.append(
            Difference(
                strategy=row[0],
                reference=reference,
                endpoint="toxicity_grade3plus",
                unit="fraction",
                quantity="probability of any grade 3 or worse toxicity",
                difference=gap,
                lower=gap - 0.06,
                upper=gap + 0.06,
                probability_better=0.02 if gap > 0 else 0.98,
                detectable=abs(gap) > 0.06,
                basis="prior-driven",
                text="more" if gap > 0 else "less",
            )
        )
    return found


def sample_patient(name: str = "synchronous_bilobar") -> dict[str, Any]:
    text = (files("metachron.patient") / "examples" / f"{name}.json").read_text(encoding="utf-8")
    record: dict[str, Any] = json.loads(text)
    record["markers"]["her2"] = record["markers"]["ugt1a1"] = None
    return record


def sample_scores() -> list[Score]:
    return [
        Score(
            name="Fong clinical risk score",
            value=3,
            range=(0, 5),
            group="high risk (3 to 5)",
            items={
                "node-positive primary": True,
                "interval under 12 months": True,
                "more than one tumour": True,
                "largest over 5 cm": False,
                "CEA over 200 ng/mL": False,
            },
            published="5-year survival 20% in the series of 1001 resections.",
            published_survival={"5-year OS": 0.20},
            citations=["Fong1999"],
        ),
        Score(
            name="Tumour burden score",
            value=7.8,
            unit="",
            group="zone 2 (3 to 9)",
            citations=["Sasaki2018"],
            published="5-year survival 49%.",
            published_survival={"5-year OS": 0.49},
        ),
        Score(
            name="GAME score", value=None, range=(0, 7), missing=["markers.her2"], citations=["Margonis2018"]
        ),
    ]


def citation(key: str) -> Citation:
    record = load_references()[key]
    link = f"https://doi.org/{record.doi}" if record.doi else record.url or ""
    return Citation(key=key, text=record.text, link=link, status=record.status)


def sample_plan(**changes: Any) -> Plan:
    """Eight compared strategies, three refused, two that need information."""
    patient = changes.pop("patient", None) or sample_patient()
    endpoint = changes.pop("endpoint", "RFS")
    fields: dict[str, Any] = {
        "version": "0.1.0",
        "seed": 20261123,
        "settings": {"twins": 2000, "draws": 50, "horizon_years": 10},
        "disclaimer": DISCLAIMER,
        "parameters_status": "The parameters are literature values. They have not been fitted to trial data.",
        "patient": patient,
        "scores": sample_scores(),
        "situation": "synchronous liver metastases in both lobes, resectable after chemotherapy",
        "reference": "perioperative_mfolfox6",
        "twins": TwinSummary(
            requested=2000,
            draws=50,
            candidates=60000,
            effective_sample_size=1312.4,
            matched_on=[
                "six liver lesions of 9 to 47 mm",
                "node-positive primary",
                "growth between two scans",
            ],
            occult_probability=Estimate(value=0.71, lower=0.52, upper=0.86),
            occult_mean=Estimate(value=2.4, lower=1.1, upper=4.9),
            doubling_time_days=Estimate(value=96, lower=61, upper=158),
        ),
        "strategies": strategies(endpoint),
        "comparison": differences("perioperative_mfolfox6"),
        "not_ranked": ["mfolfox6_cik_midcycle", "til"],
        "bibliography": [citation(key) for key in CITED],
        "limits": [
            "The model has not been calibrated to trials; numbers rest on literature values.",
            "Deaths from other causes follow population tables for age and sex only.",
        ],
    }
    fields.update(changes)
    return Plan(**fields)
