"""Fits without one trial: written, read, and used for that trial alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_trials import trial

from metachron.calibrate.held_out import HeldOut, held_out_draws, read_held_out, write_held_out
from metachron.errors import MetachronError
from metachron.parameters import posterior

NAMES = ("kappa_fp", "death_intercept")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(posterior, "FOLDER", tmp_path)
    return tmp_path


def write(folder: Path) -> None:
    one = HeldOut(np.column_stack([np.full(6, 0.5), np.arange(6.0)]), np.full((6, 4), 0.3))
    write_held_out(folder / "held_out.npz", NAMES, {"MINE": one})


def test_draws_come_back_as_written(folder: Path) -> None:
    write(folder)
    names, found = read_held_out()
    assert names == NAMES
    assert found["MINE"].values[:, 1].tolist() == [0, 1, 2, 3, 4, 5]
    assert found["MINE"].tau == pytest.approx(0.3)


def test_each_trial_is_predicted_without_itself(folder: Path) -> None:
    write(folder)
    of = held_out_draws({"MINE": trial(), "OTHER": trial("OTHER")}, 6, 1)
    mine, other = of("MINE"), of("OTHER")
    assert mine.draws["kappa_fp"] == pytest.approx(0.5)
    assert sorted(mine.draws["death_intercept"]) == [0, 1, 2, 3, 4, 5]
    assert mine.tau == pytest.approx(0.3)
    assert "MINE" not in mine.trials
    assert other.draws["kappa_fp"] != pytest.approx(0.5)


def test_nothing_shipped_is_said(folder: Path) -> None:
    with pytest.raises(MetachronError, match="metachron calibrate --leave-one-out"):
        held_out_draws({}, 6, 1)
