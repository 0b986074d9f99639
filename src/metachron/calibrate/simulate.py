"""Simulated arms of trials: virtual patients, their earlier lines, who gets into the trial, what they live.

All arms of a trial have the same patients and the same coins, and differ only by what the arm changes.
Follow-up begins on day 0 of the life, at the operation (resected metastases), or where the trial's own
treatment starts after earlier lines have been lived; those who do not get there are not enrolled.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metachron.calibrate.courses import Branch, Course, branches
from metachron.calibrate.targets import DAYS_PER_MONTH, NEEDS_EARLIER, Target
from metachron.engine.batch import Lives, simulate
from metachron.engine.records import CR, PR, PROGRESSED
from metachron.errors import InputError, Problem
from metachron.model.growth import ln_cells
from metachron.population.draw import DEATH, disease_free, draw_population, fit_for_trial
from metachron.population.spec import LOCAL, PopulationSpec, population_spec
from metachron.population.streams import Streams

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

EFFECTS = ("growth", "kill", "death", "load")
ENDPOINTS = ("OS", "PFS", "DFS", "RFS", "recurrence", "TTP", "TTF", "hepatic_DFS")
BLOCK = 16_384  # patients drawn at once, with streams of their own
ROUNDS = 4  # times that patients are drawn until each draw has as many in the trial as were asked for
MOST_CANDIDATES = 6  # patients drawn for one enrolled at most
# Scans are done within a window about their day: a week to each side (usual in protocols; recalled), or an
# eighth of longer intervals (assumed)
WINDOW_DAYS, WINDOW_SHARE = 7.0, 0.125
FIRST = ("first_line", "maintenance")  # settings that begin with a first line
LEAD_DAYS = 3650.0  # nobody enters a trial later than this after the start of the first line


@dataclass(frozen=True)
class ArmLives:
    """Lives of enrolled patients, in order of draw; days from the beginning of follow-up.

    `draw` (n,): row of the draws. `days`, `event`: by endpoint, time to event or censoring; no hepatic_DFS
    after earlier lines. `response` (n,): CR or PR as best response; `response_measured` says whether it is,
    which it is not after earlier lines and in adjuvant treatment. `enrolled`, `candidates` (k,): number
    enrolled and number drawn for each draw.
    """

    draw: Ints
    days: dict[str, Floats]
    event: dict[str, Bools]
    response: Bools
    enrolled: Ints
    candidates: Ints
    response_measured: bool


@dataclass(frozen=True)
class _Setup:
    """What does not change between blocks of patients; `history` names what decides who is enrolled."""

    history: str
    setting: str
    spec: PopulationSpec
    branches: list[Branch]
    draws: NDArray[np.void]
    effects: Floats
    seed: int
    jobs: int | None
    follow_days: float
    limit: float | None  # ln cells up to which lesions stayed unseen; None: what CT sees


@dataclass
class _Piece:
    """Patients of one block who were enrolled: row of the draws, number, and what they lived.

    `course_end`: of treatment that ended before progression, else infinite.
    """

    row: Ints
    order: Ints
    death: Floats
    progression: Floats
    hepatic: Floats
    course_end: Floats
    response: Bools


def simulate_arm(
    target: Target,
    arm: str,
    draws: NDArray[np.void],
    per_draw: int,
    *,
    seed: int,
    jobs: int | None = None,
    effects: Floats | None = None,
    horizon_days: float | None = None,
) -> ArmLives:
    """The lives of about `per_draw` enrolled patients for each parameter draw under one arm of a trial.

    Main arguments: `target` (the trial), `arm` (its name), `draws` (k,) from `draw_parameters`, `per_draw`.
    Other: `effects` (k, 4) trial effects in the order EFFECTS, `horizon_days` of follow-up (None: as long as
    the trial's findings), `jobs` (threads). Patients are drawn until every draw has `per_draw` in the trial,
    at most ROUNDS times and MOST_CANDIDATES for each one asked for; `enrolled` says how many there are. Same
    (seed, draws, per_draw), same numbers. Raises InputError for an unknown arm and arguments out of range.
    """
    setup = _setup(target, arm, draws, per_draw, seed, jobs, effects, horizon_days)
    k = draws.size
    enrolled, candidates = np.zeros(k, np.int64), np.zeros(k, np.int64)
    known = _members(setup, per_draw)
    members: list[Ints] = []
    pieces: list[_Piece] = []
    for turn in range(ROUNDS):
        rows = _wanted(enrolled, candidates, per_draw)
        for block, first in enumerate(range(0, rows.size, BLOCK)):
            part = rows[first : first + BLOCK]
            only = known[len(pieces)] if known is not None else None
            number = int(candidates.sum())
            piece = _live(setup, part, turn * 1_000_000 + block, number, only)
            candidates += np.bincount(part, minlength=k)
            enrolled += np.bincount(piece.row, minlength=k)
            members.append(np.sort(piece.order) - number)
            pieces.append(piece)
        if (enrolled >= per_draw).all():
            break
    _remember(setup, per_draw, members)
    return _collected(pieces, candidates, per_draw, setup)


_REMEMBERED: OrderedDict[str, list[Ints]] = OrderedDict()
MOST_REMEMBERED = 4  # trials


def _key(setup: _Setup, per_draw: int) -> str:
    """Names everything that decides who is enrolled."""
    digest = hashlib.sha256(np.ascontiguousarray(setup.draws).tobytes())
    digest.update(setup.effects.tobytes())
    digest.update(
        repr((setup.history, setup.spec, setup.seed, per_draw, setup.follow_days, setup.limit)).encode()
    )
    return digest.hexdigest()


def _members(setup: _Setup, per_draw: int) -> list[Ints] | None:
    """Who of each block is enrolled, when another arm of the trial has shown it; saves the other lives."""
    return _REMEMBERED.get(_key(setup, per_draw)) if setup.history else None


def _remember(setup: _Setup, per_draw: int, members: list[Ints]) -> None:
    if setup.history:
        _REMEMBERED[_key(setup, per_draw)] = members
        while len(_REMEMBERED) > MOST_REMEMBERED:
            _REMEMBERED.popitem(last=False)


def _setup(
    target: Target,
    arm: str,
    draws: NDArray[np.void],
    per_draw: int,
    seed: int,
    jobs: int | None,
    effects: Floats | None,
    horizon_days: float | None,
) -> _Setup:
    follow = target.horizon_days if horizon_days is None else float(horizon_days)
    added = np.zeros((draws.size, len(EFFECTS))) if effects is None else np.asarray(effects, np.float64)
    faults = []
    if per_draw < 1:
        faults.append(Problem("per_draw", f"{per_draw} patients for each draw", "1 or more"))
    if draws.size == 0:
        faults.append(Problem("draws", "there is no parameter draw", "1 or more"))
    if added.shape != (draws.size, len(EFFECTS)) or not np.isfinite(added).all():
        allowed = f"finite numbers, shape ({draws.size}, 4)"
        faults.append(Problem("effects", f"trial effects of shape {added.shape}", allowed))
    if not 1.0 <= follow <= 30 * 365.25:
        faults.append(Problem("horizon_days", f"{follow:g} days of follow-up", "1 day to 30 years"))
    if faults:
        raise InputError(faults)
    chosen = target.arm(arm)
    spec = population_spec(target.population_of(arm), target.setting)
    ways = branches(target, chosen)
    history = " ".join(way.history for way in ways) if target.setting in NEEDS_EARLIER else ""
    seen_mm = target.scans_or_default().seen_mm
    limit = None if seen_mm is None else float(ln_cells(seen_mm))
    return _Setup(history, target.setting, spec, ways, draws, added, seed, jobs, follow, limit)


def _wanted(enrolled: Ints, candidates: Ints, per_draw: int) -> Ints:
    """Rows of the draws for which patients are to be drawn, each as often as it needs more."""
    short = np.maximum(per_draw - enrolled, 0)
    tried = int(candidates.sum())
    share = max(enrolled.sum() / tried, 1.0 / MOST_CANDIDATES) if tried else 1.0
    more = np.minimum(np.ceil(short / share), MOST_CANDIDATES * per_draw - candidates)
    return np.repeat(np.arange(enrolled.size), np.maximum(more, 0).astype(np.int64))


def _live(setup: _Setup, rows: Ints, batch: int, number: int, only: Ints | None) -> _Piece:
    """Draw one patient for each of `rows` and let those live who are free of disease if they must be.

    `number` is that of the first of them among all that are drawn; their coins carry it. `only`: those who
    are known to be enrolled, None when it is not known.
    """
    twins, lesions = draw_population(
        setup.spec,
        setup.setting,
        setup.draws[rows],
        seed=setup.seed,
        effects=setup.effects[rows],
        batch=batch,
        limit=setup.limit,
    )
    twins["key"] += number
    fit = _fit(setup, rows, batch, twins, lesions)
    if only is not None:
        fit = np.isin(np.arange(rows.size), only)
    branch = _branch_of(setup, rows.size, batch)
    late = 2.0 * Streams(setup.seed, batch)["scan window"].random(rows.size) - 1.0
    wild = twins["egfr_active"] > 0.5
    twins["draw"] = rows
    pieces = []
    for index, entry in enumerate(setup.branches):
        for course, kind in ((entry.mutant, ~wild), (entry.wild_type, wild)):
            mine = np.flatnonzero(fit & (branch == index) & kind)
            if mine.size:
                lives = _simulated(setup, course, lesions[mine], twins[mine])
                pieces.append(_piece(setup, course, lives, rows[mine], twins["key"][mine], late[mine]))
    return _joined(pieces)


def _fit(setup: _Setup, rows: Ints, batch: int, twins: NDArray[np.void], lesions: NDArray[np.void]) -> Bools:
    """Who may enter a trial (n,): free of disease in the adjuvant setting, fit for a first line.

    Later lines are refused to the unfit by the engine; who is operated on is chosen by the protocol.
    """
    if setup.setting == "adjuvant":
        return disease_free(lesions, setup.limit)
    if setup.setting not in FIRST:
        return np.ones(rows.size, np.bool_)
    u = Streams(setup.seed, batch)["fitness"].random(rows.size)
    return fit_for_trial(twins, lesions, setup.draws[rows], setup.effects[rows, DEATH], u)


def _branch_of(setup: _Setup, n: int, batch: int) -> Ints:
    """Which of the histories each patient has."""
    shares = np.cumsum([branch.share for branch in setup.branches])
    u = Streams(setup.seed, batch)["earlier lines"].random(n)
    return np.minimum(np.searchsorted(shares / shares[-1], u, side="right"), len(shares) - 1)


def _simulated(setup: _Setup, course: Course, lesions: NDArray[np.void], twins: NDArray[np.void]) -> Lives:
    """The lives of some patients, whose field `draw` names the row of all draws."""
    used, own = np.unique(twins["draw"], return_inverse=True)
    draws = setup.draws[used]
    draws["death_intercept"] += setup.effects[used, DEATH]
    twins["draw"] = own
    lead = _months(setup) if course.origin < 0 else LEAD_DAYS
    return simulate(
        np.ascontiguousarray(lesions),
        twins,
        draws,
        course.programme,
        seed=setup.seed,
        horizon_days=setup.follow_days + lead,
        jobs=setup.jobs,
    )


def _months(setup: _Setup) -> float:
    """Days between the operation and the beginning of follow-up, where both are simulated."""
    return setup.spec.months_since_surgery * DAYS_PER_MONTH if setup.setting == "resected_metastases" else 0.0


def _piece(setup: _Setup, course: Course, lives: Lives, rows: Ints, order: Ints, late: Floats) -> _Piece:
    """Days from the beginning of follow-up of those enrolled; infinite when nothing happened.

    `late` (n,), from -1 to 1: how early or late in its window each patient is scanned. It moves the day on
    which progression is seen, and nothing else.
    """
    out = lives.outcomes
    if course.origin < 0:
        start = np.zeros(rows.size)
        progression = np.where(out["pfs_event"] == PROGRESSED, out["pfs"], np.inf)
    else:
        start = lives.starts[:, course.origin] + _months(setup)
        progression = lives.progressions[:, course.origin]
    with np.errstate(invalid="ignore"):
        inside = np.isfinite(start) & (out["death"] > start) & (start <= LEAD_DAYS)
        if setup.setting == "maintenance":
            lasted = start - lives.starts[:, 0]
            inside &= lasted >= course.induction_days
        if setup.setting == "resected_metastases":
            inside &= progression > start
    response = np.isin(out["response"], (CR, PR)) if course.origin < 0 else np.zeros(rows.size, np.bool_)
    in_liver = np.where(out["hepatic_event"] == PROGRESSED, out["hepatic"], np.inf)
    hepatic = np.where(in_liver > start, in_liver, progression)
    end = _course_end(course, lives)
    at, shift = start[inside], late[inside] * _window(setup, course)

    def seen(day: Floats) -> Floats:
        return np.asarray(np.maximum(day[inside] + shift - at, 1.0))

    return _Piece(
        rows[inside],
        order[inside],
        out["death"][inside] - at,
        seen(progression),
        seen(hepatic),
        np.where(end < progression, end, np.inf)[inside] - at,
        response[inside],
    )


def _window(setup: _Setup, course: Course) -> float:
    """Days by which a scan may be early or late."""
    local = setup.setting == "adjuvant" or setup.setting in LOCAL
    every = course.programme.first_scan if local else course.programme.on_treatment_days
    return max(WINDOW_DAYS, WINDOW_SHARE * every)


def _course_end(course: Course, lives: Lives) -> Floats:
    """Day on which the trial's own treatment has ended; infinite without any."""
    if course.last < course.first:
        return np.full(lives.outcomes.size, np.inf)
    ends = lives.ends[:, course.first : course.last + 1]
    return np.asarray(np.where(np.isnan(ends), -np.inf, ends).max(1))


def _joined(pieces: list[_Piece]) -> _Piece:
    if not pieces:
        none = np.zeros(0)
        no, zero = np.zeros(0, np.bool_), np.zeros(0, np.int64)
        return _Piece(zero, zero.copy(), none, none, none, none, no)
    return _Piece(*(np.concatenate([getattr(p, f.name) for p in pieces]) for f in fields(_Piece)))


def _collected(pieces: list[_Piece], candidates: Ints, per_draw: int, setup: _Setup) -> ArmLives:
    """The first `per_draw` enrolled of each draw, in order of draw."""
    whole = _joined(pieces)
    k = candidates.size
    order = np.lexsort((whole.order, whole.row))
    row = whole.row[order]
    place = np.arange(row.size) - np.searchsorted(row, row)
    kept = order[place < per_draw]
    chosen = _Piece(*(getattr(whole, f.name)[kept] for f in fields(_Piece)))
    days, event = _endpoints(chosen, setup.follow_days)
    if setup.setting in NEEDS_EARLIER:  # the engine keeps the first progression in the liver of a whole life
        del days["hepatic_DFS"], event["hepatic_DFS"]
    counts = np.bincount(chosen.row, minlength=k)
    seen = setup.setting != "adjuvant" and setup.branches[0].mutant.origin < 0
    return ArmLives(chosen.row, days, event, chosen.response, counts, candidates, seen)


def _endpoints(p: _Piece, follow: float) -> tuple[dict[str, Floats], dict[str, Bools]]:
    """(days, event) by endpoint, censored at the end of follow-up."""
    progression = np.where(np.isfinite(p.progression), np.minimum(p.progression, p.death), np.inf)
    either = np.minimum(progression, p.death)
    failed = np.minimum(either, np.maximum(p.course_end, 0.0))
    times = {"OS": p.death, "TTF": failed, "hepatic_DFS": np.minimum(p.hepatic, p.death)}
    times |= dict.fromkeys(("PFS", "DFS", "RFS"), either)
    days = {name: np.minimum(t, follow) for name, t in times.items()}
    event = {name: np.asarray(t <= follow) for name, t in times.items()}
    for name in ("recurrence", "TTP"):
        days[name] = np.minimum(either, follow)
        event[name] = progression <= follow
    return days, event


def survival_by_draw(lives: ArmLives, endpoint: str, k: int, at_days: ArrayLike) -> Floats:
    """Kaplan-Meier survival of each of `k` draws at some days, shape (k, len(at_days)); nan for a draw
    without anybody. Raises InputError for an endpoint that is not simulated."""
    if endpoint not in lives.days:
        raise InputError(Problem("endpoint", f"{endpoint!r} is not simulated", ", ".join(lives.days)))
    days, event = lives.days[endpoint], lives.event[endpoint]
    order = np.lexsort((~event, days, lives.draw))
    draw, time, died = lives.draw[order], days[order], event[order]
    first = np.searchsorted(draw, np.arange(k))
    last = np.searchsorted(draw, np.arange(k), side="right")
    left = (last[draw] - np.arange(draw.size)).astype(np.float64)
    with np.errstate(divide="ignore"):
        step = np.where(died, np.maximum(np.log1p(-1.0 / left), -100.0), 0.0)  # exp(-100) stands for nobody
    total = np.concatenate([[0.0], np.cumsum(step)])
    at = np.asarray(at_days, np.float64)
    width = max(float(time.max(initial=0.0)), float(at.max(initial=0.0))) + 1.0
    keys = draw * width + time
    upto = np.searchsorted(keys, (np.arange(k) * width)[:, None] + at[None, :], side="right")
    survival = np.exp(total[np.maximum(upto, first[:, None])] - total[first][:, None])
    return np.asarray(np.where((last > first)[:, None], np.where(survival < 1e-30, 0.0, survival), np.nan))
