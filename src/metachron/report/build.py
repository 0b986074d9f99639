"""The report: one plan document in, one HTML file out that opens without a network.

`write_report` is the whole public interface. The file holds its style, its script and its figures; the
only addresses in it are links to sources, which nothing loads. The same plan gives the same bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from metachron.plan.results import Plan
from metachron.report import arms as arms_
from metachron.report import (
    brief,
    calendar,
    compare_figures,
    data_behind,
    figures,
    patient_view,
    plain,
    rules_view,
    tables,
    words,
)
from metachron.report.arms import Arm
from metachron.report.decide import short_reason

PANELS_FROM = 3  # with two curves the overview shows both bands well enough


@dataclass(frozen=True)
class Survival:
    """One endpoint: its figures and tables."""

    key: str
    title: str
    overview: Markup
    panels: Markup | None
    landmarks: tables.Table
    points: list[tables.Table]


@dataclass(frozen=True)
class Calendar:
    arm: Arm
    figure: Markup
    table: tables.Table


@dataclass(frozen=True)
class Answer:
    """One row of the answer in brief."""

    arm: Arm
    survival: str
    second: str
    toxicity: str
    chemotherapy: str
    differences: list[tuple[str, str, str, bool]]


def write_report(plan: Plan, path: Path) -> Path:
    """Write the report of a plan and return its path. Raises OSError when it cannot be written."""
    path = Path(path)
    path.write_text(render(plan), encoding="utf-8", newline="\n")
    return path


def render(plan: Plan) -> str:
    """The report as HTML text."""
    template = _environment(plan).get_template("report.html.j2")
    return template.render(**_context(plan))


def _environment(plan: Plan) -> Environment:
    environment = Environment(
        loader=PackageLoader("metachron.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(
        percent=words.percent, interval=words.percent_interval, months=words.months, day=words.day,
        number=words.number, sentence=words.sentence, listed=words.listed, field=patient_view.field_name,
        whole=whole, score=words.score, tidy=words.tidy,
    )  # fmt: skip
    numbers = {c.key: i for i, c in enumerate(plan.bibliography, start=1)}
    environment.globals["cite"] = partial(_cite, numbers)
    environment.globals["safe_link"] = safe_link
    environment.globals["short_link"] = short_link
    return environment


def _cite(numbers: dict[str, int], keys: list[str]) -> Markup:
    """`[1, 4]` with links into the bibliography; a key that is not in it is written out."""
    if not keys:
        return Markup("")
    known = sorted({k for k in keys if k in numbers}, key=numbers.__getitem__)
    parts = [Markup('<a href="#ref-{0}" aria-label="source {0}">{0}</a>').format(numbers[k]) for k in known]
    parts += [Markup("<span>{}</span>").format(k) for k in keys if k not in numbers]
    return Markup('<span class="cite">[{}]</span>').format(Markup(", ").join(parts))


def whole(text: str) -> Markup:
    """Keeps an interval on one line: `38% (31 to 46)` breaks only before its bracket."""
    parts = re.split(r"(\([^()]* to [^()]*\))", text)
    return Markup("").join(
        Markup('<span class="iv">{}</span>').format(p) if i % 2 else p for i, p in enumerate(parts)
    )


def safe_link(link: str) -> str:
    """The link when it is a web address, else nothing: a plan may come from anywhere."""
    return link if link.startswith(("https://", "http://")) else ""


def short_link(link: str) -> str:
    """What a link shows: its address without the scheme."""
    return safe_link(link).partition("//")[2].removeprefix("www.").rstrip("/")


def _context(plan: Plan) -> dict[str, Any]:
    arms = arms_.compared(plan)
    return {
        "plan": plan,
        "who": {k: plan.patient.get(k) for k in ("id", "title", "assessed_on", "last_imaging_on", "sources")},
        "arms": arms,
        "bodies": _bodies(arms),
        "reference": next((a for a in arms if a.is_reference), None),
        "second": brief.second(arms) if arms else None,
        "answers": {a.index: _answer(plan, a, brief.second(arms)) for a in arms},
        "points": brief.key_points(plan, arms),
        "one_basis": len({a.strategy.basis for a in arms}) == 1,
        "all_eligible": all(a.strategy.eligible == "yes" for a in arms),
        "considered": rules_view.strategies(plan, arms),
        "verdicts": rules_view.VERDICTS,
        "rule_groups": rules_view.groups(plan, arms),
        "twins_rule": brief.twins_rule(plan),
        "twins_said": brief.twins_in_words(plan),
        "refused": arms_.not_compared(plan),
        "short_reason": short_reason,
        "groups": patient_view.groups(plan.patient),
        "lesions": patient_view.lesions(plan.patient),
        "treatments": patient_view.treatments(plan.patient),
        "survival": [_survival(arms, e) for e in figures.ENDPOINTS] if arms else [],
        "behind": data_behind.behind(arms, "f-behind"),
        "forest": compare_figures.forest(plan, arms, "f-forest"),
        "difference_tables": tables.all_differences(plan, arms),
        "toxicity_figure": compare_figures.toxicity_dots(arms, "f-toxicity"),
        "toxicity_tables": [t for g in ("3+", "4+", "5", "2+") for t in tables.toxicity(arms, g)],
        "completion": tables.completion(arms),
        "response": tables.response(arms),
        "calendars": _calendars(arms),
        "page": plain.plain_page(plan, arms),
        "basis_meaning": words.BASIS_MEANING,
        "horizon": arms_.horizon_months(plan),
        "year": words.landmark_year(arms[0].outcomes.os) if arms else "5",
        "quantity": next((d.quantity for d in plan.comparison if d.endpoint == "os"), ""),
        "command": command(plan),
        "css": Markup(_resource("style.css")),
        "script": Markup(_resource("report.js")),
    }


def _resource(name: str) -> str:
    return (files("metachron.report") / "templates" / name).read_text(encoding="utf-8")


# --- answer in brief -----------------------------------------------------------------------------------


def _bodies(arms: list[Arm]) -> list[tuple[str, list[Arm]]]:
    """Groups of the brief table: those ranked, then under a heading each those that are not."""
    groups = [(head, [a for a in arms if a.standing == key]) for key, head in arms_.STANDING.items()]
    return [(head, members) for head, members in groups if members]


def _answer(plan: Plan, arm: Arm, second: brief.Second) -> Answer:
    outcomes = arm.outcomes
    year = words.landmark_year(outcomes.os)
    severe, total = words.severe_toxicity(arm.strategy)
    toxicity = words.percent_interval(severe.probability) if severe else "not available"
    done = outcomes.chemotherapy_completed
    return Answer(
        arm=arm,
        survival=words.percent_interval(outcomes.os.landmarks.get(year or "")),
        second=second.full(arm),
        toxicity=toxicity if total or severe is None else f"{toxicity} {severe.kind}",
        chemotherapy=_chemotherapy(arm) if done else "none planned",
        differences=[
            (
                words.DIFFERENCE_SHORT[e],
                words.difference_words(d),
                words.difference_numbers(d),
                words.is_clear(d),
            )
            for e in ("os", "rfs_or_pfs")
            if (d := arms_.difference_of(plan, arm.strategy.name, e))
        ],
    )


def _chemotherapy(arm: Arm) -> str:
    done = arm.outcomes.chemotherapy_completed
    if done is None or done.completed.value is None:
        return "until progression"
    return words.percent_interval(done.completed)


# --- figures -------------------------------------------------------------------------------------------


def _survival(arms: list[Arm], endpoint: str) -> Survival:
    key = endpoint.replace("_", "-")
    several = len(arms) >= PANELS_FROM
    return Survival(
        key=key,
        title=words.endpoint_name(figures.curve_of(arms[0], endpoint)),
        overview=figures.survival_overview(arms, endpoint, f"f-{key}"),
        panels=figures.survival_panels(arms, endpoint, f"p-{key}") if several else None,
        landmarks=tables.landmarks(arms, endpoint),
        points=tables.curve_points(arms, endpoint),
    )


def _calendars(arms: list[Arm]) -> list[Calendar]:
    planned = [a for a in arms if a.strategy.timetable]
    weeks = calendar.last_week([a.strategy.timetable for a in planned])
    return [Calendar(a, calendar.gantt(a, f"g-{a.index}", weeks), tables.timetable(a)) for a in planned]


def command(plan: Plan) -> str:
    """The command that makes this plan again from the same patient file."""
    options = {"twins": "--twins", "mc_error": "--mc-error", "draws": "--draws", "horizon_years": "--horizon"}
    parts = ["metachron plan PATIENT.json", f"--seed {plan.seed}"]
    parts += [f"{flag} {plan.settings[key]}" for key, flag in options.items() if key in plan.settings]
    parts += ["--prior"] if plan.settings.get("prior") else []
    return " ".join(parts)
