"""The tables of docs/parameters.md, made from the parameter files.

Renew them with `python -m metachron.parameters.docs docs/parameters.md`.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np

from metachron.evidence.references import Reference, load_references
from metachron.parameters.draws import quantile
from metachron.parameters.load import Parameter, load_parameters, parameter_files, read_parameters
from metachron.parameters.posterior import Ensemble, load_ensemble

BEGIN = "<!-- parameters: made by python -m metachron.parameters.docs -->"
END = "<!-- end of parameters -->"
_COLUMNS = ("Parameter", "Meaning", "Value", "Unit", "95 % range", "Distribution", "Source", "Status", "Note")
_FITTED = "After the fit: median (95 % range), basis"


def number(x: float) -> str:
    """Three significant digits, without a needless exponent."""
    return f"{x:.2e}".replace("e+", "e") if abs(x) >= 1e5 else f"{x:.3g}" if abs(x) < 1000 else f"{x:.0f}"


def range_95(parameter: Parameter) -> str:
    """The 2.5 % and 97.5 % quantiles, as drawn."""
    if parameter.distribution == "fixed":
        return "held"
    if parameter.distribution == "bernoulli":
        return "0 or 1"
    low, high = quantile(parameter, np.array([0.025, 0.975]))
    return f"{number(low)} to {number(high)}"


def after_the_fit(name: str, ensemble: Ensemble) -> str:
    """Median and 95 % range in the shipped ensemble, and whether the data pin it; a dash when not fitted."""
    if name not in ensemble.names:
        return "\N{EN DASH}"
    values = ensemble.values[:, ensemble.names.index(name)]
    low, median, high = (number(float(q)) for q in np.quantile(values, [0.025, 0.5, 0.975]))
    return f"{median} ({low} to {high}), {ensemble.basis(name)}"


def header(ensemble: Ensemble | None) -> str:
    """Head of the tables; with an ensemble one column more."""
    names = [*_COLUMNS, *([] if ensemble is None else [_FITTED])]
    return f"| {' | '.join(names)} |\n|{'---|' * len(names)}"


def row(parameter: Parameter, ensemble: Ensemble | None = None) -> str:
    """One line of the table."""
    cells = (
        f"`{parameter.name}`",
        parameter.title,
        number(parameter.value),
        parameter.unit,
        range_95(parameter),
        parameter.distribution,
        parameter.source,
        parameter.status,
        parameter.note,
        *([] if ensemble is None else [after_the_fit(parameter.name, ensemble)]),
    )
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def tables() -> str:
    """How many of each status, one table per parameter file, then the sources."""
    parameters, ensemble = load_parameters(), load_ensemble()
    count = Counter(p.status for p in parameters.values())
    shares = ", ".join(f"{n} {status}" for status, n in count.most_common())
    parts = [f"{len(parameters)} parameters: {shares}. {_fit(ensemble)}"]
    for name, text in parameter_files().items():
        comment = text.splitlines()[0].removeprefix("# ")
        rows = "\n".join(row(parameter, ensemble) for parameter in read_parameters(text))
        parts.append(f"### {name}.yaml\n\n{comment}\n\n{header(ensemble)}\n{rows}")
    used = sorted({p.source for p in parameters.values()} - {"assumption"})
    references = load_references()
    listed = "\n".join(f"- **{key}** {_reference(references[key])}" for key in used)
    parts.append(f"### Sources\n\n{listed}")
    return "\n\n".join(parts)


def _fit(ensemble: Ensemble | None) -> str:
    if ensemble is None:
        return "None is fitted yet."
    return (
        f"Fitted jointly to {len(ensemble.trials)} trials: {len(ensemble.names)} (ensemble {ensemble.id}, "
        f"{ensemble.size} sets); pinned by the data: {len(ensemble.calibrated)}."
    )


def _reference(reference: Reference) -> str:
    links = [f"[doi:{reference.doi}](https://doi.org/{reference.doi})"] if reference.doi else []
    if reference.pmid:
        links.append(f"[PMID {reference.pmid}](https://pubmed.ncbi.nlm.nih.gov/{reference.pmid}/)")
    if reference.url:
        links.append(f"<{reference.url}>")
    checked = "" if reference.status == "read" else " *(recalled, to be checked)*"
    return f"{reference.text} {' '.join(links)}{checked}"


def update(page: str) -> str:
    """The page with its tables renewed. Raises ValueError when the marks are missing."""
    if BEGIN not in page or END not in page:
        raise ValueError(f"the page needs the lines {BEGIN} and {END}")
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(update(path.read_text(encoding="utf-8")), encoding="utf-8")
