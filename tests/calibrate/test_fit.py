"""The whole fit on trials whose truth is known: waves, checkpoints, files, command."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numpyro")
pytest.importorskip("optax")

from synthetic import NAMES, TRUTH, make_targets, simulate

from metachron.calibrate import checkpoint
from metachron.calibrate.crossval import leave_one_out, ship, trusted_k
from metachron.calibrate.design import first_wave, rows_of
from metachron.calibrate.emulator import Training
from metachron.calibrate.finish import compare, misfit_table, write_results
from metachron.calibrate.fit import Settings, fingerprint, reach_of, run_fit
from metachron.calibrate.held_out import read_held_out
from metachron.calibrate.posterior import Sampling
from metachron.calibrate.space import draws_from_z, natural
from metachron.commands.calibrate import CalibrateOptions, lines_with_time_left
from metachron.errors import InputError

TARGETS = {t.trial: t for t in make_targets(draws_from_z(NAMES, TRUTH[None, :]), trials=2, tau=0.05)}
SETTINGS = Settings(
    lives=6000, waves=2, draws=40, names=NAMES, training=Training(most_passes=10),
    pilot=Sampling(chains=2, warmup=120, samples=400), sampling=Sampling(chains=2, warmup=200, samples=150),
)  # fmt: skip


def test_a_stage_is_made_once(tmp_path: Path) -> None:
    made = []

    def make() -> dict[str, np.ndarray]:
        made.append(1)
        return {"a": np.arange(3)}

    for _ in range(2):
        assert checkpoint.stage(tmp_path / "x" / "a.npz", make)["a"].tolist() == [0, 1, 2]
    assert len(made) == 1
    assert [p.name for p in (tmp_path / "x").iterdir()] == ["a.npz"]


def test_a_stage_that_fails_leaves_nothing_to_be_read(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        checkpoint.stage(tmp_path / "a.npz", lambda: {"a": 1 / 0})
    assert not (tmp_path / "a.npz").exists()


def test_a_folder_is_not_mixed_with_another_run(tmp_path: Path) -> None:
    before = fingerprint(TARGETS, SETTINGS)
    checkpoint.open_run(tmp_path, before, resume=False)
    checkpoint.open_run(tmp_path, before, resume=True)
    with pytest.raises(InputError, match="holds a run already"):
        checkpoint.open_run(tmp_path, before, resume=False)
    other = {t: one.model_copy(update={"title": "changed"}) for t, one in TARGETS.items()}
    with pytest.raises(InputError, match="other targets"):
        checkpoint.open_run(tmp_path, fingerprint(other, SETTINGS), resume=True)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"lives": 10}, "--lives"),
        ({"waves": 0}, "--waves"),
        ({"draws": 1}, "--draws"),
        ({"seed": -1}, "--seed"),
    ],
)
def test_options_out_of_range_are_named(tmp_path: Path, change: dict[str, int], word: str) -> None:
    usual = {"lives": 1000, "waves": 1, "draws": 40, "seed": 1} | change
    with pytest.raises(InputError, match=word):
        CalibrateOptions([], tmp_path, False, None, leave_one_out=False, quick=True, jobs=1, **usual)  # type: ignore[arg-type]


def test_time_left_is_said_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    show = lines_with_time_left(lambda: now[0])
    for second, share in ((0.0, 0.0), (10.0, 0.1), (60.0, 0.25), (61.0, 0.26)):
        now[0] = second
        show("lives", share)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["[  0 %] lives", "[ 25 %] lives, about 3 min left"]


def test_reach_is_one_among_the_lives_and_more_far_from_them() -> None:
    wave = first_wave(20)
    inside = rows_of(wave, "T", 4000, 1)[0]
    assert reach_of(wave, inside) == pytest.approx(1.0, abs=0.05)
    assert reach_of(wave, inside + 2.0) > 1.8


@pytest.mark.slow
def test_the_fit_finds_the_truth_resumes_and_writes_its_files(tmp_path: Path) -> None:
    result = run_fit(TARGETS, SETTINGS, tmp_path / "one", simulate)
    z, sd = result.posterior.flat_z.mean(0), result.posterior.flat_z.std(0)
    assert (np.abs(z[:3] - TRUTH[:3]) < 3.5 * sd[:3]).all()
    assert np.abs(z[3:]).max() < 0.5  # the two that do nothing stay at their prior
    assert sd[3:].min() > 0.8

    # killed after the first wave's lives and one network: the rest is made again, with the same numbers
    again = tmp_path / "one"
    for path in (*again.glob("posterior/wave2/samples.npz"), *again.glob("emulators/wave2/T1*.npz")):
        path.unlink()
    resumed = run_fit(TARGETS, SETTINGS, again, simulate, resume=True)
    assert (resumed.posterior.flat_z == result.posterior.flat_z).all()

    found = compare(result, result.run, draws=60, per_draw=100)
    assert max(c.simulator.mean for c in found) < 0.06
    assert np.mean([c.emulator_error for c in found]) < 0.02
    assert "all figures (8)" in misfit_table(found)

    folder = write_results(result, result.run, SETTINGS, found)
    rows = gzip.decompress((folder / "draws.csv.gz").read_bytes()).decode().splitlines()
    assert rows[0].split(",") == [*NAMES, "tau_growth", "tau_kill", "tau_death", "tau_load"]
    assert len(rows) == 41
    kept = json.loads((folder / "provenance.json").read_text())
    assert kept["format"] == "metachron-ensemble/1"
    assert [t["trial"] for t in kept["targets"]] == ["T0", "T1"]
    rows_of = kept["diagnostics"]["parameters"]
    assert rows_of["kappa_fp"]["contraction"] > 0.4
    assert rows_of["vegf_imax"]["contraction"] < 0.2
    assert rows_of["kappa_fp"]["pinned_by"]
    assert kept["diagnostics"]["sampler"]["divergences"] == 0

    assert trusted_k(100) == pytest.approx(0.5)
    assert trusted_k(100_000) == 0.7
    held = leave_one_out(result.model, result.posterior, result.metric, tmp_path / "out", trials=["T0", "T1"])
    assert set(held) == {"T0", "T1"}
    assert held["T0"].z[:, 0].std() > 0.8 * sd[0]
    ship(held, tmp_path / "held_out.npz")
    names, read = read_held_out(tmp_path / "held_out.npz")
    assert names == NAMES
    assert read["T1"].values == pytest.approx(natural(NAMES, held["T1"].z), rel=1e-5)


@pytest.mark.slow
def test_the_command_fits_a_trial_with_the_engine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from metachron.cli import run

    point = {"endpoint": "OS", "arm": "a", "months": 24, "survival": 0.45, "n": 150}
    trial = {
        "trial": "MINE", "citation": {"text": "made up"}, "setting": "first_line", "horizon_months": 30,
        "arms": [{"name": "a", "strategy": "mfolfox6", "n": 150}], "landmarks": [point],
    }  # fmt: skip
    (tmp_path / "mine.yaml").write_text(json.dumps(trial))
    out = tmp_path / "fit"
    asked = [
        "calibrate",
        "--quick",
        "--lives",
        "2000",
        "--targets",
        str(tmp_path / "mine.yaml"),
        "--out",
        str(out),
    ]
    assert run(asked) == 0
    assert "MINE OS a" in capsys.readouterr().out
    assert (out / "ensemble" / "draws.csv.gz").exists()
    assert run(asked) == 2  # there is a run already
    assert "--resume" in capsys.readouterr().err
    before = (out / "ensemble" / "draws.csv.gz").read_bytes()
    assert run([*asked, "--resume"]) == 0
    assert (out / "ensemble" / "draws.csv.gz").read_bytes() == before
