"""Searches with the engine: the optimum of brute force, the same numbers again, resuming, ranks."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest

from metachron.errors import InputError
from metachron.optimise import make
from metachron.optimise.answer import Answer
from metachron.optimise.constraints import clinical_constraints, parse_constraint
from metachron.optimise.evaluate import Evaluator
from metachron.optimise.goal import parse_goal
from metachron.optimise.make import Request, optimise
from metachron.optimise.results import Optimisation
from metachron.optimise.search import Search
from metachron.optimise.standing import told_apart
from metachron.patient.examples import read_example
from metachron.patient.schema import Preferences
from metachron.plan.bands import difference

PATIENT = read_example("metachronous_solitary").model_copy(update={"preferences": Preferences()})
GRID = "[{wait=14..70:28}d] hepatectomy > [{gap=28..84:28}d] mfolfox6*{cycles=6,12}"
SMALL = Request(templates=[GRID], twins=400, trials=0, jobs=2)
TINY = "[{14,42}d] hepatectomy > [{28,56}d] mfolfox6*6"
CELLS = "hepatectomy > [42d] mfolfox6*6 > [28d] {depletion=,lymphodepletion + }cik*{4,8}"


@functools.cache
def searched() -> Search:
    held = clinical_constraints()
    search = make._prepared(PATIENT, SMALL, parse_goal(SMALL.objective, PATIENT), held)
    search.run()
    return search


@functools.cache
def document() -> Optimisation:
    return optimise(PATIENT, SMALL)


def brute_force(search: Search, evaluators: list[Evaluator]) -> dict[str, np.ndarray]:
    """Every candidate that may be ranked on every twin, one by one."""
    return {
        key: np.concatenate([v.values(e.candidate.strategy, ["rmst"])["rmst"] for v in evaluators])
        for key, e in search.found.entrants.items()
        if not e.refused and not e.unranked
    }


def test_the_race_finds_the_optimum_of_the_grid() -> None:
    search = searched()
    table = brute_force(search, search.batches.made(below=64))
    assert len(table) == 3 * 3 * 2 + 1
    means = {k: float(v.mean()) for k, v in table.items()}
    assert search.found.best == max(means, key=lambda k: means[k])


def test_no_candidate_is_surely_better_on_ten_times_the_twins_it_was_chosen_on() -> None:
    search = searched()
    evaluators = [search.batches.evaluator(80 + i, 400) for i in range(5)]
    table = brute_force(search, evaluators)
    draw = np.concatenate([e.draw for e in evaluators])
    source = np.concatenate([e.source for e in evaluators])
    best = table[str(search.found.best)]
    for values in table.values():
        paired = difference(values - best, draw, source)
        assert not (told_apart(paired) and paired.mean > search.settings.matters)


def test_waiting_costs_life_and_the_answer_says_how_much() -> None:
    found = document()
    best = found.evaluation(str(found.best))
    assert best.variables["wait"] == 14.0
    assert best.variables["gap"] == 28.0
    assert {p.variable for p in found.plateau} >= {"wait", "gap", "cycles"}
    for p in found.plateau:
        assert set(p.alike) | set(p.different)
        assert p.words.startswith(p.variable)


def test_standing_is_a_distribution() -> None:
    found = document()
    assert sum(found.probability_best.values()) == pytest.approx(1.0, abs=1e-4)
    assert min(found.expected_regret.values()) >= 0
    assert found.cannot_be_told_apart[0] == found.as_good[0] == found.best
    assert set(found.cannot_be_told_apart) <= set(found.as_good)
    assert found.evaluation(str(found.best)).difference.value == 0.0


def test_figures_of_the_survivors_come_from_twins_they_were_not_chosen_on() -> None:
    search = searched()
    chosen = {int(k) for e in search.batches.made(below=64) for k in e.twins.twins["key"]}
    fresh = {int(k) for k in search.fresh.twins.twins["key"]}
    assert not chosen & fresh
    assert not set(search.fresh.source) & {int(s) for e in search.batches.made(below=64) for s in e.source}


def test_same_numbers_whatever_the_threads() -> None:
    again = optimise(PATIENT, Request(templates=[GRID], twins=400, trials=0, jobs=1))
    assert again.model_dump() == document().model_dump()


def test_another_seed_gives_other_numbers() -> None:
    other = optimise(PATIENT, Request(templates=[GRID], twins=400, trials=0, jobs=2, seed=2))
    assert other.probability_best != document().probability_best


class Stopped(Exception):  # noqa: N818 - a stand-in for a killed process
    pass


def test_a_stopped_search_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(stage: str, _share: float) -> None:
        if stage.startswith("evaluating"):
            raise Stopped

    checkpoint = tmp_path / "search.checkpoint"
    request = Request(templates=[TINY], twins=200, trials=0, jobs=2, checkpoint=checkpoint, say=stop)
    with pytest.raises(Stopped):
        optimise(PATIENT, request)
    lived = 0
    simulate = Evaluator.lives

    def counted(self: Evaluator, strategy: object) -> object:
        nonlocal lived
        before = self.simulated
        found = simulate(self, strategy)  # type: ignore[arg-type]
        lived += self.simulated - before
        return found

    monkeypatch.setattr(Evaluator, "lives", counted)
    resumed = optimise(PATIENT, Request(templates=[TINY], twins=200, trials=0, jobs=2, checkpoint=checkpoint))
    monkeypatch.undo()
    assert resumed.model_dump() == optimise(PATIENT, Request([TINY], twins=200, trials=0)).model_dump()
    assert lived <= 200 * (len(resumed.probability_best) + 1)  # the race was not run again


def test_cells_are_shown_and_never_ranked() -> None:
    found = optimise(PATIENT, Request(templates=[CELLS, "hepatectomy"], twins=200, trials=0, jobs=2))
    cells = [e for e in found.evaluations if "cik" in e.expression]
    assert len(cells) == 4
    assert all(e.rank is None and "never ranked" in e.not_ranked_because for e in cells)
    assert not {e.id for e in cells} & set(found.probability_best)
    assert found.best not in {e.id for e in cells}
    band = [r for r in found.cells_band if r.id == found.cells_band[0].id]
    assert len(band) == 27
    assert {r.half_life_days for r in band} == {2.0, 7.0, 21.0}
    effect = {
        e: max(abs(r.difference.value) for r in band if r.effect == e) for e in {r.effect for r in band}
    }
    assert effect[max(effect)] > 3 * effect[min(effect)]  # the band is wide: it says how little is known


def test_only_cells_leave_nothing_to_rank_but_the_standard() -> None:
    found = optimise(PATIENT, Request(templates=[CELLS], twins=200, trials=0, jobs=2))
    assert found.best == found.reference


def test_a_front_of_survival_and_burden() -> None:
    found = optimise(PATIENT, Request(templates=[GRID], objective="rmst,burden", twins=400, trials=0, jobs=2))
    points = {
        e.id: (e.objectives["rmst"].value, -e.objectives["burden"].value)
        for e in found.evaluations
        if e.id in found.probability_best
    }
    own = points[found.best]
    better = {k for k in found.front if points[k][0] >= own[0] and points[k][1] >= own[1]}
    # chosen on the search twins: on the fresh ones only what is as good may lie above it
    assert better <= set(found.cannot_be_told_apart)
    for key in found.front:
        assert not any(a >= points[key][0] and b > points[key][1] for a, b in points.values())
    assert 0 < found.hypervolume <= 1


def test_limits_on_outcomes_are_kept() -> None:
    free = document()
    most = free.evaluation(str(free.best)).objectives["toxic_time"].value
    limit = f"toxic_time<={0.6 * most:.3f}"
    held = optimise(PATIENT, Request(templates=[GRID], constraints=[limit], twins=400, trials=0, jobs=2))
    best = held.evaluation(str(held.best))
    assert best.objectives["toxic_time"].value <= 0.65 * most
    assert best.id != free.best
    with pytest.raises(InputError, match="no candidate meets burden <= 1 days"):
        optimise(PATIENT, Request(templates=[GRID], constraints=["burden<=1"], twins=400, jobs=2))


def test_limits_on_the_plan_are_kept_and_counted() -> None:
    found = optimise(
        PATIENT, Request(templates=[GRID], constraints=["cycles<=6"], twins=200, trials=0, jobs=2)
    )
    (own,) = [c for c in found.constraints if c.origin == "asked"]
    assert own.refused == 9
    refused = [e for e in found.evaluations if e.variables.get("cycles") == 12.0]
    assert all(e.rank is None and "cycles <= 6" in e.not_ranked_because for e in refused)


def test_what_may_not_be_given_is_listed_with_its_reason() -> None:
    request = Request(
        templates=["mfolfox6*6 + bevacizumab > [{7,42}d] hepatectomy"], twins=200, trials=0, jobs=2
    )
    found = optimise(PATIENT, request)
    (refused,) = [e for e in found.evaluations if e.eligible == "no"]
    assert "at least 4 weeks" in refused.not_ranked_because
    assert not refused.objectives


def test_an_unresectable_patient_is_not_offered_the_operation_first() -> None:
    patient = read_example("synchronous_bilobar")
    with pytest.raises(InputError, match="Not every metastasis can be removed"):
        optimise(patient, Request(templates=["[{14,28}d] hepatectomy"], twins=200, jobs=2))


def test_the_usual_strategy_gets_its_place_among_the_variables() -> None:
    request = Request(templates=["[{wait=21,77}d] hepatectomy"], twins=200, trials=0, jobs=2)
    found = optimise(PATIENT, request)
    (usual,) = [e for e in found.evaluations if e.name == "hepatectomy"]
    assert found.reference == usual.id


def test_conflicting_limits_are_named() -> None:
    assert parse_constraint("cycles>=12").holds(12)
    request = Request(templates=[GRID], constraints=["cycles>=12", "treatment_days<=200"], twins=200, jobs=2)
    with pytest.raises(InputError, match="'cycles >= 12 cycles' and 'treatment_days <= 200 d' conflict"):
        optimise(PATIENT, request)


def test_every_source_of_the_document_is_in_the_bibliography() -> None:
    found = optimise(PATIENT, Request(templates=["sandwich"], objective="qaly", twins=200, trials=0, jobs=2))
    keys = {c.key for c in found.bibliography}
    assert {*found.objective.citations, "Nordlinger2008"} <= keys
    assert found.disclaimer
    assert Answer(searched()).alike()
