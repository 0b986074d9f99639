"""`__all__`, where a module has one, is complete and true (ruff keeps it sorted)."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "src" / "metachron"


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def declares_all(path: Path) -> bool:
    tree = ast.parse(path.read_text("utf-8"))
    targets = [t for node in tree.body if isinstance(node, ast.Assign) for t in node.targets]
    return any(isinstance(t, ast.Name) and t.id == "__all__" for t in targets)


EXPORTING = [module_name(p) for p in sorted(SOURCE.rglob("*.py")) if declares_all(p)]
EVERY = [module_name(p) for p in sorted(SOURCE.rglob("*.py"))]


def test_the_package_itself_is_covered() -> None:
    assert "metachron" in EXPORTING


# Packages of the extra `peers` that the tests do not install
OPTIONAL = {"diffrax", "jax"}


@pytest.mark.parametrize("name", EVERY)
def test_every_module_can_be_imported(name: str) -> None:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name not in OPTIONAL:
            raise
        pytest.skip(f"needs {missing.name}, of the extra peers")


@pytest.mark.parametrize("name", EXPORTING)
def test_all_is_true(name: str) -> None:
    module = importlib.import_module(name)
    names = module.__all__
    assert sorted(names) == sorted(set(names)), "a name is listed twice"
    missing = [n for n in names if not hasattr(module, n)]
    assert not missing, f"__all__ names what is not there: {missing}"


@pytest.mark.parametrize("name", EXPORTING)
def test_all_holds_every_public_definition(name: str) -> None:
    module = importlib.import_module(name)
    own = {
        n
        for n, value in vars(module).items()
        if not n.startswith("_") and getattr(value, "__module__", None) == module.__name__
    }
    assert own <= set(module.__all__), f"public but not in __all__: {sorted(own - set(module.__all__))}"
