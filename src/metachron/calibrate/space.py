"""The space that is fitted: standard-normal scores of the free parameters, and the draws they stand for.

Every free parameter is measured by its score z under its own prior (z = 0: the median, z = 1.96: the 97.5 %
quantile), so that the prior of each is N(0, 1), whatever its unit and shape.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from metachron.errors import InputError, Problem
from metachron.parameters.draws import latin_hypercube, quantile
from metachron.parameters.load import Parameter, load_parameters

Floats = NDArray[np.float64]
FARTHEST_Z = 6.0  # beyond it a quantile function is rounding error

# Not fitted, and why: no registered arm moves with them, so that their posterior would be their prior and
# their only effect would be noise in the emulator. They are drawn from the prior, independently.
HELD: dict[str, str] = {
    "cell_effect_real": "infused cells: no arm identifies it",
    "cell_kill": "infused cells: no arm identifies it",
    "cell_homing": "infused cells: no arm identifies it",
    "cell_half_life_factor": "infused cells: no arm identifies it",
    "cell_expansion": "infused cells: no arm identifies it",
    "cell_chemo_toxicity": "infused cells: no arm identifies it",
    "chemo_sensitising": "infused cells: no arm identifies it",
    "checkpoint_mss_factor": "checkpoint inhibitors in MSS disease: no arm",
    "marrow_slope_factor": "fitted to toxicity tables",
    "lymphocyte_recovery_days": "acts on toxicity and infused cells only",
    "febrile_given_grade4": "fitted to toxicity tables",
    "febrile_mortality": "a death in thousands; not seen in survival curves",
    "neuropathy_onset_days": "fitted to toxicity tables",
    "neuropathy_recovery_days": "fitted to toxicity tables",
    "neuropathy_grade2_mg_m2": "fitted to toxicity tables",
    "neuropathy_grade3_mg_m2": "fitted to toxicity tables",
    "liver_regrowth": "volumetry, not survival",
    "stop_per_cycle": "fitted to completion of adjuvant courses",
    "background_comorbid_factor": "trials do not report comorbidity",
    "occult_per_risk_point": "used only where a score alone is recorded",
    "growth_obstruction": "finding of the primary: learnt patient by patient on the Moertel trial",
    "growth_poor_grade": "finding of the primary: learnt patient by patient on the Moertel trial",
    "occult_obstruction": "finding of the primary: learnt patient by patient on the Moertel trial",
    "occult_perforation": "finding of the primary: learnt patient by patient on the Moertel trial",
    "occult_adherent": "finding of the primary: learnt patient by patient on the Moertel trial",
    "occult_poor_grade": "finding of the primary: learnt patient by patient on the Moertel trial",
}


# Inputs that mean nothing. They are fitted like the others, and what the fit claims to learn of them is the
# noise of the emulator: contraction of real parameters is to be judged against theirs.
NULL = ("null_1", "null_2", "null_3")


def free_parameters() -> tuple[str, ...]:
    """Names of the fitted parameters in file order: those with a continuous prior that are not in HELD.

    A parameter added to the files is fitted from then on, unless it is put into HELD with a reason.
    """
    return tuple(p.name for p in load_parameters().values() if _continuous(p) and p.name not in HELD)


def _continuous(parameter: Parameter) -> bool:
    return parameter.distribution not in ("fixed", "bernoulli")


def natural(names: Sequence[str], z: Floats) -> Floats:
    """Values in their own units, shape (k, len(names)), of the scores z (k, len(names)); null inputs are
    their scores."""
    z = check_scores(names, z)
    parameters = load_parameters()
    u = ndtr(np.clip(z, -FARTHEST_Z, FARTHEST_Z))
    columns = [
        z[:, j] if name in NULL else quantile(parameters[name], u[:, j]) for j, name in enumerate(names)
    ]
    return np.column_stack(columns) if columns else np.zeros((z.shape[0], 0))


def prior_median() -> NDArray[np.void]:
    """One parameter set, shape (1,), with every parameter at the median of its prior (a switch: on)."""
    parameters = load_parameters()
    draws = np.zeros(1, dtype=[(name, np.float64) for name in parameters])
    for p in parameters.values():
        draws[p.name] = 1.0 if p.distribution == "bernoulli" else quantile(p, np.array([0.5]))
    return draws


def draws_from_z(names: Sequence[str], z: Floats, *, rest_seed: int | None = None) -> NDArray[np.void]:
    """Parameter sets, shape (k,), one float64 field per parameter, from scores z (k, len(names)).

    What is not in `names` stands at its prior median; with `rest_seed` it is drawn from its prior instead,
    by Latin hypercube and independently of z. Null inputs are left out. Raises InputError for a name that is
    no free parameter.
    """
    z = check_scores(names, z)
    k = z.shape[0]
    parameters = load_parameters()
    draws = np.repeat(prior_median(), k)
    for name, column in zip(names, natural(names, z).T, strict=True):
        if name not in NULL:
            draws[name] = column
    if rest_seed is not None and k > 0:
        rest = [p for p in parameters.values() if p.distribution != "fixed" and p.name not in set(names)]
        u = latin_hypercube(k, len(rest), rest_seed)
        for j, parameter in enumerate(rest):
            draws[parameter.name] = quantile(parameter, u[:, j])
    return draws


def check_scores(names: Sequence[str], z: Floats) -> Floats:
    """z as a (k, len(names)) array of finite numbers. Raises InputError."""
    known = load_parameters()
    for name in names:
        if name not in NULL and (name not in known or not _continuous(known[name])):
            raise InputError(Problem(name, "is not a parameter with a continuous prior"))
    z = np.atleast_2d(np.asarray(z, dtype=np.float64))
    if z.ndim != 2 or z.shape[1] != len(names):
        raise InputError(Problem("z", f"has shape {z.shape}", f"(k, {len(names)})"))
    if not np.isfinite(z).all():
        raise InputError(Problem("z", "holds a value that is not finite"))
    return z
