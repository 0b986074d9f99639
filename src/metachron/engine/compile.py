"""A strategy of the catalogue, compiled for one patient into the arrays the kernel reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from metachron.engine.records import (
    ACT_DELAY,
    ACT_REDUCE,
    ACT_STOP,
    ADMIN,
    GIVE_CELLS,
    GIVE_CHECKPOINT,
    GIVE_NOTHING,
    GIVE_VEGF,
    N_KINDS,
    PROCEDURE,
    RULE,
    RULE_ANC,
    RULE_FEBRILE,
    RULE_NADIR,
    RULE_NERVE,
    RULE_TOXICITY,
    SEGMENT,
    SYSTEMIC,
    Programme,
)
from metachron.errors import InputError, Problem
from metachron.model.kill import CLASSES
from metachron.model.toxicity import KINDS, cycle_hazard
from metachron.parameters import load_parameters
from metachron.patient.schema import Patient
from metachron.strategies.catalogue import Catalogue
from metachron.strategies.lines import next_lines
from metachron.strategies.schema import (
    After,
    CellProduct,
    DrugDose,
    EffectClass,
    Intent,
    Procedure,
    Rule,
    Starts,
    Step,
    Strategy,
    ToxicityRate,
)

KILL_CLASS = {
    EffectClass.FP: 0,
    EffectClass.OX: 1,
    EffectClass.IRI: 2,
    EffectClass.FTD: 3,
    EffectClass.EGFR: 4,
    EffectClass.TARGET: 5,
    EffectClass.VEGF: GIVE_VEGF,
    EffectClass.CHECKPOINT: GIVE_CHECKPOINT,
    EffectClass.NONE: GIVE_NOTHING,
}
RULE_STATES = {
    "neutrophils": RULE_ANC,
    "neutrophil_nadir": RULE_NADIR,
    "neuropathy_grade": RULE_NERVE,
    "febrile_neutropenia": RULE_FEBRILE,
    "toxicity_grade": RULE_TOXICITY,
}
RULE_ACTIONS = {"delay": ACT_DELAY, "reduce": ACT_REDUCE, "stop": ACT_STOP}
SCAN_LIMIT = {"CT": "detect_ct_cells", "MRI": "detect_mri_cells", "ultrasound": "detect_us_cells"}

# Days. A drug given daily is taken in blocks, since only the integral over days matters to a lesion.
BLOCK_DAYS = 7
CHEMO_TO_SURGERY = 28
WAIT_FOR_SURGERY, WAIT_FOR_DRUGS, AFTER_PRIMARY_SURGERY = 21, 7, 28
DEPLETION_DAYS = 7
# Share of the liver left by a first and by a repeat resection when the surgeon gives no figure (assumed)
DEFAULT_REMNANT, DEFAULT_REPEAT_REMNANT = 0.7, 0.9


@dataclass
class Builder:
    """Collects segments and their administrations in order."""

    catalogue: Catalogue
    doses: Mapping[EffectClass, float]
    remnant: float
    segments: list[dict[str, object]] = field(default_factory=list)
    admins: list[dict[str, object]] = field(default_factory=list)
    toxicity: list[NDArray[np.float64]] = field(default_factory=list)
    grade4: list[NDArray[np.float64]] = field(default_factory=list)

    def rates(self, courses: Iterable[tuple[list[ToxicityRate], float]]) -> None:
        """Hazards per cycle by kind; each course with its number of cycles in one of the segment."""
        hazard, severe = np.zeros(N_KINDS), np.zeros(N_KINDS)
        for rates, per_cycle in courses:
            for rate in rates:
                k = KINDS.index(rate.kind)
                h = cycle_hazard(rate.grade3plus.value, rate.over_cycles) * per_cycle
                hazard[k] += h
                if rate.grade4plus is not None and rate.grade3plus.value > 0:
                    severe[k] += h * rate.grade4plus.value / rate.grade3plus.value
        self.toxicity.append(hazard)
        self.grade4.append(np.divide(severe, hazard, out=np.zeros(N_KINDS), where=hazard > 0))

    def procedure(self, names: list[str], gap: float, needs_response: bool = False) -> None:
        """Procedures done at one session; a second stage is a second session."""
        entries = [self.catalogue.procedures[n] for n in names]
        knife = [e for e in entries if e.kind == "resection"]
        heat = [e for e in entries if e.kind == "ablation"]
        worst: Procedure = max(entries, key=lambda e: e.mortality_90d.value)
        wait = gap
        for e in entries:
            if e.stages > 1 and e.interval_between_stages_days is not None:
                wait += e.interval_between_stages_days.value
        segment: dict[str, object] = {
            "kind": PROCEDURE,
            "gap": wait,
            "resect": bool(knife),
            "ablate": bool(heat),
            "mortality": worst.mortality_90d.value,
            "morbidity": max(e.morbidity_grade3plus.value for e in entries),
            "recovery": max(e.recovery_days.value for e in entries),
            "remnant": self.remnant if knife else 1.0,
            "needs_response": needs_response,
        }
        if heat:
            first = heat[0]
            segment["device"] = first.hazard_factor.value if first.hazard_factor else 1.0
            segment["margin"] = first.planned_margin_mm.value if first.planned_margin_mm else 5.0
            segment["ablate_max"] = first.max_diameter_mm.value if first.max_diameter_mm else 30.0
        self.segments.append(segment)
        self.rates([])

    def systemic(self, step: Step, gap: float, line: int) -> None:
        """Regimens given together, with cells in between if asked; the first sets the cycle."""
        regimens = [self.catalogue.regimens[n] for n in step.regimens]
        base = regimens[0]
        start = len(self.admins)
        limits = [r.max_cycles for r in regimens if r.max_cycles is not None]
        cycles = step.cycles or (min(limits) if limits else 0)
        lines = [(dose, name) for name in step.regimens for dose in self._drugs(name, base.cycle_days)]
        cytotoxic = [d for d, _ in lines if self.catalogue.drugs[d.drug].cytotoxic]
        total = sum(d.share for d in cytotoxic) or 1.0
        stop_vegf = cycles - step.stop_partner_before_surgery_cycles if cycles else 0
        for dose, _ in lines:
            self._drug(dose, total, stop_vegf if step.stop_partner_before_surgery_cycles else 0)
        courses = [(r.toxicity, base.cycle_days / r.cycle_days if r is base else 1.0) for r in regimens]
        if step.cells:
            product = self.catalogue.cells[step.cells]
            day = step.infusion_day or product.day_in_cycle
            self._cells(product, day - 1, step.infusions or product.infusions)
            courses.append((product.toxicity, 1.0))
        slope = max((r.neutrophil_slope.value for r in regimens if r.neutrophil_slope), default=0.0)
        lymph = max((r.lymphocyte_kill.value for r in regimens if r.lymphocyte_kill), default=0.0)
        self._close(gap, base.cycle_days, cycles, start, slope, lymph, bool(cytotoxic), line)
        self.rates(courses)

    def cells(self, step: Step, gap: float) -> None:
        """A course of infused cells on its own, lymphodepletion first when asked."""
        assert step.cells is not None
        product = self.catalogue.cells[step.cells]
        deplete = product.lymphodepletion if step.lymphodepletion is None else step.lymphodepletion
        start = len(self.admins)
        slope = lymph = 0.0
        courses = [(product.toxicity, 1.0)]
        offset = 0
        if deplete:
            regimen = self.catalogue.regimens["lymphodepletion"]
            slope = regimen.neutrophil_slope.value if regimen.neutrophil_slope else 0.0
            lymph = regimen.lymphocyte_kill.value if regimen.lymphocyte_kill else 0.0
            total = sum(d.share for d in regimen.drugs) or 1.0
            for dose in regimen.drugs:
                self._drug(dose, total, 1)
            courses.append((regimen.toxicity, 1.0))
            offset = DEPLETION_DAYS
        self._cells(product, offset, step.infusions or product.infusions)
        days = max(product.interval_days, offset + 1)
        self._close(gap, days, step.infusions or product.infusions, start, slope, lymph, False, 0)
        self.rates(courses)

    def _drugs(self, regimen: str, cycle_days: int) -> list[DrugDose]:
        return self.catalogue.drugs_of(regimen, cycle_days)

    def _drug(self, dose: DrugDose, cytotoxic_total: float, until_cycle: int) -> None:
        drug = self.catalogue.drugs[dose.drug]
        what = KILL_CLASS[drug.effect]
        if what == GIVE_NOTHING and not drug.cytotoxic:
            return
        blocks = [dose.days[i : i + BLOCK_DAYS] for i in range(0, len(dose.days), BLOCK_DAYS)]
        for block in blocks:
            part = len(block) / len(dose.days)
            self.admins.append(
                {
                    "day": block[0] - 1,
                    "what": what,
                    "amount": dose.share * part,
                    "chemo": dose.share * part / cytotoxic_total if drug.cytotoxic else 0.0,
                    "ox_mg": dose.dose * part if drug.effect is EffectClass.OX else 0.0,
                    "until_cycle": until_cycle if what in (GIVE_VEGF, GIVE_NOTHING) else 0,
                }
            )

    def _cells(self, product: CellProduct, day: int, infusions: int) -> None:
        self.admins.append(
            {
                "day": day,
                "what": GIVE_CELLS,
                "amount": product.cells_per_infusion.value,
                "until_cycle": infusions,
                "half_life": product.half_life_days.value,
            }
        )

    def _close(
        self,
        gap: float,
        days: int,
        cycles: int,
        start: int,
        slope: float,
        lymph: float,
        chemo: bool,
        line: int,
    ) -> None:
        self.admins[start:] = sorted(self.admins[start:], key=lambda a: int(str(a["day"])))
        dose = np.ones(CLASSES)
        for effect, factor in self.doses.items():
            if KILL_CLASS[effect] < CLASSES:
                dose[KILL_CLASS[effect]] = factor
        self.segments.append(
            {
                "kind": SYSTEMIC,
                "gap": gap,
                "cycle_days": days,
                "cycles": cycles,
                "admin_from": start,
                "admin_to": len(self.admins),
                "marrow": slope,
                "lymph": lymph,
                "cytotoxic": chemo,
                "line": line,
                "dose": dose,
            }
        )


def _pack(rows: list[dict[str, object]], dtype: np.dtype[np.void]) -> NDArray[np.void]:
    packed = np.zeros(len(rows), dtype)
    for i, row in enumerate(rows):
        for name, value in row.items():
            packed[i][name] = value
    return packed


def _rules(rules: Iterable[Rule]) -> NDArray[np.void]:
    rows: list[dict[str, object]] = []
    for rule in rules:
        if rule.state not in RULE_STATES or rule.action not in RULE_ACTIONS or rule.also or rule.kind:
            raise InputError(Problem(f"rules.{rule.name}", "cannot be simulated yet"))
        target = rule.acts_on
        limit = rule.below if rule.below is not None else rule.at_least
        rows.append(
            {
                "state": RULE_STATES[rule.state],
                "limit": limit or 0.0,
                "action": RULE_ACTIONS[rule.action],
                "target": -1 if target == "all cytotoxics" else KILL_CLASS[EffectClass(target)],
                "value": rule.value or 0.0,
                "max_delay": rule.max_delay_days or 0.0,
            }
        )
    return _pack(rows, RULE)


def _first_gap(patient: Patient, step: Step) -> float:
    if step.gap_days is not None:
        return step.gap_days
    wait = WAIT_FOR_SURGERY if step.procedures else WAIT_FOR_DRUGS
    if patient.primary.resected_on is not None:
        wait = max(wait, AFTER_PRIMARY_SURGERY - (patient.assessed_on - patient.primary.resected_on).days)
    return float(wait)


def _gap(previous: Step, step: Step, catalogue: Catalogue) -> float:
    """Days from the end of one step to the next, the shortest safe interval unless the strategy says."""
    if step.gap_days is not None:
        return step.gap_days
    if previous.procedures:
        if step.procedures:
            return 28.0
        return max(catalogue.procedures[n].recovery_days.value for n in previous.procedures)
    if step.procedures and previous.regimens:
        return max(0.0, CHEMO_TO_SURGERY - catalogue.regimens[previous.regimens[0]].cycle_days)
    return 0.0


def used_names(strategy: Strategy) -> list[str]:
    """Regimens that the strategy gives."""
    return [name for step in strategy.steps for name in step.regimens]


def start_line(patient: Patient) -> int:
    """Lines of treatment for metastatic disease given so far."""
    return sum(1 for t in patient.prior_treatments if t.setting == "metastatic")


def _planned_steps(
    builder: Builder, patient: Patient, strategy: Strategy, line: int, conversion: bool
) -> int:
    """Add the steps of the strategy; returns their number."""
    steps = strategy.steps
    for i, step in enumerate(steps):
        gap = _first_gap(patient, step) if i == 0 else _gap(steps[i - 1], step, builder.catalogue)
        if step.procedures:
            builder.procedure(step.procedures, gap, needs_response=conversion and i > 0)
        elif step.regimens:
            builder.systemic(step, gap, line)
        else:
            builder.cells(step, gap)
    return len(builder.segments)


def _after_progression(builder: Builder, patient: Patient, strategy: Strategy, line: int) -> tuple[int, int]:
    """Add later lines and repeat local treatment; returns (number of lines, index of the procedure)."""
    first = max(line, start_line(patient)) + 1
    lines = next_lines(patient, used_names(strategy), builder.catalogue)
    for k, names in enumerate(lines):
        builder.systemic(Step(regimens=names), 0.0, first + k)
    builder.remnant = DEFAULT_REPEAT_REMNANT
    knife = not patient.preferences.declines_surgery and patient.fit_for_major_surgery is not False
    builder.procedure(["repeat_hepatectomy" if knife else "microwave"], 0.0)
    return len(lines), len(builder.segments) - 1


def compile_strategy(
    patient: Patient,
    strategy: Strategy,
    catalogue: Catalogue,
    *,
    doses: Mapping[EffectClass, float] | None = None,
    metastatic: bool = True,
) -> Programme:
    """The programme of a strategy for this patient.

    `doses` are starting dose factors by class (DPYD, UGT1A1, kidney); `metastatic` says that visible
    disease is being treated, so that systemic treatment without surgery counts as a line.
    """
    if any(s.starts is not Starts.PLANNED for s in strategy.steps) or strategy.after != After():
        message = "a step that waits for progression or recurrence, or `after`, cannot be simulated yet"
        raise InputError(Problem(f"strategy {strategy.name!r}", message))
    parameters = load_parameters()
    builder = Builder(catalogue, doses or {}, patient.liver.remnant_share or DEFAULT_REMNANT)
    local = any(step.procedures for step in strategy.steps)
    line = start_line(patient) + 1 if metastatic and not local else 0
    # metastases that cannot be taken out now are operated on only if they shrink
    conversion = local and metastatic and patient.liver.all_lesions_resectable is False
    n_planned = _planned_steps(builder, patient, strategy, line, conversion)
    n_lines, repeat = 0, -1
    if not (strategy.intent is Intent.OBSERVATION and metastatic):
        n_lines, repeat = _after_progression(builder, patient, strategy, line)
    keep_on = -1
    if conversion and strategy.steps[0].regimens:
        endless = strategy.steps[0].model_copy(update={"cycles": None})
        builder.systemic(endless, 0.0, start_line(patient) + 1)
        keep_on = len(builder.segments) - 1
    scans = catalogue.surveillance[strategy.surveillance]
    return Programme(
        segments=_pack(builder.segments, SEGMENT),
        admins=_pack(builder.admins, ADMIN),
        rules=_rules(catalogue.rules_of(strategy)),
        toxicity=np.array(builder.toxicity).reshape(-1, N_KINDS),
        grade4=np.array(builder.grade4).reshape(-1, N_KINDS),
        scans=np.array(scans.intervals, dtype=np.float64).reshape(-1, 2),
        n_planned=n_planned,
        continue_segment=keep_on,
        n_lines=n_lines,
        repeat_segment=repeat,
        most_repeats=2,
        on_recurrence=0,
        ox_before=0.0,
        on_treatment_days=float(catalogue.surveillance["on_treatment"].first_scan_day),
        first_scan=float(scans.first_scan_day),
        ct_limit=parameters[SCAN_LIMIT[scans.modality]].value,
    )
