"""What the reports of a search, of why, and of an update share: environment, style, sections, sources."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from metachron.plan.results import Citation
from metachron.report import words
from metachron.report.build import safe_link, short_link, whole

Section = tuple[str, str]  # id and title of a section, in the order of the page


def environment(bibliography: Sequence[Citation]) -> Environment:
    """The templates, with filters for numbers and `cite` for sources."""
    made = Environment(
        loader=PackageLoader("metachron.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters.update(
        percent=words.percent, sentence=words.sentence, listed=words.listed, day=words.day, whole=whole,
        number=words.number, tidy=words.tidy, months=words.months, coded=coded,
    )  # fmt: skip
    numbers = {c.key: i for i, c in enumerate(bibliography, start=1)}
    made.globals["cite"] = partial(cite, numbers)
    made.globals["safe_link"] = safe_link
    made.globals["short_link"] = short_link
    made.globals["css"] = Markup(resource("style.css") + resource("optimise.css"))
    made.globals["script"] = Markup(resource("validation.js"))
    return made


def coded(text: str) -> Markup:
    """What stands between backticks as code."""
    parts = text.split("`")
    return Markup("").join(Markup("<code>{}</code>").format(x) if i % 2 else x for i, x in enumerate(parts))


def cite(numbers: dict[str, int], keys: Sequence[str]) -> Markup:
    """`[1, 4]` with links to the sources; a key that is not among them is written out."""
    parts = [
        Markup('<a href="#ref-{0}" aria-label="source {0}">{0}</a>').format(numbers[k]) if k in numbers
        else Markup("<span>{}</span>").format(k)
        for k in keys
    ]  # fmt: skip
    return Markup('<span class="cite">[{}]</span>').format(Markup(", ").join(parts)) if parts else Markup("")


def resource(name: str) -> str:
    return (files("metachron.report") / "templates" / name).read_text(encoding="utf-8")


def who(patient: dict[str, Any]) -> dict[str, Any]:
    """What the head of a report says of the patient."""
    return {k: patient.get(k) for k in ("id", "title", "assessed_on", "last_imaging_on")}


def merged_bibliography(*found: Sequence[Citation]) -> list[Citation]:
    """Every source once, in order of first mention."""
    return list({c.key: c for part in found for c in part}.values())


def provenance_facts(document: Any) -> list[tuple[str, str]]:
    """Version, seed, settings and where the parameters come from."""
    p = document.provenance
    source = (
        "prior" if p.source == "prior" else f"ensemble {p.id[:12]} of {p.sets} sets, {len(p.trials)} trials"
    )
    facts = [("Version", document.version), ("Seed", str(document.seed)), ("Parameters", source)]
    facts += [(k.replace("_", " ").capitalize(), _setting(v)) for k, v in document.settings.items()]
    return [*facts, ("Document", document.schema_name)]


def _setting(value: Any) -> str:
    if value is None:
        return "not given"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,g}" if abs(value) < 1e6 else f"{value:,.0f}"
    return ", ".join(map(str, value)) or "none" if isinstance(value, list | tuple) else str(value)


def write(text: str, path: Path) -> Path:
    """Write a page and return its path. Raises OSError."""
    path = Path(path)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path
