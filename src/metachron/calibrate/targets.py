"""Trials to fit and to validate on: one YAML file a trial, checked on reading.

`load_targets()` reads the registry (`evidence/targets/*.yaml`); `load_targets([path, ...])` reads files or
folders of the user's own. The format is explained in docs/targets.md, `template.yaml` is one to fill in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from metachron.calibrate.targets_data import (
    DAYS_PER_MONTH,
    ENDPOINTS,
    SIMULATED,
    Contrast,
    CurveData,
    Finding,
    Landmark,
    Median,
    Response,
)
from metachron.calibrate.targets_messages import field_problems
from metachron.calibrate.targets_population import Population, Record, Size, Status, unit
from metachron.errors import InputError, Problem
from metachron.evidence import facts as fact_table

__all__ = [
    "DAYS_PER_MONTH",
    "ENDPOINTS",
    "SETTINGS",
    "SIMULATED",
    "Arm",
    "Citation",
    "Contrast",
    "CurveData",
    "Earlier",
    "Landmark",
    "Later",
    "Median",
    "Population",
    "Response",
    "Scans",
    "Size",
    "Target",
    "load_targets",
    "parse_target",
    "read_target",
]

FOLDER = Path(fact_table.__file__).parent / "targets"
MAX_BYTES = 1_000_000
Setting = Literal[
    "adjuvant",
    "resected_metastases",
    "liver_local",
    "first_line",
    "maintenance",
    "second_line",
    "later_line",
]
SETTINGS: tuple[str, ...] = Setting.__args__  # type: ignore[attr-defined]
EVERYTHING = "everything"
NEEDS_EARLIER = ("maintenance", "second_line", "later_line")
WITHOUT_EARLIER = ("adjuvant", "first_line")


class Citation(Record):
    """Where the trial was published."""

    text: str = Field(min_length=5)
    pmid: str | None = Field(None, pattern=r"^\d+$")
    doi: str | None = None

    @field_validator("pmid", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) else value


class Earlier(Record):
    """Lines before the trial, in order, and the share of the patients who had them."""

    share: float = Field(1.0, gt=0, le=100)
    lines: list[str] = Field(min_length=1, max_length=6)


class Later(Record):
    """What follows the arm's strategy; what is left out follows the catalogue."""

    lines: list[str] | None = Field(None, max_length=8, description="Later lines, in order; [] for none.")
    on_recurrence: Literal["local then systemic", "systemic", "none"] | None = None
    induction_again: bool = Field(
        False, description="Maintenance: at progression the induction is given again before other lines."
    )
    secondary_resection: bool = Field(
        True, description="May metastases confined to the liver be taken out once they have responded?"
    )
    note: str = ""


class Scans(Record):
    """When patients are imaged: one of the three."""

    every_days: int | None = Field(None, ge=7, le=730, json_schema_extra=unit("days"))
    surveillance: str | None = Field(None, description="A schedule of the catalogue.")
    intervals: list[tuple[int, int]] | None = Field(
        None, min_length=1, description="[until day, every days], in order."
    )
    seen_mm: float | None = Field(
        None, ge=5, le=80, json_schema_extra=unit("mm"), description="Size found half the time, when not CT."
    )
    status: Status = "assumed"
    note: str = ""

    @model_validator(mode="after")
    def _one(self) -> Scans:
        given = [v for v in (self.every_days, self.surveillance, self.intervals) if v is not None]
        if len(given) != 1:
            raise ValueError("give one of every_days, surveillance and intervals")
        rows = self.intervals or []
        if any(every < 7 or until < 1 for until, every in rows) or [u for u, _ in rows] != sorted(
            {u for u, _ in rows}
        ):
            raise ValueError("intervals are [until day, every days] with rising days, at least 7 apart")
        return self


