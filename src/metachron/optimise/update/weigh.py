"""From weighed candidates to twins: resampling of patients, of the fates of their lesions, of lives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, ndtr

from metachron.engine.records import LESION, OCCULT
from metachron.errors import TwinError
from metachron.model.growth import CELLS_PER_ML
from metachron.optimise.update.evidence import Evidence
from metachron.optimise.update.likelihood import LEAST, Told, diameter, recall, tell
from metachron.optimise.update.pool import Batch, Scene, chosen, draw_batch
from metachron.optimise.update.walk import HAZARD, IN_SIGHT, VOLUME_ML, Past, Walked, walk
from metachron.plan.findings import RECIST_BOUNDS
from metachron.plan.twins import RESPONSE_SD, effective_size
from metachron.population.streams import Streams

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# First every candidate lives the past with few fates for each lesion; then those are picked that fit by a
# tempered likelihood, and weighed again with many fates
BATCH, MOST_BATCHES, FEW_FATES, RECORD_FATES = 8000, 8, 3, 16
PICKED, MANY_FATES, MARKS, FEW_MARKS = 6000, 32, 24, 6
TEMPER, DEFENCE = 0.8, 0.1
LEAST_ESS = 50.0  # fewer candidates than this say too little of what is left of belief
ENOUGH_ESS = 5000.0  # of the first look
SPARE = 2  # lives walked for each twin kept, so that survival and whole-patient findings can choose
# SD of ln between the change of CEA and that of tumour volume (assumed, wide: r = 0.76 in nine patients,
# PMID 6446377, whose figures give no SD)
CEA_SD = 0.8

MOST_COLUMNS = 127  # so that the coins of one lesion at a procedure are its own

Say = Callable[[str, float], None]


@dataclass(frozen=True)
class Pool:
    """Candidates (n,) with many fates for their lesions, and their ln weights.

    `source` (n,): candidate of the first look; `looked`: how many these were; `alone`: effective number that
    each finding leaves on its own.
    """

    told: Told
    weights: Floats
    source: Ints
    looked: int
    alone: dict[str, float]

    @property
    def ess(self) -> float:
        """Effective number of different candidates."""
        if not np.isfinite(self.weights.max()):
            return 0.0
        _, which = np.unique(self.source, return_inverse=True)
        together = np.bincount(which, weights=np.exp(self.weights - self.weights.max()))
        return float(together.sum() ** 2 / (together**2).sum())


@dataclass(frozen=True)
class People:
    """Twins (n,) at the old assessment with their lesions (n, columns), and where the past took them.

    `source` (n,): candidate. `shown` (n, columns): lesions that became visible. `ess`: effective number of
    candidates; `alive`: share of lives that were alive today.
    """

    twins: NDArray[np.void]
    lesions: NDArray[np.void]
    source: Ints
    shown: Ints
    walked: Walked
    ess: float
    alive: float


def gather_pools(
    scene: Scene, past: Past, evidence: Evidence, jobs: int | None, say: Say, enough: float = ENOUGH_ESS
) -> tuple[Pool, Pool]:
    """Candidates before and after the findings; the same when these say nothing.

    Raises TwinError naming the finding that fits worst.
    """
    told = _first_look(scene, past, evidence, jobs, say, enough)
    before, sketch = (np.concatenate([getattr(t, name) for t in told]) for name in ("before", "sketch"))
    first = _pool(scene, told, before, 0, recall, MANY_FATES)
    if not evidence.speaks:
        return first, first
    say("the candidates that fit are weighed again", 0.8)
    proposal = _mixed(before + TEMPER * (sketch - before), before)
    then = _pool(
        scene, told, proposal, 1, lambda batch: tell(batch, past, evidence, jobs), MANY_FATES, evidence
    )
    if then.ess < LEAST_ESS:
        raise TwinError(_why(then))
    return first, then


def _mixed(sketch: Floats, before: Floats) -> Floats:
    """ln of a proposal that follows the sketch, with a share left to the record."""
    parts = [x - logsumexp(x) for x in (sketch, before)]
    return np.asarray(np.logaddexp(np.log1p(-DEFENCE) + parts[0], np.log(DEFENCE) + parts[1]))


def _first_look(
    scene: Scene, past: Past, evidence: Evidence, jobs: int | None, say: Say, enough: float
) -> list[Told]:
    """Batches, more and more until enough candidates fit."""
    told: list[Told] = []
    while True:
        n = len(told)
        say(f"twins live the treatment given: {BATCH * (n + 1):,} candidates", 0.8 * n / MOST_BATCHES)
        batch = draw_batch(scene, n, BATCH, FEW_FATES)
        told.append(tell(batch, past, evidence, jobs))
        told[-1].better = recall(replace(batch, alternatives=RECORD_FATES)).before
        sketch = np.concatenate([t.sketch for t in told])
        ess = effective_size(sketch) if np.isfinite(sketch.max()) else 0.0
        if ess >= enough or len(told) >= MOST_BATCHES:
            return told


def _pool(
    scene: Scene,
    told: list[Told],
    proposal: Floats,
    number: int,
    weigh: Callable[[Batch], Told],
    fates: int,
    evidence: Evidence | None = None,
) -> Pool:
    """Pick candidates by `proposal` (ln), weigh them with more fates, and take the proposal out again."""
    draw = np.concatenate([t.batch.candidates.twins["draw"] for t in told])
    order = np.argsort(draw, kind="stable")
    picked = _systematic(proposal, order, PICKED, float(Streams(scene.seed, 3_000_000)["picked"].random()))
    marks = 0
    if evidence is not None and evidence.looked:
        marks = min(MARKS if evidence.new else FEW_MARKS, MOST_COLUMNS - scene.first_mark)
    batch = chosen([t.batch for t in told], picked, MOST_BATCHES + number, fates, marks)
    found = weigh(batch)
    weights = (found.before if evidence is None else found.after) - proposal[picked]
    return Pool(found, weights, picked, proposal.size, alone(told, found, proposal[picked]))


def alone(told: list[Told], found: Told, proposal: Floats) -> dict[str, float]:
    """Effective number of candidates that each finding leaves on its own, beside the record."""
    before = np.concatenate([t.before for t in told])
    left = {}
    for name, value in found.parts().items():
        if all(name in t.parts() for t in told):
            weights = before + np.concatenate([t.parts()[name] for t in told])
            left[name] = effective_size(weights) if np.isfinite(weights.max()) else 0.0
        else:  # new lesions, weighed only among those picked
            weights = found.before - proposal
            share = (
                effective_size(weights + value) / effective_size(weights) if np.isfinite(value.max()) else 0.0
            )
            left[name] = min(1.0, share) * effective_size(before)
    return left


def _why(pool: Pool) -> str:
    left = pool.alone
    worst = min(left, key=lambda name: left[name])
    return (
        f"only {pool.ess:.0f} of {pool.looked:,} virtual patients agree with the findings (at least "
        f"{LEAST_ESS:.0f} are needed); the finding that fits worst is: {worst} (alone it leaves "
        f"{left[worst]:.0f}). Check its size, date and unit, and that the treatment given is complete; if "
        "all is right, the course of this patient is beyond what the model holds: plan from the updated "
        "record with `metachron plan`."
    )


def _systematic(ln_weights: Floats, order: Ints, n: int, u: float) -> Ints:
    """`n` indices by systematic resampling along `order`."""
    w = np.exp(ln_weights - ln_weights.max())[order]
    edges = np.cumsum(w) / w.sum()
    picks = np.searchsorted(edges, (np.arange(n) + u) / n)
    return np.asarray(order[np.minimum(picks, order.size - 1)])


def people(
    pool: Pool, past: Past, evidence: Evidence, n: int, *, updated: bool, seed: int, jobs: int | None
) -> People:
    """`n` twins before or after the findings, all alive today."""
    scene = pool.told.batch.scene
    streams = Streams(seed, 2_000_000)  # the same coins before and after: what nothing moves stays put
    order = np.argsort(pool.told.batch.candidates.twins["draw"], kind="stable")
    picked = _systematic(pool.weights, order, SPARE * n, float(streams["patients"].random()))
    twins, lesions, shown = _assemble(pool.told, picked, updated and evidence.speaks, streams)
    walked = walk(lesions, twins, scene.draws, past, seed=seed, jobs=jobs)
    joint = -walked.bodies[:, -1, HAZARD]
    alive = float(np.exp(joint).mean())
    if updated:
        joint = joint + sum(whole_patient(walked, past, evidence).values(), np.zeros(joint.size))
        _drop_seen(lesions, walked, past, evidence, scene)
    share = effective_size(joint) / joint.size
    ess = pool.ess * share
    if ess < LEAST_ESS / 2:
        raise TwinError(
            f"the findings of the whole patient (response, CEA, survival) leave only {ess:.0f} virtual "
            "patients; check them against the sizes and the treatment given"
        )
    again = np.argsort(twins["draw"], kind="stable")
    kept = np.sort(_systematic(joint, again, n, float(streams["lives"].random())))
    part = Walked(walked.sizes[kept], walked.bodies[kept], walked.resistant[kept])
    return People(twins[kept], lesions[kept], pool.source[picked][kept], shown[kept], part, ess, alive)


def _assemble(
    told: Told, picked: Ints, updated: bool, streams: Streams
) -> tuple[NDArray[np.void], NDArray[np.void], Ints]:
    """Twins, lesions (each with a fate chosen by its weight) and new lesions of the picked candidates."""
    batch = told.batch
    first, last = batch.scene.visible, batch.scene.first_mark
    rows = np.zeros((picked.size, batch.columns), LESION)
    rows[:, first:last] = batch.unseen()[picked]
    fate = _choose(told.record[picked] + (told.sizes[picked] if updated else 0.0), streams)
    _fill(told, picked, rows, fate, _choose_marks(told, picked, streams) if updated else [])
    shown = np.zeros(rows.shape, np.int64)
    shown[:, last:] = rows["status"][:, last:] == OCCULT
    return batch.candidates.twins[picked], rows, shown


def _choose(ln_weights: Floats, streams: Streams) -> Ints:
    """One of the alternatives (axis 1), by weight: Gumbel's trick. Shape (n, visible)."""
    gumbel = streams["fates"].gumbel(size=ln_weights.shape)
    return np.asarray(np.argmax(ln_weights + gumbel, axis=1))


