"""The language in which strategies are written, and files of strategies.

    expression := "observation" | stage (">" stage)*
    stage      := ["[" days "d" "]"] item ("+" item)*
    item       := name ["*" count] ["@" day]

`>` means then, `+` means together. `*n` counts cycles of a regimen or infusions of a cell product; without
it a regimen goes on until progression and a cell product gets its usual number. `@d` is the day of the cycle
(first is 1) on which cells are infused. `[28d]` waits 28 days after the previous stage; without it the
shortest safe interval is kept. Example: `mfolfox6*6 + bevacizumab > hepatectomy > mfolfox6*6`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from metachron.errors import InputError, Problem
from metachron.strategies.catalogue import Catalogue, load_catalogue, plain_name
from metachron.strategies.schema import EffectClass, Intent, Step, Strategy
from metachron.strategies.stages import Fault, Item, Stage, build_step

# D'Angelica 2007 (PMID 17103075) advises 6 to 8 weeks between the last dose of bevacizumab and hepatectomy
ANTIVEGF_FREE_DAYS = 42
# the interval counted on between the end of chemotherapy and an operation when a strategy gives none; 28 to
# 42 days are usual (timing-010), so this errs on the side of stopping anti-VEGF early
LEAST_DAYS_TO_SURGERY = 14

OBSERVATION = "observation"
MAX_FILE_BYTES = 1_000_000
MAX_LENGTH = 2_000

_TOKEN = re.compile(
    r"(?P<gap>\[\s*(?P<days>\d+)\s*d\s*\])|(?P<name>[A-Za-z][A-Za-z0-9_\-]*)|(?P<number>\d+)|(?P<sign>[>+*@])"
)


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    column: int


def parse_strategy(
    expression: str, catalogue: Catalogue | None = None, intent: Intent | None = None
) -> Strategy:
    """The strategy that an expression describes; its name is the expression in its usual form.

    Raises InputError whose path is the column of the fault, with the nearest name.
    """
    catalogue = catalogue or load_catalogue()
    steps = parse_plan(expression, catalogue)
    text = format_steps(steps)
    intent = intent or _intent(steps, catalogue)
    return Strategy(
        name=text,
        title=text.replace(" > ", ", then "),
        summary="Composed from the catalogue.",
        intent=intent,
        steps=steps,
        surveillance=default_surveillance(intent),
        citations=_citations(steps, catalogue),
    )


def parse_plan(expression: str, catalogue: Catalogue | None = None) -> list[Step]:
    """The steps of an expression. Raises InputError whose path is the column of the fault."""
    try:
        return parse_steps(expression, catalogue or load_catalogue())
    except Fault as fault:
        problem = Problem(f"column {fault.column}", fault.message, fault.allowed, fault.suggestion)
        raise InputError(problem, source=f"strategy {_shorten(expression)!r}") from None


def parse_steps(expression: str, catalogue: Catalogue) -> list[Step]:
    """The steps of an expression. Raises Fault."""
    tokens = _tokens(expression)
    if len(tokens) == 1 and tokens[0].text.lower() == OBSERVATION:
        return []
    stages = _stages(tokens, len(expression) + 1)
    steps = [build_step(stage, catalogue) for stage in stages]
    for stage, step, following in zip(stages, steps, steps[1:], strict=False):
        if step.regimens and step.cycles is None and not following.regimens:
            name = step.regimens[0]
            raise Fault(
                stage.items[0].column,
                f"{name} has no end, but another treatment follows",
                suggestion=f"Give the number of cycles, e.g. {name}*6",
            )
    return with_antivegf_stop(steps, catalogue)


def _tokens(expression: str) -> list[Token]:
    if len(expression) > MAX_LENGTH:
        raise Fault(1, f"the expression is longer than {MAX_LENGTH} characters")
    tokens: list[Token] = []
    position = 0
    while position < len(expression):
        if expression[position].isspace():
            position += 1
            continue
        match = _TOKEN.match(expression, position)
        if match is None:
            raise Fault(
                position + 1,
                f"{expression[position]!r} has no meaning here",
                "names, numbers, > + * @ and [28d]",
            )
        kind = match.lastgroup if match.lastgroup != "days" else "gap"
        text = match["days"] if match["gap"] else match[0]
        tokens.append(Token(str(kind), text, position + 1))
        position = match.end()
    if not tokens:
        raise Fault(1, "the strategy is empty", suggestion="Write e.g. mfolfox6*12, or observation")
    return tokens


def _stages(tokens: list[Token], end: int) -> list[Stage]:
    stages: list[Stage] = []
    items: list[Item] = []
    gap: int | None = None
    queue = [*tokens, Token("sign", ">", end)]
    while queue:
        if queue[0].kind == "gap":
            first = queue.pop(0)
            if gap is not None or items:
                raise Fault(first.column, "a wait stands at the beginning of a stage")
            gap = _number(first, 0, 730, "days to wait")
            continue
        items.append(_item(queue))
        sign = queue.pop(0)
        if sign.text == ">":
            stages.append(Stage(items, gap))
            items, gap = [], None
        elif sign.text != "+":
            raise Fault(sign.column, f"{sign.text!r} cannot stand here", "> or +")
    return stages


def _item(queue: list[Token]) -> Item:
    name = queue.pop(0)
    if name.kind != "name":
        raise Fault(name.column, "a name is missing here", suggestion="Write e.g. mfolfox6*6 > hepatectomy")
    count: int | None = None
    day: int | None = None
    while queue and queue[0].text in ("*", "@"):
        sign = queue.pop(0)
        number = queue.pop(0) if queue else sign
        if sign.text == "*" and count is None:
            count = _number(number, 1, 200, "cycles or infusions")
        elif sign.text == "@" and day is None:
            day = _number(number, 1, 42, "day of the cycle")
        else:
            raise Fault(sign.column, f"{sign.text!r} is written twice")
    return Item(plain_name(name.text), name.column, count, day)


def _number(token: Token, low: int, high: int, what: str) -> int:
    if not token.text.isdigit() or len(token.text) > 6 or not low <= int(token.text) <= high:
        raise Fault(token.column, f"a whole number is needed here ({what})", f"{low} to {high}")
    return int(token.text)


def with_antivegf_stop(steps: list[Step], catalogue: Catalogue) -> list[Step]:
    """The steps with the last anti-VEGF cycles left out before a resection, so that 42 days are free."""
    changed: list[Step] = []
    for index, step in enumerate(steps):
        stop = _antivegf_stop(step, steps[index + 1 :], catalogue)
        changed.append(step.model_copy(update={"stop_partner_before_surgery_cycles": stop}) if stop else step)
    return changed


def _antivegf_stop(step: Step, later: list[Step], catalogue: Catalogue) -> int:
    classes = {c for name in step.regimens for c in catalogue.effects_of(name)}
    if EffectClass.VEGF not in classes or step.cycles is None or step.stop_partner_before_surgery_cycles:
        return step.stop_partner_before_surgery_cycles
    free = 0
    for following in later:
        free += following.gap_days if following.gap_days is not None else LEAST_DAYS_TO_SURGERY
        if any(catalogue.procedures[p].kind == "resection" for p in following.procedures):
            days = catalogue.regimens[step.regimens[0]].cycle_days
            # the last dose is given on day 1 of its cycle, which itself counts as free time
            return min(step.cycles, max(0, ceil((ANTIVEGF_FREE_DAYS - free) / days) - 1))
        if following.regimens:
            free += (following.cycles or 0) * catalogue.regimens[following.regimens[0]].cycle_days
    return 0


def format_strategy(strategy: Strategy) -> str:
    """The expression of a strategy; `parse_strategy` gives its steps back.

    What the language cannot say (no lymphodepletion before cells that need it) raises InputError.
    """
    for index, step in enumerate(strategy.steps):
        if step.lymphodepletion is False:
            raise InputError(
                Problem(
                    f"steps[{index}].lymphodepletion",
                    "cannot be written as an expression",
                    suggestion="Use a file",
                )
            )
    return format_steps(strategy.steps)


def format_steps(steps: list[Step]) -> str:
    """Steps as an expression; no steps are `observation`."""
    return " > ".join(_format_step(step) for step in steps) or OBSERVATION


def _format_step(step: Step) -> str:
    parts = list(step.procedures)
    for index, name in enumerate(step.regimens):
        parts.append(f"{name}*{step.cycles}" if index == 0 and step.cycles is not None else name)
    if step.cells:
        if step.lymphodepletion:
            parts.append("lymphodepletion")
        text = step.cells + (f"*{step.infusions}" if step.infusions is not None else "")
        parts.append(text + (f"@{step.infusion_day}" if step.infusion_day is not None else ""))
    gap = f"[{step.gap_days}d] " if step.gap_days is not None else ""
    return gap + " + ".join(parts)


def resolve(name_or_expression: str, catalogue: Catalogue | None = None) -> Strategy:
    """A named strategy, or the strategy of an expression. Raises InputError."""
    catalogue = catalogue or load_catalogue()
    plain = plain_name(name_or_expression)
    if plain in catalogue.strategies:
        return catalogue.strategies[plain]
    if re.fullmatch(r"[a-z][a-z0-9_]*", plain) and plain not in (OBSERVATION, *catalogue.names()):
        raise InputError(catalogue.unknown(name_or_expression, "strategy"))
    return parse_strategy(name_or_expression, catalogue)


def strategy_from_record(record: Any, catalogue: Catalogue) -> Strategy:
    """A strategy from a mapping: the fields of Strategy, with `plan` (an expression) in place of `steps`.
    Raises InputError; the faults of fields carry their path."""
    if not isinstance(record, dict):
        raise InputError(Problem("", "a strategy is a mapping with name, title, summary, intent and plan"))
    data = dict(record)
    plan = data.pop("plan", None)
    if plan is not None:
        if "steps" in data:
            raise InputError(Problem("plan", "give either plan or steps, not both"))
        data["steps"] = parse_plan(str(plan), catalogue)
    if "surveillance" not in data and data.get("intent") in [i.value for i in Intent]:
        data["surveillance"] = default_surveillance(Intent(data["intent"]))
    try:
        strategy = Strategy.model_validate(data)
    except ValidationError as error:
        problems = [Problem(".".join(map(str, e["loc"])), e["msg"]) for e in error.errors()]
        raise InputError(problems) from None
    return _checked(strategy, catalogue)


def _checked(strategy: Strategy, catalogue: Catalogue) -> Strategy:
    if strategy.surveillance not in catalogue.surveillance:
        names = catalogue.names("surveillance")
        raise InputError(
            catalogue.unknown(strategy.surveillance, "surveillance schedule", names, "surveillance")
        )
    if strategy.dose_rules not in catalogue.dose_rules:
        raise InputError(
            Problem("dose_rules", f"{strategy.dose_rules!r} is unknown", ", ".join(catalogue.dose_rules))
        )
    try:
        if strategy.steps:
            parse_steps(format_steps(strategy.steps), catalogue)
    except Fault as fault:
        raise InputError(Problem("steps", fault.message, fault.allowed, fault.suggestion)) from None
    return strategy.model_copy(update={"steps": with_antivegf_stop(strategy.steps, catalogue)})


def load_strategy_file(path: Path | str, catalogue: Catalogue | None = None) -> list[Strategy]:
    """The strategies of a YAML file: one mapping, or a list of them. Raises InputError."""
    catalogue, path = catalogue or load_catalogue(), Path(path)
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputError(
                Problem("", "the file is too large", f"{MAX_FILE_BYTES} bytes"), source=str(path)
            )
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except OSError as error:
        raise InputError(Problem("", f"cannot be read ({error.strerror})"), source=str(path)) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            Problem("", f"is not readable YAML ({_first_line(error)})"), source=str(path)
        ) from None
    records = content if isinstance(content, list) else [content]
    if not records:
        raise InputError(Problem("", "holds no strategy"), source=str(path))
    try:
        return [strategy_from_record(record, catalogue) for record in records]
    except InputError as error:
        raise InputError(error.problems, source=str(path)) from None


def default_surveillance(intent: Intent) -> str:
    """Scans when a strategy names no schedule."""
    return "on_treatment" if intent == Intent.DISEASE_CONTROL else "standard"


def _intent(steps: list[Step], catalogue: Catalogue) -> Intent:
    if not steps:
        return Intent.OBSERVATION
    if any(step.procedures for step in steps):
        return Intent.CURATIVE
    endless = any(step.regimens and step.cycles is None for step in steps)
    kinds = {catalogue.regimens[name].kind for step in steps for name in step.regimens}
    return Intent.DISEASE_CONTROL if endless or kinds - {"cytotoxic"} else Intent.ADJUVANT


def _citations(steps: list[Step], catalogue: Catalogue) -> list[str]:
    names = [n for s in steps for n in (*s.procedures, *s.regimens, *([s.cells] if s.cells else []))]
    found: list[str] = []
    for name in names:
        for kind in ("procedures", "regimens", "cells"):
            entry = catalogue.of_kind(kind).get(name)
            found += [key for key in (entry.citations if entry else []) if key not in found]
    return found


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
