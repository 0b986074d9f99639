"""Kill by drugs: one resistant share per drug class and lesion.

With cumulative kill D and resistant fraction phi, cells survive as (1 - phi) exp(-D) + phi exp(-rho D), and
classes multiply. The same law step by step: after a further kill d a share (1 - p) exp(-d) + p exp(-rho d)
survives, p being the resistant share of the moment, which rises as the sensitive cells die. Kill per day is
proportional to the growth fraction (Norton-Simon), without which adjuvant treatment would cure almost nobody.
Source: model equation 11.3; FFCD 2000-05 fits.
"""

from __future__ import annotations

import math

from metachron.model.compiled import jit

# Kill classes, in the order of all arrays over classes.
FP, OX, IRI, FTD, EGFR, TARGET = 0, 1, 2, 3, 4, 5
CLASSES = 6


@jit
def survive(resistant, kill, rho):
    """(share of cells that survive a kill, resistant share afterwards)."""
    strong = resistant * math.exp(-rho * kill)
    left = (1.0 - resistant) * math.exp(-kill) + strong
    return left, strong / left


@jit
def resistance_off_drug(resistant, start, days, half_life):
    """Resistant share after `days` without the drug: its odds return towards those at the start."""
    odds, first = resistant / (1.0 - resistant), start / (1.0 - start)
    odds = first + (odds - first) * math.exp(-math.log(2.0) / half_life * days)
    return odds / (1.0 + odds)


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
