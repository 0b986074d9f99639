#!/usr/bin/env python3
"""Derive from the Moertel trial what findings of the primary say of unseen lesions, and print it.

Usage: scripts/derive_occult.py moertel_colon.csv   (the data set colon of the R package survival)

All patients are fitted at once by posterior mode (metachron.calibrate.individual_model); 95 % intervals come
from the curvature. Printed first: figures of occult.yaml and growth.yaml. Then what the laws of number, size
and growth would be, with profiles of the likelihood: these are calibrated together with the trials and not
from here. Nothing is written.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from metachron.calibrate.individual_data import Cohort, read_moertel
from metachron.calibrate.individual_model import Fit, Recurrence
from metachron.calibrate.individual_table import make_tables
from metachron.errors import InputError
from metachron.parameters.draws import median_parameters

# term of the fit -> parameter
PARAMETERS = {
    "obstruction": "occult_obstruction",
    "perforation": "occult_perforation",
    "adherence": "occult_adherent",
    "poor_grade": "occult_poor_grade",
    "growth_ln_nodes": "growth_nodes",
    "growth_obstruction": "growth_obstruction",
    "growth_poor_grade": "growth_poor_grade",
}
LAWS = (
    "intercept",
    "ln_nodes",
    "t4",
    "t12",
    "size_slope",
    "ln_growth",
    "ln_sd_growth",
    "ln_dispersion",
    "ln_kill",
)
PROFILES = {
    "ln_dispersion": ("occult_dispersion", np.log([0.05, 0.2, 0.4, 0.6, 0.9, 1.3, 2.0])),
    "size_slope": ("occult_size_slope", np.array([-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4])),
    "ln_growth": (
        "ln growth rate over the prior median",
        np.log(155 / np.array([200, 155, 120, 105, 90, 75, 60])),
    ),
    "ln_sd_growth": ("sd_ln_growth", np.log([0.3, 0.5, 0.7, 0.9, 1.1])),
    "ln_kill": ("ln factor of kappa_fp", np.array([-4.0, -2.0, -1.0, -0.5, 0.0, 0.5])),
}


def show(fit: Fit) -> None:
    for name, parameter in PARAMETERS.items():
        low, high = fit.interval(name)
        print(f"{parameter:22} value: {fit[name]:.2f}, low: {low:.2f}, high: {high:.2f}")
    print()
    for name in LAWS:
        low, high = fit.interval(name)
        note = (
            f"  ({np.exp(fit[name]):.2f}, {np.exp(low):.2f} to {np.exp(high):.2f})"
            if name[:3] == "ln_"
            else ""
        )
        print(f"{name:16} {fit[name]:6.2f} ({low:.2f} to {high:.2f}){note if name != 'ln_nodes' else ''}")


def profiles(model: Recurrence) -> None:
    for name, (title, values) in PROFILES.items():
        print(f"\nprofile of {title}: value, ln likelihood, intercept, slope on ln nodes, slope of sizes")
        for value in values:
            fit = model.fit({name: float(value)})
            shown = np.exp(value) if name in ("ln_dispersion", "ln_sd_growth") else value
            others = "  ".join(f"{fit[n]:6.2f}" for n in ("intercept", "ln_nodes", "size_slope"))
            print(f"  {shown:5.2f}  {fit.log_likelihood:9.2f}  {others}", flush=True)


def main(path: Path) -> None:
    cohort: Cohort = read_moertel(path)
    draws = median_parameters(prior=True)
    model = Recurrence(cohort, make_tables(draws), draws)
    fit = model.fit(errors=True)
    print(f"{cohort.size} patients, {int(cohort.event['recurrence'].sum())} recurrences, "
          f"ln likelihood {fit.log_likelihood:.2f}\n")  # fmt: skip
    show(fit)
    profiles(model)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except InputError as error:
        sys.exit(str(error))
    except IndexError:
        sys.exit(f"usage: {sys.argv[0]} moertel_colon.csv")
