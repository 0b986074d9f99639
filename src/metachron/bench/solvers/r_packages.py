"""Run a peer written for R: data go out as CSV files, seconds and states come back the same way."""

from __future__ import annotations

import csv
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from metachron.bench.solvers.r_models import doses, mrgsolve_model, patient_values, rxode2_model
from metachron.bench.solvers.system import Floats, layout, ln_cells
from metachron.errors import EngineError
from metachron.interop.core import CLASS_NAMES, Core

SCRIPTS = Path(__file__).resolve().parents[4] / "benchmarks" / "peers"
MODELS = {"rxode2": (rxode2_model, "core.rx"), "mrgsolve": (mrgsolve_model, "core.cpp")}
SECONDS_TO_START = 60


@cache
def absent(package: str) -> str:
    """Why an R package cannot be run here, or nothing when it can."""
    command = shutil.which("Rscript")
    if command is None:
        return "not installed (there is no Rscript)"
    if not (SCRIPTS / f"{package}.R").exists():
        return "its script is not here (it is in the repository, not in the package)"
    return "" if package_version(package) else "not installed (R does not have the package)"


@cache
def package_version(package: str) -> str:
    """Version of an R package, or nothing."""
    code = f"cat(tryCatch(as.character(packageVersion('{package}')), error = function(e) ''))"
    done = subprocess.run(
        ["Rscript", "-e", code], capture_output=True, text=True, check=False, timeout=SECONDS_TO_START
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def write_table(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def run(
    package: str,
    core: Core,
    patients: Sequence[Core],
    tolerance: float,
    times: Floats,
    columns: Sequence[str],
) -> tuple[float, Floats]:
    """(seconds, states (patients, times, columns)) of an R package. Raises EngineError when R fails."""
    write_model, name = MODELS[package]
    sets = [patient_values(p) for p in patients]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / name).write_text(write_model(core), "utf-8")
        rows = [[i, *s.values()] for i, s in enumerate(sets, 1)]
        write_table(folder / "patients.csv", ["ID", *sets[0]], rows)
        write_table(folder / "doses.csv", ["time", "cmt", "amt"], doses(core))
        write_table(folder / "times.csv", ["time"], [[t] for t in times])
        command = ["Rscript", str(SCRIPTS / f"{package}.R"), str(folder), repr(tolerance)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise EngineError(f"{package}: {last}")
        seconds = float((folder / "seconds.txt").read_text("utf-8"))
        states = read_states(folder / "states.csv", core, sets, times)
    names = [*layout(core).state_names(), *(f"x_{i}" for i in range(1, core.lesions + 1))]
    return seconds, states[:, :, [names.index(c) for c in columns]]


def read_states(path: Path, core: Core, sets: Sequence[dict[str, float]], times: Floats) -> Floats:
    """States (patients, times, states and then ln cells) from a table in order of patient and time."""
    where = layout(core)
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    flat = np.array([[float(row[name]) for name in where.state_names()] for row in rows])
    states = flat.reshape(len(sets), times.size, where.size)
    if not core.lesions:
        return states
    sizes = []
    for one, known in zip(states, sets, strict=True):
        phi = [[known[f"phi_{CLASS_NAMES[k]}_{i}"] for i in range(1, core.lesions + 1)] for k in core.classes]
        sizes.append(ln_cells(core, where, one, np.array(phi)))
    return np.concatenate([states, np.array(sizes)], axis=2)
