"""The tables of docs/domain.md, made from the region; `metachron.calibrate.domain` writes them with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from metachron.population.domain import FAMILIES, LEAST_PATIENTS, SPEAKING, Row, plain

BEGIN = "<!-- region: made by python -m metachron.calibrate.domain docs/domain.md -->"
END = "<!-- end of region -->"
NAMES = {"os": "overall survival", "rfs_or_pfs": "event-free survival"}


def tables(rows: Sequence[Row]) -> str:
    """One table of who is in fitted arms of each setting, one of what is given there."""
    return f"{_patients(rows)}\n\n{_treatments(rows)}"


def _of(rows: Iterable[Row], setting: str) -> list[Row]:
    return [row for row in rows if row.setting in SPEAKING[setting]]


def _patients(rows: Sequence[Row]) -> str:
    head = (
        "| Setting of the patient | Trials | Arms | Patients | Age | ECOG 2 | RAS mutant | BRAF V600E |"
        " MSI-high | Visible lesions at most | Largest, or sum of diameters, at most (mm) |"
    )
    lines = [head, "|---" * 11 + "|"]
    for setting in SPEAKING:
        fitted = [row for row in _of(rows, setting) if row.fitted]
        if fitted:
            lines.append(f"| {plain(setting)} | {' | '.join(_who(fitted))} |")
    return "\n".join(lines)


def _who(fitted: list[Row]) -> list[str]:
    """Cells of one setting."""
    low, high = min(row.age[0] for row in fitted), max(row.age[1] for row in fitted)
    sizes = [v for row in fitted for v in (row.largest_mm, row.sum_mm) if v is not None]
    lesions = [row.lesions for row in fitted if row.lesions is not None]
    shares = ("ecog_2", "ras_mutant", "braf_mutant", "msi_high")
    counts = [f"{sum(row.n * row.shares.get(name, 0.0) for row in fitted):,.0f}" for name in shares]
    return [
        f"{len({row.trial for row in fitted})}",
        f"{len(fitted)}",
        f"{sum(row.n for row in fitted):,}",
        f"{low:g} to {high:g}",
        *counts,
        f"{max(lesions):g}" if lesions else "none",
        f"{max(sizes):g}" if sizes else "none",
    ]


def _treatments(rows: Sequence[Row]) -> str:
    head = "| Setting of the patient | " + " | ".join(f"Fitted: {name}" for name in NAMES.values())
    lines = [f"{head} | Only shown, or fitted on fewer than {LEAST_PATIENTS} patients |", "|---" * 4 + "|"]
    for setting in SPEAKING:
        own = _of(rows, setting)
        fitted = {family: _fitted(own, family) for family in NAMES}
        rest = {given for row in own for given in row.given} - set().union(*fitted.values())
        cells = [_listed(found) for found in (*fitted.values(), rest)]
        lines.append(f"| {plain(setting)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _fitted(rows: list[Row], family: str) -> set[str]:
    """Treatments of enough patients in arms fitted for a family of outcomes."""
    count: dict[str, int] = {}
    for row in rows:
        if set(row.fitted) & set(FAMILIES[family]):
            for given in row.given:
                count[given] = count.get(given, 0) + row.n
    return {given for given, n in count.items() if n >= LEAST_PATIENTS}


def _listed(found: set[str]) -> str:
    return ", ".join(sorted(map(plain, found), key=str.lower)) or "none"


def update(page: str, rows: Sequence[Row]) -> str:
    """The page with its tables renewed. Raises ValueError when the marks are missing."""
    if BEGIN not in page or END not in page:
        raise ValueError(f"the page needs the lines {BEGIN} and {END}")
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{tables(rows)}\n\n{END}{rest.partition(END)[2]}"
