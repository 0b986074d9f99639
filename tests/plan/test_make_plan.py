"""One patient in, a plan out: whole, consistent, repeatable."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from metachron.errors import InputError
from metachron.parameters.posterior import load_ensemble
from metachron.patient.examples import read_example
from metachron.patient.schema import PrimarySite
from metachron.plan.limits import status
from metachron.plan.make import make_plan
from metachron.plan.results import Curve, Plan, StrategyResult

SMALL = {"twins": 200, "draws": 8, "horizon_years": 6.0}
EXAMPLES = ["synchronous_bilobar", "stage3_adjuvant", "unresectable_ras_mutant"]


@cache
def plan(example: str, seed: int = 1, jobs: int | None = None, repeat: int = 0) -> Plan:
    return make_plan(read_example(example), seed=seed, jobs=jobs, **SMALL)  # type: ignore[arg-type]


def compared(example: str) -> list[StrategyResult]:
    return [s for s in plan(example).strategies if s.outcomes is not None]


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_plan_is_valid_and_whole(example: str) -> None:
    found = plan(example)
    assert Plan.model_validate_json(found.model_dump_json()) == found
    assert found.reference in {s.name for s in compared(example)}
    assert len(compared(example)) >= 3
    assert found.settings["twins"] == 200
    assert found.parameters_status == status(load_ensemble())
    assert found.limits
    assert found.bibliography
    cited = {
        c for s in found.strategies for c in [*s.citations, *(k for r in s.reasons for k in r.citations)]
    }
    assert cited <= {c.key for c in found.bibliography}


@pytest.mark.parametrize("example", EXAMPLES)
def test_threads_and_repetition_change_nothing(example: str) -> None:
    text = plan(example).model_dump_json()
    assert plan(example, jobs=1, repeat=1).model_dump_json() == text
    assert plan(example, jobs=2, repeat=2).model_dump_json() == text


def test_another_seed_changes_the_numbers() -> None:
    a, b = plan("synchronous_bilobar"), plan("synchronous_bilobar", seed=2)
    assert a.strategies[0].outcomes != b.strategies[0].outcomes
    assert [s.name for s in a.strategies] == [s.name for s in b.strategies]


def curves(s: StrategyResult) -> list[Curve]:
    assert s.outcomes is not None
    return [s.outcomes.os, s.outcomes.rfs_or_pfs, s.outcomes.hepatic_rfs]


@pytest.mark.parametrize("example", EXAMPLES)
def test_curves_are_survival_with_bands(example: str) -> None:
    for strategy in compared(example):
        for curve in curves(strategy):
            mid, low, high = (np.array(v) for v in (curve.survival, curve.lower, curve.upper))
            assert mid[0] == pytest.approx(1.0, abs=0.02)
            assert (np.diff(mid) <= 1e-9).all()
            assert (np.diff(low) <= 1e-9).all()
            assert (np.diff(high) <= 1e-9).all()
            assert (low >= 0).all()
            assert (high <= 1).all()
            assert (low <= mid + 1e-6).all()
            assert (mid <= high + 1e-6).all()
            assert curve.times_months == list(range(73))
            assert list(curve.at_risk.values()) == sorted(curve.at_risk.values(), reverse=True)


@pytest.mark.parametrize("example", EXAMPLES)
def test_survival_is_never_worse_than_event_free_survival(example: str) -> None:
    for strategy in compared(example):
        alive, free, liver = (np.array(c.survival) for c in curves(strategy))
        assert (alive + 1e-9 >= free).all()
        assert (liver + 1e-9 >= free).all()
        assert (alive + 1e-9 >= liver).all()


@pytest.mark.parametrize("example", EXAMPLES)
def test_medians_and_landmarks_are_read_off_the_curve(example: str) -> None:
    for strategy in compared(example):
        for curve in curves(strategy):
            median = curve.median_months.value
            assert (median is None) == (min(curve.survival) > 0.5)
            if median is not None:
                at = np.interp(median, curve.times_months, curve.survival)
                assert at == pytest.approx(0.5, abs=1e-6)
                assert curve.median_months.lower is not None
                assert curve.median_months.lower <= median
                assert curve.median_months.upper is None or curve.median_months.upper >= median
            for year, value in curve.landmarks.items():
                assert value.value == pytest.approx(curve.survival[12 * int(year)], abs=1e-6)
            area = np.trapezoid(curve.survival, curve.times_months)
            assert curve.rmst_months.value == pytest.approx(area, abs=0.6)


@pytest.mark.parametrize("example", EXAMPLES)
def test_shares_are_between_nought_and_one(example: str) -> None:
    for strategy in compared(example):
        assert strategy.outcomes is not None
        shares = [t.probability for t in strategy.outcomes.toxicity]
        completion = strategy.outcomes.chemotherapy_completed
        if completion is not None:
            shares += [completion.completed, completion.relative_dose_intensity]
        if strategy.outcomes.no_disease_left is not None:
            shares.append(strategy.outcomes.no_disease_left)
        for share in shares:
            if share.value is not None:
                assert share.lower is not None
                assert share.upper is not None
                assert 0 <= share.lower <= share.value <= share.upper <= 1
        response = strategy.outcomes.best_response
        assert not response or sum(response.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("example", EXAMPLES)
def test_any_toxicity_is_at_least_each_kind(example: str) -> None:
    for strategy in compared(example):
        assert strategy.outcomes is not None
        severe = {t.kind: t.probability.value or 0.0 for t in strategy.outcomes.toxicity if t.grade == "3+"}
        assert severe["any"] >= max(severe.values()) - 1e-12


@pytest.mark.parametrize("example", EXAMPLES)
def test_only_what_may_be_given_is_simulated(example: str) -> None:
    for strategy in plan(example).strategies:
        if strategy.eligible == "no":
            assert strategy.outcomes is None
            assert strategy.timetable == []
            assert any(r.verdict == "not eligible" for r in strategy.reasons)
        if strategy.eligible == "yes":
            assert strategy.outcomes is not None


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_compared_strategy_is_set_against_the_reference(example: str) -> None:
    found = plan(example)
    pairs = {(d.strategy, d.endpoint) for d in found.comparison}
    # outside the domain of the data nothing is compared
    names = {s.name for s in compared(example) if s.basis != "outside"} - {found.reference}
    assert pairs == {
        (n, e) for n in names for e in ("os", "rfs_or_pfs", "hepatic_rfs", "toxicity_grade3plus")
    }
    for d in found.comparison:
        assert d.reference == found.reference
        assert 0 <= d.probability_better <= 1
        assert d.lower <= d.upper
        assert (d.text == "no detectable difference") == (not d.detectable)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_calendar_is_in_order(example: str) -> None:
    for strategy in compared(example):
        for bar in strategy.timetable:
            assert 0 <= bar.start_day <= bar.end_day
            assert bar.start_window[0] <= bar.start_day <= bar.start_window[1]
            assert 0 < bar.share <= 1


def test_effective_size_and_match_are_told() -> None:
    twins = plan("synchronous_bilobar").twins
    assert twins.requested == 200
    assert 100 <= twins.effective_sample_size <= twins.candidates
    assert any("visible lesions" in text for text in twins.matched_on)


def ask(*names: str, example: str = "unresectable_ras_mutant") -> Plan:
    patient = read_example(example)
    return make_plan(patient, strategies=list(names), twins=100, draws=4, horizon_years=3.0)


@pytest.mark.parametrize("name", ["mfolfx6", "mfolfox6*12 > hepatectmy", "mfolfox6 >", "", "aspirin + hope"])
def test_unknown_strategies_are_refused(name: str) -> None:
    with pytest.raises(InputError):
        ask(name)


def test_the_reference_joins_what_was_asked_for() -> None:
    found = ask("mfolfox6*4 > folfiri")
    assert [s.name for s in found.strategies] == ["mfolfox6*4 > folfiri", found.reference]
    assert all(s.outcomes is not None for s in found.strategies)


def test_refused_strategies_are_not_simulated_even_when_asked_for() -> None:
    """Anti-EGFR with mutant RAS."""
    found = ask("mfolfox6_panitumumab", "mfolfox6")
    refused = next(s for s in found.strategies if s.name == "mfolfox6_panitumumab")
    assert refused.eligible == "no"
    assert refused.outcomes is None
    assert not [d for d in found.comparison if d.strategy == "mfolfox6_panitumumab"]


def test_asked_for_and_unknown_is_simulated_with_its_reasons() -> None:
    """With RAS unknown the drug waits for the test; asked for by name it is shown all the same."""
    patient = read_example("unresectable_ras_mutant")
    markers = patient.markers.model_copy(update={"ras": None, "kras_g12c": None, "braf": None})
    primary = patient.primary.model_copy(update={"site": PrimarySite.SIGMOID})
    patient = patient.model_copy(update={"markers": markers, "primary": primary})
    found = make_plan(patient, strategies=["mfolfox6_panitumumab"], twins=100, draws=4, horizon_years=3.0)
    asked = found.strategies[0]
    assert asked.eligible == "unknown"
    assert asked.outcomes is not None
    assert any(r.verdict == "needs information" and r.needs for r in asked.reasons)


def test_supportive_care_is_compared_with_the_reference() -> None:
    found = ask("best_supportive_care")
    assert found.reference in {s.name for s in found.strategies if s.outcomes is not None}


def test_progress_is_told() -> None:
    told: list[tuple[str, float]] = []
    make_plan(
        read_example("stage3_adjuvant"), strategies=["observation"], twins=100, draws=4, horizon_years=2.0,
        progress=lambda stage, share: told.append((stage, share)),
    )  # fmt: skip
    assert [share for _, share in told] == sorted(share for _, share in told)
    assert 0.0 <= told[0][1] <= told[-1][1] <= 1.0
    assert "matching twins" in told[0][0]
