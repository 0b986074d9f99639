"""The machine and the versions, so that a figure can be judged and repeated."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from metachron import __version__


def processor() -> str:
    """The processor's name, as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.lower().startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def memory_gb() -> float | None:
    """Memory of the machine in GB (1e9 bytes), None where the system does not say."""
    try:
        return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1)
    except (AttributeError, OSError, ValueError):
        return None


def installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine() -> dict[str, object]:
    """Processor, cores, memory, system and versions."""
    return {
        "processor": processor(),
        "cores": cores(),
        "memory_gb": memory_gb(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numba": installed("numba"),
        "numpy": installed("numpy"),
        "metachron": __version__,
    }


def machine_line() -> str:
    """The machine in one sentence, for a table's caption."""
    m = machine()
    memory = f", {m['memory_gb']} GB" if m["memory_gb"] else ""
    return (
        f"{m['processor']}, {m['cores']} cores{memory}, {m['system']}; Python {m['python']}, "
        f"Numba {m['numba']}, NumPy {m['numpy']}, metachron {m['metachron']}"
    )
