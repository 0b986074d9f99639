"""Chemotherapy before infused cells: it makes room for them, and too much of it kills them.

Park 2019 (PMID 31387920), a model of the immune system under chemotherapy, called it the Goldilocks window.
One strength hits both: the log kill of lymphocytes and the kill of infused cells scale together.
"""

from __future__ import annotations

import numpy as np
import pytest
import trial
from timing import ACTING, LAWS, SEED, better, cells, depleting, live, programme, replaced, twins_of

from metachron.engine.batch import Lives
from metachron.engine.records import Programme
from metachron.engine.trace import trace

EXAMPLE = trial.STAGE3
MEDIAN_TOXICITY, HALF_LIFE = 0.9, 7.0


def lives(law: str, plan: Programme, strength: float, **parameters: float) -> Lives:
    """Lives under a plan whose lymphotoxicity has been scaled; chemotherapy does not prime lesions."""
    values = {
        **ACTING,
        "chemo_sensitising": 0.0,
        "cell_chemo_toxicity": MEDIAN_TOXICITY * strength,
        **parameters,
    }
    return live(twins_of(EXAMPLE, law), cells(plan, half_life=HALF_LIFE), parameters=values)


@pytest.mark.parametrize("law", LAWS)
def test_some_lymphotoxicity_helps_and_much_of_it_harms(law: str) -> None:
    """One infusion on the day after lymphodepletion: none, as planned, sixteen times as hard."""
    plan, twins = programme(EXAMPLE, "lymphodepletion + cik*1"), twins_of(EXAMPLE, law)
    none, planned, far_too_much = (
        lives(law, depleting(plan, strength), strength, cell_expansion=0.15) for strength in (0.0, 1.0, 16.0)
    )
    assert better(twins, planned, none, "pfs").sure
    assert better(twins, planned, far_too_much, "pfs").sure
    assert better(twins, none, far_too_much, "pfs").sure, "worse than no depletion"


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("expansion", [0.03, 0.6])
def test_the_optimum_lies_inside_whatever_the_expansion(law: str, expansion: float) -> None:
    """At both ends of the prior of expansion the planned strength beats sixty-four times as much."""
    plan, twins = programme(EXAMPLE, "lymphodepletion + cik*1"), twins_of(EXAMPLE, law)
    arms = {z: lives(law, depleting(plan, z), z, cell_expansion=expansion) for z in (0.0, 1.0, 64.0)}
    assert better(twins, arms[1.0], arms[64.0], "pfs").sure
    assert better(twins, arms[1.0], arms[0.0], "pfs").mean > (0.5 if expansion > 0.1 else -0.2)


@pytest.mark.parametrize("law", LAWS)
def test_among_cycles_lymphotoxicity_only_harms(law: str) -> None:
    """The lymphopenia of FOLFOX is too shallow to make up for what the next dose kills (model notes 6.6)."""
    twins, arms = twins_of(EXAMPLE, law), {}
    for strength in (0.0, 1.0, 4.0):
        plan = programme(EXAMPLE, "mfolfox6*12 + cik*8@8", dose_rules="none")
        segments = plan.segments.copy()
        segments["lymph"] = 1.0 - (1.0 - segments["lymph"]) ** strength
        arms[strength] = lives(law, plan._replace(segments=segments), strength)
    assert better(twins, arms[0.0], arms[1.0], "pfs").sure
    assert better(twins, arms[1.0], arms[4.0], "pfs").sure


def test_lymphodepletion_of_the_catalogue_depletes() -> None:
    """Eight in ten lymphocytes, says the catalogue; neutrophils fall too."""
    twins, plan = twins_of(EXAMPLE, "prior", 200, 20), programme(EXAMPLE, "lymphodepletion + cik*1")
    rows = trace(twins.lesions, twins.twins, replaced(twins, {}), plan, seed=SEED, horizon_days=30.0)
    assert np.min(rows["lymphocytes"]) < 0.5
    assert np.min(rows["chain"][:, 4]) < 1.0
