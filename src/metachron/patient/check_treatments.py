"""Checks of prior treatments: names of the catalogue, dates and cycles in order, settings that agree.

The catalogue belongs to a later layer, so its names come in as an argument.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from metachron.errors import Problem
from metachron.patient.schema import Patient, PriorTreatment
from metachron.patient.suggest import closest
from metachron.patient.vocabulary import plain

# what people call a treatment -> entry of the catalogue, suggested only when the catalogue has it
_NAMES: dict[str, str] = {
    "folfox": "mfolfox6",
    "folfox4": "mfolfox6",
    "folfox6": "mfolfox6",
    "xelox": "capox",
    "capeox": "capox",
    "degramont": "lv5fu2",
    "5fu": "lv5fu2",
    "5fu/lv": "lv5fu2",
    "5fulv": "lv5fu2",
    "fluorouracil": "lv5fu2",
    "xeloda": "capecitabine",
    "folfirinox": "folfoxiri",
    "lonsurf": "trifluridine_tipiracil",
    "tas102": "trifluridine_tipiracil",
    "stivarga": "regorafenib",
    "avastin": "bevacizumab",
    "erbitux": "cetuximab",
    "vectibix": "panitumumab",
    "keytruda": "pembrolizumab",
    "opdivo": "nivolumab_ipilimumab",
    "nivolumab": "nivolumab_ipilimumab",
    "liverresection": "hepatectomy",
    "resection": "hepatectomy",
    "hemihepatectomy": "hepatectomy",
    "rfa": "radiofrequency",
    "mwa": "microwave",
    "cryo": "cryoablation",
    "cryotherapy": "cryoablation",
}
_JOINED = re.compile(r"\s*(?:\+|/|,| and | plus )\s*")


def check_treatments(patient: Patient, known: Collection[str] | None = None) -> Iterator[Problem]:
    """Problems of `prior_treatments`; names are checked only when `known` is given."""
    for i, treatment in enumerate(patient.prior_treatments):
        path = f"prior_treatments[{i}]"
        if known is not None and treatment.name not in known:
            yield _unknown_name(f"{path}.name", treatment.name, known)
        yield from _order(path, treatment, patient)
        yield from _adjuvant(path, treatment, patient)
    if patient.chemotherapy_before_liver_surgery is False:
        yield from _none_before_surgery(patient)


def _none_before_surgery(patient: Patient) -> Iterator[Problem]:
    for i, treatment in enumerate(patient.prior_treatments):
        if treatment.setting == "neoadjuvant":
            message = f"false, but prior_treatments[{i}] was given before liver surgery (neoadjuvant)"
            hint = "Leave the field out: the treatments are listed one by one"
            yield Problem("chemotherapy_before_liver_surgery", message, "true or absent", hint)
            return


def _unknown_name(path: str, name: str, known: Collection[str]) -> Problem:
    parts = [part for part in _JOINED.split(name) if part]
    message = f'"{name[:60]}" is not a treatment of the catalogue'
    allowed = "a name listed by `metachron strategies`"
    if len(parts) > 1:
        found = [_nearest(part, known) for part in parts]
        if all(found):
            return Problem(path, message, allowed, f"Write one entry for each: {', '.join(found)}")
    hit = _nearest(name, known)
    return Problem(path, message, allowed, f'Did you mean "{hit}"?' if hit else "See `metachron strategies`")


def _nearest(name: str, known: Collection[str]) -> str:
    called = _NAMES.get(plain(name[:60]), "")
    return called if called in known else closest(name, sorted(known))


def _order(path: str, treatment: PriorTreatment, patient: Patient) -> Iterator[Problem]:
    start, end = treatment.start, treatment.end
    if start is None:
        return
    if end is not None and end < start:
        message = f"{end} is before the start on {start}"
        yield Problem(
            f"{path}.end", message, f"{start} to {patient.assessed_on}", "Perhaps the two are swapped"
        )
        return
    days = ((end or patient.assessed_on) - start).days
    # no regimen of the catalogue has a cycle shorter than a week
    if treatment.cycles and days >= 0 and treatment.cycles > days / 7 + 1:
        message = f"{treatment.cycles} cycles do not fit in {days} days"
        yield Problem(f"{path}.cycles", message, f"at most {days // 7 + 1}", "Check the dates and the count")


def _adjuvant(path: str, treatment: PriorTreatment, patient: Patient) -> Iterator[Problem]:
    if treatment.setting != "adjuvant":
        return
    removed = patient.primary.resected_on
    if patient.primary.resected is False:
        message = "adjuvant treatment follows the removal of the primary, but primary.resected is false"
        yield Problem(f"{path}.setting", message, "neoadjuvant or metastatic", "Correct one of the two")
    elif removed and treatment.start and treatment.start < removed:
        message = f"adjuvant treatment started on {treatment.start}, before the operation on {removed}"
        yield Problem(f"{path}.start", message, f"{removed} or later", "Check the dates or the setting")
