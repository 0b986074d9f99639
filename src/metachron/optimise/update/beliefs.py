"""What is believed of the patient, before and after the findings: spreads over twins, and what moved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from metachron.engine.batch import Lives
from metachron.engine.records import VISIBLE
from metachron.model.kill import EGFR, FP, FTD, IRI, OX, TARGET
from metachron.optimise.update import results
from metachron.optimise.update.results import Belief, Spread, StrategyBelief
from metachron.optimise.update.today import Group
from metachron.optimise.update.weigh import People
from metachron.optimise.update.words import spread_text
from metachron.parameters.posterior import Ensemble
from metachron.plan.arms import Arm
from metachron.plan.bands import estimate
from metachron.plan.outcomes import DAYS_PER_MONTH
from metachron.plan.results import Basis
from metachron.plan.twins import doubling_times, unseen_counts

Floats = NDArray[np.float64]
CLASS_WORDS = {
    FP: "fluoropyrimidines",
    OX: "oxaliplatin",
    IRI: "irinotecan",
    EGFR: "anti-EGFR drugs",
    FTD: "trifluridine",
    TARGET: "matched targeted drugs",
}
SHOWN_ALWAYS = (FP, OX, IRI)
STILL = 0.1  # prior SD by which a mean must move to have moved


@dataclass(frozen=True)
class Quantity:
    """One number of every twin: how it is read, on which scale it is normal, and what it rests on."""

    name: str
    group: results.Group
    words: str
    unit: str
    read: Callable[[Group], Floats]
    scale: str  # ln, logit or plain
    rests: tuple[str, ...]
    up: str
    down: str


def _share(k: int) -> Callable[[Group], Floats]:
    """Mean resistant share of visible disease to class k, as it was before this treatment."""

    def read(g: Group) -> Floats:
        lesions, twins = g.people.lesions, g.people.twins
        seen = lesions["status"] == VISIBLE
        share = expit(twins["logit_macro"][:, k, None] + lesions["resistance"])
        return np.asarray((share * seen).sum(1) / np.maximum(seen.sum(1), 1))

    return read


def _logit_macro(k: int) -> Callable[[Group], Floats]:
    """Resistant share of a visible lesion of this patient, where none is visible."""
    return lambda g: np.asarray(expit(g.people.twins["logit_macro"][:, k]))


def _now(k: int) -> Callable[[Group], Floats]:
    return lambda g: g.people.walked.resistant[:, 0, k]


def _relative(name: str, centre: float) -> Callable[[Group], Floats]:
    return lambda g: np.asarray(g.people.twins[name] / centre)


def _beside_tumour(people: People) -> list[Quantity]:
    """Unseen disease and the body."""
    return [
        Quantity("unseen_lesions", "unseen disease", "lesions that no scan has shown, today", "lesions",
                 lambda g: unseen_counts(g.twins).astype(float), "plain", ("occult_dispersion",),
                 "more unseen disease", "less unseen disease"),
        Quantity("any_unseen", "unseen disease", "probability of a lesion that no scan has shown", "fraction",
                 lambda g: (unseen_counts(g.twins) > 0).astype(float), "plain", ("occult_dispersion",),
                 "more unseen disease", "less unseen disease"),
        Quantity("marrow_sensitivity", "body", "sensitivity of the marrow to chemotherapy", "times average",
                 _relative("marrow_factor", float(np.median(people.twins["marrow_factor"]))), "ln",
                 ("marrow_slope_factor",), "deeper neutropenia", "milder neutropenia"),
        Quantity("nerve_sensitivity", "body", "sensitivity of the nerves to oxaliplatin", "times average",
                 _relative("nerve_factor", float(np.median(people.twins["nerve_factor"]))), "ln",
                 ("neuropathy_grade2_mg_m2",), "more neuropathy", "less neuropathy"),
    ]  # fmt: skip


def quantities(prior: Group) -> list[Quantity]:
    """What is looked at, in order; what the patient cannot have is left out."""
    people = prior.people
    seen = bool((people.lesions["status"] == VISIBLE).any())
    given = [k for k in CLASS_WORDS if np.isfinite(people.walked.resistant[:, 0, k]).any()]
    found = [
        Quantity("doubling_time_days", "growth", "volume doubling time of visible disease" if seen else
                 "volume doubling time at 1 cm", "days", lambda g: doubling_times(g.twins), "ln",
                 ("vdt_ref_days",), "slower growth", "faster growth"),
        Quantity("sensitivity", "sensitivity", "sensitivity of the tumour to drugs", "times average",
                 _relative("sensitivity", float(np.median(people.twins["sensitivity"]))), "ln",
                 ("kappa_fp", "kappa_ox", "kappa_iri"), "more kill for the same dose",
                 "less kill for the same dose"),
    ]  # fmt: skip
    active = bool((people.twins["egfr_active"] > 0).any())
    for k in CLASS_WORDS:
        if k in given or k in SHOWN_ALWAYS or (k == EGFR and active):
            mean = "phi_egfr_mean" if k == EGFR else "phi_macro_mean"
            found.append(
                Quantity(f"resistant_{_key(k)}", "resistance",
                         f"share of tumour cells resistant to {CLASS_WORDS[k]} before this treatment",
                         "fraction", _share(k) if seen else _logit_macro(k), "logit", (mean,),
                         "more resistant", "less resistant")
            )  # fmt: skip
    found += [
        Quantity(f"resistant_now_{_key(k)}", "resistance",
                 f"share of living tumour cells resistant to {CLASS_WORDS[k]} today", "fraction", _now(k),
                 "logit", ("phi_macro_mean",), "more resistant", "less resistant")
        for k in given
    ]  # fmt: skip
    return [*found, *_beside_tumour(people)]


def _key(k: int) -> str:
    return CLASS_WORDS[k].split()[0].replace("-", "_").lower()


def beliefs(prior: Group, updated: Group, ensemble: Ensemble | None, outside: bool) -> list[Belief]:
    """Every quantity before and after."""
    return [
        belief(q, q.read(prior), q.read(updated), _basis(q, ensemble, outside)) for q in quantities(prior)
    ]


def _basis(q: Quantity, ensemble: Ensemble | None, outside: bool) -> Basis:
    if outside:
        return "outside"
    pinned = ensemble is not None and all(name in ensemble.calibrated for name in q.rests)
    return "calibrated" if pinned else "prior-driven"


def spread(values: Floats) -> Spread:
    """Mean, median and 90 % interval over equally weighted twins; those without a value are left out."""
    known = values[np.isfinite(values)]
    if not known.size:
        return Spread(mean=0.0, median=0.0, lower=0.0, upper=0.0)
    low, mid, high = (float(v) for v in np.quantile(known, (0.05, 0.5, 0.95)))
    return Spread(mean=float(known.mean()), median=mid, lower=low, upper=high)


def _natural(values: Floats, scale: str) -> Floats:
    known = values[np.isfinite(values)]
    if scale == "ln":
        return np.asarray(np.log(np.maximum(known, 1e-12)))
    if scale == "logit":
        clipped = np.clip(known, 1e-12, 1 - 1e-12)
        return np.asarray(np.log(clipped / (1 - clipped)))
    return known


def belief(q: Quantity, before: Floats, after: Floats, basis: Basis) -> Belief:
    """One belief with what moved."""
    a, b = _natural(before, q.scale), _natural(after, q.scale)
    sd = float(a.std()) or 1.0
    shift, narrowed = float(b.mean() - a.mean()) / sd, float(b.std()) / sd
    moved = "unchanged" if abs(shift) < STILL else "up" if shift > 0 else "down"
    first, then = spread(before), spread(after)
    return Belief.model_validate(
        {
            "name": q.name,
            "group": q.group,
            "words": q.words,
            "unit": q.unit,
            "prior": first,
            "updated": then,
            "moved": moved,
            "shift": round(shift, 3),
            "narrowed": round(narrowed, 3),
            "text": _sentence(q, first, then, moved),
            "basis": basis,
        }
    )


def _sentence(q: Quantity, first: Spread, then: Spread, moved: str) -> str:
    counts = q.scale == "plain"
    text = (
        f"{q.words[0].upper()}{q.words[1:]}: {_show(q, first, counts)} before, {_show(q, then, counts)} now"
    )
    return f"{text}: {'as before' if moved == 'unchanged' else q.up if moved == 'up' else q.down}."


def _show(q: Quantity, s: Spread, mean: bool) -> str:
    return spread_text(s, q.unit, mean=mean)


def strategy_beliefs(
    before: list[Arm], after: list[Arm], prior: Group, updated: Group, years: float
) -> list[StrategyBelief]:
    """Months alive from today under each strategy, before and after the findings."""
    found = []
    for old, new in zip(before, after, strict=True):
        if old.lives is None or new.lives is None:
            continue
        a, b = (_months(arm.lives, years) for arm in (old, new))
        first = estimate(a, prior.twins.twins["draw"], 0.0)
        then = estimate(b, updated.twins.twins["draw"], 0.0)
        change = float(b.mean() - a.mean())
        way = (
            "as before"
            if abs(change) < 0.5
            else f"{abs(change):.1f} months {'more' if change > 0 else 'less'}"
        )
        found.append(
            StrategyBelief(
                name=new.strategy.name,
                title=new.strategy.title,
                prior_months=first,
                updated_months=then,
                prior_survival=_alive(old.lives, years),
                updated_survival=_alive(new.lives, years),
                change_months=change,
                basis=new.rests.outcomes["os"],
                text=f"{a.mean():.1f} months alive within {years:g} years before the findings, "
                f"{b.mean():.1f} after: {way}.",
            )
        )
    return found


def _months(lives: Lives | None, years: float) -> Floats:
    assert lives is not None
    return np.asarray(np.minimum(lives.outcomes["death"], years * 365.25) / DAYS_PER_MONTH)


def _alive(lives: Lives, years: float) -> dict[str, float]:
    death = lives.outcomes["death"]
    return {str(y): float((death > y * 365.25).mean()) for y in (1, 2, 3, 5) if y <= years}
