"""Options that several commands share, each declared once; defaults stay with the command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def json_only(what: str, *, written: bool = False) -> Any:
    """The option `--json` of a command that prints `what`; `written`: it writes files anyway without it."""
    files = "; files are written only with --out" if written else ""
    return typer.Option("--json", help=f"Print {what} as JSON only{files}.")


Patient = Annotated[
    str, typer.Argument(metavar="PATIENT", help="Patient file (JSON or YAML), or a bundled example's name.")
]
TrialFiles = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE_OR_DIR",
        help="Trial files (YAML) or folders of them, repeat for more; the registered trials when left out.",
    ),
]
Draws = Annotated[int, typer.Option(metavar="K", help="Parameter draws, 2 to 2,000.")]
Seed = Annotated[int, typer.Option(metavar="S", help="Same seed, same numbers.")]
Horizon = Annotated[float, typer.Option(metavar="YEARS", help="Years ahead, 0.5 to 20.")]
Jobs = Annotated[
    int | None, typer.Option(metavar="N", help="Threads; all cores when left out. Numbers do not change.")
]
Device = Annotated[str, typer.Option(metavar="NAME", help="cpu, or cuda where there is a CUDA device.")]
Prior = Annotated[
    bool, typer.Option("--prior", help="Parameters from the prior alone, not fitted to trials.")
]
