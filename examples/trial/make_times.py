"""Write times.csv: SYNTHETIC event times of a trial that never took place, to try `metachron validate` with.

    python examples/trial/make_times.py > examples/trial/times.csv

Times are drawn from Weibull distributions chosen by hand, with a fixed seed; nothing in them comes from a
patient or from a publication.
"""

from __future__ import annotations

import csv
import sys

import numpy as np

SEED = 20240229
PATIENTS = 180
# endpoint, arm: median (months), shape of the Weibull distribution, months of the last follow-up
CURVES = {
    ("PFS", "folfiri"): (4.8, 1.3, 24.0),
    ("PFS", "folfiri_bevacizumab"): (6.4, 1.35, 24.0),
    ("OS", "folfiri"): (12.0, 1.4, 36.0),
    ("OS", "folfiri_bevacizumab"): (13.6, 1.4, 36.0),
}


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(SEED)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("trial", "figure", "endpoint", "arm", "time_months", "event"))
    for (endpoint, arm), (median, shape, last) in CURVES.items():
        scale = median / np.log(2) ** (1 / shape)
        times = scale * rng.weibull(shape, PATIENTS)
        followed = rng.uniform(0.5 * last, last, PATIENTS)
        for time, end in zip(times, followed, strict=True):
            figure = "1" if endpoint == "PFS" else "2"
            writer.writerow(("SYNTHETIC-1", figure, endpoint, arm, f"{min(time, end):.2f}", int(time <= end)))


if __name__ == "__main__":
    main()
