"""A grid of small scenarios on which the engine is held against the reference; twins made by hand.

Each has a few twins under as many parameter draws of the prior, so that kill, growth and marrow vary. The
twins stand for nobody: they only have to go through every law.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from metachron.engine.compile import compile_strategy
from metachron.engine.records import LESION, LIVER, LUNG, OCCULT, TWIN, VISIBLE, Programme
from metachron.parameters import load_parameters
from metachron.parameters.draws import latin_hypercube, quantile
from metachron.patient.examples import read_example
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.language import resolve

YEAR = 365.25
# Parameters of who the patients are and of who is treated, added since the tolerances were measured
POPULATION = (
    "growth_ras_mutant", "growth_braf_mutant", "death_ecog", "death_frailty_sd", "occult_dispersion",
    "phi_lesion_sd", "occult_rectal", "occult_msi", "occult_obstruction", "occult_perforation",
    "occult_adherent", "occult_poor_grade",
    "growth_nodes", "growth_obstruction", "growth_poor_grade",
    "death_line", "occult_size_slope_metastatic", "kill_micro_factor",
    "death_progressed", "death_full_cm", "secondary_resection_share", "fitness_days",
)  # fmt: skip


@dataclass(frozen=True)
class Scenario:
    """A strategy for an example patient; `seen_mm` diameters of seen lesions, `hidden` unseen ones.

    `removal`: are metastases confined to the liver taken out once they have responded?
    """

    name: str
    patient: str
    strategy: str
    seen_mm: tuple[float, ...] = ()
    hidden: int = 3
    days: float = 3.0 * YEAR
    twin: dict[str, float] = field(default_factory=dict)
    draw: dict[str, float] = field(default_factory=dict)
    rules: tuple[str, ...] = ("label",)
    removal: bool = False


GRID = (
    Scenario(
        "no drug", "unresectable_ras_mutant", "best_supportive_care", (20.0, 45.0),
        twin={"growth": 0.003}, draw={"death_intercept": -9.5},
    ),
    Scenario(
        "5-FU adjuvant", "stage3_adjuvant", "adjuvant_lv5fu2", (), 4, 4.0 * YEAR,
        draw={"kill_micro_factor": 0.5},
    ),
    Scenario(
        "mFOLFOX6 and bevacizumab", "unresectable_ras_mutant", "mfolfox6_bevacizumab", (15.0, 40.0), 4,
        draw={"kill_micro_factor": 1.6},
    ),
    Scenario(
        "anti-EGFR", "metachronous_solitary", "mfolfox6_panitumumab", (25.0, 12.0), 4, 2.0 * YEAR,
        twin={"egfr_active": 1.0},
    ),
    Scenario("checkpoint inhibitor", "msi_high", "pembrolizumab", (25.0, 40.0), 3, twin={"msi_high": 1}),
    Scenario(
        "cells between cycles", "unresectable_ras_mutant", "mfolfox6 + cik*6@8", (15.0,), 4, 1.5 * YEAR,
        draw={"cell_effect_real": 1.0},
    ),
    Scenario(
        "cells after chemotherapy", "stage3_adjuvant", "adjuvant_mfolfox6_cik", (), 5, 4.0 * YEAR,
        draw={"cell_effect_real": 1.0},
    ),
    Scenario(
        "lymphodepletion", "unresectable_ras_mutant", "til", (20.0,), 3, 1.5 * YEAR,
        draw={"cell_effect_real": 1.0},
    ),
    Scenario(
        "resection between two courses", "metachronous_solitary", "perioperative_mfolfox6", (30.0, 15.0), 3,
        4.0 * YEAR, twin={"growth": 0.003}, draw={"stop_per_cycle": 0.0},
    ),
    Scenario("ablation", "recurrence_after_hepatectomy", "cryoablation_cik", (18.0,), 3, 4.0 * YEAR),
    Scenario(
        "later lines", "synchronous_bilobar", "mfolfox6_bevacizumab", (30.0, 20.0), 2,
        twin={"sensitivity": 0.4, "logit_macro": 1.0},
        draw={"next_line_share": 0.999, "death_intercept": -12.0, "death_liver_max": 0.0},
    ),
    Scenario(
        "delay by counts", "unresectable_ras_mutant", "folfoxiri_bevacizumab", (20.0,), 2, 1.5 * YEAR,
        twin={"marrow_factor": 1.6, "neutrophils": 3.0},
    ),
    Scenario(
        "regeneration and marrow support", "recurrence_after_hepatectomy", "repeat_hepatectomy > cik*4",
        (22.0,), 4, 4.0 * YEAR,
        draw={"regeneration_growth": 1.5, "marrow_support": 0.2, "cell_effect_real": 1.0},
    ),
    Scenario(
        "dormancy", "stage3_adjuvant", "adjuvant_mfolfox6_3m", (), 4, 4.0 * YEAR,
        draw={"dormancy_days": 200.0},
    ),
    Scenario(
        "antigen after freezing", "recurrence_after_hepatectomy", "cryoablation > [14d] cik*8", (18.0, 14.0),
        4, 4.0 * YEAR, draw={"antigen_pulse": 1.0, "cell_effect_real": 1.0},
    ),
    Scenario(
        "G-CSF", "unresectable_ras_mutant", "folfoxiri_bevacizumab", (20.0,), 2, 1.5 * YEAR,
        twin={"marrow_factor": 2.0, "neutrophils": 3.0}, rules=("label", "secondary_gcsf"),
    ),
    Scenario(
        "oxaliplatin stop and go", "unresectable_ras_mutant", "mfolfox6 + bevacizumab", (15.0, 25.0), 2,
        twin={"logit_macro": -1.0, "growth": 0.006}, rules=("label", "stop_and_go_optimox1"),
        draw={"death_intercept": -10.0, "death_liver_max": 0.0},
    ),
    Scenario(
        "intervals without treatment", "synchronous_bilobar", "mfolfox6 + bevacizumab", (25.0,), 3,
        twin={"logit_macro": -2.0, "growth": 0.005}, rules=("label", "intermittent_coin"),
        draw={"death_intercept": -10.0, "death_liver_max": 0.0},
    ),
    Scenario(
        "anti-EGFR again", "metachronous_solitary",
        "folfiri + cetuximab > [progression] mfolfox6 + bevacizumab > [progression] folfiri + cetuximab",
        (25.0, 15.0), 2, 4.0 * YEAR,
        twin={"egfr_active": 1.0, "logit_macro": -1.0, "growth": 0.008},
        draw={"death_intercept": -10.0, "death_liver_max": 0.0},
    ),
    Scenario(
        "resection again", "metachronous_solitary",
        "hepatectomy > [recurrence, 3 lesions, 50 mm] repeat_hepatectomy", (25.0,), 1, 5.0 * YEAR,
        twin={"growth": 0.01}, draw={"death_intercept": -10.0, "death_liver_max": 0.0},
    ),
    Scenario(
        "removal after response", "unresectable_ras_mutant", "mfolfox6_bevacizumab", (25.0, 35.0), 3,
        4.0 * YEAR, twin={"logit_macro": -6.0, "sensitivity": 2.0},
        draw={
            "secondary_resection_share": 0.8, "death_intercept": -10.0, "death_liver_max": 0.0,
            "stop_per_cycle": 0.0,
        },
        removal=True,
    ),
    Scenario(
        "too ill for more", "metachronous_solitary",
        "folfiri + bevacizumab > [progression] mfolfox6 + bevacizumab > [progression] folfiri", (30.0, 20.0),
        2, 4.0 * YEAR, twin={"logit_macro": -1.0, "growth": 0.008},
        draw={
            "fitness_days": 500.0, "death_intercept": -9.0, "death_line": 0.8, "death_progressed": 0.7,
            "death_liver_max": 0.0, "next_line_share": 0.999,
        },
    ),
)  # fmt: skip


class Ready(NamedTuple):
    """Arguments of `simulate` and `trace`."""

    lesions: NDArray[np.void]
    twins: NDArray[np.void]
    draws: NDArray[np.void]
    programme: Programme


def _draws(n: int, seed: int) -> NDArray[np.void]:
    """Parameter sets from the prior, shape (n,), whatever ensemble is shipped; POPULATION at the medians.

    One more of those must not change what the others are: the engine does not read them, or a scenario sets
    them.
    """
    parameters = load_parameters().values()
    free = [p.name for p in parameters if p.distribution != "fixed" and p.name not in POPULATION]
    sample = dict(zip(free, latin_hypercube(n, len(free), seed).T, strict=True))
    draws = np.zeros(n, dtype=[(p.name, np.float64) for p in parameters])
    for p in parameters:
        draws[p.name] = quantile(p, sample.get(p.name, np.full(n, 0.5)))
    return draws


def build(scenario: Scenario, twins: int = 3, seed: int = 5) -> Ready:
    """`twins` twins of the scenario, each under its own parameter draw."""
    rng = np.random.default_rng([seed, *scenario.name.encode()])
    draws = _draws(max(twins, 2), seed)[:twins]
    for name, value in scenario.draw.items():
        draws[name] = value
    people = _people(scenario, draws, rng)
    catalogue = load_catalogue()
    strategy = resolve(scenario.strategy, catalogue)
    after = strategy.after.model_copy(update={"secondary_resection": scenario.removal})
    strategy = strategy.model_copy(update={"dose_rules": list(scenario.rules), "after": after})
    programme = compile_strategy(
        read_example(scenario.patient), strategy, catalogue, metastatic=bool(scenario.seen_mm)
    )
    return Ready(_lesions(scenario, draws, rng), people, draws, programme)


def _people(scenario: Scenario, draws: NDArray[np.void], rng: np.random.Generator) -> NDArray[np.void]:
    n = draws.size
    people = np.zeros(n, TWIN)
    people["key"] = people["draw"] = np.arange(n)
    people["n_lesions"] = len(scenario.seen_mm) + scenario.hidden
    people["growth"] = math.log(2.0) / draws["vdt_ref_days"] * np.exp(0.5 * rng.standard_normal(n))
    for name in ("sensitivity", "immune", "checkpoint"):
        people[name] = np.exp(0.5 * rng.standard_normal(n))
    people["age"], people["background_factor"] = 50.0, 0.2
    people["neutrophils"] = draws["neutrophil_base_e9_l"] * np.exp(0.3 * rng.standard_normal(n))
    people["marrow_factor"] = np.exp(0.4 * rng.standard_normal(n))
    people["nerve_factor"] = np.exp(0.4 * rng.standard_normal(n))
    people["liver_ml"], people["liver_share"] = 1500.0, 1.0
    people["logit_macro"] = rng.normal(-3.0, 2.5, (n, 6))
    people["logit_micro"] = rng.normal(-14.0, 5.0, (n, 6))
    for name, value in scenario.twin.items():
        people[name] = value
    return people


def _lesions(scenario: Scenario, draws: NDArray[np.void], rng: np.random.Generator) -> NDArray[np.void]:
    n, seen = draws.size, len(scenario.seen_mm)
    found = np.zeros((n, seen + scenario.hidden), LESION)
    found["growth"] = np.exp(0.15 * rng.standard_normal(found.shape))
    found["offset"] = 0.5 * rng.logistic(size=found.shape)
    found["organ"], found["status"] = LIVER, OCCULT
    found["x"] = rng.uniform(2.0, 19.0, found.shape)
    found["status"][:, :seen] = VISIBLE
    diameters = np.array(scenario.seen_mm) * np.exp(0.1 * rng.standard_normal((n, seen)))
    found["x"][:, :seen] = np.log(np.pi / 6.0 * diameters**3 * 1e6)
    found["organ"][:, -1] = np.where(rng.random(n) < 0.3, LUNG, LIVER)
    found["resistance"] = rng.normal(0.0, 1.0, found.shape)
    return found
