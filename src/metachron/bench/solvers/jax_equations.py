"""The right-hand side of the deterministic core in jax, from docs/model.md; whole lesions at a time.

Import needs jax; the module is imported only where it is installed.
"""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from metachron.bench.solvers.system import Layout, weaker
from metachron.interop.core import (
    AVASCULAR_CELLS,
    CELLS_PER_ML,
    CLASS_NAMES,
    EGFR,
    GROWTH_FRACTION,
    REFERENCE_CELLS,
    VASCULAR_CELLS,
    Core,
)

LN_REFERENCE, LN_AVASCULAR = math.log(REFERENCE_CELLS), math.log(AVASCULAR_CELLS)
LN_DECADE = math.log(VASCULAR_CELLS / AVASCULAR_CELLS)
FADING = {
    "V": "vegf",
    "checkpoint": "checkpoint",
    "stress": "stress",
    "m": "marrow",
    "l": "lymph",
    "a": "lymph",
}


def marrow(get: dict[str, Any], c: dict[str, Any]) -> dict[str, Any]:
    """Rates of the neutrophil chain."""
    ktr = c["marrow_transit"]
    feedback = (c["neutrophils_start"] / get["C"]) ** c["marrow_feedback"]
    return {
        "P": ktr * get["P"] * ((1.0 - c["marrow_factor"] * get["m"]) * feedback - 1.0),
        "T1": ktr * (get["P"] - get["T1"]),
        "T2": ktr * (get["T1"] - get["T2"]),
        "T3": ktr * (get["T2"] - get["T3"]),
        "C": ktr * get["T3"] - c["neutrophil_loss"] * get["C"],
    }


def body(get: dict[str, Any], c: dict[str, Any], cell_loss: Any) -> dict[str, Any]:
    """Rates of all of the body by name."""
    out = {name: -c[f"decay_{d}"] * get[name] for name, d in FADING.items() if name in get}
    out |= marrow(get, c)
    if "L" in get:
        out["L"] = c["lymphocyte_recovery"] * (1.0 - get["L"]) - get.get("l", 0.0) * get["L"]
    if "E" in get:
        cells, lymph = get["E"], get["L"]
        out["L"] += c["marrow_support"] * cells / (cells + c["support_half_cells"]) * (1.0 - lymph)
        room = jnp.maximum(0.0, 1.0 - lymph - cells / c["cell_capacity"])
        out["E"] = (c["cell_expansion"] * room - cell_loss - c["cell_chemo_toxicity"] * get["a"]) * cells
    if "N" in get:
        out["X"] = -c["nerve_onset"] * get["X"]
        out["N"] = c["nerve_onset"] * get["X"] - c["nerve_recovery"] * get["N"]
    if "H" in get:
        out["H"] = c["liver_regrowth"] * get["H"] * (1.0 - get["H"] / c["liver_plateau"])
    return out


def hazard(core: Core, volume: Any, liver: Any, c: dict[str, Any]) -> Any:
    """Hazard of death per day by detected cancer and by replacement of the liver."""
    seen, inside = np.array(core.visible, bool), np.array(core.in_liver, bool)
    h = jnp.zeros(())
    if seen.any():
        sum_cm = jnp.sum(jnp.cbrt(6.0 / math.pi * volume[seen]))
        whole = jnp.exp(c["death_intercept"] + c["death_burden"] * jnp.log1p(sum_cm))
        h += -jnp.expm1(-sum_cm / c["death_full_cm"]) * whole
    if inside.any():
        tumour = jnp.sum(volume[inside])
        mid, width = c["death_liver_mid"], c["death_liver_width"]
        z = jnp.clip((tumour / (liver * c["liver_ml"] + tumour) - mid) / width, -30.0, 30.0)
        none = 1.0 / (1.0 + jnp.exp(jnp.minimum(mid / width, 30.0)))
        h += jnp.maximum(0.0, c["death_liver_max"] * (1.0 / (1.0 + jnp.exp(-z)) - none))
    return h


def sizes(core: Core, where: Layout, s: Any, phi: Any, c: dict[str, Any]) -> tuple[Any, list[Any]]:
    """(ln living cells (lesions,), kill of each class over that of sensitive cells (lesions,))."""
    x = s[where.block("y")] - (s[where.block("I")] if core.immune else 0.0)
    rho, kills = c["rho_resistant"], []
    for j, k in enumerate(core.classes):
        d = s[where.block(f"D_{CLASS_NAMES[k]}")]
        weak, strong = (1.0 - phi[j]) * jnp.exp(-d), phi[j] * jnp.exp(-rho * d)
        x = x + jnp.log(weak + strong)
        kills.append((weak + rho * strong) / (weak + strong))
    return x, kills


def immune(core: Core, get: dict[str, Any], n: Any, gf: Any, c: dict[str, Any]) -> Any:
    """Immune kill of every lesion per day."""
    total = jnp.zeros_like(n)
    if core.checkpoint:
        total += c["checkpoint_kill"] * gf * get["checkpoint"]
    if core.cells:
        ratio = c["cell_homing"] * get["E"] * (n / jnp.sum(n)) ** (2.0 / 3.0) / n
        total += c["cell_kill"] * ratio / (1.0 + ratio)
    return (1.0 + c["chemo_sensitising"] * get["stress"]) * total


def right_hand_side(core: Core, where: Layout) -> Any:
    """f(t, s, (constants, resistant shares, (growth in this line, potency, loss of infused cells)))."""
    loses = weaker(core)

    def f(_t: Any, s: Any, args: Any) -> Any:
        c, phi, (line_growth, potency, cell_loss) = args
        get = {name: s[i] for i, name in enumerate(where.names)}
        single = body(get, c, cell_loss)
        if not core.lesions:
            return jnp.stack([single[name] for name in where.names])
        x, kills = sizes(core, where, s, phi, c)
        n = jnp.exp(x)
        gf = jnp.clip((c["ln_capacity"] - x) / (c["ln_capacity"] - LN_REFERENCE), *GROWTH_FRACTION)
        factor = jnp.ones_like(x)
        vessels = jnp.clip((x - LN_AVASCULAR) / LN_DECADE, 0.0, 1.0)
        if core.vegf:
            slowing = 1.0 - c["vegf_imax"] * get["V"] / (get["V"] + c["vegf_ic50_mg_l"])
            factor = 1.0 - vessels * (1.0 - slowing)
        grow, rate = c["growth"] * gf * line_growth, jnp.zeros_like(x)
        blocks = {"y": grow * factor, "held": grow * (1.0 - factor)}
        for j, k in enumerate(core.classes):
            name = CLASS_NAMES[k]
            single[f"A_{name}"] = -c["decay"][j] * get[f"A_{name}"]
            step = c["kill"][j] * gf * get[f"A_{name}"] * (potency if loses[j] else 1.0)
            if k <= EGFR:
                micro = c["egfr_micro_factor" if k == EGFR else "kill_micro_factor"]
                step = step * (micro + (1.0 - micro) * vessels)
            blocks[f"D_{name}"] = step
            rate = rate + step * kills[j]
        if core.immune:
            blocks["I"] = immune(core, get, n, gf, c)
            rate = rate + blocks["I"]
        dead = s[where.block("W")]
        blocks["W"] = n / CELLS_PER_ML * rate - c["dead_tissue_clearance"] * dead
        single["hazard_cancer"] = hazard(core, n / CELLS_PER_ML + dead, get.get("H", c["liver_start"]), c)
        alone = jnp.stack([single[name] for name in where.names])
        return jnp.concatenate([alone, *(blocks[name] for name in where.blocks)])

    return f
