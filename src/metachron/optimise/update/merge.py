"""The record with the findings merged, so that `metachron plan` can go on from it."""

from __future__ import annotations

from typing import Any

from metachron.errors import InputError, Problem
from metachron.optimise.update.course import cycles_given, local_therapies, merged_treatments, setting_of
from metachron.optimise.update.finding import Finding, GivenTreatment, Scan
from metachron.patient.load import parse_patient
from metachron.patient.schema import Patient
from metachron.strategies.catalogue import Catalogue, plain_name
from metachron.strategies.schema import EffectClass

# RECIST 1.1 (Eisenhauer 2009, PMID 19097774) gives 5 mm to a target lesion too small to measure; the record
# has no word for a lesion that is no longer seen, so it gets that size
TOO_SMALL_MM = 5.0
PD_GROWTH, PD_MM, PR_SHRINK = 1.2, 5.0, 0.7


def merge(patient: Patient, findings: list[Finding], catalogue: Catalogue) -> tuple[Patient, list[str]]:
    """(the updated record, notes on what it cannot say). Findings are checked and in order of date.

    Raises InputError when the findings make the record contradict itself.
    """
    today = findings[-1].date
    data = patient.model_dump(mode="json")
    notes: list[str] = []
    data["assessed_on"] = today.isoformat()
    data["age_years"] = round(patient.age_years + (today - patient.assessed_on).days / 365.25, 2)
    for finding in findings:
        if finding.scan is not None:
            _scan(data, finding.scan, finding, notes)
        _now(data, finding)
    _procedures(data, findings, catalogue)
    _treatments(data, patient, findings, catalogue, notes)
    try:
        return parse_patient(data, "the updated record", catalogue.names()), notes
    except InputError as error:
        problems = [Problem(p.path, p.message, p.allowed, p.suggestion) for p in error.problems]
        raise InputError(problems, "the record with the findings merged") from None


def _scan(data: dict[str, Any], scan: Scan, finding: Finding, notes: list[str]) -> None:
    day = (scan.date or finding.date).isoformat()
    modality = scan.modality.value if scan.modality else "CT"
    by_id = {m["id"]: m for m in data["metastases"]}
    for size in scan.lesions:
        mm = size.diameter_mm
        if mm <= 0:
            mm = TOO_SMALL_MM
            notes.append(
                f"{size.id} is no longer seen: the updated record gives it {TOO_SMALL_MM:g} mm (RECIST 1.1, "
                "too small to measure), since it has no word for that. The twins of this update know that it "
                "was not seen."
            )
        by_id[size.id]["measurements"].append({"date": day, "diameter_mm": mm, "modality": modality})
    for new in scan.new_lesions or ():
        entry = {
            "id": new.id,
            "organ": new.organ.value,
            "segment": new.segment,
            "near_vessel": new.near_vessel,
        }
        size_of = {"date": day, "diameter_mm": new.diameter_mm, "modality": modality}
        data["metastases"].append({**entry, "measurements": [size_of]})
    if scan.new_lesions and data.get("metastasis_summary"):
        data["metastasis_summary"] = None
        notes.append("The totals of the record (metastasis_summary) are dropped: new lesions are listed.")
    data["last_imaging_on"] = max(day, data["last_imaging_on"] or day)


def _now(data: dict[str, Any], finding: Finding) -> None:
    """What is simply known better now."""
    if finding.labs is not None:
        known = {k: v for k, v in finding.labs.model_dump(mode="json").items() if v is not None}
        data["labs"] |= {"measured_on": finding.date.isoformat(), **known}
    for name in ("ecog", "neuropathy_grade", "fit_for_major_surgery"):
        if getattr(finding, name) is not None:
            data[name] = getattr(finding, name)
    for t in finding.toxicity:
        if t.kind == "sensory neuropathy" and finding.neuropathy_grade is None:
            data["neuropathy_grade"] = t.grade
    for name in ("all_lesions_resectable", "remnant_share"):
        if getattr(finding, name) is not None:
            data["liver"][name] = getattr(finding, name)


