"""What the scripts of `benchmarks/` share: options, tables in Markdown, the record written as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from metachron.errors import MetachronError

Record = dict[str, Any]


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table: the first column left, the others right aligned."""
    lines = [
        "| " + " | ".join(header) + " |",
        "|---" + "|---:" * (len(header) - 1) + "|",
        *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows),
    ]
    return "\n".join(lines)


def count(value: float) -> str:
    """A number above one without decimals, in groups of three digits."""
    return f"{value:,.0f}"


def micro(seconds: float) -> str:
    """Seconds as microseconds with three figures."""
    value = 1e6 * seconds
    return f"{value:,.0f}" if value >= 99.5 else f"{value:.3g}"


def script(measure: Callable[[bool], Record], show: Callable[[Record], str], about: str) -> int:
    """Run one benchmark: `measure(quick)`, print `show(record)`, write the record to `--json FILE`.

    Returns the exit code; an error of metachron ends in one line on stderr.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--json", metavar="FILE", type=Path, help="also write every figure to this file")
    parser.add_argument("--quick", action="store_true", help="less work, to see that it runs")
    options = parser.parse_args()
    try:
        record = measure(options.quick)
    except MetachronError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(record, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    print(show(record))
    return 0
