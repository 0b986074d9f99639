"""What was found beside what the twins of the old assessment expected."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from metachron.model.growth import CELLS_PER_ML
from metachron.optimise.update.beliefs import spread
from metachron.optimise.update.evidence import Evidence
from metachron.optimise.update.likelihood import COUNT_SD, diameter, grade_share
from metachron.optimise.update.results import Observation
from metachron.optimise.update.walk import COUNT, IN_SIGHT, VOLUME_ML, Past
from metachron.optimise.update.weigh import CEA_SD, People, Pool, response_ratio
from metachron.plan.findings import RECIST_BOUNDS
from metachron.population.lesions import ROOM_OCCULT

Floats = NDArray[np.float64]


def observations(
    pool: Pool, prior: People, past: Past, evidence: Evidence, assessed_on: date, seed: int
) -> list[Observation]:
    """Every finding by day, with what was expected before it was known."""
    scene = pool.told.batch.scene
    stop = {int(day): i for i, day in enumerate(past.stops)}
    volume = prior.walked.sizes[..., VOLUME_ML].astype(float)
    noise = np.random.default_rng([seed, 77])
    z = noise.standard_normal(prior.twins.size)
    cv = scene.draws["measurement_cv"][prior.twins["draw"]]
    found: list[tuple[int, dict[str, object]]] = []
    for seen in evidence.sizes:
        then = volume[:, stop[seen.day], seen.column]
        if seen.mm > 0:
            mm = diameter(then) * np.exp(cv * z)
            found.append((seen.day, _number(seen.label, "size", seen.mm, "mm", mm)))
        else:
            ln = np.log(np.maximum(then * CELLS_PER_ML, 1.0))
            scale = scene.draws["detect_scale"][prior.twins["draw"]]
            p = float(expit((seen.ln_limit - ln) / scale).mean())
            found.append((seen.day, _event(seen.label, "not seen", "not seen", p)))
    found += _looks(evidence, prior, stop, volume, scene.visible)
    found += _patient(evidence, prior, stop, volume, z)
    for graded in evidence.grades:
        share = float(
            grade_share(
                prior.twins, scene.draws[prior.twins["draw"]], graded, prior.walked.bodies, stop
            ).mean()
        )
        found.append((graded.last, _event(graded.label, "toxicity", f"grade {graded.grade}", share)))
    for label, what, day, why in evidence.silent:
        kind = "CEA" if label.startswith("CEA") else "response" if "response" in label else "toxicity"
        found.append((day, {"what": label, "kind": kind, "found": what, "used": False, "note": why}))
    found.sort(key=lambda item: item[0])
    return [
        Observation.model_validate(
            {**item, "day": day, "date": (assessed_on + timedelta(days=day)).isoformat()}
        )
        for day, item in found
    ]


def _number(what: str, kind: str, value: float, unit: str, expected: Floats) -> dict[str, object]:
    above = float((expected >= value).mean())
    return {
        "what": what,
        "kind": kind,
        "found": value,
        "unit": unit,
        "expected": spread(expected),
        "probability": min(1.0, 2.0 * min(above, 1.0 - above)),
        "used": True,
    }


def _event(what: str, kind: str, value: str, probability: float) -> dict[str, object]:
    return {"what": what, "kind": kind, "found": value, "probability": probability, "used": True}


def _looks(
    evidence: Evidence, prior: People, stop: dict[int, int], volume: Floats, visible: int
) -> list[tuple[int, dict[str, object]]]:
    """Number of new lesions of each scan that lists them."""
    found: list[tuple[int, dict[str, object]]] = []
    own = slice(visible, visible + ROOM_OCCULT)
    offset = prior.lesions["offset"][:, own]
    present = prior.lesions["status"][:, own] > 0
    ever = np.zeros(offset.shape, np.bool_)
    for look in evidence.looked:
        ln = np.log(np.maximum(volume[:, stop[look.day], own] * CELLS_PER_ML, 1.0))
        shown = present & (ln > look.ln_limit + offset) & ~ever
        ever |= shown
        count = shown.sum(1).astype(float)
        seen = sum(new.day == look.day for new in evidence.new)
        item = _number(look.label, "new lesions", float(seen), "lesions", count)
        item["probability"] = float((count >= seen).mean() if seen else (count == 0).mean())
        found.append((look.day, item))
    return found


def _patient(
    evidence: Evidence, prior: People, stop: dict[int, int], volume: Floats, z: Floats
) -> list[tuple[int, dict[str, object]]]:
    found: list[tuple[int, dict[str, object]]] = []
    seen = prior.walked.sizes[:, 0, :, IN_SIGHT] > 0
    for answer in evidence.responses:
        low, high = RECIST_BOUNDS[answer.response]
        ratio = response_ratio(volume, seen, stop[answer.day])
        share = float(((ratio > low) & (ratio <= high)).mean())
        found.append((answer.day, _event(answer.label, "response", answer.response, share)))
    for count in evidence.counts:
        expected = prior.walked.bodies[:, stop[count.day], COUNT] * np.exp(COUNT_SD * z)
        found.append((count.day, _number(count.label, "blood count", count.value, "1e9/L", expected)))
    for marker in evidence.markers:
        change = volume[:, stop[marker.day]].sum(1) / np.maximum(volume[:, 0].sum(1), 1e-3)
        expected = marker.before * change * np.exp(CEA_SD * z)
        found.append((marker.day, _number(marker.label, "CEA", marker.value, "ng/mL", expected)))
    return found
