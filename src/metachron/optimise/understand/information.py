"""Which missing test or scan would change the choice most: value of perfect and of sample information."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from metachron.optimise.numbers import percent
from metachron.optimise.results import Measured
from metachron.optimise.understand.changed import set_remnant
from metachron.optimise.understand.contrast import favoured, not_ranked
from metachron.optimise.understand.counterfactual import for_patient
from metachron.optimise.understand.pair import Pair
from metachron.optimise.understand.results import Information, InformationItem, NotValued, TestOutcome
from metachron.optimise.understand.scans import Signal, signals
from metachron.optimise.understand.text import opening, within
from metachron.optimise.understand.worth import (
    Worth,
    by_group,
    by_spline,
    changes,
    gain,
    of_parameters,
    worth,
)
from metachron.parameters import load_parameters
from metachron.parameters.posterior import Ensemble
from metachron.plan.bands import by_draw
from metachron.plan.results import Basis, worst
from metachron.plan.twins import Twins
from metachron.strategies.schema import EffectClass

Floats = NDArray[np.float64]
Say = Callable[[str, float], None]
REMNANTS = (0.3, 0.45, 0.6, 0.75, 0.9)  # equally probable when the share is not known (assumed)
LEAST_SHOWN = {"months": 0.05, "days": 0.5}


def information(
    pair: Pair,
    names: list[str],
    base: tuple[Twins, Floats],
    ensemble: Ensemble | None,
    basis: Basis,
    say: Say,
) -> Information:
    """What is worth knowing. `names`: influential parameters; `base`: twins and their differences (n,)."""
    before = pair.lives
    twins, d = base
    listed = signals(pair.patient, pair.found, twins, pair.seed)
    items: list[InformationItem] = []
    for i, signal in enumerate(listed):
        say("value of information: tests and scans", 0.6 * i / len(listed))
        items.append(_item(pair, signal, d, basis))
    for i, name in enumerate(names):
        say("value of information: parameters", 0.6 + 0.3 * i / len(names))
        items.append(_parameter(pair, name, base, ensemble))
    if (remnant := _remnant(pair, twins, basis)) is not None:
        items.append(remnant)
    items.sort(key=lambda item: (not item.distinct, -(item.value.value or 0.0)))
    value, error, wrong = of_parameters(d, twins.twins["draw"], twins.source)
    agreed = 1.0 - wrong
    all_known = Measured(
        value=value, lower=max(0.0, value - 1.645 * error), upper=value + 1.645 * error, mc_error=error
    )
    unit = pair.objective.unit
    mean = float(d.mean())
    choice = favoured(pair.first, pair.second, mean)
    if choice and choice != _choice(pair, mean):
        wrong = 1.0 - wrong  # of the proven one, which is chosen whatever the model holds
    return Information(
        choice=choice,
        evpi_parameters=all_known,
        probability_wrong=wrong,
        ceiling=gain(d),
        items=items,
        not_valued=_not_valued(pair, items),
        unit=unit,
        lives=pair.lives - before,
        words=_words(pair, items, mean, all_known, agreed),
    )


def _choice(pair: Pair, difference: float) -> str:
    return pair.first.strategy.name if difference > 0 else pair.second.strategy.name


def _item(pair: Pair, signal: Signal, d: Floats, basis: Basis) -> InformationItem:
    found = worth(d, signal.shown, by_spline if signal.labels is None else by_group, pair.seed)
    return _as_item(pair, signal, found, basis, _outcomes(pair, signal, found))


def _as_item(
    pair: Pair, signal: Signal, found: Worth, basis: Basis, outcomes: list[TestOutcome]
) -> InformationItem:
    distinct = found.distinct and found.value >= LEAST_SHOWN[pair.objective.unit]
    return InformationItem(
        name=signal.name,
        title=signal.title,
        kind=signal.kind,
        perfect=signal.perfect,
        fields=list(signal.fields),
        value=Measured(value=found.value, lower=found.lower, upper=found.upper, mc_error=found.mc_error),
        distinct=distinct,
        probability_changes=found.changes if distinct else 0.0,
        outcomes=outcomes,
        basis=basis,
        citations=list(signal.citations),
        note=signal.note,
        words=_sentence(signal.title, found, pair.objective.unit),
    )


def _sentence(title: str, found: Worth, unit: str) -> str:
    if not found.distinct or found.value < LEAST_SHOWN[unit]:
        return f"{opening(title)} would not change the choice by more than chance."
    return (
        f"{opening(title)} would change the choice with probability {100 * found.changes:.0f} % and is worth"
        f" {found.value:.2f} {unit} ({found.lower:.2f} to {found.upper:.2f})."
    )


def _outcomes(pair: Pair, signal: Signal, found: Worth) -> list[TestOutcome]:
    """What a test may show: its groups, or the lower, middle and upper third of a number."""
    if signal.labels is not None:
        parts = [(signal.labels[v], signal.shown == v) for v in np.unique(signal.shown)]
    else:
        cuts = np.quantile(signal.shown, [1 / 3, 2 / 3])
        third = np.searchsorted(cuts, signal.shown)
        parts = [
            (word, third == k) for k, word in enumerate(("lowest third", "middle third", "highest third"))
        ]
    return [
        TestOutcome(
            label=label,
            probability=float(here.mean()),
            difference=float(found.expected[here].mean()),
            choice=_choice(pair, float(found.expected[here].mean())),
        )
        for label, here in parts
        if here.any()
    ]


# --- parameters -------------------------------------------------------------------------------------------


def _parameter(
    pair: Pair, name: str, base: tuple[Twins, Floats], ensemble: Ensemble | None
) -> InformationItem:
    """Knowing one parameter: over the draws, each with the mean of its twins."""
    twins, d = base
    draw = twins.twins["draw"]
    means = by_draw(d, draw, twins.source)[0]
    x = np.asarray(twins.draws[name][np.unique(draw)], dtype=np.float64)
    entry = load_parameters()[name]
    yes_no = np.unique(x).size <= 2
    signal = Signal(
        name,
        f"knowing the parameter: {within(entry.title)}",
        "parameter",
        x,
        True,
        {0.0: "no", 1.0: "yes"} if yes_no else None,
        note="Research, not a test of this patient.",
    )
    found = worth(means, x, by_group if yes_no else by_spline, pair.seed)
    basis: Basis = "prior-driven" if ensemble is None else ensemble.basis(name)
    return _as_item(pair, signal, found, basis, _outcomes(pair, signal, found))


# --- what the twins do not differ in ----------------------------------------------------------------------


def _remnant(pair: Pair, twins: Twins, basis: Basis) -> InformationItem | None:
    """Volumetry of the planned remnant when it is not known and liver is removed: simulated anew."""
    kinds = pair.catalogue.procedures
    steps = [*pair.first.strategy.steps, *pair.second.strategy.steps]
    resects = any(kinds[p].kind == "resection" for s in steps for p in s.procedures)
    if not resects or pair.patient.liver.remnant_share is not None:
        return None
    by_share = [for_patient(pair, set_remnant(pair.patient, share)).signed(twins) for share in REMNANTS]
    means = np.array([v.mean() for v in by_share])
    rng = np.random.default_rng([pair.seed, 0x4E])
    picks = (rng.integers(0, twins.size, twins.size) for _ in range(60))
    again = [gain(np.array([v[pick].mean() for v in by_share])) for pick in picks]
    value = gain(means)
    low, high = (float(q) for q in np.quantile(again, [0.05, 0.95]))
    distinct = low > 0.0
    found = Worth(
        value, min(low, value), max(high, value), float(np.std(again)), changes(means), 0.0, distinct, means
    )
    signal = Signal(
        "liver.remnant_share",
        "volumetry of the planned remnant",
        "scan",
        np.array(REMNANTS),
        True,
        {s: f"{100 * s:.0f} % of the liver left" for s in REMNANTS},
        ("liver.remnant_share",),
        ("assumption",),
        "Five shares taken as equally probable (assumed); what is removed takes its unseen lesions with it.",
    )
    return _as_item(pair, signal, found, worst((basis, "prior-driven")), _outcomes(pair, signal, found))


def _not_valued(pair: Pair, items: list[InformationItem]) -> list[NotValued]:
    """Missing fields without a value, and why."""
    patient, covered = pair.patient, {f for item in items for f in item.fields}
    found: dict[str, str] = {}
    given = {e for arm in (pair.first, pair.second) for s in arm.strategy.steps for n in s.regimens
             for e in pair.catalogue.effects_of(n)}  # fmt: skip
    harm = "its worth is harm avoided, which the model does not simulate by genotype; guidelines ask for it"
    if patient.markers.dpyd is None and EffectClass.FP in given:
        found["markers.dpyd"] = harm
    if patient.markers.ugt1a1 is None and EffectClass.IRI in given:
        found["markers.ugt1a1"] = harm
    if patient.labs.cea_ng_ml is None:
        found["labs.cea_ng_ml"] = "the twins do not carry it: it enters published scores only"
    if patient.markers.her2 is None and (patient.metastases or patient.metastasis_summary):
        found["markers.her2"] = "it opens other treatments, not these two"
    for arm in (pair.first, pair.second):
        for field in arm.eligibility.needs:
            why = f"it decides whether {arm.strategy.name} may be given, not how well it works here"
            found.setdefault(field, why)
    return [NotValued(field=f, why=w) for f, w in found.items() if f not in covered]


def _words(
    pair: Pair, items: list[InformationItem], mean: float, known: Measured, agreed: float
) -> list[str]:
    """`agreed`: share of the draws in which the one ahead on the mean is ahead too."""
    unit, model = pair.objective.unit, _choice(pair, mean)
    least, value = LEAST_SHOWN[unit], known.value or 0.0
    worth = f"{value:.2f} {unit}" if value >= least else f"under {least:g} {unit}"
    head = "On what is known"
    if not_ranked(pair.first, pair.second):
        head = "In the model, which makes no choice between these two"
    said = [
        f"{head}, {model} comes out ahead, and stays so in {percent(agreed)} of the draws of the parameters:"
        f" knowing every parameter is worth {worth}."
    ]
    tests = [i for i in items if i.kind in ("test", "scan")]
    useful = [i for i in tests if i.distinct]
    said += [i.words for i in useful[:3]]
    if not useful:
        tried = ", ".join(within(i.title) for i in tests) or "none is open"
        said.append(f"No missing test or scan would change the choice by more than chance ({tried}).")
    best = next((i for i in items if i.kind in ("hidden", "parameter") and i.distinct), None)
    if best is not None:
        said.append(best.words)
    return said
