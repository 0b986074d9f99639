"""The comparison of a cohort in words and pictures: Markdown with no patient in it, and one figure."""

from __future__ import annotations

from pathlib import Path

from metachron.interop.compare import CohortComparison, EndpointSummary, Interval

NOT_KNOWN = "not known"


def percent(interval: Interval | None) -> str:
    if interval is None:
        return NOT_KNOWN
    return f"{100 * interval.value:.0f} ({100 * interval.lower:.0f} to {100 * interval.upper:.0f})"


def ratio(interval: Interval | None) -> str:
    if interval is None:
        return NOT_KNOWN
    return f"{interval.value:.2f} ({interval.lower:.2f} to {interval.upper:.2f})"


def landmark_rows(comparison: CohortComparison) -> list[tuple[str, ...]]:
    """Endpoint, year, predicted %, observed %, difference in points, at risk."""
    rows: list[tuple[str, ...]] = []
    for summary in comparison.summaries:
        for mark in summary.landmarks:
            gap = NOT_KNOWN if mark.difference is None else f"{round(100 * mark.difference):+d}"
            year = f"{mark.month // 12}"
            cells = (percent(mark.predicted), percent(mark.observed), gap, str(mark.at_risk))
            rows.append((summary.title, year, *cells))
    return rows


def score_rows(comparison: CohortComparison) -> list[tuple[str, ...]]:
    """Endpoint, patients, events, expected events, their ratio, Harrell's C, Brier scores, calibration."""
    return [_score_row(summary) for summary in comparison.summaries]


def _score_row(summary: EndpointSummary) -> tuple[str, ...]:
    counts = (str(summary.patients), str(summary.events), f"{summary.expected_events:.1f}")
    brier = NOT_KNOWN
    if summary.integrated_brier is not None and summary.brier_of_kaplan_meier is not None:
        brier = f"{summary.integrated_brier:.3f} ({summary.brier_of_kaplan_meier:.3f})"
    ranks = (ratio(summary.ratio), ratio(summary.concordance))
    return (summary.title, *counts, *ranks, brier, ratio(summary.calibration_slope))


LANDMARK_HEAD = ("endpoint", "year", "predicted %", "observed %", "difference", "at risk")
SCORE_HEAD = (
    "endpoint", "patients", "events", "expected", "observed / expected", "Harrell's C",
    "Brier score (Kaplan-Meier)", "calibration slope",
)  # fmt: skip


def markdown(comparison: CohortComparison) -> str:
    """The derived figures only, without any row of the table: this may be published with the source named."""
    planned = ", ".join(f"{name}: {count}" for name, count in comparison.strategies.items())
    settings = ", ".join(f"{name} {value}" for name, value in comparison.settings.items())
    lines = [
        f"metachron {comparison.version}, seed {comparison.seed}, {settings}. Patients: {planned}.",
        f"Could not be planned: {len(comparison.not_planned)}. {comparison.parameters_status}",
        "",
        *table(LANDMARK_HEAD, landmark_rows(comparison)),
        "",
        *table(SCORE_HEAD, score_rows(comparison)),
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """Lines of a Markdown table."""
    return [f"| {' | '.join(cells)} |" for cells in (head, ("---",) * len(head), *rows)]


def draw(comparison: CohortComparison, path: Path) -> None:
    """Predicted mean curve with its band over the Kaplan-Meier estimate, one panel an endpoint (SVG)."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    panels = comparison.summaries
    with rc_context({"svg.hashsalt": "metachron"}):
        figure = Figure(figsize=(4.2 * len(panels), 3.6), layout="constrained")
        for place, summary in enumerate(panels, start=1):
            axes = figure.add_subplot(1, len(panels), place)
            bounds = (summary.predicted_lower, summary.predicted_upper)
            axes.fill_between(summary.months, *bounds, color="#1f5a8c", alpha=0.2, linewidth=0)
            axes.plot(summary.months, summary.predicted, color="#1f5a8c", label="predicted, 90 % band")
            times = [0.0, *summary.observed_months, summary.observed_until]
            for line in (summary.observed_lower, summary.observed_upper):
                steps = [1.0, *line, (line or [1.0])[-1]]
                axes.step(times, steps, where="post", color="#b5541c", linestyle=":", linewidth=1)
            label = "observed, 90 % interval"
            steps = [1.0, *summary.observed, (summary.observed or [1.0])[-1]]
            axes.step(times, steps, where="post", color="#b5541c", label=label)
            title = summary.title[:1].upper() + summary.title[1:]
            axes.set_title(f"{title} ({summary.patients} patients)", fontsize=10)
            axes.set_ylim(0, 1.02)
            axes.set(xlabel="Months from the operation", ylabel="Fraction")
            axes.legend(loc="upper right", fontsize=8, frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None})
