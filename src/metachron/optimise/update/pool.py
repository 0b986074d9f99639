"""Candidates of the old assessment, with several fates for each lesion.

A patient with many lesions cannot be matched by whole candidates: eleven sizes would have to fit at once.
Given the patient's own nature (growth, sensitivity, resistance, parameters), lesions are independent, so each
candidate carries `alternatives` for the nature of each lesion (measurement error at the assessment, growth,
resistance, visibility), and a lesion's finding is averaged over them. The average is an unbiased estimate of
the likelihood, so that the weights of candidates stay exact (pseudo-marginal importance sampling, Andrieu and
Roberts 2009, doi:10.1214/07-AOS574). Unseen lesions are a Poisson process; `marks` are lesions drawn from its
law, from which new ones found on a scan are taken.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metachron.engine.records import LESION, OCCULT
from metachron.model.growth import grow_many
from metachron.parameters import load_parameters
from metachron.patient.schema import Patient
from metachron.plan.candidates import Candidates, draw_candidates, mean_load
from metachron.plan.findings import Findings
from metachron.plan.twins import COMPONENTS
from metachron.population.lesions import ROOM_OCCULT, draw_occult, draw_variety
from metachron.population.streams import Streams

Floats = NDArray[np.float64]
# findings of the record that speak of one lesion each, and of the patient
OF_LESIONS = ("growth between dated scans", "size of the lesions when the primary was removed")
OF_PATIENT = ("what the last scan did not show", "response to earlier treatment")
_FIRST_STREAM = 1_000_000  # batch numbers of plans stay below


@dataclass(frozen=True)
class Scene:
    """What all batches share. Columns of lesions: `visible`, then unseen ones, then `marks`."""

    patient: Patient
    found: Findings
    draws: NDArray[np.void]
    seed: int
    line: int
    visible: int

    @property
    def first_mark(self) -> int:
        return self.visible + ROOM_OCCULT

    @property
    def metastatic(self) -> bool:
        return bool(self.patient.metastases) or not self.found.nothing_visible


class _Known:
    """A generator whose uniform numbers are known: what the lesions of one patient share."""

    def __init__(self, values: Floats) -> None:
        self.values = values

    def random(self, n: int) -> Floats:
        assert n == self.values.size
        return self.values


class _Shared(Streams):
    """Streams of an alternative, but the patient's own coin for where his metastases settle."""

    def __init__(self, tropism: Floats, seed: int, number: int) -> None:
        super().__init__(seed, number)
        self.tropism = tropism

    def __getitem__(self, name: str) -> np.random.Generator:
        return _Known(self.tropism) if name == "tropism" else super().__getitem__(name)  # type: ignore[return-value]


