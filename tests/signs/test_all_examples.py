"""Every bundled patient at full size: the plan repeats itself and keeps to the known order."""

from __future__ import annotations

import pytest

from metachron.patient.examples import example_names, read_example
from metachron.plan.make import make_plan

NO_TREATMENT = {"best_supportive_care", "observation", "observation_intensive", "observation_minimal"}


@pytest.mark.slow
@pytest.mark.parametrize("name", example_names())
def test_full_plan(name: str) -> None:
    """2,000 twins each: same document with 1 and 2 threads, and no treatment is the worst choice."""
    patient = read_example(name)
    first, second = (make_plan(patient, twins=2000, seed=11, jobs=jobs, prior=True) for jobs in (1, 2))
    assert first.model_dump_json() == second.model_dump_json()
    done = {s.name: s.outcomes for s in first.strategies if s.outcomes is not None}
    assert len(done) >= 8
    none = [o.os.rmst_months.value for n, o in done.items() if n in NO_TREATMENT]
    some = [o.os.rmst_months.value for n, o in done.items() if n not in NO_TREATMENT]
    assert none
    assert all(n is not None and s is not None and n < s for n in none for s in some)
    graded = {s.name: s.evidence_grade for s in first.strategies}
    unproven = {n for n, g in graded.items() if g in ("investigational", "not supported")}
    outside = {s.name for s in first.strategies if s.basis == "outside"}
    assert set(first.not_ranked) == unproven | outside
    assert all(s.basis == "prior-driven" for s in first.strategies if s.name not in outside)
