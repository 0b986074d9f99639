"""Counts the arithmetic of a life: the model and the engine run uncompiled, each operation through a counter.

`python -m metachron.bench.counting LIVES` rewrites the syntax tree of every module of `model` and `engine`
while it is imported, simulates LIVES twins of each scenario and prints the counts as JSON. What is counted
is what the source says; the compiler may share or drop some of it.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import json
import math
import operator
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

COUNTED = ("metachron.model.", "metachron.engine.")
COUNTS: Counter[tuple[str, str]] = Counter()
CALLS: Counter[str] = Counter()
BINARY: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("add", operator.add),
    ast.Sub: ("add", operator.sub),
    ast.Mult: ("multiply", operator.mul),
    ast.Div: ("divide", operator.truediv),
    ast.Pow: ("pow", operator.pow),
}
INTEGER = {ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.BitXor: operator.xor,
           ast.BitAnd: operator.and_, ast.LShift: operator.lshift, ast.RShift: operator.rshift}  # fmt: skip
OPERATORS: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    **{kind.__name__: pair for kind, pair in BINARY.items()},
    **{kind.__name__: ("integer", function) for kind, function in INTEGER.items()},
}


def count_binary(where: str, kind: str, left: Any, right: Any) -> Any:
    """The result of one operation; counted as `integer` unless it is a float."""
    name, function = OPERATORS[kind]
    result = function(left, right)
    COUNTS[where, name if isinstance(result, float) else "integer"] += 1
    return result


def count_math(where: str, name: str, *arguments: Any) -> Any:
    """The result of one function of `math`."""
    COUNTS[where, name] += 1
    return getattr(math, name)(*arguments)


def count_call(where: str) -> None:
    CALLS[where] += 1


class Counting(ast.NodeTransformer):
    """Sends arithmetic, calls of `math` and the entry of every function through the counters."""

    def __init__(self) -> None:
        self.where = "module"

    def _through(self, counter: str, *arguments: ast.expr) -> ast.Call:
        return ast.Call(ast.Name(counter, ast.Load()), [ast.Constant(self.where), *arguments], [])

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        outer, self.where = self.where, node.name
        node.body = [self.visit(statement) for statement in node.body]
        node.body.insert(0, ast.Expr(self._through("_count_call")))
        self.where = outer
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        if node.value is not None:
            node.value = self.visit(node.value)
        return node  # `int | None` is no arithmetic

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        kind = type(node.op).__name__
        if kind not in OPERATORS:
            return node
        return self._through("_count_binary", ast.Constant(kind), node.left, node.right)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        kind = type(node.op).__name__
        if kind not in OPERATORS:
            return node
        read = ast.parse(ast.unparse(node.target), mode="eval").body
        value = self._through("_count_binary", ast.Constant(kind), self.visit(read), self.visit(node.value))
        return ast.Assign([node.target], value)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        f = node.func
        if isinstance(f, ast.Attribute) and isinstance(f.value, ast.Name) and f.value.id == "math":
            return self._through("_count_math", ast.Constant(f.attr), *node.args)
        return node


class CountingLoader(importlib.machinery.SourceFileLoader):
    """Loads a module with its arithmetic counted; nothing is cached."""

    def get_code(self, fullname: str) -> Any:
        path = self.get_filename(fullname)
        tree = Counting().visit(ast.parse(self.get_data(path), path))
        return compile(ast.fix_missing_locations(tree), path, "exec")

    def exec_module(self, module: ModuleType) -> None:
        vars(module).update(_count_binary=count_binary, _count_math=count_math, _count_call=count_call)
        super().exec_module(module)


class CountingFinder(importlib.abc.MetaPathFinder):
    """Finds the modules whose arithmetic is counted."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: Any = None) -> Any:
        if not fullname.startswith(COUNTED):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = CountingLoader(spec.loader.name, spec.loader.path)
        return spec


def count_lives(twins: int, examples: list[str] | None = None) -> dict[str, Any]:
    """Operations and function calls per life, over the first `twins` twins of every scenario."""
    from metachron.bench.workload import first, scenarios

    work = [first(scenario, twins) for scenario in scenarios(100, examples)]
    COUNTS.clear()
    CALLS.clear()
    for scenario in work:
        scenario.live()
    lives = sum(s.size for s in work)
    by_kind: Counter[str] = Counter()
    by_function: dict[str, Counter[str]] = {}
    for (where, kind), number in COUNTS.items():
        by_kind[kind] += number
        by_function.setdefault(where, Counter())[kind] += number
    return {
        "lives": lives,
        "operations": {k: n / lives for k, n in by_kind.most_common()},
        "calls": {k: n / lives for k, n in CALLS.most_common(40)},
        "functions": {w: {k: n / lives for k, n in c.items()} for w, c in by_function.items()},
    }


if __name__ == "__main__":
    os.environ["NUMBA_DISABLE_JIT"] = "1"
    sys.meta_path.insert(0, CountingFinder())
    print(json.dumps(count_lives(int(sys.argv[1]), sys.argv[2:] or None)))
