"""The one compiler setting of the project.

Every function of the model and the engine is plain scalar Python, compiled by Numba and cached on
disk. NUMBA_DISABLE_JIT=1 runs the same code uncompiled, for debugging and coverage. Numba only
notices a change in the file of the function it looks up, not in those it calls, so the cache folder
is named after the text of all compiled files: an upgrade can never run stale code.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numba
import numpy as np

_PACKAGE = Path(__file__).resolve().parent.parent


def _source_hash() -> str:
    digest = hashlib.sha256()
    for folder in ("model", "engine"):
        for file in sorted((_PACKAGE / folder).glob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Where compiled code is kept: METACHRON_CACHE, or the user's cache folder."""
    root = os.environ.get("METACHRON_CACHE") or os.environ.get("XDG_CACHE_HOME")
    base = Path(root) if root else Path.home() / ".cache"
    return base / "metachron" / f"numba-{_source_hash()}"


# Set on the configuration and not in the environment: numba may have been imported before, and a child
# process must name the folder after its own text.
if not os.environ.get("NUMBA_CACHE_DIR"):
    numba.config.CACHE_DIR = str(cache_folder())  # type: ignore[attr-defined]

UNCOMPILED: bool = bool(numba.config.DISABLE_JIT)  # type: ignore[attr-defined]
# Contraction (a * b + c in one rounding) and reciprocals change last bits, not the order of sums; infinity
# and NaN keep their meaning.
jit = numba.njit(  # type: ignore[call-overload]
    cache=True,
    nogil=True,
    error_model="numpy",
    no_cfunc_wrapper=True,
    fastmath={"contract", "arcp"},
)


def attributes(array: Any) -> Any:
    """The array; without compilation a view whose records have attributes, as compiled code sees them."""
    return array.view(np.recarray) if UNCOMPILED else array