class Arm(Record):
    """One arm, or one subgroup of an arm."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$")
    title: str = ""
    strategy: str = Field(min_length=1)
    n: int = Field(gt=0, json_schema_extra=unit("patients"))
    not_modelled: list[str] = Field(
        default_factory=list, description="Drugs given that the model leaves out."
    )
    subgroup: Population | None = None
    later: Later | None = None
    status: Status = "read"
    note: str = ""


class Target(Record):
    """One trial: patients, arms and findings."""

    trial: str = Field(min_length=1, max_length=60)
    title: str = ""
    citation: Citation
    setting: Setting
    population: Population = Population()
    earlier: list[Earlier] = Field(default_factory=list)
    scans: Scans | None = None
    horizon_months: float | None = Field(None, gt=0, le=240, json_schema_extra=unit("months"))
    later: Later | None = None
    not_available: list[str] = Field(
        default_factory=list,
        description="Drugs or regimens that could not be had after the arm, or [everything].",
    )
    arms: list[Arm] = Field(min_length=1, max_length=40)
    curves: list[CurveData] = Field(default_factory=list)
    landmarks: list[Landmark] = Field(default_factory=list)
    medians: list[Median] = Field(default_factory=list)
    responses: list[Response] = Field(default_factory=list)
    contrasts: list[Contrast] = Field(default_factory=list)
    note: str = ""

    @field_validator("trial", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) else value  # 20050181 is a trial

    @field_validator("scans", mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"surveillance": value}
        if isinstance(value, int):
            return {"every_days": value}
        return {"intervals": value} if isinstance(value, list) else value

    @model_validator(mode="after")
    def _consistent(self) -> Target:
        faults = [*self._faults_of_names(), *self._faults_of_lines()]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _faults_of_names(self) -> Iterator[str]:
        names = [arm.name for arm in self.arms]
        for name in sorted(n for n, count in Counter(names).items() if count > 1):
            yield f"arm {name} is defined twice"
        for finding in self.findings():
            used = {getattr(finding, "arm", names[0]), getattr(finding, "reference", names[0])}
            for name in sorted(used - set(names)):
                yield f"{name!r} is not an arm of this trial (arms: {', '.join(names)})"
        curves = Counter((c.endpoint, c.arm, c.figure) for c in self.curves)
        for endpoint, arm, figure in (key for key, count in curves.items() if count > 1):
            yield f"two curves for {endpoint} of {arm}, figure {figure!r}"
        fitted = Counter((c.endpoint, c.arm) for c in self.curves if c.use == "fit")
        for endpoint, arm in (key for key, count in fitted.items() if count > 1):
            yield f"two curves to fit for {endpoint} of {arm}; the same patients would count twice"

    def _faults_of_lines(self) -> Iterator[str]:
        if self.setting in NEEDS_EARLIER and not self.earlier:
            what = "the induction" if self.setting == "maintenance" else "the lines before the trial"
            yield f'{self.setting} needs {what} under earlier, e.g. [{{share: 1.0, lines: ["mfolfox6"]}}]'
        if self.setting in WITHOUT_EARLIER and self.earlier:
            yield f"{self.setting} has no lines before the trial; leave earlier out"
        total = sum(entry.share for entry in self.earlier)
        if self.earlier and abs(total - 1) > 0.02:
            yield f"the shares of earlier sum to {total:g}, not to 1"

    def findings(self) -> Iterator[Finding]:
        """Every finding: curves, landmarks, medians, responses, contrasts."""
        for group in (self.curves, self.landmarks, self.medians, self.responses, self.contrasts):
            yield from group

    def arm(self, name: str) -> Arm:
        """The arm of that name. Raises InputError listing the arms."""
        for arm in self.arms:
            if arm.name == name:
                return arm
        names = ", ".join(a.name for a in self.arms)
        raise InputError(Problem("arm", f"{name!r} is not an arm of {self.trial}", names))

    def population_of(self, arm: str) -> Population:
        """Population of an arm: the trial's with the subgroup in its place."""
        return self.population.with_subgroup(self.arm(arm).subgroup)

    @property
    def measures_response(self) -> bool:
        """Is the response to the trial's treatment simulated? Not after earlier lines or without disease."""
        return self.setting in ("first_line", "liver_local") and not self.earlier

    def later_of(self, arm: str) -> Later:
        """What follows the strategy of an arm: its own word, else the trial's, else the catalogue's."""
        return self.arm(arm).later or self.later or Later()

    def scans_or_default(self) -> Scans:
        """The declared scans; else every 8 weeks with visible disease, and the catalogue's without."""
        if self.scans is not None:
            return self.scans
        if self.setting in ("adjuvant", "resected_metastases", "liver_local"):
            return Scans(surveillance="standard" if self.setting == "adjuvant" else "intensive")
        return Scans(every_days=56)

    @property
    def horizon_days(self) -> float:
        """How long to simulate after randomisation: as declared, else to the last finding, else 5 years."""
        if self.horizon_months is not None:
            return self.horizon_months * DAYS_PER_MONTH
        ends = [c.months[-1] for c in self.curves]
        ends += [f.months for f in self.landmarks] + [2 * f.months for f in self.medians]
        return max(ends, default=60.0) * DAYS_PER_MONTH


