"""The patient record as the report shows it: groups of labelled values, unknown shown as unknown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from metachron.patient import derive, schema
from metachron.report import words

GROUPS: dict[str, tuple[str, type[BaseModel]]] = {
    "primary": ("Primary tumour", schema.Primary),
    "metastasis_summary": ("Metastases, in summary", schema.MetastasisSummary),
    "markers": ("Molecular markers and pharmacogenetics", schema.Markers),
    "labs": ("Blood values", schema.Labs),
    "liver": ("Liver", schema.Liver),
    "preferences": ("Preferences", schema.Preferences),
}
PERSON = (
    "age_years", "sex", "ecog", "height_cm", "weight_kg", "major_comorbidity", "fit_for_major_surgery",
    "neuropathy_grade", "clinical_risk_score", "last_imaging_on",
    "chemotherapy_before_liver_surgery",
)  # fmt: skip
LABELS = {
    "age_years": "Age (years)",
    "ecog": "ECOG performance status",
    "height_cm": "Height (cm)",
    "weight_kg": "Weight (kg)",
    "major_comorbidity": "Major comorbidity",
    "fit_for_major_surgery": "Fit for major surgery",
    "neuropathy_grade": "Sensory neuropathy (CTCAE grade)",
    "clinical_risk_score": "Fong score as recorded",
    "last_imaging_on": "Last scan",
    "chemotherapy_before_liver_surgery": "Chemotherapy before liver surgery, regimen not recorded",
    "site": "Site",
    "side": "Side",
    "t": "T category",
    "n": "N category",
    "nodes_positive": "Nodes with tumour",
    "nodes_examined": "Nodes examined",
    "grade": "Differentiation",
    "obstruction": "Obstruction of the bowel",
    "perforation": "Perforation",
    "adherent": "Adherent to neighbouring organs",
    "diagnosed_on": "Diagnosed",
    "resected": "Removed",
    "resected_on": "Removed on",
    "margin": "Margin",
    "liver_lesions": "Liver metastases (count)",
    "largest_liver_mm": "Largest (mm)",
    "tumour_share_of_liver": "Share of the liver taken by tumour",
    "extrahepatic": "Metastases outside the liver",
    "detected_on": "First seen",
    "bilobar": "In both halves of the liver",
    "ras": "RAS",
    "kras_g12c": "KRAS G12C",
    "braf": "BRAF",
    "msi": "Microsatellites",
    "her2": "HER2",
    "dpyd": "DPYD phenotype",
    "ugt1a1": "UGT1A1",
    "measured_on": "Blood sample",
    "cea_ng_ml": "CEA (ng/mL)",
    "bilirubin_umol_l": "Bilirubin (µmol/L)",
    "albumin_g_l": "Albumin (g/L)",
    "neutrophils_e9_l": "Neutrophils (10⁹/L)",
    "lymphocytes_e9_l": "Lymphocytes (10⁹/L)",
    "platelets_e9_l": "Platelets (10⁹/L)",
    "haemoglobin_g_l": "Haemoglobin (g/L)",
    "creatinine_clearance_ml_min": "Creatinine clearance (mL/min)",
    "volume_ml": "Volume (mL)",
    "remnant_share": "Remnant after the planned resection",
    "steatosis": "Steatosis",
    "cirrhosis": "Cirrhosis",
    "all_lesions_resectable": "All lesions resectable (surgeon)",
    "declines_surgery": "Declines surgery",
    "declines_chemotherapy": "Declines chemotherapy",
    "weight_survival": "Weight of survival",
    "weight_toxicity": "Weight of avoiding toxicity",
    "weight_burden": "Weight of avoiding hospital days",
}
# other ways of saying what other fields say: nothing is missing when they are empty
ALTERNATIVES = {"clinical_risk_score", "chemotherapy_before_liver_surgery"}
SHARES = {"remnant_share", "tumour_share_of_liver"}


@dataclass(frozen=True)
class Field:
    label: str
    value: str
    known: bool


@dataclass(frozen=True)
class Group:
    title: str
    fields: list[Field]

    @property
    def known(self) -> list[Field]:
        return [f for f in self.fields if f.known]

    @property
    def unknown(self) -> list[str]:
        return [f.label for f in self.fields if not f.known]


@dataclass(frozen=True)
class Lesion:
    name: str
    place: str
    sizes: str
    near_vessel: str
    state: str


def groups(patient: dict[str, Any]) -> list[Group]:
    """Groups in a fixed order, every field of the schema in each, known or not."""
    person = [n for n in PERSON if n not in ALTERNATIVES or patient.get(n) is not None]
    found = [Group("Person", [_field(name, patient.get(name)) for name in person])]
    for key, (title, model) in GROUPS.items():
        if key == "metastasis_summary" and not patient.get(key):
            continue
        values = _with_side(patient.get(key) or {})
        names = [*model.model_fields, *(k for k in values if k not in model.model_fields)]
        if key == "preferences":  # defaults are wishes nobody voiced
            names = [n for n in names if values.get(n)]
        if names:
            found.append(Group(title, [_field(name, values.get(name)) for name in names]))
    return found


def _with_side(values: dict[str, Any]) -> dict[str, Any]:
    """The side follows from the site when nobody wrote it down."""
    if values.get("side") is None and values.get("site") is not None:
        return values | {"side": derive.side_of_site(values["site"])}
    return values


def _field(name: str, value: Any) -> Field:
    label = LABELS.get(name) or words.sentence(name.replace("_", " ")).rstrip(".")
    if name in SHARES and isinstance(value, int | float):
        return Field(label, f"{value * 100:.0f}%", True)
    text = words.day(value) if name.endswith("_on") and value is not None else words.shown(value)
    return Field(label, text, value is not None)


def lesions(patient: dict[str, Any]) -> list[Lesion]:
    """The metastases one by one, with every dated size."""
    return [_lesion(record) for record in patient.get("metastases") or []]


def _lesion(record: dict[str, Any]) -> Lesion:
    sizes = sorted(record.get("measurements") or [], key=lambda m: str(m.get("date")))
    place = str(record.get("organ", words.UNKNOWN))
    if record.get("segment") is not None:
        place += f", segment {record['segment']}"
    elif place == "liver":
        place += f", segment {words.UNKNOWN}"
    told = [
        f"{m.get('diameter_mm'):g} mm ({words.day(m.get('date'))}, {m.get('modality') or 'method not known'})"
        for m in sizes
    ]
    return Lesion(
        name=str(record.get("id", "")),
        place=place,
        sizes="; ".join(told),
        near_vessel=words.shown(record.get("near_vessel")),
        state=record.get("treated") or "in place",
    )


def treatments(patient: dict[str, Any]) -> list[dict[str, str]]:
    """Prior treatments as rows of text."""
    rows = []
    for record in patient.get("prior_treatments") or []:
        start, end = record.get("start"), record.get("end")
        dates = " to ".join(words.day(d) for d in (start, end) if d) or words.UNKNOWN
        rows.append({
            "name": str(record.get("name", "")).replace("_", " "),
            "dates": dates,
            "cycles": words.shown(record.get("cycles")),
            "setting": words.shown(record.get("setting")),
            "response": words.shown(record.get("response")),
        })  # fmt: skip
    return rows


def field_name(path: str) -> str:
    """`markers.her2` as `HER2 (markers.her2)`: the label, and where to write it."""
    last = re.sub(r"\[\d+\]", "", path.rpartition(".")[2])
    return LABELS.get(last) or last.replace("_", " ")
