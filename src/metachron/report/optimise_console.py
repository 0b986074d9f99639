"""What the command line prints of a search: the result in sentences and one table, at 80 columns and more."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from metachron.optimise.numbers import plain, signed
from metachron.optimise.results import Evaluation, Measured, ObjectiveDescription, Optimisation

MOST_ROWS, MOST_UNRANKED, MOST_REFUSED = 12, 6, 5
DASH = "-"


def summary_lines(document: Optimisation) -> list[str]:
    """Patient, what was sought and how, the result in sentences, and what no output may go without."""
    search, draws = document.search, document.search.draws
    title = document.patient.get("title") or document.patient.get("id") or "patient"
    lines = [
        f"{title}",
        f"Situation: {document.situation}",
        f"Sought: {'; '.join(f'{o.words} ({o.direction})' for o in document.sought)}",
        f"Space: {search.space_size} candidates, {search.refused} refused, {search.evaluated} evaluated; "
        f"{search.rounds} {'round' if search.rounds == 1 else 'rounds'} on {search.search_twins:,} search "
        f"twins, survivors on {search.evaluation_twins:,} fresh twins; {draws} parameter draws, "
        f"seed {document.seed}",
        "",
        *(f"- {sentence}" for sentence in document.words),
        "",
        document.parameters_status,
        document.disclaimer,
    ]
    return [line for line in lines if line is not None]


def candidate_table(document: Optimisation) -> Table:
    """Ranked candidates, then those shown without a rank, then the refused with their reason."""
    both = Table.grid(expand=False)
    both.add_column()
    ranked = [e for e in document.evaluations if e.rank is not None and e.difference is not None]
    if ranked:
        both.add_row(_ranked(document, ranked))
        more = sum(e.rank is not None for e in document.evaluations) - min(len(ranked), MOST_ROWS)
        if more > 0:
            both.add_row(Text(f"and {more} more, in the data file"))
        both.add_row(Text(_note(document)))
    if document.front:
        both.add_row("")
        both.add_row(_front(document))
    unranked = [e for e in document.evaluations if e.rank is None and e.eligible != "no" and e.objectives]
    if unranked:
        both.add_row("")
        both.add_row(_unranked(document, unranked))
    refused = [e for e in document.evaluations if e.rank is None and not e.objectives]
    if refused:
        both.add_row("")
        both.add_row(_refused(refused))
    return both


def _empty() -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)


def _ranked(document: Optimisation, ranked: list[Evaluation]) -> Table:
    table = _empty()
    table.add_column("", justify="right")
    table.add_column("Strategy", min_width=24, overflow="fold")
    table.add_column(f"{document.objective.name}\n{document.objective.unit}", justify="right")
    table.add_column("against\nthe best*", justify="right")
    table.add_column("P(best)", justify="right")
    table.add_column("regret", justify="right")
    for e in ranked[:MOST_ROWS]:
        mark = "=" if e.id in document.as_good and e.id != document.best else ""
        row = (
            f"{e.rank}{mark}",
            f"{e.name}\n({_marks(document, e)})",
            _value(e, document.objective),
            "best" if e.id == document.best else _signed(e.difference),
            _probability(document.probability_best.get(e.id)),
            _number(document.expected_regret.get(e.id), 2),
        )
        table.add_row(*(Text(cell) for cell in row))
    return table


def _marks(document: Optimisation, e: Evaluation) -> str:
    marks = ["standard"] if e.id == document.reference else []
    return ", ".join([*marks, e.basis, *(["contradicted by trials"] if e.trials_against else [])])


def _note(document: Optimisation) -> str:
    least = f"{document.least_that_matters:g} {document.objective.unit}"
    return f"* with its 90 % interval. = is as good as the best: not told apart, or within {least}"


def _front(document: Optimisation) -> Table:
    """The candidates that no other beats in everything that was sought."""
    table = _empty()
    table.add_column("Front: none is better in all", min_width=24, overflow="fold")
    for o in document.sought:
        table.add_column(f"{o.name}\n{o.unit}", justify="right")
    for e in (document.evaluation(key) for key in document.front):
        table.add_row(Text(e.name), *(Text(_value(e, o)) for o in document.sought))
    return table


def _unranked(document: Optimisation, found: list[Evaluation]) -> Table:
    table = _empty()
    table.add_column("Shown, not ranked", min_width=24, overflow="fold")
    table.add_column(f"{document.objective.name}\n{document.objective.unit}", justify="right")
    table.add_column("Why", max_width=36)
    for e in found[:MOST_UNRANKED]:
        why = e.not_ranked_because
        table.add_row(Text(e.name), Text(_value(e, document.objective)), Text(why))
    if len(found) > MOST_UNRANKED:
        table.add_row(Text(f"and {len(found) - MOST_UNRANKED} more, in the data file"))
    return table


def _refused(found: list[Evaluation]) -> Table:
    table = _empty()
    table.add_column("Not evaluated", min_width=24, max_width=36, overflow="fold")
    table.add_column("Reason")
    seen: dict[str, list[Evaluation]] = {}
    for e in found:
        seen.setdefault(e.not_ranked_because, []).append(e)
    for why, members in list(seen.items())[:MOST_REFUSED]:
        more = f" and {len(members) - 1} more" if len(members) > 1 else ""
        table.add_row(Text(members[0].name + more), Text(why))
    if len(seen) > MOST_REFUSED:
        table.add_row(Text(f"and {len(seen) - MOST_REFUSED} other reasons, in the data file"))
    return table


def _value(e: Evaluation, objective: ObjectiveDescription) -> str:
    found = e.objectives.get(objective.name)
    return DASH if found is None else _number(found.value, 1)


def _signed(found: Measured | None) -> str:
    if found is None or found.value is None:
        return DASH
    if found.lower is None or found.upper is None:
        return signed(found.value)
    return f"{signed(found.value)}\n({signed(found.lower)} to {signed(found.upper)})"


def _number(value: float | None, digits: int) -> str:
    return DASH if value is None else plain(value, digits)


def _probability(value: float | None) -> str:
    if value is None:
        return DASH
    return "<0.01" if value < 0.005 else f"{value:.2f}"
