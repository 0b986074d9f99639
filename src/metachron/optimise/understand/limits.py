"""What an understanding does not cover, beside what no plan covers."""

from __future__ import annotations

from metachron.optimise.understand.results import Understanding

COMMON = [
    "Only the two strategies named are compared; a third could be better than both.",
    "Differences are averages over the other parameters and over the twins; a single patient may differ.",
]
SENSITIVITY = [
    "Parameters are moved one by one or independently of one another; in the fit some go together, and such"
    " values may be farther from the trials than they look.",
    "Sobol's indices hold among the parameters that the screening kept, with the others averaged over; their"
    " intervals are SALib's bootstrap over few rows.",
]
COUNTERFACTUAL = [
    "One thing is changed at a time. A finding that is changed changes the twins, the doses and whether a"
    " strategy may be given, not what a surgeon would judge resectable.",
    "Ranges are 99 % of the distribution of a parameter, of the resected series for size and number of"
    " lesions, and assumed for the remnant.",
]
INFORMATION = [
    "The value of a test counts the objective only: not its cost, its risk, false positives or the wait, nor"
    " treatments other than these two.",
    "A scan is as good as the detection curve of the model, with one limit for every reader.",
]
HEATMAP = [
    "Half-life, harm by chemotherapy and killing of infused cells are assumed; the map is a band over that"
    " prior, and half of its draws give the cells no effect.",
    "A day counts as different only when it costs more than 0.1 months (assumed) with odds of 9 to 1.",
]


def limits_of(whole: Understanding) -> list[str]:
    """Sentences on what the parts that were made leave out."""
    said = list(COMMON)
    for part, text in (
        (whole.sensitivity, SENSITIVITY),
        (whole.counterfactuals, COUNTERFACTUAL),
        (whole.information, INFORMATION),
        (whole.heatmap, HEATMAP),
    ):
        if part is not None:
            said += text
    return said
