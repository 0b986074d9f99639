"""Candidates on the same twins, draws and coins: lives, and the objectives they give, worked out once."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from metachron.engine.batch import Lives, simulate
from metachron.engine.compile import compile_strategy
from metachron.engine.records import Programme
from metachron.optimise.burden import Scene
from metachron.optimise.objectives import objective_values, window_days
from metachron.optimise.store import Store
from metachron.patient.schema import Patient
from metachron.plan.findings import Findings, read_findings
from metachron.plan.twins import Twins
from metachron.strategies.after import following
from metachron.strategies.catalogue import Catalogue, load_catalogue
from metachron.strategies.eligibility import judge
from metachron.strategies.schema import Strategy

Floats = NDArray[np.float64]
KEPT_LIVES = 24  # lives kept in memory, of the strategies asked for last
NOT_SIMULATED = {"name", "title", "summary", "citations"}  # fields that change no life


def strategy_key(strategy: Strategy) -> str:
    """Digest of everything in a strategy that the engine reads."""
    content = strategy.model_dump(mode="json", exclude=NOT_SIMULATED)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:20]


class Evaluator:
    """Lives and objectives of any strategy on one set of twins, cached.

    `twins`: from `make_twins`; `horizon_days`: of the lives; objectives are counted to 5 years of it.
    `store`: keeps the objectives on disk, so that a killed search goes on where it stopped;
    `programmes`: shared between evaluators of one patient.
    """

    def __init__(
        self,
        patient: Patient,
        found: Findings | None,
        twins: Twins,
        seed: int,
        horizon_days: float,
        jobs: int | None = None,
        *,
        catalogue: Catalogue | None = None,
        store: Store | None = None,
        programmes: dict[str, Programme] | None = None,
    ) -> None:
        self.patient, self.twins, self.seed = patient, twins, seed
        self.horizon_days, self.jobs, self.store = horizon_days, jobs, store
        self.catalogue = catalogue or load_catalogue()
        self.found = found or read_findings(patient, self.catalogue)
        self.kept = KEPT_LIVES
        self.simulated = 0  # lives worked out, not counting those cached
        self._programmes: dict[str, Programme] = {} if programmes is None else programmes
        self._lives: OrderedDict[str, Lives] = OrderedDict()
        self._values: dict[tuple[str, str], Floats] = {}

    @property
    def draw(self) -> NDArray[np.int64]:
        """Number of the parameter draw of each twin (n,)."""
        return np.asarray(self.twins.twins["draw"])

    @property
    def source(self) -> NDArray[np.int64]:
        """Number of the candidate each twin was made from (n,): twins of one are not independent."""
        return self.twins.source

    def programme(self, strategy: Strategy) -> Programme:
        """The strategy compiled for the patient, doses lowered as the eligibility rules say."""
        key = strategy_key(strategy)
        if key not in self._programmes:
            doses = judge(self.patient, strategy, self.catalogue).dose_factors
            self._programmes[key] = compile_strategy(
                self.patient,
                strategy,
                self.catalogue,
                doses=doses,
                metastatic=not self.found.nothing_visible,
            )
        return self._programmes[key]

    def lives(self, strategy: Strategy) -> Lives:
        """What becomes of the twins under the strategy."""
        key = strategy_key(strategy)
        if key in self._lives:
            self._lives.move_to_end(key)
            return self._lives[key]
        lives = simulate(
            self.twins.lesions,
            self.twins.twins,
            self.twins.draws,
            self.programme(strategy),
            seed=self.seed,
            horizon_days=self.horizon_days,
            jobs=self.jobs,
        )
        self.simulated += self.twins.size
        self._lives[key] = lives
        if len(self._lives) > self.kept:
            self._lives.popitem(last=False)
        return lives

    def scene(self, strategy: Strategy) -> Scene:
        """What the lives of the strategy must be read with."""
        return Scene(
            strategy,
            self.programme(strategy),
            self.catalogue,
            following(strategy, self.patient, self.catalogue),
            not self.found.nothing_visible,
            window_days(self.horizon_days),
        )

    def values(self, strategy: Strategy, names: Sequence[str]) -> dict[str, Floats]:
        """Each named objective for each twin (n,), in its unit."""
        key = strategy_key(strategy)
        missing = [n for n in names if (key, n) not in self._values]
        if missing and self.store is not None:
            for name, values in self.store.read(key, missing, self.twins.size).items():
                self._values[key, name] = values
            missing = [n for n in missing if (key, n) not in self._values]
        if missing:
            lives, scene = self.lives(strategy), self.scene(strategy)
            found = {n: np.asarray(objective_values(n, lives, scene)) for n in missing}
            self._values.update({(key, n): v for n, v in found.items()})
            if self.store is not None:
                self.store.write(key, found)
        return {n: self._values[key, n] for n in names}
