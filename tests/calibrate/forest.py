"""A random survival forest as a rival, for tests and tables only: scikit-survival is under GPL-3.

With scikit-survival installed, the table of docs/individual.md is printed by
`python tests/calibrate/forest.py moertel_colon.csv`.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from metachron.calibrate.individual import individual_report
from metachron.calibrate.individual_data import Cohort, Floats

TREES, LEAF = 500, 15


def forest(train: Cohort, test: Cohort, endpoint: str, times: Floats) -> Floats:
    """Survival (patients, times) by a forest of TREES trees with at least LEAF patients in each leaf."""
    from sksurv.ensemble import RandomSurvivalForest
    from sksurv.util import Surv

    y = Surv.from_arrays(train.event[endpoint], np.maximum(train.days[endpoint], 0.5))
    model = RandomSurvivalForest(n_estimators=TREES, min_samples_leaf=LEAF, random_state=1, n_jobs=1)
    model.fit(train.x, y)
    steps = model.predict_survival_function(test.x, return_array=True)
    place = np.searchsorted(model.unique_times_, times, side="right")
    return np.asarray(np.column_stack([np.ones(test.size), steps])[:, place], dtype=np.float64)


def main(path: Path, repeats: int) -> None:
    start = time.monotonic()

    def tell(stage: str, share: float) -> None:
        seconds = time.monotonic() - start
        print(f"[{100 * share:3.0f} %, {seconds:4.0f} s] {stage}", file=sys.stderr, flush=True)

    options = {"folds": 5, "repeats": repeats, "rivals": {"random survival forest": forest}, "progress": tell}
    print(individual_report(path, **options)[1])


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2)
