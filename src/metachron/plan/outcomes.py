"""From lives to outcomes: survival curves, toxicity, completion, response."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from metachron.engine.batch import Lives
from metachron.engine.records import START_PLANNED, SYSTEMIC, Programme
from metachron.model.toxicity import KINDS, NEUROPATHY
from metachron.plan.bands import band_of, by_draw_above, estimate
from metachron.plan.basis import Rests
from metachron.plan.results import Basis, Completion, Curve, Estimate, Outcomes, Toxicity

Floats = NDArray[np.float64]
DAYS_PER_MONTH = 30.4375
LEAST_SHOWN = 0.005
RESPONSES = ("not measured", "CR", "PR", "SD", "PD")


def _crossing(times: Floats, curve: Floats) -> float | None:
    """First month at which the curve falls to one half, linear in between; None when it never does."""
    below = np.flatnonzero(curve <= 0.5)
    if below.size == 0:
        return None
    j = int(below[0])
    if j == 0:
        return float(times[0])
    s0, s1 = curve[j - 1], curve[j]
    return float(times[j - 1] + (times[j] - times[j - 1]) * (s0 - 0.5) / max(s0 - s1, 1e-12))


def _median(times: Floats, mid: Floats, low: Floats, high: Floats) -> Estimate:
    return Estimate(value=_crossing(times, mid), lower=_crossing(times, low), upper=_crossing(times, high))


def curve(endpoint: str, days: Floats, draw: NDArray[np.int64], horizon_days: float, basis: Basis) -> Curve:
    """Survival of event days (n,) on a monthly grid with its band over draws."""
    months = days / DAYS_PER_MONTH
    end = horizon_days / DAYS_PER_MONTH
    times = np.arange(0, np.floor(end + 1e-9) + 1)
    mid, low, high = band_of(*by_draw_above(months, times, draw))
    low, high = np.minimum.accumulate(np.clip(low, 0, 1)), np.minimum.accumulate(np.clip(high, 0, 1))
    years = [y for y in (1, 3, 5) if 12 * y <= times[-1]]
    return Curve(
        endpoint=endpoint,
        times_months=times.tolist(),
        survival=mid.round(6).tolist(),
        lower=low.round(6).tolist(),
        upper=high.round(6).tolist(),
        at_risk={str(int(t)): int((months > t).sum()) for t in times if t % 6 == 0},
        median_months=_median(times, mid, low, high),
        landmarks={
            str(y): Estimate(value=float(mid[12 * y]), lower=float(low[12 * y]), upper=float(high[12 * y]))
            for y in years
        },
        rmst_months=estimate(np.minimum(months, end), draw, 0, end),
        basis=basis,
    )


def toxicity(lives: Lives, draw: NDArray[np.int64], basis: Rests) -> list[Toxicity]:
    """Probability by kind and grade; 'any' first; kinds under 0.5 % are left out."""
    found: list[Toxicity] = []

    def add(kind: str, grade: str, hit: NDArray[np.bool_]) -> None:
        if hit.mean() >= LEAST_SHOWN or kind == "any":
            found.append(
                Toxicity.model_validate(
                    {
                        "kind": kind,
                        "grade": grade,
                        "probability": estimate(hit, draw, 0, 1),
                        "basis": basis.of_kind(kind),
                    }
                )
            )

    add("any", "3+", np.asarray((lives.grades >= 3).any(1)))
    add("death from treatment", "5", np.asarray((lives.grades == 5).any(1)))
    for k, kind in enumerate(KINDS):
        if k == NEUROPATHY:
            add(kind, "2+", lives.grades[:, k] >= 2)
        add(kind, "3+", lives.grades[:, k] >= 3)
        add(kind, "4+", lives.grades[:, k] >= 4)
    return found


def _duration(lives: Lives, chemo: NDArray[np.int64]) -> Floats:
    span = lives.ends[:, chemo] - lives.starts[:, chemo]
    return np.asarray(np.nansum(span, axis=1))


def completion(
    programme: Programme, lives: Lives, draw: NDArray[np.int64], basis: Basis
) -> Completion | None:
    """Planned chemotherapy completed, and dose intensity relative to plan (of the cycles begun)."""
    planned = programme.segments[: programme.n_planned]
    given = (planned["kind"] == SYSTEMIC) & (planned["trigger"] == START_PLANNED)
    chemo = np.flatnonzero(given & (planned["cytotoxic"] == 1))
    if chemo.size == 0:
        return None
    given = lives.outcomes["cycles_given"].astype(float)
    cycle_days = float(planned["cycle_days"][chemo].mean())
    days = np.maximum(_duration(lives, chemo), given * cycle_days)
    finite = bool((planned["cycles"][chemo] > 0).all())
    total = int(planned["cycles"][chemo].sum()) if finite else None
    began = given > 0
    intensity = np.zeros(given.size)
    if total is not None:
        pace = np.where(began, given * cycle_days / np.maximum(days, 1), 0)
        intensity = lives.outcomes["dose_given"] / total * pace
        completed = estimate(given >= total, draw, 0, 1)
    else:
        intensity[began] = (lives.outcomes["dose_given"] / np.maximum(days, 1) * cycle_days)[began]
        completed = Estimate(value=None)
    used = slice(None) if total is not None else began
    return Completion(
        planned_cycles=total,
        completed=completed,
        relative_dose_intensity=estimate(intensity[used], draw[used], 0, 1)
        if np.any(began)
        else Estimate(value=None),
        basis=basis,
    )


def outcomes(
    programme: Programme, lives: Lives, draw: NDArray[np.int64], *, measurable: bool, basis: Rests
) -> Outcomes:
    """Everything reported about one strategy. `measurable`: visible disease is treated, not removed (PFS)."""
    o = lives.outcomes
    response = {}
    if measurable and (o["response"] > 0).any():
        shares = np.bincount(o["response"], minlength=5) / o.size
        response = {name: float(s) for name, s in zip(RESPONSES, shares, strict=True)}
    return Outcomes(
        os=curve("OS", o["death"], draw, lives.horizon, basis.outcomes["os"]),
        rfs_or_pfs=curve(
            "PFS" if measurable else "RFS", o["pfs"], draw, lives.horizon, basis.outcomes["rfs_or_pfs"]
        ),
        hepatic_rfs=curve("hepatic RFS", o["hepatic"], draw, lives.horizon, basis.outcomes["hepatic_rfs"]),
        toxicity=toxicity(lives, draw, basis),
        chemotherapy_completed=completion(programme, lives, draw, basis.completion),
        best_response=response,
        no_disease_left=estimate(o["no_cells"], draw, 0, 1),
        basis_note=basis.note,
    )
