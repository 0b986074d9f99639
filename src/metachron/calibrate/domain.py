"""The region that the registered trials cover, as data: one row for each arm.

`python -m metachron.calibrate.domain docs/domain.md` writes `evidence/domain.json`, which
`population/domain.py` reads, and the tables of the page; run it when a trial is added or changed (a test says
so). Curves from individual data count as fitted: those
trials enter the likelihood patient by patient.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from metachron.calibrate.domain_docs import update
from metachron.calibrate.targets import Arm, CurveData, Landmark, Median, Target, load_targets
from metachron.population.domain import NO_TREATMENT, PATH, load_region, treatments_of
from metachron.population.draw import SD_LN_COUNT
from metachron.population.spec import PopulationSpec, Size, population_spec
from metachron.strategies.catalogue import Catalogue, load_catalogue
from metachron.strategies.language import resolve
from metachron.strategies.schema import Strategy

Z_99 = 2.3263478740408408
LEAST_OPEN = 12  # an open bin of lesions reaches to twice its start, and to this at least (assumed)
MARKERS = ("ras_mutant", "braf_mutant", "msi_high")


def region(targets: Iterable[Target]) -> list[dict[str, Any]]:
    """Rows of the region, in the order of trials and arms."""
    catalogue = load_catalogue()
    rows = [(arm, _row(target, arm, catalogue)) for target in targets for arm in target.arms]
    # an arm with drugs that the model leaves out covers nothing, unless it was fitted all the same
    return [row for arm, row in rows if row["fitted"] or not arm.not_modelled]


def _row(target: Target, arm: Arm, catalogue: Catalogue) -> dict[str, Any]:
    strategy = resolve(arm.strategy, catalogue)
    spec = population_spec(target.population_of(arm.name), target.setting)
    seen = target.setting != "adjuvant"
    return {
        "trial": target.trial,
        "arm": arm.name,
        "setting": target.setting,
        "n": arm.n,
        "fitted": _endpoints(target, arm, fitted=True),
        "shown": _endpoints(target, arm, fitted=False),
        "given": _given(strategy, catalogue),
        "operations": _operations(strategy, target, catalogue),
        "age": [spec.age_years.low, spec.age_years.high],
        "lesions": _most_lesions(spec) if seen else None,
        "largest_mm": _most(spec.largest_mm, 1.0) if seen else None,
        "sum_mm": _most(spec.sld_cm, 10.0) if seen else None,
        "shares": _shares(spec, target.setting),
    }


def _given(strategy: Strategy, catalogue: Catalogue) -> list[str]:
    given = set().union(*(treatments_of(step, catalogue) for step in strategy.steps))
    return sorted(given) or [NO_TREATMENT]


def _endpoints(target: Target, arm: Arm, *, fitted: bool) -> list[str]:
    """Endpoints of an arm whose curves, points or medians are fitted, or only shown."""
    found: dict[bool, set[str]] = {True: set(), False: set()}
    findings: list[CurveData | Landmark | Median] = [*target.curves, *target.landmarks, *target.medians]
    for finding in findings:
        if finding.arm == arm.name:
            individual = isinstance(finding, CurveData) and finding.origin == "individual"
            found[finding.use == "fit" or individual].add(finding.endpoint)
    return sorted(found[True] if fitted else found[False] - found[True])


def _operations(strategy: Strategy, target: Target, catalogue: Catalogue) -> int:
    """Liver resections in a life: those of the arm and, after removal of metastases, the one before it."""
    names = [name for step in strategy.steps for name in step.procedures]
    planned = sum(catalogue.procedures[name].kind == "resection" for name in names)
    before = target.setting == "resected_metastases" or "repeat_hepatectomy" in names[:1]
    return planned + int(before)


def _most(size: Size | None, mm: float) -> float | None:
    """99th percentile of a log-normal size, whole mm; `mm` in its unit."""
    return None if size is None else float(round(size.median * mm * math.exp(Z_99 * size.sd_ln)))


def _most_lesions(spec: PopulationSpec) -> float:
    """99th percentile of the number of visible lesions; of bins the end of the last."""
    if not isinstance(spec.lesions, dict):
        return float(round(spec.lesions * math.exp(Z_99 * SD_LN_COUNT)))
    ends = []
    for label in (label for label, share in spec.lesions.items() if share > 0):
        low = int(label.removesuffix("+").partition("-")[0])
        ends.append(max(2 * low, LEAST_OPEN) if label.endswith("+") else int(label.partition("-")[2] or low))
    return float(max(ends))


def _shares(spec: PopulationSpec, setting: str) -> dict[str, float]:
    """Shares of patients with features that the region is judged by. No trial format knows of stage I."""
    shares = {"ecog_2": spec.ecog[2], **{name: getattr(spec, name) for name in MARKERS}}
    if setting == "adjuvant":
        return {**shares, "stage_1": 0.0, "stage_2": spec.stage_2}
    return {**shares, "extrahepatic": round(1.0 - spec.liver_only, 6)}


def text(rows: list[dict[str, Any]]) -> str:
    """The file: one row a line, so that a change of one arm is a change of one line."""
    lines = ",\n".join(f"  {json.dumps(row)}" for row in rows)
    about = "Written by python -m metachron.calibrate.domain; one row for each arm of each registered trial."
    return f'{{"about": {json.dumps(about)}, "arms": [\n{lines}\n]}}\n'


def write(path: Path = PATH) -> int:
    """Write the region of the registry; returns the number of rows."""
    rows = region(load_targets().values())
    path.write_text(text(rows), encoding="utf-8")
    return len(rows)


if __name__ == "__main__":
    print(f"{write()} arms written to {PATH.name}")
    for name in sys.argv[1:]:
        page = Path(name)
        page.write_text(update(page.read_text("utf-8"), load_region()), encoding="utf-8")
