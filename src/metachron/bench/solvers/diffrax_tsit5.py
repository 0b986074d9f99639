"""The deterministic core in diffrax: Tsit5 with adaptive steps between administrations, vmap over patients.

Its best setting here: float64, one jit of the whole batch, PID step control, a scan over the stretches
between administrations so that no step crosses a jump, the first step of a stretch chosen by the solver, no
dense output. On a CPU the patients of one vmap step together until the last is done, so a batch is worked
through in chunks; with two devices (threads) each takes half of it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

from metachron.bench.solvers.jax_equations import right_hand_side, sizes
from metachron.bench.solvers.system import (
    Floats,
    Layout,
    jumps,
    layout,
    per_class,
    per_lesion,
    start,
    stretches,
)
from metachron.interop.core import MACRO_CELLS, MICRO_CELLS, Core

NAME, PACKAGE = "diffrax Tsit5", "diffrax"
CHUNK = 128
MOST_STEPS = 100_000

jax.config.update("jax_enable_x64", True)


def patient_arrays(patients: Sequence[Core]) -> tuple[dict[str, Floats], Floats]:
    """(constants stacked over patients, states at day 0 (patients, states))."""
    c = {name: np.array([p.constants[name] for p in patients]) for name in patients[0].constants}
    for name in ("growth", "resistance"):
        c[name] = np.array([per_lesion(p, name) for p in patients])
    for name in ("kill", "decay", "logit_macro", "logit_micro"):
        c[name] = np.array([per_class(p, name) for p in patients])
    where = layout(patients[0])
    return c, np.array([start(p, where)[0] for p in patients])


def schedule(core: Core, where: Layout, times: Floats) -> dict[str, Floats]:
    """What changes from stretch to stretch, first axis stretches; `ts` are its output times, then its end."""
    rows: dict[str, list[Any]] = {n: [] for n in ("t0", "ts", "jump", "checkpoint", "opens", "now")}
    now = [core.constants["line_growth_start"], 1.0, 0.0]
    cut = stretches(core)
    inside = [times[(times >= t0) & ((times < t1) | (t1 >= core.days))] for t0, t1, _ in cut]
    room = max(t.size for t in inside) + 1
    for (t0, t1, given), ts in zip(cut, inside, strict=True):
        if given is not None:
            new = (given.line_growth, given.potency, given.cell_loss)
            now = [old if value is None else value for old, value in zip(now, new, strict=True)]
        rows["t0"].append(t0)
        rows["ts"].append(np.concatenate([ts, np.full(room - ts.size, t1)]))
        rows["jump"].append(np.zeros(where.size) if given is None else jumps(core, where, given))
        rows["checkpoint"].append(0.0 if given is None else given.checkpoint)
        rows["opens"].append([given is not None and k in given.opens for k in core.classes])
        rows["now"].append(list(now))
    return {name: np.array(value) for name, value in rows.items()}


def resistant_shares(x: Any, c: dict[str, Any]) -> Any:
    """Resistant shares (classes, lesions) of lesions of ln size x when a class is first given."""
    low, high = jnp.log(MICRO_CELLS), jnp.log(MACRO_CELLS)
    w = jnp.clip((x - low) / (high - low), 0.0, 1.0)
    micro, macro = c["logit_micro"][:, None], c["logit_macro"][:, None]
    return jax.nn.sigmoid(c["resistance"] + micro + w * (macro - micro))


def give(
    core: Core, where: Layout, s: Any, phi: Any, c: dict[str, Any], row: dict[str, Any]
) -> tuple[Any, Any]:
    """State and resistant shares after what is given at the start of a stretch."""
    if core.classes:
        x, _ = sizes(core, where, s, phi, c)
        phi = jnp.where(row["opens"][:, None], resistant_shares(x, c), phi)
    s = s + row["jump"]
    if core.immune:
        s = s.at[where.at("stress")].min(1.0)
    if core.checkpoint:
        s = s.at[where.at("checkpoint")].max(row["checkpoint"])
    return s, phi


@dataclass(frozen=True, eq=False)
class Held:
    """A core as a key: the same object, the same compiled solution."""

    core: Core

    def __hash__(self) -> int:
        return id(self.core)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held) and other.core is self.core


def solution(core: Core) -> Any:
    """f(patients, schedule, tolerance) -> rows (patients, stretches, times, columns)."""
    where = layout(core)
    term = diffrax.ODETerm(right_hand_side(core, where))

    def stretch(carry: Any, row: dict[str, Any], c: dict[str, Any], tolerance: Any) -> tuple[Any, Any]:
        control = diffrax.PIDController(rtol=tolerance, atol=tolerance * 1e-3)
        s, phi = give(core, where, carry[0], carry[1], c, row)
        found = diffrax.diffeqsolve(
            term, diffrax.Tsit5(), row["t0"], row["ts"][-1], None, s, (c, phi, tuple(row["now"])),
            saveat=diffrax.SaveAt(ts=row["ts"]), stepsize_controller=control, max_steps=MOST_STEPS,
            adjoint=diffrax.ForwardMode(),
        )  # fmt: skip
        rows = found.ys
        if core.lesions:
            x = jax.vmap(lambda r: sizes(core, where, r, phi, c)[0])(rows)
            rows = jnp.concatenate([rows, x], axis=1)
        return (found.ys[-1], phi), rows

    def one(patient: tuple[Any, Any], rows: dict[str, Any], tolerance: Any) -> Any:
        c, s = patient
        phi = jnp.zeros((len(core.classes), core.lesions))
        return jax.lax.scan(lambda carry, row: stretch(carry, row, c, tolerance), (s, phi), rows)[1]

    def batch(patients: Any, rows: dict[str, Any], tolerance: Any) -> Any:
        return jax.lax.map(lambda p: one(p, rows, tolerance), patients, batch_size=CHUNK)

    return jax.pmap(batch, in_axes=(0, None, None)) if jax.local_device_count() > 1 else jax.jit(batch)


@lru_cache(maxsize=4)
def compiled(holder: Held) -> Any:
    """The solution of a structure; the tolerance is an argument of it, so that none compiles anew."""
    return solution(holder.core)


def run(
    core: Core, patients: Sequence[Core], tolerance: float, times: Floats, columns: Sequence[str]
) -> tuple[float, Floats]:
    """(seconds, states (patients, times, columns)); compiling is not timed."""
    where, devices = layout(core), jax.local_device_count()
    count = len(patients) // devices * devices
    batch: Any = patient_arrays(patients[:count])
    if devices > 1:
        batch = jax.tree.map(lambda a: a.reshape(devices, count // devices, *a.shape[1:]), batch)
    rows, solve = schedule(core, where, times), compiled(Held(core))
    batch, rows = jax.device_put(batch), jax.device_put(rows)
    solve(batch, rows, tolerance).block_until_ready()
    began = time.perf_counter()
    found = solve(batch, rows, tolerance).block_until_ready()
    took = time.perf_counter() - began
    states = np.asarray(found).reshape(count, -1, found.shape[-1])
    names = where.state_names() + [f"x_{i}" for i in range(1, core.lesions + 1)]
    keep = kept(np.asarray(rows["ts"]), times)
    return took * len(patients) / count, states[:, keep][:, :, [names.index(n) for n in columns]]


def kept(ts: Floats, times: Floats) -> list[int]:
    """Index in the flattened (stretches, output times) of each time asked for: the last of equals."""
    place = {float(t): i for i, t in enumerate(ts.ravel())}
    return [place[float(t)] for t in times]
