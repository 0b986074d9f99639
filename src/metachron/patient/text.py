"""From a file to plain data: reading, decoding, and strict JSON and YAML.

Everything here ends in plain dicts, lists, strings, numbers, booleans and None, or in one `InputError`.
YAML is read with the rules of JSON for scalars: only `true` and `false` are booleans, dates stay text,
and there are no aliases, tags or merge keys, so that a file means what it looks like.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import yaml

from metachron.errors import InputError, Problem

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
_EXAMPLE_HINT = "`metachron example NAME` writes a file to start from"
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?(\.?inf(inity)?|\.?nan)", re.IGNORECASE)
_SIGNATURES = {
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive or an Office document",
    b"\x1f\x8b": "a gzip archive",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"\xd0\xcf\x11\xe0": "an old Office document",
}
_BOMS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


def fail(message: str, suggestion: str = "", allowed: str = "", path: str = "") -> NoReturn:
    """Raise the one `InputError` that a file-level fault ends in."""
    raise InputError(Problem(path, message, allowed, suggestion))


# --- bytes ---------------------------------------------------------------------------------------------


def read_bytes(path: Path, example_names: list[str]) -> bytes:
    """The content of a regular file of at most `MAX_BYTES`; raises InputError."""
    try:
        if path.is_dir():
            fail("this is a folder, not a patient file", "Name one .json or .yaml file in it")
        if not path.exists():
            fail("there is no such file", _neighbours(path, example_names))
        if not path.is_file():
            fail("this is not a regular file", "Save the patient to a .json or .yaml file first")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        size = max(path.stat().st_size, len(data))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        fail(f"the file cannot be read: {reason}", "Check its name and your permission to read it")
    if size > MAX_BYTES:
        fail(
            f"the file has {size / 1e6:.1f} MB; a patient needs a few kB, so it was not read",
            "Check that this is the patient file and not the images or a database",
            allowed="at most 1 MB",
        )
    return data


def _neighbours(path: Path, example_names: list[str]) -> str:
    """Did-you-mean among the files beside a missing one, and the bundled examples."""
    stem = path.stem
    close = difflib.get_close_matches(stem, example_names, 1, 0.6)
    beside: list[str] = []
    if path.parent.is_dir():
        names = [p.name for p in path.parent.iterdir() if p.suffix in {".json", ".yaml", ".yml"}]
        beside = difflib.get_close_matches(path.name, names, 1, 0.6)
    if beside:
        return f"Did you mean {path.parent / beside[0]}?"
    if close:
        return f"There is an example of that kind: `metachron example {close[0]}` writes it"
    if path.parent != Path() and not path.parent.is_dir():
        return f"The folder {path.parent} does not exist either"
    return f"Check the name; {_EXAMPLE_HINT}"


def decode(data: bytes) -> str:
    """UTF-8 text, with or without a byte-order mark; raises InputError naming what it looks like instead."""
    if not data.strip(b" \t\r\n\xef\xbb\xbf\x00"):
        fail("the file is empty", f"Nothing to plan from; {_EXAMPLE_HINT}")
    for signature, what in _SIGNATURES.items():
        if data.startswith(signature):
            fail(f"this is {what}, not text", "Write the patient as JSON or YAML text in UTF-8")
    for bom, name in _BOMS.items():
        if data.startswith(bom):
            fail(f"the file is encoded in {name}", "Save it again as UTF-8", allowed="UTF-8")
    nul = data.count(0)
    if nul and _looks_utf16(data):
        fail("the file looks like UTF-16 without a mark", "Save it again as UTF-8", allowed="UTF-8")
    if nul or _control_share(data) > 0.02:
        fail("this is binary data, not text", "Write the patient as JSON or YAML text", allowed="UTF-8 text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _explain_encoding(data, error)


def _looks_utf16(data: bytes) -> bool:
    even, odd = data[0:2000:2].count(0), data[1:2000:2].count(0)
    half = max(1, min(len(data), 2000) // 2)
    return max(even, odd) > 0.7 * half and min(even, odd) < 0.1 * half


def _control_share(data: bytes) -> float:
    control = sum(1 for byte in data[:20_000] if byte < 32 and byte not in b"\t\r\n")
    return control / max(1, min(len(data), 20_000))


def _explain_encoding(data: bytes, error: UnicodeDecodeError) -> NoReturn:
    high = sum(1 for byte in data if byte >= 128)
    if high > 0.2 * len(data):
        fail("this is binary data, not text", "Write the patient as JSON or YAML text", allowed="UTF-8 text")
    before = data[: error.start]
    line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
    fail(
        f"the file is not UTF-8: byte 0x{data[error.start]:02X} at line {line}, column {column}; "
        "it looks like Latin-1 or Windows-1252",
        "Save it again as UTF-8",
        allowed="UTF-8",
    )


# --- text to data ---------------------------------------------------------------------------------------


def parse_text(text: str, suffix: str) -> object:
    """Plain data from JSON or YAML text; the suffix decides, the content when the suffix says nothing.

    Raises InputError for anything that cannot be read in one way only.
    """
    starts_like_json = text.lstrip()[:1] in ("{", "[")
    if suffix == ".json" or (starts_like_json and suffix not in (".yaml", ".yml")):
        return parse_json(text)
    if starts_like_json:
        try:
            return parse_json(text)
        except InputError:
            return parse_yaml(text)
    return parse_yaml(text)


def parse_json(text: str) -> object:
    """Strict JSON: no duplicate keys, comments or trailing commas; raises InputError.

    NaN and Infinity pass as floats, so that whoever walks the data can say where they stand.
    """
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique,
            parse_int=_int,
        )
    except json.JSONDecodeError as error:
        _explain_json(text, error)
    except RecursionError:
        fail("the text is nested too deeply", allowed=f"at most {MAX_DEPTH} levels")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            fail(f"the field {key!r:.60} is given twice in one object", "Keep one of them", path=key[:60])
        found[key] = value
    return found


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        fail(f"{text:.40} is too large for a number", "Check the value")
    return value


def _int(text: str) -> int:
    # Python refuses to convert thousands of digits; a number that long is a mistake anyway
    if len(text) > 40:
        fail(f"a number of {len(text)} digits cannot be right: {text:.20}...", "Check the value")
    return int(text)


def _explain_json(text: str, error: json.JSONDecodeError) -> NoReturn:
    where = f"line {error.lineno}, column {error.colno}"
    rest = text[error.pos :].lstrip()
    if not rest or error.msg.startswith("Unterminated string"):
        fail(f"the JSON ends too early, at {where}: the file looks cut off", "Restore the missing end")
    got = rest[0]
    before = text[: error.pos].rstrip()[-1:]
    if not text.lstrip().startswith(("{", "[")):
        fail(
            f"this is not JSON: it begins with {text.lstrip()[:20]!r}",
            "A patient file is one object in braces; name the file .yaml if it is YAML",
        )
    hints = {
        "'": "JSON strings need double quotes",
        "/": "JSON has no comments; remove it or use YAML",
        "#": "JSON has no comments; remove it or use YAML",
        "}": "Remove the comma before the closing brace" if before == "," else "A value is missing before it",
        "]": "Remove the comma before the closing bracket"
        if before == ","
        else "A value is missing before it",
        '"': "A comma is missing before it",
        "T": "JSON writes true in small letters",
        "F": "JSON writes false in small letters",
        "N": "JSON writes null for unknown",
    }
    message = "there is more text after the end" if error.msg == "Extra data" else error.msg.lower()
    fail(f"the JSON cannot be read at {where}: {message}, found {rest[:12]!r}", hints.get(got, ""))


# --- YAML -----------------------------------------------------------------------------------------------


def parse_yaml(text: str) -> object:
    """YAML limited to what JSON can say; raises InputError with line and column."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        events = yaml.parse(text, Loader=loader)
        return _document(iter(events))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it is not YAML"
        hint = "Indent with spaces, not tabs" if "\\t" in str(problem) or "\t" in text else ""
        fail(f"the YAML cannot be read{where}: {problem}", hint or f"Check that line; {_EXAMPLE_HINT}")
    except RecursionError:
        fail("the text is nested too deeply", allowed=f"at most {MAX_DEPTH} levels")


