"""The validation document in words: rows of every table, for the terminal, Markdown and the HTML report.

Errors are shown in percentage points, times in months.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from metachron.calibrate.score import LANDMARKS
from metachron.calibrate.validation import (
    Baseline,
    CurveScore,
    Group,
    PointScore,
    RatioScore,
    Summary,
    Validation,
)

MINUS = "\N{MINUS SIGN}"
NONE = "\N{EN DASH}"
SETTING_NAMES = {
    "adjuvant": "adjuvant",
    "resected_metastases": "resected metastases",
    "liver_local": "local treatment of liver metastases",
    "first_line": "first line",
    "maintenance": "maintenance",
    "second_line": "second line",
    "later_line": "later lines",
}
Rows = list[tuple[str, ...]]


@dataclass(frozen=True)
class Table:
    """A table: title, heads and rows of equal length; `left`: how many columns hold words."""

    title: str
    head: tuple[str, ...]
    rows: Rows
    left: int = 1
    note: str = ""


def points(share: float | None, digits: int = 1) -> str:
    """A share as percentage points."""
    return NONE if share is None else f"{100 * share:.{digits}f}"


def signed(share: float, digits: int = 0) -> str:
    """A difference of shares as signed percentage points."""
    text = f"{100 * share:+.{digits}f}".replace("-", MINUS)
    return "0" if not text.strip(f"+{MINUS}0.") else text


def months(value: float | None, digits: int = 1) -> str:
    """Months."""
    return NONE if value is None else f"{value:.{digits}f}"


def ratio(value: float | None, low: float | None, high: float | None) -> str:
    """A hazard ratio with its interval."""
    if value is None:
        return NONE
    return f"{value:.2f}" if low is None or high is None else f"{value:.2f} ({low:.2f}{NONE}{high:.2f})"


def share_of(right: int, all_: int) -> str:
    """`9 of 10 (90 %)`."""
    return f"{right} of {all_} ({100 * right / all_:.0f} %)" if all_ else "none to judge"


def curve_name(c: CurveScore) -> str:
    """Trial, figure, endpoint and arm."""
    return " ".join(part for part in (c.trial, c.figure, c.endpoint, c.arm) if part)


def summary_table(v: Validation) -> Table:
    """The summary, one figure a row."""
    s = v.summary
    rows: Rows = [
        ("Trials, curves, patients", f"{s.trials}, {s.curves}, {s.patients:,}"),
        ("Mean absolute error over follow-up (points)", points(s.mean_absolute_error)),
        ("  of that by sampling alone", points(s.sampling_error)),
        *_groups(s),
        _against("Nearest registered trial instead", s.nearest_trial_error,
                 s.model_error_where_nearest, s.nearest_trial_curves),
        _against("Weibull of the pooled registered arms instead", s.pooled_weibull_error,
                 s.model_error_where_weibull, s.pooled_weibull_curves),
        ("90 % intervals that hold the observed landmark", _cover(s.coverage_90, s.landmarks)),
        ("Published points inside their 90 % interval", _cover(s.points_coverage_90, s.points)),
        ("Direction of the effect right", share_of(s.direction_right, s.contrasts)),
        ("  to expect if every predicted hazard ratio were the truth",
         f"{points(s.direction_expected_share, 0)} %"),
        ("  of contrasts observed with p < 0.05",
         share_of(s.direction_right_significant, s.contrasts_significant)),
        ("Mean absolute difference of restricted mean time (months)",
         months(s.mean_absolute_rmst_difference_months)),
    ]  # fmt: skip
    return Table("Summary", ("figure", "value"), rows, left=2)


def _groups(s: Summary) -> Rows:
    """Errors of fitted and new curves, where both or fitted ones exist, and by setting."""
    rows: Rows = []
    if s.fitted.curves:
        rows.append(("  curves that were fitted", _group(s.fitted)))
        rows.append(("  curves that were not fitted", _group(s.new)))
    rows += [(f"  {SETTING_NAMES.get(name, name)}", _group(g)) for name, g in s.by_setting.items()]
    if 0 < s.without_strata.curves < s.curves:
        rows.append(("  published arms alone, without strata", _group(s.without_strata)))
    if s.shown.curves:
        rows.append(("  only shown, in no mean", _group(s.shown)))
    return rows


def _group(g: Group) -> str:
    if not g.curves:
        return "none"
    others = f"nearest {points(g.nearest_trial_error)}, Weibull {points(g.pooled_weibull_error)}"
    return f"{points(g.mean_absolute_error)} ({g.curves} curve{'s' if g.curves > 1 else ''}; {others})"


def _against(name: str, error: float | None, own: float | None, curves: int) -> tuple[str, str]:
    if not curves:
        return name, "no registered curve to borrow"
    return name, f"{points(error)}; metachron on the same {points(own)} ({curves} curves)"


def _cover(share: float | None, of: int) -> str:
    return f"{points(share, 0)} % of {of}" if share is not None else "none to judge"


def curves_table(curves: Sequence[CurveScore], title: str) -> Table:
    """One row a curve: span, errors, landmarks with a star where outside the interval."""
    marks = tuple(f"{m:g}" for m in LANDMARKS)
    head = ("trial", "fig.", "endpoint", "arm", "to month", "error", "nearest", "Weibull", *marks, "RMST")
    rows = [
        (
            c.trial + ("" if c.in_sample or c.use == "shown" else " \N{DAGGER}"),
            c.figure,
            c.endpoint,
            c.arm,
            f"{c.until_months:.0f}",
            points(c.integrated_absolute_error),
            _baseline(c.nearest_trial),
            _baseline(c.pooled_weibull),
            *(_mark(c, m) for m in marks),
            f"{c.rmst_difference_months:+.1f}".replace("-", MINUS),
        )
        for c in curves
    ]
    note = (
        "error, nearest, Weibull: mean absolute error over follow-up, points. 6 to 60: predicted minus"
        " observed survival at that month, points; * outside the 90 % interval. RMST: difference of"
        " restricted mean time, months. \N{DAGGER} not fitted to this curve."
    )
    return Table(title, head, rows, left=4, note=note)


def _baseline(b: Baseline | None) -> str:
    return NONE if b is None else points(b.error)


def _mark(c: CurveScore, month: str) -> str:
    found = next((m for m in c.landmarks if f"{m.months:g}" == month), None)
    return NONE if found is None else signed(found.error) + ("" if found.covered else "*")


def contrasts_table(contrasts: Sequence[RatioScore], title: str, *, reasons: bool = False) -> Table:
    """One row a contrast; `reasons`: why it is not scored instead of the direction."""
    last = "not scored because" if reasons else "direction"
    head = ("trial", "endpoint", "arm over reference", last, "predicted (90 %)", "observed (95 %)", "p")
    rows: Rows = [
        (
            r.trial,
            r.endpoint,
            f"{r.arm} / {r.reference}",
            r.reason if reasons else {True: "right", False: "wrong", None: NONE}[r.direction_right],
            ratio(r.predicted, r.predicted_low, r.predicted_high),
            ratio(r.observed, r.observed_low, r.observed_high),
            NONE if r.p is None else ("<0.001" if r.p < 0.001 else f"{r.p:.3f}"),
        )
        for r in contrasts
    ]
    return Table(title, head, rows, left=4)


def points_table(found: Sequence[PointScore], title: str) -> Table:
    """One row a published point: percentages, or months for a median."""
    head = ("trial", "arm", "what", "inside", "n", "predicted (90 %)", "observed (95 %)")
    rows: Rows = []
    for p in found:
        what = {"survival": f"{p.endpoint} at {p.months:g} months" if p.months else p.endpoint,
                "median": f"median {p.endpoint}, months", "response": "response, %"}[p.kind]  # fmt: skip
        inside = {True: "yes", False: "no", None: NONE}[p.covered]
        rows.append(
            (
                p.trial,
                p.arm,
                what + (", %" if p.kind == "survival" else ""),
                inside if p.use == "fit" else f"{inside} (shown: {p.reason})",
                str(p.n),
                _value(p, p.predicted, p.low, p.high),
                _value(p, p.observed, p.observed_low, p.observed_high),
            )
        )
    return Table(title, head, rows, left=4)


def _value(p: PointScore, value: float | None, low: float | None, high: float | None) -> str:
    factor, digits = (1.0, 1) if p.kind == "median" else (100.0, 0)
    if value is None:
        return "not reached"
    if low is None and high is None:
        return f"{factor * value:.{digits}f}"
    ends = [f"{factor * x:.{digits}f}" if x is not None else "not reached" for x in (low, high)]
    return f"{factor * value:.{digits}f} ({NONE.join(ends)})"


def tables(v: Validation) -> list[Table]:
    """Every table of a document, empty ones left out."""
    scored = [c for c in v.curves if c.use == "fit"]
    shown = [c for c in v.curves if c.use == "shown"]
    judged = [r for r in v.contrasts if r.scored]
    other = [r for r in v.contrasts if not r.scored]
    found = [
        summary_table(v),
        curves_table(scored, "Curves"),
        curves_table(shown, "Curves that are only shown"),
        contrasts_table(judged, "Contrasts"),
        contrasts_table(other, "Contrasts that are not scored", reasons=True),
        points_table(v.points, "Published points"),
    ]
    return [t for t in found if t.rows]


def shown_reasons(v: Validation) -> list[str]:
    """Why curves are only shown, one line a curve."""
    return [f"{curve_name(c)}: {c.reason}" for c in v.curves if c.use == "shown"]


def markdown(v: Validation) -> str:
    """All tables as Markdown, for the docs."""
    held = ", each trial predicted by a fit that left it out" if v.held_out else ""
    lines = [
        f"metachron {v.version}; {v.parameters}{held}; {v.draws} parameter draws of {v.lives_per_draw} lives"
        f" an arm, seed {v.seed}.",
        "",
    ]
    for table in tables(v):
        lines += [f"### {table.title}", "", *_markdown_rows(table), ""]
        if table.note:
            lines += [table.note, ""]
    remarks = [*shown_reasons(v), *(f"Not scored: {why}" for why in v.not_scored), *v.warnings]
    lines += [f"- {line}" for line in remarks]
    return "\n".join(lines).rstrip() + "\n"


def _markdown_rows(table: Table) -> list[str]:
    align = ["---"] * table.left + ["---:"] * (len(table.head) - table.left)
    rows = [table.head, tuple(align), *table.rows]
    return [f"| {' | '.join(_cell(c) for c in row)} |" for row in rows]


def _cell(text: str) -> str:
    """A cell of Markdown: indents kept, nothing taken for a mark."""
    plain = text.replace("|", "/").replace("*", r"\*").replace("_", r"\_")
    return "\N{EM SPACE}" + plain.strip() if text.startswith("  ") else plain
