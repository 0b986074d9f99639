"""What a scan sees (model section 11.3): logistic in ln cells, with a threshold of each lesion's own."""

from __future__ import annotations

import math

from metachron.model.compiled import jit
from metachron.model.growth import CELLS_PER_ML


@jit
def seen(volume_ml, ln_limit, offset):
    """Is a lesion of this volume (mL) visible to a scan whose half-detection size is exp(ln_limit)?

    `offset` is the lesion's own logistic deviate: easy and hard lesions stay so from scan to scan.
    """
    return volume_ml > 0.0 and math.log(volume_ml * CELLS_PER_ML) > ln_limit + offset
