"""What each figure rests on: calibrated, prior-driven, or outside the domain of the data.

The rule, in order: *outside* when the patient or the strategy lies outside the region of the registered
trials; *calibrated* when the parameters come from the shipped ensemble, every treatment of the strategy was
in a fitted arm of its setting with that outcome, and the parameters it turns on are pinned by the data;
*prior-driven* otherwise. Infused cells are never calibrated. Side effects have a rule of their own: they
repeat published frequencies, and are calibrated when every frequency behind them was read in, or derived
from, a trial of that regimen or procedure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from metachron.evidence.quantity import Quantity
from metachron.model.toxicity import FEBRILE, KINDS, LIVER_FAILURE, NEUROPATHY, NEUTROPENIA, SURGICAL
from metachron.parameters import load_parameters
from metachron.parameters.posterior import Ensemble
from metachron.plan.results import Basis, worst
from metachron.population.domain import FAMILIES, Domain
from metachron.strategies.catalogue import Catalogue
from metachron.strategies.schema import EffectClass, Strategy

# What an outcome turns on: by treatment, by setting, by family of outcomes. The rest of the parameters is
# shared by all strategies of a plan.
BY_TREATMENT: dict[str, tuple[str, ...]] = {
    EffectClass.FP: ("kappa_fp",),
    EffectClass.OX: ("kappa_ox",),
    EffectClass.IRI: ("kappa_iri",),
    EffectClass.FTD: ("kappa_ftd",),
    EffectClass.EGFR: ("kappa_egfr",),
    EffectClass.VEGF: ("vegf_imax",),
    EffectClass.CHECKPOINT: ("checkpoint_kill",),
    "cryoablation": ("ablation_hazard",),
    "microwave": ("ablation_hazard",),
    "radiofrequency": ("ablation_hazard",),
}
TARGETED = ("kappa_target",)
BY_SETTING = {
    "adjuvant": ("occult_intercept",),
    "resected_metastases": ("occult_metastatic",),
    "liver_local": ("occult_metastatic",),
}
BY_FAMILY = {"os": ("death_intercept",)}
# Kinds of toxicity simulated from state, and the parameters that set how often they happen
SIMULATED_BY = {
    NEUTROPENIA: ("marrow_slope_factor", "marrow_slope_cv"),
    FEBRILE: ("marrow_slope_factor", "febrile_given_grade4"),
    NEUROPATHY: ("neuropathy_grade2_mg_m2", "neuropathy_grade3_mg_m2"),
    LIVER_FAILURE: ("phlf_max", "phlf_mid", "phlf_width"),
}
PINNED = ("read", "derived")


@dataclass(frozen=True)
class Rests:
    """What the figures of one strategy rest on, and why in words.

    `outcomes` by family (os, rfs_or_pfs, hepatic_rfs); `toxicity` by kind, with `any`.
    """

    outcomes: dict[str, Basis]
    toxicity: dict[str, Basis]
    note: str
    domain: Domain
    completion: Basis = field(default="prior-driven")

    @property
    def overall(self) -> Basis:
        """Of overall and of event-free survival, the weaker."""
        return worst(self.outcomes[family] for family in ("os", "rfs_or_pfs"))

    def of_kind(self, kind: str) -> Basis:
        """Basis of one kind of side effect; one that nothing planned lists follows `any`."""
        return self.toxicity.get(kind, self.toxicity["any"])

    def by_endpoint(self) -> dict[str, Basis]:
        """Basis by endpoint of a difference."""
        return {**self.outcomes, "toxicity_grade3plus": self.toxicity["any"]}


def rests(strategy: Strategy, domain: Domain, ensemble: Ensemble | None, catalogue: Catalogue) -> Rests:
    """What the figures of a strategy rest on; `ensemble` None: parameters from the prior."""
    found = {family: _outcome(family, domain, ensemble, catalogue) for family in FAMILIES}
    side = _toxicity(strategy, catalogue)
    if domain.outside:
        side = dict.fromkeys(side, "outside")
    return Rests(
        outcomes={family: basis for family, (basis, _) in found.items()},
        toxicity=side,
        note=_note(strategy, domain, [reason for _, reason in found.values()]),
        domain=domain,
        completion="outside" if domain.outside else "prior-driven",
    )


def _outcome(
    family: str, domain: Domain, ensemble: Ensemble | None, catalogue: Catalogue
) -> tuple[Basis, str]:
    """(basis, why not calibrated) of one family of outcomes."""
    if domain.outside:
        return "outside", ""
    if ensemble is None:
        return "prior-driven", "the parameters come from the prior"
    if gaps := domain.gaps[family]:
        return "prior-driven", "; ".join(gaps)
    names = key_parameters(domain, family, catalogue)
    loose = [name for name in names if ensemble.basis(name) == "prior-driven"]
    if loose:
        titles = load_parameters()
        said = ", ".join(titles[n].title.lower() if n in titles else n for n in loose)
        return "prior-driven", f"the data do not pin: {said}"
    return "calibrated", ""


def key_parameters(domain: Domain, family: str, catalogue: Catalogue) -> list[str]:
    """Parameters that an outcome of a strategy turns on, without repeats."""
    names = [*BY_FAMILY.get(family, ())]
    for setting in domain.settings:
        names += BY_SETTING.get(setting, ())
    for given in domain.treatments:
        names += parameters_of(given, catalogue)
    return list(dict.fromkeys(names))


def parameters_of(given: str, catalogue: Catalogue) -> tuple[str, ...]:
    """Parameters that set how well a treatment works; none for operations, cells and no treatment."""
    return BY_TREATMENT.get(given, TARGETED if given in catalogue.drugs else ())


def _note(strategy: Strategy, domain: Domain, reasons: list[str]) -> str:
    """One paragraph for the report on what the outcomes rest on."""
    if domain.outside:
        return f"Outside the domain of the data: {'; '.join(domain.reasons)}. Shown, and not ranked."
    if any(step.cells for step in strategy.steps):
        return (
            "Rests on assumed kinetics and effect of infused cells, which no data identify; half of the "
            "parameter draws give the cells no effect at all. Never ranked."
        )
    said = list(dict.fromkeys(r for r in reasons[:2] if r))
    return f"Prior-driven: {'; '.join(said)}." if said else ""


# --- side effects --------------------------------------------------------------------------------------


def _toxicity(strategy: Strategy, catalogue: Catalogue) -> dict[str, Basis]:
    """Basis of each kind of side effect that the strategy causes, and of `any`."""
    found: dict[str, list[Basis]] = {}
    for kind, pinned in _sources(strategy, catalogue):
        found.setdefault(kind, []).append("calibrated" if pinned else "prior-driven")
    kinds = {kind: worst(bases) for kind, bases in found.items()}
    return {**kinds, "any": worst(kinds.values())}


def _sources(strategy: Strategy, catalogue: Catalogue) -> Iterator[tuple[str, bool]]:
    """(kind, whether its frequency was read or derived) for everything that the strategy gives."""
    parameters = load_parameters()

    def simulated(kind: int, *more: Quantity | None) -> tuple[str, bool]:
        known = all(parameters[n].status in PINNED for n in SIMULATED_BY[kind])
        return KINDS[kind], known and all(q is not None and q.status in PINNED for q in more)

    for step in strategy.steps:
        for entry in (catalogue.regimens[name] for name in step.regimens):
            yield from ((rate.kind, rate.grade3plus.status in PINNED) for rate in entry.toxicity)
            if entry.kind == "cytotoxic":
                yield simulated(NEUTROPENIA, entry.neutrophil_slope)
                yield simulated(FEBRILE, entry.neutrophil_slope)
            if EffectClass.OX in catalogue.effects_of(entry.name):
                yield simulated(NEUROPATHY)
        for procedure in (catalogue.procedures[name] for name in step.procedures):
            yield KINDS[SURGICAL], procedure.morbidity_grade3plus.status in PINNED
            if procedure.kind == "resection":
                yield simulated(LIVER_FAILURE)
        if step.cells:
            rates = catalogue.cells[step.cells].toxicity
            yield from ((rate.kind, rate.grade3plus.status in PINNED) for rate in rates)
