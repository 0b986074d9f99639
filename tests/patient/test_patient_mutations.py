# ruff: noqa: E501 - a table of values
"""Thousands of damaged patient files: each is a valid patient or one clear InputError, nothing else."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from metachron.errors import InputError
from metachron.patient import example_names, example_path, read_patient
from metachron.patient import schema_tree as tree
from metachron.patient.messages import MAX_PROBLEMS
from metachron.patient.schema import Patient

TREATMENTS = {"capox", "mfolfox6", "hepatectomy"}
BATCHES = 8
PER_BATCH = 350

VALUES: list[Any] = [
    None, True, False, 0, 1, -1, -999, 3.7, 1e-300, 1e308, -1e308, 10**25, float("nan"), float("inf"), "", " ", "yes", "no",
    "62 years", "3 cm", "3cm", "n/a", "unknown", "1704067200", "2024-02-30", "12/03/2024", "9999-12-31", "0001-01-01",
    "liver", "brain", "N0", "mutant", "wild type", "é\u202e\u0000", "\ufffe", "💥" * 50, "x" * 3000, "\ud83d", [], {}, [[]],
    [1, 2], {"a": 1}, [{"id": "x"}], {"": {"": {"": 1}}},
]  # fmt: skip
Data = dict[str, Any]


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, Any]]:
    """All (container, key) pairs of nested data."""
    found = []
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in list(items):
        found.append((data, key))
        found.extend(places(value, (*path, key)))
    return found


def delete(data: Data, rng: random.Random) -> None:
    container, key = rng.choice(places(data))
    del container[key]


def replace(data: Data, rng: random.Random) -> None:
    container, key = rng.choice(places(data))
    container[key] = copy.deepcopy(rng.choice(VALUES))


def rename(data: Data, rng: random.Random) -> None:
    container, key = rng.choice([(c, k) for c, k in places(data) if isinstance(c, dict)])
    letters = list(key)
    spot = rng.randrange(len(letters) + 1)
    letters[spot : spot + rng.randrange(3)] = rng.choice(["", "x", "é", "_cm", "\n", " ", "."])
    container["".join(letters)] = container.pop(key)


def scale(data: Data, rng: random.Random) -> None:
    numbers = [(c, k) for c, k in places(data) if type(c[k]) in (int, float)]
    if numbers:
        container, key = rng.choice(numbers)
        container[key] *= rng.choice([-1, 0, 0.1, 10, 100, 1000, 1e9, 1e200, 0.5])


def stringify(data: Data, rng: random.Random) -> None:
    container, key = rng.choice(places(data))
    container[key] = str(container[key])


def swap(data: Data, rng: random.Random) -> None:
    spots = places(data)
    (first, a), (second, b) = rng.choice(spots), rng.choice(spots)
    one, two = copy.deepcopy(first[a]), copy.deepcopy(second[b])
    first[a] = two
    # the second place may have gone with the first
    if (isinstance(second, dict) and b in second) or (isinstance(second, list) and b < len(second)):
        second[b] = one


def swap_dates(data: Data, rng: random.Random) -> None:
    spots = [
        (c, k) for c, k in places(data) if isinstance(c[k], str) and c[k][:2] == "20" and len(c[k]) == 10
    ]
    if len(spots) > 1:
        (first, a), (second, b) = rng.sample(spots, 2)
        first[a], second[b] = second[b], first[a]


def duplicate(data: Data, rng: random.Random) -> None:
    lists = [c[k] for c, k in places(data) if isinstance(c[k], list) and c[k]]
    if lists:
        chosen = rng.choice(lists)
        chosen.extend(copy.deepcopy(chosen) * rng.choice([1, 1, 30]))


def nest(data: Data, rng: random.Random) -> None:
    container, key = rng.choice(places(data))
    for _ in range(rng.choice([1, 3, 60])):
        container[key] = {"a": container[key]} if rng.random() < 0.5 else [container[key]]


MUTATORS: list[Callable[[Data, random.Random], None]] = [
    delete, replace, replace, rename, scale, stringify, swap, swap_dates, duplicate, nest,
]  # fmt: skip


def damage_bytes(text: bytes, rng: random.Random) -> bytes:
    """Truncate, overwrite, insert, or re-encode."""
    kind = rng.randrange(7)
    spot = rng.randrange(len(text))
    if kind == 0:
        return text[:spot]
    if kind == 1:
        return text[:spot] + rng.randbytes(rng.randrange(1, 40)) + text[spot:]
    if kind == 2:
        return text[:spot] + bytes([rng.choice(b"{}[],:\"-&*!|>#%@`'\t\n 0")]) + text[spot + 1 :]
    if kind == 3:
        codec = rng.choice(["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp037"])
        return text.decode("utf-8", "replace").encode(codec, "replace")
    if kind == 4:
        return rng.randbytes(rng.randrange(3000))
    if kind == 5:
        return text[:spot] + text[rng.randrange(len(text)) :]
    return text[:spot] + "é".encode("latin-1") + text[spot:]


def mutate(original: Data, rng: random.Random) -> tuple[bytes, str]:
    """Content and suffix of one damaged file."""
    data = copy.deepcopy(original)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        if data:
            rng.choice(MUTATORS)(data, rng)
    text = json.dumps(data, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")
    suffix = rng.choice([".json", ".json", ".txt", ".yaml"])
    if rng.random() < 0.3 and b"\xed\xa0" not in text and b'\\ud83d"' not in text:
        suffix = rng.choice([".yaml", ".yml"])
        text = yaml.dump(data, allow_unicode=rng.random() < 0.5, Dumper=yaml.CDumper).encode()
    return (damage_bytes(text, rng) if text and rng.random() < 0.3 else text), suffix


def check_error(error: InputError, file: Path) -> None:
    assert error.source == str(file)
    assert 1 <= len(error.problems) <= MAX_PROBLEMS
    for problem in error.problems:
        assert problem.message.strip()
        assert len(str(problem)) < 1500
        assert str(problem).isprintable(), "control characters would disturb a terminal"
        if problem.path and problem.path.split(".")[0].split("[")[0] not in tree.schema()["properties"]:
            assert problem.suggestion or "nested" in problem.message, problem


@pytest.mark.parametrize("batch", range(BATCHES))
def test_damaged_files(batch: int, tmp_path: Path) -> None:
    rng = random.Random(20261123 + batch)
    originals = [json.loads(example_path(name).read_text(encoding="utf-8")) for name in example_names()]
    outcomes = {"patient": 0, "refused": 0}
    for i in range(PER_BATCH):
        content, suffix = mutate(rng.choice(originals), rng)
        file = tmp_path / f"p{i}{suffix}"
        file.write_bytes(content)
        try:
            patient = read_patient(file, known_treatments=TREATMENTS)
        except InputError as error:
            check_error(error, file)
            outcomes["refused"] += 1
        else:
            assert isinstance(patient, Patient)
            outcomes["patient"] += 1
    # the mutator must neither break everything nor nothing
    assert outcomes["patient"] > 0.05 * PER_BATCH
    assert outcomes["refused"] > 0.4 * PER_BATCH
