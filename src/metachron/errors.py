"""The exceptions of metachron: everything a user may cause ends in one of them."""

from __future__ import annotations

from dataclasses import dataclass


class MetachronError(Exception):
    """Base class; the message is one a user can act on. `exit_code` is what the command line returns."""

    exit_code = 1


@dataclass(frozen=True)
class Problem:
    """One fault in an input: where it is, what is wrong, what is allowed, what to do about it."""

    path: str
    message: str
    allowed: str = ""
    suggestion: str = ""

    def __str__(self) -> str:
        text = f"{self.path}: {self.message}" if self.path else self.message
        if self.allowed:
            text += f" (allowed: {self.allowed})"
        if self.suggestion:
            text += f". {self.suggestion}"
        return text


class InputError(MetachronError):
    """An input file or option is wrong. Carries every problem found, first the most telling."""

    exit_code = 2

    def __init__(self, problems: list[Problem] | Problem | str, source: str = "") -> None:
        if isinstance(problems, str):
            problems = [Problem("", problems)]
        elif isinstance(problems, Problem):
            problems = [problems]
        self.problems = problems
        self.source = source
        head = f"{source}: " if source else ""
        super().__init__(head + "; ".join(str(p) for p in problems))


class TwinError(MetachronError):
    """Too few virtual patients are compatible with the findings."""

    exit_code = 3


class EngineError(MetachronError):
    """The engine was called with arrays it cannot simulate."""
