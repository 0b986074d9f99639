"""Baselines: the nearest registered trial, and a Weibull distribution of the pooled ones."""

from __future__ import annotations

import numpy as np
import pytest
from small_trials import curve, trial

from metachron.calibrate.baselines import (
    Neighbour,
    candidates,
    distance,
    nearest,
    nearest_score,
    pooled_weibull,
    weibull_score,
)
from metachron.calibrate.observed import Key, from_grid, from_times
from metachron.calibrate.targets import Target


def neighbour(target: Target, place: int = 0) -> Neighbour:
    c = target.curves[place]
    return Neighbour(target, from_grid(Key(target.trial, c.figure, c.endpoint, c.arm), c))


MINE = trial(curves=[curve("control", 0.1), curve("bev", 0.07)])
OTHER = trial("OTHER", curves=[curve("control", 0.12), curve("bev", 0.08)])
FIRST = trial("FIRST", setting="first_line", earlier=[], curves=[curve("control", 0.1)])
OLDER = trial("OLDER", curves=[curve("control", 0.12)], population={"age_years": {"median": 80}})


def test_only_other_trials_of_the_setting_and_endpoint_are_candidates() -> None:
    all_ = [neighbour(MINE), neighbour(OTHER), neighbour(FIRST)]
    assert [n.target.trial for n in candidates(MINE, "PFS", all_)] == ["OTHER"]
    assert [n.target.trial for n in candidates(MINE, "TTP", all_)] == ["OTHER"]
    assert candidates(MINE, "OS", all_) == []


def test_the_nearest_arm_gives_the_same_drugs() -> None:
    among = [neighbour(OTHER, 0), neighbour(OTHER, 1)]
    found = nearest(MINE, neighbour(MINE, 1).observed, among)
    assert found is not None
    assert found.observed.key.arm == "bev"


def test_distance_grows_with_drugs_and_age_and_is_even() -> None:
    assert distance(MINE, "bev", OTHER, "bev") == 0.0
    assert distance(MINE, "bev", OTHER, "control") > 0.5
    younger = trial("YOUNG", population={"age_years": {"median": 60}})
    assert distance(younger, "bev", OLDER, "bev") == pytest.approx(1.0)
    assert distance(MINE, "bev", OTHER, "control") == distance(OTHER, "control", MINE, "bev")


def test_the_neighbours_curve_is_borrowed_as_far_as_it_goes() -> None:
    short = trial("SHORT", curves=[{**curve("control", 0.1), "months": [1 + i for i in range(12)]}])
    found = nearest_score(neighbour(MINE).observed, neighbour(short), 24.0)
    assert found is not None
    assert found.until == 12.0
    gap = np.exp(-0.1 * np.linspace(0, 12, 500)) - np.exp(-0.2 * np.linspace(0, 12, 500))
    assert found.error == pytest.approx(gap.mean(), abs=0.005)


def test_the_pooled_distribution_is_that_of_the_patients() -> None:
    rng = np.random.default_rng(1)
    times, end = 20.0 * rng.weibull(1.5, 4000), rng.uniform(10, 40, 4000)
    observed = from_times(Key("OTHER", "1", "PFS", "bev"), np.minimum(times, end), times <= end)
    fitted = pooled_weibull([Neighbour(OTHER, observed)])
    assert fitted is not None
    assert fitted.scale == pytest.approx(20.0, rel=0.05)
    assert fitted.shape == pytest.approx(1.5, rel=0.05)
    assert weibull_score(observed, fitted, 30.0).error < 0.02


def test_nothing_to_pool() -> None:
    assert pooled_weibull([]) is None
