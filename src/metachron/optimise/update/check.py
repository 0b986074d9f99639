"""Findings against the record and against each other: dates in order, names known, nothing contradicted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from metachron.errors import InputError, Problem
from metachron.model.toxicity import KINDS
from metachron.optimise.update.finding import Finding, LocalTherapy
from metachron.patient import derive
from metachron.patient.schema import Organ, Patient
from metachron.patient.suggest import closest
from metachron.strategies.catalogue import Catalogue, plain_name

LONGEST_DAYS = 3650  # between the assessment and a finding


def check_findings(patient: Patient, findings: list[Finding], catalogue: Catalogue) -> list[Finding]:
    """The findings in order of date. Raises InputError with every problem found."""
    if not findings:
        message = "at least one finding is needed"
        raise InputError(Problem("--finding", message, "", "`metachron schema finding` prints the form"))
    ordered = _explicit(patient, sorted(findings, key=lambda f: f.date))
    problems: list[Problem] = []
    known = {m.id: None for m in derive.in_place(patient)}
    gone: dict[str, str | None] = {m.id: m.treated for m in patient.metastases if m.treated is not None}
    for finding in ordered:
        label = f"finding of {finding.date}: " if len(ordered) > 1 else ""
        found = [*_of_one(finding, patient, catalogue), *_lesions(finding, patient, known, gone)]
        problems += [Problem(label + p.path, p.message, p.allowed, p.suggestion) for p in found]
    problems += _two_scans(ordered)
    if problems:
        raise InputError(problems)
    return ordered


def _explicit(patient: Patient, findings: list[Finding]) -> list[Finding]:
    """The findings with the lesions of each local therapy named; without a list, all liver lesions."""
    liver = [m.id for m in derive.in_place(patient) if m.organ is Organ.LIVER]
    found = []
    for finding in findings:
        named = []
        for entry in finding.local_therapy:
            lesions = entry.lesions if entry.lesions is not None or not liver else list(liver)
            named.append(entry.model_copy(update={"lesions": lesions}))
            liver = [name for name in liver if name not in (lesions or ())]
        found.append(finding.model_copy(update={"local_therapy": named}))
        new = (finding.scan.new_lesions or ()) if finding.scan else ()
        liver += [lesion.id for lesion in new if lesion.organ is Organ.LIVER]
    return found


def _of_one(finding: Finding, patient: Patient, catalogue: Catalogue) -> Iterator[Problem]:
    if finding.patient_id is not None and finding.patient_id != patient.id:
        message = f'the finding belongs to "{finding.patient_id}", the record to "{patient.id}"'
        yield Problem(
            "patient_id", message, f'"{patient.id}" or absent', "Check that the files belong together"
        )
    if (finding.date - patient.assessed_on).days > LONGEST_DAYS:
        message = f"{finding.date} is more than ten years after the assessment on {patient.assessed_on}"
        latest = patient.assessed_on + timedelta(days=LONGEST_DAYS)
        yield Problem("date", message, f"{patient.assessed_on} to {latest}", "Check the year")
    if finding.date < patient.assessed_on:
        message = f"{finding.date} is before the assessment on {patient.assessed_on}"
        hint = "What happened before the assessment belongs in the patient file"
        yield Problem("date", message, f"{patient.assessed_on} or later", hint)
    else:
        yield from _dates(finding, patient)
    yield from _names(finding, catalogue)
    yield from _toxicity(finding)


def _dates(finding: Finding, patient: Patient) -> Iterator[Problem]:
    first, last = patient.assessed_on, finding.date
    days: list[tuple[str, date | None]] = [("scan.date", finding.scan.date if finding.scan else None)]
    days.append(("labs.measured_on", finding.labs.measured_on if finding.labs else None))
    for i, t in enumerate(finding.treatments):
        days += [(f"treatments[{i}].start", t.start), (f"treatments[{i}].end", t.end)]
        if t.end is not None and t.end < t.start:
            message = f"{t.end} is before the start on {t.start}"
            yield Problem(
                f"treatments[{i}].end", message, f"{t.start} or later", "Perhaps the two are swapped"
            )
        span = ((t.end or last) - t.start).days
        if t.cycles and span >= 0 and t.cycles > span / 7 + 1:
            message = f"{t.cycles} cycles do not fit in {span} days"
            hint = "Check the dates and the count"
            yield Problem(f"treatments[{i}].cycles", message, f"at most {span // 7 + 1}", hint)
    days += [(f"local_therapy[{i}].date", t.date) for i, t in enumerate(finding.local_therapy)]
    days += [(f"toxicity[{i}].date", t.date) for i, t in enumerate(finding.toxicity)]
    for path, day in days:
        if day is not None and not first <= day <= max(last, first):
            side = f"before the assessment on {first}" if day < first else f"after the finding on {last}"
            hint = "What happened before the assessment belongs in the patient file" if day < first else ""
            yield Problem(path, f"{day} is {side}", f"{first} to {last}", hint or "Check the year")


def _names(finding: Finding, catalogue: Catalogue) -> Iterator[Problem]:
    drugs = [*catalogue.regimens, *catalogue.cells]
    for i, t in enumerate(finding.treatments):
        yield from _name(f"treatments[{i}].name", t.name, drugs, list(catalogue.procedures), "local_therapy")
    for i, p in enumerate(finding.local_therapy):
        procedures = list(catalogue.procedures)
        yield from _name(f"local_therapy[{i}].name", p.name, procedures, drugs, "treatments")


def _name(path: str, name: str, known: list[str], others: list[str], belongs: str) -> Iterator[Problem]:
    plainly = plain_name(name)
    if plainly in known:
        return
    message, allowed = f'"{name[:60]}" is not known here', "a name listed by `metachron strategies`"
    if plainly in others:
        yield Problem(path, message, allowed, f"It belongs to `{belongs}`")
    elif "+" in name:
        parts = ", ".join(part.strip() for part in name.split("+"))
        yield Problem(path, message, allowed, f"Write one entry for each: {parts}")
    else:
        near = closest(plainly, known)
        yield Problem(
            path, message, allowed, f'Did you mean "{near}"?' if near else "See `metachron strategies`"
        )


def _toxicity(finding: Finding) -> Iterator[Problem]:
    for i, t in enumerate(finding.toxicity):
        if t.kind not in KINDS:
            near = closest(t.kind, KINDS)
            hint = f'Did you mean "{near}"?' if near else ""
            message = f'"{t.kind[:60]}" is no kind of side effect'
            yield Problem(f"toxicity[{i}].kind", message, ", ".join(KINDS), hint)


def _lesions(
    finding: Finding, patient: Patient, known: dict[str, None], gone: dict[str, str | None]
) -> Iterator[Problem]:
    """Lesions named in a finding; `known` and `gone` follow the findings in order."""
    for i, entry in enumerate(finding.local_therapy):
        yield from _treated(f"local_therapy[{i}].lesions", entry, known, gone)
    scan = finding.scan
    if scan is None:
        return
    day = scan.date or finding.date
    treated_after = {lesion for t in finding.local_therapy if t.date >= day for lesion in t.lesions or ()}
    for i, size in enumerate(scan.lesions):
        path = f"scan.lesions[{i}].id"
        if size.id in known or size.id in treated_after:
            continue
        if size.id in gone:
            message = f"{size.id} was {gone[size.id]}"
            hint = "A lesion that grows in its place is a new lesion: give it another name in new_lesions"
            yield Problem(path, message, ", ".join(known), hint)
        else:
            near = closest(size.id, known, 0.5)
            hint = (
                f"Did you mean {near}?" if near else "A lesion seen for the first time belongs in new_lesions"
            )
            if not patient.metastases and patient.metastasis_summary is not None:
                hint = "The record gives totals only: list the lesions there, or give scan.response"
            yield Problem(path, f"there is no lesion {size.id!r} in place", ", ".join(known) or "none", hint)
    ids = [size.id for size in scan.lesions]
    for name in sorted({n for n in ids if ids.count(n) > 1}):
        yield Problem("scan.lesions", f"{name} is listed twice", "each lesion once", "Keep the right size")
    for i, new in enumerate(scan.new_lesions or ()):
        if new.id in known or new.id in gone:
            message = f"the name {new.id} is used already"
            yield Problem(
                f"scan.new_lesions[{i}].id", message, "a new name", "A known lesion belongs in lesions"
            )
        if new.segment is not None and new.organ != "liver":
            message = f"a {new.organ} lesion has no liver segment"
            yield Problem(f"scan.new_lesions[{i}].segment", message, "liver lesions only", "Remove it")
        known[new.id] = None


def _treated(
    path: str, entry: LocalTherapy, known: dict[str, None], gone: dict[str, str | None]
) -> Iterator[Problem]:
    word = "removed or ablated"
    for name in list(known) if entry.lesions is None else entry.lesions:
        if name in known:
            if entry.lesions is not None:
                gone[name] = word
                del known[name]
        else:
            near = closest(name, known, 0.5)
            hint = f"Did you mean {near}?" if near else ""
            yield Problem(path, f"there is no lesion {name!r} in place", ", ".join(known) or "none", hint)


def _two_scans(findings: list[Finding]) -> Iterator[Problem]:
    days = [f.scan.date or f.date for f in findings if f.scan is not None]
    for day in sorted({d for d in days if days.count(d) > 1}):
        message = f"two findings have a scan on {day}"
        yield Problem(
            "scan.date", message, "one scan a day", "Put both into one finding, or correct the date"
        )
