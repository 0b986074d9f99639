"""The SBML file: valid, and run by RoadRunner it gives what SciPy gives from equations written apart."""

from __future__ import annotations

import dataclasses
import importlib
import math
import sys
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from metachron.bench.agreement import CASES, Case, case, roadrunner_errors
from metachron.commands.sbml import TWINS
from metachron.interop.core import Core
from metachron.interop.equations import write_equations
from metachron.interop.lay_out import lay_out

libsbml = pytest.importorskip("libsbml")

LARGEST_ERROR = 1e-6  # measured: 1e-7 at most (`benchmarks/peers/agreement`)
BEVACIZUMAB = "six visible"
MEDICINE = "mfolfox6+bevacizumab*4"


def document(core: Core) -> Any:
    from metachron.interop.sbml.write import sbml_text

    return libsbml.readSBMLFromString(sbml_text(core))


@pytest.fixture
def core() -> Core:
    return case(BEVACIZUMAB).problem().core


@pytest.mark.parametrize("chosen", CASES, ids=lambda c: c.name)
def test_the_file_is_valid_and_its_units_agree(chosen: Case) -> None:
    from metachron.interop.sbml.write import errors, warnings

    made = document(chosen.problem().core)
    assert (made.getLevel(), made.getVersion()) == (3, 2)
    assert errors(made, libsbml) == []
    assert warnings(made, libsbml) == []


def test_doses_are_events_at_their_days(core: Core) -> None:
    model = document(core).getModel()
    days = [model.getParameter(f"given_{i + 1}").getValue() for i in range(model.getNumEvents())]
    assert days == [7.0 + 14.0 * cycle for cycle in range(12)]
    first = model.getEvent(0)
    changed = {first.getEventAssignment(i).getVariable() for i in range(first.getNumEventAssignments())}
    assert {"A_fp", "A_ox", "V", "m", "l", "X", "phi_fp_1", "phi_ox_6"} <= changed


def test_every_state_of_the_model_has_a_rate(core: Core) -> None:
    model = document(core).getModel()
    rates = {model.getRule(i).getVariable() for i in range(model.getNumRules()) if model.getRule(i).isRate()}
    body = {"A_fp", "A_ox", "V", "m", "l", "P", "T1", "T2", "T3", "C", "L", "X", "N", "hazard_cancer"}
    lesions = {f"{s}_{i}" for s in ("y", "held", "W", "D_fp", "D_ox") for i in range(1, 7)}
    assert rates == body | lesions


@pytest.mark.parametrize("chosen", CASES, ids=lambda c: c.name)
def test_roadrunner_gives_what_scipy_gives(chosen: Case) -> None:
    pytest.importorskip("roadrunner")
    found = roadrunner_errors(chosen.problem().core)
    worst = max(found, key=lambda name: found[name])
    assert found[worst] < LARGEST_ERROR, worst


@pytest.mark.parametrize(
    ("constant", "factor"),
    [
        ("kill_fp", 1.01),
        ("vegf_imax", 1.01),
        ("growth_3", 1.01),
        ("marrow_factor", 1.01),
        ("rho_resistant", 1.01),
    ],
)
def test_the_comparison_sees_a_changed_constant(core: Core, constant: str, factor: float) -> None:
    """A file with one constant off by a hundredth is told apart, by a wide margin."""
    pytest.importorskip("roadrunner")
    from metachron.bench.agreement import shares
    from metachron.bench.solvers import roadrunner_cvode
    from metachron.bench.solvers.scipy_lsoda import names, reference

    other = dict(core.constants) | {constant: core.constants[constant] * factor}
    changed = dataclasses.replace(core, constants=MappingProxyType(other))
    times = np.arange(0.0, core.days, 7.0)
    _, found = roadrunner_cvode.run(core, [changed], 1e-8, times, names(core))
    assert max(shares(found[0], reference(core, times), names(core)).values()) > 100 * LARGEST_ERROR


def test_the_same_file_serves_many_patients() -> None:
    """The loaded model reset to another patient gives that patient, not traces of the one before."""
    pytest.importorskip("roadrunner")
    from metachron.bench.agreement import shares
    from metachron.bench.solvers import roadrunner_cvode
    from metachron.bench.solvers.problems import treated_disease
    from metachron.bench.solvers.scipy_lsoda import names, reference

    problem = treated_disease(3)
    order = [problem.patients[j] for j in (0, 1, 2, 0)]
    times = np.arange(0.0, 366.0, 73.0)
    columns = ["x_1", "x_6", "C", "N"]

    pick = [names(problem.core).index(name) for name in columns]
    _, found = roadrunner_cvode.run(problem.core, order, 1e-10, times, columns)
    for patient, states in zip(order, found, strict=True):
        assert max(shares(states, reference(patient, times)[:, pick], columns).values()) < LARGEST_ERROR


