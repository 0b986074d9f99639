"""Two ways to predict a curve without a model, as measures of what the model adds.

Nearest trial: the Kaplan-Meier curve of the registered arm most like it, of another trial with the same
setting and endpoint. Pooled Weibull: a Weibull distribution fitted (lifelines, maximum likelihood) to all
registered arms of that setting and endpoint, its own trial left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from metachron.calibrate.observed import Floats, Observed
from metachron.calibrate.score import curve_error
from metachron.calibrate.targets import Population, Target
from metachron.calibrate.targets_population import read_bin

# Weights of the distance between two arms. A difference in what is given counts most: a drug class that one
# arm has and the other lacks, of four classes in all, weighs as much as all the patients' RAS state. Assumed.
DRUG_WEIGHT = 4.0
RAS_WEIGHT = 1.0
STAGE_WEIGHT = 1.0
ECOG_WEIGHT = 0.5
AGE_WEIGHT = 0.05  # a year
EARLIER_WEIGHT = 1.0
SAME_ENDPOINT = {"RFS": "DFS", "TTP": "PFS"}  # endpoints taken for one another


@dataclass(frozen=True)
class Neighbour:
    """A registered curve that may stand in for another."""

    target: Target
    observed: Observed


@dataclass(frozen=True)
class BaselineScore:
    """A baseline's integrated absolute error up to month `until`; `what` names it."""

    what: str
    error: float
    until: float


def endpoint_group(endpoint: str) -> str:
    """Endpoints that are one for the baselines: DFS and RFS, PFS and TTP."""
    return SAME_ENDPOINT.get(endpoint, endpoint)


def candidates(target: Target, endpoint: str, registered: Sequence[Neighbour]) -> list[Neighbour]:
    """The registered curves of other trials with the same setting and endpoint."""
    return [
        n
        for n in registered
        if n.target.trial != target.trial
        and n.target.setting == target.setting
        and endpoint_group(n.observed.key.endpoint) == endpoint_group(endpoint)
    ]


def nearest(target: Target, observed: Observed, among: Sequence[Neighbour]) -> Neighbour | None:
    """The candidate at the least distance; of equals the larger, then the first by name."""
    ranked = sorted(
        among,
        key=lambda n: (
            distance(target, observed.key.arm, n.target, n.observed.key.arm),
            -n.observed.n,
            n.target.trial,
            n.observed.key.arm,
        ),
    )
    return ranked[0] if ranked else None


def distance(one: Target, one_arm: str, other: Target, other_arm: str) -> float:
    """How unlike two arms are: drug classes, RAS, stage, ECOG, age, earlier lines. 0 for the same on all.

    What either trial does not say contributes nothing.
    """
    a, b = one.population_of(one_arm), other.population_of(other_arm)
    given = one.arm(one_arm).strategy
    parts = [
        DRUG_WEIGHT * unlike(classes_of(given), classes_of(other.arm(other_arm).strategy)),
        RAS_WEIGHT * _gap(a.ras_mutant, b.ras_mutant),
        STAGE_WEIGHT * (_gap(a.stage_2, b.stage_2) + _gap(_many_nodes(a), _many_nodes(b))),
        ECOG_WEIGHT * (_gap(a.ecog[0], b.ecog[0]) if a.ecog and b.ecog else 0.0),
        AGE_WEIGHT * (_gap(a.age_years.median, b.age_years.median) if a.age_years and b.age_years else 0.0),
        EARLIER_WEIGHT * unlike(earlier_classes(one), earlier_classes(other)),
    ]
    return float(sum(parts))


def _gap(one: float | None, other: float | None) -> float:
    return 0.0 if one is None or other is None else abs(one - other)


def _many_nodes(population: Population) -> float | None:
    """Share with four or more positive nodes; None when the bins do not say."""
    if population.nodes is None:
        return None
    return sum(share for label, share in population.nodes.items() if read_bin(label)[0] >= 4)


def unlike(one: frozenset[str], other: frozenset[str]) -> float:
    """One minus the share of classes in common (Jaccard); 0 when both are empty."""
    return 1.0 - len(one & other) / len(one | other) if one | other else 0.0


def classes_of(expression: str) -> frozenset[str]:
    """Effect classes of the drugs of a strategy; resection, ablation and cells where it has them."""
    from metachron.strategies.catalogue import load_catalogue
    from metachron.strategies.language import resolve

    catalogue = load_catalogue()
    found: set[str] = set()
    for step in resolve(expression, catalogue).steps:
        for name in step.regimens:
            found |= {effect.value for effect in catalogue.effects_of(name)}
        found |= {catalogue.procedures[name].kind for name in step.procedures}
        found |= {"cells"} if step.cells else set()
    return frozenset(found)


def earlier_classes(target: Target) -> frozenset[str]:
    """Classes given before the trial to at least half of the patients."""
    shares: dict[str, float] = {}
    for entry in target.earlier:
        for name in frozenset().union(*(classes_of(line) for line in entry.lines)):
            shares[name] = shares.get(name, 0.0) + entry.share
    return frozenset(name for name, share in shares.items() if share >= 0.5)


def nearest_score(observed: Observed, neighbour: Neighbour, until: float) -> BaselineScore | None:
    """The neighbour's curve taken as the prediction, as far as either goes."""
    reach = neighbour.observed.reach
    if reach is None:
        return None
    end = min(until, reach)
    key = neighbour.observed.key
    error = curve_error(neighbour.observed.survival, observed, end)
    return BaselineScore(f"{key.trial} {key.arm}", error, end)


@dataclass(frozen=True)
class Weibull:
    """S(t) = exp(-(t / scale) ** shape), t in months; fitted to `trials` trials."""

    scale: float
    shape: float
    trials: int

    def survival(self, months: Floats) -> Floats:
        """Survival at months."""
        return np.asarray(np.exp(-((months / self.scale) ** self.shape)))


def pooled_weibull(among: Sequence[Neighbour]) -> Weibull | None:
    """The Weibull distribution of all patients of these curves together; None without events."""
    if not among:
        return None
    months = np.concatenate([n.observed.months for n in among])
    event = np.concatenate([n.observed.event for n in among])
    if not event.any():
        return None
    from lifelines import WeibullFitter

    fitted = WeibullFitter().fit(np.maximum(months, 1e-3), event)
    trials = len({n.target.trial for n in among})
    return Weibull(float(fitted.lambda_), float(fitted.rho_), trials)


def weibull_score(observed: Observed, weibull: Weibull, until: float) -> BaselineScore:
    """The fitted distribution taken as the prediction."""
    error = curve_error(weibull.survival, observed, until)
    return BaselineScore(f"Weibull of {weibull.trials} trials", error, until)
