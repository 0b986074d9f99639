"""How many registered trials and patients stand behind each strategy: one small figure."""

from __future__ import annotations

from markupsafe import Markup

from metachron.plan.results import DomainResult
from metachron.report import svg, words
from metachron.report.arms import Arm
from metachron.report.figures import WIDTH, classes

ROW = 0.2  # inches a strategy
PARTS = 0.35  # opacity of the bar of trials that share only a part
TEXT_SPACE = 3.1  # inches right of the bars


def behind(arms: list[Arm], name: str) -> Markup | None:
    """Bars of patients: in arms of the same treatments (dark), in arms that share some of them (pale)."""
    rows = [(arm, arm.strategy.domain) for arm in arms if arm.strategy.domain is not None]
    most = max((d.patients_of_parts for _, d in rows), default=0)
    if not most:
        return None
    sheet = svg.Drawing(WIDTH, ROW * len(rows) + 0.75)
    height = ROW * len(rows) * svg.INCH
    width = (WIDTH - 0.4 - TEXT_SPACE) * svg.INCH
    panel = svg.Panel(
        sheet, 0.4 * svg.INCH, 0.1 * svg.INCH, width, height, (0, 1.04 * most), (len(rows) - 0.5, -0.5)
    )
    ticks = [t for t in svg.round_ticks(1.04 * most, 9) if t >= 0]
    panel.grid(xs=ticks)
    for y, (arm, domain) in enumerate(rows):
        panel.bar(0, domain.patients_of_parts, y, 0.62, arm.colour, PARTS)
        panel.bar(0, domain.patients, y, 0.62, arm.colour)
        sheet.middle_text(
            panel.left - 6.5, panel.y(y), arm.letter, anchor="end", colour=arm.colour, bold=True
        )
        right = panel.left + panel.width + 8
        sheet.middle_text(right, panel.y(y), said(domain), size=svg.FONT - 0.5, classes=classes(arm))
    panel.x_axis(ticks, [f"{t:,.0f}" for t in ticks], title="patients in registered trials")
    told = "; ".join(f"{arm.letter}: {said(domain)}" for arm, domain in rows)
    return sheet.to_svg(name, "Registered trials behind each strategy", f"{told}.")


def said(domain: DomainResult) -> str:
    """`3 trials (1,204 patients); 9 share a part`."""
    if domain.outside:
        return "outside the data"
    if not domain.trials_of_parts:
        return "no registered trial in this setting"
    same = (
        f"{words.plural(domain.trials, 'trial')} ({domain.patients:,} patients)"
        if domain.trials
        else "none alike"
    )
    more = domain.trials_of_parts - domain.trials
    return f"{same}; {more} more {'shares' if more == 1 else 'share'} a part" if more > 0 else same
