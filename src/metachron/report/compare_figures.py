"""Figures that compare: paired differences (forest) and severe toxicity by kind (dots)."""

from __future__ import annotations

from markupsafe import Markup

from metachron.plan.results import Difference, Plan, Toxicity
from metachron.report import svg, words
from metachron.report.arms import Arm, difference_of
from metachron.report.figures import WIDTH, classes

FOREST_ENDPOINTS = ("os", "rfs_or_pfs", "hepatic_rfs", "toxicity_grade3plus")
FOREST_HEADS = {
    "os": "Overall survival",
    "rfs_or_pfs": "RFS or PFS",
    "hepatic_rfs": "Liver recurrence-free",
    "toxicity_grade3plus": "Grade 3+ toxicity",
}
MAX_KINDS = 9


def forest_rows(plan: Plan, arms: list[Arm], endpoint: str) -> list[tuple[Arm, Difference]]:
    """Strategies with a difference against the reference, in the order of display."""
    found = [(arm, difference_of(plan, arm.strategy.name, endpoint)) for arm in arms if not arm.is_reference]
    return [(arm, d) for arm, d in found if d is not None]


def forest(plan: Plan, arms: list[Arm], name: str) -> Markup | None:
    """One panel for each endpoint, side by side: point, 90 % interval, line of no difference."""
    panels = [(e, rows) for e in FOREST_ENDPOINTS if (rows := forest_rows(plan, arms, e))]
    if not panels:
        return None
    letters = [a for a in arms if any(a is row[0] for _, rows in panels for row in rows)]
    sheet = svg.Drawing(WIDTH, 0.26 * len(letters) + 1.15)
    frames = svg.grid_of(sheet, 1, len(panels), (0.4, 0.45, 0.1, 0.66), (0.2, 0.0))
    for position, ((endpoint, rows), frame) in enumerate(zip(panels, frames, strict=True)):
        limit = forest_limit([d for _, d in rows])
        panel = svg.Panel(sheet, *frame, (-limit, limit), (len(letters) - 0.4, -0.6))
        _forest_panel(panel, letters, endpoint, rows, limit)
        if position == 0:
            _letters(panel, letters, 6.5, bold=True)
    return sheet.to_svg(name, "Paired differences against the reference", _forest_text(panels))


def _letters(
    panel: svg.Panel, arms: list[Arm], gap: float, *, size: float = svg.FONT, bold: bool = False
) -> None:
    """The letter of each row, left of the panel."""
    for row, arm in enumerate(arms):
        panel.sheet.middle_text(
            panel.left - gap, panel.y(row), arm.letter, anchor="end", colour=arm.colour, size=size, bold=bold
        )


def _forest_text(panels: list[tuple[str, list[tuple[Arm, Difference]]]]) -> str:
    parts = []
    for endpoint, rows in panels:
        told = [f"{a.letter} {words.difference_numbers(d)}" for a, d in rows if words.is_clear(d)]
        told_text = "; ".join(told) if told else "no detectable difference for any strategy"
        parts.append(f"{words.DIFFERENCE_NAMES[endpoint]}: {told_text}.")
    return "Detectable differences only. " + " ".join(parts)


def _forest_panel(
    panel: svg.Panel, letters: list[Arm], endpoint: str, rows: list[tuple[Arm, Difference]], limit: float
) -> None:
    unit = words.difference_scale(rows[0][1])[1]
    ticks = svg.round_ticks(limit, 5)
    panel.grid(xs=ticks)
    panel.line([0, 0], list(panel.ylim), svg.INK, 0.9)
    for arm, difference in rows:
        y = next(i for i, a in enumerate(letters) if a is arm)
        _forest_row(panel, arm, difference, y, limit)
    gap = 4 * "\N{NO-BREAK SPACE}"
    better = f"← fewer{gap}more →" if endpoint == "toxicity_grade3plus" else f"← shorter{gap}longer →"
    labels = [f"{t:g}".replace("-", "\N{MINUS SIGN}") for t in ticks]
    panel.x_axis(ticks, labels, title=f"{unit}\n{better}", size=svg.FONT - 0.8)
    panel.title(FOREST_HEADS[endpoint], pad=6, size=svg.FONT - 0.5, bold=True)


