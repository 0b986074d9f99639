"""The equations of a core as a model of rxode2 and of mrgsolve, and a patient's values for it.

Both take doses as additions to a compartment. Resistant shares, which depend on the size of a lesion when
its drug is first given, and the line of treatment become parameters of the patient: that needs a schedule
in which they are set once.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

import numpy as np

from metachron.bench.solvers.roadrunner_cvode import values
from metachron.bench.solvers.scipy_lsoda import integrate, with_lsoda
from metachron.bench.solvers.system import resistant_share
from metachron.interop.core import CLASS_NAMES, Core
from metachron.interop.equations import Equations, write_equations

UNIT = re.compile(r"(?<=[\d.]) [A-Za-z]\w*")
COMPARE = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
Choose = Callable[[str, str, str], str]


def choose_rxode2(condition: str, yes: str, no: str) -> str:
    return f"ifelse({condition}, {yes}, {no})"


def choose_cpp(condition: str, yes: str, no: str) -> str:
    return f"(({condition}) ? {yes} : {no})"


def translate(formula: str, choose: Choose) -> str:
    """An SBML infix formula in C-like text; units of numbers are dropped."""
    plain = UNIT.sub("", formula).replace("^", "**")
    return _emit(ast.parse(plain, mode="eval").body, choose)


def _emit(node: ast.expr, choose: Choose) -> str:
    if isinstance(node, ast.Constant):
        return repr(float(node.value))  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.UnaryOp):
        return f"(-{_emit(node.operand, choose)})"
    if isinstance(node, ast.Compare):
        left, right = _emit(node.left, choose), _emit(node.comparators[0], choose)
        return f"{left} {COMPARE[type(node.ops[0])]} {right}"
    if isinstance(node, ast.BinOp):
        left, right = _emit(node.left, choose), _emit(node.right, choose)
        if isinstance(node.op, ast.Pow):
            return f"pow({left}, {right})"
        return f"({left} {OPERATORS[type(node.op)]} {right})"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _call(node.func.id, [_emit(a, choose) for a in node.args], choose)
    raise ValueError(f"cannot translate {ast.dump(node)}")


def _call(name: str, args: list[str], choose: Choose) -> str:
    if name == "piecewise":
        return choose(args[1], args[0], args[2])
    if name in ("min", "max"):
        return choose(f"{args[0]} {'<' if name == 'min' else '>'} {args[1]}", args[0], args[1])
    if name == "root":
        return f"pow({args[1]}, 1.0 / {args[0]})"
    return f"{'log' if name == 'ln' else name}({args[0]})"


def parameters(eq: Equations) -> list[str]:
    """Constants, and the variables that have no rate."""
    return [c.name for c in eq.constants] + [v.name for v in eq.variables if not v.rate]


def rxode2_model(core: Core) -> str:
    """The core in the language of rxode2."""
    eq = write_equations(core)
    lines = ["# The deterministic core for rxode2; written by benchmarks/peers/write_models."]
    lines += [f"{v.name}(0) = {translate(v.start, choose_rxode2)};" for v in eq.variables if v.rate]
    lines += [f"{r.name} = {translate(r.formula, choose_rxode2)};" for r in eq.rules]
    lines += [f"d/dt({v.name}) = {translate(v.rate, choose_rxode2)};" for v in eq.variables if v.rate]
    return "\n".join(lines) + "\n"


def mrgsolve_model(core: Core) -> str:
    """The core as a model file of mrgsolve; values of parameters are those of this core."""
    eq, start = write_equations(core), patient_values(core)
    moving = [v for v in eq.variables if v.rate]
    lines = [
        "// The deterministic core for mrgsolve; written by benchmarks/peers/write_models.",
        "",
        "$PARAM",
    ]
    lines += [f"{name} = {start[name]!r}" for name in parameters(eq)]
    lines += ["", "$CMT", " ".join(v.name for v in moving), "", "$MAIN"]
    lines += [f"{v.name}_0 = {translate(v.start, choose_cpp)};" for v in moving]
    lines += ["", "$ODE"]
    lines += [f"double {r.name} = {translate(r.formula, choose_cpp)};" for r in eq.rules]
    lines += [f"dxdt_{v.name} = {translate(v.rate, choose_cpp)};" for v in moving]
    return "\n".join(lines) + "\n"


def patient_values(core: Core) -> dict[str, float]:
    """Value of every parameter of the R models for one patient.

    Raises ValueError when something that they hold constant is set on more than one day.
    """
    eq, found = write_equations(core), values(core)
    openings = [a for a in core.given if a.opens or a.line_growth is not None or a.potency is not None]
    if len(openings) > 1:
        raise ValueError("the R models take one course of treatment, begun once")
    for a in openings:
        found["line_growth"] = found["line_growth"] if a.line_growth is None else a.line_growth
        found["potency"] = found["potency"] if a.potency is None else a.potency
        days = np.array([0.0, a.day])
        x = integrate(core, days, with_lsoda(1e-10))[0][-1, -core.lesions :]
        for k in a.opens:
            for i, share in enumerate(resistant_share(core, k, x), 1):
                found[f"phi_{CLASS_NAMES[k]}_{i}"] = float(share)
    return {name: found[name] for name in parameters(eq) if name in found}


def doses(core: Core) -> list[tuple[float, str, float]]:
    """(day, compartment, amount) of everything that adds to a state."""
    found = []
    for event in write_equations(core).events:
        for name, text in event.assign.items():
            plain = UNIT.sub("", text)
            if plain.startswith(f"{name} + "):
                found.append((event.day, name, float(plain.split(" + ")[1])))
    return found
