"""The deterministic core of one life: initial state, constants and fixed administrations as plain numbers.

The core is the ODE system of docs/model.md for one twin and one parameter draw: no rules, no scans, no
procedures, no chance. It is what the SBML file holds and what other solvers are given, so nothing here
imports a function of the kernel. Times in days, sizes in ln cells, volumes in mL, rates per day.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

CLASS_NAMES = ("fp", "ox", "iri", "ftd", "egfr", "target")
CYTOTOXIC_CLASSES = (0, 1, 2)  # those that lose potency in later lines
EGFR = 4

# Constants of the equations that are not parameters of a draw
REFERENCE_CELLS = 5.0e10
CELLS_PER_ML = 1.0e9
GROWTH_FRACTION = (0.2, 4.0)
MICRO_CELLS, MACRO_CELLS = 1.0e7, 1.0e8  # resistance: genetic below, functional above
AVASCULAR_CELLS, VASCULAR_CELLS = 3.0e6, 3.0e7  # no vessels below, all of it on vessels above


@dataclass(frozen=True)
class Administration:
    """Everything that is given, or begins, on one day.

    `effect` is added to the drug effects A_k (in the order of CLASS_NAMES), `vegf` to the level (mg/L),
    `marrow` (before the patient's own factor), `lymph` and `chemo` to the drug amounts on the body,
    `nerve` to the oxaliplatin waiting (mg/m2), `cells` to the infused cells, whose loss per day becomes
    `cell_loss`; `checkpoint` is the level reached at least. `opens` are the classes whose resistant
    fraction is set today; `line_growth` and `potency` (None: unchanged) hold from today.
    """

    day: float
    effect: tuple[float, ...] = (0.0,) * 6
    vegf: float = 0.0
    checkpoint: float = 0.0
    marrow: float = 0.0
    lymph: float = 0.0
    chemo: float = 0.0
    nerve: float = 0.0
    cells: float = 0.0
    cell_loss: float | None = None
    opens: tuple[int, ...] = ()
    line_growth: float | None = None
    potency: float | None = None


@dataclass(frozen=True)
class Core:
    """One patient's deterministic core from day 0 to `days`.

    `constants` maps a name to its value; per-lesion names end in _1, _2, ... (`size_1`: ln cells at day 0,
    `growth_1`: rate per day at the reference size), per-class ones in a class name (`kill_fp`). `in_liver`
    and `visible` have one entry per lesion. `notes` says what of the strategy is left out.
    """

    constants: MappingProxyType[str, float]
    in_liver: tuple[bool, ...]
    visible: tuple[bool, ...]
    given: tuple[Administration, ...]
    days: float
    notes: tuple[str, ...] = ()

    @property
    def lesions(self) -> int:
        """Number of lesions."""
        return len(self.in_liver)

    @property
    def classes(self) -> tuple[int, ...]:
        """Kill classes that are given to some lesion, in order."""
        if not self.lesions:
            return ()
        return tuple(k for k in range(len(CLASS_NAMES)) if any(a.effect[k] > 0.0 for a in self.given))

    @property
    def vegf(self) -> bool:
        """Is an anti-VEGF drug given to some lesion?"""
        return self.lesions > 0 and any(a.vegf > 0.0 for a in self.given)

    @property
    def checkpoint(self) -> bool:
        """Is a checkpoint inhibitor given to some lesion?"""
        return self.lesions > 0 and any(a.checkpoint > 0.0 for a in self.given)

    @property
    def cells(self) -> bool:
        """Are cells infused?"""
        return any(a.cells > 0.0 for a in self.given)

    @property
    def immune(self) -> bool:
        """Is there any immune kill?"""
        return self.lesions > 0 and (self.cells or self.checkpoint)

    @property
    def lymphocytes(self) -> bool:
        """Do lymphocytes move at all?"""
        return any(a.lymph > 0.0 for a in self.given)

    @property
    def nerve(self) -> bool:
        """Is there oxaliplatin, now or before?"""
        return self.constants["nerve_start"] > 0.0 or any(a.nerve > 0.0 for a in self.given)

    @property
    def regrows(self) -> bool:
        """Is the liver below the volume to which it returns?"""
        return self.constants["liver_start"] < self.constants["liver_plateau"]
