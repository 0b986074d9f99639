"""What every plan must say about itself: where its parameters come from, and what it does not cover."""

from __future__ import annotations

from metachron.parameters import load_parameters
from metachron.parameters.posterior import Ensemble

PRIOR_NOTE = (
    "The parameters are literature values and stated priors, not fitted jointly to trial data: "
    "every survival figure here is prior-driven."
)
COMMON = [
    "Death counts as an event in progression-free, recurrence-free and hepatic recurrence-free survival.",
    "Norton-Simon kill carries the whole benefit of adjuvant chemotherapy; its slope is unobserved between a"
    " thousand and a hundred million cells.",
    "Nothing is known of the persistence and killing of infused cells in colorectal cancer: their effect is a"
    " prior, half of the draws give none, and such strategies are never ranked.",
    "Bands are 90 % intervals over parameter draws; they do not cover errors in the structure of the model.",
    "An unseen lesion is assumed to have been there at the operation; no metastasis seeds another.",
    "Later lines and repeat local treatment follow fixed rules; what a team would really do may differ.",
    "Side effects follow the frequencies published for each regimen; they are no part of the fit to trials.",
]
PRIOR = [
    "Parameters are literature values and stated priors; they have not been fitted jointly to trials, and"
    " the figures have not been validated on patients the model never saw.",
    "Hazards of death from cancer come from 150 patients treated in 2002-2006; survival with today's drugs"
    " may be longer than shown.",
    "Known misfits before calibration: response and progression-free survival on chemotherapy come out too"
    " good, survival on checkpoint inhibitors in MSI-high disease too poor, early death of patients who can"
    " be operated on and cure after a first recurrence too frequent, ablation too much worse than resection.",
]
FITTED = [
    "Parameters were fitted to groups of patients in trials: a single patient may differ from every group in"
    " ways that no record shows. How far the fit is from each trial stands in docs/validation.md.",
    "The bands hold the spread that is left between trials after the fit, as if this patient stood in a trial"
    " of his own.",
    "Known misfits after the fit: ablation comes out worse beside resection than a randomised trial"
    " found, since its local failures rest on one series of 2013; survival is too short in maintenance"
    " trials, in recent first-line trials and after removal of liver metastases in good series, and what"
    " delays progression delays death too much; after FOLFOXIRI too few later lines are given; progression by"
    " the first scans of chemotherapy is somewhat too frequent; trials still differ by a factor of about"
    " 1.3 in kill and 1.7 in the hazard of death, for reasons the model does not know.",
]


def limits(ensemble: Ensemble | None) -> list[str]:
    """What the result does not cover, for parameters from the ensemble or (None) from the prior."""
    first, *rest = PRIOR if ensemble is None else FITTED
    return [first, *COMMON, *rest]


def status(ensemble: Ensemble | None) -> str:
    """One or two sentences on where the parameters come from."""
    if ensemble is None:
        return PRIOR_NOTE
    kept = sum(p.distribution != "fixed" for p in load_parameters().values()) - len(ensemble.calibrated)
    return (
        f"The parameters were fitted jointly to {len(ensemble.trials)} registered trials (ensemble "
        f"{ensemble.id} of {ensemble.size} sets, made with metachron {ensemble.code_version}, seed "
        f"{ensemble.seed}): {len(ensemble.calibrated)} are pinned by these data, {kept} stay close to their "
        "prior. Each figure says what it rests on."
    )
