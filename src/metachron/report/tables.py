"""Tables behind the figures and in the text; each carries its caption and one row header per row."""

from __future__ import annotations

from dataclasses import dataclass, field

from metachron.plan.results import Basis, Curve, Plan, Toxicity, worst
from metachron.report import calendar, words
from metachron.report.arms import Arm, difference_of
from metachron.report.compare_figures import FOREST_ENDPOINTS, toxicity_kinds, toxicity_of
from metachron.report.figures import curve_of


@dataclass(frozen=True)
class Row:
    """`arm` puts the letter and name of a strategy in the row header, else `header` is shown."""

    cells: list[str]
    arm: Arm | None = None
    header: str = ""
    basis: Basis | None = None
    strong: bool = False


@dataclass(frozen=True)
class Table:
    caption: str
    head: list[str]
    rows: list[Row] = field(default_factory=list)
    with_basis: bool = False
    short: bool = False

    @property
    def common_basis(self) -> Basis | None:
        """The basis of every number in the table when it is one and the same: said once, not in a column."""
        found = {r.basis for r in self.rows if r.basis is not None}
        return found.pop() if self.with_basis and len(found) == 1 else None


COLUMNS_AT_MOST = 7  # strategies side by side: more do not fit on paper


def parts(arms: list[Arm], most: int = COLUMNS_AT_MOST) -> list[list[Arm]]:
    """The strategies in groups of like size that fit side by side."""
    count = max(1, -(-len(arms) // most))
    size = -(-len(arms) // count)
    return [arms[i : i + size] for i in range(0, len(arms), size)]


def _span(arms: list[Arm], everyone: list[Arm]) -> str:
    """` (A to G)` when the table holds only some of the strategies."""
    return "" if len(arms) == len(everyone) else f", {arms[0].letter} to {arms[-1].letter}"


def landmarks(arms: list[Arm], endpoint: str) -> Table:
    """Median, 1-, 3- and 5-year values and mean time, with 90 % intervals."""
    years = sorted({y for a in arms for y in curve_of(a, endpoint).landmarks}, key=float)
    first = curve_of(arms[0], endpoint)
    last = first.times_months[-1]
    head = ["Strategy", "Median (months)", *(f"{y} year{'' if y == '1' else 's'}" for y in years)]
    head.append(f"Mean months within {words.number(last)}")
    rows = []
    for arm in arms:
        curve = curve_of(arm, endpoint)
        cells = [words.months(curve.median_months)]
        cells += [words.percent_interval(curve.landmarks.get(y)) for y in years]
        rows.append(Row([*cells, words.months(curve.rmst_months)], arm, basis=curve.basis))
    return Table(f"{words.endpoint_name(first)}: median and landmarks (90% interval)", head, rows, True)


def curve_points(arms: list[Arm], endpoint: str) -> list[Table]:
    """The curves as numbers, a few strategies in each table."""
    return [_curve_points(group, arms, endpoint) for group in parts(arms)]


def _curve_points(arms: list[Arm], everyone: list[Arm], endpoint: str) -> Table:
    """Every six months to two years, then every year."""
    first = curve_of(arms[0], endpoint)
    last = int(first.times_months[-1])
    wanted = [m for m in range(0, last + 1, 6) if m <= 24 or m % 12 == 0]
    head = ["Months", *(a.letter for a in arms)]
    rows = [Row([_at(curve_of(a, endpoint), m) for a in arms], header=f"{m}") for m in wanted]
    caption = f"{words.endpoint_name(first)} at months from day 0 (90% band){_span(arms, everyone)}"
    return Table(caption, head, rows, short=True)


def _at(curve: Curve, month: int) -> str:
    for time, middle, low, high in zip(
        curve.times_months, curve.survival, curve.lower, curve.upper, strict=False
    ):
        if abs(time - month) < 1e-6:
            return "100%" if month == 0 else f"{words.percent(middle)} ({words.percent_range(low, high)})"
    return words.DASH


def differences(plan: Plan, arms: list[Arm], endpoint: str) -> Table | None:
    """Paired differences against the reference, in words and numbers."""
    rows = []
    quantity = ""
    for arm in arms:
        found = difference_of(plan, arm.strategy.name, endpoint)
        if found is None:
            continue
        quantity = found.quantity
        better = f"{found.probability_better * 100:.0f}%"
        better = {"0%": "<1%", "100%": ">99%"}.get(better, better)
        cells = [words.difference_words(found), words.difference_numbers(found), better]
        rows.append(Row(cells, arm, basis=found.basis, strong=words.is_clear(found)))
    if not rows:
        return None
    caption = f"{words.DIFFERENCE_NAMES[endpoint]}: {quantity}, strategy minus reference (90% interval)"
    return Table(caption, ["Strategy", "In words", "Difference", "Probability of doing better"], rows, True)


def all_differences(plan: Plan, arms: list[Arm]) -> list[Table]:
    return [t for e in FOREST_ENDPOINTS if (t := differences(plan, arms, e)) is not None]


def toxicity(arms: list[Arm], grade: str) -> list[Table]:
    """Kinds in rows, strategies in columns; strategies without a figure are left out."""
    with_figures = [a for a in arms if any(t.grade == grade for t in a.outcomes.toxicity)]
    return [_toxicity(group, with_figures, grade) for group in parts(with_figures)] if with_figures else []


def _toxicity(arms: list[Arm], everyone: list[Arm], grade: str) -> Table:
    kinds = toxicity_kinds(arms, grade)
    rows = [
        Row(
            [_rate(toxicity_of(a, kind, grade)) for a in arms],
            header=words.kind_name(kind),
            basis=_weakest([t for a in arms if (t := toxicity_of(a, kind, grade)) is not None]),
        )
        for kind in kinds
    ]
    name = "grade 5 (death)" if grade == "5" else f"grade {grade.rstrip('+')} or worse"
    caption = f"Probability of {name} toxicity by kind (90% interval){_span(arms, everyone)}"
    return Table(caption, ["Kind", *(a.letter for a in arms)], rows, with_basis=True, short=True)


def _weakest(found: list[Toxicity]) -> Basis | None:
    """The weakest basis in a row; strategies outside the data say so elsewhere, unless all are."""
    inside = [t.basis for t in found if t.basis != "outside"]
    return worst(inside or [t.basis for t in found]) if found else None


def _rate(found: Toxicity | None) -> str:
    return words.DASH if found is None else words.percent_interval(found.probability)


def completion(arms: list[Arm]) -> Table:
    """Planned chemotherapy: cycles, completed, dose intensity."""
    rows = []
    for arm in arms:
        done = arm.outcomes.chemotherapy_completed
        if done is None:
            rows.append(Row(["no chemotherapy", words.DASH, words.DASH], arm))
            continue
        until = done.planned_cycles is None
        cycles = "until progression" if until else f"{done.planned_cycles}"
        cells = [
            cycles,
            words.DASH if until and done.completed.value is None else words.percent_interval(done.completed),
        ]
        rows.append(
            Row([*cells, words.percent_interval(done.relative_dose_intensity)], arm, basis=done.basis)
        )
    head = ["Strategy", "Planned cycles", "Completed as planned", "Relative dose intensity"]
    return Table("Planned chemotherapy: completed, and dose intensity (90% interval)", head, rows, True)


def response(arms: list[Arm]) -> list[Table]:
    """RECIST best response, and the share with no tumour cell left, for the strategies that have them."""
    measured = [a for a in arms if a.outcomes.best_response]
    kinds = sorted({k for a in measured for k in a.outcomes.best_response}, key=_response_order)
    found = []
    if measured:
        rows = [
            Row([_share(a.outcomes.best_response.get(k)) for k in kinds], a, basis=a.strategy.basis)
            for a in measured
        ]
        caption = "Best RECIST response of strategies that leave measurable disease, share of twins"
        found.append(Table(caption, ["Strategy", *kinds], rows, True))
    cleared = [
        Row([words.percent_interval(left)], a, basis=a.strategy.basis)
        for a in arms
        if (left := a.outcomes.no_disease_left) is not None
    ]
    if cleared:
        caption = (
            "No tumour cell left at the end of the simulation or at death, share of twins (90% interval)"
        )
        found.append(Table(caption, ["Strategy", "No tumour cell left"], cleared, True))
    return found


def _share(value: float | None) -> str:
    return words.DASH if value is None else words.percent(value)


def _response_order(kind: str) -> int:
    order = ("CR", "PR", "SD", "PD")
    return order.index(kind) if kind in order else len(order)


def timetable(arm: Arm) -> Table:
    """The calendar as weeks, windows from the 10th to the 90th percentile."""
    rows = []
    for row in calendar.rows_of(arm.strategy.timetable):
        for bar in row.bars:
            cells = [
                bar.label,
                f"{calendar.week(bar.start_day)} ({calendar.window(bar.start_window)})",
                f"{calendar.week(bar.end_day)} ({calendar.window(bar.end_window)})",
                words.percent(bar.share),
            ]
            rows.append(Row(cells, header=bar.lane))
    head = ["Lane", "What", "Starts, week (10 to 90%)", "Ends, week (10 to 90%)", "Share of twins"]
    return Table(f"Calendar of strategy {arm.letter}: {arm.strategy.title}", head, rows)
