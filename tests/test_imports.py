"""Layers import downwards only, checked on the syntax tree of every module."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "src" / "metachron"

# A layer may import itself, the layers above it in this list, and the data every layer reads.
LAYERS: list[set[str]] = [
    {"patient"},
    {"strategies"},
    {"model"},
    {"engine"},
    {"population"},
    {"plan", "trial", "calibrate", "reference"},
    {"optimise"},
    {"report", "interop", "web"},
    {"bench"},
    {"commands"},
    {"cli"},
    {"__main__"},
]
DATA = {"errors", "evidence", "parameters"}
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
MODULES = sorted(SOURCE.rglob("*.py"))


def imported(tree: ast.AST, package: list[str]) -> set[str]:
    """First part below `metachron` of everything a module imports; relative imports resolved."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return {parts[1] for name in names if (parts := name.split("."))[0] == "metachron" and len(parts) > 1}


def fault(module: str, target: str) -> str | None:
    """Why the layer `module` may not import `target`; None when it may."""
    if module == "errors" and target in DATA - {"errors"}:
        return f"errors imports nothing of metachron, but imports {target}"
    if target == module or target not in RANK:
        return None  # its own folder, the data, or a name of the package itself such as __version__
    if module in DATA:
        return f"{module} is read by every layer and imports none, but imports {target}"
    if RANK[target] > RANK[module]:
        return f"{module} is below {target} and must not import it"
    if RANK[target] == RANK[module]:
        return f"{module} and {target} stand side by side and must not import each other"
    return None


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_go_one_way(path: Path) -> None:
    relative = path.relative_to(SOURCE).with_suffix("")
    package = ["metachron", *relative.parts[:-1]]
    layer = relative.parts[0]
    if layer == "__init__":
        assert not imported(ast.parse(path.read_text("utf-8")), package)
        return
    targets = imported(ast.parse(path.read_text("utf-8")), package)
    faults = [text for target in sorted(targets) if (text := fault(layer, target))]
    assert not faults, "; ".join(faults)


def test_every_folder_has_a_place_in_the_order() -> None:
    found = {
        p.stem for p in SOURCE.iterdir() if (p.is_dir() or p.suffix == ".py") and p.name != "__pycache__"
    }
    assert found - {"__init__"} <= set(RANK) | DATA


@pytest.mark.parametrize(
    ("module", "target", "allowed"),
    [
        ("model", "patient", True),
        ("patient", "model", False),
        ("plan", "trial", False),
        ("plan", "population", True),
        ("calibrate", "population", True),
        ("population", "calibrate", False),
        ("calibrate", "plan", False),
        ("cli", "report", True),
        ("evidence", "patient", False),
        ("patient", "evidence", True),
        ("errors", "patient", False),
    ],
)
def test_the_rule_itself(module: str, target: str, allowed: bool) -> None:
    assert (fault(module, target) is None) is allowed


def test_relative_imports_are_seen() -> None:
    tree = ast.parse("from ..engine import life\nfrom . import schema")
    assert imported(tree, ["metachron", "patient"]) == {"engine", "patient"}