class _UniqueKeys(yaml.CSafeLoader):
    """YAML keeps the last of two equal fields without a word; here that is a fault."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1})
        if twice:
            where = f"line {node.start_mark.line + 1}"
            raise InputError(Problem(", ".join(twice), f"is given twice in the object at {where}"))
        return super().construct_mapping(node, deep)


def parse_target(data: Any, source: str = "") -> Target:
    """A checked trial from plain data, its strategies against the catalogue and facts against the table.
    Raises InputError with every problem found."""
    if not isinstance(data, dict):
        message = "a trial is one object with named fields: trial, citation, setting, arms, ..."
        raise InputError(Problem("", message, "", "`metachron validate --template` prints one"), source)
    try:
        target = Target.model_validate(data)
    except ValidationError as error:
        raise InputError(field_problems(error, Target), source) from None
    if problems := [*_strategy_problems(target), *_fact_problems(target)]:
        raise InputError(problems, source)
    return target


def read_target(path: Path | str) -> Target:
    """One trial file. Raises InputError."""
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(Problem("", "the file is too large", "1 MB"))
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeys)
    except InputError as error:
        raise InputError(error.problems, str(path)) from None
    except OSError as error:
        raise InputError(Problem("", f"cannot be read ({error.strerror})"), str(path)) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(Problem("", f"is not readable YAML ({reason})"), str(path)) from None
    return parse_target(content, str(path))


def load_targets(paths: Sequence[Path | str] | None = None) -> dict[str, Target]:
    """Trials by name, in alphabetical order of their files; None: the registry of the package.

    `paths` are files or folders of YAML files. Raises InputError for a fault, and for a trial given twice.
    """
    if paths is None:
        return dict(_registry())
    return _read_all([file for path in paths for file in _files(Path(path))])


@cache
def _registry() -> dict[str, Target]:
    return _read_all(_files(FOLDER))


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.iterdir() if p.suffix in (".yaml", ".yml"))
    if not found:
        raise InputError(Problem("", "the folder holds no trial (.yaml)"), str(path))
    return found


def _read_all(files: Iterable[Path]) -> dict[str, Target]:
    found: dict[str, Target] = {}
    home: dict[str, Path] = {}
    for file in files:
        target = read_target(file)
        if target.trial in found:
            raise InputError(Problem("trial", f"{target.trial} is also in {home[target.trial]}"), str(file))
        found[target.trial], home[target.trial] = target, file
    return found


def _strategy_problems(target: Target) -> Iterator[Problem]:
    from metachron.strategies.catalogue import load_catalogue
    from metachron.strategies.language import resolve

    catalogue = load_catalogue()
    for path, text in _expressions(target):
        try:
            resolve(text, catalogue)
        except InputError as error:
            first = error.problems[0]
            at = f" ({first.path})" if first.path else ""
            yield Problem(path, f"{text!r}: {first.message}{at}", first.allowed, first.suggestion)
    known = {*catalogue.drugs, *catalogue.regimens, EVERYTHING}
    for index, drug in enumerate(target.not_available):
        if drug not in known:
            yield catalogue.unknown(drug, "drug or regimen", sorted(known), f"not_available[{index}]")
    name = target.scans.surveillance if target.scans else None
    if name is not None and name not in catalogue.surveillance:
        names = catalogue.names("surveillance")
        yield catalogue.unknown(name, "surveillance schedule", names, "scans")


def _expressions(target: Target) -> Iterator[tuple[str, str]]:
    """Every strategy expression with its path."""
    for index, arm in enumerate(target.arms):
        yield f"arms[{index}].strategy", arm.strategy
        for line in (arm.later.lines if arm.later else None) or []:
            yield f"arms[{index}].later", line
    for index, entry in enumerate(target.earlier):
        yield from ((f"earlier[{index}].lines", line) for line in entry.lines)
    yield from (("later.lines", line) for line in (target.later.lines if target.later else None) or [])


def _fact_problems(target: Target) -> Iterator[Problem]:
    keys = {key for finding in target.findings() for key in finding.fact}
    if keys:
        known = fact_table.load_facts()
        yield from (Problem("fact", f"{key} is not in the fact table") for key in sorted(keys - known.keys()))
