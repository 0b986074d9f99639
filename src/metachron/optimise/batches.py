"""Batches of twins for a search: those it chooses on, and fresh ones on which the chosen are evaluated."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from metachron import __version__
from metachron.engine.compile import start_line
from metachron.engine.records import Programme
from metachron.optimise.evaluate import Evaluator
from metachron.optimise.goal import Goal
from metachron.optimise.space import Candidate
from metachron.optimise.store import Store
from metachron.patient.schema import Patient
from metachron.plan.findings import read_findings
from metachron.plan.twins import Twins, make_twins
from metachron.strategies.catalogue import load_catalogue

Floats = NDArray[np.float64]
FRESH = 64  # number of the first batch of evaluation; searches use the batches before
KEPT_FRESH = 200  # strategies whose lives are kept, for timetables and side effects
SPAN = 10_000_000  # keys and sources of a batch lie apart from those of every other


class Batches:
    """Evaluators on numbered batches of twins; a batch is the same whatever batches were made before it."""

    def __init__(
        self,
        patient: Patient,
        sets: NDArray[np.void],
        *,
        seed: int,
        horizon_days: float,
        jobs: int | None,
        checkpoint: Path | None,
        basis: str,
    ) -> None:
        self.patient, self.sets, self.seed = patient, sets, seed
        self.horizon_days, self.jobs, self.checkpoint, self.basis = horizon_days, jobs, checkpoint, basis
        self.catalogue = load_catalogue()
        self.found = read_findings(patient, self.catalogue)
        self.programmes: dict[str, Programme] = {}
        self._made: dict[tuple[int, int], Evaluator] = {}

    def evaluator(self, number: int, size: int) -> Evaluator:
        """The evaluator on `size` twins of batch `number`. Raises TwinError."""
        if (number, size) not in self._made:
            self._made[number, size] = Evaluator(
                self.patient,
                self.found,
                self._twins(number, size),
                self.seed,
                self.horizon_days,
                self.jobs,
                catalogue=self.catalogue,
                store=self._store(number, size),
                programmes=self.programmes,
            )
            if number >= FRESH:
                self._made[number, size].kept = KEPT_FRESH
        return self._made[number, size]

    def made(self, below: int) -> list[Evaluator]:
        """Every evaluator so far on batches under a number, in order."""
        return [self._made[key] for key in sorted(self._made) if key[0] < below]

    def _twins(self, number: int, size: int) -> Twins:
        line = start_line(self.patient)
        if number == 0:
            return make_twins(self.patient, self.found, self.sets, size, self.seed, line)
        before = replace(self._first(size), batches=number)
        twins = make_twins(self.patient, self.found, self.sets, size, self.seed, line, before=before)
        twins.twins["key"] += number * SPAN
        return replace(twins, source=twins.source + number * SPAN)

    def _first(self, size: int) -> Twins:
        made = [e for (number, _), e in self._made.items() if number == 0]
        return made[0].twins if made else self.evaluator(0, size).twins

    def _store(self, number: int, size: int) -> Store | None:
        if self.checkpoint is None:
            return None
        content = [__version__, self.patient.model_dump(mode="json"), self.sets.size, self.seed]
        text = json.dumps([*content, self.horizon_days, self.basis, number, size], sort_keys=True)
        return Store(self.checkpoint, hashlib.sha256(text.encode()).hexdigest()[:20])


class ScoredBatch:
    """A batch as the race sees it: scores of candidates by id."""

    def __init__(self, evaluator: Evaluator, goal: Goal, names: list[str], candidates: dict[str, Candidate]):
        self.evaluator, self.goal, self.names, self.candidates = evaluator, goal, names, candidates

    @property
    def draw(self) -> NDArray[np.int64]:
        """Parameter draw of each twin (n,)."""
        return self.evaluator.draw

    @property
    def source(self) -> NDArray[np.int64]:
        """Candidate each twin was made from (n,)."""
        return self.evaluator.source

    def scores(self, key: str) -> Floats:
        """Scores (n, k) of a candidate, more is better."""
        return self.goal.columns(self.evaluator.values(self.candidates[key].strategy, self.names))
