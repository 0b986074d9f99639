"""Kill by drugs: one cumulative kill and one resistant fraction per drug class and lesion.

n = exp(y) prod_k [(1 - phi_k) exp(-D_k) + phi_k exp(-rho D_k)] exp(-I); kill per day is proportional
to the growth fraction (Norton-Simon), without which adjuvant treatment would cure almost nobody.
Source: model equation 11.3; FFCD 2000-05 fits.
"""

from __future__ import annotations

import math

from metachron.model.compiled import jit

# Kill classes, in the order of all arrays over classes.
FP, OX, IRI, FTD, EGFR, TARGET = 0, 1, 2, 3, 4, 5
CLASSES = 6


@jit
def log_survival(kill, phi, rho):
    """ln of the share of cells that survive cumulative kill D with resistant fraction phi."""
    if kill <= 0.0:
        return 0.0
    return math.log((1.0 - phi) * math.exp(-kill) + phi * math.exp(-rho * kill))


@jit
def effect_integral(amount, decay, days):
    """Integral of an effect amount that decays at `decay` per day, over `days`."""
    return amount * (1.0 - math.exp(-decay * days)) / decay


@jit
def logistic(z):
    """1 / (1 + exp(-z)), safe at both ends."""
    if z > 35.0:
        return 1.0
    if z < -700.0:
        return 0.0
    return 1.0 / (1.0 + math.exp(-z))


@jit
def resistant_fraction(x, logit_macro, logit_micro):
    """Resistant fraction of a lesion of ln size x when a class is first given.

    Visible lesions (above 1e8 cells) carry functional resistance, microscopic ones (below 1e7) only
    the far rarer genetic one; linear on the logit scale in between.
    """
    low, high = 16.118095650958317, 18.420680743952367  # ln 1e7, ln 1e8
    w = min(max((x - low) / (high - low), 0.0), 1.0)
    return logistic(logit_micro + w * (logit_macro - logit_micro))
