"""The tables of docs/targets-landmarks.md, made from the registry and the rule of discount.

Renew them with `python -m metachron.calibrate.landmarks_docs docs/targets-landmarks.md`; with `--effects`
also the table of cell-therapy effects, which simulates (a minute or two).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from metachron.calibrate.discount import load_rule
from metachron.calibrate.targets import Target, load_targets
from metachron.calibrate.targets_data import Finding

SECTIONS = ("trials", "designs", "effects")
ORDER = ("fit", "shown")


def begin(section: str) -> str:
    """The line before a generated section."""
    return f"<!-- {section}: made by python -m metachron.calibrate.landmarks_docs -->"


def end(section: str) -> str:
    """The line after a generated section."""
    return f"<!-- end of {section} -->"


def _kind(finding: Finding) -> str:
    endpoint = str(getattr(finding, "endpoint", "response"))
    if hasattr(finding, "survival"):
        return f"{endpoint} {getattr(finding, 'months', 0):g} mo"
    return f"{endpoint} median" if hasattr(finding, "months") else endpoint


def _kinds(findings: Iterable[Finding]) -> str:
    return ", ".join(dict.fromkeys(_kind(f) for f in findings)) or "\N{EN DASH}"


def _findings(target: Target) -> list[Finding]:
    return [*target.landmarks, *target.medians, *target.responses]


def trial_row(target: Target) -> str:
    """One line: what is fitted, what is only shown and why."""
    findings = _findings(target)
    fit, shown = ([f for f in findings if f.use == use] for use in ORDER)
    reasons = " ".join(dict.fromkeys(f.reason for f in shown))
    ratios = [f"{c.endpoint} hazard ratio" for c in target.contrasts if c.use == "fit"]
    fitted = ", ".join([*([_kinds(fit)] if fit else []), *dict.fromkeys(ratios)]) or "\N{EN DASH}"
    patients = sum(arm.n for arm in target.arms if arm.subgroup is None) or sum(a.n for a in target.arms)
    cells = (target.trial, target.setting.replace("_", " "), str(patients), fitted, _kinds(shown), reasons)
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def trials() -> str:
    """Every registered trial without curves."""
    head = "| Trial | Setting | Patients | Fitted | Shown only | Why |\n|" + "---|" * 6
    rows = [trial_row(t) for t in load_targets().values() if not t.curves]
    return "\n".join([head, *rows])


def designs() -> str:
    """The factors of the discount, and the findings they rest on."""
    rule = load_rule()
    head = "| Design | Factor on the ln hazard ratio | Its SD | Status |\n|---|---|---|---|"
    rows = [f"| {d.title} | {d.factor:g} | {d.sd:g} | {d.status} |" for d in rule.designs]
    found = [f"- {s.text} ({s.citation} doi:{s.doi}, {s.status})" for s in rule.support]
    past = [
        f"- {h.what} ({', '.join(h.facts)}): {100 * h.share_kept:.0f} % of the ln hazard ratio was left."
        for h in rule.history
    ]
    return "\n".join([head, *rows, "", "What is known of bias:", "", *found, "", "One history:", "", *past])


def filled(text: str, sections: dict[str, str]) -> str:
    """The page with its generated sections replaced. Raises ValueError when one is missing."""
    for name, content in sections.items():
        before, found, rest = text.partition(begin(name))
        _, closed, after = rest.partition(end(name))
        if not (found and closed):
            raise ValueError(f"the page has no section {name}")
        text = f"{before}{begin(name)}\n\n{content}\n\n{end(name)}{after}"
    return text


def main(arguments: list[str]) -> None:
    """Renew the page named in the arguments."""
    sections = {"trials": trials(), "designs": designs()}
    if "--effects" in arguments:
        from metachron.calibrate.discount_table import rows

        sections["effects"] = "\n".join(rows())
    page = Path(next(a for a in arguments if not a.startswith("-")))
    page.write_text(filled(page.read_text(encoding="utf-8"), sections), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