def test_constants_are_all_described_and_used(core: Core) -> None:
    eq = write_equations(core)
    assert all(c.title and c.unit for c in eq.constants)
    names = [q.name for q in (*eq.constants, *eq.variables, *eq.rules)]
    assert len(names) == len(set(names))
    assert "checkpoint_kill" not in names  # nothing of what is never given


def test_the_command_writes_a_file(metachron: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "core.xml"
    result = metachron("sbml", "unresectable_ras_mutant", "--strategy", MEDICINE, "--out", path)
    assert (result.code, result.out.split(":")[0]) == (0, f"Wrote {path}")
    made = libsbml.readSBMLFromFile(str(path))
    assert made.getNumErrors() == 0
    assert made.getModel().getNumEvents() == 4


def test_procedures_are_said_to_be_left_out(metachron: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "core.xml"
    strategy = "mfolfox6*2 > hepatectomy"
    result = metachron("sbml", "synchronous_bilobar", "--strategy", strategy, "--out", path)
    assert result.code == 0
    assert "left out: the procedure planned for day" in result.err
    assert "Left out: the procedure" in path.read_text("utf-8")


def test_what_waits_and_what_returns_is_left_out_and_said() -> None:
    """A step that waits for progression is not laid out; anti-EGFR drugs given again are named."""
    again = Case("again", "folfiri+cetuximab*2 > mfolfox6*2 > folfiri+cetuximab*2", (30.0,)).problem()
    assert any("anti-EGFR" in note for note in again.core.notes)
    waiting = again.programme.segments.copy()
    waiting["trigger"][1] = 1
    programme = again.programme._replace(segments=waiting)
    core = lay_out(programme, again.twins[0], again.lesions[0], again.draws[0], 365.0)
    assert [a.day for a in core.given] == [a.day for a in again.core.given if a.day < 28.0]
    assert any("wait for progression" in note for note in core.notes)


@pytest.mark.parametrize(("line", "before"), [(0, 0), (1, 0), (2, 1), (3, 2)])
def test_earlier_lines_raise_the_hazard(line: int, before: int) -> None:
    """As the kernel counts progressions: one for each line before this one."""
    problem = case("no lesion").problem()
    problem.twins["start_line"] = line
    programme = problem.programme._replace(n_planned=0)
    draw = problem.draws[0]
    core = lay_out(programme, problem.twins[0], problem.lesions[0], draw, 100.0)
    more = draw["death_line"] * math.log(1 + before) + (draw["death_progressed"] if before else 0.0)
    assert core.constants["death_intercept"] == pytest.approx(draw["death_intercept"] + more)
    assert core.constants["death_full_cm"] == draw["death_full_cm"]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--strategy", "mfolfox6", "--twin", "1000"], "--twin: 1000 is out of range"),
        (["--strategy", "mfolfox6", "--days", "0"], "--days: 0 is out of range"),
        (["--strategy", "mfolfox6", "--seed", "-1"], "--seed: -1 is out of range"),
        (["--strategy", "no_such_thing"], "'no_such_thing' is not a strategy"),
    ],
)
def test_bad_options_are_named(
    metachron: Callable[..., Any], tmp_path: Path, options: list[str], named: str
) -> None:
    result = metachron("sbml", "unresectable_ras_mutant", *options, "--out", tmp_path / "core.xml")
    assert result.code == 2
    assert named in result.err
    assert not (tmp_path / "core.xml").exists()


def test_the_help_says_how_many_twins_there_are(metachron: Callable[..., Any]) -> None:
    assert f"Which of {TWINS:,} virtual twins" in " ".join(metachron("sbml", "--help").out.split())


def test_without_libsbml_the_error_says_how_to_get_it(
    metachron: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "libsbml", None)
    result = metachron(
        "sbml", "unresectable_ras_mutant", "--strategy", "mfolfox6", "--out", tmp_path / "core.xml"
    )
    assert result.code == 2
    assert "pip install 'metachron[sbml]'" in result.err


def test_the_core_knows_nothing_of_the_kernel() -> None:
    """The equations that peers read import no function of the model or the engine."""
    for name in ("core", "constants", "equations"):
        text = Path(str(importlib.import_module(f"metachron.interop.{name}").__file__)).read_text("utf-8")
        assert "metachron.engine" not in text
        assert "metachron.model" not in text
