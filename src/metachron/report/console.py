"""What the command line prints of a plan: a few lines and one table, for terminals of 80 columns and more."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from metachron.plan.results import Plan, StrategyResult
from metachron.report import words
from metachron.report.arms import Arm, compared, difference_of, heading, not_compared
from metachron.report.brief import Second, second, twins_in_words
from metachron.report.decide import short_reason

VERDICTS = {"yes": "not simulated", "no": "not eligible", "unknown": "needs information"}


def strategy_table(plan: Plan) -> Table:
    """Strategies compared, by grade of evidence and with those not ranked last; then those not compared.

    Numbers are without intervals, which need more room than a terminal has: they are in the report.
    """
    both = Table.grid(expand=False)
    both.add_column()
    arms = compared(plan)
    if arms:
        both.add_row(_compared(plan, arms))
        both.add_row(Text(_note(plan)))
    if refused := not_compared(plan):
        both.add_row("")
        both.add_row(_refused(refused))
    return both


def _empty() -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)


def _compared(plan: Plan, arms: list[Arm]) -> Table:
    year = words.landmark_year(arms[0].outcomes.os)
    measure = second(arms)
    table = _empty()
    table.add_column("")
    table.add_column("Strategy", min_width=20)
    table.add_column(f"OS at\n{year or '?'} years", justify="right")
    table.add_column("\n".join(measure.lines), justify="right")
    table.add_column("grade 3+\ntoxicity", justify="right")
    letter = next((a.letter for a in arms if a.is_reference), "reference")
    table.add_column(f"months alive,\nagainst {letter}*", max_width=24)
    previous = ""
    for arm in arms:
        head = heading(arm, arms)
        if head != previous:
            table.add_section()
            table.add_row("", Text(head, style="bold"))
        previous = head
        table.add_row(*_cells(plan, arm, measure))
    return table


def _note(plan: Plan) -> str:
    quantity = next((d.quantity for d in plan.comparison if d.endpoint == "os"), "")
    return f"* difference in {quantity}, with its 90% interval" if quantity else ""


def _refused(strategies: list[StrategyResult]) -> Table:
    table = _empty()
    table.add_column("Not compared", min_width=20, max_width=34)
    table.add_column("Reason")
    for verdict in ("unknown", "no", "yes"):
        members = [s for s in strategies if s.eligible == verdict]
        if members:
            table.add_section()
            heading = VERDICTS[verdict]
            table.add_row(Text(heading[0].upper() + heading[1:], style="bold"))
        for strategy in members:
            table.add_row(Text(strategy.title), Text(_why(strategy)))
    return table


def _cells(plan: Plan, arm: Arm, measure: Second) -> list[Text]:
    outcomes = arm.outcomes
    landmark = outcomes.os.landmarks.get(words.landmark_year(outcomes.os) or "")
    severe, total = words.severe_toxicity(arm.strategy)
    severe_value = severe.probability.value if severe else None
    known = landmark is not None and landmark.value is not None
    cells = [
        arm.letter,
        arm.strategy.title,
        words.percent(landmark.value) if known and landmark and landmark.value is not None else words.DASH,
        measure.short(arm),
        words.DASH if severe_value is None else f"{'' if total else '≥'}{words.percent(severe_value)}",
        _against(plan, arm),
    ]
    return [Text(cell) for cell in cells]


def _against(plan: Plan, arm: Arm) -> str:
    if arm.outside:
        return words.NOT_RANKED
    if arm.is_reference:
        return "reference"
    found = difference_of(plan, arm.strategy.name, "os")
    if found is None:
        return words.DASH
    if not words.is_clear(found):
        return words.NO_DIFFERENCE.lower()
    numbers = words.difference_numbers(found).replace(" months", "")  # the heading says months
    if not words.touches_nought(found):
        return numbers
    head, _, interval = numbers.partition(" (")
    return f"probably {head}\n({interval}" if interval else f"probably {head}"


def _why(strategy: StrategyResult) -> str:
    reason = short_reason(strategy)
    return reason.text if reason else VERDICTS[strategy.eligible]


def summary_lines(plan: Plan) -> list[str]:
    """Patient, situation, twins, and the statements no output may go without."""
    twins = plan.twins
    title = plan.patient.get("title") or plan.patient.get("id") or "patient"
    eligible = sum(s.eligible == "yes" for s in plan.strategies)
    refused = sum(s.eligible == "no" for s in plan.strategies)
    unknown = sum(s.eligible == "unknown" for s in plan.strategies)
    hidden = twins.occult_probability.value
    lines = [
        f"{title}",
        f"Situation: {plan.situation}",
        f"Strategies: {eligible} eligible, {unknown} need information, {refused} not eligible",
        f"Twins: {twins_in_words(plan)}; {twins.draws} parameter draws, seed {plan.seed}",
    ]
    if plan.monte_carlo is not None:
        lines.append(plan.monte_carlo.text)
    if hidden is not None:
        unseen = words.percent_interval(twins.occult_probability)
        lines.append(f"Probability of disease that no scan has shown: {unseen}")
    if plan.outside:
        lines.append(f"OUTSIDE THE DATA, nothing is ranked: {'; '.join(plan.outside)}.")
    lines += _strategies_outside(plan)
    return [*lines, plan.parameters_status, plan.disclaimer]


def _strategies_outside(plan: Plan) -> list[str]:
    """One line for the strategies that alone are outside the data, by reason."""
    by_reason: dict[str, list[str]] = {}
    for strategy in plan.strategies:
        own = strategy.domain.reasons if strategy.domain and strategy.outcomes else []
        for reason in own:
            if reason not in plan.outside:
                by_reason.setdefault(reason, []).append(strategy.title)
    return [f"Outside the data, not ranked: {words.listed(n)} ({reason})." for reason, n in by_reason.items()]