def forest_limit(differences: list[Difference]) -> float:
    """Half-width of the axis: wide enough for all but a difference far beyond the others."""
    ends = sorted(words.difference_scale(d)[0] * max(abs(d.lower), abs(d.upper)) for d in differences)
    usual = 3.0 * ends[(len(ends) - 1) // 2]
    return 1.12 * max((e for e in ends if e <= usual), default=ends[-1]) or 1.0


def _forest_row(panel: svg.Panel, arm: Arm, difference: Difference, y: int, limit: float) -> None:
    factor = words.difference_scale(difference)[0]
    low, middle, high = (factor * x for x in (difference.lower, difference.difference, difference.upper))
    mine = classes(arm)
    if abs(middle) > limit:
        side = 1 if middle > 0 else -1
        panel.mark(">" if middle > 0 else "<", side * limit * 0.95, y, 5, arm.colour, classes=mine)
        panel.sheet.middle_text(
            panel.x(side * limit * 0.85), panel.y(y), words.signed(middle, 0), colour=arm.colour,
            anchor="end" if side > 0 else "start", size=svg.FONT - 0.8, classes=mine,
        )  # fmt: skip
        return
    for end, arrow in ((low, "<"), (high, ">")):
        if abs(end) > limit:
            panel.mark(arrow, limit if end > 0 else -limit, y, 4, arm.colour, classes=mine)
    panel.line([panel.within(low), panel.within(high)], [y, y], arm.colour, 1.6, classes=mine)
    clear = words.is_clear(difference)
    fill = arm.colour if clear else "white"
    panel.mark("D" if clear else "o", middle, y, 5, arm.colour, fill=fill, edge=1.2, classes=mine)


# --- toxicity ------------------------------------------------------------------------------------------


def toxicity_kinds(arms: list[Arm], grade: str = "3+") -> list[str]:
    """Kinds with this grade, `any` first, then the most frequent first."""
    worst: dict[str, float] = {}
    totals = []
    for arm in arms:
        for toxicity in arm.outcomes.toxicity:
            if toxicity.grade == grade:
                value = toxicity.probability.value or 0.0
                worst[toxicity.kind] = max(worst.get(toxicity.kind, 0.0), value)
                if words.is_any(toxicity) and toxicity.kind not in totals:
                    totals.append(toxicity.kind)
    rest = sorted((k for k in worst if k not in totals), key=lambda k: (-worst[k], k))
    return totals + rest


def toxicity_of(arm: Arm, kind: str, grade: str = "3+") -> Toxicity | None:
    return next((t for t in arm.outcomes.toxicity if t.kind == kind and t.grade == grade), None)


def toxicity_dots(arms: list[Arm], name: str) -> Markup | None:
    """Probability of each kind of grade 3+ toxicity: a panel for each kind, a row for each strategy."""
    kinds = toxicity_kinds(arms)[:MAX_KINDS]
    if not kinds:
        return None
    columns = min(3, len(kinds))
    rows = -(-len(kinds) // columns)
    each = 0.135 * len(arms) + 0.18
    sheet = svg.Drawing(WIDTH, rows * (each + 0.3) + 0.35)
    top = max(_upper(a, k) for a in arms for k in kinds)
    frames = svg.grid_of(sheet, rows, columns, (0.3, 0.25, 0.22, 0.42), (0.14, 0.34 / each))
    for position, (kind, frame) in enumerate(zip(kinds, frames, strict=False)):
        limit = min(1.0, 1.06 * top) or 0.1
        panel = svg.Panel(sheet, *frame, (0, limit), (len(arms) - 0.4, -0.6))
        _toxicity_panel(panel, arms, kind, limit, lowest=position + columns >= len(kinds))
    return sheet.to_svg(name, "Severe toxicity by kind and strategy", _toxicity_text(arms))


def _upper(arm: Arm, kind: str) -> float:
    found = toxicity_of(arm, kind)
    return (found.probability.upper or found.probability.value or 0.0) if found else 0.0


def _toxicity_text(arms: list[Arm]) -> str:
    parts = []
    for arm in arms:
        found, total = words.severe_toxicity(arm.strategy)
        if found is not None:
            kind = "any kind" if total else found.kind
            parts.append(f"{arm.letter} {words.percent_interval(found.probability)} {kind}")
    return f"Probability of grade 3 or worse toxicity. {'; '.join(parts)}."


def _toxicity_panel(panel: svg.Panel, arms: list[Arm], kind: str, limit: float, *, lowest: bool) -> None:
    step = next(s for s in (0.02, 0.05, 0.1, 0.2, 0.25) if limit / s <= 5)
    ticks = [i * step for i in range(int(limit / step + 1e-9) + 1)]
    panel.grid(xs=ticks)
    for row, arm in enumerate(arms):
        found = toxicity_of(arm, kind)
        if found is None or found.probability.value is None:
            continue
        if found.probability.lower is not None and found.probability.upper is not None:
            ends = [found.probability.lower, found.probability.upper]
            panel.line(ends, [row, row], arm.colour, 1.2, classes=classes(arm))
        panel.mark("o", found.probability.value, row, 3.6, arm.colour, classes=classes(arm))
    _letters(panel, arms, 2.5, size=svg.FONT - 1.4)
    panel.x_axis(
        ticks,
        [f"{t * 100:.0f}%" for t in ticks] if lowest else None,
        title="Probability of grade 3 or worse" if lowest else "",
        size=svg.FONT - 0.8,
    )
    name = words.kind_name(kind)
    short = name if len(name) < 34 else name[:32] + "…"
    panel.title(short, pad=2, size=svg.FONT - 0.6, bold=True)
