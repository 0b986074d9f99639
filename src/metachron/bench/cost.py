"""Cost of one life as the number of lesions, the horizon, the cycles and the twins grow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from metachron.bench.child import SMALL, run_child
from metachron.bench.timing import measured, timed
from metachron.bench.workload import DRAWS, SEED, Scenario, one, scenarios
from metachron.engine.compile import compile_strategy, start_line
from metachron.engine.records import LESION, LIVER, VISIBLE
from metachron.parameters import draw_parameters
from metachron.patient.examples import read_example
from metachron.plan.findings import read_findings
from metachron.plan.twins import make_twins
from metachron.strategies.catalogue import load_catalogue
from metachron.strategies.language import resolve

Row = dict[str, float | int]
LESIONS = (1, 2, 4, 8, 12, 20, 30, 40, 60)
YEARS = (1, 2, 5, 10, 15, 20)
CYCLES = (0, 6, 12, 24, 36, 48)
TWINS = (100, 1_000, 10_000, 100_000, 1_000_000)
BASE = ("unresectable_ras_mutant", "mfolfox6_bevacizumab")
COURSE = "mfolfox6"


def with_lesions(scenario: Scenario, count: int) -> Scenario:
    """The same tumour cells in `count` visible liver lesions of equal size for every twin.

    Growth and detectability of a lesion are those of the twin's own lesions, in turn.
    """
    n = scenario.size
    own = np.maximum(scenario.twins["n_lesions"], 1)
    used = np.arange(scenario.lesions.shape[1])[None, :] < scenario.twins["n_lesions"][:, None]
    visible = used & (scenario.lesions["status"] == VISIBLE)
    cells = np.where(visible, np.exp(scenario.lesions["x"]), 0.0).sum(1)
    lesions = np.zeros((n, count), LESION)
    for j in range(count):
        lesions[:, j] = scenario.lesions[np.arange(n), j % own]
    lesions["x"] = np.log(cells / count)[:, None]
    lesions["status"], lesions["organ"] = VISIBLE, LIVER
    twins = scenario.twins.copy()
    twins["n_lesions"] = count
    return replace(scenario, twins=twins, lesions=lesions)


def with_cycles(cycles: int, twins: int) -> Scenario:
    """Adjuvant mFOLFOX6 of so many cycles; nobody gives up between cycles, rules act as always."""
    catalogue, draws = load_catalogue(), draw_parameters(DRAWS, SEED, prior=True)
    draws["stop_per_cycle"] = 0.0
    patient = read_example("stage3_adjuvant")
    findings = read_findings(patient, catalogue)
    matched = make_twins(patient, findings, draws, twins, SEED, start_line(patient))
    strategy = resolve(f"{COURSE}*{cycles}" if cycles else "observation", catalogue)
    programme = compile_strategy(patient, strategy, catalogue, metastatic=not findings.nothing_visible)
    return Scenario(
        "stage3_adjuvant", strategy.name, matched.lesions, matched.twins, matched.draws, programme
    )


def _row(name: str, value: int, work: Scenario | Sequence[Scenario], runs: int, years: float = 10.0) -> Row:
    """Seconds a life on one thread: median, lowest and highest of the runs."""
    work = [work] if isinstance(work, Scenario) else work
    lives = sum(s.size for s in work)

    def once() -> None:
        for scenario in work:
            scenario.live(1, years)

    t = timed(once, runs)
    return {
        name: value,
        "seconds": t.median / lives,
        "low": t.low / lives,
        "high": t.high / lives,
        "runs": runs,
    }


def by_lesions(twins: int, runs: int, counts: Sequence[int] = LESIONS) -> list[Row]:
    """Palliative FOLFOX and bevacizumab with later lines, by number of lesions."""
    base = one(*BASE, twins)
    return [_row("lesions", k, with_lesions(base, k), runs) for k in counts]


def by_horizon(twins: int, runs: int, years: Sequence[int] = YEARS) -> list[Row]:
    """The whole workload, by years ahead."""
    work = scenarios(twins)
    return [_row("years", y, work, runs, float(y)) for y in years]


def by_cycles(twins: int, runs: int, cycles: Sequence[int] = CYCLES) -> list[Row]:
    """Adjuvant treatment, by planned cycles; `given` is the mean number given."""
    rows = []
    for n in cycles:
        work = with_cycles(n, twins)
        given = float(work.live(1).outcomes["cycles_given"].mean())
        rows.append({**_row("cycles", n, work, runs), "given": given})
    return rows


def by_twins(jobs: int, counts: Sequence[int] = TWINS) -> list[Row]:
    """One batch on `jobs` threads, each size in a process of its own; three runs up to 10,000 twins."""
    run_child("big", counts[0], jobs)  # so that compiled code is there, and compiling is in no figure
    rows = []
    for n in counts:
        runs = 3 if n <= 10_000 else 1
        found = [run_child("big", n, jobs) for _ in range(runs)]
        times = measured([float(f["seconds"] or 0.0) / n for f in found])
        row: Row = {"twins": n, "seconds": times.median, "low": times.low, "high": times.high, "runs": runs}
        memory = [value for f in found if (value := f["memory_mb"]) is not None]
        if memory:
            row["memory_mb"] = measured(memory).median
        rows.append(row)
    return rows


def describe() -> dict[str, str]:
    """What each table measures, in words."""
    return {
        "lesions": f"{BASE[0]} under {BASE[1]} with its later lines, 10 years, one thread; the same "
        "number of tumour cells in so many visible lesions",
        "years": "all examples under all their strategies, one thread",
        "cycles": f"stage3_adjuvant under adjuvant {COURSE} of so many cycles, 10 years, one thread; nobody "
        "stops between cycles, dose rules act",
        "twins": f"{SMALL[0]} under {SMALL[1]}, 10 years, all threads; peak memory of a process that does "
        "nothing else",
    }