def _document(events: Iterator[yaml.Event]) -> object:
    value: object = None
    documents = 0
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                fail("the file holds several YAML documents (---)", "Keep one patient in a file")
            value = _node(next(events), events, 0)
    if documents == 0:
        fail("the file is empty", f"Nothing to plan from; {_EXAMPLE_HINT}")
    return value


def _at(event: yaml.Event) -> str:
    mark = event.start_mark
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark else "an unknown line"


def _node(event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> object:
    if depth > MAX_DEPTH:
        fail(f"the text is nested too deeply at {_at(event)}", allowed=f"at most {MAX_DEPTH} levels")
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        fail(f"YAML anchors and aliases (&, *) are not read, {_at(event)}", "Write the value out")
    if (tag := getattr(event, "tag", None)) is not None:
        fail(f"YAML tags (!{str(tag).lstrip('!'):.30}) are not read, {_at(event)}", "Write plain values")
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event)
    if isinstance(event, yaml.SequenceStartEvent):
        items: list[object] = []
        while not isinstance(inner := next(events), yaml.SequenceEndEvent):
            items.append(_node(inner, events, depth + 1))
        return items
    return _mapping(events, depth)


def _mapping(events: Iterator[yaml.Event], depth: int) -> dict[str, object]:
    found: dict[str, object] = {}
    while not isinstance(key := next(events), yaml.MappingEndEvent):
        if not isinstance(key, yaml.ScalarEvent) or key.tag or key.anchor:
            fail(f"a field name is expected at {_at(key)}", "Write `name: value`")
        name = key.value
        if name in found:
            fail(f"the field {name!r:.60} is given twice, {_at(key)}", "Keep one of them", path=name[:60])
        found[name] = _node(next(events), events, depth + 1)
    return found


def _scalar(event: yaml.ScalarEvent) -> object:
    text: str = event.value
    if event.style in ("'", '"', "|", ">"):
        return text
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    if _NOT_FINITE.fullmatch(text):
        fail(f"{text} is not a number, {_at(event)}", "Write null, or leave the field out, when unknown")
    if _INT.fullmatch(text):
        return _int(text)
    if _FLOAT.fullmatch(text):
        return _finite(text)
    return text
