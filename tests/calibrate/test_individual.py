"""The mechanism as a predictor of single patients: tables, likelihood, fit, cross-validation."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from metachron.calibrate import individual, individual_predict
from metachron.calibrate.individual import COX, ENDPOINTS, MECHANISM, NOBODY
from metachron.calibrate.individual_data import COVARIATES, Cohort, Floats, read_moertel
from metachron.calibrate.individual_model import GROWTH_COVARIATES, LAWS, Recurrence
from metachron.calibrate.individual_predict import TIMES, background, fit_predictor
from metachron.calibrate.individual_table import GRID, LN_GROWTH, STEP_DAYS, Tables, make_tables, share_found
from metachron.errors import InputError
from metachron.model.growth import grow_back
from metachron.parameters import load_parameters
from metachron.parameters.draws import median_parameters

DRAWS = median_parameters(prior=True)
DRAWS["occult_size_slope"] = -0.1  # away from the kink of the table at nought
COLUMNS = "id,rx,sex,age,obstruct,perfor,adhere,nodes,status,differ,extent,surg,node4,time_days,endpoint"
ROWS = (
    "1,Obs,1,60,0,0,0,3,1,2,3,0,0,400.0,recurrence", "1,Obs,1,60,0,0,0,3,1,2,3,0,0,700.0,death",
    "2,Lev+5FU,0,71,1,0,1,NA,0,3,4,0,0,2000.0,recurrence", "2,Lev+5FU,0,71,1,0,1,NA,0,3,4,0,0,2000.0,death",
    "3,Lev,0,50,0,1,0,8,0,NA,2,0,1,900,recurrence", "3,Lev,0,50,0,1,0,8,1,NA,2,0,1,900,death",
)  # fmt: skip
TRIAL = Path(os.environ.get("METACHRON_MOERTEL", Path(__file__).parents[3] / "shared/data/moertel_colon.csv"))


@cache
def tables() -> Tables:
    """Coarse tables: enough for laws, not for figures."""
    return make_tables(DRAWS, lesions=12)


def table_file(folder: Path, *rows: str, columns: str = COLUMNS) -> Path:
    path = folder / "colon.csv"
    path.write_text("\n".join([columns, *(rows or ROWS)]) + "\n", encoding="utf-8")
    return path


def made_up(n: int, seed: int, theta: Floats | None = None) -> tuple[Cohort, Floats]:
    """Patients whose recurrences follow the mechanism itself at `theta`; the truth is returned too."""
    rng = np.random.default_rng(seed)
    x = np.zeros((n, len(COVARIATES)))
    x[:, COVARIATES.index("ln_nodes")] = np.log(1 + rng.poisson(2.7, n)) - 1.0
    x[:, COVARIATES.index("poor_grade")] = rng.random(n) < 0.3
    treated = rng.random(n) < 0.33
    x[:, COVARIATES.index("levamisole_5fu")] = treated
    empty = {e: np.zeros(n) for e in ENDPOINTS}
    flags = {e: np.zeros(n, bool) for e in ENDPOINTS}
    cohort = Cohort([str(i) for i in range(n)], x, treated, rng.uniform(45, 75, n), np.ones(n), empty, flags)
    model = Recurrence(cohort, tables(), DRAWS)
    if theta is None:
        theta = np.array([t.mean for t in model.terms])
        theta[1 + COVARIATES.index("ln_nodes")] = 0.7
        theta[1 + len(COVARIATES) + GROWTH_COVARIATES.index("poor_grade")] = 0.6
    rows = np.zeros(n, np.int64)
    survival = np.column_stack([model.survival(theta, rows + k)[0] for k in range(GRID.size)])
    u = rng.random(n)
    at = (survival > u[:, None]).sum(1)
    recurrence = np.where(at < GRID.size, STEP_DAYS * (at - 0.5), np.inf)
    other = rng.exponential(60 * 365.25, n)
    end = rng.uniform(1800, 3300, n)
    days = np.minimum.reduce([recurrence, other, end])
    recurred = recurrence <= np.minimum(other, end)
    death = np.where(recurred, recurrence + rng.exponential(500.0, n), other)
    observed = {"recurrence": days, "DFS": days, "OS": np.minimum(death, end)}
    events = {"recurrence": recurred, "DFS": recurred | (other <= end), "OS": death <= end}
    return Cohort(cohort.ids, x, treated, cohort.age, cohort.male, observed, events), theta


# --- the table of the trial ------------------------------------------------------------------------------


def test_patients_are_read_with_unknown_at_the_mean(tmp_path: Path) -> None:
    found = read_moertel(table_file(tmp_path))
    assert found.ids == ["1", "2", "3"]
    x = {name: found.x[:, k] for k, name in enumerate(COVARIATES)}
    assert x["ln_nodes"] == pytest.approx([np.log(3) - 1, (np.log(3) + np.log(8)) / 2 - 1, np.log(8) - 1])
    assert x["poor_grade"] == pytest.approx([0.0, 1.0, 0.5])
    assert x["t4"].tolist() == [0, 1, 0]
    assert x["t12"].tolist() == [0, 0, 1]
    assert found.treated.tolist() == [False, True, False]
    assert found.event["DFS"].tolist() == [True, False, True]
    assert found.days["OS"].tolist() == [700.0, 2000.0, 900.0]


def test_the_table_as_r_writes_it(tmp_path: Path) -> None:
    columns = "id,study,rx,sex,age,obstruct,perfor,adhere,nodes,status,differ,extent,surg,node4,time,etype"
    rows = ["1,1,Obs,1,60,0,0,0,3,1,2,3,0,0,400,1", "1,1,Obs,1,60,0,0,0,3,1,2,3,0,0,700,2"]
    found = read_moertel(table_file(tmp_path, *rows, columns=columns))
    assert (found.days["recurrence"].tolist(), found.days["OS"].tolist()) == ([400.0], [700.0])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (("1,Placebo" + ROWS[0][5:], ROWS[1]), ("row 2, column rx", "Obs, Lev, Lev+5FU")),
        ((ROWS[0].replace("400.0", "-3"), ROWS[1]), ("row 2, column time_days", "0 to 20000")),
        ((ROWS[0].replace("400.0", ""), ROWS[1]), ("row 2, column time_days",)),
        ((ROWS[0].replace(",3,1,", ",many,1,"), ROWS[1]), ("row 2, column nodes", "NA")),
        ((ROWS[0],), ("id 1", "two rows a patient")),
        ((ROWS[0], ROWS[0], ROWS[1]), ("row 3", "twice")),
        ((ROWS[0].replace("recurrence", "relapse"), ROWS[1]), ("row 2", "recurrence or death")),
    ],
)  # fmt: skip
def test_faults_name_row_and_column(tmp_path: Path, rows: tuple[str, ...], words: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as caught:
        read_moertel(table_file(tmp_path, *rows))
    assert all(word in str(caught.value) for word in words)


def test_another_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no column .*nodes.*survival::colon"):
        read_moertel(table_file(tmp_path, "1,2", columns="id,rx"))
    with pytest.raises(InputError, match="cannot be read"):
        read_moertel(tmp_path / "absent.csv")


# --- tables of the engine --------------------------------------------------------------------------------


def test_untreated_lesions_are_found_when_they_have_grown() -> None:
    """Share found by day t: those whose size at the operation was above what grows to the limit in t days."""
    t = tables()
    share, _ = share_found(t.untreated, t.deficit_untreated, 0.0)
    ln_k, limit = (float(np.log(load_parameters()[n].value)) for n in ("capacity_cells", "detect_ct_cells"))
    rate = float(np.log(2) / DRAWS["vdt_ref_days"][0])
    for g in (8, 12, 16):
        for k in (12, 24, 48):
            need = limit - grow_back(limit, float(GRID[k]), rate * float(np.exp(LN_GROWTH[g])), ln_k)
            # scans are monthly, and coins of detection and of growth smooth what is exact here
            assert share[g, 0, k] == pytest.approx(min(need / limit, 1.0), abs=0.06)


def test_drugs_delay_and_sterilise() -> None:
    t = tables()
    untreated, _ = share_found(t.untreated, t.deficit_untreated, 0.1)
    treated, _ = share_found(t.treated, t.deficit_treated, 0.1)
    sensitive, resistant = treated[12].reshape(7, 4, -1)[5].mean(0), treated[12].reshape(7, 4, -1)[0].mean(0)
    assert sensitive[-1] < resistant[-1] - 0.2
    assert sensitive[12] < untreated[12, 0, 12]
    assert resistant[-1] > untreated[12, 0, -1] - 0.2


def test_slope_of_sizes_has_the_derivative_it_says() -> None:
    t = tables()
    low, high = (share_found(t.untreated, t.deficit_untreated, s)[0] for s in (0.18, 0.22))
    by_slope = share_found(t.untreated, t.deficit_untreated, 0.2)[1]
    assert by_slope == pytest.approx((high - low) / 0.04, rel=0.02, abs=2e-3)
    assert by_slope.min() < -0.5  # more small lesions, later recurrences


# --- likelihood and fit ----------------------------------------------------------------------------------


def test_gradient_is_that_of_the_likelihood() -> None:
    cohort, theta = made_up(40, 1)
    model = Recurrence(cohort, tables(), DRAWS)
    theta = theta + 0.1
    _, gradient = model.log_likelihood(theta)
    for k in range(theta.size):
        step = np.zeros(theta.size)
        step[k] = 1e-4
        slope = (model.log_likelihood(theta + step)[0] - model.log_likelihood(theta - step)[0]) / 2e-4
        assert gradient[k] == pytest.approx(slope, rel=1e-3, abs=2e-3), model.terms[k].name


def test_without_spread_the_law_is_exp_minus_m_g() -> None:
    cohort, theta = made_up(5, 2)
    model = Recurrence(cohort, tables(), DRAWS)
    theta[-LAWS:] = [0.1, 0.0, np.log(1e-3), np.log(1e-3), 0.0]
    theta[1 + len(COVARIATES) : -LAWS] = 0.0
    share, _ = share_found(tables().untreated, tables().deficit_untreated, 0.1)
    g = int(np.argmin(np.abs(LN_GROWTH)))
    s, _ = model.survival(theta, np.full(5, 24))
    m = np.exp(theta[0] + cohort.x @ theta[1 : 1 + len(COVARIATES)])
    expected = np.exp(-m * share[g, 0, 24])
    assert s[~cohort.treated] == pytest.approx(expected[~cohort.treated], rel=1e-3)


@pytest.mark.slow
def test_the_fit_recovers_a_known_truth() -> None:
    cohort, theta = made_up(1200, 3)
    fit = Recurrence(cohort, tables(), DRAWS).fit(errors=True)
    for name in ("ln_nodes", "growth_poor_grade", "ln_growth", "size_slope"):
        low, high = fit.interval(name)
        error = (high - low) / 3.92
        truth = float(theta[fit.names.index(name)])
        assert abs(fit[name] - truth) < 3 * error, name
        assert error < 0.3, name


def test_other_deaths_follow_age_and_sex() -> None:
    cohort, _ = made_up(50, 4)
    older = Cohort(
        cohort.ids, cohort.x, cohort.treated, cohort.age + 10, cohort.male, cohort.days, cohort.event
    )
    women = Cohort(
        cohort.ids, cohort.x, cohort.treated, cohort.age, 0 * cohort.male, cohort.days, cohort.event
    )
    usual, late, female = (background(c, DRAWS, TIMES, 0.0) for c in (cohort, older, women))
    assert (late[:, 1:] < usual[:, 1:]).all()
    assert (female[:, 1:] > usual[:, 1:]).all()


@pytest.mark.slow
def test_survival_lies_between_recurrence_and_life() -> None:
    cohort, _ = made_up(300, 5)
    predictor = fit_predictor(cohort, tables(), DRAWS)
    found = predictor.survival(cohort)
    assert (found["DFS"] <= found["recurrence"] + 1e-12).all()
    assert (found["OS"] >= found["DFS"] - 0.02).all()  # survival is worked out on a coarser grid
    assert (np.diff(found["OS"], axis=1) <= 1e-9).all()
    assert found["OS"][:, 0] == pytest.approx(1.0)
    assert individual_predict.LN_HAZARD[0] <= predictor.ln_hazard <= individual_predict.LN_HAZARD[-1]


# --- cross-validation ------------------------------------------------------------------------------------


def test_every_patient_is_tested_once_in_each_repeat() -> None:
    cohort, _ = made_up(53, 6)
    folds = list(individual._folds(cohort, 5, 2, 1))
    assert len(folds) == 10
    for first in (0, 5):
        tested = np.concatenate([test for _, test in folds[first : first + 5]])
        assert sorted(tested.tolist()) == list(range(53))
    assert all(np.intersect1d(train, test).size == 0 for train, test in folds)
    again = list(individual._folds(cohort, 5, 2, 1))
    assert all((a[1] == b[1]).all() for a, b in zip(folds, again, strict=True))


@pytest.mark.parametrize("folds", [1, 21])
def test_wrong_folds_are_refused(folds: int) -> None:
    with pytest.raises(InputError, match="2 to 20 folds"):
        individual.evaluate(made_up(20, 7)[0], folds=folds)


def test_too_few_events_are_refused() -> None:
    with pytest.raises(InputError, match="too few events"):
        individual.evaluate(made_up(20, 8)[0], folds=5)


@pytest.mark.slow
def test_report_of_a_made_up_trial() -> None:
    """On patients made by the mechanism it beats a curve for everyone, and an oracle beats both."""
    cohort, theta = made_up(400, 9)

    def oracle(_train: Cohort, test: Cohort, endpoint: str, times: Floats) -> Floats:
        rows = np.zeros(test.size, np.int64)
        model = Recurrence(test, tables(), DRAWS)
        s = np.column_stack([model.survival(theta, rows + k)[0] for k in range(times.size)])
        return s if endpoint != "OS" else np.sqrt(s)

    stages: list[str] = []
    found = individual.evaluate(
        cohort, folds=3, repeats=1, tables=tables(), rivals={"oracle": oracle},
        progress=lambda stage, _share: stages.append(stage),
    )  # fmt: skip
    assert stages == ["fold 1 of 3", "fold 2 of 3", "fold 3 of 3"]
    assert found.mean("recurrence", MECHANISM, "integrated_brier") < found.mean(
        "recurrence", NOBODY, "integrated_brier"
    )
    assert found.mean("recurrence", MECHANISM, "c_index") > 0.6
    assert (
        found.mean("recurrence", "oracle", "c_index") > found.mean("recurrence", MECHANISM, "c_index") - 0.02
    )
    figures, text = individual.as_dict(found), individual.as_text(found)
    assert figures["endpoints"]["DFS"]["models"][COX]["calibration_slope"] is not None
    assert figures["endpoints"]["OS"]["models"][NOBODY]["calibration_slope"] is None
    assert set(figures["endpoints"]["OS"]["models"][MECHANISM]["minus_cox"]) == {
        "c_index",
        "integrated_brier",
    }
    assert text.count("| oracle |") == 3


@pytest.mark.slow
@pytest.mark.skipif(not TRIAL.is_file(), reason="the table of the trial is not part of metachron")
def test_moertel_is_predicted_as_well_as_by_cox() -> None:
    """Half a fold of the table in docs/individual.md: no worse than Cox beyond chance, on every endpoint."""
    found = individual.evaluate_moertel(TRIAL, folds=3, repeats=1, seed=2)
    for endpoint in ENDPOINTS:
        assert found.mean(endpoint, MECHANISM, "c_index") > found.mean(endpoint, COX, "c_index") - 0.01
        better = found.mean(endpoint, COX, "integrated_brier") + 0.002
        assert found.mean(endpoint, MECHANISM, "integrated_brier") < better
        slope, error = found.calibration[endpoint, MECHANISM]
        assert abs(slope - 1.0) < 3 * error
