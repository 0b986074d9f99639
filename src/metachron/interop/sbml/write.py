"""Equations to SBML Level 3 Version 2 core, checked by libsbml before anything is returned.

Every state is a parameter with a rate rule, every derived quantity an assignment rule, every day of
administration an event at a fixed time. Needs python-libsbml (the extra `sbml`).
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Any

from metachron import DISCLAIMER, __version__
from metachron.errors import InputError, MetachronError
from metachron.interop.equations import Equations, Event, number, write_equations

if TYPE_CHECKING:
    from metachron.interop.core import Core

LEVEL, VERSION = 3, 2
MISSING = "this needs python-libsbml, which is not installed: pip install 'metachron[sbml]'"
# Unit definitions: (kind, exponent, scale, multiplier) factors
UNITS: dict[str, list[tuple[str, int, int, float]]] = {
    "day": [("second", 1, 0, 86400.0)],
    "per_day": [("second", -1, 0, 86400.0)],
    "mL": [("litre", 1, -3, 1.0)],
    "cm": [("metre", 1, -2, 1.0)],
    "mg_per_L": [("gram", 1, -3, 1.0), ("litre", -1, 0, 1.0)],
    "mg_per_m2": [("gram", 1, -3, 1.0), ("metre", -2, 0, 1.0)],
    "per_mL": [("litre", -1, -3, 1.0)],
    "cm3_per_mL": [("metre", 3, -2, 1.0), ("litre", -1, -3, 1.0)],
    "cells": [("item", 1, 0, 1.0)],
    "count": [("item", 1, 9, 1.0), ("litre", -1, 0, 1.0)],
}


def load_libsbml() -> Any:
    """The module libsbml. Raises InputError that says how to install it."""
    try:
        import libsbml
    except ImportError as error:
        raise InputError(MISSING) from error
    return libsbml


def name_units(node: Any, unit: str) -> None:
    """Give every number without a unit this one."""
    if node.isNumber() and not node.isSetUnits():
        node.setUnits(unit)
    for i in range(node.getNumChildren()):
        name_units(node.getChild(i), unit)


class Writer:
    """Builds one document; every libsbml call that can fail is checked."""

    def __init__(self, name: str) -> None:
        self.lib = load_libsbml()
        self.document = self.lib.SBMLDocument(LEVEL, VERSION)
        self.model = self.document.createModel()
        self.model.setId("metachron_core")
        self.model.setName(name)
        self.model.setTimeUnits("day")

    def formula(self, text: str, unit: str = "dimensionless") -> Any:
        """MathML of an infix formula; a formula that is one bare number has the unit given."""
        tree = self.lib.parseL3Formula(text)
        if tree is None:
            raise MetachronError(f"formula {text!r}: {self.lib.getLastParseL3Error()}")
        name_units(tree, unit if tree.getNumChildren() == 0 else "dimensionless")
        return tree

    def units(self) -> None:
        for name, factors in UNITS.items():
            definition = self.model.createUnitDefinition()
            definition.setId(name)
            for kind, exponent, scale, multiplier in factors:
                unit = definition.createUnit()
                unit.setKind(self.lib.UnitKind_forName(kind))
                unit.setExponent(exponent)
                unit.setScale(scale)
                unit.setMultiplier(multiplier)

    def parameter(self, name: str, unit: str, title: str, value: float | None, constant: bool) -> None:
        parameter = self.model.createParameter()
        parameter.setId(name)
        parameter.setName(title)
        parameter.setUnits(unit)
        parameter.setConstant(constant)
        if value is not None:
            parameter.setValue(value)

    def event(self, index: int, event: Event) -> None:
        """Assignments at the start of a day, all from the values before it."""
        made = self.model.createEvent()
        made.setId(f"day_{event.day:g}".replace(".", "_"))
        made.setName(f"Given on day {event.day:g}")
        made.setUseValuesFromTriggerTime(True)
        trigger = made.createTrigger()
        trigger.setInitialValue(False)
        trigger.setPersistent(True)
        trigger.setMath(self.formula(f"time >= given_{index}"))
        for name, text in event.assign.items():
            assignment = made.createEventAssignment()
            assignment.setVariable(name)
            assignment.setMath(self.formula(text))

    def fill(self, eq: Equations) -> None:
        """Everything of the equations."""
        self.units()
        for c in eq.constants:
            self.parameter(c.name, c.unit, c.title, c.value, True)
        for v in eq.variables:
            self.parameter(v.name, v.unit, v.title, None, False)
            start = self.model.createInitialAssignment()
            start.setSymbol(v.name)
            start.setMath(self.formula(v.start, v.unit))
            if v.rate:
                rule = self.model.createRateRule()
                rule.setVariable(v.name)
                rule.setMath(self.formula(v.rate))
        for r in eq.rules:
            self.parameter(r.name, r.unit, r.title, None, False)
            rule = self.model.createAssignmentRule()
            rule.setVariable(r.name)
            rule.setMath(self.formula(r.formula))
        for index, event in enumerate(eq.events, 1):
            self.parameter(f"given_{index}", "day", "A day on which something is given", event.day, True)
            self.event(index, event)

    def notes(self, lines: Iterable[str]) -> None:
        text = "".join(f"<p>{escape(line)}</p>" for line in lines)
        self.model.setNotes(f'<body xmlns="http://www.w3.org/1999/xhtml">{text}</body>')

    def text(self) -> str:
        """The file. Raises MetachronError when libsbml finds an error in it."""
        faults = errors(self.document, self.lib)
        if faults:
            raise MetachronError(f"the SBML would not be valid: {faults[0]}")
        return str(self.lib.writeSBMLToString(self.document))


def errors(document: Any, lib: Any) -> list[str]:
    """What libsbml's consistency check finds at the level of errors; warnings are not counted."""
    document.checkConsistency()
    found = (document.getError(i) for i in range(document.getNumErrors()))
    return [e.getMessage().strip() for e in found if e.getSeverity() >= lib.LIBSBML_SEV_ERROR]


def warnings(document: Any, lib: Any) -> list[str]:
    """What the same check finds at the level of warnings."""
    document.checkConsistency()
    found = (document.getError(i) for i in range(document.getNumErrors()))
    return [e.getMessage().strip() for e in found if e.getSeverity() < lib.LIBSBML_SEV_ERROR]


def sbml_text(core: Core, *, title: str = "Deterministic core of one virtual twin") -> str:
    """The core as SBML Level 3 Version 2.

    Raises InputError when python-libsbml is missing, MetachronError when the result would not be valid.
    """
    writer = Writer(title)
    writer.fill(write_equations(core))
    writer.notes(
        [
            f"Written by metachron {__version__}. {DISCLAIMER}",
            "One twin under one parameter draw and a fixed schedule over "
            f"{number(core.days)} days: no rules, scans, procedures, extinction or chance.",
            *(f"Left out: {note}." for note in core.notes),
        ]
    )
    return writer.text()
