"""What would have to be true for the strategy behind to be the better one.

Along each parameter that matters (99 % range of its distribution) and each finding of the patient the paired
difference is worked out on the same random numbers; where its sign changes is the answer. A change of sign
counts only when the other side is reached clear of Monte Carlo error. Else nothing plausible was found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from metachron.errors import TwinError
from metachron.optimise.numbers import figures
from metachron.optimise.understand.changed import Finding, findings_of
from metachron.optimise.understand.pair import Pair, measured, paired, set_parameters
from metachron.optimise.understand.ranges import quantiles
from metachron.optimise.understand.results import Counterfactual, Counterfactuals, Point
from metachron.optimise.understand.text import opening, unit_of, within
from metachron.optimise.understand.worth import by_group, by_spline
from metachron.parameters import load_parameters
from metachron.parameters.posterior import Ensemble
from metachron.patient.schema import Patient
from metachron.plan.bands import Paired
from metachron.plan.findings import read_findings
from metachron.plan.results import Basis
from metachron.plan.twins import Twins, doubling_times, unseen_counts
from metachron.strategies.eligibility import judge
from metachron.strategies.schema import Step

Floats = NDArray[np.float64]
Say = Callable[[str, float], None]
GRID = [0.005, 0.05, 0.25, 0.5, 0.75, 0.95, 0.995]
BINS = 8
CLEAR = 2.0  # standard errors on the other side that count as a change of sign
Z_90 = 1.6448536269514722
MOST_UNSEEN = 4
MOST_NAMED = 5


def counterfactuals(
    pair: Pair,
    names: list[str],
    base: tuple[Twins, Floats],
    ensemble: Ensemble | None,
    basis: Basis,
    n: int,
    say: Say,
) -> Counterfactuals:
    """All that was tried. `names`: parameters; `base`: twins as they are and their differences (m,)."""
    before, prior = pair.lives, ensemble is None
    mean = float(base[1].mean())
    resects = any(a.strategy.steps and _resects(pair, a.strategy.steps) for a in (pair.first, pair.second))
    findings = findings_of(pair.patient, resects=resects)
    items: list[Counterfactual] = []
    for i, name in enumerate(names):
        say("counterfactuals: parameters", 0.6 * i / max(len(names), 1))
        of_name = "prior-driven" if ensemble is None else ensemble.basis(name)
        items.append(_along_parameter(pair, name, n, mean, of_name, prior=prior))
    for i, finding in enumerate(findings):
        say("counterfactuals: findings", 0.6 + 0.4 * i / max(len(findings), 1))
        items.append(_along_finding(pair, finding, n, mean, basis))
    items += _hidden(base, mean, basis, pair)
    items.sort(key=lambda c: c.flips_at is None)
    ahead, behind = _order(pair, mean)
    return Counterfactuals(
        ahead=ahead, behind=behind, items=items, lives=pair.lives - before, words=_words(items, behind, ahead)
    )


def _resects(pair: Pair, steps: list[Step]) -> bool:
    kinds = pair.catalogue.procedures
    return any(kinds[p].kind == "resection" for step in steps for p in step.procedures)


def _order(pair: Pair, mean: float) -> tuple[str, str]:
    """(name of the strategy ahead, name of the other)."""
    first, second = pair.first.strategy.name, pair.second.strategy.name
    return (first, second) if mean >= 0 else (second, first)


def crossing(x: Floats, f: Floats, error: Floats, mean: float) -> tuple[float, tuple[float, float]] | None:
    """Where f (k,) along ascending x changes to the sign that `mean` has not, with a 90 % interval.

    Nearest to the side on which the sign is that of `mean`; linear between points. None when no point lies
    on the other side by `CLEAR` standard errors (k,).
    """
    side = 1.0 if mean >= 0 else -1.0
    g = side * f
    other = np.flatnonzero(g < -CLEAR * error)
    same = np.flatnonzero(g > 0)
    if other.size == 0 or same.size == 0:
        return None
    spots = [_roots(x, g + shift * error) for shift in (0.0, -Z_90, Z_90)]
    here = _nearest(spots[0], x, other, same)
    ends = [_nearest(s, x, other, same) if s else here for s in spots[1:]]
    return here, (min(here, *ends), max(here, *ends))


def _roots(x: Floats, g: Floats) -> list[float]:
    turns = np.flatnonzero(np.sign(g[:-1]) * np.sign(g[1:]) < 0)
    found = [float(x[i] + (x[i + 1] - x[i]) * g[i] / (g[i] - g[i + 1])) for i in turns]
    return found or [float(v) for v in x[g == 0.0]]


def _nearest(roots: list[float], x: Floats, other: NDArray[np.int64], same: NDArray[np.int64]) -> float:
    """The root between the two sides; the one closest to the clear points of the other side."""
    middle = 0.5 * (float(x[other].mean()) + float(x[same].mean()))
    return min(roots, key=lambda r: abs(r - middle)) if roots else middle


# --- parameters -------------------------------------------------------------------------------------------


def _along_parameter(
    pair: Pair, name: str, n: int, mean: float, basis: Basis, *, prior: bool
) -> Counterfactual:
    entry = load_parameters()[name]
    values = np.unique(quantiles(name, GRID, prior=prior))
    points: list[Point] = []
    for value in values:
        changed = pair.with_sets(set_parameters(pair.sets, {name: float(value)}))
        if (found := _difference(changed, n)) is not None:
            points.append(Point(value=float(value), difference=measured(found)))
    now = float(quantiles(name, [0.5], prior=prior)[0])
    return _conclude(pair, name, entry.title, "parameter", entry.unit, now, points, mean, basis)


def _difference(pair: Pair, n: int) -> Paired | None:
    """The difference on `n` twins; None when no twin fits."""
    try:
        twins = pair.twins(n)
    except TwinError:
        return None
    return paired(pair.signed(twins), twins)


# --- findings ---------------------------------------------------------------------------------------------


def for_patient(pair: Pair, patient: Patient) -> Pair:
    """The two strategies for the patient with another record: findings, doses and programmes anew."""
    changed = replace(pair, patient=patient, found=read_findings(patient, pair.catalogue))
    arms = [
        replace(a, programme=changed.programme(a.strategy), lives=None)
        for a in (changed.first, changed.second)
    ]
    return replace(changed, first=arms[0], second=arms[1])


def _along_finding(pair: Pair, finding: Finding, n: int, mean: float, basis: Basis) -> Counterfactual:
    points: list[Point] = []
    for i, value in enumerate(finding.values):
        there = for_patient(pair, finding.change(pair.patient, value))
        found = _difference(there, n)
        if found is None:
            continue
        verdicts = [judge(there.patient, a.strategy, there.catalogue) for a in (there.first, there.second)]
        points.append(
            Point(
                value=value,
                label=finding.labels[i] if finding.labels else "",
                difference=measured(found),
                eligible=all(v.eligible != "no" for v in verdicts),
            )
        )
    return _conclude(
        pair, finding.name, finding.title, "finding", finding.unit, finding.now, points, mean, basis
    )


# --- what no record holds ---------------------------------------------------------------------------------


def _hidden(base: tuple[Twins, Floats], mean: float, basis: Basis, pair: Pair) -> list[Counterfactual]:
    """Doubling time and unseen lesions: the difference among the twins that have them."""
    twins, d = base
    found = []
    doubling = doubling_times(twins)
    if np.ptp(doubling) > 0:
        points = _profile(doubling, by_spline(d, np.log(doubling)), d)
        title = "volume doubling time now"
        now = float(np.median(doubling))
        found.append(_conclude(pair, "doubling time", title, "hidden", "d", now, points, mean, basis))
    unseen = np.minimum(unseen_counts(twins), MOST_UNSEEN).astype(float)
    if np.ptp(unseen) > 0:
        expected = by_group(d, unseen)
        points = []
        for value in np.unique(unseen):
            here = unseen == value
            label = f"{int(value)} or more" if value == MOST_UNSEEN else f"{int(value)}"
            points.append(_point(float(value), expected[here], d[here], label))
        title = "number of metastases that no scan has shown"
        found.append(
            _conclude(
                pair,
                "unseen lesions",
                title,
                "hidden",
                "lesions",
                float(np.median(unseen)),
                points,
                mean,
                basis,
            )
        )
    return found


def _profile(x: Floats, expected: Floats, d: Floats) -> list[Point]:
    """Expected difference in groups of twins of equal size along x, within its 99 % range."""
    low, high = np.quantile(x, [0.005, 0.995])
    inside = np.flatnonzero((x >= low) & (x <= high))
    parts = np.array_split(inside[np.argsort(x[inside], kind="stable")], BINS)
    return [_point(float(np.median(x[p])), expected[p], d[p]) for p in parts]


def _point(value: float, expected: Floats, d: Floats, label: str = "") -> Point:
    error = float(d.std() / np.sqrt(d.size)) if d.size > 1 else float("inf")
    mean = float(expected.mean())
    found = Paired(mean, mean - Z_90 * error, mean + Z_90 * error, 0.5, error)
    return Point(value=value, label=label, difference=measured(found))


# --- conclusion -------------------------------------------------------------------------------------------


def _conclude(
    pair: Pair,
    name: str,
    title: str,
    kind: str,
    unit: str,
    now: float | None,
    points: list[Point],
    mean: float,
    basis: Basis,
) -> Counterfactual:
    allowed = [p for p in points if p.eligible]
    x = np.array([p.value for p in allowed])
    f = np.array([p.difference.value or 0.0 for p in allowed])
    error = np.array([p.difference.mc_error for p in allowed])
    flip = crossing(x, f, error, mean) if x.size else None
    label = _flip_label(allowed, mean) if flip is not None and any(p.label for p in allowed) else ""
    low, high = (points[0].value, points[-1].value) if points else (0.0, 0.0)
    behind = _order(pair, mean)[1]
    return Counterfactual.model_validate(
        {
            "name": name,
            "title": title,
            "kind": kind,
            "unit": unit,
            "now": now,
            "low": low,
            "high": high,
            "flips_at": flip[0] if flip else None,
            "flips_label": label,
            "flips_between": flip[1] if flip else None,
            "curve": points,
            "basis": basis,
            "words": _sentence(title, unit, now, flip, label, (low, high), points, behind, mean),
        }
    )


def _flip_label(points: list[Point], mean: float) -> str:
    """The words of the values at which the other strategy is ahead."""
    other = [p for p in points if (p.difference.value or 0.0) * mean < 0]
    return " or ".join(p.label for p in other)


def _sentence(
    title: str,
    unit: str,
    now: float | None,
    flip: tuple[float, tuple[float, float]] | None,
    label: str,
    ends: tuple[float, float],
    points: list[Point],
    behind: str,
    mean: float,
) -> str:
    refused = [p for p in points if not p.eligible]
    note = f" At {_values(refused)} one of the two may not be given." if refused else ""
    if not points:
        return f"{opening(title)}: no twin fits at any value."
    if flip is None:
        span = (
            _values(points) if points[0].label else f"{figures(ends[0])} to {figures(ends[1])}{unit_of(unit)}"
        )
        return f"{opening(title)} ({span}): nothing plausible would put {behind} ahead.{note}"
    if label:
        return f"{behind} would be ahead if the {within(title)} were {label}.{note}"
    above = sum((p.difference.value or 0.0) * mean < 0 and p.value > flip[0] for p in points)
    below = sum((p.difference.value or 0.0) * mean < 0 and p.value < flip[0] for p in points)
    side = "above" if above >= below else "below"
    between = f"{figures(flip[1][0])} to {figures(flip[1][1])}"
    today = f"; now {figures(now)}" if now is not None else ""
    at = f"{figures(flip[0])}{unit_of(unit)}"
    return f"{behind} would be ahead with {within(title)} {side} {at} ({between}{today}).{note}"


def _values(points: list[Point]) -> str:
    return ", ".join(p.label or figures(p.value, 3) for p in points)


def _words(items: list[Counterfactual], behind: str, ahead: str) -> list[str]:
    flips = [c for c in items if c.flips_at is not None]
    if not flips:
        tried = ", ".join(within(c.title) for c in items[:MOST_NAMED])
        if len(items) > MOST_NAMED:
            tried += f" and {len(items) - MOST_NAMED} more"
        return [f"Nothing plausible would put {behind} ahead of {ahead} (tried one at a time: {tried})."]
    return [c.words for c in flips[:4]]
