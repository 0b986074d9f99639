"""The parameters: complete, sourced, and drawn as stated."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from metachron.evidence.references import load_references
from metachron.parameters import Parameter, draw_parameters, load_parameters
from metachron.parameters.docs import number, tables, update
from metachron.parameters.draws import latin_hypercube, median_parameters, quantile
from metachron.parameters.load import parameter_files, read_parameters

PARAMETERS = load_parameters()
BOUNDED = [p.name for p in PARAMETERS.values() if p.distribution in ("lognormal", "normal")]
PROBABILITIES = (
    "febrile_given_grade4", "febrile_mortality", "cell_effect_real", "resection_success",
    "later_line_potency", "repeat_local_share", "next_line_share", "vegf_imax", "phi_correlation",
    "rho_resistant",
)  # fmt: skip


@pytest.mark.parametrize("name", PARAMETERS)
def test_each_has_a_unit_and_a_source_that_exists(name: str) -> None:
    parameter = PARAMETERS[name]
    assert parameter.unit.strip()
    assert len(parameter.title) > 5
    assert parameter.source == "assumption" or parameter.source in load_references()
    assert (parameter.status == "assumed") == (parameter.source == "assumption")


def test_a_recalled_reference_is_not_the_source_of_a_read_value() -> None:
    """A value read in a transcription of a paper is told apart by the reference itself."""
    references = load_references()
    doubtful = {
        p.name
        for p in PARAMETERS.values()
        if p.status == "read" and p.source != "assumption" and references[p.source].status == "recalled"
    }
    assert doubtful == {"marrow_transit_h", "neutrophil_loss"}


@pytest.mark.parametrize("name", BOUNDED)
def test_draws_have_the_stated_median_and_range(name: str) -> None:
    parameter = PARAMETERS[name]
    low, high = parameter.interval()
    found = np.quantile(draw_parameters(4000, 1, prior=True)[name], [0.025, 0.5, 0.975])
    assert found == pytest.approx([low, parameter.value, high], abs=0.03 * (high - low))


@pytest.mark.parametrize("name", [p.name for p in PARAMETERS.values() if p.distribution == "beta"])
def test_a_beta_has_the_stated_mean(name: str) -> None:
    drawn = draw_parameters(4000, 1, prior=True)[name]
    assert np.mean(drawn) == pytest.approx(PARAMETERS[name].value, abs=0.012)


def test_half_normal_uniform_and_bernoulli() -> None:
    draws = draw_parameters(4000, 1, prior=True)
    for p in PARAMETERS.values():
        if p.distribution == "halfnormal":
            assert np.median(draws[p.name]) == pytest.approx(p.value, rel=0.02)
            assert draws[p.name].min() >= 0.0
        if p.distribution == "uniform":
            assert (draws[p.name].min(), draws[p.name].max()) == pytest.approx(p.interval(), abs=0.01)
        if p.distribution == "bernoulli":
            assert set(np.unique(draws[p.name])) == {0.0, 1.0}
            assert np.mean(draws[p.name]) == pytest.approx(p.value, abs=0.01)


def test_fixed_parameters_are_held() -> None:
    draws = draw_parameters(50, 3, prior=True)
    for p in PARAMETERS.values():
        if p.distribution == "fixed":
            assert np.all(draws[p.name] == p.value)


@pytest.mark.parametrize("name", PROBABILITIES)
def test_shares_stay_between_nought_and_one(name: str) -> None:
    """A share is compared with a coin, so one draw in thousands a hair above one does no harm."""
    values = draw_parameters(4000, 2, prior=True)[name]
    assert values.min() >= 0.0
    assert np.quantile(values, 0.999) <= 1.0


def test_signs_that_the_model_relies_on() -> None:
    """What is divided by, or under a logarithm, is never nought."""
    draws = draw_parameters(4000, 4, prior=True)
    for name in PARAMETERS:
        if name == "dormancy_days":
            continue  # a switch: nought is off
        if name.endswith(("_days", "_h", "_cells", "_ml", "_sd")) or name.startswith("kappa"):
            assert draws[name].min() > 0.0, name
    assert np.all(draws["neuropathy_onset_days"] < draws["neuropathy_recovery_days"])
    assert np.all(draws["neuropathy_grade3_mg_m2"] > 0.0)


def test_same_seed_same_draws() -> None:
    assert np.array_equal(draw_parameters(20, 5, prior=True), draw_parameters(20, 5, prior=True))
    assert not np.array_equal(draw_parameters(20, 5, prior=True), draw_parameters(20, 6, prior=True))


@pytest.mark.parametrize("n", [1, 7, 40])
def test_few_draws_cover_each_range_evenly(n: int) -> None:
    """Latin hypercube: exactly one draw in each n-th of every continuous parameter."""
    draws = draw_parameters(n, 9, prior=True)
    assert draws.shape == (n,)
    edges = np.arange(1, n) / n
    for p in PARAMETERS.values():
        if p.distribution in ("fixed", "bernoulli"):
            continue
        cells = np.searchsorted(quantile(p, edges), draws[p.name])
        assert Counter(cells.tolist()) == Counter(range(n)), p.name


def test_parameters_are_drawn_independently() -> None:
    draws = draw_parameters(2000, 11, prior=True)
    free = [p.name for p in PARAMETERS.values() if p.distribution != "fixed"]
    correlation = np.corrcoef([draws[name] for name in free]) - np.eye(len(free))
    assert np.abs(correlation).max() < 0.12


def test_the_median_set() -> None:
    median = median_parameters(prior=True)
    assert median.shape == (1,)
    assert median["vdt_ref_days"][0] == pytest.approx(155.0)
    assert median["cell_effect_real"][0] == 1.0


def test_an_incomplete_or_contradictory_parameter_is_refused() -> None:
    good = {"name": "a", "title": "A title", "unit": "1", "value": 1.0, "source": "x", "status": "read"}
    with pytest.raises(ValueError, match="needs low, high"):
        Parameter.model_validate({**good, "distribution": "normal"})
    with pytest.raises(ValueError, match="not between"):
        Parameter.model_validate({**good, "distribution": "normal", "low": 2.0, "high": 3.0})
    with pytest.raises(ValueError, match="assumed goes with"):
        Parameter.model_validate({**good, "distribution": "fixed", "source": "assumption"})
    fixed = Parameter.model_validate({**good, "distribution": "fixed"})
    for ask in (fixed.interval, fixed.shape, fixed.spread):
        with pytest.raises(ValueError, match="a fixed parameter has no"):
            ask()


def test_every_parameter_is_in_one_file() -> None:
    names = [p.name for text in parameter_files().values() for p in read_parameters(text)]
    assert names == list(PARAMETERS)
    assert all(text.startswith("# ") for text in parameter_files().values())


def test_the_page_is_current(repository: Path) -> None:
    page = (repository / "docs" / "parameters.md").read_text(encoding="utf-8")
    assert update(page) == page, "run python -m metachron.parameters.docs docs/parameters.md"


def test_the_page_names_every_parameter_and_source() -> None:
    text = tables()
    assert all(f"`{name}`" in text for name in PARAMETERS)
    with pytest.raises(ValueError, match="needs the lines"):
        update("a page without marks")


@pytest.mark.parametrize(
    ("x", "shown"), [(155.0, "155"), (0.0110, "0.011"), (2e12, "2.00e12"), (1500.0, "1500")]
)
def test_numbers_are_short(x: float, shown: str) -> None:
    assert number(x) == shown


@pytest.mark.parametrize("n", [2, 7, 40])
def test_the_latin_hypercube_is_that_of_scipy(n: int) -> None:
    from scipy.stats import qmc

    theirs = qmc.LatinHypercube(d=60, rng=np.random.default_rng([1, 0x5EED])).random(n)
    np.testing.assert_array_equal(latin_hypercube(n, 60, 1), theirs)


def test_the_latin_hypercube_fills_every_interval_once() -> None:
    cells = np.floor(50 * latin_hypercube(50, 9, 3)).astype(int)
    np.testing.assert_array_equal(np.sort(cells, axis=0), np.tile(np.arange(50)[:, None], (1, 9)))
