"""What a virtual patient is by nature: growth, sensitivity, resistance, body; from the draws and named coins.

`twins` (n,) are TWIN records filled in place, `d` (n,) the parameter draw of each of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from metachron.model.kill import CLASSES, EGFR
from metachron.population.streams import Streams

Floats = NDArray[np.float64]
LIVER_SPREAD = 0.15  # SD of ln liver volume between patients (assumed)
MEAN_ECOG = (
    0.6  # of the patients whose hazard of death the intercept describes (FFCD 2000-05: 0.73, trials less)
)


def draw_tumour(twins: NDArray[np.void], d: NDArray[np.void], streams: Streams) -> None:
    """Growth rate (1/d at the reference size), sensitivity to drugs, susceptibility to immune kill."""
    n = twins.size
    twins["growth"] = np.log(2) / d["vdt_ref_days"] * np.exp(
        d["sd_ln_growth"] * streams["growth"].standard_normal(n)
    )  # fmt: skip
    twins["sensitivity"] = np.exp(d["sd_ln_sensitivity"] * streams["sensitivity"].standard_normal(n))
    z = streams["immune"].standard_normal(n)
    twins["immune"], twins["checkpoint"] = np.exp(d["sd_ln_immune"] * z), np.exp(d["sd_ln_checkpoint"] * z)


def set_markers(twins: NDArray[np.void], d: NDArray[np.void], ras: Floats, braf: Floats, msi: Floats) -> None:
    """What RAS mutation, BRAF V600E and microsatellite instability (flags 0 or 1) change."""
    twins["growth"] *= np.exp(d["growth_ras_mutant"] * ras + d["growth_braf_mutant"] * braf)
    twins["egfr_active"] = (1 - ras) * (1 - braf)  # matched inhibitors act through their own class
    twins["msi_high"] = msi


def draw_frailty(twins: NDArray[np.void], d: NDArray[np.void], ecog: Floats, streams: Streams) -> None:
    """ln factor on the hazard of death by cancer: ECOG status (points), and what no record shows."""
    sd = d["death_frailty_sd"]
    z = streams["death frailty"].standard_normal(twins.size)
    twins["ln_frailty"] = d["death_ecog"] * (ecog - MEAN_ECOG) + sd * z - 0.5 * sd**2


def draw_resistance(twins: NDArray[np.void], d: NDArray[np.void], streams: Streams) -> None:
    """Logit of the resistant share of visible and of microscopic lesions, for each drug class."""
    n = twins.size
    shared = streams["resistance shared"].standard_normal(n)[:, None]
    own = streams["resistance own"].standard_normal((n, CLASSES))
    rho = d["phi_correlation"][:, None]
    z = np.sqrt(rho) * shared + np.sqrt(1 - rho) * own
    macro = d["phi_macro_mean"][:, None] + d["phi_macro_sd"][:, None] * z
    macro[:, EGFR] = d["phi_egfr_mean"] + d["phi_egfr_sd"] * z[:, EGFR]
    micro = d["phi_micro_mean"][:, None] + d["phi_micro_sd"][:, None] * z
    twins["logit_macro"], twins["logit_micro"] = macro, micro


def draw_body(twins: NDArray[np.void], d: NDArray[np.void], streams: Streams) -> None:
    """Neutrophils (1e9/L), marrow and nerve sensitivity, liver volume (mL) where none is known."""
    n = twins.size
    z = streams["neutrophils"].standard_normal(n)
    twins["neutrophils"] = d["neutrophil_base_e9_l"] * np.exp(d["neutrophil_base_cv"] * z)
    twins["marrow_factor"] = d["marrow_slope_factor"] * np.exp(
        d["marrow_slope_cv"] * streams["marrow"].standard_normal(n)
    )
    twins["nerve_factor"] = np.exp(d["neuropathy_sd"] * streams["nerve"].standard_normal(n))
    spread = np.exp(LIVER_SPREAD * streams["liver"].standard_normal(n))
    twins["liver_ml"] = d["liver_volume_ml"] * spread
    twins["liver_share"] = 1.0
