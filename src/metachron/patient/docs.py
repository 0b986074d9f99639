"""The table of fields in docs/patient.md, made from the schema: `python -m metachron.patient.docs FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

from metachron.patient import schema_tree as tree

BEGIN = "<!-- fields: made by python -m metachron.patient.docs -->"
END = "<!-- end of fields -->"


def field_table() -> str:
    """A Markdown table of every field: path, what may stand there, meaning."""
    lines = ["| Field | Allowed | Meaning |", "|---|---|---|"]
    for path, at in tree.all_fields():
        parent = tree.node(path[:-1])
        required = parent is not None and path[-1] in parent.required
        allowed = at.allowed.replace("|", "\\|") + ("; **required**" if required else "")
        name = tree.write_path(path).replace("[0]", "[]")
        lines.append(f"| `{name}` | {allowed} | {at.description} |")
    return "\n".join(lines)


def update(text: str) -> str:
    """The page with the table between its two marks renewed."""
    head, rest = text.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    return f"{head}{BEGIN}\n{field_table()}\n{END}{tail}"


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(update(page.read_text(encoding="utf-8")), encoding="utf-8")