@dataclass(frozen=True)
class Batch:
    """Some candidates (n,), drawn as the twins of a plan are, and the fates of their lesions.

    `load` (n,): mean number of unseen lesions of each, with its own frailty; `tropism` (n,): its coin for the
    organs they are in; `alternatives` fates of each lesion, `marks` lesions of the law of unseen ones.
    """

    scene: Scene
    number: int
    candidates: Candidates
    load: Floats
    tropism: Floats
    alternatives: int
    marks: int

    @property
    def size(self) -> int:
        return int(self.candidates.twins.size)

    @property
    def columns(self) -> int:
        return self.scene.first_mark + self.marks

    def patient_weights(self) -> dict[str, Floats]:
        """ln weight (n,) of the findings of the record that speak of the whole patient."""
        return {name: COMPONENTS[name](self.candidates, self.scene.found) for name in OF_PATIENT}

    def alternative(self, m: int) -> tuple[NDArray[np.void], Floats]:
        """Lesions (n, columns) with the m-th fate of each, and ln weight (n, visible) by the record.

        Unseen lesions of the candidate are left out; the marks are all present.
        """
        s, c, n = self.scene, self.candidates, self.size
        streams = _Shared(self.tropism, s.seed, _FIRST_STREAM + 1000 * self.number + m)
        fresh = np.zeros((n, s.visible + self.marks), LESION)
        draw_variety(fresh, c.draws, streams)
        lesions = np.zeros((n, self.columns), LESION)
        seen = lesions[:, : s.visible]
        for field in LESION.names or ():
            seen[field] = c.lesions[field][:, : s.visible]
        for field in ("growth", "resistance", "offset"):
            seen[field] = fresh[field][:, : s.visible]
        x_seen = self._sizes(seen, streams)
        if self.marks:
            marks = fresh[:, s.visible :]
            self._marks(marks, streams)
            lesions[:, s.first_mark :] = marks
        return lesions, self._record(lesions, x_seen)

    def _sizes(self, seen: NDArray[np.void], streams: Streams) -> Floats:
        """Place the visible lesions, with an error of measurement of their own; ln cells when last seen."""
        s, c = self.scene, self.candidates
        if not s.found.lesions:
            return c.x_seen
        n, m = seen.shape
        error = streams["measurement"].standard_normal((n, m)) * c.draws["measurement_cv"][:, None]
        mm = np.array([lesion.diameter_mm for lesion in s.found.lesions])
        size = np.clip(mm * np.exp(error), 1.0, 300.0)
        x = np.log(np.pi / 6 * (size / 10) ** 3 * 1e9)
        days = np.tile([lesion.days_ago for lesion in s.found.lesions], n)
        rate = c.twins["growth"][:, None] * seen["growth"]
        seen["x"] = grow_many(x.ravel(), days, rate.ravel(), _ln_capacity()).reshape(n, m)
        return np.asarray(x)

    def _marks(self, marks: NDArray[np.void], streams: Streams) -> None:
        """Unseen lesions as they are at the assessment, from the law of this candidate."""
        s, c = self.scene, self.candidates
        draw_occult(marks, np.ones(self.size), c.draws, streams, metastatic=s.metastatic)
        marks["status"] = OCCULT
        f = s.found
        since = f.days_since_surgery if f.nothing_visible and f.days_since_surgery else 0.0
        days = np.full(marks.size, since - min(since, f.quiet_days))
        rate = np.ascontiguousarray(c.twins["growth"][:, None] * marks["growth"])
        x = np.ascontiguousarray(marks["x"])
        marks["x"] = grow_many(x.ravel(), days, rate.ravel(), _ln_capacity()).reshape(x.shape)

    def _record(self, lesions: NDArray[np.void], x_seen: Floats) -> Floats:
        """ln weight (n, visible) of each lesion's fate by the dated sizes of the record."""
        s, c = self.scene, self.candidates
        total = np.zeros((self.size, s.visible))
        for j, seen in enumerate(s.found.lesions):
            alone = Candidates(
                c.twins, lesions[:, j : j + 1], x_seen[:, j : j + 1], c.size_offset[:, j : j + 1], c.draws
            )
            found = replace(s.found, lesions=[seen])
            total[:, j] = sum(COMPONENTS[name](alone, found) for name in OF_LESIONS)
        return total

    def hidden(self, lesions: NDArray[np.void]) -> Floats:
        """Probability (n, marks) that the scans of the record would not have shown each mark."""
        s, c = self.scene, self.candidates
        marks = lesions[:, s.first_mark :]
        found = np.zeros(marks.shape)
        for j in range(self.marks):
            alone = replace(c, lesions=marks[:, j : j + 1])
            found[:, j] = COMPONENTS[OF_PATIENT[0]](alone, s.found)
        return np.asarray(np.exp(found))

    def unseen(self) -> NDArray[np.void]:
        """The candidate's own unseen lesions (n, ROOM_OCCULT)."""
        return self.candidates.lesions[:, self.scene.visible :]


def _ln_capacity() -> float:
    return float(np.log(load_parameters()["capacity_cells"].value))


def draw_batch(scene: Scene, number: int, size: int, alternatives: int) -> Batch:
    """`size` candidates without marks; batches of one seed differ by number. Raises TwinError."""
    streams = Streams(scene.seed, number)
    c = draw_candidates(scene.patient, scene.found, scene.draws, size, streams, scene.line)
    c.twins["key"] = number * size + np.arange(size)
    c.twins["n_lesions"] = scene.first_mark
    mean = mean_load(c, streams, scene.patient, scene.found, scene.visible)
    spread = c.draws["occult_dispersion"]
    load = mean * np.exp(spread * streams["frailty"].standard_normal(size) - spread**2 / 2)
    tropism = streams["tropism"].random(size)
    return Batch(scene, number, c, np.asarray(load), tropism, alternatives, 0)


def chosen(
    batches: list[Batch], picked: NDArray[np.int64], number: int, alternatives: int, marks: int
) -> Batch:
    """A batch of the picked candidates of several, with more fates for their lesions."""
    parts = [b.candidates for b in batches]

    def pick(arrays: list[NDArray[Any]]) -> Any:
        return np.concatenate(arrays)[picked]

    twins = pick([c.twins for c in parts])
    c = Candidates(
        twins,
        pick([p.lesions for p in parts]),
        pick([p.x_seen for p in parts]),
        pick([p.size_offset for p in parts]),
        batches[0].scene.draws[twins["draw"]],
    )
    c.twins["n_lesions"] = batches[0].scene.first_mark + marks
    load, tropism = pick([b.load for b in batches]), pick([b.tropism for b in batches])
    return Batch(batches[0].scene, number, c, load, tropism, alternatives, marks)


def visible_columns(patient: Patient, found: Findings, draws: NDArray[np.void], seed: int, line: int) -> int:
    """Columns of visible lesions: those listed, or room for the most that a summary allows."""
    if found.lesions:
        return len(found.lesions)
    few = draw_candidates(patient, found, draws, 1, Streams(seed), line)
    return int(few.lesions.shape[1] - ROOM_OCCULT)