def _choose_marks(told: Told, who: Ints, streams: Streams) -> list[tuple[Ints, Ints]]:
    """(alternative, column among the marks) of each new lesion."""
    found = []
    for k, block in enumerate(told.marks):
        mine = block[who]
        flat = mine.reshape(who.size, -1)
        gumbel = streams[f"new lesion {k}"].gumbel(size=flat.shape)
        best = np.argmax(flat + gumbel, axis=1)
        m, c = np.divmod(best, mine.shape[2])
        found.append((m, k + len(told.marks) * c))
    return found


def _fill(
    told: Told,
    who: Ints,
    rows: NDArray[np.void],
    fate: Ints,
    marks: list[tuple[Ints, Ints]],
) -> None:
    """Write the chosen fates and new lesions into rows (n, columns)."""
    scene = told.batch.scene
    for m in range(told.batch.alternatives):
        fresh, _ = told.batch.alternative(m)
        for j in range(scene.visible):
            mine = fate[:, j] == m
            rows[mine, j] = fresh[who[mine], j]
        for which, column in marks:
            mine = np.flatnonzero(which == m)
            at = scene.first_mark + column[mine]
            rows[mine, at] = fresh[who[mine], at]


def whole_patient(walked: Walked, past: Past, evidence: Evidence) -> dict[str, Floats]:
    """ln probability (n,) of findings that speak of all lesions together."""
    stop = {int(day): i for i, day in enumerate(past.stops)}
    volume = walked.sizes[..., VOLUME_ML].astype(float)
    seen = walked.sizes[:, 0, :, IN_SIGHT] > 0
    found = {}
    for answer in evidence.responses:
        ratio = np.log(response_ratio(volume, seen, stop[answer.day]))
        low, high = RECIST_BOUNDS[answer.response]
        top = ndtr((np.log(high) - ratio) / RESPONSE_SD)
        bottom = ndtr((np.log(low) - ratio) / RESPONSE_SD) if low > 0 else 0.0
        found[answer.label] = np.log(np.maximum(top - bottom, LEAST))
    for marker in evidence.markers:
        change = np.log(volume[:, stop[marker.day]].sum(1) + 1e-3) - np.log(volume[:, 0].sum(1) + 1e-3)
        found[marker.label] = -0.5 * ((np.log(marker.value / marker.before) - change) / CEA_SD) ** 2
    return found


def response_ratio(volume: Floats, seen: NDArray[np.bool_], stop: int) -> Floats:
    """Sum of diameters of the lesions seen at the assessment, at a stop over then (n,)."""
    then = np.where(seen, diameter(volume[:, 0]), 0.0).sum(1)
    now = np.where(seen, diameter(volume[:, stop]), 0.0).sum(1)
    return np.asarray(np.maximum(now, 0.1) / np.maximum(then, 0.1))


def _drop_seen(
    lesions: NDArray[np.void], walked: Walked, past: Past, evidence: Evidence, scene: Scene
) -> None:
    """Unseen lesions that a complete scan would have shown were not there: the process is thinned."""
    stop = {int(day): i for i, day in enumerate(past.stops)}
    own = slice(scene.visible, scene.first_mark)
    for look in evidence.looked:
        volume = walked.sizes[:, stop[look.day], own, VOLUME_ML].astype(float)
        ln = np.log(np.maximum(volume * CELLS_PER_ML, 1.0))
        gone = ln > look.ln_limit + lesions["offset"][:, own]
        lesions["status"][:, own] = np.where(gone, 0, lesions["status"][:, own])
