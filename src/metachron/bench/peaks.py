"""What this processor can do at most: operations per second in SIMD lanes, one at a time, and in a chain.

Small compiled loops over arrays that stay in the cache. `vector` for exp, log and pow is NumPy, whose loops
use SIMD; Numba calls the scalar C library. `chain`: each operation needs the result of the one before it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from metachron.bench.timing import timed

Floats = NDArray[np.float64]
SIZE = 16384  # doubles; with as many results 256 kB, in the second-level cache
CHAINS = 8  # independent recurrences that hide each other's latency
jit: Callable[..., Any] = numba.njit(nogil=True, error_model="numpy")


@jit
def scalar_exp(x: Floats, y: Floats) -> None:
    for i in range(x.size):
        y[i] = np.exp(-x[i])


@jit
def scalar_log(x: Floats, y: Floats) -> None:
    for i in range(x.size):
        y[i] = np.log(x[i])


@jit
def scalar_pow(x: Floats, y: Floats) -> None:
    for i in range(x.size):
        y[i] = x[i] ** 0.37


@jit
def scalar_divide(x: Floats, y: Floats) -> None:
    a = b = c = d = e = f = g = h = 1.5
    for _ in range(x.size // CHAINS):
        a, b, c, d, e, f, g, h = 2.0 / a, 3.0 / b, 4.0 / c, 5.0 / d, 6.0 / e, 7.0 / f, 8.0 / g, 9.0 / h
    y[0] = a + b + c + d + e + f + g + h


@jit
def scalar_multiply(x: Floats, y: Floats) -> None:
    k = 0.3
    a = b = c = d = e = f = g = h = 1.5
    for _ in range(x.size // CHAINS):
        a, b, c, d, e, f, g, h = a * k, b * k, c * k, d * k, e * k, f * k, g * k, h * k
        a, b, c, d, e, f, g, h = a + k, b + k, c + k, d + k, e + k, f + k, g + k, h + k
    y[0] = a + b + c + d + e + f + g + h


@jit
def vector_divide(x: Floats, y: Floats) -> None:
    for i in range(x.size):
        y[i] = 2.0 / x[i]


@jit
def vector_multiply(x: Floats, y: Floats) -> None:
    k = 0.3
    for i in range(x.size):
        v = x[i]
        y[i] = ((((v * k + v) * v + k) * v + v) * k + v) * v + k  # 5 of each: 10 operations a double


@jit
def chain_exp(x: Floats, y: Floats) -> None:
    s = 1.0
    for _ in range(x.size):
        s = np.exp(-s)
    y[0] = s


@jit
def chain_log(x: Floats, y: Floats) -> None:
    s = 9.0
    for _ in range(x.size // 2):
        s = np.log(s + 9.0)
        s = np.log(s + 7.0)
    y[0] = s


@jit
def chain_pow(x: Floats, y: Floats) -> None:
    s = 1.0
    for _ in range(x.size):
        s = (s + 1.0) ** 0.37
    y[0] = s


@jit
def chain_divide(x: Floats, y: Floats) -> None:
    s = 1.5
    for _ in range(x.size):
        s = 2.0 / s
    y[0] = s


@jit
def chain_multiply(x: Floats, y: Floats) -> None:
    s, k = 1.5, 0.3
    for _ in range(x.size):
        s = s * k
        s = s + k
    y[0] = s


def _vector(function: Callable[..., Any], x: Floats, y: Floats) -> None:
    function(x, out=y)


def _vector_pow(x: Floats, y: Floats) -> None:
    np.power(x, 0.37, out=y)


# bound -> operation -> (loop, operations per array element)
LOOPS: dict[str, dict[str, tuple[Callable[[Floats, Floats], Any], int]]] = {
    "vector": {
        "exp": (partial(_vector, np.exp), 1),
        "log": (partial(_vector, np.log), 1),
        "pow": (_vector_pow, 1),
        "divide": (vector_divide, 1),
        "multiply": (vector_multiply, 10),
    },
    "scalar": {
        "exp": (scalar_exp, 1),
        "log": (scalar_log, 1),
        "pow": (scalar_pow, 1),
        "divide": (scalar_divide, 1),
        "multiply": (scalar_multiply, 2),
    },
    "chain": {
        "exp": (chain_exp, 1),
        "log": (chain_log, 1),
        "pow": (chain_pow, 1),
        "divide": (chain_divide, 1),
        "multiply": (chain_multiply, 2),
    },
}


def _rounds(loop: Callable[[Floats, Floats], Any], rounds: int) -> None:
    x, y = np.linspace(0.5, 3.0, SIZE), np.empty(SIZE)
    for _ in range(rounds):
        loop(x, y)


def rate(loop: Callable[[Floats, Floats], Any], threads: int, rounds: int, runs: int) -> float:
    """Passes over the array per second on `threads` threads at once, median of `runs`."""
    with ThreadPoolExecutor(threads) as pool:

        def once() -> None:
            for job in [pool.submit(_rounds, loop, rounds) for _ in range(threads)]:
                job.result()

        return threads * rounds / timed(once, runs).median


def peaks(threads: int, rounds: int = 100, runs: int = 5) -> dict[str, dict[str, float]]:
    """Operations per second by bound and operation."""
    return {
        bound: {name: SIZE * each * rate(loop, threads, rounds, runs) for name, (loop, each) in loops.items()}
        for bound, loops in LOOPS.items()
    }
