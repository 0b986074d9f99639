"""The table of cell-therapy effects: published, discounted, and predicted by the prior.

`python -m metachron.calibrate.discount_table` prints it in Markdown, for docs/targets-landmarks.md.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from metachron.calibrate.discount import band, discounted, load_rule, predicted_ln_hr, published_effects
from metachron.calibrate.targets import load_targets
from metachron.parameters import draw_parameters

DRAWS, PER_DRAW, SEED = 100, 200, 20
HEAD = "| Trial | Endpoint | Design | Published | Discounted | Predicted from the prior |"


def rows(draws: int = DRAWS, per_draw: int = PER_DRAW, seed: int = SEED) -> Iterator[str]:
    """The table, a line at a time; hazard ratios with 90 % intervals."""
    targets, rule = load_targets(), load_rule()
    parameters = draw_parameters(draws, seed, prior=True)
    yield HEAD
    yield "|---" * 6 + "|"
    for effect in published_effects(targets):
        study = effect.study
        ln = predicted_ln_hr(study, targets[study.trial], parameters, per_draw, seed=seed)
        low, mid, high = np.exp(np.quantile(ln, [0.05, 0.5, 0.95]))
        cells = (
            study.trial,
            study.endpoint,
            rule.design(study.design).name.replace("_", " "),
            band(effect.ln_hr, effect.se),
            band(*discounted(effect, rule)),
            f"{mid:.2f} ({low:.2f}-{high:.2f})",
        )
        yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    for row in rows():
        print(row)
