#!/usr/bin/env python3
"""Writes the curves of the registered trials from individual data that are not part of the repository.

    scripts/derive_targets.py --ipd trial_ipd.csv [--moertel moertel_colon.csv] [TRIAL ...]

trial_ipd.csv: trial, figure, endpoint, arm, time_months, event (R package kmdata, reconstructed from
published figures). moertel_colon.csv: data set colon of the R package survival. In each file of
evidence/targets the text above the marker is written by hand and kept; of a curve below it the words
(endpoint, arm, figure, use, reason, note) are kept, and its grid, numbers at risk, events and survival are
computed anew.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "src/metachron/evidence/targets"
MARKER = (
    "# --- below: made by scripts/derive_targets.py; the words of an entry are kept, its numbers are not\n"
)
NUMBERS = ("months", "at_risk", "events", "survival", "remaining")
MOERTEL = "Moertel"
LEAST_AT_RISK = 10
LEAST_AT_RISK_MOERTEL = 5
DAYS_PER_MONTH = 30.4375

MONTHLY = [*range(1, 13), 14, 16, 18, 21, 24, 27, 30, 36, 42, 48]
GRIDS = {
    "progression": MONTHLY,
    "metastatic OS": [*range(2, 25, 2), *range(27, 37, 3), *range(42, 73, 6)],
    "adjuvant DFS": [*range(3, 25, 3), *range(30, 61, 6), *range(72, 157, 12)],
    "adjuvant OS": [*range(6, 61, 6), *range(72, 157, 12)],
    "moertel": [*range(3, 85, 3)],
    "moertel OS": [*range(6, 85, 6), 96],
}


def on_grid(times: np.ndarray, event: np.ndarray, grid: list[int], least: int) -> dict[str, list]:
    """Kaplan-Meier on a grid; intervals that begin with fewer than `least` at risk are left out.

    `times` in the unit of the grid. An event at a grid point belongs to the interval that it ends.
    """
    rows: dict[str, list] = {name: [] for name in NUMBERS[:4]}
    start, survival = -1.0, 1.0
    for end in grid:
        at_risk = int((times > start).sum())
        if at_risk < least or times.max() <= start:
            break
        inside = (times > start) & (times <= end)
        for t in np.unique(times[inside & event]):
            survival *= 1 - (event & (times == t)).sum() / (times >= t).sum()
        rows["months"].append(end)
        rows["at_risk"].append(at_risk)
        rows["events"].append(int((inside & event).sum()))
        rows["survival"].append(round(float(survival), 4))
        start = float(end)
    rows["remaining"] = int((times > start).sum())
    return rows


def grid_of(target: dict, curve: dict) -> list[int]:
    """Grid for a curve: months."""
    if target["trial"] == MOERTEL:
        return GRIDS["moertel OS" if curve["endpoint"] == "OS" else "moertel"]
    if target["setting"] == "adjuvant":
        return GRIDS["adjuvant OS" if curve["endpoint"] == "OS" else "adjuvant DFS"]
    return GRIDS["metastatic OS" if curve["endpoint"] == "OS" else "progression"]


def from_ipd(data: pd.DataFrame, target: dict, curve: dict) -> dict[str, list]:
    """Numbers of a curve from the reconstructed data."""
    arm = curve.get("data_arm") or curve["arm"]
    rows = data[(data.trial == target["trial"]) & (data.figure == curve["figure"]) & (data.arm == arm)]
    if rows.empty:
        sys.exit(f"{target['trial']}: no rows for figure {curve['figure']}, arm {arm}")
    if rows.time_months.max() < 5 or rows.time_months.max() > 240:
        sys.exit(f"{target['trial']}: times to {rows.time_months.max():g}: not months?")
    event = rows.event.to_numpy() == 1
    return on_grid(rows.time_months.to_numpy(), event, grid_of(target, curve), LEAST_AT_RISK)


def moertel(path: Path) -> pd.DataFrame:
    """One row a patient: arm (stratum of nodes, treatment), months to recurrence and death."""
    raw = pd.read_csv(path)
    wide = {name: rows.set_index("id") for name, rows in raw.groupby("endpoint")}
    dead, back = wide["death"], wide["recurrence"]
    table = dead[["rx", "nodes", "age", "sex", "extent"]].copy()
    low = [1, 2, 3, 4, 6, 10]
    names = ["1", "2", "3", "4_5", "6_9", "10plus"]
    known = table.nodes >= 1
    stratum = pd.cut(table.nodes, [*low, 1000], right=False, labels=names)
    treated = np.where(table.rx == "Lev+5FU", "fu", "control")
    table["arm"] = [f"nodes_{s}_{t}" for s, t in zip(stratum, treated, strict=True)]
    for name, frame in (("OS", dead), ("recurrence", back)):
        table[f"{name} months"] = frame.time_days / DAYS_PER_MONTH
        table[f"{name} event"] = frame.status == 1
    print(f"{MOERTEL}: {len(table)} patients, {int((~known).sum())} without a known positive node left out")
    return table[known]


def from_moertel(table: pd.DataFrame, target: dict, curve: dict) -> dict[str, list]:
    """Numbers of a curve from the individual data."""
    rows, name = table[table.arm == curve["arm"]], curve["endpoint"]
    times, event = rows[f"{name} months"].to_numpy(), rows[f"{name} event"].to_numpy()
    return on_grid(times, event, grid_of(target, curve), LEAST_AT_RISK_MOERTEL)


def describe(table: pd.DataFrame) -> None:
    """Population figures of each stratum, for the part written by hand."""
    for arm, rows in [("all", table), *table.groupby("arm")]:
        nodes = rows.nodes.astype(int).value_counts(normalize=True).sort_index().round(3).to_dict()
        ages = [rows.age.median(), rows.age.min(), rows.age.max()]
        t4, t12 = (rows.extent == 4).mean(), rows.extent.isin([1, 2]).mean()
        print(f"{arm}: n {len(rows)}, age {ages}, female {1 - rows.sex.mean():.3f}, ", end="")
        print(f"t4 {t4:.3f}, t12 {t12:.3f}, nodes {nodes}")


def write(path: Path, head: str, curves: list[dict]) -> None:
    """The hand-written head and the curves, numbers in one line."""
    lines = ["curves:"]
    for curve in curves:
        words = {k: v for k, v in curve.items() if k not in NUMBERS}
        text = yaml.safe_dump(
            words, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10000
        )
        inner = text.strip().removeprefix("{").removesuffix("}")
        numbers = ", ".join(f"{k}: {curve[k]}" for k in NUMBERS)
        lines.append(f"  - {{{inner},\n     {numbers}}}")
    path.write_text(head + MARKER + "\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--ipd", type=Path, required=True)
    parser.add_argument("--moertel", type=Path)
    parser.add_argument("--describe", action="store_true", help="print the strata of the Moertel trial")
    parser.add_argument("trials", nargs="*")
    options = parser.parse_args()
    data = pd.read_csv(options.ipd, dtype={"trial": str, "figure": str})
    table = moertel(options.moertel) if options.moertel else None
    if table is not None and options.describe:
        describe(table)
    for path in sorted(FOLDER.glob("*.yaml")):
        head, marker, rest = path.read_text(encoding="utf-8").partition(MARKER)
        target = yaml.safe_load(head + rest)
        target["trial"] = str(target["trial"])
        if not marker or (options.trials and target["trial"] not in options.trials):
            continue
        individual = target["trial"] == MOERTEL
        if individual and table is None:
            continue
        curves = []
        for curve in target["curves"]:
            numbers = from_moertel(table, target, curve) if individual else from_ipd(data, target, curve)
            curves.append(curve | numbers)
        write(path, head, curves)
        print(f"{path.name}: {len(curves)} curves")


if __name__ == "__main__":
    main()
