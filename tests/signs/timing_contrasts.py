"""Pairs of arms that differ in timing or order, with what was published: read by tests and by scripts/timing.

A published figure carries its source and whether it was read (an abstract, a summary or the facts of the
project), derived from such or recalled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import timing
import trial
from timing import Gain

from metachron.engine.batch import Lives
from metachron.plan.twins import Twins

SOLITARY = "metachronous_solitary"
CALIBRATED, PRIOR_DRIVEN = "calibrated", "prior-driven"
GROUPS = 10  # of draws, for the jackknife of a hazard ratio


@dataclass(frozen=True)
class Arm:
    """A strategy in the language; `changes` as in timing.programme."""

    text: str
    changes: Mapping[str, Any] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash(self.text)


@dataclass(frozen=True)
class Contrast:
    """First arm against second on the twins of an example; `growth` multiplies growth of both."""

    title: str
    example: str
    arm: Arm
    against: Arm
    published: str
    basis: str = CALIBRATED
    growth: float = 1.0
    ras: str | None = None


INDUCTION = "mfolfox6*8 + bevacizumab"
AGAIN = " > [progression] mfolfox6 + bevacizumab"
SONBOL = "Sonbol 2020, doi 10.1001/jamaoncol.2019.4489, read"
BIAGI = "OS HR 1.14 per 4 weeks, of observational studies (PMID 21642686, read)"
PERI, UPFRONT = "mfolfox6*6 > hepatectomy > mfolfox6*6", "hepatectomy > mfolfox6*12"
RECHALLENGE = "folfiri + cetuximab > [progression] mfolfox6 + bevacizumab > [progression] irinotecan"

CONTRASTS: dict[str, Contrast] = {
    "adjuvant 8 weeks late": Contrast(
        "adjuvant mFOLFOX6 begun on day 84 against day 28", trial.STAGE3,
        Arm("mfolfox6*12", {"gaps": {0: 84}}), Arm("mfolfox6*12", {"gaps": {0: 28}}), BIAGI,
    ),
    "adjuvant capecitabine 8 weeks late": Contrast(
        "adjuvant capecitabine begun on day 84 against day 28", trial.STAGE3,
        Arm("capecitabine*8", {"gaps": {0: 84}}), Arm("capecitabine*8", {"gaps": {0: 28}}), BIAGI,
    ),
    "sandwich, fast": Contrast(
        "chemotherapy before and after resection against resection first, growth x 4", SOLITARY,
        Arm(PERI), Arm(UPFRONT), "better when growth is fast (Haeno 2012, PMID 22265421, pancreas, read)",
        growth=4.0,
    ),
    "sandwich, slow": Contrast(
        "the same, growth x 0.25", SOLITARY, Arm(PERI), Arm(UPFRONT), "no such gain", growth=0.25,
    ),
    "sandwich": Contrast(
        "the same, growth as it is", SOLITARY, Arm(PERI), Arm(UPFRONT),
        "DFS HR 0.85 (0.62-1.16) (Allard 2019, PMID 31592094, read)",
    ),
    "sandwich against surgery": Contrast(
        "chemotherapy before and after resection against resection alone", SOLITARY,
        Arm(PERI), Arm("hepatectomy"),
        "PFS HR 0.79 (0.62-1.02) (EORTC 40983, doi 10.1016/S0140-6736(08)60455-9, read); OS 0.88 (recalled)",
    ),
    "after surgery, 8 weeks late": Contrast(
        "resection, then mFOLFOX6 from day 84 against day 28", SOLITARY,
        Arm(UPFRONT, {"gaps": {1: 84}}), Arm(UPFRONT, {"gaps": {1: 28}}),
        "worse DFS beyond 60 days (PMC4892107, read)",
    ),
    "washout 6 against 4 weeks": Contrast(
        "mFOLFOX6 and bevacizumab to resection: 42 days after the last cycle against 28", SOLITARY,
        Arm("mfolfox6*6 + bevacizumab > hepatectomy > mfolfox6*6", {"gaps": {1: 42}}),
        Arm("mfolfox6*6 + bevacizumab > hepatectomy > mfolfox6*6", {"gaps": {1: 28}}),
        "complications alike below and from 5 weeks (PMID 22552819, read); 6-8 weeks advised (PMID 17103075)",
    ),
    "washout 12 against 4 weeks": Contrast(
        "the same, 84 days against 28", SOLITARY,
        Arm("mfolfox6*6 + bevacizumab > hepatectomy > mfolfox6*6", {"gaps": {1: 84}}),
        Arm("mfolfox6*6 + bevacizumab > hepatectomy > mfolfox6*6", {"gaps": {1: 28}}), "not known",
    ),
    "maintenance": Contrast(
        "5-FU and bevacizumab after induction against none, FOLFOX again at progression", trial.UNRESECTABLE,
        Arm(INDUCTION + " > lv5fu2 + bevacizumab" + AGAIN), Arm(INDUCTION + AGAIN),
        f"maintenance: PFS HR 0.58 (0.43-0.77), OS HR 0.91 (0.83-1.01) ({SONBOL})",
    ),
    "bevacizumab alone": Contrast(
        "bevacizumab after induction against none, FOLFOX again at progression", trial.UNRESECTABLE,
        Arm(INDUCTION + " > bevacizumab" + AGAIN), Arm(INDUCTION + AGAIN),
        "TTP HR 0.74 (0.58-0.96) (SAKK 41/06, read)",
    ),
    "continuous": Contrast(
        "induction without end against an interval until progression", trial.UNRESECTABLE,
        Arm("mfolfox6 + bevacizumab"), Arm(INDUCTION + AGAIN),
        f"PFS HR 0.71 (0.46-1.09), OS HR 0.95 (0.85-1.07) ({SONBOL})",
    ),
    "intermittent": Contrast(
        "mFOLFOX6 with intervals against without end", trial.UNRESECTABLE,
        Arm("mfolfox6_intermittent"), Arm("mfolfox6"),
        "OS HR 1.084 (COIN, PMID 21641867, HR recalled); not shown to be no worse",
    ),
    "stop and go": Contrast(
        "oxaliplatin stop-and-go against without end", trial.UNRESECTABLE,
        Arm("mfolfox6_stop_and_go"), Arm("mfolfox6"), "PFS and OS alike (OPTIMOX1, PMID 16421419, read)",
    ),
    "re-challenge": Contrast(
        "cetuximab again with irinotecan in third line against irinotecan", trial.UNRESECTABLE,
        Arm(RECHALLENGE + " + cetuximab"), Arm(RECHALLENGE),
        "21 % respond (CRICKET, PMID 30476968, read); no randomised comparison",
        basis=PRIOR_DRIVEN, ras="wild type",
    ),
    "surveillance": Contrast(
        "CT every 3-6 months against at 1 and 3 years", trial.STAGE3,
        Arm("mfolfox6*12", {"surveillance": "intensive"}), Arm("mfolfox6*12", {"surveillance": "minimal"}),
        "found 10 (5-24) months earlier, OS HR 0.98 (0.87-1.11) (PMC5031212, read)",
    ),
    "cells day 8": Contrast(
        "cells on day 8 against day 1 of twelve cycles", trial.STAGE3,
        Arm("mfolfox6*12 + cik*12@8", {"dose_rules": "none"}),
        Arm("mfolfox6*12 + cik*12@1", {"dose_rules": "none"}), "never compared", basis=PRIOR_DRIVEN,
    ),
    "cells after": Contrast(
        "eight infusions after chemotherapy against on day 8 of its cycles", trial.STAGE3,
        Arm("mfolfox6*12 > [14d] cik*8", {"dose_rules": "none"}),
        Arm("mfolfox6*12 + cik*8@8", {"dose_rules": "none"}), "never compared", basis=PRIOR_DRIVEN,
    ),
}  # fmt: skip


@cache
def arms(name: str, law: str) -> tuple[Twins, Lives, Lives]:
    """Twins of a contrast and their lives under both arms."""
    c = CONTRASTS[name]
    twins = timing.twins_of(c.example, law, ras=c.ras)
    acting = timing.ACTING if c.basis == PRIOR_DRIVEN else {}
    first, second = (
        timing.live(
            twins,
            timing.programme(c.example, arm.text, ras=c.ras, **arm.changes),
            growth=c.growth,
            parameters=acting,
        )
        for arm in (c.arm, c.against)
    )
    return twins, first, second


def gained(name: str, law: str, endpoint: str, years: float = 10.0) -> Gain:
    """Months (or, for cure, share) gained by the first arm: endpoint death, pfs or cure."""
    twins, first, second = arms(name, law)
    return timing.better(twins, first, second, endpoint, years)


def hazard(name: str, law: str, endpoint: str, years: float = 10.0) -> float:
    """Hazard ratio of the first arm over the second."""
    _, first, second = arms(name, law)
    return trial.hazard_ratio(first.outcomes[endpoint], second.outcomes[endpoint], years)


def hazard_error(name: str, law: str, endpoint: str, years: float = 10.0) -> float:
    """Standard error of the logarithm of that ratio: a jackknife over groups of parameter draws."""
    twins, first, second = arms(name, law)
    group = twins.twins["draw"] % GROUPS
    without = [
        np.log(
            trial.hazard_ratio(
                first.outcomes[endpoint][group != g], second.outcomes[endpoint][group != g], years
            )
        )
        for g in range(GROUPS)
    ]
    return float(np.sqrt((GROUPS - 1) / GROUPS * np.sum((np.array(without) - np.mean(without)) ** 2)))
