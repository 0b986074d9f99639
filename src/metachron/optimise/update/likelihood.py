"""How probable the findings are for each candidate, lesion by lesion and for the body."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit, logsumexp, ndtr

from metachron.model.growth import CELLS_PER_ML
from metachron.model.toxicity import FEBRILE, NEUROPATHY
from metachron.optimise.update.evidence import Evidence, Graded, NewSeen
from metachron.optimise.update.pool import Batch
from metachron.optimise.update.walk import COUNT, EPISODES, LOWEST, NERVE, VOLUME_ML, Past, walk

Floats = NDArray[np.float64]
# Errors of reading the body (SD of ln, all assumed): a count of one day beside the model's; the lowest count
# measured beside the true nadir, which is seldom caught; what a patient reports of his nerves
COUNT_SD, NADIR_SD, NERVE_SD = 0.3, 0.4, 0.3
# CTCAE 5.0 grades of neutropenia: upper limits (1e9/L) of grades 4, 3, 2; 1 is below the normal limit
GRADE_LIMITS = {4: (0.0, 0.5), 3: (0.5, 1.0), 2: (1.0, 1.5), 1: (1.5, 2.0), 0: (1.5, 1e6)}
# Candidates whose mean miss (ln) is below NEAR, or else the nearest, tell how much fates of lesions differ
NEAR, LEAST_NEAR = 0.3, 100
TAIL = 4.0  # degrees of freedom of a Student law for the mean miss: a sketch must not exclude
LEAST = 1e-6  # of a probability: nothing is impossible
FEBRILE_FLOOR = 0.01  # fever of another cause, or an episode that the model does not hold (assumed)


@dataclass
class Told:
    """What a batch of n candidates says to the findings, ln scale.

    `patient` (n,): record, of the whole patient. `record` and `sizes` (n, M, visible): by fate of each
    lesion; `by_lesion` (n,) of each size; `misses` (n, M, sizes): ln of found over true diameter, by day.
    `new` (n,) and `marks` (n, M, its columns) of each new lesion. `body` (n,): of the other findings, and
    that no other lesion was seen. `better` (n,): ln weight by the record from more fates.
    """

    batch: Batch
    patient: Floats
    record: Floats
    sizes: Floats
    by_lesion: dict[str, Floats] = field(default_factory=dict)
    misses: dict[int, Floats] = field(default_factory=dict)
    new: dict[str, Floats] = field(default_factory=dict)
    marks: list[Floats] = field(default_factory=list)
    body: dict[str, Floats] = field(default_factory=dict)
    better: Floats | None = None

    @property
    def before(self) -> Floats:
        """ln weight (n,) by the record alone."""
        if self.better is not None:
            return self.better
        return np.asarray(self.patient + _mean(self.record).sum(1))

    def parts(self) -> dict[str, Floats]:
        """ln likelihood (n,) of each new finding."""
        return {**self.by_lesion, **self.new, **self.body}

    @property
    def sketch(self) -> Floats:
        """Rough ln weight (n,) that few fates can tell: sizes of one day by their mean error over lesions.

        The spread of fates within candidates, pooled, stands for what is each lesion's own.
        """
        total = self.before + sum(self.body.values(), np.zeros(self.batch.size))
        for misses in self.misses.values():
            mean = np.median(misses, axis=1).mean(1)  # one fate in three may have died out
            limit = max(NEAR, float(np.sort(np.abs(mean))[min(LEAST_NEAR, mean.size) - 1]))
            near = np.abs(mean) <= limit
            own = misses[near].var(1, ddof=1).mean()
            error = (own + (self.batch.candidates.draws["measurement_cv"] ** 2).mean()) / misses.shape[2]
            square = mean**2 / (error * (1.0 + 1.0 / misses.shape[1]))
            total = total - 0.5 * (TAIL + 1.0) * np.log1p(square / TAIL)
        return np.asarray(total)

    @property
    def after(self) -> Floats:
        """ln weight (n,) by the record and all new findings."""
        total = self.patient + _mean(self.record + self.sizes).sum(1)
        return np.asarray(total + sum([*self.new.values(), *self.body.values()], np.zeros(total.size)))


def _mean(values: Floats) -> Floats:
    """ln of the mean over alternatives (axis 1)."""
    return np.asarray(logsumexp(values, axis=1) - np.log(values.shape[1]))


def diameter(volume_ml: Floats) -> Floats:
    """mm of a ball of so many mL."""
    return np.asarray(10.0 * np.cbrt(6.0 / np.pi * np.maximum(volume_ml, 1e-9)))


def recall(batch: Batch) -> Told:
    """What a batch says to the record alone; nothing is simulated."""
    shape = (batch.size, batch.alternatives, batch.scene.visible)
    told = Told(
        batch, sum(batch.patient_weights().values(), np.zeros(batch.size)), np.zeros(shape), np.zeros(shape)
    )
    for m in range(batch.alternatives):
        _, told.record[:, m] = batch.alternative(m)
    return told


def tell(batch: Batch, past: Past, evidence: Evidence, jobs: int | None) -> Told:
    """Let every fate of every lesion live the past, and ask how well it agrees with the findings."""
    s, n = batch.scene, batch.size
    many = batch.alternatives
    shape = (n, many, s.visible)
    record, sizes = np.zeros(shape), np.zeros(shape)
    told = Told(batch, sum(batch.patient_weights().values(), np.zeros(n)), record, sizes)
    blocks = [np.full((n, many, _columns(batch.marks, len(evidence.new), k)), -np.inf)
              for k in range(len(evidence.new))]  # fmt: skip
    detected = np.zeros(n)
    per_size: dict[str, Floats] = {seen.label: np.zeros((n, many)) for seen in evidence.sizes}
    stop = {int(day): i for i, day in enumerate(past.stops)}
    miss = {(seen.day, seen.column): np.zeros((n, many)) for seen in evidence.sizes if seen.mm > 0}
    for m in range(many):
        lesions, record[:, m] = batch.alternative(m)
        walked = walk(lesions, batch.candidates.twins, s.draws, past, seed=s.seed, jobs=jobs)
        volume = walked.sizes[..., VOLUME_ML].astype(float)
        for seen in evidence.sizes:
            value = _size(batch, volume[:, stop[seen.day], seen.column], seen.mm, seen.ln_limit)
            sizes[:, m, seen.column] += value
            per_size[seen.label][:, m] = value
            if seen.mm > 0:
                miss[seen.day, seen.column][:, m] = np.log(seen.mm) - np.log(
                    diameter(volume[:, stop[seen.day], seen.column])
                )
        if batch.marks and evidence.looked:
            detected += _marks(batch, evidence, lesions, volume, stop, blocks, m)
        if m == 0:
            told.body = _body(batch, evidence, walked.bodies, stop)
    for seen in evidence.sizes:
        both = per_size[seen.label] + record[:, :, seen.column]
        told.by_lesion[seen.label] = _mean(both) - _mean(record[:, :, seen.column])
    for day in {day for day, _ in miss}:
        told.misses[day] = np.stack([miss[key] for key in miss if key[0] == day], axis=2)
    if batch.marks:
        _new_lesions(told, evidence, blocks, detected / many)
    return told


def _columns(marks: int, blocks: int, k: int) -> int:
    return len(range(k, marks, blocks))


def _size(batch: Batch, volume: Floats, mm: float, ln_limit: float) -> Floats:
    """ln probability (n,) of a size given the true volume (mL), or of not being seen (0 mm)."""
    d = batch.candidates.draws
    if mm > 0:
        error = (np.log(mm) - np.log(diameter(volume))) / d["measurement_cv"]
        return np.asarray(-0.5 * error**2)
    ln_seen = np.log(np.maximum(volume * CELLS_PER_ML, 1.0))
    return np.asarray(log_expit((ln_limit - ln_seen) / d["detect_scale"]))


def _marks(
    batch: Batch,
    evidence: Evidence,
    lesions: NDArray[np.void],
    volume: Floats,
    stop: dict[int, int],
    blocks: list[Floats],
    m: int,
) -> Floats:
    """Share (n,) of the marks that any complete scan shows; ln fit of marks to new lesions into `blocks`."""
    first = batch.scene.first_mark
    hidden = batch.hidden(lesions)
    marks, sizes = lesions[:, first:], volume[:, :, first:]
    seen = {}
    for look in evidence.looked:
        ln = np.log(np.maximum(sizes[:, stop[look.day]] * CELLS_PER_ML, 1.0))
        seen[look.day] = ln > look.ln_limit + marks["offset"]
    ever = np.zeros(hidden.shape, np.bool_)
    for day in sorted(seen):
        for k, new in enumerate(evidence.new):
            if new.day == day:
                columns = slice(k, None, len(evidence.new))
                fits = seen[day] & ~ever & (marks["organ"] == new.organ)
                blocks[k][:, m] = _fit(batch, new, hidden, fits, sizes, stop)[:, columns]
        ever |= seen[day]
    return np.asarray((hidden * ever).mean(1))


def _fit(
    batch: Batch,
    new: NewSeen,
    hidden: Floats,
    fits: NDArray[np.bool_],
    sizes: Floats,
    stop: dict[int, int],
) -> Floats:
    """ln of how well each mark fits a new lesion: seen first on its day, in its organ, of its sizes."""
    cv = batch.candidates.draws["measurement_cv"][:, None]
    with np.errstate(divide="ignore"):
        total = np.where(fits, np.log(hidden), -np.inf)
    for day, mm in new.sizes.items():
        total = total - 0.5 * ((np.log(mm) - np.log(diameter(sizes[:, stop[day]]))) / cv) ** 2
    return np.asarray(total)


def _new_lesions(told: Told, evidence: Evidence, blocks: list[Floats], detected: Floats) -> None:
    """Poisson process of unseen lesions: those found, and that there were no others."""
    load = told.batch.load
    told.marks = blocks
    for new, block in zip(evidence.new, blocks, strict=True):
        n = block.shape[0]
        mean = logsumexp(block.reshape(n, -1), axis=1) - np.log(block.shape[1] * block.shape[2])
        told.new[new.label] = np.log(load) + mean
    if evidence.looked:
        told.body[evidence.looked[-1].label] = -load * detected


def _body(batch: Batch, evidence: Evidence, bodies: Floats, stop: dict[int, int]) -> dict[str, Floats]:
    """ln probability (n,) of counts and grades."""
    found = {}
    for count in evidence.counts:
        error = (np.log(max(count.value, 0.01)) - np.log(bodies[:, stop[count.day], COUNT])) / COUNT_SD
        found[count.label] = -0.5 * error**2
    for graded in evidence.grades:
        found[graded.label] = np.log(
            np.maximum(
                grade_share(batch.candidates.twins, batch.candidates.draws, graded, bodies, stop), LEAST
            )
        )
    return found


def grade_share(
    twins: NDArray[np.void], d: NDArray[np.void], graded: Graded, bodies: Floats, stop: dict[int, int]
) -> Floats:
    """Probability (n,) of the grade that was found; `d` (n,) are the twins' parameter sets."""
    first, last = stop[graded.first], stop[graded.last]
    if graded.kind == NEUROPATHY:
        felt = np.log(np.maximum(bodies[:, last, NERVE] * twins["nerve_factor"], 1e-3))
        two, three = np.log(d["neuropathy_grade2_mg_m2"]), np.log(d["neuropathy_grade3_mg_m2"])
        above2, above3 = ndtr((felt - two) / NERVE_SD), ndtr((felt - three) / NERVE_SD)
        if graded.grade >= 3:
            return np.asarray(above3)
        return np.asarray(above2 - above3 if graded.grade == 2 else 1.0 - above2)
    if graded.kind == FEBRILE:
        episodes = bodies[:, last, EPISODES] - (bodies[:, first, EPISODES] if graded.first else 0.0)
        fever = 1.0 - (1.0 - FEBRILE_FLOOR) * (1.0 - d["febrile_given_grade4"]) ** episodes
        return np.asarray(fever if graded.grade >= 3 else 1.0 - fever)
    lowest = bodies[:, min(first + 1, last) : last + 1, LOWEST].min(1)
    low, high = GRADE_LIMITS[graded.grade]
    ln = np.log(np.maximum(lowest, 1e-3))
    upper = ndtr((np.log(high) - ln) / NADIR_SD)
    lower = ndtr((np.log(low) - ln) / NADIR_SD) if low > 0 else 0.0
    return np.asarray(upper - lower)
