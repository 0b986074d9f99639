"""The two problems that all solvers are given: treated disease, and the marrow of a patient without lesions.

Chance is taken out of the kernel's side: nobody dies, no scan falls within the time, no rule acts, no
toxicity is drawn. The same twins are laid out for the other solvers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metachron.bench.solvers.system import Floats
from metachron.engine.compile import compile_strategy
from metachron.engine.records import LESION, LIVER, N_KINDS, RULE, TWIN, VISIBLE, Programme
from metachron.interop.core import CELLS_PER_ML, Core
from metachron.interop.lay_out import lay_out
from metachron.parameters.draws import median_parameters
from metachron.patient.examples import read_example
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.language import resolve

SEED = 20
DISEASE_DAYS, MARROW_DAYS = 365.0, 175.0
DIAMETERS_MM = (70.0, 55.0, 45.0, 38.0, 31.0, 25.0)
LEAST_LOGIT = -2.0  # keeps every lesion above 3e7 cells, so that nothing dies out and no law bends
NEVER = 1.0e6  # days


@dataclass(frozen=True)
class Problem:
    """One core, its patients, the columns that are compared, and the same as arrays of the kernel."""

    name: str
    core: Core
    patients: list[Core]
    columns: list[str]
    lesions: NDArray[np.void]
    twins: NDArray[np.void]
    draws: NDArray[np.void]
    programme: Programme

    def observe(self, states: Floats) -> Floats:
        """What is compared, from states (..., columns): volumes (ln mL, living and dead) in place of W."""
        seen = states.copy()
        for i, name in enumerate(self.columns):
            if name.startswith("W_"):
                living = np.exp(states[..., self.columns.index(f"x_{name[2:]}")]) / CELLS_PER_ML
                seen[..., i] = np.log(living + states[..., i])
        return seen

    def error(self, states: Floats, truth: Floats) -> float:
        """Largest error of states (patients, times, columns): of logarithms as it is, else as a share."""
        logarithm = [name[:2] in ("x_", "W_") for name in self.columns]
        found, true = self.observe(states), self.observe(truth)
        scale = np.maximum(np.abs(true).max(axis=1, keepdims=True), 1e-300)
        scale[:, :, logarithm] = 1.0
        worst = float((np.abs(found - true) / scale).max())
        return worst if math.isfinite(worst) else math.inf


def quiet_programme(expression: str) -> Programme:
    """A strategy without rules, toxicity, scans or anything that follows progression."""
    patient = read_example("unresectable_ras_mutant")
    full = compile_strategy(patient, resolve(expression), load_catalogue(), metastatic=True)
    n = full.n_planned
    return full._replace(
        segments=full.segments[:n],
        rules=np.zeros(0, RULE),
        toxicity=np.zeros((n, N_KINDS)),
        grade4=np.zeros((n, N_KINDS)),
        scans=np.array([[NEVER, NEVER]]),
        n_lines=0,
        repeat_segment=-1,
        continue_segment=-1,
        on_treatment_days=NEVER,
        first_scan=NEVER,
    )


def quiet_parameters() -> NDArray[np.void]:
    """Median parameters, with hazards computed but too small for anyone to die."""
    draws = median_parameters(prior=True)
    draws["rho_resistant"] = 0.25  # of the problem, whatever the prior becomes
    draws["stop_per_cycle"] = draws["febrile_mortality"] = 0.0
    draws["death_intercept"] -= 12.0
    draws["death_liver_max"] *= 1e-5
    return draws


def people(n: int, lesions: int) -> tuple[NDArray[np.void], NDArray[np.void]]:
    """(twins (n,), lesions (n, max(1, lesions))) that differ in what twins of a plan differ in."""
    rng = np.random.default_rng(SEED)
    twins, rows = np.zeros(n, TWIN), np.zeros((n, max(1, lesions)), LESION)
    values = {
        "key": np.arange(n),
        "n_lesions": lesions,
        "growth": math.log(2.0) / 155.0 * np.exp(0.4 * rng.standard_normal(n)),
        "sensitivity": np.exp(0.2 * rng.standard_normal(n)),
        "immune": 1.0,
        "checkpoint": 1.0,
        "age": 18.0,
        "background_factor": 1e-9,
        "neutrophils": 5.0 * np.exp(0.3 * rng.standard_normal(n)),
        "marrow_factor": np.exp(0.4 * rng.standard_normal(n)),
        "nerve_factor": 1.0,
        "liver_ml": 1500.0,
        "liver_share": 1.0,
    }
    for name, value in values.items():
        twins[name] = value
    twins["logit_macro"] = np.maximum(rng.normal(-1.5, 1.0, n), LEAST_LOGIT)[:, None]
    twins["logit_micro"] = -14.0
    if lesions:
        ml = np.pi / 6.0 * (np.array(DIAMETERS_MM[:lesions]) / 10.0) ** 3
        rows["x"] = np.log(ml * 1e9) + 0.1 * rng.standard_normal((n, lesions))
        rows["growth"] = np.exp(0.15 * rng.standard_normal((n, lesions)))
        rows["organ"], rows["status"] = LIVER, VISIBLE
    return twins, rows


def make(name: str, expression: str, n: int, lesions: int, days: float, columns: list[str]) -> Problem:
    programme, draws = quiet_programme(expression), quiet_parameters()
    twins, rows = people(n, lesions)
    patients = [lay_out(programme, twins[i], rows[i], draws[0], days) for i in range(n)]
    return Problem(name, patients[0], patients, columns, rows, twins, draws, programme)


def treated_disease(n: int) -> Problem:
    """Six liver metastases, twelve cycles of mFOLFOX6 and bevacizumab, one year."""
    count = len(DIAMETERS_MM)
    columns = [f"x_{i}" for i in range(1, count + 1)] + [f"W_{i}" for i in range(1, count + 1)]
    columns += ["C", "N", "hazard_cancer"]
    return make("six lesions", "mfolfox6+bevacizumab*12", n, count, DISEASE_DAYS, columns)


def marrow(n: int) -> Problem:
    """No lesion: the neutrophils under twelve cycles of mFOLFOX6."""
    return make("marrow", "mfolfox6*12", n, 0, MARROW_DAYS, ["C"])
