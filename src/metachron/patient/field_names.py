"""An unknown field: which field was meant, and where it stands."""

from __future__ import annotations

import re

from metachron.errors import Problem
from metachron.patient import schema_tree as tree
from metachron.patient import vocabulary as words
from metachron.patient.schema_tree import Node, Path, write_path
from metachron.patient.suggest import closest, figure, shorten, unit_factor


def unknown_field(path: Path, value: object) -> Problem:
    """An unknown field: say where its content belongs."""
    name = str(path[-1])[:60]  # matching a very long name would be slow
    parent = tree.node(path[:-1])
    siblings = parent.fields if parent else ()
    message = f"there is no field {shorten(name)} in {write_path(path[:-1]) or 'the patient'}"
    suggestion = (
        _other_unit(name, path, value)
        or _called(name, path, siblings)
        or _sibling(name, path, siblings)
        or _elsewhere(name, path, siblings)
    )
    allowed = "" if suggestion else ", ".join(siblings)
    where = write_path((*path[:-1], name))
    return Problem(where, message, allowed, suggestion or "Remove it, or use one of the fields listed")


def _other_unit(name: str, path: Path, value: object) -> str:
    """`diameter_cm` where `diameter_mm` is meant, also in another part of the record."""
    match = re.fullmatch(
        r"(.+?)_(cm|mm|m|in|lb|lbs|l|months|g_dl|mg_dl|ng_dl|ug_l|per_ul|ul|percent|pct)", name.casefold()
    )
    if not match:
        return ""
    unit = {"per_ul": "/ul", "ul": "/ul", "pct": "%"}.get(match[2], match[2].replace("_", "/"))
    for other, at in _candidates(path):
        factor = unit_factor(unit, at.unit)
        same = words.plain(tree.stem(str(other[-1]))) == words.plain(match[1])
        if not (same or words.FIELD_NAMES.get(words.plain(match[1])) == write_path(other)) or factor is None:
            continue
        number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
        example = f": {figure(number * factor, at)}" if number is not None and abs(number) < 1e9 else ""
        return f"Write `{_show(other, path)}`, in {at.unit}{example}"
    return ""


def _candidates(path: Path) -> list[tuple[Path, Node]]:
    """All fields, those of the same object first."""
    parent = tuple(0 if isinstance(part, int) else part for part in path[:-1])
    return sorted(tree.all_fields(), key=lambda item: item[0][:-1] != parent)


def _show(found: Path, path: Path) -> str:
    """A path for the reader, with the index in use where the list is the same."""
    shared = tuple(0 if isinstance(part, int) else part for part in path[:-1])
    if found[:-1] == shared:
        return write_path((*path[:-1], found[-1]))
    return write_path(found)


def _called(name: str, path: Path, siblings: tuple[str, ...]) -> str:
    """Another name in use for a field of the same object."""
    known = words.FIELD_NAMES.get(words.plain(name), "").rsplit(".", 1)[-1]
    parent = write_path(tuple(0 if isinstance(part, int) else part for part in path[:-1]))
    target = f"{parent}.{known}" if parent else known
    if known in siblings and words.FIELD_NAMES[words.plain(name)] == target:
        return _meant((*path[:-1], known))
    return ""


def _sibling(name: str, path: Path, siblings: tuple[str, ...]) -> str:
    bare = words.plain(name)
    same = [s for s in siblings if words.plain(tree.stem(s)) == bare or words.plain(s) == bare]
    starts = [s for s in siblings if len(bare) > 3 and words.plain(s).startswith(bare)]
    hit = (same or starts or [closest(name, siblings, 0.72)])[0]
    if not hit:
        return ""
    return _meant((*path[:-1], hit))


def _meant(path: Path) -> str:
    at = tree.node(path)
    unit = f", in {at.unit}" if at and at.unit else ""
    return f"Did you mean `{write_path(path)}`{unit}?"


def _elsewhere(name: str, path: Path, siblings: tuple[str, ...]) -> str:
    known = words.FIELD_NAMES.get(words.plain(name))
    options = {write_path(p): p for p, _ in tree.all_fields() if p[-1] not in siblings or len(p) == len(path)}
    if known and (found := options.get(known)):
        return f"Did you mean `{_show(found, path)}`?"
    exact = [p for p in options.values() if words.plain(str(p[-1])) == words.plain(name)]
    if exact:
        return f"It belongs to `{_show(exact[0], path)}`"
    hit = closest(name, siblings, 0.6) or closest(name, [str(p[-1]) for p in options.values()], 0.8)
    if not hit:
        return ""
    full = next((p for p in options.values() if p[-1] == hit), (*path[:-1], hit))
    return f"Did you mean `{_show(full, path) if hit not in siblings else write_path((*path[:-1], hit))}`?"
