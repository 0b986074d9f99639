"""Virtual patients of a trial population: one for each row of parameter draws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metachron.engine.records import ABSENT, LESION, LIVER, LUNG, NODES, OCCULT, PERITONEUM, TWIN, VISIBLE
from metachron.model.death import cancer_hazards
from metachron.model.growth import CELLS_PER_ML, grow_many
from metachron.model.occult import load_after_primary, load_with_metastases
from metachron.parameters import load_parameters
from metachron.population.lesions import (
    ROOM_OCCULT,
    ct_limit,
    diameters_of_largest,
    diameters_of_sum,
    draw_occult,
    draw_shares,
    draw_variety,
)
from metachron.population.nature import draw_body, draw_frailty, draw_resistance, draw_tumour, set_markers
from metachron.population.spec import LOCAL, MOST_NODES, PopulationSpec, Spread, bounds
from metachron.population.streams import Streams

Floats = NDArray[np.float64]
DAYS_PER_MONTH = 30.4375
ROOM_VISIBLE = 12  # more visible lesions than this count as 12
SD_LN_COUNT = 0.7  # of the number of visible lesions about its median (assumed)
COUNT_AND_SUM = 0.5  # correlation of their number with the sum of diameters, both on the ln scale (assumed)
RANGE_SDS = 2.8  # a range over some hundred patients spans about this many SDs to each side
# Patients with each site at the first diagnosis of metastases, epidemiology-020..023
SITES = {LIVER: 0.70, LUNG: 0.24, PERITONEUM: 0.15, NODES: 0.16}
GROWTH, KILL, DEATH, LOAD = range(4)  # columns of trial effects


def draw_population(
    spec: PopulationSpec,
    setting: str,
    draws: NDArray[np.void],
    *,
    seed: int,
    effects: Floats | None = None,
    batch: int = 0,
    limit: float | None = None,
) -> tuple[NDArray[np.void], NDArray[np.void]]:
    """One patient for each row of `draws` (n,) on the first day of treatment or follow-up.

    Returns twins (n,) of TWIN and lesions (n, room) of LESION; twin i has key and draw i. `effects` (n, 4):
    trial effects on growth, kill, death and load, natural logarithms; that on death is not used here but
    added to the intercept by the caller. `batch` numbers further patients of one seed. `limit`: ln cells up
    to which lesions stayed unseen after removal of a primary (None: what CT sees). A change of one field
    leaves the coins of the others as they are.
    """
    streams = Streams(seed, batch)
    n = draws.size
    added = np.zeros((n, 4)) if effects is None else effects
    markers = draw_markers(spec, n, streams)
    twins = _draw_twins(spec, setting, draws, markers, streams)
    # bounds of the engine, which the far tails of wide designs pass
    twins["growth"] = np.minimum(twins["growth"] * np.exp(added[:, GROWTH]), 1.0)
    twins["sensitivity"] = np.minimum(twins["sensitivity"] * np.exp(added[:, KILL]), 1e3)
    seen = 0 if setting == "adjuvant" else ROOM_VISIBLE
    lesions = np.zeros((n, seen + ROOM_OCCULT), LESION)
    draw_variety(lesions, draws, streams)
    count = _place_visible(lesions[:, :seen], spec, streams) if seen else np.zeros(n, np.int64)
    mean = _mean_load(spec, setting, draws, count, markers, streams) * np.exp(added[:, LOAD])
    adjuvant = setting == "adjuvant"
    draw_occult(
        lesions[:, seen:], mean, draws, streams, metastatic=not adjuvant, limit=limit if adjuvant else None
    )
    if adjuvant:
        _grow_since_surgery(twins, lesions, spec.months_since_surgery * DAYS_PER_MONTH)
    else:
        _unseen_at_baseline(lesions[:, seen:])
    return twins, packed(twins, lesions)


def _draw_twins(
    spec: PopulationSpec,
    setting: str,
    d: NDArray[np.void],
    markers: tuple[Floats, Floats, Floats],
    streams: Streams,
) -> NDArray[np.void]:
    """The patients without their lesions."""
    n = d.size
    twins = np.zeros(n, TWIN)
    twins["key"] = twins["draw"] = np.arange(n)
    draw_tumour(twins, d, streams)
    set_markers(twins, d, *markers)
    if setting == "adjuvant":  # as growth_by_findings of the model: no positive node counts as one
        ln_nodes = np.log(np.maximum(_nodes(spec, n, streams), 1.0))
        twins["growth"] *= np.exp(d["growth_nodes"] * (ln_nodes - 1.0))
    draw_resistance(twins, d, streams)
    draw_body(twins, d, streams)
    draw_frailty(twins, d, _ecog(spec, n, streams), streams)
    twins["age"] = _age(spec.age_years, streams["age"].standard_normal(n))
    woman = streams["sex"].random(n) < spec.female
    female = d["background_female_factor"]
    twins["background_factor"] = np.where(woman, female, 2.0 - female)
    return twins


def packed(twins: NDArray[np.void], lesions: NDArray[np.void]) -> NDArray[np.void]:
    """Lesions without columns that nobody uses; writes n_lesions of each twin."""
    used = lesions["status"] != ABSENT
    room = max(1, int(np.max(np.nonzero(used.any(0))[0], initial=0)) + 1)
    twins["n_lesions"] = np.where(used, np.arange(lesions.shape[1])[None, :] + 1, 0).max(1)
    return np.ascontiguousarray(lesions[:, :room])


def draw_markers(spec: PopulationSpec, n: int, streams: Streams) -> tuple[Floats, Floats, Floats]:
    """Flags (RAS mutant, BRAF V600E, MSI-high); no tumour has both of the first two."""
    ras = streams["ras"].random(n) < spec.ras_mutant
    among_wild_type = spec.braf_mutant / max(1.0 - spec.ras_mutant, 1e-9)
    braf = ~ras & (streams["braf"].random(n) < among_wild_type)
    msi = streams["msi"].random(n) < spec.msi_high
    return ras.astype(float), braf.astype(float), msi.astype(float)


def _ecog(spec: PopulationSpec, n: int, streams: Streams) -> Floats:
    edges = np.cumsum(spec.ecog) / sum(spec.ecog)
    return np.minimum(np.searchsorted(edges, streams["ecog"].random(n), side="right"), 2).astype(float)


def _age(age: Spread, z: Floats) -> Floats:
    """Ages about the median, each side with its own width, within the range."""
    width = np.where(z < 0, age.median - age.low, age.high - age.median) / RANGE_SDS
    return np.clip(age.median + width * z, age.low, age.high)


def draw_bin(shares: dict[str, float], most: int, pick: Floats, within: Floats) -> NDArray[np.int64]:
    """Whole numbers by shares of bins; `pick`, `within` (n,) uniform numbers.

    Within a bin numbers fall off as 1/k, as those of nodes and lesions do; an open bin ends at `most`.
    """
    spans = [bounds(label, most) for label in shares]
    edges = np.cumsum(list(shares.values())) / sum(shares.values())
    chosen = np.minimum(np.searchsorted(edges, pick, side="right"), len(spans) - 1)
    found = np.zeros(pick.size, np.int64)
    for index, (low, high) in enumerate(spans):
        numbers = np.arange(low, high + 1)
        weights = np.cumsum(1.0 / np.maximum(numbers, 1))
        mine = chosen == index
        found[mine] = numbers[np.searchsorted(weights / weights[-1], within[mine], side="right")]
    return found


def _counts(spec: PopulationSpec, n: int, streams: Streams) -> tuple[NDArray[np.int64], Floats]:
    """(visible lesions of each patient, normal score of that number)."""
    u = np.clip(streams["count"].random(n), 1e-9, 1 - 1e-9)
    z: Floats = streams["count score"].standard_normal(n)
    if isinstance(spec.lesions, dict):
        count = draw_bin(spec.lesions, ROOM_VISIBLE, u, streams["count within"].random(n))
        z = np.asarray((np.log(count) - np.log(count).mean()) / max(float(np.log(count).std()), 1e-9))
    else:
        count = np.rint(spec.lesions * np.exp(SD_LN_COUNT * z)).astype(np.int64)
    return np.clip(count, 1, ROOM_VISIBLE), z


def _place_visible(lesions: NDArray[np.void], spec: PopulationSpec, streams: Streams) -> NDArray[np.int64]:
    """Put the visible lesions of each patient into `lesions` (n, ROOM_VISIBLE); returns their number."""
    n, room = int(lesions.shape[0]), int(lesions.shape[1])
    count, score = _counts(spec, n, streams)
    share = draw_shares(streams, count, room)
    z: Floats = streams["largest"].standard_normal(n)
    if spec.sld_cm is not None:
        z = COUNT_AND_SUM * score + math.sqrt(1 - COUNT_AND_SUM**2) * z
        total = 10.0 * spec.sld_cm.median * np.exp(spec.sld_cm.sd_ln * z)
        diameters = diameters_of_sum(share, total)
    else:
        assert spec.largest_mm is not None
        largest = spec.largest_mm.median * np.exp(spec.largest_mm.sd_ln * z)
        diameters = diameters_of_largest(share, largest)
    shown = np.arange(room)[None, :] < count[:, None]
    size = np.clip(np.where(shown, diameters, 1.0), 1.0, 300.0)
    lesions["x"] = np.log(np.pi / 6 * (size / 10) ** 3 * 1e9)
    lesions["status"] = np.where(shown, VISIBLE, ABSENT)
    lesions["organ"] = _organs(spec.liver_only, count, room, streams)
    return count


def _organs(liver_only: float, count: NDArray[np.int64], room: int, streams: Streams) -> NDArray[np.int64]:
    """Organ of each visible lesion: all in the liver, in the liver and elsewhere, or only elsewhere."""
    n = count.size
    u = streams["site"].random(n)
    alone = u < liver_only
    with_liver = u < max(SITES[LIVER], liver_only)
    away = [organ for organ in SITES if organ != LIVER]
    weights = np.cumsum([SITES[organ] for organ in away])
    pick = np.searchsorted(weights / weights[-1], streams["site organ"].random((n, room)), side="right")
    elsewhere = np.array(away)[np.minimum(pick, len(away) - 1)]
    in_liver = streams["site mixed"].random((n, room)) < 0.5
    in_liver[:, 0] = False  # a patient with disease elsewhere has at least one such lesion,
    in_liver[:, 1] = True  # and one with liver disease as well, if there are two
    organ = np.where(with_liver[:, None] & in_liver, LIVER, elsewhere)
    return np.where(alone[:, None], LIVER, organ)


def _mean_load(
    spec: PopulationSpec,
    setting: str,
    d: NDArray[np.void],
    count: NDArray[np.int64],
    markers: tuple[Floats, Floats, Floats],
    streams: Streams,
) -> Floats:
    """Mean number of unseen lesions of each patient, before its own frailty."""
    n = d.size
    if setting == "adjuvant":
        nodes = _nodes(spec, n, streams)
        has_nodes = (nodes > 0).astype(float)
        u = streams["t"].random(n)
        t4: Any = (u < spec.t4).astype(float)
        t12: Any = (u > 1.0 - spec.t12).astype(float)
        ln_mean = load_after_primary(d, nodes, has_nodes, t4, t12, spec.rectal, markers[2])
        return np.asarray(np.exp(ln_mean))
    if setting not in LOCAL:
        return np.asarray(d["occult_unresectable"])
    synchronous = (streams["synchronous"].random(n) < spec.synchronous).astype(float)
    positive = streams["stage"].random(n) < spec.primary_node_positive
    ras, braf, _ = markers
    number = count.astype(float)
    ln_mean = load_with_metastases(d, number, synchronous, ras, braf, positive.astype(float), None)
    return np.asarray(np.exp(ln_mean))


def _nodes(spec: PopulationSpec, n: int, streams: Streams) -> Floats:
    """Positive nodes of each patient, none in stage II."""
    positive = streams["stage"].random(n) >= spec.stage_2
    pick, within = streams["nodes"].random(n), streams["nodes within"].random(n)
    return np.where(positive, draw_bin(spec.nodes, MOST_NODES, pick, within), 0).astype(float)


def _unseen_at_baseline(lesions: NDArray[np.void]) -> None:
    """What the scan on day 0 would have shown counts among the visible: each is below its own limit."""
    lesions["x"] = lesions["x"] + lesions["offset"] - 1e-6


def _grow_since_surgery(twins: NDArray[np.void], lesions: NDArray[np.void], days: float) -> None:
    if days <= 0:
        return
    rate = np.ascontiguousarray(twins["growth"][:, None] * lesions["growth"]).ravel()
    k = float(np.log(load_parameters()["capacity_cells"].value))
    x = np.ascontiguousarray(lesions["x"]).ravel()
    lesions["x"] = grow_many(x, np.full(x.size, days), rate, k).reshape(lesions.shape)


def fit_for_trial(
    twins: NDArray[np.void], lesions: NDArray[np.void], d: NDArray[np.void], effect: Floats, u: Floats
) -> NDArray[np.bool_]:
    """Is each patient fit enough to enter a trial with visible metastases? (n,)

    `d` (n,): parameter sets, `effect` (n,): trial effect on the hazard of death, `u` (n,): uniform coins.
    """
    size = np.cbrt(6.0 / np.pi * np.exp(lesions["x"]) / CELLS_PER_ML)
    total = np.where(lesions["status"] == VISIBLE, size, 0.0).sum(1)
    start = d["death_intercept"] + effect + twins["ln_frailty"]
    hazard = cancer_hazards(total, start, d["death_burden"], d["death_full_cm"])
    return np.asarray(u < np.exp(-d["fitness_days"] * hazard))


def disease_free(lesions: NDArray[np.void], limit: float | None = None) -> NDArray[np.bool_]:
    """Is nothing seen? (n,) `limit`: ln cells seen half the time, None: by CT."""
    threshold = ct_limit() if limit is None else limit
    seen = (lesions["status"] == OCCULT) & (lesions["x"] > threshold + lesions["offset"])
    return np.asarray(~((lesions["status"] == VISIBLE) | seen).any(1))
