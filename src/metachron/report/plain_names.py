"""Plain words for treatments and tests."""

from __future__ import annotations

import re

from metachron.plan.results import StrategyResult
from metachron.report.words import listed

# drugs keep their name in brackets, so that a patient finds it again in letters and on bags
PROCEDURES = {
    "hepatectomy": "an operation to take the cancer out of the liver",
    "two_stage_hepatectomy": "two operations on the liver, some weeks apart",
    "repeat_hepatectomy": "one more operation on the liver",
    "cryoablation": "freezing the spots with a needle",
    "microwave": "heating the spots with a needle (microwaves)",
    "radiofrequency": "heating the spots with a needle (radio waves)",
}
REGIMENS = {
    "lv5fu2": ("chemo", "5-FU"),
    "capecitabine": ("chemo tablets", "capecitabine"),
    "capox": ("chemo", "CAPOX"),
    "mfolfox6": ("chemo", "FOLFOX"),
    "folfiri": ("chemo", "FOLFIRI"),
    "folfoxiri": ("strong chemo", "FOLFOXIRI"),
    "trifluridine_tipiracil": ("chemo tablets", "trifluridine-tipiracil"),
    "regorafenib": ("tablets", "regorafenib"),
    "bevacizumab": ("a drug against new blood vessels", "bevacizumab"),
    "cetuximab": ("a drug aimed at the tumour", "cetuximab"),
    "panitumumab": ("a drug aimed at the tumour", "panitumumab"),
    "encorafenib_cetuximab": ("two drugs aimed at the tumour", "encorafenib, cetuximab"),
    "trastuzumab_tucatinib": ("two drugs aimed at the tumour", "trastuzumab, tucatinib"),
    "trastuzumab_deruxtecan": ("a drug aimed at the tumour", "trastuzumab deruxtecan"),
    "sotorasib_panitumumab": ("two drugs aimed at the tumour", "sotorasib, panitumumab"),
    "adagrasib_cetuximab": ("two drugs aimed at the tumour", "adagrasib, cetuximab"),
    "pembrolizumab": ("a drug that wakes the immune system", "pembrolizumab"),
    "nivolumab": ("a drug that wakes the immune system", "nivolumab"),
    "nivolumab_ipilimumab": ("two drugs that wake the immune system", "nivolumab, ipilimumab"),
    "lymphodepletion": ("chemo to make room for cells", "lymphodepletion"),
    "cik": ("your own immune cells, grown and given back", "CIK"),
    "dc_cik": ("your own immune cells, grown and given back", "DC-CIK"),
    "til": ("your own immune cells, taken from the tumour and given back", "TIL"),
}
CELLS = {"cik", "dc_cik", "til"}
NO_TREATMENT = {
    "observation": "no treatment for now, with regular scans",
    "observation_intensive": "no treatment for now, with scans more often",
    "observation_minimal": "no treatment for now, with only a few scans",
    "best_supportive_care": "care for how you feel, with no drugs against the cancer",
}
CYCLE_DAYS = {"capox": 21, "capecitabine": 21, "pembrolizumab": 21, "nivolumab_ipilimumab": 21}
TESTS = {
    "markers.ras": "the RAS test of the tumour",
    "markers.braf": "the BRAF test of the tumour",
    "markers.msi": "the MSI test of the tumour",
    "markers.her2": "the HER2 test of the tumour",
    "markers.kras_g12c": "the KRAS test of the tumour",
    "markers.dpyd": "the DPYD blood test",
    "markers.ugt1a1": "the UGT1A1 blood test",
}


def choice(strategy: StrategyResult, spots: int = 0) -> str:
    """A strategy in plain words, from its expression; its title when the expression says nothing known.

    `spots`: how many metastases there are in the liver, so that one is told as one.
    """
    said = _choice(strategy)
    return said.replace("the spots", "the spot") if spots == 1 else said


def _choice(strategy: StrategyResult) -> str:
    if strategy.name in NO_TREATMENT:
        return NO_TREATMENT[strategy.name]
    stages = [_stage(stage) for stage in strategy.expression.split(">") if stage.strip()]
    if not stages or not all(stages):
        return strategy.title
    if stages == ["observation"]:
        return NO_TREATMENT["observation"]
    return ", then ".join(stages)


def _stage(stage: str) -> str:
    """One stage (`mfolfox6*6 + bevacizumab@1`) in plain words, empty when a name is not known."""
    items = [item.strip() for item in re.sub(r"\[[^\]]*\]", " ", stage).split("+")]
    said = [_item(item) for item in items]
    return listed(said) if all(said) else ""


def _item(item: str) -> str:
    name = re.split(r"[*@\s]", item, maxsplit=1)[0]
    if name in PROCEDURES:
        return PROCEDURES[name]
    if name == "observation":
        return name
    if name not in REGIMENS:
        return ""
    what, drug = REGIMENS[name]
    return f"{what} ({drug}){_how_long(name, item)}"


def _how_long(name: str, item: str) -> str:
    """` for about 6 months` from the cycles of a drug; cells and open-ended drugs have no length."""
    count = re.search(r"\*\s*(\d+)", item)
    if count is None or name in CELLS:
        return ""
    months = max(1, round(int(count.group(1)) * CYCLE_DAYS.get(name, 14) / 30.4375))
    return f" for about {months} month{'' if months == 1 else 's'}"


def name_of_test(path: str) -> str:
    """A patient field as the name of a test; the field in brackets when it has no plain name."""
    return TESTS.get(path, path.rpartition(".")[2].replace("_", " "))
