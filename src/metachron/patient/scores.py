"""Published prognostic scores of liver metastases, with what their authors or validators reported.

Each function returns the score, or the fields that are missing. They apply only while liver metastases
are in place. Sizes in mm in the record, in cm in the tumour burden score as published.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import hypot
from typing import Literal

from metachron.patient import derive
from metachron.patient.schema import Patient

Items = dict[str, tuple[bool | float | None, tuple[str, ...]]]
N_FIELDS = ("primary.n", "primary.nodes_positive")
COUNT_FIELD = ("metastasis_summary.liver_lesions",)
SIZE_FIELD = ("metastasis_summary.largest_liver_mm",)
DFI_FIELDS = ("primary.resected_on", "primary.diagnosed_on")


@dataclass(frozen=True)
class PublishedScore:
    """A score of one patient. `value` is None when fields are `missing` or the score does not apply.

    `published_survival` and `published_relapse` are fractions for this score or group; `status` says whether
    those survival figures were read in a source or are recalled and still to be checked.
    """

    name: str
    value: float | None
    unit: str = "points"
    range: tuple[float, float] | None = None
    group: str = ""
    items: dict[str, bool | float | None] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    published: str = ""
    published_survival: dict[str, float] = field(default_factory=dict)
    published_relapse: dict[str, float] = field(default_factory=dict)
    status: Literal["read", "recalled"] = "read"
    applicable: bool = True
    citations: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Band:
    """What is published for scores from `low` up to the next band."""

    low: float
    group: str
    published: str = ""
    survival: dict[str, float] = field(default_factory=dict)
    relapse: dict[str, float] = field(default_factory=dict)


def _relapse(one: float, two: float, three: float) -> dict[str, float]:
    """Cumulative relapse from the shares relapsing in years 1, 2 and 3 (percent)."""
    return {
        "1-year relapse": round(one / 100, 3),
        "2-year relapse": round((one + two) / 100, 3),
        "3-year relapse": round((one + two + three) / 100, 3),
    }


_FONG_MEDIANS = {0: 74, 1: 51, 2: 47, 3: 33, 4: 20, 5: 22}
_FONG_FIVE_YEARS = {0: 0.60, 1: 0.44, 2: 0.40, 3: 0.20, 4: 0.25, 5: 0.14}
_FONG_RELAPSE = {0: _relapse(38.7, 15.0, 2.5), 3: _relapse(61.5, 9.4, 3.3), 5: {}}  # KaroLiver; 5: too few


def _fong_band(points: int) -> Band:
    relapse = _FONG_RELAPSE[max(low for low in _FONG_RELAPSE if low <= points)]
    doubt = ""
    if points in (2, 3, 4):
        doubt = "; sources disagree for scores 2 to 4"
    if points == 5:
        doubt = "; the paper's abstract reports no long-term survivor with score 5"
    survival = f"5-year survival {_FONG_FIVE_YEARS[points]:.0%}, median {_FONG_MEDIANS[points]} months"
    return Band(
        points,
        "low risk" if points <= 2 else "high risk",
        f"{survival} (recalled{doubt})",
        {"5-year OS": _FONG_FIVE_YEARS[points]},
        relapse,
    )


FONG = [_fong_band(points) for points in range(6)]
TUMOUR_BURDEN = [
    Band(0, "zone 1 (below 3)", "5-year survival 68.9 % (recalled)", {"5-year OS": 0.689}),
    Band(3, "zone 2 (3 to below 9)", "5-year survival 49.4 % (recalled)", {"5-year OS": 0.494}),
    Band(9, "zone 3 (9 and above)", "5-year survival 25.5 % (recalled)", {"5-year OS": 0.255}),
]
_DUTCH = "in 1105 Dutch patients after local treatment 2015-16"
GAME = [
    Band(
        0,
        "low risk",
        f"median survival 68.1 months {_DUTCH}",
        {},
        _relapse(27.1, 11.0, 2.6),
    ),
    Band(
        2,
        "medium risk",
        f"median survival 46.7 months {_DUTCH}",
        {},
        _relapse(48.7, 13.1, 3.0),
    ),
    Band(
        4,
        "high risk",
        f"median survival 32.4 months {_DUTCH}",
        {},
        _relapse(69.2, 12.8, 2.6),
    ),
]
NORDLINGER = [
    Band(0, "low risk", "2-year survival 79 % (recalled)", {"2-year OS": 0.79}, _relapse(30.5, 15.3, 0.0)),
    Band(
        3,
        "intermediate risk",
        "2-year survival 60 % (recalled)",
        {"2-year OS": 0.60},
        _relapse(42.0, 12.9, 3.4),
    ),
    Band(5, "high risk", "2-year survival 43 % (recalled)", {"2-year OS": 0.43}, _relapse(64.2, 11.3, 2.5)),
]


def scores(patient: Patient) -> list[PublishedScore]:
    """All scores of this patient, in the order people know them."""
    return [fong(patient), tumour_burden(patient), game(patient), nordlinger(patient)]


def fong(patient: Patient) -> PublishedScore:
    """Fong clinical risk score: 1 point each for node-positive primary, interval under 12 months, more than
    one tumour, largest over 5 cm, CEA over 200 ng/mL (Fong 1999). A score recorded in the file stands in
    when a component is missing.
    """
    interval = _interval_months(patient)
    count, size = derive.liver_lesion_count(patient), derive.largest_liver_mm(patient)
    items: Items = {
        "node-positive primary": (derive.node_positive(patient), N_FIELDS),
        "interval under 12 months": (_test(interval, lambda x: x < 12), DFI_FIELDS),
        "more than one tumour": (_test(count, lambda x: x > 1), COUNT_FIELD),
        "largest over 5 cm": (_test(size, lambda x: x > 50), SIZE_FIELD),
        "CEA over 200 ng/mL": (_test(patient.labs.cea_ng_ml, lambda x: x > 200), ("labs.cea_ng_ml",)),
    }
    citations = ["Fong1999", "PLATO"]
    reported = patient.clinical_risk_score
    return _score(patient, "Fong clinical risk score", items, FONG, (0, 5), citations, "recalled", reported)


def tumour_burden(patient: Patient) -> PublishedScore:
    """Tumour burden score: square root of (largest diameter in cm squared + number squared) (Sasaki 2018)."""
    size, count = derive.largest_liver_mm(patient), derive.liver_lesion_count(patient)
    items: Items = {"largest diameter (cm)": (_cm(size), SIZE_FIELD), "number": (count, COUNT_FIELD)}
    value = None if size is None or not count else tumour_burden_score(size, count)
    return _finish(
        patient, "Tumour burden score", value, items, TUMOUR_BURDEN, None, ["Sasaki2018"], "recalled", "cm"
    )


def tumour_burden_score(largest_mm: float, number: int) -> float:
    """The published formula, sizes in cm inside."""
    return hypot(largest_mm / 10, number)


def game(patient: Patient) -> PublishedScore:
    """GAME score (Margonis 2018): KRAS mutated 1, CEA 20 ng/mL or more 1, node-positive primary 1, tumour
    burden 3 to below 9: 1, 9 and above: 2, disease outside the liver 2.

    The record holds RAS (KRAS or NRAS) and KRAS G12C; RAS stands in for KRAS, which counts NRAS mutants (a
    few percent) as KRAS.
    """
    size, count = derive.largest_liver_mm(patient), derive.liver_lesion_count(patient)
    burden = None if size is None or not count else tumour_burden_score(size, count)
    mutant = True if patient.markers.kras_g12c else _test(patient.markers.ras, lambda x: x == "mutant")
    outside = derive.extrahepatic(patient)
    items: Items = {
        "KRAS mutated": (mutant, ("markers.ras",)),
        "CEA 20 ng/mL or more": (_test(patient.labs.cea_ng_ml, lambda x: x >= 20), ("labs.cea_ng_ml",)),
        "node-positive primary": (derive.node_positive(patient), N_FIELDS),
        "tumour burden points": (
            _test(burden, lambda x: 2.0 if x >= 9 else 1.0 if x >= 3 else 0.0),
            SIZE_FIELD if size is None else COUNT_FIELD,
        ),
        "disease outside the liver points": (
            None if outside is None else 2.0 * outside,
            ("metastasis_summary.extrahepatic",),
        ),
    }
    return _score(patient, "GAME score", items, GAME, (0, 7), ["Margonis2018", "Bolhuis2022", "PLATO"])


def nordlinger(patient: Patient) -> PublishedScore:
    """Nordlinger score (1996): 1 point each for node-positive primary, interval under 24 months, serosa
    invaded (T4), more than 3 metastases, age over 60, largest over 5 cm.

    The published margin item (under 10 mm) is known only after the operation and is left out, so that the
    range before surgery is 0 to 6, as in tables of the score.
    """
    interval = _interval_months(patient)
    count, size = derive.liver_lesion_count(patient), derive.largest_liver_mm(patient)
    serosa = None if patient.primary.t is None else patient.primary.t.startswith("T4")
    items: Items = {
        "node-positive primary": (derive.node_positive(patient), N_FIELDS),
        "interval under 24 months": (_test(interval, lambda x: x < 24), DFI_FIELDS),
        "serosa invaded": (serosa, ("primary.t",)),
        "more than 3 metastases": (_test(count, lambda x: x > 3), COUNT_FIELD),
        "age over 60": (patient.age_years > 60, ("age_years",)),
        "largest over 5 cm": (_test(size, lambda x: x > 50), SIZE_FIELD),
    }
    citations = ["Nordlinger1996", "ScoreTable", "PLATO"]
    return _score(patient, "Nordlinger score", items, NORDLINGER, (0, 6), citations, "recalled")


def _interval_months(patient: Patient) -> float | None:
    """To a tenth of a month, so that the same day of the next year is 12 months and not 11.99."""
    months = derive.disease_free_interval_months(patient)
    return None if months is None else round(months, 1)


def _test(value: object, judge: Callable[..., bool | float]) -> bool | float | None:
    return None if value is None else judge(value)


def _cm(size_mm: float | None) -> float | None:
    return None if size_mm is None else size_mm / 10


def _score(
    patient: Patient,
    name: str,
    items: Items,
    bands: list[Band],
    limits: tuple[float, float],
    citations: list[str],
    status: Literal["read", "recalled"] = "read",
    reported: int | None = None,
) -> PublishedScore:
    """Sum of the items, or the reported score when one of them is missing."""
    known = [float(value) for value, _ in items.values() if value is not None]
    value = sum(known) if len(known) == len(items) else reported
    return _finish(patient, name, value, items, bands, limits, citations, status)


def _finish(
    patient: Patient,
    name: str,
    value: float | None,
    items: Items,
    bands: list[Band],
    limits: tuple[float, float] | None,
    citations: list[str],
    status: Literal["read", "recalled"] = "read",
    unit: str = "points",
) -> PublishedScore:
    if derive.liver_lesion_count(patient) == 0:
        note = "No liver metastasis is in place, so the score does not apply."
        return PublishedScore(name, None, unit, limits, published=note, applicable=False, citations=citations)
    missing = [path for v, paths in items.values() if v is None for path in paths]
    shown = {label: v for label, (v, _) in items.items()}
    if value is None:
        return PublishedScore(
            name, None, unit, limits, items=shown, missing=list(dict.fromkeys(missing)), citations=citations
        )
    band = max((b for b in bands if b.low <= value), key=lambda b: b.low)
    return PublishedScore(
        name,
        float(value),
        unit,
        limits,
        group=band.group,
        items=shown,
        published=band.published,
        published_survival=dict(band.survival),
        published_relapse=dict(band.relapse),
        status=status,
        citations=citations,
    )
