"""A synthetic update for tests of its report. Its numbers are smooth inventions, not results."""

from __future__ import annotations

from typing import Any

from sample import sample_plan

from metachron import DISCLAIMER, __version__
from metachron.optimise.update.results import Belief, Observation, Sampling, Spread, StrategyBelief, Update
from metachron.plan.results import Estimate, Provenance


def spread(median: float, factor: float) -> Spread:
    return Spread(mean=1.02 * median, median=median, lower=median / factor, upper=median * factor)


def belief(
    name: str, group: str, said: str, unit: str, before: Spread, after: Spread, shift: float
) -> Belief:
    moved = "unchanged" if abs(shift) < 0.1 else "up" if shift > 0 else "down"
    return Belief.model_validate(
        {
            "name": name,
            "group": group,
            "words": said,
            "unit": unit,
            "prior": before,
            "updated": after,
            "moved": moved,
            "shift": shift,
            "narrowed": 0.7 if moved != "unchanged" else 1.0,
            "text": f"{said} is believed to be {moved}",
            "basis": "calibrated",
        }
    )


def beliefs() -> list[Belief]:
    share = Spread(mean=0.3, median=0.28, lower=0.05, upper=0.71)
    less = Spread(mean=0.12, median=0.1, lower=0.02, upper=0.33)
    return [
        belief(
            "doubling_time_days",
            "growth",
            "Doubling time of visible disease",
            "days",
            spread(130, 2.6),
            spread(82, 1.5),
            -0.8,
        ),
        belief(
            "resistant_now_oxaliplatin",
            "resistance",
            "Share of cells resistant to oxaliplatin now",
            "fraction",
            less,
            share,
            1.1,
        ),
        belief(
            "sensitivity",
            "sensitivity",
            "Sensitivity to chemotherapy",
            "times average",
            spread(1.0, 4.0),
            spread(0.7, 2.2),
            -0.5,
        ),
        belief(
            "unseen",
            "unseen disease",
            "Lesions that no scan has shown",
            "lesions",
            Spread(mean=1.1, median=1.0, lower=0.0, upper=4.0),
            Spread(mean=1.0, median=1.0, lower=0.0, upper=3.0),
            -0.05,
        ),
    ]


def observations() -> list[Observation]:
    return [
        Observation(
            what="H1 on 2025-12-08",
            kind="size",
            date="2025-12-08",
            day=97,
            found=31.0,
            unit="mm",
            expected=spread(22, 1.5),
            probability=0.07,
            used=True,
        ),
        Observation(
            what="H2 on 2025-12-08",
            kind="size",
            date="2025-12-08",
            day=97,
            found=12.0,
            unit="mm",
            expected=spread(13, 1.4),
            probability=0.62,
            used=True,
        ),
        Observation(
            what="Lowest neutrophil count of cycle 2",
            kind="blood count",
            date="2025-10-20",
            day=48,
            found=0.8,
            unit="1e9/L",
            expected=spread(1.9, 2.0),
            probability=0.11,
            used=True,
        ),
        Observation(
            what="Response (RECIST 1.1)",
            kind="response",
            date="2025-12-08",
            day=97,
            found="stable disease",
            probability=0.34,
            used=True,
        ),
        Observation(
            what="CEA",
            kind="CEA",
            date="2025-12-08",
            day=97,
            found=41.0,
            unit="ug/L",
            expected=spread(20, 3.0),
            probability=0.2,
            used=False,
            note="recorded, no law links it",
        ),
    ]


def estimate(value: float) -> Estimate:
    return Estimate(value=value, lower=value - 3.4, upper=value + 3.1)


def strategies() -> list[StrategyBelief]:
    listed = [
        ("perioperative_mfolfox6", "mFOLFOX6 three months before and after liver resection", 39.0, 34.2),
        ("hepatectomy", "Liver resection alone", 36.5, 33.0),
        ("folfiri", "FOLFIRI", 24.0, 25.1),
    ]
    return [
        StrategyBelief(
            name=n,
            title=t,
            prior_months=estimate(a),
            updated_months=estimate(b),
            change_months=b - a,
            prior_survival={"1": 0.93, "5": 0.41},
            updated_survival={"1": 0.9, "5": 0.33},
            basis="calibrated",
            text=f"{t}: {b - a:+.1f} months after the findings",
        )
        for n, t, a, b in listed
    ]


def sample_update(**changes: Any) -> Update:
    fields: dict[str, Any] = {
        "version": __version__,
        "seed": 1,
        "settings": {"twins": 2000, "draws": 40, "horizon_years": 10},
        "disclaimer": DISCLAIMER,
        "parameters_status": "Parameters are an ensemble fitted to trials.",
        "provenance": Provenance(source="prior"),
        "outside": [],
        "assessed_on": "2025-09-02",
        "today": "2025-12-08",
        "days": 97,
        "years": 5.0,
        "findings": [],
        "lived": ["mFOLFOX6, 6 cycles from 9 September 2025"],
        "observations": observations(),
        "sampling": Sampling(
            candidates=40_000,
            alternatives=64,
            effective_sample_size=812.0,
            least_effective_sample_size=100,
            prior_effective_sample_size=5200.0,
            twins=2000,
            distinct=640,
            survived=0.98,
            weakest="H1 on 2025-12-08",
            text="40,000 candidates lived the treatment; 812 of them fit all findings",
        ),
        "beliefs": beliefs(),
        "strategies": strategies(),
        "summary": [
            "H1 grew more than nine in ten twins expected: the disease doubles faster than believed",
            "Resistance to oxaliplatin is now more likely than before",
        ],
        "carried": ["Size of every lesion", "Doses given"],
        "approximated": ["Marrow starts recovered"],
        "notes": ["The scan names no new lesion; that counts as none seen"],
        "updated_patient": {
            "id": "sample-1",
            "title": "Synchronous liver metastases",
            "assessed_on": "2025-12-08",
        },
        "plan": sample_plan(),
        "limits": ["Findings that no law of the model links are recorded only."],
    }
    return Update.model_validate({**fields, **changes})
