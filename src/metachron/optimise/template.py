"""Templates: a strategy in the composition language with free variables in braces.

    mfolfox6*{4..6} > [{28..56:14}d] hepatectomy > [{28..84:14}d] mfolfox6*{6..8}

    hole    := "{" [name "="] values "}" | "{" name "}"
    values  := number ".." number [":" step] | value ("," value)*
    tail    := "| surveillance=" schedule, or a hole of schedules

Values may be any piece of an expression, also none: `mfolfox6*6{, + bevacizumab} > hepatectomy`. A hole that
only names a variable takes the value of the one defined under that name.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from metachron.errors import InputError, Problem
from metachron.optimise.results import Value
from metachron.strategies.catalogue import Catalogue, plain_name
from metachron.strategies.scans import SURVEILLANCE, split_schedule

MOST_VALUES = 200
_HOLE = re.compile(r"\{([^{}]*)\}")
_NAMED = re.compile(r"\s*([A-Za-z][A-Za-z0-9_ ]*?)\s*=(.*)", re.DOTALL)
_RANGE = re.compile(r"\s*(\d{1,4})\s*\.\.\s*(\d{1,4})\s*(?::\s*(\d{1,4})\s*)?(d|days)?\s*")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_\-]*")
FORM = "{4..6}, {28..56:14}, {2,8,13}, {gap=28..56:14} and {gap}"


@dataclass(frozen=True)
class Variable:
    """One free variable. `values` in order; numbers or pieces of an expression."""

    name: str
    unit: str
    values: tuple[Value, ...]

    @property
    def days(self) -> bool:
        """A time in days that may be refined between the values of its grid."""
        return self.unit == "d" and len(self.values) > 1


@dataclass(frozen=True)
class Template:
    """A template: literal pieces of text with the name of a variable between each two of them."""

    text: str
    pieces: tuple[str, ...]
    holes: tuple[str, ...]
    variables: tuple[Variable, ...]
    title: str = ""
    citations: tuple[str, ...] = field(default=())

    @property
    def size(self) -> int:
        """Number of combinations."""
        total = 1
        for variable in self.variables:
            total *= len(variable.values)
        return total

    def fill(self, values: dict[str, Value]) -> tuple[str, str]:
        """(expression, schedule of scans or nothing) with every variable set."""
        expression, _, tail = self.filled(values).partition("|")
        return " ".join(expression.split()), plain_name(tail.partition("=")[2])

    def filled(self, values: dict[str, Value]) -> str:
        """The text with every variable set."""
        parts = [self.pieces[0]]
        for name, piece in zip(self.holes, self.pieces[1:], strict=True):
            parts += [_text(values[name]), piece]
        return "".join(parts)

    def combinations(self) -> Iterator[dict[str, Value]]:
        """Every combination of values, the last variable running fastest."""
        for chosen in itertools.product(*(v.values for v in self.variables)):
            yield dict(zip((v.name for v in self.variables), chosen, strict=True))


def _text(value: Value) -> str:
    return value if isinstance(value, str) else f"{round(value)}"


def parse_template(
    text: str, catalogue: Catalogue, title: str = "", citations: tuple[str, ...] = ()
) -> Template:
    """The template of a text; one without holes has a single combination.

    Raises InputError naming the column of a hole that cannot be read, an empty range or an unknown schedule.
    """
    if text.count("{") != text.count("}"):
        column = (text.find("{") if "{" in text else text.find("}")) + 1
        raise _fault(text, column, "a brace has no partner")
    pieces, holes, found = [], [], dict[str, Variable]()
    position = 0
    for match in _HOLE.finditer(text):
        pieces.append(text[position : match.start()])
        position = match.end()
        holes.append(_hole(text, match, found, catalogue))
    pieces.append(text[position:])
    template = Template(text, tuple(pieces), tuple(holes), tuple(found.values()), title, citations)
    _check_schedules(template, catalogue)
    return template


def _hole(text: str, match: re.Match[str], found: dict[str, Variable], catalogue: Catalogue) -> str:
    """Name of the variable of one hole, added to those found when it is new."""
    column, inside = match.start() + 1, match[1]
    if inside.strip() in found:
        return inside.strip()
    named = _NAMED.fullmatch(inside)
    name, unit = _context(text, match.start(), match.end(), catalogue)
    if named:
        name, inside = named[1], named[2]
        if name in found:
            raise _fault(text, column, f"the variable {name!r} is given values twice")
    values = _values(text, column, inside, found)
    if values == (inside.strip(),) and name != SURVEILLANCE and not _known(inside.strip(), catalogue):
        hint = f"Give its values where it first stands, as in {{{inside.strip()}=28..56:14}}"
        raise _fault(text, column, f"no variable is called {inside.strip()!r}", "", hint)
    number = 2
    while name in found:
        name = f"{name.rpartition(' (')[0] or name} ({number})"
        number += 1
    found[name] = Variable(name, unit, values)
    return name


def _known(piece: str, catalogue: Catalogue) -> bool:
    """Could it be a piece of an expression? A lone word that the catalogue lacks is none."""
    return _WORD.fullmatch(piece) is None or plain_name(piece) in catalogue.names()


def _values(text: str, column: int, inside: str, found: dict[str, Variable]) -> tuple[Value, ...]:
    if not inside.strip():
        raise _fault(text, column, "nothing stands in the braces")
    match = _RANGE.fullmatch(inside)
    if match:
        low, high, step = int(match[1]), int(match[2]), int(match[3] or 1)
        if step == 0:
            raise _fault(text, column, "a step of 0 leads nowhere", "steps of 1 or more, as in {28..56:14}")
        if high < low:
            raise _fault(text, column, f"the range {inside.strip()} is empty", "from the lower to the higher")
        values: list[Value] = [float(v) for v in range(low, high + 1, step)]
        if len(values) > MOST_VALUES:
            raise _fault(text, column, f"{len(values)} values are too many", f"at most {MOST_VALUES}")
        return tuple(values)
    if ".." in inside:
        raise _fault(text, column, f"{inside.strip()!r} is no range", FORM)
    parts = [p.strip() for p in inside.split(",")]
    if len(parts) == 1 and not parts[0].isdigit():
        near = difflib.get_close_matches(parts[0], found, n=1)
        if near:
            raise _fault(text, column, f"no variable is called {parts[0]!r}", "", f"Did you mean {near[0]}?")
    several: list[Value] = [float(p) if p.isdigit() else p for p in parts]
    return tuple(dict.fromkeys(several))


def _context(text: str, start: int, end: int, catalogue: Catalogue) -> tuple[str, str]:
    """(name, unit) of a variable from what stands around its hole."""
    before, after = text[:start], text[end:]
    if "|" in before:
        return SURVEILLANCE, ""
    word = _last_word(before)
    if re.search(r"\*\s*$", before):
        if word in catalogue.cells:
            return f"infusions of {word}", "infusions"
        return f"cycles of {word or 'the regimen'}", "cycles"
    if re.search(r"@\s*$", before):
        cells = [w for w in map(plain_name, _WORD.findall(before)) if w in catalogue.cells]
        return f"infusion day of {cells[-1] if cells else 'cells'}", "day of cycle"
    if before.rfind("[") > before.rfind("]") and re.match(r"\s*d", after):
        following = _WORD.search(after.partition("]")[2].split(">")[0])
        target = plain_name(following[0]) if following else "the next treatment"
        earlier = before[: before.rfind("[")].rpartition(">")[0]
        origin = _last_word(earlier) if earlier.strip() else ""
        if not earlier.strip():
            return f"days to {target}", "d"
        return f"{origin or 'treatment'} to {target}", "d"
    return "choice", ""


def _last_word(text: str) -> str:
    words = _WORD.findall(_HOLE.sub(" ", text))
    return plain_name(words[-1]) if words else ""


def _check_schedules(template: Template, catalogue: Catalogue) -> None:
    head, bar, _ = template.text.partition("|")
    if not bar:
        return
    for tail in sorted({template.filled(values).partition("|")[2] for values in template.combinations()}):
        split_schedule(f"{head}|{tail}", catalogue)


def _fault(text: str, column: int, message: str, allowed: str = "", suggestion: str = "") -> InputError:
    shown = text if len(text) <= 60 else text[:57] + "..."
    return InputError(
        Problem(f"column {column}", message, allowed or FORM, suggestion), source=f"template {shown!r}"
    )
