"""What every plan must say about itself."""

LIMITS = [
    "Parameters are literature values and stated priors; they have not been fitted jointly to trials, and"
    " the figures have not been validated on patients the model never saw.",
    "Death counts as an event in progression-free, recurrence-free and hepatic recurrence-free survival.",
    "Hazards of death from cancer come from 150 patients treated in 2002-2006; survival with today's drugs"
    " may be longer than shown.",
    "Norton-Simon kill carries the whole benefit of adjuvant chemotherapy; its slope is unobserved between a"
    " thousand and a hundred million cells.",
    "Nothing is known of the persistence and killing of infused cells in colorectal cancer: their effect is a"
    " prior, half of the draws give none, and such strategies are never ranked.",
    "Bands are 90 % intervals over parameter draws; they do not cover errors in the structure of the model.",
    "An unseen lesion is assumed to have been there at the operation; no metastasis seeds another.",
    "Known misfits before calibration: response and progression-free survival on chemotherapy come out too"
    " good, survival on checkpoint inhibitors in MSI-high disease too poor, early death of patients who can"
    " be operated on and cure after a first recurrence too frequent, ablation too much worse than resection.",
    "Later lines and repeat local treatment follow fixed rules; what a team would really do may differ.",
]
