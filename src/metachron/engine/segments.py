"""Steps of a strategy as segments with their administrations, for the arrays the kernel reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from metachron.engine.compile_rules import KILL_CLASS
from metachron.engine.records import GIVE_CELLS, GIVE_NOTHING, GIVE_VEGF, N_KINDS, PROCEDURE, SYSTEMIC
from metachron.model.kill import CLASSES
from metachron.model.toxicity import KINDS, cycle_hazard
from metachron.strategies.catalogue import Catalogue
from metachron.strategies.schema import CellProduct, DrugDose, EffectClass, Procedure, Step, ToxicityRate

# Days. A drug given daily is taken in blocks, since only the integral over days matters to a lesion.
BLOCK_DAYS = 7
DEPLETION_DAYS = 7


@dataclass
class Builder:
    """Collects segments and their administrations in order."""

    catalogue: Catalogue
    doses: Mapping[EffectClass, float]
    remnant: float
    trigger: int = 0
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

    def procedure(self, names: list[str], gap: float, **limits: float) -> None:
        """Procedures done at one session; a second stage is a second session. `limits`: fields of SEGMENT
        that say when it is done (needs_response, max_lesions, max_mm)."""
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
            "cryo": any(e.energy == "cryo" for e in heat),
            "mortality": worst.mortality_90d.value,
            "morbidity": max(e.morbidity_grade3plus.value for e in entries),
            "recovery": max(e.recovery_days.value for e in entries),
            "remnant": self.remnant if knife else 1.0,
            "trigger": self.trigger,
            **limits,
        }
        if heat:
            first = heat[0]
            segment["hazard_factor"] = first.hazard_factor.value if first.hazard_factor else 1.0
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
        stop_vegf = cycles - step.stop_partner_before_surgery_cycles if cycles else 0
        until = stop_vegf if step.stop_partner_before_surgery_cycles else 0
        for dose, _ in lines:
            self._drug(dose, _harm(dose, cytotoxic), until)
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
            for dose in regimen.drugs:
                self._drug(dose, _harm(dose, regimen.drugs), 1)
            courses.append((regimen.toxicity, 1.0))
            offset = DEPLETION_DAYS
        self._cells(product, offset, step.infusions or product.infusions)
        days = max(product.interval_days, offset + 1)
        self._close(gap, days, step.infusions or product.infusions, start, slope, lymph, False, 0)
        self.rates(courses)

    def _drugs(self, regimen: str, cycle_days: int) -> list[DrugDose]:
        return self.catalogue.drugs_of(regimen, cycle_days)

    def _drug(self, dose: DrugDose, harm: float, until_cycle: int) -> None:
        """Add the days of a drug; `harm`: its share of what the regimen does to marrow and lymphocytes."""
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
                    "chemo": harm * part if drug.cytotoxic else 0.0,
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
                "trigger": self.trigger,
                "dose": dose,
            }
        )


def _harm(dose: DrugDose, cytotoxic: Sequence[DrugDose]) -> float:
    """Share of a drug in the harm of its regimen: its part in the kill, equal parts where none kills."""
    total = sum(d.share for d in cytotoxic)
    return dose.share / total if total > 0.0 else 1.0 / max(len(cytotoxic), 1)
