"""Parameter sets from an ensemble: its rows, the prior where it is silent, and faults named."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metachron.errors import InputError
from metachron.parameters import draw_parameters, load_parameters, posterior
from metachron.parameters.docs import tables
from metachron.parameters.draws import apply_effects, median_parameters
from metachron.parameters.posterior import EFFECTS, Ensemble, load_ensemble, parameter_basis, read_ensemble

SIZE = 24
NAMES = ("kappa_fp", "kappa_ox", "vdt_ref_days", "death_intercept", "occult_intercept", "occult_unresectable")
CENTRE = (0.02, 0.013, 100.0, -8.0, 0.1, 3.0)
TAU = (0.1, 0.2, 0.15, 0.25)


def write(folder: Path, *, header: list[str] | None = None, **changes: Any) -> Path:
    """An ensemble whose every row is known: value times (1 + row / 1000)."""
    factor = 1.0 + np.arange(SIZE)[:, None] / 1000
    table = np.hstack([factor * np.array(CENTRE), np.tile(TAU, (SIZE, 1))])
    names = header or [*NAMES, *(f"tau_{e}" for e in EFFECTS)]
    rows = [",".join(names), *(",".join(repr(float(v)) for v in row) for row in table)]
    (folder / "draws.csv.gz").write_bytes(gzip.compress("\n".join(rows).encode()))
    fitted = {name: {"contraction": 0.5 if name != "kappa_ox" else 0.1} for name in NAMES}
    provenance = {
        "format": "metachron-ensemble/1",
        "code_version": "9.9",
        "seed": 3,
        "draws": SIZE,
        "targets": [{"trial": "A", "sha256": "0"}, {"trial": "B", "sha256": "1"}],
        "diagnostics": {"parameters": fitted},
        **changes,
    }
    (folder / "provenance.json").write_text(json.dumps(provenance), encoding="utf-8")
    return folder


@pytest.fixture
def ensemble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ensemble:
    monkeypatch.setattr(posterior, "FOLDER", write(tmp_path))
    found = load_ensemble()
    assert found is not None
    return found


def rows_of(draws: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.rint((draws["kappa_fp"] / CENTRE[0] - 1) * 1000).astype(np.int64)


def test_without_files_there_is_no_ensemble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posterior, "FOLDER", tmp_path)
    assert load_ensemble() is None
    assert np.array_equal(draw_parameters(8, 1), draw_parameters(8, 1, prior=True))
    assert parameter_basis("kappa_fp") == "prior-driven"


def test_rows_are_used_once_before_any_comes_again(ensemble: Ensemble) -> None:
    for n in (7, SIZE, 3 * SIZE + 5):
        rows = rows_of(draw_parameters(n, 1, transport=False))
        counts = np.bincount(rows, minlength=SIZE)
        assert counts.max() - counts.min() <= 1
        assert counts.sum() == n
    assert not np.array_equal(
        rows_of(draw_parameters(SIZE, 1, transport=False)), rows_of(draw_parameters(SIZE, 2, transport=False))
    )


def test_values_of_one_draw_come_from_one_row(ensemble: Ensemble) -> None:
    draws = draw_parameters(SIZE, 4, transport=False)
    for name, centre in zip(NAMES, CENTRE, strict=True):
        np.testing.assert_allclose(draws[name], centre * (1 + rows_of(draws) / 1000))


def test_the_rest_stays_at_the_prior(ensemble: Ensemble) -> None:
    prior, draws = draw_parameters(40, 5, prior=True), draw_parameters(40, 5)
    touched = {*NAMES, *(n for n in load_parameters() if n.startswith("kappa_"))}
    for name in load_parameters():
        assert np.array_equal(prior[name], draws[name]) == (name not in touched), name


def test_a_new_patient_stands_in_a_trial_of_his_own(ensemble: Ensemble) -> None:
    """Each draw has its own effect, of the spread between trials, one for all kill rates."""
    plain, draws = draw_parameters(2000, 6, transport=False), draw_parameters(2000, 6)
    effects = {
        "growth": -np.log(draws["vdt_ref_days"] / plain["vdt_ref_days"]),
        "kill": np.log(draws["kappa_fp"] / plain["kappa_fp"]),
        "death": draws["death_intercept"] - plain["death_intercept"],
        "load": draws["occult_intercept"] - plain["occult_intercept"],
    }
    for (name, found), tau in zip(effects.items(), TAU, strict=True):
        assert np.std(found) == pytest.approx(tau, rel=0.03), name
        assert np.mean(found) == pytest.approx(0.0, abs=0.01), name
    np.testing.assert_allclose(np.log(draws["kappa_egfr"] / plain["kappa_egfr"]), effects["kill"])
    np.testing.assert_allclose(
        np.log(draws["occult_unresectable"] / plain["occult_unresectable"]), effects["load"]
    )
    assert np.abs(np.corrcoef(list(effects.values())) - np.eye(4)).max() < 0.08


def test_effects_have_the_direction_of_their_names() -> None:
    draws = median_parameters(prior=True)
    before = draws.copy()
    apply_effects(draws, np.full((1, 4), 0.1))
    assert draws["vdt_ref_days"][0] < before["vdt_ref_days"][0]
    for name in ("kappa_fp", "kappa_target", "death_intercept", "occult_intercept", "occult_unresectable"):
        assert draws[name][0] > before[name][0], name


def test_same_arguments_same_draws(ensemble: Ensemble) -> None:
    assert np.array_equal(draw_parameters(30, 7), draw_parameters(30, 7))
    assert not np.array_equal(draw_parameters(30, 7), draw_parameters(30, 8))


def test_the_median_set_is_that_of_the_ensemble(ensemble: Ensemble) -> None:
    found, prior = median_parameters(), median_parameters(prior=True)
    assert found["kappa_fp"][0] == pytest.approx(CENTRE[0] * (1 + (SIZE - 1) / 2000))
    assert found["rho_resistant"][0] == prior["rho_resistant"][0]
    assert prior["kappa_fp"][0] == pytest.approx(load_parameters()["kappa_fp"].value)


def test_a_parameter_is_calibrated_when_the_data_took_a_fifth_of_its_spread(ensemble: Ensemble) -> None:
    assert parameter_basis("kappa_fp") == "calibrated"
    assert parameter_basis("kappa_ox") == "prior-driven"  # fitted, and hardly moved
    assert parameter_basis("cell_kill") == "prior-driven"  # not fitted
    assert "kappa_ox" not in ensemble.calibrated
    assert "pinned by the data: 5" in tables()


def test_the_id_follows_the_values(tmp_path: Path, ensemble: Ensemble) -> None:
    """Not the time at which they were compressed."""
    other = tmp_path / "other"
    other.mkdir()
    write(other)
    path = other / "draws.csv.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), mtime=1))
    again = read_ensemble(other)
    assert again is not None
    assert again.id == ensemble.id


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ({"format": "metachron-ensemble/0"}, "format is"),
        ({"diagnostics": {}}, "diagnostics.parameters"),
        ({"header": [*NAMES[:-1], "kappa_unheard", *(f"tau_{e}" for e in EFFECTS)]}, "no such parameter"),
        ({"header": [*NAMES, "tau_growth", "tau_kill", "tau_death", "kappa_iri"]}, "tau_load"),
        ({"header": [*NAMES[:-1], "kappa_fp", *(f"tau_{e}" for e in EFFECTS)]}, "twice"),
        ({"header": [*NAMES, "kappa_iri", *(f"tau_{e}" for e in EFFECTS)]}, "under 11 names"),
    ],
)
def test_a_broken_ensemble_is_refused(tmp_path: Path, damage: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_ensemble(write(tmp_path, **damage))


def test_an_ensemble_without_provenance_or_cut_short_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "provenance.json").unlink()
    with pytest.raises(InputError, match=r"provenance\.json"):
        read_ensemble(tmp_path)
    cut = tmp_path / "cut"
    cut.mkdir()
    path = write(cut) / "draws.csv.gz"
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(InputError, match="cannot be read"):
        read_ensemble(cut)


def test_what_noise_shows_counts_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An input that means nothing lost 60 % of its spread: 50 % is then no calibration."""
    fitted = {name: {"contraction": 0.5} for name in NAMES}
    diagnostics = {"parameters": fitted, "null": {"null_1": {"contraction": 0.6}}}
    monkeypatch.setattr(posterior, "FOLDER", write(tmp_path, diagnostics=diagnostics))
    assert parameter_basis("kappa_fp") == "prior-driven"
