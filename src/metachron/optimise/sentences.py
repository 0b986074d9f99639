"""The result of a search in sentences, most telling first."""

from __future__ import annotations

from metachron.optimise.numbers import plain, signed
from metachron.optimise.results import CellsBand, Evaluation, Measured, ObjectiveDescription, Optimisation

LED_BY_LUCK = 0.05  # probability of being best under which the leader of the search is not upheld


def sentences(document: Optimisation) -> list[str]:
    """What the document says, in words."""
    if document.outside:
        return [f"Nothing is ranked: {'; '.join(document.outside)}.", *_cells(document)]
    if document.best is None:
        return ["Nothing is ranked: no candidate rests on evidence beyond the prior.", *_cells(document)]
    best = document.evaluation(document.best)
    return [
        _best(document, best),
        *_overtaken(document, best),
        *_against(document, best),
        *_as_good(document),
        *_reference(document, best),
        *[p.words for p in document.plateau],
        *_front(document),
        *_cells(document),
        *_end(document),
    ]


def quantity(found: Measured, unit: str) -> str:
    """`41.2 months (90 % interval 38.0 to 44.1)`."""
    if found.value is None:
        return "not known"
    if found.lower is None or found.upper is None:
        return f"{plain(found.value)} {unit}"
    return f"{plain(found.value)} {unit} (90 % interval {plain(found.lower)} to {plain(found.upper)})"


def _best(document: Optimisation, best: Evaluation) -> str:
    objective, alike = document.objective, document.cannot_be_told_apart
    probability = document.probability_best.get(best.id, 0.0)
    unit = f"{objective.name} {objective.unit}" if objective.weights else objective.unit
    value = quantity(best.objectives[objective.name], unit)
    head = f"Best of {len(document.probability_best)} compared on fresh twins: {best.title}, {value}"
    sure = f"it is best with probability {'under 0.01' if probability < 0.005 else f'{probability:.2f}'}"
    if len(document.probability_best) == 1:
        return f"One candidate, nothing to compare it with: {best.title}, {value}."
    if len(alike) == 1:
        return f"{head}; {sure}, and every other can be told apart from it."
    others = "1 other" if len(alike) == 2 else f"{len(alike) - 1} others"
    head = head.replace("Best of", "No single best of").replace(": ", ". First in the search: ", 1)
    return f"{head}; {sure}, and {others} cannot be told apart from it (odds under 9 to 1)."


def _overtaken(document: Optimisation, best: Evaluation) -> list[str]:
    """What came out ahead on the fresh twins more often than the one that led the search."""
    table = document.probability_best
    first = max(table, key=lambda key: table[key], default=best.id)
    if first == best.id:
        return []
    other = document.evaluation(first)
    often = f"{other.title} comes first more often (probability {table[first]:.2f})"
    if table.get(best.id, 0.0) >= LED_BY_LUCK:
        rests = f"; it is {other.basis}" if other.basis != best.basis else ""
        return [f"On the fresh twins {often}{rests}: the choice between the two is open."]
    return [f"It led the search, but on the fresh twins {often}: choosing needs more time or twins."]


def _against(document: Optimisation, best: Evaluation) -> list[str]:
    """Trials that contradict the best, and the best of those that none contradicts; else one as good."""
    if not best.trials_against:
        noted = [e for e in map(document.evaluation, document.as_good) if e.trials_against]
        if not noted:
            return []
        return [f"Contradicted by trials, though as good here: {noted[0].title}; {noted[0].trials_against}"]
    ranked = sorted((e for e in document.evaluations if e.rank is not None), key=lambda e: e.rank or 0)
    other = next((e for e in ranked if not e.trials_against and e.difference is not None), None)
    more = f" The first that no trial contradicts: {other.title} (rank {other.rank})." if other else ""
    return [f"Contradicted by trials: {best.trials_against}{more}"]


def _as_good(document: Optimisation) -> list[str]:
    more, unit = len(document.as_good) - 1, document.objective.unit
    if more < 1:
        return []
    least = f"{document.least_that_matters:g} {unit}"
    total = len(document.probability_best) - 1
    return [f"{more} of {total} others are as good: within {least} of it, or not told apart."]


def _reference(document: Optimisation, best: Evaluation) -> list[str]:
    if document.reference == best.id:
        return ["It is the standard of the situation."]
    standard = document.evaluation(document.reference)
    if standard.difference is None or standard.difference.value is None or standard.rank is None:
        return []
    unit = document.objective.unit
    if standard.id in document.cannot_be_told_apart:
        return [f"The standard ({standard.title}) cannot be told apart from it."]
    away = Measured(
        value=abs(standard.difference.value),
        lower=min(abs(standard.difference.lower or 0.0), abs(standard.difference.upper or 0.0)),
        upper=max(abs(standard.difference.lower or 0.0), abs(standard.difference.upper or 0.0)),
    )
    return [f"The standard ({standard.title}) is {quantity(away, unit)} behind it."]


def _front(document: Optimisation) -> list[str]:
    """From which end to which the front goes, and whether the best of one objective is on it."""
    if not document.front:
        return []
    sought, names = document.sought, " and ".join(o.words for o in document.sought)
    sign = 1.0 if document.objective.direction == "maximise" else -1.0
    on = sorted(
        (document.evaluation(key) for key in document.front),
        key=lambda e: -sign * (e.objectives[document.objective.name].value or 0.0),
    )
    count = "1 candidate makes" if len(on) == 1 else f"{len(on)} candidates make"
    text = f"{count} the front, on which none is beaten in {names}: {_on_front(on[0], sought)}"
    text += f" to {_on_front(on[-1], sought)}." if len(on) > 1 else "."
    if document.best is not None and document.best not in document.front:
        best = document.evaluation(document.best)
        text += f" Not on it, since another is better in all of them: {best.title}."
    return [text]


def _on_front(e: Evaluation, sought: list[ObjectiveDescription]) -> str:
    """`hepatectomy (46.5 months, 36.1 days)`."""
    values = [(e.objectives.get(o.name), o.unit) for o in sought]
    said = [f"{plain(v.value)} {unit}" for v, unit in values if v is not None and v.value is not None]
    return f"{e.title} ({', '.join(said)})"


def _cells(document: Optimisation) -> list[str]:
    found = []
    for key in dict.fromkeys(row.id for row in document.cells_band):
        rows = [r for r in document.cells_band if r.id == key]
        values = [r.difference.value for r in rows if r.difference.value is not None]
        unit, title = document.objective.unit, document.evaluation(key).title
        found.append(
            f"Infused cells ({title}): over the prior of half-life {_span(rows, 'half_life_days')} d,"
            f" lymphotoxicity {_span(rows, 'lymphotoxicity')} /d and effect {_span(rows, 'effect')} /d they"
            f" change the objective by {signed(min(values))} to {signed(max(values))} {unit} if they kill at"
            " all; no data identify these, so they are never ranked."
        )
    return found


def _span(rows: list[CellsBand], name: str) -> str:
    values = [float(getattr(r, name)) for r in rows]
    return f"{min(values):g} to {max(values):g}"


def _end(document: Optimisation) -> list[str]:
    search = document.search
    if search.complete:
        return []
    more = "a larger --budget" if "budget" in search.stopped_because else "more twins"
    return [f"The search is not complete ({search.stopped_because}); {more} may tell more apart."]
