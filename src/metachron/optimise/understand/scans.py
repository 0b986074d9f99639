"""What tests and scans would show of each twin: the twins' own attributes, and scans with their errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from metachron.engine.records import LIVER, OCCULT, VISIBLE
from metachron.model.growth import grow_many
from metachron.parameters import load_parameters
from metachron.patient import derive
from metachron.patient.schema import Modality, Patient
from metachron.plan.candidates import (
    PREVALENCE_BRAF,
    PREVALENCE_MSI,
    PREVALENCE_NODE_POSITIVE,
    PREVALENCE_RAS,
    PREVALENCE_SYNCHRONOUS,
)
from metachron.plan.findings import Findings, node_state
from metachron.plan.twins import Twins, doubling_times, unseen_counts
from metachron.population.streams import Streams

Floats = NDArray[np.float64]
MOST_COUNTED = 3  # lesions beyond this are one group
WEEKS = 8  # between two CTs of which the second shows the growth
HALF_UNSEEN = "detect_mri_cells"
SCAN_PAUSE_NOTE = "Growth without treatment while waiting is not charged."


@dataclass(frozen=True)
class Signal:
    """What one test shows of each twin (n,): groups with labels, or a number.

    `perfect`: no error of its own. `citations`: keys of references or facts.
    """

    name: str
    title: str
    kind: Literal["test", "scan", "parameter", "hidden"]
    shown: Floats
    perfect: bool
    labels: dict[float, str] | None = None
    fields: tuple[str, ...] = ()
    citations: tuple[str, ...] = ()
    note: str = ""
    unit: str = ""


def signals(patient: Patient, found: Findings, twins: Twins, seed: int) -> list[Signal]:
    """Everything that a test, a scan or perfect knowledge could show of these twins.

    `seed`: of the streams the twins were drawn with; one batch.
    """
    listed = [
        *_markers(patient, twins, seed),
        *_history(patient, found, twins, seed),
        None if _had_mri(patient) else _liver_mri(twins),
        _unseen(twins),
        _second_ct(twins, seed),
        _doubling(twins),
        *_liver_volume(patient, twins),
    ]
    return [s for s in listed if s is not None and np.ptp(s.shown) > 0]


def flag(twins: Twins, seed: int, stream: str, prevalence: float) -> Floats:
    """The yes-or-no attribute (n,) that each twin was drawn with, from its own stream, before selection."""
    u = Streams(seed)[stream].random(twins.candidates)
    return np.asarray(u < prevalence, dtype=np.float64)[twins.source]


def _markers(patient: Patient, twins: Twins, seed: int) -> list[Signal]:
    """Markers that are not known, among patients whose disease they can change."""
    rows = (
        ("ras", "RAS test", PREVALENCE_RAS, {0.0: "wild type", 1.0: "mutant"}, "epidemiology-037"),
        ("braf", "BRAF test", PREVALENCE_BRAF, {0.0: "wild type", 1.0: "V600E"}, "epidemiology-031"),
        ("msi", "microsatellite test", PREVALENCE_MSI, {0.0: "MSS", 1.0: "MSI-high"}, "epidemiology-030"),
    )
    return [
        Signal(
            f"markers.{name}",
            title,
            "test",
            flag(twins, seed, name, prevalence),
            True,
            labels,
            (f"markers.{name}",),
            (fact,),
            "Taken as without error.",
        )
        for name, title, prevalence, labels, fact in rows
        if getattr(patient.markers, name) is None
    ]


def _history(patient: Patient, found: Findings, twins: Twins, seed: int) -> list[Signal]:
    """Nodes and timing of the metastases, where the record is silent."""
    listed: list[Signal] = []
    if node_state(patient)[1] is None:
        shown = flag(twins, seed, "nodes", PREVALENCE_NODE_POSITIVE)
        labels = {0.0: "nodes negative", 1.0: "nodes positive"}
        fields = ("primary.n", "primary.nodes_positive")
        title = "pathology report on the regional nodes"
        listed.append(Signal("primary.n", title, "test", shown, True, labels, fields))
    if found.synchronous is None and found.lesions:
        shown = flag(twins, seed, "synchronous", PREVALENCE_SYNCHRONOUS)
        labels = {0.0: "metachronous", 1.0: "synchronous"}
        listed.append(
            Signal(
                "primary.diagnosed_on",
                "when the metastases were first seen",
                "test",
                shown,
                True,
                labels,
                ("primary.diagnosed_on",),
            )
        )
    return listed


def _had_mri(patient: Patient) -> bool:
    """The lesions in place were last measured on MRI."""
    return any(derive.latest(m).modality == Modality.MRI for m in derive.in_place(patient))


def _liver_mri(twins: Twins) -> Signal:
    """Lesions of the liver that CT has not shown and MRI would.

    How hard a lesion is to see goes with it from scan to scan, so that this takes no coin of its own.
    """
    limit = np.log(load_parameters()[HALF_UNSEEN].value)
    lesions = twins.lesions
    hidden = (lesions["status"] == OCCULT) & (lesions["organ"] == LIVER)
    count = np.minimum((hidden & (lesions["x"] > limit + lesions["offset"])).sum(1), MOST_COUNTED)
    return Signal(
        "liver MRI",
        "MRI of the liver",
        "scan",
        count.astype(float),
        False,
        _counts("new lesions", "new lesion", int(count.max())),
        ("metastases",),
        (load_parameters()[HALF_UNSEEN].source,),
        "Sees half of lesions of 1.5e8 cells (6.6 mm); false positives are left out.",
    )


def _counts(many: str, one: str, most: int) -> dict[float, str]:
    labels = {0.0: f"no {one}"}
    for k in range(1, most + 1):
        more = " or more" if k == MOST_COUNTED else ""
        labels[float(k)] = f"{k}{more} {one if k == 1 else many}"
    return labels


def _unseen(twins: Twins) -> Signal:
    count = np.minimum(unseen_counts(twins), MOST_COUNTED).astype(float)
    return Signal(
        "unseen lesions",
        "knowing every unseen metastasis",
        "hidden",
        count,
        True,
        _counts("unseen lesions", "unseen lesion", int(count.max())),
        note="No test does this; no scan for unseen lesions can be worth more.",
    )


def _second_ct(twins: Twins, seed: int) -> Signal | None:
    """ln ratio of the largest diameter on two CTs eight weeks apart, both measured with error."""
    parameters = load_parameters()
    k = float(np.log(parameters["capacity_cells"].value))
    largest = np.where(twins.lesions["status"] == VISIBLE, twins.lesions["x"], -np.inf)
    column = np.argmax(largest, axis=1)
    row = np.arange(twins.size)
    x = largest[row, column]
    if not np.isfinite(x).all():
        return None
    rate = twins.twins["growth"] * twins.lesions["growth"][row, column]
    later = grow_many(x.copy(), np.full(twins.size, 7.0 * WEEKS), rate, k)
    cv = twins.draws["measurement_cv"][twins.twins["draw"]]
    error = np.sqrt(2.0) * cv * np.random.default_rng([seed, 0xC7]).standard_normal(twins.size)
    return Signal(
        "second CT",
        f"a second CT after {WEEKS} weeks without treatment",
        "scan",
        np.asarray((later - x) / 3.0 + error),
        False,
        fields=("metastases.measurements",),
        citations=("assumption",),
        note="Error of a measured diameter as in the model (assumed). " + SCAN_PAUSE_NOTE,
        unit="ln diameter ratio",
    )


def _doubling(twins: Twins) -> Signal:
    return Signal(
        "doubling time",
        "knowing the doubling time exactly",
        "hidden",
        np.log(doubling_times(twins)),
        True,
        note="No test does this; no repeated scan can be worth more.",
        unit="ln days",
    )


def _liver_volume(patient: Patient, twins: Twins) -> list[Signal]:
    if patient.liver.volume_ml is not None:
        return []
    title, fields = "volumetry of the liver", ("liver.volume_ml",)
    volume = np.asarray(twins.twins["liver_ml"], dtype=np.float64)
    return [Signal("liver.volume_ml", title, "scan", volume, True, fields=fields, unit="mL")]
