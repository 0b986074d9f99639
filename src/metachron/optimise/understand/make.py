"""`make_understanding`: two strategies for one patient in, why one comes out before the other out."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from metachron import DISCLAIMER, __version__
from metachron.errors import InputError, Problem
from metachron.optimise.goal import Goal, parse_goal
from metachron.optimise.objectives import Objective, objective_values, window_days
from metachron.optimise.understand.contrast import compared, contrast_of
from metachron.optimise.understand.counterfactual import counterfactuals
from metachron.optimise.understand.heatmap import Varied, heatmap, varied
from metachron.optimise.understand.information import information
from metachron.optimise.understand.limits import limits_of
from metachron.optimise.understand.pair import Pair
from metachron.optimise.understand.results import Skipped, Understanding
from metachron.optimise.understand.sensitivity import Effort, Say, sensitivity
from metachron.optimise.understand.sobol import NO_SALIB, has_salib, need_salib
from metachron.parameters import draw_parameters
from metachron.parameters.posterior import Ensemble, load_ensemble
from metachron.patient.schema import Patient
from metachron.plan import document
from metachron.plan.arms import Arm, compile_arms, judged
from metachron.plan.findings import Findings, read_findings
from metachron.plan.limits import limits, status
from metachron.plan.twins import Twins
from metachron.strategies.candidates import situation, situation_citations
from metachron.strategies.catalogue import Catalogue, load_catalogue
from metachron.strategies.language import resolve

Floats = NDArray[np.float64]
PARTS = ("heatmap", "sensitivity", "counterfactual", "information")
# share of the time, for the progress bar
SHARES = {"heatmap": 0.08, "sensitivity": 0.6, "counterfactual": 0.22, "information": 0.1}
HORIZON_YEARS = 5.0  # every objective counts within five years
NO_CELLS = "neither strategy gives infused cells"


@dataclass(frozen=True)
class Asked:
    """What to make. `what` None: every part that can be made."""

    what: tuple[str, ...] | None = None
    objective: str | None = None
    twins: int = 4000
    draws: int = 200
    seed: int = 1
    jobs: int | None = None
    prior: bool = False
    effort: Effort = field(default_factory=Effort)

    @property
    def parts(self) -> tuple[str, ...]:
        return PARTS if self.what is None else self.what


def parse_parts(text: str | None) -> tuple[str, ...] | None:
    """The parts of `--what`, in order. Raises InputError with the nearest name."""
    if text is None:
        return None
    asked = [part.strip().lower().removesuffix("s") for part in text.split(",") if part.strip()]
    asked = ["sensitivity" if part == "sobol" else part for part in asked]
    for part in asked:
        if part not in PARTS:
            near = difflib.get_close_matches(part, PARTS, 1)
            hint = f"Did you mean {near[0]}?" if near else ""
            raise InputError(Problem("--what", f'"{part}" is not a part', ", ".join(PARTS), hint))
    if not asked:
        raise InputError(Problem("--what", "names no part", ", ".join(PARTS)))
    return tuple(p for p in PARTS if p in asked)


def make_understanding(
    patient: Patient,
    strategies: Sequence[str],
    asked: Asked = Asked(),
    progress: Callable[[str, float], None] | None = None,
) -> Understanding:
    """Why one of two strategies comes out before the other for this patient, and what could change it.

    `strategies`: two names or expressions. Raises InputError (not two strategies, one that may not be given,
    an objective that is several, cells asked for where there are none) and TwinError (findings no twin fits).
    Same arguments, same document, whatever `jobs`.
    """
    say: Callable[[str, float], None] = progress or (lambda _stage, _share: None)
    catalogue = load_catalogue()
    ensemble = None if asked.prior else load_ensemble()
    goal = parse_goal(asked.objective, patient)
    arms = _two(patient, strategies, catalogue, asked)
    moved = varied(arms, catalogue)
    _check_parts(asked, moved)
    found = read_findings(patient, catalogue)
    compile_arms(patient, list(arms), found, catalogue)
    pair = _pair(patient, found, catalogue, arms, goal, asked)
    say("matching twins", 0.0)
    twins = pair.twins(asked.twins, strict=True)
    values = (pair.values(a.strategy, twins, a.programme) for a in arms)
    first, second = values
    empty = _nothing_yet(pair, twins, (first, second), goal, ensemble, asked)
    d = pair.objective.sign * (first - second)
    whole = _parts(empty, pair, (twins, d), moved, ensemble, asked, say)
    cited = [*situation_citations(situation(patient, catalogue)), *_citations(whole)]
    return whole.model_copy(
        update={
            "lives": pair.lives,
            "words": _words(whole),
            "bibliography": document.bibliography([], cited),
            "limits": [*limits_of(whole), *limits(ensemble)],
        }
    )


def _check_parts(asked: Asked, moved: Varied | None) -> None:
    """Raise InputError for a part that was asked for and cannot be made."""
    if asked.what is not None and "heatmap" in asked.what and moved is None:
        hint = "Add a strategy with cells, e.g. 'mfolfox6*12 + cik*8@8', or leave heatmap out."
        raise InputError(Problem("--what", f"a heat map is of infused cells, and {NO_CELLS}", "", hint))
    if asked.what is not None and "sensitivity" in asked.what:
        need_salib()


def _nothing_yet(
    pair: Pair,
    twins: Twins,
    values: tuple[Floats, Floats],
    goal: Goal,
    ensemble: Ensemble | None,
    asked: Asked,
) -> Understanding:
    """The document before its parts; `values` (n,): the objective under each strategy."""
    first, second = values
    return Understanding(
        version=__version__,
        seed=asked.seed,
        settings={"twins": asked.twins, "draws": asked.draws, "horizon_years": HORIZON_YEARS,
                  "what": list(asked.parts), **({"prior": 1} if asked.prior else {})},
        disclaimer=DISCLAIMER,
        parameters_status=status(ensemble),
        provenance=document.provenance(ensemble),
        outside=list(pair.first.rests.domain.patient),
        patient=pair.patient.model_dump(mode="json"),
        situation=situation(pair.patient, pair.catalogue).value,
        objective=goal.description(window_days(pair.horizon_days)),
        first=compared(pair.first, first, twins),
        second=compared(pair.second, second, twins),
        contrast=contrast_of(pair, pair.objective.sign * (first - second), twins),
        lives=0,
        words=[],
    )  # fmt: skip


def _two(patient: Patient, names: Sequence[str], catalogue: Catalogue, asked: Asked) -> tuple[Arm, Arm]:
    """The two strategies, judged. Raises InputError."""
    chosen = list({s.name: s for s in (resolve(n, catalogue) for n in names)}.values())
    if len(chosen) != 2:
        given = {0: "none was given", 1: "only one was given"}.get(len(chosen), f"{len(chosen)} were given")
        if len(chosen) < len(names):
            given = f"{chosen[0].name} was given twice" if len(chosen) == 1 else given
        hint = "`metachron plan` lists those of the situation."
        raise InputError(Problem("--strategy", f"two strategies are compared; {given}", "exactly 2", hint))
    ensemble = None if asked.prior else load_ensemble()
    first, second = judged(patient, chosen, catalogue, ensemble)
    for arm in (first, second):
        if arm.eligibility.eligible == "no":
            why = arm.eligibility.reasons[0].text
            message = f"{arm.strategy.name} may not be given to this patient: {why.rstrip('.')}"
            raise InputError(Problem("--strategy", message, "", "Name another strategy."))
    return first, second


def _pair(
    patient: Patient, found: Findings, catalogue: Catalogue, arms: tuple[Arm, Arm], goal: Goal, asked: Asked
) -> Pair:
    return Pair(
        patient,
        found,
        catalogue,
        arms[0],
        arms[1],
        objective_of(goal),
        draw_parameters(asked.draws, asked.seed, prior=asked.prior),
        asked.seed,
        HORIZON_YEARS * 365.25,
        asked.jobs,
    )


def objective_of(goal: Goal) -> Objective:
    """One objective out of a goal. Raises InputError when several are asked for."""
    if goal.several:
        names = ", ".join(goal.names)
        hint = f"Name one of them, or weigh them, e.g. 0.8*{goal.names[0]}+0.2*{goal.names[1]}"
        raise InputError(
            Problem("--objective", f"one objective is understood at a time, not {names}", "", hint)
        )
    described = goal.description(window_days(HORIZON_YEARS * 365.25))
    return Objective(
        described.name,
        described.words,
        described.unit,
        described.direction,
        lambda lives, scene: goal.natural({n: objective_values(n, lives, scene) for n in goal.names}),
    )


def _parts(
    whole: Understanding,
    pair: Pair,
    base: tuple[Twins, Floats],
    moved: Varied | None,
    ensemble: Ensemble | None,
    asked: Asked,
    say: Say,
) -> Understanding:
    """The document with every part asked for."""
    within = _progress(asked.parts, say)
    basis, made = whole.contrast.basis, dict[str, object]()
    skipped: list[Skipped] = []
    if "heatmap" in asked.parts:
        if moved is None:
            skipped = [Skipped(part="heatmap", why=NO_CELLS)]
            made["skipped"] = skipped
        else:
            outside = basis == "outside"
            made["heatmap"] = heatmap(
                pair, moved, asked.effort.heat_twins, within["heatmap"], outside=outside
            )
    names: list[str] = []
    if set(asked.parts) - {"heatmap"}:
        full = "sensitivity" in asked.parts
        part = within["sensitivity"]
        found = sensitivity(pair, ensemble, asked.effort, part, with_sobol=full and has_salib())
        names = [bar.name for bar in found.tornado[: asked.effort.curves]]
        if full:
            made["sensitivity"] = found
        if full and not has_salib():
            made["skipped"] = [*skipped, Skipped(part="Sobol indices", why=NO_SALIB)]
    if "counterfactual" in asked.parts:
        part, n = within["counterfactual"], asked.effort.curve_twins
        made["counterfactuals"] = counterfactuals(pair, names, base, ensemble, basis, n, part)
    if "information" in asked.parts:
        made["information"] = information(pair, names, base, ensemble, basis, within["information"])
    return whole.model_copy(update=made)


def _progress(parts: tuple[str, ...], say: Say) -> dict[str, Say]:
    """Progress of each part within the whole; the screening of parameters is needed by three of them."""
    chosen = set(parts) | ({"sensitivity"} if set(parts) - {"heatmap"} else set())
    total = sum(SHARES[p] for p in chosen)
    found: dict[str, Say] = {}
    start = 0.0
    for part in PARTS:
        width = SHARES[part] / total if part in chosen else 0.0
        found[part] = partial(_scaled, say, start, width)
        start += width
    return found


def _scaled(say: Say, start: float, width: float, stage: str, share: float) -> None:
    say(stage, start + width * share)


def _citations(whole: Understanding) -> list[str]:
    keys = [*whole.objective.citations]
    for side in (whole.first, whole.second):
        keys += [key for reason in side.reasons for key in reason.citations]
    if whole.information is not None:
        keys += [key for item in whole.information.items for key in item.citations]
    return keys


def _words(whole: Understanding) -> list[str]:
    """The result in sentences, most telling first."""
    said = [whole.contrast.words]
    if whole.contrast.not_ranked_because:
        said.append(whole.contrast.not_ranked_because)
    for part in (whole.counterfactuals, whole.information, whole.sensitivity, whole.heatmap):
        if part is not None:
            said += part.words[:3]
    said += [f"No {s.part}: {s.why}." for s in whole.skipped]
    return said
