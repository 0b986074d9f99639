"""Figures that compare: paired differences (forest) and severe toxicity by kind (dots)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from metachron.plan.results import Difference, Plan, Toxicity
from metachron.report import svg, words
from metachron.report.arms import Arm, difference_of
from metachron.report.figures import WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
    height = 0.26 * len(letters) + 1.15
    with svg.style():
        figure = svg.new_figure(WIDTH, height)
        grid = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
        figure.subplots_adjust(
            left=0.4 / WIDTH, right=1 - 0.1 / WIDTH, top=1 - 0.45 / height, bottom=0.66 / height, wspace=0.2
        )
        for axes, (endpoint, rows) in zip(grid, panels, strict=True):
            _forest_panel(axes, letters, endpoint, rows)
        grid[0].set_yticks(range(len(letters)), [a.letter for a in letters], weight="bold")
        for text, arm in zip(grid[0].get_yticklabels(), letters, strict=True):
            text.set_color(arm.colour)
        return svg.to_svg(figure, name, "Paired differences against the reference", _forest_text(panels))


def _forest_text(panels: list[tuple[str, list[tuple[Arm, Difference]]]]) -> str:
    parts = []
    for endpoint, rows in panels:
        told = [f"{a.letter} {words.difference_numbers(d)}" for a, d in rows if words.is_clear(d)]
        told_text = "; ".join(told) if told else "no detectable difference for any strategy"
        parts.append(f"{words.DIFFERENCE_NAMES[endpoint]}: {told_text}.")
    return "Detectable differences only. " + " ".join(parts)


def _forest_panel(axes: Axes, letters: list[Arm], endpoint: str, rows: list[tuple[Arm, Difference]]) -> None:
    unit = words.difference_scale(rows[0][1])[1]
    limit = forest_limit([d for _, d in rows])
    axes.axvline(0, color=svg.INK, linewidth=0.9)
    for arm, difference in rows:
        y = next(i for i, a in enumerate(letters) if a is arm)
        _forest_row(axes, arm, difference, y, limit)
    axes.set_ylim(len(letters) - 0.4, -0.6)
    axes.set_xlim(-limit, limit)
    axes.locator_params(axis="x", nbins=4)
    axes.grid(axis="x", color=svg.GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_title(FOREST_HEADS[endpoint], loc="left", weight="bold", pad=6, fontsize=svg.FONT - 0.5)
    gap = 4 * "\N{NO-BREAK SPACE}"
    better = f"← fewer{gap}more →" if endpoint == "toxicity_grade3plus" else f"← shorter{gap}longer →"
    axes.set_xlabel(f"{unit}\n{better}", linespacing=1.5, labelpad=2, fontsize=svg.FONT - 0.8)


def forest_limit(differences: list[Difference]) -> float:
    """Half-width of the axis: wide enough for all but a difference far beyond the others."""
    ends = sorted(words.difference_scale(d)[0] * max(abs(d.lower), abs(d.upper)) for d in differences)
    usual = 3.0 * ends[(len(ends) - 1) // 2]
    return 1.12 * max((e for e in ends if e <= usual), default=ends[-1]) or 1.0


def _forest_row(axes: Axes, arm: Arm, difference: Difference, y: int, limit: float) -> None:
    factor = words.difference_scale(difference)[0]
    low, middle, high = (factor * x for x in (difference.lower, difference.difference, difference.upper))
    gid = svg.mark("st", f"st-{arm.index}")
    if abs(middle) > limit:
        side = 1 if middle > 0 else -1
        arrow = ">" if middle > 0 else "<"
        axes.plot([side * limit * 0.95], [y], arrow, markersize=5, color=arm.colour, gid=gid)
        axes.text(
            side * limit * 0.85, y, words.signed(middle, 0), color=arm.colour, gid=gid, va="center",
            ha="right" if side > 0 else "left", fontsize=svg.FONT - 0.8,
        )  # fmt: skip
        return
    for end, arrow in ((low, "<"), (high, ">")):
        if abs(end) > limit:
            edge = limit if end > 0 else -limit
            axes.plot([edge], [y], arrow, markersize=4, color=arm.colour, gid=gid, clip_on=False)
    axes.plot([low, high], [y, y], color=arm.colour, linewidth=1.6, solid_capstyle="butt", gid=gid)
    axes.plot(
        [middle], [y], "D" if words.is_clear(difference) else "o", markersize=5, markeredgecolor=arm.colour,
        markerfacecolor=arm.colour if words.is_clear(difference) else "white", markeredgewidth=1.2, gid=gid,
    )  # fmt: skip


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
    height = rows * (each + 0.3) + 0.35
    top = max(_upper(a, k) for a in arms for k in kinds)
    with svg.style():
        figure = svg.new_figure(WIDTH, height)
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True)
        figure.subplots_adjust(
            left=0.3 / WIDTH, right=1 - 0.22 / WIDTH, top=1 - 0.25 / height, bottom=0.42 / height,
            wspace=0.14, hspace=0.34 / each,
        )  # fmt: skip
        for position, axes in enumerate(grid.flat):
            if position >= len(kinds):
                axes.set_visible(False)
                continue
            _toxicity_panel(axes, arms, kinds[position], top)
            if position + columns >= len(kinds):
                axes.tick_params(labelbottom=True)
                axes.set_xlabel("Probability of grade 3 or worse", labelpad=1, fontsize=svg.FONT - 0.8)
        return svg.to_svg(figure, name, "Severe toxicity by kind and strategy", _toxicity_text(arms))


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


def _toxicity_panel(axes: Axes, arms: list[Arm], kind: str, top: float) -> None:
    for row, arm in enumerate(arms):
        found = toxicity_of(arm, kind)
        if found is None or found.probability.value is None:
            continue
        gid = svg.mark("st", f"st-{arm.index}")
        if found.probability.lower is not None and found.probability.upper is not None:
            ends = [found.probability.lower, found.probability.upper]
            axes.plot(ends, [row, row], color=arm.colour, linewidth=1.2, solid_capstyle="butt", gid=gid)
        axes.plot(
            [found.probability.value], [row], "o", markersize=3.6, color=arm.colour, gid=gid, clip_on=False
        )
    axes.set_ylim(len(arms) - 0.4, -0.6)
    axes.set_yticks(range(len(arms)), [a.letter for a in arms], fontsize=svg.FONT - 1.4)
    for text, arm in zip(axes.get_yticklabels(), arms, strict=True):
        text.set_color(arm.colour)
    limit = min(1.0, 1.06 * top) or 0.1
    axes.set_xlim(0, limit)
    step = next(s for s in (0.02, 0.05, 0.1, 0.2, 0.25) if limit / s <= 5)
    ticks = [i * step for i in range(int(limit / step + 1e-9) + 1)]
    axes.set_xticks(ticks, [f"{t * 100:.0f}%" for t in ticks])
    axes.grid(axis="x", color=svg.GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0, pad=2)
    name = words.kind_name(kind)
    title = svg.plain_text(name if len(name) < 34 else name[:32] + "…")
    axes.set_title(title, loc="left", pad=2, weight="bold", fontsize=svg.FONT - 0.6)
