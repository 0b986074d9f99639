"""The language in which strategies are written.

    expression := "observation" | stage (">" stage)*
    stage      := [bracket] item ("+" item)*
    item       := name ["*" count] ["@" day]
    bracket    := "[" word ("," word)* "]"          see `metachron.strategies.brackets`

`resolve` also reads `| surveillance=NAME` after an expression (`metachron.strategies.scans`).

`>` means then, `+` means together. `*n` counts cycles of a regimen or infusions of a cell product; without
it a regimen goes on until progression and a cell product gets its usual number. `@d` is the day of the cycle
(first is 1) on which cells are infused. A stage begins when the one before it has ended and the shortest
safe interval has passed; `[28d]` waits 28 days, `[progression]` waits for progression and `[recurrence]` for
disease seen again after none was. What follows a regimen without an end waits for progression.
Example: `mfolfox6*6 + bevacizumab > hepatectomy > mfolfox6*6 > [recurrence] repeat_hepatectomy`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

from metachron.errors import InputError, Problem
from metachron.strategies.brackets import Fault, Wait, format_bracket, read_bracket
from metachron.strategies.catalogue import Catalogue, load_catalogue, plain_name
from metachron.strategies.scans import split_schedule, with_schedule
from metachron.strategies.schema import EffectClass, Intent, Starts, Step, Strategy
from metachron.strategies.stages import Item, Stage, build_step

# D'Angelica 2007 (PMID 17103075) advises 6 to 8 weeks between the last dose of bevacizumab and hepatectomy
ANTIVEGF_FREE_DAYS = 42
# the interval counted on between the end of chemotherapy and an operation when a strategy gives none; 28 to
# 42 days are usual (timing-010), so this errs on the side of stopping anti-VEGF early
LEAST_DAYS_TO_SURGERY = 14

OBSERVATION = "observation"
MAX_LENGTH = 2_000

_TOKEN = re.compile(
    r"(?P<bracket>\[[^\[\]]*\])|(?P<name>[A-Za-z][A-Za-z0-9_\-]*)|(?P<number>\d+)|(?P<sign>[>+*@])"
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
        title=_in_words(text),
        summary="Composed from the catalogue.",
        intent=intent,
        steps=steps,
        surveillance=default_surveillance(intent),
        citations=_citations(steps, catalogue),
    )


def _in_words(text: str) -> str:
    """The expression as a title: what a stage waits for is said."""
    text = re.sub(r"\[(progression|recurrence)[^\]]*\]", r"at \1", text)
    text = re.sub(r"\[(\d+)d\]", r"after \1 days", text)
    return text.replace(" > ", ", then ")


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
        _refuse_after_endless(stage, step, following)
    return completed(steps, catalogue)


def _refuse_after_endless(stage: Stage, step: Step, following: Step) -> None:
    if not _endless(step) or following.regimens or following.starts is not Starts.PLANNED:
        return
    name = step.regimens[0]
    raise Fault(
        stage.items[0].column,
        f"{name} has no end, but another treatment follows",
        suggestion=f"Give the number of cycles, e.g. {name}*6, or let what follows wait for [progression]",
    )


def _endless(step: Step) -> bool:
    return bool(step.regimens) and step.cycles is None


def completed(steps: list[Step], catalogue: Catalogue) -> list[Step]:
    """The steps with what is understood written out: a regimen after one without an end waits for
    progression, and anti-VEGF is left out before a resection."""
    waiting = [
        following.model_copy(update={"starts": Starts.PROGRESSION})
        if _endless(step) and following.starts is Starts.PLANNED
        else following
        for step, following in pairwise(steps)
    ]
    return with_antivegf_stop([*steps[:1], *waiting], catalogue)


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
                "names, numbers, > + * @ and brackets such as [28d]",
            )
        tokens.append(Token(str(match.lastgroup), match[0], position + 1))
        position = match.end()
    if not tokens:
        raise Fault(1, "the strategy is empty", suggestion="Write e.g. mfolfox6*12, or observation")
    return tokens


def _stages(tokens: list[Token], end: int) -> list[Stage]:
    stages: list[Stage] = []
    items: list[Item] = []
    wait = Wait()
    queue = [*tokens, Token("sign", ">", end)]
    while queue:
        if queue[0].kind == "bracket":
            first = queue.pop(0)
            if wait.column or items:
                raise Fault(first.column, "a wait stands once, at the beginning of a stage")
            wait = read_bracket(first.text[1:-1], first.column)
            continue
        items.append(_item(queue))
        sign = queue.pop(0)
        if sign.text == ">":
            stages.append(Stage(items, wait))
            items, wait = [], Wait()
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
        if following.starts is not Starts.PLANNED:
            return 0  # on progression or recurrence, long after the last dose or decided anew
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
    return format_bracket(step) + " + ".join(parts)


def resolve(name_or_expression: str, catalogue: Catalogue | None = None) -> Strategy:
    """A named strategy, the strategy of an expression, or that of a YAML file (`mine.yaml`, and
    `mine.yaml#name` when the file holds several); `| surveillance=NAME` after any of them sets the schedule
    of scans. Raises InputError."""
    catalogue = catalogue or load_catalogue()
    head, schedule = split_schedule(name_or_expression, catalogue)
    return with_schedule(_resolve(head, catalogue), schedule, catalogue)


def _resolve(text: str, catalogue: Catalogue) -> Strategy:
    from metachron.strategies.files import is_file, strategy_of_file

    if is_file(text):
        return strategy_of_file(text, catalogue)
    plain = plain_name(text)
    if plain in catalogue.strategies:
        return catalogue.strategies[plain]
    if re.fullmatch(r"[a-z][a-z0-9_]*", plain) and plain not in (OBSERVATION, *catalogue.names()):
        raise InputError(catalogue.unknown(text, "strategy"))
    return parse_strategy(text, catalogue)


def default_surveillance(intent: Intent) -> str:
    """Scans when a strategy names no schedule."""
    return "on_treatment" if intent == Intent.DISEASE_CONTROL else "standard"


def _intent(steps: list[Step], catalogue: Catalogue) -> Intent:
    planned = [step for step in steps if step.starts is Starts.PLANNED]
    if not planned:
        return Intent.OBSERVATION
    if any(step.procedures for step in planned):
        return Intent.CURATIVE
    endless = any(_endless(step) or step.starts is Starts.PROGRESSION for step in steps)
    kinds = {catalogue.regimens[name].kind for step in planned for name in step.regimens}
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
