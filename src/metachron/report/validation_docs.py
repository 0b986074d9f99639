"""The tables of docs/validation.md, and docs/credibility.md, from what `metachron validate` wrote.

    metachron validate --out all
    metachron validate --leave-one-out --out held-out
    python -m metachron.report.validation_docs docs all/validation.json held-out/validation.json

The second file may be left out; its section then says that it is missing.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from metachron.calibrate.validation import Validation
from metachron.report.credibility import credibility
from metachron.report.validation_text import markdown

MARK = "<!-- {}: made by python -m metachron.report.validation_docs -->"
END = "<!-- end of {} -->"
SECTIONS = ("validate", "leave-one-out")
NOT_RUN = "Not run yet."


def read(path: Path) -> Validation:
    """The document of a `validation.json`. Raises OSError and pydantic's ValidationError."""
    return Validation.model_validate_json(path.read_text(encoding="utf-8"))


def update(page: str, section: str, text: str) -> str:
    """The page with `text` between the marks of a section. Raises ValueError when a mark is missing."""
    begin, end = MARK.format(section), END.format(section)
    start = page.index(begin) + len(begin)
    return f"{page[:start]}\n\n{text.strip()}\n\n{page[page.index(end) :]}"


def accuracy_table(benchmarks: str) -> str:
    """The first table of the accuracy section of docs/benchmarks.md; empty when there is none."""
    found = re.search(
        r"<!-- benchmarks/accuracy -->(.*?)<!-- end of benchmarks/accuracy -->", benchmarks, re.S
    )
    lines = found[1].splitlines() if found else []
    rows: list[str] = []
    for line in lines:
        if line.startswith("|"):
            rows.append(line)
        elif rows:
            break
    return "\n".join(rows)


def main(docs: Path, all_: Path, held_out: Path | None = None) -> None:
    """Renew both pages."""
    found, without = read(all_), read(held_out) if held_out else None
    page = docs / "validation.md"
    text = page.read_text(encoding="utf-8")
    text = update(text, SECTIONS[0], markdown(found))
    text = update(text, SECTIONS[1], markdown(without) if without else NOT_RUN)
    page.write_text(text, encoding="utf-8", newline="\n")
    benchmarks = docs / "benchmarks.md"
    accuracy = accuracy_table(benchmarks.read_text(encoding="utf-8")) if benchmarks.is_file() else ""
    (docs / "credibility.md").write_text(
        credibility(found, without, accuracy), encoding="utf-8", newline="\n"
    )


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