def _procedures(data: dict[str, Any], findings: list[Finding], catalogue: Catalogue) -> None:
    by_id = {m["id"]: m for m in data["metastases"]}
    for entry in local_therapies(findings):
        name = plain_name(entry.name)
        word = "resected" if catalogue.procedures[name].kind == "resection" else "ablated"
        for lesion in entry.lesions or ():
            by_id[lesion]["treated"] = word
        day = entry.date.isoformat()
        data["prior_treatments"].append({"name": name, "start": day, "end": day})


def _treatments(
    data: dict[str, Any],
    patient: Patient,
    findings: list[Finding],
    catalogue: Catalogue,
    notes: list[str],
) -> None:
    answer = response(patient, findings)
    for t in merged_treatments(findings):
        name = plain_name(t.name)
        setting = setting_of(t, patient, findings)
        cell = name in catalogue.cells
        interval = catalogue.cells[name].interval_days if cell else catalogue.regimens[name].cycle_days
        cycles = cycles_given(t, interval, findings[-1].date)
        entry: dict[str, Any] = {
            "name": name,
            "start": t.start.isoformat(),
            "end": t.end.isoformat() if t.end else None,
            "cycles": cycles,
            "setting": setting,
            "response": answer if setting != "adjuvant" and not cell else None,
            "oxaliplatin_mg_m2": _oxaliplatin(t, name, cycles, catalogue),
        }
        before = next((p for p in data["prior_treatments"] if p["name"] == name and _goes_on(p)), None)
        if before is None:
            data["prior_treatments"].append(entry)
            continue
        notes.append(f"{name} was going on at the assessment: its entry in the record is continued.")
        before["end"], before["response"] = entry["end"], entry["response"] or before["response"]
        before["cycles"] = before["cycles"] + cycles if before["cycles"] is not None else None
        if entry["oxaliplatin_mg_m2"] is not None:
            before["oxaliplatin_mg_m2"] = (before["oxaliplatin_mg_m2"] or 0.0) + entry["oxaliplatin_mg_m2"]


def _goes_on(entry: dict[str, Any]) -> bool:
    return entry.get("start") is not None and entry.get("end") is None


def _oxaliplatin(t: GivenTreatment, name: str, cycles: int, catalogue: Catalogue) -> float | None:
    """mg/m2 of oxaliplatin given in all; None when there is none in the regimen."""
    if name not in catalogue.regimens:
        return None
    doses = [d for d in catalogue.drugs_of(name) if catalogue.drugs[d.drug].effect is EffectClass.OX]
    return round(sum(d.dose for d in doses) * cycles * t.dose_share, 1) if doses else None


def response(patient: Patient, findings: list[Finding]) -> str | None:
    """RECIST response of the last scan against the record: as given, else from the sizes; None if neither."""
    for finding in reversed(findings):
        scan = finding.scan
        if scan is None:
            continue
        if scan.new_lesions:
            return "PD"
        measured = _from_sizes(patient, scan)
        if measured is not None or scan.response is not None:
            return measured or (scan.response.value if scan.response else None)
    return None


def _from_sizes(patient: Patient, scan: Scan) -> str | None:
    """By the sum of diameters of the lesions measured on both occasions (no nadir in between is known)."""
    before = {
        m.id: max(m.measurements, key=lambda s: s.date).diameter_mm
        for m in patient.metastases
        if m.treated is None
    }
    pairs = [(before[s.id], s.diameter_mm) for s in scan.lesions if s.id in before]
    if not pairs:
        return None
    then, now = sum(a for a, _ in pairs), sum(b for _, b in pairs)
    if now <= 0:
        return "CR"
    if now >= PD_GROWTH * then and now - then >= PD_MM:
        return "PD"
    return "PR" if now <= PR_SHRINK * then else "SD"
