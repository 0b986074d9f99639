"""The kernel on CUDA: in Numba's simulator, through the device compiler, and refused without a device.

Speed is not looked at. The tolerance against compiled code on the processor is 1e-9 of each number: it is
there for libraries whose exp or log differ in the last bit. Against uncompiled code not one bit may differ.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cuda_child
import numpy as np
import pytest

from metachron.engine import cuda
from metachron.errors import EngineError

CHILD = Path(__file__).with_name("cuda_child.py")
TOLERANCE = 1e-9
KINDS = ("outcomes", "grades", "starts", "ends")


def child(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", str(CHILD), *arguments]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    path = tmp_path_factory.mktemp("cuda") / "lives.npz"
    done = child("simulate", str(path), NUMBA_ENABLE_CUDASIM="1", NUMBA_DISABLE_JIT="1")
    assert done.returncode == 0, done.stderr
    with np.load(path) as found:
        return dict(found)


def columns(array: np.ndarray) -> dict[str, np.ndarray]:
    """The array by field; whole when it has none."""
    return {name: array[name] for name in array.dtype.names} if array.dtype.names else {"": array}


@pytest.mark.parametrize("i", range(len(cuda_child.CASES)))
@pytest.mark.parametrize("kind", ["plain", "parts"])
def test_simulator_is_bit_equal_to_uncompiled_code_and_to_other_batches(
    simulated: dict[str, np.ndarray], i: int, kind: str
) -> None:
    for name in KINDS:
        there = columns(simulated[f"{i} whole {name}"])
        for field, value in columns(simulated[f"{i} {kind} {name}"]).items():
            np.testing.assert_array_equal(there[field], value, err_msg=f"{name} {field}")


@pytest.mark.parametrize("i", range(len(cuda_child.CASES)))
def test_simulator_agrees_with_compiled_code(simulated: dict[str, np.ndarray], i: int) -> None:
    here = cuda_child.arrays(cuda_child.lives(cuda_child.case(*cuda_child.CASES[i]), "cpu"))
    assert np.isfinite(here["starts"]).any(), "nothing was given, so the case shows nothing"
    for name in KINDS:
        for field, value in columns(here[name]).items():
            there = columns(simulated[f"{i} whole {name}"])[field]
            if value.dtype.kind == "i":
                np.testing.assert_array_equal(there, value, err_msg=f"{name} {field}")
            else:
                np.testing.assert_allclose(there, value, rtol=TOLERANCE, err_msg=f"{name} {field}")


@pytest.mark.parametrize("capability", ["9.0"])
def test_the_device_compiler_accepts_the_kernel(capability: str) -> None:
    done = child("compile", capability, NUMBA_ENABLE_CUDASIM="0", NUMBA_DISABLE_JIT="0")
    if done.returncode == cuda_child.MISSING:
        pytest.skip("needs numba-cuda and NVVM")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith(f"sm_{capability.replace('.', '')}")


@pytest.mark.skipif(cuda.cuda is not None and cuda.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_device_it_says_so() -> None:
    with pytest.raises(EngineError, match="CUDA device"):
        cuda_child.lives(cuda_child.case(*cuda_child.CASES[0]), "cuda")


def test_without_the_package_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "cuda", None)
    with pytest.raises(EngineError, match="numba-cuda"):
        cuda.check_device()


@pytest.mark.parametrize(
    ("free", "twins", "expected"),
    [(float("inf"), 100, 100), (float("inf"), 10**8, cuda.MOST_TWINS), (0.0, 100, 1)],
)
def test_batches_fit_the_memory(free: float, twins: int, expected: int) -> None:
    assert cuda.batch_size(free, 10, 1000, twins) == expected


def test_batches_leave_room_for_the_workspace() -> None:
    free = 1e9
    size = cuda.batch_size(free, 1000, 1000, 10**9)
    assert size * 1000 + 1000 * cuda.STATE.itemsize <= cuda.MEMORY_SHARE * free
    assert size > 1000
