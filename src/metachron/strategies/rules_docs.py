"""The tables of docs/eligibility.md, made from the rules.

Renew them with `python -m metachron.strategies.rules_docs docs/eligibility.md`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from metachron.strategies.eligibility import Rule, Selector, load_rules
from metachron.strategies.grade import load_grades
from metachron.strategies.logic import Condition, Group, Not
from metachron.strategies.predicates import FACTS

BEGIN = "<!-- rules: made by python -m metachron.strategies.rules_docs -->"
END = "<!-- end of rules -->"
_FORMAT = re.compile(r":[^{}]*}")  # how a number is written in a text
_SIGNS = {
    "is": "is",
    "in": "in",
    "at_least": "≥",
    "above": ">",
    "at_most": "≤",
    "below": "<",
    "contains": "has",
}


def in_words(condition: Condition) -> str:
    """A condition on one line."""
    if isinstance(condition, Group):
        return "(" + (" or " if condition.settles else " and ").join(map(in_words, condition.parts)) + ")"
    if isinstance(condition, Not):
        return f"not {in_words(condition.part)}"
    value = condition.operand
    shown = " / ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f"{condition.fact} {_SIGNS[condition.operator]} {shown}"


def tables() -> str:
    """Three tables: rules, grades, facts."""
    parts = [
        "### Rules",
        "",
        "| Rule | Applies to | For whom | When | Then | Sources |",
        "|---|---|---|---|---|---|",
    ]
    parts += [_rule_row(rule) for rule in load_rules()]
    parts += [
        "",
        "### Grades of evidence",
        "",
        "| Row | When | Grade | Why | Sources |",
        "|---|---|---|---|---|",
    ]
    for row in load_grades():
        cells = (in_words(row.when), row.grade.value, row.text, ", ".join(row.citations))
        parts.append(f"| `{row.name}` | {' | '.join(map(_cell, cells))} |")
    parts += ["", "### Facts", "", "| Fact | Meaning | Patient fields |", "|---|---|---|"]
    for fact in sorted(FACTS.values(), key=lambda f: f.name):
        parts.append(f"| `{fact.name}` | {_cell(fact.meaning)} | {', '.join(fact.needs)} |")
    return "\n".join(parts)


def _rule_row(rule: Rule) -> str:
    effect = "refused" if rule.effect == "refuse" else "caution"
    effect += ", lowers the grade" if rule.downgrade else ""
    effect += "".join(f", {effect.value} at {factor:.0%}" for effect, factor in rule.dose.items())
    given = in_words(rule.given) if rule.given else "all"
    sources = f"{', '.join(rule.citations)} ({rule.date})"
    cells = (
        _targets(rule.applies_to),
        given,
        in_words(rule.when),
        f"{effect}: {_FORMAT.sub('}', rule.text)}",
        sources,
    )
    return f"| `{rule.name}` | {' | '.join(map(_cell, cells))} |"


def _targets(chosen: Selector) -> str:
    names = [str(name) for value in chosen.model_dump(mode="json").values() if value for name in _many(value)]
    return ", ".join(names)


def _many(value: object) -> list[object]:
    return value if isinstance(value, list) else ["any cell product"]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def update(text: str) -> str:
    """The page with the tables between its two marks renewed."""
    head, rest = text.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    return f"{head}{BEGIN}\n{tables()}\n{END}{tail}"


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(update(page.read_text(encoding="utf-8")), encoding="utf-8")
